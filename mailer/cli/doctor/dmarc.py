"""Where the DMARC policy for a domain stands: the tree walk of DMARCbis (RFC 9989, draft-ietf-dmarc-dmarcbis)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mailer.cli.doctor.resolver import tags, texts

if TYPE_CHECKING:
    from dns.resolver import Resolver

# Section 4.10: a longer name is shortened to so many labels after the first question.
_MOST_LABELS = 7

# Section 4.7: what a policy that is only tested (t=y) asks for.
_TESTED = {"quarantine": "none", "reject": "quarantine"}

# Place -> the records there, from the domain itself upwards; places without any are left out.
Walk = Mapping[str, list[str]]


def walk(resolver: Resolver, domain: str) -> Walk:
    """The DMARC records that are met on the way up from `domain`, by section 4.10. Raises Silent.

    RFC 7489, which this replaced, knew the domain itself and its organisational domain by a list of public suffixes.
    Receivers that still go by that list pass over a policy that stands between the two.
    """
    found: dict[str, list[str]] = {}
    for place in _places(domain):
        records = [text for text in texts(resolver, f"_dmarc.{place}") if _is_ours(text)]
        if records:
            found[place] = records
        if len(records) == 1 and _suffix(records[0]) in {"y", "n"}:
            break
    return found


def spoilt(resolver: Resolver, domain: str) -> str | None:
    """The first record on that way that was meant for one of DMARC and does not begin as one. Raises Silent."""
    for place in _places(domain):
        for text in texts(resolver, f"_dmarc.{place}"):
            if "dmarc" in text.lower() and not _is_ours(text):
                return f"{text} at _dmarc.{place}"
    return None


def _places(domain: str) -> Iterator[str]:
    yield domain
    labels = domain.split(".")[1:][-_MOST_LABELS:]
    for start in range(len(labels)):
        yield ".".join(labels[start:])


def _is_ours(text: str) -> bool:
    return tags(text.partition(";")[0]) == {"v": "DMARC1"}


def _suffix(record: str) -> str:
    """Whether the place is a public suffix: y or n; anything else says nothing."""
    return tags(record).get("psd", "").lower()


def organisation(domain: str, met: Walk) -> str:
    """The organisational domain of `domain`, from its walk, by section 4.10.2."""
    alone = _alone(met)
    for place, record in alone.items():
        if _suffix(record) == "n":
            return place
        if _suffix(record) == "y" and place != domain:
            return ".".join(domain.split(".")[-place.count(".") - 2 :])
    return next(reversed(alone), domain)


def policy(domain: str, met: Walk) -> tuple[str, str]:
    """Where the policy for `domain` stands, and the record, by section 4.10.1; an empty one where there is none."""
    alone = _alone(met)
    for place in (domain, organisation(domain, met), *reversed(alone)):
        if place in alone:
            return place, alone[place]
    return domain, ""


def requested(domain: str, place: str, record: str) -> str:
    """What the record at `place` wants done, in lower case, with what `domain` does not prove; empty if nothing."""
    said = tags(record)
    wanted = (said.get("sp", "") if place != domain else "").lower() or said.get("p", "").lower()
    return _TESTED.get(wanted, wanted) if said.get("t", "").lower() == "y" else wanted


def _alone(met: Walk) -> dict[str, str]:
    """The records that count: several at one place are as none."""
    return {place: records[0] for place, records in met.items() if len(records) == 1}
