"""Values that a template merely looks up: read without Jinja, as most of what is printed of a contact is no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

from jinja2 import nodes
from markupsafe import Markup, escape

from mailer.render.environment import Sandbox

# Gives the text that a gap prints. Raises something where only the template itself can tell what is wrong.
Reader = Callable[[Mapping[str, Any]], str]

# Keys from table to table, the first of them a name: ("contact", "extra", "seat").
Path = tuple[str, ...]

# Those of our filters that look at nothing but the value.
_FILTERS = frozenset({"bare", "href", "href_part"})
# Of these no two that are equal differ in what a template makes of them, as 1 and True do.
_DISTINCT = frozenset({str, int, type(None)})


def path_of(node: nodes.Node) -> Path | None:
    """The way to a name or an entry of a table; None for any other expression."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        key = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        key = node.arg.value
    else:
        return None
    path = path_of(node.node)
    return (*path, key) if path else None


def reader(gap: nodes.Expr, sandbox: Sandbox) -> Reader | None:
    """What prints `gap` as a template of `sandbox` does; None where it is more than an entry in one of our filters."""
    filter_ = None
    if isinstance(gap, nodes.Filter) and gap.name in _FILTERS and gap.node:
        filter_, gap = sandbox.filters[gap.name], gap.node
    path = path_of(gap)
    if not path:
        return None
    finalize, printed = sandbox.finalize or str, _escaped if sandbox.autoescape else str
    *tables, last = path

    def read(values: Mapping[str, Any]) -> str:
        for key in tables:
            values = values[key]
        value = values[last]
        return printed(finalize(filter_(value) if filter_ else value))

    return read


def asked(trace: nodes.Template, shared: Set[str]) -> Callable[[Mapping[str, Any]], tuple[object, ...]]:
    """What reads all values, but the `shared` ones, from which the outcome of `trace` follows.

    Raises LookupError or TypeError where they are not there, or not such that they tell the outcome.
    """
    paths = [path for path in dict.fromkeys(paths_in(trace)) if path[0] not in shared]

    def read(values: Mapping[str, Any]) -> tuple[object, ...]:
        found = []
        for path in paths:
            value: Any = values
            for key in path:
                value = value[key]
            if type(value) not in _DISTINCT:
                raise TypeError
            found.append(value)
        return tuple(found)

    return read


def paths_in(node: nodes.Node) -> Iterator[Path]:
    """The way to each name and entry that `node` looks up."""
    path = path_of(node)
    if path:
        yield path
    else:
        for child in node.iter_child_nodes():
            yield from paths_in(child)


def _escaped(value: object) -> str:
    """`escape`, which makes a new Markup even of what is one, or has no sign that means anything in HTML."""
    if type(value) is Markup:
        return value
    if type(value) is str and not ("&" in value or "<" in value or ">" in value or "'" in value or '"' in value):
        return value
    return escape(value)
