"""What is the same in every letter of a language, put into the compiled template as text, once."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape


def folded(source: str, environment: Environment, shared: Mapping[str, object]) -> nodes.Template:
    """The tree of `source`, in which each `{{ … }}` that needs nothing but `shared` names has become its value.

    Most of an invitation is about the event, so this halves the work for a letter. What cannot be evaluated stays as it
    is, to fail where its line is known. Raises TemplateSyntaxError.
    """
    tree = environment.parse(source)
    known = _Known(shared).visit(environment.parse(source))
    context = nodes.EvalContext(environment)
    for kept, tried in zip(tree.find_all(nodes.Output), known.find_all(nodes.Output), strict=True):
        kept.nodes = [_folded(*pair, context) for pair in zip(kept.nodes, tried.nodes, strict=True)]
    return tree


class _Known(NodeTransformer):
    """Puts values in the place of names."""

    def __init__(self, shared: Mapping[str, object]) -> None:
        self._shared = shared

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:  # noqa: N802 - the visitor calls it by the class of the node
        return nodes.Const(self._shared[node.name]) if node.name in self._shared and node.ctx == "load" else node


def _folded(kept: nodes.Expr, tried: nodes.Expr, context: nodes.EvalContext) -> nodes.Expr:
    if isinstance(kept, nodes.TemplateData):
        return kept
    finalize = context.environment.finalize
    try:
        value = tried.as_const(context)
        printed = finalize(value) if finalize else value
        text = escape(printed) if context.autoescape else printed
        return nodes.TemplateData(str(text), lineno=kept.lineno)
    except Exception:  # not known yet, or wrong: rendering the letter finds out
        return kept
