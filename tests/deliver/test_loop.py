"""The delivery loop: what may be relied on whatever relay, ledger or person does in the meantime."""

import asyncio
import itertools
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import trustme

from mailer.deliver import Job, Pace, Round, Window, session, setbacks
from mailer.errors import (
    InputRefused,
    LedgerError,
    Problem,
    RelayBusy,
    RelayError,
    RelayUnreachable,
    RelayUntrusted,
    SenderRefused,
)
from mailer.ledger import Attempt, Ledger, Run
from mailer.model import Delivery, Envelope, State
from mailer.smtp import Connection, Features, Outcome, Security
from tests.deliver.conftest import EVENT, NAME, Disk, Gate, Mailing, accepted, address, compose, queued
from tests.servers import GOOD, Action, ScriptedServer, Session, drop, reset, stall

MailingOf = Callable[..., Mailing]
BeforeExchange = Callable[[Callable[[Sequence[Attempt]], None]], None]
PIPELINING = ["PIPELINING", "8BITMIME"]
MANNERS = pytest.mark.parametrize("features", [PIPELINING, []], ids=["pipelining", "one-by-one"])
CONNECTIONS = pytest.mark.parametrize("connections", [1, 4])


# --- claims and outcomes ----------------------------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
def test_everybody_gets_one_message(mailing_of: MailingOf, features: list[str], connections: int) -> None:
    """Each recipient gets exactly one message and is recorded as sent with the relay's words."""
    mailing = mailing_of(40)
    with ScriptedServer(features=features) as server:
        tally = mailing.send(server, connections=connections)
    assert accepted(server) == dict.fromkeys(range(40), 1)
    assert tally.states == mailing.counts == {State.SENT: 40}
    assert {one.reply for one in mailing.deliveries.values()} == {"2.0.0 Queued"}
    assert len(mailing.told) == 40
    assert server.connections <= connections


@MANNERS
@CONNECTIONS
def test_the_claim_is_on_disk_before_the_message_and_the_outcome_right_after(
    mailing_of: MailingOf, tmp_path: Path, features: list[str], connections: int
) -> None:
    """Whenever the relay reads content, that delivery is claimed on disk, and no more are than two a connection."""
    mailing = mailing_of(30)
    claimed: list[tuple[str, set[str]]] = []

    def look(session: Session) -> None:
        with closing(sqlite3.connect(f"file:{tmp_path}/ledger.db?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT recipient FROM deliveries WHERE state = 'claimed'")
            claimed.append((session.rcpts[0].partition("<")[2].rstrip(">"), {row[0] for row in rows}))

    with ScriptedServer({"body": [look] * 30}, features) as server:
        mailing.send(server, connections=connections)
    assert len(claimed) == 30
    assert all(recipient in rows for recipient, rows in claimed)
    assert max(len(rows) for _, rows in claimed) <= 2 * connections


@MANNERS
@CONNECTIONS
def test_outcomes_of_a_quick_relay_go_into_the_ledger_together(
    mailing_of: MailingOf,
    before_exchange: BeforeExchange,
    monkeypatch: pytest.MonkeyPatch,
    features: list[str],
    connections: int,
) -> None:
    """One connection hands in both its messages at once; over several, too, far fewer transactions than messages do."""
    monkeypatch.setattr(session, "_SOON", 60)
    mailing = mailing_of(60)
    groups: list[int] = []
    before_exchange(lambda outcomes: groups.append(len(outcomes)))
    with ScriptedServer(features=features) as server:
        assert mailing.send(server, connections=connections).states == {State.SENT: 60}
    # While connections are made there are fewer, and at the list's end each comes to it alone.
    amidst = [group for group, sent in zip(groups, itertools.accumulate(groups), strict=True) if 10 < sent < 50]
    assert sum(amidst) / len(amidst) >= 2


@MANNERS
@CONNECTIONS
def test_no_outcome_waits_for_a_slow_one(
    mailing_of: MailingOf, tmp_path: Path, features: list[str], connections: int
) -> None:
    """What the relay has accepted is recorded while it is still thinking about the next message."""
    mailing = mailing_of(2)
    recorded: list[bool] = []

    def wait_for_record(session: Session) -> None:
        until = time.monotonic() + 20
        while not (is_recorded := _count_sent(tmp_path)) and time.monotonic() < until:
            time.sleep(0.001)
        recorded.append(is_recorded == 1)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [GOOD["dot"], wait_for_record]}, features) as server:
        assert mailing.send(server, connections=connections).states == {State.SENT: 2}
    assert recorded == [True]


def _count_sent(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder}/ledger.db?mode=ro", uri=True)) as database:
        (number,) = database.execute("SELECT count(*) FROM deliveries WHERE state = 'sent'").fetchone()
    return number


@MANNERS
@CONNECTIONS
def test_jobs_are_read_some_at_a_time(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch, features: list[str], connections: int
) -> None:
    """A list that cannot be read to its end stops the run there; what is in flight is finished, and the rest is due."""
    monkeypatch.setattr("mailer.deliver.agenda._SOME", 20)
    monkeypatch.setattr("mailer.deliver.agenda._LOW", 10)
    mailing = mailing_of(80)
    ahead: list[int] = []

    def read(jobs: Sequence[Job[int]]) -> Iterator[Job[int]]:
        for number, job in enumerate(jobs[:50]):
            ahead.append(number - len(mailing.told))
            yield job
        raise OSError("the sheet has gone")

    with ScriptedServer(features=features) as server:
        with pytest.raises(OSError, match="the sheet has gone"):
            mailing.send(server, connections=connections, reading=read)
        assert max(ahead) <= 20 + 10 + 2 * connections
        assert mailing.counts[State.SENT] == len(server.accepted) >= 20
        assert set(mailing.counts) <= {State.SENT, State.QUEUED, State.DEFERRED}
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(80), 1)


@MANNERS
def test_after_a_fault_in_the_list_outcomes_are_recorded_at_once(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, features: list[str]
) -> None:
    """While the relay is still thinking about one message, what it said of others is on disk, though the run ends."""
    monkeypatch.setattr("mailer.deliver.agenda._SOME", 20)
    monkeypatch.setattr("mailer.deliver.agenda._LOW", 5)
    mailing = mailing_of(40)
    has_failed = threading.Event()
    recorded: list[bool] = []

    def read(jobs: Sequence[Job[int]]) -> Iterator[Job[int]]:
        yield from jobs[:20]
        has_failed.set()
        raise OSError("the sheet has gone")

    def think(session: Session) -> None:
        has_failed.wait(20)
        until = time.monotonic() + 20
        while not (is_recorded := _count_sent(tmp_path) >= 10) and time.monotonic() < until:
            time.sleep(0.001)
        recorded.append(is_recorded)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [GOOD["dot"], GOOD["dot"], GOOD["dot"], think]}, features) as server:
        with pytest.raises(OSError, match="the sheet has gone"):
            mailing.send(server, connections=3, reading=read)
        assert recorded == [True]
        assert mailing.counts[State.SENT] == len(server.accepted)


def test_no_more_connections_are_made_than_there_is_work_for(mailing_of: MailingOf) -> None:
    """For one message there is one connection, however many are allowed."""
    mailing = mailing_of(1)
    with ScriptedServer() as server:
        mailing.send(server, connections=5)
    assert server.connections == 1


