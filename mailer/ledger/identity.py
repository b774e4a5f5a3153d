"""Names that the ledger derives from its secret: stable across runs, unique, and telling nothing about the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from mailer.model import Address, Reference


@dataclass(frozen=True, slots=True)
class Identity:
    """Keyed digests (BLAKE2b, RFC 7693) under the 32 octets of the ledger's secret, one kind apart from the other."""

    secret: bytes = field(repr=False)

    def _digest(self, kind: bytes, *parts: str) -> bytes:
        # 96 bits: no two of a million recipients will ever share one, and rows and headers stay short.
        return blake2b("\0".join(parts).encode(), key=self.secret, digest_size=12, person=kind).digest()

    def of(self, address: Address) -> bytes:
        """What stands for the address in keys and in suppressions: equal for all spellings of one address."""
        return self._digest(b"address", address.key)

    def of_answer(self, fingerprint: str) -> bytes:
        """What stands for an answer, so that it is known when it comes again."""
        return self._digest(b"answer", fingerprint)

    def message_id(self, event: str, mailing: str, address: Address, domain: str) -> str:
        """`<digest@domain>` (RFC 5322 section 3.6.4), the same each time it is asked for."""
        return f"<{self._digest(b'message-id', event, mailing, address.key).hex()}@{domain}>"

    def reference(self, event: str, address: Address, turn: int = 0) -> str:
        """The printed reference of the address in the event; `turn` grows where an earlier one is another's."""
        return str(Reference.from_digest(self._digest(b"reference", event, address.key, str(turn))))
