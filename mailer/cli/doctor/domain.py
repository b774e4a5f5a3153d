"""What the DNS tells receivers about the sender's domain: return path, SPF, DKIM and DMARC."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailer.cli.doctor.finding import Finding, Result
from mailer.errors import UsageError

if TYPE_CHECKING:
    from dns.resolver import Resolver

# Seconds for one question, all attempts together.
_PATIENCE = 5.0
# RFC 7208 section 4.6.4: a receiver that would have to ask more often takes the record for broken.
_MOST_LOOKUPS = 10
_ASKING = {"include", "a", "mx", "ptr", "exists", "redirect"}

# Provider -> what SPF has to include; the selectors of DKIM, and whether they are always those.
_SPF_OF = {
    "microsoft365": "spf.protection.outlook.com",
    "google": "_spf.google.com",
    "google-relay": "_spf.google.com",
}
_SELECTORS_OF = {
    "microsoft365": (("selector1", "selector2"), True),
    "google": (("google",), False),
    "google-relay": (("google",), False),
    "cpanel": (("default",), False),
}


class Silent(Exception):
    """The resolver gives no answer, so nothing can be said."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose domain it is: that of the From header, that of the return path, and the provider if it is known."""

    domain: str
    return_domain: str
    provider: str | None = None
    selectors: Sequence[str] = ()


def resolver_at(place: str | None) -> Resolver | None:
    """The resolver at HOST:PORT, else this machine's own; None where it has none. Raises UsageError."""
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


def examine(resolver: Resolver | None, sender: Sender) -> Iterator[Finding]:
    """What the DNS says, or one finding that it says nothing."""
    if resolver is None:
        yield _unseen("this machine has no resolver")
        return
    try:
        yield _return_path(resolver, sender)
        spf = _spf(resolver, sender)
        dkim = _dkim(resolver, sender)
        yield spf
        yield dkim
        yield _dmarc(resolver, sender, spf.result, dkim.result)
    except Silent as exc:
        yield _unseen(f"the resolver gives no answer ({exc})")


def _unseen(why: str) -> Finding:
    meaning = "Whether receivers can tell your messages from a forger's was not looked at"
    return Finding(
        "dns", Result.UNSEEN, why, meaning, "Run it where the DNS can be asked, or name a resolver: --resolver"
    )


# --- questions --------------------------------------------------------------------------------------------------------


def _ask(resolver: Resolver, name: str, kind: str) -> list[Any]:
    """The records of that kind at `name`, none where there are none. Raises Silent."""
    import dns.exception
    import dns.resolver

    try:
        return list(resolver.resolve(name, kind, search=False))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as exc:
        raise Silent(f"{name} {kind}: {type(exc).__name__}") from exc


def _texts(resolver: Resolver, name: str, version: str) -> list[str]:
    """The TXT records at `name` that begin with `version`."""
    records = (b"".join(record.strings).decode("utf-8", "replace") for record in _ask(resolver, name, "TXT"))
    return [text for text in records if text.lower().replace(";", " ").split()[:1] == [version]]


