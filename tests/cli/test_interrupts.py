"""Ctrl-C at any moment of a mailing stops it, unless whoever started it wants it to go on."""

import os
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mailer.cli.interrupts import Interrupts
from tests.cli.conftest import Folder
from tests.servers import GOOD, ScriptedServer, Session

NAMES = [name for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name)]


@pytest.mark.parametrize("name", NAMES)
def test_a_ctrl_c_that_got_lost_is_raised_again(name: str) -> None:
    """What Python drops amidst a callback stops the run all the same, before its first message."""
    number = signal.Signals[name]
    before = signal.getsignal(number)
    with Interrupts() as interrupts:
        interrupts.heed()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            interrupts.heed()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("name", NAMES)
def test_at_the_end_ctrl_c_breaks_nothing_off(name: str) -> None:
    """What is left to do after the last message is done whole."""
    with Interrupts() as interrupts:
        interrupts.mute()
        signal.raise_signal(signal.Signals[name])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("name", NAMES)
def test_a_signal_that_is_ignored_at_the_start_stays_so(folder: Folder, name: str) -> None:
    """`nohup mailer send`, or a script's job in the background, goes on to the end."""
    number = signal.Signals[name]

    def interrupt(session: Session) -> None:
        os.kill(os.getpid(), number)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    before = signal.signal(number, signal.SIG_IGN)
    try:
        with ScriptedServer({"dot": [interrupt]}) as relay:
            folder.relay(relay)
            ended = folder.run("send", "--yes")
        assert (ended.code, len(relay.accepted)) == (0, 3)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("name", NAMES)
def test_ctrl_c_while_the_command_is_loaded_shows_no_traceback(name: str) -> None:
    """Also in the first moment, before any word was read, the process ends with 130."""
    root = Path(__file__).parents[2]
    script = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]["mailer"]
    entry = EntryPoint("mailer", script, "console_scripts")
    begin = f"""
import importlib.abc, signal, sys
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "click":
            signal.raise_signal(signal.{name})
sys.meta_path.insert(0, Interrupting())
from {entry.module} import {entry.attr}
{entry.attr}()
"""
    done = subprocess.run([sys.executable, "-c", begin], cwd=root, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
