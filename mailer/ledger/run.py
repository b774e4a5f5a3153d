"""One run: the exclusive right to send, and the exchange of outcomes for new claims in one durable transaction."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor

from mailer.errors import LedgerError, LedgerInUse
from mailer.ledger import traffic
from mailer.ledger.identity import Identity
from mailer.ledger.records import SELECT_DELIVERY, Attempt, cc_of, cc_text, delivery_of, marks, reply_columns
from mailer.ledger.schema import IS_UNSENT, UNSENT, deliveries, moment_of, moment_text, runs, transitions
from mailer.ledger.store import Session, Store, Taken
from mailer.ledger.suppression import NOWHERE, hold_back
from mailer.model import AHEAD, Delivery, State

# The `due_at` of what was never tried: no clock, set back by a person or by itself, is before it.
NO_WAIT = datetime(1970, 1, 1, tzinfo=UTC)

# An outcome's row begins with four values that `attempts` alone wants; both statements want the rest of it.
# Neither takes the words for a delivery of whose addresses one was forgotten while it was on its way.
_NOTE, _REPLY = (
    f"CASE WHEN recipient LIKE '%@{NOWHERE}' OR cc LIKE '%@{NOWHERE}\"%' THEN {nothing} ELSE ? END"
    for nothing in ("''", "NULL")
)
_RECORD = (
    "INSERT INTO attempts (run_id, relay, started_at, transactions, state, note, code, enhanced_status, reply, due_at, "  # noqa: S608 - no value
    f"finished_at, delivery_id) SELECT ?, ?, ?, ?, ?, {_NOTE}, ?, ?, {_REPLY}, ?, ?, id FROM deliveries WHERE id = ?"
)
_CONCLUDE = (
    f"UPDATE deliveries SET attempts = attempts + 1, state = ?, reason = {_NOTE}, code = ?, enhanced_status = ?, "  # noqa: S608 - no value
    f"reply = {_REPLY}, due_at = ?, updated_at = ? WHERE id = ? AND state = 'claimed'"
)
_OWN = 4
_CLAIM = (
    "UPDATE deliveries SET state = 'claimed', reason = '', due_at = NULL, run_id = ?, claimed_at = ?, "
    "date = COALESCE(date, ?), updated_at = ? "
    "WHERE id IN ({}) AND (state = 'queued' OR state = 'deferred' AND (due_at <= ? OR updated_at > ?)) "
    "AND NOT EXISTS (SELECT 1 FROM invitations i JOIN suppressions s ON s.digest = i.digest "
    "WHERE i.id = invitation_id) RETURNING id"
)
_CLAIMED = SELECT_DELIVERY + "WHERE d.id IN ({})"
# A person decides after a doubt or a failure alone.
_TRIED_SINCE = (
    "SELECT delivery_id, MIN(started_at), COUNT(*) FROM attempts a WHERE delivery_id IN ({}) "
    "AND id > (SELECT COALESCE(MAX(id), 0) FROM attempts "
    "WHERE delivery_id = a.delivery_id AND (state = 'in_doubt' OR state = 'failed')) GROUP BY delivery_id"
)
_GIVEN_BACK = "given back: nothing had been sent"
_STOPPED = "The run stopped before it could record an outcome."
_ABANDONED = (
    "SELECT d.id, d.run_id, d.claimed_at, r.relay, d.cc FROM deliveries d JOIN runs r ON r.id = d.run_id "  # noqa: S608 - no value
    f"WHERE d.state = 'claimed' AND d.{IS_UNSENT}"
)


class Run:
    """What the delivery loop holds while it alone may send, over `relay` ("host:port").

    One thread at a time may call it, whichever that is.
    """

    def __init__(
        self, store: Store, session: Session, identity: Identity, number: int, *, relay: str, now: datetime
    ) -> None:
        self._store = store
        self._session = session
        self._identity = identity
        self._latest = now
        self.id = number
        self.relay = relay

    def exchange(self, outcomes: Sequence[Attempt], claim: Sequence[int], now: datetime) -> list[Delivery]:
        """Records outcomes and claims deliveries in one transaction, which is on the disk when this returns.

        Of `claim`, those are taken that are due at `now` (see `Ledger.due`) and not suppressed; they come back in the
        order asked, ready to be sent, with suppressed addresses gone from their Cc. The rest are left out.
        Raises LedgerError, with nothing recorded and nothing claimed, where the ledger cannot be written or an
        outcome is for a delivery that is not claimed. All times are aware.
        """
        self._latest = now
        with self._session() as cursor:
            if outcomes:
                _record(self._store, cursor, [self._row(outcome) for outcome in outcomes])
            return self._claim(cursor, claim, now) if claim else []

    def release(self, claimed: Sequence[int], now: datetime) -> None:
        """Gives back claims for which nothing was begun: deferred without a wait, not counted as an attempt."""
        self._latest = now
        with self._store.engine.begin() as connection:
            connection.execute(
                update(deliveries)
                .where(
                    deliveries.c.id.in_(claimed), deliveries.c.state == State.CLAIMED, deliveries.c.run_id == self.id
                )
                .values(state=State.DEFERRED, reason=_GIVEN_BACK, due_at=NO_WAIT, updated_at=now)
            )

    def pause(self, until: datetime) -> None:
        """Keeps that the relay wants to be left alone until then, for whichever run comes next."""
        with self._store.engine.begin() as connection:
            traffic.pause(connection, self.relay, until)

    def paused_until(self) -> datetime | None:
        """What `pause` kept last, be it over or not."""
        with self._store.reading.connect() as connection:
            return traffic.paused_until(connection, self.relay)

    def _row(self, outcome: Attempt) -> tuple[Any, ...]:
        return (
            self.id,
            outcome.relay,
            moment_text(outcome.started_at),
            outcome.transactions,
            outcome.state.value,
            outcome.note,
            *reply_columns(outcome.reply),
            outcome.due_at and moment_text(outcome.due_at),
            moment_text(outcome.finished_at),
            outcome.delivery_id,
        )

    def _claim(self, cursor: DBAPICursor, wanted: Sequence[int], at: datetime) -> list[Delivery]:
        now, soon = moment_text(at), moment_text(at + AHEAD)
        cursor.execute(self._store.sql(_CLAIM.format(marks(wanted))), (self.id, now, now, now, *wanted, now, soon))
        taken = [number for (number,) in cursor.fetchall()]
        if not taken:
            return []
        cursor.execute(self._store.sql(_CLAIMED.format(marks(taken))), taken)
        rows = {row[0]: row for row in cursor.fetchall()}
        claimed = [delivery_of(rows.pop(number)) for number in wanted if number in rows]
        if again := [one.id for one in claimed if one.attempts]:
            cursor.execute(self._store.sql(_TRIED_SINCE.format(marks(again))), again)
            known = {number: (moment_of(at), tries) for number, at, tries in cursor.fetchall()}
            since = [known.get(one.id, (None, 0)) for one in claimed]
            claimed = [
                replace(one, tried_since=at, tries=tries) for one, (at, tries) in zip(claimed, since, strict=True)
            ]
        return [self._without_suppressed_cc(cursor, one) if one.cc else one for one in claimed]

    def _without_suppressed_cc(self, cursor: DBAPICursor, delivery: Delivery) -> Delivery:
        digests = {self._identity.of(address): address for address in delivery.cc}
        query = f"SELECT digest FROM suppressions WHERE digest IN ({marks(digests)})"  # noqa: S608 - marks alone
        cursor.execute(self._store.sql(query), list(digests))
        gone = {bytes(digest) for (digest,) in cursor.fetchall()}
        # Whoever was forgotten while the delivery was claimed or in doubt has left a placeholder.
        gone |= {digest for digest, address in digests.items() if address.domain == NOWHERE}
        if not gone:
            return delivery
        kept = tuple(address for digest, address in digests.items() if digest not in gone)
        cursor.execute(self._store.sql("UPDATE deliveries SET cc = ? WHERE id = ?"), (cc_text(kept), delivery.id))
        return replace(delivery, cc=kept)

    def _finish(self) -> None:
        _doubt_claims(self._store, self._session, self._latest, "The run ended without recording an outcome.")
        with self._store.engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == self.id).values(finished_at=self._latest))


@contextmanager
def exclusive_run(
    store: Store, identity: Identity, event: str, mailing: str, *, relay: str, now: datetime
) -> Iterator[Run]:
    """The run that `Ledger.run` hands out."""
    with _right_to_send(store) as session:
        require_latest(store)
        number = _enter(store, event, mailing, relay, now)
        run = Run(store, session, identity, number, relay=relay, now=now)
        _doubt_claims(store, session, now, _STOPPED)
        try:
            yield run
        except BaseException:
            # What stopped the loop is what the person must hear; claims left here are found by the next run.
            with suppress(LedgerError):
                run._finish()
            raise
        run._finish()


@contextmanager
def _right_to_send(store: Store) -> Iterator[Session]:
    try:
        with store.exclusive() as session:
            yield session
    except Taken:
        sentence, _ = _who_is_running(store)
        raise LedgerInUse(sentence) from None


def require_no_run(store: Store) -> None:
    """What `Ledger.require_no_run` does. Nobody can be alive but the latest, and the lock tells whether that is."""
    with store.reading.connect() as connection:
        latest = connection.execute(select(runs.c.finished_at).order_by(runs.c.id.desc())).first()
    if latest and not latest.finished_at:
        with _right_to_send(store):
            pass


def sweep(store: Store, now: datetime) -> int:
    """What `Ledger.sweep` does."""
    with store.reading.connect() as connection:
        if connection.scalar(select(exists().where(UNSENT, deliveries.c.state == State.CLAIMED))) is not True:
            return 0
    try:
        with store.exclusive(patient=False) as session:
            require_latest(store)  # its own doubts would make an older copy look as late as what was noted
            return _doubt_claims(store, session, now, _STOPPED)
    except Taken:
        sentence, may_be_alive = _who_is_running(store)
        raise (LedgerInUse if may_be_alive else LedgerError)(sentence) from None


def _doubt_claims(store: Store, session: Session, now: datetime, note: str) -> int:
    """Makes every claim `in_doubt`: nobody alive holds it, and the relay may have taken the message.

    Whoever looks may do so under an earlier `now`, and no doubt is before its claim. Nor can anybody say whether each
    Cc had a transaction of its own, so that they count as if.
    """
    with session() as cursor:
        cursor.execute(_ABANDONED)
        rows = []
        for number, run, claimed_at, relay, cc in cursor.fetchall():
            ended = moment_text(max(now, moment_of(claimed_at)))
            own = (run, relay, claimed_at, 1 + len(cc_of(cc)))
            rows.append((*own, State.IN_DOUBT.value, note, None, None, None, None, ended, number))
        if rows:
            _record(store, cursor, rows)
    return len(rows)


def _record(store: Store, cursor: DBAPICursor, rows: Sequence[tuple[Any, ...]]) -> None:
    cursor.executemany(store.sql(_RECORD), rows)
    cursor.executemany(store.sql(_CONCLUDE), [row[_OWN:] for row in rows])
    if cursor.rowcount != len(rows):
        raise LedgerError("An outcome is not of a delivery that is being sent, so none of its group was recorded.")


def require_latest(store: Store) -> None:
    """Raises LedgerError, with what `older_copy` says, where an older copy is in the ledger's place."""
    if sentence := older_copy(store):
        raise LedgerError(sentence)


