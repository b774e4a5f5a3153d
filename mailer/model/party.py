"""Whom we write to: a party, and the contacts that a sheet names for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailer.model.address import Address, fold
from mailer.model.frozen import frozen


class PartyKind(StrEnum):
    MISSION = "mission"
    ORGANISATION = "organisation"


class Rule(StrEnum):
    """Who may answer an invitation, and how many (`[rsvp] rule`, or the contact's own)."""

    TRANSFERABLE = "transferable"
    PERSONAL = "personal"
    PLUS_ONE = "plus_one"
    ONE_PER_PARTY = "one_per_party"
    REGRETS_ONLY = "regrets_only"

    @property
    def is_shared(self) -> bool:
        """Whether anybody of the party may answer, and closes all its invitations that are so."""
        return self in {Rule.TRANSFERABLE, Rule.ONE_PER_PARTY}


class Standing(StrEnum):
    """The contact's `status` cell: may this person be written to?"""

    ACTIVE = "active"
    DO_NOT_CONTACT = "do not contact"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Party:
    """The mission, UN office or organisation that is invited, called `name` by those who keep the sheet."""

    name: str
    kind: PartyKind

    @property
    def key(self) -> str:
        return fold(self.name)


@frozen
class Place:
    """Where a contact stands: file name, sheet (None for text files) and 1-based row as the spreadsheet shows it.

    `columns` tells for each field of `Contact` its column letters and heading (`{"rank": ("F", "Diplomatic rank")}`);
    all rows of a sheet share one.
    """

    file: str
    sheet: str | None
    row: int
    columns: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)

    def cell(self, name: str) -> str | None:
        """The cell that holds the field `name` ("F7"), None where the sheet has no such column."""
        return f"{self.columns[name][0]}{self.row}" if name in self.columns else None


@frozen
class Contact:
    """A person or mailbox of a party, as one row says it: cleaned, never guessed, names spelled as typed.

    Empty text means the cell is empty. `name` is the full name, put together from first and last where only those
    are given. `language` is a two-letter code or None. `rule`, `salutation`, `address_name` and `attachment` are the
    row's own words and win over what the event or the forms of address would say. `extra` holds the columns that
    have no meaning to us, by heading in lower_snake_case.
    """

    place: Place
    party: Party
    address: Address
    cc: tuple[Address, ...] = ()
    title: str = ""
    first_name: str = ""
    last_name: str = ""
    name: str = ""
    position: str = ""
    rank: str = ""
    language: str | None = None
    rule: Rule | None = None
    status: Standing = Standing.ACTIVE
    salutation: str = ""
    address_name: str = ""
    attachment: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_mailbox(self) -> bool:
        """Whether nobody is named: an office's or records address."""
        return not (self.name or self.first_name or self.last_name)
