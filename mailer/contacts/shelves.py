"""Numbers by the hash of what they stand for: 12 octets each, so that a million rows take some 13 MB."""

from __future__ import annotations

from array import array
from bisect import bisect_left

_SHELVES = 1024


class Shelves:
    """Numbers under hashes of 64 bits: what is like a dictionary here takes a tenth of one's memory.

    The hashes stand in order, on shelves so short that it costs little to put one in between; that two of a million
    things share a hash has odds of one in thirty million.
    """

    def __init__(self, *, wide: bool = False) -> None:
        """Numbers have 32 bits; 64 where they are `wide`, which takes 16 octets each."""
        self._shelves = [(array("Q"), array("Q" if wide else "I")) for _ in range(_SHELVES)]

    def get(self, digest: int) -> int | None:
        """The number under the hash `digest`, None if there is none."""
        _, numbers, at, is_there = self._find(digest)
        return numbers[at] if is_there else None

    def put(self, digest: int, number: int, *, over: int = 0) -> int | None:
        """Put `number` under `digest`, and give None; or the number that stands there already, which stays.

        It yields all the same if it has a bit of `over` and `number` has none.
        """
        hashes, numbers, at, is_there = self._find(digest)
        if is_there:
            earlier = numbers[at]
            if earlier & over and not number & over:
                numbers[at] = number
            return earlier
        hashes.insert(at, digest & 0xFFFF_FFFF_FFFF_FFFF)
        numbers.insert(at, number)
        return None

    def _find(self, digest: int) -> tuple[array[int], array[int], int, bool]:
        hashes, numbers = self._shelves[digest % _SHELVES]
        digest &= 0xFFFF_FFFF_FFFF_FFFF
        at = bisect_left(hashes, digest)
        return hashes, numbers, at, at < len(hashes) and hashes[at] == digest
