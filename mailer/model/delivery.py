"""A delivery: one recipient in one mailing of one event."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from mailer.model.address import Address
from mailer.model.frozen import frozen

# What was deferred so much later than now was deferred by a clock that was ahead: its `due_at` tells nothing.
AHEAD = timedelta(hours=1)

# How the note of a deferral begins that has failed, as it was still refused at the give-up time.
GIVEN_UP = "given up"


class State(StrEnum):
    """Where a delivery stands; the allowed transitions are in the ledger's schema."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"

    @property
    def in_words(self) -> str:
        """As people read it: `in doubt`."""
        return self.value.replace("_", " ")


@frozen
class Delivery:
    """One recipient in one mailing of one event. `date` is that of the Date header, fixed when it is first claimed.

    `code`, `enhanced_status` and `reply` are the relay's last words, `note` is what we have to say of the last step,
    `attempts` how many transactions were tried.
    `due_at` is when a deferred one is to be tried again. `tried_since`, which only a claim tells, is the first of those
    attempts since a person last decided on it, and `tries` how many these are; None and 0 where it was not tried since.
    All times are aware, in UTC.
    """

    id: int
    event: str
    mailing: str
    recipient: Address
    cc: tuple[Address, ...]
    party: str
    reference: str
    message_id: str
    state: State
    attempts: int
    updated_at: datetime
    date: datetime | None = None
    due_at: datetime | None = None
    code: int | None = None
    enhanced_status: str | None = None
    reply: str | None = None
    note: str = ""
    tried_since: datetime | None = None
    tries: int = 0

    def waits_until(self, now: datetime) -> datetime | None:
        """`due_at` where that is still to come; None also for a deferral by a clock that was ahead, which is due."""
        if self.due_at is None or self.due_at <= now or self.updated_at > now + AHEAD:
            return None
        return self.due_at
