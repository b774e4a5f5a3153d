"""The one table of an export file: found by its headings, or refused with the reason and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from mailer.answers.formats import NAMED, Format, Header, is_attendance_report, recognise, row_with
from mailer.answers.questions import NAMEABLE
from mailer.contacts.cells import key, plain
from mailer.contacts.headings import SEARCHED_ROWS
from mailer.contacts.rows import Sheet, letters, refusal, sheets
from mailer.errors import InputRefused, Problem, UsageError

Rows = Sequence[tuple[int, Sequence[str]]]

_EMPTY = "--"  # how Zoom writes an empty cell
_COLUMNS_OPTION = (
    'Say which column holds what: --columns email="E-mail",name="Name",attendance="Coming" '
    f"(any of {', '.join(NAMEABLE)})."
)


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of an export as plain text below its headings; each has at least as many cells as there are headings.

    A heading of a question with choices in columns of their own is "Question [Choice]". Row numbers are those that a
    spreadsheet shows. `problems` are warnings about the file.
    """

    file: str
    sheet: str | None
    format: Format
    headings: tuple[str, ...]
    rows: Rows
    problems: tuple[Problem, ...] = ()

    def problem(self, row: int, column: int, value: str, problem: str, fix: str) -> Problem:
        """The error at one cell, which holds `value`."""
        cell = f"{letters(column)}{row}"
        return Problem(problem, fix, "error", self.file, self.sheet, cell, row, self.headings[column], value)

    def warning(self, problem: str, fix: str, *, row: int | None = None, column: str | None = None) -> Problem:
        """A warning about the table, one row of it, or the column under a heading."""
        return Problem(problem, fix, "warning", self.file, self.sheet, row=row, column=column)

    def refusal(self, problem: str, fix: str, column: str | None = None) -> InputRefused:
        """The exception that says why the table as a whole is not imported."""
        return InputRefused([Problem(problem, fix, file=self.file, sheet=self.sheet, column=column)])


def table(path: Path, named: Mapping[str, str]) -> Table:
    """The table of answers in the file `path`; `named` are the headings that the user gave (see `questions.plan`).

    Raises InputRefused where the file is open elsewhere, cannot be read, is empty, reports who came, is no export that
    is known while nothing is named, or lacks what is named; UsageError where a name means nothing.
    """
    if unknown := [name for name in named if name not in NAMEABLE]:
        raise UsageError(f"--columns cannot name {', '.join(unknown)}: it knows {', '.join(NAMEABLE)}")
    _refuse_open(path)
    wanted = [heading for heading in named.values() if heading]
    seen: list[Rows] = []
    found: Table | None = None
    others: list[str] = []
    for sheet in sheets(path):
        top = [(number, [plain(cell) for cell in cells]) for number, cells in islice(sheet.rows(), SEARCHED_ROWS)]
        if not top:
            continue
        if is_attendance_report(top):
            raise refusal(
                path,
                "This is an attendance report: it says who came, not who answered",
                "Export the registration report and import that.",
            )
        seen.append(top)
        header = _header(top, wanted)
        if found or not header:
            others.append(sheet.name or "")
        else:
            found = _table(sheet, header)
    if not found:
        raise _unknown(path, seen, wanted)
    if not found.rows:
        raise refusal(path, f"The file ({found.format.tool}) holds headings but no answer", "Export it again later.")
    if others:
        warning = found.warning(
            f"Only the sheet {found.sheet} was read, not {quoted(others)}", "Save other answers in files of their own."
        )
        return replace(found, problems=(*found.problems, warning))
    return found


def _refuse_open(path: Path) -> None:
    """Refuse a file that Excel or LibreOffice still holds: what stands in it may not be what its owner sees."""
    if path.name.startswith("~$"):
        raise refusal(path, "This is only the mark of a workbook that is open in Excel", "Name the workbook itself.")
    for mark in (f"~${path.name}", f".~lock.{path.name}#"):
        if path.with_name(mark).exists():
            raise refusal(
                path,
                "The file is still open in Excel or LibreOffice",
                f"Save and close it there; if it is closed everywhere, delete {mark} beside it.",
            )
    try:
        if path.is_file():  # a pipe would wait for whoever writes to it
            path.open("rb").close()
    except PermissionError as exc:
        raise refusal(
            path,
            "The file cannot be opened: it is locked or may not be read",
            "Close it in Excel, or ask for the right to read it.",
        ) from exc
    except OSError:
        return  # told by the reader of rows


def _header(top: Rows, wanted: Sequence[str]) -> Header | None:
    header = recognise(top)
    if not wanted:
        return header
    if header and row_with(wanted, top[header.index : header.index + 1]) == 0:
        return header
    index = row_with(wanted, top)
    return None if index is None else Header(NAMED, index)


def _table(sheet: Sheet, header: Header) -> Table:
    rows = [(number, [plain(cell) for cell in cells]) for number, cells in sheet.rows()]
    _, first = rows[header.index]
    headings, below = list(first), header.index + 1
    if header.format.choices_below and below < len(rows) and not rows[below][1][0]:
        headings, below = _with_choices(first, rows[below][1]), below + 1
    width = max((len(cells) for _, cells in rows[below:]), default=0)
    headings += [""] * (width - len(headings))
    codes = {_EMPTY: "", **header.format.codes}
    body = [
        (number, [codes.get(cell, cell) for cell in cells] + [""] * (len(headings) - len(cells)))
        for number, cells in rows[below:]
        if any(cells) and cells != first  # two exports put together repeat their headings
    ]
    return Table(sheet.file, sheet.name, header.format, tuple(headings), body, sheet.problems)


def _with_choices(questions: Sequence[str], choices: Sequence[str]) -> list[str]:
    """One heading a column out of two rows of them: a question reaches to the right as far as choices stand below."""
    headings = []
    question = ""
    for column in range(max(len(questions), len(choices))):
        above = questions[column] if column < len(questions) else ""
        choice = choices[column] if column < len(choices) else ""
        question = above or (question if choice else "")
        headings.append(f"{question} [{choice}]" if choice and key(choice) not in _NO_CHOICES else question)
    return headings


_NO_CHOICES = frozenset({"response", "openendedresponse", "reponse", "respuesta"})


def _unknown(path: Path, seen: Sequence[Rows], wanted: Sequence[str]) -> Exception:
    if not seen:
        return refusal(path, "There is nothing in the file", "Export it again.")
    widest = max((cells for rows in seen for _, cells in rows), key=lambda cells: sum(map(bool, cells)))
    headings = quoted(widest)
    if wanted:
        return refusal(
            path,
            f"No row has all the headings that --columns names ({', '.join(wanted)})",
            f"The headings in the file seem to be {headings}.",
        )
    return refusal(
        path, f"This is no export of a tool that is known; its headings seem to be {headings}", _COLUMNS_OPTION
    )


def quoted(headings: Iterable[str]) -> str:
    """Headings as a message shows them."""
    return ", ".join(f"“{heading}”" for heading in headings if heading)
