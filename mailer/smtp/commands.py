"""What we write to a relay: commands with the parameters that it offers, and content made safe for the wire."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from functools import lru_cache
from io import IncrementalNewlineDecoder

from mailer.model import Address, Envelope
from mailer.smtp.features import Features

FINAL_DOT = b".\r\n"
DATA = b"DATA\r\n"
RSET = b"RSET\r\n"
QUIT = b"QUIT\r\n"
STARTTLS = b"STARTTLS\r\n"

# RFC 5321 section 4.5.3.1.4, the line end included.
_MAX_COMMAND = 512
# Larger buffers are shared between messages (attachments): looked through once, not once a message.
_SHARED = 32_768

_UNSAFE_IN_PATH = re.compile(r"[\x00-\x20<>\x7f]")
_UNSAFE_IN_LINE = re.compile(r"[\x00-\x1f\x7f]")
_LF, _CR, _DOT = b"\n\r."
_CRLF_ONLY = (None, "\r\n")
# Found in a third of the time that `in` takes for a pair of octets.
_DOTTED_LINE = re.compile(rb"\n\.")
_BARE = "the message holds a CR or LF that is not part of a line end"


def line(text: str) -> bytes:
    """One command line. Raises ValueError if `text` holds a control character, which could end it early."""
    if _UNSAFE_IN_LINE.search(text):
        raise ValueError(f"a command cannot hold control characters: {text!r}")
    return text.encode() + b"\r\n"


def mail_from(envelope: Envelope, features: Features) -> bytes:
    """MAIL with what the relay offers: SIZE (RFC 1870), BODY (6152), SMTPUTF8 (6531), RET and ENVID (3461)."""
    command = f"MAIL FROM:{_path(envelope.reverse_path)}"
    if features.size is not None and envelope.size:
        command += f" SIZE={envelope.size}"
    if features.eight_bit and envelope.eight_bit:
        command += " BODY=8BITMIME"
    if features.smtputf8 and (envelope.smtputf8 or _needs_smtputf8(envelope)):
        command += " SMTPUTF8"
    if features.dsn:
        command += " RET=HDRS"
        if envelope.envelope_id:
            command += f" ENVID={xtext(envelope.envelope_id)}"
    return command.encode() + b"\r\n"


def rcpt_to(address: Address, features: Features) -> bytes:
    """RCPT; where DSN is offered, failures and delays are to be reported, successes not (RFC 3461)."""
    notify = " NOTIFY=FAILURE,DELAY" if features.dsn else ""
    return f"RCPT TO:{_path(address)}{notify}\r\n".encode()


def _needs_smtputf8(envelope: Envelope) -> bool:
    return any(path.needs_smtputf8 for path in (envelope.reverse_path, *envelope.forward_paths))


def _path(address: Address) -> str:
    path = address.ascii
    if _UNSAFE_IN_PATH.search(path):
        raise ValueError(f"not an address for an envelope: {path!r}")
    return f"<{path}>"


def xtext(text: str) -> str:
    """`text` in the encoding of RFC 3461 section 4: `+` and two hexadecimal digits for what may not stand there."""
    return "".join(chr(c) if 33 <= c <= 126 and c not in b"+=" else f"+{c:02X}" for c in text.encode())


def auth(method: str, response: bytes) -> Sequence[bytes]:
    """The lines of a login whose only `response` may go with the command (RFC 4954 section 4).

    Two lines, to be sent one after the other, where the command would be longer than a command may be.
    """
    encoded = base64.b64encode(response)
    command = f"AUTH {method}".encode()
    if len(command) + 1 + len(encoded) + 2 <= _MAX_COMMAND:
        return (command + b" " + encoded + b"\r\n",)
    return (command + b"\r\n", encoded + b"\r\n")


def stuffed(content: Sequence[bytes]) -> list[bytes]:
    """The content as it goes behind DATA, without the final dot: lines that begin with a dot get a second one, and the
    last line an end (RFC 5321 section 4.5.2). The buffers are looked at together, never joined.

    Raises ValueError on a CR or LF that stands alone: servers that take one for a line end could be made to see the
    end of the message, and further commands, inside it ("SMTP smuggling").
    """
    wire: list[bytes] = []
    last = _LF
    for buffer in content:
        if not buffer:
            continue
        if (last == _CR) != (buffer[0] == _LF):
            raise ValueError(_BARE)
        if last == _LF and buffer[0] == _DOT:
            wire.append(b".")
        wire.append(_stuffed_shared(buffer) if len(buffer) >= _SHARED else _stuffed(buffer))
        last = buffer[-1]
    if last == _CR:
        raise ValueError(_BARE)
    if last != _LF:
        wire.append(b"\r\n")
    return wire


def _stuffed(buffer: bytes) -> bytes:
    # One pass in C that notes which line ends it meets: a third of what counting and searching them costs. A CR at the
    # end is left open by it, and an LF at the beginning belongs to the buffer before, as `stuffed` has made sure.
    seen = IncrementalNewlineDecoder(None, translate=False)
    seen.decode(buffer.decode("latin-1").removeprefix("\n"))
    if seen.newlines not in _CRLF_ONLY:
        raise ValueError(_BARE)
    return buffer.replace(b"\n.", b"\n..") if _DOTTED_LINE.search(buffer) else buffer


_stuffed_shared = lru_cache(maxsize=4)(_stuffed)
