"""The sandbox takes mail as a good relay does, from us and from others."""

import asyncio
import smtplib
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as SMTPEnvelope

from mailer.model import Address, Envelope
from mailer.sandbox import Faults, Sandbox
from mailer.smtp import Connection, Outcome, Relay, Security
from mailer.status import Verdict

MESSAGE = [b"Subject: Invitation\r\n\r\n", ".Excellence, \u00e7a va?\r\n".encode()]


class Noting(Sandbox):
    """Notes the options of MAIL and RCPT as they came."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: SMTPEnvelope) -> str:
        self.options = [*envelope.mail_options, *envelope.rcpt_options]
        return await super().handle_DATA(server, session, envelope)


def rehearse(folder: Path, *recipients: str, faults: Faults | None = None) -> tuple[Noting, list[Outcome]]:
    async def act() -> tuple[Noting, list[Outcome]]:
        async with Noting(folder, faults) as sandbox:
            connection = Connection(Relay(sandbox.host, sandbox.port, Security.NONE))
            await connection.open()
            envelopes = [
                Envelope(Address.parse("b@example.org"), (Address.parse(to),), "7KQ4M", 60, eight_bit=True)
                for to in recipients
            ]
            following = [*envelopes[1:], None]
            outcomes = [await connection.send(e, MESSAGE, f) for e, f in zip(envelopes, following, strict=True)]
            await connection.close()
            return sandbox, outcomes

    return asyncio.run(act())


def test_every_message_becomes_a_file(tmp_path: Path) -> None:
    """In the sender's own loop, with pipelining and DSN, each message is kept octet by octet under a readable name."""
    sandbox, outcomes = rehearse(tmp_path / "outbox", "a@example.org", "b@example.org")
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    files = sorted((tmp_path / "outbox").iterdir())
    assert [path.name for path in files] == ["0001-a@example.org.eml", "0002-b@example.org.eml"]
    assert files[0].read_bytes() == b"".join(MESSAGE)
    assert sandbox.options == ["RET=HDRS", "ENVID=7KQ4M", "SIZE=60", "BODY=8BITMIME", "NOTIFY=FAILURE,DELAY"]


def test_rehearsals_live_side_by_side(tmp_path: Path) -> None:
    """A second rehearsal in the same folder keeps what the first one left."""
    for _ in range(2):
        rehearse(tmp_path, "a@example.org")
    assert len(list(tmp_path.iterdir())) == 2


def test_faults_are_scripted_by_recipient(tmp_path: Path) -> None:
    """Some are refused for good or for the first time, and the rest of the mail goes on."""
    faults = {"no-such-user": ("550 5.1.1 No such user",), "greylist": ("450 4.2.0 Later", "250 2.1.5 Ok")}
    recipients = ["no-such-user@example.org", "greylist.1@example.org", "a@example.org", "greylist.1@example.org"]
    _, outcomes = rehearse(tmp_path, *recipients, faults=faults)
    assert [o.verdict for o in outcomes] == [Verdict.PERMANENT, Verdict.TRANSIENT, Verdict.ACCEPTED, Verdict.ACCEPTED]


def test_another_client_finds_a_relay(tmp_path: Path) -> None:
    """The standard library's client, in a thread of its own, is served as well."""

    async def act() -> None:
        async with Sandbox(tmp_path) as sandbox:
            await asyncio.to_thread(send, sandbox.port)

    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            assert {"pipelining", "8bitmime", "smtputf8", "size", "dsn"} <= set(client.esmtp_features)
            options = ["BODY=8BITMIME", "RET=HDRS", "ENVID=7KQ4M"]
            client.sendmail("b@example.org", ["a@example.org"], b"".join(MESSAGE), options, ["NOTIFY=FAILURE"])
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail("b@example.org", ["a@example.org"], b"x", ["UNKNOWN=1"])

    asyncio.run(act())
    assert next(tmp_path.iterdir()).read_bytes() == b"".join(MESSAGE)


def test_a_client_that_stays_does_not_keep_the_sandbox(tmp_path: Path) -> None:
    """Leaving the sandbox ends the connections that are still open."""

    async def act() -> None:
        async with Sandbox(tmp_path) as sandbox:
            connection = Connection(Relay(sandbox.host, sandbox.port, Security.NONE))
            await connection.open()
        async with asyncio.timeout(60):
            while connection.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await connection.close()

    asyncio.run(act())
