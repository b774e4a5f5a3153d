"""Jinja's tags, each hidden behind a word that Markdown and CSS inlining leave alone, and shown again afterwards."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from jinja2 import Environment

Kind = Literal["value", "block", "comment"]

_KINDS: dict[str, Kind] = {"variable": "value", "block": "block", "comment": "comment"}

# A line of nothing but block tags: its whitespace control would only blur where lines end.
_TAG_LINE = re.compile(r"(?m)^[ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+$")
_CONTROL = re.compile(r"(?<=\{%)[-+]|[-+](?=%\})")
# What would open a tag that nobody wrote: a brace before another one, or before a tag that is shown again.
_STRAY_BRACE = re.compile(r"\{(?=[{%#]|\Z)")


@dataclass(frozen=True, slots=True)
class Tag:
    """What stands between the braces of one `{{ … }}`, `{% … %}` or `{# … #}`, and in which file and line.

    `filters` are appended to the value where the letter is put together (`href` inside a link's address).
    """

    kind: Kind
    body: str
    file: str
    line: int
    filters: str = ""

    @property
    def keyword(self) -> str:
        return self.body.split(maxsplit=1)[0] if self.body else ""

    def __str__(self) -> str:
        return f"{{{{ {self.body} }}}}" if self.kind == "value" else f"{{% {self.body} %}}"

    def written(self) -> str:
        """The tag as Jinja source that opens a new line inside its braces, so that each has a line of its own."""
        if self.kind == "comment":
            return ""
        if self.kind == "block":
            return f"{{%\n{self.body} %}}"
        return f"{{{{\n({self.body}){self.filters} }}}}" if self.filters else f"{{{{\n{self.body} }}}}"


class MisplacedTag(Exception):
    """A tag that is not closed where it may be, or stands neither between blocks nor wholly inside a line."""

    def __init__(self, tag: Tag) -> None:
        super().__init__(str(tag))
        self.tag = tag


@dataclass(frozen=True, slots=True)
class Source:
    """Jinja source that was put together from several files, and which tag begins on which of its lines."""

    text: str
    lines: tuple[int, ...]
    tags: tuple[Tag, ...]

    def tag_at(self, line: int) -> Tag | None:
        """The tag that stands on the 1-based `line`, None before the first."""
        index = bisect(self.lines, line) - 1
        return self.tags[index] if index >= 0 else None


class Placeholders:
    """The tags of one letter. `texts` are all sources that will be hidden: none of them holds the words chosen here."""

    def __init__(self, environment: Environment, *texts: str) -> None:
        self._environment = environment
        mark = "zq"
        while any(mark in text for text in texts):
            mark += "q"
        self._mark = mark
        self._word = re.compile(rf"{mark}(\d+)z")
        self._shown = re.compile(rf"<!--{mark}(\d+)z-->|{mark}(\d+)z")
        self._tags: list[Tag] = []
        self._numbers: dict[Tag, int] = {}

    def hide(self, text: str, file: str, line: int = 1) -> str:
        """`text`, which begins on `line` of `file`, with every tag behind its word.

        Raises MisplacedTag if the last one is not closed.
        """
        text = _TAG_LINE.sub(lambda match: _CONTROL.sub(" ", match[0]), text)
        pieces: list[str] = []
        kind: Kind | None = None
        body: list[str] = []
        began = line
        for number, token, value in self._environment.lex(text):
            opening, _, end = token.rpartition("_")
            if token in ("raw_begin", "raw_end"):
                continue
            if end == "begin":
                kind, body, began = _KINDS[opening], [], line + number - 1
            elif end == "end" and kind:
                pieces.append(self.word(Tag(kind, "".join(body).strip(), file, began)))
                kind = None
            else:
                (body if kind else pieces).append(value)
        if kind:
            raise MisplacedTag(Tag(kind, "".join(body).strip(), file, began))
        return "".join(pieces)

    def show(self, text: str) -> Source:
        """Jinja source: `text` with the tags in the place of their words; any other brace in it means itself."""
        pieces: list[str] = []
        lines: list[int] = []
        tags: list[Tag] = []
        line = 1
        for literal, tag in self._split(text):
            written = [_STRAY_BRACE.sub('{{ "{" }}', literal)]
            line += literal.count("\n")
            if tag and tag.kind != "comment":
                lines.append(line + 1)
                tags.append(tag)
                written.append(tag.written())
                line += written[-1].count("\n")
            pieces += written
        return Source("".join(pieces), tuple(lines), tuple(tags))

    def tag(self, word: str) -> Tag | None:
        """The tag behind `word`, None if it is no word of ours."""
        match = self._word.fullmatch(word)
        return self._tags[int(match[1])] if match else None

    def tags_alone(self, line: str) -> list[Tag] | None:
        """The tags of a line that holds nothing but block tags and comments; None for every other line."""
        tags = [self._tags[int(number)] for number in self._word.findall(line)]
        alone = tags and not self._word.sub("", line).strip() and all(tag.kind != "value" for tag in tags)
        return tags if alone else None

    def tags_in(self, text: str) -> list[Tag]:
        return [self._tags[int(number)] for number in self._word.findall(text)]

    def blocks_as_comments(self, text: str) -> str:
        """`text` with the words of block tags made HTML comments, which may stand where other text may not."""
        return self._word.sub(
            lambda match: f"<!--{match[0]}-->" if self._tags[int(match[1])].kind == "block" else match[0], text
        )

    def as_link(self, address: str) -> str:
        """`address` of a link, with its values held to the rules for links: only the first may bring the scheme."""
        return self._filtered(address, " | href", " | href_part")

    def as_attribute(self, text: str) -> str:
        """`text` where programs read it, not people, so that its values are printed without signs of direction."""
        return self._filtered(text, " | bare", " | bare")

    def _filtered(self, text: str, first: str, further: str) -> str:
        def filtered(match: re.Match[str]) -> str:
            tag = self._tags[int(match[1])]
            filters = further if match.start() else first
            return self.word(replace(tag, filters=filters)) if tag.kind == "value" else match[0]

        return self._word.sub(filtered, text)

    def splice(self, text: str, **parts: str) -> str:
        """`text` with each `{{ name }}` of `parts` replaced by that part, for good."""

        def spliced(match: re.Match[str]) -> str:
            tag = self._tags[int(match[1])]
            return parts[tag.body] if tag.kind == "value" and tag.body in parts else match[0]

        return self._word.sub(spliced, text)

    def word(self, tag: Tag) -> str:
        """The word for `tag`, which may be a new one."""
        # Equal values share a word, so that a link whose text is its own address can be told.
        key = replace(tag, line=0) if tag.kind == "value" else tag
        number = self._numbers.setdefault(key, len(self._tags))
        if number == len(self._tags):
            self._tags.append(tag)
        return f"{self._mark}{number}z"

    def _split(self, text: str) -> Iterator[tuple[str, Tag | None]]:
        start = 0
        for match in self._shown.finditer(text):
            yield text[start : match.start()], self._tags[int(match[1] or match[2])]
            start = match.end()
        yield text[start:], None
