"""One template of a letter: rendered once for each course that it takes, and its gaps filled for each contact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Generic, TypeVar

from jinja2 import Template

from mailer.render.courses import open_gaps, printing, sort_out
from mailer.render.environment import Sandbox
from mailer.render.faults import failure
from mailer.render.gaps import Filling, renumbered
from mailer.render.placeholders import Source

T = TypeVar("T")

# So many courses of a template are kept. One that takes another course for nearly everybody would gain nothing by more.
_MOST_STENCILS = 64
# A course of more turns than this is not looked up.
_LONGEST_COURSE = 200


@dataclass(frozen=True, slots=True)
class _Stencil(Generic[T]):
    """What one course of a template makes, but for its gaps: `values` prints what belongs there, if there are any."""

    values: Template | None
    filled: Filling[T]


class Part(Generic[T]):
    """A template, `source` compiled under `name`, with the values that are `shared` by all letters put in.

    `made` takes what the template renders, with the signs of gaps in it, and makes the part of it once they are filled.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        source: Source,
        name: str,
        shared: Mapping[str, object],
        made: Callable[[str], Filling[T]],
    ) -> None:
        self._sandbox, self._source, self._name, self._made = sandbox, source, name, made
        self._tree = sandbox.tree(source.text, shared)
        self._parted = sort_out(self._tree, shared)
        self._stencils: dict[tuple[str, ...], _Stencil[T]] = {}

    def render(self, values: Mapping[str, object]) -> T:
        """The part with `values`, the shared ones among them. Raises Failed, which names the tag's file and line."""
        try:
            stencil = self._stencil(values)
            if stencil:
                return stencil.filled(_pieces(stencil.values, values) if stencil.values else ())
        except Exception:  # noqa: S110  # an expression can raise anything; in the whole template it does so in its line
            pass
        return self.render_whole(values)

    def render_whole(self, values: Mapping[str, object]) -> T:
        """What `render` returns and raises, of the template as it was written."""
        try:
            return self._made(self._whole.render(values))(())
        except Exception as exc:
            raise failure(exc, self._source, self._name) from exc

    @cached_property
    def _whole(self) -> Template:
        return self._sandbox.compiled(self._tree, self._name)

    @cached_property
    def _open(self) -> Template:
        return self._sandbox.compiled(self._parted.open, self._name)

    @cached_property
    def _trace(self) -> Template | None:
        trace = self._parted.trace
        return self._sandbox.compiled(trace, self._name) if trace else None

    def _stencil(self, values: Mapping[str, object]) -> _Stencil[T] | None:
        """That of the course which the template takes for `values`; None where it is not worth while."""
        course = _pieces(self._trace, values) if self._trace else ()
        found = self._stencils.get(course)
        if not found and len(self._stencils) < _MOST_STENCILS and len(course) < _LONGEST_COURSE:
            found = self._stencils[course] = self._new_stencil(values)
        return found

    def _new_stencil(self, values: Mapping[str, object]) -> _Stencil[T]:
        gaps = self._parted.gaps
        used, text = renumbered(self._open.render({**values, **open_gaps(len(gaps))}))
        printed = printing([gaps[number] for number in used], self._tree)
        return _Stencil(self._sandbox.compiled(printed, self._name) if used else None, self._made(text))


def _pieces(template: Template, values: Mapping[str, object]) -> tuple[str, ...]:
    # Jinja's own rendering copies the values into its context and joins what comes out of it; the pieces are wanted.
    context = template.new_context(values, shared=True)  # type: ignore[arg-type]  # it is only read
    return tuple(islice(template.root_render_func(context), _LONGEST_COURSE))
