"""TLS and login: what is not proved is not trusted, and no secret shows."""

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from mailer.errors import LoginRefused, RelayUnreachable, RelayUntrusted
from mailer.smtp import Connection, Relay, Security
from mailer.smtp.wire import Wire
from mailer.status import Verdict
from tests.servers import ScriptedServer, Session, drop, say

SECRET = "correct-horse"
LOGIN = ("AUTH PLAIN LOGIN XOAUTH2", "8BITMIME")


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_mail_goes_over_tls(talk, security: Security, server_tls: ssl.SSLContext, ca_file: Path) -> None:
    """With a certificate from the named authority mail and login go over TLS, however it is begun."""
    at_once = security is Security.TLS
    with ScriptedServer(None, ["STARTTLS", *LOGIN], server_tls, tls_at_once=at_once) as server:
        envelopes = [talk.envelope(f"{n}@example.org") for n in range(3)]
        settings = {"security": security, "ca_file": ca_file, "username": "me", "password": SECRET}
        outcomes = talk.send(server, *envelopes, ahead=True, **settings)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    if not at_once:
        verbs = [command.split()[0] for command in server.commands[:4]]
        assert verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_certificate_that_proves_nothing_is_not_trusted(
    talk, security: Security, server_tls: ssl.SSLContext, wrong_tls: ssl.SSLContext, ca_file: Path
) -> None:
    """An unknown authority or another's certificate stops the run before anything is said."""
    for context, authority in ((server_tls, None), (wrong_tls, ca_file)):
        with ScriptedServer(None, ["STARTTLS", *LOGIN], context, tls_at_once=security is Security.TLS) as server:  # noqa: SIM117
            with pytest.raises(RelayUntrusted, match="does not prove that it is 127"):
                talk.send(server, talk.envelope(), security=security, ca_file=authority, username="me", password=SECRET)
        assert not any(command.startswith(("AUTH", "MAIL")) for command in server.commands)


