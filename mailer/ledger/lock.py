"""The file beside a ledger that is locked by whoever sends, and remembers which runs have begun."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailer.ledger.store import Taken

# The number behind it is always of the same width, so that it can be overwritten in place.
_BEGUN = b"Runs have begun with the ledger beside this file.\n"
_LATEST = re.compile(rb"The latest is (\d{10})\.\n")


class LockFile:
    """The lock of the ledger in the file `ledger`. Each of its methods may raise OSError."""

    def __init__(self, ledger: Path | None) -> None:
        self.path = Path(f"{ledger}.lock")
        self._held = -1  # its descriptor, while it is held

    @property
    def remembers(self) -> bool:
        """Whether a run has begun: from then on, a ledger that is not there is lost."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    @contextmanager
    def held(self, *, patient: bool) -> Iterator[None]:
        """Holds the lock, which ends with the process in whatever way; so no process id needs judging.

        Whoever only looks may hold it for a moment, which `patient` waits for. Raises Taken, and RuntimeError where the
        file system knows no locks.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(
            self.path,
            timeout=1 if patient else 0,
            thread_local=False,
            preserve_lock_file=True,  # Windows too must keep what is remembered
            on_acquired=self._hold,
        )
        try:
            lock.acquire()
        except Timeout:
            raise Taken from None
        try:
            yield
        finally:
            lock.release()

    def _hold(self, descriptor: int) -> None:
        self._held = descriptor
        if not os.fstat(descriptor).st_size:
            os.write(descriptor, _BEGUN)
            os.fsync(descriptor)

    def latest_run(self) -> int:
        """The latest run that was noted, 0 if none; while the lock is held."""
        os.lseek(self._held, len(_BEGUN), os.SEEK_SET)
        found = _LATEST.match(os.read(self._held, 100))
        return int(found[1]) if found else 0

    def note_run(self, number: int) -> None:
        """Notes, on the disk, that the run has begun; while the lock is held."""
        os.lseek(self._held, len(_BEGUN), os.SEEK_SET)
        os.write(self._held, b"The latest is %010d.\n" % number)
        os.fsync(self._held)


def begun_in(folder: Path) -> list[str]:
    """The names of the files in the folder that are, or were, ledgers with which runs have begun."""
    return sorted(
        lock.stem for lock in folder.glob("*.lock") if lock.is_file() and lock.read_bytes()[:100].startswith(_BEGUN)
    )
