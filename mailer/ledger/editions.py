"""What an event has said in the mails that went out: one edition for each change of its facts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, insert, select

from mailer.ledger.records import Edition
from mailer.ledger.schema import editions


def editions_of(connection: Connection, event: str) -> list[Edition]:
    """The editions of the event, oldest first."""
    query = select(editions).where(editions.c.event == event).order_by(editions.c.number)
    return [Edition(row.number, json.loads(row.facts), row.at) for row in connection.execute(query)]


def publish(connection: Connection, event: str, facts: Mapping[str, str], now: datetime) -> int:
    """Enters the facts as a new edition if they differ from the latest one; returns the number of the one in force."""
    before = editions_of(connection, event)
    if before and before[-1].facts == facts:
        return before[-1].number
    words = json.dumps(facts, ensure_ascii=False)
    connection.execute(insert(editions).values(event=event, number=len(before), facts=words, at=now))
    return len(before)
