"""Who gets this mailing now, and for everyone else why not: pure, a function of sheet row, ledger record and clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, time, timedelta

from mailer.model import Audience, Contact, Event, Mailing, Rule, Standing, State, frozen


@frozen
class Record:
    """What the ledger knows of one recipient in one event.

    `states` are by the mailing's name in the ledger, `retry_at` is when the deferred one that is asked about is to be
    tried again, `last_sent` when any mail of the event was last sent, or may have been. `answer` is the attendance that
    closes the invitation ("regrets", "in_person" ...) or None; `comes` says that somebody comes who is reached at this
    address; `held` says why a person must settle something first. `told_by` are the mailings that have told the
    recipient of the event as it is now. `suppressed` holds the reason why the address is not written to.
    """

    states: Mapping[str, State] = field(default_factory=dict)
    retry_at: datetime | None = None
    last_sent: datetime | None = None
    answer: str | None = None
    comes: bool = False
    held: str | None = None
    told_by: tuple[str, ...] = ()
    suppressed: str | None = None


_INVITATION = "invitation"
_HELD = "held: "
ALREADY_SENT = "already sent"

_SETTLED: Mapping[State | None, str] = {
    State.SENT: ALREADY_SENT,
    State.BOUNCED: "bounced",
    State.FAILED: "refused by the relay before",
    State.IN_DOUBT: "in doubt",
    State.CLAIMED: "being sent at this moment",
    State.SUPPRESSED: "suppressed",
    State.CANCELLED: "cancelled",
}

_NOT_INVITED: Mapping[State | None, str] = {
    None: "was not invited",
    State.QUEUED: "the invitation has not been sent yet",
    State.DEFERRED: "the invitation has not been sent yet",
    State.CLAIMED: "the invitation is being sent at this moment",
    State.IN_DOUBT: "the invitation is in doubt",
    State.BOUNCED: "the invitation bounced",
    State.FAILED: "the invitation was refused",
    State.SUPPRESSED: "the invitation was suppressed",
    State.CANCELLED: "the invitation was cancelled",
}

# What may have reached its reader counts as a reminder that was had.
_MAY_HAVE_ARRIVED = frozenset({State.SENT, State.BOUNCED, State.IN_DOUBT, State.CLAIMED})


def main_mailing(event: Event) -> Mailing:
    """The mailing that `send` means when none is named: `invitation`, else the first that goes to the contacts.

    An event has at least one (`event.load` sees to it).
    """
    if _INVITATION in event.mailings:
        return event.mailings[_INVITATION]
    return next(mailing for mailing in event.mailings.values() if mailing.audience is Audience.CONTACTS)


def offset_due(mailing: Mailing, event: Event, now: datetime) -> int | None:
    """The reminder's latest offset (in days) that is due at `now`, None before the first.

    Offset N falls due at the start of the Nth calendar day before the deadline's day, in the event's zone.
    """
    if not mailing.before_deadline:
        return None
    days = event.days_left(now)
    return min((offset for offset in mailing.before_deadline if offset >= days), default=None)


def wave_name(mailing: Mailing, offset: int | None) -> str:
    """The mailing's name in the ledger: `invitation`, or `reminder-7d` for a reminder's offset."""
    return mailing.name if offset is None else f"{mailing.name}-{offset}d"


def named_by(wave: str) -> tuple[str, int | None]:
    """The mailing whose name in the ledger is `wave`, as `wave_name` made it, and the offset; None where there is none.

    Offsets that the event has no longer are told too.
    """
    found = re.fullmatch(r"(.+)-(\d+)d", wave)
    return (found[1], int(found[2])) if found else (wave, None)


def mailing_of(wave: str, event: Event) -> Mailing | None:
    """The mailing that the ledger calls `wave`, a reminder with its offset; None where event.toml has it no more."""
    name, offset = named_by(wave)
    found = event.mailings.get(name)
    return found if found and (found.is_reminder or offset is None) else None


def next_offset_start(mailing: Mailing, event: Event, now: datetime) -> datetime | None:
    """When the reminder's next offset falls due after `now`, in the event's zone; None where none is to come."""
    last_day, zone = event.day_of(event.rsvp.deadline), event.timezone
    # Through UTC, where a midnight that the clocks leave out becomes the moment at which that day does begin.
    starts = [datetime.combine(last_day - timedelta(n), time(), zone).astimezone(UTC) for n in mailing.before_deadline]
    coming = [start for start in starts if start > now]
    return min(coming).astimezone(zone) if coming else None


def opening(mailing: Mailing, event: Event, now: datetime) -> datetime:
    """The first moment from `now` on at which the reminder's days and hours allow sending; `now` if they do already.

    To the minute, in the event's zone. It may lie after the deadline, when the rules let nobody be reminded.
    """
    if is_open(mailing, event, now):
        return now
    # Minute by minute, as the clocks may change on the way: a week has but ten thousand. They may also leave out the
    # hours of the only weekday, hence two.
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    ahead = (minute + timedelta(minutes=n) for n in range(1, 2 * 7 * 24 * 60))
    return next(moment for moment in ahead if is_open(mailing, event, moment)).astimezone(event.timezone)


def is_open(mailing: Mailing, event: Event, moment: datetime) -> bool:
    """Whether the reminder's days and hours allow sending at `moment`."""
    first, last = mailing.hours
    local = moment.astimezone(event.timezone)
    return local.weekday() in mailing.days and first <= local.time() < last


