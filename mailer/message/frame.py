"""The octets around the personal parts of a message, made by the standard library once and cut at slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import MIMEPart
from email.policy import SMTP
from typing import Any

from mailer.message.attachments import Attachment
from mailer.message.bodies import base64_lines

# A body's slot begins where the name of its transfer encoding stands.
_TEXT_SLOT, _HTML_SLOT = "text-slot", "html-slot"
_PERSONAL_SLOT = Attachment("personal-slot", b"personal-slot", "application/octet-stream")
_LABEL_7BIT, _LABEL_8BIT = (f"Content-Transfer-Encoding: {name}".encode() for name in ("7bit", "8bit"))


@dataclass(frozen=True, slots=True)
class Frame:
    """A message without its own headers, its two bodies and its personal attachment.

    The order on the wire: own headers, `opening`, text, `between`, HTML, `closing`, `images`, personal attachment,
    `ending`. `opening` and `between` end where the name of a body's transfer encoding stands; both are there twice, for
    bodies of seven and of eight bits, as containers are labelled with what they hold (RFC 2045 section 6.4). What
    follows the HTML are whole lines, or nothing where there is nothing of the kind.
    """

    opening: tuple[bytes, bytes]
    between: tuple[bytes, bytes]
    closing: bytes
    images: bytes
    ending: bytes


def build_frame(
    token: str, images: Sequence[tuple[str, Attachment]], attachments: Sequence[Attachment], *, mixed: bool
) -> Frame:
    """The frame with all shared parts in it; `mixed` makes room for attachments. `token` is in every boundary."""
    message = MIMEPart(policy=SMTP)
    message["MIME-Version"] = "1.0"
    message.set_content(_TEXT_SLOT)
    message.add_alternative(_HTML_SLOT, subtype="html")
    html = list(message.iter_parts())[1]
    for cid, image in images:
        html.add_related(**_content(image), cid=f"<{cid}>", disposition="inline", filename=image.name)
    if images:
        html.set_param("type", "text/html")  # RFC 2387 section 3.1
    for attachment in (_PERSONAL_SLOT, *attachments) if mixed else ():
        message.add_attachment(**_content(attachment), filename=attachment.name)
    for part in message.walk():
        if part.is_multipart():
            part.set_boundary(f"{part.get_content_subtype()}-{token}")
            part["Content-Transfer-Encoding"] = "8bit"
    opening, rest = _cut(message.as_bytes(), f"7bit\r\n\r\n{_TEXT_SLOT}\r\n".encode())
    between, rest = _cut(rest, f"7bit\r\n\r\n{_HTML_SLOT}\r\n".encode())
    closing, ending = _cut(rest, personal_part(token, _PERSONAL_SLOT)) if mixed else (rest, b"")
    return Frame(
        opening=_labelled(opening),
        between=_labelled(between),
        closing=b"" if images else closing,
        images=closing if images else b"",
        ending=ending,
    )


def personal_part(token: str, attachment: Attachment) -> bytes:
    """One part of the outermost container, with the delimiter before it and the line end that precedes the next one."""
    part = MIMEPart(policy=SMTP)
    part.set_content(**{**_content(attachment), "obj": b""}, disposition="attachment", filename=attachment.name)
    # The headers are the standard library's; for the content it takes ten times as long to make the same octets.
    return b"--mixed-%s\r\n%s%s\r\n" % (token.encode(), part.as_bytes(), base64_lines(attachment.octets))


def _content(attachment: Attachment) -> dict[str, Any]:
    maintype, _, subtype = attachment.content_type.partition("/")
    return {"obj": attachment.octets, "maintype": maintype, "subtype": subtype, "params": dict(attachment.parameters)}


def _cut(octets: bytes, slot: bytes) -> tuple[bytes, bytes]:
    before, found, after = octets.partition(slot)
    if not found:
        raise AssertionError(f"the standard library serialised {slot!r} in a way that was not foreseen")
    return before, after


def _labelled(octets: bytes) -> tuple[bytes, bytes]:
    return octets.replace(_LABEL_8BIT, _LABEL_7BIT), octets
