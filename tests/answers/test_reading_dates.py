"""Dates of exports: how they are written, and when a file is refused because they can be read two ways."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.answers.moments import parse
from mailer.answers.reading import Export, read_export
from mailer.errors import InputRefused

NEW_YORK = ZoneInfo("America/New_York")
DEADLINE = datetime(2024, 5, 16, 23, 59, 59, tzinfo=NEW_YORK)
Read = Callable[..., Export]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a Google Forms export with the given timestamps, one row each."""

    def _read(
        timestamps: Sequence[str],
        *,
        dates: Literal["dmy", "mdy"] | None = None,
        deadline: datetime | None = DEADLINE,
    ) -> Export:
        path = tmp_path / "answers.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = [[stamp, f"p{n}@example.org", "Yes"] for n, stamp in enumerate(timestamps)]
            csv.writer(file).writerows([["Timestamp", "Email Address", "Will you attend?"], *rows])
        return read_export(path, zone=NEW_YORK, online_event=False, dates=dates, deadline=deadline)

    return _read


NOON = datetime(2024, 5, 13, 16, tzinfo=UTC)  # in New York


@pytest.mark.parametrize(
    "written",
    [
        "2024-05-13T12:00:00", "2024-05-13 12:00", "2024/05/13 12:00:00 PM", "2024/05/13 6:00:00 PM GMT+2",
        "2024-05-13 16:00:00+00:00", "2024-05-13T16:00:00.000Z", "2024-05-13 12:00:00-04:00", "13/05/2024 12:00:00",
        "5/13/2024 12:00", "5/13/24 12:00 p. m.", "13.05.2024 12:00", "May 13, 2024 12:00:00 PM", "13 mai 2024 à 12:00",
        "lunes 13 de mayo de 2024, 12.00", "Mon, May 13, 2024 at 12:00 PM EDT", "13-May-2024 12:00",
        "2024/05/13 6:00:00 PM CEST", "13 أيار 2024 12:00", "5/13/2024 12:00:00\u202fPM",
    ],
)  # fmt: skip
def test_dates_are_read_as_tools_write_them(written: str) -> None:
    """Each of these is noon of 13 May 2024 in New York; without a zone of its own, a time is the event's."""
    moment = parse(written, NEW_YORK)
    assert moment
    assert NOON in (moment.dmy, moment.mdy)
    assert not moment.dmy or not moment.mdy or moment.dmy == moment.mdy


@pytest.mark.parametrize(
    "written", ["", "yesterday", "32/13/2024", "2024-13-40", "13:00", "before 13 May 2024", "12:00 XYZ", "45424.5",
                "2024-05-13 13:00 PM", "2024-05-13 12:00 CST+", "9999-12-31 23:59:59", "0001-01-01 00:00:00+02:00"],
)  # fmt: skip
def test_what_is_no_date_is_not_read_as_one(written: str) -> None:
    """Nothing is completed or guessed."""
    assert parse(written, NEW_YORK) is None


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d"]))
def test_one_of_the_readings_is_the_date_that_was_written(when: date, style: str) -> None:
    """Whatever the order, the true date is among the readings."""
    moment = parse(when.strftime(style), UTC)
    day = datetime.combine(when, time(), UTC)
    assert moment
    assert day in (moment.dmy, moment.mdy)


def days(found: Export) -> list[tuple[int, int]]:
    return [(response.at.day, response.at.month) for response in found.responses]


def test_one_date_that_has_no_second_reading_decides_for_its_file(read: Read) -> None:
    """A 13 can be no month, so the 5/6 beside it is 6 May in one file and 5 June in the other."""
    assert days(read(["5/6/2024 12:00:00", "5/13/2024 12:00:00"])) == [(6, 5), (13, 5)]
    assert days(read(["5/6/2024 12:00:00", "13/6/2024 12:00:00"])) == [(5, 6), (13, 6)]


def test_dates_that_change_the_sequence_of_answers_are_refused(read: Read) -> None:
    """Which of two answers is the later one may not be guessed; the words say what to type."""
    with pytest.raises(InputRefused, match=r"day first or month first.*--dates dmy") as refused:
        read(["1/2/2024 12:00:00", "2/1/2024 12:00:00"], deadline=None)
    (problem,) = refused.value.problems
    assert (problem.cell, problem.column, problem.value) == ("A2", "Timestamp", "1/2/2024 12:00:00")


def test_dates_on_both_sides_of_the_deadline_are_refused(read: Read) -> None:
    """6 May is in time and 5 June is late: a single such date is enough."""
    with pytest.raises(InputRefused, match="it matters"):
        read(["5/6/2024 12:00:00"])


