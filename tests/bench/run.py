"""`python tests/bench/run.py [NAME ...]`: measures the speed of the whole tool, as ratios to peers; see README.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import bare
import memory
import messages
import roundtrip
import stages
import start
from stand import HERE, Stand, stand

MEASUREMENTS: Mapping[str, Callable[[Stand], None]] = {
    "messages": messages.measure,
    "stages": stages.measure,
    "roundtrip": roundtrip.measure,
    "memory": memory.measure,
    "start": start.measure,
    "help": bare.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the speed of mailer against its peers, on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure ({', '.join(MEASUREMENTS)}): all")
    parser.add_argument(
        "--rows", type=int, default=100_000, help="the largest list (100000); the others are parts of it"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each run is made (5), the longest less often")
    parser.add_argument("--tree", type=Path, default=HERE.parents[1], help="the tree to measure (this one)")
    wanted = parser.parse_args()
    if unknown := set(wanted.names) - set(MEASUREMENTS):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, ",
        end="",
    )
    print(f"a durable write in {1000 * durable_write():.2f} ms")
    with stand(wanted.tree.resolve(), wanted.rows, wanted.rounds) as ground:
        for name in wanted.names or MEASUREMENTS:
            MEASUREMENTS[name](ground)
            sys.stdout.flush()


def durable_write() -> float:
    """Seconds that a small write takes to last on the disk of temporary files, as each commit of a ledger does."""
    took = []
    with tempfile.TemporaryFile() as file:
        for _ in range(50):
            began = time.monotonic()
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - began)
    return median(took)


if __name__ == "__main__":
    main()
