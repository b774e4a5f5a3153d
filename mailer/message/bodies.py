"""The transfer encodings of a text body (RFC 2045 section 6): the lightest one that the body and the relay allow."""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp

EIGHT_BIT = b"8bit"

# RFC 5321 section 4.5.3.1.6, without the line end.
_LONGEST_LINE = 998
_BEYOND_ASCII = bytes(range(128, 256))


def encoded_body(octets: bytes, *, eight_bit: bool, boundary: bytes) -> tuple[bytes, bytes]:
    """The name of the transfer encoding and the encoded body. `octets` are UTF-8, each line ended by CRLF.

    `7bit` or, where `eight_bit` says that the relay takes it (RFC 6152), `8bit` for text whose lines are short enough;
    else the shorter one of quoted-printable and Base64. Text that holds `boundary` becomes Base64, in which nothing can
    close a part.
    """
    if boundary in octets:
        return b"base64", base64_lines(octets)
    ascii_only = octets.isascii()
    if (ascii_only or eight_bit) and b"\0" not in octets and not _has_long_line(octets):
        return (b"7bit" if ascii_only else EIGHT_BIT), octets
    # Quoted-printable takes two octets more for each that is not ASCII, Base64 a third more for all.
    if len(octets) - len(octets.translate(None, _BEYOND_ASCII)) > len(octets) // 6:
        return b"base64", base64_lines(octets)
    return b"quoted-printable", b2a_qp(octets, istext=True)


def base64_lines(octets: bytes) -> bytes:
    """`octets` in Base64, 76 characters a line, each line with its CRLF."""
    letters = b2a_base64(octets, newline=False)
    lines = [letters[start : start + 76] for start in range(0, len(letters), 76)]
    return b"\r\n".join([*lines, b""])


def _has_long_line(octets: bytes) -> bool:
    # Leaps from line end to line end, as many lines at once as the limit holds: a dozen steps for a usual body.
    start, end = 0, len(octets)
    while end - start > _LONGEST_LINE + 2:
        last = octets.rfind(b"\r\n", start, start + _LONGEST_LINE + 2)
        if last < 0:
            return True
        start = last + 2
    return False