class Rules:
    """The rules of one mailing at one moment, to be asked about each contact with what the ledger knows of it."""

    def __init__(self, mailing: Mailing, event: Event, now: datetime) -> None:
        self._mailing, self._event, self._now = mailing, event, now
        offset = offset_due(mailing, event, now)
        self._wave = wave_name(mailing, offset)
        self._too_late = too_late(mailing, event, now)
        self._not_yet = _not_yet(mailing, event, now) if mailing.is_reminder and offset is None else None

    def why_not(self, contact: Contact, record: Record) -> str | None:
        """Why `contact` does not get the mailing, in words for the organiser; None where it is due.

        The order is that of certainty: what a person decided, then what was answered, then what was sent. Days and
        hours of sending are those of the run, not of a contact: see `opening`.
        """
        mailing, event = self._mailing, self._event
        return (
            _excluded(contact, record)
            or self._too_late
            or _answered(contact, record, mailing, event)
            or _uninvited(record, mailing, event)
            or _told(record, mailing, event)
            or self._not_yet
            or _settled(record, self._wave, event, self._now)
            or (_reminded(record, mailing, event, self._now) if mailing.is_reminder else None)
        )

    def is_over(self, contact: Contact, record: Record) -> bool:
        """Whether nobody need see to it that `contact` gets it, late or not: left out by a person, or answered."""
        is_answered = record.answer is not None and _answered(contact, record, self._mailing, self._event) is not None
        return is_answered or _excluded(contact, record) is not None


def is_held(reason: str) -> bool:
    """Whether a reason that `Rules.why_not` gave waits for a person to settle an answer."""
    return reason.startswith(_HELD)


def doubts_invitation(reason: str) -> bool:
    """Whether a reason that `Rules.why_not` gave waits for a person to settle whether the invitation went out."""
    return reason == _NOT_INVITED[State.IN_DOUBT]


def why_no_longer(contact: Contact, record: Record, mailing: Mailing, event: Event, now: datetime) -> str | None:
    """Why somebody who was found to be due is so no longer: the deadline, or an answer, has come in between.

    Of `record` only what was answered and what is held is looked at. None where nothing has come in between.
    """
    return too_late(mailing, event, now) or _answered(contact, record, mailing, event)


def told_the_same(told_by: Iterable[str], mailing: Mailing, event: Event) -> str | None:
    """The first of the mailings named in `told_by` that has the text of `mailing`; None where none has."""
    return next((name for name in told_by if event.mailings[name].template == mailing.template), None)


def too_late(mailing: Mailing, event: Event, now: datetime) -> str | None:
    """Why nobody gets `mailing` any more: the event is cancelled or the deadline has passed; None where neither is."""
    if not mailing.asks_for_answer:
        return None
    if event.cancelled:
        return "the event is cancelled"
    return "the deadline has passed" if now.astimezone(UTC) > event.rsvp.deadline else None


def _excluded(contact: Contact, record: Record) -> str | None:
    if contact.status is Standing.DO_NOT_CONTACT:
        return "do not contact"
    if contact.status is Standing.LEFT:
        return "has left the post"
    return f"suppressed: {record.suppressed}" if record.suppressed is not None else None


