"""The relay that takes our mail: how it is reached, and a connection to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mailer.errors import LoginRefused, RelayUnreachable, RelayUntrusted
from mailer.model import Envelope, Reply
from mailer.smtp import opening, tls
from mailer.smtp.dialogue import Dialogue
from mailer.smtp.features import Features
from mailer.smtp.reach import NotReached, reach
from mailer.smtp.steps import Lost
from mailer.smtp.transport import Outcome
from mailer.smtp.wire import Wire
from mailer.status import Stage, Trust

# RFC 5321 section 4.5.3.2: the least that a client should wait for each answer, in seconds. The final dot has ten
# minutes, since giving up there leaves a doubt. CONNECT and QUIT are ours: nothing hangs on the latter.
_PATIENCE = {
    Stage.CONNECT: 60.0,
    Stage.GREETING: 300.0,
    Stage.EHLO: 300.0,
    Stage.STARTTLS: 300.0,
    Stage.AUTH: 300.0,
    Stage.MAIL: 300.0,
    Stage.RCPT: 300.0,
    Stage.DATA: 120.0,
    Stage.BODY: 600.0,
    Stage.RESET: 300.0,
    Stage.QUIT: 5.0,
}

_SETTINGS = "SMTP_HOST, SMTP_PORT and SMTP_SECURITY"


class Security(StrEnum):
    """How the connection is protected: TLS begun by STARTTLS, TLS from the first octet, or not at all."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


# RFC 8314 section 7.3 and RFC 6409 section 3.1.
_USUAL = {465: Security.TLS, 587: Security.STARTTLS}


