"""A working folder with an event and contacts of its own, and the command as a user runs it."""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailer.cli import main
from tests.servers import ScriptedServer, drop

EVENT = """
title = "Round table on protection"
starts = 2031-03-13T15:00:00
ends = 2031-03-13T17:00:00
timezone = "Europe/Zurich"
venue = "Room XX"
source = "You are listed in the directory of permanent missions."
hosts = ["Sample Office"]
[rsvp]
url = "https://rsvp.example.org/form?lang=en&ref={reference}#top"
deadline = 2031-03-07
[contact_person]
name = "Ms. Dana Demo"
position = "Focal point"
email = "dana@events.example.org"
[mailings.invitation]
[mailings.reminder]
before_deadline = ["7d", "2d"]
"""
TEMPLATE = """Subject: {{ event.title }}

{{ salutation }}

You are invited: {{ event | period }}. {{ transfer_note }}

Please answer by {{ deadline | date }}: [RSVP]({{ rsvp_url }}), reference {{ reference }}.
"""
CONTACTS = """Mission,Title,First name,Last name,Rank,Email,Cc,Status
Belgium,Ms.,Ada,SAMPLE,Ambassador,ada@belgium.example.org,office@belgium.example.org,
Kenya,Mr.,Ben,SAMPLE,Counsellor,ben@kenya.example.org,,
Namibia,,,,,registry@namibia.example.org,,
Peru,Ms.,Eva,SAMPLE,Counsellor,eva@peru.example.org,,do not contact
"""
NOW = "2031-02-24T10:00"
ADA, BEN, REGISTRY = "ada@belgium.example.org", "ben@kenya.example.org", "registry@namibia.example.org"
ALL_IN_DOUBT = {ADA: "in_doubt", BEN: "in_doubt", REGISTRY: "in_doubt"}


@dataclass
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Folder:
    """A working folder and the command run in it."""

    path: Path
    run: Callable[..., Result]

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def relay(self, server: ScriptedServer, **settings: str) -> None:
        """Makes `server` the folder's relay."""
        values = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(server.port),
            "SMTP_SECURITY": "none",
            "SMTP_RATE": "off",
            "SMTP_TIMEOUT": "20",
            "MAIL_FROM": "Organisers <events@sender.example.org>",
            **settings,
        }
        self.write("config.env", "".join(f"{key}={value}\n" for key, value in values.items()))

    def states(self, now: str = NOW) -> dict[str, str]:
        """State by recipient, as `status --json` tells it."""
        return {row["recipient"]: row["state"] for row in self.run("status", "--json", now=now).json["deliveries"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Folder:
    """A working folder with three contacts who may be written to and one who may not."""

    def run(*words: str, now: str | None = NOW) -> Result:
        clock = ("--now", now) if now else ()
        monkeypatch.setattr(sys, "argv", ["mailer", *words, *clock])
        capfd.readouterr()
        with contextlib.chdir(tmp_path), pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return Result(int(ended.value.code or 0), printed.out, printed.err)

    made = Folder(tmp_path, run)
    made.write("templates/round-table/event.toml", EVENT)
    made.write("templates/round-table/invitation.md", TEMPLATE)
    made.write("templates/round-table/reminder.md", TEMPLATE.replace("You are", "We remind you: you are"))
    made.write("contacts/missions.csv", CONTACTS)
    return made


def typing(folder: Folder, monkeypatch: pytest.MonkeyPatch, typed: str, *words: str) -> Result:
    """A command on a terminal where somebody types this."""
    ours, terminal = pytest.importorskip("pty", reason="there are no terminals of this kind here").openpty()
    os.write(ours, typed.encode())
    with os.fdopen(ours, "rb"), os.fdopen(terminal) as stdin, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", stdin)
        return folder.run(*words)


@pytest.fixture
def relay() -> Iterator[ScriptedServer]:
    """A relay that takes everything."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the ledger of the first test is kept for the others: lost connections are taken up again at leisure."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def doubtful(folder: Folder, shelf: Path) -> Folder:
    """A folder whose three deliveries are all in doubt, as each connection was lost behind the message."""
    if not any(shelf.iterdir()):
        with ScriptedServer({"dot": [drop, drop, drop]}) as relay:
            folder.relay(relay)
            folder.run("send", "--yes")
        assert folder.states() == ALL_IN_DOUBT
        for path in folder.path.glob("ledger.db*"):
            shutil.copy(path, shelf)
    for path in shelf.iterdir():
        shutil.copy(path, folder.path)
    return folder


@pytest.fixture(scope="session")
def soffice() -> str:
    found = shutil.which("soffice")
    if not found:
        pytest.skip("LibreOffice is not installed")
    return found
