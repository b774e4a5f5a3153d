"""Titles of address as staff type them, brought to one spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from mailer.contacts.cells import key

# Short forms by their letters alone -> as we write them.
_SHORT = {
    "mr": "Mr.", "ms": "Ms.", "mrs": "Mrs.", "mx": "Mx", "dr": "Dr.", "prof": "Prof.", "he": "H.E.", "se": "S.E.",
    "m": "M.", "mme": "Mme", "mlle": "Mlle", "sr": "Sr.", "sra": "Sra.", "srta": "Srta.", "dra": "Dra.",
    "excmo": "Excmo.", "excma": "Excma.", "lic": "Lic.", "ing": "Ing.", "rev": "Rev.", "msgr": "Msgr.", "hon": "Hon.",
    "amb": "Amb.", "col": "Col.", "gen": "Gen.", "lt": "Lt.", "maj": "Maj.", "capt": "Capt.", "brig": "Brig.",
    "adm": "Adm.", "cmdr": "Cmdr.", "cdr": "Cdr.",
}  # fmt: skip
# Words that stay as typed, folded.
_LONG = frozenset({
    "miss", "sir", "dame", "lord", "lady", "professor", "doctor", "monsieur", "madame", "mademoiselle", "docteur",
    "professeur", "senor", "senora", "senorita", "don", "dona", "doctora", "profesor", "profesora", "his", "her", "son",
    "su", "the", "right", "excellency", "excellence", "excelencia", "excelentisimo", "excelentisima", "reverend",
    "monsignor", "archbishop", "bishop", "father", "sister", "brother", "honourable", "honorable", "ambassador",
    "ambassadeur", "ambassadrice", "embajador", "embajadora", "colonel", "coronel", "general", "brigadier", "major",
    "lieutenant", "captain", "commander", "commodore", "admiral", "commissioner", "superintendent", "inspector",
    "chief", "sheikh", "sheikha", "prince", "princess", "السيد", "السيدة", "الانسة", "الدكتور", "الدكتورة", "سعادة",
    "معالي", "السفير", "السفيرة", "الاستاذ", "الاستاذة", "العقيد", "العميد", "اللواء",
})  # fmt: skip
_STYLES = frozenset({
    "he", "se", "excellency", "excellence", "excelencia", "excmo", "excma", "excelentisimo", "excelentisima", "سعادة",
    "معالي", "his", "her", "son", "su",
})  # fmt: skip
_WOMAN = frozenset({
    "ms", "mrs", "miss", "mme", "mlle", "sra", "srta", "dra", "madame", "mademoiselle", "senora", "senorita", "excma",
    "السيدة", "الانسة", "السفيرة", "الدكتورة",
})  # fmt: skip
_MAN = frozenset({"mr", "m", "sr", "monsieur", "senor", "excmo", "السيد"})

_EXCELLENCY_APART = re.compile(r"\b([HS]) ?\. ?E\b ?\.?", re.IGNORECASE)
_NO_BLANK_AFTER_POINT = re.compile(r"\.(?=[^\W\d_]{2})")

TITLE_WORDS = frozenset(_SHORT) | _LONG


def is_style(word: str) -> bool:
    """Whether the word is one that is put before another title: H.E., S.E., Excma."""
    return key(word) in _STYLES


def title_words(text: str) -> list[str]:
    """The words of a title; "H. E." is one word, "H.E.Mr." are two."""
    return _NO_BLANK_AFTER_POINT.sub(". ", _EXCELLENCY_APART.sub(r"\1.E. ", text)).split()


def is_title(word: str) -> bool:
    """Whether the single word is a title of address, short or written out, in any case."""
    return not word.endswith((",", ":", "!")) and key(word) in TITLE_WORDS


def is_title_of_address(text: str) -> bool:
    """Whether each word of the cell is a title of address."""
    words = title_words(text)
    return bool(words) and all(map(is_title, words))


@lru_cache(maxsize=4096)
def title_of_address(text: str) -> str:
    """The title as we write it ("MR" is "Mr.", "H. E. Mme" is "H.E. Mme"); what is written out or unknown as typed."""
    return " ".join(_SHORT.get(key(word), word) for word in title_words(text))


def merged(title: str, found: str) -> str | None:
    """One title out of the title's cell and what stood beside the name; None where they contradict each other."""
    if not title or not found:
        return title or found
    ours, theirs = ({key(word) for word in title_words(text)} for text in (title, found))
    if (ours & _WOMAN and theirs & _MAN) or (ours & _MAN and theirs & _WOMAN):
        return None
    if theirs <= ours:
        return title
    if ours <= theirs:
        return found
    if theirs <= _STYLES:
        return f"{found} {title}"
    return f"{title} {found}" if ours <= _STYLES else None
