"""The workbook that staff fill in: headings with notes, drop-downs, a frozen header, and a page that explains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from mailer.contacts.annotation import write_text
from mailer.contacts.cells import RULE_WORDS
from mailer.contacts.rows import letters
from mailer.model import PartyKind, Standing

_READY_ROWS = 500  # rows below the last that have drop-downs and text format
_LINE = Side(style="thin", color="BFBFBF")
_HEADER = PatternFill("solid", fgColor="1F3864")
_TO_BE_FILLED = PatternFill("solid", fgColor="7F1D1D")
_WRAPPED = Alignment(wrap_text=True, vertical="top")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of the workbook: width in characters; a list of choices, which `strict` ones alone allow."""

    heading: str
    width: int
    note: str
    choices: tuple[str, ...] = ()
    strict: bool = False
    required: bool = False


_TITLES = ("Mr.", "Ms.", "Mrs.", "Dr.", "H.E. Mr.", "H.E. Ms.", "H.E.", "Colonel")
_LANGUAGES = ("English", "French", "Spanish", "Arabic")
_RANKS = (
    "Ambassador",
    "Minister Plenipotentiary",
    "Minister Counsellor",
    "Counsellor",
    "First Secretary",
    "Second Secretary",
    "Third Secretary",
    "Attaché",
    "Colonel",
)
_PARTIES = {
    PartyKind.MISSION: _Column(
        "Mission", 26, "The state or observer, by its usual English name: Netherlands, Holy See.", required=True
    ),
    PartyKind.ORGANISATION: _Column(
        "Organisation", 34, "The organisation or office, as it is to be printed.", required=True
    ),
}
_COLUMNS = (
    _Column("Title", 17, "Mr., Ms., Dr., H.E. Ms. and so on. Leave it empty if it is not known.", _TITLES),
    _Column("First name", 18, "As the person writes it."),
    _Column("Last name", 20, "As the person writes it; capitals are kept."),
    _Column("Position", 36, "The function: Permanent Representative, Military Adviser, Director."),
    _Column("Rank", 27, "The diplomatic or military rank. It decides the form of address.", _RANKS),
    _Column("Email", 44, "One address. It is written to. A second one in the same cell gets a copy.", required=True),
    _Column("Cc", 34, "Who of the same mission or organisation gets a copy. Several go apart by ;"),
    _Column("Language", 12, "The language of the invitation. Empty: the event's own.", _LANGUAGES),
    _Column(
        "Rule",
        16,
        "Only where it differs from the event's: personal means that nobody else may come instead.",
        RULE_WORDS,
        strict=True,
    ),
    _Column(
        "Status",
        16,
        "Empty or active: is written to. Do not contact: never. Left: has left the post.",
        tuple(str(standing) for standing in Standing),
        strict=True,
    ),
    _Column("Salutation", 26, 'Only to replace the usual opening line, as "Excellency,".'),
    _Column("Address name", 30, "Only to replace the name as on an envelope."),
    _Column("Attachment", 20, "A file in the event's folder that this contact alone gets."),
    _Column("Notes", 30, "For you. It is not printed unless a template asks for it."),
)


def write_workbook(path: Path, kind: PartyKind, rows: Iterable[Mapping[str, str]] = ()) -> None:
    """See `mailer.contacts.write_workbook`."""
    rows = list(rows)
    usual = (_PARTIES[kind], *(column for column in _COLUMNS if kind is PartyKind.MISSION or column.heading != "Rank"))
    further = dict.fromkeys(heading for row in rows for heading in row) if rows else {}
    known = {column.heading for column in usual}
    columns = usual + tuple(
        _Column(heading, 20, "A column of your own; templates may print it.")
        for heading in further
        if heading not in known
    )
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Missions" if kind is PartyKind.MISSION else "Organisations"
    last = len(rows) + 1 + _READY_ROWS
    for index, column in enumerate(columns):
        _lay_out(sheet, index, column, last)
    for number, row in enumerate(rows, start=2):
        lines = 1
        for index, column in enumerate(columns):
            if text := row.get(column.heading):
                write_text(sheet, f"{letters(index)}{number}", text)
                sheet[f"{letters(index)}{number}"].alignment = _WRAPPED
                lines = max(lines, ceil(len(text) / (column.width - 2)))
        sheet.row_dimensions[number].height = 15 * lines + 3
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{letters(len(columns) - 1)}{len(rows) + 1}"
    _print_on_wide_pages(sheet)
    _explain(book, kind, columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def _lay_out(sheet: Worksheet, index: int, column: _Column, last: int) -> None:
    letter = letters(index)
    cell = sheet[f"{letter}1"]
    cell.value = column.heading
    cell.data_type = "s"
    cell.font = Font(name="Calibri", bold=True, color="FFFFFF")
    cell.fill = _TO_BE_FILLED if column.required else _HEADER
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    cell.border = Border(bottom=_LINE)
    note = column.note + (" Must be filled." if column.required else "")
    cell.comment = Comment(note, "mailer", height=90, width=260)
    sheet.column_dimensions[letter].width = column.width
    # Text throughout: else Excel makes dates of ranks and numbers of names.
    sheet.column_dimensions[letter].number_format = "@"
    if column.choices:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
        rule.showErrorMessage = column.strict
        rule.errorTitle = column.heading
        rule.error = f"Choose one of: {', '.join(column.choices)}; or leave the cell empty."
        rule.add(f"{letter}2:{letter}{last}")
        sheet.add_data_validation(rule)


def _print_on_wide_pages(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _explain(book: Workbook, kind: PartyKind, columns: tuple[_Column, ...]) -> None:
    """The page of instructions; it has no header row, so that the reader passes it over."""
    sheet = book.create_sheet("How to fill in")
    party = "a mission" if kind is PartyKind.MISSION else "an organisation"
    lines = [
        f"One row is one invitation, to a person or to the mailbox of {party}.",
        "The columns with a red heading must be filled. A row without a name is a mailbox.",
        "Columns may be moved, left out or added. Title rows above the header do no harm.",
        "Colours and strike-through are not read: write 'do not contact' or 'left' into Status.",
        "Each address is written to once, even if it stands in several lists.",
    ]
    sheet.column_dimensions["A"].width = 100
    for number, line in enumerate(lines, start=1):
        write_text(sheet, f"A{number}", line)
        sheet[f"A{number}"].alignment = _WRAPPED
    for number, column in enumerate(columns, start=len(lines) + 2):
        write_text(sheet, f"A{number}", f"{column.heading}: {column.note}")
        sheet[f"A{number}"].alignment = _WRAPPED
    _print_on_wide_pages(sheet)
