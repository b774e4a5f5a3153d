"""A mailing in a real ledger, to be sent by the loop over real connections to a scripted relay."""

import asyncio
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Pool, event

from mailer.deliver import Job, Pace, Policy, Round, Tally, setbacks
from mailer.ledger import Attempt, Invitee, Ledger, Run
from mailer.model import Address, Delivery, Envelope, Party, PartyKind, Rule, State
from mailer.smtp import Connection, Features, Relay, Security
from tests.servers import ScriptedServer

EVENT, NAME = "poc-week", "invitation"
MISSION = Party("Permanent Mission of Ruritania", PartyKind.MISSION)
PATIENCE = {"connections": 1, "retry_after": 300, "give_up_after": 86_400, "wait": False}


def address(number: int) -> Address:
    return Address(f"guest{number}", "mission.example.org")


def compose(delivery: Delivery, contact: int, features: Features) -> tuple[Envelope, Sequence[bytes]]:
    """A message that shows what must stay the same when it is sent again."""
    assert delivery.recipient == address(contact)
    assert delivery.state is State.CLAIMED
    content = f"Message-ID: {delivery.message_id}\r\nDate: {delivery.date}\r\n\r\nDear guest {contact}\r\n".encode()
    return Envelope(Address("bounces", "example.org"), (delivery.recipient, *delivery.cc), size=len(content)), [content]


@dataclass
class Mailing:
    """`guests` people to be invited; numbers stand for them everywhere."""

    ledger: Ledger
    guests: int
    ahead: timedelta = timedelta()
    told: list[Attempt] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)
    round: Round[int] | None = None

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def send(self, server: ScriptedServer, **settings: object) -> Tally:
        """One run, with all that is due in it."""
        return asyncio.run(self.deliver(server, **settings))

    async def deliver(
        self,
        server: ScriptedServer,
        *,
        pace: Pace | None = None,
        compose: Callable[..., tuple[Envelope, Sequence[bytes]]] = compose,
        progress: Callable[[Delivery, Attempt], None] | None = None,
        meanwhile: Callable[[Round[int]], None] | None = None,
        relay: dict[str, object] | None = None,
        reading: Callable[[Sequence[Job[int]]], Iterator[Job[int]]] = iter,
        idle: Callable[[datetime], None] | None = None,
        **policy: object,
    ) -> Tally:
        """`meanwhile` is given the round just before it begins, in the loop's thread; `reading` gives the jobs."""
        settings = {"security": Security.NONE, "timeout": 10, **(relay or {})}
        here = Relay("127.0.0.1", server.port, **settings)  # type: ignore[arg-type]
        with self.ledger.run(EVENT, NAME, self.clock(), relay=str(here)) as run:
            numbers = self.ledger.due(EVENT, NAME, self.clock())
            waiting = self.ledger.deliveries(EVENT, NAME, State.DEFERRED)
            self.round = Round(
                run,
                reading([Job(number, _guest(key), 1) for key, number in numbers.items()]),
                compose,
                lambda: Connection(here),
                pace=pace or Pace(()),
                policy=Policy(**{**PATIENCE, **policy}),  # type: ignore[arg-type]
                clock=self.clock,
                source=random.Random(1),
                progress=progress or (lambda _, attempt: self.told.append(attempt)),
                still_due=lambda _: True,
                idle=idle or self.waits.append,
                deferred=[
                    (one.due_at, Job(one.id, _guest(one.recipient.key), 1))
                    for one in waiting
                    if one.due_at and one.recipient.key not in numbers
                ],
            )
            if meanwhile:
                meanwhile(self.round)
            return await asyncio.wait_for(self.round.deliver(), 60)

    def pass_the_time(self, until: datetime) -> None:
        """For `idle`: what is waited for comes at once."""
        self.waits.append(until)
        self.ahead += until - self.clock()

    def stop_soon(self) -> None:
        """What Ctrl-C does, from any thread."""
        assert self.round
        self.loop.call_soon_threadsafe(self.round.stop)

    def remember_loop(self, _round: Round[int]) -> None:
        self.loop = asyncio.get_running_loop()

    @property
    def deliveries(self) -> dict[int, Delivery]:
        return {_guest(one.recipient.key): one for one in self.ledger.deliveries(EVENT, NAME)}

    @property
    def states(self) -> dict[int, State]:
        return {guest: one.state for guest, one in self.deliveries.items()}

    @property
    def counts(self) -> dict[State, int]:
        return self.ledger.counts(EVENT)[NAME]

    def attempts(self, guest: int) -> list[Attempt]:
        return self.ledger.attempts(self.deliveries[guest].id)


def _guest(key: str) -> int:
    return int(key.partition("@")[0].removeprefix("guest"))


def accepted(server: ScriptedServer) -> Counter[int]:
    """How many messages the relay has taken for each guest."""
    return Counter(_guest(transaction.recipients[0]) for transaction in server.accepted)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        yield ledger


def queued(ledger: Ledger, guests: int, copies: int = 0) -> Mailing:
    """A mailing to so many guests, numbered from 0, each with so many in copy: 100, 101 ... for the first."""
    mailing = Mailing(ledger, guests)
    in_copy = (tuple(address(100 * (n + 1) + copy) for copy in range(copies)) for n in range(guests))
    invitees = (Invitee(address(n), cc, MISSION, Rule.TRANSFERABLE) for n, cc in enumerate(in_copy))
    ledger.enqueue(EVENT, NAME, invitees, domain="example.org", now=mailing.clock())
    return mailing


@pytest.fixture
def mailing_of(ledger: Ledger) -> Callable[..., Mailing]:
    """See `queued`."""
    return partial(queued, ledger)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that was of no use is tried again at once, as often as it would be after the usual waits."""
    monkeypatch.setattr(setbacks, "REOPEN_AFTER", (0.0, 0.0, 0.0))


@pytest.fixture
def before_exchange(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Sequence[Attempt]], None]], None]:
    """Has something done right before each exchange with the ledger, in its thread, given the outcomes to record."""

    def install(act: Callable[[Sequence[Attempt]], None]) -> None:
        exchange = Run.exchange

        def act_and_exchange(
            self: Run, outcomes: Sequence[Attempt], claim: Sequence[int], now: datetime
        ) -> list[Delivery]:
            act(outcomes)
            return exchange(self, outcomes, claim, now)

        monkeypatch.setattr(Run, "exchange", act_and_exchange)

    return install


class Disk:
    """Whether there is room on it for more pages of any ledger that is opened from now on."""

    def __init__(self) -> None:
        self._connections: list[sqlite3.Connection] = []

    def add(self, connection: sqlite3.Connection, _record: object) -> None:
        self._connections.append(connection)

    def fill(self, pages: int = 1) -> None:
        for connection in self._connections:
            connection.execute(f"PRAGMA max_page_count = {pages}")

    def clear(self) -> None:
        self.fill(1_000_000)


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    event.listen(Pool, "connect", disk.add)
    yield disk
    event.remove(Pool, "connect", disk.add)


class Gate:
    """Holds a session of the relay at some step until the test has seen it there."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, session: object) -> None:
        self.reached.set()
        self.open.wait(20)
