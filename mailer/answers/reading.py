"""An export of RSVPs in, Responses out: which rows are answers, and what each of them says; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.answers import attendance, guests, rows
from mailer.answers.moments import Order
from mailer.answers.questions import NAMEABLE, Columns, plan, split
from mailer.answers.response import Response
from mailer.answers.tables import Table, quoted, table
from mailer.answers.timing import times
from mailer.contacts.rows import named_rows
from mailer.errors import Problem
from mailer.model import Attendance, fold

Answers = Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Export:
    """What one export file says.

    `tool` is what it was recognised as. `responses` are in the file's order. `problems` are warnings. `columns` gives
    for the keys of `questions.NAMEABLE` the heading or headings that were taken for each; a key that is missing has no
    column.
    """

    tool: str
    sheet: str | None
    responses: tuple[Response, ...]
    problems: tuple[Problem, ...]
    columns: Mapping[str, str]


def read_export(
    path: Path,
    *,
    zone: ZoneInfo,
    online_event: bool,
    columns: Mapping[str, str] | None = None,
    dates: Order | None = None,
    deadline: datetime | None = None,
    answered: Sequence[datetime] = (),
    now: datetime | None = None,
) -> Export:
    """Read the answers in `path`: an export of a tool in `formats`, or a sheet whose `columns` are named.

    `columns` maps keys of `questions.NAMEABLE` to headings, an empty one to no column. Times that name no zone are in
    `zone`, unless the heading says UTC. In an event that is not online `attending` becomes `in_person`. `dates` is the
    order of day and month where numbers leave it open; without it a file is refused if both readings are possible and
    they differ in the sequence of the answers, those that were `answered` elsewhere included, or in the side of the
    `deadline` on which one falls. Nobody has answered after `now`. All moments are aware.

    Raises InputRefused, with every problem found, where the file cannot be read as answers; UsageError where `columns`
    has a key that is not known.
    """
    named = columns or {}
    found = table(path, named)
    meant = plan(found.headings, found.format, named)
    answers, problems = _answers(found, meant)
    meant = _understood(meant, answers, found.headings)
    if not (meant["attendance"] or meant["state"] or "attendance" in named):
        _refuse_unasked(found, meant, answers)
    saved = datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    if now:
        saved = min(saved, now)  # the clock where it was saved may be ahead
    at, about_dates = times(
        found,
        next(iter(meant["at"]), None),
        answers,
        zone=zone,
        dates=dates,
        marks=(*answered, *([deadline] if deadline else [])),
        now=now,
        saved=saved,
    )
    responses = tuple(
        _response(found, meant, row, cells, at.get(row, saved), dated=row in at, online_event=online_event)
        for row, cells in answers.items()
    )
    problems += _unread_guests(found, meant, answers)
    shown = _shown(meant, found.headings)
    return Export(found.format.tool, found.sheet, responses, (*found.problems, *problems, *about_dates), shown)


def _response(
    found: Table, meant: Columns, row: int, cells: Sequence[str], at: datetime, *, dated: bool, online_event: bool
) -> Response:
    said, words = rows.answer(meant, cells, found.headings, online_event=online_event)
    brought = guests.Guests() if said is Attendance.REGRETS else guests.named(meant, cells, words)
    return Response(
        file=found.file,
        row=row,
        reference=rows.reference(meant, cells),
        name=rows.name(meant, cells),
        addresses=rows.mailboxes(meant, cells),
        party=rows.party(meant, cells),
        attendance=said,
        words=words,
        at=at,
        dated=dated,
        guests=brought.number,
        guest_name=brought.name,
        doubt=brought.doubt,
    )


def _answers(found: Table, meant: Columns) -> tuple[Answers, list[Problem]]:
    """The rows of those who answered, to the end of the form, by their number, and warnings about the others."""
    kept: dict[int, Sequence[str]] = {}
    unfinished, unanswered, nobody = [], [], []
    for row, cells in found.rows:
        if not _finished(found, meant, cells):
            unfinished.append(row)
        elif rows.is_unanswered(meant, cells):
            unanswered.append(row)
        elif any(says(meant, cells) for says in (rows.name, rows.mailboxes, rows.party, rows.reference)):
            kept[row] = cells
        else:
            nobody.append(row)
    if nobody and not kept:
        raise found.refusal(
            "No row says who answers, by reference, address, name or party",
            f'Name the columns that do, --columns email="E-mail",name="Name"; there are {quoted(found.headings)}.',
        )
    passed_over = (
        (unfinished, "The form was not finished", "They count once the form is sent."),
        (unanswered, "It is said that no answer came", "They count once they say yes or no."),
        (nobody, "Nobody is named", "Complete them if they are answers."),
    )
    return kept, [
        found.warning(f"{why} in {named_rows(group)}: {len(group)} passed over", fix, row=group[0])
        for group, why, fix in passed_over
        if group
    ]


def _finished(found: Table, meant: Columns, cells: Sequence[str]) -> bool:
    return all(
        fold(cells[column]) == word if word else cells[column]
        for meaning, word in found.format.finished.items()
        for column in meant[meaning][:1]
    )


def _understood(meant: Columns, answers: Answers, headings: Sequence[str]) -> Columns:
    """The plan without those columns for attendance in which no answer is understood, unless that is so in all.

    So "Purpose of participation" beside "Will you participate?" makes nobody's answer doubtful.
    """
    understood = tuple(
        column
        for column in meant["attendance"]
        if any(
            attendance.of(cells[column], registered=False) is not Attendance.REVIEW or split(headings[column])[1]
            for cells in answers.values()
        )
    )
    if not understood:
        return meant
    odd = (column for column in meant["attendance"] if column not in understood)
    return {**meant, "attendance": understood, "other": (*meant["other"], *odd)}


def _unread_guests(found: Table, meant: Columns, answers: Answers) -> list[Problem]:
    """Warnings about columns that speak of guests and may say that some come, but not so that it is understood."""
    return [
        found.warning(
            f"“{heading}” is not read, though it speaks of guests",
            f'If it says who or how many they are: --columns guest="{heading}".',
            column=heading,
        )
        for column in meant["other"]
        if guests.may_ask(heading := found.headings[column]) and any(cells[column] for cells in answers.values())
    ]


def _refuse_unasked(found: Table, meant: Columns, answers: Answers) -> None:
    """Refuse a form in which no question is known to ask for attendance while one is answered with yes and no.

    To take each row for a yes, as in a registration that asks nothing, would turn somebody's no into one.
    """
    for column in meant["other"]:
        said = {attendance.of(cells[column], registered=False) for cells in answers.values() if cells[column]}
        if (heading := found.headings[column]) and Attendance.REGRETS in said and Attendance.REVIEW not in said:
            raise found.refusal(
                f"It is not clear which column says who comes; “{heading}” may, as it is answered with a no",
                f'Add --columns attendance="{heading}", or name another column; --columns attendance= says that there '
                "is none and each row is a yes.",
                heading,
            )


def _shown(meant: Columns, headings: Sequence[str]) -> dict[str, str]:
    """What to show the user of the plan, by the names that they may use themselves."""
    meanings = {**NAMEABLE, "reference": ("reference", "carried"), "attendance": ("state", "attendance", "how")}
    taken = {name: [headings[column] for meaning in meanings[name] for column in meant[meaning]] for name in NAMEABLE}
    taken["at"] = taken["at"][:1]
    return {name: " + ".join(found) for name, found in taken.items() if found}
