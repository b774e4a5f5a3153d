"""A delivery: one recipient in one mailing of one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailer.model.address import Address


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recipient in one mailing of one event. `date` is that of the Date header, fixed when it is first claimed.

    `code`, `enhanced_status` and `reply` are the relay's last words, `note` is what we have to say of the last step,
    `attempts` how many transactions were tried.
    `due_at` is when a deferred one is to be tried again. `tried_since`, which only a claim tells, is the first of those
    attempts since a person last decided on it; None where it was not tried since. All times are aware, in UTC.
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
