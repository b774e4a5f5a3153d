"""Whether a receiver can use a DKIM key as it is published (RFC 6376 section 3.6.1, RFC 8301, RFC 8463)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping

# RFC 8301 section 3.2: whoever checks must not take a shorter one.
_LEAST_BITS = 1024
_ED25519_OCTETS = 32
# Tags of DER.
_INTEGER, _BIT_STRING, _SEQUENCE = 0x02, 0x03, 0x30


def fault(key: Mapping[str, str]) -> str | None:
    """Why signatures by the key, given by its tags, count for nothing; None where they count. `p` is not empty."""
    version, kind = key.get("v", "DKIM1"), key.get("k", "rsa").lower()
    if version != "DKIM1" or ("v" in key and next(iter(key)) != "v"):
        return "the record does not begin with v=DKIM1"
    if not {"*", "email"} & _words(key.get("s", "*")):
        return "it is not meant for mail (s=)"
    if "sha256" not in _words(key.get("h", "sha256")):
        return "it asks for a hash that no longer counts (h=)"
    try:
        letters = "".join(key["p"].split()).rstrip("=")
        octets = b64decode(letters + "=" * (-len(letters) % 4), validate=True)
        if kind == "rsa":
            bits = _bits(octets)
            return f"it has {bits} bits, and receivers want {_LEAST_BITS}" if bits < _LEAST_BITS else None
        whole = kind != "ed25519" or len(octets) == _ED25519_OCTETS
    except (binascii.Error, ValueError):
        whole = False
    return None if whole else "it is damaged or cut off"


def _words(tag: str) -> set[str]:
    return {word.strip().lower() for word in tag.split(":")}


def _bits(octets: bytes) -> int:
    """The length of an RSA key, which stands alone or in its usual wrapping. Raises ValueError where that is no key."""
    inner, rest = _element(octets, _SEQUENCE)
    if rest:
        raise ValueError
    if inner[:1] == bytes([_SEQUENCE]):
        _, wrapped = _element(inner, _SEQUENCE)
        string, _ = _element(wrapped, _BIT_STRING)
        inner, _ = _element(string[1:], _SEQUENCE)
    modulus, _ = _element(inner, _INTEGER)
    return int.from_bytes(modulus).bit_length()


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the first element, which must be of that tag, and what follows it. Raises ValueError."""
    if len(octets) < 2 or octets[0] != tag:
        raise ValueError
    start, length = 2, octets[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(octets[2:start])
    if len(octets) < start + length:
        raise ValueError
    return octets[start : start + length], octets[start + length :]
