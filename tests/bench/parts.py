"""Times each part of the line alone, with the real modules, in the working folder where it runs; prints JSON.

python parts.py        -> {"part": [CPU milliseconds a message, wall milliseconds a message], ...}
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from mailer.cli.desk import open_desk
from mailer.cli.gathering import gather
from mailer.cli.guests import Guest, read_guests
from mailer.cli.mailing import Prepared, choose_mailing, prepare
from mailer.cli.surveying import survey
from mailer.ledger import Attempt, Invitee, Ledger, Run
from mailer.model import Delivery, Envelope, Reply, State
from mailer.smtp import Connection, Relay, Security
from mailer.smtp.features import CARRIES_ALL

# The most that the loop claims at once over one connection, and over five.
_GROUPS = (2, 10)

Message = tuple[Envelope, Sequence[bytes]]


class Clocks:
    """What each part took, in milliseconds a message."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}

    @contextmanager
    def time(self, part: str, number: int) -> Iterator[None]:
        cpu, wall = time.process_time(), time.monotonic()
        yield
        per_message = 1000 / number
        self.parts[part] = ((time.process_time() - cpu) * per_message, (time.monotonic() - wall) * per_message)


def main() -> None:
    clocks = Clocks()
    desk = open_desk(None, None)
    mailing = choose_mailing(desk, None)
    prepared = prepare(desk, mailing)
    number = len(gather(prepared).guests)  # once unmeasured: all modules are there, all caches filled
    with clocks.time("read", number):
        deque(read_guests(desk.config.contact_paths, desk.directory), 0)
    with desk.ledger(create=True) as ledger:
        with clocks.time("read, ask, check", number):
            due = list(survey(prepared, ledger, wait=False, only=None, limit=None).due.guests)
        rule, domain = desk.event.rsvp.rule, desk.mail_from.address.domain
        with clocks.time("ledger: queue", number):
            invitees = (Invitee(guest.contact.address, (), guest.contact.party, rule) for guest in due)
            ledger.enqueue(desk.event.name, prepared.wave, invitees, domain=domain, now=desk.clock())
        deliveries = list(ledger.deliveries(desk.event.name, prepared.wave))
        messages = _compose(prepared, due, deliveries, clocks)
        _exchange(prepared, ledger, clocks)
    for name, run in _loops():
        with clocks.time(f"socket: {name}", number):
            run(_send(prepared, messages))
    json.dump(clocks.parts, sys.stdout)


def _compose(prepared: Prepared, due: Sequence[Guest], deliveries: Sequence[Delivery], clocks: Clocks) -> list[Message]:
    now, number = prepared.desk.clock(), len(deliveries)
    pairs = list(zip(deliveries, due, strict=True))
    with clocks.time("render", number):
        letters = [prepared.letter(guest, delivery.reference, now) for delivery, guest in pairs]
    with clocks.time("message", number):
        return [
            prepared.message(letter, guest, delivery, CARRIES_ALL)
            for letter, (delivery, guest) in zip(letters, pairs, strict=True)
        ]


def _exchange(prepared: Prepared, ledger: Ledger, clocks: Clocks) -> None:
    """Claims and settles every delivery, a part of them in groups of each size."""
    desk, wave = prepared.desk, prepared.wave
    reply = Reply(250, "2.0.0", ("2.0.0 Ok",))
    with ledger.run(desk.event.name, wave, desk.clock(), relay="127.0.0.1:25") as run:
        numbers = list(ledger.due(desk.event.name, wave, desk.clock()).values())
        each = len(numbers) // len(_GROUPS)
        for turn, size in enumerate(_GROUPS):
            mine = numbers[turn * each : (turn + 1) * each]
            groups = [mine[start : start + size] for start in range(0, each, size)]
            with clocks.time(f"ledger: groups of {size}", each):
                _settle(run, groups, desk.clock, reply)


def _settle(run: Run, groups: Sequence[Sequence[int]], clock: Callable, reply: Reply) -> None:
    run.exchange([], groups[0], clock())
    for group, following in pairwise([*groups, []]):
        now = clock()
        done = [Attempt(number, State.SENT, now, now, "127.0.0.1:25", reply, "", None, 1) for number in group]
        run.exchange(done, following, now)


def _loops() -> Iterator[tuple[str, Callable]]:
    yield "asyncio", asyncio.run
    try:
        import uvloop
    except ImportError:
        return
    yield "uvloop", uvloop.run


async def _send(prepared: Prepared, messages: Sequence[Message]) -> None:
    settings = prepared.desk.config
    connection = Connection(Relay(settings.SMTP_HOST or "", settings.SMTP_PORT, Security.NONE))
    await connection.open()
    for (envelope, content), (following, _) in pairwise([*messages, (None, ())]):
        await connection.send(envelope, content, following)
    await connection.close()


if __name__ == "__main__":
    main()
