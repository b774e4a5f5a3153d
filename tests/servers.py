"""An SMTP server over real sockets whose every answer is scripted, to be broken at any step of the dialogue."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Action = Callable[["Session"], bool | None]
Script = Mapping[str, str | Action | Sequence[str | Action]]

GOOD = {
    "greeting": "220 relay.example.org ESMTP",
    "helo": "250 relay.example.org",
    "starttls": "220 2.0.0 Ready",
    "auth": "235 2.7.0 Welcome",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 Go ahead",
    "dot": "250 2.0.0 Queued",
    "rset": "250 2.0.0 Ok",
    "quit": "221 2.0.0 Bye",
    "noop": "250 2.0.0 Ok",
}


class _Over(Exception):
    """This connection is to end."""


# --- what may happen instead of a good answer -------------------------------------------------------------------------


def drop(session: Session) -> None:
    """Closes the connection without a word."""
    raise _Over


def reset(session: Session) -> None:
    """Resets the connection: the client's unread octets and what it writes from here on are lost."""
    session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    raise _Over


def stall(session: Session) -> None:
    """Says nothing until the client gives up."""
    with contextlib.suppress(OSError):
        while session.socket.recv(65536):
            pass
    raise _Over


def freeze(session: Session) -> None:
    """Neither says nor reads anything more."""
    session.server.is_over.wait(30)
    raise _Over


def say(*octets: bytes) -> Action:
    """Writes these pieces one by one, exactly as given."""

    def act(session: Session) -> None:
        for piece in octets:
            session.socket.sendall(piece)
            time.sleep(0.002)

    return act


def say_and_drop(octets: bytes) -> Action:
    """Writes this, then closes the connection."""

    def act(session: Session) -> None:
        session.socket.sendall(octets)
        raise _Over

    return act


def dribble(reply: str) -> Action:
    """Writes a reply one octet every 30 milliseconds: each is in time, the whole never."""

    def act(session: Session) -> None:
        with contextlib.suppress(OSError):
            for octet in reply.encode():
                session.socket.sendall(bytes([octet]))
                time.sleep(0.03)
            return
        raise _Over

    return act


# --- the server -------------------------------------------------------------------------------------------------------


@dataclass
class Transaction:
    """One message that was accepted, with the envelope commands as they came."""

    mail: str
    rcpts: list[str]
    content: bytes

    @property
    def recipients(self) -> list[str]:
        return [rcpt.partition("<")[2].partition(">")[0] for rcpt in self.rcpts]


class ScriptedServer:
    """Listens on 127.0.0.1 in threads of its own; a context manager.

    `script` says, by step, what to answer: a reply, an action, or a list of them for the first, second, ... time (over
    all connections; after its end all goes well). Steps are `connect`, `greeting`, `ehlo`, `helo`, `starttls`, `auth`,
    `mail`, `rcpt`, `data`, `body` (before any of the content is read), `dot`, `rset`, `noop` and `quit`; `rcpt:ADDRESS`
    holds for one recipient. A reply without code 250, 235, 354 or 220 refuses the step, as does an action that returns
    False. `features` are the EHLO lines.
    """

    def __init__(
        self,
        script: Script | None = None,
        features: Iterable[str] = ("PIPELINING", "8BITMIME"),
        tls: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
    ) -> None:
        self.features = list(features)
        self.tls, self.tls_at_once = tls, tls_at_once
        self.accepted: list[Transaction] = []
        self.commands: list[str] = []
        self.octets_of_body = 0
        self.connections = 0
        self.is_over = threading.Event()
        self._lock = threading.Lock()
        self._script = {
            step: [acts] if isinstance(acts, str) or callable(acts) else list(acts)
            for step, acts in (script or {}).items()
        }
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    def act_for(self, step: str) -> str | Action | None:
        with self._lock:
            acts = self._script.get(step)
            return acts.pop(0) if acts else None

    def __enter__(self) -> Self:
        self._start(self._listen)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        session = Session(self, connection)
        try:
            with contextlib.suppress(_Over, OSError):
                session.run()
        finally:
            self._open.discard(connection)
            session.close()


@dataclass
class Session:
    """One connection at the server's side."""

    server: ScriptedServer
    socket: socket.socket
    mail: str | None = None
    rcpts: list[str] = field(default_factory=list)
    line: str = ""
    _buffer: bytes = b""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()

    def run(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answer("connect", None)
        if self.server.tls_at_once and self.server.tls:
            self._begin_tls()
        self._answer("greeting", GOOD["greeting"])
        while True:
            line = self._read_until(b"\n").decode(errors="replace").rstrip("\r\n")
            self.server.commands.append(line)
            self.line = line
            self._obey(line)

    def _obey(self, line: str) -> None:
        verb = line.partition(" ")[0].lower()
        if verb == "ehlo":
            lines = ["relay.example.org", *self.server.features]
            good = "\r\n".join(f"250{' ' if n == len(lines) else '-'}{text}" for n, text in enumerate(lines, 1))
            self._answer("ehlo", good)
        elif verb == "mail":
            if self._answer("mail", GOOD["mail"]):
                self.mail, self.rcpts = line, []
        elif verb == "rcpt":
            address = line.partition("<")[2].partition(">")[0]
            good = GOOD["rcpt"] if self.mail else "503 5.5.1 MAIL first"
            act = self.server.act_for(f"rcpt:{address}")
            if self._act(act) if act else self._answer("rcpt", good):
                self.rcpts.append(line)
        elif verb == "data":
            if self._answer("data", GOOD["data"] if self.rcpts else "554 5.5.1 No valid recipients"):
                self._take_body()
        elif verb == "starttls":
            if self._answer("starttls", GOOD["starttls"]):
                self._begin_tls()
        elif verb == "quit":
            self._answer("quit", GOOD["quit"])
            raise _Over
        else:
            if verb == "rset":
                self.mail, self.rcpts = None, []
            self._answer(verb, GOOD.get(verb, "502 5.5.1 Unknown command"))

    def _take_body(self) -> None:
        self._answer("body", None)
        lines = []
        while (line := self._read_until(b"\n")) != b".\r\n":
            self.server.octets_of_body += len(line)
            lines.append(line[1:] if line.startswith(b".") else line)
        transaction = Transaction(self.mail or "", self.rcpts, b"".join(lines))
        self.mail, self.rcpts = None, []
        # Taken before it is said: a client that hears nothing cannot know.
        act = self.server.act_for("dot")
        if act is None or not isinstance(act, str) or act.startswith("2"):
            self.server.accepted.append(transaction)
        self._act(GOOD["dot"] if act is None else act)

    def _answer(self, step: str, good: str | None) -> bool:
        act = self.server.act_for(step)
        return self._act(good if act is None else act)

    def _act(self, act: str | Action | None) -> bool:
        """Whether the step went well as far as the server is concerned."""
        if callable(act):
            return act(self) is not False
        if act:
            self.socket.sendall(act.encode() + b"\r\n")
        return not act or act[0] in "23"

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            octets = self.socket.recv(65536)
            if not octets:
                raise _Over
            self._buffer += octets
        line, _, self._buffer = self._buffer.partition(end)
        return line + end

    def _begin_tls(self) -> None:
        if self.server.tls is None or not self.socket.recv(1, socket.MSG_PEEK):
            raise _Over
        self.socket = self.server.tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.socket.do_handshake()
        self._buffer = b""