def test_nothing_due_needs_no_relay(mailing_of: MailingOf) -> None:
    """Where nothing is due, no connection is made."""
    mailing = mailing_of(0)
    with ScriptedServer() as server:
        assert not mailing.send(server).states
    assert not server.connections


def test_what_was_settled_in_the_meantime_is_left_out(mailing_of: MailingOf) -> None:
    """Who opts out while the run is on its way is not written to, and the others are."""
    mailing = mailing_of(8)

    def opt_out(_session: Session) -> None:
        mailing.ledger.suppress(address(6), "asked", mailing.clock())

    with ScriptedServer({"body": opt_out}, []) as server:
        tally = mailing.send(server)
    assert accepted(server) == {n: 1 for n in range(8) if n != 6}
    assert (mailing.states[6], tally.passed_over) == (State.SUPPRESSED, 1)


# --- what the relay says of one recipient -----------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("step", ["rcpt:guest3@mission.example.org", "data", "dot"])
def test_a_refusal_for_good_fails_that_recipient_alone(
    mailing_of: MailingOf, features: list[str], connections: int, step: str
) -> None:
    """One 5xx is one failed delivery with the relay's words; all the others are sent."""
    mailing = mailing_of(12)
    with ScriptedServer({step: "550 5.1.1 No such person"}, features) as server:
        tally = mailing.send(server, connections=connections)
    (failed,) = (guest for guest, state in mailing.states.items() if state is State.FAILED)
    assert tally.states == {State.SENT: 11, State.FAILED: 1}
    assert accepted(server) == {guest: 1 for guest in range(12) if guest != failed}
    assert mailing.deliveries[failed].code == 550
    assert mailing.deliveries[failed].reply == "5.1.1 No such person"


def test_a_deferral_waits_for_the_next_run(mailing_of: MailingOf) -> None:
    """A 4xx is tried again after some five minutes, by a later run; the run itself goes on with the others."""
    mailing = mailing_of(5)
    with ScriptedServer({"rcpt:guest1@mission.example.org": "450 4.7.1 Greylisted"}) as server:
        begun = mailing.clock()
        assert mailing.send(server).states == {State.SENT: 4, State.DEFERRED: 1}
        due_at = mailing.deliveries[1].due_at
        assert due_at
        assert timedelta(seconds=270) <= due_at - begun <= timedelta(seconds=400)
        assert not mailing.send(server).states
        mailing.ahead = timedelta(minutes=10)
        assert mailing.send(server).states == {State.SENT: 1}
    assert accepted(server) == dict.fromkeys(range(5), 1)


@CONNECTIONS
def test_with_wait_the_run_lasts_until_every_deferral_is_settled(mailing_of: MailingOf, connections: int) -> None:
    """Greylisted recipients are tried again within the run and counted once, as what they came to in the end."""
    mailing = mailing_of(6)
    with ScriptedServer({"rcpt": ["450 4.7.1 Greylisted"] * 9}) as server:
        tally = mailing.send(server, connections=connections, wait=True, retry_after=0.01)
    assert tally.states == mailing.counts == {State.SENT: 6}
    assert accepted(server) == dict.fromkeys(range(6), 1)
    assert sum(len(mailing.attempts(n)) for n in range(6)) == 15


def test_deferrals_of_earlier_runs_are_waited_for(mailing_of: MailingOf) -> None:
    """With wait, what an earlier run deferred to a later moment is sent then, even two that are due at the same one."""
    mailing = mailing_of(2)
    with ScriptedServer({"rcpt": ["450 4.7.1 Greylisted"] * 2}) as server:
        mailing.send(server)
        due_at = {guest: one.due_at for guest, one in mailing.deliveries.items()}
        assert mailing.send(server, wait=True, idle=mailing.pass_the_time).states == {State.SENT: 2}
    assert all(attempt.started_at >= due_at[n] for n in range(2) for attempt in mailing.attempts(n)[1:])


def test_a_deferral_fails_at_the_give_up_time(mailing_of: MailingOf) -> None:
    """What is refused for now until the give-up time has failed, with the relay's last words and why."""
    mailing = mailing_of(1)
    with ScriptedServer({"rcpt": ["450 4.2.0 Not now"] * 99}) as server:
        tally = mailing.send(server, wait=True, idle=mailing.pass_the_time)
    assert tally.states == {State.FAILED: 1}
    *before, last = mailing.attempts(0)
    assert {attempt.state for attempt in before} == {State.DEFERRED}
    assert last.note.startswith("given up: ")
    assert last.reply
    assert last.reply.code == 450


def test_who_is_sent_again_after_it_was_given_up_waits_as_at_first(mailing_of: MailingOf) -> None:
    """What was tried before a person decided lengthens no wait."""
    mailing = mailing_of(1)
    with ScriptedServer({"rcpt": ["450 4.2.0 Not now"] * 99}) as server:
        mailing.send(server, wait=True, retry_after=0.02, give_up_after=0.2)
        mailing.ledger.resolve([mailing.deliveries[0].id], State.QUEUED, mailing.clock())
        assert mailing.send(server, retry_after=300).states == {State.DEFERRED: 1}
    last = mailing.attempts(0)[-1]
    assert last.due_at
    assert last.due_at - last.finished_at <= timedelta(seconds=330)


def test_the_give_up_time_begins_with_the_first_attempt(mailing_of: MailingOf) -> None:
    """What was claimed long ago and given back untried is not given up at its first refusal."""
    mailing = mailing_of(1)
    with mailing.ledger.run(EVENT, NAME, mailing.clock(), relay="127.0.0.1:25") as run:
        (claimed,) = run.exchange((), [1], mailing.clock())
        run.release([claimed.id], mailing.clock())
    mailing.ahead = timedelta(days=3)
    with ScriptedServer({"rcpt": "450 4.7.1 Greylisted"}) as server:
        assert mailing.send(server).states == {State.DEFERRED: 1}


def test_the_last_try_is_at_the_give_up_time(mailing_of: MailingOf) -> None:
    """However long the next wait would be, whoever waits for a deferral knows its end."""
    mailing = mailing_of(1)
    with ScriptedServer({"rcpt": ["450 4.2.0 Not now"] * 2}) as server:
        mailing.send(server, give_up_after=600)
        mailing.ahead = timedelta(minutes=6)
        mailing.send(server, give_up_after=600)
    first, second = mailing.attempts(0)
    assert second.due_at == first.started_at + timedelta(seconds=600)


