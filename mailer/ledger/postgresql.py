"""A ledger in a PostgreSQL database, for more than one machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import sleep
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import ArgumentError

from mailer.errors import LedgerError
from mailer.ledger import tls
from mailer.ledger.schema import metadata
from mailer.ledger.store import Session, Store, Taken

if TYPE_CHECKING:
    import psycopg

# Two advisory locks. The second half of each is the schema, as one database may hold several ledgers: the one in which
# the tables are found, or will be made. For a user with a schema of their own they need not stand in the first of the
# search path.
_SCHEMA = (
    "coalesce((SELECT nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid "
    "WHERE c.oid = to_regclass('deliveries')), current_schema())"
)
_TURN = f"({0x6D61696C}, hashtext({_SCHEMA}))"
_THE_RIGHT_TO_SEND = f"({0x73656E64}, hashtext({_SCHEMA}))"

# A server needs a moment to notice that a process was killed; two seconds in all.
_TRIES, _BETWEEN_TRIES = 20, 0.1

# A machine that loses its power or its network says nothing, and by default a server waits two hours for it. Both sides
# ask after half a minute of silence, every ten seconds, and let go of the session after a minute without an answer.
_IDLE, _INTERVAL, _COUNT, _PATIENCE = "30", "10", "3", "60000"  # seconds, seconds, times, milliseconds
_OUR_SIDE = {
    "keepalives_idle": _IDLE,
    "keepalives_interval": _INTERVAL,
    "keepalives_count": _COUNT,
    "tcp_user_timeout": _PATIENCE,
}
_ITS_SIDE = (
    f"SET tcp_keepalives_idle = {_IDLE}; SET tcp_keepalives_interval = {_INTERVAL}; SET tcp_keepalives_count = {_COUNT}"
)
_ITS_SIDE_SINCE_12 = f"SET tcp_user_timeout = {_PATIENCE}"
# The session that holds the right to send says nothing while a pace or a back-off is waited for, which is no fault.
_ITS_SIDE_SINCE_14 = "SET idle_session_timeout = 0"

# By class or by whole SQLSTATE (PostgreSQL documentation, appendix A).
_GONE = ("08", "57P0")  # a session that broke, that the server ended, or that it cannot begin yet
_FAULTS: Mapping[str, str] = {
    "53100": "could not be written: the database's disk is full. Free some space and run the command again.",
    "53300": "has no connection free. Wait until others have ended, or allow more in the database.",
    "55": "is locked by another program. Wait until that has ended.",
    "3F000": "has no schema to make its tables in. Correct search_path in LEDGER_URL, or have the schema made.",
    "42501": "may not be used by this user. Grant the rights to create and change tables in its schema.",
    "25006": "may only be read: the database is a standby. Name the primary in LEDGER_URL.",
}


class PostgreSQLStore(Store):
    """Rows are locked one by one; the right to send is an advisory lock, which ends with the session that took it."""

    lingers = " If its machine was switched off or cut off, the server lets go of it within two minutes."

    def __init__(self, url: URL) -> None:
        # Whoever mistypes a URL with a password may have parts of it anywhere, so that nothing of it is repeated.
        is_secret = url.password is not None or "password" in url.query
        self._unspoken = tuple(filter(None, (url.host, url.database, url.username))) if is_secret else ()
        self.place = "The ledger in PostgreSQL"
        if not is_secret:
            self.place = f"The ledger {url.database or ''} on {url.host or 'this machine'}"
        try:
            _check_settings(url, self.place)
            url = url.set(drivername="postgresql+psycopg", query={**_OUR_SIDE, **url.query})
            _, asked = url.get_dialect()().create_connect_args(url)
            self.unproved = tls.unproved(asked)
            self.engine = create_engine(url, connect_args=tls.settings(asked), pool_pre_ping=True)
        except ImportError:
            raise LedgerError(
                f"{self.place} needs a driver: install it with `pip install 'invitation-mailer[postgres]'`."
            ) from None
        except (ArgumentError, ValueError):
            raise LedgerError(
                f"{self.place} cannot be opened: correct the settings behind the ? in LEDGER_URL."
            ) from None
        self.reading = self.engine
        # What they say of a session that broke would stand before the sentence that tells it.
        for library in ("psycopg", "sqlalchemy"):
            logging.getLogger(library).addHandler(logging.NullHandler())
        event.listen(self.engine, "connect", _prepare)
        self._guard_border()

    def explain(self, fault: BaseException) -> str:
        state = getattr(fault, "sqlstate", None)
        reason = (str(fault).splitlines() or [type(fault).__name__])[0].rstrip(".")
        for part in self._unspoken:
            reason = reason.replace(f'"{part}"', "...").replace(f"'{part}'", "...")
        if state is None and (advice := tls.advice(reason)):
            return f"{self.place} is not trusted ({reason}). {advice}"
        if state is None or state.startswith(_GONE):
            return f"{self.place} cannot be reached ({reason}). Check LEDGER_URL, and that the database is running."
        return f"{self.place} {_FAULTS.get(state) or _FAULTS.get(state[:2]) or f'refused: {reason}.'}"

    def exists(self) -> bool:
        with self.reading.connect() as connection:
            return bool(inspect(connection).get_table_names())

    def require(self, *, create: bool) -> None:
        """Nothing to do: whether the database is there shows when it is asked."""

    def wait_for_turn(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{_TURN}")

    def make_room(self, connection: Connection) -> None:
        """Nothing to do: the server has one cache for all."""

    def vouch(self) -> None:
        """Nothing to do: a database that is dropped ends its sessions."""

    def make_durable(self) -> None:
        """Nothing to do: each connection is prepared when it is made."""

    def sql(self, statement: str) -> str:
        return statement.replace("%", "%%").replace("?", "%s")

    def begin(self, cursor: DBAPICursor) -> None:
        """Nothing to do: the driver begins with the first statement."""

    @contextmanager
    def exclusive(self, *, patient: bool = True) -> Iterator[Session]:
        # The server lets go of the lock when the session ends that took it. Claims and outcomes are written in that
        # session, so that none can be once the lock is lost; what is given back is known by the number of its run.
        with self.session() as session:
            for left in reversed(range(_TRIES if patient else 1)):
                if _ask(session, f"SELECT pg_try_advisory_lock{_THE_RIGHT_TO_SEND}"):
                    break
                sleep(_BETWEEN_TRIES if left else 0)
            else:
                raise Taken
            try:
                yield session
            finally:
                # Where the session is gone, the lock went with it, and what ended it is what the person must hear.
                with suppress(LedgerError):
                    _ask(session, f"SELECT pg_advisory_unlock{_THE_RIGHT_TO_SEND}")

    def latest_noted(self) -> int:
        return 0  # there is no place beside the database

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            self.wait_for_turn(connection)
            yield connection

    def erase_traces(self) -> None:
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            warnings: list[str] = []
            connection.connection.driver_connection.add_notice_handler(  # type: ignore[union-attr]
                lambda notice: warnings.append(notice.severity_nonlocalized or "")
            )
            connection.exec_driver_sql(f"VACUUM FULL {', '.join(metadata.tables)}")
            connection.detach()  # with what listens to it
        if "WARNING" in warnings:  # what another user owns is passed over
            raise LedgerError(
                f"{self.place} names the address no more, but its files still hold it, as only the owner of its tables "
                "may rewrite them: have the same command run by that user."
            )


def _ask(session: Session, question: str) -> bool:
    with session() as cursor:
        cursor.execute(question)
        [(answer,)] = cursor.fetchall()
    return bool(answer)


def _check_settings(url: URL, place: str) -> None:
    """Raises LedgerError for what stands behind the `?` and is no setting of a connection."""
    from psycopg.pq import Conninfo

    known = {setting.keyword.decode() for setting in Conninfo.get_defaults()}
    if unknown := sorted(url.query.keys() - known):
        raise LedgerError(f"{place} cannot be opened: LEDGER_URL sets {unknown[0]!r}, which PostgreSQL does not know.")


def _prepare(connection: psycopg.Connection[tuple[object, ...]], _record: object) -> None:
    # Whatever the server's default is: a claim that a power cut can undo is none.
    connection.execute(f"SET synchronous_commit = on; {_ITS_SIDE}")
    if connection.info.server_version >= 12_00_00:
        connection.execute(_ITS_SIDE_SINCE_12)
    if connection.info.server_version >= 14_00_00:
        connection.execute(_ITS_SIDE_SINCE_14)
    connection.commit()
