"""Cells of fixed meaning: white space made plain, and the words for languages, rules, standings and kinds of party."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from mailer.model import PartyKind, Rule, Standing, fold

MAX_LENGTH = 1000  # of a name, a function, a salutation

ERROR_VALUES = frozenset(
    {
        "#N/A",
        "#NAME?",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
    }
    | {"Err:502", "Err:504", "Err:508", "Err:509", "Err:511", "Err:522"}
)
# Joiners shape letters in Persian and Indic names; every other sign of format is invisible and means nothing in a cell.
_JOINERS = "\u200c\u200d"
_NOT_SPACES = frozenset("\x1c\x1d\x1e\x1f")  # control characters that Python takes for white space


def plain(text: str) -> str:
    """`text` with each run of white space of any kind as one blank, invisible signs left out, ends trimmed."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    kept = (c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c) != "Cf")
    return " ".join("".join(kept).strip(_JOINERS).split())


@lru_cache(maxsize=8192)
def key(text: str) -> str:
    """What makes two headings, or two titles, the same: letters and digits alone, folded ("H.E." is `he`)."""
    return "".join(c for c in fold(text) if c.isalnum())


def control_character(text: str) -> str | None:
    """The name of the first control character in `text` that is no white space ("U+0007"), None if there is none."""
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cs") and (not c.isspace() or c in _NOT_SPACES):
            return f"U+{ord(c):04X}"
    return None


# What a first octet of UTF-8 and the next one look like in cp1252: seldom side by side in what is no accident.
_TWO_OCTETS = re.compile(f"[Â-ô][{re.escape(bytes(range(0x80, 0xC0)).decode('cp1252', 'ignore'))}]")


def ungarbled(text: str) -> str | None:
    """What `text` says if it is UTF-8 that a program took for Western European ("AndrÃ©"); None if it is not."""
    if not _TWO_OCTETS.search(text):
        return None
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None


# --- languages --------------------------------------------------------------------------------------------------------

_NAMED_IN = ("en", "fr", "es", "ar", "ru", "zh", "pt")
_BETWEEN = re.compile(r"\s*(?:[/\\;,&+|()\n]|\s[-–—]\s|\band\b|\bet\b|\by\b|\bor\b|\bou\b)\s*")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z]{2,4}){0,2}")


@lru_cache(maxsize=1)
def _languages() -> dict[str, str]:
    """Two-letter codes by folded code and by folded name, in the seven languages of `_NAMED_IN`."""
    from babel import Locale

    codes: dict[str, str] = {}
    for display in _NAMED_IN:
        names = {str(code): str(name) for code, name in Locale(display).languages.items()}
        codes |= {fold(name): code for code, name in names.items() if len(code) == 2}
        codes |= {code: code for code in names if len(code) == 2}
    return codes


@lru_cache(maxsize=1024)
def language(text: str) -> str | None:
    """The two-letter code (ISO 639-1) that the cell names, by name or code; of several the first. None if unknown."""
    first = next((part for part in _BETWEEN.split(text) if part), "")
    codes = _languages()
    if named := codes.get(fold(first)):
        return named
    tag = _TAG.fullmatch(first.strip())
    if not tag:
        return None
    code = tag[1].lower()
    if len(code) == 3:
        import pycountry

        entry = pycountry.languages.get(alpha_3=code) or pycountry.languages.get(bibliographic=code)
        code = getattr(entry, "alpha_2", "") or ""
    return codes.get(code)


# --- fixed words ------------------------------------------------------------------------------------------------------