def test_the_ledger_is_visited_by_one_thread_alone(mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deferral that is judged long after the first try asks for nothing beside the visits, so nothing is lost."""
    mailing = mailing_of(3)
    visitors: set[str] = set()

    def watched(method: Callable[..., object]) -> Callable[..., object]:
        def visit(*args: object) -> object:
            visitors.add(threading.current_thread().name)
            return method(*args)

        return visit

    for name, method in vars(Run).copy().items():
        if callable(method) and not name.startswith("_"):
            monkeypatch.setattr(Run, name, watched(method))
    with ScriptedServer({"rcpt": ["450 4.7.1 Greylisted"] * 6}) as server:
        mailing.send(server)
        mailing.ahead = timedelta(days=3)
        assert mailing.send(server).states == {State.FAILED: 3}
    assert {name.partition("_")[0] for name in visitors} == {"ledger"}


# --- lost connections -------------------------------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("fault", [drop, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_a_connection_lost_before_the_final_dot_is_simply_tried_again(
    mailing_of: MailingOf, step: str, fault: Action, features: list[str], connections: int
) -> None:
    """Within the run, and everybody gets one message."""
    mailing = mailing_of(10)
    with ScriptedServer({step: [GOOD[step], GOOD[step], fault, fault]}, features) as server:
        tally = mailing.send(server, connections=connections)
    assert tally.states == mailing.counts == {State.SENT: 10}
    assert accepted(server) == dict.fromkeys(range(10), 1)


def test_a_message_that_always_loses_its_connection_holds_nobody_up(mailing_of: MailingOf) -> None:
    """It is tried three times and then deferred like any other; the rest are sent."""
    mailing = mailing_of(9)
    with ScriptedServer({"rcpt:guest4@mission.example.org": [drop] * 9}) as server:
        tally = mailing.send(server)
    assert tally.states == {State.SENT: 8, State.DEFERRED: 1}
    assert len(mailing.attempts(4)) == 3
    due_at = mailing.deliveries[4].due_at
    assert due_at
    assert due_at > mailing.clock() + timedelta(minutes=4)


@MANNERS
@CONNECTIONS
def test_a_connection_lost_after_the_final_dot_is_in_doubt(
    mailing_of: MailingOf, features: list[str], connections: int
) -> None:
    """It is not sent again, by no later run, and named with time, relay and reason; the others are sent."""
    mailing = mailing_of(10)
    with ScriptedServer({"dot": [GOOD["dot"], drop]}, features) as server:
        tally = mailing.send(server, connections=connections)
        assert tally.states == {State.SENT: 9, State.IN_DOUBT: 1}
        assert not mailing.send(server).states
    assert accepted(server) == dict.fromkeys(range(10), 1)
    (doubtful,) = (guest for guest, state in mailing.states.items() if state is State.IN_DOUBT)
    (attempt,) = mailing.attempts(doubtful)
    assert attempt.relay == f"127.0.0.1:{server.port}"
    assert "closed" in attempt.note


def test_what_is_sent_again_after_a_doubt_is_the_same_message(mailing_of: MailingOf) -> None:
    """It keeps Message-ID and Date, so that the receiver can drop the twin."""
    mailing = mailing_of(1)
    with ScriptedServer({"dot": drop}) as server:
        mailing.send(server)
        mailing.ledger.resolve([1], State.QUEUED, mailing.clock())
        mailing.ahead = timedelta(hours=1)
        assert mailing.send(server).states == {State.SENT: 1}
    first, again = server.accepted
    assert first.content == again.content


@CONNECTIONS
def test_a_relay_that_loses_every_message_after_the_dot_stops_the_run(mailing_of: MailingOf, connections: int) -> None:
    """A whole mailing is not put in doubt one by one: a few are, and the run ends with what to do."""
    mailing = mailing_of(40)
    with ScriptedServer({"dot": [drop] * 40}) as server, pytest.raises(RelayUnreachable, match="one connection after"):
        mailing.send(server, connections=connections)
    assert mailing.counts[State.IN_DOUBT] <= 4 + connections
    assert set(mailing.counts) <= {State.IN_DOUBT, State.QUEUED, State.DEFERRED}


def _losing(step: str, every: int, keep: list[Session]) -> Action:
    """A relay that loses each connection when it comes to some step for the `every`th time."""

    def lose(session: Session) -> None:
        keep.append(session)
        if keep.count(session) == every:
            drop(session)
        if step == "mail":
            session.mail, session.rcpts = "MAIL FROM:<bounces@example.org>", []
        session.socket.sendall(GOOD[step].encode() + b"\r\n")

    return lose


@MANNERS
@CONNECTIONS
def test_a_relay_that_loses_every_other_message_after_the_dot_stops_the_run(
    mailing_of: MailingOf, features: list[str], connections: int
) -> None:
    """That it takes those between does not help: nobody wants to settle half a mailing by hand."""
    mailing = mailing_of(60)
    script = {"dot": [_losing("dot", 2, [])] * 60}
    with ScriptedServer(script, features) as server, pytest.raises(RelayUnreachable, match="one connection after"):
        mailing.send(server, connections=connections)
    assert mailing.counts[State.IN_DOUBT] <= 4 + connections
    assert mailing.counts[State.SENT] == len(server.accepted) - mailing.counts[State.IN_DOUBT]


@MANNERS
def test_a_doubt_now_and_then_does_not_stop_the_run(mailing_of: MailingOf, features: list[str]) -> None:
    """A relay that loses one in fifteen after the dot goes on being used."""
    mailing = mailing_of(90)
    with ScriptedServer({"dot": [_losing("dot", 15, [])] * 90}, features) as server:
        assert mailing.send(server).states == {State.SENT: 84, State.IN_DOUBT: 6}


@MANNERS
@CONNECTIONS
def test_a_relay_that_takes_one_message_a_connection_gets_them_so(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch, features: list[str], connections: int
) -> None:
    """One that hangs up without a word before the next leaves no doubt, and is neither given up nor waited for."""
    monkeypatch.setattr(setbacks, "REOPEN_AFTER", (600.0,))
    mailing = mailing_of(30)
    with ScriptedServer({"mail": [_losing("mail", 2, [])] * 200}, features) as server:
        assert mailing.send(server, connections=connections).states == {State.SENT: 30}
    assert accepted(server) == dict.fromkeys(range(30), 1)


def test_an_idle_connection_is_closed_and_made_anew(mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """While there is nothing to do for long, the relay is not kept waiting."""
    monkeypatch.setattr(session, "_IDLE", 0.05)
    mailing = mailing_of(1)
    with ScriptedServer({"rcpt": "450 4.7.1 Greylisted", "quit": _passing_an_hour(mailing)}) as server:
        assert mailing.send(server, wait=True).states == {State.SENT: 1}
    assert server.connections == 2
    assert server.commands.count("QUIT") == 2


def _passing_an_hour(mailing: Mailing) -> Action:
    def act(session: Session) -> None:
        mailing.ahead += timedelta(hours=1)
        session.socket.sendall(GOOD["quit"].encode() + b"\r\n")

    return act


def test_a_connection_that_the_relay_closes_while_it_is_idle_is_made_anew(mailing_of: MailingOf) -> None:
    """A relay that does not wait for the deferral loses nothing."""
    mailing = mailing_of(2)
    ends: list[socket.socket] = []

    def stay(session: Session) -> None:
        session.socket.sendall(b"250 2.0.0 Ok\r\n")
        ends.append(session.socket)

    def leave(_until: datetime) -> None:
        while ends:
            ends.pop().shutdown(socket.SHUT_RDWR)

    with ScriptedServer({"rcpt:guest1@mission.example.org": "450 4.7.1 Greylisted", "rset": stay}) as server:
        assert mailing.send(server, wait=True, retry_after=0.5, idle=leave).states == {State.SENT: 2}
    assert accepted(server) == {0: 1, 1: 1}


def test_a_connection_that_ends_while_the_ledger_is_busy_strands_nobody(
    mailing_of: MailingOf, before_exchange: BeforeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is claimed at a moment when the last connection has just gone is sent over the next one."""
    monkeypatch.setattr(session, "_IDLE", 0.1)
    mailing = mailing_of(1)
    is_slow, has_left = threading.Event(), threading.Event()

    def dawdle(_: Sequence[Attempt]) -> None:
        if is_slow.is_set():
            has_left.wait(20)

    before_exchange(dawdle)

    def greet(session: Session) -> None:
        is_slow.set()
        session.socket.sendall(GOOD["greeting"].encode() + b"\r\n")

    def take_leave(session: Session) -> None:
        session.socket.sendall(GOOD["quit"].encode() + b"\r\n")
        has_left.set()

    script = {
        "rcpt": "450 4.7.1 Greylisted",
        "greeting": [GOOD["greeting"], greet],
        "quit": [_passing_an_hour(mailing), take_leave],
    }
    with ScriptedServer(script) as server:
        assert mailing.send(server, wait=True).states == {State.SENT: 1}
    assert server.connections == 3


# --- a relay that asks for less ---------------------------------------------------------------------------------------


@MANNERS
@pytest.mark.parametrize("refusal", ["421 4.7.0 Too many connections", "432 4.3.2 Concurrent connections exceeded"])
@pytest.mark.parametrize("step", ["greeting", "ehlo", "mail"])
def test_too_many_connections_lead_to_fewer(
    mailing_of: MailingOf, step: str, refusal: str, features: list[str]
) -> None:
    """The run goes on with the connections that the relay allows, and everybody is sent to."""
    mailing = mailing_of(30)
    limit = _ConnectionLimit(2, step, refusal)
    with ScriptedServer({"connect": [limit.enter] * 99, step: [limit.judge] * 999}, features) as server:
        tally = mailing.send(server, connections=5)
    assert tally.states == mailing.counts == {State.SENT: 30}
    assert accepted(server) == dict.fromkeys(range(30), 1)


def test_a_relay_that_took_no_more_connections_is_asked_again_later(mailing_of: MailingOf) -> None:
    """What it could not serve for a moment is not missing for the hours that a run may last."""
    mailing = mailing_of(80)
    was_refused = threading.Event()

    def refuse(session: Session) -> None:
        session.socket.sendall(b"421 4.7.0 Too many connections\r\n")
        was_refused.set()
        drop(session)

    def pass_a_minute(session: Session) -> None:
        was_refused.wait(20)
        mailing.ahead += timedelta(minutes=1)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"greeting": [GOOD["greeting"], refuse], "dot": [pass_a_minute] * 80}) as server:
        assert mailing.send(server, connections=2).states == {State.SENT: 80}
    assert server.connections == 3


