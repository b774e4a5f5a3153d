"""What a zipped workbook holds beside its values: whether it is safe, cells in error, rows hidden or coloured.

calamine gives an empty cell for an error value and for a formula that was never calculated, and it lays a sheet out in
memory as one rectangle; so each part is read here first. `zipfile` stops at the size that the directory promises and
checks the CRC, hence a directory that lies is found before anything is unpacked in earnest.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from mailer.contacts.colours import Colours, coloured_styles
from mailer.contacts.rows import MAX_COLUMNS, letters, refusal
from mailer.errors import InputRefused

MAX_UNPACKED_OCTETS = 2**30
MAX_RATIO = 200  # unpacked to packed, for parts above 10 MB; office software reaches about 20
MAX_CELLS = 30_000_000  # of the rectangle from A1 to the last filled cell
_BLOCK = 4 * 2**20

SAVE_AGAIN = "Open it in Excel or LibreOffice and save it again as .xlsx."
ERROR = "is the error value {}"
NOT_CALCULATED = "is a formula that was never calculated, so it has no value"

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ET.ParseError, KeyError, RuntimeError, ValueError)

# Only filled cells: one that carries nothing but a style ends in "/>".
_FILLED_CELL = re.compile(rb'r="([A-Z]+)([0-9]+)"[^>/]*>')
_FAR = re.compile(rb'r="[A-Z](?:[A-Z]|[0-9]{7})')
_COUNT = re.compile(rb"""[cC]ount\s*=\s*["']([0-9]{5,})""")
_LOOSE = re.compile(rb"""\s*=\s*["']([^"'<>]*)["']""")
_FILLED_ROW = re.compile(rb'row\b[^>]*?\br="([0-9]+)"[^>/]*>')
_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]* hidden="(?:1|true)")[^>]*? r="([0-9]+)"[^>/]*>')
_COLUMNS = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_FIRST, _LAST = re.compile(rb' min="([0-9]+)"'), re.compile(rb' max="([0-9]+)"')
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?: [^>]*)?>([^<]+)<")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE_TYPE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"
_SHOWN_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"


@dataclass(slots=True)
class Findings:
    """Of one sheet: why a cell (row, 0-based column) seems empty, hidden rows that hold something, the last cell.

    `coloured_rows` are the first that stand out by the colour of their cells, in Office Open XML alone;
    `hidden_columns` are 0-based.
    """

    faults: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: frozenset[int] = frozenset()
    coloured_rows: list[int] = field(default_factory=list)
    last_row: int = 0
    last_column: int = 0


