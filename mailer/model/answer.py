"""An invitation and the answers to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.model.address import Address
from mailer.model.party import Party, Rule


class Attendance(StrEnum):
    """What an answer says: `attending` is a yes that does not say how, `waiting` is listed, `review` is unclear."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    ATTENDING = "attending"
    REGRETS = "regrets"
    WAITING = "waiting"
    REVIEW = "review"

    @property
    def in_words(self) -> str:
        """As people read it: `in person`."""
        return self.value.replace("_", " ")


class AnswerState(StrEnum):
    """How sure it is whose answer this is; `suggested` and `review` wait for a person, who may reject it."""

    MATCHED = "matched"
    SUGGESTED = "suggested"
    REVIEW = "review"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the ledger holds of one invitation, whatever mailings have carried it."""

    event: str
    recipient: Address
    cc: tuple[Address, ...]
    party: Party
    rule: Rule
    reference: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invitation that an answer may belong to, and why."""

    reference: str
    party: str
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One respondent's answer, and the invitation it was matched to (`reference`, `party`), if it was.

    `matched_by` names the evidence ("reference", "address", "cc", "domain", "name", "person"), `reason` says it in
    words. `file` and `row` tell where it came from, None for one that was recorded by hand. `at` is when the
    respondent answered; `late` that this was after the deadline. `guests` come besides the respondent in the same way;
    `guest_name` is what was said of them, which may be nothing.
    """

    id: int
    event: str
    state: AnswerState
    attendance: Attendance
    respondent_name: str
    respondent_email: str
    reference: str | None
    party: str | None
    matched_by: str | None
    reason: str
    at: datetime
    late: bool = False
    candidates: tuple[Candidate, ...] = ()
    file: str | None = None
    row: int | None = None
    guests: int = 0
    guest_name: str = ""
