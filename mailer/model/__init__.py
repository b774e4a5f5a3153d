"""The nouns of the field as frozen values: parsed once at the border, trusted everywhere after it."""

from mailer.model.address import Address, Mailbox, fold
from mailer.model.answer import Answer, AnswerState, Attendance, Candidate, Invitation
from mailer.model.delivery import AHEAD, GIVEN_UP, Delivery, State
from mailer.model.event import CALENDAR_FILE, Audience, ContactPerson, Event, Mailing, Rsvp
from mailer.model.frozen import frozen
from mailer.model.letter import Envelope, Form, Letter, Reply
from mailer.model.party import Contact, Party, PartyKind, Place, Rule, Standing
from mailer.model.reference import Reference

__all__ = [
    "AHEAD",
    "CALENDAR_FILE",
    "GIVEN_UP",
    "Address",
    "Answer",
    "AnswerState",
    "Attendance",
    "Audience",
    "Candidate",
    "Contact",
    "ContactPerson",
    "Delivery",
    "Envelope",
    "Event",
    "Form",
    "Invitation",
    "Letter",
    "Mailbox",
    "Mailing",
    "Party",
    "PartyKind",
    "Place",
    "Reference",
    "Reply",
    "Rsvp",
    "Rule",
    "Standing",
    "State",
    "fold",
    "frozen",
]
