"""The header lines of one message: the sender's fixed ones and the recipient's own, encoded, folded, safe.

Two rules make a line in a few microseconds. Printable ASCII stands as it is, names in quotes; all else is whole
encoded-words (RFC 2047), in which no sign has a meaning. A value with a control character is refused.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime, quote
from functools import lru_cache
from urllib.parse import quote as percent_encoded

from mailer.model import Address, Letter, Mailbox

PLACEHOLDER = "{reference}"

# RFC 2047 section 2 allows lines with encoded-words 76 characters, RFC 5322 section 2.1.1 advises 78 for any.
_LINE = 76
# 39 octets are 52 in Base64 and 64 as an encoded-word, which still fits behind "Subject: ".
_WORD_OCTETS = 39
_QUOTED = _LINE - len("Reply-To: ")

# Single blanks only, as parsers collapse runs of them; no word that a reader would take for an encoded one.
_PLAIN = re.compile(r"(?!.*=\?)[!-~]{1,200}(?: [!-~]{1,200})*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_PIECES = re.compile(r"[^ ]* |[^ ]+")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,400}@[!-;=?A-~]{1,400}>")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,20}")
_HTTPS_URL = re.compile(r"https://[!-;=?-~]{1,400}")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mailing comes from, and where what returns is to go.

    `return_path` is the envelope's reverse path, in which `{reference}` stands for the recipient's reference; None
    means the From address. `unsubscribe_to` gets the requests of `List-Unsubscribe` (RFC 2369); None means the
    Reply-To address. `unsubscribe_url` is an https address with `{reference}` that takes one-click requests (RFC 8058),
    or None. Raises ValueError with a reason for people.
    """

    from_: Mailbox
    reply_to: Mailbox
    return_path: str | None = None
    unsubscribe_to: Address | None = None
    unsubscribe_url: str | None = None

    def __post_init__(self) -> None:
        self.reverse_path("7KQ4M-P2XDA")  # a return path that no reference fits in is told now, not at each message
        url = self.unsubscribe_url
        if url is not None and not (_HTTPS_URL.fullmatch(url) and PLACEHOLDER in url):
            raise ValueError(f"the unsubscribe address {url!r} must begin with https:// and hold {PLACEHOLDER}")

    @property
    def header_addresses(self) -> tuple[Address, Address]:
        """The addresses of From and Reply-To."""
        return self.from_.address, self.reply_to.address

    def reverse_path(self, reference: str) -> Address:
        """Where bounces of the message with this reference return (MAIL FROM)."""
        if self.return_path is None:
            return self.from_.address
        return Address.parse(self.return_path.replace(PLACEHOLDER, reference))


def sender_lines(sender: Sender) -> tuple[str, ...]:
    """From and Reply-To, the same in every message."""
    return (
        _folded(f"From: {_mailbox('the From name', sender.from_)}"),
        _folded(f"Reply-To: {_mailbox('the Reply-To name', sender.reply_to)}"),
    )


def unsubscribe_lines(sender: Sender) -> tuple[str, ...]:
    """List-Unsubscribe, and List-Unsubscribe-Post where there is a one-click address; `{reference}` is left in them."""
    address = percent_encoded((sender.unsubscribe_to or sender.reply_to.address).ascii, safe="@")
    mailto = f"<mailto:{address}?subject=unsubscribe%20{PLACEHOLDER}>"
    if sender.unsubscribe_url is None:
        return (_folded(f"List-Unsubscribe: {mailto}"),)
    return (
        _folded(f"List-Unsubscribe: <{sender.unsubscribe_url}>, {mailto}"),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    )


def personal_lines(
    letter: Letter, *, to: Mailbox, cc: Sequence[Address], message_id: str, date: datetime, in_reply_to: str | None
) -> list[str]:
    """The lines that are the recipient's own, without line ends. Raises ValueError for a value no header may hold."""
    offset = date.utcoffset()
    if offset is None:
        raise ValueError("the date of a message needs a zone")
    lines = [_folded(f"To: {_mailbox('the name of the addressee', to)}")]
    if cc:
        lines.append(_folded(f"Cc: {', '.join(address.ascii for address in cc)}"))
    lines += (
        _subject(letter.subject),
        _date(date.replace(microsecond=0), offset),
        f"Message-ID: {_checked(_MESSAGE_ID, message_id, 'Message-ID')}",
        f"Content-Language: {_checked(_LANGUAGE, letter.language, 'language code')}",
    )
    if in_reply_to is not None:
        thread = _checked(_MESSAGE_ID, in_reply_to, "Message-ID")
        lines += (f"In-Reply-To: {thread}", f"References: {thread}")
    return lines


def checked_reference(reference: str) -> str:
    """`reference`, fit for URLs, the local part of an address and ENVID as it is. Raises ValueError if it is not."""
    return _checked(_REFERENCE, reference, "reference")


@lru_cache(maxsize=16)
def _date(second: datetime, offset: timedelta) -> str:  # noqa: ARG001  # one moment has a spelling in each zone
    return f"Date: {format_datetime(second)}"


@lru_cache(maxsize=256)
def _subject(text: str) -> str:
    plain = not text or _PLAIN.fullmatch(text)
    return _folded(f"Subject: {text if plain else _encoded_words('the subject', text)}")


def _mailbox(what: str, mailbox: Mailbox) -> str:
    """`Name <address>` (RFC 5322 section 3.4), the name as words, in quotes, or encoded, so that no comma of it counts.

    Quoted names are short enough never to be broken: RFC 5322 allows that, but readers take the rest for addresses.
    """
    name, address = mailbox.name, mailbox.address.ascii
    if not name:
        return address
    if _PLAIN.fullmatch(name):
        if _ATOMS.fullmatch(name):
            return f"{name} <{address}>"
        quoted = f'"{quote(name)}"'
        if len(quoted) <= _QUOTED:
            return f"{quoted} <{address}>"
    return f"{_encoded_words(what, name)} <{address}>"


def _encoded_words(what: str, text: str) -> str:
    """`text` as encoded-words that split no character (RFC 2047 section 5). Raises ValueError on control characters."""
    if _UNSAFE.search(text):
        raise ValueError(f"{what} cannot hold line breaks or control characters: {text!r}")
    # Broken after blanks where that can be: some readers, the standard library's of Python 3.11 among them, show the
    # gap between two encoded-words of a name, and a blank too many is better than a torn word.
    chunks = [b""]
    for piece in _PIECES.findall(text):
        for unit in [piece] if len(piece.encode()) <= _WORD_OCTETS else piece:
            octets = unit.encode()
            if len(chunks[-1]) + len(octets) > _WORD_OCTETS:
                chunks.append(b"")
            chunks[-1] += octets
    return " ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in chunks)


def _folded(line: str) -> str:
    """`line` broken before blanks (RFC 5322 section 2.2.3), to stay within `_LINE` characters where its words can.

    Never right after the header's name: behind an empty first line some readers keep the blank as part of the value.
    """
    lines = []
    start = line.index(" ") + 1
    while len(line) > _LINE:
        cut = line.rfind(" ", start, _LINE + 1)
        if cut < 0:
            cut = line.find(" ", max(start, _LINE + 1))
        if cut < 0:
            break
        lines.append(line[:cut])
        line = line[cut:]
        start = 1
    return "\r\n".join((*lines, line))


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is not a {what}")
    return value
