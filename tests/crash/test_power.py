"""The plug is pulled while the command sends: whatever the disk has kept by then, nobody is written to twice.

`recorder.c` writes down what a real run does to the files of its ledger, and what it sends; from that, what is found
after a cut at any moment can be made. The same record gives the same cuts. `MAILER_CUTS=5000 pytest
tests/crash/test_power.py` makes as many of each run.
"""

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailer.errors import LedgerError
from mailer.ledger import Ledger
from mailer.ledger.identity import Identity
from mailer.ledger.store import open_store
from mailer.ledger.versions import migrate
from mailer.model import Address, State
from tests.cli.processes import ended, started
from tests.crash.disk import Disk, Step, steps_in
from tests.crash.test_command import GUESTS, Folder, Victim
from tests.crash.test_kill import PIPELINING, killing
from tests.servers import ScriptedServer

EVENT, MAILING = "round-table", "invitation"
AFTERWARDS = datetime(2031, 2, 24, 12, tzinfo=UTC)
CUTS = int(os.environ.get("MAILER_CUTS", "30"))
MEMORY = "/dev/shm"

# What the disk has kept: a share of the names that were made or deleted since the last sync, and one of the sectors.
SYNCED = "only what was synced"
KINDS = {
    SYNCED: (0, 0),
    "all that was written": (1, 1),
    "all names, but no content": (1, 0),
    "all content, but no names": (0, 1),
    "half of what was written": (0.5, 0.5),
    "most of what was written": (0.9, 0.9),
}


def cuts(steps: list[Step], disk: Disk) -> Iterator[tuple[str, dict[str, bytes], set[str]]]:
    """For each its moment and kind, what is found, and who had been sent to; in the end the disk has done all steps."""
    others = [(number, kind) for number in range(len(steps)) for kind in KINDS if kind != SYNCED]
    chosen = random.Random(1).sample(others, min(CUTS, len(others)))
    sent: dict[str, bytes] = {}
    for number, step in enumerate([*steps, Step("sync", ".")]):
        recipients = {
            guest.decode()
            for octets in sent.values()
            for guest in re.findall(rb"RCPT TO:<(.*?)>", octets)[: octets.count(b"\r\n.\r\n")]
        }
        for kind, shares in KINDS.items():
            # What is synced stays the same until the next sync, while more are sent to: just before that is the worst.
            if (number, kind) in chosen or (kind == SYNCED and step.what == "sync"):
                files = disk.cut(*shares, random.Random(f"{number} {kind}"))
                yield f"a cut before step {number} ({step.what} {step.whose}), {kind}", files, recipients
        if step.what == "send":
            sent[step.whose] = sent.get(step.whose, b"") + step.octets
        elif step.what == "unsend":
            sent[step.whose] = sent[step.whose][: -step.where]
        else:
            disk.do(step)


