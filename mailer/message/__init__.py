"""From a rendered letter to the envelope and the octets on the wire, all that is common to a mailing encoded once."""

from mailer.message.composer import Composer
from mailer.message.headers import Sender
from mailer.message.invite import calendar_file

__all__ = ["Composer", "Sender", "calendar_file"]
