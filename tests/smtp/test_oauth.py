"""Tokens for XOAUTH2: fetched once for all, renewed in time and after a refusal, kept from everybody's eyes."""

import asyncio
import dataclasses
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mailer.errors import LoginRefused, MailerError, RelayUnreachable, UsageError
from mailer.model import Address, Envelope
from mailer.smtp import Connection, Relay, Security
from mailer.smtp.oauth import TERMS, Client, Token, Tokens, conversation
from mailer.status import Verdict
from tests.servers import Action, ScriptedServer, Session, say_and_drop
from tests.tokens import CLIENT_ID, CLIENT_SECRET, CONSENT, Refusal, TokenRelay, TokenService

USER = "events@sender.example.org"


class Clock:
    """Unix time that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


def client(service: TokenService, **settings: str) -> Client:
    return Client(service.url, CLIENT_ID, USER, **{"scope": "smtp offline_access", **settings})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "token.json"


def fetch(tokens: Callable[..., Awaitable[str]], refused: str = "") -> str:
    return asyncio.run(tokens(refused))


# --- where a token comes from ---------------------------------------------------------------------------------------


def test_an_application_logs_in_for_itself(cache: Path) -> None:
    """With a client secret and nobody's consent the application's own credentials bring the token."""
    with TokenService(secret=CLIENT_SECRET) as service:
        access = fetch(Tokens(client(service, client_secret=CLIENT_SECRET), cache))
        assert service.takes(access)
        assert service.grants == ["client_credentials"]
        assert service.requests[0]["scope"] == "smtp offline_access"


def test_a_consent_is_renewed_with_what_came_last(cache: Path) -> None:
    """Each renewal uses the refresh token that the last one brought, also after a restart."""
    clock = Clock()
    with TokenService(clock=clock) as service:
        for _ in range(3):
            assert service.takes(fetch(Tokens(client(service, refresh_token=CONSENT), cache, clock)))
            clock.now += 3600
        assert service.grants == ["refresh_token"] * 3


def test_without_consent_the_login_command_is_named(cache: Path) -> None:
    """Nothing is guessed: where nobody has consented the sentence says which command to run."""
    with TokenService() as service, pytest.raises(LoginRefused, match="mailer login"):
        fetch(Tokens(client(service), cache))


def test_a_missing_library_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional libraries the sentence says how to install them."""
    monkeypatch.setitem(sys.modules, "authlib.integrations.requests_client", None)
    with TokenService() as service, pytest.raises(UsageError, match=r"invitation-mailer\[oauth\]"):
        fetch(Tokens(client(service, refresh_token=CONSENT), cache))


# --- when it is renewed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lifetime", "age", "renewed"),
    [(3600, 3299, False), (3600, 3300, True), (2, 0.9, False), (2, 1, True), (3600, -1, True)],
    ids=["an hour, in time", "5 minutes before the end", "short, first half", "short, half over", "clock set back"],
)
def test_a_token_is_renewed_before_it_ends(cache: Path, lifetime: float, age: float, renewed: bool) -> None:
    """Five minutes early, at half its life where that is short, and whenever its age cannot be told."""
    clock = Clock()
    with TokenService(lifetime, clock) as service:
        tokens = Tokens(client(service, refresh_token=CONSENT), cache, clock)
        first = fetch(tokens)
        clock.now += age
        assert (fetch(tokens) != first) is renewed


def test_a_service_that_is_away_stops_nobody_before_the_end(cache: Path) -> None:
    """Renewal begins early: while the service is away the old token is used to its end, and only then the run stops."""
    clock = Clock()
    with TokenService(3600, clock) as service:
        tokens = Tokens(client(service, refresh_token=CONSENT), cache, clock)
        first = fetch(tokens)
        clock.now += 3400
        too_many = Refusal("", 429, b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}')
        service.refusals = [Refusal("", 503), Refusal("temporarily_unavailable"), too_many]
        assert fetch(tokens) == fetch(tokens) == fetch(tokens) == first
        assert not service.refusals
        service.refusals = [Refusal("", 503)]
        clock.now += 200
        with pytest.raises(RelayUnreachable, match="try again later"):
            fetch(tokens)
        assert fetch(tokens) != first


