"""How long it takes until the first message leaves, and until it is clear that none has to."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from report import middle, print_table
from stand import Stand, Unsound, cost_of, terminate
from workload import addresses, working_folder, write_workbook

# A send that is asked to stop has finished what is in flight after this many seconds.
_PATIENCE = 60


def measure(stand: Stand) -> None:
    few = stand.rows // 100
    from_workbook = [_first(stand, _workbook_folder(stand), cut=True)[0] for _ in range(min(stand.rounds, 3))]
    confirmed = [_first(stand, working_folder(stand, few, port=1), cut=False) for _ in range(stand.rounds)]
    again = _again(stand)
    rows = [
        (f"{stand.rows:,} rows of xlsx: to the first message", middle(from_workbook, float), "6", "3"),
        (f"{stand.rows:,} rows of CSV, all sent: run again", again, "3", "1.5"),
        (f"{few:,} recipients: last word before sending to first message", middle(confirmed, _second), "2", "1"),
        (f"{few:,} recipients: command to first message", middle(confirmed, lambda pair: pair[0]), "", ""),
    ]
    print_table("start: seconds", ("measure", "found", "must", "aim"), rows)


def _second(pair: tuple[float, float]) -> float:
    return pair[1]


def _workbook_folder(stand: Stand) -> Path:
    folder = working_folder(stand, 0, port=1)
    (folder / "contacts" / "organisations.csv").unlink()
    write_workbook(folder / "contacts" / "organisations.xlsx", stand.rows)
    return folder


def _first(stand: Stand, folder: Path, *, cut: bool) -> tuple[float, float]:
    """Seconds to the first message: from the start of the command, and from the last line that it said before.

    With `--yes` nothing is asked, so that line stands where the question would. `cut` stops the sending then.
    """
    said: list[float] = []
    with stand.sink() as sink:
        _point(folder, sink.port)
        with stand.running(folder, *stand.command("send", "--yes")) as process:
            if cut:
                _wait_for_first(sink.has_begun, process.poll)
                terminate(process)
            assert process.stdout
            said.extend(time.monotonic() for _ in process.stdout)
    assert sink.taken
    began = cost_of(folder).began
    if not sink.taken.messages:
        raise Unsound((folder / "log").read_text(errors="replace")[-800:])
    first = sink.taken.first
    return first - began, first - max((at for at in said if at < first), default=began)


def _wait_for_first(has_begun: Callable[[], bool], ended: Callable[[], int | None]) -> None:
    while not has_begun() and ended() is None:
        time.sleep(0.01)


def _point(folder: Path, port: int) -> None:
    """Sets the relay's port, which is known only now."""
    settings = folder / "config.env"
    settings.write_text(settings.read_text("utf-8").replace("SMTP_PORT=1\n", f"SMTP_PORT={port}\n"), "utf-8")


def _again(stand: Stand) -> float:
    """The median seconds of a run that finds everything sent."""
    with stand.sink() as sink:
        folder = working_folder(stand, stand.rows, port=sink.port)
        stand.mailer(folder, "send", "--yes")
        costs = [stand.mailer(folder, "send", "--yes") for _ in range(stand.rounds)]
    assert sink.taken
    sink.taken.require(addresses(stand.rows))
    return middle(costs, lambda cost: cost.wall)
