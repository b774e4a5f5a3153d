"""One connection to an IMAP server, on which every answer has an end, in time and in size."""

from __future__ import annotations

import contextlib
import imaplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The most that one answer may be: the UIDs of a million messages.
_MOST_OCTETS = 16 * 2**20


class Wire(imaplib.IMAP4):
    """A client whose `timeout`, in seconds, holds for the whole answer to a command, and for the greeting.

    TimeoutError is raised where it is not there by then, ValueError where it is too long.
    """

    def open(self, host: str = "", port: int | None = None, timeout: float | None = None) -> None:
        """As imaplib has it; raises socket.gaierror for what cannot be a host's name, too."""
        self._patience, self._room = timeout or threading.TIMEOUT_MAX, _MOST_OCTETS
        try:
            super().open(host, port or 143, timeout)
        except UnicodeError:
            raise socket.gaierror from None

    def readline(self) -> bytes:
        line = super().readline()
        self._take(len(line))
        return line

    def read(self, size: int) -> bytes:
        self._take(size)  # before memory is laid out for it
        return super().read(size)

    def _take(self, octets: int) -> None:
        self._room -= octets
        if self._room < 0:
            raise ValueError(f"it is longer than {_MOST_OCTETS // 2**20} MiB")

    # --- deadlines: what all commands of imaplib go through, and what reads the greeting ----------------------------

    def _simple_command(self, name: str, *args: Any) -> Any:
        self._room = _MOST_OCTETS
        with self._deadline():
            return super()._simple_command(name, *args)  # type: ignore[misc]

    def _connect(self) -> None:
        with self._deadline():
            super()._connect()  # type: ignore[misc]

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Cuts the connection when it is time: the socket's own timeout begins anew with each octet."""
        is_over = threading.Event()

        def cut() -> None:
            is_over.set()
            with contextlib.suppress(OSError):
                # Of the socket below TLS: nothing more is to be said.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

        timer = threading.Timer(self._patience, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if is_over.is_set():
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()


class TlsWire(Wire, imaplib.IMAP4_SSL):
    """The same with TLS from the first octet."""
