"""Whom a name or a mail domain stands for among the invited parties, and when it stands for nobody alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol

from mailer.answers.domains import tells_nothing
from mailer.model import Contact, Invitation, Party, PartyKind, Standing, fold

# Inside a longer text, shorter words are seldom names; and a name stands at its beginning.
_SHORTEST_NAME_INSIDE = 4
_LONGEST_TEXT = 15


class Mission(Protocol):
    """A mission that is known, under a code that no other has."""

    @property
    def code(self) -> str: ...


class Directory(Protocol):
    """The known missions by name; a name that is easily taken for another's finds none, only candidates."""

    def find(self, name: str) -> Mission | None: ...

    def candidates(self, name: str) -> Sequence[Mission]: ...

    def bare(self, name: str) -> str:
        """The name for comparing, without what stands around a state's name in those of missions."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The keys of the parties that a text may mean, invited or not.

    `sure` where the whole text is a name of one party and no look-alike; `named` where the whole text is a name at all.
    """

    keys: frozenset[str]
    sure: bool
    named: bool


@dataclass(frozen=True, slots=True)
class Parties:
    """The invited parties by name, acronym and mail domain; all spellings of a mission have one key.

    `renamed` tells what parties are called now that were invited by another name (see `renamed`): they have the key of
    that one, and are known by both.
    """

    directory: Directory
    renamed: Mapping[Party, Party] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(default_factory=dict)
    _domains: dict[str, set[str]] = field(default_factory=dict)
    _readings: dict[Party, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, invitations: Iterable[Invitation], directory: Directory, renamed: Mapping[Party, Party] | None = None
    ) -> Parties:
        """The parties of `invitations`. Free-mail domains are none's; a domain of several is none's alone."""
        parties = cls(directory, renamed or {})
        named = {*parties.renamed.values()}
        for invitation in invitations:
            named.add(invitation.party)
            key = parties.key(invitation.party)
            for address in (invitation.recipient, *invitation.cc):
                if not tells_nothing(address.domain):
                    parties._domains.setdefault(address.domain, set()).add(key)
        for party in named:
            for name in names_of(party, directory):
                parties._names.setdefault(name, set()).add(parties.key(party))
        return parties

    def key(self, party: Party) -> str:
        """What makes two parties the same: the mission's code, else the name as folded."""
        party = self.renamed.get(party, party)
        readings = self.readings(party)
        return next(iter(readings)) if len(readings) == 1 else party.key

    def readings(self, party: Party) -> frozenset[str]:
        """The keys that agree with the party: several where the sheet itself holds a look-alike name."""
        party = self.renamed.get(party, party)
        if party not in self._readings:
            codes = frozenset[str]()
            if party.kind is PartyKind.MISSION:
                mission = self.directory.find(party.name)
                codes = frozenset({mission.code} if mission else ())
                if not mission and (several := self.directory.candidates(party.name)):
                    codes = frozenset({party.key, *(one.code for one in several)})
            self._readings[party] = codes or frozenset({party.key})
        return self._readings[party]

    def at(self, domain: str) -> frozenset[str]:
        """The parties that have addresses at `domain`; one alone owns it."""
        return frozenset(self._domains.get(domain, ()))

    def meaning(self, text: str) -> Meaning:
        """Whom `text`, as somebody typed it, stands for; where it is no name, whose names stand in it."""
        if whole := self._named(text):
            return whole
        words = text.split()[:_LONGEST_TEXT]
        for length in range(len(words) - 1, 0, -1):
            spans = (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))
            inside = [found for span in spans if len(span) >= _SHORTEST_NAME_INSIDE and (found := self._named(span))]
            if inside:
                return Meaning(frozenset().union(*(found.keys for found in inside)), sure=False, named=False)
        return Meaning(frozenset(), sure=False, named=False)

    def _named(self, text: str) -> Meaning | None:
        folded = fold(text)
        if not folded:
            return None
        spellings = folded, self.directory.bare(text), fold(_initials(text))
        own = next((self._names[name] for name in spellings if name in self._names), set[str]())
        if mission := self.directory.find(text):
            keys = frozenset({mission.code, *own})
            return Meaning(keys, sure=len(keys) == 1, named=True)
        if several := self.directory.candidates(text):
            return Meaning(frozenset({*(one.code for one in several), *own}), sure=False, named=True)
        return Meaning(frozenset(own), sure=len(own) == 1, named=True) if own else None


