"""The text part: written from the tokens that make the HTML, and laid out in lines once its values are known."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from markdown_it.token import Token

from mailer.render.markdown import ACTION
from mailer.render.placeholders import Placeholders

WIDTH = 76

# Signs that neither a template nor a value can hold, and that Jinja does not take for blanks. A block is its sign, a
# letter for its kind, the beginning of its first line and of its further ones, and its content.
_BLOCK, _HANG, _CONTENT, BREAK, _CELL, _NUMBER = "\x02", "\x03", "\x04", "\x05", "\x06", "\x0e"

_PARAGRAPH, _ITEM, _TITLE, _SECTION, _VERBATIM, _ROW, _LIST, _AS_IS = "p", "i", "=", "-", "v", "r", "l", "a"
_HEADINGS = {"h1": _TITLE, "h2": _SECTION}


# --- writing ----------------------------------------------------------------------------------------------------------


class TextWriter:
    """Writes tokens as the source of a text part that `laid_out` understands; one writer for all parts of a letter."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._lists = 0

    def blocks(self, tokens: Sequence[Token]) -> str:
        """The blocks of `tokens`, with the block tags between them."""
        return "".join(self._written(tokens))

    def in_layout(self, layout: str, **parts: Sequence[Token]) -> str:
        """The hidden `layout`, whose own lines and blanks stay as they are, with each `{{ part }}` in its place."""
        as_is = _block(_AS_IS, "", "", "")
        written = {name: self.blocks(tokens) + as_is for name, tokens in parts.items()}
        return as_is + self._placeholders.splice(layout, **written)

    def running(self, children: Sequence[Token], *, apart: bool = False) -> str:
        """Inline tokens as running text: a link as "text (address)", or as its address where that is its text.

        With `apart` the address has a line of its own, where every program finds it whole.
        """
        pieces: list[str] = []
        links: list[tuple[int, str]] = []
        for child in children:
            if child.type in ("text", "code_inline"):
                pieces.append(child.content)
            elif child.type == "image":
                pieces.append(self.running(child.children or []))
            elif child.type in ("softbreak", "hardbreak"):
                pieces.append(" " if child.type == "softbreak" else BREAK)
            elif child.type == "link_open":
                links.append((len(pieces), str(child.attrGet("href") or "")))
            elif child.type == "link_close":
                start, address = links.pop()
                pieces[start:] = [self._link("".join(pieces[start:]), address, apart=apart)]
        return "".join(pieces)

    def _link(self, label: str, address: str, *, apart: bool) -> str:
        linked = self._placeholders.as_link(address)
        if address.startswith("mailto:"):
            address = address.removeprefix("mailto:")
            linked = address if label == address else linked.removeprefix("mailto:")
        if label in ("", address):
            return linked
        return f"{label}{BREAK}{linked}" if apart else f"{label} ({linked})"

    def _written(self, tokens: Sequence[Token]) -> Iterator[str]:
        indent = _Indent()
        kind = _PARAGRAPH
        cells: list[str] | None = None
        apart = False
        for token in tokens:
            content = self.running(token.children or [], apart=apart)
            if token.type == "tag":
                yield token.content
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._lists += 1
                yield _block(_LIST, str(self._lists), indent.further, str(token.attrGet("start") or 1))
                indent.marks.append("- " if token.type.startswith("bullet") else f"{_NUMBER}{self._lists}{_NUMBER} ")
            elif token.type in ("paragraph_open", "heading_open"):
                kind = _ITEM if token.hidden else _HEADINGS.get(token.tag, _PARAGRAPH)
                apart = token.attrGet("class") == ACTION
            elif token.type == "tr_open":
                cells = []
            elif token.type == "tr_close" and cells is not None:
                yield _block(_ROW, indent.further, indent.further, _CELL.join(cells))
                cells = None
            elif token.type == "inline" and cells is not None:
                cells.append(content)
            elif token.type == "inline":
                yield _block(kind, indent.first(), indent.further, content)
            elif token.type in ("fence", "code_block"):
                yield _block(_VERBATIM, indent.first(), indent.further, token.content.rstrip("\n"))
            elif token.type == "hr":
                yield _block(_VERBATIM, indent.first(), indent.further, "-" * 40)
            else:
                indent.follow(token)


