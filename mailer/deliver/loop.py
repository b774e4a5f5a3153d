"""The one loop: claim, send, record, pace, back off, stop cleanly.

The feeder alone speaks to the ledger. In one durable transaction it hands in what has been settled and claims what may
go next, so that commits group themselves while the last one is being written. A session sees a delivery only when its
claim is on disk, and no more is claimed than each session has in hand and next behind it.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from mailer.deliver.pace import Pace, wait_after
from mailer.errors import InputRefused, RelayError, RelayUnreachable
from mailer.ledger import Attempt, Run
from mailer.model import Delivery, Envelope, State
from mailer.smtp import Features, Outcome, Transport
from mailer.status import Stage, Verdict

C = TypeVar("C")

# Seconds before a relay that was reached once is tried anew; when the last has passed in vain, the run stops.
REOPEN_AFTER = (1.0, 5.0, 15.0)
# Connections that one message may lose in a row before it waits like any other deferral.
_RETRIES_AT_ONCE = 2

_STATES = {
    Verdict.ACCEPTED: State.SENT,
    Verdict.TRANSIENT: State.DEFERRED,
    Verdict.PERMANENT: State.FAILED,
    Verdict.UNKNOWN: State.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Job(Generic[C]):
    """A delivery to be made, by its number in the ledger, and the contact that its message is made from."""

    delivery_id: int
    contact: C
    recipients: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the loop is. `retry_after` (the first wait) and `give_up_after` are in seconds.

    `connections` are sessions at once; with `wait` the round lasts until every deferral is settled.
    """

    connections: int = 1
    retry_after: float = 300
    give_up_after: float = 86_400
    wait: bool = False


@dataclass(slots=True)
class Tally:
    """What came of it: how many ended in which state, and whether it was stopped before all were tried."""

    states: Counter[State] = field(default_factory=Counter)
    interrupted: bool = False


Compose = Callable[[Delivery, C, Features], tuple[Envelope, Sequence[bytes]]]
Progress = Callable[[Delivery, Attempt], None]


class _Claimed(NamedTuple, Generic[C]):
    delivery: Delivery
    job: Job[C]


class _Prepared(NamedTuple, Generic[C]):
    claimed: _Claimed[C]
    envelope: Envelope
    content: Sequence[bytes]


