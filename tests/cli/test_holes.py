"""What a letter prints though nothing stands in the cell is told before it leaves, and nothing else is."""

import pytest
from openpyxl import load_workbook

from tests.cli.conftest import TEMPLATE, Folder

CONTACTS = """Mission,First name,Last name,Email,Position,Table
Belgium,Ada,SAMPLE,ada@belgium.example.org,Counsellor,7
Kenya,Ben,SAMPLE,ben@kenya.example.org,,
Peru,Eva,SAMPLE,eva@peru.example.org,Attaché,
Togo,Kof,SAMPLE,kof@togo.example.org,Attaché,
"""


def warnings(folder: Folder, sentence: str) -> list[tuple[int, str]]:
    folder.write("contacts/missions.csv", CONTACTS)
    folder.write("templates/round-table/invitation.md", f"{TEMPLATE}\n{sentence}\n")
    found = folder.run("check", "--json").json["problems"]
    return [(problem["row"], problem["problem"]) for problem in found if "empty in this row" in problem["problem"]]


def test_a_hole_is_told_with_the_rows_that_have_it(folder: Folder) -> None:
    """An empty cell that the text prints is a warning with its rows, whatever else is empty there."""
    assert warnings(folder, "Your table is no. {{ contact.extra.table }}. {{ contact.position }}") == [
        (3, "invitation prints contact.extra.table, which is empty in this row"),
        (3, "invitation prints contact.position, which is empty in this row"),
        (4, "invitation prints contact.extra.table, which is empty in this row"),
        (5, "invitation prints contact.extra.table, which is empty in this row"),
    ]
    told = folder.run("check").err
    assert told.count("invitation prints contact.extra.table, which is empty in this row (also rows 4, 5)") == 1
    assert "6 warnings" in told  # with those of the two settings that a rehearsal does without


def test_each_row_is_commented_though_the_screen_names_the_first(folder: Folder) -> None:
    """`--annotate` leaves staff no row to look for."""
    warnings(folder, "Your table is no. {{ contact.extra.table }}.")
    folder.run("check", "--annotate", "notes")
    sheet = load_workbook(folder.path / "notes" / "missions.csv.xlsx").active
    assert sheet
    assert [row for row in range(2, 6) if sheet.cell(row, 1).comment] == [3, 4, 5]


@pytest.mark.parametrize(
    "sentence",
    [
        "{% if contact.extra.table %}Your table is no. {{ contact.extra.table }}.{% endif %}",
        "Your table is {{ contact.extra.table or 'told at the door' }}.",
        "No value of a cell stands here.",
    ],
)
def test_what_looks_at_the_cell_first_is_no_hole(folder: Folder, sentence: str) -> None:
    """Words that an `if` keeps back, or that have others in their place, are well."""
    assert warnings(folder, sentence) == []