def test_a_refused_token_is_renewed_once_for_all(cache: Path) -> None:
    """However many connections were refused with one token, and in however many processes, one request is made."""
    with TokenService() as service:
        settings = client(service, refresh_token=CONSENT)

        async def conversation() -> tuple[str, set[str]]:
            processes = [Tokens(settings, cache) for _ in range(3)]
            first = await processes[0]()
            again = await asyncio.gather(*(tokens(first) for tokens in processes for _ in range(4)))
            return first, set(again)

        first, again = asyncio.run(conversation())
        assert len(again) == 1
        assert first not in again
        assert len(service.grants) == 2


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_file_is_its_owners_alone(cache: Path) -> None:
    """Mode 0600 from its first moment, whatever the umask and whatever stood there before."""
    cache.write_text("{}")
    cache.chmod(0o644)
    before = os.umask(0)
    try:
        with TokenService() as service:
            fetch(Tokens(client(service, refresh_token=CONSENT), cache))
    finally:
        os.umask(before)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert sorted(path.name for path in cache.parent.iterdir()) == ["token.json", "token.json.lock"]


@pytest.mark.parametrize("left", ["", "{", "[]", "{}", '{"client": 1, "access": 2}'])
def test_a_damaged_file_is_no_token(cache: Path, left: str) -> None:
    """What cannot be read is replaced."""
    cache.write_text(left)
    cache.with_name("token.json.new").write_text("left by a crash")
    with TokenService() as service:
        assert service.takes(fetch(Tokens(client(service, refresh_token=CONSENT), cache)))
    assert json.loads(cache.read_text())["access"]


def test_a_file_with_odd_values_is_no_token(cache: Path) -> None:
    """One of ours in which somebody has written something else is replaced, too."""
    with TokenService() as service:
        mine = client(service, refresh_token=CONSENT)
        fetch(Tokens(mine, cache))
        cache.write_text(json.dumps({**json.loads(cache.read_text()), "expires_at": "tomorrow"}))
        service.refresh.add(CONSENT)
        assert service.takes(fetch(Tokens(mine, cache)))


@pytest.mark.parametrize(
    "change", [{"scope": "other"}, {"username": "x@example.org"}, {"refresh_token": "new-consent"}]
)
def test_other_settings_need_another_token(cache: Path, change: dict[str, str]) -> None:
    """A token that was got for another account, scope or consent is never used."""
    with TokenService() as service:
        first = client(service, refresh_token=CONSENT)
        access = fetch(Tokens(first, cache))
        service.refresh |= {CONSENT, "new-consent"}
        assert fetch(Tokens(first, cache)) == access
        assert fetch(Tokens(dataclasses.replace(first, **change), cache)) != access


def test_a_file_that_cannot_be_written_is_named(cache: Path) -> None:
    """Where the token cannot be kept the sentence names the file, and nothing is asked of the service."""
    cache.mkdir()
    with TokenService() as service:
        with pytest.raises(LoginRefused, match=r"cannot be kept in .*token\.json"):
            fetch(Tokens(client(service, refresh_token=CONSENT), cache))
        assert not service.requests


# --- refusals and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (Refusal("invalid_grant"), LoginRefused, "Log in again: mailer login"),
        (Refusal("invalid_client"), LoginRefused, "OAUTH_CLIENT_SECRET"),
        (Refusal("invalid_scope"), LoginRefused, "OAUTH_SCOPE"),
        (Refusal("what_is_this"), LoginRefused, "what_is_this"),
        (Refusal("server_error"), RelayUnreachable, "Try again later"),
        (Refusal("", 429, b'{"error": "too_many_requests"}'), RelayUnreachable, "Try again later"),
        (Refusal("", 502), RelayUnreachable, "OAUTH_TOKEN_URL"),
        (Refusal("", 307), RelayUnreachable, "OAUTH_TOKEN_URL"),
        (Refusal("", 404), RelayUnreachable, "OAUTH_TOKEN_URL"),
    ],
    ids=lambda value: str(getattr(value, "status", "")) + str(value) if isinstance(value, Refusal) else None,
)
def test_a_refusal_says_what_to_do_and_no_secret(
    cache: Path, refusal: Refusal, kind: type[MailerError], words: str
) -> None:
    """Each refusal of the service is one sentence with its remedy; what it repeats of our secrets is struck out, and
    a redirection never gets them."""
    with TokenService(refusals=[refusal]) as service:
        settings = client(service, client_secret=CLIENT_SECRET, refresh_token=CONSENT)
        with pytest.raises(kind, match=words) as raised:
            fetch(Tokens(settings, cache))
        assert len(service.requests) == 1
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(settings)
    assert "hush" not in told


