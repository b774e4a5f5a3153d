"""The table of faults: at each step of the dialogue, what each fault of the relay leads to."""

import asyncio
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import LoginRefused, RelayBusy, RelayError, RelayUnreachable, RelayUntrusted, SenderRefused
from mailer.smtp import Connection, Relay, Security, relay
from mailer.status import Scope, Stage, Verdict
from tests.servers import GOOD, Action, ScriptedServer, dribble, drop, freeze, say, say_and_drop, stall

# sent, failed    the relay took the message; refused this one for good
# later           refused it for now, in its own words
# again           the connection failed before the message can have been taken: simply sent again
# doubt           the connection failed behind the final dot
# the rest        the run stops (busy: or goes on with fewer connections), and nobody is marked
TABLE = """
step      4xx          5xx          421   drop         stall        dribble      garbage      overlong     split  multiline  truncated
connect   -            -            -     unreachable  unreachable  -            unreachable  unreachable  -      -          -
greeting  unreachable  unreachable  busy  unreachable  unreachable  unreachable  unreachable  unreachable  sent   sent       unreachable
ehlo      unreachable  sent         busy  unreachable  unreachable  unreachable  unreachable  unreachable  sent   sent       unreachable
starttls  untrusted    untrusted    busy  unreachable  unreachable  unreachable  unreachable  unreachable  sent   sent       unreachable
auth      unreachable  login        busy  unreachable  unreachable  unreachable  unreachable  unreachable  sent   sent       unreachable
mail      later        sender       later again        again        again        again        again        sent   sent       again
rcpt      later        failed       later again        again        again        again        again        sent   sent       again
data      later        failed       later again        again        again        again        again        sent   sent       again
body      later        failed       later again        again        again        again        again        -      -          again
dot       later        failed       later doubt        doubt        doubt        doubt        doubt        sent   sent       doubt
quit      sent         sent         sent  sent         sent         sent         sent         sent         sent   sent       sent
"""  # noqa: E501

RAISED = {
    "unreachable": RelayUnreachable,
    "busy": RelayBusy,
    "untrusted": RelayUntrusted,
    "login": LoginRefused,
    "sender": SenderRefused,
}
RETURNED = {
    "sent": (Verdict.ACCEPTED, False),
    "failed": (Verdict.PERMANENT, False),
    "later": (Verdict.TRANSIENT, False),
    "again": (Verdict.TRANSIENT, True),
    "doubt": (Verdict.UNKNOWN, False),
}
# The others are named alike.
STAGES = {"connect": Stage.GREETING, "dot": Stage.BODY}
# More than the two ends' socket buffers hold: the relay breaks in while most is still here.
LARGE = (b"Subject: Invitation\r\n\r\n", (b"x" * 76 + b"\r\n") * 200_000)


def fault(name: str, step: str) -> str | Action:
    good = {**GOOD, "ehlo": "250 relay.example.org"}.get(step, "250 Ok")
    code, text = good[:3], good[4:]
    acts: dict[str, str | Action] = {
        "4xx": "454 4.3.0 Not now" if step in {"starttls", "auth"} else "451 4.3.0 Not now",
        "5xx": "554 5.0.0 Never",
        "421": "421 4.3.2 Closing",
        "drop": drop,
        "stall": freeze if step == "body" else stall,
        "dribble": dribble(good + " " * 40 + "\r\n"),
        "garbage": say(b"\x00\xff so sorry \x1b[2J\r\n"),
        "overlong": say(code.encode() + b" " + b"x" * 100_000 + b"\r\n"),
        "split": say(*(bytes([octet]) for octet in good.encode() + b"\r\n")),
        "multiline": say(f"{code}-{text}\r\n{code}-\r\n{code} {text}\r\n".encode()),
        "truncated": say_and_drop(good.encode()),
    }
    return acts[name]


def cells() -> list[tuple[str, str, str]]:
    heads, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return [
        (row[0], name, stated) for row in rows for name, stated in zip(heads[1:], row[1:], strict=True) if stated != "-"
    ]


