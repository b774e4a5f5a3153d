"""What a log of a run holds, and that nobody has to stay to read it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.cli import console

ROOT = Path(__file__).parents[2]
# Tells two outcomes, the second when the log has been read up to the first.
_TELL = """
import sys
from mailer.cli import console
with console.progress(2) as advance:
    advance({"recipient": "guest1@mission.example.org"})
    sys.stdin.readline()
    advance({"recipient": "guest2@mission.example.org"})
    advance({"recipient": "guest3@mission.example.org"})
print("went on to the end")
"""


def test_each_outcome_is_a_line_of_json_with_its_moment(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no person looks on, the log tells the facts as they are, in any script and on one line."""
    begun = datetime.now(UTC).replace(microsecond=0)
    with console.progress(1) as advance:
        advance({"recipient": "guest@mission.example.org", "reply": "Olá\nBoa tarde", "note": None})
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


def test_a_line_is_in_the_log_before_the_run_goes_on_and_nobody_has_to_stay_for_the_next() -> None:
    """What a log shows is all that is recorded; a reader who leaves ends nothing."""
    command = [sys.executable, "-c", _TELL]
    with subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
