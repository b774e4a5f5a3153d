"""`mailer suppress` and `forget`: who is spared, why and since when, and what is said of it."""

from datetime import datetime, timedelta

import pytest

from tests.cli.conftest import ADA, BEN, CONTACTS, EVENT, NOW, Folder, typing
from tests.servers import ScriptedServer

OFFICE = "office@belgium.example.org"


def test_an_address_is_suppressed_in_a_working_folder_alone(folder: Folder) -> None:
    """Elsewhere it would be written into a ledger that no event has; a name that nobody knows is asked about."""
    told = folder.run("suppress", "nobody@example.org", "--reason", "asked")
    assert told.code == 0
    assert "spelled" in told.out
    for path in (folder.path / "templates").rglob("event.toml"):
        path.unlink()
    assert folder.run("suppress", "nobody@example.org", "--reason", "asked").code == 2


def test_the_suppressed_are_listed_with_reason_and_moment(folder: Folder) -> None:
    """Those whom the lists name, copies too, are named in any spelling; the others are counted."""
    assert folder.run("suppress").out == "Nobody is suppressed.\n"
    assert not (folder.path / "ledger.db").exists()
    folder.run("suppress", BEN.upper(), "--reason", "asked by telephone")
    folder.run("suppress", OFFICE, "--reason", "wants no copies", now="2031-02-25T10:00")
    folder.run("suppress", "nobody@example.org", "--reason", "asked in the hall", now="2031-02-26T10:00")
    listed = folder.run("suppress")
    assert listed.code == 0
    first, second, third = listed.out.splitlines()
    assert first.startswith(f"{BEN}, since ")
    assert first.endswith("February 2031: asked by telephone")
    assert second.startswith(OFFICE)
    assert third.startswith("1 not named")
    found = folder.run("suppress", "--json").json
    assert found["unnamed"] == 1
    assert [(one["address"], one["reason"]) for one in found["suppressed"]] == [
        (BEN, "asked by telephone"),
        (OFFICE, "wants no copies"),
    ]
    late = datetime.fromisoformat(found["suppressed"][0]["at"]) - datetime.fromisoformat(f"{NOW}+00:00")
    assert timedelta() <= late < timedelta(minutes=5)


def test_a_first_reason_stays(folder: Folder) -> None:
    """Whoever suppresses an address once more reads why it is suppressed already."""
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    again = folder.run("suppress", BEN, "--reason", "left")
    assert again.code == 0
    assert "Nothing changes" in again.out
    assert again.out.endswith("2031: asked by telephone\n")


@pytest.mark.parametrize(
    "words",
    [(BEN,), (BEN, "--reason", " "), (BEN, "--reason", "forgotten"), (BEN, "--lift", "--reason", "R"), ("--lift",),
     ("--reason", "R"), (BEN, "--json"), ("Ben", "--reason", "R"), (BEN, "--reason", "Zo\udce9")],
)  # fmt: skip
def test_what_is_not_clear_suppresses_nobody(folder: Folder, words: tuple[str, ...]) -> None:
    """A missing or empty reason, the one that `forget` leaves, and options that go with something else are usage."""
    assert folder.run("suppress", *words).code == 2
    assert folder.run("suppress").out == "Nobody is suppressed.\n"


def test_the_reason_stands_wherever_somebody_is_left_out(folder: Folder, relay: ScriptedServer) -> None:
    """A dry run and `status` show it, before anything was sent and after."""
    folder.relay(relay)
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    assert f"left out {BEN}: suppressed: asked by telephone" in folder.run("send", "--dry-run").out
    assert "suppressed: asked by telephone" in folder.run("status").out
    folder.run("suppress", ADA, "--reason", "retired")
    folder.run("suppress", BEN, "--lift")
    folder.run("send", "--yes")
    assert "suppressed: retired" in folder.run("status").out


