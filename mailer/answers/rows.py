"""What one row of an export says: the reference, whose answer it is, and whether and how somebody comes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailer.answers import attendance
from mailer.answers.matching import references_in
from mailer.answers.questions import Columns, split
from mailer.contacts.addresses import addresses
from mailer.model import Attendance, fold

Cells = Sequence[str]

_NOBODY = frozenset({"anonymous", "anonimo", "anonima", "anonyme"})
_TICKED = frozenset(fold(word) for word in ("yes", "y", "oui", "sí", "نعم", "true", "1", "x", "checked", "selected"))
_UNTICKED = frozenset(fold(word) for word in ("no", "n", "non", "لا", "false", "0", "unchecked", "not selected", "n/a"))


def reference(meant: Columns, cells: Cells) -> str:
    """The cell that holds a reference, asked for or not; without one, what was typed where it was asked for."""
    for column in (*meant["reference"], *meant["carried"]):
        if any(references_in(cells[column])):
            return cells[column]
    return next(
        (cells[column] for column in meant["other"] if _volunteers_reference(cells[column])),
        _first(cells, meant["reference"]),
    )


def _volunteers_reference(text: str) -> bool:
    """Whether a reference stands where nobody asked for one.

    It must look like one, with letters and digits or in its two groups: one in 31 words of ten letters, and one in 31
    telephone numbers, would else pass for a reference.
    """
    return any(
        (any(map(str.isdigit, found)) and any(map(str.isalpha, found))) or found in text.upper()
        for found in references_in(text)
    )


def name(meant: Columns, cells: Cells) -> str:
    """The first name that is one: what forms write for nobody ("anonymous") is none."""
    joined = f"{_first(cells, meant['first_name'])} {_first(cells, meant['last_name'])}".strip()
    names = (*(cells[column] for column in meant["name"]), joined)
    return next((found for found in names if found and fold(found) not in _NOBODY), "")


def mailboxes(meant: Columns, cells: Cells) -> tuple[str, ...]:
    """The respondent's addresses, the buyer's after them; what is mistyped stays, for the person who reviews it."""
    found: dict[str, str] = {}
    for column in (*meant["email"], *meant["buyer"]):
        read = addresses(cells[column])
        mistyped = [text for text, _ in read.wrong if "@" in text]
        for text in (*map(str, read.addresses), *mistyped):
            found.setdefault(text.casefold(), text)
    return tuple(found.values())


def party(meant: Columns, cells: Cells) -> str:
    """The organisation as typed, the country where there is none."""
    return _first(cells, (*meant["party"], *meant["country"]))


def is_unanswered(meant: Columns, cells: Cells) -> bool:
    """Whether the row says of whom it names that no answer came, and nothing else about coming."""
    told = [cells[column] for column in (*meant["state"], *meant["attendance"]) if cells[column]]
    return bool(told) and all(map(attendance.is_none, told))


def answer(meant: Columns, cells: Cells, headings: Sequence[str], *, online_event: bool) -> tuple[Attendance, str]:
    """What the row says, and in which words: the tool's state decides unless it is a yes, then the questions do.

    In an event that is not online `attending` is `in_person`.
    """
    said, words = _answer(meant, cells, headings, online_event=online_event)
    return (Attendance.IN_PERSON if said is Attendance.ATTENDING and not online_event else said), words


def _answer(meant: Columns, cells: Cells, headings: Sequence[str], *, online_event: bool) -> tuple[Attendance, str]:
    state = _first(cells, meant["state"])
    registered = attendance.of(state, registered=True)
    if registered is not Attendance.ATTENDING:
        return registered, state
    asked = meant["attendance"]
    words = "; ".join(
        filter(None, (says(headings[column], cells[column], online_event=online_event) for column in asked))
    )
    if words or (asked and not state):
        return attendance.of(words, registered=False), words
    how = _first(cells, meant["how"])
    place = attendance.of(how, registered=True)
    if place in (Attendance.IN_PERSON, Attendance.ONLINE):
        return place, "; ".join(part for part in (state, how) if part)
    return registered, state


def says(heading: str, cell: str, *, online_event: bool) -> str:
    """The words of an answer to the question `heading`: a ticked choice says itself, one that is not ticked nothing.

    A bare yes to "Will you attend in person?" is one for that place; a bare no may mean the other, where there is one.
    """
    question, choice = split(heading)
    ticked, unticked = fold(cell) in _TICKED, fold(cell) in _UNTICKED
    if choice:
        return choice if ticked else "" if unticked else cell
    if ticked or (unticked and online_event):
        place = attendance.of(re.sub(r"[?؟¿]", " ", question), registered=False)
        if place in (Attendance.IN_PERSON, Attendance.ONLINE):
            where = place.in_words
            return f"{cell} ({where})" if ticked else f"not {where}"
    return cell


def _first(cells: Cells, columns: Sequence[int]) -> str:
    return next((cells[column] for column in columns if cells[column]), "")
