"""What the relay itself says: its TLS and certificate, clock, extensions and limits, and whether it takes our login."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import cast

from mailer.cli import console
from mailer.cli.doctor.finding import Finding, Result
from mailer.config import is_loopback
from mailer.errors import MailerError, RelayError, RelayUntrusted
from mailer.smtp import Connection, Features, Relay, Security

Clock = Callable[[], datetime]
# As the ssl module writes a distinguished name.
_Name = Sequence[Sequence[tuple[str, str]]]

# A certificate is renewed weeks before its end; where that has not happened, somebody has to see to it.
_SOON = timedelta(days=14)
# Below that nobody notices, and a greeting tells whole seconds only.
_TOLERANCE = timedelta(minutes=1)

# As Microsoft has announced it; after it, 550 5.7.30 refuses them.
_END_OF_PASSWORDS = (
    "Microsoft 365 takes passwords until the end of December 2026, then only where the tenant's administrator has "
    "allowed them again, until an end that is to be named in the second half of 2027"
)
_INSTEAD_OF_PASSWORDS = "Before that, set SMTP_AUTH=xoauth2 and run mailer login"

_DATE = re.compile(r"(?<!\d)[0-3]?\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}|GMT|UTC)")

# attribute of Features -> keyword of EHLO, what it means where it is offered, and where it is not
_EXTENSIONS = {
    "pipelining": ("PIPELINING", "Commands travel in groups: full speed", "One command at a time: slower from afar"),
    "eight_bit": ("8BITMIME", "Every script travels as it is", "Messages are encoded and grow; nothing is lost"),
    "smtputf8": (
        "SMTPUTF8",
        "Addresses in any script can be written to",
        "An address with other than ASCII letters before the @ cannot be written to",
    ),
    "dsn": (
        "DSN",
        "The relay is asked to report failures and delays to the return path",
        "Bounces come in whatever way the relay likes",
    ),
}


async def examine(relay: Relay, clock: Clock, largest: int | None, provider: str | None = None) -> list[Finding]:
    """Everything up to the login, and then that. `largest` is the size of the largest message in octets, if known, as
    `provider` is the SMTP_PROVIDER.

    Where the relay cannot be used at all the list ends with what FAILED.
    """
    # First without a login, so that one that is refused hides nothing else.
    connection = Connection(replace(relay, username=""))
    before = clock()
    try:
        await connection.open()
    except RelayError as exc:
        check = "tls" if isinstance(exc, RelayUntrusted) else "relay"
        return [Finding(check, Result.FAILED, str(exc).rstrip("."), "No message can leave")]
    try:
        after, greeting = clock(), connection.greeting.text if connection.greeting else ""
        features = connection.features
        findings = [
            Finding("relay", Result.GOOD, f"{relay} answers: {greeting}", "It can be reached from this machine"),
            _encryption(relay, connection.tls),
            *_certificate(connection.tls, after),
            _time(greeting, before, after),
            *_extensions(features),
            _size(features, largest),
        ]
    finally:
        await connection.close()
    return [*findings, await _login(relay, features, provider)]


def _encryption(relay: Relay, tls: ssl.SSLObject | None) -> Finding:
    if tls is not None:
        how = "STARTTLS" if relay.security is Security.STARTTLS else "TLS from the start"
        found = f"{tls.version()} by {how}, and the certificate proves that it is {relay.host}"
        return Finding("tls", Result.GOOD, found, "Names, links and the password travel encrypted")
    if is_loopback(relay.host):
        meaning = "It is on this machine, so nobody can listen on the way there"
        return Finding("tls", Result.GOOD, "none (SMTP_SECURITY=none)", meaning)
    meaning = "Names, links and the password can be read on the way"
    return Finding("tls", Result.ATTENTION, "none (SMTP_SECURITY=none)", meaning, "Set SMTP_SECURITY=starttls or tls")


def _certificate(tls: ssl.SSLObject | None, now: datetime) -> Iterator[Finding]:
    certificate = tls.getpeercert() if tls else None
    if not certificate:
        return
    issuer = dict(pair for part in cast(_Name, certificate["issuer"]) for pair in part)
    name = issuer.get("organizationName") or issuer.get("commonName") or "an unnamed authority"
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    left = ends - now
    found = f"issued by {name}, {console.count(left.days, 'day')} left (until {ends:%d %B %Y})"
    if left > _SOON:
        yield Finding("certificate", Result.GOOD, found, "Until then it is trusted")
        return
    meaning = "After that every run stops before the first message"
    yield Finding("certificate", Result.ATTENTION, found, meaning, "Ask the relay's administrator to renew it")


def _time(greeting: str, before: datetime, after: datetime) -> Finding:
    """SMTP has no clock, but many servers greet with theirs; for the others there is nothing honest to compare."""
    meaning = "Deadlines, reminder hours, rates and the Date of each message follow this machine's clock"
    dated = _DATE.search(greeting)
    theirs = _moment(dated[0]) if dated else None
    if theirs is None:
        to_do = f"Compare it with a good one: it shows {after:%H:%M:%S} UTC"
        return Finding("clock", Result.UNSEEN, "the relay does not tell its time", meaning, to_do)
    off = before - theirs if theirs < before else after - theirs if theirs > after else timedelta()
    if abs(off) <= _TOLERANCE:
        return Finding("clock", Result.GOOD, "this machine and the relay agree on the time", meaning)
    way = "ahead of" if off > timedelta() else "behind"
    found = f"this machine is {console.duration(abs(off))} {way} the relay"
    return Finding("clock", Result.ATTENTION, found, meaning, "Let the machine set its clock by the network (NTP)")


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _extensions(features: Features) -> Iterator[Finding]:
    for name, (keyword, with_it, without) in _EXTENSIONS.items():
        if getattr(features, name):
            yield Finding(keyword, Result.GOOD, "offered", with_it)
        else:
            yield Finding(keyword, Result.NOTE, "not offered", without)


def _size(features: Features, largest: int | None) -> Finding:
    ours = f"the largest message of the event has about {_megabytes(largest)}" if largest else ""
    if not features.size:
        meaning = f"Whether a message is too large shows only when it is sent{'; ' + ours if ours else ''}"
        return Finding("size", Result.NOTE, "the relay states no limit", meaning)
    found = f"messages of up to {_megabytes(features.size)}"
    if largest is None or largest <= features.size:
        meaning = ours[:1].upper() + ours[1:] or "Attachments must stay below that, a third added for their encoding"
        return Finding("size", Result.GOOD, found, meaning)
    to_do = "Make the attachments smaller, or link to them in the text"
    return Finding("size", Result.ATTENTION, found, f"What is larger would be refused: {ours}", to_do)


def _megabytes(octets: int) -> str:
    return f"{octets / 1_000_000:.1f} MB"


async def _login(relay: Relay, features: Features, provider: str | None) -> Finding:
    if not relay.username:
        offered = f"it offers {' and '.join(sorted(features.auth))}" if features.auth else "it offers none"
        meaning = "The relay must know this machine by its network, or it will refuse the first message"
        return Finding("login", Result.NOTE, f"none is set (SMTP_USERNAME); {offered}", meaning)
    connection = Connection(relay)
    try:
        await connection.open()
    except MailerError as exc:
        return Finding("login", Result.FAILED, str(exc).rstrip("."), "No message can leave")
    finally:
        await connection.close()
    meaning, kind = "Messages can be handed over", "a token" if relay.xoauth2 else "a password"
    found = f"{relay.username} is let in with {kind}"
    if not relay.xoauth2 and (provider == "microsoft365" or relay.host.lower().endswith(".office365.com")):
        return Finding("login", Result.NOTE, found, f"{meaning}; {_END_OF_PASSWORDS}", _INSTEAD_OF_PASSWORDS)
    return Finding("login", Result.GOOD, found, meaning)