class Round(Generic[C]):
    """One mailing's deliveries on their way, over up to `policy.connections` sessions of one relay."""

    def __init__(
        self,
        run: Run,
        jobs: Iterable[Job[C]],
        compose: Compose[C],
        connect: Callable[[], Transport],
        *,
        relay: str,
        pace: Pace,
        policy: Policy,
        clock: Callable[[], datetime],
        source: random.Random,
        progress: Progress,
        deferred: Iterable[tuple[datetime, Job[C]]] = (),
    ) -> None:
        """`jobs` are due now, `deferred` at the moments given (only waited for if `policy.wait`).

        `connect` makes a transport that is not yet open; `relay` ("host:port") names it in the ledger. `compose` makes
        the message for one claimed delivery; InputRefused from it fails that delivery alone. `progress` is told each
        outcome when it is on disk.
        """
        self._run, self._compose, self._connect, self._relay = run, compose, connect, relay
        self._pace, self._policy, self._clock = pace, policy, clock
        self._random, self._progress = source, progress
        self._jobs = iter(jobs)
        self._next = next(self._jobs, None)
        self._deferred = [(due_at, job.delivery_id, job) for due_at, job in deferred]
        heapq.heapify(self._deferred)
        self._ready: asyncio.Queue[_Claimed[C] | None] = asyncio.Queue()
        self._settled: list[tuple[_Claimed[C], Attempt]] = []
        self._untried: list[_Claimed[C]] = []
        self._in_hand = 0  # claimed, and not yet on disk as settled or given back
        self._sessions = 0
        self._reached = False
        self._fault: BaseException | None = None
        self._wake = asyncio.Event()
        self.tally = Tally()

    def stop(self) -> None:
        """Claim nothing more; what is in flight is finished and recorded, the rest is given back."""
        self.tally.interrupted = True
        self._wake.set()

    async def deliver(self) -> Tally:
        """Sends until nothing is due, or until `stop`. Raises RelayError when the relay as a whole cannot be used.

        Whatever it raises, what the relay said is recorded and what was not tried is due again. Only where the ledger
        itself fails, or the process ends, is what was in flight left in doubt.
        """
        tasks = [asyncio.create_task(self._session()) for _ in range(self._policy.connections)]
        self._sessions = len(tasks)
        for task in tasks:
            task.add_done_callback(self._session_ended)
        try:
            with ThreadPoolExecutor(1, "ledger") as thread:
                await self._feed(thread)
            for _ in tasks:
                self._ready.put_nowait(None)
            await asyncio.wait(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._fault:
            raise self._fault
        return self.tally

    # --- the feeder ---------------------------------------------------------------------------------------------------

    async def _feed(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now = self._clock()
            jobs, more_at = self._take(now)
            if self._stopping:
                self._empty_queue()
            untried, self._untried = self._untried, []
            settled, self._settled = self._settled, []
            if untried:
                numbers = [claimed.delivery.id for claimed in untried]
                reason = "not tried: the run was stopped"
                await loop.run_in_executor(thread, self._run.release, numbers, now, reason)
                self._take_back(untried, now)
            if jobs or settled:
                attempts = [attempt for _, attempt in settled]
                numbers = [job.delivery_id for job in jobs]
                claimed = await loop.run_in_executor(thread, self._run.exchange, attempts, numbers, now)
                self._report(settled)
                self._hand_out(jobs, claimed)
            elif self._in_hand == 0 and (self._stopping or more_at is None):
                return
            elif not untried:
                await self._pause(more_at)

    @property
    def _stopping(self) -> bool:
        return self.tally.interrupted or self._fault is not None

    def _take(self, now: datetime) -> tuple[list[Job[C]], datetime | None]:
        """The jobs to claim now, and when there will be another to take if nothing else happens until then."""
        jobs: list[Job[C]] = []
        while not self._stopping and self._in_hand + len(jobs) < 2 * self._sessions:
            job, due_at = self._peek(now)
            if job is None:
                return jobs, None
            opens_at = self._pace.opens_at(now, job.recipients)
            if opens_at is None or max(opens_at, due_at) > now:
                return jobs, opens_at and max(opens_at, due_at)
            self._drop(job)
            self._pace.start(job.recipients)
            jobs.append(job)
        return jobs, None

    def _peek(self, now: datetime) -> tuple[Job[C] | None, datetime]:
        """The next job and when it is due: a deferral whose time has come, else a new one, else what is waited for."""
        if self._deferred and self._deferred[0][0] <= now:
            return self._deferred[0][2], now
        if self._next is not None:
            return self._next, now
        if self._deferred and self._policy.wait:
            return self._deferred[0][2], self._deferred[0][0]
        return None, now

    def _drop(self, job: Job[C]) -> None:
        if self._next is job:
            self._next = next(self._jobs, None)
        else:
            heapq.heappop(self._deferred)

    def _hand_out(self, jobs: Sequence[Job[C]], claimed: Sequence[Delivery]) -> None:
        deliveries = {delivery.id: delivery for delivery in claimed}
        for job in jobs:
            if delivery := deliveries.get(job.delivery_id):
                self._in_hand += 1
                self._ready.put_nowait(_Claimed(delivery, job))
            else:  # suppressed, or settled by somebody, since it was found to be due
                self._pace.finish(self._clock(), job.recipients, counted=False)

    def _report(self, settled: Sequence[tuple[_Claimed[C], Attempt]]) -> None:
        for (delivery, job), attempt in settled:
            self._in_hand -= 1
            self.tally.states[attempt.state] += 1
            if attempt.due_at is not None:
                heapq.heappush(self._deferred, (attempt.due_at, job.delivery_id, job))
            self._progress(delivery, attempt)

    def _empty_queue(self) -> None:
        while not self._ready.empty():
            if claimed := self._ready.get_nowait():
                self._untried.append(claimed)

    def _take_back(self, untried: Sequence[_Claimed[C]], now: datetime) -> None:
        for _, job in untried:
            self._in_hand -= 1
            self._pace.finish(now, job.recipients, counted=False)
            heapq.heappush(self._deferred, (now, job.delivery_id, job))

    async def _pause(self, until: datetime | None) -> None:
        seconds = None if until is None else max(0.0, (until - self._clock()).total_seconds())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    def _session_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() and not self._fault:
            self._fault = task.exception()
        self._wake.set()

    # --- the sessions -------------------------------------------------------------------------------------------------

    async def _session(self) -> None:
        """Sends what is ready over one connection at a time until there is no more, or the relay asks for fewer."""
        transport = self._connect()
        in_hand: list[_Claimed[C]] = []
        following: _Prepared[C] | None = None
        try:
            while True:
                claimed = following.claimed if following else await self._ready.get()
                if claimed is None:
                    return
                if not following:
                    in_hand.append(claimed)
                if not await self._open(transport):
                    return
                current = following or self._prepare(claimed, transport.features)
                following = None
                if current is None:
                    in_hand.pop()
                    continue
                following = self._look_ahead(transport, in_hand)
                outcome = await self._send(transport, current, following, in_hand)
                if outcome.slow_down and self._retire():
                    return
        finally:
            self._untried.extend(in_hand)
            await transport.close()

    async def _send(
        self, transport: Transport, current: _Prepared[C], following: _Prepared[C] | None, in_hand: list[_Claimed[C]]
    ) -> Outcome:
        """Hands one message over and settles it. Raises RelayError with it still in hand, as nothing was accepted."""
        started_at = self._clock()
        try:
            outcome = await transport.send(current.envelope, current.content, following and following.envelope)
        except RelayError:
            raise
        except Exception as exc:
            # A fault of ours in the middle of a transaction: the relay may have the message.
            outcome = Outcome(Verdict.UNKNOWN, Stage.BODY, note=f"stopped by a fault of mailer: {exc!r}")
            in_hand.remove(current.claimed)
            self._settle(current.claimed, started_at, outcome)
            raise
        in_hand.remove(current.claimed)
        self._settle(current.claimed, started_at, outcome)
        return outcome

    async def _open(self, transport: Transport) -> bool:
        """Opens the connection where it is not; false when this session is to end, as others go on without it."""
        if transport.is_open:
            return True
        waits = iter(REOPEN_AFTER if self._reached else ())
        while True:
            try:
                await transport.open()
            except RelayUnreachable:
                if self._retire():
                    return False
                wait = next(waits, None)
                if wait is None or self._stopping:
                    raise
                await asyncio.sleep(wait)
            else:
                self._reached = True
                return True

    def _retire(self) -> bool:
        """Whether this session may end because others go on; what it holds is taken over by them."""
        if self._sessions == 1:
            return False
        self._sessions -= 1
        return True

    def _look_ahead(self, transport: Transport, in_hand: list[_Claimed[C]]) -> _Prepared[C] | None:
        """What may travel behind the final dot of the current message, if the relay takes commands in groups."""
        if not transport.features.pipelining or self._stopping or self._ready.empty():
            return None
        claimed = self._ready.get_nowait()
        if claimed is None:
            self._ready.put_nowait(None)
            return None
        prepared = self._prepare(claimed, transport.features)
        if prepared:
            in_hand.append(claimed)
        return prepared

    def _prepare(self, claimed: _Claimed[C], features: Features) -> _Prepared[C] | None:
        """The message of a claimed delivery; None where it cannot be made, which fails this delivery alone."""
        now = self._clock()
        try:
            envelope, content = self._compose(claimed.delivery, claimed.job.contact, features)
        except InputRefused as exc:
            attempt = Attempt(claimed.delivery.id, State.FAILED, now, now, self._relay, None, f"not sent: {exc}")
            self._record(claimed, attempt, counted=False)
            return None
        return _Prepared(claimed, envelope, content)

    def _settle(self, claimed: _Claimed[C], started_at: datetime, outcome: Outcome) -> None:
        now = self._clock()
        state, due_at = _STATES[outcome.verdict], None
        if state is State.DEFERRED:
            due_at = self._retry_at(claimed.delivery, outcome, now)
            state = State.DEFERRED if due_at else State.FAILED
        note = outcome.note if due_at or outcome.verdict is not Verdict.TRANSIENT else f"given up: {outcome.note}"
        attempt = Attempt(claimed.delivery.id, state, started_at, now, self._relay, outcome.reply, note, due_at)
        self._record(claimed, attempt, counted=outcome.reply is not None or outcome.verdict is Verdict.UNKNOWN)

    def _retry_at(self, delivery: Delivery, outcome: Outcome, now: datetime) -> datetime | None:
        """When a deferral is tried again, the last time at the give-up time; None once that has passed."""
        attempts = delivery.attempts + 1
        give_up_at = (delivery.date or now) + timedelta(seconds=self._policy.give_up_after)
        if now >= give_up_at:
            return None
        if outcome.is_retry and attempts <= _RETRIES_AT_ONCE:
            return now
        return min(now + wait_after(attempts, self._policy.retry_after, self._random), give_up_at)

    def _record(self, claimed: _Claimed[C], attempt: Attempt, *, counted: bool) -> None:
        self._pace.finish(attempt.finished_at, claimed.job.recipients, counted=counted)
        self._settled.append((claimed, attempt))
        self._wake.set()
