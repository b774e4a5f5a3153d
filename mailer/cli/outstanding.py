"""What is outstanding of a mailing: what of it, from this run or an earlier one, still waits or wants a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from mailer import audience
from mailer.cli import console
from mailer.cli.command_line import event_meant, where
from mailer.cli.ends import DONE, WANTS_A_PERSON
from mailer.cli.surveying import Survey, Watch, unsettled
from mailer.model import Delivery, State

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.mailing import Prepared
    from mailer.ledger import Ledger

_WAITING = (State.QUEUED, State.DEFERRED)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """How a mailing stands, and what is left to do about it.

    `standing` counts all its deliveries. `stranded` are the recipients of those queued or deferred, and `forsaken`
    counts those failed, for nobody in a sound row of the lists; `failed` and `deferred` are for the others, and
    `retry_at` is when the first of these is tried again; `pause_ends` is when those are due that only wait for the end
    of a pause that the relay asked for. `over` are queued, deferred or failed, and need not go any more; `ended` says
    why nothing of the mailing goes. `after_hours` wait for the reminder's hours alone, which begin again at `opens_at`.
    `unsettled` counts the answers of people who may come, and would then be written to.
    """

    standing: Mapping[State, int]
    stranded: Sequence[str]
    forsaken: int
    failed: int
    deferred: int
    retry_at: datetime | None
    pause_ends: datetime | None
    over: int
    ended: str | None
    after_hours: int
    opens_at: datetime | None
    has_errors: bool
    is_held: bool
    unsettled: int

    @property
    def code(self) -> int:
        """The exit code: DONE once nothing of the mailing wants a person, an answer that waits included.

        What failed at an address that the lists name no more does not: it was corrected, or taken out.
        """
        undecided = self.standing.get(State.IN_DOUBT) or self.standing.get(State.CLAIMED) or self.failed
        waiting = self.deferred or self.after_hours or self.stranded
        is_left = undecided or waiting or self.has_errors or self.is_held or self.unsettled
        return WANTS_A_PERSON if is_left else DONE

    def sentences(self, wave: str, desk: Desk) -> Iterator[str]:
        """What of the mailing, which is `wave` in the ledger, is settled, and what there is to do about the rest."""
        event, now, here = desk.event, desk.clock(), where(desk)
        yield f"{wave} in all: {console.states(self.standing) or 'nothing'}"
        if doubts := self.standing.get(State.IN_DOUBT):
            yield f"{doubts} in doubt, not sent again unasked: see mailer resolve{here}"
        refused = f"mailer resolve{here} --failed"
        if self.failed and self.ended:
            yield f"{self.failed} failed, and {self.ended}: see whom to write to yourself with {refused}"
        elif self.failed:
            yield f"{self.failed} failed: see why, and send again what was mended, with {refused}"
        if self.forsaken:
            yield f"{self.forsaken} failed, in no sound row of the lists any more: nothing is left to do"
        if self.over:
            yield f"{self.over} no longer due: answered, not to be written to any more, or too late"
        later = {"The relay asked for a pause; the rest is": self.pause_ends, "Deferred ones are": self.retry_at}
        yield from (
            f"{whose} due from {console.moment_from(at, now, event.timezone)} on: run it again then."
            for whose, at in later.items()
            if at
        )
        if self.opens_at:
            when = f"from {self.opens_at:%A, %d %B %Y, %H:%M %Z}; run it again then"
            if self.opens_at > event.rsvp.deadline:
                when = "they begin again only after the deadline, and --anytime overrides them"
            yield f"{self.after_hours} wait for the reminder's hours: {when}"
        if self.stranded:
            yield (
                f"{len(self.stranded)} waiting in the ledger, in no sound row of the lists any more, so not sent: "
                f"{console.few(self.stranded)}. Put the row back, or mailer suppress ADDRESS"
            )
        if self.has_errors:
            yield f"Rows with errors were left out: see mailer check{event_meant(desk)}"
        review = f"mailer answers review{here}"
        if self.is_held:
            yield f"Reminders wait for an answer to be settled: see {review}"
        if self.unsettled:
            answers = console.count(self.unsettled, "answer")
            yield f"{answers} to be settled, of people who may come and are not written to: see {review}"


def outstanding(prepared: Prepared, found: Survey, ledger: Ledger, *, anytime: bool) -> Outstanding:
    """What is outstanding at this moment, where `found` was the survey before the run."""
    from mailer.cli.dispatch import paused_until

    desk, mailing, now = prepared.desk, prepared.mailing, prepared.desk.clock()
    has_hours = mailing.is_reminder and not anytime
    unsent = _unsent(prepared, ledger)
    due, held, over, unlisted = _sort(prepared, found, ledger, unsent)
    settled = over | unlisted
    left = {key: one for key, one in unsent.items() if key not in settled}
    later = {key: due_at for key, one in left.items() if (due_at := one.waits_until(now))}
    pause = paused_until(desk, ledger) if due or later else None
    retry_at = min((max(due_at, pause or due_at) for due_at in later.values()), default=None)
    goes_at = partial(audience.opening, mailing, desk.event) if has_hours else lambda at: at
    is_closed = has_hours and not audience.is_open(mailing, desk.event, now)
    after_hours = len(due - later.keys()) if is_closed else 0
    return Outstanding(
        standing=ledger.counts(desk.event.name).get(prepared.wave, {}),
        stranded=sorted(str(unsent[key].recipient) for key in unlisted if unsent[key].state in _WAITING),
        forsaken=sum(unsent[key].state is State.FAILED for key in unlisted),
        failed=sum(one.state is State.FAILED for one in left.values()),
        deferred=sum(one.state is State.DEFERRED for one in left.values()),
        retry_at=retry_at and goes_at(retry_at),
        pause_ends=goes_at(pause) if pause and due - later.keys() else None,
        over=len(over),
        ended=audience.too_late(mailing, desk.event, now),
        after_hours=after_hours,
        opens_at=audience.opening(mailing, desk.event, now) if after_hours else None,
        has_errors=bool(found.due.errors),
        is_held=found.is_held or bool(held),
        unsettled=len(unsettled(desk, ledger, mailing)),
    )


def _unsent(prepared: Prepared, ledger: Ledger) -> dict[str, Delivery]:
    """The deliveries of the mailing that wait, or have failed, by recipient key."""
    event, wave = prepared.desk.event.name, prepared.wave
    states = (*_WAITING, State.FAILED)
    return {one.recipient.key: one for state in states for one in ledger.deliveries(event, wave, state)}


def _sort(
    prepared: Prepared, found: Survey, ledger: Ledger, unsent: Mapping[str, Delivery]
) -> tuple[set[str], set[str], set[str], set[str]]:
    """Of the keys: those that wait and are due, are held since the survey, never will be due, and are in no list."""
    if not unsent:
        return set(), set(), set(), set()
    waiting = {key for key, one in unsent.items() if one.state in _WAITING}
    watch = Watch(prepared, ledger, anytime=True)
    due: set[str] = set()
    held: set[str] = set()
    over = set(unsent).intersection(found.over)
    unlisted = set(unsent).difference(address.casefold() for address, _ in found.left_out)
    for guest in found.due.guests:
        if (key := guest.contact.address.key) in unsent:
            unlisted.discard(key)
            if key in waiting:
                reason = watch.why_no_longer(guest)
                (due if reason is None else held if audience.is_held(reason) else over).add(key)
    if audience.too_late(prepared.mailing, prepared.desk.event, prepared.desk.clock()):
        over |= waiting
    return due - over, held - over, over, unlisted - over
