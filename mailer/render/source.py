"""Template files: read, their header lines taken apart, and found by name and language."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mailer.errors import Problem
from mailer.render.faults import shown
from mailer.render.limits import LARGEST_TEMPLATE

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HEADER = re.compile(r"([A-Za-z][A-Za-z-]*)[ \t]*:[ \t]*(.*)")


class Unreadable(Exception):
    """A template file is not as it must be; holds the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template as it stands in its file: `file` names it to people, the body begins on the 1-based `body_line`.

    `subject` and `subject_line` are empty and 0 where the kind of file has no header lines.
    """

    file: str
    text: str
    body: str
    body_line: int = 1
    subject: str = ""
    subject_line: int = 0


def read(path: Path, templates: Path, *, headed: bool = False) -> TemplateFile:
    """The template at `path`, with `headed` one of the event's own: taken apart into `Subject: …`, a blank line and the
    body, and never from outside the folder that it stands in.

    Raises Unreadable if it is missing, too large, no UTF-8 text, lacks a subject or leads out.
    """
    file = shown(path, templates)
    try:
        if path.stat().st_size > LARGEST_TEMPLATE:
            problem = f"the template is larger than {LARGEST_TEMPLATE // 1000} kB"
            raise Unreadable(Problem(problem, "Shorten it; a letter has 90 kB at most.", file=file))
        if headed and not path.resolve().is_relative_to(path.parent.resolve()):
            problem = "the template is a link that leads out of the event's folder"
            file = f"{shown(path.parent, templates)}/{path.name}"
            raise Unreadable(Problem(problem, "Put the text itself there.", file=file))
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise Unreadable(Problem("the template is missing", "Write it, or correct its name.", file=file)) from None
    except (OSError, UnicodeDecodeError) as exc:
        raise Unreadable(Problem(f"the template cannot be read: {exc}", "Save it as UTF-8 text.", file=file)) from None
    for number, line in enumerate(text.split("\n"), 1):
        if _CONTROL.search(line):
            fix = "Delete it and type the place anew."
            raise Unreadable(Problem("there is a control character in this line", fix, file=file, row=number))
    return _headed(file, text) if headed else TemplateFile(file, text, text)


def _headed(file: str, text: str) -> TemplateFile:
    lines = text.split("\n")
    subject, subject_line = "", 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            break
        match = _HEADER.match(line)
        if not match or match[1].lower() != "subject" or subject_line:
            fix = "Begin the file with `Subject: …`, then a blank line, then the body."
            raise Unreadable(
                Problem("this is not the one header line, Subject", fix, file=file, row=number, value=line)
            )
        subject, subject_line = match[2].strip(), number
    else:
        number = len(lines)
    if not subject:
        fix = "Begin the file with `Subject: …`, then a blank line, then the body."
        raise Unreadable(Problem("the subject is missing", fix, file=file, row=1))
    return TemplateFile(file, text, "\n".join(lines[number:]), number + 1, subject, subject_line)


def languages_of(folder: Path, stem: str) -> dict[str, Path]:
    """The files of the template `stem` by language; the one without a suffix stands under the empty text."""
    found = {}
    for path in sorted(folder.glob(f"{stem}*.md")):
        match = re.fullmatch(rf"{re.escape(stem)}(?:\.([a-z]{{2,3}}))?\.md", path.name)
        if match:
            found[match[1] or ""] = path
    return found


def find(folders: Iterable[Path], *names: str) -> Path:
    """The first of `names` that is a file in one of `folders`, by name first; where the last would be, if none is."""
    candidates = [folder / name for name in names for folder in folders]
    return next((path for path in candidates if _is_file(path)), candidates[0])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # in a folder that is closed to us: reading it will tell
