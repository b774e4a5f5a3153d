"""When each row of an export was answered; files whose dates can be read two ways are refused where it matters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from mailer.answers.moments import Moment, Order, evidence, order_matters, parse
from mailer.answers.tables import Table
from mailer.contacts.rows import named_rows
from mailer.errors import InputRefused, Problem

_IN_UTC = re.compile(r"\b(?:UTC|GMT)\b")
_WORDS: Final[Mapping[Order, str]] = {"dmy": "day first", "mdy": "month first"}


def times(
    found: Table,
    column: int | None,
    answers: Mapping[int, Sequence[str]],
    *,
    zone: tzinfo,
    dates: Order | None,
    marks: Sequence[datetime],
    now: datetime | None,
    saved: datetime,
) -> tuple[dict[int, datetime], list[Problem]]:
    """When each of `answers` (cells by row number) was given, in UTC, as far as a date tells, and warnings.

    `column` holds the dates, in `zone` unless they or its heading say otherwise; None, or a cell without a date, leaves
    answers out, for which the time `saved` of the file is to count. Raises InputRefused on what is no date, and where
    day and month cannot be told apart: neither `dates`, nor any date of the file, nor the tool decides, nor `now`,
    after which nobody can have answered, and it matters beside `marks`, the deadline and what else was answered, and
    `saved` where that counts (`order_matters`).
    """
    if column is None:
        return {}, [_undated(found, "No column says when people answered")]
    if _IN_UTC.search(found.headings[column]):
        zone = UTC
    written = {row: cells[column] for row, cells in answers.items() if cells[column]}
    moments = _moments(found, column, written, zone)
    if not moments:
        return {}, [_undated(found, f"No date stands under “{found.headings[column]}”")]
    undated = [row for row in answers if row not in moments]
    if undated:
        marks = (*marks, saved)
    order, warnings = (dates, []) if dates else _order(found, column, written, moments, marks=marks, now=now)
    read = {row: moment.read(order) for row, moment in moments.items()}
    if wrong := [row for row, moment in read.items() if not moment]:
        raise InputRefused(
            found.problem(
                row,
                column,
                written[row],
                f"This date cannot be read {_WORDS[order]}",
                "Correct it, or leave --dates out.",
            )
            for row in wrong
        )
    if undated:
        warnings = [*warnings, _partly_undated(found, column, undated, saved.astimezone(zone))]
    return {row: at for row, at in read.items() if at}, warnings


def _undated(found: Table, why: str) -> Problem:
    return found.warning(
        f"{why}; the time at which the file was saved counts for all of them",
        'If a column says it, name it: --columns at="Date".',
    )


def _partly_undated(found: Table, column: int, rows: Sequence[int], saved: datetime) -> Problem:
    return found.warning(
        f"No date stands in {named_rows(rows)}, so the time at which the file was saved counts there "
        f"({saved:%d %B %Y, %H:%M %Z}): it replaces all that the same person answered before",
        "If one of them answered otherwise later, write the true date into the row before you import the file.",
        row=rows[0],
        column=found.headings[column],
    )


def _moments(found: Table, column: int, written: Mapping[int, str], zone: tzinfo) -> dict[int, Moment]:
    """What each of the cells says, without those that hold what the tool writes for no date."""
    read = {row: parse(text, zone) for row, text in written.items()}
    if any(moment is None for moment in read.values()):
        raise InputRefused(
            found.problem(row, column, text, "This is no date that can be read", "Write it like 2024-05-23 13:00.")
            for row, text in written.items()
            if read[row] is None
        )
    none = found.format.no_date
    return {
        row: moment
        for row, moment in read.items()
        if moment and not (none and moment.dmy and moment.dmy.astimezone(zone).date() == none)
    }


def _order(
    found: Table,
    column: int,
    written: Mapping[int, str],
    moments: Mapping[int, Moment],
    *,
    marks: Sequence[datetime],
    now: datetime | None,
) -> tuple[Order, list[Problem]]:
    """The order of day and month in the column, with a warning where nothing tells it but nothing hangs on it."""
    doubtful = [row for row, moment in moments.items() if moment.by_numbers]
    if not doubtful:
        return "dmy", []
    row, heading = doubtful[0], found.headings[column]
    proven = evidence(moments.values())
    if len(proven) > 1 or len(doubtful) < len(moments):
        problem = (
            f"The dates under “{heading}” are not all written in one way: a spreadsheet may have turned some round"
        )
        fix = (
            "Export the file again and import it without opening it in Excel; or say how they are to be read: "
            "--dates dmy or --dates mdy."
        )
        raise InputRefused([found.problem(row, column, written[row], problem, fix)])
    if proven or found.format.order:
        return next(iter(proven), found.format.order or "dmy"), []
    if now and (possible := _not_to_come(moments.values(), now)):
        return possible, []
    if order_matters([*moments.values()], marks):
        problem = f"The dates under “{heading}” can be read day first or month first, and it matters here"
        fix = "Say how they are written: --dates dmy (31/12) or --dates mdy (12/31)."
        raise InputRefused([found.problem(row, column, written[row], problem, fix)])
    text = f"The dates under “{heading}” can be read two ways; as nothing hangs on it here, they were read day first"
    return "dmy", [found.warning(text, "If the month comes first, import it again with --dates mdy.")]


def _not_to_come(moments: Iterable[Moment], now: datetime) -> Order | None:
    """The one order, if it is one, in which no answer comes from tomorrow or later."""
    latest = now + timedelta(days=1)
    orders: tuple[Order, Order] = ("dmy", "mdy")
    moments = list(moments)
    possible = [order for order in orders if all((at := one.read(order)) and at <= latest for one in moments)]
    return possible[0] if len(possible) == 1 else None
