"""Jinja's block tags between the blocks of Markdown: where each belongs in the stream of tokens."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from mailer.render.placeholders import MisplacedTag, Placeholders, Tag

_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")
_MIDDLE = ("else", "elif")
_HOLDERS = ("bullet_list_open", "ordered_list_open", "list_item_open", "blockquote_open", "tbody_open")


def require_whole(tags: Iterable[Tag]) -> None:
    """Raises MisplacedTag if a construct of `tags`, all of one line of text, begins or ends elsewhere."""
    _constructs([Mark(0, tag, 0, 0) for tag in tags if tag.kind == "block"])


@dataclass(frozen=True, slots=True)
class Mark:
    """A block tag that stood alone on a line: which one it was, and the non-blank lines next to it."""

    order: int
    tag: Tag
    above: int
    below: int


@dataclass(slots=True)
class _Construct:
    """The marks of one `if … else … endif` and the like, and the constructs inside it."""

    marks: list[Mark] = field(default_factory=list)
    inner: list[_Construct] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Container:
    """Something that holds blocks: the lines of its content, and the index of the token that closes it.

    `children` are index, first line and line after the last one of each block in it.
    """

    kind: str
    start: int
    end: int
    close: int
    children: tuple[tuple[int, int, int], ...]

    def place(self, mark: Mark) -> int | None:
        """The index of the token before which the mark belongs, None if it does not stand between the children."""
        if mark.below < self.start or mark.above >= self.end:
            return None
        for index, start, end in self.children:
            if start > mark.above:
                return index
            if end > mark.below:
                return None
        return self.close


def without_tag_lines(lines: Sequence[str], placeholders: Placeholders) -> tuple[list[str], list[Mark]]:
    """The lines that are left for Markdown, and the tags that stood between them.

    Such a tag parts paragraphs, as a blank line does, but neither the items of a list nor the rows of a table.
    """
    kept: list[str] = []
    lifted: list[tuple[int, Tag]] = []
    run: list[Tag] = []
    for line in lines:
        tags = placeholders.tags_alone(line)
        if tags is None:
            if run and not _go_on(kept[-1] if kept else "", line):
                kept.append("")
            lifted += [(len(kept), tag) for tag in run]
            run = []
            kept.append(line)
        else:
            run += [tag for tag in tags if tag.kind == "block"]
    lifted += [(len(kept), tag) for tag in run]
    filled = [number for number, line in enumerate(kept) if line.strip()]
    marks = [
        Mark(
            order,
            tag,
            max((number for number in filled if number < position), default=-1),
            min((number for number in filled if number >= position), default=len(kept)),
        )
        for order, (position, tag) in enumerate(lifted)
    ]
    return kept, marks


def _go_on(above: str, below: str) -> bool:
    """Whether the two lines belong to one table, or to one list."""
    if above.lstrip().startswith("|") and below.lstrip().startswith("|"):
        return True
    return bool(_ITEM.match(below)) and bool(_ITEM.match(above) or above.startswith("  "))


def _constructs(marks: Sequence[Mark]) -> list[_Construct]:
    top = _Construct()
    open_ones = [top]
    for mark in marks:
        keyword = mark.tag.keyword
        if keyword in _MIDDLE or keyword.startswith("end"):
            if len(open_ones) == 1:
                raise MisplacedTag(mark.tag)
            open_ones[-1].marks.append(mark)
            if keyword not in _MIDDLE:
                open_ones.pop()
            continue
        construct = _Construct([mark])
        open_ones[-1].inner.append(construct)
        if keyword != "set":
            open_ones.append(construct)
    if len(open_ones) > 1:
        raise MisplacedTag(open_ones[-1].marks[0].tag)
    return top.inner


def _containers(tokens: Sequence[Token], lines: Sequence[str]) -> list[_Container]:
    """The document, its lists, items, quotations and table bodies, outer ones first."""

    def content_end(end: int) -> int:
        while end > 0 and not lines[end - 1].strip():
            end -= 1
        return end

    found: dict[int, _Container] = {}
    stack: list[tuple[int, str, tuple[int, int], list[tuple[int, int, int]]]] = [(-1, "document", (0, len(lines)), [])]
    for index, token in enumerate(tokens):
        if token.nesting >= 0 and token.map and token.type != "inline":
            stack[-1][3].append((index, token.map[0], content_end(token.map[1])))
        if token.nesting == 1:
            start, end = token.map or (0, 0)
            stack.append((index, token.type, (start, content_end(end)), []))
        elif token.nesting == -1:
            opened, kind, (start, end), children = stack.pop()
            if kind in _HOLDERS:
                found[opened] = _Container(kind, start, end, index, tuple(children))
    children = stack[0][3]
    found[-1] = _Container("document", 0, len(lines) + 1, len(tokens), tuple(children))
    return [found[opened] for opened in sorted(found)]


def with_tags(
    tokens: Sequence[Token], marks: Sequence[Mark], lines: Sequence[str], placeholders: Placeholders
) -> list[Token]:
    """`tokens`, parsed from `lines`, with a token "tag" for each of `marks` where it belongs. Raises MisplacedTag."""
    constructs = _constructs(marks)
    if not constructs:
        return list(tokens)
    containers = _containers(tokens, lines)
    before: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark, index in _placed(constructs, containers):
        before[index].append(mark)
    result: list[Token] = []
    for index, token in enumerate([*tokens, None]):
        for mark in sorted(before[index], key=lambda mark: mark.order):
            result.append(Token("tag", "", 0, content=placeholders.word(mark.tag), block=True))
        if token:
            result.append(token)
    return result


def _placed(constructs: Sequence[_Construct], containers: Sequence[_Container]) -> Iterator[tuple[Mark, int]]:
    """Each mark with the index of the token that it precedes; `containers` are those that may be used, outer first."""
    for construct in constructs:
        fitting = [c for c in containers if all(c.place(mark) is not None for mark in construct.marks)]
        if not fitting:
            raise MisplacedTag(construct.marks[0].tag)
        # A loop repeats items and rows rather than lists and tables; everything else takes as much as it encloses.
        repeated = [c for c in fitting if c.kind.endswith("list_open") or c.kind == "tbody_open"]
        chosen = repeated[-1] if construct.marks[0].tag.keyword == "for" and repeated else fitting[0]
        for mark in construct.marks:
            place = chosen.place(mark)
            if place is not None:
                yield mark, place
        opened = containers.index(chosen)
        yield from _placed(construct.inner, containers[opened:])
