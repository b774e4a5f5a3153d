"""A list of any length: what goes in comes out, as often as it is asked for."""

import tempfile
from pathlib import Path

import pytest

from mailer.cli.guests import CONTACTS, GUESTS, Guest
from mailer.cli.roll import PAGE, Roll
from mailer.model import Address, Contact, Form, Party, PartyKind, Place, Rule


def test_a_long_roll_comes_out_as_it_went_in() -> None:
    """The order stays, whether the list fits into memory or not, and also while two readers take turns."""
    for length in (0, 1, PAGE, PAGE + 1, 3 * PAGE + 7):
        roll = Roll(range(length))
        assert len(roll) == length
        assert bool(roll) == (length > 0)
        assert list(zip(roll, roll, strict=True)) == [(n, n) for n in range(length)]


def test_a_roll_can_grow_between_two_readings() -> None:
    """What is appended later is found behind the rest."""
    roll = Roll(range(PAGE + 5))
    assert sum(1 for _ in roll) == PAGE + 5
    for number in range(PAGE + 5, 2 * PAGE + 5):
        roll.append(number)
    assert list(roll) == list(range(2 * PAGE + 5))


def test_a_guest_comes_back_as_he_was() -> None:
    """Every field survives the file, and also what equality passes over."""
    place = Place("guests.csv", None, 7, {"rank": ("F", "Rank")})
    party = Party("Kenya", PartyKind.MISSION)
    address = Address("ada", "example.org")
    contact = Contact(place, party, address, (address,), "Ms.", rule=Rule.PERSONAL, extra={"table": "4"})
    guest = Guest(contact, "en", Form("Dear Ms. Sample,", "Ms. Ada SAMPLE"), None)
    first, *_ = Roll([guest] * (PAGE + 1), GUESTS)
    assert first == guest
    assert next(iter(Roll([contact] * (PAGE + 1), CONTACTS))) == contact
    assert first.contact.place.cell("rank") == "F7"
    assert first.contact.rule is Rule.PERSONAL


def test_a_full_folder_for_temporary_files_is_named() -> None:
    """Where a long list has no room, the folder is named, with what to do."""
    roll = Roll(range(PAGE))
    roll._file = Path("/dev/full").open("w+b", buffering=0)  # noqa: SIM115  # the roll closes it
    with pytest.raises(OSError, match="set TMPDIR to another folder") as raised:
        roll.append(PAGE)
    assert raised.value.filename == tempfile.gettempdir()
