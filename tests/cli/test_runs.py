"""One run of `send` or `remind` and the next: deferrals, what changes while it goes, and being stopped."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from mailer.cli import console
from tests.cli.conftest import ADA, BEN, CONTACTS, EVENT, NOW, REGISTRY, TEMPLATE, Folder
from tests.cli.processes import PATIENCE, ended, started, told
from tests.servers import GOOD, Action, ScriptedServer, Session

EVA = "eva@belgium.example.org"
GREYLISTED = "450 4.2.0 Greylisted"
SHOWS = datetime(2031, 2, 24, 9, tzinfo=UTC)  # 10:00 in Zurich


class Clock:
    """Shows the same moment until it is moved on."""

    def __init__(self) -> None:
        self.shows = SHOWS

    def __call__(self) -> datetime:
        return self.shows


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every command of the test, whatever `--now` says."""
    made = Clock()
    monkeypatch.setattr("mailer.cli.desk.clock_at", lambda _: made)
    return made


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are queued and read in parts of one row, the first of them before the relay is connected to."""
    monkeypatch.setattr("mailer.cli.dispatch._QUEUED_TOGETHER", 1)
    monkeypatch.setattr("mailer.deliver.agenda._SOME", 1)
    monkeypatch.setattr("mailer.deliver.agenda._LOW", 1)


def _recipients(relay: ScriptedServer) -> list[str]:
    return [transaction.recipients[0] for transaction in relay.accepted]


def _meanwhile(folder: Folder, step: str, *, answers: str = "", clock: Clock | None = None, later: int = 0) -> Action:
    """Somebody's answer is recorded, or the clock goes on by so many seconds, before the relay says its word."""

    def act(session: Session) -> None:
        if answers:
            words = ("answers", "record", answers, "in-person", "--now", NOW)
            subprocess.run([sys.executable, "-m", "mailer", *words], cwd=folder.path, check=True, capture_output=True)
        if clock:
            clock.shows += timedelta(seconds=later)
        session.socket.sendall(GOOD[step].encode() + b"\r\n")

    return act


# --- deferrals --------------------------------------------------------------------------------------------------------


def test_with_wait_a_run_stays_for_what_an_earlier_one_deferred(folder: Folder) -> None:
    """`send --wait` ends when the last deferral is settled, its own or not, and so with exit code 0."""
    with ScriptedServer({f"rcpt:{BEN}": GREYLISTED}) as relay:
        folder.relay(relay, RETRY_AFTER="2")
        assert folder.run("send", "--yes").code == 1
        assert folder.states()[BEN] == "deferred"
        assert folder.run("send", "--yes", "--wait").code == 0
    assert Counter(_recipients(relay)) == {ADA: 1, BEN: 1, REGISTRY: 1}


@pytest.mark.usefixtures("clock")
def test_what_is_deferred_is_told_with_the_moment_to_run_again(folder: Folder) -> None:
    """The first wait is RETRY_AFTER, give or take a tenth; the last lines name when the command is to be run again.

    A run that stays until then is forecast to do so.
    """
    with ScriptedServer({f"rcpt:{BEN}": GREYLISTED}) as relay:
        folder.relay(relay, RETRY_AFTER="300")
        result = folder.run("send", "--yes")
    assert result.code == 1
    assert re.search(r"[Dd]eferred .*10:0[56] CET.* again", result.out)
    told = folder.run("send", "--dry-run", "--wait").out
    assert re.search("1 message: [456] minutes, done about 10:0[456] CET, before", told)


@pytest.mark.parametrize(
    ("give_up_after", "hours", "state"), [("3600", 2, "failed"), ("604800", 48, "deferred"), ("604800", 170, "failed")]
)
def test_a_deferral_is_given_up_when_the_configured_time_is_over(
    folder: Folder, clock: Clock, give_up_after: str, hours: int, state: str
) -> None:
    """GIVE_UP_AFTER counts from the first try: before that a deferral is tried again, after it the address failed."""
    with ScriptedServer({f"rcpt:{BEN}": [GREYLISTED, GREYLISTED]}) as relay:
        folder.relay(relay, RETRY_AFTER="300", GIVE_UP_AFTER=give_up_after)
        folder.run("send", "--yes")
        clock.shows += timedelta(hours=hours)
        assert folder.run("send", "--yes").code == 1
        assert folder.states() == {ADA: "sent", BEN: state, REGISTRY: "sent"}


