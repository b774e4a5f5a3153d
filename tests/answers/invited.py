"""Invitations, responses and answers that the tests of `answers` share."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import count
from pathlib import Path

from mailer.answers.book import Book
from mailer.answers.parties import Parties
from mailer.answers.response import Response
from mailer.answers.standing import Turnout, turnout
from mailer.model import (
    Address,
    Answer,
    AnswerState,
    Attendance,
    Candidate,
    Invitation,
    Party,
    PartyKind,
    Reference,
    Rule,
)
from mailer.protocol import Directory

EVENT = "round-table"
NOW = datetime(2031, 3, 1, 9, 0, tzinfo=UTC)
DEADLINE = datetime(2031, 3, 7, 22, 59, 59, tzinfo=UTC)
DIRECTORY = Directory.load(Path(__file__).parents[2] / "templates" / "missions.csv")


def hours(number: float) -> datetime:
    return NOW + timedelta(hours=number)


def reference(text: str) -> str:
    """A reference of ours, always the same for the same text."""
    return str(Reference.from_digest(blake2b(text.encode(), digest_size=8).digest()))


def invitation(
    recipient: str,
    party: str,
    *cc: str,
    rule: Rule = Rule.TRANSFERABLE,
    kind: PartyKind = PartyKind.MISSION,
) -> Invitation:
    copies = tuple(map(Address.parse, cc))
    return Invitation(EVENT, Address.parse(recipient), copies, Party(party, kind), rule, reference(recipient))


def response(
    *addresses: str,
    reference: str = "",
    name: str = "",
    party: str = "",
    attendance: Attendance = Attendance.IN_PERSON,
    words: str = "In person",
    at: datetime = NOW,
    row: int = 2,
    guests: int = 0,
    guest_name: str = "",
) -> Response:
    return Response("export.csv", row, reference, name, addresses, party, attendance, words, at, guests, guest_name)


def book(*invitations: Invitation, people: dict[str, str] | None = None, **elsewhere: str) -> Book:
    return Book.of(invitations, DIRECTORY, people=people, elsewhere=elsewhere)


_numbers = count(1)


def answer(
    to: Invitation | None,
    attendance: Attendance = Attendance.IN_PERSON,
    *,
    email: str = "",
    name: str = "",
    at: datetime = NOW,
    state: AnswerState = AnswerState.MATCHED,
    candidates: Iterable[Invitation] = (),
    guests: int = 0,
) -> Answer:
    return Answer(
        id=next(_numbers),
        event=EVENT,
        state=state,
        attendance=attendance,
        respondent_name=name,
        respondent_email=email,
        reference=to.reference if to else None,
        party=to.party.name if to else None,
        matched_by=None,
        reason="for a reason",
        at=at,
        candidates=tuple(Candidate(one.reference, one.party.name, "perhaps") for one in candidates),
        guests=guests,
    )


def stand(
    invitations: Iterable[Invitation],
    *answers: Answer,
    reached: Iterable[str] = (),
    people: dict[str, str] | None = None,
) -> Turnout:
    invitations = list(invitations)
    return turnout(invitations, answers, Parties.of(invitations, DIRECTORY), set(reached), people)
