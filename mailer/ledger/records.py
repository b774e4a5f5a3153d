"""What goes into the ledger and comes out of it, as frozen values, and how a row becomes one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from mailer.ledger.schema import moment_of
from mailer.model import Address, Delivery, Party, Reply, Rule, State, frozen

_quoted = json.JSONEncoder(ensure_ascii=False).encode

Item = TypeVar("Item")

# Values of one query: SQLite takes 32,766 at most.
ASKED_AT_ONCE = 10_000

# The reason of a suppression that `forget` leaves.
FORGOTTEN = "forgotten"

STATES: Mapping[str, State] = {str(state): state for state in State}


@frozen
class Invitee:
    """Whom a mailing is to reach: the addressee, the Cc of the same party, and the rule of the invitation."""

    recipient: Address
    cc: tuple[Address, ...]
    party: Party
    rule: Rule


@frozen
class Attempt:
    """One try to hand over the message of one delivery, and how it ended.

    `state` is SENT, DEFERRED, FAILED or IN_DOUBT. `relay` is "host:port". `reply` is the relay's last, None where it
    gave none; `note` says in our words what no reply tells. `due_at` is when a deferred one is to be tried again.
    `transactions` are those that the relay may have counted: none where it heard of no message, several where it took
    the Cc apart.
    """

    delivery_id: int
    state: State
    started_at: datetime
    finished_at: datetime
    relay: str
    reply: Reply | None
    note: str
    due_at: datetime | None
    transactions: int


@frozen
class History:
    """What one recipient has had of an event: the state in each mailing, and when something last went out.

    `last_written` counts what was sent, has bounced or is in doubt; None where nothing of that kind stands.
    """

    states: Mapping[str, State]
    last_written: datetime | None


@dataclass(frozen=True, slots=True)
class Suppression:
    """That an address is not to be written to: why, in a person's words, and since when."""

    reason: str
    at: datetime

    @property
    def is_for_good(self) -> bool:
        """Whether the address was forgotten: nobody can lift that."""
        return self.reason == FORGOTTEN


@dataclass(frozen=True, slots=True)
class Erasure:
    """In how many deliveries (its own, or with a copy to it) and answers a forgotten address stood."""

    deliveries: int
    answers: int


@dataclass(frozen=True, slots=True)
class Edition:
    """What an event said when mails about it first went out so: facts by name; `number` counts the changes from 0."""

    number: int
    facts: Mapping[str, str]
    at: datetime

    def changed(self, facts: Mapping[str, str]) -> list[str]:
        """The facts that are told otherwise in `facts`: what only one of both knows of was never said otherwise.

        Of a translation that has no words of its own, nothing is told beside the fact itself.
        """
        changed = {fact: (was, facts[fact]) for fact, was in self.facts.items() if facts.get(fact, was) != was}
        return [fact for fact, words in changed.items() if changed.get(_untranslated(fact)) != words]


def _untranslated(fact: str) -> str:
    """The fact of which "translations.fr.venue" is a translation; empty where it is none."""
    kind, _, rest = fact.partition(".")
    return rest.partition(".")[2] if kind == "translations" else ""


def address_of(text: str) -> Address:
    """The address that the ledger stored, which was validated before it came in."""
    local, _, domain = text.rpartition("@")
    return Address(local, domain)


def cc_text(addresses: Sequence[Address]) -> str:
    """The Cc as the ledger stores it: a JSON list."""
    return f"[{', '.join([_quoted(str(address)) for address in addresses])}]"


def cc_of(text: str) -> tuple[Address, ...]:
    """The Cc that the ledger stored."""
    return () if text == "[]" else tuple(address_of(item) for item in json.loads(text))


# The columns of `Delivery` in the order of its fields, times as the driver returns them.
SELECT_DELIVERY = (
    "SELECT d.id, d.event, d.mailing, d.recipient, d.cc, i.party, i.reference, d.message_id, d.state, d.attempts, "
    "d.updated_at, d.date, d.due_at, d.code, d.enhanced_status, d.reply, d.reason "
    "FROM deliveries d JOIN invitations i ON i.id = d.invitation_id "
)


def marks(values: Sized) -> str:
    """One `?` for each value, to stand between brackets."""
    return ", ".join("?" * len(values))


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def delivery_of(row: Sequence[Any]) -> Delivery:
    """The delivery that a row of `SELECT_DELIVERY` holds."""
    (
        number, event, mailing, recipient, cc, party, reference, message_id, state, tries, updated_at, date, due_at,
        code, enhanced_status, reply, note,
    ) = row  # fmt: skip
    return Delivery(
        number,
        event,
        mailing,
        address_of(recipient),
        cc_of(cc),
        party,
        reference,
        message_id,
        STATES[state],
        tries,
        moment_of(updated_at),
        date and moment_of(date),
        due_at and moment_of(due_at),
        code,
        enhanced_status,
        reply,
        note,
    )


def reply_columns(reply: Reply | None) -> tuple[int | None, str | None, str | None]:
    """Code, enhanced status code and words of a reply, the words verbatim with one line each."""
    return (reply.code, reply.enhanced_status, "\n".join(reply.lines)) if reply else (None, None, None)


def reply_of(code: int | None, enhanced_status: str | None, words: str | None) -> Reply | None:
    """The reply that `reply_columns` took apart; without lines where the words were erased."""
    return None if code is None else Reply(code, enhanced_status, tuple(words.split("\n")) if words else ())
