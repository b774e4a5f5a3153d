"""The ledger remembers what an event said in the mails that went out, so that a change of it can be told."""

import pytest

from mailer.ledger import Ledger
from mailer.model import State
from tests.ledger.people import EVENT, MAILING, RELAY, UNKNOWN, doubt, later, outcome, queue, send

ROOM_A, ROOM_B, ROOM_C = ({"venue": room} for room in ("Room A", "Salle « B »", "Room C"))


def refuse(ledger: Ledger, numbers: list[int], second: float) -> None:
    """Tries those deliveries, all in vain."""
    with ledger.run(EVENT, MAILING, later(second), relay=RELAY) as run:
        for one in run.exchange((), numbers, later(second)):
            run.exchange([outcome(one, State.FAILED, UNKNOWN, later(second))], (), later(second))


def test_an_edition_is_new_only_when_a_fact_has_changed(ledger: Ledger, url: str) -> None:
    """Sending again with the same facts keeps the number; a change of place makes the next one."""
    first, second, third = queue(ledger, 1, 2, 3)
    assert ledger.edition(EVENT) is None
    for at, number, facts in ((0, 0, ROOM_A), (10, 0, ROOM_A), (20, 1, ROOM_B)):
        assert ledger.publish(EVENT, facts, later(at)) == number
        send(ledger, [(first, second, third)[at // 10]], now=later(at))
    assert ledger.publish("other", ROOM_A, later(30)) == 0
    with Ledger.open(url) as again:
        edition = again.edition(EVENT)
        assert edition
        assert (edition.number, edition.facts, edition.at) == (1, ROOM_B, later(20))
        assert [one.facts for one in again.editions(EVENT)] == [ROOM_A, ROOM_B]
        assert again.editions("other") == []


def test_a_fact_that_is_added_or_taken_away_changes_nothing(ledger: Ledger) -> None:
    """Only what was said otherwise is a change; what was added belongs to the edition in force once it was told."""
    numbers = queue(ledger, 1, 2, 3, 4)
    told = (ROOM_A, {**ROOM_A, "note": "A"}, ROOM_A, {**ROOM_A, "note": "B"})
    for second, facts, edition in zip((0, 10, 20, 30), told, (0, 0, 0, 1), strict=True):
        assert ledger.publish(EVENT, facts, later(second)) == edition
        send(ledger, [numbers[second // 10]], now=later(second))
    first, second = ledger.editions(EVENT)
    assert (first.number, first.at, first.facts) == (0, later(0), {**ROOM_A, "note": "A"})
    assert (second.number, second.at, first.changed(second.facts)) == (1, later(30), ["note"])


def test_what_was_added_in_vain_was_told_to_nobody(ledger: Ledger) -> None:
    """Until a mail that says it is out, an added fact may be put otherwise without a change."""
    first, second, third = queue(ledger, 1, 2, 3)
    ledger.publish(EVENT, ROOM_A, later(0))
    send(ledger, [first], now=later(0))
    ledger.publish(EVENT, {**ROOM_A, "note": "A"}, later(10))
    refuse(ledger, [second], 11)
    assert ledger.publish(EVENT, {**ROOM_A, "note": "B"}, later(20)) == 0
    send(ledger, [third], now=later(20))
    assert [one.facts for one in ledger.editions(EVENT)] == [{**ROOM_A, "note": "B"}]


@pytest.mark.parametrize("out", [send, doubt])
def test_an_edition_counts_once_something_of_it_may_be_out(ledger: Ledger, out: object) -> None:
    """What no relay took was told to nobody: its number goes to what is told next; a doubt counts as told."""
    assert callable(out)
    first, second, third = queue(ledger, 1, 2, 3)
    assert ledger.publish(EVENT, ROOM_A, later(0)) == 0
    refuse(ledger, [first], 1)
    assert ledger.edition(EVENT) is None
    assert ledger.publish(EVENT, ROOM_B, later(10)) == 0
    out(ledger, [second], now=later(11))
    assert ledger.publish(EVENT, ROOM_C, later(20)) == 1
    refuse(ledger, [third], 21)
    assert [one.facts for one in ledger.editions(EVENT)] == [ROOM_B]
    assert ledger.publish(EVENT, ROOM_B, later(30)) == 0
    [edition] = ledger.editions(EVENT)
    assert (edition.facts, edition.at) == (ROOM_B, later(10))


def test_a_doubt_from_before_is_not_of_the_new_edition(ledger: Ledger) -> None:
    """A claim that a dead run left behind is settled by the next run, and says nothing of what that one tells."""
    [first] = queue(ledger, 1)
    ledger.publish(EVENT, ROOM_A, later(0))
    with ledger.run(EVENT, MAILING, later(1), relay=RELAY) as run:
        run.exchange((), [first], later(1))
    with ledger.run(EVENT, MAILING, later(5), relay=RELAY):
        assert ledger.publish(EVENT, ROOM_B, later(5)) == 1
    assert [one.facts for one in ledger.editions(EVENT)] == [ROOM_A]


def test_the_first_domain_is_that_of_the_first_mail_that_was_queued(ledger: Ledger) -> None:
    """Whether the relay takes it, and in which order, changes nothing of what the rest are named by."""
    assert ledger.first_domain(EVENT) is None
    first, second = queue(ledger, 1, 2)
    refuse(ledger, [first], 1)
    [delivery] = ledger.deliveries(EVENT, MAILING, State.FAILED)
    assert ledger.first_domain(EVENT) == delivery.message_id.rpartition("@")[2][:-1]
    send(ledger, [second], now=later(2))
    assert ledger.first_domain(EVENT) == delivery.message_id.rpartition("@")[2][:-1]
    assert ledger.first_domain("other") is None
