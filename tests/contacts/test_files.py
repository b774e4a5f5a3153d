"""Files of all makers: encodings, delimiters, workbooks, and those that cannot be read."""

from __future__ import annotations

import os
import random
import re
import shutil
import zipfile
from datetime import date
from pathlib import Path

import pytest

from mailer.contacts.rows import letters, sheets
from mailer.errors import InputRefused
from tests.contacts.conftest import write_csv

ROWS = "Mission;Name;Email\r\nCôte d’Ivoire;Zoé EXEMPLE;zoe@example.org\r\n"
FIXTURES = Path(__file__).parent / "fixtures"


# --- text files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path, understand, encoding: str) -> None:
    """Text files are read in what Excel and others save; one that had to be proposed is named in a warning."""
    path = tmp_path / "list.csv"
    path.write_bytes(ROWS.encode(encoding))
    found = understand(path)
    contact = found.only
    assert (contact.party.name, contact.name, contact.place.row) == ("Côte d’Ivoire", "Zoé EXEMPLE", 2)
    proposed = encoding in ("cp1252", "utf-16-le", "utf-16-be")
    assert [encoding in warning.problem for warning in found.warnings] == [True] * proposed


def test_arabic_of_windows(tmp_path, understand) -> None:
    """An Arabic list in the Windows code page is proposed as such."""
    path = tmp_path / "list.csv"
    path.write_bytes("الاسم,الدولة,البريد الإلكتروني\nأحمد نموذج,الأردن,a@example.org\n".encode("cp1256"))
    assert understand(path).only.party.name == "الأردن"


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Élodie Lefèvre", "François Côté", "Jérôme Diallo"]),
        ("cp1252", ["Lucía Martín", "José López", "Óscar Muñoz", "Inés Peña"]),
        ("cp1252", ["Jean-Paul SØRENSEN", "Björn Ödegård"]),
        ("cp1250", ["Paweł Wójcik", "Małgorzata Żółtowska"]),
        ("cp1250", ["Tomáš Dvořák", "Jiří Němec"]),
        ("cp1254", ["Ayşe Yıldız", "Çağlar Güneş"]),
        ("cp1257", ["Jānis Bērziņš", "Ilze Kalniņa"]),
    ],
)
def test_names_of_windows(tmp_path, understand, encoding: str, names: list[str]) -> None:
    """A few accented names are read as they were saved."""
    path = tmp_path / "list.csv"
    rows = (f"Relief Forum {number};{name};a{number}@example.org" for number, name in enumerate(names))
    path.write_bytes("\r\n".join(("Organisation;Name;Email", *rows)).encode(encoding))
    assert [contact.name for contact in understand(path).contacts] == names


