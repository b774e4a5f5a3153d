"""Where a ledger is kept: what the two dialects must offer alike, and the choice between them by URL."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError

from mailer.errors import LedgerError

# Or in memory, where nothing follows. A `?` in a file's name would be taken for the beginning of settings.
_IN_A_FILE = re.compile(r"sqlite://(/[^?]*(\?timeout=\d{1,5}(\.\d+)?)?)?")


# Each call is one transaction that writes: committed where the `with` ends, rolled back where it raises.
Session = Callable[[], AbstractContextManager[DBAPICursor]]


class Taken(Exception):
    """Somebody alive holds the exclusive right to send."""


class Store(ABC):
    """One database: `engine` begins transactions that write, `reading` those that only read.

    Both share a pool and may be used from any thread. Whatever a driver raises leaves them as a LedgerError.
    """

    place: str
    engine: Engine
    reading: Engine
    lingers: str = ""  # how long the right to send may outlive its holder, in a sentence
    unproved: str = ""  # the setting by which a server at the other end of a network need not prove who it is

    def _guard_border(self) -> None:
        """Turns every error of the driver into a LedgerError; called once the engine is there."""

        @event.listens_for(self.engine, "handle_error")
        def explain(context: ExceptionContext) -> LedgerError | None:
            fault = context.original_exception
            # That a connection in the pool is dead is no fault: another takes its place.
            ours = context.sqlalchemy_exception is not None and not context.is_pre_ping
            return LedgerError(self.explain(fault)) if ours else None

    @abstractmethod
    def explain(self, fault: BaseException) -> str:
        """What a driver's error means, and what to do about it, in one or two sentences."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether any table is where the ledger should be; whose they are shows when it is opened.

        A database without tables is one whose maker was stopped: it counts as missing. Raises LedgerError where it is
        known to be lost, since a run had begun with it.
        """

    @abstractmethod
    def require(self, *, create: bool) -> None:
        """Raises LedgerError where the database cannot be there, is lost, or is missing and must not be made."""

    @abstractmethod
    def wait_for_turn(self, connection: Connection) -> None:
        """Waits until no other process makes tables or queues deliveries, and keeps them waiting until the commit."""

    @abstractmethod
    def make_room(self, connection: Connection) -> None:
        """Lets the connection hold more in memory: who queues writes all over the indexes of digests and references."""

    @abstractmethod
    def make_durable(self) -> None:
        """Puts a ledger that is known to be ours into the mode in which it keeps its promises."""

    @abstractmethod
    def vouch(self) -> None:
        """Raises LedgerError where what is about to be committed would be kept by nobody."""

    @abstractmethod
    def exclusive(self, *, patient: bool = True) -> AbstractContextManager[Session]:
        """The exclusive right to send, which ends with the process at the latest, and the session to use it in.

        Raises Taken; if `patient`, only after the time in which a server may not have noticed that its holder died.
        """

    @abstractmethod
    def latest_noted(self) -> int:
        """The latest transition that is noted apart from the database; 0 if none. A copy that ends before it is old."""

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """One transaction in which tables may be remade."""

    @abstractmethod
    def erase_traces(self) -> None:
        """Leaves nothing of what was overwritten or deleted in the files that the store keeps."""

    def sql(self, statement: str) -> str:
        """The statement, written with `?` for each parameter, as the driver wants it."""
        return statement

    @abstractmethod
    def begin(self, cursor: DBAPICursor) -> None:
        """Begins a transaction that writes, as `engine` does."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Transactions on one connection of the driver itself, for what every message passes through.

        Per group of ten messages SQLAlchemy and its pool would take as long as the database; elsewhere it does not
        matter.
        """
        connection = self.engine.raw_connection()
        try:
            yield partial(self._transaction, connection)
        finally:
            connection.close()

    @contextmanager
    def _transaction(self, connection: PoolProxiedConnection) -> Iterator[DBAPICursor]:
        try:
            cursor = connection.cursor()
            try:
                self.begin(cursor)
                yield cursor
                self.vouch()
                self.commit(connection, cursor)
            except BaseException:
                with suppress(self.engine.dialect.loaded_dbapi.Error):  # with its session, it is rolled back already
                    connection.rollback()
                raise
        except self.engine.dialect.loaded_dbapi.Error as exc:
            raise LedgerError(self.explain(exc)) from exc

    def commit(self, connection: PoolProxiedConnection, cursor: DBAPICursor) -> None:  # noqa: ARG002
        """Ends a transaction of `session`; once it returns, what was written is on the disk."""
        connection.commit()

    def close(self) -> None:
        self.engine.dispose()


def open_store(text: str) -> Store:
    """The store that LEDGER_URL names; nothing is read yet.

    Raises LedgerError for a URL that names none, without repeating it: what cannot be taken apart may be a password.
    """
    advice = "Write LEDGER_URL=sqlite:///ledger.db for a file, or postgresql://user@host/database."
    try:
        url: URL = make_url(text)
    except (ArgumentError, ValueError):
        raise LedgerError(f"LEDGER_URL is not the URL of a database. {advice}") from None
    match url.get_backend_name():
        case "sqlite":
            from mailer.ledger.sqlite import SQLiteStore

            if not _IN_A_FILE.fullmatch(text):
                raise LedgerError(f"LEDGER_URL must name a file, with nothing behind it but ?timeout=SECONDS. {advice}")
            return SQLiteStore(url)
        case "postgresql":
            from mailer.ledger.postgresql import PostgreSQLStore

            if url.password is not None and "@" in text.partition("@")[2]:
                raise LedgerError("LEDGER_URL has more than one @: write the one in the password as %40.")
            return PostgreSQLStore(url)
        case other:
            raise LedgerError(f"A ledger cannot be kept in {other!r}. {advice}")
