"""`mailer resolve`: what is in doubt is told honestly, and settled only as a person said."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from mailer.errors import LedgerError
from mailer.ledger import Ledger
from tests.cli.conftest import ADA, ALL_IN_DOUBT, BEN, CONTACTS, EVENT, REGISTRY, TEMPLATE, Folder, typing
from tests.servers import ScriptedServer, drop


def test_two_decisions_contradict_each_other(doubtful: Folder) -> None:
    """`--sent` with `--resend` settles nothing and is a question back, in whatever order they stand."""
    for words in (("--sent", "--resend"), ("--resend", "--sent")):
        refused = doubtful.run("resolve", *words, ADA)
        assert refused.code == 2
        assert "--sent and --resend contradict each other: name one." in refused.err
    assert doubtful.states() == ALL_IN_DOUBT


@pytest.mark.parametrize(
    ("decision", "question"), [("--sent", "to mark 3 messages as sent"), ("--resend", "to have 3 messages sent again")]
)
def test_all_of_them_are_not_settled_by_a_slip(
    doubtful: Folder, monkeypatch: pytest.MonkeyPatch, decision: str, question: str
) -> None:
    """On a terminal a decision without an address asks first, and anything but yes leaves all as it was."""
    refused = typing(doubtful, monkeypatch, "\n", "resolve", decision)
    assert refused.code == 2
    assert question in refused.out
    assert doubtful.states() == ALL_IN_DOUBT
    assert typing(doubtful, monkeypatch, "yes\n", "resolve", decision).code == 0
    assert set(doubtful.states().values()) == {"sent" if decision == "--sent" else "queued"}


def test_whoever_is_sure_is_not_asked(doubtful: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a named address nor `--yes` asks on a terminal."""
    assert "Type yes" not in typing(doubtful, monkeypatch, "", "resolve", "--sent", ADA).out
    assert typing(doubtful, monkeypatch, "", "resolve", "--sent", "--yes").code == 0
    assert set(doubtful.states().values()) == {"sent"}


def test_a_script_is_not_asked(doubtful: Folder) -> None:
    """Without a terminal a decision about all of them needs no `--yes`."""
    settled = doubtful.run("resolve", "--sent")
    assert settled.code == 0
    assert "3 marked as sent; nothing is in doubt any more" in settled.out


def test_what_still_stands_is_told(doubtful: Folder) -> None:
    """Whoever settles one of several reads how many are left, and the exit code is 1 until none is."""
    first = doubtful.run("resolve", ADA, "--sent")
    assert first.code == 1
    assert "1 marked as sent; 2 others are still in doubt: mailer resolve" in first.out
    assert "1 other is still in doubt" in doubtful.run("resolve", BEN, "--sent").out
    assert doubtful.run("resolve", REGISTRY, "--sent").code == 0


def test_no_more_is_told_than_is_known(doubtful: Folder) -> None:
    """A claim is called a claim: nobody knows that it was handed over."""
    shown = doubtful.run("resolve").out
    assert shown.count("; it may have been handed over") == 3
    assert "  claimed for 127.0.0.1:" in shown
    assert "handed to" not in shown


def test_what_to_do_next_is_told(doubtful: Folder) -> None:
    """Where nothing is settled the ways to settle it are named, and behind a re-send the command that sends."""
    listed = doubtful.run("resolve", "round-table")
    assert listed.code == 1
    assert "Settle them: mailer resolve ADDRESS --sent or --resend, or --archive FOLDER" in listed.out
    again = doubtful.run("resolve", "--resend")
    assert again.out.endswith("Now: mailer send\n")


def test_each_command_names_the_event_where_there_are_several(doubtful: Folder) -> None:
    """What is named can be typed as it stands; EVENT in config.env spares the name."""
    doubtful.write("templates/forum/event.toml", EVENT)
    assert "Settle them: mailer resolve round-table ADDRESS" in doubtful.run("resolve", "round-table").out
    assert doubtful.run("resolve", "round-table", ADA, "--resend").out.endswith("Now: mailer send round-table\n")
    doubtful.write("templates/the forum/event.toml", EVENT)
    assert "due: mailer send 'the forum'" in doubtful.run("status", "the forum").out
    doubtful.write("config.env", "EVENT=round-table\n")
    assert doubtful.run("resolve", BEN, "--resend").out.endswith("Now: mailer send\n")