def faults(files: dict[str, bytes], sent_to: set[str]) -> Iterator[str]:
    """What the next run finds wrong with these files, after so many had been sent to."""
    # Nothing of it need be kept, so that no disk is waited for.
    with TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        for name, octets in files.items():
            Path(folder, name).write_bytes(octets)
        url = f"sqlite:///{folder}/ledger.db"
        try:
            with Ledger.open(url) as ledger, ledger.run(EVENT, MAILING, AFTERWARDS, relay="127.0.0.1:25"):
                states = {str(one.recipient): one.state for one in ledger.deliveries(EVENT, MAILING)}
                due = ledger.due(EVENT, MAILING, AFTERWARDS)
        except LedgerError as exc:
            yield str(exc)
            return
        with closing(sqlite3.connect(Path(folder, "ledger.db"))) as connection:
            [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        yield verdict
    for guest in sorted(sent_to):
        if guest in due or states.get(guest) not in {State.SENT, State.IN_DOUBT}:
            yield f"{guest} was sent to, and is {states.get(guest, 'not known')}"
    for guest, state in states.items():
        if state is State.SENT and guest not in sent_to:
            yield f"{guest} was not sent to, and is {state}"


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled recorder; skips, saying why, where there can be none."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or sys.maxsize < 2**32:
        pytest.skip("the recorder is for Linux of 64 bits")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    if subprocess.run([compiler, "-E", "-"], input=b"#include <unistd.h>", capture_output=True, check=False).returncode:
        pytest.skip("the headers of the C library are not installed")
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def no_run(folder: Folder) -> set[str]:
    """The ledger is made."""
    return set()


def a_killed_run(folder: Folder) -> set[str]:
    """It has left claims, and its write-ahead log."""
    victim = Victim()
    with ScriptedServer(killing("dot", 7, PIPELINING, victim.kill), PIPELINING) as server:
        folder.use(server)
        with started(folder.path, "send", "--yes") as process:
            victim.start(process)
            assert process.wait(60) == -9
    return {transaction.recipients[0] for transaction in server.accepted}


def an_older_version(folder: Folder) -> set[str]:
    """The ledger is an earlier program's, and is migrated."""
    file, guest, identity = folder.path / "ledger.db", GUESTS[0], Identity(bytes(32))
    store = open_store(f"sqlite:///{file}")
    with store.migrating() as connection:
        migrate(connection, "0003")
    store.make_durable()
    store.close()
    at = "2031-02-20T09:30:00.000000+00:00"
    with closing(sqlite3.connect(file)) as older:
        older.executescript(f"""
            INSERT INTO meta VALUES ('secret', '{identity.secret.hex()}');
            INSERT INTO runs VALUES (1, '{EVENT}', '{MAILING}', 'relay', 'host', 7, '{at}', '{at}');
            INSERT INTO invitations VALUES (1, '{EVENT}', X'{identity.of(Address.parse(guest)).hex()}', '{guest}', 'P',
                'p', 'mission', 'transferable', 'R', '{at}');
            INSERT INTO deliveries (id, invitation_id, event, mailing, recipient, cc, message_id, state, reason,
                attempts, queued_at, updated_at)
                VALUES (1, 1, '{EVENT}', '{MAILING}', '{guest}', '[]', '<m>', 'queued', '', 1, '{at}', '{at}');
            UPDATE deliveries SET state = 'claimed', run_id = 1, claimed_at = '{at}', date = '{at}';
            UPDATE deliveries SET state = 'sent';
        """)
    return {guest}


def files_in(folder: Path) -> dict[str, bytes]:
    """The ledger's, as far as steps are of them."""
    return {path.name: path.read_bytes() for path in folder.glob("ledger.db*") if path.suffix != ".db-shm"}


@pytest.mark.parametrize("before", [no_run, a_killed_run, an_older_version])
def test_after_a_power_cut_nobody_is_written_to_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorder: Path, before: Callable[[Folder], set[str]]
) -> None:
    """Whenever it comes: all whose final dot was written, now or before, are sent or in doubt in a sound ledger."""
    folder, ledger, record = Folder(tmp_path), tmp_path / "ledger.db", tmp_path / "record"
    known = before(folder)
    disk = Disk(files_in(tmp_path))
    with ScriptedServer(features=PIPELINING) as server, monkeypatch.context() as patch:
        folder.use(server)
        for name, path in {"LD_PRELOAD": recorder, "RECORDED": ledger, "RECORD": record}.items():
            patch.setenv(name, str(path))
        with started(tmp_path, "send", "--yes", "--limit", "12", fast=False) as process:
            _, printed = ended(process)
    assert "12 sent of 12" in printed
    if not record.exists():
        pytest.skip("no library can be loaded before the C library here")
    sent_to: set[str] = set()
    for cut, files, sent_to in cuts(list(steps_in(record)), disk):
        found = list(faults(files, known | sent_to))
        assert not found, f"{record}, {cut}: {'; '.join(found)}"
    assert sent_to == {transaction.recipients[0] for transaction in server.accepted}
    assert disk.cut(1, 1, random.Random()) == files_in(tmp_path), "something has escaped the recorder"
