"""Answers in the ledger: in once, settled by people, kept as they came, and erased with the person."""

from datetime import timedelta
from pathlib import Path

import pytest

from mailer.errors import LedgerError
from mailer.ledger import Erasure, Ledger, Suppression
from mailer.ledger.store import open_store
from mailer.ledger.versions import migrate
from mailer.model import Address, Answer, AnswerState, Attendance, Candidate, Rule
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    MAILING,
    MISSION,
    NOW,
    address,
    invitee,
    later,
    octets,
    queue,
    raw,
    send,
    states,
)


def answer(ledger: Ledger, number: int = 1, **facts: object) -> Answer:
    """A matched yes to the invitation of that guest, with those facts instead."""
    values: dict[str, object] = {
        "id": 0,
        "event": EVENT,
        "state": AnswerState.MATCHED,
        "attendance": Attendance.IN_PERSON,
        "respondent_name": "Dora Delegate",
        "respondent_email": "dora@mission.example.org",
        "reference": ledger.reference_of(EVENT, address(number)),
        "party": MISSION.name,
        "matched_by": "reference",
        "reason": "its reference was given",
        "at": NOW,
        "file": "export.csv",
        "row": 7,
    }
    return Answer(**(values | facts))  # type: ignore[arg-type]


def doubtful(ledger: Ledger, **facts: object) -> Answer:
    reference = ledger.reference_of(EVENT, address(1))
    suggestion = Candidate(reference, MISSION.name, "the mail domain is this party's alone")
    values: dict[str, object] = {"state": AnswerState.SUGGESTED, "reference": None, "matched_by": "domain"}
    return answer(ledger, **(values | {"candidates": (suggestion,)} | facts))


