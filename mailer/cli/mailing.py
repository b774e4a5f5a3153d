"""One mailing made ready: its letters compiled, its sender known, and the guests whom the sheets name for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from mailer import audience
from mailer.cli.delegates import delegates
from mailer.cli.desk import Desk, mailbox, shipped
from mailer.cli.guests import Guest, addressed, problem_at, problems_of_sheets
from mailer.errors import InputRefused, LedgerError, Problem, UsageError
from mailer.model import Audience, Contact, Delivery, Envelope, Event, Letter, Mailbox, Mailing

if TYPE_CHECKING:
    from mailer.message import Composer, Sender
    from mailer.render import Letters
    from mailer.smtp import Features


@dataclass(frozen=True)
class Prepared:
    """A mailing that can be composed. `problems` are those of settings, event and texts, which are warnings."""

    desk: Desk
    mailing: Mailing
    wave: str
    letters: Letters
    composers: Mapping[str, Composer]
    sender: Sender
    problems: Sequence[Problem]

    @property
    def domain(self) -> str:
        """The sender's, on the right-hand side of the Message-IDs."""
        return self.sender.from_.address.ascii_domain

    def contacts(self) -> Iterator[Contact | Problem]:
        """Whom the mailing may be for, in the order of the sheets, and every problem of the sheets, streamed."""
        desk, is_empty = self.desk, True
        coming = delegates(desk) if self.mailing.audience is Audience.ATTENDING else ()
        for found in chain(desk.invitees.read(), coming):
            is_empty = is_empty and isinstance(found, Problem) and not found.is_error
            yield found
        if is_empty:
            fix = "Write them into a workbook there, or set CONTACTS in config.env."
            yield Problem("no contact was found", fix, "warning", desk.config.CONTACTS)

    def addressed(self, contact: Contact) -> Iterator[Guest | Problem]:
        """The contact as a guest, and what is wrong with the form of address."""
        return addressed(contact, self.letters.language_for(contact), self.desk.directory)

    def letter(self, guest: Guest, reference: str, now: datetime) -> Letter:
        """The text for one guest. Raises InputRefused that names template and row."""
        return self.letters.render(
            guest.contact, guest.form, reference, now, party_name=guest.party, mailing_name=self.wave
        )

    def message(
        self, letter: Letter, guest: Guest, delivery: Delivery, features: Features, *, thread_id: str | None = None
    ) -> tuple[Envelope, tuple[bytes, ...]]:
        """The message that carries `letter` over a relay of these features.

        Raises InputRefused that names the row if it cannot be made.
        """
        contact = guest.contact
        try:
            return self.composers[letter.language].compose(
                letter,
                to=Mailbox(delivery.recipient, guest.form.address_name),
                cc=delivery.cc,
                message_id=delivery.message_id,
                date=delivery.date or delivery.updated_at,
                reference=delivery.reference,
                in_reply_to=thread_id,
                eight_bit=features.eight_bit,
                smtputf8=features.smtputf8,
                attachment=self.desk.own_attachment(guest) if contact.attachment else None,
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
    """The mailing with its templates compiled and tried, and what all its messages share read.

    Raises InputRefused with every problem, those of the sheets included, where there is no letter to speak of.
    """
    letters, composers, sender = _compile(desk, mailing)
    wave = audience.wave_name(mailing, audience.offset_due(mailing, desk.event, desk.clock()))
    return Prepared(desk, mailing, wave, letters, composers, sender, (*desk.problems, *letters.warnings))


def _compile(desk: Desk, mailing: Mailing) -> tuple[Letters, Mapping[str, Composer], Sender]:
    from mailer.message import Sender
    from mailer.render import compile_mailing

    problems: list[Problem] = []
    sender = letters = composers = None
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
        if sender:
            composers = _composers(desk, letters, sender)
    except InputRefused as exc:
        problems.extend(exc.problems)
    if not (sender and letters and composers):
        raise InputRefused([*problems, *problems_of_sheets(desk.config, desk.note_layout)])
    return letters, composers, sender


def _composers(desk: Desk, letters: Letters, sender: Sender) -> Mapping[str, Composer]:
    """What makes the messages, by language: one for all, unless a calendar file differs from language to language."""
    from mailer.message import Composer, calendar_file

    mailing = letters.mailing
    if not mailing.calendar:
        return dict.fromkeys(letters.languages, Composer(sender, mailing.attachments, letters.images))
    (uid, sequence), now = _entry(desk, sender.from_.address.ascii_domain), desk.clock()
    composers = {}
    for language in letters.languages:
        calendar = calendar_file(desk.event.in_language(language), uid=uid, sequence=sequence, now=now)
        composers[language] = Composer(sender, mailing.attachments, letters.images, calendar)
    return composers


def facts_of(event: Event) -> Mapping[str, str]:
    """What a recipient would have to be told of if it changed: when and where, whom to ask, and where links lead."""
    facts = {
        **_words(event),
        "starts": event.starts.isoformat(),
        "ends": event.ends.isoformat(),
        "rsvp.url": event.rsvp.url,
        "rsvp.deadline": event.rsvp.deadline.isoformat(),
        "cancelled": str(event.cancelled).lower(),
    }
    for language in event.translations:
        told = _words(event.in_language(language))
        facts |= {f"translations.{language}.{fact}": words for fact, words in told.items()}
    return facts


def _words(event: Event) -> dict[str, str]:
    """The facts that may be told otherwise in another language."""
    return {
        "title": event.title,
        "venue": event.venue,
        "online": str(event.online),
        "contact_person.email": event.contact_person.email,
        **{f"links.{name}": link for name, link in event.links.items()},
    }


def _entry(desk: Desk, domain: str) -> tuple[str, int]:
    """What tells calendars that they have this entry already, its UID, and that it is newer, its SEQUENCE.

    The UID holds the day of the event, so that last year's of the same name is another entry, and the sender's
    `domain`. The day stays what it was in the first mails, and the domain what it was when they were queued: mails that
    are refused at first keep their Message-IDs too. The number is how often the facts have changed since.
    """
    event, day, number = desk.event, desk.event.starts.isoformat(), 0
    try:
        with desk.ledger(create=False) as ledger:
            domain = ledger.first_domain(event.name) or domain
            if editions := ledger.editions(event.name):
                day = editions[0].facts["starts"]
                number = editions[-1].number + bool(editions[-1].changed(facts_of(event)))
    except LedgerError:
        pass  # whoever sends will meet it again; `check` tells it once
    return f"{event.name}-{day[:10]}@{domain}", number
