"""What an event has said in the mails that went out: one edition for each change of its facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select

from mailer.ledger.records import Edition
from mailer.ledger.schema import attempts, deliveries, editions
from mailer.model import State


def editions_of(connection: Connection, event: str) -> list[Edition]:
    """The editions of the event that somebody has, or may have, read; oldest first."""
    query = select(editions).where(editions.c.event == event).order_by(editions.c.number)
    entered = [Edition(row.number, json.loads(row.facts), row.at) for row in connection.execute(query)]
    # Only the latest can be one of which nothing went out, since `publish` puts the next in its place.
    return entered if not entered or _went_out(connection, event, entered[-1].at) else entered[:-1]


def publish(connection: Connection, event: str, facts: Mapping[str, str], now: datetime) -> int:
    """Enters the facts as a new edition if they differ from the latest that went out; returns the number in force.

    An edition of which nothing went out, as the relay refused the run, gives its place and its number away.
    """
    before = editions_of(connection, event)
    connection.execute(delete(editions).where(editions.c.event == event, editions.c.number >= len(before)))
    if before and before[-1].facts == facts:
        return before[-1].number
    words = json.dumps(facts, ensure_ascii=False)
    connection.execute(insert(editions).values(event=event, number=len(before), facts=words, at=now))
    return len(before)


def first_domain(connection: Connection, event: str) -> str | None:
    """The domain in the Message-ID of the event's first mail that is out, or may be; None before it."""
    told = deliveries.c.state.in_((State.SENT, State.IN_DOUBT, State.BOUNCED))
    query = select(deliveries.c.message_id).where(deliveries.c.event == event, told).order_by(deliveries.c.id).limit(1)
    message_id = connection.scalar(query)
    return None if message_id is None else str(message_id).rpartition("@")[2].rstrip(">")


def _went_out(connection: Connection, event: str, since: datetime) -> bool:
    """Whether the relay has, or may have, accepted a mail of the event that was begun since then."""
    accepted = (
        select(attempts.c.id)
        .join_from(attempts, deliveries)
        .where(deliveries.c.event == event, attempts.c.state.in_((State.SENT, State.IN_DOUBT)))
        # What began since has ended since: said for the index, which is by the end.
        .where(attempts.c.started_at >= since, attempts.c.finished_at >= since)
    )
    return connection.scalar(select(exists(accepted))) is True
