"""One connection's life: opened, used for message after message for as long as it serves, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from mailer.deliver.agenda import Job
from mailer.deliver.setbacks import Refusals
from mailer.errors import InputRefused, RelayError
from mailer.model import Delivery, Envelope
from mailer.smtp import Features, Outcome, Transport
from mailer.status import Scope, Stage, Verdict

C = TypeVar("C")

Compose = Callable[[Delivery, C, Features], tuple[Envelope, Sequence[bytes]]]

# Seconds that a connection is kept without work, well below the five minutes after which relays close it; and how often
# meanwhile to look whether it is still there.
_IDLE = 30.0
_LOOK = 1.0
# Seconds. No outcome waits longer for others that go into the ledger with it; and where a message takes longer, it pays
# to wait a moment, though never long, for one whose envelope travels with it.
_SOON = 0.005
_NOT_LONG = 0.05


class Claim(NamedTuple, Generic[C]):
    """A delivery whose claim is on disk, and its job."""

    delivery: Delivery
    job: Job[C]


class Settled(NamedTuple, Generic[C]):
    """What became of a claim; `is_first` where its connection had served nobody before, and what that has refused."""

    claim: Claim[C]
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    is_first: bool
    refusals: Refusals


class Tray(Generic[C]):
    """Claims on their way to the sessions, and what comes back from them; `changed` tells that it is worth a look.

    Each claim comes back once: settled, or untried, which says that the relay cannot have accepted anything. Only one
    whose session is cancelled amidst its transaction does not.
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.has_accepted = False  # the relay, anybody, over whatever connection
        self.untried: list[Claim[C]] = []
        self._ready: asyncio.Queue[Claim[C]] = asyncio.Queue()
        self._settled: list[Settled[C]] = []
        self._waiting = 0
        self._is_overdue = False
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_pressing(self) -> bool:
        """Whether a session has nothing to do, an outcome has waited long enough, or something was not tried."""
        return self._waiting > self._ready.qsize() or self._is_overdue or bool(self.untried)

    async def take(self, seconds: float) -> Claim[C] | None:
        """A claim, if one is ready within so many seconds."""
        if self._ready.empty() and seconds > 0:
            self._waiting += 1
            self.changed.set()
            try:
                async with asyncio.timeout(seconds):
                    return await self._ready.get()
            except TimeoutError:
                return None
            finally:
                self._waiting -= 1
        return None if self._ready.empty() else self._ready.get_nowait()

    def put(self, claim: Claim[C]) -> None:
        self._ready.put_nowait(claim)

    def settle(self, settled: Settled[C]) -> None:
        """An outcome waits until some session has nothing to do, so that others may go into the ledger with it."""
        if not self._settled:
            self._alarm = asyncio.get_running_loop().call_later(_SOON, self._remind)
        self._settled.append(settled)
        self.has_accepted = self.has_accepted or settled.outcome.verdict is Verdict.ACCEPTED

    def collect(self) -> Sequence[Settled[C]]:
        """All outcomes that have come."""
        if self._alarm:
            self._alarm.cancel()
        self._is_overdue = False
        settled, self._settled = self._settled, []
        return settled

    def give_back(self, claims: Sequence[Claim[C]]) -> None:
        self.untried.extend(claims)
        self.changed.set()

    def recall(self) -> None:
        """Takes back what no session has taken up."""
        while not self._ready.empty():
            self.untried.append(self._ready.get_nowait())
        self.changed.set()

    def _remind(self) -> None:
        self._is_overdue = True
        self.changed.set()


class _Letter(NamedTuple, Generic[C]):
    claim: Claim[C]
    envelope: Envelope
    content: Sequence[bytes]


