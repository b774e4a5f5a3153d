"""How sentences and tables are laid out on a screen of so many columns: no word is broken, and nothing is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "
# Before what of a row stands under its first line.
_UNDER = "    "
# A number or word before a gap, which makes a column of its own: what continues the line stands beside it.
_FIRST_COLUMN = re.compile(r" *[^ ]+ {2,}")


def sentence(text: str, width: int) -> str:
    """`text` broken between words wherever a line of it is wider than `width`.

    What continues a line is indented: as deep as its second column, if it has one, else deeper than the line. A single
    word that is wider than the screen stays whole, to be copied.
    """
    return "\n".join(part for line in text.split("\n") for part in _broken(line, width, " " * _depth(line)))


def _depth(line: str) -> int:
    column = _FIRST_COLUMN.match(line)
    return column.end() if column else len(line) - len(line.lstrip(" ")) + 2


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], width: int | None, *, once: Sequence[str],
    beside: Sequence[str],
) -> Iterator[tuple[str, bool]]:  # fmt: skip
    """The lines of a table, and whether each is a heading: one line a row where that fits, or `width` is None.

    Elsewhere the columns `once` are said above the rows, as often as they change; those `beside` stand side by side, as
    far as they fit, those named first before the others; and the other cells of a row follow, under it if need be.
    """
    cells = [headings, *rows]
    widths = [max(map(_cells, column)) for column in zip(*cells, strict=True)]
    whole = range(len(headings))
    if width is None or _across(widths) <= width:
        for number, row in enumerate(cells):
            yield _aligned(row, whole, widths).rstrip(), number == 0
        return
    shared = [headings.index(heading) for heading in once]
    columns = _fitting([headings.index(heading) for heading in beside], widths, width)
    others = [n for n in whole if n not in shared and n not in columns]
    above = ""
    for number, row in enumerate(cells):
        said = _GAP.join(f"{headings[n]}: {row[n]}" for n in shared if row[n])
        if number and said != above:
            yield from ((line, True) for line in _broken(said, width, _UNDER))
            above = said
        for line in _row(_aligned(row, columns, widths), [row[n] for n in others if row[n]], width):
            yield line, number == 0


def _fitting(wanted: Iterable[int], widths: Sequence[int], width: int) -> list[int]:
    """The columns of those `wanted` that have room side by side, from left to right."""
    chosen: list[int] = []
    for column in wanted:
        if _across([widths[n] for n in (*chosen, column)]) <= width:
            chosen.append(column)
    return sorted(chosen)


def _across(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _aligned(row: Sequence[str], columns: Iterable[int], widths: Sequence[int]) -> str:
    return _GAP.join(row[n] + " " * (widths[n] - _cells(row[n])) for n in columns)


def _row(line: str, others: Sequence[str], width: int) -> list[str]:
    """The line with `others` behind it if all of them fit; else under it, each whole unless wider than the screen."""
    if _cells(_GAP.join((line, *others))) <= width:
        return [_GAP.join((line, *others)).rstrip()]
    lines = [line.rstrip()]
    for cell in others:
        if len(lines) > 1 and _cells(lines[-1] + _GAP + cell) <= width:
            lines[-1] += _GAP + cell
        else:
            lines += _broken(_UNDER + cell, width, _UNDER)
    return lines


def _broken(line: str, width: int, indent: str) -> list[str]:
    """The line in parts of at most `width`, if its words let it; `indent` before each but the first."""
    parts = [""]
    for word in re.findall(r" *[^ ]+", line):
        if parts[-1].strip() and _cells(parts[-1] + word) > width:
            parts.append(indent + word.lstrip(" "))
        else:
            parts[-1] += word
    return parts


def _cells(text: str) -> int:
    """How wide the text is: letters of some scripts take two columns, or none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
