"""The real command as a real process, killed while it sends: what the organiser sees, and may rely on, afterwards."""

import email
import json
import os
import re
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import EVENT
from tests.cli.processes import ended, started
from tests.crash.test_kill import killing
from tests.servers import GOOD, ScriptedServer, Session

GUESTS = [f"guest{n}@mission{n}.example.org" for n in range(40)]
CONNECTIONS = 2


class Folder:
    """A working folder with 40 contacts, a template of one line, and the relay that `use` names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        rows = (f"Mission {n},Ms.,Ada,SAMPLE,{address}\n" for n, address in enumerate(GUESTS))
        self._write("contacts/contacts.csv", "Organisation,Title,First name,Last name,Email\n" + "".join(rows))
        self._write("templates/round-table/event.toml", EVENT)
        line = "Subject: Invitation\n\n{{ salutation }} Please answer: [RSVP]({{ rsvp_url }}), {{ reference }}.\n"
        self._write("templates/round-table/invitation.md", line)
        self._write("templates/round-table/reminder.md", line)

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def use(self, server: ScriptedServer, connections: int = CONNECTIONS) -> None:
        self._write(
            "config.env",
            f"SMTP_HOST=127.0.0.1\nSMTP_PORT={server.port}\nSMTP_SECURITY=none\nSMTP_RATE=off\nSMTP_TIMEOUT=20\n"
            f"SMTP_CONNECTIONS={connections}\nMAIL_FROM=Organisers <events@sender.example.org>\n",
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Exit code, and all that was printed."""
        with started(self.path, *words) as process:
            return ended(process)

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        _, printed = self.run("status", "--json")
        return {row["recipient"]: row for row in json.loads(printed)["deliveries"]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class Victim:
    """The process to be killed, which the relay knows only once it has been started."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.is_started = threading.Event()

    def start(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.is_started.set()

    def kill(self) -> None:
        self.is_started.wait(20)
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)


def _recipients(server: ScriptedServer) -> Counter[str]:
    return Counter(transaction.recipients[0] for transaction in server.accepted)


def test_killed_again_and_again_the_command_goes_on_where_it_was(folder: Folder) -> None:
    """Each run resumes; in the end everybody is sent to or in doubt, nobody twice, and every doubt is named."""
    taken: Counter[str] = Counter()
    possible_doubts = 0
    for step, number in (("mail", 3), ("body", 4), ("dot", 5), ("reply", 6), ("greeting", 1)):
        victim = Victim()
        with ScriptedServer(killing(step, number, ["PIPELINING", "8BITMIME"], victim.kill)) as server:
            folder.use(server)
            with started(folder.path, "send", "--yes") as process:
                victim.start(process)
                assert process.wait(60) == -9
        taken += _recipients(server)
        possible_doubts += 2 * CONNECTIONS if step != "greeting" else 0
    with ScriptedServer() as server:
        folder.use(server)
        code, printed = folder.run("send", "--yes")
        taken += _recipients(server)
        rows = folder.rows
        doubtful = {address for address, row in rows.items() if row["state"] == "in_doubt"}
        assert rows.keys() == set(GUESTS)
        assert {row["state"] for row in rows.values()} <= {"sent", "in_doubt"}
        assert set(taken.values()) == {1}
        assert set(GUESTS) - doubtful <= taken.keys()
        assert 0 < len(doubtful) <= possible_doubts
        assert code == 1
        assert f"{len(doubtful)} in doubt" in printed
        code, shown = folder.run("resolve")
        assert code == 1
        for address in doubtful:
            (about,) = re.findall(rf"^{address} .*\n.*\n", shown, re.MULTILINE)
            assert re.search(r"claimed for 127\.0\.0\.1:\d+ on \d\d February 2031 at \d\d:\d\d:\d\d", about)
            assert "may have been handed over" in about
            assert rows[address]["message_id"] in about
        number_taken = len(server.accepted)
        assert folder.run("send", "--yes")[0] == 1
        assert len(server.accepted) == number_taken


def test_what_is_sent_again_keeps_its_message_id_and_date(folder: Folder) -> None:
    """`resolve --resend` lets the same message out again, which its receiver can tell from the first."""
    victim = Victim()
    with ScriptedServer(killing("dot", 5, ["PIPELINING"], victim.kill), ["PIPELINING"]) as server:
        folder.use(server)
        with started(folder.path, "send", "--yes") as process:
            victim.start(process)
            assert process.wait(60) == -9
        assert folder.run("send", "--yes")[0] == 1
        assert folder.run("resolve", "--resend")[0] == 0
        assert folder.run("send", "--yes")[0] == 0
    twice = [address for address, number in _recipients(server).items() if number == 2]
    assert 1 <= len(twice) <= 2 * CONNECTIONS
    for address in twice:
        first, again = (email.message_from_bytes(t.content) for t in server.accepted if t.recipients[0] == address)
        assert (first["Message-ID"], first["Date"]) == (again["Message-ID"], again["Date"])
    assert {row["state"] for row in folder.rows.values()} == {"sent"}


def test_of_two_at_once_the_second_says_who_is_at_work(folder: Folder) -> None:
    """It ends with exit code 1 and sends nothing; once the first is dead, the next begins without delay."""
    is_sending, may_go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        is_sending.set()
        may_go_on.wait(60)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [GOOD["dot"], hold]}) as server:
        folder.use(server, connections=1)
        with started(folder.path, "send", "--yes") as first:
            assert is_sending.wait(60)
            code, printed = folder.run("send", "--yes")
            assert code == 1
            assert f"process {first.pid} on " in printed
            assert "has been sending invitation of round-table since 24 February 2031" in printed
            assert first.poll() is None
            os.kill(first.pid, signal.SIGKILL)
            first.wait(60)
        may_go_on.set()
        code, printed = folder.run("send", "--yes")
        assert code == 1
        assert "in doubt" in printed
        assert set(_recipients(server).values()) == {1}
