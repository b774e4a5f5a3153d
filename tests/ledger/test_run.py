"""The exclusive right to send, and the exchange of outcomes for claims."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailer.errors import LedgerError, LedgerInUse
from mailer.ledger import Ledger
from mailer.ledger.schema import moment_of
from mailer.model import Delivery, State
from tests.ledger.people import (
    ACCEPTED,
    DOMAIN,
    EVENT,
    GREYLISTED,
    MAILING,
    NOW,
    RELAY,
    UNKNOWN,
    address,
    doubt,
    finished,
    invitee,
    later,
    outcome,
    queue,
    raw,
    send,
    states,
    steps,
)


def test_claims_come_back_in_the_order_asked(ledger: Ledger) -> None:
    """What is claimed is what may be sent, in the order of the list."""
    numbers = queue(ledger, *range(5))
    wanted = [numbers[3], numbers[0], numbers[4]]
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        claimed = run.exchange((), wanted, NOW)
        assert [one.id for one in claimed] == wanted
        assert all(one.state is State.CLAIMED and one.date == NOW for one in claimed)
        run.exchange(list(map(outcome, claimed)), (), NOW)


def test_only_what_is_due_can_be_claimed(ledger: Ledger) -> None:
    """Sent, claimed, suppressed, unknown and not yet due deliveries are left out without a word."""
    numbers = queue(ledger, *range(4))
    ledger.suppress(address(3), "opted out", NOW)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        first, second = run.exchange((), numbers[:2], NOW)
        wait = outcome(second, State.DEFERRED, GREYLISTED, due_at=later(300))
        [third] = run.exchange([outcome(first), wait], [*numbers, 999], NOW)
        assert third.id == numbers[2]
        assert run.exchange((), numbers, NOW) == []
        [again] = run.exchange([outcome(third)], numbers, later(300))
        assert again.id == second.id
        run.exchange([outcome(again)], (), NOW)


def test_outcomes_are_kept_word_for_word(ledger: Ledger) -> None:
    """Each attempt keeps the relay's reply line by line; the delivery shows the last one."""
    [number] = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [number], NOW)
        first = outcome(number, State.DEFERRED, GREYLISTED, due_at=later(300))
        run.exchange([first], [number], later(300))
        second = outcome(number, State.FAILED, UNKNOWN, now=later(300))
        run.exchange([second], (), later(300))
    assert ledger.attempts(number) == [first, second]
    [delivery] = ledger.deliveries(EVENT)
    assert (delivery.state, delivery.attempts) == (State.FAILED, 2)
    assert (delivery.code, delivery.enhanced_status, delivery.reply) == (550, "5.1.1", "5.1.1 No such person")


def test_the_date_is_that_of_the_first_claim(ledger: Ledger) -> None:
    """A re-send after a deferral or a doubt has the Message-ID and Date of the first try."""
    [number] = queue(ledger, 1)
    doubt(ledger, [number])
    assert ledger.resolve([number], State.QUEUED, later(60)) == 1
    with ledger.run(EVENT, MAILING, later(90), relay=RELAY) as run:
        [again] = run.exchange((), [number], later(90))
        assert again.date == NOW
        assert again.message_id == ledger.message_id(EVENT, MAILING, address(1), DOMAIN)
        run.exchange([outcome(again)], (), later(90))


def test_a_claim_tells_since_when_it_has_been_tried(ledger: Ledger) -> None:
    """Since the first attempt; after a doubt that a person settled, since the first one after that."""
    [number, fresh] = queue(ledger, 1, 2)

    def claim_and_defer(seconds: float) -> Delivery:
        with ledger.run(EVENT, MAILING, later(seconds), relay=RELAY) as run:
            [claimed] = run.exchange((), [number], later(seconds))
            wait = outcome(claimed, State.DEFERRED, GREYLISTED, later(seconds + 1), due_at=later(seconds))
            run.exchange([wait], (), later(seconds + 1))
            return claimed

    assert [claim_and_defer(seconds).tried_since for seconds in (0, 10, 20)] == [None, later(1), later(1)]
    doubt(ledger, [number], now=later(30))
    ledger.resolve([number], State.QUEUED, later(40))
    assert [claim_and_defer(seconds).tried_since for seconds in (50, 60)] == [None, later(51)]
    with ledger.run(EVENT, MAILING, later(70), relay=RELAY) as run:
        claimed = run.exchange((), [fresh, number], later(70))
        assert [(one.tried_since, one.tries) for one in claimed] == [(None, 0), (later(51), 2)]
        run.exchange(list(map(outcome, claimed)), (), later(70))


