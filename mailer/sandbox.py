"""The built-in SMTP server for rehearsals: takes mail on loopback and keeps each message as a file."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST: Final = "127.0.0.1"
# What a common relay takes (RFC 1870).
_SIZE_LIMIT = 35_000_000
_DSN_OPTION = re.compile(r" +((?:RET|ENVID|NOTIFY|ORCPT)=\S+)", re.IGNORECASE)

# How a local part begins -> the replies to the first, second, ... time it is named; the last one stays.
Faults = Mapping[str, Sequence[str]]


class Sandbox:
    """Listens on a free port of 127.0.0.1 while the `async with` lasts, and answers like a good relay.

    Every accepted message becomes a file in `folder`, `0001-<addressee>.eml` and so on; what stands there stays, and
    several sandboxes may write side by side. `faults` refuses recipients by how their local part begins.
    """

    def __init__(self, folder: Path, faults: Faults | None = None) -> None:
        self.folder = folder
        self.host, self.port = HOST, 0
        self._faults = faults or {}
        self._asked: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self._number = 0

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        # One line per command and one per body line: no reader for that in a rehearsal.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        numbers = (re.match(r"[0-9]+(?=-)", path.name) for path in self.folder.glob("*.eml"))
        self._number = max((int(found[0]) for found in numbers if found), default=0)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self, self._sessions, loop), HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None  # noqa: S101 - left only after it was entered
        self._server.close()
        await asyncio.gather(*(session.hang_up() for session in self._sessions))
        await self._server.wait_closed()

    # --- called by aiosmtpd -------------------------------------------------------------------------------------------

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *("250-" + word for word in ("PIPELINING", "DSN", "ENHANCEDSTATUSCODES")), *responses[1:]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self._reply_to(address)
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        path = self._keep(envelope.rcpt_tos[0], envelope.original_content or b"")
        return f"250 2.0.0 Kept as {path.name}"

    # --- what it does -------------------------------------------------------------------------------------------------

    def _reply_to(self, address: str) -> str:
        for prefix, replies in self._faults.items():
            if address.lower().startswith(prefix.lower()):
                turn = self._asked[address]
                self._asked[address] += 1
                return replies[min(turn, len(replies) - 1)]
        return "250 2.1.5 Ok"

    def _keep(self, addressee: str, content: bytes) -> Path:
        readable = re.sub(r"[^\w@.+-]", "_", addressee)
        while True:
            self._number += 1
            path = self.folder / f"{self._number:04}-{readable}.eml"
            try:
                with path.open("xb") as file:
                    file.write(content)
            except FileExistsError:
                continue
            return path


class _Session(SMTP):
    """One connection; takes the DSN options that aiosmtpd itself answers with 555."""

    def __init__(self, sandbox: Sandbox, sessions: set[_Session], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            sandbox,
            hostname="sandbox.example.org",
            ident="rehearsal, nothing leaves this machine",
            data_size_limit=_SIZE_LIMIT,
            enable_SMTPUTF8=True,
            loop=loop,
        )
        self._sessions = sessions
        self._gone = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)
        self._gone.set_result(None)

    async def hang_up(self) -> None:
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()
        await self._gone

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if self.envelope is not None:
            arg = _without_dsn(arg, self.envelope.mail_options)
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if self.envelope is not None:
            arg = _without_dsn(arg, self.envelope.rcpt_options)
        await super().smtp_RCPT(arg)


def _without_dsn(arg: str | None, found: list[str]) -> str | None:
    """The arguments of a command without its DSN options, which are added to `found`."""
    found += _DSN_OPTION.findall(arg or "")
    return _DSN_OPTION.sub("", arg) if arg else arg