def test_an_opening_given_up_as_tls_has_begun_is_over_at_once(
    talk, monkeypatch: pytest.MonkeyPatch, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    """Nothing of it is left to the event loop, so that the next connection may have its number."""

    async def conversation() -> None:
        opening = asyncio.create_task(Connection(talk.relay(server, security=Security.TLS, ca_file=ca_file)).open())
        begun: list[Wire] = []

        def cancel(wire: Wire, end: asyncio.BaseTransport) -> None:
            made(wire, end)
            begun.append(wire)
            opening.cancel()

        monkeypatch.setattr(Wire, "connection_made", cancel)
        await asyncio.wait([opening])
        async with asyncio.timeout(5):
            await begun[0].wait_closed()

    made = Wire.connection_made
    with ScriptedServer(tls=server_tls, tls_at_once=True) as server:
        talk.run(conversation())


def test_a_missing_starttls_stops_the_run(talk) -> None:
    """A relay, or somebody in between, that hides STARTTLS gets neither password nor mail."""
    with ScriptedServer(None, LOGIN) as server, pytest.raises(RelayUntrusted, match="does not offer STARTTLS"):
        talk.send(server, talk.envelope(), security=Security.STARTTLS, username="me", password=SECRET)
    assert [command.split()[0] for command in server.commands] == ["EHLO"]


def test_tls_to_a_port_without_it_says_which_setting_to_check(talk) -> None:
    """TLS from the first octet at a STARTTLS port is told as such."""
    with ScriptedServer() as server, pytest.raises(RelayUntrusted, match="SMTP_SECURITY=tls"):
        talk.send(server, talk.envelope(), security=Security.TLS)


@pytest.mark.parametrize(("port", "security"), [(465, Security.STARTTLS), (587, Security.TLS)])
def test_a_port_that_is_meant_for_the_other_kind_of_tls_is_named(port: int, security: Security) -> None:
    """What is most often mixed up is told, whatever came of it."""
    with pytest.raises(RelayUnreachable, match=f"port {port} is mostly for .*, and {security} is set"):
        asyncio.run(Connection(Relay("127.0.0.99", port, security)).open())


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize("ciphers", ["ALL:@SECLEVEL=0", "AES128-SHA"], ids=["TLS 1.1", "cipher"])
def test_outdated_tls_is_told_as_such(talk, security: Security, ciphers: str) -> None:
    """A relay whose TLS is no longer safe is for its administrator to mend: no setting of ours is at fault."""
    outdated = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    outdated.set_ciphers(ciphers)
    outdated.maximum_version = ssl.TLSVersion.TLSv1_2
    if ciphers.startswith("ALL"):
        with pytest.deprecated_call():
            outdated.minimum_version = outdated.maximum_version = ssl.TLSVersion.TLSv1_1
    with ScriptedServer(None, ["STARTTLS"], outdated, tls_at_once=security is Security.TLS) as server:  # noqa: SIM117
        with pytest.raises(RelayUntrusted, match=r"speaks only outdated TLS: have its administrator .* TLS 1\.2"):
            talk.send(server, talk.envelope(), security=security)


def test_a_connection_closed_amidst_the_handshake_is_told(talk, server_tls: ssl.SSLContext) -> None:
    """Where the system has no words for what happened, ours stand in their place."""

    def hear_and_drop(session: Session) -> None:
        session.socket.sendall(b"220 2.0.0 Ready\r\n")
        session.socket.recv(65_536)  # what is closed with words unread is reset, for which the system has words
        drop(session)

    with ScriptedServer({"starttls": hear_and_drop}, ["STARTTLS"], server_tls) as server:  # noqa: SIM117
        with pytest.raises(RelayUnreachable, match=r"failed \(it was closed\)"):
            talk.send(server, talk.envelope(), security=Security.STARTTLS)


@pytest.mark.parametrize("injected", [b"250 Ok\r\n", b"250-relay"])
def test_clear_text_behind_the_consent_to_tls_is_refused(
    talk, injected: bytes, server_tls: ssl.SSLContext, ca_file: Path
) -> None:
    """Octets that somebody put between the relay's consent and TLS are never taken for the relay's."""
    script = {"starttls": say(b"220 2.0.0 Ready\r\n" + injected)}
    with ScriptedServer(script, ["STARTTLS"], server_tls) as server:  # noqa: SIM117
        with pytest.raises((RelayUntrusted, RelayUnreachable)):
            talk.send(server, talk.envelope(), security=Security.STARTTLS, ca_file=ca_file)
    assert [command.split()[0] for command in server.commands] == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x30\x82", b"-----BEGIN CERTIFICATE-----\n"])
def test_an_unreadable_authority_is_named(talk, tmp_path: Path, content: bytes) -> None:
    """A certificate file that holds none in the form that is read is told with its setting and that form."""
    (tmp_path / "ca.pem").write_bytes(content)
    with ScriptedServer() as server, pytest.raises(RelayUntrusted, match=r"SMTP_CA_FILE.*PEM form") as raised:
        talk.send(server, talk.envelope(), security=Security.TLS, ca_file=tmp_path / "ca.pem")
    assert "_ssl" not in str(raised.value)


def test_a_missing_authority_is_told(talk, tmp_path: Path) -> None:
    """What the system says of the file is told, without its number."""
    with (
        ScriptedServer() as server,
        pytest.raises(RelayUntrusted, match=r"cannot be read: No such file or directory\."),
    ):
        talk.send(server, talk.envelope(), security=Security.TLS, ca_file=tmp_path / "gone.pem")


@pytest.mark.parametrize(
    ("days", "name", "words"),
    [
        (
            (-3, -1),
            "127.0.0.1",
            r"certificate has expired\. Have its administrator renew it, or set this machine's clock",
        ),
        ((1, 3), "127.0.0.1", r"not yet valid\. Set this machine's clock"),
        ((-1, 1), "192.0.2.1", r"for '127\.0\.0\.1'\. Set SMTP_HOST"),
        ((-1, 1), "relay.example.org", r"for '127\.0\.0\.1'\. Set SMTP_HOST"),
    ],
    ids=["expired", "too early", "another address", "another name"],
)
def test_a_certificate_that_proves_nothing_says_what_to_do(
    talk, authority: trustme.CA, ca_file: Path, days: tuple[int, int], name: str, words: str
) -> None:
    """One that has expired is to be renewed, unless the clock is wrong; for one of another, the host is at fault."""
    begins, ends = (datetime.now(UTC) + timedelta(days=day) for day in days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_before=begins, not_after=ends).configure_cert(context)
    with ScriptedServer(None, ["STARTTLS"], context) as server, pytest.raises(RelayUntrusted, match=words):
        talk.send(server, talk.envelope(), security=Security.STARTTLS, ca_file=ca_file)


def test_a_chain_with_a_gap_says_what_to_do(talk, authority: trustme.CA, ca_file: Path) -> None:
    """Where the authority is known, its file does not help: the relay keeps back what stands in between."""
    issued = authority.create_child_ca().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with issued.private_key_pem.tempfile() as key, issued.cert_chain_pems[0].tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    with ScriptedServer(None, ["STARTTLS"], context) as server, pytest.raises(RelayUntrusted, match="intermediate"):
        talk.send(server, talk.envelope(), security=Security.STARTTLS, ca_file=ca_file)


def words(command: str) -> bytes:
    return base64.b64decode(command.rsplit(maxsplit=1)[-1])


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_passwords_go_by_the_method_that_is_offered(talk, method: str) -> None:
    """PLAIN where it is offered, else LOGIN."""
    script = {"auth": "334 VXNlcm5hbWU6" if method == "LOGIN" else "235 Ok"}
    if method == "LOGIN":
        # The user name and the password arrive as lines of their own, which the server answers as unknown verbs.
        script |= {
            base64.b64encode(b"me").decode().lower(): "334 UGFzc3dvcmQ6",
            base64.b64encode(SECRET.encode()).decode().lower(): "235 Ok",
        }
    with ScriptedServer(script, [f"AUTH {method} X-OTHER"]) as server:
        (outcome,) = talk.send(server, talk.envelope(), username="me", password=SECRET)
    assert outcome.verdict is Verdict.ACCEPTED
    if method == "PLAIN":
        assert words(server.commands[1]) == b"\0me\0" + SECRET.encode()


def test_a_token_is_fetched_at_each_login(talk) -> None:
    """XOAUTH2 asks for the token when it logs in, so that an old one is never used twice."""
    tokens = iter(["first", "second"])

    async def token(_refused: str) -> str:
        return next(tokens)

    with ScriptedServer(None, LOGIN) as server:
        for _ in range(2):
            talk.send(server, talk.envelope(), username="me", password=token, xoauth2=True)
    sent = [words(command) for command in server.commands if command.startswith("AUTH")]
    assert sent == [f"user=me\x01auth=Bearer {word}\x01\x01".encode() for word in ("first", "second")]


def test_a_refused_token_is_heard_to_the_end(talk) -> None:
    """XOAUTH2 tells its error in a challenge; the refusal after it is what counts."""
    script = {"auth": "334 eyJzdGF0dXMiOiI0MDEifQ==", "": "535 5.7.3 Authentication unsuccessful"}
    with ScriptedServer(script, LOGIN) as server, pytest.raises(LoginRefused, match=r"535 5\.7\.3"):
        talk.send(server, talk.envelope(), username="me", password="token", xoauth2=True)
    assert server.commands[2] == ""


def test_a_relay_without_a_usable_login_says_what_it_offers(talk) -> None:
    """A login that the relay does not offer is told with what it offers."""
    with ScriptedServer(None, ["AUTH CRAM-MD5"]) as server, pytest.raises(LoginRefused, match="offers CRAM-MD5"):
        talk.send(server, talk.envelope(), username="me", password=SECRET)
    with ScriptedServer(None, ()) as server, pytest.raises(LoginRefused, match="offers no login"):
        talk.send(server, talk.envelope(), username="me", password=SECRET)
    advice = "needed for a password: set SMTP_AUTH=xoauth2 and run mailer login"
    with ScriptedServer(None, ["AUTH XOAUTH2"]) as server, pytest.raises(LoginRefused, match=advice):
        talk.send(server, talk.envelope(), username="me", password=SECRET)


@pytest.mark.parametrize(
    ("refusal", "advice"),
    [
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
            "https://aka.ms/smtp_auth_disabled for more information. [XY1PR01CA0001.example.org]",
            "enable SMTP AUTH",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
            "enable SMTP AUTH",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            "SMTP_AUTH=xoauth2 and run mailer login",
        ),
        (
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            "SMTP_AUTH=xoauth2 and run mailer login",
        ),
        (
            "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
            "SMTP_AUTH=xoauth2 and run mailer login",
        ),
        (
            "534-5.7.9 Application-specific password required. For more information, go to\r\n"
            "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x1-example - gsmtp",
            "an app password",
        ),
        (
            "535-5.7.8 Username and Password not accepted. For more information, go to\r\n"
            "535 5.7.8  https://support.google.com/mail/?p=BadCredentials x1-example - gsmtp",
            "an app password",
        ),
        ("535 5.7.8 Wrong.", "Wrong. Check SMTP_USERNAME"),
    ],
)
def test_a_refused_login_names_the_next_step(talk, refusal: str, advice: str) -> None:
    """Where another password would be refused like this one, the sentence says what is wanted instead."""
    with ScriptedServer({"auth": refusal}, LOGIN) as server, pytest.raises(LoginRefused) as raised:
        talk.send(server, talk.envelope(), username="me", password=SECRET)
    assert advice in str(raised.value)
    assert ".. " not in str(raised.value)


