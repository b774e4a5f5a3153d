"""Workbooks (.xlsx, .xlsm, .xls, .ods): their sheets as rows of text, by calamine, once their parts are known safe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.contacts.parts import SAVE_AGAIN, Findings, inspect, protected
from mailer.contacts.rows import MAX_COLUMNS, Sheet, named_rows, refusal
from mailer.errors import Problem

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_COMMON = frozenset({".xlsx", ".xlsm"})
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")


def tables(path: Path, head: bytes) -> Iterator[Sheet]:
    """The sheets of the workbook `path`, whose first octets are `head`; see `rows.sheets`."""
    from python_calamine import CalamineError, PasswordError, SheetTypeEnum, SheetVisibleEnum, load_workbook

    _check_kind(path, head)
    findings = inspect(path) if head.startswith(_ZIP) else {}
    blind = [] if head.startswith(_ZIP) else [_unseen(path)]
    try:
        with path.open("rb") as file, load_workbook(file) as book:
            for about in book.sheets_metadata:
                if about.typ is SheetTypeEnum.WorkSheet:
                    hidden = about.visible is not SheetVisibleEnum.Visible
                    found = findings.get(about.name, Findings())
                    yield _sheet(path, book.get_sheet_by_name(about.name), found, blind, hidden=hidden)
                    blind = []  # said once for the file
    except PasswordError as exc:
        raise protected(path) from exc
    except (CalamineError, OSError) as exc:
        if head.startswith(_OLE) and _ENCRYPTED_PART in path.read_bytes():
            raise protected(path) from exc
        raise refusal(path, f"The workbook is broken ({exc})", SAVE_AGAIN) from exc
    except BaseException as exc:
        # What calamine does not foresee ends in a panic of Rust, whose class is no Exception and cannot be imported.
        if type(exc).__name__ != "PanicException":
            raise
        raise refusal(path, "The workbook is broken", SAVE_AGAIN) from exc


def _check_kind(path: Path, head: bytes) -> None:
    if head.startswith((_ZIP, _OLE)):
        return
    text = head.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if text.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<?xml", b"<style", b"<!--")):
        raise refusal(path, f"The file is a web page that was named {path.suffix}", SAVE_AGAIN)
    if b"\0" not in head and not head.startswith(b"PK"):
        raise refusal(path, f"The file is plain text that was named {path.suffix}", f"Name it .csv. {SAVE_AGAIN}")
    raise refusal(path, "The workbook is broken, or it is none", SAVE_AGAIN)


def _values(path: Path, found: CalamineSheet) -> Iterator[Sequence[object]]:
    """The rows from the first on, each from the sheet's first filled column on.

    pandas reads the kinds that are rare; of the common ones it would take twice the time and memory.
    """
    if path.suffix.lower() in _COMMON:
        yield from found.iter_rows()
        return
    import pandas

    frame = pandas.read_excel(
        path,
        sheet_name=found.name,
        header=None,
        dtype=object,
        keep_default_na=False,
        na_filter=False,
        engine="calamine",
    )
    left = found.start[1] if found.start else 0
    for row in frame.itertuples(index=False, name=None):
        yield row[left:]


def _unseen(path: Path) -> Problem:
    problem = "Error values, and formulas that were never calculated, cannot be seen in this old format"
    return Problem(problem, "Save it as .xlsx; else such cells are read as empty.", "warning", path.name)


def _sheet(path: Path, found: CalamineSheet, findings: Findings, doubts: list[Problem], *, hidden: bool) -> Sheet:
    left = found.start[1] if found.start else 0
    if found.width + left > MAX_COLUMNS:
        raise refusal(
            path, f"Sheet {found.name} is wider than {MAX_COLUMNS} columns", "Delete the columns beyond the list."
        )
    margin = [""] * left

    def rows() -> Iterator[tuple[int, list[str]]]:
        for number, cells in enumerate(_values(path, found), start=1):
            row = [cell if isinstance(cell, str) else as_text(cell) for cell in cells]
            if any(row) or (number in faulty):
                yield number, margin + row if left else row

    faulty = {row for row, _ in findings.faults}
    problems = list(doubts)
    if hidden:
        problems.append(
            Problem(
                "The sheet is hidden; it was read all the same",
                "Delete it if it is out of use.",
                "warning",
                path.name,
                found.name,
            )
        )
    if findings.hidden_rows:
        problems.append(
            Problem(
                f"Rows are hidden or filtered out ({named_rows(findings.hidden_rows)}); they were read all the same",
                "Delete them, or write 'do not contact' or 'left' into their Status.",
                "warning",
                path.name,
                found.name,
                row=findings.hidden_rows[0],
            )
        )
    coloured, hidden_columns = tuple(findings.coloured_rows), findings.hidden_columns
    return Sheet(path.name, found.name, rows, findings.faults, tuple(problems), coloured, hidden_columns)


def as_text(value: object) -> str:
    """A cell's value as the person who typed it reads it; dates and times as ISO."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()  # workbooks keep a date as its midnight
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
