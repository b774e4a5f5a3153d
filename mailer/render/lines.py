"""The text part laid out: lines of at most WIDTH signs, which no word or address breaks."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache

from mailer.render.gaps import Filling, Gap, as_octets, as_text, cut, has_gaps
from mailer.render.plaintext import (
    AS_IS,
    BLOCK,
    BREAK,
    CELL,
    CONTENT,
    HANG,
    ITEM,
    LIST,
    NUMBER,
    PARAGRAPH,
    ROW,
    SECTION,
    TITLE,
    VERBATIM,
)

WIDTH = 76

Directed = Callable[[str], str]

# A block that is none, behind the last one.
_END = "."


def layouter(*, right_to_left: bool) -> Callable[[str], Filling[bytes]]:
    """The function that lays out a rendered text part, for the wire.

    What holds no gap is laid out at once, a paragraph with gaps when their values are known, so that a long name wraps
    as any other word. In a right-to-left language a line that begins otherwise is given a direction.
    """
    directed: Directed = _directed if right_to_left else str

    @lru_cache(maxsize=256)
    def lines(kind: str, first: str, further: str, content: str) -> str:
        if kind == ROW:
            return _table([row.split(CELL) for row in content.split(BLOCK)], further)
        if kind == VERBATIM:
            return "\n".join(_begun(content.split("\n"), first, further))
        if kind == AS_IS:
            return "\n".join(map(directed, content.split("\n")))
        filled = [line for part in content.split(BREAK) for line in _fill(part, WIDTH - len(further))]
        if kind in (TITLE, SECTION):
            filled.append(kind * max(map(len, filled), default=0))
        return "\n".join(directed(line) for line in _begun(filled, first, further))

    def lines_later(kind: str, first: str, further: str, content: str) -> Filling[str]:
        text = as_text(content)

        def anew(values: Sequence[str]) -> str:
            return lines(kind, first, further, text(values))

        return _refilled(first, further, content, directed, anew) if kind in (PARAGRAPH, ITEM) else anew

    def laid_out(rendered: str) -> Filling[bytes]:
        pieces: list[str] = []
        later: list[Filling[str]] = []
        before = AS_IS
        for kind, first, further, content in _blocks(rendered):
            if kind == LIST:
                before = before if further or before == AS_IS else LIST
                continue
            pieces.append(_gap(before, kind))
            if has_gaps(content):
                pieces.append(Gap(len(later)))
                later.append(lines_later(kind, first, further, content))
            else:
                pieces.append(lines(kind, first, further, content))
            before = kind
        octets = as_octets("".join(pieces))
        return lambda values: octets([block(values) for block in later]).rstrip(b"\r\n") + b"\r\n"

    return laid_out


def _blocks(rendered: str) -> Iterator[tuple[str, str, str, str]]:
    """Kind, beginnings of the first and the further lines, and content of each block; the rows of a table as one."""
    numbers: dict[str, int] = {}
    rows: list[str] = []
    indent = ""
    for block in [*rendered.split(BLOCK)[1:], _END]:
        head, _, content = block.partition(CONTENT)
        first, _, further = head[1:].partition(HANG)
        kind = head[0]
        if rows and kind != ROW:
            yield ROW, indent, indent, BLOCK.join(rows)
            rows = []
        if kind == ROW:
            rows.append(content)
            indent = further
        elif kind == LIST:
            numbers[first] = int(content)
            yield LIST, "", further, ""
        elif block != _END:
            yield kind, _numbered(first, numbers), further, content


def _refilled(first: str, further: str, content: str, directed: Directed, anew: Filling[str]) -> Filling[str]:
    """What lays out a paragraph with gaps as `anew` does, which it leaves the odd cases to."""
    parts = content.split(BREAK)
    if "" in parts:
        return anew
    fillings = [_part(part, further if n else first, further, directed) for n, part in enumerate(parts)]

    def filled(values: Sequence[str]) -> str:
        lines: list[str] = []
        for filling in fillings:
            if not filling(values, lines):
                return anew(values)
        return "\n".join(lines)

    return filled


def _part(content: str, first: str, further: str, directed: Directed) -> Callable[[Sequence[str], list[str]], bool]:
    """What fills a paragraph, or what of it stands before or after a hard break, with values: its lines are added to
    those given. False if it has to be looked at more closely: where it is empty, or blanks run together in it.

    Only the lines that a value stands in are filled anew. Those before are the same for everybody, and the further
    course of those behind follows from the word with which the first of them begins.
    """
    width = max(WIDTH - len(further), 1)
    texts, _ = cut(content)
    opening, ending = texts[0], texts[-1]
    front: list[str] = []
    start = 0
    while not opening.startswith(" ") and "  " not in opening and start + width < len(opening):
        end = opening.rfind(" ", start, start + width + 1)
        if end < 0:
            break
        front.append(directed((further if front else first) + opening[start:end]))
        start = end + 1
    begun = further if front else first
    text = as_text(content[start:])

    @cache
    def rest(at: int) -> list[str]:
        return [directed(further + line) for line in _fill(ending[at:], width)]

    def fill(values: Sequence[str], lines: list[str]) -> bool:
        filled = text(values)
        if not filled or "  " in filled or BREAK in filled or filled[0] == " " or filled[-1] == " ":
            return False
        lines += front
        length = len(filled)
        behind = length - len(ending)
        start, beginning = 0, begun
        while length - start > width:
            end = filled.rfind(" ", start, start + width + 1)
            if end < 0:
                end = filled.find(" ", start + width + 1)
                if end < 0:
                    break
            lines.append(directed(beginning + filled[start:end]))
            start, beginning = end + 1, further
            if start >= behind:
                lines += rest(start - behind)
                return True
        lines.append(directed(beginning + filled[start:]))
        return True

    return fill


def _gap(before: str, kind: str) -> str:
    """What parts two blocks: nothing where the layout has its own lines, a line end in lists, else a blank line."""
    if AS_IS in (before, kind):
        return ""
    return "\n" if before == kind == ITEM else "\n\n"


def _numbered(first: str, numbers: dict[str, int]) -> str:
    """The beginning of an item with the next number of its list: loops decide how many items there are."""
    parts = first.split(NUMBER)
    for index in range(1, len(parts), 2):
        name = parts[index]
        parts[index] = f"{numbers[name]}."
        numbers[name] += 1
    return "".join(parts)


def _begun(lines: Sequence[str], first: str, further: str) -> list[str]:
    return [(further if index else first) + line for index, line in enumerate(lines or [""])]


def _fill(text: str, width: int) -> list[str]:
    """`text` in lines of `width`, broken at plain blanks alone, so that 13 h 00 may be kept together by hard ones."""
    text, width = " ".join(filter(None, text.split(" "))), max(width, 1)
    lines: list[str] = []
    start = 0
    while len(text) - start > width:
        cut = text.rfind(" ", start, start + width + 1)
        if cut < 0:
            cut = text.find(" ", start + width + 1)  # behind a word that is longer than a line
        if cut < 0:
            break
        lines.append(text[start:cut])
        start = cut + 1
    return [*lines, text[start:]] if text else lines


def _table(cells: Iterable[Sequence[str]], indent: str) -> str:
    """Rows, the first of them headings, in columns; where that is too wide, each row as lines "heading: value"."""
    rows = [tuple(" ".join(cell.split(" ")).strip() for cell in row) for row in cells]
    count = max(map(len, rows))
    widths = [max(len(row[n]) if n < len(row) else 0 for row in rows) for n in range(count)]
    if sum(widths) + 2 * (count - 1) + len(indent) <= WIDTH:
        padded = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows]
        ruled = [padded[0], "  ".join("-" * width for width in widths), *padded[1:]]
        return "\n".join((indent + line).rstrip() for line in ruled)
    records = []
    for row in rows[1:]:
        pairs = [f"{heading}: {cell}" if heading else cell for heading, cell in zip(rows[0], row, strict=False) if cell]
        lines = [line for pair in pairs for line in _begun(_fill(pair, WIDTH - len(indent) - 2), "", "  ")]
        records.append("\n".join(indent + line for line in lines))
    return "\n\n".join(records)


def _directed(line: str) -> str:
    """`line` with U+200F before it, unless it begins right to left: each line is a bidi paragraph of its own (UAX #9).

    A line that begins with an address stays as it is, so that programs still find the link.
    """
    stripped = line.lstrip(" ->\t")
    if not stripped or stripped.startswith(("http:", "https:")):
        return line
    return line if unicodedata.bidirectional(stripped[0]) in ("R", "AL") else f"\u200f{line}"