def test_a_kept_consent_is_not_shown(cache: Path) -> None:
    """What renewed the token last is struck out of the service's words, as what stands in the settings is."""
    with TokenService() as service:
        tokens = Tokens(client(service, refresh_token=CONSENT), cache)
        first = fetch(tokens)
        kept = json.loads(cache.read_text())["refresh"]
        said = json.dumps({"error": "invalid_grant", "error_description": f"{kept} was withdrawn"}).encode()
        service.refusals.append(Refusal("", 400, said))
        with pytest.raises(LoginRefused, match=r"\*\*\* was withdrawn") as raised:
            fetch(tokens, first)
    assert kept not in "".join(traceback.format_exception(raised.value))


def test_an_answer_without_a_token_is_none() -> None:
    """A service that answers something else is told as such, not as a fault of ours."""
    with pytest.raises(ValueError, match="no access token"):
        Token.from_response({"token_type": "Bearer"}, 0)
    assert Token.from_response({"access_token": "a"}, 0).expires_at == 3600


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (b"null", RelayUnreachable, "HTTP 400 without a JSON object"),
        (b'"an error"', RelayUnreachable, "without a JSON object"),
        (b"[]", RelayUnreachable, "without a JSON object"),
        (b"[" * 60_000, RelayUnreachable, "without a JSON object"),
        (b'{"error":' + b"[" * 60_000, RelayUnreachable, "without a JSON object"),
        (b'{"expires_in": ' + b"9" * 5000 + b"}", RelayUnreachable, "without a JSON object"),
        (b"{}", RelayUnreachable, "there is no access token in the answer"),
        (b'{"access_token": ["a"]}', RelayUnreachable, "there is no access token in the answer"),
        (b'{"error": {"code": 401, "message": "bad"}}', LoginRefused, "'code': 401.* Check the OAUTH_ settings"),
        (b'{"error": ["bad"], "error_description": {"a": 1}}', LoginRefused, "bad.* Check the OAUTH_ settings"),
        (b'{"error": null}', LoginRefused, "Check the OAUTH_ settings"),
    ],
    ids=lambda value: value[:20].decode() if isinstance(value, bytes) else None,
)
def test_nonsense_is_told_as_such(cache: Path, said: bytes, kind: type[MailerError], words: str) -> None:
    """Whatever a service sends in place of a token or an error code is one sentence with what to check."""
    with TokenService(refusals=[Refusal("", 400, said)]) as service, pytest.raises(kind, match=words):
        fetch(Tokens(client(service, refresh_token=CONSENT), cache))


@pytest.mark.parametrize(
    "lifetime",
    [b"1e999", b"-1e999", b"NaN", b"0", b"-5", b"1e12", b"9" * 400, b"[3]", b"{}", b"null", b'"soon"', b"3600"],
    ids=lambda value: value[:8].decode(),
)
def test_an_odd_lifetime_counts_as_the_usual_one(cache: Path, lifetime: bytes) -> None:
    """A token whose `expires_in` means nothing is used for an hour, as one without any."""
    clock = Clock()
    said = b'{"access_token": "given", "expires_at": [1], "expires_in": ' + lifetime + b"}"
    with TokenService(refusals=[Refusal("", 200, said)]) as service:
        tokens = Tokens(client(service, refresh_token=CONSENT), cache, clock)
        for age, is_same in ((0, True), (3299, True), (1, False)):
            clock.now += age
            assert (fetch(tokens) == "given") is is_same


def test_no_part_of_a_secret_is_shown(cache: Path) -> None:
    """Where a long refusal is cut short, what it repeats of our secrets is struck out first."""
    said = {"error": "invalid_client", "error_description": "x" * 280 + "hush-first-and-last"}
    with TokenService(refusals=[Refusal("", 400, json.dumps(said).encode())]) as service:  # noqa: SIM117
        with pytest.raises(LoginRefused, match=r"x\*\*\*") as raised:
            fetch(Tokens(client(service, client_secret="hush-first-and-last"), cache))
    assert "hush" not in str(raised.value)


