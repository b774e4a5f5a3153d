"""The messages of one mailing: what they share is read and encoded once, what is personal is put between."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from mailer.errors import InputRefused, Problem
from mailer.message.attachments import (
    ATTACHMENTS_LIMIT,
    Attachment,
    calendar_attachment,
    encoded_size,
    file_size,
    read_attachment,
)
from mailer.message.bodies import EIGHT_BIT, encoded_body
from mailer.message.frame import Frame, build_frame, personal_part
from mailer.message.headers import (
    PLACEHOLDER,
    Sender,
    checked_reference,
    personal_lines,
    sender_lines,
    unsubscribe_lines,
)
from mailer.model import Address, Envelope, Letter, Mailbox

_CONTENT_ID = re.compile(r"[A-Za-z0-9._-]+(?:@[A-Za-z0-9.-]+)?")


class Composer:
    """Makes the messages of one mailing.

    `images` are (content id, file) for `cid:` links in the HTML; `calendar` is a calendar file's content, which travels
    as `invite.ics`; `random` gives that many random octets as hexadecimal digits, for boundaries that no contact's text
    can foresee. `shared_size` are the octets of all files together in Base64. Raises InputRefused, with every problem
    at once, if a file is missing, empty or cannot be read, or if they take more than `ATTACHMENTS_LIMIT`.

    Parts are arranged as mixed(alternative(text, related(HTML, images)), attachments), without a container that would
    hold one part only. Images inside the alternative belong to the HTML alone, so that readers of the text see no stray
    logo among the attachments; attachments outside of it are listed by every client, whichever body it shows.
    """

    def __init__(
        self,
        sender: Sender,
        attachments: Sequence[Path] = (),
        images: Sequence[tuple[str, Path]] = (),
        calendar: bytes | None = None,
        *,
        random: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        own_size = encoded_size(len(calendar or b""))
        files, size = _read([*attachments, *(path for _, path in images)], own_size)
        common = [*files[: len(attachments)], *([calendar_attachment(calendar)] if calendar else [])]
        inline = [(_content_id(cid), file) for (cid, _), file in zip(images, files[len(attachments) :], strict=True)]
        self._sender = sender
        self._sender_lines = sender_lines(sender)
        self._unsubscribe_lines = unsubscribe_lines(sender)
        self.shared_size = size
        self._token = random(16)
        self._mixed = build_frame(self._token, inline, common, mixed=True)
        self._plain = self._mixed if common else build_frame(self._token, inline, common, mixed=False)
        # Neighbouring rows often name the same file; a file for each row must not fill the memory.
        self._personal_part = lru_cache(maxsize=4)(self._encode_personal)

    def compose(
        self,
        letter: Letter,
        *,
        to: Mailbox,
        cc: Sequence[Address] = (),
        message_id: str,
        date: datetime,
        reference: str,
        in_reply_to: str | None = None,
        eight_bit: bool,
        smtputf8: bool,
        attachment: Path | None = None,
    ) -> tuple[Envelope, tuple[bytes, ...]]:
        """The envelope, and the content as buffers to be written one after the other.

        `message_id` and `in_reply_to` are with their angle brackets; `date` is aware; `reference` becomes the envelope
        id; `eight_bit` and `smtputf8` say whether the relay offers 8BITMIME and SMTPUTF8; `attachment` is the
        recipient's own file. A Cc that the relay cannot carry stands in the envelope alone, where the relay's dialogue
        leaves it out and says so: for it, the message must not become one that the relay cannot carry. Every buffer
        ends with CRLF, no line has more than 998 octets and dots are not doubled; only in the first can a line begin
        with one. All buffers but the first and the one of `attachment` are the same objects in every message. Raises
        ValueError, with a reason, for a value that no header may hold and for an attachment as `check_attachment` does.
        """
        named = [address for address in cc if smtputf8 or not address.needs_smtputf8]
        reverse_path = self._sender.reverse_path(checked_reference(reference))
        lines = [
            *self._sender_lines,
            *personal_lines(letter, to=to, cc=named, message_id=message_id, date=date, in_reply_to=in_reply_to),
            *(line.replace(PLACEHOLDER, reference) for line in self._unsubscribe_lines),
            "",
        ]
        frame = self._mixed if attachment else self._plain
        front, is_8bit = self._front(frame, lines, letter, eight_bit=eight_bit)
        personal = self._personal_part(attachment) if attachment else b""
        content = tuple(filter(None, (front, frame.images, personal, frame.ending)))
        addresses = (reverse_path, *self._sender.header_addresses, to.address, *named)
        is_utf8 = any(address.needs_smtputf8 for address in addresses)
        envelope = Envelope(
            reverse_path=reverse_path,
            forward_paths=(to.address, *cc),
            envelope_id=reference,
            size=sum(map(len, content)),
            # Headers in UTF-8 are eight-bit content too; a relay that takes them takes both (RFC 6531 section 3.1).
            eight_bit=is_8bit or is_utf8,
            smtputf8=is_utf8,
        )
        return envelope, content

    def check_attachment(self, path: Path) -> None:
        """Raise ValueError, with a reason, if the file, which is only opened, cannot be a recipient's attachment."""
        total = encoded_size(file_size(path)) + self.shared_size
        if total > ATTACHMENTS_LIMIT:
            raise ValueError(f"with {path.name} {_too_large(total)}")

    def _front(self, frame: Frame, lines: Sequence[str], letter: Letter, *, eight_bit: bool) -> tuple[bytes, bool]:
        """All that comes before the shared parts, and whether a body in it is 8bit."""
        boundary = self._token.encode()
        text_encoding, text = encoded_body(letter.text_octets, eight_bit=eight_bit, boundary=boundary)
        html_encoding, html = encoded_body(letter.html_octets, eight_bit=eight_bit, boundary=boundary)
        is_8bit = EIGHT_BIT in (text_encoding, html_encoding)
        pieces = (
            *("\r\n".join(lines).encode(), frame.opening[is_8bit]),
            *(text_encoding, b"\r\n\r\n", text, frame.between[is_8bit]),
            *(html_encoding, b"\r\n\r\n", html, frame.closing),
        )
        return b"".join(pieces), is_8bit

    def _encode_personal(self, path: Path) -> bytes:
        self.check_attachment(path)
        return personal_part(self._token, read_attachment(path))


def _read(paths: Sequence[Path], total: int) -> tuple[list[Attachment], int]:
    """The files, and `total` plus the octets they take in Base64. Raises InputRefused with the problems of all."""
    files = []
    problems = []
    for path in paths:
        try:
            total += encoded_size(file_size(path))
            if total <= ATTACHMENTS_LIMIT:
                files.append(read_attachment(path))
        except ValueError as exc:
            fix = "Put the file there, or take its name out of the event's attachments or the layout's images."
            problems.append(Problem(f"{path.name} cannot be attached: {exc}", fix, file=str(path)))
    if total > ATTACHMENTS_LIMIT:
        problems.append(Problem(_too_large(total), "Send links to the largest files instead, or make them smaller."))
    if problems:
        raise InputRefused(problems)
    return files, total


def _too_large(total: int) -> str:
    limit = ATTACHMENTS_LIMIT / 1_000_000
    return f"the attachments come to {total / 1_000_000:.1f} MB as mail carries them, and {limit:.0f} MB is the limit"


def _content_id(cid: str) -> str:
    if not _CONTENT_ID.fullmatch(cid):
        raise ValueError(f"{cid!r} is not a content id")
    return cid
