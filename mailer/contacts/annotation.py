"""Copies of workbooks in which each problem is a comment at its cell, for staff to mend the original by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from mailer.contacts.rows import letters, refusal, sheets
from mailer.errors import Problem

_AUTHOR = "mailer"
# What no XML can hold, and so no workbook.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FILLS = {"error": PatternFill("solid", fgColor="F8CBAD"), "warning": PatternFill("solid", fgColor="FFE699")}


def annotate(path: Path, problems: Iterable[Problem], to: Path) -> None:
    """See `mailer.contacts.annotate`."""
    book = _copy(path)
    if not book.worksheets:
        raise refusal(path, "The workbook cannot be copied (no sheet in it is whole)", "Save it again as .xlsx.")
    remarks: dict[tuple[str | None, str], list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.file == path.name:
            cell = problem.cell or (f"A{problem.row}" if problem.row else "A1")
            remarks[problem.sheet, cell].append(problem)
    for (name, cell), found in remarks.items():
        sheet = book[name] if name in book.sheetnames else book.worksheets[0]
        if isinstance(sheet, Worksheet):
            _remark(sheet, cell, found)
    to.parent.mkdir(parents=True, exist_ok=True)
    book.save(to)


def _remark(sheet: Worksheet, place: str, found: list[Problem]) -> None:
    for area in sheet.merged_cells.ranges:
        if place in area:
            place = area.start_cell.coordinate  # the others of a merged area can hold no comment
    cell = sheet[place]
    text = "\n\n".join(f"{problem.severity.capitalize()}: {problem.sentence}. {problem.fix}" for problem in found)
    if cell.comment:
        text = f"{cell.comment.text}\n\n{text}"
    cell.comment = Comment(_writable(text), _AUTHOR, height=40 + 20 * (len(text) // 40 + 2), width=320)
    cell.fill = _FILLS["error" if any(problem.is_error for problem in found) else "warning"]


def _copy(path: Path) -> Workbook:
    """The workbook with its looks where openpyxl reads it, else a new one with its rows as text."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        try:
            return load_workbook(path, keep_vba=path.suffix.lower() == ".xlsm")
        except Exception as exc:  # openpyxl raises what its parsers raise
            raise refusal(path, f"The workbook cannot be copied ({exc})", "Save it again as .xlsx.") from exc
    book = Workbook()
    del book[book.sheetnames[0]]
    for found in sheets(path):
        sheet = book.create_sheet((found.name or "Rows")[:31])
        for number, cells in found.rows():
            for column, text in enumerate(cells):
                if text:
                    _write_text(sheet, f"{letters(column)}{number}", text)
    return book


def _write_text(sheet: Worksheet, place: str, text: str) -> None:
    """Put `text` into a cell as text, whatever it begins with; control characters, which no cell can hold, as `?`."""
    cell = sheet[place]
    cell.value = _writable(text)
    cell.data_type = "s"
    cell.number_format = "@"


def _writable(text: str) -> str:
    return _NOT_IN_XML.sub("?", text)[:32_767]
