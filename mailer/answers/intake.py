"""Responses become answers: each matched, held to the rule of its invitation, and flagged where it came late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from mailer.answers.book import Book
from mailer.answers.matching import Match, match
from mailer.answers.pools import Pools, time_of
from mailer.answers.response import Response
from mailer.model import Answer, AnswerState, Candidate, fold

Recorded = Callable[[Iterable[str]], Mapping[str, int]]


def judge(
    responses: Iterable[Response], book: Book, known: Iterable[Answer], *, event: str, deadline: datetime
) -> list[tuple[Response, Answer]]:
    """Each response with the answer it makes, in the order in which they were given; `id` is 0 until it is recorded.

    `known` are the answers that count already. What its rule does not allow goes to review, as one more than two on an
    invitation for a person and a guest does.
    """
    pools = Pools(book.by_reference.values(), book.parties)
    for answer in known:
        if answer.state is AnswerState.MATCHED:
            pools.add(answer)
    judged = []
    for response in sorted(responses, key=lambda response: (response.at, response.row)):
        answer = held_to_its_rule(_answer(response, match(response, book), book, event, deadline), pools)
        if answer.state is AnswerState.MATCHED:
            pools.add(answer)
        judged.append((response, answer))
    return judged


def held_to_its_rule(answer: Answer, pools: Pools) -> Answer:
    """The answer, for review where it is matched but one more than the rule of its invitation allows."""
    excess = pools.excess(answer) if answer.state is AnswerState.MATCHED else None
    if excess is None:
        return answer
    candidate = Candidate(answer.reference or "", answer.party or "", answer.reason)
    return replace(
        answer, state=AnswerState.REVIEW, reason=f"{excess}; {answer.reason}", candidates=(candidate,)
    )  # fmt: skip


def unrecorded(
    responses: Iterable[Response], recorded: Recorded, known: Iterable[Answer], file: str
) -> dict[str, Response]:
    """Those of the responses in `file` that are news, by fingerprint; of equal ones the first.

    `recorded` tells the ids of those fingerprints that were taken in, `known` are all answers that were. A response
    without a date has one fingerprint however often it is given. It is given once more where the latest that the file
    had of this respondent stands in it no longer: as in a sheet in which a Yes became a No, and is a Yes again.
    """
    news: dict[str, Response] = {}
    present: set[int] = set()  # the answers that the file still holds
    repeated: list[tuple[str, Response, int]] = []
    asked = {fingerprint(one): one for one in reversed([*responses])}
    earlier: Mapping[str, int] = {}
    while asked:
        numbers = recorded(asked)
        present.update(numbers.values())
        for text, response in asked.items():
            if text not in numbers and text in earlier:
                repeated.append((text, response, earlier[text]))
            elif text not in numbers:
                news[text] = response
        asked = {f"{text}\nagain": one for text, one in asked.items() if text in numbers and not one.dated}
        earlier = {f"{text}\nagain": number for text, number in numbers.items()}
    latest = _latest_by_respondent(one for one in known if one.file == file) if repeated else {}
    for text, response, number in repeated:
        last = latest.get(number)
        if last and last.id not in present and last.at < response.at:
            news[text] = response
    return news


def _latest_by_respondent(answers: Iterable[Answer]) -> dict[int, Answer]:
    """The latest answer of the same respondent, by the id of each."""
    theirs: dict[str, list[Answer]] = {}
    for one in answers:
        whose = one.respondent_email.casefold() or fold(one.respondent_name) or one.reference or ""
        theirs.setdefault(whose, []).append(one)
    return {one.id: max(group, key=time_of) for group in theirs.values() for one in group}


def fingerprint(response: Response) -> str:
    """What tells a response from every other and stays the same in a grown file: all it says, not where it stands.

    The time is left out where the response is not `dated`: there it is that of the file.
    """
    parts = (response.reference, response.name, *response.addresses, response.party, response.words)
    # Nothing where nobody comes besides, so that what was taken in before guests were read is known again.
    besides = (
        (f"{response.guests} {fold(response.guest_name or response.doubt)}",)
        if response.guests or response.doubt
        else ()
    )
    return "\n".join((*map(fold, parts), *besides, response.at.isoformat() if response.dated else ""))


def _answer(response: Response, found: Match, book: Book, event: str, deadline: datetime) -> Answer:
    parties = {candidate.party for candidate in found.candidates}
    party = book.by_reference[found.reference].party.name if found.reference else None
    if party is None and len(parties) == 1:
        (party,) = parties
    return Answer(
        id=0,
        event=event,
        state=found.state,
        attendance=response.attendance,
        respondent_name=response.name,
        respondent_email=response.addresses[0] if response.addresses else "",
        reference=found.reference,
        party=party,
        matched_by=found.matched_by,
        reason=found.reason,
        at=response.at,
        late=response.at > deadline,
        candidates=found.candidates,
        file=response.file,
        row=response.row,
        guests=response.guests,
        guest_name=response.guest_name,
    )
