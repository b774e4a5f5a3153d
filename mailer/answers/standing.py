"""What the answers mean together: which invitations are closed, which wait for a person, who comes, and the seats."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailer.answers.parties import Parties
from mailer.model import Answer, AnswerState, Attendance, Invitation, Rule, fold

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
_SHARED = frozenset({Rule.TRANSFERABLE, Rule.ONE_PER_PARTY})
_OPEN = frozenset({AnswerState.SUGGESTED, AnswerState.REVIEW})


@dataclass(frozen=True, slots=True)
class Seats:
    """How many come, in which way; `capacity` is that of the room, None where it has none."""

    capacity: int | None
    in_person: int
    online: int
    attending: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A party whose reminders wait until a person settles the answer of that number."""

    key: str
    party: str
    answer: int
    reason: str


@dataclass(frozen=True, slots=True)
class Turnout:
    """Where an event stands.

    `current` are the answers that count, wait or were rejected, in the order of time, without those that a later one
    of the same respondent replaced.
    `answered` tells by recipient key the attendance that closes the invitation, in words where it is a colleague's, and
    for delegates by the key of their own address what they said; `held` why a person must settle something first.
    `silent` are those whose silence is a yes.
    """

    current: tuple[Answer, ...]
    answered: Mapping[str, str]
    held: Mapping[str, str]
    holds: tuple[Hold, ...]
    silent: frozenset[str]

    @property
    def doubts(self) -> tuple[Answer, ...]:
        """The answers that wait for a person."""
        return tuple(answer for answer in self.current if answer.state in _OPEN)

    @property
    def coming(self) -> tuple[Answer, ...]:
        """The answers of those who come, in whatever way."""
        return tuple(
            answer for answer in self.current if answer.state is AnswerState.MATCHED and answer.attendance in COMES
        )

    def seats(self, capacity: int | None, silence: Attendance = Attendance.ATTENDING) -> Seats:
        """The seats taken; `silence` is how those come who need not answer."""
        said = [answer.attendance for answer in self.current if answer.state is AnswerState.MATCHED]
        said += [silence] * len(self.silent)
        return Seats(
            capacity,
            in_person=said.count(Attendance.IN_PERSON),
            online=said.count(Attendance.ONLINE),
            attending=said.count(Attendance.ATTENDING),
            waiting=said.count(Attendance.WAITING),
        )


class Pools:
    """Answers by the invitations that they close together, each respondent with the latest one.

    The transferable and one-per-party invitations of a party are one pool, every other invitation is one by itself.
    """

    def __init__(self, invitations: Iterable[Invitation], parties: Parties) -> None:
        self._parties = parties
        self.invitations = {invitation.reference: invitation for invitation in invitations}
        self._standing: dict[str, dict[str, Answer]] = {}
        self._last: dict[str, Answer] = {}

    def add(self, answer: Answer) -> None:
        """Takes a matched answer in; a later one of the same respondent replaces the earlier, in whatever order."""
        invitation = self.invitations[answer.reference or ""]
        pool = self._pool(invitation)
        standing = self._standing.setdefault(pool, {})
        respondent, *aliases = self._respondent(answer, invitation)
        mine = [standing.pop(key) for key in (respondent, *aliases) if key in standing]
        standing[respondent] = max((*mine, answer), key=_time)
        self._last[pool] = max(self._last.get(pool, answer), answer, key=_time)
        if respondent == invitation.recipient.key:
            self._withdraw_elsewhere(answer, respondent, invitation)

    def _withdraw_elsewhere(self, answer: Answer, respondent: str, own: Invitation) -> None:
        """Whoever answers the own invitation no longer comes on that of a colleague."""
        party = self._parties.key(own.party)
        for pool, standing in self._standing.items():
            earlier = standing.get(respondent)
            if earlier is None or pool == self._pool(own) or self.party_of(earlier.reference) != party:
                continue
            if _time(answer) >= _time(earlier):
                del standing[respondent]

    def excess(self, answer: Answer) -> str | None:
        """Why the rule of its invitation does not allow a further answer like this one; None where it does."""
        invitation = self.invitations[answer.reference or ""]
        if answer.attendance not in _ASKS_FOR_A_SEAT:
            return None
        mine = self._respondent(answer, invitation)
        standing = self._standing.get(self._pool(invitation), {})
        others = [other for key, other in standing.items() if key not in mine and other.attendance in _ASKS_FOR_A_SEAT]
        match invitation.rule:
            case Rule.PLUS_ONE if len(others) > 1:
                return "the invitation is for one person and a guest, and two come already"
            case Rule.ONE_PER_PARTY if others:
                return "one person may come for each party, and one does already"
            case Rule.PERSONAL if others:
                return "the invitation is personal, and somebody has answered it already"
        return None

    def standing(self) -> list[Answer]:
        """Each respondent's latest answer in each pool."""
        return [answer for pool in self._standing.values() for answer in pool.values()]

    def closing(self, invitation: Invitation) -> tuple[Attendance, bool] | None:
        """The attendance that closes the invitation, and whether it is that of the person or office invited itself."""
        pool = self._pool(invitation)
        if pool not in self._last:
            return None
        standing = self._standing[pool]
        if own := standing.get(invitation.recipient.key):
            return own.attendance, True
        through = [answer for answer in standing.values() if answer.reference == invitation.reference]
        if nameless := [answer.attendance for answer in through if not answer.respondent_email]:
            return _weightiest(nameless), True
        said = _weightiest([answer.attendance for answer in standing.values()] or [self._last[pool].attendance])
        return said, said is Attendance.REGRETS and bool(through)

    def party_of(self, reference: str | None) -> str | None:
        """The key of the party to which the invitation of `reference` went."""
        invitation = self.invitations.get(reference or "")
        return self._parties.key(invitation.party) if invitation else None

    def _pool(self, invitation: Invitation) -> str:
        return self._parties.key(invitation.party) if invitation.rule in _SHARED else invitation.reference

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


