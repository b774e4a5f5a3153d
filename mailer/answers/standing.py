"""What the answers mean together: which invitations are closed, which wait for a person, who comes, and the seats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mailer.answers.parties import Parties
from mailer.answers.pools import COMES, Pools, time_of
from mailer.model import Answer, AnswerState, Attendance, Invitation, Rule, fold

_OPEN = frozenset({AnswerState.SUGGESTED, AnswerState.REVIEW})
_MAY_COME = COMES | {Attendance.REVIEW}


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
    """A party whose reminders wait until a person settles an answer, and which."""

    key: str
    party: str
    reason: str


@dataclass(frozen=True, slots=True)
class Turnout:
    """Where an event stands.

    `current` are the answers that count, wait or were rejected, in the order of time, without those that a later one
    of the same respondent replaced.
    `answered` tells by recipient key the attendance that closes the invitation, in words where it is a colleague's, and
    for delegates by the key of their own address what they said; `comes` the answer of those who come by the key of the
    address at which they are written to; `held` why a person must settle something first. `silent` are those whose
    silence is a yes. `shut` tells by party key what closes the shared invitations that are still to be made.
    """

    current: tuple[Answer, ...]
    answered: Mapping[str, str]
    comes: Mapping[str, Answer]
    held: Mapping[str, str]
    holds: tuple[Hold, ...]
    silent: frozenset[str]
    shut: Mapping[str, str] = field(default_factory=dict)

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

    def reaches(self, key: str) -> bool:
        """Whether somebody comes who is written to at the address of that key."""
        return key in self.comes or key in self.silent

    @property
    def may_come(self) -> tuple[Answer, ...]:
        """The answers that wait for a person, of those who may come and are not among them by another answer."""
        return tuple(
            doubt
            for doubt in self.doubts
            if doubt.attendance in _MAY_COME and not self.reaches(doubt.respondent_email.casefold())
        )

    def seats(self, capacity: int | None, silence: Attendance = Attendance.ATTENDING) -> Seats:
        """The seats taken, those of guests included; `silence` is how those come who need not answer."""
        said = Counter({silence: len(self.silent)})
        for answer in self.current:
            if answer.state is AnswerState.MATCHED:
                said[answer.attendance] += 1 + answer.guests
        return Seats(
            capacity,
            in_person=said[Attendance.IN_PERSON],
            online=said[Attendance.ONLINE],
            attending=said[Attendance.ATTENDING],
            waiting=said[Attendance.WAITING],
        )


def turnout(
    invitations: Sequence[Invitation],
    answers: Iterable[Answer],
    parties: Parties,
    reached: Collection[str] = (),
    people: Mapping[str, str] | None = None,
) -> Turnout:
    """Where an event stands by all its invitations and answers.

    `reached` are the recipients a mailing went out to; `people` tells the names of the persons invited by recipient
    key, as far as they are known: by them an invitee is recognised at another address.
    """
    pools = Pools(invitations, parties, people)
    in_time = sorted(answers, key=time_of)
    for answer in in_time:
        if answer.state is AnswerState.MATCHED:
            pools.add(answer)
    standing = pools.standing()
    doubts = _doubts(in_time, standing, pools)
    holds = tuple(_holds(doubts, pools))
    answered, comes = _closed(invitations, standing, pools)
    silent = {
        one.recipient.key
        for one in invitations
        if one.rule is Rule.REGRETS_ONLY and one.recipient.key in reached and one.recipient.key not in answered
    }
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
    shut = {key: _by_colleague(answer) for key, answer in pools.shut()}
    return Turnout(tuple(kept), answered, comes, held, holds, frozenset(silent), shut)


def _closed(
    invitations: Sequence[Invitation], standing: Sequence[Answer], pools: Pools
) -> tuple[dict[str, str], dict[str, Answer]]:
    """What closes each closed invitation, and what delegates said, by address; and who of them come."""
    own = {answer.respondent_email.casefold(): answer for answer in sorted(standing, key=time_of)}
    own.pop("", None)
    answered: dict[str, str] = {}
    comes: dict[str, Answer] = {}
    for invitation in invitations:
        recipient = invitation.recipient.key
        # Whoever has answered has answered, through whosever reference.
        if answer := own.pop(recipient, None):
            answered[recipient] = answer.attendance.value
            comes[recipient] = answer
        elif closing := pools.closing(invitation):
            answer = closing.answer
            answered[recipient] = _by_colleague(answer) if closing.by_colleague else answer.attendance.value
            if closing.is_reached_here:
                comes[recipient] = closing.answer
    for address, answer in own.items():
        answered[address] = answer.attendance.value
        if not pools.is_by_invitee(answer):
            comes[address] = answer
    return answered, {key: answer for key, answer in comes.items() if answer.attendance in COMES}


def _by_colleague(answer: Answer) -> str:
    return f"{answer.attendance.value}, by a colleague"


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
            time_of(answer) >= time_of(doubt) and (not parties or pools.party_of(answer.reference) in parties)
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
                yield Hold(key, pools.invitations[reference].party.name, reason)


def _points_to(answer: Answer, pools: Pools) -> frozenset[str]:
    references = (answer.reference, *(candidate.reference for candidate in answer.candidates))
    return frozenset(key for reference in references if (key := pools.party_of(reference)))


def _whose(answer: Answer) -> str:
    return answer.respondent_email.casefold() or fold(answer.respondent_name)