def older_copy(store: Store) -> str | None:
    """That an older copy is in the ledger's place, and what to do about it, as a sentence; None where it is not."""
    noted = store.latest_noted()  # before: what is noted is in the ledger already
    with store.reading.connect() as connection:
        known = connection.scalar(select(func.max(transitions.c.id))) or 0
    if noted <= known:
        return None
    return (
        f"{store.place} is an older copy: {noted - known} later claims and outcomes are not in it. Whoever was sent to "
        "since would be written to again: put the latest copy in its place, with its -wal; or, to go on with this "
        "one all the same, delete the .lock file beside it."
    )


def _enter(store: Store, event: str, mailing: str, relay: str, now: datetime) -> int:
    """Enters the run and returns its number; what was suppressed while an earlier one had claimed it is held back."""
    with store.engine.begin() as connection:
        hold_back(connection, now)
        entry = insert(runs).values(
            event=event, mailing=mailing, relay=relay, host=socket.gethostname(), pid=os.getpid(), started_at=now
        )
        number: int = connection.scalars(entry.returning(runs.c.id)).one()
        return number


def _who_is_running(store: Store) -> tuple[str, bool]:
    """Who holds the right to send, in a sentence; and whether that may be somebody alive."""
    with store.reading.connect() as connection:
        row = connection.execute(select(runs).order_by(runs.c.id.desc())).first()
    beginning = "by another run that is just beginning"
    if row is None or row.finished_at:
        return f"{store.place} is in use {beginning}. Wait until it has ended.", True
    process = f"process {row.pid} on {row.host}"
    if _may_be_alive(row.host, row.pid):
        since = f"{row.started_at.astimezone():%d %B %Y, %H:%M:%S %Z}"
        return (
            f"{store.place} is in use: {process} has been sending {row.mailing} of {row.event} since {since}. Wait "
            f"until it has ended, or stop it there.{store.lingers}"
        ), True
    if store.lingers:
        return (
            f"{store.place} is held for {process}, which has ended, until the server notices; or {beginning}. Try "
            "again in two minutes."
        ), False
    return f"{store.place} is in use {beginning}. Wait until it has ended.", True


def _may_be_alive(host: str, pid: int) -> bool:
    """Whether the process may still be there; only the lock tells, and it names nobody."""
    if host != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True
