"""What has gone over the relays, and when they want nothing: for the rolling windows of the pace, and the forecast."""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select

from mailer.ledger.records import cc_of, cc_text
from mailer.ledger.schema import attempts, deliveries, meta, moment_of, moment_text
from mailer.model import AHEAD, State

# Begins the names in `meta` under which messages are counted that are no deliveries; the moment follows.
_BESIDES = "besides "
# And the names of pauses; the relay follows.
_PAUSE = "pause_until "

# So many transactions tell how fast a relay is, found among so many of all relays.
_LATELY, _NOT_LONG_AGO = 200, 10_000
_LATEST_FIRST = attempts.c.id.desc()


def reached_relay_since(connection: Connection, moment: datetime, now: datetime) -> list[tuple[datetime, int]]:
    """What `Ledger.reached_relay_since` returns."""
    query = (
        select(attempts.c.finished_at, attempts.c.transactions, deliveries.c.cc)
        .join_from(attempts, deliveries)
        .where(attempts.c.finished_at > moment)
        .where(attempts.c.transactions > 0)
    )
    found: list[tuple[datetime, int]] = []
    for at, transactions, cc in connection.execute(query):
        # What did not go together with the rest went one by one.
        alone = transactions - 1
        found += [(at, max(1, 1 + len(cc_of(cc)) - alone)), *[(at, 1)] * alone]
    names = connection.scalars(select(meta.c.name).where(meta.c.name.startswith(_BESIDES)))
    besides = [moment_of(name.split()[1]) for name in names]
    return sorted([*found, *((at, 1) for at in besides if moment < at <= now + AHEAD)])


def count_besides(connection: Connection, at: datetime, instead_of: str) -> str:
    """What `Ledger.count_besides` does."""
    name = f"{_BESIDES}{moment_text(at)} {token_hex(4)}"
    connection.execute(delete(meta).where(meta.c.name == instead_of))
    connection.execute(insert(meta).values(name=name, value=""))
    return name


def pause(connection: Connection, relay: str, until: datetime) -> None:
    """What `Run.pause` does."""
    connection.execute(delete(meta).where(meta.c.name == _PAUSE + relay))
    connection.execute(insert(meta).values(name=_PAUSE + relay, value=moment_text(until)))


def paused_until(connection: Connection, relay: str) -> datetime | None:
    """What `Ledger.paused_until` returns."""
    until = connection.scalar(select(meta.c.value).where(meta.c.name == _PAUSE + relay))
    return moment_of(until) if until else None


def seconds_each(connection: Connection, relay: str) -> float | None:
    """What `Ledger.seconds_each` returns."""
    query = select(attempts.c.started_at, attempts.c.finished_at).where(_sent_lately(relay)).order_by(_LATEST_FIRST)
    took = [(finished - started).total_seconds() for started, finished in connection.execute(query.limit(_LATELY))]
    return sum(took) / len(took) if took else None


def taken_apart(connection: Connection, relay: str) -> tuple[int, int] | None:
    """What `Ledger.taken_apart` returns."""
    query = (
        select(deliveries.c.cc, attempts.c.transactions)
        .join_from(attempts, deliveries)
        .where(_sent_lately(relay), deliveries.c.cc != cc_text(()))
        .order_by(_LATEST_FIRST)
    )
    latest = connection.execute(query.limit(1)).first()
    return (1 + len(cc_of(latest.cc)), latest.transactions) if latest and latest.transactions > 1 else None


def _sent_lately(relay: str) -> ColumnElement[bool]:
    last = select(func.max(attempts.c.id)).scalar_subquery()
    return and_(attempts.c.id > last - _NOT_LONG_AGO, attempts.c.relay == relay, attempts.c.state == State.SENT)
