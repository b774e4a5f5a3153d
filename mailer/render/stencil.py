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
from mailer.render.gaps import Filling, numbers, renumbered
from mailer.render.lookups import Reader, asked, reader
from mailer.render.placeholders import Source

T = TypeVar("T")

# So many courses of a template are kept. One that takes another course for nearly everybody would gain nothing by more.
_MOST_STENCILS = 64
# A course of more turns than this is not looked up.
_LONGEST_COURSE = 200


@dataclass(frozen=True, slots=True)
class _Stencil(Generic[T]):
    """What one course of a template makes, but for its gaps: what belongs into the first is `plain` to read, `others`
    prints what belongs into the rest, if there are any."""

    plain: tuple[Reader, ...]
    others: Template | None
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
        self._shared = frozenset(shared)
        self._parted = sort_out(self._tree, shared)
        # What a stencil holds follows from the course that the trace shows, and that from the values that the trace
        # reads: so by those first, where all are such that equal ones print the same, and else by the course.
        self._known: dict[tuple[object, ...], _Stencil[T]] = {}
        self._stencils: dict[tuple[str, ...], _Stencil[T]] = {}

    def render(self, values: Mapping[str, object]) -> T:
        """The part with `values`, the shared ones among them. Raises Failed, which names the tag's file and line."""
        try:
            filled = self.filled(values)
        except Exception:  # an expression can raise anything; in the whole template it does so in its line
            filled = None
        return self.render_whole(values) if filled is None else filled

    def filled(self, values: Mapping[str, object]) -> T | None:
        """What `render` returns, out of a stencil; None where one is not worth while.

        Raises whatever an expression does, and only if `render_whole` raises Failed.
        """
        stencil = self._stencil(values)
        if not stencil:
            return None
        texts = [read(values) for read in stencil.plain]
        return stencil.filled((*texts, *_pieces(stencil.others, values)) if stencil.others else texts)

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

    @cached_property
    def _asked(self) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
        trace = self._parted.trace
        return asked(trace, self._shared) if trace else lambda _: ()

    def _stencil(self, values: Mapping[str, object]) -> _Stencil[T] | None:
        """That of the course which the template takes for `values`; None where it is not worth while."""
        try:
            answers = self._asked(values)
        except (LookupError, TypeError):
            return self._stencil_of_course(values)
        found = self._known.get(answers) or self._stencil_of_course(values)
        if found and len(self._known) < _MOST_STENCILS:
            self._known[answers] = found
        return found

    def _stencil_of_course(self, values: Mapping[str, object]) -> _Stencil[T] | None:
        course = _pieces(self._trace, values) if self._trace else ()
        found = self._stencils.get(course)
        if not found and len(self._stencils) < _MOST_STENCILS and len(course) < _LONGEST_COURSE:
            found = self._stencils[course] = self._new_stencil(values)
        return found

    def _new_stencil(self, values: Mapping[str, object]) -> _Stencil[T]:
        gaps = self._parted.gaps
        rendered = self._open.render({**values, **open_gaps(len(gaps))})
        readers = {number: reader(gaps[number], self._sandbox) for number in numbers(rendered)}
        plain = {number: read for number, read in readers.items() if read}
        others = [number for number in readers if number not in plain]
        printed = printing([gaps[number] for number in others], self._tree)
        return _Stencil(
            tuple(plain.values()),
            self._sandbox.compiled(printed, self._name) if others else None,
            self._made(renumbered(rendered, [*plain, *others])),
        )


def _pieces(template: Template, values: Mapping[str, object]) -> tuple[str, ...]:
    # Jinja's own rendering copies the values into its context and joins what comes out of it; the pieces are wanted.
    context = template.new_context(values, shared=True)  # type: ignore[arg-type]  # it is only read
    return tuple(islice(template.root_render_func(context), _LONGEST_COURSE))
