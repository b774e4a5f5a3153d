"""Answers in the ledger: taken in once each, settled by people, read with what was decided last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, text, update

from mailer.errors import LedgerError
from mailer.ledger.identity import Identity
from mailer.ledger.records import address_of, cc_of
from mailer.ledger.schema import Decision, Moment, answers, decisions, deliveries, guests, invitations
from mailer.model import Address, Answer, AnswerState, Attendance, Candidate, Invitation, Party, PartyKind, Rule

_TAKE_IN = text(
    "INSERT INTO answers (event, fingerprint, state, attendance, respondent_name, respondent_email, invitation_id, "
    "party, matched_by, reason, candidates, late, file, file_row, at, recorded_at) "
    "VALUES (:event, :fingerprint, :state, :attendance, :respondent_name, :respondent_email, :invitation_id, "
    ":party, :matched_by, :reason, :candidates, :late, :file, :file_row, :at, :recorded_at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=Moment), bindparam("recorded_at", type_=Moment))


def invitations_of(connection: Connection, event: str) -> list[Invitation]:
    """The invitations of the event in the order in which they were made, with every address that had a copy."""
    copies: dict[int, dict[Address, None]] = {}
    rows = select(deliveries.c.invitation_id, deliveries.c.cc).where(
        deliveries.c.event == event, deliveries.c.cc != "[]"
    )
    for number, cc in connection.execute(rows.order_by(deliveries.c.id)):
        copies.setdefault(number, {}).update(dict.fromkeys(cc_of(cc)))
    kept = select(invitations).where(invitations.c.event == event).order_by(invitations.c.id)
    return [
        Invitation(
            event=event,
            recipient=address_of(row.recipient),
            cc=tuple(copies.get(row.id, ())),
            party=Party(row.party, PartyKind(row.party_kind)),
            rule=Rule(row.rule),
            reference=row.reference,
        )
        for row in connection.execute(kept)
    ]


def known(connection: Connection, identity: Identity, event: str, fingerprints: Iterable[str]) -> dict[str, int]:
    """Those of the fingerprints whose answers have been taken in, each with the answer's id."""
    kept = select(answers.c.fingerprint, answers.c.id).where(answers.c.event == event)
    numbers = {row.fingerprint: row.id for row in connection.execute(kept)}
    digests = ((one, identity.of_answer(one)) for one in fingerprints)
    return {one: numbers[digest] for one, digest in digests if digest in numbers}


def take_in(
    connection: Connection, identity: Identity, event: str, found: Mapping[str, Answer], now: datetime
) -> list[int]:
    """Enters each answer under its fingerprint, unless one stands there; returns the ids of those that are new."""
    if not found:
        return []
    numbers = _invitation_numbers(connection, event)
    last = connection.scalar(select(answers.c.id).order_by(answers.c.id.desc()).limit(1)) or 0
    rows = [
        {
            "event": event,
            "fingerprint": identity.of_answer(fingerprint),
            "state": answer.state.value,
            "attendance": answer.attendance.value,
            "respondent_name": answer.respondent_name,
            "respondent_email": answer.respondent_email,
            "invitation_id": numbers[answer.reference] if answer.reference else None,
            "party": answer.party,
            "matched_by": answer.matched_by,
            "reason": answer.reason,
            "candidates": _candidates_text(answer.candidates),
            "late": answer.late,
            "file": answer.file,
            "file_row": answer.row,
            "at": answer.at,
            "recorded_at": now,
        }
        for fingerprint, answer in found.items()
    ]
    connection.execute(_TAKE_IN, rows)
    entered = dict(zip((row["fingerprint"] for row in rows), found.values(), strict=True))
    since = select(answers.c.id, answers.c.fingerprint).where(answers.c.id > last, answers.c.event == event)
    new = {
        row.id: entered[row.fingerprint]
        for row in connection.execute(since.order_by(answers.c.id))
        if row.fingerprint in entered
    }
    brought = [
        {"answer_id": number, "number": one.guests, "name": one.guest_name} for number, one in new.items() if one.guests
    ]
    if brought:
        connection.execute(insert(guests), brought)
    return list(new)


def answers_of(connection: Connection, event: str, number: int | None = None) -> list[Answer]:
    """The answers of the event (or the one of that number) in the order taken in, as people have settled them."""
    decided: dict[int, list[Row[Any]]] = {}
    about = select(decisions, invitations.c.reference, invitations.c.party).join_from(
        decisions, invitations, isouter=True
    )
    for row in connection.execute(about.order_by(decisions.c.id)):
        decided.setdefault(row.answer_id, []).append(row)
    query = select(
        answers, invitations.c.reference, guests.c.number.label("guests"), guests.c.name.label("guest_name")
    ).select_from(
        answers.join(invitations, isouter=True).join(guests, guests.c.answer_id == answers.c.id, isouter=True)
    )
    query = query.where(answers.c.event == event).order_by(answers.c.id)
    if number is not None:
        query = query.where(answers.c.id == number)
    return [_settled(_answer_of(row), _in_force(decided.get(row.id, ()))) for row in connection.execute(query)]


