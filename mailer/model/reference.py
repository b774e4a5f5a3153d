"""The reference that ties an answer to its invitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Reference:
    """What ties an answer to its invitation: nine signs and a check sign, printed in two groups (`7KQ4M-P2XDA`).

    The 31 signs leave out 0, O, 1, I and L. As 31 is prime, the weighted sum finds every single wrong sign and every
    exchange of two (as ISBN-10 does with 11), so a mistyped reference is never taken for another's.
    """

    signs: str

    ALPHABET: ClassVar[str] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

    @classmethod
    def from_digest(cls, digest: bytes) -> Self:
        """The reference that stands for `digest`, of at least eight octets; equal digests give equal references."""
        number, base = int.from_bytes(digest[:8], "big"), len(cls.ALPHABET)
        digits = []
        for _ in range(9):
            number, digit = divmod(number, base)
            digits.append(digit)
        digits.append(cls._check_digit(digits))
        return cls("".join([cls.ALPHABET[digit] for digit in digits]))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference as typed, in any case, with or without hyphen and spaces. Raises ValueError if mistyped."""
        signs = "".join(c for c in text.upper() if c not in "-‐‑–—" and not c.isspace())
        digits = [cls.ALPHABET.find(c) for c in signs]
        if len(signs) != 10 or -1 in digits or cls._check_digit(digits[:9]) != digits[9]:
            raise ValueError(f"{text!r} is not a reference of ours: it is mistyped or comes from elsewhere")
        return cls(signs)

    @classmethod
    def _check_digit(cls, digits: Sequence[int]) -> int:
        weighted: int = sum(map(mul, digits, range(2, 11)))
        return -weighted % len(cls.ALPHABET)

    def __str__(self) -> str:
        return f"{self.signs[:5]}-{self.signs[5:]}"