def renamed(
    invitations: Collection[Invitation], contacts: Iterable[Contact], directory: Directory
) -> dict[Party, Party]:
    """The invited parties that the lists, which are all of `contacts`, call otherwise now, each with its new name.

    That is one whose name is gone from the lists while whoever of those invited by it is left stands under one other.
    Where the name still stands, somebody has only moved; where several took its place, nobody can know which it is.
    Nobody who has left the post keeps a name standing: such rows are seldom tidied. Nor is anything renamed to what
    others were invited by who stand under a third name now: that name has only changed hands. And one person alone
    among others who were invited may have moved to them, unless a mail domain is theirs together and nobody else's.
    """
    invited = {one.recipient.key: one.party for one in invitations}
    listed: set[Party] = set()
    bearers: Counter[tuple[Party, Party]] = Counter()  # of the name that they were invited by, and of that of today
    for contact in contacts:
        if contact.status is not Standing.LEFT:
            listed.add(contact.party)
        if was := invited.get(contact.address.key):
            bearers[was, contact.party] += 1
    # What is the same for all spellings of a name is asked for once for each.
    key_of = Parties(directory).key
    standing = {key_of(party) for party in listed}
    found: dict[str, Counter[str]] = {}
    for (was, party), number in bearers.items():
        found.setdefault(key_of(was), Counter())[key_of(party)] += number
    now = {key_of(party): party for _, party in bearers}
    owners = _owners(invitations, key_of)
    new: dict[str, Party] = {}
    for gone in found.keys() - standing:
        names = found[gone].keys() - {gone}
        for key in names if len(names) == 1 else ():
            has_changed_hands = key in found and key not in found[key]
            may_have_moved = key in found and found[gone][key] == 1 and {gone, key} not in owners
            if not (has_changed_hands or may_have_moved):
                new[gone] = now[key]
    return {party: new[key] for party in set(invited.values()) if (key := key_of(party)) in new}


def _owners(invitations: Iterable[Invitation], key_of: Callable[[Party], str]) -> Collection[Set[str]]:
    """The keys of the parties that have addresses at a domain, for each domain that tells something."""
    parties: dict[str, set[Party]] = {}
    for one in invitations:
        parties.setdefault(one.recipient.domain, set()).add(one.party)
    return [{*map(key_of, those)} for domain, those in parties.items() if not tells_nothing(domain)]


def names_of(party: Party, directory: Directory) -> Iterator[str]:
    """The folded names of the party: a mission's as in the sheet and without what stands around the state's in it.

    An organisation's as in the sheet, without its brackets, what stands in them, and its initials.
    """
    yield party.key
    if party.kind is PartyKind.MISSION:
        yield directory.bare(party.name)
        return
    outside = re.sub(r"\(.*?\)", " ", party.name)
    yield from filter(None, (fold(outside), fold(_initials(outside))))
    for inside in re.findall(r"\((\w[\w.-]+)\)", party.name):
        yield fold(inside)


def _initials(name: str) -> str:
    """The acronym of a name of three or more parts ("UN High Commissioner for Refugees" is UNHCR), or nothing."""
    words = [word for word in re.findall(r"[^\W\d_]+", name) if word[0].isupper()]
    if len(words) < 2:
        return ""
    letters = "".join(word if word.isupper() and len(word) <= 3 else word[0] for word in words)
    return letters if len(letters) >= 3 else ""
