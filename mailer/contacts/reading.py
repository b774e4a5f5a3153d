"""Files and folders -> one stream of Contacts and Problems, missions first, nobody twice."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from pathlib import Path

from mailer.contacts import cells as words
from mailer.contacts.columns import MISSING
from mailer.contacts.headings import same_headings
from mailer.contacts.layout import Layout
from mailer.contacts.person import Judge, Row, contact, garbled_cells, kind_of, unreadable_cells
from mailer.contacts.register import Register
from mailer.contacts.tables import Table, files, tables
from mailer.errors import InputRefused, Problem
from mailer.model import Contact, PartyKind, Place, Standing

_NO_FAULTS: Mapping[int, str] = {}
# What cells usually say of those who are written to; rows that say anything else are looked at twice.
_ACTIVE = ("", str(Standing.ACTIVE))
_NOT_BARRED = ("", "no", "No")
_INVITED = ("yes", "Yes", "y", "Y", "oui", "Oui")


def read(
    paths: Iterable[Path], note_layout: Callable[[Layout], object] | None = None, judge: Judge | None = None
) -> Iterator[Contact | Problem]:
    """Every contact and every problem in the files, and in all readable files of the folders, that `paths` name.

    Missions come before organisations, so that an address that stands twice keeps the mission's row; the later row is
    a warning that names the earlier. "Do not contact" holds wherever the address stands: other rows with it become
    contacts of that status, and it gets no copies. Rows with the status `left` neither take nor lose an invitation, but
    their address gets no copies either. Who gets a copy and something else besides is a warning at the later place.
    A row with an error gives no contact. Hidden sheets, rows and columns are read, with a warning (rows and
    columns in .xlsx and .ods). A file that cannot be read is one error without a cell, and the others are still read.
    `note_layout` is told of each sheet that is read what its columns were taken for, before the first contact comes.
    `judge` is asked about title, rank and position of the rows with an error; the contacts of the others are for
    the form of address to judge.

    Text files are streamed; workbooks are held in memory until their contacts have been taken.
    """
    paths, problems = files(paths)
    yield from problems
    found: list[Table] = []
    for path in paths:
        for item in tables(path):
            if isinstance(item, Table):
                found.append(item)
                if note_layout:
                    note_layout(item.layout)
            else:
                yield item
    register = Register([(table.sheet.file, table.sheet.name) for table in found])
    for table in found:
        for key, status in _held_back(table):
            (register.left if status is Standing.LEFT else register.opted_out).add(key)
    numbered = list(enumerate(found))
    del found
    for kind in (PartyKind.MISSION, PartyKind.ORGANISATION):
        numbered = [
            (number, table) for number, table in numbered if table.columns.holds(kind) or kind is PartyKind.MISSION
        ]
        for number, table in numbered:
            if table.columns.holds(kind):
                yield from _contacts(table, kind, register, number, judge)


def _contacts(
    table: Table, kind: PartyKind, register: Register, number: int, judge: Judge | None
) -> Iterator[Contact | Problem]:
    """The contacts of one kind of party in the table, with the problems of their rows.

    Rows whose kind is unclear are told with the organisations.
    """
    columns = table.columns
    headings = columns.headings
    only = {means for _, means in columns.party} == {kind} and columns.at["kind"] == MISSING
    try:
        for row in _rows(table):
            named = kind if only else kind_of(columns, row.cells)
            if named is not kind and (named or PartyKind.ORGANISATION) is not kind:
                continue
            person = contact(row, named, judge)
            if person is not None and person.status is Standing.ACTIVE:
                person = register.enter(person, number, row)
            if row.problems:
                if row.failed and same_headings(row.cells, headings):
                    continue
                yield from row.problems
            if person is not None:
                yield person
    except InputRefused as exc:
        yield from exc.problems


def _held_back(table: Table) -> Iterator[tuple[str, Standing]]:
    """The keys of the addresses that the table says not to contact, or to have left, and which of the two."""
    status = table.columns.at["status"]
    quiet: list[tuple[int, Container[str]]] = [(status, _ACTIVE)] if status != MISSING else []
    quiet += [(column, _INVITED if inviting else _NOT_BARRED) for column, inviting, _ in table.columns.barring]
    if not quiet:
        return
    try:
        for number, raw in table.sheet.rows():
            if any(column < len(raw) and raw[column] not in usual for column, usual in quiet):
                row = _row(table, number, raw, _NO_FAULTS)
                person = contact(row, kind_of(table.columns, row.cells))
                if person is not None and person.status is not Standing.ACTIVE:
                    yield person.address.key, person.status
    except InputRefused:
        pass  # told when the contacts are read


def _rows(table: Table) -> Iterator[Row]:
    """The rows below the header that hold something."""
    faults: dict[int, dict[int, str]] = {}
    for (number, column), why in table.sheet.faults.items():
        faults.setdefault(number, {})[column] = why
    for number, raw in table.sheet.rows():
        if number > table.header:
            row = _row(table, number, raw, faults.get(number, _NO_FAULTS))
            if row.problems or any(row.cells):
                yield row


def _row(table: Table, number: int, raw: list[str], faults: Mapping[int, str]) -> Row:
    """The row with its cells made plain and as many as the header has, and one empty cell more."""
    sheet, columns = table.sheet, table.columns
    width = len(columns.headings)
    if len(raw) < width:
        raw = raw + [""] * (width - len(raw))
    joined = "|".join(raw)
    suspect = not joined.isprintable() or len(joined) > words.MAX_LENGTH
    # One look at the whole row spares the look at each cell of it.
    if suspect or "  " in joined or "| " in joined or " |" in joined or joined[0] == " " or joined[-1] == " ":
        cells = [words.plain(cell) for cell in raw]
        cells.append("")
    else:
        cells = [*raw, ""]
    row = Row(Place(sheet.file, sheet.name, number, columns.places), columns, raw, cells)
    if suspect or faults or len(raw) > width or "#" in joined or "Err:" in joined:
        unreadable_cells(row, faults)
    if not joined.isascii():
        garbled_cells(row)
    return row
