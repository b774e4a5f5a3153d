"""How near a relay 50 ms away, over three connections, comes to what the round trips allow."""

from __future__ import annotations

from report import middle, print_table, spread
from stand import Stand, Taken
from workload import addresses, working_folder

_RTT = 0.05
_CONNECTIONS = 3
_MOST_ROUNDS = 3


def measure(stand: Stand) -> None:
    number = stand.rows // 100
    runs = [_run(stand, number) for _ in range(min(stand.rounds, _MOST_ROUNDS))]
    rate = middle(runs, lambda run: run.rate)
    rows = [
        ("messages/s", rate, "", ""),
        ("of 3/(2 RTT), a message in two round trips", rate * 2 * _RTT / _CONNECTIONS, "0.9", ""),
        ("of 3/RTT, the next envelope behind the final dot", rate * _RTT / _CONNECTIONS, "", "0.9"),
        ("spread of the runs", spread(runs, lambda run: run.rate), "", ""),
    ]
    title = f"roundtrip: {number:,} messages, {1000 * _RTT:.0f} ms there and back, {_CONNECTIONS} connections"
    print_table(title, ("measure", "found", "must", "aim"), rows)


def _run(stand: Stand, number: int) -> Taken:
    with stand.sink() as sink, stand.delayed(sink.port, 1000 * _RTT / 2) as port:
        folder = working_folder(stand, number, port=port, settings=f"SMTP_CONNECTIONS={_CONNECTIONS}\n")
        stand.mailer(folder, "send", "--yes")
    assert sink.taken
    sink.taken.require(addresses(number))
    return sink.taken
