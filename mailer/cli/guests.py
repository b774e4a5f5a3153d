"""Whom the sheets name, each with what a message to them needs, and what is wrong or odd about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer.cli.desk import load_directory
from mailer.cli.roll import Packing
from mailer.errors import InputRefused, Problem
from mailer.model import Address, Contact, Form, Party, PartyKind, Place, Standing, frozen

if TYPE_CHECKING:
    from mailer.config import Config
    from mailer.contacts import Layout
    from mailer.protocol import Directory, Mission

    NoteLayout = Callable[[Layout], object]


@frozen
class Guest:
    """A contact with everything that its message needs besides the event: language, form of address, mission."""

    contact: Contact
    language: str
    form: Form
    mission: Mission | None

    @property
    def party(self) -> str:
        """What the party is called in the guest's language."""
        return self.mission.name(self.language) if self.mission else self.contact.party.name


def _contact(*values: Any) -> Contact:
    file, sheet, row, columns, party, kind, local, domain, *others = values
    return Contact(Place(file, sheet, row, columns), Party(party, kind), Address(local, domain), *others)


def _guest(language: str, salutation: str, address_name: str, mission: Mission | None, *contact: Any) -> Guest:
    return Guest(_contact(*contact), language, Form(salutation, address_name), mission)


_TABLES_OF_CONTACT = ("place", "party", "address")
_OF_CONTACT = (
    *("place.file", "place.sheet", "place.row", "place.columns", "party.name", "party.kind"),
    *("address.local", "address.domain"),
    *(field.name for field in fields(Contact) if field.name not in _TABLES_OF_CONTACT),
)
_OF_GUEST = ("language", "form.salutation", "form.address_name", "mission")
CONTACTS = Packing(attrgetter(*_OF_CONTACT), _contact)
GUESTS = Packing(attrgetter(*_OF_GUEST, *(f"contact.{name}" for name in _OF_CONTACT)), _guest)


def read_sheets(paths: tuple[Path, ...], note_layout: NoteLayout | None) -> Iterator[Contact | Problem]:
    """All contacts and problems; for whoever asks about the form of address, which is judged in faulty rows too."""
    from mailer.contacts import read
    from mailer.protocol import disagreement

    return read(paths, note_layout, disagreement)


def read_guests(
    paths: tuple[Path, ...], directory: Directory, note_layout: NoteLayout | None = None
) -> Iterator[Guest | Problem]:
    """Whom the sheets name, each addressed in the own language as no mailing is meant, and all problems.

    `note_layout` is told what the columns of each sheet are taken for.
    """
    for found in read_sheets(paths, note_layout):
        if isinstance(found, Problem):
            yield found
        else:
            yield from addressed(found, found.language or "en", directory)


def problems_of_sheets(config: Config, note_layout: NoteLayout | None) -> Iterator[Problem]:
    """What is wrong in the sheets, so that one pass shows it even where event or texts cannot be used."""
    try:
        for found in read_guests(config.contact_paths, load_directory(config.TEMPLATES), note_layout):
            if isinstance(found, Problem):
                yield found
    except InputRefused as exc:
        yield from exc.problems


def addressed(contact: Contact, language: str, directory: Directory) -> Iterator[Guest | Problem]:
    """The contact as a guest who is written to in `language`, unless an error among the problems prevents it.

    By a row whose status is not active nobody is written to, so whatever is odd about the form is no problem there.
    """
    from mailer.protocol import form_of_address

    mission = directory.find(contact.party.name) if contact.party.kind is PartyKind.MISSION else None
    if mission is None and contact.party.kind is PartyKind.MISSION:
        yield from _unknown_mission(contact, directory)
    if mission and directory.is_embassy(contact.party.name):
        mission = None  # it is printed as it stands
    elif mission and _is_called_embassy(contact, directory) and directory.is_bare(contact.party.name):
        yield _in_a_column_of_embassies(contact, mission.name(language))
    address = form_of_address(contact, language, mission)
    refused = False
    for doubt in address.doubts if contact.status is Standing.ACTIVE else ():
        refused = refused or doubt.severity == "error"
        yield problem_at(contact, doubt.field, doubt.problem, doubt.fix, warning=doubt.severity == "warning")
    if not refused:
        yield Guest(contact, language, address.form, mission)


def _unknown_mission(contact: Contact, directory: Directory) -> Iterator[Problem]:
    """A warning that the mission's name is printed as it stands, and what to write for its full name."""
    candidates = directory.candidates(contact.party.name)
    if candidates and directory.is_embassy(contact.party.name):
        problem, fix = "this name is easily taken for another state's", "Nothing, if the embassy is called so."
    elif candidates and _is_called_embassy(contact, directory):
        problem = "this name is easily taken for another state's, so it is printed as it stands"
        fix = "Write it as it is to be printed, as in “Embassy of Canada”."
    elif candidates:
        names = " or ".join(f"“{mission.name('en')}”" for mission in candidates)
        problem, fix = "this name is easily taken for another state's, so it is printed as it stands", f"Write {names}."
    else:
        problem = "no mission of this name is known, so it is printed as it stands"
        fix = "Check its spelling; templates/missions.csv lists the names, and more can be added there."
    yield problem_at(contact, "party", problem, fix, warning=True)


def _is_called_embassy(contact: Contact, directory: Directory) -> bool:
    """Whether the heading over the name of the party says that the column holds embassies."""
    return directory.is_embassy(contact.place.columns.get("party", ("", ""))[1])


def _in_a_column_of_embassies(contact: Contact, name: str) -> Problem:
    """A warning that a country under the heading of embassies is its mission to the United Nations by `name`."""
    problem = f"the column is one of embassies, but a country alone is printed as “{name}”"
    fix = "Write it as it is to be printed, as in “Embassy of Canada”; nothing, if the mission is meant."
    return problem_at(contact, "party", problem, fix, warning=True)


def problem_at(contact: Contact, field: str, problem: str, fix: str, *, warning: bool = False) -> Problem:
    """A problem in the cell that holds `field` of `contact`, or in its row where the sheet has no such column."""
    place = contact.place
    letters_and_heading = place.columns.get(field)
    value = contact.party.name if field == "party" else getattr(contact, field, None)
    return Problem(
        problem,
        fix,
        "warning" if warning else "error",
        file=place.file,
        sheet=place.sheet,
        cell=place.cell(field),
        row=place.row,
        column=letters_and_heading[1] if letters_and_heading else None,
        value=str(value) if value else None,
    )