def test_no_secret_shows(talk) -> None:
    """Neither the settings nor the refusal of a server that repeats what it heard show the password."""
    assert SECRET not in repr(Relay("mail.example.org", 587, username="me", password=SECRET))
    encoded = base64.b64encode(b"\0me\0" + SECRET.encode()).decode()
    script = {"auth": f"535 5.7.8 I do not like AUTH PLAIN {encoded} nor {SECRET}"}
    with ScriptedServer(script, LOGIN) as server, pytest.raises(LoginRefused) as raised:
        talk.send(server, talk.envelope(), username="me", password=SECRET)
    assert SECRET not in str(raised.value)
    assert encoded not in str(raised.value)
    assert "AUTH PLAIN ***" in str(raised.value)


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN", "XOAUTH2"])
def test_no_form_of_a_secret_shows(talk, method: str) -> None:
    """A server that repeats the login line by line, with or without the padding of base64, gets nothing through."""
    said = {"PLAIN": f"\0me\0{SECRET}", "LOGIN": SECRET, "XOAUTH2": f"user=me\x01auth=Bearer {SECRET}\x01\x01"}[method]
    encoded = base64.b64encode(said.encode()).decode()
    script = {"auth": f"535 5.7.8 Neither {encoded} nor {encoded.rstrip('=')}."}
    with ScriptedServer(script, LOGIN) as server, pytest.raises(LoginRefused, match=r"Neither \*\*\* nor \*\*\*\."):
        talk.send(server, talk.envelope(), username="me", password=SECRET)


