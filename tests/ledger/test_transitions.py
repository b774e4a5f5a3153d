"""The arrows of a delivery, held by the database itself against whoever writes to it."""

from itertools import product

import pytest
from sqlalchemy.exc import DBAPIError

from mailer.errors import LedgerError
from mailer.ledger import Ledger
from mailer.ledger.schema import moment_of
from mailer.model import State
from tests.ledger.people import EVENT, MAILING, NOW, RELAY, outcome, queue, raw, send, states, steps

LEGAL = {
    "queued": {"claimed", "suppressed", "cancelled"},
    "claimed": {"sent", "deferred", "failed", "in_doubt"},
    "deferred": {"claimed", "failed", "suppressed"},
    "in_doubt": {"queued", "sent"},
    "failed": {"queued"},
    "suppressed": {"queued"},
    "sent": {"bounced"},
}
# One way to each state.
WAY = {
    "queued": (),
    "claimed": ("claimed",),
    "sent": ("claimed", "sent"),
    "deferred": ("claimed", "deferred"),
    "failed": ("claimed", "failed"),
    "in_doubt": ("claimed", "in_doubt"),
    "bounced": ("claimed", "sent", "bounced"),
    "suppressed": ("suppressed",),
    "cancelled": ("cancelled",),
}


def step(url: str, number: int, state: str) -> None:
    due_at = NOW if state == "deferred" else None
    raw(
        url,
        "UPDATE deliveries SET state = :state, due_at = :due, run_id = 1, claimed_at = updated_at, "
        "date = COALESCE(date, updated_at) WHERE id = :id",
        state=state,
        due=due_at and due_at.isoformat(timespec="microseconds"),
        id=number,
    )


@pytest.mark.parametrize("was", WAY)
def test_only_the_arrows_of_the_design_can_be_followed(ledger: Ledger, url: str, was: str) -> None:
    """From each state a delivery can go where an arrow leads, and nowhere else, also past the program."""
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY):
        pass
    for number, became in zip(queue(ledger, *range(len(State))), map(str, State), strict=True):
        for state in WAY[was]:
            step(url, number, state)
        if became in LEGAL.get(was, set()):
            step(url, number, became)
            assert raw(url, "SELECT state FROM deliveries WHERE id = :id", id=number) == [(became,)]
        else:
            with pytest.raises(DBAPIError, match="no such transition"):
                step(url, number, became)


def test_an_unknown_state_cannot_be_written(ledger: Ledger, url: str) -> None:
    """A word that is no state is refused."""
    [number] = queue(ledger, 1)
    with pytest.raises(DBAPIError):
        raw(url, "UPDATE deliveries SET state = 'delivered' WHERE id = :id", id=number)


def test_a_claim_needs_an_owner_and_a_deferral_a_time(ledger: Ledger, url: str) -> None:
    """No claim without run, moment and Date; no deferral that is never due."""
    [number] = queue(ledger, 1)
    with pytest.raises(DBAPIError, match="claimed_has_owner"):
        raw(url, "UPDATE deliveries SET state = 'claimed' WHERE id = :id", id=number)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), [number], NOW)
        with pytest.raises(LedgerError, match="deferred_is_due_some_time"):
            run.exchange([outcome(claimed, State.DEFERRED, due_at=None)], (), NOW)
        run.exchange([outcome(claimed)], (), NOW)


def test_every_step_is_written_down(ledger: Ledger, url: str) -> None:
    """The journal names each step with its time, whoever took it."""
    [number] = queue(ledger, 1)
    send(ledger, [number])
    assert steps(url, number) == [("queued", "claimed", ""), ("claimed", "sent", "")]
    [(at,), _] = raw(url, "SELECT at FROM transitions ORDER BY id")
    assert moment_of(at) == NOW  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM transitions",
        "UPDATE transitions SET became = 'failed'",
        "UPDATE transitions SET at = at",
        "UPDATE transitions SET reason = 'another'",
        "DELETE FROM attempts",
        "UPDATE attempts SET state = 'failed'",
        "UPDATE attempts SET code = 250",
        "UPDATE attempts SET reply = 'never said'",
        "DELETE FROM deliveries",
        "DELETE FROM invitations",
        "UPDATE deliveries SET message_id = '<other@example.org>'",
        "UPDATE deliveries SET date = NULL",
        "UPDATE deliveries SET mailing = 'other'",
    ],
)
def test_what_happened_cannot_be_unmade(ledger: Ledger, url: str, statement: str) -> None:
    """Nothing of the past can be deleted or rewritten, only the words be erased."""
    send(ledger, queue(ledger, 1))
    with pytest.raises(DBAPIError):
        raw(url, statement)


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUEUED])
def test_a_delivery_begins_as_queued(ledger: Ledger, url: str, state: State) -> None:
    """No delivery appears in any other state."""
    queue(ledger, 1)
    copy = (
        "INSERT INTO deliveries (invitation_id, event, mailing, recipient, cc, message_id, state, reason, attempts, "
        "queued_at, updated_at) SELECT invitation_id, event, 'second', recipient, cc, 'x', :state, '', 0, queued_at, "
        "updated_at FROM deliveries"
    )
    with pytest.raises(DBAPIError, match="begins as queued"):
        raw(url, copy, state=str(state))


@pytest.mark.parametrize(("which", "state"), list(product([0, 1], [State.SENT, State.FAILED])))
def test_an_outcome_needs_a_claim(ledger: Ledger, which: int, state: State) -> None:
    """An outcome for what is not claimed is refused, and the rest of its group with it."""
    numbers = queue(ledger, 1, 2)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        [claimed] = run.exchange((), [numbers[which]], NOW)
        other = next(number for number in numbers if number != claimed.id)
        with pytest.raises(LedgerError, match="not of a delivery that is being sent"):
            run.exchange([outcome(claimed), outcome(other, state)], (), NOW)
        assert ledger.attempts(claimed.id) == []
        run.exchange([outcome(claimed, State.DEFERRED, None, due_at=NOW)], (), NOW)
        # Not even one that the arrows would allow.
        with pytest.raises(LedgerError, match="not of a delivery that is being sent"):
            run.exchange([outcome(claimed, State.FAILED)], (), NOW)
        assert [attempt.state for attempt in ledger.attempts(claimed.id)] == [State.DEFERRED]


def test_only_its_own_run_gives_a_claim_back(ledger: Ledger) -> None:
    """What a later run has claimed is not taken from it by an earlier one that lost its right to send."""
    [number] = queue(ledger, 1)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as earlier:
        pass
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        run.exchange((), [number], NOW)
        earlier.release([number], NOW)
        assert states(ledger) == [State.CLAIMED]
        run.release([number], NOW)
        assert states(ledger) == [State.DEFERRED]
