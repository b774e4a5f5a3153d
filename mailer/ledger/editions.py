"""What an event has said in the mails that went out: one edition for each change of its facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select

from mailer.ledger.records import Edition
from mailer.ledger.schema import attempts, deliveries, editions
from mailer.model import State


def editions_of(connection: Connection, event: str) -> list[Edition]:
    """The editions of the event that somebody has, or may have, read; oldest first.

    What was only added to the facts, or taken from them, changes none: it belongs to the edition in force.
    """
    return _changes(_entered(connection, event))


def publish(connection: Connection, event: str, facts: Mapping[str, str], now: datetime) -> int:
    """Enters the facts if they differ from the latest that went out; returns the number of the edition in force.

    An entry of which nothing went out, as the relay refused the run, gives its place and its number away.
    """
    entered = _entered(connection, event)
    connection.execute(delete(editions).where(editions.c.event == event, editions.c.number >= len(entered)))
    if not entered or entered[-1].facts != facts:
        words = json.dumps(facts, ensure_ascii=False)
        connection.execute(insert(editions).values(event=event, number=len(entered), facts=words, at=now))
        entered.append(Edition(len(entered), facts, now))
    return _changes(entered)[-1].number


def _entered(connection: Connection, event: str) -> list[Edition]:
    """What has been entered, each under its own number, and has gone out."""
    query = select(editions).where(editions.c.event == event).order_by(editions.c.number)
    entered = [Edition(row.number, json.loads(row.facts), row.at) for row in connection.execute(query)]
    # Only the latest can be one of which nothing went out, since `publish` puts the next in its place.
    return entered if not entered or _went_out(connection, event, entered[-1].at) else entered[:-1]


def _changes(entered: Iterable[Edition]) -> list[Edition]:
    changes: list[Edition] = []
    for entry in entered:
        if changes and not changes[-1].changed(entry.facts):
            changes[-1] = replace(changes[-1], facts={**changes[-1].facts, **entry.facts})
        else:
            changes.append(replace(entry, number=len(changes)))
    return changes


def first_domain(connection: Connection, event: str) -> str | None:
    """The domain in the Message-ID of the event's first mail, be it sent or not; None before one was queued."""
    query = select(deliveries.c.message_id).where(deliveries.c.event == event).order_by(deliveries.c.id).limit(1)
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