def test_invitations_are_told_with_every_copy(ledger: Ledger) -> None:
    """Recipient, party, rule and reference of each invitation, and whoever had a copy of any of its mailings."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 8), invitee(2)], domain=DOMAIN, now=NOW)
    ledger.enqueue(EVENT, "reminder-2d", [invitee(1, 8, 9)], domain=DOMAIN, now=NOW)
    ledger.enqueue("other", MAILING, [invitee(1)], domain=DOMAIN, now=NOW)
    first, second = ledger.invitations(EVENT)
    assert (first.recipient, first.cc, first.party) == (address(1), (address(8), address(9)), MISSION)
    assert (second.cc, second.rule) == ((), Rule.TRANSFERABLE)
    assert first.reference == ledger.reference_of(EVENT, address(1))
    assert ledger.references_elsewhere(EVENT) == {ledger.reference_of("other", address(1)): "other"}


def test_an_answer_comes_back_as_it_went_in(ledger: Ledger) -> None:
    """Every fact of an answer is kept, candidates and times included."""
    queue(ledger, 1, 2)
    matched, unsure = answer(ledger), doubtful(ledger, late=True, file=None, row=None)
    numbers = ledger.record_answers(EVENT, {"first": matched, "second": unsure}, NOW)
    for kept, given, number in zip(ledger.answers(EVENT), (matched, unsure), numbers, strict=True):
        assert kept == Answer(**{name: getattr(given, name) for name in Answer.__slots__} | {"id": number})


def test_the_same_answer_is_taken_in_once(ledger: Ledger) -> None:
    """The same file again changes nothing, and a grown one adds what is new."""
    queue(ledger, 1)
    first, second = answer(ledger), answer(ledger, attendance=Attendance.REGRETS, at=later(60))
    ledger.record_answers(EVENT, {"row one": first}, NOW)
    before = ledger.answers(EVENT)
    assert ledger.record_answers(EVENT, {"row one": first}, later(5)) == []
    assert ledger.answers(EVENT) == before
    assert len(ledger.record_answers(EVENT, {"row one": second, "row two": second}, later(9))) == 1
    assert ledger.answers(EVENT)[0] == before[0]
    first_id, second_id = (answer.id for answer in ledger.answers(EVENT))
    known = ledger.recorded(EVENT, ["row one", "row two", "row three"])
    assert known == {"row one": first_id, "row two": second_id}
    assert ledger.recorded("other", ["row one"]) == {}


def test_a_person_settles_a_doubt_and_can_go_back(ledger: Ledger) -> None:
    """Accepted, rejected and undone step by step; each decision is remembered and holds at the next import."""
    queue(ledger, 1, 2)
    unsure = doubtful(ledger)
    [number] = ledger.record_answers(EVENT, {"row": unsure}, NOW)
    other = ledger.reference_of(EVENT, address(2))

    def standing() -> tuple[AnswerState, str | None, str | None]:
        [found] = ledger.answers(EVENT)
        return found.state, found.reference, found.matched_by

    assert ledger.settle_answer(EVENT, number, "accepted", later(1), reference=other)
    assert standing() == (AnswerState.MATCHED, other, "person")
    assert not ledger.settle_answer(EVENT, number, "accepted", later(2), reference=other)
    assert ledger.settle_answer(EVENT, number, "rejected", later(3))
    assert standing() == (AnswerState.REJECTED, None, "domain")
    ledger.record_answers(EVENT, {"row": unsure}, later(4))
    assert standing()[0] is AnswerState.REJECTED
    assert ledger.settle_answer(EVENT, number, "undone", later(5))
    assert standing() == (AnswerState.MATCHED, other, "person")
    assert ledger.settle_answer(EVENT, number, "undone", later(6))
    assert standing() == (AnswerState.SUGGESTED, None, "domain")
    assert not ledger.settle_answer(EVENT, number, "undone", later(7))
    assert ledger.answers(EVENT)[0].candidates == unsure.candidates


def test_an_unclear_answer_is_accepted_with_a_meaning_only(ledger: Ledger) -> None:
    """Whoever accepts "perhaps" says what it means."""
    queue(ledger, 1)
    unclear = doubtful(ledger, state=AnswerState.REVIEW, attendance=Attendance.REVIEW)
    [number] = ledger.record_answers(EVENT, {"row": unclear}, NOW)
    reference = ledger.reference_of(EVENT, address(1))
    with pytest.raises(LedgerError, match="clear attendance"):
        ledger.settle_answer(EVENT, number, "accepted", NOW, reference=reference)
    ledger.settle_answer(EVENT, number, "accepted", NOW, reference=reference, attendance=Attendance.ONLINE)
    [settled] = ledger.answers(EVENT)
    assert (settled.state, settled.attendance) == (AnswerState.MATCHED, Attendance.ONLINE)


def test_what_is_not_there_cannot_be_settled(ledger: Ledger) -> None:
    """An unknown answer, another event's and an unknown invitation are refused in words."""
    queue(ledger, 1)
    [number] = ledger.record_answers(EVENT, {"row": doubtful(ledger)}, NOW)
    for event, asked in ((EVENT, number + 1), ("other", number)):
        with pytest.raises(LedgerError, match="has no answer"):
            ledger.settle_answer(event, asked, "rejected", NOW)
    with pytest.raises(LedgerError, match="has no invitation"):
        ledger.settle_answer(EVENT, number, "accepted", NOW, reference="22222-22222")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM answers",
        "DELETE FROM decisions",
        "UPDATE answers SET attendance = 'regrets'",
        "UPDATE answers SET state = 'review'",
        "UPDATE answers SET respondent_name = 'Somebody else'",
        "UPDATE decisions SET decision = 'undone'",
        "INSERT INTO answers SELECT id + 9, event, fingerprint, state, attendance, '', '', invitation_id, party, "
        "matched_by, '', '[]', late, file, file_row, at, recorded_at FROM answers",
    ],
)
def test_nobody_rewrites_what_was_answered(ledger: Ledger, url: str, statement: str) -> None:
    """Past the ledger too, an answer cannot be changed, doubled or deleted."""
    queue(ledger, 1)
    [number] = ledger.record_answers(EVENT, {"row": doubtful(ledger)}, NOW)
    ledger.settle_answer(EVENT, number, "rejected", NOW)
    before = ledger.answers(EVENT)
    with pytest.raises(Exception, match=r"(?i)never deleted|stays as|only be erased|unique"):
        raw(url, statement)
    assert ledger.answers(EVENT) == before


