"""The answers of the event on the desk: the book that responses are matched with, and where the answers leave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mailer.cli.invitees import contacts_of
from mailer.model import Answer, AnswerState, Attendance, Invitation

if TYPE_CHECKING:
    from mailer.answers.book import Book
    from mailer.answers.standing import Seats, Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger


def book_of(desk: Desk, ledger: Ledger) -> Book:
    """All invitations of the event, with the names of those whom the sheets still hold."""
    from mailer.answers.book import Book

    event = desk.event.name
    people = {contact.address.key: contact.name for contact in contacts_of(desk.config) if contact.name}
    return Book.of(
        ledger.invitations(event), desk.directory, elsewhere=ledger.references_elsewhere(event), people=people
    )


def turnout_of(desk: Desk, ledger: Ledger, more: Iterable[Answer] = ()) -> Turnout:
    """Where the event stands by the ledger's answers, and `more` that are not in it yet."""
    from mailer.answers.parties import Parties
    from mailer.answers.standing import turnout

    event = desk.event.name
    invitations = ledger.invitations(event)
    reached = {key for key, history in ledger.histories(event).items() if history.last_written}
    answers = (*ledger.answers(event), *more)
    return turnout(invitations, answers, Parties(desk.directory), reached, _people(desk, invitations, answers))


def _people(desk: Desk, invitations: Sequence[Invitation], answers: Iterable[Answer]) -> Mapping[str, str]:
    """The names of those invited whose invitations were answered from elsewhere, by recipient key."""
    recipients = {invitation.reference: invitation.recipient.key for invitation in invitations}
    elsewhere = {
        recipients[answer.reference]
        for answer in answers
        if answer.state is AnswerState.MATCHED and answer.reference and answer.respondent_name
        if answer.respondent_email.casefold() != recipients[answer.reference]
    }
    return desk.invitees.names(elsewhere)


def seats_of(desk: Desk, found: Turnout) -> Seats:
    """The seats taken; those who need not answer come in person where there is no other way."""
    silence = Attendance.ATTENDING if desk.event.online else Attendance.IN_PERSON
    return found.seats(desk.event.rsvp.capacity, silence)
