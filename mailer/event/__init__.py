"""`event.toml` -> Event with its mailings, deadlines and rule, every fault of the file told at once.

The file is the only place of an event's dates, times, lists and links. A time without a zone is the event's.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailer.errors import InputRefused, Problem, UsageError
from mailer.event import faults
from mailer.event.attachments import attachment
from mailer.event.moments import days_left, moment
from mailer.event.sheet import EventFile
from mailer.model import Event

__all__ = ["FILE_NAME", "attachment", "choose", "days_left", "load", "moment", "names"]

FILE_NAME = "event.toml"


def names(templates: Path) -> tuple[str, ...]:
    """The events of the folder `templates`: its subfolders that hold an `event.toml`."""
    return tuple(sorted(path.parent.name for path in templates.glob(f"*/{FILE_NAME}")))


def choose(templates: Path, name: str | None) -> str:
    """The event that is meant: `name`, or the only one there is. Raises UsageError that lists what there is."""
    known = names(templates)
    if name is None and len(known) == 1:
        return known[0]
    if name is not None and name in known:
        return name
    if not known:
        raise UsageError(
            f"There is no event: no folder in {templates}/ holds an {FILE_NAME}. Begin with: mailer init DIR"
        )
    what = f"There is no event {name!r}" if name else "There are several events"
    raise UsageError(f"{what}. Name one of: {', '.join(known)}.")


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
    return sheet.event(path.parent, faults.tables_of_its_own(table)), tuple(problems)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        problem = Problem("cannot be read: it is not UTF-8 text", "Save it as UTF-8 text.", file=str(path))
    except OSError as exc:
        problem = Problem(f"cannot be read: {exc.strerror}", "See to it that it is there for you.", file=str(path))
    except tomllib.TOMLDecodeError as exc:
        fix = "Mend that line; texts stand in double quotes, lists in square brackets."
        problem = Problem(f"is not valid TOML: {exc}", fix, file=str(path))
    raise InputRefused([problem])
