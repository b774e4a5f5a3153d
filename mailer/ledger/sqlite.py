"""A ledger in one SQLite file (or in memory, for a dry run): durable, with one writer at a time."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, PoolProxiedConnection, QueuePool, create_engine, event
from sqlalchemy.engine.interfaces import DBAPICursor

from mailer.errors import LedgerError
from mailer.ledger.lock import LockFile
from mailer.ledger.store import Session, Store

# Seconds to wait for another process that is writing; `?timeout=` in the URL says otherwise.
PATIENCE = 30.0

# A write begins with the lock, so that it waits its turn here and never fails half-way for want of it.
BEGIN = "BEGIN IMMEDIATE"

# Kilobytes of the file that a connection keeps in memory, and that the one does which queues: up to a quarter of a
# million recipients without going to the file twice.
_ROOM, _ROOM_FOR_INDEXES = 8_000, 16_000

_NETWORK = "A ledger must lie on a local disk, not on a network or synchronised folder: move it and set LEDGER_URL."
_FAULTS: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: "is locked by another program. Wait until that has ended, or close what has the file open.",
    sqlite3.SQLITE_LOCKED: "is locked by another program. Wait until that has ended, or close what has the file open.",
    sqlite3.SQLITE_FULL: "could not be written: the disk is full. Free some space and run the command again.",
    sqlite3.SQLITE_READONLY: "may only be read. Give yourself the right to write to the file and to its folder.",
    sqlite3.SQLITE_PERM: "may not be opened. Give yourself the right to read and write the file and its folder.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check LEDGER_URL, and your rights to the file and to its folder.",
    sqlite3.SQLITE_NOTADB: "is not a ledger: the file holds something else. Name another file in LEDGER_URL.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Move it away with its -wal, restore the last sound copy, run `mailer doctor`.",
    sqlite3.SQLITE_PROTOCOL: f"cannot be locked. {_NETWORK}",
    # On a full disk, the write-ahead log and its index fail in this way.
    sqlite3.SQLITE_IOERR: (
        f"could not be read or written: the disk may be full, or at fault. See that it has space. {_NETWORK}"
    ),
}
_OF_RIGHTS = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}
# What keeps the lock's file from being written is told as of the ledger's own.
_SAME_FAULTS: Mapping[int | None, int] = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
}


class SQLiteStore(Store):
    """WAL and synchronous=FULL: readers never wait, and a commit is on the disk before it returns."""

    def __init__(self, url: URL) -> None:
        in_memory = url.database in {None, "", ":memory:"}
        # SQLite too names its files after what a link leads to, so that two links are one ledger with one lock.
        self.path = None if in_memory else Path(os.path.realpath(url.database or ""))
        self._lock = LockFile(self.path) if self.path else None
        self.place = "The ledger in memory" if self.path is None else f"The ledger {url.database}"
        connect_args: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
        if "timeout" not in url.query:
            connect_args["timeout"] = PATIENCE
        self.engine = create_engine(
            url.set(database=str(self.path) if self.path else None),
            connect_args=connect_args,
            # A database in memory lives and dies with its connection, so all threads take turns on one.
            poolclass=QueuePool,
            pool_size=1 if self.path is None else 5,
            max_overflow=0 if self.path is None else 10,
            pool_use_lifo=True,  # the fewer are in use, the less memory they hold
        )
        self.reading = self.engine.execution_options(begin="BEGIN")
        self._bare = self.engine.execution_options(begin="")
        self._opened: tuple[int, int] | None = None
        event.listen(self.engine, "do_connect", lambda *_: self.vouch())
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "begin", _begin)
        event.listen(self.engine, "commit", lambda _: self.vouch())
        self._guard_border()

    def explain(self, fault: BaseException) -> str:
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
        if code in _OF_RIGHTS and (closed := self._closed_to_us()):
            return f"{self.place} cannot be used: {closed}"
        return f"{self.place} {_FAULTS.get(code, f'refused: {fault}.')}"

    def _closed_to_us(self) -> str:
        """What to do about a folder in which we may make no ledger, or about files beside one that is open to us, where
        they are not: another user's; or nothing."""
        if self.path is None:
            return ""
        if not self.path.exists():
            return "" if _is_open_to_us(self.path.parent) else "give yourself the right to write to its folder."
        if not _is_open_to_us(self.path):
            return ""
        beside = [Path(f"{self.path}{ending}") for ending in ("-wal", "-shm", ".lock")]
        closed = [path.name for path in beside if path.exists() and not _is_open_to_us(path)]
        return f"give yourself the right to read and write {' and '.join(closed)}." if closed else ""

    def _why_unlocked(self, lock: Path, exc: OSError | RuntimeError) -> str:
        if lock.is_symlink():
            return f"cannot be kept to one run, as {lock} is a link: put the file that it leads to in its place."
        known = _SAME_FAULTS.get(getattr(exc, "errno", None))
        if known in _OF_RIGHTS and (closed := self._closed_to_us()):
            return f"cannot be used: {closed}"
        return _FAULTS[known] if known else f"cannot be kept to one run by {lock} ({exc}). {_NETWORK}"

    def exists(self) -> bool:
        if self.path is None or self._lock is None:
            return True
        # In this order: a run that begins meanwhile has made the tables before.
        had_run = self._lock.remembers
        if self._is_filled(self.path):
            return True
        if had_run:
            raise LedgerError(
                f"{self.place} is gone, or empty, although runs have begun with it: put it back from the backup, with "
                f"its -wal; or, to begin anew and invite everybody again, delete {self._lock.path.name} as well."
            )
        return False

    def _is_filled(self, path: Path) -> bool:
        if not path.is_file():
            return path.exists()
        if not _size(path):  # opened, it would take along what its write-ahead log still holds
            return False
        with self._bare.connect() as connection:
            return connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first() is not None

    def require(self, *, create: bool) -> None:
        if self.path is None:
            return
        if self.path.is_dir():
            raise LedgerError(f"{self.place} is a folder. Name a file in LEDGER_URL.")
        if not self.path.parent.is_dir():
            raise LedgerError(f"{self.place} has no folder to lie in: make {self.path.parent}, or correct LEDGER_URL.")
        if not self.exists() and not create and not self.path.is_file():
            raise LedgerError(f"{self.place} does not exist yet: `mailer send` makes it. Or correct LEDGER_URL.")

    def wait_for_turn(self, connection: Connection) -> None:
        """Nothing to do: BEGIN IMMEDIATE has let nobody else in."""

    def make_room(self, connection: Connection) -> None:
        # A page that finds no room is written, and read again, once for nearly each row.
        connection.exec_driver_sql(f"PRAGMA cache_size = -{_ROOM_FOR_INDEXES}")

    def vouch(self) -> None:
        # An open file can be written after it was deleted, and is gone with the process.
        if self._opened is None or self._opened == self._at_path():
            return
        raise LedgerError(
            f"{self.place} was deleted, moved or replaced while it was in use, so nothing more is sent. Put the file "
            "back, and look at `mailer status` before you send again."
        )

    def _at_path(self) -> tuple[int, int] | None:
        """What tells the file at the path from every other; None where there is none."""
        try:
            found = self.path.stat() if self.path else None
        except OSError:
            return None
        return found and (found.st_dev, found.st_ino)

    def _prepare(self, connection: sqlite3.Connection, _record: object) -> None:
        self._opened = self._opened or self._at_path()
        for pragma in ("foreign_keys = ON", "synchronous = FULL", "fullfsync = ON", f"cache_size = -{_ROOM}"):
            connection.execute(f"PRAGMA {pragma}")

    def make_durable(self) -> None:
        with self._bare.connect() as connection:
            mode = _write_ahead(connection)
        if self.path is not None and mode != "wal":
            raise LedgerError(f"{self.place} cannot keep a write-ahead log where it lies. {_NETWORK}")

    @contextmanager
    def exclusive(self, *, patient: bool = True) -> Iterator[Session]:
        if self._lock is None:
            yield self._each_alone
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(self._lock.held(patient=patient))
            except (OSError, RuntimeError) as exc:
                raise LedgerError(f"{self.place} {self._why_unlocked(self._lock.path, exc)}") from exc
            yield stack.enter_context(self.session())

    def latest_noted(self) -> int:
        return self._lock.latest if self._lock else 0

    def commit(self, connection: PoolProxiedConnection, cursor: DBAPICursor) -> None:
        cursor.execute("SELECT MAX(id) FROM transitions")
        [(latest,)] = cursor.fetchall()
        super().commit(connection, cursor)
        if self._lock:
            self._lock.note(latest or 0)

    @contextmanager
    def _each_alone(self) -> Iterator[DBAPICursor]:
        """A transaction that leaves the one connection there is to others as soon as it is over."""
        with self.session() as session, session() as cursor:
            yield cursor

    def begin(self, cursor: DBAPICursor) -> None:
        cursor.execute(BEGIN)

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        # A table is changed by making it anew and dropping the old one, which must not look like deleting its rows.
        with self._bare.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql(BEGIN)
            try:
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise LedgerError(f"{self.place} is damaged: rows in it belong to nothing. Restore a sound copy.")
                connection.commit()
            finally:
                connection.rollback()
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def erase_traces(self) -> None:
        with self._bare.connect() as connection:
            connection.exec_driver_sql("VACUUM")
            is_read, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        if is_read:
            raise LedgerError(
                f"{self.place} names the address no more, but its file still holds it, as another program reads there: "
                "have the same command run again once that has ended."
            )


def _is_open_to_us(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _size(path: Path) -> int:
    """In octets; 0 where there is no such file."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _write_ahead(connection: Connection) -> str:
    """Asks for a write-ahead log, and returns the mode of the journal that came of it.

    SQLite does not wait for others with this, whatever the timeout, so those who make a ledger together wait here.
    """
    [patience] = connection.exec_driver_sql("PRAGMA busy_timeout").one()  # milliseconds
    deadline = monotonic() + patience / 1000
    while True:
        try:
            return str(connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar_one())
        except LedgerError as exc:
            busy = getattr(exc.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or monotonic() > deadline:
                raise
        sleep(0.02)


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get("begin", BEGIN):
        connection.exec_driver_sql(statement)
