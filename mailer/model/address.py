"""An e-mail address and a mailbox, and how texts are folded to be compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from mailer.model.frozen import frozen

# The local parts of nearly every real address; anything else goes to the library whole.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")

# Control characters, line and paragraph separators, halves of characters: what no header may hold.
_UNSAFE = frozenset({"Cc", "Zl", "Zp", "Cs"})

_WORDS = re.compile(r"(?:[^\W_]|')+")


def fold(text: str) -> str:
    """`text` for comparing: NFKC, accents and case folded, apostrophes straight, all else that is no letter a blank."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'").replace("`", "'"))
    letters = decomposed if decomposed.isascii() else "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(letters.casefold()))


def _validated(text: str) -> ValidatedEmail:
    try:
        return validate_email(text, check_deliverability=False)
    except EmailNotValidError as exc:
        raise ValueError(str(exc)) from None


@lru_cache(maxsize=65_536)
def _domain(domain: str) -> str:
    return _validated(f"a@{domain}").domain


@frozen
class Address:
    """One e-mail address, `local@domain` (RFC 5321 section 4.1.2), validated when it is made by `parse`.

    `local` is kept as typed: only its own server may say whether case matters. `domain` is in lower case and, where
    it is internationalised, in Unicode (U-labels, RFC 5890).
    """

    local: str
    domain: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The address that `text` is, white space around it ignored. Raises ValueError with a reason for people."""
        text = text.strip()
        local, at, domain = text.rpartition("@")
        if at and len(local) <= 64 and len(text) <= 254 and _PLAIN_LOCAL.fullmatch(local):
            return cls(local, _domain(domain))
        checked = _validated(text)
        return cls(checked.local_part, checked.domain)

    @property
    def key(self) -> str:
        """What makes two addresses the same one for us: the whole in lower case (no server in use tells them apart)."""
        return str(self).casefold()

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a relay that offers SMTPUTF8 (RFC 6531) can carry it: a non-ASCII local part."""
        return not self.local.isascii()

    @property
    def ascii(self) -> str:
        """The address for the wire, its domain as A-labels; the local part as it is (see `needs_smtputf8`)."""
        return f"{self.local}@{self.ascii_domain}"

    @property
    def ascii_domain(self) -> str:
        """The domain as A-labels (RFC 5890), as DNS and Message-IDs have it."""
        return self.domain if self.domain.isascii() else _validated(f"a@{self.domain}").ascii_domain

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, which may be empty, and an address (RFC 5322 section 3.4). Raises ValueError on line breaks."""

    address: Address
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name.isprintable() and any(unicodedata.category(c) in _UNSAFE for c in self.name):
            raise ValueError("a display name cannot hold line breaks or control characters")
