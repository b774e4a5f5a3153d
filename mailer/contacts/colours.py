"""Rows of an .xlsx sheet that stand out by the ground of their cells, which says something to staff and nothing to us.

Seen in the sheet's XML as it goes by: the reader of values gives no styles, and those that do are slow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from xml.etree import ElementTree as ET

_WHITE = frozenset({("rgb", "FFFFFFFF"), ("rgb", "00FFFFFF"), ("theme", "0"), ("indexed", "9"), ("indexed", "65")})
_REFERENCE = re.compile(rb' r="[A-Z]+([0-9]+)"')
_NOTED = 60  # rows of each look, enough to name some of them


def coloured_styles(styles: ET.Element) -> dict[bytes, str]:
    """By the number of each style of cells that has a coloured ground (`s="5"`), the colour, as the file writes it."""
    fills = [_colour(fill) for fill in styles.iterfind("{*}fills/{*}fill")]
    numbered = enumerate(int(style.get("fillId", "0")) for style in styles.iterfind("{*}cellXfs/{*}xf"))
    return {b"%d" % number: fills[fill] for number, fill in numbered if fill < len(fills) and fills[fill]}


def _colour(fill: ET.Element) -> str:
    """Empty for no ground, a white one, and the dots that every workbook defines."""
    pattern = fill.find("{*}patternFill")
    if pattern is None:
        return ET.tostring(fill, "unicode") if len(fill) else ""  # one that runs from one colour to another
    colour = pattern.find("{*}fgColor")
    if colour is None or pattern.get("patternType", "none") in ("none", "gray125"):
        return ""
    return "" if _WHITE.intersection(colour.items()) and not colour.get("tint") else repr(sorted(colour.items()))


class Colours:
    """The looks of the rows of one sheet: which colours stand together in a row, in how many rows, in which first."""

    def __init__(self, styles: Mapping[bytes, str]) -> None:
        """`styles` are those of `coloured_styles`, at least one."""
        self._styles = styles
        # Filled cells alone: one that carries nothing but a style ends in "/>".
        self._cell = re.compile(rb' s="(%b)"[^>/]*>' % b"|".join(styles))
        self._counts: dict[frozenset[str], int] = {}
        self._first: dict[frozenset[str], list[int]] = {}

    def see(self, block: bytes) -> None:
        """Take in some whole rows."""
        if not any(b' s="%b"' % number in block for number in self._styles):
            return
        cells = ((_row(block, cell.start()), self._styles[cell[1]]) for cell in self._cell.finditer(block))
        for row, found in groupby(cells, key=itemgetter(0)):
            if row is None:
                continue
            look = frozenset(colour for _, colour in found)
            self._counts[look] = self._counts.get(look, 0) + 1
            first = self._first.setdefault(look, [])
            if len(first) < _NOTED:
                first.append(row)

    def rows(self, last: int) -> list[int]:
        """The first of the rows, down to row `last`, with a colour that most have not; stripes are no such colour."""
        plain = {frozenset[str](): last - sum(self._counts.values())}
        counts = plain | self._counts
        usual = max(counts, key=counts.__getitem__)
        telling = (look for look in self._first if look - usual)
        striped = {look for look in self._first if 3 * self._counts[look] > last and _every_second(self._first[look])}
        return sorted(row for look in telling if look not in striped for row in self._first[look])


def _row(block: bytes, end: int) -> int | None:
    """The row of the cell whose reference stands before `end`; None where a whole row has the style."""
    reference = _REFERENCE.match(block, block.rfind(b' r="', 0, end))
    return int(reference[1]) if reference else None


def _every_second(rows: Sequence[int]) -> bool:
    gaps = [after - before for before, after in pairwise(rows)]
    return len(gaps) > 1 and 2 * gaps.count(2) > len(gaps)