def _answered(contact: Contact, record: Record, mailing: Mailing, event: Event) -> str | None:
    """What was answered, is held, or need not be answered, and so keeps the mailing away."""
    match mailing.audience:
        case Audience.CONTACTS:
            return _has_answered(record)
        case Audience.INVITED:
            return None
        case Audience.ATTENDING:
            if record.comes:
                return None
            return _absent(record.answer) if record.answer else _unanswered(record, event)
        case Audience.DECLINED:
            if record.answer:
                return None if record.answer == "regrets" else "has not declined"
            return _unanswered(record, event)
        case Audience.UNANSWERED:
            if record.answer:
                return _has_answered(record)
            if record.held:
                return f"{_HELD}{record.held}"
            return "answers only to decline" if (contact.rule or event.rsvp.rule) is Rule.REGRETS_ONLY else None


def _uninvited(record: Record, mailing: Mailing, event: Event) -> str | None:
    """What keeps those away whom the invitation has not reached, from a mailing that stands on it."""
    if mailing.audience is Audience.UNANSWERED and _INVITATION in event.mailings:
        # Nobody is asked again for an answer to what has only told of the date.
        return _NOT_INVITED.get(record.states.get(_INVITATION))
    if mailing.audience in (Audience.INVITED, Audience.UNANSWERED):
        return _NOT_INVITED.get(_invitation_state(record, event))
    return None


def _has_answered(record: Record) -> str | None:
    return f"has answered: {_words(record.answer)}" if record.answer else None


def _absent(answer: str) -> str:
    """Why somebody is not among those who come, though answered: as a colleague is, or as nobody is."""
    said, _, by_colleague = answer.partition(", ")
    if by_colleague and said not in ("regrets", "waiting"):
        return "a colleague attends"
    return f"does not attend: {_words(answer)}"


def _words(answer: str) -> str:
    return answer.replace("_", " ")


def _unanswered(record: Record, event: Event) -> str:
    """Why somebody is taken neither for one who comes nor for one who declines; nothing that holds a reminder."""
    return record.held or _NOT_INVITED.get(_invitation_state(record, event)) or "has not answered"


def _told(record: Record, mailing: Mailing, event: Event) -> str | None:
    """A text that went to all invited is not written a second time to those of them who come."""
    name = told_the_same(record.told_by, mailing, event) if mailing.audience is Audience.ATTENDING else None
    return f"was told the same by {name}" if name else None


def _invitation_state(record: Record, event: Event) -> State | None:
    """SENT if any mailing to the contacts was sent, else the state of the last one there is; None without any."""
    invitations = [name for name, mailing in event.mailings.items() if mailing.audience is Audience.CONTACTS]
    states = [record.states[name] for name in invitations if name in record.states]
    return State.SENT if State.SENT in states else states[-1] if states else None


def _not_yet(mailing: Mailing, event: Event, now: datetime) -> str:
    start = next_offset_start(mailing, event, now)
    return f"no reminder is due before {start:%A, %d %B %Y}" if start else "no reminder is due"


def _settled(record: Record, wave: str, event: Event, now: datetime) -> str | None:
    state = record.states.get(wave)
    if state is State.DEFERRED and record.retry_at and record.retry_at > now.astimezone(UTC):
        # The first whole minute at which it is not too early to come back.
        retry_at = record.retry_at + timedelta(seconds=59, microseconds=999_999)
        return f"deferred, to be tried again from {retry_at.astimezone(event.timezone):%d %B, %H:%M}"
    return _SETTLED.get(state)


def _reminded(record: Record, mailing: Mailing, event: Event, now: datetime) -> str | None:
    if State.BOUNCED in record.states.values():
        return "an earlier mail bounced"
    arrived = (named_by(wave) for wave, state in record.states.items() if state in _MAY_HAVE_ARRIVED)
    had = sum(name == mailing.name and offset is not None for name, offset in arrived)
    if had >= mailing.maximum:
        return f"the maximum of reminders is reached: {had}"
    # A moment far ahead was written down by a clock that was wrong, and tells nothing.
    if record.last_sent and abs((event.day_of(now) - event.day_of(record.last_sent)).days) < mailing.gap:
        return f"was written to on {event.day_of(record.last_sent):%d %B}, less than {mailing.gap} days ago"
    return None