@pytest.mark.parametrize("secrets", [("me", "p\udce4ss-hush"), ("m\udce4", "hush")], ids=["password", "user name"])
@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_a_login_in_another_encoding_is_told(talk, method: str, secrets: tuple[str, str]) -> None:
    """A user name or password that the environment had in another encoding is named as such, and not shown."""
    username, password = secrets
    with (
        ScriptedServer(None, [f"AUTH {method}"]) as server,
        pytest.raises(LoginRefused, match="is not in UTF-8") as raised,
    ):
        talk.send(server, talk.envelope(), username=username, password=password)
    assert "hush" not in str(raised.value)
    assert "udce4" not in ascii(str(raised.value))
    assert [command.split()[0] for command in server.commands] == ["EHLO"]


def test_the_faster_loop_does_the_same(talk, server_tls: ssl.SSLContext, ca_file: Path) -> None:
    """Under uvloop small and large messages go over TLS with pipelining, and a fault has the same outcome."""
    talk = type(talk)(pytest.importorskip("uvloop").run)
    settings = {"security": Security.STARTTLS, "ca_file": ca_file}
    features = ["STARTTLS", "PIPELINING", "8BITMIME"]
    with ScriptedServer({"dot": ["250 Ok", drop]}, features, server_tls) as server:
        envelopes = [talk.envelope(f"{n}@example.org") for n in range(3)]
        content = [b"Subject: x\r\n\r\n", (b"x" * 76 + b"\r\n") * 20_000]
        outcomes = talk.send(server, *envelopes[:2], content=content, **settings)
        outcomes += talk.send(server, envelopes[2], **settings)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED, Verdict.UNKNOWN, Verdict.ACCEPTED]
    assert server.accepted[0].content == b"".join(content)
