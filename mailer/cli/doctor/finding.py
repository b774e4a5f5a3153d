"""What the doctor found: one line with its meaning for the mailing and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Result(StrEnum):
    """`note` asks nothing; `unseen` could not be looked at; `attention` wants a person.

    `failed` are settings, a ledger or a relay with which no mailing can leave.
    """

    GOOD = "good"
    NOTE = "note"
    UNSEEN = "unseen"
    ATTENTION = "attention"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `found`, `meaning` and `to_do` are sentences without their full stop; the last
    one is empty where there is nothing to do."""

    check: str
    result: Result
    found: str
    meaning: str
    to_do: str = ""

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "result": self.result.value, "to_do": self.to_do or None}
