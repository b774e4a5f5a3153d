"""A disk with the files of a ledger, made from the steps that `recorder.c` has written down, and its plug pulled.

It has then kept all that it was told to sync, and of what was done since as much as it liked, in any order.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

Change = TypeVar("Change")

SECTOR = 512  # octets that are written as a whole or not at all


class Step(NamedTuple):
    """One line of the record, and its octets."""

    what: str
    whose: str
    where: int = 0
    octets: bytes = b""


class Changes(list[Change]):
    """What was done to a file or a folder, of which the disk has been told to keep the first `synced`."""

    synced = 0

    def kept(self, share: float, source: random.Random) -> list[Change]:
        return [change for n, change in enumerate(self) if n < self.synced or source.random() < share]


class Disk:
    """The ledger's files: `do` is what the program does, `cut` what is found if the plug is pulled at this moment."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._names: Changes[tuple[str, Changes[Step] | None]] = Changes()
        self._files: dict[str, Changes[Step]] = {}
        for name, octets in files.items():
            for step in Step("make", name), Step("write", name, 0, octets), Step("sync", name):
                self.do(step)
        self.do(Step("sync", "."))

    def do(self, step: Step) -> None:
        match step.what, step.whose:
            case "make", name:
                self._files[name] = Changes()
                self._names.append((name, self._files[name]))
            case "delete", name:
                self._names.append((name, None))
            case "sync", name:
                changes = self._names if name == "." else self._files[name]
                changes.synced = len(changes)
            case _, name:
                self._files[name].extend(sectors(step))

    def cut(self, names: float, share: float, source: random.Random) -> dict[str, bytes]:
        """The files, with such a share of what was made or deleted since the sync, and of the sectors written."""
        found = dict(self._names.kept(names, source))  # of one name, what was done last
        return {name: content(file.kept(share, source)) for name, file in found.items() if file is not None}


def sectors(step: Step) -> Iterator[Step]:
    begin, end = step.where, step.where + len(step.octets)
    for border in (*range(begin // SECTOR * SECTOR + SECTOR, end, SECTOR), end):
        yield step._replace(where=begin, octets=step.octets[begin - step.where : border - step.where])
        begin = border


def content(steps: list[Step]) -> bytes:
    octets = bytearray()
    for step in steps:
        octets.extend(bytes(max(0, step.where - len(octets))))
        octets[step.where : step.where + len(step.octets) if step.what == "write" else None] = step.octets
    return bytes(octets)


def steps_in(record: Path) -> Iterator[Step]:
    """All but those of the index of the write-ahead log, which is made anew after a cut."""
    with record.open("rb") as file:
        for line in file:
            what, whose, where, count = line.decode().split()
            step = Step(what, whose, int(where), file.read(int(count)))
            if not whose.endswith("-shm"):
                yield step
