"""The sandboxed Jinja environments: what a value looks like when it is put into a subject, a text or HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Template, Undefined, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from mailer.render import limits
from mailer.render.dates import date_filters
from mailer.render.faults import Missing, Unfit
from mailer.render.folding import folded
from mailer.render.gaps import Gap
from mailer.render.locales import is_right_to_left
from mailer.render.names import capital, isolate, prose

# Control characters, line separators and halves of characters: nothing that a person typed on purpose.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# The same but for the line ends and breaks that a note brings, which is rendered already.
_NO_MARKUP = re.compile(r"[\x00-\x04\x06-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
# Everything RFC 3986 lets stand in an address; the percent sign too, as the address may be encoded already.
_SAFE_IN_LINK = ":/?#[]@!$&'()*+,;=%-._~"
# What most addresses are made of: nothing is left to encode.
_SAFE_LINK = re.compile(rf"(?:https?://|mailto:)[A-Za-z0-9{re.escape(_SAFE_IN_LINK)}]+")

# Those that mailer puts into templates itself.
INTERNAL_FILTERS = frozenset({"at_most", "within_bounds", "bare", "href", "href_part"})


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox in which an entry of a table comes before a method of it: a column may be called `items`."""

    intercepted_binops = frozenset({"*", "%", "**"})
    concat = staticmethod(limits.concat)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - as Jinja calls it
        return limits.reckoned(operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def tree(self, source: str, shared: Mapping[str, object]) -> nodes.Template:
        """`source` with the `shared` values put in, and held to the limits. Raises TemplateSyntaxError."""
        return limits.bounded(folded(source, self, shared))

    def compiled(self, tree: nodes.Template, name: str) -> Template:
        """The template of `tree`; `name` is what its frames are called in tracebacks."""
        code = self.compile(tree, name, name)
        # As a plain dict: each rendering copies them twice, which costs more than a letter in Jinja's chain of maps.
        return Template.from_code(self, code, dict(self.globals))


def environment(language: str, zone: ZoneInfo, *, html: bool, isolated: bool = True) -> Sandbox:
    """The environment for one language and one kind of part, HTML or text.

    Names that are not there are errors; so is whatever is no text or number when printed, because Python's spelling
    of it would be sent. In a right-to-left language Latin runs in values are isolated (UAX #9), unless not `isolated`.
    """
    sandbox = Sandbox(
        undefined=Missing,
        autoescape=html,
        finalize=_printed(isolated=isolated and is_right_to_left(language)),
        keep_trailing_newline=True,
    )
    # What is called could fill the memory of the machine.
    sandbox.globals.clear()
    sandbox.filters = {name: filter_ for name, filter_ in sandbox.filters.items() if name in limits.FILTERS}
    sandbox.filters |= {"join": limits.join, "replace": limits.replace}
    sandbox.filters |= {"at_most": limits.at_most, "within_bounds": limits.within_bounds}
    sandbox.filters |= date_filters(language, zone)
    sandbox.filters |= {"names": prose(language), "capital": capital}
    sandbox.filters |= {"bare": _bare, "href": _href(html), "href_part": _href_part}
    return sandbox


def _printed(*, isolated: bool) -> Callable[[object], object]:
    def printed(value: object) -> object:
        if type(value) is str and not isolated and len(value) <= limits.LONGEST_VALUE and value.isprintable():
            return value
        if isinstance(value, Markup):
            return value if value.isprintable() or isinstance(value, Gap) else Markup(_NO_MARKUP.sub(" ", value))  # noqa: S704
        if isinstance(value, str):
            if len(value) > limits.LONGEST_VALUE:
                limits.within_bounds(value)
            text = value if value.isprintable() else _UNPRINTABLE.sub(" ", value)
            return isolate(text) if isolated else text
        if isinstance(value, Undefined):
            return str(value)  # raises, as it is a strict one
        if unfit := unprintable(value):
            raise unfit
        return value

    return printed


def unprintable(value: object) -> Unfit | None:
    """Why a value of this kind can be printed nowhere; None for texts and numbers."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return None
    if value is None:
        return Unfit("it is empty", "Fill it in, or ask with `{% if … %}` whether it is there.")
    if isinstance(value, bool):
        return Unfit(f"it is {str(value).lower()}, not a text", "Ask for it with `{% if … %}`.")
    if isinstance(value, list | tuple):
        return Unfit("it is a list", "Write `| names`, or go through it with `{% for … %}`.")
    if isinstance(value, Mapping):
        return Unfit("it is a table, not a text", "Name the entry that is meant, as in `event.links.concept_note`.")
    return Unfit("it is no text", "For dates and times write `| date`, `| time`, `| datetime` or `| period`.")


def _bare(value: object) -> Markup:
    """The filter for a value inside an HTML tag or title."""
    return escape(_printed(isolated=False)(value))


def _href(html: bool) -> Callable[[object], Markup]:
    """The filter for a value with which a link's address begins: only http, https and mailto pass."""

    def href(value: object) -> Markup:
        address = str(value).strip()
        if not _SAFE_LINK.fullmatch(address):
            address = _encoded(address)
        return escape(address) if html else Markup(address)  # noqa: S704 - text parts are not escaped

    return href


def _encoded(address: str) -> str:
    """`address` with its signs encoded that may not stand in one. Raises Unfit if it is no address for a link."""
    if not address:
        raise Unfit("the link is empty", "Fill in the address, or leave the link out with `{% if … %}`.")
    if not _LINK.match(address):
        raise Unfit(f"{address!r} is no address for a link", "Links begin with https://, http:// or mailto:.")
    # Not a surrogate, which has no octets to encode: it goes as the question mark that readers expect.
    return quote(address, safe=_SAFE_IN_LINK, errors="replace")


def _href_part(value: object) -> str:
    """The filter for a value inside a link's address: it cannot end the query or the path in which it stands."""
    return quote(str(value), safe="@", errors="replace")