class _Indent:
    """How lines begin at one place among lists and quotations; `marks` are those of the lists around."""

    def __init__(self) -> None:
        self.marks: list[str] = []
        self._hang: list[str] = []
        self._marker = ""

    @property
    def further(self) -> str:
        """How every line but the first of an item begins."""
        return "".join(self._hang)

    def first(self) -> str:
        """How the next block begins: with its item's mark, once."""
        marker, self._marker = self._marker or self.further, ""
        return marker

    def follow(self, token: Token) -> None:
        """Go into, or out of, the list, item or quotation that `token` opens or closes."""
        if token.type == "list_item_open":
            self._marker = (self._marker or self.further) + self.marks[-1]
            self._hang.append("  " if self.marks[-1] == "- " else "   ")
        elif token.type == "blockquote_open":
            self._marker = f"{self._marker}> " if self._marker else ""
            self._hang.append("> ")
        elif token.type in ("list_item_close", "blockquote_close"):
            self._hang.pop()
            self._marker = ""
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self.marks.pop()


def _block(kind: str, first: str, further: str, content: str) -> str:
    return f"{_BLOCK}{kind}{first}{_HANG}{further}{_CONTENT}{content}"


# --- laying out -------------------------------------------------------------------------------------------------------


def layouter(*, right_to_left: bool) -> Callable[[str], str]:
    """The function that lays out a rendered text part: lines of at most WIDTH signs, which no word or address breaks.

    Paragraphs are filled after their values are known, so that a long name wraps as any other word. What is the same
    for most recipients is filled once. In a right-to-left language a line that begins otherwise is given a direction.
    """
    directed: Callable[[str], str] = _directed if right_to_left else str

    def filled(kind: str, first: str, further: str, content: str) -> str:
        if kind == _AS_IS:
            return "\n".join(map(directed, content.split("\n")))
        if kind == _VERBATIM:
            return "\n".join(_begun(content.split("\n"), first, further))
        lines = [line for part in content.split(BREAK) for line in _fill(part, WIDTH - len(further))]
        if kind in (_TITLE, _SECTION):
            lines.append(kind * max(map(len, lines), default=0))
        return "\n".join(directed(line) for line in _begun(lines, first, further))

    @lru_cache(maxsize=256)
    def taken_apart(block: str) -> tuple[str, str, str, str, str]:
        """Kind, beginnings, content and lines of a block; no lines yet where others decide how it begins."""
        head, _, content = block.partition(_CONTENT)
        first, _, further = head[1:].partition(_HANG)
        kind = head[0]
        waits = kind in (_LIST, _ROW) or _NUMBER in first
        return kind, first, further, content, "" if waits else filled(kind, first, further, content)

    def laid_out(rendered: str) -> str:
        pieces: list[str] = []
        numbers: dict[str, int] = {}
        rows: list[tuple[str, ...]] = []
        before = _AS_IS
        for block in rendered.split(_BLOCK)[1:]:
            kind, first, further, content, lines = taken_apart(block)
            if rows and kind != _ROW:
                pieces += [_gap(before, _ROW), _table(rows, further)]
                rows, before = [], _ROW
            if kind == _LIST:
                numbers[first] = int(content)
                before = before if further or before == _AS_IS else _LIST
            elif kind == _ROW:
                rows.append(tuple(" ".join(cell.split(" ")).strip() for cell in content.split(_CELL)))
            else:
                if _NUMBER in first:
                    lines = filled(kind, _numbered(first, numbers), further, content)
                pieces += (_gap(before, kind), lines)
                before = kind
        if rows:
            pieces += [_gap(before, _ROW), _table(rows, "")]
        return "".join(pieces).rstrip("\n") + "\n"

    return laid_out


def _gap(before: str, kind: str) -> str:
    """What parts two blocks: nothing where the layout has its own lines, a line end in lists, else a blank line."""
    if _AS_IS in (before, kind):
        return ""
    return "\n" if before == kind == _ITEM else "\n\n"


def _numbered(first: str, numbers: dict[str, int]) -> str:
    """The beginning of an item with the next number of its list: loops decide how many items there are."""
    parts = first.split(_NUMBER)
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


def _table(rows: Sequence[tuple[str, ...]], indent: str) -> str:
    """Rows, the first of them headings, in columns; where that is too wide, each row as lines "heading: value"."""
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
