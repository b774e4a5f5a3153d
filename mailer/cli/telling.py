"""How answers are told: who said what, which doubts wait for a person, and the seats that are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailer.cli import console
from mailer.cli.command_line import where
from mailer.cli.turnout import seats_of
from mailer.model import Answer, Attendance

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk

# So many delegates of one party are seldom meant.
_CROWD = 20


def who(answer: Answer) -> str:
    name, address = answer.respondent_name, answer.respondent_email
    return f"{name} <{address}>" if name and address else name or address or "somebody without a name"


def plain(attendance: Attendance) -> str:
    return "unclear" if attendance is Attendance.REVIEW else attendance.in_words


def besides(answer: Answer) -> str:
    """Who comes with the respondent, to stand behind the attendance."""
    if not answer.guests:
        return ""
    number = console.count(answer.guests, "guest")
    return f" with {number} ({answer.guest_name})" if answer.guest_name else f" with {number}"


def say_seats(desk: Desk, turnout: Turnout) -> None:
    seats = seats_of(desk, turnout)
    room = f" of {seats.capacity} seats" if seats.capacity is not None else ""
    how = f", {seats.attending} without saying how" if seats.attending else ""
    console.say(f"{seats.in_person}{room} in person, {seats.online} online{how}, {seats.waiting} waiting")
    if guests := sum(answer.guests for answer in turnout.coming):
        console.say(f"{guests} of them brought as guests")
    if turnout.silent:
        console.say(f"{len(turnout.silent)} of them by silence: they answer only to decline")
    if seats.capacity is not None and seats.in_person + seats.attending > seats.capacity:
        console.say(f"That may be {seats.in_person + seats.attending - seats.capacity} more than the room holds")
    if turnout.doubts:
        say_doubts(desk, len(turnout.doubts))


def say_crowds(turnout: Turnout) -> None:
    """Warns of references with which more people answered than a party sends, as when a link has become public."""
    by_reference = Counter((one.reference, one.party) for one in turnout.coming if one.matched_by == "reference")
    for (reference, party), number in by_reference.most_common():
        if number >= _CROWD:
            console.complain(
                f"warning: {number} people of one party answered with one reference: {party} ({reference})"
            )


def say_doubts(desk: Desk, number: int) -> None:
    console.say(f"{console.count(number, 'answer')} to be settled: mailer answers review{where(desk)}")


def list_doubts(desk: Desk, doubts: Iterable[Answer]) -> None:
    for doubt in doubts:
        when = doubt.at.astimezone(desk.event.timezone)
        place = f", {doubt.file} row {doubt.row}" if doubt.file else ""
        late = ", late" if doubt.late else ""
        number = f"{doubt.id}  " if doubt.id else ""
        console.say(
            f"{number}{who(doubt)}: {plain(doubt.attendance)}{besides(doubt)}, {when:%d %B %Y %H:%M}{late}{place}"
        )
        console.say(f"    {doubt.state}: {doubt.reason}")
        for candidate in doubt.candidates:
            console.say(f"    {candidate.reference}  {candidate.party}: {candidate.reason}")
