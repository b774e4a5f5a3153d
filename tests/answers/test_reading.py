"""Export files as they come: encodings, workbooks, sheets whose columns are named, and what is refused."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from mailer.answers.reading import Export, read_export
from mailer.errors import InputRefused, UsageError

EXPORTS = Path(__file__).parent / "exports"
NEW_YORK = ZoneInfo("America/New_York")
GUESTS = [
    ["Guests of the briefing", "", "", "", "", ""],
    ["Code", "E-mail", "Name", "Entity", "Coming", "Date"],
    ["C3FT6-3Q7DB", "ana@chile.example.org", "Ana MUESTRA", "Chile", "in person", "2024-05-10"],
    ["", "pat@ngo.example.org", "Pat Sample", "Sample Foundation", "no", "2024-05-11"],
]
NAMED = {
    "reference": "Code",
    "email": "E-mail",
    "name": "Name",
    "party": "Entity",
    "attendance": "Coming",
    "at": "Date",
}


def read(path: Path, *, online_event: bool = True, columns: dict[str, str] | None = None) -> Export:
    return read_export(path, zone=NEW_YORK, online_event=online_event, columns=columns)


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def as_workbook(path: Path, rows: Sequence[Sequence[str]], *, dates: int | None = None) -> Path:
    """The rows as .xlsx; cells of the column `dates` that begin with a year become date cells, as in Excel."""
    book = Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "Responses"
    for row in rows:
        sheet.append(
            [
                datetime.fromisoformat(cell) if column == dates and re.match(r"\d{4}-", cell) else cell
                for column, cell in enumerate(row)
            ]
        )
    book.save(path)
    return path


def rows_of(name: str) -> list[list[str]]:
    with (EXPORTS / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";" if "codes" in name else ","))


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-16", "\t"), ("utf-16", ";"), ("cp1252", ";"), ("utf-8", ";")]
)
def test_encodings_and_delimiters_change_nothing(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """The same answers come out of the file in whatever way a program has saved it again."""
    again = tmp_path / "google_forms_fr.csv"
    with again.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows_of("google_forms_fr.csv"))
    assert read(again).responses == read(EXPORTS / "google_forms_fr.csv").responses


@pytest.mark.parametrize(
    ("name", "dates"), [("limesurvey_codes.csv", 1), ("tally.csv", 2), ("surveymonkey.csv", None), ("indico.csv", None)]
)
def test_workbooks_are_read_like_text_files(tmp_path: Path, name: str, dates: int | None) -> None:
    """An .xlsx export, with real date cells or text, gives the same answers, and its sheet's name."""
    book = read(as_workbook(tmp_path / "export.xlsx", rows_of(name), dates=dates))
    text = read(EXPORTS / name)
    assert book.sheet == "Responses"
    assert [(r.row, r.name, r.addresses, r.attendance, r.at) for r in book.responses] == [
        (r.row, r.name, r.addresses, r.attendance, r.at) for r in text.responses
    ]


def test_the_sheet_with_answers_is_found_and_others_are_told(tmp_path: Path) -> None:
    """Notes on another sheet are not read, and it is said so."""
    path = as_workbook(tmp_path / "export.xlsx", [["Notes"], ["to do", "later"]])
    from openpyxl import load_workbook

    book = load_workbook(path)
    sheet = book.create_sheet("Answers")
    for row in rows_of("tally.csv"):
        sheet.append(row)
    book.save(path)
    found = read(path)
    assert (found.sheet, len(found.responses)) == ("Answers", 1)
    assert "Responses" in found.problems[0].problem


def test_repeated_headers_are_no_answers(tmp_path: Path) -> None:
    """Two exports that were put one below the other are read as one."""
    rows = rows_of("tally.csv")
    found = read(write(tmp_path / "two.csv", [*rows, rows[0], rows[1]]))
    assert [response.row for response in found.responses] == [2, 4]


# --- columns named by the user ----------------------------------------------------------------------------------------


