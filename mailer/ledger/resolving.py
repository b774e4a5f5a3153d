"""What a person decides about deliveries that are in doubt or have failed: they were sent, or are sent again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, update

from mailer.ledger.records import ASKED_AT_ONCE, chunks
from mailer.ledger.schema import deliveries
from mailer.ledger.suppression import hold_back
from mailer.model import State


def resolve(
    connection: Connection, delivery_ids: Iterable[int], outcome: Literal[State.SENT, State.QUEUED], now: datetime
) -> int:
    """What `Ledger.resolve` does, within the transaction of the connection, however many deliveries there are."""
    reason = "settled as sent" if outcome is State.SENT else "settled: to be sent again"
    resolves = (State.IN_DOUBT,) if outcome is State.SENT else (State.IN_DOUBT, State.FAILED)
    resolved: set[int] = set()
    for some in chunks(delivery_ids, ASKED_AT_ONCE):
        change = (
            update(deliveries)
            .where(deliveries.c.id.in_(some), deliveries.c.state.in_(resolves))
            .values(state=outcome, reason=reason, updated_at=now, code=None, enhanced_status=None, reply=None)
            .returning(deliveries.c.id)
        )
        resolved.update(connection.scalars(change))
    return len(resolved - hold_back(connection, now))
