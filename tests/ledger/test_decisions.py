"""What a person decides: settling doubts, suppressing, forgetting."""

from collections.abc import Iterator
from typing import Literal

import pytest

from mailer.errors import LedgerError
from mailer.ledger import Erasure, Ledger, Suppression
from mailer.ledger.store import open_store
from mailer.ledger.versions import migrate
from mailer.model import Address, Reply, State
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    GREYLISTED,
    MAILING,
    NOW,
    RELAY,
    address,
    doubt,
    invitee,
    later,
    octets,
    outcome,
    queue,
    raw,
    send,
    states,
    steps,
)


def test_a_doubt_can_be_settled_as_sent(ledger: Ledger) -> None:
    """What a person found to be sent is never sent again."""
    numbers = queue(ledger, 1, 2)
    doubt(ledger, numbers[:1])
    assert ledger.resolve(numbers, State.SENT, later(60)) == 1
    assert states(ledger) == [State.SENT, State.QUEUED]
    assert ledger.resolve(numbers, State.QUEUED, later(60)) == 0
    assert list(ledger.due(EVENT, MAILING, later(60)).values()) == numbers[1:]


@pytest.mark.parametrize("settled", [State.SENT, State.QUEUED])
def test_any_number_can_be_settled_at_once(ledger: Ledger, settled: Literal[State.SENT, State.QUEUED]) -> None:
    """More than either database takes in one statement are settled together, wherever in the list they stand."""
    numbers = queue(ledger, 1, 2)
    doubt(ledger, numbers)
    unknown = range(1_000, 301_000)
    assert ledger.resolve([numbers[0], *unknown, numbers[1]], settled, later(60)) == 2
    assert states(ledger) == [settled, settled]


def test_a_doubt_about_somebody_who_opted_out_is_not_sent_again(ledger: Ledger) -> None:
    """Settled for sending again, but suppressed in the meantime: suppressed, and not counted as to be sent."""
    numbers = queue(ledger, 1, 2)
    doubt(ledger, numbers)
    ledger.suppress(address(1), "opted out", NOW)
    assert states(ledger) == [State.IN_DOUBT, State.IN_DOUBT]
    assert ledger.resolve(numbers, State.QUEUED, later(60)) == 1
    assert states(ledger) == [State.SUPPRESSED, State.QUEUED]


def test_suppression_stops_what_waits_in_every_event(ledger: Ledger) -> None:
    """Queued and deferred deliveries to the address are held back, in any spelling; others go on."""
    numbers = queue(ledger, 1, 2)
    ledger.enqueue("other-event", MAILING, [invitee(1)], domain=DOMAIN, now=NOW)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), numbers[:1], NOW)
        run.exchange([outcome(claimed, State.DEFERRED, due_at=NOW)], (), NOW)
    assert ledger.suppress(Address("GUEST1", "mission.example.org"), "opted out", NOW) == 2
    assert states(ledger) == [State.SUPPRESSED, State.QUEUED]
    assert ledger.counts("other-event") == {MAILING: {State.SUPPRESSED: 1}}


def test_suppressed_addresses_are_known_by_digest_alone(ledger: Ledger, url: str) -> None:
    """Who opted out is recognised, and the list does not hold the address."""
    ledger.suppress(address(1), "opted out", NOW)
    assert ledger.suppress(address(1), "again", later(1)) == 0
    assert ledger.suppressed([address(1), address(2)]) == {address(1).key: Suppression("opted out", NOW)}
    [(reason, digest)] = raw(url, "SELECT reason, digest FROM suppressions")
    assert reason == "opted out"
    assert b"guest1" not in bytes(digest)  # type: ignore[arg-type]