def inspect(path: Path) -> dict[str, Findings]:
    """The findings in each sheet of the zipped workbook `path`, by its name. Raises InputRefused if it is unsafe."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            names = set(archive.namelist())
            if "content.xml" in names:
                found = _inspect_ods(path, archive)
            elif "xl/workbook.xml" in names:
                found = _inspect_xlsx(archive)
            else:
                raise refusal(path, f"The file is an archive, not a {path.suffix} workbook", "Save the list as .xlsx.")
    except _BROKEN as exc:
        raise refusal(path, f"The workbook is broken ({exc})", SAVE_AGAIN) from exc
    for name, sheet in found.items():
        _check_extent(path, name, sheet)
    return found


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise protected(path)
    bombs = [p for p in parts if p.file_size > 10 * 2**20 and p.file_size > MAX_RATIO * max(p.compress_size, 1)]
    if bombs or sum(part.file_size for part in parts) > MAX_UNPACKED_OCTETS:
        raise refusal(
            path,
            "The workbook unpacks to more than 1 GB, or to far more than a list can",
            "Copy the list into a new workbook, or save it as .csv.",
        )


def _check_extent(path: Path, name: str, sheet: Findings) -> None:
    if sheet.last_column > MAX_COLUMNS:
        problem = (
            f"Sheet {name} is filled as far as column {letters(sheet.last_column - 1)}, beyond {MAX_COLUMNS} columns"
        )
        raise refusal(path, problem, "Delete the columns beyond the list.")
    if sheet.last_row * sheet.last_column > MAX_CELLS:
        problem = f"Sheet {name} is filled as far as row {sheet.last_row:,}: too many cells"
        raise refusal(path, problem, "Delete the rows and columns beyond the list, or save it as .csv.")


def protected(path: Path) -> InputRefused:
    """The exception for a workbook that only a password opens."""
    return refusal(path, "The workbook is protected by a password", "Remove the password and save it again.")


# --- Office Open XML --------------------------------------------------------------------------------------------------


def _inspect_xlsx(archive: zipfile.ZipFile) -> dict[str, Findings]:
    sheets = dict(_sheet_parts(archive))
    for name in archive.namelist():
        if name.endswith((".xml", ".rels")) and name not in sheets.values():
            _check_part(archive, name)
    styles = _styles(archive)
    return {name: _inspect_sheet(archive, part, styles) for name, part in sheets.items()}


def _styles(archive: zipfile.ZipFile) -> dict[bytes, str]:
    """The coloured styles; none where the part that tells of them cannot be read, for no value depends on it."""
    try:
        return coloured_styles(_small(archive, "xl/styles.xml"))
    except (KeyError, ValueError, ET.ParseError):
        return {}


def _check_part(archive: zipfile.ZipFile, name: str) -> None:
    """Reads the part to its end, so that its CRC is checked; calamine makes room for as many as its counts promise."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as part:
        while block := part.read(_BLOCK):
            if any(int(count) > size for count in _COUNT.findall(block)):
                raise ValueError(f"{name} promises more than it holds")


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    relations = {
        relation.get("Id"): relation.get("Target", "").removeprefix("/xl/").removeprefix("xl/")
        for relation in _small(archive, "xl/_rels/workbook.xml.rels")
    }
    for element in _small(archive, "xl/workbook.xml").iter():
        if element.tag.endswith("}sheet"):
            target = relations.get(element.get(_RELATION) or element.get(_STRICT_RELATION))
            if target and target.startswith("worksheets/"):
                yield element.get("name", ""), f"xl/{target}"


def _small(archive: zipfile.ZipFile, name: str) -> ET.Element:
    if archive.getinfo(name).file_size > 10 * 2**20:
        raise ValueError(f"{name} is too large")
    octets = archive.read(name)
    if b"<!DOCTYPE" in octets:
        raise ValueError(f"{name} declares a document type")
    return ET.fromstring(octets)  # noqa: S314


def _inspect_sheet(archive: zipfile.ZipFile, part: str, styles: Mapping[bytes, str]) -> Findings:
    colours = Colours(styles) if styles else None
    found = Findings(last_column=26)  # a bound that most sheets keep, so that the columns need not be counted
    with archive.open(part) as file:
        for number, block in enumerate(_whole_rows(file)):
            if number == 0:
                found.hidden_columns = frozenset(_hidden_columns(block.partition(b"sheetData")[0]))
            found.last_row = max(found.last_row, _last_filled_row(block))
            if _FAR.search(block):
                for column, row in _FILLED_CELL.findall(block):
                    found.last_column = max(found.last_column, _number(column))
                    found.last_row = max(found.last_row, int(row))
            if b" hidden=" in block:
                found.hidden_rows += map(int, _HIDDEN_ROW.findall(block))
            if b't="e"' in block or b"<f" in block or (b"<row " not in block and b":f" in block):
                found.faults.update(_faults(block))
            if colours:
                colours.see(block)
    if colours:
        found.coloured_rows = colours.rows(found.last_row)
    return found


def _whole_rows(file: IO[bytes]) -> Iterator[bytes]:
    """The part in blocks that end between two rows."""
    rest = b""
    while block := file.read(_BLOCK):
        rest += block
        cut = max(rest.rfind(b"<row "), rest.rfind(b"<", 0, max(rest.rfind(b":row "), 0)))
        if cut > 0:
            yield _tight(rest[:cut])
            rest = rest[cut:]
    yield _tight(rest)


