"""`event.toml` -> Event with its mailings, deadlines and rule, every fault of the file told at once.

The file is the only place of an event's dates, times, lists and links. A time without a zone is the event's.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailer.errors import InputRefused, Problem, UsageError
from mailer.event import faults
from mailer.event.attachments import attachment
from mailer.event.moments import moment
from mailer.event.sheet import EventFile
from mailer.model import Event

__all__ = ["FILE_NAME", "attachment", "choose", "load", "moment", "names"]

FILE_NAME = "event.toml"


def names(templates: Path) -> tuple[str, ...]:
    """The events of the folder `templates`: its subfolders that hold an `event.toml`.

    Raises InputRefused where this cannot be seen, as a folder may not be read.
    """
    try:
        return tuple(sorted(path.name for path in templates.iterdir() if (path / FILE_NAME).is_file()))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as exc:
        place = Path(exc.filename or templates)
        folder = place.parent if place.name == FILE_NAME else place
        raise InputRefused([_unreadable(folder, exc)]) from None


def choose(templates: Path, name: str | None) -> str:
    """The event that is meant: `name`, or the only one there is.

    Raises UsageError that lists what there is, InputRefused as `names` does.
    """
    known = names(templates)
    if name is None and len(known) == 1:
        return known[0]
    if name is not None and name in known:
        return name
    if not known:
        raise UsageError(
            f"There is no event: no folder in {templates}/ holds an {FILE_NAME}. Go to your working "
            "folder, or make one: mailer init DIR"
        )
    what = f"There is no event {name!r}" if name else "There are several events"
    how = "Write its name behind the command (mailer answers takes it as --event NAME), or EVENT=NAME into config.env."
    raise UsageError(f"{what}. Name one of: {', '.join(known)}. {how}")


def load(templates: Path, name: str) -> tuple[Event, tuple[Problem, ...]]:
    """The event `name` of the folder `templates`, and what is odd about it (warnings).

    Raises InputRefused with every error in its `event.toml` at once.
    """
    path = templates / name / FILE_NAME
    table = _read(path)
    problems = list(faults.found_in(table, path))
    try:
        sheet = EventFile.model_validate(table, context=path.parent)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)
        raise InputRefused([*(faults.refusal(error, path) for error in errors), *problems]) from None
    if any(problem.is_error for problem in problems):
        raise InputRefused(problems)
    problems += [*faults.out_of_reach(sheet.mailings, path), *faults.of_one_name(sheet.mailings, path)]
    return sheet.event(path.parent, faults.tables_of_its_own(table)), tuple(problems)


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text("utf-8-sig")
        return tomllib.loads(text)
    except UnicodeDecodeError:
        problem = Problem("cannot be read: it is not UTF-8 text", "Save it as UTF-8 text.", file=str(path))
    except OSError as exc:
        problem = _unreadable(path, exc)
    except (ValueError, RecursionError) as exc:  # tomllib's own error, a number of thousands of digits, [[[[…
        problem = _no_toml(exc, text, path)
    raise InputRefused([problem])


def _unreadable(path: Path, exc: OSError) -> Problem:
    return Problem(f"cannot be read: {exc.strerror}", "See to it that it is there for you.", file=str(path))


def _no_toml(exc: Exception, text: str, path: Path) -> Problem:
    """What tomllib could not read, with the line and what stands there, which it tells in words alone."""
    reason, _, place = str(exc).rpartition(" (at ")
    told = re.match(r"line (\d+), ", place)
    line = int(told[1]) if told else None
    stands = text.split("\n")[line - 1].strip() if line else None
    fix = "Mend that line; texts stand in double quotes, lists in square brackets."
    if stands and re.search(r"=\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d\s*(#.*)?$", stands):
        fix = "Write the seconds too: 2026-12-15T09:30:00."
    elif stands and re.search(r"(?:^|[=\[])\s*[“”„«‘’]", stands):
        fix = 'Write straight double quotes around the text: "..." in place of “...”.'
    problem = f"is not valid TOML: {reason or exc}" + ("" if line else f" (at {place}" if place else "")
    return Problem(problem, fix, file=str(path), row=line, value=stands)
