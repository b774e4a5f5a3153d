"""`mailer answers`: RSVPs in from a file or a call, who comes, and the doubts that a person settles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import (
    ATTENDANCES,
    event_argument,
    event_option,
    json_option,
    legible,
    now_option,
    one_event,
    parsed_address,
    sandbox_option,
)
from mailer.cli.command_line import where
from mailer.cli.ends import DONE, REFUSED, WANTS_A_PERSON
from mailer.cli.settling import review, settle
from mailer.cli.telling import besides, list_doubts, plain, say_crowds, say_doubts, say_seats, who
from mailer.cli.turnout import book_of, invitation_meant, seats_of, turnout_of
from mailer.errors import InputRefused, Problem, UsageError
from mailer.model import Answer, AnswerState, Attendance, Invitation

if TYPE_CHECKING:
    from mailer.answers.book import Book
    from mailer.answers.reading import Export
    from mailer.answers.response import Response
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger


@click.group()
def answers() -> None:
    """RSVPs in; who comes; doubtful matches wait for a person."""


# --- import -----------------------------------------------------------------------------------------------------------


@answers.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@event_option
@click.option(
    "--columns",
    metavar="KEY=HEADING,...",
    help='As in reference=Code,email="E-mail",party=Entity; the others are name, attendance, at and guest.',
)
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="The order of day and month, where it is not clear.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be recorded.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@sandbox_option
@now_option
def import_answers(
    *, file: Path, named: str | None, columns: str | None, dates: str | None, dry_run: bool, yes: bool, sandbox: bool,
    now: str | None,
) -> int:  # fmt: skip
    """Take in an export of RSVPs, or any sheet.

    Known are the exports of Zoom, Google Forms, Microsoft Forms, Eventbrite, Indico and others. A file that was
    imported before, or has grown since, adds only what is new.
    """
    from mailer.cli.desk import mind_older, open_desk

    desk = open_desk(named, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        mind_older(ledger, decides=not dry_run)
        try:
            export = _read(desk, ledger, file, columns, dates)
            found = _taken(desk, ledger, file, export)
        except InputRefused as exc:
            console.problems(exc.problems)
            console.complain("Nothing was written.")
            return REFUSED
        _summarise(file, export, found)
        if found and not dry_run:
            if not yes:
                console.confirm(f"record {console.count(len(found), 'answer')}")
            ledger.record_answers(desk.event.name, found, desk.clock())
        turnout = turnout_of(desk, ledger, found.values() if dry_run else ())
    say_crowds(turnout)
    list_doubts(desk, turnout.doubts)
    if dry_run:
        console.say("A dry run: nothing was written.")
    elif turnout.doubts:
        say_doubts(desk, len(turnout.doubts))
    return WANTS_A_PERSON if turnout.doubts else DONE


def _read(desk: Desk, ledger: Ledger, file: Path, columns: str | None, dates: str | None) -> Export:
    from mailer.answers.reading import read_export

    return read_export(
        file,
        zone=desk.event.timezone,
        online_event=bool(desk.event.online),
        columns=_headings(columns),
        dates=dates,  # type: ignore[arg-type]
        deadline=desk.event.rsvp.deadline,
        answered=[answer.at for answer in ledger.answers(desk.event.name) if answer.file != file.name],
        now=desk.clock(),
    )


def _headings(text: str | None) -> dict[str, str]:
    """What `--columns` says: headings by key; a heading with a comma in it stands in quotes. Raises UsageError."""
    pairs: dict[str, str] = {}
    rest = (text or "").strip()
    while rest:
        pair = re.match(r"""\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,"']*))\s*(?:,|$)""", rest)
        if not pair:
            raise UsageError(f'--columns {text}: write KEY=HEADING with commas between, as in name=Name,email="E-mail"')
        pairs[pair[1]] = next((part for part in pair.groups()[1:] if part is not None), "").strip()
        rest = rest[pair.end() :]
    return pairs


