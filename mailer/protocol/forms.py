"""How a contact is addressed: the row's own words, else by rank, then function, then name, and the office at last."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mailer.model import Contact, Form, PartyKind
from mailer.protocol import names
from mailer.protocol.missions import Mission
from mailer.protocol.standing import Affiliation, Doubt, Manner, Standing, standing
from mailer.protocol.wording import WORDINGS, Wording, rank_in

_UNITED_NATIONS = re.compile(
    r"\bUN\b|\b(?:United Nations|Nations Unies|Naciones Unidas)\b(?! Association)|الأمم المتحدة"
    r"|\b(?:FAO|ILO|IOM|OCHA|OHCHR|UNDP|UNEP|UNESCO|UNFPA|UNHCR|UNICEF|UNITAR|UNMAS|UNODC|UNOPS|UNRWA|WFP)\b"
    r"|^WHO$|\bWorld (?:Health Organization|Food Programme)\b"
)


@dataclass(frozen=True, slots=True)
class FormOfAddress:
    """The form to use, and what a person must look at before it is."""

    form: Form
    doubts: tuple[Doubt, ...]


def form_of_address(contact: Contact, language: str, mission: Mission | None) -> FormOfAddress:
    """How `contact` is addressed in `language` (English where it has no words of its own here).

    `mission` is the contact's, where it is known; a mailbox is called by its name. Neither text of the form ever holds
    a placeholder, control characters or doubled blanks; the address name is empty only where the party's name is
    unusable too. The ladder: the row's own `salutation` and `address_name`, rank, function, name, office.
    """
    wording = WORDINGS.get(language, WORDINGS["en"])
    doubts: list[Doubt] = []
    salutation = _own_words("salutation", contact.salutation, doubts)
    address_name = _own_words("address_name", contact.address_name, doubts)
    if salutation and address_name:
        return FormOfAddress(Form(salutation, address_name), tuple(doubts))

    name, family = names.tidy(contact.name), names.tidy(contact.last_name or contact.name)
    title, rank = names.tidy(contact.title), names.tidy(contact.rank)
    found = standing(title, rank, names.tidy(contact.position), _affiliation(contact, mission))
    if not name and (title or rank):
        doubts.append(Doubt("name", "error", "there is a title or a rank but no name", _NO_NAME))
    for doubt in found.doubts:
        if doubt.severity == "error":
            doubts += () if salutation else (doubt,)  # which settles what rank and title disagree about
        elif name:
            doubts.append(doubt)
        elif not (title or rank):
            doubts.append(replace(doubt, fix=_NO_NAME_OF_HEAD))
    if not address_name:
        spoken = language if language in WORDINGS else "en"
        found = replace(found, suffix=rank_in(spoken, found.suffix, found.gender)) if found.suffix else found
        address_name = _address_name(wording, found, name) if name else _office(contact, language, mission, doubts)
    return FormOfAddress(Form(salutation or _salutation(wording, found, name, family), address_name), tuple(doubts))


_NO_NAME = "Write the name, or empty title and rank where nobody in person is written to."
_NO_NAME_OF_HEAD = "Write name and rank, or empty the function where nobody in person is written to."


def _own_words(field: str, words: str, doubts: list[Doubt]) -> str:
    if not words:
        return ""
    words = names.tidy(words)
    if reason := names.fault(words):
        doubts.append(Doubt(field, "error", f"{words!r} {reason}", "Write the words to be used, or empty the cell."))
        return ""
    return words


def _affiliation(contact: Contact, mission: Mission | None) -> Affiliation:
    if mission or contact.party.kind is PartyKind.MISSION:
        return Affiliation.UNITED_STATES if mission and mission.code == "USA" else Affiliation.MISSION
    domain = contact.address.domain
    if domain == "un.org" or domain.endswith(".un.org") or _is_united_nations(contact.party.name):
        return Affiliation.UNITED_NATIONS
    return Affiliation.ORGANISATION


@lru_cache(maxsize=4096)
def _is_united_nations(party: str) -> bool:
    return bool(_UNITED_NATIONS.search(party))


def _salutation(wording: Wording, found: Standing, name: str, family: str) -> str:
    gender = found.gender
    if found.manner is Manner.AMBASSADOR:
        return wording.ambassador[gender]
    if not name:
        return wording.mailbox
    if found.manner is Manner.COLLEAGUE:
        return wording.colleague[gender]
    if found.manner is Manner.NEUTRAL:
        return wording.person[0].format(name=name)
    if wording.styled and found.is_typed:
        return wording.styled.format(honorific=found.style, family=family)
    honorific = wording.academic.get(found.style, wording.honorific)[gender]
    return wording.person[gender].format(honorific=honorific, family=family, name=name)


def _address_name(wording: Wording, found: Standing, name: str) -> str:
    if found.manner is Manner.NEUTRAL:
        return name
    is_ambassador = found.manner is Manner.AMBASSADOR
    if found.style in wording.academic:
        style = wording.academic[found.style][found.gender]
    elif found.is_typed and (wording.styled or found.is_rank):
        style = found.style
    else:
        style = ""
    if style:
        before = wording.excellency_styled.format(honorific=style) if is_ambassador else style
    else:
        before = (wording.excellency if is_ambassador else wording.honorific)[found.gender]
    return f"{before} {name}".lstrip() + (f"{wording.comma}{found.suffix}" if found.suffix else "")


def _office(contact: Contact, language: str, mission: Mission | None, doubts: list[Doubt]) -> str:
    if mission:
        return mission.name(language)
    office = names.tidy(contact.party.name)
    if reason := names.fault(office):
        doubts.append(Doubt("party", "error", f"{office!r} {reason}", "Write the name of the mission or organisation."))
        return ""
    return office