def test_a_deferral_by_a_clock_that_was_ahead_is_due_once_that_is_set_right(folder: Folder, clock: Clock) -> None:
    """Else whoever was greylisted meanwhile would wait until the wrong moment comes, be it after the deadline."""
    with ScriptedServer({f"rcpt:{BEN}": GREYLISTED}) as relay:
        folder.relay(relay, RETRY_AFTER="300")
        clock.shows += timedelta(days=5)
        assert folder.run("send", "--yes").code == 1
        clock.shows = SHOWS
        assert folder.run("send", "--yes").code == 0
    assert Counter(_recipients(relay)) == {ADA: 1, BEN: 1, REGISTRY: 1}


@pytest.mark.usefixtures("one_by_one")
def test_a_deferral_that_falls_due_during_the_run_is_counted_once(
    folder: Folder, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who was to be waited for, and was due when the rest of the list was read, is one person all the same."""
    with ScriptedServer({f"rcpt:{BEN}": GREYLISTED}) as relay:
        folder.relay(relay, RETRY_AFTER="300")
        folder.run("send", "--yes", "--only", "kenya")
    folder.write("contacts/more.csv", "".join(["Mission,Email\n", *(f"Fiji,{n}@fiji.example.org\n" for n in range(5))]))
    complain, is_stopping = console.complain, threading.Event()

    def heard(text: str) -> None:
        complain(text)
        if "Stopping" in text:
            is_stopping.set()

    def stop(session: Session) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        is_stopping.wait(PATIENCE)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    monkeypatch.setattr(console, "complain", heard)
    greeting = _meanwhile(folder, "greeting", answers=BEN, clock=clock, later=3600)
    with ScriptedServer({"greeting": greeting, "dot": [GOOD["dot"], GOOD["dot"], stop]}) as relay:
        folder.relay(relay)
        result = folder.run("send", "--yes", "--wait")
    assert result.code == 130
    assert BEN not in _recipients(relay)
    assert f"Stopped: {8 - len(relay.accepted) - 1} not tried" in result.out


# --- what changes while it goes ---------------------------------------------------------------------------------------


def test_an_answer_spares_who_is_still_to_be_written_to(folder: Folder, clock: Clock) -> None:
    """A run of some length sees within seconds what was answered since it began."""
    with ScriptedServer({"dot": _meanwhile(folder, "dot", answers=REGISTRY, clock=clock, later=30)}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    assert _recipients(relay) == [ADA, BEN]


@pytest.mark.usefixtures("one_by_one")
def test_the_run_goes_on_behind_those_who_are_passed_over(folder: Folder, clock: Clock) -> None:
    """Where everybody read so far has answered meanwhile, the rest of the list is read, and written to."""
    answered = _meanwhile(folder, "greeting", answers=ADA, clock=clock, later=3600)
    with ScriptedServer({"greeting": answered}) as relay:
        folder.relay(relay)
        assert "2 sent of 3" in folder.run("send", "--yes").out
    assert _recipients(relay) == [BEN, REGISTRY]


@pytest.mark.usefixtures("clock", "one_by_one")
def test_an_answer_spares_those_of_the_party_who_are_only_queued_then(folder: Folder) -> None:
    """With each part of a long list answers are looked at anew, however lately that was done."""
    eva = f"Belgium,Ms.,Eva,SAMPLE,Counsellor,{EVA},,\nPeru,"
    folder.write("contacts/missions.csv", CONTACTS.replace("Peru,", eva))
    with ScriptedServer({"greeting": _meanwhile(folder, "greeting", answers=ADA)}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    assert EVA not in _recipients(relay)
    assert {BEN, REGISTRY} <= set(_recipients(relay))


@pytest.mark.parametrize("anytime", [(), ("--anytime",)])
def test_a_reminder_stops_at_the_end_of_its_hours(folder: Folder, clock: Clock, anytime: tuple[str, ...]) -> None:
    """What is not out when the hours of sending end stays due, unless the run was asked for at any time."""
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 0
    clock.shows = datetime(2031, 2, 28, 16, 59, 30, tzinfo=UTC)  # a Friday, half a minute before six
    with ScriptedServer({"dot": _meanwhile(folder, "dot", clock=clock, later=60)}) as relay:
        folder.relay(relay)
        folder.run("remind", "--yes", *anytime)
        assert _recipients(relay) == [ADA, BEN, REGISTRY][: 3 if anytime else 2]
        clock.shows = datetime(2031, 3, 3, 9, tzinfo=UTC)
        folder.run("remind", "--yes")
    assert _recipients(relay) == [ADA, BEN, REGISTRY]


def test_a_reminder_keeps_its_distance_from_the_last_mail(folder: Folder, relay: ScriptedServer) -> None:
    """Whoever was written to the day before is left out, with that day, and is reminded when the gap is over."""
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "kenya", now="2031-02-25T10:00")
    folder.run("send", "--yes", now="2031-02-27T10:00")
    early = folder.run("remind", "--yes", now="2031-02-28T10:00")
    assert "was written to on 27 February" in early.out
    assert _recipients(relay) == [BEN, ADA, REGISTRY, BEN]
    folder.run("remind", "--yes", now="2031-03-03T10:00")
    assert _recipients(relay) == [BEN, ADA, REGISTRY, BEN, ADA, REGISTRY]


def test_a_reminder_keeps_its_distance_from_a_mail_sent_while_it_asked(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever another run has written to, before the question was answered, is not reminded on the same day."""
    folder.write("templates/round-table/event.toml", f'{EVENT}[mailings.update]\naudience = "invited"\n')
    folder.write("templates/round-table/update.md", TEMPLATE)
    folder.relay(relay)
    folder.run("send", "--yes")
    words = ("send", "--mailing", "update", "--only", "kenya", "--yes", "--now", "2031-02-28T10:00")
    command = [sys.executable, "-m", "mailer", *words]
    monkeypatch.setattr(console, "confirm", lambda _: subprocess.run(command, cwd=folder.path, check=True))
    folder.run("remind", now="2031-02-28T10:00")
    assert _recipients(relay)[3:] == [BEN, ADA, REGISTRY]


# --- being stopped ----------------------------------------------------------------------------------------------------


class Held:
    """A relay's answer to the first message, which comes when the test wants it to."""

    def __init__(self, answer: str = GOOD["dot"]) -> None:
        self._answer = answer
        self.is_there, self.may_go = threading.Event(), threading.Event()

    def __call__(self, session: Session) -> None:
        self.is_there.set()
        self.may_go.wait(2 * PATIENCE)
        session.socket.sendall(self._answer.encode() + b"\r\n")


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_is_stopped_finishes_what_is_in_flight(folder: Folder, name: str, fast: bool) -> None:
    """Ctrl-C, a shutdown and a closed terminal are alike: exit code 130, nobody in doubt, the next run goes on."""
    held = Held()
    with ScriptedServer({"dot": held}) as relay:
        folder.relay(relay, SMTP_TIMEOUT="600")
        with started(folder.path, "send", "--yes", fast=fast) as process:
            assert held.is_there.wait(PATIENCE)
            process.send_signal(getattr(signal, name))
            told(process, "Stopping after the messages in flight")
            held.may_go.set()
            code, printed = ended(process)
        assert code == 130
        assert "not tried" in printed
        # The next message's envelope may have gone with the end of the first one.
        sent = _recipients(relay)
        assert sent in ([ADA], [ADA, BEN])
        states = folder.states()
        assert {recipient for recipient, state in states.items() if state == "sent"} == set(sent)
        assert set(states.values()) <= {"sent", "queued", "deferred"}
        assert folder.run("send", "--yes").code == 0
    assert Counter(_recipients(relay)) == {ADA: 1, BEN: 1, REGISTRY: 1}


@pytest.mark.parametrize("fast", [False, True])
def test_a_second_ctrl_c_ends_the_run_although_the_relay_is_silent(folder: Folder, fast: bool) -> None:
    """It does not wait for the answer: exit code 130, and what was in flight is in doubt and not sent again."""
    held = Held()
    with ScriptedServer({"dot": held}) as relay:
        folder.relay(relay, SMTP_TIMEOUT="600")
        with started(folder.path, "send", "--yes", fast=fast) as process:
            assert held.is_there.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            told(process, "once more to stop at once")
            process.send_signal(signal.SIGINT)
            code, printed = ended(process)
        held.may_go.set()
        assert code == 130
        assert "in doubt" in printed
        assert folder.states()[ADA] == "in_doubt"
        assert folder.run("send", "--yes").code == 1
    assert Counter(_recipients(relay)) == {ADA: 1, BEN: 1, REGISTRY: 1}


def test_a_run_that_is_stopped_at_its_last_message_is_a_whole_one(folder: Folder) -> None:
    """Once nothing is left to try, nobody is told to go on: exit code and report are those of a run not stopped."""
    held = Held()
    folder.write("contacts/missions.csv", "".join(CONTACTS.splitlines(keepends=True)[:2]))
    with ScriptedServer({"dot": held}) as relay:
        folder.relay(relay, SMTP_TIMEOUT="600")
        with started(folder.path, "send", "--yes") as process:
            assert held.is_there.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            told(process, "Stopping after the messages in flight")
            held.may_go.set()
            code, printed = ended(process)
    assert code == 0
    assert "1 sent of 1." in printed
    assert "Stopped:" not in printed
    assert "again" not in printed


@pytest.mark.parametrize(("words", "expected"), [(["--wait"], 130), ([], 1)], ids=["who waits", "who does not"])
def test_deferrals_that_are_no_longer_waited_for_were_tried(folder: Folder, words: list[str], expected: int) -> None:
    """Only a run that would have stayed is cut short by Ctrl-C; of deferrals, none is called not tried."""
    held = Held(GREYLISTED)
    folder.write("contacts/missions.csv", "".join(CONTACTS.splitlines(keepends=True)[:2]))
    with ScriptedServer({"dot": held}) as relay:
        folder.relay(relay, SMTP_TIMEOUT="600")
        with started(folder.path, "send", "--yes", *words) as process:
            assert held.is_there.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            told(process, "Stopping after the messages in flight")
            held.may_go.set()
            code, printed = ended(process)
    assert code == expected
    assert "1 deferred of 1." in printed
    assert "not tried" not in printed
    assert ("Stopped before the deferred" in printed) is (expected == 130)
    assert "Deferred ones are due from" in printed


@pytest.mark.parametrize("fast", [False, True])
def test_ctrl_c_while_the_end_is_told_changes_nothing(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    """When all is sent there is nothing left to stop: the report is whole, and so is the exit code."""
    folder.relay(relay)
    say, said = console.say, []

    def interrupted(text: str = "") -> None:
        if text.startswith("3 sent"):
            said.append(text)
            signal.raise_signal(signal.SIGINT)
        say(text)

    monkeypatch.setattr(console, "say", interrupted)
    if not fast:
        monkeypatch.setitem(sys.modules, "uvloop", None)
    result = folder.run("send", "--yes")
    assert len(said) == 1
    assert result.code == 0
    assert "3 sent of 3" in result.out
    assert "Where everything stands" in result.out


def test_a_ledger_lost_behind_the_last_message_does_not_say_that_nothing_was_sent(folder: Folder) -> None:
    """Exit code 3 is for runs that sent nothing: here it is 1, with what was recorded."""
    ledger = folder.path / "ledger.db"

    def replace(session: Session) -> None:
        ledger.replace(folder.path / "moved.db")
        ledger.write_bytes(b"")
        session.socket.sendall(b"221 Bye\r\n")

    with ScriptedServer({"quit": replace}) as relay:
        folder.relay(relay)
        result = folder.run("send", "--yes")
        assert len(relay.accepted) == 3
    assert result.code == 1
    assert "Recorded before that: 3 sent." in result.err
    assert "Put the file back" in result.err
