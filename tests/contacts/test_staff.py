"""Workbooks for staff: the shipped examples, empty ones, and copies with the problems as comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from mailer.contacts import annotate, write_workbook
from mailer.model import PartyKind, Rule, Standing

SHIPPED = Path(__file__).parents[2] / "contacts"
TRAPS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1", "{{ 7*7 }}", "<script>", "00123", "1-2", "NA", "TRUE"]


# --- the shipped examples ---------------------------------------------------------------------------------------------


def test_the_shipped_lists_are_in_order(understand) -> None:
    """The examples have no error, and no warning but for the two addresses that one cell holds on purpose."""
    found = understand(SHIPPED)
    assert not found.errors
    assert all("in copy" in warning.problem for warning in found.warnings)
    assert len({warning.file for warning in found.warnings}) == len(found.warnings) == 2


def test_the_shipped_lists_show_every_case(understand) -> None:
    """Ranks, languages, rules, standings, mailboxes, copies and own columns all occur, on example.org alone."""
    contacts = understand(SHIPPED).contacts
    missions = [c for c in contacts if c.party.kind is PartyKind.MISSION]
    assert len(missions) >= 12
    assert len(contacts) - len(missions) >= 12
    assert {"en", "fr", "es", "ar"} <= {c.language for c in contacts}
    assert {"Ambassador", "Colonel", "Counsellor"} <= {c.rank for c in missions}
    assert any("Chargé" in c.position for c in missions)
    assert any("Expert" in c.position for c in missions)
    assert set(Standing) == {c.status for c in contacts}
    assert Rule.PERSONAL in {c.rule for c in contacts}
    for kind in PartyKind:
        assert any(c.is_mailbox for c in contacts if c.party.kind is kind)
    assert any(c.cc for c in contacts)
    assert any(c.salutation for c in contacts)
    assert all(c.extra for c in contacts)
    assert all(c.address.domain.endswith("example.org") for c in contacts)


@pytest.mark.parametrize("name", ["missions.xlsx", "organisations.xlsx"])
def test_the_shipped_workbooks_are_made_for_staff(name: str) -> None:
    """Header notes, drop-downs, a frozen header and wide columns; the page of instructions is no list."""
    sheet = load_workbook(SHIPPED / name).worksheets[0]
    assert sheet.freeze_panes
    assert all(cell.comment and cell.font.bold for cell in sheet[1])
    lists = {rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert any("do not contact" in str(choices) for choices in lists)
    assert any("transferable" in str(choices) for choices in lists)
    assert any("French" in str(choices) for choices in lists)
    assert min(column.width for column in sheet.column_dimensions.values()) > 10


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(PartyKind))
def test_an_empty_workbook_is_an_empty_list(tmp_path, understand, kind: PartyKind) -> None:
    """A new workbook has its header and nobody in it, which is no problem."""
    path = tmp_path / "new" / "list.xlsx"
    write_workbook(path, kind)
    found = understand(path)
    assert (found.contacts, found.errors, found.warnings) == ([], [], [])


@pytest.mark.parametrize("text", TRAPS)
def test_what_is_written_is_read_back_as_text(tmp_path, understand, text: str) -> None:
    """No value becomes a formula, a number or a date."""
    path = tmp_path / "list.xlsx"
    write_workbook(
        path, PartyKind.ORGANISATION, [{"Organisation": "Sample Trust", "Email": "a@example.org", text: text}]
    )
    sheet = load_workbook(path).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert text in [cell.value for cell in sheet[2]]
    assert text in understand(path).only.extra.values()


# --- annotated copies -------------------------------------------------------------------------------------------------


def test_problems_become_comments(tmp_path, xlsx, understand) -> None:
    """Each problem stands as a comment at its cell in the copy, and the source is not touched."""
    path = xlsx(List=[["Mission", "Name", "Email"], ["Chile", "TBC", "ana@"], ["Peru", "Luz", "=1"]])
    before = path.read_bytes()
    found = understand(path)
    copy = tmp_path / "out" / "missions.xlsx"
    annotate(path, found.errors + found.warnings, copy)
    assert path.read_bytes() == before
    sheet = load_workbook(copy)["List"]
    comments = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert set(comments) == {"B2", "C2", "C3"}
    assert comments["B2"].startswith("Error: 'TBC' is not a name")


def annotated(path: Path, understand) -> Worksheet:
    """The first sheet of the copy."""
    copy = path.with_name("copy.xlsx")
    annotate(path, understand(path).errors, copy)
    sheet = load_workbook(copy).worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


def test_text_files_are_annotated_as_workbooks(tmp_path, understand) -> None:
    """A text file's copy is a workbook of its rows at their places, and a formula in it stays text."""
    path = tmp_path / "missions [1].csv"
    path.write_text("\nMission,Notes,Email\nChile,=1+1,ana@\n")
    sheet = annotated(path, understand)
    assert (sheet["B3"].value, sheet["B3"].data_type) == ("=1+1", "s")
    assert sheet["C3"].comment is not None


def test_signs_that_no_workbook_holds_break_no_copy(tmp_path, understand) -> None:
    """Neither in a cell nor in a comment that repeats a heading."""
    path = tmp_path / "missions.csv"
    path.write_text("Host\x1b,Em\uffffail\nChile,ana\ufffe@example.org\n")
    sheet = annotated(path, understand)
    assert (sheet["A1"].value, sheet["B1"].value, sheet["B2"].value) == ("Host?", "Em?ail", "ana?@example.org")
    assert "“Host?”" in sheet["A1"].comment.text


def test_problems_without_a_cell_stand_at_their_row_or_the_top(xlsx, understand) -> None:
    """A missing column is a comment at its header row; a problem in a merged area stands at its first cell."""
    path = xlsx(List=[["Title", None], ["Mission", "Name"], ["Chile", "Ana"]])
    assert annotated(path, understand)["A2"].comment is not None
