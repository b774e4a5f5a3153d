"""The configured rate and number of connections: what the command itself makes of them, in one run and over several."""

import contextlib
import re
import signal
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from mailer.ledger import Attempt, Invitee, Ledger
from mailer.model import Address, Party, PartyKind, Reply, Rule, State
from tests.cli.conftest import Folder
from tests.cli.processes import ended, started, waits_until
from tests.servers import GOOD, ScriptedServer, Session, stall

HEADINGS = "Organisation,Email,Cc\n"


def _invite(folder: Folder, number: int, *, with_copy: bool = False) -> None:
    """So many contacts, and no others."""
    cc = "copy@guest{n}.example.org" if with_copy else ""
    rows = (f"Office {n},to@guest{n}.example.org,{cc.format(n=n)}\n" for n in range(number))
    folder.write("contacts/missions.csv", HEADINGS + "".join(rows))


def _finished(folder: Folder) -> list[datetime]:
    """When each attempt so far was over, as the ledger says, oldest first."""
    with Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger:
        reached = ledger.reached_relay_since(*(datetime(year, 1, 1, tzinfo=UTC) for year in (2031, 2032)))
        return [at for at, _ in reached]


@pytest.mark.parametrize("connections", ["1", "2"])
def test_no_window_at_the_relay_ever_holds_more_than_the_rate(folder: Folder, connections: str) -> None:
    """Whichever moment the relay counts a message at, SMTP_RATE holds on it, over all connections together."""
    _invite(folder, 5)
    taken: list[float] = []

    def take(session: Session) -> None:
        taken.append(time.monotonic())
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [take] * 5}) as relay:
        folder.relay(relay, SMTP_RATE="2/second", SMTP_CONNECTIONS=connections)
        assert folder.run("send", "--yes").code == 0
    taken.sort()
    assert len(taken) == 5
    for earlier, third in zip(taken, taken[2:], strict=False):
        assert third - earlier >= 1


@pytest.mark.parametrize(("rate", "with_copy"), [("2/hour", False), ("2/hour", True), ("4 recipients/hour", True)])
def test_a_run_stops_short_at_the_rate_and_says_until_when(
    folder: Folder, relay: ScriptedServer, rate: str, with_copy: bool
) -> None:
    """Who is in copy counts where the rate is of recipients; the rest waits a whole window behind the first."""
    _invite(folder, 4, with_copy=with_copy)
    folder.relay(relay, SMTP_RATE=rate)
    with started(folder.path, "send", "--yes") as process:
        until = waits_until(process)
        assert len(relay.accepted) == 2
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130
    assert len(relay.accepted) == 2
    assert until >= _finished(folder)[0] + timedelta(minutes=59, seconds=59)


@pytest.mark.parametrize(("rate", "with_copy"), [("2/hour", False), ("4 recipients/hour", True)])
def test_the_next_run_goes_on_where_the_window_of_the_last_one_stands(
    folder: Folder, relay: ScriptedServer, rate: str, with_copy: bool
) -> None:
    """What an earlier process sent counts until its window is over; then the rest goes without delay."""
    _invite(folder, 3, with_copy=with_copy)
    folder.relay(relay, SMTP_RATE=rate)
    assert folder.run("send", "--yes", "--limit", "2").code == 0
    with started(folder.path, "send", "--yes", now="2031-02-24T10:30") as process:
        assert waits_until(process) >= _finished(folder)[0] + timedelta(minutes=59, seconds=59)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130
    assert len(relay.accepted) == 2
    assert folder.run("send", "--yes", now="2031-02-24T11:30").code == 0
    assert len(relay.accepted) == 3


def test_copies_of_a_deferral_that_is_waited_for_count_too(folder: Folder) -> None:
    """With `--wait`, what an earlier run deferred is held to a rate of recipients with all of them."""
    _invite(folder, 3, with_copy=True)
    deferred = {f"rcpt:to@guest{n}.example.org": "450 4.2.0 Greylisted" for n in range(3)}
    with ScriptedServer(deferred) as relay:
        folder.relay(relay, RETRY_AFTER="2")
        assert folder.run("send", "--yes").code == 1
        assert not relay.accepted
        # Six were tried within the hour, so that one message with its copy may go, and not two.
        folder.relay(relay, RETRY_AFTER="2", SMTP_RATE="9 recipients/hour")
        with started(folder.path, "send", "--yes", "--wait") as process:
            waits_until(process)
            assert len(relay.accepted) == 1
            process.send_signal(signal.SIGINT)
            assert ended(process)[0] == 130


