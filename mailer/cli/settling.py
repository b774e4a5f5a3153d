"""`mailer answers review` and `settle`: the doubts about answers, and what a person decides about them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import (
    ATTENDANCES,
    event_argument,
    event_option,
    json_option,
    now_option,
    one_event,
    sandbox_option,
)
from mailer.cli.command_line import where
from mailer.cli.ends import DONE, WANTS_A_PERSON
from mailer.cli.telling import besides, list_doubts, plain, say_seats, who
from mailer.cli.turnout import invitation_meant, seats_of, turnout_of
from mailer.errors import UsageError
from mailer.model import Answer, Attendance

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger


@click.command()
@event_argument
@event_option
@sandbox_option
@json_option
@now_option
def review(*, event: str | None, named: str | None, sandbox: bool, as_json: bool, now: str | None) -> int:
    """Show what only a person can settle.

    On a terminal it is settled one by one.
    """
    from mailer import report
    from mailer.cli.desk import mind_older, open_desk

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
        meant = ATTENDANCES[click.prompt("    which means", type=click.Choice(list(ATTENDANCES)))]
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
    "--as", "meant", type=click.Choice(list(ATTENDANCES)), help="What an answer means that does not say it clearly."
)
@event_option
@sandbox_option
@now_option
def settle(
    *, number: int, reference: str | None, reject: bool, undo: bool, meant: str | None, named: str | None,
    sandbox: bool, now: str | None,
) -> int:  # fmt: skip
    """Settle answer ID, as mailer answers review shows it.

    The decision holds however often its file comes in again.
    """
    from mailer.cli.desk import open_desk

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
            _accept(desk, ledger, answer, reference or None, ATTENDANCES[meant] if meant else None)
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
        words = " or ".join(ATTENDANCES)
        raise UsageError(f"Answer {answer.id} does not say clearly whether anybody comes: add --as {words}.")
    ledger.settle_answer(
        desk.event.name, answer.id, "accepted", desk.clock(), reference=reference, attendance=meant
    )  # fmt: skip
