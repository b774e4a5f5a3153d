"""The text part, written from the tokens that make the HTML, as blocks that are laid out in lines later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.render.blocks import require_whole
from mailer.render.markdown import ACTION
from mailer.render.placeholders import Placeholders

# Signs that neither a template nor a value can hold, and that Jinja does not take for blanks. A block is its sign, a
# letter for its kind, the beginning of its first line and of its further ones, and its content.
BLOCK, HANG, CONTENT, BREAK, CELL, NUMBER = "\x02", "\x03", "\x04", "\x05", "\x06", "\x0e"

PARAGRAPH, ITEM, TITLE, SECTION, VERBATIM, ROW, LIST, AS_IS = "p", "i", "=", "-", "v", "r", "l", "a"
_HEADINGS = {"h1": TITLE, "h2": SECTION}


class TextWriter:
    """Writes tokens as the source of a text part that `lines` understands; one writer for all parts of a letter."""

    def __init__(self, placeholders: Placeholders) -> None:
        self._placeholders = placeholders
        self._lists = 0

    def blocks(self, tokens: Sequence[Token]) -> str:
        """The blocks of `tokens`, with the block tags between them."""
        return "".join(self._written(tokens))

    def in_layout(self, layout: str, **parts: Sequence[Token]) -> str:
        """The hidden `layout`, whose own lines and blanks stay as they are, with each `{{ part }}` in its place."""
        as_is = _block(AS_IS, "", "", "")
        written = {name: self.blocks(tokens) + as_is for name, tokens in parts.items()}
        return as_is + self._placeholders.splice(layout, **written)

    def running(self, children: Sequence[Token], *, apart: bool = False) -> str:
        """Inline tokens as running text: a link as "text (address)", or as its address where that is its text.

        With `apart` the address has a line of its own, where every program finds it whole. What is struck out is left
        out. Raises MisplacedTag where a tag in it belongs to one outside.
        """
        pieces: list[str] = []
        struck: list[int] = []
        links: list[tuple[int, str]] = []
        for child in children:
            if child.type in ("text", "code_inline"):
                pieces.append(child.content)
            elif child.type == "image":
                pieces.append(self.running(child.children or []))
            elif child.type in ("softbreak", "hardbreak"):
                pieces.append(" " if child.type == "softbreak" else BREAK)
            elif child.type == "s_open":
                struck.append(len(pieces))
            elif child.type == "s_close":
                start = struck.pop()
                require_whole(self._placeholders.tags_in("".join(pieces[start:])))
                del pieces[start:]
            elif child.type == "link_open":
                links.append((len(pieces), str(child.attrGet("href") or "")))
            elif child.type == "link_close":
                start, address = links.pop()
                pieces[start:] = [self._link("".join(pieces[start:]), address, apart=apart)]
        return "".join(pieces)

    def _link(self, label: str, address: str, *, apart: bool) -> str:
        linked = self._placeholders.as_link(address)
        if address.startswith("mailto:"):
            # Without a subject or the like behind it, with which nobody could write to it.
            address, linked = (form.removeprefix("mailto:").partition("?")[0] for form in (address, linked))
            linked = address if label == address else linked
        if label in ("", address):
            return linked
        return f"{label}{BREAK}{linked}" if apart else f"{label} ({linked})"

    def _written(self, tokens: Sequence[Token]) -> Iterator[str]:
        indent = _Indent()
        kind = PARAGRAPH
        cells: list[str] | None = None
        apart = False
        for token in tokens:
            content = self.running(token.children or [], apart=apart)
            if token.type == "tag":
                yield token.content
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self._lists += 1
                yield _block(LIST, str(self._lists), indent.further, str(token.attrGet("start") or 1))
                indent.marks.append("- " if token.type.startswith("bullet") else f"{NUMBER}{self._lists}{NUMBER} ")
            elif token.type in ("paragraph_open", "heading_open"):
                kind = ITEM if token.hidden else _HEADINGS.get(token.tag, PARAGRAPH)
                apart = token.attrGet("class") == ACTION
            elif token.type == "tr_open":
                cells = []
            elif token.type == "tr_close" and cells is not None:
                yield _block(ROW, indent.further, indent.further, CELL.join(cells))
                cells = None
            elif token.type == "inline" and cells is not None:
                cells.append(content)
            elif token.type == "inline":
                yield _block(kind, indent.first(), indent.further, content)
            elif token.type in ("fence", "code_block"):
                yield _block(VERBATIM, indent.first(), indent.further, token.content.rstrip("\n"))
            elif token.type == "hr":
                yield _block(VERBATIM, indent.first(), indent.further, "-" * 40)
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
    return f"{BLOCK}{kind}{first}{HANG}{further}{CONTENT}{content}"