def test_as_many_connections_are_used_as_are_configured(folder: Folder) -> None:
    """While the relay thinks about one message, others go over the other connections; never over more than those."""
    _invite(folder, 12)
    together = threading.Barrier(3, timeout=30)
    met: list[int] = []

    def meet(session: Session) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.append(together.wait())
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [meet] * 3}) as relay:
        folder.relay(relay, SMTP_CONNECTIONS="3")
        assert folder.run("send", "--yes").code == 0
    assert sorted(met) == [0, 1, 2]
    assert relay.connections == 3
    assert len(relay.accepted) == 12


def _known_to_take(folder: Folder, seconds: int, relay: ScriptedServer) -> None:
    """One message of another event that took the relay so long, the day before."""
    name, began = f"127.0.0.1:{relay.port}", datetime(2031, 2, 23, 10, tzinfo=UTC)
    over = began + timedelta(seconds=seconds)
    guest = Invitee(Address("guest", "example.org"), (), Party("Fiji", PartyKind.MISSION), Rule.TRANSFERABLE)
    with Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger:
        ledger.enqueue("earlier", "invitation", [guest], domain="example.org", now=began)
        numbers = list(ledger.due("earlier", "invitation", began).values())
        with ledger.run("earlier", "invitation", began, relay=name) as run:
            run.exchange((), numbers, began)
            reply = Reply(250, None, ("Ok",))
            run.exchange([Attempt(numbers[0], State.SENT, began, over, name, reply, "", None, 1)], (), over)


@pytest.mark.parametrize(("connections", "forecast"), [("1", "30 minutes"), ("3", "10 minutes")])
def test_the_forecast_counts_on_all_connections(
    folder: Folder, relay: ScriptedServer, connections: str, forecast: str
) -> None:
    """Three connections take a third of the time."""
    _invite(folder, 60)
    _known_to_take(folder, 30, relay)
    folder.relay(relay, SMTP_CONNECTIONS=connections)
    assert f"60 messages: {forecast}, done about 10:" in folder.run("send", "--dry-run").out


@pytest.mark.parametrize(("began", "ends", "on"), [("10:00", "10", ""), ("23:55", "00", "Tuesday, 25 February, ")])
def test_a_pause_that_the_relay_asks_for_is_told_with_its_end_and_forecast(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, began: str, ends: str, on: str
) -> None:
    """In the event's zone, and the minute rounded up: by the run that is asked for it, and by those before its end."""
    monkeypatch.setattr("mailer.deliver.setbacks.REOPEN_AFTER", (0.0, 0.0, 0.0))
    _invite(folder, 9)
    now = f"2031-02-24T{began}"
    with ScriptedServer({"mail": [GOOD["mail"], *["421 4.7.0 Slow down"] * 9]}) as relay:
        folder.relay(relay, RETRY_AFTER="600")
        asked = folder.run("send", "--yes", now=now)
        again = folder.run("send", "--yes", now=now)
        forecasts = [folder.run("send", "--dry-run", *words, now=now).out for words in ((), ("--wait",))]
        assert relay.connections == 5
    assert (asked.code, again.code) == (4, 4)
    assert "asks for a pause: 421 4.7.0 Slow down" in asked.err
    assert "asked for a pause a while ago" in again.err
    for told in (asked.out, again.out):
        [end] = re.findall(rf"The relay asked for a pause; the rest is due from ({on}{ends}:\d\d CET) on: run it", told)
    for forecast in (again.out, *forecasts):
        assert f"none before {end}, as the relay asked" in forecast
    assert re.search(rf"messages: \d+ minutes, done about {on}{ends}:\d\d CET", forecasts[0])


