"""Workbooks for staff: the shipped examples, and copies with the problems as comments."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from mailer.contacts import annotate, cells
from mailer.model import PartyKind, Rule, Standing
from tests.contacts.conftest import SHIPPED, drop_downs

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
    """Header notes, a frozen header and wide columns; the page of instructions is no list."""
    sheet = load_workbook(SHIPPED / name).worksheets[0]
    assert sheet.freeze_panes
    assert all(cell.comment and cell.font.bold for cell in sheet[1])
    assert min(column.width for column in sheet.column_dimensions.values()) > 10


@pytest.mark.parametrize("name", ["missions.xlsx", "organisations.xlsx"])
def test_the_drop_downs_offer_what_is_understood(name: str) -> None:
    """All rules and standings that there are, and only languages that are known."""
    offered = drop_downs(name)
    assert [cells.rule(word) for word in offered["Rule"]] == list(Rule)
    assert [cells.standing(word) for word in offered["Status"]] == list(Standing)
    assert [cells.language(word) for word in offered["Language"]] == ["en", "fr", "es", "ar"]


@pytest.mark.parametrize("name", ["missions.xlsx", "organisations.xlsx"])
def test_a_list_without_its_sample_rows_is_an_empty_list(tmp_path, understand, name: str) -> None:
    """The header and nobody below it is no problem, nor is the page of instructions."""
    book = load_workbook(SHIPPED / name)
    book.worksheets[0].delete_rows(2, book.worksheets[0].max_row)
    book.save(tmp_path / name)
    found = understand(tmp_path / name)
    assert (found.contacts, found.errors, found.warnings) == ([], [], [])


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