def test_a_connection_that_is_not_granted_stops_nobody_elses(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the relay drops a second connection without a word, the first goes on, and nothing is waited for."""
    monkeypatch.setattr(setbacks, "REOPEN_AFTER", (600.0,))
    mailing = mailing_of(20)
    was_dropped = threading.Event()

    def refuse(session: Session) -> None:
        was_dropped.set()
        drop(session)

    def wait_and_accept(session: Session) -> None:
        was_dropped.wait(20)
        time.sleep(0.05)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    script = {"greeting": [GOOD["greeting"], refuse], "dot": [GOOD["dot"], GOOD["dot"], wait_and_accept]}
    with ScriptedServer(script) as server:
        assert mailing.send(server, connections=2).states == {State.SENT: 20}
    assert server.connections == 2


class _ConnectionLimit:
    """Serves so many connections at a time and refuses the others at some step."""

    def __init__(self, most: int, step: str, refusal: str) -> None:
        self.most, self.step, self.refusal = most, step, refusal.encode() + b"\r\n"
        self.sessions: set[int] = set()
        self.lock = threading.Lock()

    def enter(self, session: Session) -> None:
        with self.lock:
            open_sockets = {id(one) for one in session.server._open}
            self.sessions &= open_sockets
            if len(self.sessions) < self.most:
                self.sessions.add(id(session.socket))

    def judge(self, session: Session) -> None:
        if id(session.socket) not in self.sessions:
            session.socket.sendall(self.refusal)
            drop(session)
        good = {**GOOD, "ehlo": "250-relay.example.org\r\n250 PIPELINING"}[self.step]
        if self.step == "mail":
            session.mail, session.rcpts = "MAIL FROM:<bounces@example.org>", []
        session.socket.sendall(good.encode() + b"\r\n")


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("refusal", ["421 4.4.2 Too many messages, bye", "452 4.5.3 Too many messages"])
@pytest.mark.parametrize("step", ["mail", "rcpt"])
def test_too_many_messages_for_one_connection_lead_to_another(
    mailing_of: MailingOf, step: str, refusal: str, features: list[str], connections: int
) -> None:
    """A relay that takes three messages a connection gets them all, over new connections, in the same run."""
    mailing = mailing_of(20)
    taken: dict[int, int] = {}

    def count(session: Session) -> None:
        taken[id(session)] = number = taken.get(id(session), 0) + 1
        if number > 3:
            session.socket.sendall(refusal.encode() + b"\r\n")
            if refusal.startswith("421"):
                drop(session)
            return
        if step == "mail":
            session.mail, session.rcpts = "MAIL FROM:<bounces@example.org>", []
        session.socket.sendall(GOOD[step].encode() + b"\r\n")

    keep: list[Session] = []  # so that no id comes twice
    with ScriptedServer({"connect": [keep.append] * 999, step: [count] * 999}, features) as server:
        tally = mailing.send(server, connections=connections)
    assert tally.states == mailing.counts == {State.SENT: 20}
    assert accepted(server) == dict.fromkeys(range(20), 1)


@CONNECTIONS
@pytest.mark.parametrize(
    "refusal",
    ["452 4.3.1 Out of storage", "454 4.7.0 Throttled", "451 4.7.500 Server busy", "550 5.4.5 Daily limit exceeded"],
)
def test_a_relay_that_takes_nothing_for_now_is_left_alone(
    mailing_of: MailingOf, refusal: str, connections: int
) -> None:
    """The run ends with what the relay said, a few deferrals and nobody failed; the next one keeps the pause."""
    mailing = mailing_of(40)
    with ScriptedServer({"rcpt": [refusal] * 99}) as server:
        with pytest.raises(RelayBusy, match=refusal[:9]):
            mailing.send(server, connections=connections)
        assert set(mailing.counts) == {State.QUEUED, State.DEFERRED}
        asked = server.connections
        with pytest.raises(RelayBusy, match="asked for a pause a while ago"):
            mailing.send(server, connections=connections)
        assert server.connections == asked
    assert mailing.counts[State.QUEUED] >= 30
    mailing.ahead = timedelta(hours=1)
    with ScriptedServer() as other:
        assert mailing.send(other, connections=connections).states == {State.SENT: 40}


def test_a_pause_holds_for_all_connections_and_ends(mailing_of: MailingOf) -> None:
    """With wait, a throttled run goes on by itself after each pause, and sends to everybody once."""
    mailing = mailing_of(30)
    refusals = [GOOD["rcpt"]] * 6 + ["452 4.3.1 Out of storage"] * 9
    with ScriptedServer({"rcpt": refusals}) as server:
        tally = mailing.send(server, connections=3, wait=True, retry_after=0.05)
    assert tally.states == mailing.counts == {State.SENT: 30}
    assert accepted(server) == dict.fromkeys(range(30), 1)


def test_with_wait_a_pause_of_an_earlier_run_is_waited_for(mailing_of: MailingOf) -> None:
    """Nothing is begun before its end."""
    mailing = mailing_of(3)
    with ScriptedServer() as server:
        here = f"127.0.0.1:{server.port}"
        until = mailing.clock() + timedelta(seconds=0.5)
        for relay, end in ((here, until), ("elsewhere.example.org:25", until + timedelta(minutes=1))):
            with mailing.ledger.run(EVENT, NAME, mailing.clock(), relay=relay) as run:
                run.pause(end)
        assert mailing.send(server, wait=True).states == {State.SENT: 3}
    assert min(attempt.started_at for attempt in mailing.told) >= until


def test_a_relay_that_takes_nothing_for_days_fails_nobody(mailing_of: MailingOf) -> None:
    """That the give-up time has passed for somebody is not the fault of who was tried first."""
    mailing = mailing_of(4)
    with ScriptedServer({"rcpt": ["452 4.3.1 Out of storage"] * 99}) as server:
        for days in range(3):
            mailing.ahead = timedelta(days=days)
            with pytest.raises(RelayBusy):
                mailing.send(server)
    assert set(mailing.counts) <= {State.QUEUED, State.DEFERRED}


def test_with_wait_a_relay_that_takes_nothing_is_left_alone_at_the_give_up_time(mailing_of: MailingOf) -> None:
    """A run that waits does so for hours, and not for ever; everybody is due again."""
    mailing = mailing_of(4)
    with ScriptedServer({"rcpt": ["452 4.3.1 Out of storage"] * 9999}) as server:
        with pytest.raises(RelayBusy, match="asks for a pause"):
            mailing.send(server, wait=True, retry_after=0.02, give_up_after=0.5)
        first, *_, last = sorted(attempt.finished_at for attempt in mailing.told)
        assert last - first > timedelta(seconds=0.4)
    assert set(mailing.counts) <= {State.QUEUED, State.DEFERRED}


def test_a_pause_that_another_clock_wrote_counts_for_nothing(mailing_of: MailingOf) -> None:
    """A pause of years, which no relay asked for, keeps nobody from sending."""
    mailing = mailing_of(1)
    with ScriptedServer() as server:
        here = f"127.0.0.1:{server.port}"
        with mailing.ledger.run(EVENT, NAME, mailing.clock(), relay=here) as run:
            run.pause(mailing.clock() + timedelta(days=900))
        assert mailing.send(server).states == {State.SENT: 1}


@CONNECTIONS
def test_an_outage_in_the_middle_is_survived(
    mailing_of: MailingOf, connections: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that restarts, refusing connections for a moment, gets the rest afterwards, again over several."""
    # However the losses fall, they are not so many in a row that the run has to end.
    monkeypatch.setattr(setbacks, "REOPEN_AFTER", (0.1,) * 9)
    mailing = mailing_of(60)
    outage = _Outage(8)
    with ScriptedServer({"mail": [outage.mail] * 999, "greeting": [outage.greeting] * 99}) as server:
        tally = mailing.send(server, connections=connections)
    assert tally.states == mailing.counts == {State.SENT: 60}
    assert accepted(server) == dict.fromkeys(range(60), 1)
    assert outage.greeted_since >= min(2, connections)


class _Outage:
    """After so many messages each connection is lost when it is asked for another, and two new ones are refused."""

    def __init__(self, after: int) -> None:
        self.left, self.refusals, self.greeted_since = after, 2, 0
        self.old: list[Session] = []
        self.lock = threading.Lock()

    def greeting(self, session: Session) -> None:
        with self.lock:
            if self.left > 0:
                self.old.append(session)
            elif self.refusals:
                self.refusals -= 1
                drop(session)
            else:
                self.greeted_since += 1
        session.socket.sendall(GOOD["greeting"].encode() + b"\r\n")

    def mail(self, session: Session) -> None:
        with self.lock:
            self.left -= 1
            if self.left < 0 and session in self.old:
                drop(session)
        session.mail, session.rcpts = "MAIL FROM:<bounces@example.org>", []
        session.socket.sendall(GOOD["mail"].encode() + b"\r\n")


@CONNECTIONS
def test_an_outage_that_lasts_ends_the_run(mailing_of: MailingOf, connections: int) -> None:
    """One error says so; what was sent is recorded, and the rest is due."""
    mailing = mailing_of(40)
    script = {"greeting": [GOOD["greeting"]] * connections + [drop] * 99, "mail": [GOOD["mail"]] * 8 + [drop] * 99}
    with ScriptedServer(script) as server, pytest.raises(RelayUnreachable):
        mailing.send(server, connections=connections)
    assert len(server.accepted) == mailing.counts[State.SENT] == 8
    assert set(mailing.counts) == {State.SENT, State.QUEUED, State.DEFERRED}
    with ScriptedServer() as other:
        mailing.send(other)
    assert accepted(server) + accepted(other) == dict.fromkeys(range(40), 1)


# --- a relay that cannot be used --------------------------------------------------------------------------------------


@CONNECTIONS
@pytest.mark.parametrize(
    ("script", "features", "relay", "error"),
    [
        ({"auth": "535 5.7.8 Wrong password"}, ["AUTH PLAIN"], {"username": "organiser", "password": "x"}, "password"),
        ({"mail": "530 5.7.0 Authentication required"}, [], {}, "login"),
        ({"mail": "550 5.7.60 Not allowed to send as this sender"}, [], {}, "MAIL_FROM"),
        ({}, [], {"security": Security.STARTTLS}, "does not offer STARTTLS"),
        ({"greeting": "554 5.7.1 Go away"}, [], {}, "Go away"),
    ],
    ids=["login refused", "login wanted", "sender refused", "no TLS", "greeting refused"],
)
def test_a_relay_that_cannot_be_used_stops_the_run_at_once(
    mailing_of: MailingOf, script: dict, features: list[str], relay: dict[str, object], error: str, connections: int
) -> None:
    """After one try: one error, nobody marked failed, everybody due again."""
    mailing = mailing_of(20)
    with ScriptedServer({step: [act] * 99 for step, act in script.items()}, features) as server:
        with pytest.raises(RelayError, match=error):
            mailing.send(server, connections=connections, relay=relay)
        assert server.connections <= connections
        assert not server.accepted
        assert not mailing.told
    assert set(mailing.counts) <= {State.QUEUED, State.DEFERRED}
    assert not any(mailing.attempts(n) for n in range(20))
    with ScriptedServer() as other:
        assert mailing.send(other).states == {State.SENT: 20}


def test_a_wrong_certificate_stops_the_run(mailing_of: MailingOf) -> None:
    """The relay that answers is not the one that was named: nothing is sent and nobody is marked."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example.org").configure_cert(tls)
    mailing = mailing_of(5)
    with ScriptedServer(tls=tls, tls_at_once=True) as server, pytest.raises(RelayUntrusted, match="certificate"):
        mailing.send(server, connections=3, relay={"security": Security.TLS})
    assert mailing.counts == {State.QUEUED: 5}


def test_what_others_were_sending_when_the_run_stopped_is_recorded(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender refused on one connection waits for the replies on the others; only what was not tried is due again."""
    mailing = mailing_of(20)
    gate = Gate()
    fail = Round._fail

    def fail_and_go_on(self: Round[int], fault: Exception) -> None:
        fail(self, fault)
        gate.open.set()

    monkeypatch.setattr(Round, "_fail", fail_and_go_on)

    def refuse(session: Session) -> None:
        gate.reached.wait(20)
        session.socket.sendall(b"550 5.1.8 Sender address rejected\r\n")

    def accept_late(session: Session) -> None:
        gate(session)
        session.socket.sendall(b"250 2.0.0 Queued late\r\n")

    with ScriptedServer({"mail": [GOOD["mail"], refuse], "dot": accept_late}, []) as server:
        with pytest.raises(SenderRefused):
            mailing.send(server, connections=2)
        assert mailing.counts[State.SENT] == len(server.accepted) == 1
        assert set(mailing.counts) == {State.SENT, State.QUEUED, State.DEFERRED}
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(20), 1)


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("step", ["mail", "data", "dot"])
def test_stop_finishes_what_is_in_flight_and_gives_the_rest_back(
    mailing_of: MailingOf, step: str, features: list[str], connections: int
) -> None:
    """After Ctrl-C everything that was begun has its outcome, the rest is due, and the next run sends just that."""
    mailing = mailing_of(40)

    def stop(session: Session) -> None:
        mailing.stop_soon()
        time.sleep(0.02)
        if step == "mail":
            session.mail, session.rcpts = "MAIL FROM:<bounces@example.org>", []
        session.socket.sendall(GOOD[step].encode() + b"\r\n")

    with ScriptedServer({step: [GOOD[step]] * 9 + [stop]}, features) as server:
        tally = mailing.send(server, connections=connections, meanwhile=mailing.remember_loop)
        assert tally.interrupted
        sent = len(server.accepted)
        assert 9 <= sent <= 10 + 2 * connections
        assert mailing.counts[State.SENT] == sent
        assert set(mailing.counts) <= {State.SENT, State.QUEUED, State.DEFERRED}
        assert tally.states == {State.SENT: sent}
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(40), 1)


