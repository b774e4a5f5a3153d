"""Medians and tables, as the measurements print them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def middle(runs: Iterable[T], measure: Callable[[T], float]) -> float:
    """The median of what `measure` reads off the runs."""
    return median(map(measure, runs))


def spread(runs: Iterable[T], measure: Callable[[T], float]) -> float:
    """How far apart the runs are: largest to smallest, in parts of the median."""
    values = [measure(run) for run in runs]
    return (max(values) - min(values)) / median(values)


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    """One table, its numbers with three or four figures."""
    cells = [[value if isinstance(value, str) else figures(value) for value in row] for row in rows]
    widths = [max(len(row[n]) for row in [list(headings), *cells]) for n in range(len(headings))]
    print(f"\n{title}")
    for row in [list(headings), *cells]:
        first, *rest = zip(row, widths, strict=True)
        print("  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip())


def figures(value: float) -> str:
    """`12,345`, `312`, `31.2`, `3.12`, `0.0312`."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"
