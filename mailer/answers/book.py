"""The invitations of an event by all that a response may point to them with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailer.answers.parties import Directory, Parties
from mailer.model import Candidate, Invitation, Party, fold


@dataclass(frozen=True, slots=True)
class Book:
    """The invitations of one event as a response may point to them; under each party's key, all that may be meant."""

    parties: Parties
    by_reference: Mapping[str, Invitation]
    by_recipient: Mapping[str, Invitation]
    by_copy: Mapping[str, Sequence[Invitation]]
    by_party: Mapping[str, Sequence[Invitation]]
    by_name: Mapping[str, Sequence[Invitation]]
    people: Mapping[str, str]
    elsewhere: Mapping[str, str]

    @classmethod
    def of(
        cls,
        invitations: Sequence[Invitation],
        directory: Directory,
        *,
        elsewhere: Mapping[str, str] | None = None,
        people: Mapping[str, str] | None = None,
        renamed: Mapping[Party, Party] | None = None,
    ) -> Book:
        """The book of `invitations`, all of one event, with the missions that `directory` knows.

        `elsewhere` tells the event of each reference that belongs to another one, `people` the name of the person
        behind a recipient's key, where there is one, `renamed` what parties are called now that were invited by another
        name.
        """
        parties = Parties.of(invitations, directory, renamed)
        by_copy: dict[str, list[Invitation]] = {}
        by_party: dict[str, list[Invitation]] = {}
        by_name: dict[str, list[Invitation]] = {}
        people = people or {}
        for invitation in invitations:
            by_name.setdefault(name_key(people.get(invitation.recipient.key, "")), []).append(invitation)
            for key in parties.readings(invitation.party):
                by_party.setdefault(key, []).append(invitation)
            for address in invitation.cc:
                by_copy.setdefault(address.key, []).append(invitation)
        by_reference = {invitation.reference: invitation for invitation in invitations}
        by_recipient = {invitation.recipient.key: invitation for invitation in invitations}
        return cls(parties, by_reference, by_recipient, by_copy, by_party, by_name, people, elsewhere or {})

    def key(self, invitation: Invitation) -> str:
        """The key of the party to which the invitation went."""
        return self.parties.key(invitation.party)

    def party(self, key: str) -> Party:
        """The invited party of that key."""
        return self.by_party[key][0].party

    def certain(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that stand for an invited party whose own name in the sheet leaves no doubt."""
        return {key for key in keys if key in self.by_party and all(self.key(one) == key for one in self.by_party[key])}

    def candidates(self, keys: Iterable[str], reason: str) -> tuple[Candidate, ...]:
        """All invitations of the parties of those keys, each once."""
        invited = {one.reference: one for key in sorted(keys) for one in self.by_party.get(key, ())}
        return tuple(candidate(one, reason) for one in invited.values())


def candidate(invitation: Invitation, reason: str) -> Candidate:
    """The invitation as one that an answer may belong to, for that reason."""
    return Candidate(invitation.reference, invitation.party.name, reason)


def same_person(name: str, other: str, least: int) -> bool:
    """Whether all parts of one of the names, at least so many, stand in the other: "Dr. Ada Sample" is Ada SAMPLE."""
    mine, theirs = set(fold(name).split()), set(fold(other).split())
    return len(mine & theirs) >= least and (mine <= theirs or theirs <= mine)


def name_key(name: str) -> str:
    """A full name whatever the order of its parts; nothing for a single word, which many people share."""
    words = sorted(fold(name).split())
    return " ".join(words) if len(words) > 1 else ""
