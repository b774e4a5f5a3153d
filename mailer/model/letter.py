"""What travels: a letter, its envelope, and what a server replies."""

from __future__ import annotations

from typing import Self

from mailer.model.address import Address
from mailer.model.frozen import frozen


@frozen
class Form:
    """How a contact is addressed: the salutation line, and the name as on an envelope (also the To display name)."""

    salutation: str
    address_name: str


@frozen
class Letter:
    """One message as its reader sees it, the bodies as they travel: in UTF-8, each line ended by CRLF.

    The HTML is a whole document; `language` is a two-letter code.
    """

    subject: str
    text_octets: bytes
    html_octets: bytes
    language: str

    @classmethod
    def of(cls, subject: str, text: str, html: str, language: str) -> Self:
        """The letter of two texts whose lines may end in any way. Raises ValueError on halves of characters."""
        return cls(subject, _on_wire(text), _on_wire(html), language)

    @property
    def text(self) -> str:
        return self.text_octets.replace(b"\r\n", b"\n").decode()

    @property
    def html(self) -> str:
        return self.html_octets.replace(b"\r\n", b"\n").decode()


def _on_wire(text: str) -> bytes:
    octets = text.encode()
    if b"\r" in octets:
        octets = b"\n".join([*octets.splitlines(), b""])
    return (octets if octets.endswith(b"\n") else octets + b"\n").replace(b"\n", b"\r\n")


@frozen
class Envelope:
    """What the relay is told (RFC 5321 section 2.3.1), apart from any header.

    `forward_paths` begins with the addressee; the rest are the Cc of the same party. `envelope_id` is returned in a DSN
    where the relay offers that (RFC 3461). `size` is the content's octets.
    """

    reverse_path: Address
    forward_paths: tuple[Address, ...]
    envelope_id: str | None = None
    size: int = 0
    eight_bit: bool = False
    smtputf8: bool = False

    def __post_init__(self) -> None:
        if not self.forward_paths:
            raise ValueError("an envelope has at least one recipient")


@frozen
class Reply:
    """What a server said: basic code (RFC 5321 section 4.2), enhanced status code (RFC 3463) or None, lines verbatim.

    `lines` are without code and line end but with the enhanced status code, as they came.
    """

    code: int
    enhanced_status: str | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The relay's words as one line, code first: `550 5.1.1 No such user`."""
        return f"{self.code} {' '.join(self.lines)}".rstrip()
