"""Who gets a mailing now, and why everybody else does not: the audience rules asked with what the ledger knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from mailer import audience
from mailer.audience import Record
from mailer.cli.desk import Desk
from mailer.cli.gathering import Gathered, gather
from mailer.cli.guests import Guest
from mailer.cli.mailing import facts_of
from mailer.cli.roll import Roll
from mailer.ledger.records import chunks
from mailer.model import Address, Answer, Audience, Contact, Mailing, PartyKind, State

if TYPE_CHECKING:
    from mailer.answers.parties import Parties
    from mailer.answers.standing import Turnout
    from mailer.cli.mailing import Prepared
    from mailer.ledger import Edition, History, Ledger, Suppression

# Contacts about whom the ledger is asked together.
_SOME = 1000
# Seconds after which the ledger is asked anew for answers while a mailing is on its way.
_FRESH_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Survey:
    """Who gets the mailing now, and everybody else by address, each with the reason why not.

    `told` counts those due by the mailings that have told them of the event as it is now. `over` are the keys of those
    left out to whom the mailing has not gone, though it is in the ledger for them, and need not go any more.
    """

    due: Gathered
    left_out: Roll[tuple[str, str]]
    reasons: Counter[str]
    told: Counter[str]
    over: Collection[str]

    @property
    def is_held(self) -> bool:
        """Whether somebody's reminder waits for a person to settle an answer."""
        return any(map(audience.is_held, self.reasons))


def survey(prepared: Prepared, ledger: Ledger, *, wait: bool, only: str | None, limit: int | None) -> Survey:
    """Asks the audience rules about every contact, with what the ledger knows of each, and checks what is due.

    With `wait`, those whose next try is still to come are counted as due, since the run will stay for them. Of those
    due, only the first `limit` are taken whose address, name or party holds `only`.
    """
    desk, mailing = prepared.desk, prepared.mailing
    rules = audience.Rules(mailing, desk.event, desk.clock())
    known = Records(desk, ledger, mailing, retried={} if wait else _retried(prepared, ledger))
    left_out: Roll[tuple[str, str]] = Roll()
    reasons: Counter[str] = Counter()
    told: Counter[str] = Counter()
    over: set[str] = set()
    wanted, room = (only or "").casefold(), limit

    def choose(contacts: Iterable[Contact]) -> Iterator[Contact]:
        nonlocal room
        for contact, record in known.of(contacts):
            reason = rules.why_not(contact, record)
            if reason is None and wanted and not _holds(prepared, contact, wanted):
                reason = "not asked for by --only"
            if reason is None and room == 0:
                reason = "beyond --limit"
            if reason is None:
                room = room and room - 1
                told.update(record.told_by)
                yield contact
            else:
                reasons[reason] += 1
                left_out.append((str(contact.address), reason))
                is_unsent = record.states.get(prepared.wave) in (State.QUEUED, State.DEFERRED, State.FAILED)
                if is_unsent and rules.is_over(contact, record):
                    over.add(contact.address.key)

    return Survey(gather(prepared, choose), left_out, reasons, told, over)


def still_due(prepared: Prepared, ledger: Ledger, guests: Sequence[Guest]) -> list[Guest]:
    """Those of `guests` whom the rules still let the mailing go to, asked once nobody else can send any more.

    Until then another run may have written to them, as a question can stand unanswered for hours.
    """
    desk, mailing = prepared.desk, prepared.mailing
    rules = audience.Rules(mailing, desk.event, desk.clock())
    known = Records(desk, ledger, mailing).of(guest.contact for guest in guests)
    reasons = (rules.why_not(contact, record) for contact, record in known)
    return [guest for guest, reason in zip(guests, reasons, strict=True) if reason is None]


def unsettled(desk: Desk, ledger: Ledger, mailing: Mailing) -> Sequence[Answer]:
    """The answers a person must settle before a mailing to those who come reaches all of them; none for another.

    Those whom a mailing to all invited has told the same are left out.
    """
    from mailer.cli.turnout import turnout_of

    if mailing.audience is not Audience.ATTENDING:
        return ()
    told = _told(desk, ledger, mailing)
    return [
        answer
        for answer in turnout_of(desk, ledger).may_come
        if not audience.told_the_same(told.get(answer.respondent_email.casefold(), ()), mailing, desk.event)
    ]