def test_any_sheet_is_read_by_named_columns(tmp_path: Path) -> None:
    """Headings that no tool writes are enough once they are named; the heading row is found below a title."""
    found = read(write(tmp_path / "guests.csv", GUESTS), columns=NAMED)
    ana, pat = found.responses
    assert found.tool == "columns named by you"
    assert found.columns == NAMED
    assert (ana.row, ana.reference, ana.name, ana.addresses, ana.party) == (
        3, "C3FT6-3Q7DB", "Ana MUESTRA", ("ana@chile.example.org",), "Chile",
    )  # fmt: skip
    assert (ana.attendance, pat.attendance) == ("in_person", "regrets")
    assert ana.at == datetime(2024, 5, 10, tzinfo=NEW_YORK)


def test_a_list_of_addresses_alone_is_a_list_of_those_who_come(tmp_path: Path) -> None:
    """Without any column for attendance a registered address is a yes, at the time the file was saved."""
    path = write(tmp_path / "guests.csv", [["E-mail"], ["ana@chile.example.org"]])
    found = read(path, columns={"email": "E-mail"}, online_event=False)
    (ana,) = found.responses
    assert ana.attendance == "in_person"
    assert ana.at.timestamp() == int(path.stat().st_mtime)
    assert any("when people answered" in problem.problem for problem in found.problems)


def test_a_named_column_comes_before_what_the_tool_would_say(tmp_path: Path) -> None:
    """In a form of a known tool one question can be named, and the rest stays recognised."""
    rows = [["Timestamp", "Email Address", "Et donc ?"], ["2024-05-10 10:00:00", "ana@chile.example.org", "Non"]]
    found = read(write(tmp_path / "form.csv", rows), columns={"attendance": "Et donc ?"})
    assert found.tool == "Google Forms"
    assert found.responses[0].attendance == "regrets"


def test_a_named_column_that_is_not_there_is_refused_with_the_headings_that_are(tmp_path: Path) -> None:
    """A slip in `--columns` shows what could have been meant."""
    with pytest.raises(InputRefused, match="“Coming”"):
        read(write(tmp_path / "guests.csv", GUESTS), columns={"email": "E-mail", "attendance": "Comes"})


def test_a_name_that_columns_do_not_have_is_a_usage_error(tmp_path: Path) -> None:
    """`--columns mail=…` is told which names there are."""
    with pytest.raises(UsageError, match="reference, email, name, party, attendance, at"):
        read(write(tmp_path / "guests.csv", GUESTS), columns={"mail": "E-mail"})


# --- what is refused --------------------------------------------------------------------------------------------------


def test_an_unknown_layout_is_refused_with_its_headings_and_the_way_out(tmp_path: Path) -> None:
    """Nothing is guessed from a foreign file: its headings are listed and `--columns` is named."""
    with pytest.raises(InputRefused, match="--columns") as refused:
        read(write(tmp_path / "guests.csv", GUESTS))
    assert "“Code”, “E-mail”, “Name”, “Entity”, “Coming”, “Date”" in str(refused.value)


def test_an_empty_file_and_one_with_headings_alone_are_refused(tmp_path: Path) -> None:
    """Both say that there is nothing to import."""
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(InputRefused, match="empty"):
        read(tmp_path / "empty.csv")
    (tmp_path / "blank.csv").write_bytes(b"\r\n\r\n")
    with pytest.raises(InputRefused, match="nothing in the file"):
        read(tmp_path / "blank.csv")
    with pytest.raises(InputRefused, match="no answer"):
        read(write(tmp_path / "headings.csv", rows_of("tally.csv")[:1]))


@pytest.mark.parametrize("mark", ["~$export.xlsx", ".~lock.export.xlsx#"])
def test_a_file_that_is_open_in_excel_or_libreoffice_is_refused(tmp_path: Path, mark: str) -> None:
    """The mark beside it tells that its owner may see something else than what is on the disk."""
    path = as_workbook(tmp_path / "export.xlsx", rows_of("tally.csv"))
    (tmp_path / mark).write_bytes(b"")
    with pytest.raises(InputRefused, match="still open in Excel"):
        read(path)
    with pytest.raises(InputRefused, match="mark of a workbook"):
        read(tmp_path / "~$export.xlsx")


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(tmp_path / "export.csv")
    with pytest.raises(InputRefused, match="a pipe or a device"):
        read(tmp_path / "export.csv")


