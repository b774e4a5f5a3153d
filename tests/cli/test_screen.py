"""What a person sees on a terminal: every word whole, however narrow it is, and all that a file would hold."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.cli import screen
from tests.cli.conftest import ADA, CONTACTS, NOW, Folder
from tests.servers import ScriptedServer

VINCENT = "inga.specimen-king@saintvincent.example.org"
KOFI = "kofi.asante@ghana.example.org"
PARTY = "Saint Vincent and the Grenadines"
MORE = (
    f"Ghana,H.E. Mr.,Kofi,ASANTE,Ambassador,{KOFI},office@ghana.example.org,\n"
    f"{PARTY},Ms.,Inga,SPECIMEN-KING,Counsellor,{VINCENT},office@saintvincent.example.org,\n"
)
REFUSED = "550 5.7.1 This message has been blocked, see https://relay.example.org/help/why-was-my-message-blocked"


def on_terminal(folder: Folder, *words: str, columns: int = 80) -> list[str]:
    """The lines that the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    command = [sys.executable, "-m", "mailer", *words]
    process = subprocess.Popen(command, cwd=folder.path, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = bytearray()
    while piece := _read(ours):
        written += piece
    os.close(ours)
    process.wait(20)
    return click.unstyle(written.decode()).splitlines()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # as Linux says that nobody writes to it any more
        return b""


@pytest.fixture
def known(folder: Folder) -> Folder:
    """A folder with long names, long addresses and a long refusal, whose invitations have gone out."""
    folder.write("contacts/missions.csv", CONTACTS + MORE)
    with ScriptedServer({"rcpt": [REFUSED]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    return folder


def answers_of(folder: Folder) -> list[str]:
    """Has two answers recorded, and returns the references of all deliveries."""
    folder.run("answers", "record", VINCENT, "in-person")
    folder.run("answers", "record", KOFI, "regrets", "--by", "Abena Owusu-Specimen")
    return [row["reference"] for row in folder.run("status", "--json").json["deliveries"]]


@pytest.mark.parametrize("columns", [80, 120])
def test_contacts_are_read_at_a_glance(known: Folder, columns: int) -> None:
    """Addresses and states stay whole, nothing of a row is lost, and no line is broken by the terminal."""
    lines = on_terminal(known, "contacts", columns=columns)
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    for cell in (KOFI, VINCENT, PARTY, "Ms. Inga SPECIMEN-KING, Counsellor", "do not contact", "Excellency,"):
        assert cell in text
    assert sum(line.split().count("active") for line in lines) == 5


@pytest.mark.parametrize("columns", [80, 120])
def test_the_status_shows_what_failed_where_a_terminal_stays(known: Folder, columns: int) -> None:
    """Address and state stand beside each other, the relay's words are whole, and what failed comes last."""
    lines = on_terminal(known, "status", "--now", NOW, columns=columns)
    assert max(map(len, lines)) <= columns
    rows = {line.split()[0]: number for number, line in enumerate(lines) if "@" in line.split(" ")[0]}
    assert lines[rows["ada@belgium.example.org"]].split()[1] == "failed"
    assert lines[rows[VINCENT]].split()[1] == "sent"
    assert max(rows, key=lambda recipient: rows[recipient]) == "ada@belgium.example.org"
    told = " ".join(" ".join(lines).split())
    assert REFUSED in told
    assert f"{PARTY} 250 2.0.0 Queued" in told
    assert "see what failed with mailer resolve --failed" in told


@pytest.mark.parametrize("columns", [80, 120])
def test_answers_keep_their_references_and_states(known: Folder, columns: int) -> None:
    """Whoever looks a reference up can copy it."""
    references = answers_of(known)
    lines = on_terminal(known, "answers", "list", "--now", NOW, columns=columns)
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    assert sum(reference in text for reference in references) == 2
    for cell in (VINCENT, "Abena Owusu-Specimen", "in person", "regrets", "matched", PARTY):
        assert cell in text


@pytest.mark.parametrize(
    "words", [("check",), ("send", "--dry-run", "--skip-invalid"), ("send", "--dry-run"), ("resolve", "--failed")]
)
def test_sentences_break_between_words(known: Folder, words: tuple[str, ...]) -> None:
    """On a terminal the same words are told as to a file, none of them in two parts."""
    known.write(
        "contacts/more.csv", f"Mission,Email,Rank\nGhana,{KOFI},Deputy Permanent Representative\nTogo,nobody,\n"
    )
    filed = known.run(*words)
    lines = on_terminal(known, *words, "--now", NOW)
    assert max(map(len, lines)) <= 80
    assert sorted(" ".join(lines).split()) == sorted((filed.out + filed.err).split())


def test_a_file_gets_one_line_a_fact(known: Folder) -> None:
    """What is redirected is not broken at all, for whoever searches in it."""
    lines = known.run("contacts", now=None).out.splitlines()
    assert [line for line in lines if KOFI in line and "Ghana" in line and "Excellency," in line]
    assert sum("@" in line for line in lines) == 6


def test_json_is_not_broken_on_a_terminal(known: Folder) -> None:
    """A long value stays one, so that what is copied from the screen can be read by a machine."""
    lines = on_terminal(known, "status", "--json", "--now", NOW, columns=40)
    assert any(REFUSED.removeprefix("550 ") in line for line in lines)


@pytest.mark.parametrize("command", ["", "doctor", "resolve", "answers import"])
def test_help_fits_a_terminal(folder: Folder, command: str) -> None:
    """Each exit code stands whole in the help."""
    lines = on_terminal(folder, *command.split(), "--help")
    assert max(map(len, lines)) <= 80


def test_a_mission_is_named_once_in_a_dry_run(folder: Folder) -> None:
    """Where the mission itself is addressed, its name is not repeated in brackets."""
    told = folder.run("send", "--dry-run").out
    (line,) = [line for line in told.splitlines() if "registry@namibia.example.org" in line]
    assert line.count("Namibia") == 1
    assert "(Permanent Mission of the Republic of Kenya to the United Nations)" in told


def test_what_strangers_write_does_nothing_to_a_terminal(folder: Folder) -> None:
    """Whoever fills in the public form, or heads a column, can neither clear the screen nor name its window."""
    escape = "\x1b]0;Ours\x07\x1b[2J\x9b31m"
    folder.write("contacts/missions.csv", CONTACTS.replace("Status", f"Status,Table{escape}", 1))
    folder.write("answers.csv", f"Name,Email,Coming\nEve{escape}SAMPLE,eve@sample.example.org,yes\n,{ADA},yes\n")
    with ScriptedServer() as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    folder.run("answers", "import", "answers.csv", "--columns", "name=Name,email=Email,attendance=Coming", "--yes")
    for words in (("answers", "review", "--now", NOW), ("answers", "list", "--now", NOW), ("contacts",)):
        told = on_terminal(folder, *words)
        assert "Ours" in "".join(told)
        assert all(line.isprintable() for line in told)


# --- the layout -------------------------------------------------------------------------------------------------------

LINES = st.text(st.sampled_from("ab, -é漢ا"), max_size=80)
CELL = st.lists(st.text(st.sampled_from("ab@.-é漢"), min_size=1, max_size=12), max_size=6).map(" ".join)


@given(LINES, st.integers(1, 40))
def test_a_sentence_keeps_its_words(text: str, width: int) -> None:
    """No word is lost, moved or broken, and only a word that is too long for the screen leaves it."""
    broken = screen.sentence(text, width)
    assert broken.split() == text.split()
    for line in broken.split("\n"):
        assert _columns(line) <= width or " " not in line.strip(" ")


def _columns(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def test_what_continues_a_line_is_seen_to_do_so() -> None:
    """It stands under the text of its line where a number or a word goes before that, else deeper than the line."""
    assert screen.sentence("     17  left out: already sent", 24) == "     17  left out:\n         already sent"
    assert screen.sentence("error: a.csv: is empty. Fill it.", 22) == "error: a.csv: is\n  empty. Fill it."
    assert screen.sentence("one\n  two three", 8) == "one\n  two\n    three"


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=5), st.integers(30, 60))
def test_a_table_keeps_its_cells(rows: list[tuple[str, ...]], width: int) -> None:
    """Every word of every cell stands whole on the screen, and no line is wider than that."""
    headings = ("Kind", "Address", "State", "Words")
    lines = [line for line, _ in screen.table(headings, rows, width, once=("Kind",), beside=("Address", "State"))]
    words = " ".join(lines).split()
    assert {word for row in rows for cell in row for word in cell.split()} <= set(words)
    assert all(_columns(line) <= width for line in lines)


def test_a_table_that_fits_has_one_line_a_row() -> None:
    """Nothing is moved without need."""
    headings, rows = ("Address", "State", "Words"), [("a@example.org", "sent", "250 Ok"), ("b@example.org", "", "")]
    lines = list(screen.table(headings, rows, 80, once=("State",), beside=("Address",)))
    assert lines == [
        ("Address        State  Words", True),
        ("a@example.org  sent   250 Ok", False),
        ("b@example.org", False),
    ]