@pytest.mark.parametrize("step", ["connect", "greeting", "ehlo"])
def test_stop_does_not_wait_for_a_connection_that_is_being_made(mailing_of: MailingOf, step: str) -> None:
    """Nothing is in flight there, so the run ends at once, also with a relay that stalls."""
    mailing = mailing_of(3)

    def stop(session: Session) -> None:
        mailing.stop_soon()
        stall(session)

    with ScriptedServer({step: stop}) as server:
        tally = mailing.send(server, meanwhile=mailing.remember_loop, relay={"timeout": 600})
    assert tally.interrupted
    assert mailing.counts == {State.QUEUED: 3}


def test_stop_ends_a_wait(mailing_of: MailingOf) -> None:
    """A run that waits for deferrals, for the pace or for the end of a pause ends at once."""
    mailing = mailing_of(2)

    def stop(_until: datetime) -> None:
        assert mailing.round
        asyncio.get_running_loop().call_soon(mailing.round.stop)

    with ScriptedServer({"rcpt": "450 4.7.1 Greylisted"}) as server:
        tally = mailing.send(server, wait=True, idle=stop)
        assert (tally.interrupted, tally.states) == (True, {State.SENT: 1, State.DEFERRED: 1})
        mailing.ahead = timedelta(hours=1)
        full = Pace([Window(1, 86_400)], [(mailing.clock(), 1)])
        assert mailing.send(server, pace=full, idle=stop).interrupted
        with mailing.ledger.run(EVENT, NAME, mailing.clock(), relay=f"127.0.0.1:{server.port}") as run:
            run.pause(mailing.clock() + timedelta(minutes=5))
        assert mailing.send(server, wait=True, idle=stop).interrupted
    assert len(server.accepted) == 1