def _taken(desk: Desk, ledger: Ledger, file: Path, export: Export) -> dict[str, Answer]:
    """The answers that are new, by fingerprint. Raises InputRefused where nothing in the file is ours."""
    from mailer.answers.intake import fingerprint, judge, unrecorded
    from mailer.answers.matching import references_in

    event = desk.event
    known = ledger.answers(event.name)
    news = unrecorded(export.responses, partial(ledger.recorded, event.name), known, file.name)
    fresh = {one: text for text, one in news.items()}
    book = book_of(desk, ledger)
    judged = judge(fresh, book, known, event=event.name, deadline=event.rsvp.deadline)
    foreign = [book.elsewhere.keys() & references_in(response.reference) for response in fresh]
    is_new = news.keys() >= set(map(fingerprint, export.responses))
    if is_new and (all(foreign) or not any(answer.reference or answer.candidates for _, answer in judged)):
        raise InputRefused([_foreign(desk, file, foreign, book)])
    return {fresh[response]: answer for response, answer in judged}


def _foreign(desk: Desk, file: Path, foreign: Sequence[Set[str]], book: Book) -> Problem:
    """Why nothing in the file is ours; `foreign` are the references of other events in each of its answers."""
    name = desk.event.name
    if not book.by_reference:
        problem = f"nothing in it can be an answer: nobody has been invited to {name} yet"
        return Problem(problem, "Send the invitations first, or name another event with --event.", file=file.name)
    if not foreign:
        return Problem("it holds no answers", "Export it again once somebody has answered.", file=file.name)
    problem = "nothing in it is ours: no reference, address, domain or name of anybody invited"
    if others := {book.elsewhere[reference] for reference in set().union(*foreign)}:
        problem = f"it is an export of another event: its references are of {', '.join(sorted(others))}"
    fix = f"Name the export for {name}, the event that is meant with --event, or the columns with --columns."
    return Problem(problem, fix, file=file.name)


def _summarise(file: Path, export: Export, found: dict[str, Answer]) -> None:
    """Says what was read and what will come of it."""
    total = len(export.responses)
    console.say(f"{file.name}: {export.tool}, {console.count(total, 'answer')}")
    for key, heading in export.columns.items():
        console.say(f"  {key:<10} from {heading}")
    states = Counter(answer.state for answer in found.values())
    counts = Counter(answer.attendance for answer in found.values() if answer.state is AnswerState.MATCHED)
    told = ", ".join(f"{number} {plain(attendance)}" for attendance, number in sorted(counts.items()))
    console.say(f"{states[AnswerState.MATCHED]:>7}  matched{': ' + told if told else ''}")
    console.say(f"{states[AnswerState.SUGGESTED]:>7}  suggested, for a person to confirm")
    console.say(f"{states[AnswerState.REVIEW]:>7}  for review")
    console.say(f"{total - len(found):>7}  recorded before, or said twice")
    if guests := sum(answer.guests for answer in found.values() if answer.state is AnswerState.MATCHED):
        console.say(f"{guests:>7}  guests with those matched, who take a seat each")
    late = sum(answer.late for answer in found.values())
    if late:
        console.say(f"{late:>7}  of them after the deadline: kept, and flagged")
    console.problems(export.problems)


# --- record -----------------------------------------------------------------------------------------------------------


