"""Files and folders -> the tables in them that hold contacts, each with the plan of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mailer.contacts import cells as words
from mailer.contacts.columns import Columns, plan
from mailer.contacts.doubts import doubts
from mailer.contacts.headings import SEARCHED_ROWS, header_row
from mailer.contacts.layout import Layout
from mailer.contacts.rows import READABLE, Sheet, letters, sheets
from mailer.errors import InputRefused, Problem

_SAMPLE_ROWS = 1000
_SHOWN_HEADINGS = 12
_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet that holds contacts: the number of its header row and the plan of its columns."""

    sheet: Sheet
    header: int
    columns: Columns

    @property
    def layout(self) -> Layout:
        """What its columns were taken for."""
        headings, fields = self.columns.headings, self.columns.fields
        taken = tuple(
            (letters(column), heading, fields.get(column, "extra"))
            for column, heading in enumerate(headings)
            if heading or column in fields
        )
        return Layout(self.sheet.file, self.sheet.name, taken)


# --- files ------------------------------------------------------------------------------------------------------------


def files(paths: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """The files that `paths` name and the readable files in the folders that they name, and what was passed over."""
    found: dict[Path, None] = {}
    problems = []
    paths = list(paths)
    for path in paths:
        if path.is_dir():
            try:
                there = [p for p in path.iterdir() if not _is_passing(p.name)]
                there.sort(key=lambda p: (p.stem, p.suffix))  # before its copy, as in "missions (1).xlsx"
            except OSError as exc:
                problems.append(
                    Problem(f"The folder {path} cannot be read ({exc.strerror})", "Ask for leave to read it.")
                )
                continue
            inside = [p for p in there if p.is_file()]
            readable = [p for p in inside if _is_readable(p)]
            found |= dict.fromkeys(readable)
            fix = "Move up what is to be read, or name the folder in CONTACTS; nothing, if it is put away."
            problems += [
                Problem("The folder holds lists that are not read", fix, "warning", f"{p.name}/")
                for p in there
                if p not in paths and _holds_lists(p)
            ]
            problems += [
                Problem(
                    "The file is not read", "Save it as .xlsx, .ods or .csv if it holds contacts.", "warning", p.name
                )
                for p in inside
                if p not in readable
            ]
            if not readable:
                problems.append(Problem(f"The folder {path} holds no list", "Put an .xlsx, .ods or .csv file into it."))
        elif path.name.startswith("~$"):
            problem = f"The file holds no list: it only says that somebody has {path.name[2:]} open"
            problems.append(Problem(problem, f"Name {path.name[2:]} instead.", file=path.name))
        else:
            found[path] = None
    return list(found), problems


def _is_readable(path: Path) -> bool:
    return path.suffix.lower() in READABLE


def _holds_lists(path: Path) -> bool:
    """Whether it is a folder with files in it that could be read; one that nobody may look into is taken for none."""
    try:
        return any(_is_readable(p) and not _is_passing(p.name) and p.is_file() for p in path.iterdir())
    except OSError:
        return False


def _is_passing(name: str) -> bool:
    """Whether the file is hidden or only says that somebody has a workbook open."""
    return name.startswith((".", "~$"))


def tables(path: Path) -> Iterator[Table | Problem]:
    """The tables in `path`, and what is wrong with the file and its sheets as wholes."""
    found, passed_over, filled = 0, [], False
    try:
        for sheet in sheets(path):
            head = list(islice(sheet.rows(), _SAMPLE_ROWS + SEARCHED_ROWS))
            filled = filled or any(cell.strip() for _, cells in head for cell in cells)
            header = header_row(head)
            if header is None:
                passed_over += [sheet] if any("@" in cell for _, cells in head for cell in cells) else []
                continue
            found += 1
            yield from sheet.problems
            yield from _table(sheet, head, header)
    except InputRefused as exc:
        yield from exc.problems
        return
    if not found:
        problem = "No header row was found in the first 30 rows" if filled else "The file holds no rows"
        yield Problem(problem, "Name the columns in one row: Mission, Name, Email and so on.", file=path.name)
        return
    for sheet in passed_over:
        yield Problem(
            "The sheet has no header row, so it was passed over though it holds addresses",
            "Name its columns in one row, or delete the sheet.",
            "warning",
            sheet.file,
            sheet.name,
        )


def _table(sheet: Sheet, head: list[tuple[int, list[str]]], header: int) -> Iterator[Table | Problem]:
    number, headings = head[header]
    sample = [[words.plain(cell) for cell in cells] for _, cells in head[header + 1 :]]
    columns = plan(headings, sample, sheet.file)
    found = [
        *_lacks(sheet, number, columns),
        *doubts(sheet, number, columns, sample),
        *_hidden(sheet, number, columns),
        *_colours(sheet, number),
    ]
    yield from found
    if not any(problem.is_error for problem in found):
        yield Table(sheet, number, columns)


def _lacks(sheet: Sheet, number: int, columns: Columns) -> Iterator[Problem]:
    """What the sheet, whose header is row `number`, must say in its headings and does not."""
    for what, headings in columns.missing:
        yield Problem(
            f"There is no column for {what} in the header row, which holds {_named(columns.headings)}",
            f"Add the column, or correct its heading: {headings} would be understood.",
            file=sheet.file,
            sheet=sheet.name,
            row=number,
        )
    if columns.kind_unknown:
        yield Problem(
            "It is not clear whether the sheet holds missions or organisations",
            "Call the column Mission or Organisation, or add a column 'Party kind'.",
            file=sheet.file,
            sheet=sheet.name,
            row=number,
        )


def _hidden(sheet: Sheet, header: int, columns: Columns) -> Iterator[Problem]:
    """A warning for each hidden column that is read: whoever looks the sheet over does not see what it says."""
    for column in sorted(sheet.hidden_columns & columns.fields.keys()):
        heading, cell = columns.headings[column], f"{letters(column)}{header}"
        problem, fix = "The column is hidden; it was read all the same", "Show it and look it over, or delete it."
        yield Problem(problem, fix, "warning", sheet.file, sheet.name, cell, header, heading)


def _colours(sheet: Sheet, header: int) -> Iterator[Problem]:
    """One warning for the rows below row `header` that stand out by their colour."""
    rows = [row for row in sheet.coloured if row > header]
    if rows:
        named = ", ".join(map(str, rows[:_SHOWN_ROWS])) + (" and more" if len(rows) > _SHOWN_ROWS else "")
        problem = f"{f'Rows {named} are' if len(rows) > 1 else f'Row {named} is'} coloured, and colour is not read"
        fix = "Write what it means into a column, as 'do not contact' or 'left' into Status."
        yield Problem(problem, fix, "warning", sheet.file, sheet.name, row=rows[0])


def _named(headings: Sequence[str]) -> str:
    """The first few of the headings, in quotation marks."""
    filled = [f"“{heading}”" for heading in headings if heading]
    more = f" and {len(filled) - _SHOWN_HEADINGS} more" if len(filled) > _SHOWN_HEADINGS else ""
    return ", ".join(filled[:_SHOWN_HEADINGS]) + more