def test_what_was_not_begun_can_be_given_back(ledger: Ledger, url: str) -> None:
    """A released claim is due at once and counts as no attempt."""
    numbers = queue(ledger, 1, 2)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        first, _ = run.exchange((), numbers, NOW)
        run.exchange([outcome(first)], (), NOW)
        run.release(numbers, NOW)
    assert states(ledger) == [State.SENT, State.DEFERRED]
    assert list(ledger.due(EVENT, MAILING, NOW).values()) == numbers[1:]
    assert ledger.attempts(numbers[1]) == []
    assert steps(url, numbers[1])[-1] == ("claimed", "deferred", "given back: nothing had been sent")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_claim_left_over_is_in_doubt(ledger: Ledger, url: str, stopped: bool) -> None:
    """Nobody can say how far a claim got that was not handed back, whether the run ended in peace or not."""
    numbers = queue(ledger, 1, 2)

    def leave_a_claim() -> None:
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            run.exchange((), numbers[:1], NOW)
            if stopped:
                raise KeyboardInterrupt

    if stopped:
        with pytest.raises(KeyboardInterrupt):
            leave_a_claim()
    else:
        leave_a_claim()
    assert states(ledger) == [State.IN_DOUBT, State.QUEUED]
    [attempt] = ledger.attempts(numbers[0])
    assert (attempt.state, attempt.relay, attempt.started_at, attempt.reply) == (State.IN_DOUBT, RELAY, NOW, None)
    assert finished(url) == [(os.getpid(), NOW)]


def test_a_second_run_is_told_who_is_at_work(url: str, ledger: Ledger) -> None:
    """While one run lives, another is refused with the first one's process, mailing and time."""
    with (
        Ledger.open(url) as other,
        ledger.run(EVENT, MAILING, NOW, relay=RELAY),
        pytest.raises(LedgerInUse, match=rf"process \d+ on .+ invitation of {EVENT} since 02 May 2024, 09:30:00 UTC"),
        other.run(EVENT, "reminder", NOW, relay=RELAY),
    ):
        pytest.fail("two runs at once")
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY):
        pass
    assert len(finished(url)) == 2


def test_who_would_begin_a_run_is_told_before_of_another_alone_that_lives(url: str, ledger: Ledger) -> None:
    """Neither one that has ended nor one that died keeps anybody from beginning."""
    ledger.require_no_run()
    with Ledger.open(url) as other:
        with (
            ledger.run(EVENT, MAILING, NOW, relay=RELAY),
            pytest.raises(LedgerInUse, match=f"process {os.getpid()} on"),
        ):
            other.require_no_run()
        other.require_no_run()
        raw(url, "UPDATE runs SET finished_at = NULL")
        other.require_no_run()


def test_a_sweep_that_is_asked_says_why_it_does_nothing(url: str, ledger: Ledger) -> None:
    """While a run lives, whoever wants its claims settled is told of it; in its turn a quiet sweep says nothing."""
    numbers = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run, Ledger.open(url) as other:
        run.exchange((), numbers, NOW)
        with pytest.raises(LedgerInUse, match=f"process {os.getpid()} on"):
            other.sweep(NOW, quietly=False)
        assert other.sweep(NOW) == 0
    assert ledger.sweep(NOW, quietly=False) == 0


def test_a_right_that_outlives_its_holder_is_told_as_such(postgresql: Callable[[], str]) -> None:
    """Where a server has not noticed yet that a run died, the run is not called one that is just beginning."""
    url = postgresql()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    with (
        Ledger.open(url) as ledger,
        Ledger.open(url) as other,
        ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run,
    ):
        numbers = queue(other, 1)
        raw(url, "UPDATE runs SET pid = :pid", pid=int(ended.stdout))
        with (
            pytest.raises(LedgerInUse, match=r"held for process \d+ on .*, which has ended, until the server"),
            other.run(EVENT, MAILING, NOW, relay=RELAY),
        ):
            pytest.fail("two runs at once")
        run.exchange((), numbers, NOW)
        with pytest.raises(LedgerError, match="which has ended") as caught:
            other.sweep(NOW, quietly=False)
        assert not isinstance(caught.value, LedgerInUse)
        run.exchange([outcome(numbers[0])], (), NOW)


def test_a_group_is_recorded_whole_or_not_at_all(ledger: Ledger) -> None:
    """Where one outcome cannot be recorded, none is, and nothing is claimed."""
    numbers = queue(ledger, 1, 2)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), numbers[:1], NOW)
        with pytest.raises(LedgerError):
            run.exchange([outcome(claimed), outcome(999)], numbers[1:], NOW)
        assert states(ledger) == [State.CLAIMED, State.QUEUED]
        run.exchange([outcome(claimed)], (), NOW)


