"""The file beside a ledger that is locked by whoever sends, and remembers how far the ledger has come."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailer.ledger.store import Taken

# The number is always of the same width, so that it can be overwritten in place.
_BEGUN = b"Runs have begun with the ledger beside this file.\n"
_LATEST = b"Its latest transition is %012d.\n"
_NOTED = re.compile(re.escape(_BEGUN) + rb"Its latest transition is (\d{12})\.\n")
_LENGTH = len(_BEGUN + _LATEST % 0)


class LockFile:
    """The lock of the ledger in the file `ledger`."""

    def __init__(self, ledger: Path) -> None:
        self.path = Path(f"{ledger}.lock")
        self._held: int | None = None  # its descriptor
        self._latest = 0

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

        Whoever only looks may hold it for a moment, which `patient` waits for. Raises Taken, OSError where the file
        cannot be written, and RuntimeError where the file system knows no locks.
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
            self._held = None
            lock.release()

    def _hold(self, descriptor: int) -> None:
        # Not by its name: Windows lets nobody read what is locked but by the descriptor that holds it.
        self._latest = _latest(os.read(descriptor, _LENGTH))
        if not self._latest:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, _BEGUN + _LATEST % 0)
            os.fsync(descriptor)
        self._held = descriptor

    @property
    def latest(self) -> int:
        """The latest transition that was noted, 0 if none."""
        if self._held is not None:
            return self._latest
        try:
            return _latest(self.path.read_bytes()[:_LENGTH])
        except OSError:
            return 0

    def note(self, transition: int) -> None:
        """Notes a transition that is on the disk, if the lock is held; an earlier one than the latest is no news.

        Only a copy of the ledger is to be told by it, so it need not be on the disk itself; and as the ledger has
        nothing to do with it any more, a failure is let be.
        """
        if self._held is None or transition <= self._latest:
            return
        self._latest = transition
        with suppress(OSError):
            os.lseek(self._held, len(_BEGUN), os.SEEK_SET)
            os.write(self._held, _LATEST % transition)


def _latest(content: bytes) -> int:
    found = _NOTED.match(content)
    return int(found[1]) if found else 0


def begun_in(folder: Path) -> list[str]:
    """The names of the files in the folder that are, or were, ledgers with which runs have begun."""
    return sorted(
        lock.stem for lock in folder.glob("*.lock") if lock.is_file() and lock.read_bytes()[:_LENGTH].startswith(_BEGUN)
    )