@dataclass(frozen=True, slots=True)
class Relay:
    """Where and how mail is handed in.

    Without `username` there is no login. `password` is the secret itself or, for a token that ages, what fetches it at
    each login, given the one that the relay has just refused (empty if none was); it is in no `repr`. `ca_file` adds a
    certificate authority to the system's. `timeout` is the most, in seconds, that any stage may take; below it each has
    its own of RFC 5321 section 4.5.3.2. `has_taken_mail`: of ours, in an earlier run.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = ""
    password: str | Callable[[str], Awaitable[str]] = field(default="", repr=False)
    xoauth2: bool = False
    ca_file: Path | None = None
    timeout: float = 600.0
    has_taken_mail: bool = False

    def __post_init__(self) -> None:
        # A plain word would compare unequal to every kind and so go out in the clear.
        object.__setattr__(self, "security", Security(self.security))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Connection:
    """One SMTP connection to `relay`; a Transport. It may be opened again after it has ended."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._deadlines = {stage: min(seconds, relay.timeout) for stage, seconds in _PATIENCE.items()}
        self._tls: ssl.SSLContext | None = None
        self._wire: Wire | None = None
        self._dialogue = Dialogue(str(relay), Features())
        self.greeting: Reply | None = None

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session of the open connection, None where it has none."""
        return self._wire.tls if self._wire else None

    @property
    def features(self) -> Features:
        return self._dialogue.features

    @property
    def is_open(self) -> bool:
        return self._wire is not None and not self._wire.is_lost

    async def open(self) -> None:
        """Connects, begins TLS, logs in; where a token is refused, once more with another.

        Raises RelayUnreachable, RelayBusy, RelayUntrusted or LoginRefused.
        """
        await self._drop()
        context = None if self._relay.security is Security.NONE else self._context()
        try:
            features = await self._introduce(context)
            if self._relay.username:
                features = await self._log_in(features, context)
        except BaseException as exc:
            await self._drop()
            if isinstance(exc, OSError | UnicodeError | NotReached | Lost):
                raise self._explained(exc) from exc
            raise
        is_admitted = self._relay.username or self._relay.has_taken_mail
        self._dialogue = Dialogue(str(self._relay), features, Trust.ADMITTED if is_admitted else Trust.STRANGER)

    async def send(
        self,
        envelope: Envelope,
        content: Sequence[bytes],
        following: Envelope | None = None,
        *,
        is_known: bool = False,
        transactions: int | None = None,
    ) -> Outcome:
        """See `Transport.send`."""
        if self._wire is None:
            raise RuntimeError("the connection is not open")
        try:
            steps = self._dialogue.send(envelope, content, following, is_known=is_known, transactions=transactions)
            return await self._wire.run(steps)
        finally:
            if self._dialogue.has_ended:
                self._wire.drop()

    async def abandon(self) -> None:
        """See `Transport.abandon`."""
        if self._wire is not None:
            await self._wire.run(self._dialogue.abandon())
            if self._dialogue.has_ended:
                self._wire.drop()

    async def close(self) -> None:
        """QUIT where that may be said, then the end of the connection."""
        if self._wire is not None and self.is_open:
            await self._wire.run(self._dialogue.quit())
        await self._drop()

    async def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.drop()
            await wire.wait_closed()

    # --- opening ------------------------------------------------------------------------------------------------------

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = tls.context(self._relay.ca_file)
        return self._tls

    async def _connect(self, context: ssl.SSLContext | None) -> Wire:
        host, at_once = self._relay.host, self._relay.security is Security.TLS
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._deadlines[Stage.CONNECT]
        end = await reach(host, self._relay.port, ends_at)
        wire = Wire(self._deadlines)
        try:
            async with asyncio.timeout_at(ends_at):
                await loop.create_connection(
                    lambda: wire,
                    sock=end,
                    ssl=context if at_once else None,
                    server_hostname=host if at_once else None,
                )
        except BaseException:
            # Where TLS has just begun asyncio would wait for the relay's farewell, on a number that is another's then.
            wire.drop()
            end.close()
            raise
        return wire

    async def _introduce(self, context: ssl.SSLContext | None) -> Features:
        self._wire = wire = await self._connect(context)
        relay, name = str(self._relay), wire.address_literal()
        self.greeting = await wire.run(opening.greeting(relay))
        features = await wire.run(opening.hello(relay, name))
        if self._relay.security is Security.STARTTLS and context is not None:
            await wire.run(opening.starttls(relay, features))
            await wire.start_tls(relay, context, self._relay.host)
            # What was offered in clear text is forgotten (RFC 3207 section 4.2).
            features = await wire.run(opening.hello(relay, name))
        return features

    async def _log_in(self, features: Features, context: ssl.SSLContext | None) -> Features:
        password = self._relay.password
        if isinstance(password, str):
            await self._authenticate(features, password)
            return features
        token = await password("")
        try:
            await self._authenticate(features, token)
        except LoginRefused:
            # A token may be withdrawn before its time. Some relays hang up after a refusal, so all begins anew.
            await self._drop()
            features = await self._introduce(context)
            await self._authenticate(features, await password(token))
        return features

    async def _authenticate(self, features: Features, secret: str) -> None:
        assert self._wire is not None  # noqa: S101 - introduced before
        relay, username = str(self._relay), self._relay.username
        await self._wire.run(opening.login(relay, features, username, secret, xoauth2=self._relay.xoauth2))

    def _explained(self, exc: OSError | UnicodeError | NotReached | Lost) -> RelayUnreachable | RelayUntrusted:
        """The fault of a connection that was never made, as one sentence that says what to do."""
        relay = self._relay
        usual = _USUAL.get(relay.port, relay.security)
        settings = _SETTINGS
        if relay.security is not usual:
            settings += f" (port {relay.port} is mostly for {usual}, and {relay.security} is set)"
        if isinstance(exc, ssl.SSLCertVerificationError):
            return RelayUntrusted(tls.proves_nothing(exc, str(relay), relay.host, "SMTP_HOST"))
        if isinstance(exc, ssl.SSLError) and exc.reason in tls.OUTDATED:
            return RelayUntrusted(
                f"{relay} speaks only outdated TLS: have its administrator switch on TLS 1.2 or later."
            )
        if isinstance(exc, ssl.SSLError):
            return RelayUntrusted(
                f"{relay} does not speak TLS as SMTP_SECURITY={relay.security} has it: check {settings}."
            )
        if isinstance(exc, socket.gaierror | UnicodeError):
            return RelayUnreachable(f"There is no host named {relay.host}: check SMTP_HOST and the network.")
        if isinstance(exc, NotReached):
            return RelayUnreachable(
                f"{relay} {exc}: check {settings}, the network and its firewall, and whether the relay is running."
            )
        if isinstance(exc, TimeoutError):
            return RelayUnreachable(f"{relay} does not answer: check {settings}, the network and its firewall.")
        why = str(exc) or "it was closed"  # as asyncio has it amidst a TLS handshake
        return RelayUnreachable(f"The connection to {relay} failed ({why}): check {settings} and the network.")
