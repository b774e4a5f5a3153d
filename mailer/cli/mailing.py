"""One mailing made ready: its letters compiled, its guests read, every message checked before any may leave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailer import audience
from mailer.audience import Record
from mailer.cli.delegates import delegates
from mailer.cli.desk import Desk, Guest, mailbox, problem_at, read_guests, shipped
from mailer.errors import InputRefused, Problem, UsageError
from mailer.model import Attendance, Audience, Delivery, Envelope, Letter, Mailbox, Mailing, Standing, State

if TYPE_CHECKING:
    from mailer.ledger import Ledger
    from mailer.message import Composer, Sender
    from mailer.render import Letters

# Up to here every message is rendered before the first one leaves; above it, one of each variant.
RENDER_ALL = 10_000

_SAMPLE_REFERENCE = "7KQ4M-P2XDA"


@dataclass(frozen=True)
class Prepared:
    """A mailing that can be composed: for whom, in which words. `problems` are all that were found on the way."""

    desk: Desk
    mailing: Mailing
    wave: str
    letters: Letters
    composer: Composer
    sender: Sender
    guests: Sequence[Guest]
    problems: Sequence[Problem] = field(default_factory=tuple)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.is_error]

    def letter(self, guest: Guest, reference: str, now: datetime) -> Letter:
        """The text for one guest. Raises InputRefused that names template and row."""
        return self.letters.render(
            guest.contact, guest.form, reference, now, party_name=guest.party, mailing_name=self.wave
        )

    def message(
        self, letter: Letter, guest: Guest, delivery: Delivery, *, eight_bit: bool, thread_id: str | None = None
    ) -> tuple[Envelope, tuple[bytes, ...]]:
        """The message that carries `letter`. Raises InputRefused that names the row if it cannot be made."""
        contact = guest.contact
        try:
            return self.composer.compose(
                letter,
                to=Mailbox(delivery.recipient, guest.form.address_name),
                cc=delivery.cc,
                message_id=delivery.message_id,
                date=delivery.date or delivery.updated_at,
                reference=delivery.reference,
                in_reply_to=thread_id,
                eight_bit=eight_bit,
                attachment=own_attachment(self.desk, guest) if contact.attachment else None,
            )
        except ValueError as exc:
            fix = "Correct the row; nothing of it was sent."
            raise InputRefused([problem_at(contact, "address", f"no message can be made: {exc}", fix)]) from exc


def choose_mailing(desk: Desk, name: str | None) -> Mailing:
    """The mailing that is meant: `name`, or the invitation. Raises UsageError that lists what there is."""
    if name is None:
        return audience.main_mailing(desk.event)
    if name in desk.event.mailings:
        return desk.event.mailings[name]
    raise UsageError(f"{desk.event.name} has no mailing {name!r}. It has: {', '.join(desk.event.mailings)}.")


def prepare(desk: Desk, mailing: Mailing) -> Prepared:
    """Reads and checks all that the mailing needs. Raises InputRefused with every problem where there is no letter to
    speak of; problems of single rows stand in the result."""
    letters, composer, sender = _compile(desk, mailing)
    problems: list[Problem] = list(desk.problems)
    guests: list[Guest] = []
    for found in read_guests(desk.config.contact_paths, desk.directory, letters.language_for):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            guests.append(found)
    if mailing.audience is Audience.ATTENDING:
        guests += delegates(desk, guests, letters.language_for)
    wave = audience.wave_name(mailing, audience.offset_due(mailing, desk.event, desk.clock()))
    prepared = Prepared(desk, mailing, wave, letters, composer, sender, guests, problems)
    problems.extend(_check_messages(prepared))
    return prepared


def _compile(desk: Desk, mailing: Mailing) -> tuple[Letters, Composer, Sender]:
    from mailer.message import Composer, Sender, calendar_file
    from mailer.render import compile_mailing

    problems: list[Problem] = []
    sender = letters = composer = None
    settings, event = desk.config, desk.event
    try:
        sender = Sender(
            from_=desk.mail_from,
            reply_to=mailbox(settings.REPLY_TO) if settings.REPLY_TO else event.contact_person.mailbox,
            return_path=settings.RETURN_PATH,
            unsubscribe_to=mailbox(settings.UNSUBSCRIBE_TO).address if settings.UNSUBSCRIBE_TO else None,
            unsubscribe_url=settings.UNSUBSCRIBE_URL,
        )
    except ValueError as exc:
        problems.append(Problem(str(exc), "Correct it in config.env.", file="config.env"))
    try:
        letters = compile_mailing(event, mailing, desk.templates, shipped() / "templates")
        calendar = None
        if mailing.calendar:
            calendar = calendar_file(event, uid_domain=desk.mail_from.address.domain, sequence=0, now=desk.clock())
        if sender:
            composer = Composer(sender, mailing.attachments, letters.images, calendar)
    except InputRefused as exc:
        problems.extend(exc.problems)
    if not (sender and letters and composer):
        raise InputRefused([*problems, *_problems_of_sheets(desk)])
    return letters, composer, sender


def _problems_of_sheets(desk: Desk) -> Iterator[Problem]:
    """What is wrong in the sheets, so that one pass shows it even where there are no letters yet."""
    try:
        for found in read_guests(desk.config.contact_paths, desk.directory, lambda contact: contact.language or "en"):
            if isinstance(found, Problem):
                yield found
    except InputRefused as exc:
        yield from exc.problems


def own_attachment(desk: Desk, guest: Guest) -> Path:
    """The file that the guest's row names. Raises ValueError with a reason."""
    from mailer.event import attachment

    return attachment(desk.event.folder, guest.contact.attachment)


