"""What seems to say who gets a mail, or how, and is not read, is told: nothing of it is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.styles import PatternFill

from mailer.contacts import Layout, read
from mailer.model import Standing
from tests.contacts.conftest import write_csv

ADDRESS = "ana@chile.example.org"


def test_a_sheet_as_staff_keep_it(table) -> None:
    """Headings of a real list are read, and of what stays unread the one that holds addresses is told."""
    found = table(
        ["Country", "Family name", "First name", "Mr/Ms", "Email", "Lang.", "Assistant", "DO NOT INVITE"],
        ["Ghana", "SAMPLE", "Kofi", "H.E. Mr.", "kofi@ghana.example.org", "fr", "pa@ghana.example.org", "x"],
    )
    contact = found.only
    assert (contact.title, contact.language, contact.status) == ("H.E. Mr.", "fr", Standing.DO_NOT_CONTACT)
    warning = found.warning
    assert (warning.cell, warning.column) == ("G1", "Assistant")
    assert "pa@ghana.example.org" in warning.problem
    assert "Cc" in warning.fix


# --- who is not to be written to --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cell", "status"),
    [
        ("DO NOT INVITE", "x", Standing.DO_NOT_CONTACT),
        ("Do not contact", "", Standing.ACTIVE),
        ("Ne pas inviter", "non", Standing.ACTIVE),
        ("Invite? (Y/N)", "N", Standing.DO_NOT_CONTACT),
        ("Invite? (Y/N)", "y", Standing.ACTIVE),
        ("À inviter", "Oui", Standing.ACTIVE),
        ("Invitar (sí/no)", "no", Standing.DO_NOT_CONTACT),
        ("Inviter (O/N)", "O", Standing.ACTIVE),
        ("Inviter (O/N)", "N", Standing.DO_NOT_CONTACT),
        ("Ne pas inviter (O/N)", "o", Standing.DO_NOT_CONTACT),
        ("Invitar (S/N)", "S", Standing.ACTIVE),
        ("No invitar (S/N)", "s", Standing.DO_NOT_CONTACT),
    ],
)
def test_a_yes_means_what_its_heading_asks(table, heading: str, cell: str, status: Standing) -> None:
    """A yes under "Do not invite" keeps somebody from being written to, under "Invite?" a no does."""
    assert table(["Mission", "Email", heading], ["Chile", ADDRESS, cell]).only.status is status


@pytest.mark.parametrize("cell", ["", "x", "do not invite", "later"])
def test_whom_to_invite_is_said_in_so_many_words(table, cell: str) -> None:
    """Under "Invite?" an empty cell, a cross and any other word are an error: they may mean either."""
    error = table(["Mission", "Email", "Invite?"], ["Chile", ADDRESS, cell]).error
    assert (error.cell, error.value or "") == ("C2", cell)


@pytest.mark.parametrize("heading", ["Inviter", "Ne pas inviter", "Invite? (Y/N)", "Invitar (S/N)"])
def test_a_letter_is_a_yes_only_where_the_heading_says_so(table, heading: str) -> None:
    """An O may be a zero that was mistyped, and so a no."""
    assert table(["Mission", "Email", heading], ["Chile", ADDRESS, "O"]).error.cell == "C2"


def test_several_columns_that_forbid_all_count(table) -> None:
    """Whoever is not to be written to by one of them is not, whatever the others say."""
    header = ["Mission", "Email", "Do not contact", "DO NOT INVITE", "Invite?"]
    for cells in (["x", "", "yes"], ["", "x", "yes"], ["", "", "no"]):
        assert table(header, ["Chile", ADDRESS, *cells]).only.status is Standing.DO_NOT_CONTACT
    assert table(header, ["Chile", ADDRESS, "no", "no", "yes"]).only.status is Standing.ACTIVE


def test_of_two_columns_with_titles_the_one_that_is_not_read_is_told(table) -> None:
    """Whose title stands in the other one would be written to without it."""
    rows = ["Chile", "", "Mr", ADDRESS], ["Peru", "Ms", "", "p@example.org"]
    warning = table(["Mission", "Salutation", "Title", "Email"], *rows).warning
    assert warning.problem == "Two columns give titles, and only “Salutation” is read"


def test_a_no_under_invite_holds_wherever_the_address_stands(tmp_path: Path, understand) -> None:
    """Another row with the address, in an earlier file too, is not written to, and it gets no copies."""
    write_csv(
        tmp_path / "a.csv", [("Mission", "Email", "Cc"), ("Chile", ADDRESS, ""), ("Peru", "p@example.org", ADDRESS)]
    )
    write_csv(tmp_path / "b.csv", [("Mission", "Email", "Invite?"), ("Chile", ADDRESS, " No ")])
    found = understand(tmp_path)
    assert [contact.status for contact in found.contacts if contact.address.local == "ana"] == [
        Standing.DO_NOT_CONTACT,
        Standing.DO_NOT_CONTACT,
    ]
    assert [contact.cc for contact in found.contacts if contact.address.local == "p"] == [()]


@pytest.mark.parametrize("heading", ["Do not invite to dinner", "Please never contact him", "Ne plus jamais inviter"])
def test_a_heading_that_forbids_and_is_not_understood_stops_the_sheet(table, heading: str) -> None:
    """Nobody of a sheet is a contact while it may say in words of its own who is not to be written to."""
    found = table(["Mission", "Email", heading], ["Chile", ADDRESS, "see file"], ["Peru", "p@example.org", ""])
    assert found.error.cell == "C1"
    assert not found.contacts


def test_two_columns_of_status_stop_the_sheet(table) -> None:
    """Which of them holds is not guessed."""
    error = table(["Mission", "Email", "Status", "Statut"], ["Chile", ADDRESS, "", "left"]).error
    assert (error.cell, error.column) == ("D1", "Statut")


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Notes", ["came late", "Do not contact"]),
        ("Observaciones", ["no contactar"]),
        ("Estado", ["activo", "no contactar"]),
        ("Remarques", ["Ne plus contacter !"]),
        ("", ["do not invite"]),
    ],
)
def test_words_that_forbid_stop_the_sheet_wherever_they_stand(table, heading: str, cells: list[str]) -> None:
    """Nobody is written to of whom a column that is not read says in so many words that they are not to be."""
    rows = [["Chile", f"ana{number}@example.org", cell] for number, cell in enumerate(cells)]
    found = table(["Mission", "Email", heading], *rows)
    assert (found.error.cell, found.error.column) == ("C1", heading or None)
    assert "Status" in found.error.fix
    assert not found.contacts


def test_words_that_forbid_may_be_said_twice(table) -> None:
    """What Status or "Do not invite" says already may stand in the notes too."""
    header = ["Mission", "Email", "Status", "Do not invite", "Notes"]
    rows = [
        ["Chile", ADDRESS, "do not contact", "", "Do not contact"],
        ["Peru", "p@example.org", "", "x", "do not invite"],
        ["Ghana", "g@example.org", "", "", "do not invite the spouse"],
    ]
    found = table(header, *rows)
    assert not found.errors
    assert [contact.status is Standing.ACTIVE for contact in found.contacts] == [False, False, True]


# --- columns that seem to say something -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "cells", "says"),
    [
        ("Spoken", ["French", "es", ""], "languages ('French', 'es')"),
        ("Writes in", ["ENG", "FRA"], "languages ('ENG', 'FRA')"),
        ("Anrede", ["Mr.", "H.E. Ms."], "titles of address"),
        ("Secretary", ["pa@chile.example.org", "TBC"], "e-mail addresses"),
        ("Bcc", ["Ana <ana@example.org>"], "e-mail addresses"),
        ("Not this year", ["x", ""], "yes or no ('x')"),
        ("Invited", ["yes", "no"], "yes or no"),
        ("", ["pa@chile.example.org"], "The column has no heading"),
    ],
)
def test_a_column_that_holds_only_what_could_be_read_is_told(table, heading: str, cells: list[str], says: str) -> None:
    """The warning names the column, shows what stands there and says which heading to write."""
    rows = [["Chile", f"ana{number}@example.org", cell] for number, cell in enumerate(cells)]
    warning = table(["Mission", "Email", heading], *rows).warning
    assert (warning.cell, warning.column) == ("C1", heading or None)
    assert says in warning.problem
    assert warning.fix.startswith("Call it ")


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("Vegetarian", ["no", "no"]),  # Norwegian, if it were a language
        ("Lunch", ["si", "no"]),
        ("Sex", ["M", "M"]),
        ("Notes", ["see pa@chile.example.org", "came late"]),
        ("Table No", ["1", "0"]),
        ("Region", ["Latin America", "Africa"]),
        ("Not used", ["", ""]),
        ("Spoken", ["French", "and some Dutch, too"]),
    ],
)
def test_other_columns_are_kept_without_a_word(table, heading: str, cells: list[str]) -> None:
    """What is plainly something else is no reason to be asked."""
    rows = [["Chile", f"ana{number}@example.org", cell] for number, cell in enumerate(cells)]
    found = table(["Mission", "Email", heading], *rows)
    assert not found.errors
    assert not found.warnings


def test_a_second_column_of_languages_is_none_of_ours(table) -> None:
    """Beside a column Language, another that names languages may say which ones somebody speaks."""
    assert not table(["Mission", "Email", "Language", "Mother tongue"], ["Chile", ADDRESS, "fr", "Spanish"]).warnings


# --- layouts ----------------------------------------------------------------------------------------------------------


def test_what_each_column_was_taken_for_is_told(xlsx) -> None:
    """One sentence a sheet; further columns are named, and those without a heading only where they are read."""
    path = xlsx(
        List=[["Country", "Family name", "Email", "Cc", "Assistant email", "DO NOT INVITE", "", "Table", "Room"],
              ["Chile", "MUESTRA", ADDRESS, "", "", "", "left over", "5", "B"]],
    )  # fmt: skip
    told: list[Layout] = []
    assert list(read([path], told.append))
    assert str(told[0]) == (
        "missions.xlsx, sheet List: party from Country, name from Family name, cc from Assistant email, status "
        "from DO NOT INVITE; as named: Email, Cc; kept for the texts: Table, Room"
    )
    told_as_json = told[0].as_json()
    assert (told_as_json["file"], told_as_json["sheet"]) == ("missions.xlsx", "List")
    assert told_as_json["columns"][0] == {"column": "A", "heading": "Country", "field": "party"}
    assert told_as_json["columns"][-1] == {"column": "I", "heading": "Room", "field": "extra"}


# --- colours ----------------------------------------------------------------------------------------------------------


def painted(path: Path, colours: dict[str, str]) -> Path:
    """The workbook with the cells of each range on a ground of its colour."""
    book = load_workbook(path)
    for area, colour in colours.items():
        for cells in book.worksheets[0][area]:
            for cell in cells:
                cell.fill = PatternFill("solid", fgColor=colour)
    book.save(path)
    return path


@pytest.fixture
def list_of_twelve(xlsx) -> Path:
    """A workbook with a header and eleven contacts."""
    rows = [["Chile", f"Ana {letter}", f"{letter}@example.org"] for letter in "abcdefghijk"]
    return xlsx(List=[["Mission", "Name", "Email"], *rows])


@pytest.mark.parametrize("suffix", ["as written", "by LibreOffice"])
def test_rows_that_stand_out_by_their_colour_are_told_once(list_of_twelve: Path, understand, request, suffix) -> None:
    """One warning a sheet names the rows whose colour the others have not; header and coloured columns are none."""
    path = painted(list_of_twelve, {"A1:C1": "1F3864", "B2:B12": "EEEEEE", "A4:C4": "FF0000", "B9:C9": "FFFF00"})
    if suffix == "by LibreOffice":
        path = request.getfixturevalue("soffice")(path, "xlsx")
    found = understand(path)
    assert len(found.contacts) == 11
    assert found.warning.problem == "Rows 4, 9 are coloured, and colour is not read"
    assert (found.warning.row, found.warning.sheet) == (4, "List")


def test_many_coloured_rows_are_not_all_named(list_of_twelve: Path, understand) -> None:
    """The first five are enough to know what is meant."""
    path = painted(list_of_twelve, {f"A{row}:C{row}": "FF0000" for row in (2, 3, 4, 7, 8, 9)})
    assert understand(path).warning.problem == "Rows 2, 3, 4, 7, 8 and more are coloured, and colour is not read"


def test_some_rows_two_apart_are_no_stripes(list_of_twelve: Path, understand) -> None:
    """Stripes go through the whole list."""
    path = painted(list_of_twelve, {f"A{row}:C{row}": "FF0000" for row in (4, 6, 8)})
    assert understand(path).warning.problem == "Rows 4, 6, 8 are coloured, and colour is not read"


@pytest.mark.parametrize(
    "colours",
    [
        {"A1:C1": "1F3864"},
        {"A1:C12": "FFFFFF"},
        {"A2:C12": "EEEEEE"},
        {f"A{row}:C{row}": "DDEBF7" for row in range(2, 13, 2)},
        {"A14:C14": "FF0000"},
    ],
    ids=["header", "white", "whole list", "stripes", "empty cells"],
)
def test_colours_that_only_adorn_are_passed_over(list_of_twelve: Path, understand, colours: dict[str, str]) -> None:
    """Headers, white, what all rows have, stripes and empty rows say nothing."""
    found = understand(painted(list_of_twelve, colours))
    assert not found.warnings
    assert len(found.contacts) == 11