def test_what_is_held_back_says_why(ledger: Ledger, url: str) -> None:
    """A suppressed delivery and its journal have the words of the suppression, not those of an earlier refusal."""
    [number] = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [number], NOW)
        run.exchange([outcome(number, State.DEFERRED, GREYLISTED, due_at=later(9))], (), NOW)
    ledger.suppress(address(1), "asked by telephone", later(1))
    [delivery] = ledger.deliveries(EVENT)
    assert (delivery.code, delivery.reply, delivery.note) == (None, None, "asked by telephone")
    assert steps(url, number)[-1] == ("deferred", "suppressed", "asked by telephone")
    [attempt] = ledger.attempts(number)
    assert attempt.reply == GREYLISTED


def test_a_suppression_can_be_taken_back(ledger: Ledger, url: str) -> None:
    """What it held back, tried before or not, in whatever event, is queued and claimed again; what was sent is not."""
    sent, deferred, _ = numbers = queue(ledger, 1, 2, 3)
    ledger.enqueue("other-event", MAILING, [invitee(2)], domain=DOMAIN, now=NOW)
    send(ledger, [sent])
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [deferred], NOW)
        run.exchange([outcome(deferred, State.DEFERRED, GREYLISTED, due_at=later(9))], (), NOW)
    for guest in (1, 2, 3):
        ledger.suppress(address(guest), "a slip of the hand", later(1))
    assert [ledger.lift(address(guest), later(2)) for guest in (1, 2)] == [0, 2]
    assert ledger.counts(EVENT) == {MAILING: {State.SENT: 1, State.QUEUED: 1, State.SUPPRESSED: 1}}
    assert ledger.counts("other-event") == {MAILING: {State.QUEUED: 1}}
    assert steps(url, deferred)[-1] == ("suppressed", "queued", "suppression lifted")
    with ledger.run(EVENT, MAILING, later(3), relay=RELAY) as run:
        claimed = run.exchange((), numbers, later(3))
        assert [one.recipient for one in claimed] == [address(2)]
        run.exchange([outcome(claimed[0])], (), later(3))


def test_only_what_was_suppressed_for_a_while_can_be_lifted(ledger: Ledger) -> None:
    """An unknown address is told, and a forgotten one stays suppressed for good."""
    with pytest.raises(LedgerError, match=r"guest1@mission\.example\.org is not suppressed"):
        ledger.lift(address(1), NOW)
    queue(ledger, 1)
    ledger.suppress(address(1), "opted out", NOW)
    ledger.forget(address(1), NOW)
    with pytest.raises(LedgerError, match="was forgotten, which is for good"):
        ledger.lift(address(1), NOW)
    assert states(ledger) == [State.SUPPRESSED]
    assert ledger.suppressed([address(1)])


def test_what_an_older_program_suppressed_can_be_lifted(url: str) -> None:
    """A ledger from before there was a way back is given it, on either store."""
    store = open_store(url)
    with store.migrating() as connection:
        migrate(connection, "0005")
    store.close()
    raw(url, "INSERT INTO meta (name, value) VALUES ('secret', :secret)", secret="5a" * 32)
    with Ledger.open(url) as ledger:
        queue(ledger, 1)
        ledger.suppress(address(1), "opted out", NOW)
        assert ledger.lift(address(1), later(1)) == 1
        assert states(ledger) == [State.QUEUED]


def test_nobody_is_asked_for_where_nobody_is_suppressed(ledger: Ledger) -> None:
    """Then the lists need not be read."""

    def unread() -> Iterator[Address]:
        raise AssertionError
        yield

    assert ledger.suppressions(unread()) == []


