"""How long a relay is waited for: each stage has its own time of RFC 5321, and none is cut short by default."""

import ssl
from pathlib import Path

import pytest

from mailer import config
from mailer.cli.relay import relay_of
from mailer.errors import RelayUnreachable
from mailer.smtp import Security, relay
from mailer.status import Stage, Verdict
from tests.servers import ScriptedServer, Session, say_and_drop, stall


@pytest.mark.parametrize(
    ("stage", "seconds"),
    [
        # RFC 5321 sections 4.5.3.2.1 to 4.5.3.2.6.
        (Stage.GREETING, 300),
        (Stage.MAIL, 300),
        (Stage.RCPT, 300),
        (Stage.DATA, 120),
        (Stage.BODY, 600),
    ],
)
def test_by_default_each_stage_has_the_time_of_the_rfc(tmp_path: Path, stage: Stage, seconds: float) -> None:
    """With the settings as they come SMTP_TIMEOUT is below no stage's own time: the final dot has ten minutes."""
    settings, _ = config.load(tmp_path, {})
    assert relay._PATIENCE[stage] == seconds <= relay_of(settings).timeout


@pytest.mark.parametrize(
    ("step", "stage"),
    [
        ("greeting", Stage.GREETING),
        ("ehlo", Stage.EHLO),
        ("starttls", Stage.STARTTLS),
        ("auth", Stage.AUTH),
        ("mail", Stage.MAIL),
        ("rcpt", Stage.RCPT),
        ("data", Stage.DATA),
        ("dot", Stage.BODY),
    ],
)
def test_each_stage_ends_by_its_own_time(
    step: str, stage: Stage, talk, server_tls: ssl.SSLContext, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that falls silent is left when that stage's time is over, however long SMTP_TIMEOUT is."""
    monkeypatch.setitem(relay._PATIENCE, stage, 0.2)
    features = ["AUTH PLAIN", *(["STARTTLS"] if stage is Stage.STARTTLS else [])]
    terms: dict[str, object] = {"timeout": 3600.0}
    if stage is Stage.STARTTLS:
        terms |= {"security": Security.STARTTLS, "ca_file": ca_file}
    if stage is Stage.AUTH:
        terms |= {"username": "sender", "password": "secret"}
    with ScriptedServer({step: stall}, features, server_tls) as server:
        if stage in {Stage.GREETING, Stage.EHLO, Stage.STARTTLS, Stage.AUTH}:
            with pytest.raises(RelayUnreachable, match=r"within 0\.2 seconds"):
                talk.send(server, talk.envelope(), **terms)
        else:
            (outcome,) = talk.send(server, talk.envelope(), **terms)
            assert outcome.verdict is (Verdict.UNKNOWN if stage is Stage.BODY else Verdict.TRANSIENT)
            assert "within 0.2 seconds" in outcome.note


def test_a_large_message_may_take_longer_as_long_as_it_moves(talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that takes a large message slowly is not left: its time begins anew where octets have gone."""
    monkeypatch.setitem(relay._PATIENCE, Stage.BODY, 1.0)
    content = (b"Subject: Invitation\r\n\r\n", (b"x" * 76 + b"\r\n") * 200_000)
    expected = sum(map(len, content)) + len(b".\r\n")

    def take_slowly(session: Session) -> None:
        taken = 0
        while taken < expected:
            # Slowly for twice the time; then what is left is more than the system's buffers hold.
            if taken < expected // 2:
                session.server.is_over.wait(2.0 / 32)
            end = min(taken + expected // 64, expected)
            while taken < end:
                taken += len(session.socket.recv(end - taken)) or expected
        say_and_drop(b"250 2.0.0 Queued\r\n")(session)

    with ScriptedServer({"body": take_slowly}) as server:
        (outcome,) = talk.send(server, talk.envelope(), content=content, timeout=3600.0)
    assert outcome.verdict is Verdict.ACCEPTED
