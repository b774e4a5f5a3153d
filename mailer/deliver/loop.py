"""The one loop: claim, send, record, pace, back off, stop cleanly.

The loop alone speaks to the ledger. In one durable transaction it hands in what has been settled and claims what may go
next. Outcomes wait for one another until some session has nothing more to do, a few milliseconds at most, so that one
transaction holds those of one connection's whole work, and of several about half of what is out, while the others go on
sending. A session sees a delivery only when its claim is on disk, and no more is claimed than each open connection
then has in hand and next behind it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar, TypeVarTuple, Unpack

from mailer.deliver.agenda import Agenda, Job
from mailer.deliver.judge import Judge, Policy
from mailer.deliver.pace import Pace
from mailer.deliver.session import Claim, Compose, Session, Tray
from mailer.deliver.setbacks import Setbacks, still_holds
from mailer.errors import RelayBusy, RelayUnreachable
from mailer.ledger import Attempt, Run
from mailer.model import Delivery, State
from mailer.smtp import Transport

C = TypeVar("C")
T = TypeVar("T")
A = TypeVarTuple("A")

# Claims for each open connection: the message in hand, and the one whose envelope may go with its final dot.
_CLAIMS_EACH = 2
# A relay that takes no more connections now may do so later in a run of hours.
_WITHHELD_FOR = timedelta(minutes=5)

Progress = Callable[[Delivery, Attempt], None]


@dataclass(slots=True)
class Tally:
    """What came of it: how many ended in which state, were no longer due, and whether it was stopped before the end.

    `claimed` counts claims, so none where nothing can have left; `without_copy` what was sent, but not to all in Cc.
    """

    states: Counter[State] = field(default_factory=Counter)
    without_copy: int = 0
    claimed: int = 0
    passed_over: int = 0
    interrupted: bool = False


class Round(Generic[C]):
    """One mailing's deliveries on their way, over up to `policy.connections` sessions of one relay."""

    def __init__(
        self,
        run: Run,
        jobs: Iterable[Job[C]],
        compose: Compose[C],
        connect: Callable[[], Transport],
        *,
        pace: Pace,
        policy: Policy,
        clock: Callable[[], datetime],
        source: random.Random,
        progress: Progress,
        deferred: Iterable[tuple[datetime, Job[C]]],
        still_due: Callable[[C], bool],
        idle: Callable[[datetime], None],
    ) -> None:
        """`jobs` are due now, `deferred` at the moments given (only waited for if `policy.wait`).

        `jobs` are read some hundred at a time where the ledger is visited; what reading them raises ends the round.
        `connect` makes a transport to the relay of `run` that is not yet open. `compose` makes the message for one
        claimed delivery; InputRefused from it fails that delivery alone. `progress` is told each outcome when it is on
        disk. `still_due` is asked right before each claim, as a round may last for hours in which people answer;
        whoever is not is passed over, untried. `idle` is told until when nothing may go where nothing is on its way
        either.
        """
        self.tally = Tally()
        self._run, self._compose, self._connect, self._relay = run, compose, connect, run.relay
        self._pace, self._policy, self._clock = pace, policy, clock
        self._progress, self._still_due, self._idle = progress, still_due, idle
        self._agenda = Agenda(jobs, deferred, wait=policy.wait)
        self._tray: Tray[C] = Tray()
        self._claims = 0  # on disk, and their outcome not yet
        self._attempts: list[tuple[Claim[C], Attempt]] = []  # not yet on disk
        self._put_off: set[int] = set()
        self._sessions: dict[Session[C], asyncio.Task[None]] = {}
        self._withheld: list[datetime] = []  # until when there is one connection less than there may be
        self._setbacks = Setbacks(policy.retry_after, source)
        self._judge = Judge(run.relay, policy, source)
        self._was_reached = False
        self._fault: Exception | None = None

    def stop(self) -> None:
        """Claim nothing more; what is in flight is finished and recorded, the rest is given back."""
        self.tally.interrupted = True
        self._tray.recall()

    async def deliver(self) -> Tally:
        """Sends until nothing is due, or until `stop`. Raises RelayError when the relay as a whole cannot be used.

        Whatever it raises, what the relay said is recorded and what was not tried is due again. Only where it is
        cancelled, or the ledger itself fails, is what was in flight left in doubt.
        """
        with ThreadPoolExecutor(1, "ledger") as self._thread:
            try:
                await self._read_jobs()
                await self._respect_pause()
                await self._feed()
            except Exception as exc:
                self._fail(exc)
                await self._finish_sending()
            finally:
                await self._end_sessions()
                await self._hand_in_the_rest()
        if self._put_off:
            self.tally.states[State.DEFERRED] = len(self._put_off)
        if self._fault:
            raise self._fault
        return self.tally

    @property
    def _is_stopping(self) -> bool:
        return self.tally.interrupted or self._fault is not None

    @property
    def _is_connected(self) -> bool:
        return any(session.is_open for session in self._sessions)

    def _fail(self, fault: Exception) -> None:
        """Ends the round as `stop` does; the first fault is the one that is told."""
        self._fault = self._fault or fault
        self._tray.recall()

    # --- claims out, outcomes in --------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        while True:
            self._tray.changed.clear()
            look_again_at = None
            if self._tray.is_pressing or self._is_stopping or not self._is_connected:
                if self._agenda.is_low and not self._is_stopping:
                    await self._read_jobs()
                now = self._clock()
                self._take_in()
                try:
                    jobs, look_again_at = self._choose(now)
                except Exception as exc:
                    self._fail(exc)
                    jobs = []
                if jobs or self._attempts or self._tray.untried:
                    await self._exchange(jobs, now)
                    continue
                if self._agenda.is_used_up and not self._is_stopping:
                    continue  # all that was read has been passed over
                if self._claims == 0 and (self._is_stopping or self._agenda.first(now) is None):
                    return
            if look_again_at is not None and self._claims == 0:
                self._idle(look_again_at)
            await self._wait(look_again_at)

    async def _read_jobs(self) -> None:
        """Has more jobs read where the ledger is visited, as they may be queued only now; a fault there ends the round.

        What is in flight meanwhile, or after a fault, is recorded all the same.
        """
        try:
            await self._in_thread(self._agenda.read)
        except Exception as exc:
            self._fail(exc)

    def _take_in(self) -> None:
        """Has what the sessions have settled judged, for the ledger and for the round, and frees its places."""
        for one in self._tray.collect():
            (delivery, job), _, finished_at, outcome, _, _ = one
            self._pace.finish(finished_at, job.recipients, job.transactions, counted=outcome.transactions)
            if outcome.needed:
                self._pace.expect(1 + len(delivery.cc), outcome.needed)
                job = replace(job, transactions=outcome.needed)
            if outcome.reply and not outcome.slow_down:
                self._setbacks.answered(finished_at)
            self._attempts.append((Claim(delivery, job), self._judge.attempt(one)))
            refusal = self._judge.refusal(one)
            if refusal and self._agenda.first(finished_at):
                self._fail(refusal)

    def _choose(self, now: datetime) -> tuple[list[Job[C]], datetime | None]:
        """The jobs to claim now, and when there may be another if nothing happens until then."""
        jobs: list[Job[C]] = []
        # What is recorded by the same transaction makes room in it.
        held = self._claims - len(self._attempts)
        room = _CLAIMS_EACH * sum(session.is_open for session in self._sessions) - held
        while not self._is_stopping and (first := self._agenda.first(now)):
            due_at, job = first
            transactions = max(job.transactions, self._pace.transactions(job.recipients))
            opens_at = self._pace.opens_at(now, job.recipients, transactions)
            if opens_at is None:
                return jobs, None
            if (start_at := max(due_at, opens_at, self._setbacks.resume_at)) > now:
                return jobs, start_at
            if len(jobs) >= room:
                self._open_sessions()
                return jobs, None
            self._agenda.strike(job)
            if not self._still_due(job.contact):
                self.tally.passed_over += 1
                continue
            self._pace.start(job.recipients, transactions)
            jobs.append(job if transactions == job.transactions else replace(job, transactions=transactions))
        return jobs, None

    async def _exchange(self, jobs: Sequence[Job[C]], now: datetime) -> None:
        """Gives back what was not tried, records outcomes and claims `jobs`; hands those out and tells the outcomes."""
        untried, recorded = self._tray.untried[:], self._attempts[:]
        if untried:
            numbers = [claim.delivery.id for claim in untried]
            await self._in_thread(self._run.release, numbers, now)
            del self._tray.untried[: len(untried)]
            self._take_back(untried, now)
        if recorded or jobs:
            attempts = [attempt for _, attempt in recorded]
            visit = self._thread.submit(self._run.exchange, attempts, [job.delivery_id for job in jobs], now)
            try:
                await asyncio.wrap_future(visit)
            finally:
                # A commit cannot be called back: even where we are cancelled meanwhile, its claims must come to light.
                if not visit.cancelled():
                    claimed = visit.result()
                    del self._attempts[: len(recorded)]
                    self._hand_out(jobs, claimed, now)
                    self._report(recorded)

    def _take_back(self, untried: Sequence[Claim[C]], now: datetime) -> None:
        self._claims -= len(untried)
        for _, job in untried:
            self._pace.finish(now, job.recipients, job.transactions, counted=0)
            self._agenda.put(now, job)

    def _hand_out(self, jobs: Sequence[Job[C]], claimed: Sequence[Delivery], now: datetime) -> None:
        self._claims += len(claimed)
        self.tally.claimed += len(claimed)
        deliveries = {delivery.id: delivery for delivery in claimed}
        for job in jobs:
            if delivery := deliveries.pop(job.delivery_id, None):
                self._tray.put(Claim(delivery, job))
            else:  # suppressed, or settled by somebody, since it was found to be due
                self.tally.passed_over += 1
                self._pace.finish(now, job.recipients, job.transactions, counted=0)
        if self._is_stopping or not self._is_connected or now < self._setbacks.resume_at:
            self._tray.recall()  # in the meantime things have changed

    def _report(self, recorded: Sequence[tuple[Claim[C], Attempt]]) -> None:
        self._claims -= len(recorded)
        for (delivery, job), attempt in recorded:
            if attempt.due_at is not None:
                self._put_off.add(delivery.id)
                self._agenda.put(attempt.due_at, job)
            else:
                self._put_off.discard(delivery.id)
                self.tally.states[attempt.state] += 1
                self.tally.without_copy += attempt.state is State.SENT and bool(attempt.note)
        for (delivery, _), attempt in recorded:
            self._progress(delivery, attempt)

    async def _wait(self, until: datetime | None) -> None:
        """Until something changes, or the moment given."""
        alarm = None
        if until is not None:
            seconds = (until - self._clock()).total_seconds()
            alarm = asyncio.get_running_loop().call_later(max(0.0, seconds), self._tray.changed.set)
        try:
            await self._tray.changed.wait()
        finally:
            if alarm:
                alarm.cancel()

    async def _in_thread(self, visit: Callable[[Unpack[A]], T], *args: *A) -> T:
        """A visit to the ledger, which takes one at a time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, visit, *args)

    # --- the relay ----------------------------------------------------------------------------------------------------

    async def _respect_pause(self) -> None:
        """Takes over what the relay asked of an earlier run. Raises RelayBusy where that is not to be waited for."""
        until = await self._in_thread(self._run.paused_until)
        now = self._clock()
        if until is None or self._agenda.first(now) is None or not still_holds(until, now, self._policy.retry_after):
            return
        self._setbacks.resume_at = until
        if not self._policy.wait:
            raise RelayBusy(f"{self._relay} asked for a pause a while ago, which is not over, so nothing was sent.")

    def _open_sessions(self) -> None:
        """One connection at first, to see how the relay does, then as many as it may have."""
        self._withheld = [until for until in self._withheld if until > self._clock()]
        wanted = max(1, self._policy.connections - len(self._withheld)) if self._is_connected else 1
        for _ in range(wanted - sum(not session.has_ended for session in self._sessions)):
            session = Session(self._connect(), self._tray, self._compose, self._clock)
            self._sessions[session] = asyncio.create_task(self._see_through(session))

    async def _see_through(self, session: Session[C]) -> None:
        try:
            if setback := await self._use(session):
                await self._set_back(session, setback)
        except Exception as exc:
            self._fail(exc)
        finally:
            await session.close()
            del self._sessions[session]
            if not self._is_connected:
                self._tray.recall()
            self._tray.changed.set()

    async def _use(self, session: Session[C]) -> RelayUnreachable | None:
        """Sends over one connection for as long as it serves.

        Says what was the matter if it was of no use, or of harm. One that takes a message and is lost before the next
        is of use: nobody is in doubt, and the mailing gets ahead.
        """
        try:
            await session.open()
        except RelayUnreachable as exc:
            return exc
        self._was_reached = True
        outcome = await session.serve()
        if outcome is None or (session.has_served and not session.left_doubt):
            return None
        words = outcome.reply.text if outcome.reply else outcome.note
        if outcome.slow_down:
            return RelayBusy(f"{self._relay} asks for a pause: {words}. What is left waits for a later run.")
        return RelayUnreachable(
            f"{self._relay} loses one connection after the other: {words}. What is left is due: run the command again "
            "when the relay works."
        )

    async def _set_back(self, session: Session[C], error: RelayUnreachable) -> None:
        """Goes on with one connection less where others serve, else leaves the relay alone; each for a while."""
        others = [other for other in self._sessions if other is not session]
        if any(other.is_open for other in others) and (isinstance(error, RelayBusy) or not session.was_opened):
            self._withheld.append(self._clock() + _WITHHELD_FOR)
            return
        if not self._was_reached and not isinstance(error, RelayBusy):
            self._fail(error)
        now = self._clock()
        if self._is_stopping or not self._setbacks.add(now, left_doubt=session.left_doubt):
            return
        self._tray.recall()
        if not self._setbacks.are_lasting:
            return
        if isinstance(error, RelayBusy):
            await self._in_thread(self._run.pause, self._setbacks.resume_at)
        if not self._policy.wait or now - self._setbacks.since > timedelta(seconds=self._policy.give_up_after):
            self._fail(error)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def _finish_sending(self) -> None:
        """Lets each session hear what becomes of the message that it is sending."""
        while any(session.is_sending for session in self._sessions):
            self._tray.changed.clear()
            await self._tray.changed.wait()

    async def _end_sessions(self) -> None:
        tasks = list(self._sessions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hand_in_the_rest(self) -> None:
        """A last visit to the ledger, if something is left because the loop was broken off."""
        self._take_in()
        if self._attempts or self._tray.untried:
            try:
                await self._exchange((), self._clock())
            except Exception as exc:
                self._fail(exc)