@pytest.mark.parametrize("state", [State.QUEUED, State.SENT, State.FAILED, State.DEFERRED, State.IN_DOUBT])
def test_forgetting_leaves_counts_and_nothing_else(ledger: Ledger, url: str, state: State) -> None:
    """Address and words are gone from every file; how many were written to, and that nobody writes again, stays."""
    person = Address("Ottilie.Quill", "quill.example.org")
    own = invitee(1)
    people = [type(own)(person, (), own.party, own.rule), type(own)(address(2), (person,), own.party, own.rule)]
    ledger.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=NOW)
    number, copy = ledger.due(EVENT, MAILING, NOW).values()
    send(ledger, [copy])
    if state is not State.QUEUED:
        words = Reply(550, "5.1.1", ("5.1.1 <ottilie.quill@quill.example.org> is not here",))
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            [claimed] = run.exchange((), [number], NOW)
            due_at = later(60) if state is State.DEFERRED else None
            run.exchange([outcome(claimed, state, words, due_at=due_at, note="to Ottilie.Quill")], (), NOW)
    ledger.suppress(person, "Ottilie Quill rang", later(4))
    assert ledger.forget(person, later(5)) == Erasure(deliveries=2, answers=0)

    forgotten, copied = ledger.deliveries(EVENT)
    assert forgotten.recipient.domain == "invalid"
    assert forgotten.state is (State.SUPPRESSED if state in {State.QUEUED, State.DEFERRED} else state)
    assert (forgotten.reply, len(copied.cc), copied.cc[0].domain) == (None, 1, "invalid")
    assert ledger.suppressed([person])[person.key].is_for_good
    assert sum(sum(tally.values()) for tally in ledger.counts(EVENT).values()) == 2
    ledger.close()
    assert b"quill" not in octets(url)
    with Ledger.open(url) as again:
        assert again.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=later(9)) == 0
        assert len(list(again.deliveries(EVENT))) == 2


@pytest.mark.parametrize("number", [1, 9])
@pytest.mark.parametrize("state", [State.SENT, State.FAILED])
def test_who_is_forgotten_while_a_message_is_on_its_way_stays_forgotten(
    ledger: Ledger, url: str, number: int, state: State
) -> None:
    """What the relay then says, which may repeat the address or that of a copy, is not kept; the outcome is."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 9), invitee(2)], domain=DOMAIN, now=NOW)
    numbers = list(ledger.due(EVENT, MAILING, NOW).values())
    words = Reply(250, "2.0.0", (f"2.0.0 <{address(number)}> queued",))
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        claimed = run.exchange((), numbers, NOW)
        ledger.forget(address(number), NOW)
        run.exchange([outcome(one, state, words, note=f"to {address(number)}") for one in claimed], (), NOW)
    forgotten, other = ledger.deliveries(EVENT)
    assert (forgotten.state, forgotten.reply, forgotten.note) == (state, None, "")
    assert (other.reply, other.note) == (words.lines[0], f"to {address(number)}")
    [attempt] = ledger.attempts(forgotten.id)
    assert (attempt.reply, attempt.note) == (Reply(250, "2.0.0", ()), "")
    assert steps(url, forgotten.id)[-1] == ("claimed", state, "")


def test_a_forgotten_copy_is_gone_from_what_is_still_to_be_sent(ledger: Ledger) -> None:
    """Nothing goes to a forgotten Cc address or a placeholder for it, whatever waited, was deferred or in doubt."""
    people = [invitee(1, 9, 2), invitee(3, 9), invitee(4, 9, 5)]
    ledger.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=NOW)
    numbers = list(ledger.due(EVENT, MAILING, NOW).values())
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), numbers[1:2], NOW)
        run.exchange([outcome(numbers[1], State.DEFERRED, due_at=NOW)], (), NOW)
    doubt(ledger, numbers[2:])
    ledger.forget(address(9), NOW)
    assert [one.cc for one in ledger.deliveries(EVENT)][:2] == [(address(2),), ()]
    ledger.resolve(numbers, State.QUEUED, NOW)
    ledger.enqueue(EVENT, MAILING, people, domain=DOMAIN, now=NOW)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        claimed = run.exchange((), numbers, NOW)
        assert [one.cc for one in claimed] == [(address(2),), (), (address(5),)]
        run.exchange(list(map(outcome, claimed)), (), NOW)
    assert [one.cc for one in ledger.deliveries(EVENT)] == [(address(2),), (), (address(5),)]
