"""A list of any length, of which only the last part is held in memory and the rest in a file without a name."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import starmap
from typing import Any, BinaryIO, Generic, TypeVar

T = TypeVar("T")

# What is held in memory at a time. Lists of this length, which is nearly all, never see a disk.
PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Packing(Generic[T]):
    """How what is on a roll is taken apart for the file and put together again.

    Tables within tables as one flat tuple of plain values: pickle's own way takes three times as long.
    """

    pack: Callable[[T], tuple[Any, ...]]
    unpack: Callable[..., T]


class Roll(Generic[T]):
    """What is appended comes out in the same order, as often as it is asked for.

    The file is written and read by this process alone and goes with it, however it ends.
    """

    def __init__(self, items: Iterable[T] = (), packing: Packing[T] | None = None) -> None:
        self._packing = packing
        self._pages = 0
        self._file: BinaryIO | None = None
        self._last: list[T] = []
        for item in items:
            self.append(item)

    def append(self, item: T) -> None:
        """Raises OSError that names the folder for temporary files where that has no room."""
        if len(self._last) == PAGE:
            try:
                self._put_away()
            except OSError as exc:
                words = (
                    f"{exc.strerror or exc}; a long list needs room there: free some, or set TMPDIR to another folder"
                )
                raise OSError(exc.errno, words, tempfile.gettempdir()) from exc
        self._last.append(item)

    def _put_away(self) -> None:
        self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115  # kept until the roll is gone
        self._file.seek(0, os.SEEK_END)
        page = [*map(self._packing.pack, self._last)] if self._packing else self._last
        pickle.dump(page, self._file, pickle.HIGHEST_PROTOCOL)
        self._file.flush()
        self._pages += 1
        self._last = []

    def __len__(self) -> int:
        return self._pages * PAGE + len(self._last)

    def __iter__(self) -> Iterator[T]:
        place = 0
        for _ in range(self._pages):
            # Others may read in between, so each page is looked for anew.
            assert self._file  # noqa: S101
            self._file.seek(place)
            page = pickle.load(self._file)  # noqa: S301  # our own octets, which nobody else can reach
            place = self._file.tell()
            yield from starmap(self._packing.unpack, page) if self._packing else page
        yield from self._last

    def __del__(self) -> None:
        if self._file:
            with suppress(OSError):  # what could not be written is told already
                self._file.close()
