"""What a relay offers, as its answer to EHLO says (RFC 5321 section 4.1.1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from mailer.model import Reply

# RFC 1870 section 3: no message could be declared that has a size of more digits.
_LIMIT = re.compile(r"[0-9]{1,20}")
# RFC 9422 section 4.
_MOST_RECIPIENTS = re.compile(r"RCPTMAX=([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Features:
    """The extensions that we use; none before EHLO and on servers that know HELO only.

    `size` is the largest message in octets (RFC 1870), 0 where the relay states no limit, None where SIZE is not
    offered. `auth` holds the names of login methods in upper case (RFC 4954). `most_recipients` is what one message may
    have (RFC 9422), None where nothing is said of it.
    """

    size: int | None = None
    eight_bit: bool = False
    smtputf8: bool = False
    pipelining: bool = False
    dsn: bool = False
    starttls: bool = False
    auth: frozenset[str] = frozenset()
    most_recipients: int | None = None

    @classmethod
    def from_ehlo(cls, reply: Reply) -> Self:
        """What the lines after the first say; unknown keywords and unreadable values are passed over."""
        offered: dict[str, set[str]] = {}
        for line in reply.lines[1:]:
            # Old servers write `AUTH=LOGIN`.
            keyword, *values = re.sub(r"^(\w+)=", r"\1 ", line.upper()).split() or [""]
            offered.setdefault(keyword, set()).update(values)
        limits = [int(value) for value in offered.get("SIZE", ()) if _LIMIT.fullmatch(value)]
        most = [int(found[1]) for value in offered.get("LIMITS", ()) if (found := _MOST_RECIPIENTS.fullmatch(value))]
        return cls(
            size=max(limits, default=0) if "SIZE" in offered else None,
            eight_bit="8BITMIME" in offered,
            # Nothing that asks for it can go without the other (RFC 6531 section 3.1).
            smtputf8={"SMTPUTF8", "8BITMIME"} <= offered.keys(),
            pipelining="PIPELINING" in offered,
            dsn="DSN" in offered,
            starttls="STARTTLS" in offered,
            auth=frozenset(offered.get("AUTH", ())),
            most_recipients=min(most, default=None),
        )


# For messages that are looked at and not sent.
CARRIES_ALL = Features(eight_bit=True, smtputf8=True)