# --- every message, before the first one leaves -----------------------------------------------------------------------


def _check_messages(prepared: Prepared) -> Iterator[Problem]:
    told: set[tuple[str, str, str]] = set()
    seen: set[tuple[object, ...]] = set()
    missing_languages: set[str] = set()
    for guest in prepared.guests:
        contact = guest.contact
        if contact.status is not Standing.ACTIVE:
            continue
        if contact.language and contact.language != guest.language and contact.language not in missing_languages:
            missing_languages.add(contact.language)
            problem = f"there is no {prepared.mailing.template} in this language; {guest.language} is used"
            yield problem_at(contact, "language", problem, "Write the template, or leave it so.", warning=True)
        if contact.attachment:
            yield from _check_attachment(prepared, guest)
        if len(prepared.guests) > RENDER_ALL:
            variant = _variant(guest)
            if variant in seen:
                continue
            seen.add(variant)
        for found in check_message(prepared, guest):
            # One fault of a template shows in every letter; it is told once, with the first row that shows it.
            key = (found.problem, found.file or "", str(found.row) if found.cell else "")
            if key not in told:
                told.add(key)
                yield found


def _variant(guest: Guest) -> tuple[object, ...]:
    contact = guest.contact
    filled = tuple(bool(value) for value in (contact.title, contact.first_name, contact.last_name, contact.position))
    extra = tuple(bool(value) for value in contact.extra.values())
    return guest.language, contact.rule, contact.party.kind, guest.mission is None, filled, extra


def _check_attachment(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    try:
        prepared.composer.check_attachment(own_attachment(prepared.desk, guest))
    except ValueError as exc:
        fix = f"Put the file into {prepared.desk.event.folder} or correct the name."
        yield problem_at(guest.contact, "attachment", f"the attachment {exc}", fix)


def check_message(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    """What is wrong with the message that this guest would get."""
    now, contact = prepared.desk.clock(), guest.contact
    sample = sample_delivery(prepared, guest, _SAMPLE_REFERENCE, f"<sample@{prepared.desk.mail_from.address.domain}>")
    try:
        letter = prepared.letter(guest, _SAMPLE_REFERENCE, now)
        if not contact.attachment:
            prepared.message(letter, guest, sample, eight_bit=True)
    except InputRefused as exc:
        yield from exc.problems
        return
    for fault, fix in lint(letter):
        problem = f"{prepared.mailing.template} reads badly for {contact.address}: {fault}"
        yield problem_at(contact, "address", problem, fix, warning=True)


def sample_delivery(prepared: Prepared, guest: Guest, reference: str, message_id: str) -> Delivery:
    """A delivery to look at, which no ledger knows."""
    contact = guest.contact
    return Delivery(
        id=0,
        event=prepared.desk.event.name,
        mailing=prepared.wave,
        recipient=contact.address,
        cc=contact.cc,
        party=contact.party.name,
        reference=reference,
        message_id=message_id,
        state=State.QUEUED,
        attempts=0,
        updated_at=prepared.desk.clock(),
    )


_LINT = (
    (re.compile(r"\b(nan|NaN|None|null|undefined|TBC|TBD)\b"), "it says {0!r}"),
    (re.compile(r"\w {2,}\w"), "two blanks in a row, as an empty field leaves them ({0!r})"),
    (re.compile(r"\(\s*\)|,\s*,"), "something is empty there ({0!r})"),
)


def lint(letter: Letter) -> Iterator[tuple[str, str]]:
    """What a careful reader would notice in a letter: the fault, and what to do. Tables of the text are passed over."""
    lines = [letter.subject, *(line for line in letter.text.splitlines() if "|" not in line)]
    for pattern, fault in _LINT:
        if match := next(filter(None, map(pattern.search, lines)), None):
            yield fault.format(match[0]), "Fill the cell, or guard the field in the template with an if."
    if _SAMPLE_REFERENCE not in letter.text:
        yield "the reference does not stand in it", "Put {{ reference }} and {{ rsvp_url }} into the template."


# --- who gets it now --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """Who gets the mailing now, and why everybody else does not."""

    due: Sequence[Guest]
    left_out: Sequence[tuple[Guest, str]]

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
    return Survey(due, left_out)


def records_of(desk: Desk, ledger: Ledger, guests: Iterable[Guest], mailing: Mailing) -> dict[str, Record]:
    """What the ledger knows of each recipient, by the address's key: what was sent, answered, held and suppressed."""
    event = desk.event.name
    suppressed = ledger.suppressed(guest.contact.address for guest in guests)
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
    return Survey(due, left_out)


def _holds(guest: Guest, wanted: str) -> bool:
    contact = guest.contact
    places = (str(contact.address), contact.name, contact.last_name, contact.party.name, guest.party)
    return any(wanted in place.casefold() for place in places)
