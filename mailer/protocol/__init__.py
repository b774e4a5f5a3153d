"""Forms of address and mission names, per language: pure tables and the ladder that chooses from them."""

from mailer.protocol.forms import FormOfAddress, form_of_address
from mailer.protocol.missions import Directory, Mission
from mailer.protocol.standing import Doubt, disagreement

__all__ = ["Directory", "Doubt", "FormOfAddress", "Mission", "disagreement", "form_of_address"]
