"""What becomes of a report whose last line nobody gets: on a full disk that is told, and nothing is stopped by it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import ADA, BEN, NOW, REGISTRY, Folder
from tests.servers import ScriptedServer

FULL = Path("/dev/full")

full_disk = pytest.mark.skipif(not FULL.exists(), reason="there is no device here that is always full")


def run(folder: Folder, *words: str, stdout: IO[str] | int, stderr: IO[str] | int = subprocess.PIPE) -> tuple[int, str]:
    """The exit code and what stands on standard error, where standard output goes to a place of the test's choice."""
    clock = () if words[-1] == "--help" else ("--now", NOW)
    command = [sys.executable, "-m", "mailer", *words, *clock]
    done = subprocess.run(command, cwd=folder.path, stdout=stdout, stderr=stderr, text=True, timeout=60, check=False)
    return done.returncode, done.stderr or ""


@full_disk
@pytest.mark.parametrize(
    "words",
    [
        ("status", "--json"),
        ("status",),
        ("answers", "list", "--json"),
        ("check", "--json"),
        ("--help",),
        ("send", "--help"),
    ],
    ids=" ".join,
)
def test_a_report_that_a_full_disk_does_not_take_is_no_success(folder: Folder, words: tuple[str, ...]) -> None:
    """Whoever runs it from a script learns from the exit code, and from one sentence, that the report is not whole."""
    with FULL.open("w", encoding="utf-8") as disk:
        code, told = run(folder, *words, stdout=disk)
        assert code == 1
        assert told.count("No space left on device") == 1
        assert "Traceback" not in told
        assert run(folder, *words, stdout=disk, stderr=disk)[0] == 1


@full_disk
@pytest.mark.parametrize("words", [("status",), ("answers", "list"), ("contacts",)], ids=" ".join)
def test_a_workbook_for_which_there_is_no_room_is_told_in_one_line(folder: Folder, words: tuple[str, ...]) -> None:
    """No traceback of a library follows the sentence."""
    command = [sys.executable, "-m", "mailer", *words, "--xlsx", str(FULL)]
    done = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (
        3,
        [f"mailer: {FULL} cannot be used: No space left on device"],
    )
    assert "Traceback" not in done.stderr


@full_disk
def test_a_workbook_that_fails_leaves_the_one_before(folder: Folder) -> None:
    """What stood in its place is whole, and nothing half written lies beside it."""
    assert folder.run("status", "--xlsx", "status.xlsx").code == 0
    before = (folder.path / "status.xlsx").read_bytes()
    (folder.path / ".status.xlsx.new").symlink_to(FULL)  # where it is written until it is whole
    assert folder.run("status", "--xlsx", "status.xlsx").code == 3
    assert [path.name for path in folder.path.iterdir() if "status" in path.name] == ["status.xlsx"]
    assert (folder.path / "status.xlsx").read_bytes() == before


@full_disk
def test_a_full_disk_does_not_stop_a_run_that_sends(folder: Folder, relay: ScriptedServer) -> None:
    """Everybody is written to though neither report nor log finds room; that the report is lost wants a person."""
    folder.relay(relay)
    with FULL.open("w", encoding="utf-8") as disk:
        assert run(folder, "send", "--yes", stdout=disk, stderr=disk)[0] == 1
    assert folder.states() == dict.fromkeys((ADA, BEN, REGISTRY), "sent")


def test_whoever_has_read_enough_may_leave(folder: Folder) -> None:
    """A pipe that is closed at its other end, as by `head`, is no fault."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as pipe:
        assert run(folder, "status", "--json", stdout=pipe) == (0, "")
