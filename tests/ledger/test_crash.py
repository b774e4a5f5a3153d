"""Processes that die, race and start again, as real processes on one ledger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from mailer.errors import LedgerInUse
from mailer.ledger import Ledger
from mailer.model import State
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    MAILING,
    NOW,
    RELAY,
    finished,
    invitee,
    later,
    outcome,
    queue,
    raw,
    states,
)

ROOT = Path(__file__).parents[2]
BEGIN = """
import sys
from mailer.ledger import Ledger
from tests.ledger.people import *
ledger = Ledger.open(sys.argv[1])
"""


@contextmanager
def process(code: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs `code` on the ledger, and is gone at the end."""
    child = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def say(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


HOLD = """
with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
    sent = run.exchange((), [1], NOW)
    run.exchange([outcome(sent[0])], [2, 3], NOW)
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_run_had_claimed_is_in_doubt(ledger: Ledger, url: str) -> None:
    """After kill -9 the next run begins at once; claims are in doubt with time and relay, and are not sent again."""
    numbers = queue(ledger, *range(5))
    with process(HOLD, url) as child:
        assert say(child) == "holding"
        with pytest.raises(LedgerInUse, match=f"process {child.pid} on"), ledger.run(EVENT, MAILING, NOW, relay=RELAY):
            pass
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert states(ledger) == [State.SENT, State.CLAIMED, State.CLAIMED, State.QUEUED, State.QUEUED]
        with ledger.run(EVENT, MAILING, later(60), relay="other.example.org:587") as run:
            claimed = run.exchange((), numbers, later(60))
            assert [one.id for one in claimed] == numbers[3:]
            run.exchange(list(map(outcome, claimed)), (), later(61))
    assert states(ledger) == [State.SENT, State.IN_DOUBT, State.IN_DOUBT, State.SENT, State.SENT]
    [attempt] = ledger.attempts(numbers[1])
    assert (attempt.relay, attempt.started_at, attempt.finished_at) == (RELAY, NOW, later(60))
    assert finished(url) == [(child.pid, None), (os.getpid(), later(61))]


def test_a_sweep_settles_what_a_dead_run_left_and_nothing_else(ledger: Ledger, url: str) -> None:
    """Without another run, claims become in doubt as soon as anybody looks, but never those of a living run."""
    numbers = queue(ledger, 0, 1, 2)
    assert ledger.sweep(NOW) == 0
    with process(HOLD, url) as child:
        assert say(child) == "holding"
        assert ledger.sweep(later(30)) == 0
        assert states(ledger) == [State.SENT, State.CLAIMED, State.CLAIMED]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    _sweep_until_swept(ledger)
    assert states(ledger) == [State.SENT, State.IN_DOUBT, State.IN_DOUBT]
    [attempt] = ledger.attempts(numbers[1])
    assert (attempt.relay, attempt.started_at, attempt.finished_at) == (RELAY, NOW, later(60))
    assert ledger.resolve(numbers, State.QUEUED, later(90)) == 2
    assert ledger.sweep(later(90)) == 0


def test_no_doubt_is_before_its_claim(ledger: Ledger, url: str) -> None:
    """Whoever looks under an earlier clock does not take what a dead run had in flight out of the rolling windows."""
    numbers = queue(ledger, 0, 1, 2)
    with process(HOLD, url) as child:
        assert say(child) == "holding"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    _sweep_until_swept(ledger, later(-86_400))
    assert [ledger.attempts(number)[-1].finished_at for number in numbers[1:]] == [NOW, NOW]
    assert len(ledger.reached_relay_since(later(-1), later(60))) == 3


def test_a_doubt_counts_as_if_each_cc_had_gone_alone(ledger: Ledger, url: str) -> None:
    """Nobody can say whether the relay had taken the message apart, and no window is to be exceeded if it had."""
    ledger.enqueue(EVENT, MAILING, [invitee(0), invitee(1, 8, 9), invitee(2)], domain=DOMAIN, now=NOW)
    with process(HOLD, url) as child:
        assert say(child) == "holding"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    _sweep_until_swept(ledger)
    assert ledger.reached_relay_since(later(-1), later(60)) == [(later(1), 1), *[(later(60), 1)] * 4]


def _sweep_until_swept(ledger: Ledger, now: datetime = later(60)) -> None:  # noqa: B008 - a fixed moment
    """A database server takes a moment to notice that a process was killed."""
    for _ in range(100):
        if ledger.sweep(now):
            return
        time.sleep(0.05)


def test_a_process_id_in_use_again_deceives_nobody(ledger: Ledger, url: str) -> None:
    """That some other process now has the dead run's id does not keep the next run waiting."""
    numbers = queue(ledger, 1, 2, 3)
    with process(HOLD, url) as child:
        assert say(child) == "holding"
        os.kill(child.pid, signal.SIGKILL)
    raw(url, "UPDATE runs SET pid = :pid", pid=os.getpid())
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        assert run.exchange((), numbers, NOW) == []


RACE = """
sys.stdin.readline()
print(ledger.enqueue(EVENT, MAILING, map(invitee, range(400)), domain=DOMAIN, now=NOW), flush=True)
"""


def test_processes_that_queue_at_once_make_one_delivery_each(url: str) -> None:
    """Four processes open a ledger that is not there yet and queue the same people: each is queued once."""
    with process(RACE, url) as a, process(RACE, url) as b, process(RACE, url) as c, process(RACE, url) as d:
        children = (a, b, c, d)
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        assert sum(int(say(child)) for child in children) == 400
    with Ledger.open(url) as ledger:
        assert len({one.message_id for one in ledger.deliveries(EVENT)}) == 400
        assert len({one.reference for one in ledger.deliveries(EVENT)}) == 400


SENDER = """
from mailer.errors import LedgerInUse
sys.stdin.readline()
while due := list(ledger.due(EVENT, MAILING, NOW).values()):
    try:
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            for one in run.exchange((), due[:7], NOW):
                print(one.id, flush=True)
                run.exchange([outcome(one)], (), NOW)
    except LedgerInUse:
        pass
print("done", flush=True)
"""


def test_processes_that_send_at_once_send_to_each_once(ledger: Ledger, url: str) -> None:
    """Two runs that take turns never claim the same delivery."""
    numbers = queue(ledger, *range(60))
    with process(SENDER, url) as a, process(SENDER, url) as b:
        for child in (a, b):
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        sent = [int(word) for child in (a, b) for word in iter(lambda child=child: say(child), "done")]
    assert sorted(sent) == numbers
    assert ledger.counts(EVENT) == {MAILING: {State.SENT: 60}}


WRITE = """
import itertools
numbers = list(ledger.due(EVENT, MAILING, NOW).values())
print("ready", flush=True)
with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
    claimed = []
    for start in range(0, len(numbers), 3):
        claimed = run.exchange(list(map(outcome, claimed)), numbers[start:start + 3], NOW)
        print(*(one.id for one in claimed), flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 5, 11])
def test_killed_in_the_middle_of_writing_nothing_is_lost(ledger: Ledger, url: str, after: int) -> None:
    """Wherever it is killed, each is sent, queued or in doubt, and no more are in doubt than were in flight."""
    queue(ledger, *range(90))
    with process(WRITE, url) as child:
        seen = [say(child) for _ in range(after + 1)]
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert child.stdout is not None
        seen += child.stdout.read().split("\n")
    with ledger.run(EVENT, MAILING, later(60), relay=RELAY):
        tally = ledger.counts(EVENT)[MAILING]
    assert set(tally) <= {State.SENT, State.IN_DOUBT, State.QUEUED}
    assert sum(tally.values()) == 90
    assert tally.get(State.IN_DOUBT, 0) <= 3
    claimed = {int(word) for line in seen if line != "ready" for word in line.split()}
    found = {one.id for one in ledger.deliveries(EVENT) if one.state is not State.QUEUED}
    assert claimed <= found
