"""Markdown with Jinja tags in it: its tokens, every tag at the border of blocks where it belongs, and their HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from mailer.render.blocks import require_whole, with_tags, without_tag_lines
from mailer.render.placeholders import Placeholders

# The class of a paragraph that is nothing but a link; the layout shows it as a button.
ACTION = "action"

# An address of the web or of a mailbox as people write it in a sentence, whose full stop is no part of it; or a word.
_ADDRESS = re.compile(
    r"(?P<web>https?://(?:[^\s<>\"()]|\([^\s<>\"()]*\))*(?:[\w/=#&%+~-]|\([^\s<>\"()]*\)))"
    r"|(?P<mailbox>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|\w+"
)


def tokens_of(hidden: str, placeholders: Placeholders, links: Mapping[str, str]) -> list[Token]:
    """The block tokens of the Markdown `hidden`, whose Jinja tags are behind words of `placeholders`.

    A block tag alone on its line becomes a token "tag" that stands between blocks, or between the items of a list or
    the rows of a table if that is where its construct begins and ends: a loop around the items of a list makes one
    list. HTML is text here, a bare address of the web or of a mailbox is a link, and so are those values that `links`
    names, each with what a link to it begins with. A paragraph that is nothing but a link with words of its own is
    marked as an `action`. Raises MisplacedTag.
    """
    lines, marks = without_tag_lines(hidden.split("\n"), placeholders)
    parser = _parser(placeholders)
    tokens = parser.parse("\n".join(lines))
    for token in tokens:
        if token.type == "inline":
            require_whole(placeholders.tags_in(token.content))
            token.children = list(_with_links(token.children or [], parser, placeholders, links))
    _mark_actions(tokens)
    return with_tags(tokens, marks, lines, placeholders)


def html_of(tokens: Sequence[Token]) -> str:
    """The HTML of `tokens`, block tags as comments, because that is all HTML allows between the rows of a table."""
    parser = _dialect()
    parser.add_render_rule("tag", _tag_as_comment)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _tag_as_comment(_self: RendererHTML, tokens: Sequence[Token], index: int, *_: object) -> str:
    return f"<!--{tokens[index].content}-->"


def _dialect() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _parser(placeholders: Placeholders) -> MarkdownIt:
    parser = _dialect()

    def autolink(state: StateInline, silent: bool) -> bool:
        """`<{{ rsvp_url }}>`: a link that shows its own address."""
        match = re.compile(r"<(\w+)>").match(state.src, state.pos)
        if not match or not placeholders.tag(match[1]):
            return False
        if not silent:
            token = state.push("link_open", "a", 1)
            token.attrs, token.markup, token.info = {"href": match[1]}, "autolink", "auto"
            state.push("text", "", 0).content = match[1]
            state.push("link_close", "a", -1)
        state.pos = match.end()
        return True

    parser.inline.ruler.before("autolink", "value_autolink", autolink)
    return parser


def _with_links(
    children: Iterable[Token], parser: MarkdownIt, placeholders: Placeholders, links: Mapping[str, str]
) -> Iterator[Token]:
    """The inline tokens, with each address that stands in their text as a link that shows it."""
    depth = 0
    for child in children:
        depth += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type != "text" or depth:
            yield child
            continue
        end = 0
        for found in _ADDRESS.finditer(child.content):
            if address := _address(found, placeholders, links):
                yield Token("text", "", 0, content=child.content[end : found.start()])
                yield Token("link_open", "a", 1, attrs={"href": parser.normalizeLink(address)}, info="auto")
                yield Token("text", "", 0, content=found[0])
                yield Token("link_close", "a", -1)
                end = found.end()
        yield Token("text", "", 0, content=child.content[end:])


def _address(found: re.Match[str], placeholders: Placeholders, links: Mapping[str, str]) -> str | None:
    """Where a link on what was `found` leads; None where it is no address, or one only under a condition."""
    if tag := placeholders.tag(found[0]):
        beginning = links.get(tag.body)
        return None if beginning is None else beginning + found[0]
    if any(tag.kind != "value" for tag in placeholders.tags_in(found[0])):
        return None
    return found["web"] or (f"mailto:{found[0]}" if found["mailbox"] else None)


def _mark_actions(tokens: Sequence[Token]) -> None:
    for opening, inline in pairwise(tokens):
        children = inline.children or []
        if opening.type != "paragraph_open" or opening.hidden or opening.level or len(children) < 3:
            continue
        first, last = children[0], children[-1]
        one_link = [child.type for child in children if child.type in ("link_open", "image")] == ["link_open"]
        if first.type == "link_open" and last.type == "link_close" and one_link and first.info != "auto":
            opening.attrSet("class", ACTION)
