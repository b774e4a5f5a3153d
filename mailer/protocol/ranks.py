"""What a rank or position cell says: a diplomatic or military rank, a function, a grade, or nothing that we know."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from mailer.model import fold


class Kind(Enum):
    """What a part of a cell means, the strongest first: of "Ambassador, Permanent Representative" the first counts."""

    AMBASSADOR = "ambassador"
    CHARGE = "chargé d'affaires"
    MILITARY = "military or police rank"
    DIPLOMAT = "diplomatic rank"
    HEAD = "head of mission"
    REPRESENTATIVE = "representative"  # the head of mission's function in one mission, that of the United States
    GRADE = "grade"
    OTHER = "other"
    NONE = "empty"


class Reading(NamedTuple):
    """The strongest kind found in a cell and the words that say so, as typed."""

    kind: Kind
    words: str


NOTHING = Reading(Kind.NONE, "")


# Matched against whole parts of a cell, in folded text: without accents, points and hyphens.
_HOLDER = r"(?:a i|ad interim|interim|acting|deputy|alternate|adjointe?|adjunt[oa]|altern[oa])"
_PATTERNS = {
    Kind.AMBASSADOR: (
        r"(?:ambassad(?:or|eur|rice)|embajador(?:a)?|amb|(?:apostolic )?nuncio|nonce apostolique)"
        r"(?! (?:s|assistant|secretary|office|aide|spouse)\b)(?: .*)?|(?:ال)?سفيرة?(?: .*)?"
    ),
    Kind.CHARGE: r"chargee? d affaires?(?: .*)?|encargad[oa] de negocios(?: .*)?|(?:ال)?قايمة? بالاعمال(?: .*)?",
    Kind.MILITARY: (
        r"(?:(?:lieutenant|lt|major|maj|brigadier|brig|full|staff|rear|vice|air|chief|senior|detective|deputy|assistant"
        r"|second|sous) )*"
        r"(?:general|gen|colonel|col|major|maj|captain|capt|lieutenant|lt|brigadier|commander|cdr|commodore|admiral|adm"
        r"|marshal|sergeant|sgt|superintendent|inspector)(?: of police)?"
        r"|(?:wing|squadron|group|flight) (?:commander|leader|captain|lieutenant)"
        r"|(?:lieutenant )?colonel|general (?:de|d) (?:brigade|division|corps d armee|armee)|commandant|capitaine"
        r"|capitaine de (?:vaisseau|fregate|corvette)|(?:contre |vice )?amiral"
        r"|(?:teniente )?coronel|general de (?:brigada|division)|comandante|capitan(?: de (?:navio|fragata|corbeta))?"
        r"|(?:vice|contr)?almirante|(?:ال)?(?:عقيد|عميد|لواء|رايد|نقيب|مقدم|فريق|ملازم)"
    ),
    Kind.DIPLOMAT: (
        r"(?:envoy extraordinary|minister)(?: plenipotentiary)?|minister (?:counsell?or|councillor|advis[eo]r)"
        r"|(?:first |second |third |senior |deputy )?(?:counsell?or|councillor)(?: (?:for|to|at)\b.*)?"
        r"|(?:senior )?(?:first|second|third|1st|2nd|3rd) secretary(?: .*)?"
        r"|(?:\w+ )?attache|(?:vice )?consul(?: general)?"
        r"|ministre(?: plenipotentiaire)?|ministre conseillere?"
        r"|(?:premiere?|deuxieme|seconde?|troisieme) (?:secretaire|conseillere?)(?: .*)?|conseillere?|attachee?(?: .*)?"
        r"|(?:conseillere?|secretaire) (?:d ambassade|des affaires etrangeres)"
        r"|ministr[oa](?: plenipotenciari[oa]| consejer[oa])?|consejer[oa]|agregad[oa](?: .*)?"
        r"|(?:consejer|secretari)[oa] de embajada"
        r"|(?:primera?|segund[oa]|tercera?) secretari[oa](?: .*)?"
        r"|(?:ال)?(?:مستشارة?|ملحقة?)|(?:ال)?وزيرة? (?:ال)?(?:مفوضة?|مستشارة?)|(?:ال)?سكرتيرة? .+"
    ),
    Kind.HEAD: (
        rf"(?!.*\b{_HOLDER}\b)(?:(?:the )?permanent (?:representative|observer)(?: (?:of|to|for|at|designate)\b.*)?|pr"
        r"|(?:representante?|observateur|observatrice) permanente?(?: (?:de|du|des|d|aupres)\b.*)?"
        r"|(?:representante|observador|observadora) permanente(?: (?:de|del|ante)\b.*)?"
        r"|(?:ال)?(?:ممثل|مندوب|مراقب)ة? (?:ال)?دايمة?(?: ل.*)?)"
    ),
    Kind.REPRESENTATIVE: rf"(?!.*\b{_HOLDER}\b)(?:us |u s |united states )?representative(?: (?:of|to)\b.*)?",
    Kind.GRADE: r"(?:p|d|g|gs|fs|l|s|no) ?\d{1,2}|no [a-e]|usg|asg",
}
_MEANINGS = [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS.items()]
_BETWEEN_PARTS = re.compile(r" ?(?:[,;/()\[\]|،؛]| [-–—&] | (?:and|et|y) ) ?", re.IGNORECASE)
_GRADE = re.compile(_PATTERNS[Kind.GRADE])
# A grade beside other words is recognised by its hyphen ("P-5"), comma or brackets: "the P5" is a group of states.
_GRADE_ASIDE = re.compile(
    r"[\s,;/–—-]{0,3}\b(?:P|D|G|GS|FS|L|NO)-[\dA-E]{1,2}\b|,\s?(?:P|D|G|GS|FS|L)\s?\d{1,2}(?=\s?(?:,|$))"
    r"|\s?[(\[](?:P|D|G|GS|FS|L|NO)[-\s]?\d{1,2}[)\]]"
)


@lru_cache(maxsize=16_384)
def read(text: str) -> Reading:
    """What a tidy cell `text` says, by its strongest part. `Kind.OTHER` is text without a rank or grade known here."""
    if not text:
        return NOTHING
    parts = [(part, fold(part).replace("'", " ")) for part in _BETWEEN_PARTS.split(text) if part]
    for kind, meaning in _MEANINGS:
        for part, folded in parts:
            if meaning.fullmatch(folded):
                return Reading(kind, part)
    return Reading(Kind.OTHER, text)


@lru_cache(maxsize=16_384)
def without_grade(position: str) -> str:
    """The functional title in `position`, without a United Nations grade: of "Chief of Section, P-5" the first part."""
    function = _GRADE_ASIDE.sub("", position).strip()
    return "" if _GRADE.fullmatch(fold(function)) else function