def test_what_waits_shows_why_it_was_stopped(folder: Folder) -> None:
    """The row of a suppressed delivery has the reason in place of what the relay said before."""
    with ScriptedServer({f"rcpt:{BEN}": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    [line] = [line for line in folder.run("status").out.splitlines() if BEN in line]
    assert "asked by telephone" in line
    assert "Greylisted" not in line


def test_a_suppression_is_lifted_and_what_waited_is_sent(folder: Folder) -> None:
    """What it stopped is queued at once, also after a first try, and the next `send` delivers it."""
    with ScriptedServer({f"rcpt:{BEN}": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    folder.run("suppress", BEN, "--reason", "a slip of the hand")
    assert folder.states()[BEN] == "suppressed"
    lifted = folder.run("suppress", "--lift", BEN)
    assert lifted.code == 0
    assert "queued: 1 message" in lifted.out
    assert lifted.out.endswith("Now: mailer send\n")
    assert folder.states()[BEN] == "queued"
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes", now="2031-02-24T12:00").code == 0
    assert BEN in [transaction.recipients[0] for transaction in relay.accepted]


def test_what_a_lifted_suppression_queues_is_sent_by_the_command_that_is_named(folder: Folder) -> None:
    """A reminder by `remind`; nothing by any command where the lists name the address no more, or once it is late."""
    with ScriptedServer() as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    day = "2031-02-28T10:00"
    with ScriptedServer({f"rcpt:{BEN}": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay)
        folder.run("remind", "--yes", now=day)
    lifted = {}
    for now in (day, "2031-03-08T10:00"):
        folder.run("suppress", BEN, "--reason", "a slip of the hand", now=day)
        lifted[now] = folder.run("suppress", "--lift", BEN, now=now).out
    assert lifted[day].endswith("Now: mailer remind --mailing reminder\n")
    assert "reminder-7d is sent no more (1 message): the deadline has passed" in lifted["2031-03-08T10:00"]
    folder.run("suppress", BEN, "--reason", "left", now=day)
    folder.write("contacts/missions.csv", "".join(row for row in CONTACTS.splitlines(True) if BEN not in row))
    gone = folder.run("suppress", "--lift", BEN, now=day).out
    assert gone.endswith(f"1 waiting in vain (in no sound row of the lists any more): {BEN}\n")


def test_a_suppression_is_lifted_whatever_is_wrong_in_the_event(folder: Folder) -> None:
    """That its next command cannot be named is no refusal: what was asked for is done."""
    with ScriptedServer({f"rcpt:{BEN}": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    folder.run("suppress", BEN, "--reason", "a slip of the hand")
    sound = folder.write("templates/round-table/event.toml", "title = ")
    lifted = folder.run("suppress", "--lift", BEN)
    assert (lifted.code, lifted.err) == (0, "")
    assert "queued: 1 message" in lifted.out
    assert lifted.out.endswith("mailer check round-table\n")
    sound.write_text(EVENT, "utf-8")
    assert folder.states()[BEN] == "queued"


def test_only_what_is_suppressed_and_not_forgotten_is_lifted(folder: Folder) -> None:
    """An address that is not suppressed, and one that was forgotten, are refused in so many words."""
    unknown = folder.run("suppress", "--lift", BEN)
    assert unknown.code == 3
    assert f"{BEN} is not suppressed" in unknown.err
    folder.run("forget", BEN)
    refused = folder.run("suppress", "--lift", BEN)
    assert refused.code == 3
    assert "was forgotten, which is for good" in refused.err
    assert folder.run("suppress", "--json").json["suppressed"][0]["reason"] == "forgotten"


def test_forgetting_asks_on_a_terminal(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything but yes erases nothing; `--yes` is not asked, nor is a script without a terminal."""
    refused = typing(folder, monkeypatch, "\n", "forget", BEN)
    assert refused.code == 2
    assert f"Type yes to erase every word about {BEN} for good" in refused.out
    assert folder.run("suppress").out == "Nobody is suppressed.\n"
    erased = typing(folder, monkeypatch, "yes\n", "forget", BEN)
    assert erased.code == 0
    for elsewhere in ("spreadsheets", "exports of answers", "preview/", "outbox/"):
        assert elsewhere in " ".join(erased.out.split())
    assert "Type yes" not in typing(folder, monkeypatch, "", "forget", "--yes", ADA).out
    assert folder.run("forget", OFFICE).code == 0
    assert {one["address"] for one in folder.run("suppress", "--json").json["suppressed"]} == {BEN, ADA, OFFICE}


def test_what_was_made_anonymous_is_counted(folder: Folder, relay: ScriptedServer) -> None:
    """Messages, copies and answers alike, each with its number."""
    folder.relay(relay)
    folder.run("send", "--yes")
    folder.run("answers", "record", ADA, "online", "--by", "Zoe Sample", "--email", "zoe@belgium.example.org")
    assert "Made anonymous: 0 messages, 1 answer." in folder.run("forget", "zoe@belgium.example.org").out
    assert "Made anonymous: 1 message, 0 answers." in folder.run("forget", OFFICE).out
    told = folder.run("forget", BEN)
    assert "Made anonymous: 1 message, 0 answers." in told.out
    assert "spelled" not in told.out


def test_an_address_that_nothing_had_is_asked_about(folder: Folder, relay: ScriptedServer) -> None:
    """It is told that nothing was found and where it might be misspelled; the second time, that it is forgotten."""
    folder.relay(relay)
    folder.run("send", "--yes")
    told = folder.run("forget", "bne@kenya.example.org")
    assert told.code == 0
    assert "Nothing in the ledger had it: see that it is spelled as in your lists." in told.out
    again = folder.run("forget", "bne@kenya.example.org")
    assert again.code == 0
    assert "It had been forgotten" in again.out
