"""Names as staff type them: honorifics are told apart from them, placeholders refused, nothing is split by guess."""

from __future__ import annotations

import re
import unicodedata

from mailer.contacts.cells import MAX_LENGTH, key, plain
from mailer.contacts.titles import TITLE_WORDS, is_style, is_title, is_title_of_address, title_of_address, title_words
from mailer.model.nobody import is_no_name

# Nobody's name, with or without a point; the other short forms count in a name only with their point.
_SURE = frozenset({
    "mr", "ms", "mrs", "mx", "dr", "prof", "mme", "mlle", "sra", "srta", "dra", "excmo", "excma", "professor",
    "monsieur", "madame", "mademoiselle", "ambassador", "ambassadeur", "ambassadrice", "embajador", "embajadora",
    "colonel", "coronel", "archbishop", "السيد", "السيدة", "الانسة", "الدكتور", "الدكتورة", "سعادة", "معالي", "السفير",
    "السفيرة",
})  # fmt: skip
_WITH_POINT = frozenset({
    "sr", "rev", "msgr", "hon", "amb", "col", "gen", "lt", "maj", "capt", "brig", "adm", "cmdr", "cdr", "lic", "ing",
})  # fmt: skip
_IN_BRACKETS = re.compile(r"\s*\(\s*([^()]{1,20}?)\s*\)$")
_INITIALS = re.compile(r"[HS]\. E\b", re.IGNORECASE)
# First and last words that deserve a second look, beside all titles.
_TELLING = frozenset({
    "nan", "undefined", "tbc", "tbd", "tba", "na", "null", "none", "x", "xx", "xxx", "unknown", "not", "vacant",
    "vacante", "vacancy", "position", "post", "poste", "puesto", "plaza", "cargo", "to", "inconnu", "inconnue",
    "desconocido", "desconocida", "por", "à", "a", "شاغر",
})  # fmt: skip
_PARTICLE_JOINED = re.compile(r"^(?:[^\W\d_]{1,3}['’-](?=\w{3})|Mc|Mac|De|Di|Du|La|Le)(?=[^\W\d_]{3})")


def is_ordinary(name: str) -> bool:
    """Whether a glance shows that the cell holds a name and nothing beside it; most cells need no second look."""
    first = name.partition(" ")[0].casefold()
    if not first.isascii():
        first = unicodedata.normalize("NFKC", first)
    return (
        first.isalpha()
        and first not in _TELLING
        and " nan" not in name
        and " NaN" not in name
        and name.rpartition(" ")[2].casefold() not in _TELLING
        and "@" not in name
        and "<" not in name
        and ">" not in name
        and name[-1] != ")"
        and first not in TITLE_WORDS
    )


def title_and_name(typed: str) -> tuple[str, str]:
    """The title and the name in what somebody typed into a form; two empty texts where that is no name."""
    title, name = without_honorific(plain(typed))
    is_name = len(typed) <= MAX_LENGTH and "@" not in name and "://" not in name and not is_no_name(name)
    return (title, name) if is_name else ("", "")


def looks_like_code(name: str) -> bool:
    """Whether the cell reads like a formula or a piece of a web page."""
    return name[0] in "=+-@" or "<" in name or ">" in name


def without_honorific(name: str) -> tuple[str, str]:
    """The honorific in a name's cell, as we write titles, and the name without it; both as typed where there is none.

    "H.E. Mr. X", "Dr X", "S.E. M. X" and "X (Ms)" carry one. Forms that may be a name or initials ("He", "S. E.",
    "M.") count only before another title, or with the point that marks them ("H.E.", "Gen.").
    """
    found: list[str] = []
    if name.endswith(")") and (bracket := _IN_BRACKETS.search(name)) and is_title_of_address(bracket[1]):
        found = title_words(bracket[1])
        name = name[: bracket.start()]
    words = title_words(name)
    if _INITIALS.match(name) and not (len(words) > 1 and is_title(words[1])):
        words = []
    count = 0
    while count < len(words) and _is_honorific(words, count):
        count += 1
    if count:
        before = {key(word) for word in words[:count]}
        found = words[:count] + [word for word in found if key(word) not in before]
        name = " ".join(words[count:])
    return title_of_address(" ".join(found)), name


def _is_honorific(words: list[str], position: int) -> bool:
    """Whether the word is a title, all words before it being titles."""
    word = words[position]
    form = key(word)
    if form in _SURE or word.upper() == "H.E." or (form in _WITH_POINT and word.endswith(".")):
        return True
    following = words[position + 1] if position + 1 < len(words) else ""
    if is_style(word):
        return key(following) in _SURE or following.upper() in ("M.", "SR.") or is_style(following) or position > 0
    return position > 0 and is_title(word) and is_style(words[position - 1])


def family_name_in_capitals(name: str) -> str:
    """The part of a full name that its capitals mark as the family name ("Ana de la MUESTRA"), else empty.

    Particles in lower case directly before it belong to it. Initials, words of two letters and names that are wholly
    in capitals mark nothing.
    """
    words = name.split()
    marked = [index for index, word in enumerate(words) if _in_capitals(word)]
    if not marked or len(marked) == len(words) or marked[-1] - marked[0] >= len(marked):
        return ""
    first = marked[0]
    while first > 0 and words[first - 1].islower():
        first -= 1
    if first == 0 and marked[-1] == len(words) - 1:
        return ""
    return " ".join(words[first : marked[-1] + 1]).strip(",")


def _in_capitals(word: str) -> bool:
    core = _PARTICLE_JOINED.sub("", word.strip(","))
    return core.isupper() and "." not in core and core != "III" and sum(c.isalpha() for c in core) > 2