def test_a_run_knows_from_the_last_one_that_the_relay_wants_each_cc_by_itself(folder: Folder) -> None:
    """Nothing is tried in one transaction again, and the forecast has places for all, until the relay takes both."""

    def refuse_copies(session: Session) -> bool:
        session.socket.sendall((b"452 4.5.3 Too many recipients" if session.rcpts else b"250 2.1.5 Ok") + b"\r\n")
        return not session.rcpts

    _invite(folder, 24, with_copy=True)
    with ScriptedServer({"rcpt": [refuse_copies] * 99}) as relay:
        folder.relay(relay, SMTP_RATE="10/minute")
        for minute, begun in ((0, 3), (10, 5)):
            assert folder.run("send", "--yes", "--limit", "1", now=f"2031-02-24T10:{minute:02}").code == 0
            assert sum(command.startswith("MAIL") for command in relay.commands) == begun
        assert "22 messages: 4 minutes" in folder.run("send", "--dry-run", now="2031-02-24T10:20").out
        relay.act_for = lambda step: None  # type: ignore[method-assign]
        assert folder.run("send", "--yes", "--limit", "1", now="2031-02-24T10:30").code == 0
        assert "21 messages: 2 minutes" in folder.run("send", "--dry-run", now="2031-02-24T10:40").out


def test_samples_keep_the_pace_and_count_in_it(folder: Folder, relay: ScriptedServer) -> None:
    """What the relay counts does not ask whether it was a test: samples wait for their turn, and others for them."""
    _invite(folder, 2)
    folder.relay(relay, SMTP_RATE="2/second")
    assert folder.run("send", "--yes", "--limit", "1").code == 0
    for _ in range(2):
        assert folder.run("send", "--test", "me@sender.example.org", now="2031-02-24T10:01").code == 0
    finished = _finished(folder)
    assert len(finished) == len(relay.accepted) == 3
    folder.relay(relay, SMTP_RATE="2/hour")
    with started(folder.path, "send", "--yes", now="2031-02-24T10:02") as process:
        assert waits_until(process) >= finished[1] + timedelta(minutes=59, seconds=59)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130
    words = ("send", "--test", "me@sender.example.org")
    with started(folder.path, *words, now="2031-02-24T10:03") as process:
        assert process.stdout
        assert "The pace (2/hour) lets the next one go at 11:0" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130
    assert len(relay.accepted) == 3


def test_the_first_samples_of_all_count_too(folder: Folder, relay: ScriptedServer) -> None:
    """They go before anything else, when there is no ledger yet, and the mailing often follows at once."""
    _invite(folder, 1)
    folder.relay(relay, SMTP_RATE="30/minute")
    assert folder.run("send", "--test", "me@sender.example.org").code == 0
    assert len(_finished(folder)) == len(relay.accepted) == 1


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_sample_that_is_broken_off_counts_too(folder: Folder, how: signal.Signals, code: int) -> None:
    """Ctrl-C, or worse, may come when the relay has taken the message and not yet said so."""
    _invite(folder, 1)
    has_come = threading.Event()

    def take(session: Session) -> None:
        has_come.set()
        stall(session)

    with ScriptedServer({"dot": take}) as relay:
        folder.relay(relay, SMTP_RATE="30/minute")
        with started(folder.path, "send", "--test", "me@sender.example.org") as process:
            assert has_come.wait(20)
            process.send_signal(how)
            assert ended(process)[0] == code
    assert len(_finished(folder)) == 1


def test_a_sample_counts_from_its_end(folder: Folder) -> None:
    """As any message does, since nobody knows at which moment of it the relay counts."""
    _invite(folder, 1)

    def take(session: Session) -> None:
        time.sleep(1)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": take}) as relay:
        folder.relay(relay, SMTP_RATE="30/minute")
        assert folder.run("send", "--test", "me@sender.example.org", now="2031-02-24T10:00Z").code == 0
    [counted] = _finished(folder)
    assert counted >= datetime(2031, 2, 24, 10, 0, 1, tzinfo=UTC)


