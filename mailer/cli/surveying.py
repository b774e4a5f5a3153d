"""Who gets a mailing now, and why everybody else does not: the audience rules asked with what the ledger knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailer import audience
from mailer.audience import Record
from mailer.cli.desk import Desk, Guest
from mailer.cli.gathering import SOME, Gathered, batches, gather
from mailer.cli.roll import Roll
from mailer.model import Address, Attendance, Audience, Contact, Mailing, PartyKind, State

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared
    from mailer.ledger import History, Ledger, Suppression

# Seconds after which the ledger is asked anew for answers while a mailing is on its way.
_FRESH_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Survey:
    """Who gets the mailing now, and everybody else by address, each with the reason why not."""

    due: Gathered
    left_out: Roll[tuple[str, str]]
    reasons: Counter[str]

    @property
    def is_held(self) -> bool:
        """Whether somebody's reminder waits for a person to settle an answer."""
        return any(map(audience.is_held, self.reasons))


def survey(
    prepared: Prepared, ledger: Ledger, *, wait: bool = False, only: str | None = None, limit: int | None = None
) -> Survey:
    """Asks the audience rules about every contact, with what the ledger knows of each, and checks what is due.

    With `wait`, those whose next try is still to come are counted as due, since the run will stay for them. Of those
    due, only the first `limit` are taken whose address, name or party holds `only`.
    """
    desk, mailing, now = prepared.desk, prepared.mailing, prepared.desk.clock()
    known = Records(desk, ledger, mailing, retried={} if wait else _retried(prepared, ledger))
    left_out: Roll[tuple[str, str]] = Roll()
    reasons: Counter[str] = Counter()
    wanted, room = (only or "").casefold(), limit

    def choose(contacts: Iterable[Contact]) -> Iterator[Contact]:
        nonlocal room
        for contact, record in known.of(contacts):
            reason = audience.why_not(contact, record, mailing, desk.event, now)
            if reason is None and wanted and not _holds(prepared, contact, wanted):
                reason = "not asked for by --only"
            if reason is None and room == 0:
                reason = "beyond --limit"
            if reason is None:
                room = room and room - 1
                yield contact
            else:
                reasons[reason] += 1
                left_out.append((str(contact.address), reason))

    return Survey(gather(prepared, choose), left_out, reasons)


class Records:
    """What the ledger knows of recipients in respect of one mailing: what was sent, answered, held and suppressed."""

    def __init__(
        self, desk: Desk, ledger: Ledger, mailing: Mailing, *, retried: Mapping[str, datetime] | None = None
    ) -> None:
        """`retried` are `Record.retry_at` by recipient key."""
        self._desk, self._ledger, self._retried = desk, ledger, retried or {}
        self._answered, self._held = _answered(desk, ledger, mailing)

    def of(self, contacts: Iterable[Contact]) -> Iterator[tuple[Contact, Record]]:
        """Each contact with the record; the ledger is asked for some at a time."""
        for some in batches(contacts, SOME):
            addresses = [contact.address for contact in some]
            histories = self._ledger.histories(self._desk.event.name, addresses)
            suppressed = self._suppressed(addresses)
            for contact in some:
                key = contact.address.key
                yield contact, self._record(key, histories.get(key), suppressed.get(key))

    def _record(self, key: str, history: History | None, suppression: Suppression | None) -> Record:
        return Record(
            states=history.states if history else {},
            retry_at=self._retried.get(key),
            last_sent=history.last_written if history else None,
            answer=self._answered.get(key),
            held=self._held.get(key),
            suppressed=suppression.reason if suppression else None,
        )

    def _suppressed(self, addresses: Sequence[Address]) -> dict[str, Suppression]:
        """A rehearsal spares those too whom the real ledger does."""
        suppressed = self._ledger.suppressed(addresses)
        if self._desk.rehearsal:
            with replace(self._desk, rehearsal=False).ledger(create=False) as real:
                suppressed = real.suppressed(addresses) | suppressed
        return suppressed


class Watch:
    """Whether somebody who was found to be due still is: asked right before each message, as a round may take hours.

    Who has been suppressed or was sent the mailing by another run, the ledger itself leaves out at each claim.
    """

    def __init__(self, prepared: Prepared, ledger: Ledger, *, anytime: bool) -> None:
        self._prepared, self._ledger, self._anytime = prepared, ledger, anytime
        self._stamp: tuple[int, int, int] | None = None
        self.look()

    def __call__(self, guest: Guest) -> bool:
        desk, mailing = self._prepared.desk, self._prepared.mailing
        now = desk.clock()
        if now - self._looked_at > _FRESH_FOR:
            self.look()
        if mailing.is_reminder and not self._anytime and not audience.is_open(mailing, desk.event, now):
            return False
        answered, held = self._known
        key = guest.contact.address.key
        record = Record(answer=answered.get(key), held=held.get(key))
        return audience.why_no_longer(guest.contact, record, mailing, desk.event, now) is None

    def look(self) -> None:
        """Takes in the answers that have come, or were settled, since; and whom they concern of those just invited."""
        self._looked_at = self._prepared.desk.clock()
        if (stamp := self._ledger.stamp()) != self._stamp:
            self._known = _answered(self._prepared.desk, self._ledger, self._prepared.mailing)
            self._stamp = stamp


def _answered(desk: Desk, ledger: Ledger, mailing: Mailing) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The answer that closes each closed invitation, and why each held one is held, by recipient key."""
    from mailer.cli.turnout import turnout_of

    comes_unasked = mailing.audience is Audience.ATTENDING
    if not comes_unasked and not ledger.answers(desk.event.name):
        return {}, {}  # spares the invitations, which are many before the first answer
    turnout = turnout_of(desk, ledger)
    silent = dict.fromkeys(turnout.silent if comes_unasked else (), Attendance.ATTENDING.value)
    return {**turnout.answered, **silent}, turnout.held


def _retried(prepared: Prepared, ledger: Ledger) -> dict[str, datetime]:
    """When each deferral of the mailing is to be tried again, by recipient key."""
    deferred = ledger.deliveries(prepared.desk.event.name, prepared.wave, State.DEFERRED)
    return {one.recipient.key: one.due_at for one in deferred if one.due_at}


def _holds(prepared: Prepared, contact: Contact, wanted: str) -> bool:
    mission = prepared.desk.directory.find(contact.party.name) if contact.party.kind is PartyKind.MISSION else None
    party = mission.name(prepared.letters.language_for(contact)) if mission else ""
    places = (str(contact.address), contact.name, contact.last_name, contact.party.name, party)
    return any(wanted in place.casefold() for place in places)