def test_octets_that_are_no_text(tmp_path, understand) -> None:
    """What no encoding explains is one error without a cell."""
    path = tmp_path / "missions.csv"
    path.write_bytes(b"Mission,Email\n" + bytes(range(256)) * 4)
    error = understand(path).error
    assert (error.cell, error.row) == (None, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_zero_octet_is_named(tmp_path, understand, encoding: str) -> None:
    """One of them, which no program shows, is why an otherwise sound list is none."""
    path = tmp_path / "missions.csv"
    path.write_bytes((ROWS * 3 + "Chile;A\0na;ana@example.org\r\n").encode(encoding))
    assert understand(path).error.problem == "Line 7 holds a zero octet (NUL), as no text does"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("declared", [False, True])
def test_delimiters(tmp_path, understand, delimiter: str, declared: bool) -> None:
    """The delimiter is found; a first line `sep=` declares it and is no row."""
    text = (
        delimiter.join(("Mission", "Name", "Email")) + "\n" + delimiter.join(("Chile", "Ana", "a@example.org")) + "\n"
    )
    path = tmp_path / "list.csv"
    path.write_text(f"sep={delimiter}\n{text}" if declared else text)
    assert understand(path).only.place.cell("address") == "C2"


def test_title_rows_do_not_mislead_about_the_delimiter(tmp_path, understand) -> None:
    """Commas in title rows above a list divided by semicolons do no harm."""
    path = tmp_path / "list.csv"
    path.write_text("Event, with commas, in New York\n\nMission;Email\nChile;a@example.org\n")
    assert understand(path).only.place.row == 4


def test_line_breaks_and_quotation_marks_in_cells(tmp_path, understand) -> None:
    """A quoted cell may hold delimiters, line breaks and quotation marks; rows count as the spreadsheet counts them."""
    path = tmp_path / "list.csv"
    path.write_bytes(b'Mission,Notes,Email\r\nChile,"one\r\ntwo, ""three""",a@example.org\rPeru,,b@example.org\n')
    found = understand(path)
    assert found.contacts[0].extra == {"notes": 'one two, "three"'}
    assert [contact.place.row for contact in found.contacts] == [2, 3]


def test_an_unclosed_quotation_mark_is_an_error(tmp_path, understand) -> None:
    """A quotation mark that swallows the rest of the file loses no row in silence."""
    path = tmp_path / "list.csv"
    path.write_text('Mission,Email\nChile,a@example.org\nPeru,"b@example.org\nCuba,c@example.org\n')
    assert "quotation marks" in understand(path).errors[-1].problem


def test_a_row_longer_than_the_header_is_an_error(table) -> None:
    """An unquoted comma shifts a text file's row, so such a row is shown."""
    error = table(["Mission", "Email"], ["Chile", "a@example.org", "Deputy"]).error
    assert (error.row, error.value) == (2, "Deputy")
    assert table(["Mission", "Email"], ["Chile", "a@example.org", "", ""]).only


# --- workbooks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["xlsx", "ods", "xls", "csv"])
def test_formats_of_libreoffice(soffice, xlsx, understand, suffix: str) -> None:
    """The same list in each format that LibreOffice saves gives the same contacts."""
    header = ["Mission", "Name", "Email", "Seats", "Since", "Lunch"]
    source = xlsx(
        List=[["A title"], header, ["Côte d’Ivoire", "Zoé EXEMPLE", "zoe@example.org", 5, date(2024, 5, 23), 1.5]]
    )
    contact = understand(soffice(source, suffix)).only
    assert (contact.party.name, contact.place.row, contact.place.cell("address")) == ("Côte d’Ivoire", 3, "C3")
    assert contact.extra["seats"] == "5"
    assert contact.extra["lunch"] == "1.5"
    assert contact.extra["since"] == "2024-05-23"


def test_old_workbooks(understand) -> None:
    """A workbook of Excel 97 is read."""
    found = understand(FIXTURES / "missions.xls")
    assert found.only.party.name == "Chile"
    assert found.warning.problem.endswith("cannot be seen in this old format")


def test_values_as_text(xlsx) -> None:
    """Numbers, dates and booleans come as people read them, and nothing is taken for a missing value."""
    path = xlsx(Sheet=[[5.0, 1.25, True, False, date(2024, 5, 23), "NA", "None", 9770000000000000]])
    ((_, cells),) = next(sheets(path)).rows()
    assert cells == ["5", "1.25", "yes", "no", "2024-05-23", "NA", "None", "9770000000000000"]


def test_several_sheets(xlsx, understand) -> None:
    """All sheets with a header are read; notes are passed over, a list without a header not without a warning."""
    header = ["Mission", "Email"]
    path = xlsx(
        Africa=[header, ["Ghana", "a@example.org"]],
        Empty=[],
        Notes=[["Call them first"]],
        Loose=[["Chile", "x@example.org"]],
        Asia=[[], [], [None, *header], [None, "Nepal", "b@example.org"]],
    )
    found = understand(path)
    assert [(c.place.sheet, c.place.row, c.place.cell("address")) for c in found.contacts] == [
        ("Africa", 2, "B2"),
        ("Asia", 4, "C4"),
    ]
    assert found.warning.sheet == "Loose"


def test_hidden_sheets_and_rows_are_read_with_a_warning(xlsx, understand) -> None:
    """What staff cannot see is read all the same, and said."""
    from openpyxl import load_workbook

    path = xlsx(
        Old=[["Mission", "Email"], ["Ghana", "a@example.org"]], New=[["Mission", "Email"], ["Chile", "b@example.org"]]
    )
    book = load_workbook(path)
    book["Old"].sheet_state = "hidden"
    book["New"].row_dimensions[2].hidden = True
    book.save(path)
    found = understand(path)
    assert len(found.contacts) == 2
    assert [(w.sheet, w.row) for w in found.warnings] == [("Old", None), ("New", 2)]


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_a_hidden_column_that_is_read_is_told(xlsx, understand, request, suffix: str) -> None:
    """Nobody who looks the sheet over sees who gets a copy by it; one that is only kept for the texts is no matter."""
    from openpyxl import load_workbook

    path = xlsx(Sheet=[["Mission", "Email", "Notes", "Cc"], ["Chile", "a@example.org", "x", "former@example.org"]])
    book = load_workbook(path)
    for column in "CD":
        book["Sheet"].column_dimensions[column].hidden = True
    book.save(path)
    found = understand(path if suffix == "xlsx" else request.getfixturevalue("soffice")(path, suffix))
    assert [str(address) for address in found.contacts[0].cc] == ["former@example.org"]
    assert (found.warning.cell, found.warning.column) == ("D1", "Cc")


def test_blank_rows_and_repeated_headers_are_skipped(xlsx, understand) -> None:
    """Blank rows, rows of blanks and header rows within the list are no contacts and no problems."""
    header = ["Mission", "Email"]
    path = xlsx(
        Sheet=[
            header,
            [],
            ["Chile", "a@example.org"],
            [" ", "\u00a0"],
            ["MISSION ", "E-mail"],
            ["Peru", "b@example.org"],
        ]
    )
    found = understand(path)
    assert [contact.place.row for contact in found.contacts] == [3, 6]
    assert not found.errors
    assert not found.warnings


def test_formulas_without_value_and_error_cells(xlsx, understand) -> None:
    """A formula that was never calculated and an error value are errors in their cells, not empty cells."""
    header = ["Mission", "Name", "Email", "Notes"]
    path = xlsx(
        Sheet=[header, ["Chile", '="Ana "&"MUESTRA"', "a@example.org"], ["Peru", "Luz", "b@example.org", "#N/A"]]
    )
    found = understand(path)
    assert [(error.cell, error.row) for error in found.errors] == [("B2", 2), ("D3", 3)]
    assert "never calculated" in found.errors[0].problem
    assert "#N/A" in found.errors[1].problem


def test_formulas_with_empty_text_are_empty(tmp_path, xlsx, understand) -> None:
    """A formula whose value is the empty text, as Excel saves it, is an empty cell."""
    path = xlsx(Sheet=[["Mission", "Name", "Email"], ["Chile", '=""', "a@example.org"]])
    repacked = repack(
        path,
        tmp_path / "missions2.xlsx",
        {"sheet1.xml": (rb'<c r="B2"><f>""</f><v ?/>', b'<c r="B2" t="str"><f>""</f><v/>')},
    )
    assert understand(repacked).only.is_mailbox


def test_errors_in_opendocument(soffice, xlsx, understand) -> None:
    """An error value in an .ods is an error in its cell, rows being counted through repeated ones."""
    path = xlsx(Sheet=[["Mission", "Name", "Email"], [], [], ["Chile", "=1/0", "a@example.org"]])
    error = understand(soffice(path, "ods")).error
    assert (error.cell, "#DIV/0!" in error.problem) == ("B4", True)


# --- files that cannot be read ----------------------------------------------------------------------------------------


def repack(source: Path, to: Path, edits: dict[str, tuple[bytes, bytes]]) -> Path:
    """A copy of a workbook with parts edited by regular expression."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            octets = old.read(name)
            for part, (pattern, replacement) in edits.items():
                if name.endswith(part):
                    assert re.search(pattern, octets), octets
                    octets = re.sub(pattern, replacement, octets)
            new.writestr(name, octets)
    return to


@pytest.mark.parametrize(
    ("name", "octets", "words"),
    [
        ("missions.xlsx", b"", "empty"),
        ("missions.csv", b"", "empty"),
        ("missions.csv", b"\n \n", "no rows"),
        ("missions.csv", b"a,b\nc,d@example.org\n", "header row"),
        ("missions.xls", b"<html><body><table><tr><td>Mission</td></tr></table>", "web page"),
        ("missions.xlsx", b'<?xml version="1.0"?><Workbook/>', "web page"),
        ("missions.xls", b"Mission\tEmail\nChile\ta@example.org\n", "plain text"),
        ("missions.xlsx", b"PK\x03\x04 and then nothing", "broken"),
        ("missions.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "broken"),
        ("missions.xlsx", bytes(range(256)), "broken"),
        ("missions.docx", b"PK\x03\x04", "kind of file"),
    ],
)
def test_unreadable_files_are_one_error(tmp_path, understand, name: str, octets: bytes, words: str) -> None:
    """A file that cannot be read is one error with its name and without a cell."""
    path = tmp_path / name
    path.write_bytes(octets)
    error = understand(path).error
    assert words in error.problem
    assert (error.file, error.cell) == (name, None)


def test_protected_workbooks(understand) -> None:
    """A workbook with a password is said to have one."""
    assert "password" in understand(FIXTURES / "protected.xlsx").error.problem


def test_damage_of_any_kind_is_told_as_such(tmp_path, understand) -> None:
    """Whatever octets of a workbook are damaged, reading ends in contacts or in problems."""
    dice = random.Random(7)
    for source in (FIXTURES / "missions.xls", FIXTURES / "protected.xlsx"):
        octets = source.read_bytes()
        path = tmp_path / source.name
        for _ in range(40):
            at = dice.randrange(len(octets))
            path.write_bytes(octets[:at] + dice.randbytes(3) + octets[at + dice.randrange(5) :])
            understand(path)


def test_missing_files_and_folders(tmp_path, understand) -> None:
    """A file that has vanished is one error."""
    assert "cannot be opened" in understand(tmp_path / "gone.xlsx").error.problem


def test_lists_in_a_folder_within_are_told(tmp_path, understand) -> None:
    """They are not read, and not passed over in silence, unless that folder is named itself or holds no list."""
    write_csv(tmp_path / "a.csv", [("Mission", "Email"), ("Chile", "ana@chile.example.org")])
    for within, name in (("Geneva", "b.csv"), ("photos", "c.jpg"), (".hidden", "d.csv")):
        (tmp_path / within).mkdir()
        write_csv(tmp_path / within / name, [("Mission", "Email"), ("Peru", "p@example.org")])
    found = understand(tmp_path)
    assert (len(found.contacts), found.warning.file) == (1, "Geneva/")
    assert "CONTACTS" in found.warning.fix
    found = understand(tmp_path, tmp_path / "Geneva")
    assert (len(found.contacts), found.warnings) == (2, [])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission(tmp_path, understand) -> None:
    """A file that may not be read is one error."""
    path = tmp_path / "missions.csv"
    path.write_text("Mission,Email\n")
    path.chmod(0)
    assert "cannot be opened" in understand(path).error.problem


def test_a_truncated_workbook_is_broken(tmp_path, xlsx, understand) -> None:
    """A workbook cut off in the middle is one error."""
    octets = xlsx(Sheet=[["Mission", "Email"], ["Chile", "a@example.org"]]).read_bytes()
    path = tmp_path / "cut.xlsx"
    path.write_bytes(octets[: len(octets) * 2 // 3])
    assert "broken" in understand(path).error.problem


def test_bombs_are_not_unpacked(tmp_path, xlsx, understand) -> None:
    """A part that unpacks to far more than a list can is refused from the directory alone."""
    path = tmp_path / "bomb.xlsx"
    shutil.copy(xlsx(Sheet=[["Mission", "Email"]]), path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", bytes(64 * 2**20))
    assert "unpacks" in understand(path).error.problem


def test_a_directory_that_lies_is_found(tmp_path, xlsx, understand) -> None:
    """A part that is larger than the archive's directory says is not handed to the reader."""
    path = xlsx(Sheet=[["Mission", "Email"], *([f"Chile {n}", f"a{n}@example.org"] for n in range(500))])
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    octets = path.read_bytes().replace(size.to_bytes(4, "little"), (size // 2).to_bytes(4, "little"))
    lying = tmp_path / "lying.xlsx"
    lying.write_bytes(octets)
    assert "broken" in understand(lying).error.problem


@pytest.mark.parametrize(("cell", "words"), [("XFD9", "200 columns"), ("AZ1048576", "too many cells")])
def test_a_stray_cell_far_away_is_refused(xlsx, understand, cell: str, words: str) -> None:
    """One cell at the far end of a sheet does not make the reader fill the memory."""
    from openpyxl import load_workbook

    path = xlsx(Sheet=[["Mission", "Email"], ["Chile", "a@example.org"]])
    book = load_workbook(path)
    book.worksheets[0][cell] = "x"
    book.save(path)
    assert words in understand(path).error.problem


@pytest.mark.parametrize(
    "cell", [b"<c r='XFD1048576'", b'<c\nr = "XFD1048576"', b'<c r="A4294967295"', b'<c r="ZZZZZZ2"']
)
def test_a_forged_cell_far_away_is_refused(tmp_path, xlsx, understand, cell: bytes) -> None:
    """However a far cell is written, it is seen before the sheet is laid out in memory."""
    path = xlsx(Sheet=[["Mission", "Email"], ["Chile", "a@example.org"]])
    assert understand(repack(path, tmp_path / "far.xlsx", {"sheet1.xml": (rb'<c r="A2"', cell)})).error.cell is None


def test_a_forged_count_is_refused(tmp_path, xlsx, understand) -> None:
    """A part that promises more entries than it can hold does not make the reader reserve memory for them."""
    path = xlsx(Sheet=[["Mission", "Email"], ["Chile", "a@example.org"]])
    forged = repack(
        path, tmp_path / "count.xlsx", {"styles.xml": (rb'<fonts count="\d+"', b'<fonts count="4294967295"')}
    )
    assert "promises more" in understand(forged).error.problem


def test_a_document_type_is_refused(tmp_path, xlsx, understand) -> None:
    """Entities declared in a workbook are never expanded."""
    path = xlsx(Sheet=[["Mission", "Email"], ["Chile", "a@example.org"]])
    edited = repack(
        path, tmp_path / "entity.xlsx", {"workbook.xml": (rb"<workbook ", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook ')}
    )
    assert "broken" in understand(edited).error.problem


def test_a_pipe_is_told_at_once(tmp_path, understand) -> None:
    """Nobody may ever write to it, and a list is read more than once."""
    os.mkfifo(tmp_path / "missions.csv")
    assert understand(tmp_path / "missions.csv").error.problem == "It is a pipe or a device, and no file"


def test_the_row_reader_raises_what_it_cannot_read(tmp_path) -> None:
    """`sheets` raises InputRefused with one problem."""
    path = tmp_path / "answers.csv"
    path.write_bytes(b"")
    with pytest.raises(InputRefused) as refused:
        list(sheets(path))
    assert len(refused.value.problems) == 1


def test_letters_of_columns() -> None:
    """Columns are named as spreadsheets name them."""
    assert [letters(n) for n in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
