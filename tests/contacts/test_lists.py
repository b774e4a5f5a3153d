"""Many lists together: folders, missions first, nobody twice, and nobody who asked not to be written to."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

from mailer.contacts import read
from mailer.contacts.shelves import Shelves
from mailer.errors import SheetRow
from mailer.model import Contact, Standing
from tests.contacts.conftest import write_csv


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_folder_is_read_whole(tmp_path, understand) -> None:
    """All readable files count; lock files and hidden files are ignored, others are named in a warning."""
    put(tmp_path / "a.csv", "Mission,Email\nChile,a@example.org\n")
    put(tmp_path / "b.tsv", "Mission\tEmail\nPeru\tb@example.org\n")
    for name in ("~$missions.xlsx", ".~lock.missions.xlsx#", ".hidden.csv"):
        put(tmp_path / name, "x")
    put(tmp_path / "readme.docx", "x")
    found = understand(tmp_path)
    assert [str(contact.address) for contact in found.contacts] == ["a@example.org", "b@example.org"]
    assert found.warning.file == "readme.docx"


def test_an_empty_folder_is_an_error(tmp_path, understand) -> None:
    """A folder without a list is no list of nobody."""
    assert "no list" in understand(tmp_path).error.problem


def test_the_same_address_is_invited_once(tmp_path, understand) -> None:
    """In one file the first row stands; case does not make an address another."""
    found = understand(
        put(tmp_path / "m.csv", "Mission,Email\nChile,A@example.org\nPeru,b@example.org\nCuba,a@Example.org\n")
    )
    assert [contact.party.name for contact in found.contacts] == ["Chile", "Peru"]
    warning = found.warning
    assert (warning.cell, warning.value) == ("B4", "a@Example.org")
    assert warning.other == SheetRow("m.csv", None, 2)


def test_a_copy_stands_behind_its_original(tmp_path, understand) -> None:
    """What a download or a file manager calls a copy takes no invitation from the list that staff correct."""
    for name, who in (("m.csv", "Ada NEW"), ("m (1).csv", "Ada OLD"), ("m - Copy.csv", "Ada OLDER")):
        put(tmp_path / name, f"Mission,Name,Email\nChile,{who},a@example.org\n")
    found = understand(tmp_path)
    assert [contact.name for contact in found.contacts] == ["Ada NEW"]
    assert {warning.file for warning in found.warnings} == {"m (1).csv", "m - Copy.csv"}


def test_missions_keep_the_invitation(tmp_path, understand) -> None:
    """Across files and sheets, the mission's row stands, in whatever order the files come."""
    put(tmp_path / "a.csv", "Organisation,Email\nSample Trust,a@example.org\n")
    put(tmp_path / "b.csv", "Mission,Email\nChile,a@example.org\n")
    found = understand(tmp_path)
    assert [contact.party.name for contact in found.contacts] == ["Chile"]
    assert found.warning.file == "a.csv"
    assert found.warning.other == SheetRow("b.csv", None, 2)


def test_missions_keep_the_invitation_within_a_list(table) -> None:
    """A list with both kinds gives the missions first."""
    found = table(
        ["Party kind", "Party", "Email"],
        ["NGO", "Sample Trust", "a@example.org"],
        ["Mission", "Chile", "a@example.org"],
    )
    assert [contact.party.name for contact in found.contacts] == ["Chile"]
    assert found.warning.row == 2


def test_do_not_contact_holds_in_every_list(tmp_path, understand) -> None:
    """Whoever asked not to be written to is not, though another list has the address, as addressee or in copy."""
    put(tmp_path / "missions.csv", "Mission,Email,Cc\nChile,a@example.org,\nPeru,b@example.org,A@example.org\n")
    put(tmp_path / "others.csv", "Organisation,Email,Status\nSample Trust,a@example.org,do not contact\n")
    found = understand(tmp_path)
    assert [(c.party.name, c.status, c.cc) for c in found.contacts] == [
        ("Chile", Standing.DO_NOT_CONTACT, ()),
        ("Peru", Standing.ACTIVE, ()),
        ("Sample Trust", Standing.DO_NOT_CONTACT, ()),
    ]
    assert [warning.row for warning in found.warnings] == [2, 3]


