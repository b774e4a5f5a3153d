"""What the tests of messages share: a sender, an event's folder with files, and a way to compose with few words."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import pytest

from mailer.message import Composer, Sender
from mailer.model import Address, Envelope, Letter, Mailbox

Compose = Callable[..., tuple[Envelope, bytes, EmailMessage]]


@pytest.fixture(scope="session")
def sender() -> Sender:
    return Sender(
        from_=Mailbox(Address.parse("events@npx.example.org"), "Nonviolent Peaceforce, New York"),
        reply_to=Mailbox(Address.parse("amina.okoro@npx.example.org"), "Amina Okoro"),
        return_path="bounces+{reference}@npx.example.org",
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An event's folder with attachments of several kinds."""
    folder = tmp_path_factory.mktemp("poc-week")
    (folder / "attachments").mkdir()
    (folder / "attachments" / "concept note.pdf").write_bytes(b"%PDF-1.7\r\n\0\xff" + bytes(range(256)) * 40)
    (folder / "attachments" / "Note de synthèse – الحماية.docx").write_bytes(b"PK\3\4" + bytes(range(256)))
    (folder / "attachments" / "programme.txt").write_bytes("Déjeuner à 12h45\n.\nFrom here on\n".encode())
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(200)))
    (folder / "personal.pdf").write_bytes(b"%PDF-1.7 for one mission only")
    return folder


@pytest.fixture(scope="session")
def compose() -> Compose:
    """Compose with defaults for what a test does not care about: the envelope, the whole content, and it parsed."""

    def compose(composer: Composer, **given: object) -> tuple[Envelope, bytes, EmailMessage]:
        letter = Letter.of(
            given.pop("subject", "Invitation"),
            given.pop("text", "Excellency,\n"),
            given.pop("html", "<p>Excellency,</p>\n"),
            given.pop("language", "en"),
        )
        values = {
            "to": Mailbox(Address.parse("pr@mission.example.org"), "H.E. Ms. Ines ARROYO"),
            "message_id": "<0a1b2c@npx.example.org>",
            "date": datetime(2024, 4, 22, 13, 5, 9, tzinfo=UTC),
            "reference": "7KQ4M-P2XDA",
            "eight_bit": True,
            "smtputf8": True,
        }
        envelope, buffers = composer.compose(letter, **(values | given))
        content = b"".join(buffers)
        assert envelope.size == len(content)
        assert all(buffer.endswith(b"\r\n") for buffer in buffers)
        lines = content.split(b"\r\n")
        assert not any(b"\r" in line or b"\n" in line for line in lines)
        assert max(map(len, lines)) <= 998
        assert content.isascii() or envelope.eight_bit
        message = BytesParser(policy=SMTP).parsebytes(content)
        assert not [defect for part in message.walk() for defect in part.defects]
        return envelope, content, message

    return compose
