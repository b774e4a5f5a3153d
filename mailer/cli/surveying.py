"""Who gets a mailing now, and why everybody else does not: the audience rules asked with what the ledger knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailer import audience
from mailer.audience import Record
from mailer.cli.desk import Desk, Guest
from mailer.model import Attendance, Audience, Mailing, State

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared
    from mailer.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Survey:
    """Who gets the mailing now, and why everybody else does not."""

    due: Sequence[Guest]
    left_out: Sequence[tuple[Guest, str]]
    records: Mapping[str, Record]

    def reasons(self) -> list[tuple[int, str]]:
        """How many are left out for each reason, the most frequent first."""
        counts: dict[str, int] = {}
        for _, reason in self.left_out:
            counts[reason] = counts.get(reason, 0) + 1
        return sorted(((number, reason) for reason, number in counts.items()), reverse=True)


def survey(prepared: Prepared, ledger: Ledger, now: datetime, *, wait: bool = False) -> Survey:
    """Asks the audience rules about every guest, with what the ledger knows of each.

    With `wait`, those whose next try is still to come are counted as due, since the run will stay for them.
    """
    event, mailing = prepared.desk.event, prepared.mailing
    records = records_of(prepared.desk, ledger, prepared.guests, mailing)
    if not wait:
        for delivery in ledger.deliveries(event.name, prepared.wave, State.DEFERRED):
            if delivery.due_at and delivery.recipient.key in records:
                known = records[delivery.recipient.key]
                records[delivery.recipient.key] = replace(known, retry_at={prepared.wave: delivery.due_at})
    due: list[Guest] = []
    left_out: list[tuple[Guest, str]] = []
    for guest in prepared.guests:
        record = records.get(guest.contact.address.key, audience.NO_RECORD)
        reason = audience.why_not(guest.contact, record, mailing, event, now)
        if reason is None:
            due.append(guest)
        else:
            left_out.append((guest, reason))
    return Survey(due, left_out, records)


def records_of(desk: Desk, ledger: Ledger, guests: Iterable[Guest], mailing: Mailing) -> dict[str, Record]:
    """What the ledger knows of each recipient, by the address's key: what was sent, answered, held and suppressed."""
    event = desk.event.name
    addresses = [guest.contact.address for guest in guests]
    suppressed = ledger.suppressed(addresses)
    if desk.rehearsal:
        with replace(desk, rehearsal=False).ledger(create=False) as real:
            suppressed |= real.suppressed(addresses)
    histories = ledger.histories(event)
    records = {key: Record(states=own.states, last_sent=own.last_written) for key, own in histories.items()}
    answered, held = _answered(desk, ledger, mailing)
    for key in {*answered, *held, *suppressed}:
        records[key] = replace(
            records.get(key, audience.NO_RECORD),
            answer=answered.get(key),
            held=held.get(key),
            suppressed="on the suppression list" if key in suppressed else None,
        )
    return records


def _answered(desk: Desk, ledger: Ledger, mailing: Mailing) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The answer that closes each closed invitation, and why each held one is held, by recipient key."""
    from mailer.cli.turnout import turnout_of

    comes_unasked = mailing.audience is Audience.ATTENDING
    if not comes_unasked and not ledger.answers(desk.event.name):
        return {}, {}  # spares the invitations, which are many before the first answer
    turnout = turnout_of(desk, ledger)
    silent = dict.fromkeys(turnout.silent if comes_unasked else (), Attendance.ATTENDING.value)
    return {**turnout.answered, **silent}, turnout.held


def narrowed(found: Survey, only: str | None, limit: int | None) -> Survey:
    """The survey for those alone whose address, name or party holds `only`, and for the first `limit` of them."""
    due = list(found.due)
    left_out = list(found.left_out)
    if only:
        wanted = only.casefold()
        left_out += [(guest, "not asked for by --only") for guest in due if not _holds(guest, wanted)]
        due = [guest for guest in due if _holds(guest, wanted)]
    if limit is not None:
        left_out += [(guest, "beyond --limit") for guest in due[limit:]]
        due = due[:limit]
    return Survey(due, left_out, found.records)


def _holds(guest: Guest, wanted: str) -> bool:
    contact = guest.contact
    places = (str(contact.address), contact.name, contact.last_name, contact.party.name, guest.party)
    return any(wanted in place.casefold() for place in places)


# Seconds after which the ledger is asked anew for answers while a mailing is on its way.
_FRESH_FOR = timedelta(seconds=5)


class Watch:
    """Whether somebody who was found to be due still is: asked right before each message, as a round may take hours."""

    def __init__(self, prepared: Prepared, found: Survey, ledger: Ledger, *, anytime: bool) -> None:
        self._prepared, self._records, self._ledger, self._anytime = prepared, found.records, ledger, anytime
        self._looked_at = prepared.desk.clock()
        self._answers = len(ledger.answers(prepared.desk.event.name))

    def __call__(self, guest: Guest) -> bool:
        desk, mailing = self._prepared.desk, self._prepared.mailing
        now = desk.clock()
        if now - self._looked_at > _FRESH_FOR:
            self._look(now)
        if mailing.is_reminder and not self._anytime and not audience.is_open(mailing, desk.event, now):
            return False
        record = replace(self._records.get(guest.contact.address.key, audience.NO_RECORD), retry_at={})
        return audience.why_not(guest.contact, record, mailing, desk.event, now) is None

    def _look(self, now: datetime) -> None:
        """Takes in the answers that have come since; who is suppressed, the ledger leaves out at each claim itself."""
        self._looked_at = now
        desk = self._prepared.desk
        if (answers := len(self._ledger.answers(desk.event.name))) == self._answers:
            return
        self._answers = answers
        answered, held = _answered(desk, self._ledger, self._prepared.mailing)
        self._records = {
            key: replace(record, answer=answered.get(key), held=held.get(key)) for key, record in self._records.items()
        } | {
            key: audience.Record(answer=answered.get(key), held=held.get(key))
            for key in {*answered, *held} - self._records.keys()
        }
