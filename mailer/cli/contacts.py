"""`mailer contacts`: whom mailer understood in any sheets, and every problem; nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import json_option
from mailer.cli.ends import soundness
from mailer.errors import Problem

if TYPE_CHECKING:
    from mailer.cli.guests import Guest
    from mailer.contacts import Layout


@click.command(short_help="Whom mailer understood in any sheets, without an event.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write them to a workbook."
)
@json_option
def contacts(files: tuple[Path, ...], xlsx: Path | None, as_json: bool) -> int:
    """Read sheets alone, without an event: whom mailer understood, and every problem."""
    from mailer import config, report
    from mailer.cli.desk import load_directory
    from mailer.cli.guests import Guest, read_guests
    from mailer.cli.overlaps import Overlaps

    settings, odd = config.load()
    console.problems(odd)
    paths = files or settings.contact_paths
    layouts: list[Layout] = []
    directory = load_directory(settings.TEMPLATES)
    found = list(read_guests(paths, directory, layouts.append))
    guests = [item for item in found if isinstance(item, Guest)]
    overlaps = Overlaps(directory)
    for guest in guests:
        overlaps.see(guest.contact)
    problems = [*(item for item in found if isinstance(item, Problem)), *overlaps.problems()]
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
    return soundness(problems)


def _contact_line(guest: Guest) -> tuple[object, ...]:
    contact, form = guest.contact, guest.form
    language, place = contact.language or "", contact.place
    return (
        place.file, place.sheet, place.row, contact.party.name, form.address_name, form.salutation,
        str(contact.address), language, contact.status.value,
    )  # fmt: skip
