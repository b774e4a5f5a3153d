"""When each row of an export was answered; files whose dates can be read two ways are refused where it matters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from mailer.answers.moments import Moment, Order, evidence, order_matters, parse
from mailer.answers.tables import Table
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
    """When each of `answers` (cells by row number) was given, in UTC, and warnings.

    `column` holds the dates, in `zone` unless they or its heading say otherwise; where it is None, all answers have the
    time `saved` of the file. Raises InputRefused on cells without a date, and where day and month cannot be told apart:
    neither `dates`, nor any date of the file, nor the tool decides, nor `now`, after which nobody can have answered,
    and it matters beside `marks`, the deadline and what else was answered (`order_matters`).
    """
    if column is None:
        return dict.fromkeys(answers, saved), [
            found.warning(
                "No column says when people answered; the time at which the file was saved counts for all of them",
                'If there is one, name it: --columns at="Date".',
            )
        ]
    if _IN_UTC.search(found.headings[column]):
        zone = UTC
    written = {row: cells[column] for row, cells in answers.items()}
    moments = _moments(found, column, written, zone)
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
    return {row: at for row, at in read.items() if at}, warnings


def _moments(found: Table, column: int, written: Mapping[int, str], zone: tzinfo) -> dict[int, Moment]:
    read = {row: parse(text, zone) for row, text in written.items()}
    if any(moment is None for moment in read.values()):
        raise InputRefused(
            found.problem(row, column, text, "This is no date that can be read", "Write it like 2024-05-23 13:00.")
            if text
            else found.problem(
                row, column, text, "No date stands here", "Write when the answer came, or import with --columns at=."
            )
            for row, text in written.items()
            if read[row] is None
        )
    return {row: moment for row, moment in read.items() if moment}


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
