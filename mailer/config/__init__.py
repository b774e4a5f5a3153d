"""`config.env` and the environment -> one frozen Config, with every fault told at once.

Names are those of `config.example.env`; the same name in the environment wins over the file. Secrets are neither in
`repr` nor in a Problem nor in a traceback.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError

from mailer.config.settings import MOST_CONNECTIONS, Config
from mailer.config.values import ImapUrl, Limit, is_loopback
from mailer.errors import InputRefused, Problem

__all__ = ["FILE_NAME", "Config", "ImapUrl", "Limit", "is_loopback", "load"]

FILE_NAME = "config.env"

# In a value without quotes: what follows is left out, be it a remark or the rest of a password.
_CUT_BY_COMMENT = re.compile(r"=[ \t]*[^\s'\"#][^\r\n]*?\s#(\S)?")

# What holds the name of somebody or of an account, as in "Office #3"; behind a remark's # there is mostly a blank.
_NAMES = {"SMTP_USERNAME", "MAIL_FROM", "REPLY_TO"}

# A value whose first sign is a quote, as a mail program shows a sender: "Name" <address>.
_OPENS_WITH_QUOTE = re.compile(r"\s*(\w+)[ \t]*=[ \t]*['\"]")


def load(folder: Path = Path(), environment: Mapping[str, str] | None = None) -> tuple[Config, tuple[Problem, ...]]:
    """The settings of the working `folder`, and what is odd about them (warnings).

    A missing `config.env` is no fault: everything has a default, and `send` says what it lacks. An empty value counts
    as not set; in the environment it takes back what the file says. Raises InputRefused with every fault at once, each
    with its line in the file.
    """
    environment = os.environ if environment is None else environment
    lines: dict[str, int] = {}
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for line, binding in _bindings(folder / FILE_NAME):
        if problem := _oddity(line, binding, lines):
            problems.append(problem)
        if binding.key in Config.model_fields and binding.value is not None:
            lines[binding.key], values[binding.key] = line, binding.value
    for key in Config.model_fields.keys() & environment.keys():
        lines.pop(key, None)
        values[key] = environment[key]
    settings = {key: value if _is_secret(key) else value.strip() for key, value in values.items() if value.strip()}
    try:
        config = Config.model_validate(settings)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        faults = [_fault(str(error["loc"][0]), error["msg"], settings, lines) for error in errors]
        raise InputRefused([*faults, *problems]) from None
    if any(problem.is_error for problem in problems):
        raise InputRefused(problems)
    most, wanted = MOST_CONNECTIONS.get(config.SMTP_PROVIDER), config.SMTP_CONNECTIONS
    if most and wanted > most:
        fault = _fault("SMTP_CONNECTIONS", f"is more than the {most} that are let in at once", settings, lines)
        problems.append(replace(fault, severity="warning"))
    return config, tuple(problems)


def _is_secret(key: str) -> bool:
    return not Config.model_fields[key].repr


def _bindings(path: Path) -> Iterator[tuple[int, Binding]]:
    """What stands in the file, with its line; comments and blank lines left out."""
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else exc.strerror
        fix = "Save it as UTF-8 text that you may read."
        raise InputRefused([Problem(f"cannot be read: {reason}", fix, file=path.name)]) from None
    for binding in bindings:
        if binding.key or binding.error:
            text = binding.original.string
            yield binding.original.line + text[: len(text) - len(text.lstrip())].count("\n"), binding


def _oddity(line: int, binding: Binding, lines: Mapping[str, int]) -> Problem | None:
    """What is wrong with a line, whatever its value; `lines` are those of the keys before it."""
    key = binding.key
    if binding.error and (quoted := _OPENS_WITH_QUOTE.match(binding.original.string)):
        problem = f"{quoted[1]} begins with a quote that does not end it"
        fix = "Leave the quotes out, or put '...' around the whole of it."
        return Problem(problem, fix, file=FILE_NAME, row=line)
    if key is None or binding.error or binding.value is None:
        fix = "Write it as in config.example.env; a # begins a comment."
        return Problem("this line is not KEY=value", fix, file=FILE_NAME, row=line)
    if key not in Config.model_fields:
        close = difflib.get_close_matches(key.upper(), Config.model_fields, 1)
        fix = f"Did you mean {close[0]}?" if close else "Remove the line; config.example.env lists all names."
        return Problem(f"{key} is not a setting, so it does nothing", fix, "warning", FILE_NAME, row=line, column=key)
    if key in lines:
        fix = "Keep one of the two; the last one counts."
        return Problem(f"{key} stands on line {lines[key]} too", fix, "warning", FILE_NAME, row=line, column=key)
    cut = _CUT_BY_COMMENT.search(binding.original.string)
    if cut and (_is_secret(key) or (key in _NAMES and cut[1])):
        fix = "Put it between '...' if they belong to it; else give the comment a line of its own."
        problem = f"{key} ends before a blank and a #, which begin a comment"
        return Problem(problem, fix, "warning", FILE_NAME, row=line, column=key)
    return None


def _fault(key: str, message: str, settings: Mapping[str, str], lines: Mapping[str, int]) -> Problem:
    from_environment = key in settings and key not in lines
    value = settings.get(key)
    # With a quote that is not closed, a value goes on over the lines below it, and passwords may stand there.
    is_shown = not _is_secret(key) and "\n" not in (value or "")
    return Problem(
        problem=f"{key} {message.removeprefix('Value error, ')}",
        fix=f"Correct it in {'the environment' if from_environment else FILE_NAME}.",
        file=None if from_environment else FILE_NAME,
        row=lines.get(key),
        column=key,
        value=value if is_shown else None,
    )