def test_the_users_word_settles_the_order(read: Read) -> None:
    """With `--dates` the same file is read."""
    assert days(read(["5/6/2024 12:00:00"], dates="mdy")) == [(6, 5)]
    assert days(read(["5/6/2024 12:00:00"], dates="dmy")) == [(5, 6)]


def test_a_date_that_contradicts_the_users_word_is_refused(read: Read) -> None:
    """Day first, 5/13 is no date: nothing is read against what was said."""
    with pytest.raises(InputRefused, match="cannot be read day first"):
        read(["5/6/2024 12:00:00", "5/13/2024 12:00:00"], dates="dmy")


def test_an_order_on_which_nothing_hangs_is_told_but_not_asked(read: Read) -> None:
    """Both readings are in time and in the same sequence, so the file is read, with a warning."""
    found = read(["1/2/2024 12:00:00", "1/3/2024 12:00:00"])
    assert days(found) == [(1, 2), (1, 3)]
    assert any("two ways" in problem.problem and not problem.is_error for problem in found.problems)


def test_equal_day_and_month_need_no_order(read: Read) -> None:
    """5/5 is 5 May in any country, and the deadline too has one side only."""
    assert days(read(["5/5/2024 12:00:00"])) == [(5, 5)]


@pytest.mark.parametrize(
    "timestamps", [["13/5/2024 12:00", "5/14/2024 12:00"], ["2024-05-06T12:00:00", "13/05/2024 12:00"]]
)
def test_dates_of_two_kinds_in_one_column_are_refused(read: Read, timestamps: list[str]) -> None:
    """A spreadsheet that turned some dates round leaves such a mixture; the file must be exported again."""
    with pytest.raises(InputRefused, match="not all written in one way"):
        read(timestamps)


def test_all_unreadable_dates_are_shown_at_once(read: Read) -> None:
    """Each cell is named with what stands there."""
    with pytest.raises(InputRefused) as refused:
        read(["13/5/2024 12:00", "yesterday", "soon"])
    assert [(problem.cell, problem.value) for problem in refused.value.problems] == [
        ("A3", "yesterday"),
        ("A4", "soon"),
    ]


def test_rows_without_a_date_have_the_time_of_the_file(read: Read) -> None:
    """Beside rows that have one, and the warning says what that does to an answer given before or after."""
    found = read(["13/5/2024 12:00", "", ""])
    first, second, third = found.responses
    assert (first.dated, second.dated, third.dated) == (True, False, False)
    assert days(found)[0] == (13, 5)
    assert first.at < second.at == third.at
    (warning,) = found.problems
    assert "No date stands in rows 3 and 4" in warning.problem
    assert "replaces all that the same person answered before" in warning.problem


def test_the_time_of_the_file_counts_for_the_order_of_dates_too(tmp_path: Path) -> None:
    """Read month first the dated answer is older than the undated one, read day first it is later."""
    path, saved = tmp_path / "form.csv", datetime(2024, 3, 1, tzinfo=UTC).timestamp()
    rows = ["Timestamp,Email Address,Will you attend?", "1/5/2024 12:00:00,a@example.org,Yes", ",b@example.org,Yes"]
    path.write_text("\n".join(rows[:2]), "utf-8")
    os.utime(path, (saved, saved))
    assert read_export(path, zone=NEW_YORK, online_event=False).responses[0].dated
    path.write_text("\n".join(rows), "utf-8")
    os.utime(path, (saved, saved))
    with pytest.raises(InputRefused, match="it matters"):
        read_export(path, zone=NEW_YORK, online_event=False)


def test_a_column_in_which_no_date_stands_is_like_none(read: Read) -> None:
    """All rows have the time of the file, and one warning says so."""
    found = read(["", ""])
    assert not any(response.dated for response in found.responses)
    (warning,) = found.problems
    assert "counts for all of them" in warning.problem


def test_limesurvey_writes_a_day_of_1980_where_it_keeps_no_dates(tmp_path: Path) -> None:
    """That is no date: whatever was answered before the export does not count as later."""
    path = tmp_path / "limesurvey.csv"
    rows = ["id,submitdate,lastpage,startlanguage,email,attendance"]
    rows += [f"{n},{day} 00:00:00,2,en,p{n}@example.org,Online" for n, day in enumerate(("1980-01-01", "2024-05-10"))]
    for several in (rows, rows[:2]):
        path.write_text("\n".join((*several, "")), "utf-8")
        first, *others = read_export(path, zone=NEW_YORK, online_event=True).responses
        assert (first.dated, first.at.year > 2024) == (False, True)
        assert all(other.dated for other in others)


def test_the_clock_change_does_not_disturb_the_sequence(read: Read) -> None:
    """Times are compared in UTC, so half past one before the clock goes back stays before two."""
    early, late = read(["2024/11/03 1:30:00 AM EDT", "2024/11/03 1:15:00 AM EST"], deadline=None).responses
    assert early.at < late.at
