"""Answers by the invitations that they close together, each respondent with the latest, and what the rules allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mailer.answers.book import same_person
from mailer.answers.parties import Parties
from mailer.model import Answer, Attendance, Invitation, Rule, fold

# From the one that says most about a party to the one that says least.
_WEIGHT = (
    Attendance.IN_PERSON,
    Attendance.ONLINE,
    Attendance.ATTENDING,
    Attendance.WAITING,
    Attendance.REGRETS,
    Attendance.REVIEW,
)
COMES = frozenset({Attendance.IN_PERSON, Attendance.ONLINE, Attendance.ATTENDING})
_ASKS_FOR_A_SEAT = COMES | {Attendance.WAITING}
# However many come; one public link can bring thousands, so that nobody is counted where nothing hangs on it.
_UNBOUNDED = frozenset({Rule.TRANSFERABLE, Rule.REGRETS_ONLY})


@dataclass(frozen=True, slots=True)
class Closing:
    """The answer that closes an invitation, whether a colleague gave it, and whether that one is reached through it.

    Whoever left no address is reached at that of the invitation alone.
    """

    answer: Answer
    by_colleague: bool
    is_reached_here: bool


class Pools:
    """Answers by the invitations that they close together, each respondent with the latest one.

    The transferable and one-per-party invitations of a party are one pool, every other invitation is one by itself.
    """

    def __init__(
        self, invitations: Iterable[Invitation], parties: Parties, people: Mapping[str, str] | None = None
    ) -> None:
        """`people` tells the name of the person behind a recipient's key, where there is one."""
        self._parties = parties
        self._people = people or {}
        self.invitations = {invitation.reference: invitation for invitation in invitations}
        self._recipients = {invitation.recipient.key for invitation in self.invitations.values()}
        self._standing: dict[str, dict[str, Answer]] = {}
        self._pools_of: dict[str, set[str]] = {}
        self._last: dict[str, Answer] = {}

    def add(self, answer: Answer) -> None:
        """Takes a matched answer in; a later one of the same respondent replaces the earlier, in whatever order."""
        invitation = self.invitations[answer.reference or ""]
        pool = self._pool(invitation)
        standing = self._standing.setdefault(pool, {})
        respondent, *aliases = self._respondent(answer, invitation)
        mine = [standing.pop(key) for key in (respondent, *aliases) if key in standing]
        standing[respondent] = max((*mine, answer), key=time_of)
        self._pools_of.setdefault(respondent, set()).add(pool)
        self._last[pool] = max(self._last.get(pool, answer), answer, key=time_of)
        if respondent == invitation.recipient.key:
            self._withdraw_elsewhere(answer, respondent, invitation)

    def _withdraw_elsewhere(self, answer: Answer, respondent: str, own: Invitation) -> None:
        """Whoever answers the own invitation no longer comes on that of a colleague."""
        party = self._parties.key(own.party)
        for pool in self._pools_of[respondent] - {self._pool(own)}:
            earlier = self._standing[pool].get(respondent)
            if earlier and self.party_of(earlier.reference) == party and time_of(answer) >= time_of(earlier):
                del self._standing[pool][respondent]

    def excess(self, answer: Answer) -> str | None:
        """Why the rule of its invitation does not allow an answer like this one, or its guests; None where it does."""
        invitation = self.invitations[answer.reference or ""]
        if answer.attendance not in _ASKS_FOR_A_SEAT or invitation.rule in _UNBOUNDED:
            return None
        mine = self._respondent(answer, invitation)
        standing = self._standing.get(self._pool(invitation), {})
        others = [other for key, other in standing.items() if key not in mine and other.attendance in _ASKS_FOR_A_SEAT]
        taken = sum(1 + other.guests for other in others)
        match invitation.rule:
            case Rule.PLUS_ONE if taken > 1:
                return "the invitation is for one person and a guest, and two come already"
            case Rule.PLUS_ONE if taken + 1 + answer.guests > 2:
                return f"the invitation is for one person and a guest, and {taken + 1 + answer.guests} would come"
            case Rule.ONE_PER_PARTY if others:
                return "one person may come for each party, and one does already"
            case Rule.ONE_PER_PARTY if answer.guests:
                return f"one person may come for each party, and {1 + answer.guests} would"
            case Rule.PERSONAL if others:
                return "the invitation is personal, and somebody has answered it already"
            case Rule.PERSONAL if answer.guests:
                return f"the invitation is for one person, and {1 + answer.guests} would come"
        return None

    def standing(self) -> list[Answer]:
        """Each respondent's latest answer in each pool."""
        return [answer for pool in self._standing.values() for answer in pool.values()]

    def closing(self, invitation: Invitation) -> Closing | None:
        """What closes the invitation: the word of the person or office invited before that of colleagues."""
        pool = self._pool(invitation)
        if pool not in self._last:
            return None
        standing = self._standing[pool]
        if own := standing.get(invitation.recipient.key):
            return Closing(own, by_colleague=False, is_reached_here=True)
        through = [answer for answer in standing.values() if answer.reference == invitation.reference]
        if by_invitee := [answer for answer in through if self.is_by_invitee(answer)]:
            return Closing(_weightiest(by_invitee), by_colleague=False, is_reached_here=True)
        said = _weightiest(list(standing.values()) or [self._last[pool]])
        is_office = said.attendance is Attendance.REGRETS and bool(through)
        if without_address := [answer for answer in through if not answer.respondent_email]:
            return Closing(_weightiest(without_address), by_colleague=not is_office, is_reached_here=True)
        return Closing(said, by_colleague=not is_office, is_reached_here=False)

    def shut(self) -> Iterator[tuple[str, Answer]]:
        """The keys of the parties that have answered, with what closes a shared invitation that is still to be made."""
        for pool, last in self._last.items():
            if self.invitations[last.reference or ""].rule.is_shared:
                yield pool, _weightiest(list(self._standing[pool].values()) or [last])

    def is_by_invitee(self, answer: Answer) -> bool:
        """Whether the person or office invited gave the matched answer, as far as address and name tell.

        By the invitee's full name it is from any address that was not itself invited; without an address also by part
        of the name, and by any name where nobody knows that of the invitee.
        """
        recipient = self.invitations[answer.reference or ""].recipient.key
        address, invitee = answer.respondent_email.casefold(), self._people.get(recipient, "")
        if address in (recipient, *(() if answer.respondent_name else ("",))):
            return True
        if address:
            return address not in self._recipients and same_person(invitee, answer.respondent_name, 2)
        return not invitee or same_person(invitee, answer.respondent_name, 1)

    def party_of(self, reference: str | None) -> str | None:
        """The key of the party to which the invitation of `reference` went."""
        invitation = self.invitations.get(reference or "")
        return self._parties.key(invitation.party) if invitation else None

    def _pool(self, invitation: Invitation) -> str:
        return self._parties.key(invitation.party) if invitation.rule.is_shared else invitation.reference

    def _respondent(self, answer: Answer, invitation: Invitation) -> tuple[str, ...]:
        """Who answered, first under the name to keep, then under those by which an earlier answer may stand.

        That is the address; without one whoever gave the same name on the same invitation; else the invitee.
        """
        address, name = answer.respondent_email.casefold(), fold(answer.respondent_name)
        if not name:
            return (address or invitation.recipient.key,)
        by_name = f"{invitation.reference} {name}"
        if address:
            return address, by_name
        for key, other in self._standing.get(self._pool(invitation), {}).items():
            if other.reference == invitation.reference and fold(other.respondent_name) == name:
                return (key,)
        return (by_name,)


def time_of(answer: Answer) -> tuple[datetime, float]:
    """What sorts answers: when they were given; at one moment, when they were taken in (0 is not yet)."""
    return answer.at, answer.id or float("inf")


def _weightiest(answers: Iterable[Answer]) -> Answer:
    return min(answers, key=lambda answer: (_WEIGHT.index(answer.attendance), time_of(answer)))
