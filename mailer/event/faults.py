"""What is wrong with an `event.toml`, in the words of those who write it."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import ErrorDetails

from mailer.errors import Problem
from mailer.event import values
from mailer.event.moments import as_read, moment
from mailer.event.sheet import ContactPersonTable, EventFile, MailingTable, RsvpTable, Table, usual_audience
from mailer.model import CALENDAR_FILE, Audience

# pydantic's own words are for programmers.
_SENTENCES = {
    "missing": "is missing",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "tuple_type": "must be a list in square brackets",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be 0 or more",
}


def found_in(table: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """What no value tells alone, found in the bare table so that no other fault hides it: errors and warnings."""
    yield from _contradictions(table, path)
    yield from _gaps(table, path)
    yield from _unknown_keys(table, path)


def out_of_reach(mailings: Mapping[str, MailingTable], path: Path) -> Iterator[Problem]:
    """Reminders that are planned and that whoever had those before never gets, by bounds that nobody wrote down."""
    for name, table in mailings.items():
        mailing, key = table.mailing(name), f"mailings.{name}.before_deadline"
        offsets = mailing.before_deadline
        if len(offsets) > mailing.maximum and "maximum" not in table.model_fields_set:
            problem = f"{key} names {len(offsets)} reminders, and nobody gets more than {mailing.maximum} of them"
            fix = f"Add maximum = {len(offsets)} if all are meant, or maximum = {mailing.maximum} if that is."
            yield Problem(problem, fix, "warning", str(path), column=key)
        near = next((pair for pair in pairwise(offsets) if pair[0] - pair[1] < mailing.gap), None)
        if near and "gap" not in table.model_fields_set:
            days = near[0] - near[1]
            first, second = (f"{offset}d" for offset in near)
            problem = f"{key} has {second} so soon after {first} that nobody gets both: the gap is {mailing.gap} days"
            fix = f'Add gap = "{days}d" if both are meant, or gap = "{mailing.gap}d" if not.'
            yield Problem(problem, fix, "warning", str(path), column=key)


def of_one_name(mailings: Mapping[str, MailingTable], path: Path) -> Iterator[Problem]:
    """Files of a mailing that nobody can tell apart by their names, and of which one saved replaces the other."""
    for name, table in mailings.items():
        files = [CALENDAR_FILE] if table.calendar else []
        for file, number in Counter([*files, *(file.name for file in table.attachments)]).items():
            if number > 1:
                key = f"mailings.{name}.attachments"
                problem = f"each message would carry {number} files called {file}"
                fix = "Take out or rename all but one."
                if table.calendar and file == CALENDAR_FILE:
                    fix = "Rename yours, or take out calendar = true, which adds one."
                yield Problem(problem, fix, "warning", str(path), column=key, value=file)


def refusal(error: ErrorDetails, path: Path) -> Problem:
    """A value that was refused, by the key as it is written in the file."""
    parts = [part for part in error["loc"] if part != "[key]"]
    key = ".".join(part for part in parts if isinstance(part, str))
    counted = "".join(f", entry {part + 1}," for part in parts if isinstance(part, int))
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    sentence = _SENTENCES.get(error["type"], message)
    fix = "Add it; the shipped event shows how." if error["type"] == "missing" else "Correct it."
    value = error["input"]
    shown = str(value) if isinstance(value, str | int | float | date | time) else None
    return Problem(f"{key}{counted} {sentence}", fix, file=str(path), column=key, value=shown)


def tables_of_its_own(table: Mapping[str, Any]) -> dict[str, Any]:
    """The tables, and arrays of tables, that are for the event's templates alone."""
    return {key: value for key, value in table.items() if key not in EventFile.model_fields and _is_table(value)}


def _contradictions(table: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    def fault(key: str, sentence: str, value: object, fix: str = "Correct it.") -> Problem:
        return Problem(f"{key} {sentence}", fix, file=str(path), column=key, value=str(value))

    try:
        zone = values.zone(table.get("timezone"))
    except ValueError:
        zone = ZoneInfo("UTC")
    deadline = _tables(table).get("rsvp", {}).get("deadline")
    moments: dict[str, datetime] = {}
    for key, value in (("starts", table.get("starts")), ("ends", table.get("ends")), ("rsvp.deadline", deadline)):
        try:
            if value is not None:
                moments[key] = moment(value, zone, end_of_day=key == "rsvp.deadline").astimezone(UTC)
        except ValueError as exc:
            yield fault(key, str(exc), value)
    if {"starts", "ends"} <= moments.keys() and moments["ends"] <= moments["starts"]:
        yield fault("ends", "is not after starts", table["ends"], "Correct one of the two.")
    if {"starts", "rsvp.deadline"} <= moments.keys() and moments["rsvp.deadline"] > moments["starts"]:
        yield fault("rsvp.deadline", "is after the event has started", deadline)


def _gaps(table: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """What is not there and should be, beyond the keys that every event must have."""
    mailings = _tables(table.get("mailings")).items()
    audiences = [sheet.get("audience", usual_audience(name, sheet.get("before_deadline"))) for name, sheet in mailings]
    if audiences and Audience.CONTACTS not in audiences:
        fix = 'Add [mailings.invitation] with audience = "contacts".'
        yield Problem("mailings holds none that goes to the contacts", fix, file=str(path), column="mailings")
    if not table.get("source"):
        fix = "Say where the addresses come from; it stands at the foot of every mail."
        yield Problem("source is missing", fix, "warning", str(path), column="source")
    for key in ("starts", "ends"):
        value = table.get(key)
        day = as_read(value)
        if isinstance(day, date) and not isinstance(day, datetime):
            problem = f"{key} is a day without a time, so it is the midnight that the day begins with"
            fix = "Add the time, as in 2024-05-23T13:00."
            yield Problem(problem, fix, "warning", str(path), column=key, value=str(value))


def _unknown_keys(table: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    own, sheets = _tables(table), _tables(table.get("mailings"))
    shapes: list[tuple[str, Mapping[str, Any], type[Table]]] = [
        ("rsvp.", own.get("rsvp", {}), RsvpTable),
        ("contact_person.", own.get("contact_person", {}), ContactPersonTable),
        *((f"mailings.{name}.", sheet, MailingTable) for name, sheet in sheets.items()),
        # A table of any name is the templates' own; a bare value at the top is more likely misspelt.
        ("", {key: value for key, value in table.items() if not _is_table(value)}, EventFile),
    ]
    for prefix, entries, shape in shapes:
        for key in entries.keys() - shape.model_fields.keys():
            close = difflib.get_close_matches(key, shape.model_fields, 1)
            fix = f"Did you mean {close[0]}? It is ignored." if close else "Check its spelling; it is ignored."
            problem = f"{prefix}{key} is not a key of ours"
            yield Problem(problem, fix, "warning", str(path), column=prefix + key)


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def _tables(value: object) -> dict[str, dict[str, Any]]:
    """The tables inside a table, by name; none where `value` is something else."""
    return {key: item for key, item in value.items() if isinstance(item, dict)} if isinstance(value, dict) else {}
