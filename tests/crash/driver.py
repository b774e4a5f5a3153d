"""A process that runs the delivery loop and nothing else, forked anew for each run, so that hundreds can be killed.

Reads one JSON object a line, `{"url": ..., "port": ..., "connections": ...}`; answers with the number of the process
that sends, then, when that has ended, with its exit status (negative: the signal that killed it).
"""

import asyncio
import json
import os
import random
import sys
from datetime import UTC, datetime

from mailer.deliver import Job, Pace, Policy, Round, setbacks
from mailer.ledger import Ledger
from mailer.smtp import Connection, Relay, Security
from tests.deliver.conftest import EVENT, NAME, compose

setbacks.REOPEN_AFTER = (0.0, 0.0, 0.0)


def send(url: str, port: int, connections: int) -> None:
    relay = Relay("127.0.0.1", port, Security.NONE, timeout=20)
    with (
        Ledger.open(url) as ledger,
        ledger.run(EVENT, NAME, datetime.now(UTC), relay=str(relay)) as run,
    ):
        due = ledger.due(EVENT, NAME, datetime.now(UTC))
        round_ = Round(
            run,
            [Job(number, int(key.partition("@")[0].removeprefix("guest")), 1) for key, number in due.items()],
            compose,
            lambda: Connection(relay),
            pace=Pace(()),
            policy=Policy(connections, 300, 86_400, wait=False),
            clock=lambda: datetime.now(UTC),
            source=random.Random(1),
            progress=lambda delivery, attempt: None,
            deferred=(),
            still_due=lambda _: True,
            idle=lambda _: None,
        )
        asyncio.run(round_.deliver())


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            send(**json.loads(line))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