def test_nobody_is_written_to_who_opted_out_while_claimed(ledger: Ledger) -> None:
    """An opt-out between two attempts holds: the second is never made."""
    [number] = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), [number], NOW)
        assert ledger.suppress(address(1), "opted out", NOW) == 0
        assert run.exchange([outcome(claimed, State.DEFERRED, GREYLISTED, due_at=NOW)], [number], NOW) == []
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY):
        pass
    assert states(ledger) == [State.SUPPRESSED]


def test_copies_go_to_nobody_who_opted_out(ledger: Ledger) -> None:
    """A suppressed address is gone from the Cc of whatever is claimed, and the ledger says so."""
    ledger.enqueue(EVENT, MAILING, [invitee(1, 2, 3)], domain=DOMAIN, now=NOW)
    ledger.suppress(address(2), "opted out", NOW)
    [number] = ledger.due(EVENT, MAILING, NOW).values()
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), [number], NOW)
        assert claimed.cc == (address(3),)
        run.exchange([outcome(claimed)], (), NOW)
    [delivery] = ledger.deliveries(EVENT)
    assert delivery.cc == (address(3),)


@pytest.mark.parametrize("place", ["sqlite://", None])
def test_one_thread_may_exchange_while_another_reads(place: str | None, url: str) -> None:
    """The loop's thread writes while the main thread reads and decides, in memory too."""
    with Ledger.open(place or url) as ledger, ThreadPoolExecutor(1) as thread:
        numbers = queue(ledger, *range(60))
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            claimed = run.exchange((), numbers[:5], NOW)
            for start in range(5, 60, 5):
                job = thread.submit(run.exchange, list(map(outcome, claimed)), numbers[start : start + 5], NOW)
                assert sum(sum(tally.values()) for tally in ledger.counts(EVENT).values()) == 60
                ledger.suppress(address(start + 100), "manual", NOW)
                claimed = job.result()
            run.exchange(list(map(outcome, claimed)), (), NOW)
        assert ledger.counts(EVENT) == {MAILING: {State.SENT: 60}}


def test_runs_remember_their_relay_and_process(ledger: Ledger, url: str) -> None:
    """Each run stands in the ledger with event, mailing, relay, host, process and times."""
    send(ledger, queue(ledger, 1), now=later(5))
    [(event, mailing, relay, host, started_at)] = raw(url, "SELECT event, mailing, relay, host, started_at FROM runs")
    assert (event, mailing, relay, host) == (EVENT, MAILING, RELAY, socket.gethostname())
    assert moment_of(started_at) == later(5)  # type: ignore[arg-type]
    assert finished(url) == [(os.getpid(), later(5))]
    assert ledger.attempts(1)[0].reply == ACCEPTED


def test_what_stopped_the_loop_is_told_where_the_database_went_away_too(postgresql: Callable[[], str]) -> None:
    """The right to send ends with the session that held it; that it cannot be given back is not the news."""
    url = postgresql()
    with Ledger.open(url) as ledger:
        numbers = queue(ledger, 1)
        with pytest.raises(RuntimeError, match="what stopped it"), ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            run.exchange((), numbers, NOW)
            raw(
                url,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
            )
            raise RuntimeError("what stopped it")
        with ledger.run(EVENT, MAILING, later(60), relay=RELAY):
            assert states(ledger) == [State.IN_DOUBT]


BREAK = """
import sys
from datetime import UTC, datetime
import sqlalchemy
from mailer.errors import LedgerError
from mailer.ledger import Ledger
with Ledger.open(sys.argv[1]) as ledger:
    try:
        with ledger.run("event", "invitation", datetime.now(UTC), relay="relay.example.org:25") as run:
            with sqlalchemy.create_engine(sys.argv[1].replace("postgresql:", "postgresql+psycopg:")).begin() as other:
                other.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            run.exchange([], [1], datetime.now(UTC))
    except LedgerError as exc:
        print(exc)
"""


def test_a_database_that_goes_away_is_told_in_one_sentence(postgresql: Callable[[], str]) -> None:
    """No traceback of a library stands before the sentence that says what happened and what to do."""
    ended = subprocess.run([sys.executable, "-c", BREAK, postgresql()], capture_output=True, text=True, check=True)
    assert "cannot be reached" in ended.stdout
    assert not ended.stderr