RULE_WORDS = tuple(rule.value.replace("_", " ") for rule in Rule)
_RULES = {
    **{word: Rule(word.replace(" ", "_")) for word in RULE_WORDS},
    "non transferable": Rule.PERSONAL,
    "not transferable": Rule.PERSONAL,
    "plus 1": Rule.PLUS_ONE,
    "one per mission": Rule.ONE_PER_PARTY,
    "one per organisation": Rule.ONE_PER_PARTY,
    "one per organization": Rule.ONE_PER_PARTY,
}
_STANDING_WORDS = {
    Standing.ACTIVE: ("", "actif", "activo", "activa"),
    Standing.DO_NOT_CONTACT: ("ne plus contacter", "ne pas contacter", "no contactar", "no contactar más"),
    Standing.LEFT: ("parti", "partie", "a quitté", "a quitté le poste", "ha dejado el puesto", "se fue"),
}
_STANDINGS = {fold(word): standing for standing, words in _STANDING_WORDS.items() for word in (standing.value, *words)}
_MISSION_WORDS = (
    "mission", "missions", "permanent mission", "observer mission", "permanent observer mission", "state",
    "member state", "non member state", "observer", "country", "misión", "état", "pays", "país",
)  # fmt: skip
_ORGANISATION_WORDS = (
    "organisation", "organization", "organisations", "organizations", "organización", "ngo", "ngos", "ong", "un",
    "un office", "un agency", "un entity", "agency", "academic", "academia", "university", "civil society",
    "think tank", "foundation", "media", "private sector", "intergovernmental organization",
    "intergovernmental organisation", "igo", "other",
)  # fmt: skip
_KINDS = dict.fromkeys(_MISSION_WORDS, PartyKind.MISSION) | dict.fromkeys(_ORGANISATION_WORDS, PartyKind.ORGANISATION)
# MC_Category of the directory of missions: member, non-member state; intergovernmental, other entity, agency.
_KINDS |= {"1": PartyKind.MISSION, "2": PartyKind.MISSION} | dict.fromkeys(("4", "5", "6"), PartyKind.ORGANISATION)
_KINDS_FOLDED = {fold(word): kind for word, kind in _KINDS.items()}
_SAYS_YES = frozenset(fold(word) for word in ("yes", "y", "true", "1", "oui", "sí", "نعم"))
_SAYS_NO = frozenset(fold(word) for word in ("no", "n", "false", "0", "non", "لا"))
_FORBIDS = frozenset({
    "do not contact", "do not invite", "ne pas contacter", "ne pas inviter", "no contactar", "no invitar",
})  # fmt: skip
_YES = _SAYS_YES | _FORBIDS | {"x"}
_NO = _SAYS_NO | {""}


@lru_cache(maxsize=1024)
def rule(text: str) -> Rule | None:
    """The rule that the cell names; None if it names none."""
    return Rule.PLUS_ONE if text.replace(" ", "") == "+1" else _RULES.get(fold(text))


@lru_cache(maxsize=1024)
def standing(text: str) -> Standing | None:
    """The standing that the cell names, active where it is empty; None for other words."""
    return _STANDINGS.get(fold(text)) if fold(text) or not text else None


@lru_cache(maxsize=1024)
def party_kind(text: str) -> PartyKind | None:
    """The kind of party that the cell names; None if it names none."""
    return _KINDS_FOLDED.get(fold(text))


@lru_cache(maxsize=1024)
def yes_or_no(text: str) -> bool | None:
    """Whether the cell says yes (a cross counts) or no (empty counts); None if it says neither."""
    folded = fold(text) or text  # a tick is no letter, and not empty
    return True if folded in _YES else False if folded in _NO else None


@lru_cache(maxsize=1024)
def forbids(text: str) -> bool:
    """Whether the cell says in so many words, under whatever heading, that somebody is not to be written to."""
    return fold(text) in _FORBIDS or standing(text) is Standing.DO_NOT_CONTACT


@lru_cache(maxsize=1024)
def is_barred(text: str, inviting: bool, yes: str) -> bool | None:
    """Whether a cell says not to write to somebody; None if it says neither. `yes` is a yes that its heading names.

    In a column such as "Do not invite" a cross says yes and an empty cell no. In one such as "Invite?" (`inviting`)
    neither is taken for an answer: it has to say yes or no in so many words.
    """
    if yes and fold(text) == yes:
        return not inviting
    if not inviting:
        return yes_or_no(text)
    return True if fold(text) in _SAYS_NO else False if fold(text) in _SAYS_YES else None
