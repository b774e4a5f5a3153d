"""What the commands print: sentences, tables and problems for people, and JSON for machines."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from traceback import walk_tb
from typing import TextIO

import click

from mailer.cli import screen
from mailer.errors import Problem, UsageError
from mailer.model import State

# Rows named beside the first that has a problem.
_ROWS_NAMED = 20

# So many problems that rows of one list have with those of another are told one by one.
_PAIRS_NAMED = 5

# What a stream says whose reader has left: a pipe or a terminal that is closed.
_LEFT = {errno.EPIPE, errno.EIO, errno.EBADF, errno.ENXIO, errno.ECONNRESET, errno.EINVAL}


def say(text: str = "") -> None:
    """One line for the person at the keyboard; several, broken between words, on a terminal too narrow for it."""
    _print(_fitted(text, sys.stdout), err=False)


def complain(text: str) -> None:
    """One line as `say` has it on standard error, where it does not mix with a report."""
    _print(_fitted(text, sys.stderr), err=True)


def _fitted(text: str, stream: TextIO) -> str:
    width = _width(stream)
    return text if width is None else on_screen(text, width)


def on_screen(text: str, width: int) -> str:
    """`text` for a terminal of so many columns, to which nothing that came from a sheet, a form or a server does
    anything."""
    return screen.sentence("\n".join(map(printable, text.split("\n"))), width)


def _width(stream: TextIO) -> int | None:
    """How many columns the terminal has to which `stream` writes (80 if it does not say); None if there is none."""
    return os.get_terminal_size(stream.fileno()).columns or 80 if stream.isatty() else None


def _print(text: str, *, err: bool) -> None:
    """Prints, unless whoever read it has left (`mailer status | head`, a closed terminal): nothing stops for that.

    Nor does it for a full disk, but a report that is not whole is told, and `is_cut_short` from then on.
    """
    try:
        click.echo(text, err=err)
    except OSError as exc:
        if err:
            sys.stderr = nowhere()
        else:
            _lose(exc)


def _lose(exc: OSError) -> None:
    """Says no more on standard output, which has failed; tells why, unless its reader has left."""
    if exc.errno in _LEFT:
        sys.stdout = nowhere()
    else:
        sys.stdout = _CutShort()
        complain(f"mailer: the report could not be written as a whole: {exc.strerror or exc}")


class _CutShort(io.TextIOBase):
    """Standard output of which a part could not be written: the rest goes nowhere."""

    def write(self, text: str) -> int:
        return len(text)


def is_cut_short() -> bool:
    """Whether a part of what was said could not be written, though its reader has not left."""
    return isinstance(sys.stdout, _CutShort)


def has_lost(exc: OSError) -> bool:
    """Whether `exc` is of something that was printed past `say`, as click prints a help text; then it is told."""
    *_, (frame, _) = walk_tb(exc.__traceback__)
    if frame.f_code is not click.echo.__code__:
        return False
    _lose(exc)
    return True


def nowhere() -> TextIO:
    """Where what is said goes if nobody is there to hear it."""
    return Path(os.devnull).open("w", encoding="utf-8")  # for the rest of the process


def printable(text: str) -> str:
    """`text` with a blank for each letter that does something to a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def as_json(value: object) -> None:
    """`value` as the only thing on standard output."""
    _print(json.dumps(value, ensure_ascii=False, indent=2, default=str), err=False)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, once: Sequence[str], beside: Sequence[str]
) -> None:
    """A table, aligned and whole in a file or pipe.

    On a terminal that is too narrow for it, the columns `once` are said above the rows that share them, those `beside`
    keep to the line, those named first the longest, and the rest of a row stands under it.
    """
    width = _width(sys.stdout)
    cells = (["" if value is None else str(value) for value in row] for row in rows)
    if width is not None:  # what stands in a sheet does nothing to a terminal
        cells = ([printable(cell) for cell in row] for row in cells)
    for line, is_heading in screen.table(headings, cells, width, once=once, beside=beside):
        _print(click.style(line, bold=True) if is_heading and width is not None else line, err=False)


def problems(found: Sequence[Problem]) -> None:
    """Every problem with its place, errors first, on standard error, and how many there are.

    What many rows of a sheet share is told once, so that a fault of a template does not bury the rest.
    """
    for problem in sorted(_grouped(found), key=lambda problem: not problem.is_error):
        complain(f"{problem.severity}: {problem}")
    errors = sum(problem.is_error for problem in found)
    warnings = len(found) - errors
    if found:
        counts = (count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number)
        complain(", ".join(counts))


def _grouped(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The problems, with those that are alike but for their row told at the first of the rows.

    So are many of two lists that each name a row of the other, whatever stands in their cells.
    """
    pairs = Counter(map(_pair, problems))
    alike: dict[Problem, list[Problem]] = {}
    for problem in problems:
        like = replace(problem, row=None, cell=None) if problem.is_of_row else problem
        if (pair := _pair(problem)) and pairs[pair] > _PAIRS_NAMED:
            like = pair
        alike.setdefault(like, []).append(problem)
    for first, *others in alike.values():
        rows = [str(problem.row) for problem in others if problem.is_of_row]
        named = f" (also row{'s' if len(rows) > 1 else ''} {few(rows, _ROWS_NAMED)})" if rows else ""
        yield replace(first, problem=f"{first.problem}{named}")


def _pair(problem: Problem) -> Problem | None:
    """What is the same in all problems of this kind that are between the same two lists; None for any other kind."""
    if problem.other is None:
        return None
    return replace(problem, row=None, cell=None, value=None, other=replace(problem.other, row=0))


def count(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def few(names: Sequence[str], most: int = 5) -> str:
    """The first of the names, and how many there are more: `ada, ben, eva, kof, zoe and 7 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def states(counts: Mapping[State, int]) -> str:
    """`1 failed, 20 sent`; empty where there are none."""
    return ", ".join(f"{number} {state.in_words}" for state, number in sorted(counts.items()))


def moment(at: datetime, now: datetime, zone: tzinfo) -> str:
    """The time of day in `zone`, with the date where that is another than today's: `Monday, 24 February, 10:01 EST`."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M %Z}"
    return f"{local:%A, %d %B, %H:%M %Z}" if local.year == today.year else f"{local:%A, %d %B %Y, %H:%M %Z}"


def moment_from(at: datetime, now: datetime, zone: tzinfo) -> str:
    """`moment` for what is due from `at` on: the first whole minute at which it is not too early to come back."""
    return moment(at + timedelta(seconds=59, microseconds=999_999), now, zone)


def duration(span: timedelta) -> str:
    """`span` as a person says it: `less than a minute`, `14 minutes`, `3 h 20 min`, `43 days`."""
    minutes = round(span.total_seconds() / 60)
    if span < timedelta(minutes=1):
        return "less than a minute"
    if span >= timedelta(days=3):
        return f"{round(span / timedelta(days=1))} days"
    return count(minutes, "minute") if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def confirm(what: str) -> None:
    """Returns once the person at the keyboard has typed yes to `what` ("send 195 messages").

    Raises UsageError where nobody is there, or anything else was typed.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"Nobody is there to confirm: add --yes to {what}.")
    if click.prompt(f"Type yes to {what}", default="no").strip().lower() != "yes":
        raise UsageError("Nothing was done, as you did not type yes.")


def not_a_source(target: Path, sources: Iterable[Path]) -> Path:
    """`target`, unless it is a file that staff keep or lies among them: those are never written to."""
    resolved = target.resolve()
    for source in sources:
        if source.resolve() in (resolved, *resolved.parents):
            raise UsageError(f"{target} is among the files that staff keep; name another place.")
    return target
