"""Whatever people and relays do, in whatever order: the ledger agrees with a model of a few lines."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mailer.errors import LedgerError
from mailer.ledger import Ledger
from mailer.model import State
from tests.ledger.people import DOMAIN, EVENT, MAILING, NOW, RELAY, address, invitee, outcome

GUESTS = st.integers(0, 7)
ENDS = st.sampled_from([State.SENT, State.DEFERRED, State.FAILED, State.IN_DOUBT])


class AnyOrder(RuleBasedStateMachine):
    """One mailing to eight guests; the model knows state, due time and how often each was handed out."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.file = f"{self.folder.name}/ledger.db"
        self.ledger = Ledger.open(f"sqlite:///{self.file}")
        self.now = NOW
        self.states: dict[int, State] = {}
        self.due: dict[int, datetime] = {}
        self.dates: dict[int, datetime] = {}
        self.numbers: dict[int, int] = {}
        self.suppressed: set[int] = set()
        self.context = self.ledger.run(EVENT, MAILING, self.now, relay=RELAY)
        self.run = self.context.__enter__()

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.context.__exit__(None, None, None)
            self.ledger.close()
            self.folder.cleanup()

    def _hold_back(self) -> None:
        for guest in self.suppressed & self.states.keys():
            if self.states[guest] in {State.QUEUED, State.DEFERRED}:
                self.states[guest] = State.SUPPRESSED

    @rule(guests=st.lists(GUESTS, max_size=4))
    def enqueue(self, guests: list[int]) -> None:
        new = set(guests) - self.states.keys()
        queued = self.ledger.enqueue(EVENT, MAILING, map(invitee, guests), domain=DOMAIN, now=self.now)
        assert queued == len(new - self.suppressed)
        self.states |= dict.fromkeys(new, State.QUEUED)
        if self.suppressed & set(guests):
            self._hold_back()
        for delivery in self.ledger.deliveries(EVENT):
            self.numbers[int(delivery.recipient.local.removeprefix("guest"))] = delivery.id

    @precondition(lambda self: self.numbers)
    @rule(ends=st.dictionaries(GUESTS, st.tuples(ENDS, st.integers(0, 90))), wanted=st.lists(GUESTS, unique=True))
    def exchange(self, ends: dict[int, tuple[State, int]], wanted: list[int]) -> None:
        outcomes = []
        for guest, (state, wait) in ends.items():
            if self.states.get(guest) is State.CLAIMED:
                due_at = self.now + timedelta(seconds=wait) if state is State.DEFERRED else None
                outcomes.append(outcome(self.numbers[guest], state, None, self.now, due_at))
                self.states[guest] = state
                if due_at:
                    self.due[guest] = due_at
        wanted = [guest for guest in wanted if guest in self.numbers]
        expected = [guest for guest in wanted if self._may_be_claimed(guest)]
        claimed = self.run.exchange(outcomes, [self.numbers[guest] for guest in wanted], self.now)
        assert [one.recipient for one in claimed] == [address(guest) for guest in expected]
        for guest, delivery in zip(expected, claimed, strict=True):
            self.states[guest] = State.CLAIMED
            assert delivery.date == self.dates.setdefault(guest, self.now)

    def _may_be_claimed(self, guest: int) -> bool:
        if guest in self.suppressed:
            return False
        state = self.states[guest]
        return state is State.QUEUED or (state is State.DEFERRED and self.due[guest] <= self.now)

    @rule(guests=st.lists(GUESTS), end=st.sampled_from([State.SENT, State.QUEUED]))
    def resolve(self, guests: list[int], end: State) -> None:
        settled = {State.IN_DOUBT} if end is State.SENT else {State.IN_DOUBT, State.FAILED}
        doubtful = {guest for guest in guests if self.states.get(guest) in settled}
        numbers = [self.numbers[guest] for guest in guests if guest in self.numbers]
        ended = doubtful if end is State.SENT else doubtful - self.suppressed
        assert self.ledger.resolve(numbers, end, self.now) == len(ended)  # type: ignore[arg-type]
        self.states |= dict.fromkeys(doubtful, end)
        self._hold_back()

    @rule(guest=GUESTS)
    def suppress(self, guest: int) -> None:
        self.suppressed.add(guest)
        self.ledger.suppress(address(guest), "opted out", self.now)
        self._hold_back()

    @rule(guest=GUESTS)
    def lift(self, guest: int) -> None:
        if guest not in self.suppressed:
            with pytest.raises(LedgerError, match="is not suppressed"):
                self.ledger.lift(address(guest), self.now)
            return
        self.suppressed.remove(guest)
        was_stopped = self.states.get(guest) is State.SUPPRESSED
        assert self.ledger.lift(address(guest), self.now) == was_stopped
        if was_stopped:
            self.states[guest] = State.QUEUED

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_run_stops_and_another_begins(self) -> None:
        self.context.__exit__(None, None, None)
        for guest, state in self.states.items():
            if state is State.CLAIMED:
                self.states[guest] = State.IN_DOUBT
        self.context = self.ledger.run(EVENT, MAILING, self.now, relay=RELAY)
        self.run = self.context.__enter__()
        self._hold_back()

    @invariant()
    def the_ledger_agrees(self) -> None:
        found = {int(one.recipient.local.removeprefix("guest")): one.state for one in self.ledger.deliveries(EVENT)}
        assert found == self.states
        with closing(sqlite3.connect(self.file)) as journal:
            query = "SELECT was, became FROM transitions WHERE delivery_id = ? ORDER BY id"
            paths = {guest: journal.execute(query, [number]).fetchall() for guest, number in self.numbers.items()}
        for guest, steps in paths.items():
            assert [was for was, _ in steps[1:]] == [became for _, became in steps[:-1]]
            assert (steps[-1][1] if steps else State.QUEUED) == self.states[guest]
            assert len(self.ledger.attempts(self.numbers[guest])) == sum(was == State.CLAIMED for was, _ in steps)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=30, stateful_step_count=25)