@answers.command()
@click.argument("typed", metavar="REFERENCE|ADDRESS")
@click.argument("attendance", type=click.Choice(list(ATTENDANCES)))
@click.option(
    "--by", "name", metavar="NAME", callback=legible, help="Who answered, where it is not the person invited."
)
@click.option("--email", "address", metavar="A", help="Where that person can be reached.")
@click.option("--guest", metavar="NAME", default="", callback=legible, help="Who comes as a guest, in the same way.")
@event_option
@sandbox_option
@now_option
def record(
    *,
    typed: str,
    attendance: str,
    name: str | None,
    address: str | None,
    guest: str,
    named: str | None,
    sandbox: bool,
    now: str | None,
) -> int:
    """Record an answer that came by telephone or letter.

    It counts for the invitation of REFERENCE or ADDRESS.
    """
    from mailer.answers.intake import fingerprint
    from mailer.answers.response import Response
    from mailer.cli.desk import open_desk

    if guest and ATTENDANCES[attendance] is Attendance.REGRETS:
        raise UsageError("--guest says who comes as well: leave it out with regrets.")
    desk = open_desk(named, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        ledger.require_latest()
        invitation = invitation_meant(typed, desk, ledger)
        addresses = (str(parsed_address(address)),) if address else () if name else (str(invitation.recipient),)
        response = Response(
            file="", row=0, reference=invitation.reference, name=name or "", addresses=addresses, party="",
            attendance=ATTENDANCES[attendance], words=attendance, at=desk.clock(), guests=int(bool(guest)),
            guest_name=guest,
        )  # fmt: skip
        known = ledger.answers(desk.event.name)
        by_hand = _by_hand(response, known, desk, ledger)
        if said_before(by_hand, known):
            console.say(f"Was recorded before: {plain(by_hand.attendance)}, for {invitation.party.name}.")
            return 0
        words = f"by hand\n{fingerprint(response)}"
        (number,) = ledger.record_answers(desk.event.name, {words: by_hand}, desk.clock())
        turnout = turnout_of(desk, ledger)
    said = f"{plain(by_hand.attendance)}{besides(by_hand)}, for {invitation.party.name} ({invitation.reference})"
    if by_hand.state is AnswerState.MATCHED:
        console.say(f"Recorded as answer {number}: {said}.")
        if any(answer.id == number for answer in turnout.coming):
            _tell_who_comes_besides(number, invitation, turnout, desk)
        say_seats(desk, turnout)
        return 0
    console.say(f"Recorded as answer {number}, for review: {by_hand.reason}.")
    console.say(f"If it is right all the same: mailer answers settle {number}{where(desk, option='--event')} --accept")
    return WANTS_A_PERSON


def _tell_who_comes_besides(number: int, invitation: Invitation, turnout: Turnout, desk: Desk) -> None:
    """Who else comes on the invitation: as many may as its rule allows, or one of them comes in the other's place."""
    for other in turnout.coming:
        if other.reference == invitation.reference and other.id != number:
            instead = f"mailer answers settle {other.id}{where(desk, option='--event')} --reject"
            console.say(f"On the same invitation {who(other)} comes too. If answer {number} is instead: {instead}")


def said_before(answer: Answer, known: Sequence[Answer]) -> bool:
    """Whether this respondent's latest word on the invitation is the same already."""
    own = [
        other
        for other in known
        if other.reference == answer.reference
        and (other.respondent_email.casefold(), other.respondent_name.casefold())
        == (answer.respondent_email.casefold(), answer.respondent_name.casefold())
    ]
    latest = max(own, key=lambda other: other.at, default=None)
    return latest is not None and all(
        getattr(latest, part) == getattr(answer, part) for part in ("attendance", "state", "guests", "guest_name")
    )


def _by_hand(response: Response, known: Sequence[Answer], desk: Desk, ledger: Ledger) -> Answer:
    """The answer that the response makes, as one that a person has recorded."""
    from mailer.answers.intake import judge

    event, book = desk.event, book_of(desk, ledger)
    [(_, judged)] = judge([response], book, known, event=event.name, deadline=event.rsvp.deadline)
    reason = "recorded by hand" if judged.state is AnswerState.MATCHED else f"recorded by hand; {judged.reason}"
    return replace(judged, matched_by="person", reason=reason, file=None, row=None)


# --- list -------------------------------------------------------------------------------------------------------------


@answers.command("list")
@event_argument
@event_option
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a workbook.")
@sandbox_option
@json_option
@now_option
def list_answers(
    *, event: str | None, named: str | None, xlsx: Path | None, sandbox: bool, as_json: bool, now: str | None
) -> int:
    """Say who comes, and how many seats that leaves.

    Those who come are told by party, in person and online.
    """
    from mailer import report
    from mailer.cli.desk import mind_older, open_desk

    desk = open_desk(one_event(event, named), now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        mind_older(ledger)
        turnout = turnout_of(desk, ledger)
    rows = report.answer_rows(turnout.current, desk.event.timezone)
    if xlsx:
        target = console.not_a_source(xlsx, desk.config.contact_paths)
        report.write_workbook(target, "Answers", report.ANSWER_HEADINGS, rows)
    if as_json:
        console.as_json(report.answers_as_json(turnout.current, asdict(seats_of(desk, turnout))))
        return 0
    console.table(report.ANSWER_HEADINGS, rows, once=("State",), beside=("E-mail", "ID", "Attendance", "Reference"))
    console.say()
    say_seats(desk, turnout)
    say_crowds(turnout)
    if xlsx:
        console.say(f"Written to {xlsx}")
    return 0


answers.add_command(review)
answers.add_command(settle)