def _tight(block: bytes) -> bytes:
    """The block with its attributes written as office software writes them, without blanks and in double quotes."""
    if b"='" in block or b"= " in block or b" =" in block:
        return _LOOSE.sub(rb'="\1"', block)
    return block


def _hidden_columns(head: bytes) -> Iterator[int]:
    for column in _COLUMNS.findall(head):
        first, last = _FIRST.search(column), _LAST.search(column)
        if first and last and (b' hidden="1"' in column or b' hidden="true"' in column):
            yield from range(int(first[1]) - 1, min(int(last[1]), MAX_COLUMNS))


def _last_filled_row(block: bytes) -> int:
    end = len(block)
    while (end := block.rfind(b"row", 0, end)) >= 0:
        if row := _FILLED_ROW.match(block, end):
            return int(row[1])
    return 0


def _faults(block: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for attributes, content in _CELL.findall(block):
        reference = _REFERENCE.search(attributes)
        if not reference:
            continue
        value = _VALUE.search(content)
        if b't="e"' in attributes:
            why = ERROR.format(value[1].decode("utf-8", "replace") if value else "#N/A")
        # A formula whose result is the empty text has no value either, but says that it is text.
        elif not value and b't="str"' not in attributes and _FORMULA.search(content):
            why = NOT_CALCULATED
        else:
            continue
        yield (int(reference[2]), _number(reference[1]) - 1), why


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


# --- OpenDocument -----------------------------------------------------------------------------------------------------


def _inspect_ods(path: Path, archive: zipfile.ZipFile) -> dict[str, Findings]:
    if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise protected(path)
    with archive.open("content.xml") as file:
        if b"<!DOCTYPE" in file.read(4096):
            raise ValueError("content.xml declares a document type")
    sheets: dict[str, Findings] = {}
    found = Findings()
    row = column = 0
    with archive.open("content.xml") as file:
        table: ET.Element | None = None
        for event, element in ET.iterparse(file, ("start", "end")):  # noqa: S314
            if event == "start" and element.tag == f"{_TABLE}table":
                table, row, column, found = element, 0, 0, Findings()
                sheets[element.get(f"{_TABLE}name", "")] = found
            elif event == "end" and element.tag == f"{_TABLE}table-column":
                column = _inspect_column(found, element, column)
            elif event == "end" and element.tag == f"{_TABLE}table-row":
                row = _inspect_row(found, element, row)
                if table is not None:
                    table.clear()  # else the whole file would be held
    return sheets


def _inspect_column(found: Findings, element: ET.Element, before: int) -> int:
    """Notes the columns that follow the first `before` if they are hidden; how many there are with them."""
    after = before + int(element.get(f"{_TABLE}number-columns-repeated", "1"))
    if element.get(f"{_TABLE}visibility", "visible") != "visible":
        found.hidden_columns |= frozenset(range(before, min(after, MAX_COLUMNS)))
    return after


def _inspect_row(found: Findings, element: ET.Element, before: int) -> int:
    """Notes what the row holds that follows row `before`; the number of the last row it stands for."""
    last = before + int(element.get(f"{_TABLE}number-rows-repeated", "1"))
    column = 0
    for cell in element:
        if not cell.tag.startswith((f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")):
            continue
        width = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        filled = cell.get(_OFFICE_TYPE) is not None
        if cell.get(_SHOWN_TYPE) == "error":
            found.faults[before + 1, column] = ERROR.format("".join(cell.itertext()) or "#N/A")
        elif cell.get(f"{_TABLE}formula") and not filled:
            found.faults[before + 1, column] = NOT_CALCULATED
        column += width
        if filled:
            found.last_row = last
            found.last_column = max(found.last_column, column)
            if element.get(f"{_TABLE}visibility", "visible") != "visible" and before + 1 not in found.hidden_rows[-1:]:
                found.hidden_rows.append(before + 1)
    return last
