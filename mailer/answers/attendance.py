"""What the words of an answer say: a yes and how, a no, a perhaps; unknown words are never a yes."""

from __future__ import annotations

import unicodedata
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


def _judge(clauses: list[str], *, sorry: bool, contrary: bool) -> Attendance:
    accepted: set[Attendance] = set()
    refused: set[Attendance] = set()  # one place alone, in its clause
    yes = no = instead = unknown = False
    for clause in clauses:
        places, state = _places(clause), said.STATES.get(clause)
        if state is Attendance.REGRETS or (said.NO.search(clause) and len(places) != 1):
            no = True
        elif said.NO.search(clause):
            refused |= places
        else:
            promise = bool(places or state is Attendance.ATTENDING or said.YES.search(clause))
            yes, unknown = yes or promise, unknown or not promise
            accepted |= places
            instead = instead or bool(said.INSTEAD.search(clause))
    if instead and (no or refused):
        return Attendance.REVIEW
    if no or len(refused) > 1:
        return Attendance.REVIEW if yes else Attendance.REGRETS
    if refused:
        return _how(accepted) if accepted and not accepted & refused else Attendance.REVIEW
    if yes:
        return Attendance.REVIEW if sorry or (contrary and unknown) else _how(accepted)
    return Attendance.REGRETS if sorry else Attendance.REVIEW


def _places(clause: str) -> set[Attendance]:
    return {place for place, words in _PLACES if words.search(clause)}


def _how(accepted: set[Attendance]) -> Attendance:
    return next(iter(accepted)) if len(accepted) == 1 else Attendance.ATTENDING
