"""`mailer send` against relays that take less than the mailing needs: nobody is blamed for what is not theirs."""

import re
import sqlite3
import sys
from contextlib import closing

import pytest

from mailer.cli import main
from tests.cli.conftest import ADA, BEN, Folder, typing
from tests.servers import ScriptedServer

JOERG = "jörg@fiji.example.org"


def guests(number: int, domains: int = 5) -> str:
    rows = (f"Fiji,guest{n}@office{n % domains}.example.org\n" for n in range(number))
    return "Mission,Email\n" + "".join(rows)


@pytest.mark.parametrize("features", [(), ("PIPELINING",), ("8BITMIME",), ("PIPELINING", "SMTPUTF8")])
def test_an_address_that_the_relay_cannot_carry_is_tried_once(folder: Folder, features: tuple[str, ...]) -> None:
    """It fails alone; the others are sent, and the relay is left in peace."""
    with ScriptedServer(features=features) as relay:
        folder.relay(relay)
        folder.write("contacts/missions.csv", f"{guests(2)}Fiji,{JOERG}\n")
        assert folder.run("send", "--yes").code == 1
        assert len(relay.accepted) == 2
    states = folder.states()
    assert states.pop(JOERG) == "failed"
    assert set(states.values()) == {"sent"}
    with closing(sqlite3.connect(folder.path / "ledger.db")) as ledger:
        assert ledger.execute("SELECT COUNT(*) FROM attempts").fetchone()[0] <= 3 + 1


@pytest.mark.parametrize("feature", ["8BITMIME", "SMTPUTF8"])
def test_a_copy_that_the_relay_cannot_carry_is_left_out(folder: Folder, feature: str) -> None:
    """The addressee is written to, without that address in any header, and the ledger says who got no copy."""
    with ScriptedServer(features=(feature,)) as relay:
        folder.relay(relay)
        folder.write(
            "contacts/missions.csv", f"Mission,Email,Cc\nFiji,anna@fiji.example.org,{JOERG}; ben@fiji.example.org\n"
        )
        sent = folder.run("send", "--yes")
    assert (sent.code, "1 sent, but not to everybody in copy" in sent.out) == (0, True)
    [message] = relay.accepted
    assert message.recipients == ["anna@fiji.example.org", "ben@fiji.example.org"]
    assert JOERG.encode() not in message.content
    with closing(sqlite3.connect(folder.path / "ledger.db")) as ledger:
        assert ledger.execute("SELECT note FROM attempts").fetchall() == [(f"Cc {JOERG} left out: needs SMTPUTF8",)]
    assert f"Cc {JOERG} left out: needs SMTPUTF8; 250" in folder.run("status").out


def test_a_sender_in_a_domain_of_any_script_is_served(folder: Folder, relay: ScriptedServer) -> None:
    """Message-IDs and envelope have the domain as DNS has it."""
    folder.relay(relay, MAIL_FROM="Büro <info@bücher.example>")
    assert folder.run("send", "--yes").code == 0
    assert re.search(rb"^Message-ID: <\w+@xn--bcher-kva\.example>", relay.accepted[0].content, re.M)


def test_a_sender_that_no_message_can_carry_stops_the_run(folder: Folder, relay: ScriptedServer) -> None:
    """What concerns every message alike is told once, and nobody has failed."""
    folder.relay(relay, MAIL_FROM="Büro <büro@sender.example.org>")
    stopped = folder.run("send", "--yes")
    assert (stopped.code, len(relay.accepted)) == (4, 0)
    assert "MAIL_FROM" in stopped.err
    assert "failed" not in folder.states().values()


@pytest.mark.parametrize(("attached", "limit"), [(30_000, 30_000), (20_000, 28_000), (0, 1_500)])
def test_a_mailing_that_is_too_large_for_the_relay_stops_the_run(folder: Folder, attached: int, limit: int) -> None:
    """The relay's limit is named, and who was not asked has not failed: with a higher limit all are sent."""
    event = next(folder.path.glob("templates/*/event.toml"))
    (event.parent / "note.pdf").write_bytes(b"%PDF-1.4\n" + bytes(attached))
    if attached:
        mailing = "[mailings.invitation]"
        event.write_text(event.read_text("utf-8").replace(mailing, f'{mailing}\nattachments = ["note.pdf"]'), "utf-8")
    with ScriptedServer(features=("8BITMIME", f"SIZE {limit}")) as relay:
        folder.relay(relay)
        stopped = folder.run("send", "--yes")
        assert stopped.code == 4
        assert f"takes {limit:,} octets at most" in stopped.err
        assert "failed" not in folder.states().values()
        relay.features = ["8BITMIME", "SIZE 90000"]
        assert folder.run("send", "--yes").code == 0
        assert len(relay.accepted) == 3