def test_a_form_whose_yes_and_no_is_not_found_is_refused(tmp_path: Path) -> None:
    """To take all rows for a yes would turn somebody's no into one; the likely column is named."""
    rows = [
        ["Timestamp", "Email Address", "Alors ?"],
        ["2024-05-10 10:00:00", "ana@chile.example.org", "Oui"],
        ["2024-05-10 11:00:00", "d.modele@unep.example.org", "Non"],
    ]
    path = write(tmp_path / "form.csv", rows)
    with pytest.raises(InputRefused, match='--columns attendance="Alors \\?"'):
        read(path)
    assert [r.attendance for r in read(path, columns={"attendance": ""}).responses] == ["attending", "attending"]


def test_rows_that_name_nobody_are_passed_over_and_told(tmp_path: Path) -> None:
    """A line of totals is no answer; a file of such lines is refused."""
    rows = rows_of("tally.csv")
    nobody = ["x", "y", "2024-05-10 10:00:00", "", "", "", "Yes"]
    found = read(write(tmp_path / "form.csv", [*rows, nobody]))
    assert len(found.responses) == 1
    assert "row 3" in found.problems[0].problem
    with pytest.raises(InputRefused, match="No row says who answers"):
        read(write(tmp_path / "form.csv", [rows[0], nobody]))


@pytest.mark.parametrize("words", ["No Response", "Not answered", "Pas de réponse", "sin respuesta", "لم يرد"])
def test_a_list_of_all_invited_makes_no_regrets_of_those_who_have_not_answered(tmp_path: Path, words: str) -> None:
    """ "No response" is neither a no nor an answer: the row is passed over and told, those beside it count."""
    rows = [["E-mail", "Status"], ["a@example.org", words], ["b@example.org", "Declined"], ["c@example.org", "Yes"]]
    found = read(write(tmp_path / "all.csv", rows), columns={"email": "E-mail", "attendance": "Status", "at": ""})
    assert [(one.row, one.attendance) for one in found.responses] == [(3, "regrets"), (4, "attending")]
    assert "It is said that no answer came in row 2: 1 passed over" in [one.problem for one in found.problems]


@pytest.mark.parametrize(
    ("headings", "cells", "expected"),
    [
        (["Prénom et nom", "Nom de l'organisation"], ["Dominique MODÈLE", "PNUE"], ("Dominique MODÈLE", "PNUE")),
        (["First name", "Family name", "Country", "Organisation"], ["Ana", "MUESTRA", "CL", ""], ("Ana MUESTRA", "CL")),
        (
            ["Name", "Name of your guest", "Mission", "Position in mission"],
            ["Ana", "X", "Chile", "y"],
            ("Ana", "Chile"),
        ),
        (["Nombre del delegado", "Estado miembro", "Country/Region"], ["Sol", "España", "US"], ("Sol", "España")),
        (["Full name", "Mission or organisation"], ["Ana", "Chile"], ("Ana", "Chile")),
    ],
)
def test_who_answers_and_for_whom(
    tmp_path: Path, headings: list[str], cells: list[str], expected: tuple[str, str]
) -> None:
    """Names and parties are found under the headings that people give to such questions, and nobody else's."""
    rows = [["Timestamp", "Email Address", *headings], ["2024-05-10 10:00:00", "p@example.org", *cells]]
    (response,) = read(write(tmp_path / "form.csv", rows)).responses
    assert (response.name, response.party) == expected


# --- questions --------------------------------------------------------------------------------------------------------


def answer(tmp_path: Path, headings: Sequence[str], cells: Sequence[str], *, online_event: bool = True) -> str:
    rows = [["Timestamp", "Email Address", *headings], ["2024-05-10 10:00:00", "ana@chile.example.org", *cells]]
    (response,) = read(write(tmp_path / "form.csv", rows), online_event=online_event).responses
    return str(response.attendance)


