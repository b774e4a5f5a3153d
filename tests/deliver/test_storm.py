"""A relay that does anything at any step: nothing is lost, nothing goes twice, and the loop comes to its end."""

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.errors import RelayError
from mailer.ledger import Ledger
from mailer.model import State
from tests.deliver.conftest import accepted, queued
from tests.servers import GOOD, ScriptedServer, drop, reset, say_and_drop

GUESTS = 7
LATER, BUSY, CLOSING = "451 4.3.0 Not now", "452 4.3.1 Out of storage", "421 4.3.2 Closing"
FAULTS = {
    "greeting": [CLOSING, "554 5.3.2 No", drop],
    "mail": [LATER, BUSY, CLOSING, drop, reset, "432 4.3.2 Too many", "550 5.1.8 Sender rejected"],
    "rcpt": [LATER, BUSY, CLOSING, drop, reset, "550 5.1.1 Nobody", "503 5.5.1 Out of order"],
    "data": [LATER, BUSY, CLOSING, drop, reset, "554 5.0.0 No"],
    "dot": [LATER, BUSY, CLOSING, drop, reset, "554 5.6.0 No", say_and_drop(b"250 2.0.0 Ok")],
    "rset": [drop, "500 What", CLOSING],
    "quit": [drop, "421 Bye"],
}


def acts(step: str) -> st.SearchStrategy[Sequence[object]]:
    good = st.just(GOOD[step])
    return st.lists(st.one_of(good, good, st.sampled_from(FAULTS[step])), max_size=14)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.fixed_dictionaries({step: acts(step) for step in FAULTS}),
    connections=st.integers(1, 3),
    pipelining=st.booleans(),
    wait=st.booleans(),
)
def test_whatever_a_relay_does_nobody_is_lost_or_written_to_twice(
    no_waiting: None, script: dict[str, Sequence[object]], connections: int, pipelining: bool, wait: bool
) -> None:
    """After any run each recipient is sent, failed, deferred, queued or in doubt, in agreement with the relay."""
    features = ["PIPELINING"] if pipelining else []
    with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{Path(folder, 'ledger.db')}") as ledger:
        mailing = queued(ledger, GUESTS)
        with ScriptedServer(script, features) as server:
            try:
                tally = mailing.send(server, connections=connections, wait=wait, retry_after=0.001, give_up_after=0.3)
            except RelayError:
                pass
            else:
                assert tally.states == {state: n for state, n in mailing.counts.items() if state is not State.QUEUED}
        taken = accepted(server)
        for guest, state in mailing.states.items():
            assert state in {State.SENT, State.FAILED, State.DEFERRED, State.QUEUED, State.IN_DOUBT}
            assert state is State.IN_DOUBT or taken[guest] == (state is State.SENT)
        before = mailing.states
        mailing.ahead = timedelta(hours=1)
        with ScriptedServer(features=features) as other:
            mailing.send(other, connections=connections)
        due = {guest for guest, state in before.items() if state in {State.DEFERRED, State.QUEUED}}
        assert accepted(other) == dict.fromkeys(due, 1)
        assert mailing.states == {guest: State.SENT if guest in due else state for guest, state in before.items()}
