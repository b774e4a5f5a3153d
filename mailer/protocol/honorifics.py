"""What a title says: gender, excellency, rank, and what stands before an English name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from mailer.model import fold
from mailer.protocol import ranks
from mailer.protocol.ranks import NOTHING, Kind, Reading


class Gender(IntEnum):
    """The gender a title tells; also the place of its words in the tables of `wording`."""

    UNKNOWN = 0
    MAN = 1
    WOMAN = 2


@dataclass(frozen=True, slots=True)
class Honorific:
    """A title that has been read.

    `style` is what stands before a name in English ("Ms.", "Dr.", "Archbishop"), empty where nothing may; `is_typed`
    tells that it is more than the gender's own word. `excellency` is the claim "H.E." or "Ambassador". `rank` is the
    rank below ambassador that stands in the title, if any. `unknown` holds a title in which no word was understood.
    """

    style: str
    is_typed: bool
    gender: Gender
    excellency: bool
    rank: Reading
    unknown: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# All in folded spelling. "Ambassadeur" is no man's word: many a woman bears it.
_MEN = _words("mr mister m monsieur sr senor excmo excelentisimo embajador السيد سيد السفير سفير الدكتور الاستاذ")
_WOMEN = _words(
    "ms mrs miss mme madame mlle mademoiselle sra srta senora senorita excma excelentisima dra doctora ambassadrice"
    " embajadora السيدة سيدة السفيرة سفيرة الدكتورة الاستاذة"
)
_EXCELLENCIES = _words(
    "he se excellency excellence excelencia excmo excma excelentisimo excelentisima ambassador amb ambassadeur"
    " ambassadrice embajador embajadora nuncio سعادة السعادة السفير السفيرة سفير سفيرة"
)
_OWN_STYLES = {"mrs": "Mrs.", "miss": "Miss", "mx": "Mx."}
_ACADEMIC = {
    "dr": "Dr.", "dra": "Dr.", "doctor": "Dr.", "doctora": "Dr.", "docteur": "Dr.", "الدكتور": "Dr.", "الدكتورة": "Dr.",
    "prof": "Prof.", "professor": "Prof.", "professeur": "Prof.", "profesor": "Prof.", "profesora": "Prof.",
}  # fmt: skip
# Titles of address that are kept as typed, in English only.
_OTHER = _words(
    "archbishop bishop cardinal monsignor msgr mgr mons monseigneur rev reverend father sister rabbi imam sheikh shaikh"
    " sheikha sir dame lord lady prince princess judge justice senator dato datuk"
)
_SILENT = _words("his her your son sa votre su vuestra صاحب صاحبة معالي and the")
_SPOKEN_FOR = _SILENT | _EXCELLENCIES | _MEN | _WOMEN | _OWN_STYLES.keys() | _ACADEMIC.keys()
_INITIALS = re.compile(r"\b([hs])\.?\s*e\b\.?", re.IGNORECASE)  # "H.E." and "S. E.", which also stand without a blank


@lru_cache(maxsize=4096)
def read(title: str) -> Honorific:
    """What `title` says, in any of the four languages. Two genders at once ("Mr./Ms.") say none."""
    tokens = _INITIALS.sub(r"\1e ", title).split()
    words = fold(" ".join(tokens)).replace("'", " ").split()
    rest = " ".join(token for token in tokens if _SPOKEN_FOR.isdisjoint(fold(token).split()))
    rank = ranks.read(rest)
    is_other = not _OTHER.isdisjoint(words)
    style = next((table[word] for table in (_ACADEMIC, _OWN_STYLES) for word in words if word in table), "")
    if rank.kind is Kind.MILITARY:
        style = rank.words
    elif is_other:
        style = " ".join(token for token in tokens if fold(token) in _OTHER)
    gender = _gender(frozenset(words))
    is_rank = rank.kind in (Kind.CHARGE, Kind.MILITARY, Kind.DIPLOMAT)
    is_understood = is_other or is_rank or rank.kind in (Kind.AMBASSADOR, Kind.NONE)
    return Honorific(
        style=style or ("", "Mr.", "Ms.")[gender],
        is_typed=bool(style),
        gender=gender,
        excellency=rank.kind is Kind.AMBASSADOR or not _EXCELLENCIES.isdisjoint(words),
        rank=rank if is_rank else NOTHING,
        unknown="" if is_understood else rest,
    )


def _gender(words: frozenset[str]) -> Gender:
    is_man, is_woman = not words.isdisjoint(_MEN), not words.isdisjoint(_WOMEN)
    if is_man is is_woman:
        return Gender.UNKNOWN
    return Gender.WOMAN if is_woman else Gender.MAN
