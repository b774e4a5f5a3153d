"""How a command ends, in the exit codes that scripts go by."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.errors import Problem

# done; done, but something wants a person; usage; input refused; relay unusable; interrupted.
DONE, WANTS_A_PERSON, USAGE, REFUSED, RELAY, INTERRUPTED = 0, 1, 2, 3, 4, 130


def soundness(problems: Iterable[Problem]) -> int:
    """The code of a command that only looks: warnings let it be sound."""
    return REFUSED if any(problem.is_error for problem in problems) else DONE
