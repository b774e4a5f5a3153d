"""kill -9 at each step of a transaction and at random moments: nobody is lost, nobody is written to twice.

`MAILER_KILLS=500 pytest tests/crash` kills as many times at random moments.
"""

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.ledger import Ledger
from mailer.model import State
from tests.crash.conftest import Sender
from tests.deliver.conftest import accepted, queued
from tests.servers import GOOD, Action, ScriptedServer, Session

GUESTS = 16
PIPELINING = ["PIPELINING", "8BITMIME"]
RANDOM_KILLS = int(os.environ.get("MAILER_KILLS", "30"))
# `body` is before any content is read, `dot` behind it, `reply` right after the relay has said that it took it.
STEPS = ("connect", "greeting", "ehlo", "mail", "rcpt", "data", "body", "dot", "reply", "quit")
ONCE = {"connect", "greeting", "ehlo", "quit"}  # on each connection


def cases() -> Iterator[tuple[str, int, int]]:
    """Each step, when it comes for the first time and later, over one connection and over three."""
    for step, connections in itertools.product(STEPS, (1, 3)):
        for number in sorted({1, connections if step in ONCE else 7}):
            yield step, number, connections


def killing(step: str, number: int, features: list[str], kill: Callable[[], None]) -> dict[str, list[str | Action]]:
    """A relay that kills its client when it comes to `step` for the `number`th time; otherwise all goes well."""
    name = "dot" if step == "reply" else step
    lines = ["relay.example.org", *features]
    good = {
        **GOOD,
        "ehlo": "\r\n".join(f"250{' ' if n == len(lines) else '-'}{line}" for n, line in enumerate(lines, 1)),
    }.get(name)

    def act(session: Session) -> None:
        if step != "reply":
            kill()
        if good:
            session.socket.sendall(good.encode() + b"\r\n")
        if step == "reply":
            kill()

    return {name: [good or _nothing] * (number - 1) + [act]}


def _nothing(_session: Session) -> None:
    """All goes well."""


def check_what_a_kill_left(
    url: str, server: ScriptedServer, sender: Sender, connections: int
) -> tuple[set[int], set[int]]:
    """Runs again to the end; returns who was sent to and who is in doubt then."""
    with Ledger.open(url) as ledger:
        mailing = queued(ledger, 0)
        assert mailing.counts.get(State.CLAIMED, 0) <= 2 * connections
        assert set(mailing.counts) <= {State.SENT, State.QUEUED, State.DEFERRED, State.CLAIMED}
        recorded = {guest for guest, state in mailing.states.items() if state is State.SENT}
        assert recorded <= set(accepted(server))
        assert sender.run(url, server.port, connections) == 0
        sent, doubtful = (
            {guest for guest, state in mailing.states.items() if state is wanted}
            for wanted in (State.SENT, State.IN_DOUBT)
        )
        assert recorded <= sent
        assert sent | doubtful == set(range(GUESTS))
        assert len(doubtful) <= 2 * connections
        assert sent <= set(accepted(server))
        assert set(accepted(server).values()) == {1}
        for guest in doubtful:
            (attempt,) = mailing.attempts(guest)
            assert attempt.relay == f"127.0.0.1:{server.port}"
            assert attempt.reply is None
            assert "stopped" in attempt.note
    return sent, doubtful


def check_sending_again(url: str, server: ScriptedServer, sender: Sender, connections: int, doubtful: set[int]) -> None:
    """What a person lets go out again is the same message, so that the receiver can drop the twin."""
    before = accepted(server)
    with Ledger.open(url) as ledger:
        mailing = queued(ledger, 0)
        ledger.resolve([mailing.deliveries[guest].id for guest in doubtful], State.QUEUED, mailing.clock())
        assert sender.run(url, server.port, connections) == 0
        assert mailing.counts == {State.SENT: GUESTS}
    after = accepted(server)
    assert all(after[guest] == before[guest] + (guest in doubtful) for guest in range(GUESTS))
    contents: dict[str, set[bytes]] = {}
    for transaction in server.accepted:
        contents.setdefault(transaction.recipients[0], set()).add(transaction.content)
    assert all(len(different) == 1 for different in contents.values())


@pytest.mark.parametrize(("step", "number", "connections"), list(cases()))
@pytest.mark.parametrize("features", [PIPELINING, []], ids=["pipelining", "one-by-one"])
def test_killed_at_any_step_nobody_is_lost_or_written_to_twice(
    tmp_path: Path, sender: Sender, step: str, number: int, connections: int, features: list[str]
) -> None:
    """On the next run each is sent or in doubt; in doubt are at most those that were in flight."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger.open(url) as ledger:
        queued(ledger, GUESTS)
    with ScriptedServer(killing(step, number, features, sender.kill), features) as server:
        assert sender.run(url, server.port, connections) == -9
        _, doubtful = check_what_a_kill_left(url, server, sender, connections)
        if step in {"connect", "greeting", "ehlo"} and number == 1:
            assert not doubtful
        check_sending_again(url, server, sender, connections, doubtful)


@pytest.mark.parametrize("seed", range(RANDOM_KILLS))
def test_killed_at_a_random_moment_nobody_is_lost_or_written_to_twice(
    tmp_path: Path, sender: Sender, seed: int
) -> None:
    """The same for moments that no step of the dialogue names, as while the ledger is being written."""
    source = random.Random(seed)
    connections = source.choice([1, 2, 5])
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger.open(url) as ledger:
        queued(ledger, GUESTS)
    killer: list[threading.Timer] = []

    def kill_soon(session: Session) -> None:
        timer = threading.Timer(source.uniform(0, 0.025), sender.kill_if_running)
        killer.append(timer)
        timer.start()
        session.socket.sendall(GOOD["greeting"].encode() + b"\r\n")

    with ScriptedServer({"greeting": kill_soon}, source.choice([PIPELINING, []])) as server:
        assert sender.run(url, server.port, connections) in {0, -9}
        killer[0].join()
        _, doubtful = check_what_a_kill_left(url, server, sender, connections)
        check_sending_again(url, server, sender, connections, doubtful)
