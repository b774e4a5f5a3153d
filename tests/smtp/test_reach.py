"""A relay whose name has several addresses is reached by one that answers."""

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailer.errors import RelayUnreachable
from mailer.smtp import Connection, Relay, Security, reach
from tests.servers import ScriptedServer

try:
    import uvloop
except ImportError:
    uvloop = None

RUNNERS = [asyncio.run] if uvloop is None else [asyncio.run, uvloop.run]
LOOPS = [asyncio.BaseEventLoop] if uvloop is None else [asyncio.BaseEventLoop, uvloop.Loop]
NAME = "relay.example.org"
SILENT, REFUSING = "127.0.0.2", "127.0.0.3"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses and full queues"),
    pytest.mark.parametrize("run", RUNNERS),
]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the relay's name stand for the addresses given."""

    def install(*addresses: str) -> None:
        def patched(original: Callable) -> Callable:
            async def getaddrinfo(loop: object, host: str, port: int, **hints: object) -> list[tuple]:
                if host != NAME:
                    return await original(loop, host, port, **hints)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

            return getaddrinfo

        for loop in LOOPS:
            monkeypatch.setattr(loop, "getaddrinfo", patched(loop.getaddrinfo))

    return install


@contextlib.contextmanager
def silence(port: int) -> Iterator[None]:
    """An address that answers nothing: its queue of connections that nobody takes is full."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind((SILENT, port))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((SILENT, port))
        yield


def relay(server: ScriptedServer, **settings: object) -> Relay:
    return Relay(NAME, server.port, **{"security": Security.NONE, **settings})  # type: ignore[arg-type]


async def opened(relay: Relay) -> bool:
    connection = Connection(relay)
    try:
        await connection.open()
        return connection.is_open
    finally:
        await connection.close()


def test_an_address_that_does_not_answer_keeps_nobody_from_the_next(
    run: Callable, resolve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where packets to the first address vanish the second is tried long before the whole time is over."""
    monkeypatch.setattr(reach, "_WITH_ANOTHER", 0.2)
    resolve(REFUSING, SILENT, "127.0.0.1")
    with ScriptedServer() as server, silence(server.port):
        assert run(opened(relay(server)))
    assert server.connections == 1


def test_each_address_has_its_share_of_a_short_time(run: Callable, resolve: Callable[..., None]) -> None:
    """However short the time, the last address gets a part of it."""
    resolve(SILENT, "127.0.0.1")
    with ScriptedServer() as server, silence(server.port):
        assert run(opened(relay(server, timeout=4)))


def test_what_was_tried_is_named(run: Callable, resolve: Callable[..., None]) -> None:
    """Where no address takes a connection the sentence has each with what was the matter."""
    resolve(SILENT, REFUSING)
    with ScriptedServer() as server, silence(server.port), pytest.raises(RelayUnreachable) as raised:
        run(opened(relay(server, timeout=0.4)))
    assert "(127.0.0.2 does not answer, 127.0.0.3 takes no connections): check SMTP_HOST" in str(raised.value)


def test_one_address_needs_no_list(run: Callable, resolve: Callable[..., None]) -> None:
    """A name with a single address that does not answer is told in few words, within its time."""
    resolve(SILENT)
    with ScriptedServer() as server, silence(server.port), pytest.raises(RelayUnreachable) as raised:
        run(opened(relay(server, timeout=0.2)))
    assert f"{NAME}:{server.port} does not answer: check SMTP_HOST" in str(raised.value)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_the_certificate_must_be_of_the_name(
    run: Callable, resolve: Callable[..., None], security: Security, authority, ca_file: Path
) -> None:
    """By whatever address it is reached, the relay is asked, by SNI too, for the name in SMTP_HOST."""
    resolve(REFUSING, "127.0.0.1")
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    context.sni_callback = lambda _end, name, _context: asked.append(name)
    with ScriptedServer(None, ["STARTTLS"], context, tls_at_once=security is Security.TLS) as server:
        assert run(opened(relay(server, security=security, ca_file=ca_file)))
    assert asked == [NAME]


def test_small_writes_are_not_held_back(run: Callable, resolve: Callable[..., None]) -> None:
    """Commands leave at once (TCP_NODELAY), as the loops have it for connections of their own."""
    resolve("127.0.0.1")

    async def look(relay: Relay) -> int:
        connection = Connection(relay)
        await connection.open()
        end = connection._wire._transport.get_extra_info("socket")
        try:
            return end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        finally:
            await connection.close()

    with ScriptedServer() as server:
        assert run(look(relay(server)))