@pytest.mark.parametrize(
    ("step", "name", "stated", "pipelining"),
    [(*cell, True) for cell in cells()]
    + [(*cell, False) for cell in cells() if cell[0] in {"mail", "rcpt", "data", "dot"}],
)
def test_every_fault_at_every_step_leads_to_what_the_table_states(
    step: str,
    name: str,
    stated: str,
    pipelining: bool,
    talk,
    server_tls: ssl.SSLContext,
    ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the relay does at whatever step, the message has exactly the stated outcome, and nobody hangs."""
    features = ["AUTH PLAIN", "8BITMIME", *(["STARTTLS"] if step == "starttls" else [])]
    setting: dict[str, object] = {}
    if name in {"stall", "dribble"}:
        monkeypatch.setitem(relay._PATIENCE, STAGES.get(step) or Stage(step), 0.25)
    if step == "starttls":
        setting |= {"security": Security.STARTTLS, "ca_file": ca_file}
    if step == "auth":
        setting |= {"username": "sender", "password": "secret"}
    content = LARGE if step == "body" else talk.message
    script = {step: fault(name, step)}
    with ScriptedServer(script, [*features, *(["PIPELINING"] if pipelining else [])], server_tls) as server:
        if stated in RAISED:
            with pytest.raises(RelayError) as raised:
                talk.send(server, talk.envelope(), content=content, **setting)
            assert type(raised.value) is RAISED[stated]
            assert f"127.0.0.1:{server.port}" in str(raised.value)
            assert not server.accepted
            return
        (outcome,) = talk.send(server, talk.envelope(), content=content, **setting)
    assert (outcome.verdict, outcome.is_retry) == RETURNED[stated]
    assert outcome.reply or outcome.note
    assert (outcome.scope is Scope.CONNECTION) == (stated in {"again", "doubt"} or (name == "421" and step != "quit"))
    assert outcome.slow_down == (name == "421" and step != "quit")
    if stated in {"sent", "doubt"}:
        assert len(server.accepted) == 1
    else:
        assert not server.accepted


def test_a_closed_port_is_an_unreachable_relay(talk) -> None:
    """A relay that does not listen is named, with what to check."""
    with ScriptedServer() as server:
        pass
    with pytest.raises(RelayUnreachable, match=r"takes no connections: check SMTP_HOST"):
        talk.send(server, talk.envelope())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b"])
def test_an_unknown_host_is_named(host: str) -> None:
    """A host that does not exist, or cannot, is told with its setting."""
    with pytest.raises(RelayUnreachable, match="no host named"):
        asyncio.run(Connection(Relay(host, 25, timeout=5)).open())


def test_a_stalled_handshake_ends(talk, server_tls: ssl.SSLContext) -> None:
    """A relay that consents to TLS and then falls silent is left, with both ways to begin TLS."""

    def consent_and_stall(session) -> None:
        session.socket.sendall(b"220 2.0.0 Ready\r\n")
        stall(session)

    for security, script in ((Security.STARTTLS, {"starttls": consent_and_stall}), (Security.TLS, {"connect": stall})):
        with ScriptedServer(script, ["STARTTLS"], server_tls) as server, pytest.raises(RelayUnreachable):
            talk.send(server, talk.envelope(), security=security, timeout=0.25)


@settings(max_examples=60)
@given(st.sampled_from(["greeting", "ehlo", "mail", "rcpt", "data", "dot"]), st.binary(max_size=40), st.booleans())
def test_no_octets_of_a_relay_lead_to_anything_unstated(talk, step: str, octets: bytes, as_text: bool) -> None:
    """Whatever a relay writes at whatever step before it closes, the result is an outcome or a RelayError."""
    said = b"250 " + octets if as_text else octets
    with ScriptedServer({step: say_and_drop(said)}, ["PIPELINING"]) as server:
        try:
            (outcome,) = talk.send(server, talk.envelope())
        except RelayError as exc:
            assert str(server.port) in str(exc)
        else:
            assert outcome.verdict in {Verdict.ACCEPTED, Verdict.TRANSIENT, Verdict.UNKNOWN}
            assert (outcome.verdict is Verdict.ACCEPTED) <= (len(server.accepted) == 1)
