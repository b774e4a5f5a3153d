"""The ledger as the rest of mailer sees it: one object per database, safe to use from any thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection, bindparam, delete, insert, select, text

from mailer.errors import LedgerError
from mailer.ledger import answers as answering
from mailer.ledger import deliveries as delivering
from mailer.ledger import editions as publishing
from mailer.ledger import resolving, suppression, traffic, versions
from mailer.ledger.identity import Identity
from mailer.ledger.invitations import Intake
from mailer.ledger.records import Attempt, Edition, Erasure, History, Invitee, Suppression
from mailer.ledger.run import Run, exclusive_run, older_copy, require_latest, require_no_run, sweep
from mailer.ledger.schema import Decision, invitations, meta
from mailer.ledger.store import Store, open_store
from mailer.model import Address, Answer, Attendance, Delivery, Invitation, State

# Rows of these three are never taken away. Answers are counted, since where several take them in at once, one with a
# lower id may come to light after one with a higher; invitations, which may be a million, are made by one at a time.
_STAMP = text(
    "SELECT (SELECT COUNT(*) FROM answers), (SELECT COUNT(*) FROM decisions), "
    "(SELECT COALESCE(MAX(id), 0) FROM invitations)"
)


class Ledger:
    """The only memory: who is invited, who was written to, what the relay answered, and what the invited did.

    Every method is one transaction, or several that may each stand alone, and may be called from any thread; only a
    `Run` belongs to one thread at a time. Each takes the moment it happens as an aware datetime, and raises
    LedgerError, with nothing half done, where the database cannot be read or written.
    """

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store = store
        self._identity = Identity(secret)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """The ledger at `url` (`sqlite:///ledger.db`, relative to the working directory; `sqlite://` in memory).

        A missing one is made, unless `create` is false; an older one is migrated. Raises LedgerError where there is
        none, where it is newer than this program, and where it cannot be used.
        """
        store = open_store(url)
        try:
            versions.bring_up_to_date(store, create=create)
            secret = versions.secret_of(store)
        except BaseException:
            store.close()
            raise
        return cls(store, secret)

    @staticmethod
    def exists(url: str) -> bool:
        """Whether there are tables where `url` says. Only `open` tells if they are a ledger's.

        Raises LedgerError where the URL names no ledger, or its database cannot be asked.
        """
        store = open_store(url)
        try:
            return store.exists()
        finally:
            store.close()

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- names ---

    def message_id(self, event: str, mailing: str, address: Address, domain: str) -> str:
        """The Message-ID of one delivery, `<digest@domain>`: always the same, and telling nothing."""
        return self._identity.message_id(event, mailing, address, domain)

    def reference_of(self, event: str, address: Address) -> str:
        """The reference (`7KQ4M-P2XDA`) of the address in the event: the one it has, or the one it would get."""
        mine = select(invitations.c.reference).where(
            invitations.c.event == event, invitations.c.digest == self._identity.of(address)
        )
        with self._store.reading.connect() as connection:
            if own := connection.scalar(mine):
                return str(own)
            turns = (self._identity.reference(event, address, turn) for turn in count())
            taken = select(invitations.c.id).where(invitations.c.reference == bindparam("reference"))
            return next(free for free in turns if connection.scalar(taken, {"reference": free}) is None)

    # --- before sending ---

    def enqueue(
        self,
        event: str,
        mailing: str,
        invitees: Iterable[Invitee],
        *,
        domain: str,
        now: datetime,
        invites: bool = False,
    ) -> int:
        """Queues the invitees who are not in the mailing yet, in one transaction; returns how many that were.

        An invitation is made where there is none; a second call does nothing, and makes good one that was interrupted.
        What the invitees say now replaces the Cc of a delivery until the first attempt for it, and party and rule of
        an invitation until the first attempt for any of its deliveries; from then on they stay as they were attempted,
        except that a Cc whom the invitees no longer name gets no copy of what is still to be sent. A mailing that
        `invites` tells party and rule anew: they stay from the first attempt for it on. Suppressed addresses
        are entered as `suppressed` and not counted, and left out of every Cc. `domain` is the right-hand side of the
        Message-IDs.
        """
        return Intake(self._store, self._identity, event, mailing, domain, now, invites).enqueue(invitees)

    def due(self, event: str, mailing: str, now: datetime, among: Iterable[Address] | None = None) -> dict[str, int]:
        """What may be claimed at `now`: recipient key -> delivery, in the order queued; of `among` only, if given.

        A deferral by a clock that was `AHEAD` of `now` is due.
        """
        return delivering.due(self._store, self._identity, event, mailing, now=now, among=among)

    def run(self, event: str, mailing: str, now: datetime, *, relay: str) -> AbstractContextManager[Run]:
        """The exclusive right to send, for the length of a `with`; `relay` is "host:port".

        Claims that a dead run left behind become `in_doubt` first. The right ends with the process in whatever way
        that ends. A claim still held when the `with` is left becomes `in_doubt` as well, since nobody can say how far
        it got: give back with `Run.release` what was not begun. Raises LedgerInUse, saying who is sending and since
        when, where another run is alive.
        """
        return exclusive_run(self._store, self._identity, event, mailing, relay=relay, now=now)

    def require_no_run(self) -> None:
        """Raises LedgerInUse, as `run` would at this moment, where another run is alive."""
        require_no_run(self._store)

    def sweep(self, now: datetime, *, quietly: bool = True) -> int:
        """Makes the claims that a dead run left behind `in_doubt`, of all events; returns how many that were.

        While a run may be alive it raises LedgerInUse, and where they cannot be settled for another reason LedgerError;
        `quietly` it does nothing then, so that it can be called before anything is looked at: whoever looks next will.
        """
        try:
            return sweep(self._store, now)
        except LedgerError:
            if not quietly:
                raise
            return 0

    # --- queries ---

    def deliveries(self, event: str, mailing: str | None = None, state: State | None = None) -> Iterator[Delivery]:
        """Deliveries in the order queued. They are read in pages, so that a long report keeps nobody from writing."""
        return delivering.deliveries_of(self._store, event, mailing, state)

    def attempts(self, delivery_id: int) -> list[Attempt]:
        """What was tried for one delivery, oldest first."""
        with self._store.reading.connect() as connection:
            return delivering.attempts_for(connection, delivery_id)

    def histories(self, event: str, among: Iterable[Address] | None = None) -> dict[str, History]:
        """What each recipient has had of the event, by recipient key; of `among` only, if given."""
        return delivering.histories(self._store, self._identity, event, among)

    def counts(self, event: str) -> dict[str, dict[State, int]]:
        """How many deliveries of each mailing stand in each state; mailings in the order of their names."""
        with self._store.reading.connect() as connection:
            return delivering.counts(connection, event)

    def reached_relay_since(self, moment: datetime, now: datetime) -> list[tuple[datetime, int]]:
        """When each transaction after `moment` ended that the relay has, or may have, counted; and its recipients.

        That is every one of all events that was begun, or may have been, and what `count_besides` counted; oldest
        first: what a rolling window needs. What was counted besides by a clock that was `AHEAD` of `now` is left out.
        """
        with self._store.reading.connect() as connection:
            return traffic.reached_relay_since(connection, moment, now)

    def count_besides(self, at: datetime, *, instead_of: str = "") -> str:
        """Counts a message that is no delivery, to one recipient, among what reached the relay.

        Returns the name of this, `instead_of` which it may be counted anew at a later moment.
        """
        with self._store.engine.begin() as connection:
            return traffic.count_besides(connection, at, instead_of)

    def paused_until(self, relay: str) -> datetime | None:
        """The end of the pause that the relay ("host:port") asked for last, be it over or not; None if none."""
        with self._store.reading.connect() as connection:
            return traffic.paused_until(connection, relay)

    def seconds_each(self, relay: str) -> float | None:
        """What a transaction over the relay ("host:port") took lately, in seconds; None where none is known."""
        with self._store.reading.connect() as connection:
            return traffic.seconds_each(connection, relay)

    def taken_apart(self, relay: str) -> tuple[int, int] | None:
        """The recipients and transactions of the last message with Cc that went over the relay ("host:port").

        None where it went in one transaction, and where none is known.
        """
        with self._store.reading.connect() as connection:
            return traffic.taken_apart(connection, relay)

    def edition(self, event: str) -> Edition | None:
        """What the event said in the mails that went out last, or may have; None before the first."""
        return next(reversed(self.editions(event)), None)

    def editions(self, event: str) -> list[Edition]:
        """What the event has said in turn since its first mails went out, oldest first."""
        with self._store.reading.connect() as connection:
            return publishing.editions_of(connection, event)

    def first_domain(self, event: str) -> str | None:
        """The domain of the sender when the event's first mails were queued, whatever it is now; None before."""
        with self._store.reading.connect() as connection:
            return publishing.first_domain(connection, event)

    def publish(self, event: str, facts: Mapping[str, str], now: datetime) -> int:
        """Remembers that mails with these facts go out; returns their edition's number, a new one if they changed.

        An edition counts, and keeps its number, once a mail that was sent since is out, or may be.
        """
        with self._store.engine.begin() as connection:
            return publishing.publish(connection, event, facts, now)

    def suppressed(self, addresses: Iterable[Address]) -> dict[str, Suppression]:
        """Those addresses that must not be written to, by their keys."""
        named = list(addresses)
        with self._store.reading.connect() as connection:
            found = suppression.suppressed(self._store, connection, map(self._identity.of, named))
        digests = ((address.key, self._identity.of(address)) for address in named if found)
        return {key: found[digest] for key, digest in digests if digest in found}

    def suppressions(self, known: Iterable[Address]) -> list[tuple[Address | None, Suppression]]:
        """Every suppression, oldest first, with its address where one of `known`, or the ledger, still tells it.

        A suppression keeps a keyed digest alone. `known` is not looked at where nobody is suppressed.
        """
        with self._store.reading.connect() as connection:
            return suppression.listed(connection, self._identity, known)

    # --- answers ---

    def invitations(self, event: str) -> list[Invitation]:
        """The invitations of the event, whatever mailings have carried them, in the order in which they were made."""
        with self._store.reading.connect() as connection:
            return answering.invitations_of(connection, event)

    def references_elsewhere(self, event: str) -> dict[str, str]:
        """The references of all other events, each with its event."""
        query = select(invitations.c.reference, invitations.c.event).where(invitations.c.event != event)
        with self._store.reading.connect() as connection:
            return {row.reference: row.event for row in connection.execute(query)}

    def answers(self, event: str) -> list[Answer]:
        """The answers of the event in the order taken in, as people have settled them; replaced ones too."""
        with self._store.reading.connect() as connection:
            return answering.answers_of(connection, event)

    def stamp(self) -> tuple[int, int, int]:
        """Numbers that change whenever an answer comes in, a person decides upon one, or somebody is invited."""
        with self._store.reading.connect() as connection:
            answered, decided, invited = connection.execute(_STAMP).one()
        return answered, decided, invited

    def recorded(self, event: str, fingerprints: Iterable[str]) -> dict[str, int]:
        """Those of the fingerprints under which an answer of the event was taken in, each with the answer's id."""
        with self._store.reading.connect() as connection:
            return answering.known(connection, self._identity, event, fingerprints)

    def record_answers(self, event: str, found: Mapping[str, Answer], now: datetime) -> list[int]:
        """Takes in those answers of the event whose fingerprints it does not know; returns their ids.

        The fingerprint tells one answer from all others; only a keyed digest of it is kept. What stands, and what
        people decided about it, stays as it is, so that the same file may come in again, or grown.
        """
        with self._deciding() as connection:
            return answering.take_in(connection, self._identity, event, found, now)

    def settle_answer(
        self,
        event: str,
        number: int,
        decision: Decision,
        now: datetime,
        *,
        reference: str | None = None,
        attendance: Attendance | None = None,
    ) -> bool:
        """Accepts an answer for the invitation of `reference`, rejects it, or undoes the last decision about it.

        `attendance` says what an answer means that is not clear by itself. Decisions are appended, never changed.
        Returns whether it made a difference. Raises LedgerError where the event has no such answer or invitation.
        """
        with self._deciding() as connection:
            return answering.settle(
                connection, event, number, decision, now, reference=reference, attendance=attendance
            )

    # --- decisions by a person ---

    def resolve(self, delivery_ids: Sequence[int], outcome: Literal[State.SENT, State.QUEUED], now: datetime) -> int:
        """Ends the doubt about deliveries: they were sent, or are to be sent again with the same Message-ID and Date.

        Those that failed may be sent again too. Passes over all others; returns how many have the outcome. One whose
        address has been suppressed in the meantime is not sent again, and not counted.
        """
        with self._deciding() as connection:
            return resolving.resolve(connection, delivery_ids, outcome, now)

    def suppress(self, address: Address, reason: str, now: datetime) -> int:
        """Writes to the address no more, in any event; returns how many deliveries that stops. A first reason stays."""
        with self._deciding() as connection:
            return suppression.suppress(connection, self._identity.of(address), reason, now)

    def lift(self, address: Address, now: datetime) -> int:
        """Takes a suppression back; returns how many deliveries are queued that it had stopped.

        Raises LedgerError where the address is not suppressed, and where it was forgotten, which is for good.
        """
        with self._deciding() as connection:
            return suppression.lift(connection, self._identity, address, now)

    def forget(self, address: Address, now: datetime) -> Erasure:
        """Erases the address and every word about it, and suppresses it; returns in how much it stood.

        Counts stay: that somebody of the party was invited, and what became of it.
        """
        self.require_latest()
        return suppression.forget(self._store, self._identity, address, now)

    @contextmanager
    def _deciding(self) -> Iterator[Connection]:
        """A transaction for what people say, which would be lost with an older copy: there it raises LedgerError."""
        self.require_latest()
        with self._store.engine.begin() as connection:
            yield connection

    # --- upkeep ---

    def older_copy(self) -> str | None:
        """That an older copy is in the ledger's place, and what to do about it, as a sentence; None where it is not."""
        return older_copy(self._store)

    def require_latest(self) -> None:
        """Raises LedgerError where an older copy is in the ledger's place."""
        require_latest(self._store)

    def try_out(self) -> None:
        """Writes to the disk as any transaction does, and leaves nothing of it.

        Raises LedgerError where that fails, and where an older copy is in the ledger's place.
        """
        self.require_latest()
        with self._store.engine.begin() as connection:
            connection.execute(insert(meta).values(name="trial", value=""))
            connection.execute(delete(meta).where(meta.c.name == "trial"))