class Records:
    """What the ledger knows of recipients in respect of one mailing: what was sent, answered, held and suppressed."""

    def __init__(
        self,
        desk: Desk,
        ledger: Ledger,
        mailing: Mailing,
        turnout: Turnout | None = None,
        *,
        retried: Mapping[str, datetime] | None = None,
    ) -> None:
        """`turnout` is where the event stands, if that is known; `retried` are `Record.retry_at` by recipient key."""
        self._desk, self._ledger, self._retried = desk, ledger, retried or {}
        self._turnout = turnout or _turnout(desk, ledger, mailing)
        # As for those who have an invitation already: it is sent to nobody of a party that has answered.
        self._shut = self._turnout.shut if mailing.audience is Audience.CONTACTS else {}
        self._told = _told(desk, ledger, mailing)

    def of(self, contacts: Iterable[Contact]) -> Iterator[tuple[Contact, Record]]:
        """Each contact with the record; the ledger is asked for some at a time."""
        for some in chunks(contacts, _SOME):
            addresses = [contact.address for contact in some]
            histories = self._ledger.histories(self._desk.event.name, addresses)
            suppressed = self._suppressed(addresses)
            for contact in some:
                key = contact.address.key
                yield contact, self._record(contact, histories.get(key), suppressed.get(key))

    def _record(self, contact: Contact, history: History | None, suppression: Suppression | None) -> Record:
        key, turnout = contact.address.key, self._turnout
        answer = turnout.answered.get(key)
        if answer is None and history is None and self._shut:
            answer = self._answer_of_party(contact)
        return Record(
            history.states if history else {},
            self._retried.get(key),
            history.last_written if history else None,
            answer,
            turnout.reaches(key),
            turnout.held.get(key),
            self._told.get(key, ()),
            suppression.reason if suppression else None,
        )

    @cached_property
    def _parties(self) -> Parties:
        """By whose keys `shut` goes; no run needs them before the first answer."""
        from mailer.answers.parties import Parties

        return Parties(self._desk.directory)

    def _answer_of_party(self, contact: Contact) -> str | None:
        """What a colleague's answer says to somebody for whom there is no invitation yet."""
        rule = contact.rule or self._desk.event.rsvp.rule
        if not rule.is_shared:
            return None
        return self._shut.get(self._parties.key(contact.party))

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
        if not timedelta() <= now - self._looked_at <= _FRESH_FOR:  # a clock that is set back has told nothing
            self.look()
        if mailing.is_reminder and not self._anytime and not audience.is_open(mailing, desk.event, now):
            return False
        return self.why_no_longer(guest) is None

    def why_no_longer(self, guest: Guest) -> str | None:
        """What has come in between since `guest` was found to be due, whatever the hour; None where nothing has."""
        desk, mailing = self._prepared.desk, self._prepared.mailing
        key, turnout = guest.contact.address.key, self._turnout
        record = Record(answer=turnout.answered.get(key), comes=turnout.reaches(key), held=turnout.held.get(key))
        return audience.why_no_longer(guest.contact, record, mailing, desk.event, desk.clock())

    def look(self) -> None:
        """Takes in the answers that have come, or were settled, since; and whom they concern of those just invited."""
        self._looked_at = self._prepared.desk.clock()
        if (stamp := self._ledger.stamp()) != self._stamp:
            self._turnout = _turnout(self._prepared.desk, self._ledger, self._prepared.mailing)
            self._stamp = stamp


def _turnout(desk: Desk, ledger: Ledger, mailing: Mailing) -> Turnout:
    """Where the event stands, as far as anything of it concerns who gets the mailing."""
    from mailer.answers.standing import Turnout
    from mailer.cli.turnout import turnout_of

    # Spares the invitations, which are many before the first answer, unless silence may be one.
    if mailing.audience is not Audience.ATTENDING and not ledger.answers(desk.event.name):
        return Turnout((), {}, {}, {}, (), frozenset())
    return turnout_of(desk, ledger)


def _told(desk: Desk, ledger: Ledger, mailing: Mailing) -> Mapping[str, tuple[str, ...]]:
    """The mailings that told a recipient of the event as it is now, where those who come or are invited are meant.

    Those who come may have been told by mailings to all invited; the latter by an invitation that came after a change.
    """
    name, edition = desk.event.name, None
    if mailing.audience in {Audience.ATTENDING, Audience.INVITED}:
        edition = ledger.edition(name)
    if edition is None or edition.changed(facts_of(desk.event)):
        return {}
    if mailing.audience is Audience.INVITED:
        return _invited_since(desk, ledger, edition) if edition.number else {}
    told: dict[str, tuple[str, ...]] = {}
    for other in desk.event.mailings.values():
        if other.audience is Audience.INVITED:
            for delivery in ledger.deliveries(name, other.name, State.SENT):
                if delivery.date and delivery.date >= edition.at:
                    key = delivery.recipient.key
                    told[key] = (*told.get(key, ()), other.name)
    return told


def _invited_since(desk: Desk, ledger: Ledger, edition: Edition) -> Mapping[str, tuple[str, ...]]:
    """Whoever had the first mail as a contact with the event as the edition has it."""
    first: dict[str, datetime] = {}
    for mailing in desk.event.mailings.values():
        if mailing.audience is Audience.CONTACTS:
            for delivery in ledger.deliveries(desk.event.name, mailing.name):
                if delivery.date:
                    key = delivery.recipient.key
                    first[key] = min(delivery.date, first.get(key, delivery.date))
    invitation = audience.main_mailing(desk.event).name
    return {key: (invitation,) for key, at in first.items() if at >= edition.at}


def _retried(prepared: Prepared, ledger: Ledger) -> dict[str, datetime]:
    """When each deferral of the mailing is to be tried again, by recipient key."""
    deferred = ledger.deliveries(prepared.desk.event.name, prepared.wave, State.DEFERRED)
    now = prepared.desk.clock()
    return {one.recipient.key: due_at for one in deferred if (due_at := one.waits_until(now))}


def _holds(prepared: Prepared, contact: Contact, wanted: str) -> bool:
    mission = prepared.desk.directory.find(contact.party.name) if contact.party.kind is PartyKind.MISSION else None
    party = mission.name(prepared.letters.language_for(contact)) if mission else ""
    places = (str(contact.address), contact.name, contact.last_name, contact.party.name, party)
    return any(wanted in place.casefold() for place in places)