def test_forgetting_reaches_the_answers(ledger: Ledger, url: str) -> None:
    """Name, address and words of the person are gone; that the party answered stays, also at the next import."""
    queue(ledger, 1, 2)
    person = Address("Ottilie.Quill", "quill.example.org")
    own = answer(ledger, respondent_name="Ottilie Quill", respondent_email=str(person), reason="Quill said so")
    by_phone = answer(ledger, 2, respondent_name="Zeno Zephyr", respondent_email="")
    ledger.record_answers(EVENT, {"Ottilie Quill came": own, "Zeno Zephyr came": by_phone}, NOW)
    erased = [
        ledger.forget(one, later(1))
        for one in (Address("ottilie.quill", "quill.example.org"), address(2), Address("nobody", "quill.example.org"))
    ]
    assert erased == [Erasure(0, 1), Erasure(1, 1), Erasure(0, 0)]
    first, second = ledger.answers(EVENT)
    assert (first.respondent_name, first.reason, first.attendance) == ("", "", Attendance.IN_PERSON)
    assert (first.respondent_email.endswith("@invalid"), second.respondent_name) == (True, "")
    assert ledger.record_answers(EVENT, {"Ottilie Quill came": own}, later(3)) == []
    ledger.close()
    kept = octets(url)
    assert b"quill" not in kept
    assert b"zephyr" not in kept


def test_the_suppressed_are_named_where_anything_still_tells_the_address(ledger: Ledger) -> None:
    """By the lists, an invitation, a copy or an answer; the others are listed without, oldest first."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 2)], domain=DOMAIN, now=NOW)
    respondent = Address("Quill", "quill.example.org")
    ledger.record_answers(EVENT, {"row": answer(ledger, respondent_email=str(respondent))}, NOW)
    asked = [Address("quill", "quill.example.org"), address(9), address(2), address(1), address(7)]
    for second, one in enumerate(asked):
        ledger.suppress(one, f"reason {second}", later(second))
    ledger.forget(address(1), later(9))
    listed = ledger.suppressions(iter([address(7), address(8)]))
    assert [one for one, _ in listed] == [respondent, None, address(2), None, address(7)]
    assert listed[0][1] == Suppression("reason 0", NOW)
    assert listed[3][1].is_for_good


def test_a_ledger_of_the_first_version_takes_answers(tmp_path: Path) -> None:
    """It is migrated when it is opened; what was sent stays, and answers can be recorded."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    store = open_store(url)
    with store.migrating() as connection:
        migrate(connection, "0001")
    store.close()
    raw(url, "INSERT INTO meta (name, value) VALUES ('secret', :secret)", secret="5a" * 32)
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
        assert len(ledger.record_answers(EVENT, {"row": answer(ledger)}, NOW + timedelta(1))) == 1
        assert [state.value for state in states(ledger)] == ["sent"]


def test_the_stamp_changes_with_whatever_may_close_an_invitation(ledger: Ledger) -> None:
    """An invitation, an answer and a decision each change it, of any event; sending and what is known do not."""
    assert ledger.stamp() == (0, 0, 0)
    stamps = [ledger.stamp()]
    numbers = queue(ledger, 1)
    stamps.append(ledger.stamp())
    [one] = ledger.record_answers(EVENT, {"first": answer(ledger)}, NOW)
    stamps.append(ledger.stamp())
    ledger.settle_answer(EVENT, one, "rejected", NOW)
    stamps.append(ledger.stamp())
    ledger.settle_answer(EVENT, one, "undone", NOW)
    stamps.append(ledger.stamp())
    ledger.enqueue("other", MAILING, [invitee(1)], domain=DOMAIN, now=NOW)
    stamps.append(ledger.stamp())
    assert len(set(stamps)) == len(stamps)

    send(ledger, numbers)
    queue(ledger, 1, mailing="reminder-2d")
    ledger.record_answers(EVENT, {"first": answer(ledger)}, NOW)
    assert ledger.stamp() == stamps[-1]
