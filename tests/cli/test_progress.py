"""What a run tells while it goes: a log that holds all that is recorded, and a bar that says what it waits for."""

import json
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mailer.cli.progress import progress

# Tells two outcomes, the second when the log has been read up to the first.
_TELL = """
import sys
from mailer.cli.progress import progress
with progress(2, "") as teller:
    teller.outcome({"recipient": "guest1@mission.example.org"})
    sys.stdin.readline()
    teller.outcome({"recipient": "guest2@mission.example.org"})
    teller.outcome({"recipient": "guest3@mission.example.org"})
print("went on to the end")
"""
_WAIT = """
from datetime import UTC, datetime
from mailer.cli.progress import progress
with progress(3, "2/hour") as teller:
    for number, *words in (
        (1, "sent", "250 Ok", "Cc refused"),
        (2, "failed", "550 5.1.1 [No] such user", ""),
        (3, "in_doubt", None, "the connection broke"),
    ):
        address = f"guest{number}@mission.example.org"
        teller.outcome({"recipient": address, **dict(zip(("state", "reply", "note"), words))})
    teller.wait(datetime.now(UTC), "14:22 CET")
"""
# Tells an outcome when its terminal has been closed.
_CLOSE = """
import os, sys
from mailer.cli.progress import progress
with progress(1, "") as teller:
    os.write(1, b"begun")
    sys.stdin.readline()
    teller.outcome({"recipient": "guest@mission.example.org", "state": "failed", "reply": "550 No", "note": ""})
print("went on to the end")
"""


def test_each_outcome_is_a_line_of_json_with_its_moment(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no person looks on, the log tells the facts as they are, in any script and on one line."""
    begun = datetime.now(UTC).replace(microsecond=0)
    with progress(1, "") as teller:
        teller.outcome({"recipient": "guest@mission.example.org", "reply": "Olá\nBoa tarde", "note": None})
    (line,) = capsys.readouterr().err.splitlines()
    assert "Olá\\nBoa tarde" in line
    facts = json.loads(line)
    assert begun <= datetime.fromisoformat(facts.pop("at")) <= datetime.now(UTC)
    assert facts == {
        "event": "delivery",
        "recipient": "guest@mission.example.org",
        "reply": "Olá\nBoa tarde",
        "note": None,
    }


def test_each_wait_is_one_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """A log that stands still says until when, once."""
    until = datetime(2031, 2, 24, 13, 22, tzinfo=UTC)
    with progress(1, "") as teller:
        teller.wait(until, "14:22 CET")
        teller.wait(until, "14:22 CET")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (line["event"], line["until"]) == ("waiting", "2031-02-24T13:22:00+00:00")


def test_a_line_is_in_the_log_before_the_run_goes_on_and_nobody_has_to_stay_for_the_next() -> None:
    """What a log shows is all that is recorded; a reader who leaves ends nothing."""
    command = [sys.executable, "-c", _TELL]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stderr.readline())["recipient"] == "guest1@mission.example.org"
        process.stderr.close()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.stdout.read() == "went on to the end\n"
        assert process.wait(20) == 0


def test_a_terminal_shows_what_was_not_sent_and_what_is_waited_for() -> None:
    """The bar stands at what is settled and says until when it waits; a refusal is told in the relay's own words."""
    screen, end = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    with subprocess.Popen([sys.executable, "-c", _WAIT], env=environment, stderr=end) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                some = os.read(screen, 1024)
            except OSError:  # the other end was closed
                break
            if not some:
                break
            shown += some
        assert process.wait(20) == 0
    os.close(screen)
    assert b"failed    guest2@mission.example.org: 550 5.1.1 [No] such user" in shown
    assert b"sent      guest1@mission.example.org: Cc refused" in shown
    assert b"in doubt  guest3@mission.example.org: the connection broke" in shown
    assert b"250 Ok" not in shown
    assert b"Waiting until 14:22 CET" in shown
    assert b"3/3" in shown


def test_a_terminal_that_is_closed_stops_nothing() -> None:
    """The bar is gone with its window, and the run goes on to its end."""
    screen, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", _CLOSE], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=end
    ) as process:
        os.close(end)
        assert process.stdout
        assert process.stdout.read(5) == b"begun"
        os.close(screen)
        assert process.communicate(b"\n", timeout=20)[0] == b"went on to the end\n"
        assert process.returncode == 0