def settle(
    connection: Connection,
    event: str,
    number: int,
    decision: Decision,
    now: datetime,
    *,
    reference: str | None,
    attendance: Attendance | None,
) -> bool:
    """Appends a decision about an answer of the event; returns whether that changes anything.

    Accepting needs the reference, and an attendance where the answer itself is not clear. Undoing takes the last
    decision back. Raises LedgerError where the event has no such answer or invitation.
    """
    found = answers_of(connection, event, number)
    if not found:
        raise LedgerError(f"{event} has no answer {number}: see mailer answers list")
    (answer,) = found
    values: dict[str, object] = {"answer_id": number, "at": now, "decision": decision}
    if decision == "accepted":
        meant = attendance or answer.attendance
        if reference is None or meant is Attendance.REVIEW:
            raise LedgerError(f"answer {number} cannot be accepted without an invitation and a clear attendance")
        numbers = _invitation_numbers(connection, event)
        if reference not in numbers:
            raise LedgerError(f"{event} has no invitation {reference}")
        if (answer.state, answer.reference, answer.attendance) == (AnswerState.MATCHED, reference, meant):
            return False
        values |= {"invitation_id": numbers[reference], "attendance": meant.value}
    elif decision == "rejected":
        if answer.state is AnswerState.REJECTED:
            return False
    elif not _in_force(_decided(connection, number)):
        return False
    connection.execute(insert(decisions).values(values))
    return True


def erase(connection: Connection, identity: Identity, digest: bytes, placeholder: str) -> int:
    """Takes the person of the digest out of the answers: name, address and words; what they answered stays.

    Answers without an address to the person's own invitation are taken for the person's. Returns how many there are.
    """
    number = 0
    rows = connection.execute(
        select(answers.c.id, answers.c.respondent_email, answers.c.candidates, invitations.c.digest).join_from(
            answers, invitations, isouter=True
        )
    )
    for row in rows.all():
        email = row.respondent_email
        if (identity.of(address_of(email)) if email else row.digest) == digest:
            number += 1
            silent = [replace(candidate, reason="") for candidate in _candidates_of(row.candidates)]
            erased = {"respondent_name": "", "respondent_email": placeholder if email else "", "reason": ""}
            connection.execute(
                update(answers).where(answers.c.id == row.id).values(erased | {"candidates": _candidates_text(silent)})
            )
            connection.execute(update(guests).where(guests.c.answer_id == row.id).values(name=""))
    return number


def respondents(connection: Connection) -> Iterator[Address]:
    """The addresses of all who answered, in whatever event."""
    addressed = select(answers.c.respondent_email).where(answers.c.respondent_email != "").distinct()
    yield from map(address_of, connection.scalars(addressed))


def _invitation_numbers(connection: Connection, event: str) -> dict[str, int]:
    query = select(invitations.c.reference, invitations.c.id).where(invitations.c.event == event)
    return {row.reference: row.id for row in connection.execute(query)}


def _decided(connection: Connection, number: int) -> Sequence[Row[Any]]:
    return connection.execute(
        select(decisions).where(decisions.c.answer_id == number).order_by(decisions.c.id)
    ).all()  # fmt: skip


def _in_force(decided: Iterable[Row[Any]]) -> Row[Any] | None:
    """The decision that holds after those, oldest first: each `undone` takes one back."""
    standing: list[Row[Any]] = []
    for one in decided:
        if one.decision != "undone":
            standing.append(one)
        elif standing:
            standing.pop()
    return standing[-1] if standing else None


def _settled(answer: Answer, decision: Row[Any] | None) -> Answer:
    if decision is None:
        return answer
    if decision.decision == "rejected":
        return replace(answer, state=AnswerState.REJECTED, reason=f"rejected by a person; {answer.reason}")
    return replace(
        answer,
        state=AnswerState.MATCHED,
        attendance=Attendance(decision.attendance),
        reference=decision.reference,
        party=decision.party,
        matched_by="person",
        reason=f"accepted by a person; {answer.reason}",
        candidates=(),
    )


def _answer_of(row: Row[Any]) -> Answer:
    return Answer(
        id=row.id,
        event=row.event,
        state=AnswerState(row.state),
        attendance=Attendance(row.attendance),
        respondent_name=row.respondent_name,
        respondent_email=row.respondent_email,
        reference=row.reference,
        party=row.party,
        matched_by=row.matched_by,
        reason=row.reason,
        at=row.at,
        late=row.late,
        candidates=_candidates_of(row.candidates),
        file=row.file,
        row=row.file_row,
        guests=row.guests or 0,
        guest_name=row.guest_name or "",
    )


def _candidates_text(candidates: Iterable[Candidate]) -> str:
    return json.dumps([[one.reference, one.party, one.reason] for one in candidates], ensure_ascii=False)


def _candidates_of(stored: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(*one) for one in json.loads(stored))
