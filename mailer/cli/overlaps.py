"""Who may get one invitation too many: what only a look at all contacts together shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from mailer.answers.parties import names_of
from mailer.cli.gathering import active
from mailer.cli.guests import problem_at
from mailer.contacts.shelves import Shelves
from mailer.errors import ANOTHER_ROW, Problem, SheetRow
from mailer.model import Contact, Event, Party, PartyKind, Place, Standing, fold

if TYPE_CHECKING:
    from mailer.protocol import Directory

_NAMED = 5
_ROW_BITS = 32

# "the Permanent Missions of Chad, Fiji and Peru" in English, French and Spanish.
_MISSIONS_OF = re.compile(r"(?:.*\s)?(?:missions|misiones)(?: permanentes)?\s(.+)", re.IGNORECASE)
_BETWEEN_STATES = re.compile(r"(,? (?:and|et|y) |, )")
_OF = re.compile(r"^(?:(?:of|de|du|des|del) |d['’])", re.IGNORECASE)


@dataclass(slots=True)
class _Some:
    """Of many, how many they are and the first few."""

    number: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, one: str) -> None:
        self.number += 1
        if len(self.first) < _NAMED:
            self.first.append(one)

    def __str__(self) -> str:
        more = self.number - len(self.first)
        return "; ".join(self.first) + (f"; and {more} more" if more else "")


class Overlaps:
    """Notes the contacts who may be written to as they go by, in at most 40 octets each; `problems` are warnings.

    The same person at two addresses of a party is told one by one, and those after the first few in a line: nobody is
    left out for a likeness. A party whose office is invited beside somebody by name, as is often meant, and whoever is
    of a host of the event, if that is known, are a line each, however many they are.
    """

    def __init__(self, directory: Directory, event: Event | None = None) -> None:
        self._directory, self._event = directory, event
        hosts = chain.from_iterable(event.hosts) if event else ()
        self._hosts = frozenset(chain.from_iterable(map(self._names_of_host, hosts)))
        self._known = lru_cache(maxsize=4096)(self._look_up)  # most parties have several contacts
        self._people, self._parties = Shelves(wide=True), Shelves()
        self._sheets: dict[tuple[str, str | None], int] = {}
        self._twice: list[Problem] = []
        self._others_twice, self._with_office, self._of_hosts = _Some(), _Some(), _Some()

    def watch(self, contacts: Iterable[Contact]) -> Iterator[Contact]:
        """Those of `contacts` who may be written to, seen."""
        for contact in active(contacts):
            self.see(contact)
            yield contact

    def problems(self) -> Iterator[Problem]:
        """What has shown so far."""
        yield from self._twice
        if self._others_twice.number:
            problem = f"{self._others_twice.number} more stand under two addresses of a party: {self._others_twice}"
            yield Problem(problem, "Look at each of them as at those named before.", "warning")
        if self._with_office.number:
            problem = f"both the office and somebody by name are invited: {self._with_office}"
            fix = "Nothing, if that is meant; else move the office's address to the column Cc of the other row."
            yield Problem(problem, fix, "warning")
        if self._event and self._of_hosts.number:
            problem = f"hosts of the event are invited like everybody else: {self._of_hosts}"
            fix = "Nothing, if that is meant; else write yes under 'Do not invite', or give them words of their own."
            yield Problem(problem, fix, "warning", str(self._event.folder / "event.toml"), column="hosts")

    def see(self, contact: Contact) -> None:
        """Note the contact, unless nobody is written to by its row."""
        if contact.status is not Standing.ACTIVE:
            return
        party, is_host = self._known(contact.party)
        if contact.name:
            self._see_person(contact, party)
        is_new = self._parties.put(hash((party, contact.is_mailbox)), 0) is None
        if is_new and self._parties.get(hash((party, not contact.is_mailbox))) is not None:
            self._with_office.add(contact.party.name)
        if is_host:
            self._of_hosts.add(f"{contact.party.name} ({_row(contact.place)})")

    def _see_person(self, contact: Contact, party: str) -> None:
        place = contact.place
        sheet = self._sheets.setdefault((place.file, place.sheet), len(self._sheets))
        name = frozenset(fold(contact.name).split())  # whichever stands first of given and family name
        earlier = self._people.put(hash((party, name)), sheet << _ROW_BITS | place.row)
        if earlier is None:
            return
        first = SheetRow(*list(self._sheets)[earlier >> _ROW_BITS], earlier & (1 << _ROW_BITS) - 1)
        if len(self._twice) < _NAMED:
            who = f"{contact.name} of {contact.party.name}"
            problem = f"{who} stands in {ANOTHER_ROW} too, with another address, and both are invited"
            fix = "Delete one of the two rows, unless they are two people."
            self._twice.append(replace(problem_at(contact, "address", problem, fix, warning=True), other=first))
        else:
            self._others_twice.add(f"{contact.name} ({_row(place)}, and {first})")

    def _look_up(self, party: Party) -> tuple[str, bool]:
        """What is the same for all spellings of the party, and whether it is a host."""
        mission = self._directory.find(party.name) if party.kind is PartyKind.MISSION else None
        key = mission.code if mission else party.key
        return key, bool(self._hosts) and not self._hosts.isdisjoint((key, *names_of(party, self._directory)))

    def _names_of_host(self, host: str) -> Iterator[str]:
        """What a party that is this host may be called: a state, several states' missions or an organisation."""
        if mission := self._directory.find(host):
            yield mission.code
        elif several := _MISSIONS_OF.fullmatch(host):
            pieces = _BETWEEN_STATES.split(several[1])
            # Each alone, and with the next one, for there are states called "A and B".
            spans = ("".join(pieces[at : at + length]) for length in (1, 3) for at in range(0, len(pieces), 2))
            yield from (mission.code for span in spans if (mission := self._directory.find(_OF.sub("", span))))
        else:
            yield self._directory.bare(host)
            yield from names_of(Party(host, PartyKind.ORGANISATION), self._directory)


def _row(place: Place) -> SheetRow:
    return SheetRow(place.file, place.sheet, place.row)
