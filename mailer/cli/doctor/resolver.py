"""Questions to the DNS: a resolver, the records at a name, and the tags that some of them hold."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from mailer.errors import UsageError

if TYPE_CHECKING:
    from dns.resolver import Resolver

# Seconds for one question, all attempts together.
_PATIENCE = 5.0


_NO_ANSWER = {
    "SERVFAIL": "the resolver cannot find it out (SERVFAIL): the domain's own servers are silent, or its DNSSEC broken",
    "REFUSED": "the resolver takes no questions from this machine (REFUSED)",
    "LifetimeTimeout": "the resolver does not answer",
}


class Silent(Exception):
    """The resolver gives no answer, so nothing can be said; the text says why, without its full stop."""


def resolver_at(place: str | None) -> Resolver | None:
    """The resolver at IP[:PORT], else this machine's own; None where it has none. Raises UsageError."""
    import dns.resolver

    if place is None:
        try:
            resolver = dns.resolver.Resolver()
        except (dns.resolver.NoResolverConfiguration, OSError):
            return None
    else:
        host, port = _address_and_port(place)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [host], port
    resolver.lifetime = _PATIENCE
    return resolver


def _address_and_port(place: str) -> tuple[str, int]:
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port or (":" in host and not host.startswith("[")):
        host, port = place, "53"
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise UsageError(
            f"--resolver {place}: write an IP address, and a port if it is not 53: 127.0.0.1:53."
        ) from None


def ask(resolver: Resolver, name: str, kind: str) -> list[Any]:
    """The records of that kind at `name`: none where there are none, or where it cannot be a name. Raises Silent."""
    import dns.exception
    import dns.name
    import dns.resolver

    try:
        return list(resolver.resolve(name, kind, search=False))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, dns.name.NameTooLong):
        return []
    except (dns.exception.DNSException, OSError) as exc:
        said = str(exc.kwargs["errors"][-1][3]) if isinstance(exc, dns.resolver.NoNameservers) else type(exc).__name__
        raise Silent(f"{name} {kind}: {_NO_ANSWER.get(said, f'the resolver gives no answer ({said})')}") from exc


def texts(resolver: Resolver, name: str) -> list[str]:
    """The TXT records at `name`, with a mark for each octet that is no printable ASCII. Raises Silent."""
    records = (b"".join(record.strings).decode("ascii", "replace") for record in ask(resolver, name, "TXT"))
    return ["".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text) for text in records]


def tags(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` -> its tags, in their order."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}