@pytest.mark.parametrize(
    ("headings", "cells", "expected"),
    [
        (["Will you attend?", "How will you attend?"], ["Yes", "Online"], "online"),
        (["Will you attend?", "How will you attend?"], ["No", ""], "regrets"),
        (["Will you attend?", "How will you attend?"], ["No", "In person"], "review"),
        (["Will you attend in person?", "Will you attend online?"], ["No", "Yes"], "online"),
        (["Will you attend in person?", "Will you attend online?"], ["No", "No"], "regrets"),
        (["Will you attend in person?"], ["Yes"], "in_person"),
        (["Will you attend in person?"], ["No"], "review"),
        (["Attendance [In person]", "Attendance [Online]"], ["Yes", "Yes"], "attending"),
        (["Will you attend?", "Will you need a visa to attend?"], ["Yes", "No"], "attending"),
        (["Will you attend?", "Will you attend the lunch?"], ["Yes", "No"], "attending"),
        (["Will you attend?", "Purpose of attendance"], ["Yes", "Networking"], "attending"),
        (["Will you attend?", "Name of your guest"], ["Yes", "No"], "attending"),
        (["RSVP"], ["Regrets"], "regrets"),
        (["Serez-vous présent(e) ?"], ["Non"], "regrets"),
        (["Mode de participation"], ["En ligne"], "online"),
        (["Modalidad de asistencia"], ["Presencial"], "in_person"),
        (["هل ستحضر؟"], ["لا"], "regrets"),
        (["Will you attend?"], [""], "review"),
        (["Dietary requirements"], ["Vegetarian"], "attending"),
    ],
)
def test_questions_are_taken_together(tmp_path: Path, headings: list[str], cells: list[str], expected: str) -> None:
    """Several questions about coming make one answer; questions about other things do not count."""
    assert answer(tmp_path, headings, cells) == expected


def test_a_no_to_the_room_is_regrets_where_there_is_no_other_way(tmp_path: Path) -> None:
    """In an event that is not online, not in person is not at all."""
    assert answer(tmp_path, ["Will you attend in person?"], ["No"], online_event=False) == "regrets"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("C3FT6-3Q7DB", True),
        ("It is c3ft63q7db I think", True),
        ("C3FT6-3Q7DC", False),  # mistyped: where nobody asked, it is no reference
        ("+41 22 345 67 89", False),
        ("Department of seven years", False),
    ],
)
def test_a_reference_where_nobody_asked(tmp_path: Path, text: str, kept: bool) -> None:
    """A comment counts as reference only where a true one stands in it; telephone numbers and words do not."""
    rows = [["Timestamp", "Email Address", "Comments"], ["2024-05-10 10:00:00", "ana@chile.example.org", text]]
    (response,) = read(write(tmp_path / "form.csv", rows)).responses
    assert response.reference == (text if kept else "")


def test_a_reference_beside_the_question_about_coming(tmp_path: Path) -> None:
    """Remarks whose heading sounds like that question are looked through for a reference like any others."""
    headings = ["Timestamp", "Email Address", "Will you attend?", "Remarks on your participation"]
    cells = ["2024-05-10 10:00:00", "ana@chile.example.org", "Yes", "I have C3FT6-3Q7DB"]
    (response,) = read(write(tmp_path / "form.csv", [headings, cells])).responses
    assert (response.reference, response.attendance) == ("I have C3FT6-3Q7DB", "attending")


def test_a_mistyped_reference_is_kept_where_it_was_asked_for(tmp_path: Path) -> None:
    """So that it can be told as mistyped."""
    rows = [
        ["Timestamp", "Email Address", "Reference"],
        ["2024-05-10 10:00:00", "ana@chile.example.org", "C3FT6-3Q7DC"],
    ]
    (response,) = read(write(tmp_path / "form.csv", rows)).responses
    assert response.reference == "C3FT6-3Q7DC"