def _tags(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` -> its tags."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


# --- return path ------------------------------------------------------------------------------------------------------


def _return_path(resolver: Resolver, sender: Sender) -> Finding:
    domain = sender.return_domain
    exchanges = [str(record.exchange).rstrip(".") for record in _ask(resolver, domain, "MX")]
    if any(exchanges):
        found = f"mail for {domain} goes to {', '.join(sorted(exchanges)[:3])}"
        return Finding("return path", Result.GOOD, found, "Bounces can come back")
    # RFC 5321 section 5.1: without MX the domain itself is meant; RFC 7505: an empty MX takes no mail at all.
    if not exchanges and (_ask(resolver, domain, "A") or _ask(resolver, domain, "AAAA")):
        return Finding("return path", Result.GOOD, f"mail for {domain} goes to itself", "Bounces can come back")
    meaning = "Bounces cannot come back, and many receivers refuse mail from such a domain"
    to_do = "Correct RETURN_PATH or MAIL_FROM, or have an MX record published"
    return Finding("return path", Result.ATTENTION, f"{domain} takes no mail", meaning, to_do)


# --- SPF (RFC 7208) ---------------------------------------------------------------------------------------------------


def _spf(resolver: Resolver, sender: Sender) -> Finding:
    domain, needed = sender.return_domain, _SPF_OF.get(sender.provider or "")
    records = _texts(resolver, domain, "v=spf1")
    if len(records) != 1:
        found = f"{domain} has {'no SPF record' if not records else f'{len(records)} SPF records, which count as none'}"
        meaning = "Receivers cannot tell your relay from a forger's, and may file the mailing as junk"
        to_do = f"Publish one TXT record at {domain}: v=spf1 include:{needed or 'what-your-relay-names'} ~all"
        return Finding("spf", Result.ATTENTION, found, meaning, to_do)
    (record,) = records
    found = f"{domain} has {record}"
    included: list[str] = []
    lookups = _walk(resolver, record, included)
    if lookups > _MOST_LOOKUPS:
        meaning = f"It takes more than {_MOST_LOOKUPS} questions to read, so receivers take it for broken"
        return Finding("spf", Result.ATTENTION, found, meaning, "Remove what no longer sends for you")
    if "+all" in record.lower().split() or "all" in record.lower().split():
        meaning = "It lets everybody send in your name, so it proves nothing"
        return Finding("spf", Result.ATTENTION, found, meaning, "End it with ~all or -all")
    if needed and needed not in included:
        meaning = f"It does not name {sender.provider}, which sends for you: receivers may file the mailing as junk"
        return Finding("spf", Result.ATTENTION, found, meaning, f"Add include:{needed} to the record")
    meaning = "Receivers can check that the relay may send for you"
    if needed is None:
        meaning += "; that it names the addresses your relay sends from is for the relay's administrator to say"
    return Finding("spf", Result.GOOD, found, meaning)


def _walk(resolver: Resolver, record: str, included: list[str]) -> int:
    """How many questions the record costs, up to one too many; adds the domains that it includes to `included`."""
    lookups = 0
    for term in record.lower().split()[1:]:
        name = term.lstrip("+-~?").replace("=", ":").replace("/", ":").partition(":")[0]
        lookups += name in _ASKING
        if lookups > _MOST_LOOKUPS:
            break
        domain = term.replace("=", ":").partition(":")[2]
        # A macro (section 7) stands for something else in each message; a chain may have no end.
        is_new = "%" not in domain and domain not in included and len(included) <= _MOST_LOOKUPS
        if name in {"include", "redirect"} and is_new:
            included.append(domain)
            for inner in _texts(resolver, domain, "v=spf1")[:1]:
                lookups += _walk(resolver, inner, included)
    return lookups


# --- DKIM (RFC 6376) --------------------------------------------------------------------------------------------------


def _dkim(resolver: Resolver, sender: Sender) -> Finding:
    """A key can be seen only by who knows its selector; nothing can be listed (section 3.6.2.1)."""
    usual, surely = _SELECTORS_OF.get(sender.provider or "", ((), False))
    selectors = tuple(sender.selectors) or usual
    surely = surely or bool(sender.selectors)
    for selector in selectors:
        name = f"{selector}._domainkey.{sender.domain}"
        keys = [_tags(text) for text in _texts_of_key(resolver, name)]
        if any(key.get("p") for key in keys):
            return Finding("dkim", Result.GOOD, f"a key is published at {name}", "Receivers can check the signature")
        if keys:
            meaning = "The key was withdrawn, so a signature made with it counts for nothing"
            return Finding("dkim", Result.ATTENTION, f"{name} is empty", meaning, "Have the relay sign with a new key")
    if selectors and surely:
        found = f"no key at {' or '.join(selectors)}._domainkey.{sender.domain}"
        meaning = "The relay does not sign as your domain: receivers may file the mailing as junk"
        return Finding("dkim", Result.ATTENTION, found, meaning, "Have DKIM set up for the domain at your provider")
    meaning = "Whether the relay signs as your domain cannot be seen from here"
    to_do = "Ask its administrator for the selector, then: mailer doctor --selector NAME"
    return Finding("dkim", Result.UNSEEN, "the selector of your relay is not known", meaning, to_do)


def _texts_of_key(resolver: Resolver, name: str) -> list[str]:
    """The version may be left out of a key (section 3.6.1)."""
    records = (b"".join(record.strings).decode("ascii", "replace") for record in _ask(resolver, name, "TXT"))
    return [text for text in records if "p" in _tags(text)]


# --- DMARC (RFC 7489) -------------------------------------------------------------------------------------------------


def _dmarc(resolver: Resolver, sender: Sender, spf: Result, dkim: Result) -> Finding:
    place, record = _policy(resolver, sender.domain)
    tags = _tags(record)
    policy = tags.get("p", "").lower()
    if place != sender.domain:
        policy = tags.get("sp", policy).lower()
    if policy not in _AT_FAILURE:
        found = f"{sender.domain} has no {'valid ' if record else ''}DMARC record"
        meaning = "Large receivers ask for one from whoever sends much, and trust the others less"
        to_do = f"Publish a TXT record at _dmarc.{sender.domain}: v=DMARC1; p=none; rua=mailto:you@{sender.domain}"
        return Finding("dmarc", Result.ATTENTION, found, meaning, to_do)
    found = f"{record} at _dmarc.{place}"
    consequence = f"A message in your name that neither SPF nor DKIM proves is {_AT_FAILURE[policy]}"
    strict = tags.get("aspf", "r").lower() == "s"
    same = sender.return_domain == sender.domain
    aligned = same or (not strict and _is_within(sender.return_domain, place) and _is_within(sender.domain, place))
    if (aligned and spf is Result.GOOD) or dkim is Result.GOOD:
        proof = "the return path is of that domain, so SPF counts" if aligned else "DKIM has to prove it"
        return Finding("dmarc", Result.GOOD, found, f"{consequence}; {proof}")
    if policy == "none":
        return Finding("dmarc", Result.NOTE, found, f"{consequence}; neither is seen to prove yours")
    to_do = f"Have the relay sign as {sender.domain}, or mend SPF and set RETURN_PATH to an address of that domain"
    return Finding("dmarc", Result.ATTENTION, found, f"{consequence}; neither is seen to prove yours", to_do)


_AT_FAILURE: Mapping[str, str] = {"none": "only reported", "quarantine": "filed as junk", "reject": "refused"}


def _policy(resolver: Resolver, domain: str) -> tuple[str, str]:
    """Where the policy for `domain` stands, and the record: its own, else that of the nearest domain above it."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = ".".join(labels[start:])
        records = _texts(resolver, f"_dmarc.{place}", "v=dmarc1")
        if records:
            # Several count as none (section 6.6.3).
            return place, records[0] if len(records) == 1 else "v=DMARC1"
    return domain, ""


def _is_within(domain: str, place: str) -> bool:
    return domain == place or domain.endswith(f".{place}")
