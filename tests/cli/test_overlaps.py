"""What only a look at all contacts together shows: one person invited twice, an office beside a person, and hosts."""

import tracemalloc
from pathlib import Path

import pytest

from mailer.cli.overlaps import Overlaps
from mailer.model import Address, Contact, Party, PartyKind, Place
from mailer.protocol import Directory
from tests.cli.conftest import EVENT, Folder

HEADING = "Mission,Name,Email,Status\n"
DIRECTORY = Directory.load(Path(__file__).parents[2] / "templates" / "missions.csv")


def told(folder: Folder, *words: str) -> list[str]:
    """The warnings about contacts, by `check`."""
    found = folder.run("check", "--json", *words)
    assert found.code == 0
    problems = found.json["problems"]
    return [p["problem"] for p in problems if p["file"] != "config.env"]


def test_one_person_at_two_addresses_is_told(folder: Folder) -> None:
    """However party and name are spelled, in one list or two; whoever has left or is of another party is another."""
    folder.write(
        "contacts/missions.csv",
        HEADING + "Norway,Ada SAMPLE,ada@norway.example.org,\nNorway,Ben SAMPLE,ben@norway.example.org,\n"
        "Chile,Ada SAMPLE,ada@chile.example.org,\nNorway,Ben SAMPLE,old@norway.example.org,left\n",
    )
    folder.write(
        "contacts/more.csv", HEADING + "Permanent Mission of Norway,Sample Ada,ada@ministry.example.org,active\n"
    )
    both = "Sample Ada of Permanent Mission of Norway stands in missions.csv, row 2 too, with another address"
    assert told(folder) == [f"{both}, and both are invited"]
    problems = folder.run("contacts", "--json", now=None).json["problems"]
    assert [(p["file"], p["cell"], p["value"]) for p in problems] == [("more.csv", "C2", "ada@ministry.example.org")]


def test_a_long_list_of_them_gives_a_few_lines(folder: Folder) -> None:
    """The first are told one by one, with their cells, and the others together."""
    rows = (
        f"{mission.code},Ada SAMPLE,{at}@{mission.code.lower()}.example.org,\n"
        for at in ("ada", "office")
        for mission in DIRECTORY.missions
        if mission.code != "AU"
    )
    folder.write("contacts/missions.csv", HEADING + "".join(rows))
    lines = told(folder)
    assert len(lines) == 6
    assert lines[5].startswith("191 more stand under two addresses of a party: Ada SAMPLE (missions.csv, row 203, and")
    assert lines[5].endswith("; and 186 more")


def test_an_office_beside_a_person_is_one_line(folder: Folder) -> None:
    """Often both are meant, so all parties of which that is true stand in one line; two offices are no case of it."""
    folder.write(
        "contacts/missions.csv",
        HEADING + "Norway,Ada SAMPLE,ada@norway.example.org,\nNorway,,mission@norway.example.org,\n"
        "Chile,,mission@chile.example.org,\nChile,Eva SAMPLE,eva@chile.example.org,\n"
        "Kenya,,mission@kenya.example.org,\nKenya,,records@kenya.example.org,\n",
    )
    assert told(folder) == ["both the office and somebody by name are invited: Norway; Chile"]


def test_hosts_on_the_lists_are_one_line(folder: Folder) -> None:
    """Under whatever names the hosts and their contacts go; it stands at the hosts of the event."""
    hosts = 'hosts = [["the Netherlands", "Ireland"], ["UN Sample Relief Office"]]'
    folder.write("templates/round-table/event.toml", EVENT.replace('hosts = ["Sample Office"]', hosts))
    folder.write(
        "contacts/missions.csv",
        HEADING + "NLD,Ada SAMPLE,ada@one.example.org,\nNorway,Ben SAMPLE,ben@two.example.org,\n"
        "Permanent Mission of Ireland to the United Nations,Eva SAMPLE,eva@three.example.org,\n",
    )
    folder.write("contacts/others.csv", "Organisation,Name,Email\nUNSRO,Kim SAMPLE,kim@four.example.org\n")
    found = [p for p in folder.run("check", "--json").json["problems"] if p["column"] == "hosts"]
    assert [p["problem"] for p in found] == [
        "hosts of the event are invited like everybody else: NLD (missions.csv, row 2); "
        "Permanent Mission of Ireland to the United Nations (missions.csv, row 4); UNSRO (others.csv, row 2)"
    ]
    assert folder.run("contacts", "--json", now=None).json["problems"] == []


@pytest.mark.parametrize(
    "host",
    [
        "the Permanent Missions of El Salvador, the Netherlands, Bosnia and Herzegovina and South Sudan",
        "Missions of El Salvador, Bosnia and Herzegovina, the Netherlands, and South Sudan to the United Nations",
        "les Missions permanentes d’El Salvador, des Pays-Bas, du Soudan du Sud et de la Bosnie-Herzégovine",
        "las Misiones Permanentes de El Salvador, los Países Bajos, Bosnia y Herzegovina y Sudán del Sur",
    ],
)
def test_missions_named_together_are_hosts_each(folder: Folder, host: str) -> None:
    """In one string, as they are to be printed."""
    folder.write("templates/round-table/event.toml", EVENT.replace('["Sample Office"]', f'["{host}"]'))
    hosts = ("Bosnia and Herzegovina", "El Salvador", "Netherlands", "South Sudan")
    rows = (f"{name},,office@{number}.example.org,\n" for number, name in enumerate((*hosts, "Chad", "Peru")))
    folder.write("contacts/missions.csv", HEADING + "".join(rows))
    (line,) = told(folder)
    names = "; ".join(f"{name} (missions.csv, row {row})" for row, name in enumerate(hosts, 2))
    assert line == f"hosts of the event are invited like everybody else: {names}"


def test_memory_is_bounded() -> None:
    """Some 40 octets a contact, as nobody is kept but by a number."""
    overlaps = Overlaps(DIRECTORY)
    tracemalloc.start()
    try:
        for number in range(20_000):
            place, party = Place("missions.csv", None, number + 2), Party(f"Office {number}", PartyKind.ORGANISATION)
            overlaps.see(Contact(place, party, Address(f"a{number}", "example.org"), name=f"Ada SAMPLE {number}"))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 5 * 2**20
    assert list(overlaps.problems()) == []
