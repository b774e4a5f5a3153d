"""How deliveries stand: which are due, what each recipient has had, and what was tried for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, select, text

from mailer.ledger.identity import Identity
from mailer.ledger.records import (
    ASKED_AT_ONCE,
    SELECT_DELIVERY,
    STATES,
    Attempt,
    History,
    chunks,
    delivery_of,
    marks,
    reply_of,
)
from mailer.ledger.schema import IS_UNSENT, attempts, moment_of, moment_text, one_of
from mailer.ledger.store import Store
from mailer.model import AHEAD, Address, Delivery, State

# Rows of one page: bounds the memory.
_PAGE = 10_000

# States in which something was, or may have been, taken by the relay.
_WRITTEN = (State.SENT, State.BOUNCED, State.IN_DOUBT)

# The deliveries of an event, or of some recipients of it; SQLite takes the tables of a cross join in this order.
_OF_EVENT = "deliveries d WHERE d.event = ?"
_OF_RECIPIENTS = (
    "invitations i CROSS JOIN deliveries d WHERE d.invitation_id = i.id AND i.event = ? AND i.digest IN ({})"
)
_HISTORY = "SELECT d.recipient, d.mailing, d.state, d.claimed_at FROM {}"
_DUE = (
    f"SELECT d.id, d.recipient FROM {{}} AND d.mailing = ? AND d.state IN ('queued', 'deferred') AND d.{IS_UNSENT} "  # noqa: S608 - no value
    "AND (d.state = 'queued' OR d.due_at <= ? OR d.updated_at > ?)"
)
# All of each mailing, and what of it is not sent: two indexes alone, and no row is visited.
_COUNTS = text(
    "SELECT mailing, 'sent', COUNT(*) FROM deliveries WHERE event = :event GROUP BY mailing UNION ALL "  # noqa: S608 - states
    f"SELECT mailing, state, COUNT(*) FROM deliveries WHERE event = :event AND {IS_UNSENT} "
    f"AND ({one_of('state', tuple(set(State) - {State.SENT}))}) GROUP BY state, mailing"
)


def due(
    store: Store, identity: Identity, event: str, mailing: str, *, now: datetime, among: Iterable[Address] | None
) -> dict[str, int]:
    """What `Ledger.due` returns."""
    times = moment_text(now), moment_text(now + AHEAD)
    waiting = sorted(_rows(store, identity, _DUE, event, among, mailing, *times), key=itemgetter(0))
    return {recipient.casefold(): number for number, recipient in waiting}


def histories(store: Store, identity: Identity, event: str, among: Iterable[Address] | None) -> dict[str, History]:
    """What `Ledger.histories` returns."""
    states: dict[str, dict[str, State]] = {}
    written: dict[str, Any] = {}
    for recipient, mailing, word, at in _rows(store, identity, _HISTORY, event, among):
        key = recipient.casefold()
        state = STATES[word]
        states.setdefault(key, {})[mailing] = state
        # Times are compared as the driver returns them, since most are never looked at.
        if state in _WRITTEN and (key not in written or written[key] < at):
            written[key] = at
    return {key: History(own, moment_of(written[key]) if key in written else None) for key, own in states.items()}


def deliveries_of(store: Store, event: str, mailing: str | None, state: State | None) -> Iterator[Delivery]:
    """What `Ledger.deliveries` returns."""
    conditions = ["d.event = :event", "d.id > :last"]
    if mailing is not None:
        conditions.append("d.mailing = :mailing")
    if state is not None:
        conditions.append("d.state = :state")
    if state not in {None, State.SENT}:
        conditions.append(f"d.{IS_UNSENT}")
    page_after = text(f"{SELECT_DELIVERY} WHERE {' AND '.join(conditions)} ORDER BY d.id LIMIT {_PAGE}")
    last = 0
    while True:
        place = {"event": event, "mailing": mailing, "state": state, "last": last}
        with store.reading.connect() as connection:
            page = connection.execute(page_after, place).all()
        yield from map(delivery_of, page)
        if len(page) < _PAGE:
            return
        last = page[-1].id


def counts(connection: Connection, event: str) -> dict[str, dict[State, int]]:
    """What `Ledger.counts` returns."""
    tallies: dict[str, Counter[State]] = {}
    for mailing, state, number in connection.execute(_COUNTS, {"event": event}):
        # What is sent is what is left of all.
        tallies.setdefault(mailing, Counter()).update({STATES[state]: number})
        if state != State.SENT:
            tallies[mailing][State.SENT] -= number
    return {mailing: dict(+tallies[mailing]) for mailing in sorted(tallies)}


def attempts_for(connection: Connection, delivery_id: int) -> list[Attempt]:
    """What `Ledger.attempts` returns."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.id)
    return [
        Attempt(
            delivery_id=row.delivery_id,
            state=STATES[row.state],
            started_at=row.started_at,
            finished_at=row.finished_at,
            relay=row.relay,
            reply=reply_of(row.code, row.enhanced_status, row.reply),
            note=row.note,
            due_at=row.due_at,
            transactions=row.transactions,
        )
        for row in connection.execute(query)
    ]


def _rows(
    store: Store, identity: Identity, query: str, event: str, among: Iterable[Address] | None, *values: str
) -> Iterator[Row[*tuple[Any, ...]]]:
    """What the query says of the deliveries of the event, or of each chunk of `among` in turn."""
    if among is None:
        yield from _ask(store, query.format(_OF_EVENT), event, *values)
        return
    for chunk in chunks(among, ASKED_AT_ONCE):
        digests = map(identity.of, chunk)
        yield from _ask(store, query.format(_OF_RECIPIENTS.format(marks(chunk))), event, *digests, *values)


def _ask(store: Store, query: str, *values: str | bytes) -> Sequence[Row[*tuple[Any, ...]]]:
    with store.reading.connect() as connection:
        return connection.exec_driver_sql(store.sql(query), values).all()
