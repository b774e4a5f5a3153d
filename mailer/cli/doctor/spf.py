"""An SPF record as receivers read it (RFC 7208): what is taken in by it, or why it is broken for all of them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.cli.doctor.resolver import ask, texts

if TYPE_CHECKING:
    from dns.resolver import Resolver

# Section 4.6.4: a receiver that would have to ask more often takes the record for broken, and is advised to do so where
# more questions than that lead to nothing.
_MOST_LOOKUPS, _MOST_VOIDS = 10, 2
_ASKING = {"include", "a", "mx", "ptr", "exists", "redirect"}
_KINDS_OF = {"a": ("A", "AAAA"), "mx": ("MX",), "exists": ("A",)}

_MEANT = re.compile(r"v\s*=\s*spf", re.IGNORECASE)
_MECHANISM = re.compile(r"([-+~?]?)([a-z]\w*)(?::(.*?))?(?:/(\d{1,3}))?(?://(\d{1,3}))?", re.ASCII | re.IGNORECASE)
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
    return [text for text in texts(resolver, domain) if _is_record(text)]


def _is_record(text: str) -> bool:
    return text.lower().split(" ")[0] == "v=spf1"


def spoilt_at(resolver: Resolver, domain: str) -> str | None:
    """The first record that was meant for one of SPF and does not begin as one, such as one within quotes."""
    return next((text for text in texts(resolver, domain) if _MEANT.search(text) and not _is_record(text)), None)


@dataclass(frozen=True, slots=True)
class Term:
    """One term as it stands in the record of `domain`; `name` is empty where nothing hangs on it.

    `target` is what it names behind its colon or equals sign, in lower case; `lets_pass`: the servers that match it may
    send; `is_everybody`: all of IPv4 or of IPv6 does.
    """

    text: str
    domain: str
    name: str
    target: str = ""
    lets_pass: bool = False
    is_everybody: bool = False

    @property
    def takes_in(self) -> bool:
        """Whether the record of `target` is read in its place. A macro stands for something else in each message."""
        return self.name in {"include", "redirect"} and "%" not in self.target


def passing(resolver: Resolver, domain: str, record: str) -> list[Term]:
    """The terms by which servers may send, of the `record` of `domain` and of all that it takes in for them.

    All is followed that any receiver may come to; what depends on the message is not: macros, and how many addresses
    the names of `a`, `mx`, `ptr` and `exists` have. Raises Broken, and Silent where something cannot be asked for.
    """
    found, lookups, voids = [], 0, []
    for term, lets_pass in _terms(resolver, (domain.lower(),), record, lets_pass=True):
        if lets_pass:
            found.append(term)
        if term.name not in _ASKING:
            continue
        lookups += 1
        if lookups > _MOST_LOOKUPS:
            raise Broken(f"it takes more than {_MOST_LOOKUPS} questions to read", "Remove what no longer sends for you")
        if _leads_to_nothing(resolver, term):
            voids.append(f"{term.text} in the record of {term.domain}")
        if len(voids) > _MOST_VOIDS:
            raise Broken(f"too many of its names are not there: {', '.join(voids)}", "Remove those")
    return found


def _leads_to_nothing(resolver: Resolver, term: Term) -> bool:
    """Whether it is in vain for every receiver that the name of `a`, `mx` or `exists` is asked for."""
    kinds = _KINDS_OF.get(term.name, ())
    return bool(kinds) and "%" not in term.target and not any(ask(resolver, term.target, kind) for kind in kinds)


def _terms(resolver: Resolver, chain: tuple[str, ...], record: str, *, lets_pass: bool) -> Iterator[tuple[Term, bool]]:
    """Each term that counts and whether it lets pass in the end; `chain` leads from the sender's domain here."""
    for term in _counting(chain[-1], record):
        passes = lets_pass and term.lets_pass
        yield term, passes
        if not term.takes_in:
            continue
        target = term.target
        if target in chain:
            raise Broken(f"the record of {target} comes back to itself", f"Remove the {term.name} of {target}")
        inner = records_at(resolver, target)
        if len(inner) != 1:
            has = f"{len(inner)} SPF records" if inner else "no SPF record"
            raise Broken(
                f"the record of {chain[-1]} takes in {target}, which has {has}",
                f"Correct the {term.name} of {target}, or remove it",
            )
        yield from _terms(resolver, (*chain, target), inner[0], lets_pass=passes)


def _counting(domain: str, record: str) -> Iterator[Term]:
    """The terms that are looked at, in their order. Raises Broken, whichever term is wrong (section 4.6)."""
    terms = [_term(domain, text) for text in record.split(" ")[1:] if text]
    names = [term.name for term in terms]
    for name in ("redirect", "exp"):
        if names.count(name) > 1:
            raise Broken(f"the record of {domain} has {name} more than once", f"Leave one {name}")
    # Nothing behind `all` is looked at (section 5.1), and with it, wherever it stands, no `redirect` (section 6.1).
    end = names.index("all") + 1 if "all" in names else len(names)
    yield from (term for term in terms[:end] if term.name not in {"redirect", "exp", ""})
    if "all" not in names:
        yield from (term for term in terms if term.name == "redirect")


def _term(domain: str, text: str) -> Term:
    """The term, read. Raises Broken where it is none."""
    term = None
    if found := _MODIFIER.fullmatch(text):
        name, value = found[1].lower(), found[2]
        if name in {"redirect", "exp"}:
            if _is_domain(value):
                term = Term(text, domain, name, value.lower().removesuffix("."), name == "redirect")
        elif _TEXT.fullmatch(_MACRO.sub("", value)):  # section 6: any other is free
            term = Term(text, domain, "")
    elif (found := _MECHANISM.fullmatch(text)) and _is_mechanism(found[2].lower(), *found.groups()[2:]):
        name, target = found[2].lower(), (found[3] or domain).lower().removesuffix(".")
        is_everybody = name == "all" or any(length and not int(length) for length in found.groups()[3:])
        term = Term(text, domain, name, target, found[1] in {"", "+"}, is_everybody)
    if term is None:
        to_do = f"Correct it, or ask whoever keeps {domain} to"
        raise Broken(f"{text} in the record of {domain} is no term of SPF", to_do)
    return term


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
