"""The rows of any table that staff or a form tool saved, as text: workbooks, comma- and tab-separated files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mailer.errors import InputRefused, Problem

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
TEXTS = frozenset({".csv", ".tsv"})
READABLE = WORKBOOKS | TEXTS

MAX_WORKBOOK_OCTETS = 100 * 2**20
MAX_TEXT_OCTETS = 2 * 2**30
MAX_ROWS = 1_048_576  # what a spreadsheet can show
MAX_COLUMNS = 200

_NAMED_ROWS = 5  # in a message


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `rows()` starts anew at each call and gives (row number, cells), the number as a spreadsheet shows it.

    Cells are text: whole numbers without a point ("5"), dates as ISO, booleans as "yes" and "no", "NA" as "NA". Blank
    rows are left out, trailing empty cells may be. `faults` tells for (row, 0-based column) why a cell that seems
    empty is not: an error value, or a formula without a value. Old `.xls` workbooks do not tell, so there such cells
    are just empty. `problems` are warnings about the sheet as a whole: a doubtful encoding, hidden rows. `coloured` are
    the first of the rows that stand out by the colour of their cells, which .xlsx and .xlsm alone tell;
    `hidden_columns` are 0-based, and none in .xls.
    """

    file: str
    name: str | None
    rows: Callable[[], Iterator[tuple[int, list[str]]]]
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    coloured: tuple[int, ...] = ()
    hidden_columns: frozenset[int] = frozenset()


def sheets(path: Path) -> Iterator[Sheet]:
    """The tables in `path`, hidden ones too, in the file's order.

    Text files are streamed; of a workbook one sheet at a time is in memory. Raises InputRefused, with one problem that
    has no cell, where the file cannot be read: missing, protected, broken, too large, not what its name says. A text
    file may also raise it while its rows are read (a quotation mark that is never closed).
    """
    suffix = path.suffix.lower()
    try:
        size = path.stat().st_size
        if not (path.is_file() or path.is_dir()):  # opening a pipe waits for whoever writes to it
            raise refusal(path, "It is a pipe or a device, and no file", "Save what it gives, and name that file.")
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as exc:
        raise refusal(
            path, f"The file cannot be opened ({exc.strerror})", "Check that it is there and may be read."
        ) from exc
    if not size:
        raise refusal(path, "The file is empty", "Save the list into it again, or remove it from the folder.")
    if suffix in TEXTS:
        if size > MAX_TEXT_OCTETS:
            raise refusal(path, "The file is larger than 2 GB", "Split it into several files.")
        from mailer.contacts.text import table

        yield table(path)
    elif suffix in WORKBOOKS:
        if size > MAX_WORKBOOK_OCTETS:
            raise refusal(
                path, "The workbook is larger than 100 MB", "Remove pictures, or split it, or save it as .csv."
            )
        from mailer.contacts.workbook import tables

        yield from tables(path, head)
    else:
        raise refusal(path, "This kind of file is not read", f"Save it as one of {', '.join(sorted(READABLE))}.")


def refusal(path: Path, problem: str, fix: str) -> InputRefused:
    """The exception that says why nothing in `path` can be read."""
    return InputRefused([Problem(problem, fix, file=path.name)])


def letters(column: int) -> str:
    """The name of the 0-based `column` as spreadsheets show it: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def named_rows(rows: Sequence[int]) -> str:
    """`row 4`, or `rows 4, 7 and 9`, the first few of many."""
    if len(rows) == 1:
        return f"row {rows[0]}"
    first = [str(row) for row in rows[:_NAMED_ROWS]]
    last = f"{len(rows) - _NAMED_ROWS} more" if len(rows) > _NAMED_ROWS else first.pop()
    return f"rows {', '.join(first)} and {last}"
