"""What can go wrong, said to the person who can mend it.

`Problem` is one thing that is wrong in what people edit; the exceptions stop a command. Every message says what stands
where and what to do; none holds a secret. The command line maps each class to its exit code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]

# Of a value: so much shows which one it is, and a whole text in a cell does not hide the other problems.
_LONGEST_SHOWN = 300

# Stands in the words of a problem for the row that has part in it.
ANOTHER_ROW = "another row"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a sheet, 1-based as the spreadsheet shows it; `sheet` is None for text files."""

    file: str
    sheet: str | None
    row: int

    def __str__(self) -> str:
        return _place(self.file, self.sheet, f"row {self.row}")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file that people edit, with its place and its mend.

    `problem` says what is wrong, `fix` what to do. `file`, `sheet`, `cell` ("B7"), `row` (1-based, as the spreadsheet
    shows it), `column` (the heading) and `value` (what stands there) are None where it has no such place. An `error`
    keeps its row, or the whole run, from being sent; a `warning` does not. `other` is the row with which this one has
    the problem together, ANOTHER_ROW in the words of `problem`.
    """

    problem: str
    fix: str
    severity: Severity = "error"
    file: str | None = None
    sheet: str | None = None
    cell: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    other: SheetRow | None = None

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def is_of_row(self) -> bool:
        """Whether it is of a row of a sheet; in texts people count lines."""
        return self.row is not None and not str(self.file).endswith((".md", ".html", ".txt", ".toml", ".env"))

    def place(self) -> str:
        """`missions.xlsx, sheet Contacts, cell E7`, as far as each part is known; empty where there is none."""
        line = f"{'row' if self.is_of_row else 'line'} {self.row}" if self.row else ""
        return _place(self.file, self.sheet, f"cell {self.cell}" if self.cell else line)

    @property
    def sentence(self) -> str:
        """What is wrong, with the row named that has part in it."""
        return self.problem.replace(ANOTHER_ROW, str(self.other), 1) if self.other else self.problem

    def __str__(self) -> str:
        place = self.place()
        value = self.value or ""
        value = f" ({value[:_LONGEST_SHOWN]!r}{'…' if len(value) > _LONGEST_SHOWN else ''})" if value else ""
        return f"{place + ': ' if place else ''}{self.sentence}{value}. {self.fix}"

    def as_json(self) -> dict[str, object]:
        """The problem with the keys of the `--json` contract, in their order."""
        order = ("file", "sheet", "cell", "row", "column", "value", "severity", "problem", "fix")
        return {key: getattr(self, key) for key in order} | {"problem": self.sentence}


def _place(file: str | None, sheet: str | None, spot: str) -> str:
    return ", ".join(filter(None, (file, f"sheet {sheet}" if sheet else "", spot)))


class MailerError(Exception):
    """Root of all that mailer raises on purpose; its text is meant for the person at the keyboard."""


class UsageError(MailerError):
    """The command was called in a way that cannot be carried out: an unknown event or mailing, a missing --yes."""


class InputRefused(MailerError):
    """Files or settings that people edit are not fit to be sent from; holds every problem found, at least one.

    `advice` is a sentence for all of them together.
    """

    def __init__(self, problems: Iterable[Problem], advice: str = "") -> None:
        self.problems = tuple(problems)
        self.advice = advice
        super().__init__("\n".join(str(problem) for problem in self.problems))


class LedgerError(MailerError):
    """The ledger cannot be used: newer than this program, locked, damaged, on a full disk, not writable."""


class LedgerLost(LedgerError):
    """The ledger failed while messages went out, so that the run broke off; what was in flight is in doubt."""


class LedgerInUse(LedgerError):
    """Another run is at work on the same ledger; the text says which and since when."""


class RelayError(MailerError):
    """The relay as a whole cannot be used now, so the run stops; what was not tried is due again."""


class RelayUnreachable(RelayError):
    """No connection, or one that was refused, stalled or lost before anything could be sent."""


class RelayBusy(RelayUnreachable):
    """The relay has no place for a connection now (421, 432, too many logins): fewer at once, or later."""


class RelayUntrusted(RelayError):
    """TLS was not offered, or the certificate does not prove that this is the relay that was named."""


class LoginRefused(RelayError):
    """The relay did not accept the user name and password or the token, or offers no method that we can use."""


class MailingRefused(RelayError):
    """The relay takes no message of this mailing, or has refused one recipient after the other in the same way."""


class SenderRefused(RelayError):
    """The relay does not let this account send from the address in MAIL_FROM or RETURN_PATH."""