def test_samples_wait_for_what_another_process_sends_between_them(folder: Folder) -> None:
    """Before each one the ledger is asked anew, so that a run under way and the samples share the windows."""
    folder.write(
        "contacts/missions.csv",
        "Organisation,Title,First Name,Last Name,Email\n"
        "Office 0,,,,to@guest0.example.org\nOffice 1,Ms.,Ada,Adams,to@guest1.example.org\n",
    )
    began = datetime(2031, 2, 24, 9, 59, tzinfo=UTC)

    def take(session: Session) -> None:
        with Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger:
            ledger.count_besides(began)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": take}) as relay:
        folder.relay(relay, SMTP_RATE="2/hour")
        Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}").close()
        with started(folder.path, "send", "--test", "me@sender.example.org", now="2031-02-24T10:00Z") as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(2)]
            assert lines[0].startswith("sent: ")
            assert "The pace (2/hour) lets the next one go at" in lines[1]
            process.send_signal(signal.SIGINT)
            assert ended(process)[0] == 130
        assert len(relay.accepted) == 1


def test_samples_do_not_come_between_what_a_run_counts(folder: Folder, relay: ScriptedServer) -> None:
    """A run asks once what others have sent: where a pace is to be kept, samples have the right to send alone."""
    _invite(folder, 1)
    words = ("send", "--test", "me@sender.example.org")
    with Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger:
        now = datetime(2031, 2, 24, 10, tzinfo=UTC)
        with ledger.run("round-table", "invitation", now, relay=f"127.0.0.1:{relay.port}"):
            folder.relay(relay, SMTP_RATE="30/minute")
            refused = folder.run(*words)
            assert (refused.code, len(relay.accepted)) == (1, 0)
            assert "has been sending invitation of round-table since" in refused.err
            folder.relay(relay)
            assert folder.run(*words).code == 0
    folder.relay(relay, SMTP_RATE="30/minute")
    assert folder.run(*words).code == 0
    assert len(relay.accepted) == 2


def test_samples_of_a_day_to_come_hold_back_nothing_until_then(folder: Folder, relay: ScriptedServer) -> None:
    """What a reminder will say is looked at under a later --now; no run before it waits for that."""
    _invite(folder, 2)
    folder.relay(relay, SMTP_RATE="1/hour")
    assert folder.run("send", "--yes", "--limit", "1").code == 0
    assert folder.run("remind", "--test", "me@sender.example.org", now="2031-03-05T10:00").code == 0
    assert "1 message: less than a minute" in folder.run("send", "--dry-run", now="2031-02-26T10:00").out


def test_no_sample_leaves_that_cannot_be_counted(folder: Folder, relay: ScriptedServer) -> None:
    """A ledger that another program keeps locked is told before the first one goes."""
    folder.relay(relay, LEDGER_URL="sqlite:///ledger.db?timeout=0.05")
    assert folder.run("send", "--yes").code == 0
    number_sent = len(relay.accepted)
    with contextlib.closing(sqlite3.connect(folder.path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = folder.run("send", "--test", "me@sender.example.org")
    assert refused.code == 3
    assert "locked" in refused.err
    assert len(relay.accepted) == number_sent


def test_a_forecast_for_a_relay_that_nothing_has_gone_over_says_that_it_is_a_guess(
    folder: Folder, relay: ScriptedServer
) -> None:
    """Unless a pace holds it back anyhow: then that alone says when it is done."""
    _invite(folder, 300)
    guess = "a guess, as nothing has gone over this relay yet"
    folder.relay(relay)
    assert guess in folder.run("send", "--dry-run").out
    folder.relay(relay, SMTP_RATE="100/hour")
    assert guess not in folder.run("send", "--dry-run").out
    folder.relay(relay)
    _known_to_take(folder, 1, relay)
    assert guess not in folder.run("send", "--dry-run").out


@pytest.mark.parametrize(("with_copy", "forecast"), [(False, "less than a minute"), (True, "60 minutes")])
def test_the_forecast_counts_copies_where_the_rate_does(
    folder: Folder, relay: ScriptedServer, with_copy: bool, forecast: str
) -> None:
    """Sixty messages with a copy each are 120 recipients, half of which must wait for the next hour."""
    _invite(folder, 60, with_copy=with_copy)
    folder.relay(relay, SMTP_RATE="60 recipients/hour")
    assert f"60 messages: {forecast}, done about 1" in folder.run("send", "--dry-run").out
