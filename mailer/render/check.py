"""What can be found wrong in a template before anything is rendered: names, tags, and what they leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from mailer.errors import Problem
from mailer.model import Letter
from mailer.render import limits
from mailer.render.document import LARGEST_HTML
from mailer.render.environment import INTERNAL_FILTERS, unprintable
from mailer.render.faults import instead, syntax_problem
from mailer.render.lookups import path_of, paths_in
from mailer.render.source import TemplateFile

_ALLOWED = (nodes.If, nodes.For, nodes.Assign, nodes.Output)
# What else may be meant by an entry that a table does not have.
_ADD = {"event": "Or add it to event.toml.", "contact": "A further column of your sheet is `contact.extra.{name}`."}
# Those of the names whose values are the same in every letter, and known.
_SHARED = frozenset({"event", "deadline"})
_LEFTOVER = re.compile(r"\{\{|\{%|\{#|\{reference\}")
_EMPTY_LINK = re.compile(r'\bhref="(?:mailto:)?"')


def problems_in(template: TemplateFile, environment: Environment, known: Mapping[str, object]) -> list[Problem]:
    """Every unknown name, tag and filter of `template`; `known` are the names it may use, with tables for what is known
    of their entries (a contact's extra columns are not)."""
    if problems := list(limits.too_deep(template.text, environment, template.file)):
        return problems
    try:
        tree = environment.parse(template.text)
        filters = list(_filters(tree, environment))
        environment.compile(tree)
        names = (*_names(tree, environment, known), *_unprintable(tree, known))
        found = {(line, what): fix for line, what, fix in (*filters, *_tags(tree), *names)}
    except TemplateSyntaxError as exc:
        return [syntax_problem(exc, template.file)]
    except RecursionError:
        return [Problem("a tag is too long", "Take the longest one apart.", file=template.file)]
    return [Problem(what, found[line, what], file=template.file, row=line) for line, what in sorted(found)]


def _tags(tree: nodes.Template) -> Iterator[tuple[int, str, str]]:
    # An autoescape tag is two nodes, of which the inner one has no line.
    for statement in tree.find_all(nodes.Stmt):
        if not isinstance(statement, _ALLOWED) and statement.lineno:
            fix = "Templates know `{% if %}`, `{% for %}` and `{% set name = value %}`; use those."
            yield statement.lineno, "this tag has no place in a template", fix
    for call in tree.find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Getattr) and call.node.attr in limits.METHODS):
            fix = "Use a filter, as in `{{ deadline | date }}`; `.strip()` and such may be called."
            yield call.lineno, "this call has no place in a template", fix


def _filters(tree: nodes.Template, environment: Environment) -> Iterator[tuple[int, str, str]]:
    """The unknown filters; in the tree a known one takes the place of each, as Jinja would stop at the first."""
    ours = sorted(environment.filters.keys() - limits.FILTERS - INTERNAL_FILTERS)
    for filter_ in tree.find_all(nodes.Filter):
        if filter_.name not in environment.filters:
            fix = instead(filter_.name, (*ours, *sorted(limits.FILTERS)))
            yield filter_.lineno, f"there is no filter `{filter_.name}`", fix
            filter_.name = "string"


def _names(
    tree: nodes.Template, environment: Environment, known: Mapping[str, object]
) -> Iterator[tuple[int, str, str]]:
    unknown = meta.find_undeclared_variables(tree) - known.keys() - environment.globals.keys()
    assigned = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in unknown:
            yield name.lineno, f"there is no `{name.name}`", instead(name.name, sorted(known))
        if name.ctx != "load" and name.name in known:
            yield name.lineno, f"`{name.name}` is a name of ours and cannot be set anew", "Choose another name."
    for path, line in _paths(tree):
        if path[0] in known and path[0] not in assigned:
            yield from _unknown_entry(path, line, known)


def _unknown_entry(path: tuple[str, ...], line: int, known: Mapping[str, object]) -> Iterator[tuple[int, str, str]]:
    table: object = known
    for depth, part in enumerate(path):
        if not isinstance(table, Mapping):
            return
        if part not in table:
            if not hasattr(dict, part):
                fix = f"{instead(part, sorted(map(str, table)))} {_ADD[path[0]].format(name=part)}"
                yield line, f"there is no `{'.'.join(path[: depth + 1])}`", fix
            return
        table = table[part]


def _unprintable(tree: nodes.Template, known: Mapping[str, object]) -> Iterator[tuple[int, str, str]]:
    """What every letter prints and none can, as the event's values are known: Jinja would stop at the first.

    Whatever stands between tags such as `{% if %}` may never be printed; the samples show it if it is.
    """
    printed = (node for output in tree.body if isinstance(output, nodes.Output) for node in output.nodes)
    for node in printed:
        path = path_of(node) or ("",)
        value: object = known if known.get(path[0]) and path[0] in _SHARED else ""
        for key in path:
            value = value.get(key, "") if isinstance(value, Mapping) else ""
        if unfit := unprintable(value):
            yield node.lineno, f"{{{{ {'.'.join(path)} }}}} cannot be printed: {unfit}", unfit.fix


def _paths(node: nodes.Node) -> Iterator[tuple[tuple[str, ...], int]]:
    """Each `a.b.c` of the tree as ("a", "b", "c") with its line, but those that are asked whether they are there."""
    if isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
        return
    if isinstance(node, nodes.Filter) and node.name in ("default", "d"):
        for argument in node.args:
            yield from _paths(argument)
        return
    path = path_of(node)
    if path and len(path) > 1:
        yield path, node.lineno
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def names_used(templates: Iterable[TemplateFile], environment: Environment) -> frozenset[str]:
    """The names that `templates` use, entries in full ("contact.extra.table"). Raises TemplateSyntaxError."""
    trees = [environment.parse(template.text) for template in templates]
    return frozenset(".".join(path) for tree in trees for path in paths_in(tree))


def problems_of(letter: Letter, file: str) -> list[Problem]:
    """What is wrong with a rendered sample: a tag left over, a link to nowhere, no subject, too much HTML."""
    problems = []
    for part in (letter.subject, letter.text, letter.html):
        leftover = _LEFTOVER.search(part)
        if leftover:
            around = part[leftover.start() : leftover.start() + 40].splitlines()[0]
            fix = "Values from event.toml are printed as they stand: write the value itself there."
            problems.append(Problem("a placeholder is left over in the letter", fix, file=file, value=around))
            break
    if _EMPTY_LINK.search(letter.html):
        problems.append(Problem("a link leads nowhere", "Fill in its address, or take the link out.", file=file))
    if not letter.subject:
        problems.append(Problem("the subject is empty once it is filled in", "Write one that never is.", file=file))
    size = len(letter.html_octets)
    if size > LARGEST_HTML:
        fix = f"Shorten it: mail programs cut off what is over {LARGEST_HTML // 1000} kB."
        problems.append(Problem(f"the HTML has {size // 1000} kB", fix, file=file))
    return problems