def test_a_mailing_of_another_name_is_named_with_its_command(folder: Folder) -> None:
    """What `send` alone would not send again is told with `--mailing`."""
    update = '[mailings.invitation]\n[mailings.update]\naudience = "contacts"\n'
    folder.write("templates/round-table/event.toml", EVENT.replace("[mailings.invitation]", update))
    folder.write("templates/round-table/update.md", TEMPLATE)
    with ScriptedServer({"dot": [drop]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes", "--mailing", "update")
        assert "Now: mailer send --mailing update" in folder.run("resolve", "--resend", ADA).out
        assert folder.run("send", "--mailing", "update", "--yes", now="2031-02-24T11:00").code == 0


def test_a_letter_is_answer_enough(doubtful: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the question s, r and l stand for sent, resend and leave; another word is asked for again."""
    answered = typing(doubtful, monkeypatch, "s\nperhaps\nR\nl\n", "resolve")
    assert answered.code == 1
    assert "type sent, resend or leave" in answered.out + answered.err
    assert doubtful.states() == {ADA: "sent", BEN: "queued", REGISTRY: "in_doubt"}
    assert "1 marked as sent, 1 to be sent again; 1 other is still in doubt" in answered.out


@contextmanager
def claiming(folder: Folder) -> Iterator[None]:
    """A run that has claimed two deliveries that were in doubt, for as long as the `with` lasts."""
    now = datetime(2031, 2, 24, 9, tzinfo=UTC)
    folder.run("resolve", "--resend", ADA, BEN)
    with (
        Ledger.open(f"sqlite:///{folder.path}/ledger.db?timeout=0.05") as ledger,
        ledger.run("round-table", "invitation", now, relay="relay.example.org:25") as run,
    ):
        run.exchange((), list(ledger.due("round-table", "invitation", now).values()), now)
        yield


def test_what_a_living_run_has_claimed_is_on_its_way(doubtful: Folder) -> None:
    """Nobody is asked to settle it, and whose it is is told."""
    doubtful.run("resolve", "--sent", REGISTRY)
    with claiming(doubtful):
        shown = doubtful.run("resolve")
    assert shown.code == 0
    assert "2 messages on the way, as long as that run lives. The ledger ledger.db is in use: process" in shown.out
    assert shown.out.endswith("Nothing else is in doubt.\n")


def test_what_a_dead_run_had_claimed_is_told_where_the_ledger_cannot_be_written(doubtful: Folder) -> None:
    """It is named, with the reason why it cannot be settled yet, and the exit code says that it wants a person."""
    doubtful.run("resolve", "--sent", REGISTRY)
    doubtful.write("config.env", "LEDGER_URL=sqlite:///ledger.db?timeout=0.05\n")
    with closing(sqlite3.connect(doubtful.path / "ledger.db", isolation_level=None)) as other:
        with pytest.raises(LedgerError), claiming(doubtful):
            other.execute("BEGIN IMMEDIATE")
        shown = doubtful.run("resolve")
        assert shown.code == 1
        for recipient in (ADA, BEN):
            assert f"{recipient} (" in shown.out
        assert shown.out.count("  claimed on 24 February 2031 at 10:00:00 CET; it may have been handed over") == 2
        assert "2 messages claimed by no run that is known to live, and not to be settled now." in shown.out
        assert "ledger.db is locked by another program." in shown.out
        assert "see whether anybody sends it with mailer resolve" in doubtful.run("status").out
        other.execute("ROLLBACK")
    assert "2 are in doubt" in doubtful.run("resolve").out


def test_an_archive_that_is_not_there_is_told_alone(doubtful: Folder) -> None:
    """Its one sentence does not stand below a long list."""
    refused = doubtful.run("resolve", "--archive", "nowhere")
    assert (refused.code, refused.out) == (2, "")
    assert "nowhere is not there" in refused.err


def test_status_names_the_way_out_of_a_doubt(doubtful: Folder) -> None:
    """The line of a mailing with some in doubt says what settles them."""
    assert "invitation: 3 in doubt; settle what is in doubt with mailer resolve" in doubtful.run("status").out
    doubtful.run("resolve", "--sent")
    assert "mailer resolve" not in doubtful.run("status").out


def test_what_was_refused_is_sent_again_once_that_is_mended(folder: Folder) -> None:
    """`--failed` shows each with the relay's words; with `--resend` it is queued, under its Message-ID and Date."""
    with ScriptedServer({"dot": ["554 5.7.1 Looks like spam", "250 Ok", "250 Ok"]}) as relay:
        folder.relay(relay)
        sent = folder.run("send", "--yes")
        assert sent.code == 1
        assert "mailer resolve --failed" in sent.out
    shown = folder.run("resolve", "--failed")
    assert shown.code == 1
    assert ADA in shown.out
    assert "554 5.7.1 Looks like spam" in shown.out
    assert folder.run("resolve", "--failed", "--resend", BEN).code == 2
    assert folder.run("resolve", "--failed", "--sent").code == 2
    again = folder.run("resolve", "--failed", "--resend", ADA)
    assert again.code == 0
    assert "Now: mailer send" in again.out
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 0
    assert [transaction.recipients[0] for transaction in relay.accepted] == [ADA]
    assert folder.run("resolve", "--failed").out == "Nothing has failed.\n"


def test_what_was_given_up_is_told_apart_from_a_refusal(folder: Folder) -> None:
    """A mailbox that stayed full until the give-up time says so in the table, in the JSON and in `resolve --failed`."""
    with ScriptedServer({f"rcpt:{BEN}": ["452 4.2.2 Mailbox full"] * 99}) as relay:
        folder.relay(relay, RETRY_AFTER="0.1", GIVE_UP_AFTER="0.3")
        assert folder.run("send", "--yes", "--wait").code == 1
    assert "given up: the mailbox is full; 452 4.2.2 Mailbox full" in folder.run("resolve", "--failed").out
    assert "given up: the mailbox is full; 452 4.2.2 Mailbox full" in folder.run("status").out
    [row] = [row for row in folder.run("status", "--json").json["deliveries"] if row["recipient"] == BEN]
    assert row["note"] == "given up: the mailbox is full"


REMINDED, NEXT, OVER = "2031-02-28T10:00", "2031-03-05T10:00", "2031-03-08T10:00"


@pytest.fixture
def reminded(folder: Folder) -> Folder:
    """A folder in which the first reminder to one of three was refused."""
    with ScriptedServer() as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    with ScriptedServer({f"rcpt:{ADA}": "550 5.1.1 No such user"}) as relay:
        folder.relay(relay)
        refused = folder.run("remind", "--yes", now=REMINDED)
    assert refused.code == 1
    assert "1 failed: see why" in refused.out
    return folder


def test_a_refused_reminder_is_sent_again_on_its_day(reminded: Folder) -> None:
    """`--failed` shows it under its mailing's name, and with `--resend` the next `remind` sends it, to nobody else."""
    shown = reminded.run("resolve", "--failed", now=REMINDED)
    assert shown.code == 1
    assert f"{ADA} (Belgium), reminder-7d, Message-ID" in shown.out
    assert "550 5.1.1 No such user" in shown.out
    assert "mailer resolve --failed" in reminded.run("status", now=REMINDED).out
    again = reminded.run("resolve", "--failed", "--resend", ADA, now=REMINDED)
    assert again.code == 0
    assert "1 to be sent again\nNow: mailer remind --mailing reminder\n" in again.out
    with ScriptedServer() as relay:
        reminded.relay(relay)
        assert reminded.run("remind", "--yes", now=REMINDED).code == 0
    assert [transaction.recipients[0] for transaction in relay.accepted] == [ADA]
    assert reminded.run("resolve", "--failed", now=REMINDED).out == "Nothing has failed.\n"


@pytest.mark.parametrize(
    ("now", "reason"),
    [(NEXT, "the next reminder goes to whoever of them has not answered"), (OVER, "the deadline has passed")],
)
def test_a_refused_reminder_is_not_made_up_for(reminded: Folder, now: str, reason: str) -> None:
    """Once its time is over it is shown with what comes instead, and `--resend` leaves it as failed."""
    for words in ((), ("--resend",), ("--resend", ADA)):
        shown = reminded.run("resolve", "--failed", *words, now=now)
        assert shown.code == 0
        assert "550 5.1.1 No such user" in shown.out
        assert f"reminder-7d is sent no more (1 message): {reason}" in shown.out
        assert "Now:" not in shown.out
    failed = [row for row in reminded.run("status", "--json", now=now).json["deliveries"] if row["state"] == "failed"]
    assert [(row["recipient"], row["mailing"]) for row in failed] == [(ADA, "reminder-7d")]
    told = reminded.run("status", now=now).out
    assert f"reminder-7d: 1 failed, 2 sent; what failed is sent no more: {reason}" in told
    assert "--failed" not in told


def test_the_next_reminder_makes_up_for_a_refused_one(reminded: Folder) -> None:
    """Whoever had none is sent the next, as `resolve` says."""
    with ScriptedServer() as relay:
        reminded.relay(relay)
        reminded.run("remind", "--yes", now=NEXT)
    assert ADA in [transaction.recipients[0] for transaction in relay.accepted]


def test_an_invitation_is_not_queued_after_the_deadline(corrected: Folder) -> None:
    """No command would send it: that is said, and it stays failed until the deadline is moved."""
    assert (
        "invitation is sent no more (1 message): the deadline has passed"
        in corrected.run("resolve", "--failed", "--resend", now=OVER).out
    )
    assert corrected.states()[BEN] == "failed"
    assert "1 to be sent again" in corrected.run("resolve", "--failed", "--resend").out


def test_what_failed_of_a_mailing_that_is_gone_is_shown(corrected: Folder) -> None:
    """A mailing that event.toml has no more keeps its name in the ledger, and its way back is told."""
    corrected.write("templates/round-table/event.toml", EVENT.replace("[mailings.invitation]", "[mailings.letter]"))
    corrected.write("templates/round-table/letter.md", TEMPLATE)
    again = corrected.run("resolve", "--failed", "--resend", BEN)
    assert again.code == 0
    assert "invitation is sent no more (1 message): event.toml names it no more" in again.out
    assert corrected.states()[BEN] == "failed"


def test_a_doubtful_reminder_is_not_said_to_be_sent_after_its_time(folder: Folder) -> None:
    """Queued once more behind its day it is sent by no command, and none is named."""
    with ScriptedServer() as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    with ScriptedServer({"dot": [drop]}) as relay:
        folder.relay(relay)
        folder.run("remind", "--yes", now=REMINDED)
    settled = folder.run("resolve", "--resend", now=NEXT)
    assert "reminder-7d is sent no more (1 message): the next reminder goes to" in settled.out
    assert "Now:" not in settled.out


INFO = "info@belgium.example.org"


@pytest.fixture
def corrected(folder: Folder) -> Folder:
    """A folder in which two addresses were refused for good, and one of them then corrected in the sheet."""
    refused = "550 5.1.1 No such user"
    with ScriptedServer({f"rcpt:{ADA}": refused, f"rcpt:{BEN}": refused}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    assert folder.states() == {ADA: "failed", BEN: "failed", REGISTRY: "sent"}
    folder.write("contacts/missions.csv", CONTACTS.replace(ADA, INFO))
    return folder


def test_a_corrected_address_leaves_nothing_to_do(corrected: Folder) -> None:
    """What failed at an address that the lists name no more is told, and does not make `send` want a person."""
    with ScriptedServer() as relay:
        corrected.relay(relay)
        first = corrected.run("send", "--yes")
        assert first.code == 1
        assert "1 failed: see why" in first.out
        assert "1 failed, in no sound row of the lists any more: nothing is left to do" in first.out
        corrected.run("resolve", "--failed", "--resend")
        assert corrected.run("send", "--yes").code == 0
        assert corrected.run("send", "--yes").code == 0
    assert [t.recipients[0] for t in relay.accepted] == [INFO, BEN]
    assert corrected.states() == {ADA: "failed", BEN: "sent", REGISTRY: "sent", INFO: "sent"}
    shown = corrected.run("resolve", "--failed")
    assert shown.code == 0
    assert "Nothing is left to do" in shown.out
    assert "invitation: 1 failed, 3 sent\n" in corrected.run("status").out


def test_what_failed_of_an_event_that_is_cancelled_is_not_to_be_sent_again(
    corrected: Folder, relay: ScriptedServer
) -> None:
    """`send` names no way that `resolve --failed` would not go: nothing of the invitation is sent any more."""
    corrected.relay(relay)
    corrected.write("templates/round-table/event.toml", EVENT.replace("[rsvp]", "cancelled = true\n[rsvp]"))
    told = corrected.run("send", "--yes").out
    assert "1 failed, and the event is cancelled: see whom to write to yourself with mailer resolve --failed" in told
    assert "send again" not in told


@pytest.mark.parametrize("settled", [("answers", "record", BEN, "regrets"), ("suppress", BEN, "--reason", "dead")])
def test_a_refusal_wants_nobody_once_its_person_needs_no_invitation(
    corrected: Folder, relay: ScriptedServer, settled: tuple[str, ...]
) -> None:
    """Whoever answered by telephone after the refusal, or was suppressed, makes `send` ask for nothing any more."""
    corrected.relay(relay)
    assert corrected.run("send", "--yes").code == 1
    corrected.run(*settled)
    told = corrected.run("send", "--yes")
    assert told.code == 0
    assert "see why" not in told.out


def test_who_is_in_the_lists_no_more_is_shown_and_left_alone(corrected: Folder) -> None:
    """`--failed` marks them, and `--resend` for all leaves them out and says so."""
    shown = corrected.run("resolve", "--failed")
    assert shown.code == 1
    marked, other = shown.out.split(BEN)
    assert "in no sound row of the lists any more" in marked
    assert "in no sound row" not in other
    assert "--failed --resend, for all but those marked, or for an ADDRESS" in other
    again = corrected.run("resolve", "--failed", "--resend")
    assert again.code == 0
    assert "1 to be sent again" in again.out
    assert "1 left as failed" in again.out
    assert corrected.states()[ADA] == "failed"
    assert corrected.states()[BEN] == "queued"


def test_who_is_in_the_lists_no_more_is_sent_to_if_named(corrected: Folder) -> None:
    """Named, the old address is queued, with the word that `send` wants a row for it; with that it is sent."""
    again = corrected.run("resolve", "--failed", "--resend", ADA)
    assert again.code == 0
    assert "1 to be sent again" in again.out
    assert f"1 waiting in vain (in no sound row of the lists any more): {ADA}\n" in again.out
    assert "Now:" not in again.out
    corrected.write("contacts/missions.csv", CONTACTS)
    with ScriptedServer() as relay:
        corrected.relay(relay)
        corrected.run("send", "--yes")
    assert [t.recipients[0] for t in relay.accepted] == [ADA]


def test_who_has_answered_since_the_refusal_is_not_queued(corrected: Folder) -> None:
    """`--failed` marks whoever answered by another way, asks for nothing, and `--resend` leaves it as failed."""
    corrected.run("answers", "record", BEN, "regrets")
    shown = corrected.run("resolve", "--failed")
    assert shown.code == 0
    assert "  has answered: regrets\nNothing is left to do.\n" in shown.out
    for words in ((), (BEN,)):
        again = corrected.run("resolve", "--failed", "--resend", *words).out
        assert "0 to be sent again" in again
        assert f"1 left as failed (has answered: regrets): {BEN}" in again
        assert "Now:" not in again
    assert corrected.states()[BEN] == "failed"


def test_a_doubt_about_somebody_whom_no_run_writes_to_is_told_so(doubtful: Folder) -> None:
    """Queued again, an address corrected since or one that has answered is passed over, and only the rest is sent."""
    doubtful.write("contacts/missions.csv", CONTACTS.replace(ADA, INFO))
    doubtful.run("answers", "record", BEN, "in-person")
    again = doubtful.run("resolve", "--resend", ADA, BEN).out
    assert f"1 waiting in vain (in no sound row of the lists any more): {ADA}\n" in again
    assert f"1 waiting in vain (has answered: in person): {BEN}\n" in again
    assert "Now:" not in again
    assert doubtful.run("resolve", "--resend", REGISTRY).out.endswith("Now: mailer send\n")


def test_a_delegate_who_stands_in_no_list_is_sent_to_again(folder: Folder, relay: ScriptedServer) -> None:
    """A mailing to those who come has its addresses from the answers: those are not taken for dead ones."""
    zoe = "zoe@belgium.example.org"
    folder.relay(relay)
    folder.write("templates/round-table/event.toml", f'{EVENT}[mailings.details]\naudience = "attending"\n')
    folder.write("templates/round-table/details.md", TEMPLATE)
    folder.run("send", "--yes")
    folder.run("answers", "record", ADA, "in-person", "--by", "Zoe Sample", "--email", zoe)
    with ScriptedServer({f"rcpt:{zoe}": "554 5.7.1 Looks like spam"}) as refusing:
        folder.relay(refusing)
        assert folder.run("send", "--mailing", "details", "--yes").code == 1
    again = folder.run("resolve", "--failed", "--resend")
    assert "1 to be sent again" in again.out
    assert "left as failed" not in again.out


@pytest.mark.parametrize("failed", [True, False])
def test_who_was_suppressed_is_not_counted_as_sent_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, failed: bool
) -> None:
    """Question and report count those who will get it; the others are suppressed, and neither failed nor in doubt."""
    with ScriptedServer({"dot": ["554 5.7.1 Looks like spam" if failed else drop] * 3}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    words = ("resolve", *(("--failed",) if failed else ()), "--resend")
    settled = typing(folder, monkeypatch, "yes\n", *words)
    assert settled.code == 0
    assert "Type yes to have 2 messages sent again" in settled.out
    assert "2 to be sent again" in settled.out
    assert "1 suppressed, so not sent again" in settled.out
    assert ("suppressed: asked by telephone" in settled.out) == failed
    assert folder.states() == {ADA: "queued", BEN: "suppressed", REGISTRY: "queued"}
