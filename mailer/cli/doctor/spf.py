"""An SPF record as receivers read it (RFC 7208): what is taken in by it, or why it is broken for all of them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.cli.doctor.resolver import texts

if TYPE_CHECKING:
    from dns.resolver import Resolver

# Section 4.6.4: a receiver that would have to ask more often takes the record for broken.
_MOST_LOOKUPS = 10
_ASKING = {"include", "a", "mx", "ptr", "exists"}

_MECHANISM = re.compile(r"[-+~?]?([a-z]\w*)(?::(.*?))?(?:/(\d{1,3}))?(?://(\d{1,3}))?", re.ASCII | re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][\w.-]*)=(.*)", re.ASCII | re.IGNORECASE)

# Section 7.1, without the three letters that only an explanation may hold.
_MACRO = re.compile(r"%(?:[%_-]|\{[slodiphv]\d*r?[-.+,/_=]*\})", re.IGNORECASE)
_TEXT = re.compile(r"[!-$&-~]*")
_LABEL = re.compile(r"[!-$&-~]{1,63}")
_LAST_LABEL = re.compile(r"(?=.*[a-z-])[a-z\d](?:[a-z\d-]*[a-z\d])?", re.IGNORECASE)
_LONGEST_NAME = 253


class Broken(Exception):
    """The record is a `permerror` (section 2.6.7). The text says why, `to_do` what to do; both lack their full stop."""

    def __init__(self, why: str, to_do: str) -> None:
        super().__init__(why)
        self.to_do = to_do


def records_at(resolver: Resolver, domain: str) -> list[str]:
    """The SPF records of the domain, of which there should be one (section 4.5). Raises Silent."""
    return [text for text in texts(resolver, domain) if text.lower().split(" ")[0] == "v=spf1"]


def included(resolver: Resolver, domain: str, record: str) -> set[str]:
    """The domains, in lower case, whose records the `record` of `domain` takes in, and those that they take in.

    All is followed that any receiver may come to; what depends on the message is not: macros, and how many addresses
    the names of `a`, `mx`, `ptr` and `exists` have. Raises Broken, and Silent where a record cannot be asked for.
    """
    found = set()
    for number, (name, target) in enumerate(_questions(resolver, (domain.lower(),), record), 1):
        if number > _MOST_LOOKUPS:
            raise Broken(f"it takes more than {_MOST_LOOKUPS} questions to read", "Remove what no longer sends for you")
        if name in {"include", "redirect"}:
            found.add(target)
    return found


def lets_pass(term: str) -> bool:
    """Whether the term may let a server send: a mechanism without a qualifier but `+`, or a `redirect`."""
    mechanism = term.lower().partition(":")[0]
    return mechanism.startswith("redirect=") or (bool(term) and term[0] not in "-~?" and "=" not in mechanism)


def _questions(resolver: Resolver, chain: tuple[str, ...], record: str) -> Iterator[tuple[str, str]]:
    """Each term that a question must be asked for, and what it names; `chain` leads from the sender's domain here."""
    for name, target in _asking(chain[-1], record):
        yield name, target
        # A macro stands for something else in each message.
        if name not in {"include", "redirect"} or "%" in target:
            continue
        if target in chain:
            raise Broken(f"the record of {target} comes back to itself", f"Remove the {name} of {target}")
        inner = records_at(resolver, target)
        if len(inner) != 1:
            has = f"{len(inner)} SPF records" if inner else "no SPF record"
            raise Broken(
                f"the record of {chain[-1]} takes in {target}, which has {has}",
                f"Correct the {name} of {target}, or remove it",
            )
        yield from _questions(resolver, (*chain, target), inner[0])


def _asking(domain: str, record: str) -> Iterator[tuple[str, str]]:
    """The terms that cost a question, in the order of asking. Raises Broken, whichever term is wrong (section 4.6)."""
    terms = [_term(domain, text) for text in record.split(" ")[1:] if text]
    names = [name for name, _ in terms]
    for name in ("redirect", "exp"):
        if names.count(name) > 1:
            raise Broken(f"the record of {domain} has {name} more than once", f"Leave one {name}")
    # Nothing behind `all` is looked at (section 5.1), and with it, wherever it stands, no `redirect` (section 6.1).
    end = names.index("all") if "all" in names else len(names)
    yield from (term for term in terms[:end] if term[0] in _ASKING)
    if "all" not in names:
        yield from (term for term in terms if term[0] == "redirect")


def _term(domain: str, text: str) -> tuple[str, str]:
    """The name of a term, empty if it is free (section 6), and the domain that it names, if any, both in lower case.

    Raises Broken.
    """
    if found := _MODIFIER.fullmatch(text):
        name, value = found[1].lower(), found[2]
        is_sound = _is_domain(value)
        if name not in {"redirect", "exp"}:
            name, is_sound = "", _TEXT.fullmatch(_MACRO.sub("", value)) is not None
    elif found := _MECHANISM.fullmatch(text):
        name, value = found[1].lower(), found[2] or ""
        is_sound = _is_mechanism(name, *found.groups()[1:])
    else:
        is_sound = False
    if not is_sound:
        to_do = f"Correct it, or ask whoever keeps {domain} to"
        raise Broken(f"{text} in the record of {domain} is no term of SPF", to_do)
    return name, value.lower().removesuffix(".")


def _is_mechanism(name: str, value: str | None, length: str | None, long_length: str | None) -> bool:
    """Whether it is one of section 5; the lengths are those of networks, in IPv4 and IPv6 where there may be both."""
    bits, long_bits = int(length or 0), int(long_length or 0)
    is_plain = length is None and long_length is None
    match name:
        case "all":
            return value is None and is_plain
        case "include" | "exists":
            return value is not None and _is_domain(value) and is_plain
        case "ptr":
            return (value is None or _is_domain(value)) and is_plain
        case "a" | "mx":
            return (value is None or _is_domain(value)) and bits <= 32 and long_bits <= 128
        case "ip4":
            return _is_address(value, 4) and bits <= 32 and long_length is None
        case "ip6":
            return _is_address(value, 6) and bits <= 128 and long_length is None
    return False


def _is_address(text: str | None, version: int) -> bool:
    try:
        return ipaddress.ip_address(text or "").version == version
    except ValueError:
        return False


def _is_domain(text: str) -> bool:
    """Whether it is the name of a domain, or becomes one with what its macros stand for (sections 4.3 and 7.1)."""
    name = _MACRO.sub("a.a", text).removesuffix(".")
    *labels, last = name.split(".")
    are_labels = bool(labels) and all(map(_LABEL.fullmatch, (*labels, last)))
    return are_labels and len(name) <= _LONGEST_NAME and _LAST_LABEL.fullmatch(last) is not None
