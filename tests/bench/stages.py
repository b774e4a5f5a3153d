"""Where the CPU goes: each part of the line timed alone, beside what a message costs in the whole command."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from report import middle, print_table
from stand import HERE, Cost, Stand, Unsound
from workload import working_folder

# What a message passes through between the sheet and its outcome, once.
_LINE = ("read, ask, check", "ledger: queue", "render", "message", "ledger: groups of 2", "socket: asyncio")

Parts = Mapping[str, tuple[float, float]]


def measure(stand: Stand) -> None:
    number = stand.rows // 50
    parts: list[Parts] = []
    whole: list[float] = []
    for _ in range(stand.rounds):
        parts.append(_parts(stand, number))
        more, less = (_send(stand, size).cpu for size in (number, number // 10))
        whole.append(1000 * (more - less) / (number - number // 10))
    rows = [
        (part, middle(parts, lambda one: one[part][0]), middle(parts, lambda one: one[part][1]))  # noqa: B023
        for part in parts[0]
    ]
    along = sum(middle(parts, lambda one: one[part][0]) for part in _LINE)  # noqa: B023
    found = middle(whole, float)
    rows += [
        (f"sum of {len(_LINE)} (one connection)", along, ""),
        ("the whole command, each further message", found, ""),
        ("the loop and all else", found - along, ""),
    ]
    print_table(f"stages: {number:,} messages, milliseconds a message", ("part", "CPU", "wall"), rows)


def _parts(stand: Stand, number: int) -> Parts:
    with stand.sink() as sink:
        folder = working_folder(stand, number, port=sink.port)
        with stand.running(folder, sys.executable, HERE / "parts.py") as process:
            assert process.stdout
            found = process.stdout.read()
    if process.returncode:
        raise Unsound((folder / "log").read_text(errors="replace")[-800:])
    parts: Parts = json.loads(found)
    return parts


def _send(stand: Stand, number: int) -> Cost:
    with stand.sink() as sink:
        return stand.mailer(working_folder(stand, number, port=sink.port), "send", "--yes")
