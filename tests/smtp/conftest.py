"""A throw-away certificate authority, and the few lines that every conversation with a relay needs."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import trustme

from mailer.model import Address, Envelope
from mailer.smtp import Connection, Outcome, Relay, Security
from tests.servers import ScriptedServer

MESSAGE = (b"Subject: Invitation\r\n\r\n", b"Excellency,\r\n.hidden dot\r\n")


class Talk:
    """What the tests say to a scripted server."""

    message = MESSAGE

    def __init__(self, run: Callable[..., object] = asyncio.run) -> None:
        self.run = run

    @staticmethod
    def envelope(*recipients: str, **facts: object) -> Envelope:
        paths = tuple(Address.parse(recipient) for recipient in recipients or ("a@example.org",))
        return Envelope(Address.parse("bounces@example.org"), paths, **facts)  # type: ignore[arg-type]

    @staticmethod
    def relay(server: ScriptedServer, **settings: object) -> Relay:
        return Relay("127.0.0.1", server.port, **{"security": Security.NONE, "timeout": 10, **settings})  # type: ignore[arg-type]

    def send(
        self,
        server: ScriptedServer,
        *envelopes: Envelope,
        content: Sequence[bytes] = MESSAGE,
        ahead: bool = False,
        **settings: object,
    ) -> list[Outcome]:
        """Sends to all envelopes over one connection, opening it again where it has ended."""

        async def conversation() -> list[Outcome]:
            connection, outcomes = Connection(self.relay(server, **settings)), []
            try:
                for envelope, following in zip(envelopes, (*envelopes[1:], None), strict=True):
                    if not connection.is_open:
                        await connection.open()
                    outcomes.append(await connection.send(envelope, content, following if ahead else None))
            finally:
                await connection.close()
            return outcomes

        return self.run(conversation())

    def with_connection(self, relay: Relay, act: Callable[[Connection], Awaitable[object]]) -> object:
        """Opens a connection, runs `act` with it, and closes it."""

        async def conversation() -> object:
            connection = Connection(relay)
            await connection.open()
            try:
                return await act(connection)
            finally:
                await connection.close()

        return self.run(conversation())


@pytest.fixture(scope="session")
def talk() -> Talk:
    return Talk()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a relay at 127.0.0.1 with a good certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def wrong_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The same for another relay than the one that was named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example.org").configure_cert(context)
    return context
