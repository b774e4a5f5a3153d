"""What the DNS tells receivers about the sender's domain: return path, SPF, DKIM and DMARC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.cli.desk import mailbox
from mailer.cli.doctor import dkim, dmarc, spf
from mailer.cli.doctor.finding import Finding, Result
from mailer.cli.doctor.resolver import Silent, ask, tags, texts

if TYPE_CHECKING:
    from dns.resolver import Resolver

    from mailer.config import Config

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


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose domain it is: that of the From header, that of the return path, and the provider if it is known."""

    domain: str
    return_domain: str
    provider: str | None = None
    selectors: Sequence[str] = ()


def sender_of(settings: Config, selectors: tuple[str, ...]) -> Sender:
    """The sender's domain and that of the return path, as the DNS writes them; MAIL_FROM must be set."""
    address = mailbox(settings.MAIL_FROM or "").address
    back = mailbox(settings.RETURN_PATH.replace("{reference}", "x")).address if settings.RETURN_PATH else address
    # Providers write the selector with the place of its key behind it, and so it is pasted.
    alone = tuple(re.split(r"\._domainkey\b", selector, maxsplit=1, flags=re.IGNORECASE)[0] for selector in selectors)
    return Sender(address.ascii_domain, back.ascii_domain, settings.SMTP_PROVIDER, alone)


def examine(resolver: Resolver | None, sender: Sender) -> Iterator[Finding]:
    """What the DNS says of each in turn; where it says nothing of one, the others are looked at all the same."""
    if resolver is None:
        yield _unseen("dns", "this machine has no resolver")
        return
    yield _look("return path", lambda: _return_path(resolver, sender))
    yield (of_spf := _look("spf", lambda: _spf(resolver, sender)))
    yield (of_dkim := _look("dkim", lambda: _dkim(resolver, sender)))
    yield _look("dmarc", lambda: _dmarc(resolver, sender, of_spf.result, of_dkim.result))


