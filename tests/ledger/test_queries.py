"""What the audience, the pace and the reports read from the ledger."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from mailer.ledger import History, Ledger
from mailer.ledger.run import _ABANDONED
from mailer.model import State
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    GREYLISTED,
    MAILING,
    NOW,
    RELAY,
    UNKNOWN,
    address,
    doubt,
    invitee,
    later,
    outcome,
    queue,
    send,
    states,
    writing,
)


def test_a_history_tells_states_and_the_last_mail(ledger: Ledger) -> None:
    """For each recipient: the state in each mailing, and when something last went out or may have."""
    numbers = queue(ledger, 1, 2, 3)
    send(ledger, numbers[:1])
    doubt(ledger, numbers[1:2], now=later(10))
    send(ledger, queue(ledger, 1, mailing="reminder", now=later(90)), "reminder", later(90))
    expected = {
        address(1).key: History({MAILING: State.SENT, "reminder": State.SENT}, later(90)),
        address(2).key: History({MAILING: State.IN_DOUBT}, later(10)),
        address(3).key: History({MAILING: State.QUEUED}, None),
    }
    assert ledger.histories(EVENT) == expected
    assert ledger.histories(EVENT, [address(2), address(9)]) == {address(2).key: expected[address(2).key]}
    assert ledger.histories("other-event") == {}


def test_a_failure_is_no_mail(ledger: Ledger) -> None:
    """What the relay refused does not count as written."""
    numbers = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), numbers, NOW)
        run.exchange([outcome(numbers[0], State.FAILED, UNKNOWN)], (), NOW)
    assert ledger.histories(EVENT)[address(1).key].last_written is None


def test_due_is_what_may_be_claimed(ledger: Ledger) -> None:
    """Queued deliveries at once, deferred ones when their time has come; narrowed to those asked about."""
    numbers = queue(ledger, 1, 2, 3)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        claimed = run.exchange((), numbers[:2], NOW)
        waits = [
            outcome(one, State.DEFERRED, GREYLISTED, due_at=due_at)
            for one, due_at in zip(claimed, [later(900), later(300)], strict=True)
        ]
        run.exchange(waits, (), NOW)
    assert list(ledger.due(EVENT, MAILING, later(299))) == [address(3).key]
    assert list(ledger.due(EVENT, MAILING, later(300))) == [address(2).key, address(3).key]
    assert ledger.due(EVENT, MAILING, later(900), [address(1), address(7)]) == {address(1).key: numbers[0]}


def test_deliveries_can_be_read_by_mailing_and_state(ledger: Ledger) -> None:
    """All of an event, or those of one mailing or state, in the order queued."""
    numbers = queue(ledger, 1, 2)
    queue(ledger, 2, mailing="reminder")
    send(ledger, numbers[1:])
    assert [one.mailing for one in ledger.deliveries(EVENT)] == [MAILING, MAILING, "reminder"]
    assert [one.recipient for one in ledger.deliveries(EVENT, MAILING)] == [address(1), address(2)]
    assert [one.id for one in ledger.deliveries(EVENT, state=State.SENT)] == numbers[1:]
    assert ledger.counts(EVENT) == {MAILING: {State.QUEUED: 1, State.SENT: 1}, "reminder": {State.QUEUED: 1}}


def test_a_long_report_may_decide_as_it_reads(ledger: Ledger) -> None:
    """Reading keeps no lock: each delivery may be changed while the list is being read."""
    queue(ledger, *range(10_050))
    seen = 0
    for delivery in ledger.deliveries(EVENT):
        seen += 1
        if seen % 2500 == 0:
            ledger.suppress(delivery.recipient, "in passing", NOW)
    assert seen == 10_050


def test_the_pace_counts_what_the_relay_has_counted(ledger: Ledger) -> None:
    """Every transaction counts, with its recipients; a try that the relay heard of no message in does not."""
    ledger.enqueue(
        EVENT, MAILING, [invitee(1, 8, 9), *map(invitee, range(2, 5)), invitee(5, 6, 7)], domain=DOMAIN, now=NOW
    )
    numbers = list(ledger.due(EVENT, MAILING, NOW).values())
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), numbers, NOW)
        run.exchange(
            [
                outcome(numbers[0], now=later(0)),
                outcome(numbers[1], State.IN_DOUBT, None, now=later(10)),
                outcome(numbers[2], State.FAILED, UNKNOWN, now=later(20)),
                outcome(numbers[3], State.DEFERRED, None, now=later(30), due_at=later(60), transactions=0),
                outcome(numbers[4], now=later(40), transactions=2),
            ],
            (),
            NOW,
        )
    latest = [(later(11), 1), (later(21), 1), (later(41), 1), (later(41), 2)]
    assert ledger.reached_relay_since(later(-1), later(60)) == [(later(1), 3), *latest]
    assert ledger.reached_relay_since(later(1), later(60)) == latest


def test_whether_copies_go_together_is_known_from_the_latest(ledger: Ledger) -> None:
    """The last message with Cc that was sent over that relay tells, and none that is in doubt."""
    copies = [(1, 8, 9), (2, 8), (3, 8), (4, 8, 9), (5,)]
    ledger.enqueue(EVENT, MAILING, [invitee(*numbers) for numbers in copies], domain=DOMAIN, now=NOW)
    due = list(ledger.due(EVENT, MAILING, NOW).values())
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), due, NOW)
        assert ledger.taken_apart(RELAY) is None
        others = [outcome(due[1], State.IN_DOUBT, None, transactions=2), outcome(due[4])]
        elsewhere = replace(outcome(due[2], transactions=2), relay="other:25")
        run.exchange([outcome(due[0], transactions=2), *others, elsewhere], (), NOW)
        assert ledger.taken_apart(RELAY) == (3, 2)
        run.exchange([outcome(due[3])], (), NOW)
        assert ledger.taken_apart(RELAY) is None


def test_how_long_a_message_takes_is_known_from_the_latest(ledger: Ledger) -> None:
    """The mean of what was sent last over that relay counts, and nothing that it refused or another one took."""
    numbers = [*range(1, 5)]
    ledger.enqueue(EVENT, MAILING, map(invitee, numbers), domain=DOMAIN, now=NOW)
    assert ledger.seconds_each(RELAY) is None
    due = list(ledger.due(EVENT, MAILING, NOW).values())
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), due, NOW)
        slow = replace(outcome(due[0]), finished_at=outcome(due[0]).started_at + timedelta(seconds=3))
        refused = replace(outcome(due[2], State.FAILED, UNKNOWN), finished_at=later(500))
        run.exchange([slow, outcome(due[1]), refused, replace(outcome(due[3]), relay="other:25")], (), NOW)
    assert ledger.seconds_each(RELAY) == 2
    assert ledger.seconds_each("other:25") == 1


def test_a_question_about_many_may_come_as_a_stream(ledger: Ledger) -> None:
    """More addresses than one query takes are asked about from an iterator; those unknown are left out."""
    numbers = queue(ledger, 2, 10_040, 7)
    ledger.suppress(address(10_049), "opted out", NOW)
    many = [address(number) for number in range(10_050)]
    assert ledger.due(EVENT, MAILING, NOW, iter(many)) == {
        address(guest).key: number for guest, number in zip((2, 10_040, 7), numbers, strict=True)
    }
    assert ledger.histories(EVENT, iter(many)).keys() == {address(guest).key for guest in (2, 7, 10_040)}
    assert ledger.suppressed(iter(many)).keys() == {address(10_049).key}


def test_no_question_waits_for_who_is_writing(ledger: Ledger, url: str) -> None:
    """While another process is about to commit, everything is answered as it stood before."""
    numbers = queue(ledger, 1, 2)
    guests = [address(1), address(2)]
    with writing(url, "UPDATE deliveries SET state = 'suppressed'"):
        assert list(ledger.due(EVENT, MAILING, NOW, guests).values()) == numbers
        assert ledger.histories(EVENT, guests)[address(1).key].states == {MAILING: State.QUEUED}
        assert ledger.suppressed(guests) == {}
        assert ledger.counts(EVENT) == {MAILING: {State.QUEUED: 2}}
        assert states(ledger) == [State.QUEUED] * 2


def test_what_waits_is_found_without_what_was_sent(tmp_path: Path) -> None:
    """However many mails have gone out, no question about those that have not goes through them."""
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        queue(ledger, 1)
        asked: list[tuple[str, Any]] = []
        remember = lambda _, __, sql, values, *___: asked.append((sql, values))  # noqa: E731
        event.listen(ledger._store.engine, "before_cursor_execute", remember)
        ledger.due(EVENT, MAILING, NOW)
        list(ledger.deliveries(EVENT, state=State.IN_DOUBT))
        ledger.counts(EVENT)
        ledger.sweep(NOW)
        questions = [(sql, values) for sql, values in asked if "state <> 'sent'" in sql]
        assert len(questions) == 4
        with ledger._store.reading.connect() as connection:
            for sql, values in [*questions, (_ABANDONED, ())]:
                plan = " ".join(row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values))
                assert "deliveries_unsent" in plan, sql