def turnout(
    invitations: Sequence[Invitation],
    answers: Iterable[Answer],
    parties: Parties,
    reached: Collection[str] = (),
) -> Turnout:
    """Where an event stands by all its invitations and answers; `reached` are the recipients a mailing went out to."""
    pools = Pools(invitations, parties)
    in_time = sorted(answers, key=_time)
    for answer in in_time:
        if answer.state is AnswerState.MATCHED:
            pools.add(answer)
    standing = pools.standing()
    doubts = _doubts(in_time, standing, pools)
    holds = tuple(_holds(doubts, pools))
    answered, silent = _closed(invitations, standing, pools, reached)
    waits: dict[str, list[str]] = {}
    for hold in holds:
        waits.setdefault(hold.key, []).append(hold.reason)
    held = {
        invitation.recipient.key: "; ".join(waits[key])
        for invitation in (invitations if waits else ())
        if (key := parties.key(invitation.party)) in waits
    }
    current = {*standing, *doubts}
    kept = (answer for answer in in_time if answer in current or answer.state is AnswerState.REJECTED)
    return Turnout(tuple(kept), answered, held, holds, silent)


def _closed(
    invitations: Sequence[Invitation], standing: Sequence[Answer], pools: Pools, reached: Collection[str]
) -> tuple[dict[str, str], frozenset[str]]:
    """What closes each invitation that is closed, and what delegates said, by address; and whose silence is a yes."""
    own = {answer.respondent_email.casefold(): answer for answer in sorted(standing, key=_time)}
    answered: dict[str, str] = {}
    silent: set[str] = set()
    for invitation in invitations:
        recipient = invitation.recipient.key
        if closing := pools.closing(invitation):
            attendance, by_invitee = closing
            answered[recipient] = attendance.value if by_invitee else f"{attendance.value}, by a colleague"
        if recipient in own:
            # Whoever has answered has answered, through whosever reference.
            answered[recipient] = own[recipient].attendance.value
        if recipient not in answered and invitation.rule is Rule.REGRETS_ONLY and recipient in reached:
            silent.add(recipient)
    delegates = {key: answer.attendance.value for key, answer in own.items() if key and key not in answered}
    return answered | delegates, frozenset(silent)


def _doubts(in_time: Sequence[Answer], standing: Sequence[Answer], pools: Pools) -> list[Answer]:
    """The open answers that nothing later of the same respondent, about the same parties, has made idle."""
    latest: dict[tuple[str, frozenset[str]], Answer] = {}
    for answer in in_time:
        if answer.state in _OPEN:
            whose = _whose(answer) or f"{answer.id} {answer.file} {answer.row}"
            latest[whose, _points_to(answer, pools)] = answer
    settled: dict[str, list[Answer]] = {}
    for answer in standing:
        settled.setdefault(_whose(answer), []).append(answer)
    return [
        doubt
        for (whose, parties), doubt in latest.items()
        if not any(
            _time(answer) >= _time(doubt) and (not parties or pools.party_of(answer.reference) in parties)
            for answer in settled.get(whose, ())
        )
    ]


def _holds(doubts: Iterable[Answer], pools: Pools) -> Iterable[Hold]:
    for doubt in doubts:
        references = [candidate.reference for candidate in doubt.candidates]
        if doubt.reference:
            references.append(doubt.reference)
        told: set[str] = set()
        for reference in references:
            key = pools.party_of(reference)
            if key and key not in told:
                told.add(key)
                reason = f"answer {doubt.id} waits to be settled: {doubt.reason}"
                yield Hold(key, pools.invitations[reference].party.name, doubt.id, reason)


def _points_to(answer: Answer, pools: Pools) -> frozenset[str]:
    references = (answer.reference, *(candidate.reference for candidate in answer.candidates))
    return frozenset(key for reference in references if (key := pools.party_of(reference)))


def _whose(answer: Answer) -> str:
    return answer.respondent_email.casefold() or fold(answer.respondent_name)


def _weightiest(said: Iterable[Attendance]) -> Attendance:
    return min(said, key=_WEIGHT.index)


def _time(answer: Answer) -> tuple[datetime, float]:
    """What sorts answers: when they were given; at one moment, when they were taken in (0 is not yet)."""
    return answer.at, answer.id or float("inf")
