"""How values are made of which there are as many as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots that is frozen for whoever checks the types (PEP 681), and equal by its fields.

    To freeze it while the program runs as well takes, for a contact, a tenth of the time in which its row is read.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