def _look(check: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except Silent as exc:
        return _unseen(check, str(exc))


def _unseen(check: str, why: str) -> Finding:
    to_do = "Try again later, or where the DNS can be asked, or name a resolver: --resolver"
    return Finding(check, Result.UNSEEN, why, "What receivers make of it was not looked at", to_do)


# --- return path ------------------------------------------------------------------------------------------------------


def _return_path(resolver: Resolver, sender: Sender) -> Finding:
    domain = sender.return_domain
    exchanges = [str(record.exchange).rstrip(".") for record in ask(resolver, domain, "MX")]
    if any(exchanges):
        found = f"mail for {domain} goes to {', '.join(sorted(exchanges)[:3])}"
        return Finding("return path", Result.GOOD, found, "Bounces can come back")
    # RFC 5321 section 5.1: without MX the domain itself is meant; RFC 7505: an empty MX takes no mail at all.
    if not exchanges and (ask(resolver, domain, "A") or ask(resolver, domain, "AAAA")):
        return Finding("return path", Result.GOOD, f"mail for {domain} goes to itself", "Bounces can come back")
    meaning = "Bounces cannot come back, and many receivers refuse mail from such a domain"
    to_do = "Correct RETURN_PATH or MAIL_FROM, or have an MX record published"
    return Finding("return path", Result.ATTENTION, f"{domain} takes no mail", meaning, to_do)


# --- SPF (RFC 7208) ---------------------------------------------------------------------------------------------------


def _spf(resolver: Resolver, sender: Sender) -> Finding:
    domain, needed = sender.return_domain, _SPF_OF.get(sender.provider or "")
    records = spf.records_at(resolver, domain)
    if len(records) != 1:
        found = f"{domain} has {'no SPF record' if not records else f'{len(records)} SPF records, which count as none'}"
        meaning = "Receivers cannot tell your relay from a forger's, and may file the mailing as junk"
        to_do = f"Publish one TXT record at {domain}: v=spf1 include:{needed or 'what-your-relay-names'} ~all"
        if records:
            to_do = f"Merge them into one TXT record at {domain}, with the terms of each, and delete the others"
        elif spoilt := spf.spoilt_at(resolver, domain):
            found = f"{domain} has no valid SPF record, but {spoilt}"
            to_do = "Correct that one, and add no second: it begins with v=spf1 and a blank, without quotes"
        return Finding("spf", Result.ATTENTION, found, meaning, to_do)
    (record,) = records
    found = f"{domain} has {record}"
    try:
        passing = spf.passing(resolver, domain, record)
    except spf.Broken as exc:
        meaning = f"Receivers take it for broken, so it proves nothing: {exc}"
        return Finding("spf", Result.ATTENTION, found, meaning, exc.to_do)
    if all(term.takes_in for term in passing):
        meaning = "It names no server that may send for you, so receivers take the mailing for forged"
        return Finding("spf", Result.ATTENTION, found, meaning, "Add what your relay's administrator names to it")
    if everybody := next((term for term in passing if term.is_everybody), None):
        return Finding("spf", Result.ATTENTION, found, *_lets_everybody(everybody, domain))
    if needed and needed not in {term.target for term in passing if term.takes_in}:
        meaning = f"It does not name {sender.provider}, which sends for you: receivers may file the mailing as junk"
        return Finding("spf", Result.ATTENTION, found, meaning, f"Add include:{needed} to the record")
    meaning = "Receivers can check that the relay may send for you"
    if needed is None:
        meaning += "; that it names the addresses your relay sends from is for the relay's administrator to say"
    return Finding("spf", Result.GOOD, found, meaning)


def _lets_everybody(term: spf.Term, domain: str) -> tuple[str, str]:
    """What that means and what to do."""
    meaning = f"{term.text} in the record of {term.domain} lets everybody send in your name, so it proves nothing"
    if term.domain != domain.lower():
        return meaning, f"Ask whoever keeps {term.domain} to mend it, or do without it"
    return meaning, "End it with ~all or -all" if term.name == "all" else f"Take {term.text} out"


# --- DKIM (RFC 6376) --------------------------------------------------------------------------------------------------


def _dkim(resolver: Resolver, sender: Sender) -> Finding:
    """A key can be seen only by who knows its selector; nothing can be listed (section 3.6.2.1)."""
    usual, surely = _SELECTORS_OF.get(sender.provider or "", ((), False))
    selectors = tuple(sender.selectors) or usual
    surely = surely or bool(sender.selectors)
    withdrawn = ""
    for selector in selectors:
        name = f"{selector}._domainkey.{sender.domain}"
        # The version may be left out of a key (section 3.6.1).
        keys = [key for text in texts(resolver, name) if "p" in (key := tags(text))]
        faults = [dkim.fault(key) for key in keys if key["p"]]
        if None in faults:
            return Finding("dkim", Result.GOOD, f"a key is published at {name}", "Receivers can check the signature")
        if faults:
            meaning = f"Receivers cannot use the key, so a signature made with it counts for nothing: {faults[0]}"
            to_do = "Publish it as the relay's administrator or provider gave it, all of it"
            return Finding("dkim", Result.ATTENTION, f"a broken key is published at {name}", meaning, to_do)
        if keys:
            withdrawn = name  # the relay may have gone on to the next one
    if withdrawn:
        meaning = "The key was withdrawn, so a signature made with it counts for nothing"
        return Finding("dkim", Result.ATTENTION, f"{withdrawn} is empty", meaning, "Have the relay sign with a new key")
    if selectors and surely:
        found = f"no key at {' or '.join(selectors)}._domainkey.{sender.domain}"
        meaning = "The relay does not sign as your domain: receivers may file the mailing as junk"
        return Finding("dkim", Result.ATTENTION, found, meaning, "Have DKIM set up for the domain at your provider")
    meaning = "Whether the relay signs as your domain cannot be seen from here"
    to_do = "Ask its administrator for the selector, then: mailer doctor --selector NAME"
    return Finding("dkim", Result.UNSEEN, "the selector of your relay is not known", meaning, to_do)


# --- DMARC (RFC 9989) -------------------------------------------------------------------------------------------------

_AT_FAILURE: Mapping[str, str] = {"none": "only reported", "quarantine": "filed as junk", "reject": "refused"}


def _dmarc(resolver: Resolver, sender: Sender, of_spf: Result, of_dkim: Result) -> Finding:
    met = dmarc.walk(resolver, sender.domain)
    place, record = dmarc.policy(sender.domain, met)
    policy = dmarc.requested(sender.domain, place, record)
    own = met.get(sender.domain, [])
    if policy not in _AT_FAILURE or len(own) > 1:
        found = f"{len(own)} DMARC records, which count as none" if len(own) > 1 else "no DMARC record"
        meaning = "Large receivers ask for one from whoever sends much, and trust the others less"
        to_do = f"Publish one TXT record at _dmarc.{sender.domain}: v=DMARC1; p=none; rua=mailto:you@{sender.domain}"
        if len(own) > 1:
            to_do = f"Keep one at _dmarc.{sender.domain}, and delete the others"
        elif spoilt := f"{record} at _dmarc.{place}" if record else dmarc.spoilt(resolver, sender.domain):
            found = f"no valid DMARC record, but {spoilt}"
            to_do = "Correct that one, and add no second: it begins with v=DMARC1; p=none (or quarantine, or reject)"
        return Finding("dmarc", Result.ATTENTION, f"{sender.domain} has {found}", meaning, to_do)
    found = f"{record} at _dmarc.{place}"
    consequence = f"A message in your name that neither SPF nor DKIM proves is {_AT_FAILURE[policy]}"
    is_aligned = _is_aligned(resolver, sender, met, record)
    if (is_aligned and of_spf is Result.GOOD) or of_dkim is Result.GOOD:
        proof = "the return path is of that domain, so SPF counts" if is_aligned else "DKIM has to prove it"
        return Finding("dmarc", Result.GOOD, found, f"{consequence}; {proof}")
    meaning = f"{consequence}; neither is seen to prove yours"
    if policy == "none":
        return Finding("dmarc", Result.NOTE, found, meaning)
    if is_aligned and of_spf is Result.UNSEEN:
        return Finding("dmarc", Result.UNSEEN, found, meaning, "Try again when SPF can be looked at")
    to_do = f"Have the relay sign as {sender.domain}, or mend SPF and set RETURN_PATH to an address of that domain"
    return Finding("dmarc", Result.ATTENTION, found, meaning, to_do)


def _is_aligned(resolver: Resolver, sender: Sender, met: dmarc.Walk, record: str) -> bool:
    """Whether SPF of the return path's domain counts for that of the From header."""
    if sender.return_domain == sender.domain:
        return True
    if tags(record).get("aspf", "r").lower() == "s":
        return False
    theirs = dmarc.organisation(sender.return_domain, dmarc.walk(resolver, sender.return_domain))
    return theirs == dmarc.organisation(sender.domain, met)