@MANNERS
def test_cancelled_it_leaves_in_doubt_what_was_in_flight_and_nothing_else(
    mailing_of: MailingOf, features: list[str]
) -> None:
    """A second Ctrl-C does not wait for the relay: that message is in doubt, what was not begun is due."""
    mailing = mailing_of(20)
    gate = Gate()
    with ScriptedServer({"dot": [GOOD["dot"]] * 5 + [gate]}, features) as server:

        async def cancel() -> None:
            task = asyncio.create_task(mailing.deliver(server))
            await asyncio.to_thread(gate.reached.wait, 20)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gate.open.set()

        asyncio.run(cancel())
        assert mailing.counts[State.IN_DOUBT] == 1
        assert mailing.counts[State.SENT] == 5
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(20), 1)


def test_cancelled_while_it_claims_it_leaves_nothing_in_doubt(
    mailing_of: MailingOf, before_exchange: BeforeExchange
) -> None:
    """A claim that reaches the disk in that moment is given back."""
    mailing = mailing_of(5)
    is_claiming, may_go_on = threading.Event(), threading.Event()

    def wait(_: Sequence[Attempt]) -> None:
        is_claiming.set()
        may_go_on.wait(20)

    before_exchange(wait)

    async def cancel(server: ScriptedServer) -> None:
        task = asyncio.create_task(mailing.deliver(server))
        await asyncio.to_thread(is_claiming.wait, 20)
        task.cancel()
        threading.Timer(0.1, may_go_on.set).start()
        with pytest.raises(asyncio.CancelledError):
            await task

    with ScriptedServer() as server:
        asyncio.run(cancel(server))
        assert set(mailing.counts) == {State.QUEUED, State.DEFERRED}
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(5), 1)


# --- faults of ours ---------------------------------------------------------------------------------------------------


def _failing_for(guest: int, fault: Exception) -> Callable[[Delivery, int, Features], tuple[Envelope, Sequence[bytes]]]:
    def compose_or_fail(delivery: Delivery, contact: int, features: Features) -> tuple[Envelope, Sequence[bytes]]:
        if contact == guest:
            raise fault
        return compose(delivery, contact, features)

    return compose_or_fail


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("guest", [0, 1, 2, 11])
def test_a_message_that_cannot_be_made_fails_alone(
    mailing_of: MailingOf, guest: int, features: list[str], connections: int
) -> None:
    """The recipient is recorded as failed with what is wrong; all the others are sent."""
    mailing = mailing_of(12)
    fault = InputRefused([Problem("there is no rank", "Write one", cell="E7")])
    with ScriptedServer(features=features) as server:
        tally = mailing.send(server, connections=connections, compose=_failing_for(guest, fault))
    assert tally.states == {State.SENT: 11, State.FAILED: 1}
    assert accepted(server) == {n: 1 for n in range(12) if n != guest}
    (attempt,) = mailing.attempts(guest)
    assert attempt.note == "not sent: cell E7: there is no rank. Write one"


@MANNERS
def test_octets_that_are_no_message_fail_alone(mailing_of: MailingOf, features: list[str]) -> None:
    """Content with a bare line feed never leaves, and keeps nobody else's from leaving."""
    mailing = mailing_of(6)

    def smuggle(delivery: Delivery, contact: int, features: Features) -> tuple[Envelope, Sequence[bytes]]:
        envelope, content = compose(delivery, contact, features)
        return envelope, [b"\n.\n" if contact == 2 else octets for octets in content]

    with ScriptedServer(features=features) as server:
        tally = mailing.send(server, compose=smuggle)
    assert tally.states == {State.SENT: 5, State.FAILED: 1}
    assert accepted(server) == {n: 1 for n in range(6) if n != 2}
    assert mailing.attempts(2)[0].note.startswith("not sent: ")


