"""Who is not to be written to any more, and how a person is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select, text, update

from mailer.ledger import answers
from mailer.ledger.identity import Identity
from mailer.ledger.records import ASKED_AT_ONCE, address_of, cc_of, cc_text, chunks, marks
from mailer.ledger.schema import Moment, attempts, deliveries, invitations, suppressions, transitions
from mailer.ledger.store import Store
from mailer.model import Address, State

# The domain under which a forgotten address leaves its place; nothing can be sent there (RFC 2606 section 2).
NOWHERE = "invalid"

_WAITING = (State.QUEUED, State.DEFERRED)
_ENTER = text(
    "INSERT INTO suppressions (digest, reason, at) VALUES (:digest, :reason, :at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=Moment))
_HOLD_BACK = (
    update(deliveries)
    .where(
        deliveries.c.invitation_id.in_(
            select(invitations.c.id).where(invitations.c.digest.in_(select(suppressions.c.digest)))
        ),
        deliveries.c.state.in_(_WAITING),
    )
    .returning(deliveries.c.id)
)


def hold_back(connection: Connection, now: datetime) -> int:
    """Makes `suppressed` what waits to go to a suppressed address; returns how many deliveries that were."""
    values = {"state": State.SUPPRESSED, "reason": "suppressed", "due_at": None, "updated_at": now}
    return len(connection.execute(_HOLD_BACK.values(values)).all())


def suppressed(store: Store, connection: Connection, digests: Iterable[bytes]) -> set[bytes]:
    """Those of the digests whose addresses must not be written to; none is computed where nobody is suppressed."""
    if not connection.scalar(select(exists(suppressions.select()))):
        return set()
    found: set[bytes] = set()
    for some in chunks(digests, ASKED_AT_ONCE):
        query = f"SELECT digest FROM suppressions WHERE digest IN ({marks(some)})"  # noqa: S608 - marks alone
        found.update(connection.exec_driver_sql(store.sql(query), tuple(some)).scalars())
    return found


def suppress(connection: Connection, digest: bytes, reason: str, now: datetime) -> int:
    """Enters the address of the digest, keeping an earlier reason, and holds back what waits for it."""
    connection.execute(_ENTER, {"digest": digest, "reason": reason, "at": now})
    return hold_back(connection, now)


def forget(store: Store, identity: Identity, address: Address, now: datetime) -> int:
    """Erases the address and every word about it; returns how many deliveries it had.

    What remains is that somebody of the party was invited, what became of it and when, under a placeholder; and the
    keyed digest, so that the address is never written to again. Deliveries whose Cc it was keep the number of copies,
    unless they wait to be sent.
    """
    digest = identity.of(address)
    placeholder = f"forgotten-{digest.hex()}@{NOWHERE}"
    with store.engine.begin() as connection:
        suppress(connection, digest, "forgotten", now)
        connection.execute(update(suppressions).where(suppressions.c.digest == digest).values(reason="forgotten"))
        connection.execute(update(invitations).where(invitations.c.digest == digest).values(recipient=placeholder))
        own = set(
            connection.scalars(
                update(deliveries)
                .where(deliveries.c.invitation_id == invitations.c.id, invitations.c.digest == digest)
                .values(recipient=placeholder)
                .returning(deliveries.c.id)
            )
        )
        copied = _copies(connection, identity, digest)
        for number, (state, cc) in copied.items():
            stand_in = () if state in _WAITING else (address_of(placeholder),)
            kept = [left for one in cc for left in (stand_in if identity.of(one) == digest else (one,))]
            connection.execute(update(deliveries).where(deliveries.c.id == number).values(cc=cc_text(kept)))
        _erase_words(connection, own | copied.keys())
        answers.erase(connection, identity, digest, placeholder)
    store.erase_traces()
    return len(own)


def _copies(connection: Connection, identity: Identity, digest: bytes) -> dict[int, tuple[str, tuple[Address, ...]]]:
    """State and Cc of each delivery that has the address of the digest in its Cc."""
    rows = connection.execute(
        select(deliveries.c.id, deliveries.c.state, deliveries.c.cc).where(deliveries.c.cc != "[]")
    )
    lists = {row.id: (row.state, cc_of(row.cc)) for row in rows}
    return {number: one for number, one in lists.items() if any(identity.of(copy) == digest for copy in one[1])}


def _erase_words(connection: Connection, numbers: set[int]) -> None:
    """Takes away what the relay and people said about these deliveries, which often repeats the address."""
    for number in numbers:
        connection.execute(update(deliveries).where(deliveries.c.id == number).values(reply=None, reason=""))
        connection.execute(update(attempts).where(attempts.c.delivery_id == number).values(reply=None, note=""))
        connection.execute(update(transitions).where(transitions.c.delivery_id == number).values(reason=""))
