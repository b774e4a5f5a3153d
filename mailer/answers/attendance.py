"""What the words of an answer say: a yes and how, a no, a perhaps; unknown words are never a yes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import Enum, auto
from functools import lru_cache

from mailer.answers import vocabulary as said
from mailer.model import Attendance, fold

_PLACES = ((Attendance.IN_PERSON, said.IN_PERSON), (Attendance.ONLINE, said.ONLINE))


@lru_cache(maxsize=4096)
def of(words: str, *, registered: bool) -> Attendance:
    """The attendance that `words` (English, French, Spanish, Arabic, in any case) say.

    `registered` tells that the row by itself is a yes, so that no words mean `attending`; otherwise none mean `review`.
    A negation rules its clause ("I will not attend" is regrets), a condition or a doubt the whole. Both places are
    `attending`; one place refused is a yes only where the other is accepted in another clause. A yes beside a no or an
    unknown "but", a question, a colleague who comes instead, and whatever is unknown, are `review`.
    """
    text = " ".join(unicodedata.normalize("NFKC", words).casefold().split())
    if not text:
        return Attendance.ATTENDING if registered else Attendance.REVIEW
    if is_none(text):
        return Attendance.REVIEW
    if state := said.STATES.get(fold(text)):
        return state
    clauses = [clause for part in said.BETWEEN.split(text) if (clause := fold(said.SPANISH_YES.sub("yes ", part)))]
    whole = " ".join(clauses)
    if "?" in text or "؟" in text or said.PERHAPS.search(whole):
        return Attendance.REVIEW
    if said.WAITING.search(whole):
        return Attendance.REVIEW if said.NO.search(whole) else Attendance.WAITING
    return _judge(clauses, sorry=bool(said.SORRY.search(whole)), contrary=bool(said.CONTRARY.search(text)))


def is_none(words: str) -> bool:
    """Whether `words` only say that there is no answer: "No response" is no no."""
    return fold(words) in said.UNANSWERED


class _Kind(Enum):
    """What one clause says of coming; NOT_THERE is a no to one of the places alone."""

    NO = auto()
    NOT_THERE = auto()
    YES = auto()
    UNKNOWN = auto()


def _judge(clauses: list[str], *, sorry: bool, contrary: bool) -> Attendance:
    kinds = {clause: _kind(clause) for clause in clauses}
    refused, accepted = _places_in(kinds, _Kind.NOT_THERE), _places_in(kinds, _Kind.YES)
    no = _Kind.NO in kinds.values() or len(refused) > 1
    yes, unknown = (kind in kinds.values() for kind in (_Kind.YES, _Kind.UNKNOWN))
    ladder = (
        ((no or refused) and _is_instead(kinds), Attendance.REVIEW),
        (no and yes, Attendance.REVIEW),
        (no, Attendance.REGRETS),
        (refused and (not accepted or accepted & refused), Attendance.REVIEW),
        (refused, _how(accepted)),
        (yes and (sorry or (contrary and unknown)), Attendance.REVIEW),
        (yes, _how(accepted)),
        (sorry, Attendance.REGRETS),
    )
    return next((attendance for holds, attendance in ladder if holds), Attendance.REVIEW)


def _kind(clause: str) -> _Kind:
    places, state = _places(clause), said.STATES.get(clause)
    if state is Attendance.REGRETS:
        return _Kind.NO
    if said.NO.search(clause):
        return _Kind.NOT_THERE if len(places) == 1 else _Kind.NO
    return _Kind.YES if places or state is Attendance.ATTENDING or said.YES.search(clause) else _Kind.UNKNOWN


def _is_instead(kinds: Mapping[str, _Kind]) -> bool:
    """Whether a clause that is no refusal names somebody who comes in the other's place."""
    return any(said.INSTEAD.search(clause) for clause, kind in kinds.items() if kind in {_Kind.YES, _Kind.UNKNOWN})


def _places_in(kinds: Mapping[str, _Kind], wanted: _Kind) -> set[Attendance]:
    return {place for clause, kind in kinds.items() if kind is wanted for place in _places(clause)}


def _places(clause: str) -> set[Attendance]:
    return {place for place, words in _PLACES if words.search(clause)}


def _how(accepted: set[Attendance]) -> Attendance:
    return next(iter(accepted)) if len(accepted) == 1 else Attendance.ATTENDING
