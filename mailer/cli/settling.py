"""`mailer answers review` and `settle`: the doubts about answers, and what a person decides about them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import (
    event_argument,
    event_option,
    json_option,
    now_option,
    one_event,
    sandbox_option,
)
from mailer.cli.command_line import where
from mailer.cli.ends import DONE, WANTS_A_PERSON
from mailer.errors import UsageError
from mailer.model import Answer, Attendance

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger

# So many delegates of one party are seldom meant.
_CROWD = 20
WORDS = {"in-person": Attendance.IN_PERSON, "online": Attendance.ONLINE, "regrets": Attendance.REGRETS}


@click.command()
@event_argument
@event_option
@sandbox_option
@json_option
@now_option
def review(*, event: str | None, named: str | None, sandbox: bool, as_json: bool, now: str | None) -> int:
    """Show what only a person can settle, and on a terminal settle it one by one."""
    from mailer import report
    from mailer.cli.desk import mind_older, open_desk
    from mailer.cli.turnout import seats_of, turnout_of

    desk = open_desk(one_event(event, named), now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        mind_older(ledger, decides=sys.stdin.isatty() and not as_json)
        turnout = turnout_of(desk, ledger)
        if as_json:
            console.as_json(report.answers_as_json(turnout.doubts, asdict(seats_of(desk, turnout))))
            return 0
        if not turnout.doubts:
            console.say("Nothing is to be settled.")
            return 0
        for doubt in turnout.doubts:
            list_doubts(desk, [doubt])
            if sys.stdin.isatty():
                _ask(desk, ledger, doubt)
        left = len(turnout_of(desk, ledger).doubts)
    how = f"mailer answers settle ID{where(desk, option='--event')} --accept [REFERENCE|ADDRESS], or --reject"
    console.say(f"{left} left. From a script: {how}")
    return WANTS_A_PERSON if left else DONE


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


def _ask(desk: Desk, ledger: Ledger, doubt: Answer) -> None:
    """Asks until the answer is accepted as it can be, rejected or left."""
    choices = click.Choice(["accept", "reject", "leave"])
    while (what := click.prompt("    accept, reject or leave", type=choices, default="leave")) == "accept":
        try:
            _ask_what_it_means(desk, ledger, doubt)
        except UsageError as exc:
            console.complain(f"    {exc}")
        else:
            return
    if what == "reject":
        ledger.settle_answer(desk.event.name, doubt.id, "rejected", desk.clock())


def _ask_what_it_means(desk: Desk, ledger: Ledger, doubt: Answer) -> None:
    """Asks for the reference, and for the meaning where it is unclear, and accepts. Raises UsageError as `_accept`."""
    sole = doubt.candidates[0].reference if len(doubt.candidates) == 1 else None
    reference = click.prompt("    for which reference or address", default=sole)
    meant = None
    if doubt.attendance is Attendance.REVIEW:
        meant = WORDS[click.prompt("    which means", type=click.Choice(list(WORDS)))]
    _accept(desk, ledger, doubt, reference, meant)


@click.command()
@click.argument("number", metavar="ID", type=int)
@click.option(
    "--accept",
    "reference",
    is_flag=False,
    flag_value="",
    metavar="[REFERENCE|ADDRESS]",
    help="It answers that invitation.",
)
@click.option("--reject", is_flag=True, help="It answers no invitation of ours.")
@click.option("--undo", is_flag=True, help="Take the last decision about it back.")
@click.option(
    "--as", "meant", type=click.Choice(list(WORDS)), help="What an answer means that does not say it clearly."
)
@event_option
@sandbox_option
@now_option
def settle(
    *, number: int, reference: str | None, reject: bool, undo: bool, meant: str | None, named: str | None,
    sandbox: bool, now: str | None,
) -> int:  # fmt: skip
    """Settle answer ID (see mailer answers review); the decision holds however often its file comes in again."""
    from mailer.cli.desk import open_desk
    from mailer.cli.turnout import turnout_of

    if (reference is not None) + reject + undo != 1:
        raise UsageError("Say one of --accept [REFERENCE|ADDRESS], --reject and --undo.")
    if meant and reference is None:
        raise UsageError("--as says what an answer means that is accepted: leave it out with --reject and --undo.")
    desk = open_desk(named, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        ledger.require_latest()
        answer = next((one for one in ledger.answers(desk.event.name) if one.id == number), None)
        if answer is None:
            raise UsageError(f"{desk.event.name} has no answer {number}: see mailer answers list{where(desk)}")
        if reference is not None:
            _accept(desk, ledger, answer, reference or None, WORDS[meant] if meant else None)
        elif reject:
            ledger.settle_answer(desk.event.name, number, "rejected", desk.clock())
        elif not ledger.settle_answer(desk.event.name, number, "undone", desk.clock()):
            raise UsageError(f"Nothing was decided about answer {number}, so nothing can be undone.")
        settled = next(one for one in ledger.answers(desk.event.name) if one.id == number)
        turnout = turnout_of(desk, ledger)
    party = f" for {settled.party} ({settled.reference})" if settled.reference else ""
    console.say(
        f"Answer {number} of {who(settled)} is {settled.state}{party}: {plain(settled.attendance)}{besides(settled)}."
    )
    say_seats(desk, turnout)
    return 0


def _accept(desk: Desk, ledger: Ledger, answer: Answer, text: str | None, meant: Attendance | None) -> None:
    """Accepts the answer for the reference, or for the only one there is. Raises UsageError where that is not clear."""
    from mailer.cli.turnout import invitation_meant

    choices = dict.fromkeys(candidate.reference for candidate in answer.candidates)
    if text is None and len(choices) > 1:
        told = ", ".join(f"{one.reference} ({one.party})" for one in answer.candidates)
        raise UsageError(f"Answer {answer.id} may belong to several. Name one: {told}.")
    text = text or next(iter(choices), answer.reference)
    if text is None:
        problem = f"Answer {answer.id} points to no invitation."
        raise UsageError(f"{problem} Name one by its reference or the address it went to: --accept ADDRESS.")
    reference = invitation_meant(text, desk, ledger).reference
    if (meant or answer.attendance) is Attendance.REVIEW:
        words = " or ".join(WORDS)
        raise UsageError(f"Answer {answer.id} does not say clearly whether anybody comes: add --as {words}.")
    ledger.settle_answer(
        desk.event.name, answer.id, "accepted", desk.clock(), reference=reference, attendance=meant
    )  # fmt: skip


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
    from mailer.cli.turnout import seats_of

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
