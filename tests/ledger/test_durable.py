"""A claim is on the disk before anything is sent for it: asked of the very connection that claims and records."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from mailer.ledger import Ledger
from mailer.ledger.run import Run
from tests.ledger.people import EVENT, MAILING, NOW, RELAY, outcome, queue, states

ROOT = Path(__file__).parents[2]

FULL = 2  # what SQLite calls it by: a commit waits until the disk has the write-ahead log


def _asked(run: Run, question: str) -> object:
    """What the database answers on the connection that `Run.exchange` writes through."""
    with run._session() as cursor:
        cursor.execute(question)
        [(answer,)] = cursor.fetchall()
    return answer


def test_a_claim_in_a_file_waits_for_the_disk(tmp_path: Path) -> None:
    """The run's own connection keeps a write-ahead log with synchronous=FULL, before and after it has been used."""
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        numbers = queue(ledger, 1)
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            assert (_asked(run, "PRAGMA journal_mode"), _asked(run, "PRAGMA synchronous")) == ("wal", FULL)
            run.exchange([outcome(one) for one in run.exchange((), numbers, NOW)], (), NOW)
            assert _asked(run, "PRAGMA synchronous") == FULL


def test_a_claim_in_a_database_waits_for_its_disk(postgresql: Callable[[], str]) -> None:
    """Whatever the server's or the URL's default is, a commit of the run returns when it is on the server's disk."""
    with Ledger.open(f"{postgresql()}%20-csynchronous_commit%3Doff") as ledger:
        numbers = queue(ledger, 1)
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            assert _asked(run, "SHOW synchronous_commit") == "on"
            run.exchange([outcome(one) for one in run.exchange((), numbers, NOW)], (), NOW)
            assert _asked(run, "SHOW synchronous_commit") == "on"


EXCHANGE = """
import os, sys
from mailer.ledger import Ledger
from tests.ledger.people import *

def mark(words):
    os.write(1, words.encode())

with Ledger.open(sys.argv[1]) as ledger:
    numbers = queue(ledger, 1, 2)
    with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        mark("before the claim")
        [first] = run.exchange((), numbers[:1], NOW)
        mark("claimed")
        [second] = run.exchange([outcome(first)], numbers[1:], NOW)
        mark("recorded, claimed again")
        run.exchange([outcome(second)], (), NOW)
        mark("recorded")
"""


def test_the_disk_is_asked_to_keep_each_exchange_before_it_returns(tmp_path: Path) -> None:
    """As the operating system sees it, an fsync of the write-ahead log lies between each two steps."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    url, trace = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "trace"
    command = [strace, "-f", "-y", "-o", str(trace), "-e", "trace=write,fsync,fdatasync"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not watch a process here")
    subprocess.run(
        [*command, sys.executable, "-c", EXCHANGE, url], cwd=ROOT, check=True, capture_output=True, timeout=120
    )
    seen = trace.read_text("utf-8", errors="replace")
    marks = [
        seen.index(f'"{words}"') for words in ("before the claim", "claimed", "recorded, claimed again", "recorded")
    ]
    for begin, end in pairwise(marks):
        assert any("sync(" in line and "ledger.db-wal>" in line for line in seen[begin:end].splitlines())
    with Ledger.open(url) as ledger:
        assert {state.value for state in states(ledger)} == {"sent"}