@pytest.mark.parametrize(
    "words",
    [
        "554 5.7.1 <a@b.example.org>: Relay access denied",
        "550 5.7.1 Relaying denied. Proper authentication required.",
        "550 relay not permitted",
        "454 4.7.1 <a@b.example.org>: Relay access denied",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
    ],
)
def test_who_has_not_logged_in_is_told_so(folder: Folder, words: str) -> None:
    """A relay that takes no mail from strangers stops the run; after the login everybody is sent to."""
    with ScriptedServer({"rcpt": words}) as relay:
        folder.relay(relay)
        stopped = folder.run("send", "--yes")
        assert stopped.code == 4
        assert "SMTP_USERNAME" in stopped.err
        assert set(folder.states().values()) <= {"queued", "deferred"}
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 0


def test_one_whom_the_relay_has_no_way_to_fails_alone(folder: Folder) -> None:
    """Once a relay has taken anything of ours without a login, such words are of the recipient; of a Cc, always."""
    denied = "550 5.7.1 Relaying denied"
    with ScriptedServer({"rcpt": ["250 Ok", denied, "250 Ok"]}) as relay:
        folder.relay(relay)
        folder.write("contacts/missions.csv", guests(3))
        assert folder.run("send", "--yes").code == 1
    assert list(folder.states().values()) == ["sent", "failed", "sent"]
    with ScriptedServer({"rcpt": ["250 Ok", denied]}) as relay:
        folder.relay(relay)
        folder.write("contacts/late.csv", "Mission,Email,Cc\nPeru,a@peru.example.org,b@peru.example.org\n")
        folder.run("send", "--yes")
    assert [transaction.recipients for transaction in relay.accepted] == [["a@peru.example.org"]]


def test_ten_of_one_house_do_not_stop_the_others(folder: Folder) -> None:
    """Refusals alike by one domain, or without a way there, are believed of those recipients."""
    with ScriptedServer({"rcpt": ["554 5.7.1 Blocked by their filter"] * 12}) as relay:
        folder.relay(relay)
        folder.write("contacts/missions.csv", guests(12, domains=1) + "Peru,a@peru.example.org\n")
        assert folder.run("send", "--yes").code == 1
        assert len(relay.accepted) == 1


def test_a_relay_that_refuses_one_after_the_other_alike_is_left(folder: Folder) -> None:
    """After ten refusals for one reason that is not theirs the rest is not tried, and is due again."""
    with ScriptedServer({"rcpt": ["554 5.7.1 Client host blocked by a list"] * 99}) as relay:
        folder.relay(relay)
        folder.write("contacts/missions.csv", guests(30))
        stopped = folder.run("send", "--yes")
        assert stopped.code == 4
        assert "Client host blocked" in stopped.err
        failed = list(folder.states().values()).count("failed")
        assert 10 <= failed <= 12
    with ScriptedServer() as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
        assert len(relay.accepted) == 30 - failed


def test_a_list_of_wrong_addresses_is_gone_through(folder: Folder) -> None:
    """What is said of an address is believed of each, however many there are."""
    with ScriptedServer({"rcpt": ["550 5.1.1 No such user"] * 99}) as relay:
        folder.relay(relay)
        folder.write("contacts/missions.csv", guests(30))
        assert folder.run("send", "--yes").code == 1
    assert list(folder.states().values()) == ["failed"] * 30


def test_a_ledger_whose_maker_was_stopped_counts_as_missing(folder: Folder, relay: ScriptedServer) -> None:
    """An empty file, as a kill or a full disk leaves it, is no obstacle to looking or to sending."""
    folder.relay(relay)
    (folder.path / "ledger.db").touch()
    assert folder.run("status").code == 0
    assert folder.run("send", "--dry-run").code == 0
    assert folder.run("send", "--yes").code == 0
    assert len(relay.accepted) == 3


