"""How much memory a list of a million rows takes: read alone, and sent to the last."""

from __future__ import annotations

import sys
from pathlib import Path

from report import print_table
from stand import Stand
from workload import addresses, working_folder

_READ = "import sys, pathlib, mailer.contacts as c; print(sum(1 for _ in c.read([pathlib.Path(sys.argv[1])])))"
_CONNECTIONS = 10
_MEGA = 1_000_000


def measure(stand: Stand) -> None:
    pandas = stand.run(stand.new_folder(), sys.executable, "-c", "import pandas")
    rows: list[tuple[str | float, ...]] = [("import pandas", "", pandas.peak / _MEGA, pandas.cpu, "")]
    sizes = (stand.rows, 10 * stand.rows)
    for number in sizes:
        with stand.sink() as sink:
            settings = f"SMTP_CONNECTIONS={_CONNECTIONS}\n"
            folder = working_folder(stand, number, port=sink.port, settings=settings)
            rows.append(_row("read alone", stand, folder, number, sys.executable, "-c", _READ, Path("contacts")))
            rows.append(_row("send", stand, folder, number, *stand.command("send", "--yes")))
        assert sink.taken
        sink.taken.require(addresses(number))
    print_table("memory: one list of CSV (must 180 MB at ten times the rows, aim 130)", _HEADINGS, rows)


_HEADINGS = ("run", "rows", "peak MB", "CPU s", "CPU ms a row")


def _row(name: str, stand: Stand, folder: Path, number: int, *words: str | Path) -> tuple[str | float, ...]:
    cost = stand.run(folder, *words)
    return name, f"{number:,}", cost.peak / _MEGA, cost.cpu, 1000 * cost.cpu / number
