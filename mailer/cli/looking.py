"""`mailer check`, `contacts` and `status`: what is there and what is wrong with it; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, json_option, now_option, sandbox_option
from mailer.errors import InputRefused, Problem

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk, Guest
    from mailer.config import Config
    from mailer.ledger import Ledger
    from mailer.report import NotWritten


@click.command()
@event_argument
@click.option(
    "--annotate", type=click.Path(path_type=Path), metavar="DIR", help="Write the workbooks, commented, to DIR."
)
@json_option
@now_option
def check(event: str | None, annotate: Path | None, as_json: bool, now: str | None) -> int:
    """Show every problem at once: in settings, event, templates, spreadsheets and every message as it would be sent."""
    problems = list(dict.fromkeys(_all_problems(event, now)))
    if annotate:
        written = _annotate(problems, annotate)
    if as_json:
        console.as_json({"problems": [problem.as_json() for problem in problems]})
    else:
        console.problems(problems)
        if not problems:
            console.say("No problems. See the messages with: mailer preview")
        elif not any(problem.is_error for problem in problems):
            console.say("No errors: it can be sent.")
        for path in written if annotate else ():
            console.say(f"Problems written as comments into {path}")
    return 3 if any(problem.is_error for problem in problems) else 0


def _all_problems(event_name: str | None, now: str | None) -> Iterator[Problem]:
    """Each part is checked even where another is broken; what cannot be read is replaced by its defaults."""
    from mailer import config, event
    from mailer.cli.desk import Desk, clock_at, moment_of

    settings = config.Config()
    try:
        settings, odd = config.load()
        yield from odd
    except InputRefused as exc:
        yield from exc.problems
    name = event.choose(settings.TEMPLATES, event_name or settings.EVENT)
    try:
        loaded, odd = event.load(settings.TEMPLATES, name)
    except InputRefused as exc:
        yield from exc.problems
        yield from _sheet_problems(settings)
        return
    yield from odd
    yield from _about_sending(Desk(settings, loaded, clock_at(moment_of(now, loaded))))


def _about_sending(desk: Desk) -> Iterator[Problem]:
    from mailer.cli.mailing import prepare

    deadline = desk.event.rsvp.deadline
    if desk.clock() > deadline:
        problem = f"the deadline has passed ({deadline:%d %B %Y}), so invitations and reminders are no longer sent"
        fix = "Move rsvp.deadline if that is not meant; --now acts as if it were another moment."
        yield Problem(problem, fix, "warning", str(desk.event.folder / "event.toml"), column="rsvp.deadline")
    if not desk.config.SMTP_HOST:
        fix = "Set SMTP_HOST before you send; a rehearsal needs none."
        yield Problem("no relay is set", fix, "warning", "config.env", column="SMTP_HOST")
    for mailing in desk.event.mailings.values():
        try:
            yield from prepare(desk, mailing).problems
        except InputRefused as exc:
            yield from exc.problems


def _sheet_problems(settings: Config) -> Iterator[Problem]:
    from mailer.cli.desk import load_directory, read_guests

    found = read_guests(
        settings.contact_paths, load_directory(settings.TEMPLATES), lambda contact: contact.language or "en"
    )
    return (item for item in found if isinstance(item, Problem))


def _annotate(problems: Iterable[Problem], folder: Path) -> list[Path]:
    from mailer import config
    from mailer.contacts import annotate
    from mailer.contacts.tables import files

    folder.mkdir(parents=True, exist_ok=True)
    problems = list(problems)
    written = []
    paths, _ = files(config.load()[0].contact_paths)
    for path in paths:
        if any(problem.file == path.name for problem in problems):
            to = folder / f"{path.stem}.{'xlsm' if path.suffix.lower() == '.xlsm' else 'xlsx'}"
            annotate(path, problems, to)
            written.append(to)
    return written


@click.command()
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
    found = list(read_guests(paths, load_directory(settings.TEMPLATES), lambda contact: contact.language or "en"))
    guests = [item for item in found if isinstance(item, Guest)]
    problems = [item for item in found if isinstance(item, Problem)]
    if as_json:
        rows = [report.contact_as_json(guest.contact, guest.form) for guest in guests]
        console.as_json({"contacts": rows, "problems": [problem.as_json() for problem in problems]})
    else:
        headings = ("File", "Row", "Party", "Addressed as", "Salutation", "E-mail", "Language", "Status")
        lines = [_contact_line(guest) for guest in guests]
        console.table(headings, lines)
        console.say(f"{len(guests)} contacts")
        console.problems(problems)
        if xlsx:
            report.write_workbook(xlsx, "Contacts", headings, lines)
            console.say(f"Written to {xlsx}")
    return 3 if any(problem.is_error for problem in problems) else 0


def _contact_line(guest: Guest) -> tuple[object, ...]:
    contact, form = guest.contact, guest.form
    language, place = contact.language or "", contact.place
    return (
        place.file, place.row, contact.party.name, form.address_name, form.salutation, str(contact.address), language,
        contact.status.value,
    )  # fmt: skip


@click.command()
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
        missing, problems = _not_written(desk, ledger)
        turnout = turnout_of(desk, ledger)
        if as_json:
            deliveries = ledger.deliveries(desk.event.name)
            held = [(hold.party, hold.reason) for hold in turnout.holds]
            console.as_json(
                report.status_as_json(
                    desk.event.name, desk.clock(), counts, deliveries, problems, answers=turnout.current, held=held
                )
            )
            return 0
        rows = report.status_rows(ledger.deliveries(desk.event.name), missing)
    console.table(report.STATUS_HEADINGS, rows)
    console.say()
    for mailing, states in counts.items():
        told = ", ".join(f"{number} {state.value.replace('_', ' ')}" for state, number in states.items())
        console.say(f"{mailing}: {told}")
    _say_answers(turnout)
    if problems:
        console.say(f"The spreadsheets have {problems} problems: see mailer check")
    if xlsx:
        report.write_workbook(xlsx, "Status", report.STATUS_HEADINGS, rows)
        console.say(f"Written to {xlsx}")
    return 0


def _say_answers(turnout: Turnout) -> None:
    from collections import Counter

    from mailer.model import AnswerState

    matched = [answer.attendance for answer in turnout.current if answer.state is AnswerState.MATCHED]
    if told := ", ".join(f"{n} {said.value.replace('_', ' ')}" for said, n in sorted(Counter(matched).items())):
        console.say(f"answers: {told}")
    for hold in turnout.holds:
        console.say(f"held: {hold.party}, {hold.reason}")
    if turnout.doubts:
        console.say(f"Answers to be settled: {len(turnout.doubts)}; see mailer answers review")


def _not_written(desk: Desk, ledger: Ledger) -> tuple[list[NotWritten], int]:
    """Who of the sheets has no delivery of the invitation, and why; and how many problems the sheets have."""
    from mailer.audience import NO_RECORD, main_mailing, why_not
    from mailer.cli.desk import read_guests
    from mailer.cli.mailing import records_of
    from mailer.report import NotWritten

    mailing, now = main_mailing(desk.event), desk.clock()
    found = list(read_guests(desk.config.contact_paths, desk.directory, lambda contact: contact.language or "en"))
    guests = [item for item in found if not isinstance(item, Problem)]
    records = records_of(desk, ledger, guests, mailing)
    missing = []
    for guest in guests:
        contact = guest.contact
        record = records.get(contact.address.key, NO_RECORD)
        if mailing.name not in record.states:
            reason = why_not(contact, record, mailing, desk.event, now) or "due: mailer send"
            missing.append(NotWritten(mailing.name, str(contact.address), contact.party.name, reason))
    return missing, len(found) - len(guests)
