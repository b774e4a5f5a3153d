"""Scores of a rule on the labelled cases: who answered and is reminded all the same, who is silent and is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.answers.book import Book
from mailer.answers.intake import judge
from mailer.answers.standing import turnout
from mailer.audience import Record, Rules
from mailer.model import (
    Address,
    Answer,
    Audience,
    Contact,
    ContactPerson,
    Event,
    Invitation,
    Mailing,
    Place,
    Rsvp,
    State,
)
from tests.answers.cases import OTHER_EVENT, Case
from tests.answers.invited import DEADLINE, DIRECTORY, EVENT

ZONE = ZoneInfo("Europe/Zurich")
INVITATION = Mailing("invitation", "invitation", Audience.CONTACTS)
REMINDER = Mailing("reminder", "reminder", Audience.UNANSWERED, before_deadline=(7, 2))
ROUND_TABLE = Event(
    name=EVENT,
    folder=Path("templates/round-table"),
    title="Round table",
    starts=DEADLINE + timedelta(6),
    ends=DEADLINE + timedelta(7),
    timezone=ZONE,
    source="",
    rsvp=Rsvp("https://rsvp.example.org/?ref={reference}", DEADLINE),
    contact_person=ContactPerson("Dana Demo", "", Address("dana", "events.example.org")),
    mailings={"invitation": INVITATION, "reminder": REMINDER},
)
DUE = DEADLINE - timedelta(2)

# Recipient keys that a rule leaves alone.
Rule = Callable[[Sequence[Case]], set[str]]


@dataclass(frozen=True)
class Score:
    """How many of the recipients who answered would be reminded, and how many of the silent would not, by family."""

    answered: int
    silent: int
    pestered: Counter[str]
    passed_over: Counter[str]

    @property
    def silent_reminded(self) -> float:
        return 1 - self.passed_over.total() / self.silent

    def __str__(self) -> str:
        return (
            f"{self.pestered.total()} of {self.answered} who answered are reminded ({dict(self.pestered)}); "
            f"{self.silent_reminded:.1%} of {self.silent} silent are ({dict(self.passed_over)} are not)"
        )


def score(rule: Rule, cases: Sequence[Case]) -> Score:
    alone = rule(cases)
    pestered, passed_over = Counter[str](), Counter[str]()
    answered = silent = 0
    for case in cases:
        for key in (one.recipient.key for one in case.invitations):
            if key in case.answered:
                answered += 1
                pestered[case.family] += key not in alone
            else:
                silent += 1
                passed_over[case.family] += key in alone
    return Score(answered, silent, +pestered, +passed_over)


def ours(cases: Sequence[Case]) -> set[str]:
    """Those whom the audience rules keep from a reminder that is due, once all answers came in as from one file."""
    invitations = [one for case in cases for one in case.invitations]
    people = {key: name for case in cases for key, name in case.people.items()}
    book = Book.of(invitations, DIRECTORY, elsewhere={OTHER_EVENT: "another-event"}, people=people)
    responses = [one for case in cases for one in case.responses]
    answers = [answer for _, answer in judge(responses, book, (), event=EVENT, deadline=DEADLINE)]
    found = turnout(invitations, _numbered(answers), book.parties)

    def is_left_alone(one: Invitation) -> bool:
        key = one.recipient.key
        contact = Contact(Place("missions.xlsx", None, 2), one.party, one.recipient, rule=one.rule)
        sent = Record({"invitation": State.SENT}, answer=found.answered.get(key), held=found.held.get(key))
        return Rules(REMINDER, ROUND_TABLE, DUE).why_not(contact, sent) is not None

    return {one.recipient.key for one in invitations if is_left_alone(one)}


def _numbered(answers: Sequence[Answer]) -> list[Answer]:
    return [replace(answer, id=number) for number, answer in enumerate(answers, start=1)]


def address_or_link(cases: Sequence[Case]) -> set[str]:
    """The rule of others: the link's own reference, in any case, or the address that was written to."""
    said = {text.casefold() for case in cases for one in case.responses for text in (one.reference, *one.addresses)}
    invitations = [one for case in cases for one in case.invitations]
    return {one.recipient.key for one in invitations if {one.reference.casefold(), one.recipient.key} & said}