@pytest.fixture
def restored(folder: Folder, relay: ScriptedServer) -> Folder:
    """A folder in which a copy of the ledger from before the second run lies in its place."""
    folder.relay(relay)
    folder.run("send", "--yes", "--limit", "1")
    copy = (folder.path / "ledger.db").read_bytes()
    folder.run("send", "--yes")
    (folder.path / "ledger.db").write_bytes(copy)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("send", "--dry-run"),
        ("status", "--json"),
        ("answers", "list", "--json"),
        ("answers", "review", "--json"),
        ("resolve",),
        ("suppress", "--json"),
    ],
)
def test_whoever_looks_into_an_older_copy_is_warned_once(restored: Folder, words: tuple[str, ...]) -> None:
    """It does not tell who was written to since, which one line on standard error says."""
    looked = restored.run(*words)
    assert (looked.code, looked.err.count("is an older copy: 4 later claims and outcomes are not in it")) == (0, 1)
    assert "warning" in looked.err


@pytest.mark.parametrize("words", [("resolve",), ("answers", "review"), ("forget", BEN)], ids=" ".join)
def test_nobody_is_asked_about_an_older_copy(
    restored: Folder, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """On a terminal it is refused before the first question, as no decision could be written into it."""
    refused = typing(restored, monkeypatch, "", *words)
    assert (refused.code, refused.out) == (3, "")
    assert refused.err.count("is an older copy") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("send", "--yes"),
        ("answers", "import", "rsvp.csv", "--yes"),
        ("answers", "record", ADA, "online"),
        ("answers", "settle", "1", "--reject"),
        ("suppress", BEN, "--reason", "asked"),
        ("suppress", "--lift", BEN),
        ("forget", BEN, "--yes"),
    ],
)
def test_nothing_is_written_into_an_older_copy(restored: Folder, relay: ScriptedServer, words: tuple[str, ...]) -> None:
    """What people say would be lost with it once the latest one is back, so that comes first."""
    restored.write("rsvp.csv", f"Timestamp,Email Address,Coming\n2031-02-24 09:00,{ADA},yes\n")
    refused = restored.run(*words)
    assert "is an older copy" in refused.err
    assert (refused.code, len(relay.accepted)) == (3, 3)
    (restored.path / "ledger.db.lock").unlink()
    assert "older copy" not in restored.run(*words).err


def test_a_ledger_that_fails_amidst_a_run_wants_a_person(folder: Folder) -> None:
    """Messages have gone out, so the exit code does not say that none has, and the words tell what stands."""

    def lose(session: object) -> str:
        (folder.path / "ledger.db").rename(folder.path / "elsewhere.db")
        return "250 Ok"

    with ScriptedServer({"dot": ["250 Ok", lose]}) as relay:
        folder.relay(relay)
        stopped = folder.run("send", "--yes")
    assert stopped.code == 1
    assert "in doubt: once the ledger can be used again, mailer resolve shows it." in stopped.err


def test_a_clock_that_was_ahead_holds_nobody_up(folder: Folder, relay: ScriptedServer) -> None:
    """What was written down in the future counts as of now: the windows hold for as long as they are, no longer."""
    folder.relay(relay, SMTP_RATE="100/minute")
    folder.run("send", "--yes", now="2031-02-25T10:00")
    folder.relay(relay, SMTP_RATE="3/minute")
    folder.write("contacts/late.csv", guests(1))
    assert "done about 10:01" in folder.run("send", "--dry-run").out


def test_what_stands_behind_an_open_quote_is_not_shown(folder: Folder) -> None:
    """A value that swallows the lines below it, passwords among them, is named and never printed."""
    folder.write("config.env", 'MAIL_FROM="Organisers <e@x>\nSMTP_PASSWORD=hush-hush\nREPLY_TO=a"\n')
    for words in (("send", "--yes"), ("check", "--json"), ("doctor",)):
        told = folder.run(*words)
        assert "hush-hush" not in told.out + told.err


def test_a_run_whose_output_nobody_reads_goes_on(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With standard output and standard error closed, as a scheduler may start it, the mailing is sent."""
    folder.relay(relay)
    monkeypatch.chdir(folder.path)
    monkeypatch.setattr(sys, "argv", ["mailer", "send", "--yes", "--now", "2031-02-24T10:00"])
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as ended:
        main()
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    assert ended.value.code == 0
    assert len(relay.accepted) == 3


def test_a_blank_decides_nothing() -> None:
    """Only a word, or its first letters, settles a doubt."""
    from mailer.cli.resolving import _choice

    with pytest.raises(Exception, match="type sent, resend or leave"):
        _choice(" ")
    assert _choice("l") is None
