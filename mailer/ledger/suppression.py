"""Who is not to be written to any more, and how a person is forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, bindparam, delete, exists, select, text, update

from mailer.errors import LedgerError
from mailer.ledger import answers
from mailer.ledger.identity import Identity
from mailer.ledger.records import (
    ASKED_AT_ONCE,
    FORGOTTEN,
    Erasure,
    Suppression,
    address_of,
    cc_of,
    cc_text,
    chunks,
    marks,
)
from mailer.ledger.schema import Moment, attempts, deliveries, invitations, moment_of, suppressions, transitions
from mailer.ledger.store import Store
from mailer.model import Address, State

# The domain under which a forgotten address leaves its place; nothing can be sent there (RFC 2606 section 2).
NOWHERE = "invalid"

_WAITING = (State.QUEUED, State.DEFERRED)
_ENTER = text(
    "INSERT INTO suppressions (digest, reason, at) VALUES (:digest, :reason, :at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=Moment))
_WHY = (
    select(suppressions.c.reason)
    .join_from(suppressions, invitations, invitations.c.digest == suppressions.c.digest)
    .where(invitations.c.id == deliveries.c.invitation_id)
    .scalar_subquery()
)
_HOLD_BACK = (
    update(deliveries)
    .where(
        deliveries.c.invitation_id.in_(
            select(invitations.c.id).where(invitations.c.digest.in_(select(suppressions.c.digest)))
        ),
        deliveries.c.state.in_(_WAITING),
    )
    # What a relay said of an earlier attempt stays with the attempt: it is not why this one waits no more.
    .values(state=State.SUPPRESSED, reason=_WHY, due_at=None, code=None, enhanced_status=None, reply=None)
    .returning(deliveries.c.id)
)


def hold_back(connection: Connection, now: datetime) -> set[int]:
    """Makes `suppressed` what waits to go to a suppressed address; returns the ids of those deliveries."""
    return set(connection.scalars(_HOLD_BACK.values(updated_at=now)))


def suppressed(store: Store, connection: Connection, digests: Iterable[bytes]) -> dict[bytes, Suppression]:
    """Those of the digests whose addresses must not be written to; none is computed where nobody is suppressed."""
    if not connection.scalar(select(exists(suppressions.select()))):
        return {}
    found: dict[bytes, Suppression] = {}
    for some in chunks(digests, ASKED_AT_ONCE):
        query = f"SELECT digest, reason, at FROM suppressions WHERE digest IN ({marks(some)})"  # noqa: S608 - marks alone
        rows = connection.exec_driver_sql(store.sql(query), tuple(some))
        found.update((bytes(digest), Suppression(reason, moment_of(at))) for digest, reason, at in rows)
    return found


def listed(
    connection: Connection, identity: Identity, known: Iterable[Address]
) -> list[tuple[Address | None, Suppression]]:
    """Every suppression, oldest first, with its address where one of `known`, or the ledger, still tells it."""
    rows = connection.execute(select(suppressions).order_by(suppressions.c.at))
    found = {row.digest: Suppression(row.reason, row.at) for row in rows}
    names: dict[bytes, Address] = {}
    for address in chain(known, _recorded(connection)) if found else ():
        if (digest := identity.of(address)) in found:
            names.setdefault(digest, address)
    return [(names.get(digest), one) for digest, one in found.items()]


def _recorded(connection: Connection) -> Iterator[Address]:
    """The addresses in the ledger that may be suppressed: of the invited, of copies, and of those who answered."""
    invited = select(invitations.c.recipient).where(invitations.c.digest.in_(select(suppressions.c.digest)))
    yield from map(address_of, connection.scalars(invited))
    for cc in connection.scalars(select(deliveries.c.cc).where(deliveries.c.cc != "[]").distinct()):
        yield from cc_of(cc)
    yield from answers.respondents(connection)


def suppress(connection: Connection, digest: bytes, reason: str, now: datetime) -> int:
    """Enters the address of the digest, keeping an earlier reason, and holds back what waits for it."""
    connection.execute(_ENTER, {"digest": digest, "reason": reason, "at": now})
    return len(hold_back(connection, now))


def lift(connection: Connection, identity: Identity, address: Address, now: datetime) -> int:
    """Lets the address be written to again, and queues what was held back from it; returns how many deliveries.

    Raises LedgerError where it is not suppressed, and where it was forgotten.
    """
    digest = identity.of(address)
    reason = connection.scalar(select(suppressions.c.reason).where(suppressions.c.digest == digest))
    if reason is None:
        raise LedgerError(f"{address} is not suppressed. Those that are: mailer suppress")
    if reason == FORGOTTEN:
        raise LedgerError(f"{address} was forgotten, which is for good: it is never written to again.")
    connection.execute(delete(suppressions).where(suppressions.c.digest == digest))
    held_back = (
        update(deliveries)
        .where(
            deliveries.c.invitation_id.in_(select(invitations.c.id).where(invitations.c.digest == digest)),
            deliveries.c.state == State.SUPPRESSED,
        )
        .values(state=State.QUEUED, reason="suppression lifted", updated_at=now)
        .returning(deliveries.c.id)
    )
    return len(connection.scalars(held_back).all())


def forget(store: Store, identity: Identity, address: Address, now: datetime) -> Erasure:
    """Erases the address and every word about it; returns in how much it stood.

    What remains is that somebody of the party was invited, what became of it and when, under a placeholder; and the
    keyed digest, so that the address is never written to again. Deliveries whose Cc it was keep the number of copies,
    unless they wait to be sent.
    """
    digest = identity.of(address)
    placeholder = f"forgotten-{digest.hex()}@{NOWHERE}"
    with store.engine.begin() as connection:
        suppress(connection, digest, FORGOTTEN, now)
        connection.execute(update(suppressions).where(suppressions.c.digest == digest).values(reason=FORGOTTEN))
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
        about = own | copied.keys()
        _erase_words(connection, about)
        answered = answers.erase(connection, identity, digest, placeholder)
    store.erase_traces()
    return Erasure(deliveries=len(about), answers=answered)


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
