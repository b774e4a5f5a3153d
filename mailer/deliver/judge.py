"""What became of a message: the attempt for the ledger, when it is tried again, and whether the mailing is refused."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from mailer.deliver.pace import wait_after
from mailer.deliver.session import Settled
from mailer.deliver.setbacks import Refusals
from mailer.errors import MailingRefused
from mailer.ledger import Attempt
from mailer.model import GIVEN_UP, Delivery, State
from mailer.smtp import Outcome
from mailer.status import Verdict

C = TypeVar("C")

_STATES = {
    Verdict.ACCEPTED: State.SENT,
    Verdict.TRANSIENT: State.DEFERRED,
    Verdict.PERMANENT: State.FAILED,
    Verdict.UNKNOWN: State.IN_DOUBT,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the loop is. `retry_after` (the first wait) and `give_up_after` are in seconds.

    `connections` are sessions at once; with `wait` the round lasts until every deferral is settled.
    """

    connections: int
    retry_after: float
    give_up_after: float
    wait: bool


class Judge:
    """Judges what one round has settled over `relay` ("host:port"), each once and in the order settled."""

    def __init__(self, relay: str, policy: Policy, source: random.Random) -> None:
        self._relay, self._policy, self._source = relay, policy, source
        self._lost: Counter[int] = Counter()
        self._refusals = Refusals()

    def attempt(self, settled: Settled[C]) -> Attempt:
        """How it is entered in the ledger: deferred until it is tried again, or failed where it is given up."""
        (delivery, _), began, ended, outcome, is_first, _ = settled
        state, note, due_at = _STATES[outcome.verdict], outcome.note, None
        if state is State.DEFERRED:
            due_at = self._retry_at(delivery, outcome, ended, is_first)
            if due_at is None:
                state, note = State.FAILED, f"{GIVEN_UP}: {note}"
        reply, transactions = outcome.reply, outcome.transactions
        return Attempt(delivery.id, state, began, ended, self._relay, reply, note, due_at, transactions)

    def refusal(self, settled: Settled[C]) -> MailingRefused | None:
        """What ends the round where so many have now been refused alike that it is the mailing that is refused."""
        outcome, domain = settled.outcome, settled.claim.delivery.recipient.domain
        # By all connections together; and by each, as they may end at different servers of which one takes nothing.
        is_refused = [heard.hear(outcome, domain) for heard in (self._refusals, settled.refusals)]
        if not any(is_refused) or not outcome.reply:
            return None
        return MailingRefused(
            f"{self._relay} refused one after the other in the same way: {outcome.reply.text}. So the rest was not "
            "tried: have that mended, and run the command again."
        )

    def _retry_at(self, delivery: Delivery, outcome: Outcome, now: datetime, is_first: bool) -> datetime | None:
        """When a deferral is tried again, the last time at the give-up time; None once that has passed.

        One that takes more transactions than it was allowed goes as soon as the pace has places for all of them.
        A message that met with a lost connection, or with a relay that asks for less, is not to blame and goes at once,
        unless it was the first on more connections than there may be; and the latter never makes it fail.
        """
        if outcome.needed:
            return now
        if outcome.is_retry or outcome.slow_down:
            self._lost[delivery.id] += is_first
            if self._lost[delivery.id] <= self._policy.connections:
                return now
        # A person who had it sent again days later means to have it tried as long as any other.
        give_up_at = (delivery.tried_since or now) + timedelta(seconds=self._policy.give_up_after)
        later = now + wait_after(delivery.tries + 1, self._policy.retry_after, self._source)
        if outcome.slow_down:
            return later
        return min(later, give_up_at) if now < give_up_at else None