def test_a_secret_in_another_encoding_is_not_shown(cache: Path) -> None:
    """A client secret that the environment had in another encoding is refused without any part of it."""
    with TokenService() as service, pytest.raises(LoginRefused, match="OAUTH_ settings is not in UTF-8") as raised:
        fetch(Tokens(client(service, client_secret="\udce4-hush"), cache))
    assert "hush" not in str(raised.value)
    assert "udce4" not in ascii(str(raised.value))


def test_no_service_is_unreachable(cache: Path) -> None:
    """Where nobody listens the sentence names the setting."""
    with TokenService() as service:
        settings = client(service, refresh_token=CONSENT)
    with pytest.raises(RelayUnreachable, match="OAUTH_TOKEN_URL"):
        fetch(Tokens(settings, cache))


def test_plain_http_goes_through_no_proxy(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment gets no secret that was meant for this machine."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with TokenService() as service:
        assert fetch(Tokens(client(service, refresh_token=CONSENT), cache))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("settings", [{"refresh_token": CONSENT}, {}], ids=["refresh token", "client credentials"])
def test_no_redirection_is_followed(cache: Path, status: int, settings: dict[str, str]) -> None:
    """Wherever a service points, no secret goes there: after its one answer nothing more is asked of anybody."""
    asked: list[bytes] = []

    def redirect(session: Session) -> None:
        asked.append(session.socket.recv(65536))
        head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 2\r\n\r\n{{}}"
        say_and_drop(head.encode())(session)

    with (
        ScriptedServer({"connect": [redirect] * 3}) as server,
        pytest.raises(RelayUnreachable, match="no access token"),
    ):
        fetch(Tokens(client_at(server, client_secret=CLIENT_SECRET, **settings), cache))
    assert len(asked) == 1


# --- a service without an end -----------------------------------------------------------------------------------------


def client_at(server: ScriptedServer, **settings: str) -> Client:
    return Client(f"http://127.0.0.1:{server.port}/token", CLIENT_ID, USER, **settings)


def without_end(head: bytes, piece: bytes, pause: float = 0.0) -> Action:
    """Answers a request with `head`, then with `piece` for ever."""

    def act(session: Session) -> None:
        session.socket.recv(65536)
        session.socket.sendall(head)
        while not session.server.is_over.wait(pause):
            session.socket.sendall(piece)

    return act


OK = b"HTTP/1.1 200 OK\r\n"
DRIBBLES = {
    "head": without_end(OK + b"X-Word: ", b"x", 0.02),
    "body": without_end(OK + b"\r\n", b" ", 0.02),
    "silence": without_end(b"", b"", 0.02),
}


@pytest.mark.parametrize("part", DRIBBLES)
def test_an_answer_must_be_whole_in_time(cache: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """A service of whose answer an octet comes now and then is told as one that gave no token, for `send` and `login`
    alike: its time is for the whole of it."""
    monkeypatch.setitem(TERMS, "timeout", 0.3)  # type: ignore[arg-type]
    with ScriptedServer({"connect": [DRIBBLES[part]] * 2}) as server:
        settings = client_at(server, client_secret=CLIENT_SECRET)
        with pytest.raises(RelayUnreachable, match=r"no complete answer within 0\.3 seconds.*OAUTH_TOKEN_URL"):
            fetch(Tokens(settings, cache))
        with pytest.raises(RelayUnreachable, match="no complete answer"), conversation(settings) as session:
            session.request("POST", settings.token_url, withhold_token=True, data={}, **TERMS)


@pytest.mark.parametrize("status", [b"200 OK", b"400 Bad Request"])
def test_an_answer_has_an_end(cache: Path, status: bytes) -> None:
    """A body that does not end is left behind its 64th kibibyte."""
    flood = without_end(b"HTTP/1.1 " + status + b"\r\n\r\n", b" " * 65536)
    with ScriptedServer({"connect": flood}) as server, pytest.raises(RelayUnreachable, match="longer than 64 KiB"):
        fetch(Tokens(client_at(server, client_secret=CLIENT_SECRET), cache))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
@pytest.mark.parametrize("part", DRIBBLES)
def test_an_interrupt_ends_the_waiting(cache: Path, part: str) -> None:
    """Ctrl-C ends a process that waits for a token, however long the service has yet."""
    is_asked = threading.Event()

    def act(session: Session) -> None:
        is_asked.set()
        DRIBBLES[part](session)

    with ScriptedServer({"connect": act}) as server:
        script = (
            "import asyncio, pathlib; from mailer.smtp.oauth import TERMS, Client, Tokens; TERMS['timeout'] = 3600.0; "
            f"client = Client('http://127.0.0.1:{server.port}/token', 'me', 'me', client_secret='hush'); "
            f"asyncio.run(Tokens(client, pathlib.Path({str(cache)!r}))())"
        )
        with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
            try:
                assert is_asked.wait(60)
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=60)
            finally:
                process.kill()
    assert said.rstrip().endswith(b"KeyboardInterrupt")


# --- a run ------------------------------------------------------------------------------------------------------------


def run(relay: TokenRelay, tokens: Tokens, messages: int, connections: int = 4) -> list[Verdict]:
    """Sends so many messages over several connections that share the tokens."""
    where = Relay("127.0.0.1", relay.port, Security.NONE, USER, tokens, xoauth2=True, timeout=30)
    waiting = [Address.parse(f"guest-{n}@example.org") for n in range(messages)]

    async def session(number: int) -> list[Verdict]:
        verdicts = []
        connection = Connection(dataclasses.replace(where, username=f"events+{number}@sender.example.org"))
        while waiting:
            envelope = Envelope(Address("events", "sender.example.org"), (waiting.pop(),))
            outcome = None
            while outcome is None or outcome.is_retry:
                if not connection.is_open:
                    await connection.open()
                outcome = await connection.send(envelope, [b"Subject: x\r\n\r\nx\r\n"])
            verdicts.append(outcome.verdict)
        await connection.close()
        return verdicts

    async def sessions() -> list[Verdict]:
        parts = await asyncio.gather(*(session(number) for number in range(connections)))
        return [verdict for part in parts for verdict in part]

    return asyncio.run(sessions())


def test_a_long_run_outlives_many_tokens(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With tokens of two seconds every message of a long run leaves once, no login is refused, and one request serves
    all connections; no secret is logged."""
    clock = Clock()

    def tick() -> None:
        clock.now += 0.25

    with TokenService(2, clock) as service, TokenRelay(service, tick) as relay, caplog.at_level(logging.DEBUG):
        began = clock.now
        verdicts = run(relay, Tokens(client(service, refresh_token=CONSENT), cache, clock), 400)
        lasted = clock.now - began
    assert verdicts == [Verdict.ACCEPTED] * 400
    assert Counter(recipient for t in relay.accepted for recipient in t.recipients).most_common(1)[0][1] == 1
    assert len(relay.accepted) == 400
    assert relay.refused == 0
    assert lasted > 10 * service.lifetime
    assert len(service.grants) <= lasted + 1
    assert "hush" not in caplog.text


def test_a_run_outlives_tokens_that_are_withdrawn(cache: Path) -> None:
    """Where the relay refuses a token before its time, a connection logs in once more; one request serves all."""
    withdrawn = 0
    with TokenService() as service:

        def tick() -> None:
            nonlocal withdrawn
            if len(relay.accepted) % 7 == 0:
                withdrawn += 1
                service.revoke()

        with TokenRelay(service, tick) as relay:
            verdicts = run(relay, Tokens(client(service, refresh_token=CONSENT), cache), 300)
    assert verdicts == [Verdict.ACCEPTED] * 300
    assert len({t.rcpts[0] for t in relay.accepted}) == len(relay.accepted) == 300
    assert relay.refused >= 3
    assert 3 <= len(service.grants) - 1 <= withdrawn


def test_a_second_refusal_stops_the_run(cache: Path) -> None:
    """A relay that takes no token at all ends the run after two logins, with its words and without the token."""
    with TokenService() as service, TokenRelay(service) as relay:
        service.takes = lambda access: False  # type: ignore[method-assign]
        with pytest.raises(LoginRefused, match=r"535 5\.7\.3.*\*\*\*") as raised:
            run(relay, Tokens(client(service, refresh_token=CONSENT), cache), 1, connections=1)
    assert relay.refused == 2
    assert len(service.grants) == 2
    assert "hush" not in str(raised.value)
