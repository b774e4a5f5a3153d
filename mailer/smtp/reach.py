"""A TCP connection to a host by name, by whichever of its addresses answers (RFC 8305 in spirit)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

# Seconds at most for an address behind which there is another: the third packet that asks for a connection has gone by
# then. Where nothing answers on IPv6, this is what each connection takes longer.
_WITH_ANOTHER = 5.0


class NotReached(Exception):
    """None of a host's addresses took a connection; `faults` says of each why not, in the order in which they were
    tried."""

    def __init__(self, faults: Mapping[str, OSError]) -> None:
        self.faults = faults
        words = {address: _words(fault) for address, fault in faults.items()}
        each = ", ".join(f"{address} {why}" for address, why in words.items())
        super().__init__(next(iter(words.values())) if len(words) == 1 else f"cannot be reached ({each})")


async def reach(host: str, port: int, ends_at: float) -> socket.socket:
    """A connected socket that does not block. Each address gets its share of what is left until `ends_at`, by the
    loop's clock.

    Raises NotReached, and TimeoutError, socket.gaierror or UnicodeError where the name cannot be resolved.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout_at(ends_at):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    faults: dict[str, OSError] = {}
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        now = loop.time()
        share = (ends_at - now) / left
        try:
            async with asyncio.timeout_at(now + (share if left == 1 else min(share, _WITH_ANOTHER))):
                return await _connected(socket.socket(family, kind, protocol), address)
        except OSError as exc:
            faults[str(address[0])] = exc
    raise NotReached(faults)


async def _connected(end: socket.socket, address: tuple[Any, ...]) -> socket.socket:
    try:
        end.setblocking(False)
        await asyncio.get_running_loop().sock_connect(end, address)
    except BaseException:
        end.close()
        raise
    return end


def _words(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "does not answer"
    if isinstance(fault, ConnectionRefusedError):
        return "takes no connections"
    return f"cannot be reached ({fault.strerror or fault})"