def test_octets_that_are_no_message_take_their_envelope_back(mailing_of: MailingOf) -> None:
    """Where the envelope went ahead behind the message before, the next one is not mistaken for its message."""
    mailing = mailing_of(6)

    def smuggle(delivery: Delivery, contact: int, features: Features) -> tuple[Envelope, Sequence[bytes]]:
        envelope, content = compose(delivery, contact, features)
        return envelope, [b"\n.\n"] if contact == 1 else content

    with ScriptedServer(features=PIPELINING) as server:
        assert mailing.send(server, compose=smuggle).states == {State.SENT: 5, State.FAILED: 1}
    assert any("guest1@" in command for command in server.commands)
    assert accepted(server) == {n: 1 for n in range(6) if n != 1}


def test_a_fault_of_the_program_amidst_a_transaction_is_a_doubt_that_names_it(
    mailing_of: MailingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows how far the message got, so it is not sent again; the attempt says what went wrong."""
    mailing = mailing_of(6)
    send = Connection.send

    async def send_and_stumble(self: Connection, envelope: Envelope, *args: object, **settings: object) -> Outcome:
        outcome = await send(self, envelope, *args, **settings)  # type: ignore[arg-type]
        if envelope.forward_paths == (address(2),):
            raise ZeroDivisionError("a mistake")
        return outcome

    monkeypatch.setattr(Connection, "send", send_and_stumble)
    with ScriptedServer() as server:
        with pytest.raises(ZeroDivisionError):
            mailing.send(server)
        monkeypatch.undo()
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(6), 1)
    assert mailing.counts == {State.SENT: 5, State.IN_DOUBT: 1}
    (attempt,) = mailing.attempts(2)
    assert attempt.note.startswith("stopped by a fault of mailer: ZeroDivisionError")


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("guest", [0, 1, 5])
def test_a_fault_of_the_program_stops_the_run_and_loses_nothing(
    mailing_of: MailingOf, guest: int, features: list[str], connections: int
) -> None:
    """The run neither hangs nor leaves a claim behind: what was sent is recorded, the rest is due."""
    mailing = mailing_of(20)
    with ScriptedServer(features=features) as server:
        with pytest.raises(ZeroDivisionError):
            mailing.send(server, connections=connections, compose=_failing_for(guest, ZeroDivisionError("a mistake")))
        assert mailing.counts.get(State.SENT, 0) == len(server.accepted)
        assert set(mailing.counts) <= {State.SENT, State.QUEUED, State.DEFERRED}
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(20), 1)


@MANNERS
def test_a_report_that_cannot_be_written_stops_the_run_and_loses_nothing(
    mailing_of: MailingOf, features: list[str]
) -> None:
    """When the reader of our output has left, what is in flight is finished and recorded."""
    mailing = mailing_of(20)

    def tell(_: Delivery, attempt: Attempt) -> None:
        raise BrokenPipeError

    with ScriptedServer(features=features) as server:
        with pytest.raises(BrokenPipeError):
            mailing.send(server, connections=2, progress=tell)
        assert mailing.counts[State.SENT] == len(server.accepted)
        assert State.IN_DOUBT not in mailing.counts
        mailing.send(server)
    assert accepted(server) == dict.fromkeys(range(20), 1)


# --- the ledger fails -------------------------------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
def test_a_full_disk_stops_the_run_without_hanging(
    disk: Disk, tmp_path: Path, before_exchange: BeforeExchange, features: list[str], connections: int
) -> None:
    """One error; what the relay took and could not be recorded is in doubt, never sent again."""
    is_full = threading.Event()
    before_exchange(lambda _: disk.fill() if is_full.is_set() else None)

    def soon(_session: Session) -> None:
        is_full.set()

    with (
        Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger,
        ScriptedServer({"body": [_nothing] * 20 + [soon]}, features) as server,
    ):
        mailing = queued(ledger, 60)
        with pytest.raises(LedgerError, match="disk is full"):
            mailing.send(server, connections=connections)
        is_full.clear()
        disk.clear()
        mailing.send(server, connections=connections)
        assert accepted(server) == dict.fromkeys(accepted(server), 1)
        assert set(mailing.counts) <= {State.SENT, State.IN_DOUBT}
        assert mailing.counts.get(State.IN_DOUBT, 0) <= 2 * connections
        assert {guest for guest, state in mailing.states.items() if state is State.SENT} <= set(accepted(server))


def test_what_was_deferred_before_a_fault_is_counted(ledger: Ledger, before_exchange: BeforeExchange) -> None:
    """What a run that was broken off tells of itself holds all that is recorded."""
    exchanges = itertools.count(1)

    def fail(_outcomes: Sequence[Attempt]) -> None:
        if next(exchanges) > 3:
            raise LedgerError("The ledger is gone.")

    before_exchange(fail)
    with ScriptedServer({"rcpt": ["451 4.7.1 Greylisted"]}, []) as server:
        mailing = queued(ledger, 20)
        with pytest.raises(LedgerError, match="gone"):
            mailing.send(server)
    assert mailing.round
    assert mailing.counts[State.DEFERRED] == 1
    assert mailing.round.tally.states == {
        state: number for state, number in mailing.counts.items() if state in (State.DEFERRED, State.SENT)
    }


def _nothing(_session: Session) -> None:
    """All goes well."""


@MANNERS
@CONNECTIONS
def test_a_ledger_that_is_locked_for_a_while_costs_no_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: list[str], connections: int
) -> None:
    """The run ends with an error, but what the relay said until then is recorded by a last try."""
    other = sqlite3.connect(tmp_path / "ledger.db", check_same_thread=False, isolation_level=None)
    fail = Round._fail

    def unlock_and_fail(self: Round[int], fault: Exception) -> None:
        if other.in_transaction:
            other.execute("ROLLBACK")
        fail(self, fault)

    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db?timeout=0.1") as ledger:
        mailing = queued(ledger, 60)
        monkeypatch.setattr(Round, "_fail", unlock_and_fail)
        lock = [_nothing] * 20 + [lambda _: other.execute("BEGIN IMMEDIATE")]
        with ScriptedServer({"body": lock}, features) as server:
            with pytest.raises(LedgerError, match="locked by another program"):
                mailing.send(server, connections=connections)
            assert mailing.counts[State.SENT] == len(server.accepted)
            assert State.IN_DOUBT not in mailing.counts
            monkeypatch.undo()
            mailing.send(server)
    other.close()
    assert accepted(server) == dict.fromkeys(range(60), 1)


# --- the pace ---------------------------------------------------------------------------------------------------------


@MANNERS
@CONNECTIONS
def test_the_pace_holds_for_all_connections_together(
    mailing_of: MailingOf, features: list[str], connections: int
) -> None:
    """Not more messages reach the relay in any window than it may hold, however many connections there are."""
    mailing = mailing_of(9)
    moments: list[datetime] = []
    with ScriptedServer({"body": [lambda _: moments.append(mailing.clock())] * 9}, features) as server:
        pace = Pace([Window(4, 60)])
        tally = mailing.send(server, connections=connections, pace=pace, idle=mailing.pass_the_time)
    assert tally.states == {State.SENT: 9}
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in zip(moments, moments[4:], strict=False))


def test_a_wait_for_the_pace_is_told_with_the_moment_when_it_ends(mailing_of: MailingOf) -> None:
    """Whoever looks on hears until when nothing goes, once everything that was on its way is settled."""
    mailing = mailing_of(4)
    with ScriptedServer() as server:
        mailing.send(server, pace=Pace([Window(2, 60)]), idle=mailing.pass_the_time)
        first, second, third, _ = sorted(attempt.finished_at for attempt in mailing.told)
    assert {second < until <= third for until in mailing.waits} == {True}
    assert max(mailing.waits) >= first + timedelta(minutes=1)


@pytest.mark.parametrize("connections", [1, 3])
def test_a_place_in_the_pace_is_given_back_by_what_was_not_sent(mailing_of: MailingOf, connections: int) -> None:
    """Messages that failed on our side, or met with a lost connection, do not count."""
    mailing = mailing_of(4)
    pace = Pace([Window(3, 86_400)])
    fault = InputRefused([Problem("there is no rank", "Write one")])
    with ScriptedServer({"mail": [drop, GOOD["mail"], drop]}) as server:
        tally = mailing.send(server, connections=connections, pace=pace, compose=_failing_for(0, fault))
    assert tally.states == {State.SENT: 3, State.FAILED: 1}


def test_a_place_in_the_pace_is_given_back_by_who_may_not_be_written_to_any_more(mailing_of: MailingOf) -> None:
    """Who opts out while the run is on its way takes nobody's place."""
    mailing = mailing_of(8)

    def opt_out(_session: Session) -> None:
        mailing.ledger.suppress(address(6), "asked", mailing.clock())

    with ScriptedServer({"body": opt_out}, []) as server:
        assert mailing.send(server, pace=Pace([Window(7, 86_400)])).states == {State.SENT: 7}


@pytest.mark.parametrize("end", [lambda session: session.socket.sendall(b"250 Ok\r\n"), drop], ids=["sent", "in doubt"])
def test_a_message_counts_in_the_pace_from_its_end(mailing_of: MailingOf, end: Action) -> None:
    """The relay may have counted it as late as that, also where its reply was lost."""
    mailing = mailing_of(2)

    def think(session: Session) -> None:
        mailing.ahead += timedelta(seconds=30)
        end(session)

    with ScriptedServer({"dot": think}, []) as server:
        mailing.send(server, pace=Pace([Window(1, 60)]), idle=mailing.pass_the_time)
    first, second = mailing.told
    assert second.started_at >= first.finished_at + timedelta(minutes=1)


def test_copies_count_in_the_pace_where_recipients_do(mailing_of: MailingOf) -> None:
    """Two messages of two recipients each do not both go into a window of three."""
    mailing = mailing_of(2)
    with ScriptedServer() as server:
        mailing.send(
            server,
            connections=2,
            pace=Pace([Window(3, 60, of_recipients=True)]),
            idle=mailing.pass_the_time,
            reading=lambda jobs: (replace(job, recipients=2) for job in jobs),
        )
    first, second = mailing.told
    assert second.started_at >= first.finished_at + timedelta(minutes=1)


def _one_by_one(session: Session) -> bool:
    """A relay that takes one recipient in each transaction, and says so to whoever names more."""
    words = b"452 4.5.3 Too many recipients" if session.rcpts else GOOD["rcpt"].encode()
    session.socket.sendall(words + b"\r\n")
    return not session.rcpts


TAKEN_APART = pytest.mark.parametrize(
    ("limit", "rcpt"), [([], _one_by_one), (["LIMITS RCPTMAX=1"], None)], ids=["said at RCPT", "said at EHLO"]
)


def _with_copies(jobs: Sequence[Job[int]]) -> Iterator[Job[int]]:
    return (replace(job, recipients=3) for job in jobs)


@MANNERS
@CONNECTIONS
@TAKEN_APART
def test_a_message_that_the_relay_takes_apart_counts_each_transaction(
    mailing_of: MailingOf, features: list[str], connections: int, limit: list[str], rcpt: Action | None
) -> None:
    """Nothing of it goes before there are places for all: no window at the relay holds more than it may."""
    mailing = mailing_of(3, copies=2)
    begun: list[datetime] = []
    script: dict[str, Sequence[Action]] = {"mail": [_noting(begun, mailing)] * 99, "rcpt": [rcpt] * 99 if rcpt else []}
    with ScriptedServer(script, [*features, *limit]) as server:
        pace, idle = Pace([Window(4, 60)]), mailing.pass_the_time
        tally = mailing.send(server, connections=connections, pace=pace, idle=idle, reading=_with_copies)
    assert tally.states == {State.SENT: 3}
    assert tally.without_copy == 0
    assert all(accepted(server)[guest] == 1 for guest in (0, 1, 2, 100, 101, 200, 201, 300, 301))
    assert all(later - earlier >= timedelta(minutes=1) for earlier, later in zip(begun, begun[4:], strict=False))
    tries = [attempt for guest in range(3) for attempt in mailing.attempts(guest)]
    assert sum(attempt.transactions for attempt in tries) == len(begun)
    assert [attempt.transactions for attempt in tries if attempt.state is State.SENT] == [3, 3, 3]


def _noting(moments: list[datetime], mailing: Mailing) -> Action:
    def act(session: Session) -> None:
        moments.append(mailing.clock())
        session.socket.sendall(GOOD["mail"].encode() + b"\r\n")

    return act


@TAKEN_APART
def test_what_a_relay_took_apart_counts_in_the_next_run(
    mailing_of: MailingOf, limit: list[str], rcpt: Action | None
) -> None:
    """The ledger tells each of the transactions, so that a restart gives no fresh allowance."""
    mailing = mailing_of(1, copies=2)
    with ScriptedServer({"rcpt": [rcpt] * 9 if rcpt else []}, limit) as server:
        mailing.send(server, reading=_with_copies)
    now = mailing.clock()
    before = mailing.ledger.reached_relay_since(now - timedelta(hours=1), now)
    assert [recipients for _, recipients in before] == [1, 1, 1]
    assert Pace([Window(3, 3600)], before).opens_at(now) > now
    assert len(mailing.attempts(0)) == 1


def test_a_message_that_is_lost_on_its_way_counts_in_the_pace(mailing_of: MailingOf) -> None:
    """A relay that has answered its MAIL may have counted it, whatever became of the connection."""
    mailing = mailing_of(1)
    with ScriptedServer({"data": drop}, []) as server:
        mailing.send(server, pace=Pace([Window(1, 60)]), idle=mailing.pass_the_time)
    lost, sent = mailing.told
    assert (lost.state, lost.transactions, sent.state) == (State.DEFERRED, 1, State.SENT)
    assert sent.started_at >= lost.finished_at + timedelta(minutes=1)


def test_a_clock_that_is_set_back_an_hour_costs_one_window(mailing_of: MailingOf) -> None:
    """The run goes on after it, and not when the clock has caught up."""
    mailing = mailing_of(4)

    def set_back(session: Session) -> None:
        mailing.ahead = timedelta(hours=-1)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [GOOD["dot"], set_back]}, []) as server:
        assert mailing.send(server, pace=Pace([Window(2, 1)])).states == {State.SENT: 4}