def test_who_has_left_does_not_take_the_successors_invitation(table) -> None:
    """A row `left` and an active row may share an office's address."""
    found = table(["Mission", "Email", "Status"], ["Chile", "a@example.org", "left"], ["Chile", "a@example.org", ""])
    assert [contact.status for contact in found.contacts] == [Standing.LEFT, Standing.ACTIVE]
    assert not found.warnings


def test_a_bad_file_does_not_hide_the_others(tmp_path, understand) -> None:
    """Every file's problems are told in one pass."""
    put(tmp_path / "bad.xlsx", "PK")
    put(tmp_path / "good.csv", "Mission,Email\nChile,a@example.org\nPeru,b@\n")
    found = understand(tmp_path)
    assert [error.file for error in found.errors] == ["bad.xlsx", "good.csv"]
    assert len(found.contacts) == 1


def test_a_long_text_file_is_streamed(tmp_path) -> None:
    """Contacts come while the file is read: memory does not grow with its rows, but for a few octets a row."""
    header = "Mission,First name,Last name,Email,Notes\n"
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write(header)
        file.writelines(f"Chile,Ana,MUESTRA,ana{n}@example.org,{'note ' * 20}\n" for n in range(20_000))
    tracemalloc.start()
    try:
        count = sum(isinstance(item, Contact) for item in read([path]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 4 * 2**20


def test_shelves_agree_with_a_dictionary() -> None:
    """However many numbers are put there, each is found again under its hash and no other is."""
    shelves, known = Shelves(), {}
    dice = random.Random(7)
    for place in range(20_000):
        digest = dice.getrandbits(14) * 0x9E37_79B9_7F4A_7C15
        assert shelves.get(digest) == known.get(digest)
        assert shelves.put(digest, place) == known.get(digest)
        known.setdefault(digest, place)


def test_two_mails_to_one_address_are_told(tmp_path, understand) -> None:
    """An address in To of one row and Cc of another, or in two Cc's, is told at the later with the earlier named."""
    write_csv(
        tmp_path / "missions.csv",
        [
            ("Mission", "Email", "Cc"),
            ("Chile", "ana@chile.example.org", "office@chile.example.org"),
            ("Chile", "ben@chile.example.org", "office@chile.example.org; ana@chile.example.org"),
            ("Chile", "office@chile.example.org", ""),
            ("Chile", "office@chile.example.org", ""),
        ],
    )
    found = understand(tmp_path)
    assert [len(contact.cc) for contact in found.contacts] == [1, 2, 0]
    assert [(problem.cell, problem.sentence) for problem in found.warnings] == [
        ("C3", "office@chile.example.org gets a copy by missions.csv, row 2 too"),
        ("C3", "ana@chile.example.org gets an invitation by missions.csv, row 2 too"),
        ("B4", "office@chile.example.org gets a copy by missions.csv, row 2 too"),
        ("B5", "The address stands already in missions.csv, row 4, which keeps the invitation"),
    ]


def test_who_has_left_gets_no_copies(tmp_path, understand) -> None:
    """A Cc whose own row says left, wherever that stands, is dropped with a warning."""
    write_csv(
        tmp_path / "missions.csv",
        [
            ("Mission", "Email", "Cc", "Status"),
            ("Chile", "ana@chile.example.org", "ben@chile.example.org; eva@chile.example.org", ""),
            ("Chile", "ben@chile.example.org", "", "left"),
        ],
    )
    found = understand(tmp_path)
    assert [str(address) for address in found.contacts[0].cc] == ["eva@chile.example.org"]
    assert found.warning.problem == "A copy was to go to ben@chile.example.org, of which another row says: left"


def test_a_lock_file_that_is_named_is_told_as_such(tmp_path, understand) -> None:
    """Whoever names what Excel leaves beside an open workbook is told which file to name."""
    path = tmp_path / "~$Liste.xlsx"
    path.write_bytes(bytes(165))
    error = understand(path).error
    assert error.problem == "The file holds no list: it only says that somebody has Liste.xlsx open"