class Session(Generic[C]):
    """Sends what is ready in `tray` over one connection.

    `was_opened`: the relay took the connection. `is_sending`: it may be about to accept a message.
    `has_served`: it has answered for one with more than that it wants to be left alone. `left_doubt`: the last one is
    in doubt.
    """

    def __init__(self, transport: Transport, tray: Tray[C], compose: Compose[C], clock: Callable[[], datetime]) -> None:
        self.was_opened = self.is_sending = self.has_served = self.left_doubt = False
        self._is_closing = False
        self._transport, self._tray, self._compose, self._clock = transport, tray, compose, clock
        self._in_hand: list[Claim[C]] = []  # taken up, and nothing begun that the relay could accept
        self._patience = 0.0
        self._refusals = Refusals()

    @property
    def is_open(self) -> bool:
        """Whether it takes up claims."""
        return self._transport.is_open and self.was_opened and not self._is_closing

    @property
    def has_ended(self) -> bool:
        """Whether there was a connection and is none any more."""
        return self.was_opened and not self._transport.is_open

    async def open(self) -> None:
        """Raises RelayError."""
        await self._transport.open()
        self.was_opened = True
        self._tray.changed.set()

    async def serve(self) -> Outcome | None:
        """Sends until the connection ends or the relay asks for less, which is returned; None if there was no work.

        Raises RelayError where the whole run has to stop, with nothing accepted. Anything else that it raises is a
        fault of ours; a message that it struck amidst its transaction is settled as unknown.
        """
        following: _Letter[C] | None = None
        while current := following or await self._letter(_IDLE):
            if not self._transport.is_open:
                note = "the relay closed the connection before anything was sent"
                return Outcome(Verdict.TRANSIENT, Stage.MAIL, note=note, scope=Scope.CONNECTION)
            # Where commands go in groups, the next envelope travels behind this message's final dot.
            following = await self._letter(self._patience) if self._transport.features.pipelining else None
            outcome = await self._send(current, following)
            if outcome.slow_down or not self._transport.is_open:
                return outcome
        return None

    async def close(self) -> None:
        """Gives back what was not begun, and ends the connection, politely where that is possible."""
        self._is_closing = True
        self._tray.give_back(self._in_hand)
        await self._transport.close()

    async def _letter(self, seconds: float) -> _Letter[C] | None:
        """The next message, if one is ready within so many seconds. One that cannot be made fails alone."""
        while claim := await self._claim(seconds):
            self._in_hand.append(claim)
            try:
                envelope, content = self._compose(claim.delivery, claim.job.contact, self._transport.features)
            except InputRefused as exc:
                self._in_hand.pop()
                self._settle(claim, self._clock(), _not_sent(exc))
            else:
                return _Letter(claim, envelope, content)
        return None

    async def _claim(self, seconds: float) -> Claim[C] | None:
        while self._transport.is_open and seconds > _LOOK:
            if claim := await self._tray.take(_LOOK):
                return claim
            seconds -= _LOOK
        return await self._tray.take(seconds) if self._transport.is_open else None

    async def _send(self, letter: _Letter[C], following: _Letter[C] | None) -> Outcome:
        """Hands one message over and settles it."""
        claim, envelope, content = letter
        started_at = self._clock()
        self._in_hand.remove(claim)
        self.is_sending = True
        try:
            ahead, is_known = following and following.envelope, self._tray.has_accepted
            transactions = claim.job.transactions
            outcome = await self._transport.send(envelope, content, ahead, is_known=is_known, transactions=transactions)
        except RelayError:
            self._in_hand.append(claim)
            raise
        except ValueError as exc:
            # Octets that could be taken for commands, of which nothing was sent.
            outcome = _not_sent(exc)
            await self._transport.abandon()
        except Exception as exc:
            note = f"stopped by a fault of mailer: {exc!r}"
            doubt = Outcome(Verdict.UNKNOWN, Stage.BODY, note=note, transactions=claim.job.transactions)
            self._settle(claim, started_at, doubt)
            raise
        finally:
            self.is_sending = False
        self._settle(claim, started_at, outcome)
        return outcome

    def _settle(self, claim: Claim[C], started_at: datetime, outcome: Outcome) -> None:
        now = self._clock()
        took = (now - started_at).total_seconds()
        self._patience = min(took / 4, _NOT_LONG) if took > _SOON else 0.0
        is_first = not self.has_served
        self.has_served = self.has_served or (outcome.reply is not None and not outcome.slow_down)
        self.left_doubt = outcome.verdict is Verdict.UNKNOWN
        self._tray.settle(Settled(claim, started_at, now, outcome, is_first, self._refusals))


def _not_sent(fault: Exception) -> Outcome:
    return Outcome(Verdict.PERMANENT, Stage.MAIL, note=f"not sent: {fault}")
