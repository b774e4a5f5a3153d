"""Columns that are not read and yet seem to say who gets a mail, or how: whoever made the sheet is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from mailer.contacts import cells as words
from mailer.contacts.columns import MISSING, Columns
from mailer.contacts.headings import meaning
from mailer.contacts.rows import Sheet, letters
from mailer.contacts.titles import is_title_of_address
from mailer.errors import Problem, Severity
from mailer.model import Standing, fold
from mailer.model.nobody import is_nobody

Doubt = tuple[str, str, Severity]

# Headings that forbid to write to somebody, in folded words.
_FORBIDS = re.compile(
    r"\b(?:(?:do not|don't|dont|not to(?: be)?|never) (?:\w+ ){0,2}?(?:invit|contact|writ|e ?mail|mail)"
    r"|(?:ne pas|ne plus) (?:\w+ ){0,1}?(?:invit|contact|ecri)|no (?:invitar|contactar|escribir))"
)
# Headings under which a yes may keep somebody from being written to.
_MAY_FORBID = re.compile(
    r"\b(?:not|no|never|don't|dont|without|ne|pas|non|sans|sin|exclu\w*|remov\w*|delet\w*|skip\w*|stop\w*|unsub\w*"
    r"|bounc\w*|invit\w*|عدم|لا)\b"
)
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.\w")
# Of three letters those alone that staff write: to look up others takes a library that is slow to load.
_LONG_CODES = frozenset({"eng", "fra", "fre", "spa", "ara", "rus", "zho", "chi", "por"})


def doubts(sheet: Sheet, header: int, columns: Columns, sample: Sequence[Sequence[str]]) -> Iterator[Problem]:
    """What the columns seem to say that the plan of the sheet does not read, by heading and the rows of the `sample`.

    An error where somebody may be meant not to be written to, for then the sheet must not be used; else a warning that
    names the column, what stands there and the heading that would be understood. `header` is the number of its row.
    """
    for column, heading in enumerate(columns.headings):
        if column in columns.fields:
            continue
        values = [row[column] for row in sample if column < len(row) and row[column]]
        values = [value for value in values if not is_nobody(value) or value.isdigit()]
        if doubt := _forbidden(heading, column, columns, sample) or _doubt(heading, values, columns):
            problem, fix, severity = doubt
            place = f"{letters(column)}{header}"
            yield Problem(problem, fix, severity, sheet.file, sheet.name, place, header, heading or None)


def _forbidden(heading: str, column: int, columns: Columns, sample: Sequence[Sequence[str]]) -> Doubt | None:
    """That a cell forbids to write to somebody whom no column that is read holds back."""
    for row in sample:
        if column < len(row) and words.forbids(row[column]) and not _is_held_back(row, columns):
            called = f"“{heading}”" if heading else "A column without a heading"
            problem = f"{called} holds {row[column]!r}, and is not read"
            fix = "Write it into a column called Status; if it means something else, say it otherwise."
            return problem, fix, "error"
    return None


def _is_held_back(row: Sequence[str], columns: Columns) -> bool:
    status = columns.at["status"]
    if status != MISSING and status < len(row) and words.standing(row[status]) is not Standing.ACTIVE:
        return True
    return any(column < len(row) and words.is_barred(row[column], *asked) for column, *asked in columns.barring)


def _doubt(heading: str, values: Sequence[str], columns: Columns) -> Doubt | None:
    known = meaning(heading)
    if known and known[0] == "status":
        problem = "Two columns give the status, and only one can be read"
        return problem, "Put them into one, or give one of them another heading.", "error"
    if not values:
        return None
    if _FORBIDS.search(fold(heading)):
        problem = f"“{heading}” seems to say who is not to be written to, and is not understood"
        return problem, "Call it 'Do not invite', with yes or nothing in its cells, or give it another name.", "error"
    if _MAY_FORBID.search(fold(heading)) and all(map(_is_answer, values)):
        fix = "Call it 'Do not invite' or 'Invite' if it says who is written to; else leave it."
        return _unread(heading, values, "yes or no"), fix, "warning"
    if known and known[0] in ("title", "job", "line") and all(map(_is_title, values)):
        read = columns.headings[columns.at["title"]]
        return f"Two columns give titles, and only “{read}” is read", "Put them into one column Title.", "warning"
    if all(map(_ADDRESS.search, values)):
        fix = "Call it Cc if they are to get a copy, or Email if they are written to; else leave it."
        return _unread(heading, values, "e-mail addresses"), fix, "warning"
    for field, looks_right, what in _KINDS:
        if columns.at[field] == MISSING and all(map(looks_right, values)):
            fix = f"Call it {field.capitalize()} if that is what it says; else leave it."
            return _unread(heading, values, what), fix, "warning"
    return None


def _unread(heading: str, values: Sequence[str], what: str) -> str:
    """That the column is not read though it seems to hold `what`, with the first of its values."""
    called = f"“{heading}” is not a heading that is understood" if heading else "The column has no heading"
    first = ", ".join(repr(value) for value in islice(dict.fromkeys(values), 2))
    return f"{called}, so the column is not read; it seems to hold {what} ({first})"


def _is_answer(text: str) -> bool:
    return words.yes_or_no(text) is not None and not text.isdigit()


def _is_language(text: str) -> bool:
    return (
        1 < len(text) <= 30
        and not any(map(str.isdigit, text))  # so that most columns need no list of languages, which takes a while
        and (len(text) != 3 or text.casefold() in _LONG_CODES)
        and not _is_answer(text)  # "no" is Norwegian too, and "si" Sinhala
        and words.language(text) is not None
    )


def _is_title(text: str) -> bool:
    return len(text) > 1 and is_title_of_address(text)


_KINDS: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("language", _is_language, "languages"),
    ("title", _is_title, "titles of address"),
)
