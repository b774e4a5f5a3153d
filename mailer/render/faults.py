"""What is wrong in a template or in a value put into it, as problems with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import extract_tb

from jinja2 import StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, UndefinedError

from mailer.errors import Problem
from mailer.render.placeholders import Source


class Unfit(TemplateRuntimeError):
    """A value cannot stand where a template puts it; holds what is wrong and what to do."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fix = fix


class Missing(StrictUndefined):
    """An entry that its table does not have; the error names those that it has, or what looks like it."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        table, name = self._undefined_obj, str(self._undefined_name)
        if not (isinstance(table, Mapping) and table):
            return super()._undefined_message
        there = list(map(str, table))
        return f"there is no {name!r}, but {', '.join(map(repr, difflib.get_close_matches(name, there) or there))}"


def instead(wrong: str, there: Iterable[str]) -> str:
    """What there is in place of `wrong`, first what looks like it: "Did you mean `date`? There are: date, time."."""
    names = list(there)
    meant = " or ".join(f"`{name}`" for name in difflib.get_close_matches(wrong, names))
    return f"{f'Did you mean {meant}? ' if meant else ''}There are: {', '.join(names) or 'none'}."


def shown(path: Path, templates: Path) -> str:
    """The file as people name it: from the templates' folder on, and in full where it lies elsewhere."""
    folder = templates.resolve().parent
    resolved = path.resolve()
    return resolved.relative_to(folder).as_posix() if resolved.is_relative_to(folder) else str(resolved)


def syntax_problem(exc: TemplateSyntaxError, file: str) -> Problem:
    """What Jinja could not read, in the line of the file."""
    return Problem(
        f"the template cannot be read: {(exc.message or 'wrong syntax').rstrip('.')}",
        "Mend this tag: {{ ends with }}, {% if %} needs its {% endif %}, {% for %} its {% endfor %}.",
        file=file,
        row=exc.lineno,
    )


class Failed(Exception):
    """A letter could not be rendered: what is wrong, what to do, and in which file and line, where that is known."""

    def __init__(self, problem: str, fix: str, file: str | None, line: int | None) -> None:
        super().__init__(problem)
        self.problem, self.fix, self.file, self.line = problem, fix, file, line


def failure(exc: Exception, source: Source, name: str) -> Failed:
    """What `exc`, raised by the template that was compiled from `source` under `name`, means for its author."""
    lines = [frame.lineno for frame in extract_tb(exc.__traceback__) if frame.filename == name]
    tag = source.tag_at(lines[-1]) if lines and lines[-1] else None
    file, line = (tag.file, tag.line) if tag else (None, None)
    printed = str(tag) if tag else "a tag"
    if isinstance(exc, Unfit):
        return Failed(f"{printed} cannot be printed: {exc}", exc.fix, file, line)
    if isinstance(exc, UndefinedError):
        reason = str(exc).replace("'dict object' has no attribute", "there is no").rstrip(".")
        fix = 'Correct the name, add the column or key, or write `| default("")` where it may be missing.'
        return Failed(f"{printed} has no value: {reason}", fix, file, line)
    return Failed(f"{printed} failed: {exc} ({type(exc).__name__})", "Mend the tag in the template.", file, line)
