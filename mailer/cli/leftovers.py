"""What was never filled in and is left over in a text: "TBC", "nan", [name], «Name», <<Name>>, {name} and rows of X."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.model import fold

_FILL = "Fill the cell, or guard the field in the template with an if."
_WRITE = "Write what is meant, or let the template fill it in, as in {{ contact.name }}."

_WORDS = (
    re.compile(r"\b(nan|NaN|TBC|TBD)\b"),
    # English words, which are left over only where a name or a value would stand: "Dear None,", "Table: null".
    re.compile(r"(?:\b[A-Z]\w*\.?|:) (None|null|undefined)\b(?!\s\w)"),
    # Three are also a Roman thirty, as of a volume or a session: taken where none would stand.
    re.compile(r"(?<![\w/.-])([Xx]{4,})\b(?![/.]\w)"),
    re.compile(r"(?:(?:^|[,:;–\[]|\b[^\W\d]{1,2}\b\.?)\s?|\s(?=X{3}[,،:]$))\b(X{3})\b(?!\s?\w)"),
)

# Without one of these there is none of them, as in most texts.
_SUSPECT = ("[", "{", "«", "<<", "xx", "XX", "nan", "NaN", "None", "null", "undefined", "TBC", "TBD")

# Between brackets and quotation marks stand placeholders and other words, and only the former are names of fields.
_BRACKETED = re.compile(r"(?<![\w/&?=\]])\[([^\[\]]{2,60})\]")
_BRACED = re.compile(r"(?<![\w/&?=])\{[^\W\d_][\w .'’/-]{0,60}\}")
_QUOTED = re.compile(r"(?:«|<<)(\w(?:[^«»<>]{0,60}\w)?)(?:»|>>)")

# What the heading of a column means where it is of a person or of whom the person stands for.
_MEANINGS = {
    "title", "job", "line", "first_name", "last_name", "name", "position", "rank", "mission", "country",
    "organisation", "entity", "party", "address", "salutation", "address_name",
}  # fmt: skip
# And what a letter tells of the event.
_OF_THE_EVENT = {
    "date", "time", "place", "venue", "room", "link", "deadline", "event", "heure", "lieu", "salle", "lien", "fecha",
    "hora", "lugar", "sala", "enlace",
}  # fmt: skip
_ASKING = re.compile(r"^(?:insert|enter|add|your|inserer|votre|insertar|su) | here$")
_OF = re.compile(r" (?:of(?: the| your)?|de(?: la| l| l'| su| votre)?|du|del) ")


def leftovers_in(text: str) -> Iterator[tuple[str, str]]:
    """Each thing left over in `text`, which stands in one line, and what to do about it. Doubtful ones are let be."""
    if not any(one in text for one in _SUSPECT):
        return
    for pattern in _WORDS:
        for found in pattern.finditer(text):
            yield f"it says {found[found.lastindex or 0]!r}", _FILL
    placeholders = (
        *_BRACED.finditer(text),
        *(found for found in _BRACKETED.finditer(text) if _names_a_field(found[1])),
        *(found for found in _QUOTED.finditer(text) if _is_merge_field(found[1])),
    )
    for found in placeholders:
        yield f"the placeholder {found[0]} was left over", _WRITE


def _is_merge_field(words: str) -> bool:
    """Whether a word processor would have put something in the place of «words».

    In Spanish and Arabic, and carelessly in French, words that are quoted look the same: so it must be the name of a
    field as nobody writes a word, Last_Name, or one that begins as a heading does.
    """
    return bool(re.fullmatch(r"\w+_\w+", words)) or (words[0].isupper() and _names_a_field(words))


def _names_a_field(words: str) -> bool:
    """Whether `words` name what staff have a column for, or a letter tells of the event: "Name of organisation"."""
    asked = _ASKING.sub("", fold(words.replace("_", " ")))
    return _is_field(words) or all(map(_is_field, _OF.split(asked)))


def _is_field(words: str) -> bool:
    from mailer.contacts.headings import meaning

    known = meaning(words)
    return fold(words) in _OF_THE_EVENT or (known is not None and known[0] in _MEANINGS)
