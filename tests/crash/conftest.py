"""Processes that send, to be killed at a given step of a transaction or at a random moment."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Sender:
    """Runs the delivery loop in a process of its own, again and again; one at a time."""

    def __init__(self, driver: subprocess.Popen[str]) -> None:
        self._driver = driver
        self._pid = 0
        self._lock = threading.Lock()
        self._is_running = threading.Event()

    def run(self, url: str, port: int, connections: int) -> int:
        """One run, to its end; returns its exit status, negative where a signal ended it."""
        assert self._driver.stdin
        assert self._driver.stdout
        self._driver.stdin.write(json.dumps({"url": url, "port": port, "connections": connections}) + "\n")
        self._driver.stdin.flush()
        self._pid = int(self._driver.stdout.readline())
        self._is_running.set()
        status = int(self._driver.stdout.readline())
        with self._lock:
            self._is_running.clear()
        return status

    def kill(self) -> None:
        """kill -9, from any thread."""
        self._is_running.wait(20)
        self.kill_if_running()

    def kill_if_running(self) -> None:
        with self._lock, suppress(ProcessLookupError):
            if self._is_running.is_set():
                os.kill(self._pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def sender() -> Iterator[Sender]:
    command = [sys.executable, "-m", "tests.crash.driver"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        yield Sender(driver)
        assert driver.stdin
        driver.stdin.close()
