"""What `mailer --help` and `mailer --version` cost: what everybody waits for at every command."""

from __future__ import annotations

from report import middle, print_table
from stand import Stand

_ROUNDS = 11


def measure(stand: Stand) -> None:
    folder = stand.new_folder()
    rows = []
    for words in ("--help", "--version"):
        costs = [stand.mailer(folder, words) for _ in range(_ROUNDS)]
        rows.append(
            (f"mailer {words}", middle(costs, lambda cost: cost.cpu), middle(costs, lambda cost: cost.wall), 0.35)
        )
    print_table("help: nothing but words", ("command", "CPU s", "wall s", "CPU must"), rows)
