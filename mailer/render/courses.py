"""What a template does with the values of a contact: which it merely prints, and which decide the course it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from jinja2 import nodes

from mailer.render.gaps import Gap

N = TypeVar("N", bound=nodes.Node)

# What a gap is called in the template that leaves them open; no name that people choose begins so.
_NAME = "__gap_"

# Their outcome is a yes or a no: what stands in them is asked for, not printed.
_QUESTIONS = (nodes.Compare, nodes.Test, nodes.Not)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A template taken apart by what is done with the values that differ from contact to contact.

    `gaps` are the expressions that are printed; `open` is the template with a name in the place of each. What that one
    makes follows from what `trace` prints: which way it went at each turn, and each other thing that it prints of a
    contact. `trace` is None where it makes the same for everybody.
    """

    open: nodes.Template
    trace: nodes.Template | None
    gaps: tuple[nodes.Expr, ...]


def sort_out(tree: nodes.Template, shared: Iterable[str]) -> Sorted:
    """The template `tree`, of blocks, loops, assignments and values, in which `shared` names are the same for all."""
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"} | {"loop"}
    own = {name.name for name in tree.find_all(nodes.Name)} - assigned - set(shared)
    personal = own | _touched(tree, own, assigned)
    gaps: dict[str, nodes.Expr] = {}

    def is_gap(child: nodes.Expr) -> bool:
        return bool(_printed(child) & personal) and not _names(child) & assigned

    def with_gap(child: nodes.Expr) -> list[nodes.Expr]:
        if not is_gap(child):
            return [child]
        gaps.setdefault(repr(child), child)  # as equal nodes may print different things, 1 and 1.0
        return [nodes.Name(f"{_NAME}{[*gaps].index(repr(child))}", "load", lineno=child.lineno)]

    def decided(child: nodes.Expr) -> list[nodes.Expr]:
        return [child] if _names(child) & personal and not is_gap(child) else []

    def matters(statement: nodes.Node) -> bool:
        return bool(_names(statement) & personal) or any(statement.find_all(nodes.Assign))

    opened = _like(tree, list(_rebuilt(tree.body, with_gap)))
    trace = _like(tree, list(_rebuilt(tree.body, decided, matters)))
    return Sorted(opened, trace if _names(trace) & personal else None, tuple(gaps.values()))


def open_gaps(number: int) -> dict[str, Gap]:
    """The values with which a template that leaves so many gaps open is rendered."""
    return {f"{_NAME}{n}": Gap(n) for n in range(number)}


def printing(gaps: Iterable[nodes.Expr], tree: nodes.Template) -> nodes.Template:
    """The template that prints nothing but `gaps`, each a piece of its own; `tree` is the one they are from."""
    return _like(tree, [nodes.Output([gap], lineno=gap.lineno) for gap in gaps])


def _touched(tree: nodes.Template, own: set[str], assigned: set[str]) -> set[str]:
    """The `assigned` names that stand together with `own` values, or with one of themselves that does.

    More than are set to something made of them: what a filter makes may be used up by whoever reads it, and whether
    `contact.rank or names | first` reads it depends on the rank.
    """
    together = [names for statement in tree.find_all(nodes.Stmt) for names in _together(statement)]
    found: set[str] = set()
    while new := {name for names in together if names & (own | found) for name in names & assigned} - found:
        found |= new
    return found


def _together(statement: nodes.Stmt) -> Iterator[set[str]]:
    """The names in each expression of a statement, with those that are set to what comes out of it."""
    if isinstance(statement, nodes.Output):
        yield from map(_names, statement.nodes)
    elif isinstance(statement, nodes.If):
        yield _names(statement.test)
    elif isinstance(statement, nodes.For):
        parts = (statement.target, statement.iter, statement.test)
        yield {"loop"}.union(*(_names(part) for part in parts if part))
    else:
        yield _names(statement)


def _names(node: nodes.Node) -> set[str]:
    return {name.name for name in node.find_all(nodes.Name)} | ({node.name} if isinstance(node, nodes.Name) else set())


def _printed(node: nodes.Node) -> set[str]:
    """The names of which something may be printed with `node`, not those that only decide what is."""
    if isinstance(node, nodes.Name):
        return {node.name}
    if isinstance(node, _QUESTIONS):
        return set()
    children = (node.expr1, node.expr2) if isinstance(node, nodes.CondExpr) else node.iter_child_nodes()
    return set().union(*(_printed(child) for child in children if child))


def _rebuilt(
    body: Iterable[nodes.Node],
    replaced: Callable[[nodes.Expr], list[nodes.Expr]],
    traced: Callable[[nodes.Node], bool] | None = None,
) -> Iterator[nodes.Node]:
    """The statements of `body` with what they print `replaced`.

    If they are `traced`, those that do not matter are left out, and at each turn they print which way they go: each
    way at least one sign before anything else, so that no two courses print the same.
    """

    def way(number: int, statements: Iterable[nodes.Node]) -> list[nodes.Node]:
        sign = [nodes.Output([nodes.TemplateData(str(number))])] if traced else []
        return [*sign, *_rebuilt(statements, replaced, traced)]

    for node in body:
        if isinstance(node, nodes.Output):
            if printed := [new for child in node.nodes for new in replaced(child)]:
                yield _like(node, printed)
        elif isinstance(node, nodes.If):
            others = [_like(other, other.test, way(n, other.body), [], []) for n, other in enumerate(node.elif_, 2)]
            turn = _like(node, node.test, way(1, node.body), others, way(0, node.else_))
            if not traced or traced(turn):
                yield turn
        elif isinstance(node, nodes.For):
            rounds = way(1, node.body), way(0, node.else_)
            # Templates may not call `loop`, so none is recursive; a loop that could be prints all rounds in one piece.
            loop = _like(node, node.target, node.iter, *rounds, node.test, False)
            if not traced or traced(loop):
                yield from (loop, *way(0, []))
        else:
            yield node


def _like(node: N, *fields: object) -> N:
    """A node of the same kind and line with other `fields`."""
    return type(node)(*fields, lineno=node.lineno, environment=node.environment)
