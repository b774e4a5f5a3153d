"""The command as a process of its own, to be watched and stopped while it sends."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.cli.conftest import NOW

# Seconds after which a process that should have ended is called hung.
PATIENCE = 60


@contextmanager
def started(folder: Path, *words: str, now: str = NOW, fast: bool = True) -> Iterator[subprocess.Popen[str]]:
    """`mailer WORDS` at work in the folder, `fast` with the extra `speed` if it is installed; it is gone at the end."""
    without = "" if fast else "sys.modules['uvloop'] = None; "
    main = f"import sys; {without}from mailer.cli import main; main()"
    command = [sys.executable, "-c", main, *words, "--now", now]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str], words: str) -> str:
    """The next line on standard error that holds `words`, as soon as it is there; fails where none comes."""
    assert process.stderr
    lines = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return line
    raise AssertionError(f"{words!r} was never said, but: {''.join(lines)}")


def waits_until(process: subprocess.Popen[str]) -> datetime:
    """The moment before which the process says that it sends nothing more; everything before is settled then."""
    return datetime.fromisoformat(json.loads(told(process, '"event": "waiting"'))["until"])


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was printed since."""
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return process.returncode, out + err
