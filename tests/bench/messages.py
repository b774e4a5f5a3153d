"""Messages a second, CPU and memory from spreadsheet to recorded outcome, beside the peers in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from peers import Peer, peers, source
from report import middle, print_table, spread
from stand import Cost, Stand, Taken
from workload import addresses, working_folder

# As many as smtp-source has, and twice as many; mailmerge and the loop have one.
_CONNECTIONS = 5
_MORE = 10
# Runs of more messages than this in all are not repeated as often.
_MESSAGES_IN_ALL = 30_000

Run = tuple[Cost, Taken]
Case = tuple[str, int]


def measure(stand: Stand) -> None:
    sizes = (stand.rows // 100, stand.rows // 10, stand.rows)
    cases: dict[Case, Peer] = {}
    for number in sizes:
        cases["mailer", number] = _mailer(stand, number)
        cases["mailer, attachments", number] = _mailer(stand, number, attached=True)
    cases["mailer, ten connections", sizes[2]] = _mailer(stand, sizes[2], connections=_MORE)
    cases["mailer, one connection", sizes[1]] = _mailer(stand, sizes[1], connections=1)
    if find_spec("uvloop"):
        cases["mailer, uvloop", sizes[1]] = _mailer(stand, sizes[1], fast=True)
    for attached in (False, True):
        for name, peer in peers(stand, sizes[0], attached=attached):
            cases[f"{name}, attachments" if attached else name, sizes[0]] = peer
    for name, like in (("smtp-source", "mailer"), ("smtp-source, attachments", "mailer, attachments")):
        # A first, unmeasured run tells how large the messages are.
        _, taken = cases[like, sizes[0]]()
        if found := source(stand, sizes[1], taken.octets):
            cases[name, sizes[1]] = found
    runs = _interleaved(cases, stand.rounds)
    _print_runs(runs)
    _print_ratios(runs, sizes)


def _mailer(
    stand: Stand, number: int, *, attached: bool = False, connections: int = _CONNECTIONS, fast: bool = False
) -> Peer:
    def send() -> Run:
        with stand.sink() as sink:
            settings = f"SMTP_CONNECTIONS={connections}\n"
            folder = working_folder(stand, number, port=sink.port, attached=attached, settings=settings)
            cost = stand.mailer(folder, "send", "--yes", fast=fast)
        assert sink.taken
        sink.taken.require(addresses(number))
        return cost, sink.taken

    return send


def _interleaved(cases: Mapping[Case, Peer], rounds: int) -> dict[Case, list[Run]]:
    """Every case once a round, so that what slows the machine for a while slows all alike."""
    runs: dict[Case, list[Run]] = {case: [] for case in cases}
    for turn in range(rounds):
        for (name, number), send in cases.items():
            if turn == 0 or (turn + 1) * number <= _MESSAGES_IN_ALL:
                runs[name, number].append(send())
    return runs


# --- what was found ---------------------------------------------------------------------------------------------------


def _rate(run: Run) -> float:
    return run[1].rate


def _cpu(run: Run) -> float:
    """CPU milliseconds a message, of the whole command."""
    cost, taken = run
    return 1000 * cost.cpu / taken.messages


def _print_runs(runs: Mapping[Case, Sequence[Run]]) -> None:
    rows = [
        (
            name,
            f"{number:,}",
            f"{len(made)}",
            middle(made, _rate),
            f"{100 * spread(made, _rate):.0f} %",
            middle(made, lambda run: run[1].messages / run[0].wall),
            middle(made, _cpu),
            middle(made, lambda run: run[0].peak / 1_000_000),
            f"{made[0][1].octets:,}",
        )
        for (name, number), made in runs.items()
    ]
    print_table("messages: medians of interleaved runs, each recipient exactly once", _HEADINGS, rows)


_HEADINGS = ("run", "messages", "runs", "sending/s", "spread", "whole/s", "CPU ms each", "peak MB", "octets each")


def _both(plain: float, attached: float) -> float:
    """Messages a second where every other one has attachments."""
    return 2 / (1 / plain + 1 / attached)


def _print_ratios(runs: Mapping[Case, Sequence[Run]], sizes: Sequence[int]) -> None:
    few, many, most = sizes
    rate = {case: middle(made, _rate) for case, made in runs.items()}
    cpu = {case: middle(made, _cpu) for case, made in runs.items()}
    plain, attached = ("mailer", many), ("mailer, attachments", many)

    def further(name: str, more: int, less: int) -> float:
        """CPU of each message beyond the first `less`: what a message costs when all has been begun."""
        return (cpu[name, more] * more - cpu[name, less] * less) / (more - less)

    rows: list[tuple[str | float, ...]] = []
    for name, must, aim, limits in (
        ("mailmerge", "20", "50", ("0.045", "0.023")),
        ("smtplib and email in a loop", "", "", ("", "")),
    ):
        theirs, theirs_attached = (name, few), (f"{name}, attachments", few)
        if theirs not in rate:
            continue
        rows.append((f"messages/s against {name}", rate[plain] / rate[theirs], must, aim))
        for way in ("one connection", "uvloop"):
            if (f"mailer, {way}", many) in rate:
                rows.append((f"    {way}", rate[f"mailer, {way}", many] / rate[theirs], "", ""))
        rows.append(("    attachments", rate[attached] / rate[theirs_attached], must, aim))
        ours = _both(rate[plain], rate[attached])
        rows.append(
            ("    with and without, as many of each", ours / _both(rate[theirs], rate[theirs_attached]), must, aim)
        )
        rows.append((f"CPU a message, everything, against {name}", cpu[plain] / cpu[theirs], *limits))
        rows.append(("    attachments", cpu[attached] / cpu[theirs_attached], *limits))
        together = (cpu[plain] + cpu[attached]) / (cpu[theirs] + cpu[theirs_attached])
        rows.append(("    with and without, as many of each", together, *limits))
    if ("smtp-source", many) in rate:
        rows.append(("messages/s against smtp-source -s 5", rate[plain] / rate["smtp-source", many], "0.15", "0.40"))
        both = rate[attached] / rate["smtp-source, attachments", many]
        rows.append(("the same, with the attachments", both, "", ""))
    rows += [
        (f"CPU ms a message, everything, {many:,}", cpu[plain], "", ""),
        (f"CPU ms a message, everything, {most:,}", cpu["mailer", most], "0.40", "0.20"),
        ("    ten connections", cpu["mailer, ten connections", most], "0.40", "0.20"),
        (f"CPU ms a message, from the {few:,}th on", further("mailer", many, few), "", ""),
        ("CPU ms added by the attachments", cpu[attached] - cpu[plain], "0.2", "0.1"),
        (
            f"CPU ms a message, {most:,} to {many:,}",
            further("mailer", most, many) / further("mailer", many, few),
            "1.25",
            "",
        ),
        (f"messages/s, {most:,} to {many:,}", rate["mailer", most] / rate[plain], "1", ""),
    ]
    print_table("messages: ratios", ("measure", "found", "must", "aim"), rows)
