"""`mailer check`: every problem at once, in settings, event, templates, spreadsheets and messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, json_option, now_option
from mailer.cli.ends import soundness
from mailer.errors import InputRefused, LedgerError, Problem, UsageError

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.guests import NoteLayout
    from mailer.contacts import Layout


@click.command(short_help="Every problem at once, in whatever will be sent.")
@event_argument
@click.option(
    "--annotate", type=click.Path(path_type=Path), metavar="DIR", help="Write the workbooks, commented, to DIR."
)
@json_option
@now_option
def check(event: str | None, annotate: Path | None, as_json: bool, now: str | None) -> int:
    """Show every problem at once: in settings, event, templates, spreadsheets and every message as it would be sent."""
    layouts: dict[Layout, None] = {}  # the sheets are read once for each mailing
    problems = list(dict.fromkeys(_all_problems(event, now, layouts.setdefault)))
    if annotate:
        written = _annotate(problems, annotate)
    if as_json:
        console.as_json({"problems": [problem.as_json() for problem in problems]})
    else:
        preview = f"mailer preview {quote(event)}" if event else "mailer preview"
        for layout in layouts:
            console.say(str(layout))
        console.problems(problems)
        if not problems:
            console.say(f"No problems. See the messages with: {preview}")
        elif not any(problem.is_error for problem in problems):
            console.say(f"No errors. Read the warnings, then see the messages with: {preview}")
        for path in written if annotate else ():
            console.say(f"Problems written as comments into {path}")
    return soundness(problems)


def _all_problems(event_name: str | None, now: str | None, note_layout: NoteLayout) -> Iterator[Problem]:
    """Each part is checked even where another is broken; what cannot be read is replaced by its defaults."""
    from mailer import config, event
    from mailer.cli.desk import Desk, clock_at, moment_of
    from mailer.cli.doctor.folder import missing
    from mailer.cli.guests import problems_of_sheets
    from mailer.render import problems_of_texts

    settings, readable = config.Config(), True
    try:
        settings, odd = config.load()
        yield from odd
    except InputRefused as exc:
        readable = False
        yield from exc.problems
    try:
        name = event.choose(settings.TEMPLATES, event_name or settings.EVENT)
    except UsageError as exc:
        if readable:
            raise
        yield Problem(str(exc), "Mend config.env first: it may say which event is meant.")
        yield from problems_of_sheets(settings, note_layout)
        return
    try:
        loaded, odd = event.load(settings.TEMPLATES, name)
    except InputRefused as exc:
        yield from exc.problems
        yield from problems_of_texts(settings.TEMPLATES / name, settings.TEMPLATES)
        yield from problems_of_sheets(settings, note_layout)
        return
    yield from odd
    desk = Desk(settings, loaded, clock_at(moment_of(now, loaded)), note_layout=note_layout)
    if readable:
        # A rehearsal needs none of them.
        yield from (replace(problem, severity="warning") for problem in missing(settings))
        yield from _changes(desk)
    yield from _about_sending(desk)


def _changes(desk: Desk) -> Iterator[Problem]:
    """What the mails that went out said otherwise, and what to do about it; and that the ledger is not the latest."""
    from mailer.cli.changes import changes

    try:
        with desk.ledger(create=False) as ledger:
            if sentence := ledger.older_copy():
                yield Problem("nothing is sent with it", sentence, "warning", "config.env", column="LEDGER_URL")
            yield from changes(desk, ledger)
    except LedgerError as exc:
        yield Problem("the ledger cannot be used", str(exc), file="config.env", column="LEDGER_URL")


def _about_sending(desk: Desk) -> Iterator[Problem]:
    from mailer.audience import main_mailing
    from mailer.cli.copied import left_over
    from mailer.cli.gathering import active, gather
    from mailer.cli.mailing import prepare
    from mailer.cli.overlaps import Overlaps

    deadline = desk.event.rsvp.deadline
    if desk.clock() > deadline:
        problem = f"the deadline has passed ({deadline:%d %B %Y}), so invitations and reminders are no longer sent"
        fix = "Move rsvp.deadline if that is not meant; --now acts as if it were another moment."
        yield Problem(problem, fix, "warning", str(desk.event.folder / "event.toml"), column="rsvp.deadline")
    overlaps, main = Overlaps(desk.directory, desk.event), main_mailing(desk.event)
    for mailing in desk.event.mailings.values():
        try:
            yield from gather(prepare(desk, mailing), overlaps.watch if mailing is main else active).problems
        except InputRefused as exc:
            yield from exc.problems
    yield from overlaps.problems()
    yield from left_over(desk)


def _annotate(problems: list[Problem], folder: Path) -> list[Path]:
    """Writes the copies into `folder`, and returns their paths; why a file cannot be copied joins `problems`."""
    from mailer import config
    from mailer.contacts import annotate
    from mailer.contacts.tables import files

    try:
        settings, _ = config.load()
    except InputRefused:
        settings = config.Config()  # its faults are among the problems
    console.not_a_source(folder / "any", settings.contact_paths).parent.mkdir(parents=True, exist_ok=True)
    written = []
    paths, _ = files(settings.contact_paths)
    for path in paths:
        if any(problem.file == path.name for problem in problems):
            kept = path.suffix.lower() in (".xlsx", ".xlsm")
            to = console.not_a_source(folder / (path.name if kept else f"{path.name}.xlsx"), [path])
            try:
                annotate(path, problems, to)
            except InputRefused as exc:
                problems += [problem for problem in exc.problems if problem not in problems]
            else:
                written.append(to)
    return written
