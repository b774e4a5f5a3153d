"""Files as attachments: found, measured, typed and read, with a reason for people where that cannot be done."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailer.model import CALENDAR_FILE

# Octets of all attachments of a message in Base64. Usual relays and mailboxes end at 25 MB for the whole message.
ATTACHMENTS_LIMIT = 20_000_000

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
# What staff attach and the standard library's own table lacks.
_MORE_TYPES = {
    ".ics": "text/calendar",
    ".webp": "image/webp",
    ".docx": f"{_OPEN_XML}wordprocessingml.document",
    ".pptx": f"{_OPEN_XML}presentationml.presentation",
    ".xlsx": f"{_OPEN_XML}spreadsheetml.sheet",
}
_UNKNOWN = "application/octet-stream"
_METHOD = re.compile(rb"^METHOD:([A-Z-]+)\r?$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file's content with the name and type it travels under."""

    name: str
    octets: bytes
    content_type: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def file_size(path: Path) -> int:
    """Octets of the file. Raises ValueError with a reason if it is missing, closed to us, empty, no file, ill named."""
    if not path.name.isprintable():
        raise ValueError(f"the name {path.name!r} holds line breaks or other signs that cannot be printed")
    try:
        if not path.exists():
            raise ValueError("there is no such file")
        if not path.is_file():
            raise ValueError("that is not a file")
        with path.open("rb"):  # to learn now, and not while it is sent, whether it may be read
            size = path.stat().st_size
    except OSError as exc:
        raise ValueError(f"the file cannot be read: {exc.strerror or exc}") from None
    if size == 0:
        raise ValueError("the file is empty")
    return size


def encoded_size(size: int) -> int:
    """Octets that a file of `size` octets takes in a message: Base64, 76 characters and a CRLF a line."""
    return -(-size // 3) * 4 + -(-size // 57) * 2


def read_attachment(path: Path) -> Attachment:
    """The file as an attachment. Raises ValueError with a reason if it cannot be read."""
    file_size(path)
    try:
        octets = path.read_bytes()
    except OSError as exc:
        raise ValueError(f"the file cannot be read: {exc.strerror or exc}") from None
    content_type, parameters = _content_type(path, octets)
    return Attachment(path.name, octets, content_type, parameters)


def calendar_attachment(calendar: bytes) -> Attachment:
    """The calendar file of a mailing."""
    if not (method := _method(calendar)):
        raise ValueError("the calendar file has no METHOD")
    return Attachment(CALENDAR_FILE, calendar, "text/calendar", {**method, "charset": "utf-8"})


def _method(calendar: bytes) -> dict[str, str]:
    """The parameter of a calendar's type that must be equal to the METHOD inside, if any (RFC 6047 section 2.4)."""
    found = _METHOD.search(calendar)
    return {"method": found[1].decode()} if found else {}


def _content_type(path: Path, octets: bytes) -> tuple[str, dict[str, str]]:
    guess, compression = mimetypes.guess_type(path.name)
    guess = guess or _MORE_TYPES.get(path.suffix.lower(), _UNKNOWN)
    # Base64 is not allowed for messages and multiparts (RFC 2046 section 5).
    if compression or guess.startswith(("message/", "multipart/")):
        return _UNKNOWN, {}
    if guess.startswith("text/"):
        # A text whose charset we do not know is best opened by whatever wrote it.
        method = _method(octets) if guess == "text/calendar" else {}
        return (guess, {**method, "charset": "utf-8"}) if _is_utf8(octets) else (_UNKNOWN, {})
    return guess, {}


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
