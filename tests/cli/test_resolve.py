"""`mailer resolve`: what is in doubt is told honestly, and settled only as a person said."""

import os
import sys

import pytest

from tests.cli.conftest import ADA, ALL_IN_DOUBT, BEN, EVENT, REGISTRY, TEMPLATE, Folder, Result
from tests.servers import ScriptedServer, drop


def typing(folder: Folder, monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> Result:
    """`resolve` on a terminal where somebody types this."""
    ours, terminal = pytest.importorskip("pty", reason="there are no terminals of this kind here").openpty()
    os.write(ours, typed.encode())
    with os.fdopen(ours, "rb"), os.fdopen(terminal) as stdin, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        return folder.run("resolve", *words)


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
    refused = typing(doubtful, monkeypatch, "\n", decision)
    assert refused.code == 2
    assert question in refused.out
    assert doubtful.states() == ALL_IN_DOUBT
    assert typing(doubtful, monkeypatch, "yes\n", decision).code == 0
    assert set(doubtful.states().values()) == {"sent" if decision == "--sent" else "queued"}


def test_whoever_is_sure_is_not_asked(doubtful: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a named address nor `--yes` asks on a terminal."""
    assert "Type yes" not in typing(doubtful, monkeypatch, "", "--sent", ADA).out
    assert typing(doubtful, monkeypatch, "", "--sent", "--yes").code == 0
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
    assert "Settle them: mailer resolve round-table ADDRESS --sent or --resend, or --archive FOLDER" in listed.out
    again = doubtful.run("resolve", "--resend")
    assert again.out.endswith("Now: mailer send\n")


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
    answered = typing(doubtful, monkeypatch, "s\nperhaps\nR\nl\n")
    assert answered.code == 1
    assert "type sent, resend or leave" in answered.out + answered.err
    assert doubtful.states() == {ADA: "sent", BEN: "queued", REGISTRY: "in_doubt"}
    assert "1 marked as sent, 1 to be sent again; 1 other is still in doubt" in answered.out


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
