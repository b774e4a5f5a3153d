"""`mailer contacts` and `mailer status`: whom the sheets name, and where everything stands; nothing is changed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, json_option, now_option, sandbox_option
from mailer.errors import Problem
from mailer.model import AnswerState, State

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk, Guest
    from mailer.cli.roll import Roll
    from mailer.contacts import Layout
    from mailer.ledger import Ledger
    from mailer.model import Contact
    from mailer.report import NotWritten


@click.command(short_help="Whom mailer understood in any sheets, without an event.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write them to a workbook."
)
@json_option
def contacts(files: tuple[Path, ...], xlsx: Path | None, as_json: bool) -> int:
    """Read sheets alone, without an event: whom mailer understood, and every problem."""
    from mailer import config, report
    from mailer.cli.desk import Guest, load_directory, read_guests

    settings, _ = config.load()
    paths = files or settings.contact_paths
    layouts: list[Layout] = []
    directory = load_directory(settings.TEMPLATES)
    found = list(read_guests(paths, directory, layouts.append))
    guests = [item for item in found if isinstance(item, Guest)]
    problems = [item for item in found if isinstance(item, Problem)]
    headings = ("File", "Sheet", "Row", "Party", "Addressed as", "Salutation", "E-mail", "Language", "Status")
    lines = [_contact_line(guest) for guest in guests]
    if xlsx:
        report.write_workbook(
            console.not_a_source(xlsx, (*paths, *settings.contact_paths)), "Contacts", headings, lines
        )
    if as_json:
        rows = [report.contact_as_json(guest.contact, guest.form) for guest in guests]
        told = [problem.as_json() for problem in problems]
        console.as_json({"contacts": rows, "problems": told, "sheets": [layout.as_json() for layout in layouts]})
    else:
        console.table(headings, lines, once=("File", "Sheet"), beside=("E-mail", "Row", "Status", "Language"))
        for layout in layouts:
            console.say(str(layout))
        console.say(console.count(len(guests), "contact"))
        console.problems(problems)
        if xlsx:
            console.say(f"Written to {xlsx}")
    return 3 if any(problem.is_error for problem in problems) else 0


def _contact_line(guest: Guest) -> tuple[object, ...]:
    contact, form = guest.contact, guest.form
    language, place = contact.language or "", contact.place
    return (
        place.file, place.sheet, place.row, contact.party.name, form.address_name, form.salutation,
        str(contact.address), language, contact.status.value,
    )  # fmt: skip


@click.command(short_help="Where everything stands.")
@event_argument
@click.option("--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it to a workbook.")
@sandbox_option
@json_option
@now_option
def status(event: str | None, xlsx: Path | None, sandbox: bool, as_json: bool, now: str | None) -> int:
    """Say where everything stands: each contact, its state, the relay's words."""
    from mailer import report
    from mailer.cli.desk import open_desk
    from mailer.cli.turnout import turnout_of

    desk = open_desk(event, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        counts = ledger.counts(desk.event.name)
        missing, problems, people = _not_written(desk, ledger)
        turnout = turnout_of(desk, ledger)
        reminders = list(_reminders(desk, ledger, people)) if not as_json else []
        if xlsx:
            target = console.not_a_source(xlsx, desk.config.contact_paths)
            rows = report.status_rows(ledger.deliveries(desk.event.name), missing)
            report.write_workbook(target, "Status", report.STATUS_HEADINGS, rows)
        if as_json:
            deliveries = ledger.deliveries(desk.event.name)
            held = [(hold.party, hold.reason) for hold in turnout.holds]
            console.as_json(
                report.status_as_json(
                    desk.event.name, desk.clock(), counts, deliveries, problems, answers=turnout.current, held=held
                )
            )
            return 0
        # Of a long table, a terminal leaves the end in sight.
        rows = report.status_rows(ledger.deliveries(desk.event.name), missing, urgent_last=sys.stdout.isatty())
    console.table(report.STATUS_HEADINGS, rows, once=("Mailing",), beside=("Recipient", "State", "Tried"))
    console.say()
    for mailing, states in counts.items():
        console.say(f"{mailing}: {'; '.join((console.states(states), *_ways_out(desk, mailing, states)))}")
    _say_answers(turnout)
    for line in reminders:
        console.say(line)
    if problems:
        console.say(f"{console.count(problems, 'problem')} in the spreadsheets: see mailer check")
    if xlsx:
        console.say(f"Written to {xlsx}")
    return 0


def _ways_out(desk: Desk, mailing: str, states: Container[State]) -> Iterator[str]:
    from mailer.cli.again import why_no_more

    if State.IN_DOUBT in states:
        yield "settle what is in doubt with mailer resolve"
    if State.FAILED in states and not why_no_more(mailing, desk):
        yield "see what failed with mailer resolve --failed"


def _say_answers(turnout: Turnout) -> None:
    matched = [answer.attendance for answer in turnout.current if answer.state is AnswerState.MATCHED]
    if told := ", ".join(f"{n} {said.value.replace('_', ' ')}" for said, n in sorted(Counter(matched).items())):
        console.say(f"answers: {told}")
    for hold in turnout.holds:
        console.say(f"held: {hold.party}, {hold.reason}")
    if turnout.doubts:
        console.say(f"Answers to be settled: {len(turnout.doubts)}; see mailer answers review")


def _reminders(desk: Desk, ledger: Ledger, contacts: Iterable[Contact]) -> Iterator[str]:
    """For each reminder, how many are due at this moment, and why the others are not, in words."""
    from mailer.audience import why_not
    from mailer.cli.surveying import Records

    for mailing in desk.event.mailings.values():
        if mailing.is_reminder:
            records = Records(desk, ledger, mailing).of(contacts)
            reasons = Counter(
                why_not(contact, record, mailing, desk.event, desk.clock()) for contact, record in records
            )
            yield f"{mailing.name} at this moment: {reasons.pop(None, 0)} due"
            for reason, number in reasons.most_common():
                yield f"{number:>7}  left out: {reason}"


def _not_written(desk: Desk, ledger: Ledger) -> tuple[list[NotWritten], int, Roll[Contact]]:
    """Who has no delivery of the invitation, and why; how many problems the sheets have; and all whom they name."""
    from mailer.audience import main_mailing, why_not
    from mailer.cli.desk import CONTACTS, read_guests
    from mailer.cli.roll import Roll
    from mailer.cli.surveying import Records
    from mailer.report import NotWritten

    mailing, now = main_mailing(desk.event), desk.clock()
    contacts = Roll(packing=CONTACTS)
    problems = 0
    unfit: dict[str, NotWritten] = {}
    for found in read_guests(desk.config.contact_paths, desk.directory):
        if isinstance(found, Problem):
            problems += 1
            if found.is_error and found.row:
                reason = f"{found.problem}: see mailer check"
                row = replace(found, cell=None).place()
                unfit.setdefault(row, NotWritten(mailing.name, "", row, reason))
        else:
            contacts.append(found.contact)
    missing = [*unfit.values()]
    for contact, record in Records(desk, ledger, mailing).of(contacts):
        if mailing.name not in record.states:
            reason = why_not(contact, record, mailing, desk.event, now) or "due: mailer send"
            missing.append(NotWritten(mailing.name, str(contact.address), contact.party.name, reason))
    return missing, problems, contacts
