"""What a template may cost: how long and deep it is, how often it repeats, and how long a text it can make.

Whoever writes a template means no harm, but a slip of the finger in a number must not fill the memory of the machine or
keep it busy for hours. Each limit lies far above what a letter of 90 kB needs.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sized
from itertools import islice

from jinja2 import Environment, TemplateSyntaxError, nodes, pass_eval_context
from jinja2.filters import do_join, do_replace

from mailer.errors import Problem
from mailer.render.faults import Unfit

LARGEST_TEMPLATE = 200_000  # octets of a file
DEEPEST_BLOCKS = 20
DEEPEST_BRACKETS = 15
LONGEST_TAG = 150  # names, values and signs
LONGEST_NUMBER = 15  # digits
LONGEST_VALUE = 100_000  # characters of a text, entries of a list
MOST_PIECES = 10_000  # values and texts between them in a part of a letter
# Rounds of each loop where so many are nested, so that no nest takes more than some ten thousand.
ROUNDS = {1: 1000, 2: 200, 3: 30}

# Those of Jinja's filters that neither pad, fill, choose at random nor let a value through as HTML.
FILTERS = frozenset({
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "join",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "select",
    "selectattr", "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper", "wordcount",
})  # fmt: skip

# Methods that a template may call: they give a part of what is there, or its letters in another case.
METHODS = frozenset({
    "capitalize", "count", "endswith", "get", "items", "keys", "lower", "lstrip", "removeprefix", "removesuffix",
    "rstrip", "split", "startswith", "strip", "title", "upper", "values", "cycle",
})  # fmt: skip

_SHORTER = "Take it apart, or let the text stand in the template itself."


def too_deep(text: str, environment: Environment, file: str) -> Iterator[Problem]:
    """The first tag of the template `text` that is longer or deeper than a template needs; none where all is well."""
    blocks = brackets = length = 0
    keyword = ""
    try:
        for line, kind, value in environment.lex(text):
            if kind in ("block_begin", "variable_begin"):
                brackets, length, keyword = 0, 0, ""
                continue
            if kind in ("data", "whitespace"):
                continue
            length += 1
            if length == 1 and kind == "name":
                keyword = value
                blocks += (keyword in ("if", "for")) - (keyword in ("endif", "endfor"))
            if kind == "operator":
                brackets += (value in "([{") - (value in ")]}")
            if blocks > DEEPEST_BLOCKS or brackets > DEEPEST_BRACKETS:
                yield Problem("tags or brackets are nested too deep here", _SHORTER, file=file, row=line)
                return
            if length > LONGEST_TAG or (kind in ("integer", "float") and len(value) > LONGEST_NUMBER):
                yield Problem("this tag, or a number in it, is too long", _SHORTER, file=file, row=line)
                return
    except TemplateSyntaxError:
        return  # told when the template is parsed


def bounded(tree: nodes.Template) -> nodes.Template:
    """`tree`, changed so that its loops stop with an error in time and no name is set to an ever longer value."""
    for assignment in tree.find_all(nodes.Assign):
        assignment.node = _filtered(assignment.node, "within_bounds")
    _bound_loops(tree, 0)
    return tree


def _bound_loops(node: nodes.Node, around: int) -> int:
    """How deep the loops in `node` are nested, which stands inside of `around` others."""
    is_loop = isinstance(node, nodes.For)
    depth = max((_bound_loops(child, around + is_loop) for child in node.iter_child_nodes()), default=0) + is_loop
    if isinstance(node, nodes.For):
        node.iter = _filtered(node.iter, "at_most", nodes.Const(ROUNDS.get(around + depth, 10)))
    return depth


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=node.lineno, environment=node.environment)


def at_most(value: object, rounds: int) -> object:
    """`value` for a loop; raises Unfit if it holds more than `rounds` things."""
    entries = value if isinstance(value, Sized) else list(islice(value, rounds + 1))  # type: ignore[call-overload]
    if len(entries) > rounds:
        raise Unfit(f"the loop would go round more than {rounds} times", "Loop over less, or with fewer loops nested.")
    return entries


def within_bounds(value: object) -> object:
    """`value` if it is no longer, and as a number no larger, than a letter can need. Raises Unfit."""
    if isinstance(value, Sized) and len(value) > LONGEST_VALUE:
        raise Unfit(f"it is longer than {LONGEST_VALUE} characters", "Shorten it.")
    if isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER:
        raise Unfit(f"the number has more than {LONGEST_NUMBER} digits", "Reckon with smaller numbers.")
    return value


def reckoned(operator: str, left: object, right: object) -> object:
    """`left * right` or `left % right` of two numbers; of texts and lists these would repeat and pad. Raises Unfit."""
    if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise Unfit(f"{operator} cannot stand between these", "Use * and % for two numbers, ~ to put texts together.")
    within_bounds(left), within_bounds(right)
    return left * right if operator == "*" else left % right


def concat(pieces: Iterable[str]) -> str:
    """A rendered part of a letter out of its pieces. Raises Unfit, in the template's line, where they do not end."""
    text = "".join(islice(pieces, MOST_PIECES))
    if isinstance(pieces, Generator) and next(pieces, None) is not None:
        pieces.throw(Unfit("the letter grows too long", "Shorten it, or loop over less."))
    return text


@pass_eval_context
def join(context: nodes.EvalContext, value: object, d: str = "", attribute: str | int | None = None) -> str:
    """Jinja's filter, of no more than one loop's entries and with a separator that is a sign or some words."""
    if len(str(d)) > 100:
        raise Unfit("the separator is too long", "Separate by a sign or some words.")
    joined: str = do_join(context, at_most(value, ROUNDS[1]), d, attribute)
    return joined


@pass_eval_context
def replace(context: nodes.EvalContext, s: str, old: str, new: str, count: int | None = None) -> str:
    """Jinja's filter; raises Unfit where the outcome might be enormous."""
    if (len(str(s)) + 1) * len(str(new)) > LONGEST_VALUE * 10:
        raise Unfit("the outcome might be too long", "Replace by a shorter text.")
    return do_replace(context, s, old, new, count)
