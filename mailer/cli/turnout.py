"""The answers of the event on the desk: whose they may be, the book they are matched with, and where they leave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from mailer.cli.arguments import parsed_address
from mailer.cli.command_line import where
from mailer.errors import UsageError
from mailer.model import Answer, AnswerState, Attendance, Invitation, Reference

if TYPE_CHECKING:
    from mailer.answers.book import Book
    from mailer.answers.standing import Seats, Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger


def invitation_meant(typed: str, desk: Desk, ledger: Ledger) -> Invitation:
    """The invitation of the reference or address. Raises UsageError where there is none, or more than one."""
    event, invitations = desk.event.name, ledger.invitations(desk.event.name)
    # The table of `mailer status` has no room for references.
    look_up = f"Name the address that it went to: see mailer status{where(desk)}"
    if "@" in typed:
        key = parsed_address(typed).key
        found = [one for one in invitations if one.recipient.key == key]
        found = found or [one for one in invitations if any(address.key == key for address in one.cc)]
        if not found:
            raise UsageError(f"No invitation to {event} went to {typed}. {look_up}")
    else:
        try:
            reference = str(Reference.parse(typed))
        except ValueError as exc:
            raise UsageError(f"{exc}. {look_up}") from None
        found = [one for one in invitations if one.reference == reference]
        if not found and (other := ledger.references_elsewhere(event).get(reference)):
            raise UsageError(f"{reference} is a reference of {other}: if that is meant, add --event {quote(other)}.")
        if not found:
            raise UsageError(f"{event} has no invitation {reference}. {look_up}")
    if len(found) > 1:
        told = ", ".join(f"{one.reference} ({one.party.name})" for one in found)
        raise UsageError(f"{typed} has copies of several invitations. Name one by its reference: {told}.")
    return found[0]


def book_of(desk: Desk, ledger: Ledger) -> Book:
    """All invitations of the event, with the names of those whom the sheets still hold."""
    from mailer.answers.book import Book

    event = desk.event.name
    invitations = ledger.invitations(event)
    people = {contact.address.key: contact.name for contact in desk.invitees if contact.name}
    elsewhere, renamed = ledger.references_elsewhere(event), desk.invitees.renamed(invitations, desk.directory)
    return Book.of(invitations, desk.directory, elsewhere=elsewhere, people=people, renamed=renamed)


def turnout_of(desk: Desk, ledger: Ledger, more: Iterable[Answer] = ()) -> Turnout:
    """Where the event stands by the ledger's answers, and `more` that are not in it yet."""
    from mailer.answers.parties import Parties
    from mailer.answers.standing import turnout

    event = desk.event.name
    invitations = ledger.invitations(event)
    reached = {key for key, history in ledger.histories(event).items() if history.last_written}
    answers = (*ledger.answers(event), *more)
    parties = Parties(desk.directory, desk.invitees.renamed(invitations, desk.directory) if answers else {})
    return turnout(invitations, answers, parties, reached, _people(desk, invitations, answers))


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
