"""`mailer login`, and sending with the tokens that it brought."""

import os
import re
import socket
import stat
import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from mailer.cli.consent import _listening
from mailer.smtp.oauth import TERMS
from tests.cli.conftest import Folder, Result
from tests.servers import ScriptedServer, dribble
from tests.tokens import CLIENT_ID, CLIENT_SECRET, CONSENT, Refusal, TokenRelay, TokenService

# What a person's browser does: asks for an icon, is sent on by others, and follows the service's redirection.
BROWSER = """
import sys, urllib.error, urllib.parse, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(sys.argv[1]).query))
for page in ("/favicon.ico", "/?code=evil&state=wrong", "/?code=evil"):
    try:
        opener.open(asked["redirect_uri"] + page)
    except urllib.error.HTTPError as exc:
        assert exc.code == 404
page = opener.open(sys.argv[1])
open("page.txt", "w").write(page.read().decode() + page.headers["Cache-Control"])
open("asked.txt", "w").write(repr(asked))
"""


@pytest.fixture
def browser(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's browser; what it showed in the end."""
    script = folder.write("browser.py", BROWSER)
    monkeypatch.setenv("BROWSER", f"{sys.executable} {script} %s")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    return folder.path / "page.txt"


def configure(folder: Folder, service: TokenService, relay: TokenRelay | None = None, **settings: str) -> None:
    values = {
        "SMTP_AUTH": "xoauth2",
        "SMTP_USERNAME": "events@sender.example.org",
        "OAUTH_TOKEN_URL": service.url,
        "OAUTH_CLIENT_ID": CLIENT_ID,
        "OAUTH_SCOPE": "smtp offline_access",
        **settings,
    }
    if relay:
        folder.relay(relay, **values)
    else:
        folder.write("config.env", "".join(f"{key}={value}\n" for key, value in values.items()))


def login(folder: Folder, *words: str) -> Result:
    result = folder.run("login", *words, now=None)
    assert "hush" not in result.out + result.err
    return result


def test_a_browser_comes_back_with_consent(folder: Folder, browser: Path) -> None:
    """The browser is sent to the service and back to this machine; the token is kept for the owner alone. Whoever
    comes without the secret state is not listened to."""
    with TokenService() as service:
        configure(folder, service)
        done = login(folder)
        assert done.code == 0, done.err
        assert service.grants == ["authorization_code"]
    assert "Waiting 10 minutes for you to log in" in done.out
    assert "mailer login --device" in done.out
    assert "oauth-token.json" in done.out
    assert f"{service.address}/organisation/oauth2/v2.0/authorize?" in done.out
    assert "You may close this window" in browser.read_text()
    assert "no-store" in browser.read_text()
    asked = (folder.path / "asked.txt").read_text()
    assert "'scope': 'smtp offline_access'" in asked
    assert "'login_hint': 'events@sender.example.org'" in asked
    if os.name != "nt":
        assert stat.S_IMODE((folder.path / "oauth-token.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("before", [b"", b"GET http://[ HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n"])
def test_an_answer_counts_though_its_tab_is_closed(before: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """A browser that is gone before it is thanked has come back all the same, and other callers leave no trace."""
    with _listening("ours") as (port, answers):
        for said in (before, b"GET /?code=given&state=ours HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as caller:
                caller.sendall(said)
        assert answers.get(timeout=10)["code"] == "given"
    assert not capfd.readouterr().err


def test_a_refused_consent_is_told(folder: Folder, browser: Path) -> None:
    """A person who says no in the browser reads so in both places, and nothing is kept."""
    with TokenService(consents=False) as service:
        configure(folder, service)
        refused = login(folder)
    assert refused.code == 4
    assert "The consent was not given" in refused.err
    assert "not given" in browser.read_text()
    assert not (folder.path / "oauth-token.json").exists()


def test_nobody_comes_back(folder: Folder, browser: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting ends, with the way for machines that have no browser."""
    monkeypatch.setenv("BROWSER", "true %s")
    monkeypatch.setattr("mailer.cli.consent._PATIENCE", 0.01)
    with TokenService() as service:
        configure(folder, service)
        left = login(folder)
    assert left.code == 4
    assert "mailer login --device" in left.err


def test_a_code_is_entered_on_another_device(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a browser a code is shown, and the service asked, slower where it says so, until the person is done."""
    monkeypatch.setattr("mailer.cli.consent._INTERVAL", 0.01)
    with TokenService(waits=["authorization_pending", "slow_down", "authorization_pending"]) as service:
        configure(folder, service)
        done = login(folder, "--device")
        assert done.code == 0, done.err
        assert len(service.requests) == 5
    assert "https://login.example.org/device" in done.out
    assert "WDJB-MJHT" in done.out
    assert re.search(r"Waiting \d+ minutes for that", done.out)
    assert (folder.path / "oauth-token.json").exists()


@pytest.mark.parametrize(("faults", "code"), [(2, 0), (50, 4)])
def test_a_service_that_is_away_for_a_moment_costs_no_code(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, faults: int, code: int
) -> None:
    """A code outlives faults of network and service, asked about less and less often, until its own end."""
    monkeypatch.setattr("mailer.cli.consent._PATIENCE", 2.0)

    class Away(TokenService):
        def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
            status, answer = super().answer(path, asked)
            if path.endswith("/devicecode"):
                self.refusals = [Refusal("", 503), Refusal("", 200)] * faults
                del answer["expires_in"]
            return status, answer

    with Away() as service:
        configure(folder, service)
        done = login(folder, "--device")
        assert 4 < len(service.requests) < 12
    assert done.code == code, done.err
    assert not code or "HTTP" in done.err


@pytest.mark.parametrize(
    ("refusal", "words"),
    [("expired_token", "not entered in time"), ("access_denied", "consent was not given")],
)
def test_a_code_that_is_not_entered_is_told(folder: Folder, refusal: str, words: str) -> None:
    """A code that ran out, or a consent that was refused, ends the waiting with what to do."""
    with TokenService(waits=[refusal]) as service:
        configure(folder, service)
        left = login(folder, "--device")
    assert left.code == 4
    assert words in left.err


def test_what_is_odd_about_the_settings_is_told_beside_a_refusal(folder: Folder) -> None:
    """A secret that was cut off shows itself as one that the service does not know."""
    with TokenService(refusals=[Refusal("invalid_client", 401)]) as service:
        configure(folder, service, OAUTH_CLIENT_SECRET="first half #second half")
        left = login(folder, "--device")
    assert left.code == 4
    assert "OAUTH_CLIENT_SECRET ends before a blank and a #" in left.err


def test_a_service_without_codes_is_told(folder: Folder) -> None:
    """Where the service knows no device code, or answers nonsense to it, the other way is named."""
    with TokenService(refusals=[Refusal("", 404)]) as service:
        configure(folder, service)
        assert login(folder, "--device").code == 4
        configure(folder, service, OAUTH_TOKEN_URL="https://oauth2.googleapis.com/token")
        google = login(folder, "--device")
    assert google.code == 2
    assert "where a browser is" in google.err


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"null", "without a JSON object"),
        (b"5", "without a JSON object"),
        (b'"an error"', "without a JSON object"),
        (b'{"error": {"code": 401}}', "'code': 401"),
        (b"{}", "offers no device code"),
    ],
)
def test_nonsense_in_place_of_a_code_is_told(folder: Folder, said: bytes, words: str) -> None:
    """A service that answers something else than a device code ends the login in one sentence."""
    with TokenService(refusals=[Refusal("", 200, said)]) as service:
        configure(folder, service)
        left = login(folder, "--device")
    assert left.code == 4
    assert words in left.err


@pytest.mark.parametrize("interval", ["1e12", "1e999", "-1", "[1]"])
def test_an_odd_interval_is_not_waited_for(folder: Folder, monkeypatch: pytest.MonkeyPatch, interval: str) -> None:
    """Where the service's pause between two questions means nothing, the usual one is made, for the usual time."""
    monkeypatch.setattr("mailer.cli.consent._INTERVAL", 0.01)
    place = '"verification_uri": "https://login.example.org/device", "user_code": "WDJB-MJHT", "device_code": "device"'
    said = f'{{{place}, "interval": {interval}, "expires_in": 1e999}}'.encode()
    with TokenService(refusals=[Refusal("", 200, said)]) as service:
        configure(folder, service)
        done = login(folder, "--device")
    assert done.code == 0, done.err
    assert "Waiting 10 minutes for that" in done.out


@pytest.mark.parametrize("words", [(), ("--device",)], ids=["browser", "device"])
def test_no_redirection_is_followed(folder: Folder, browser: Path, words: tuple[str, ...]) -> None:
    """What the consent brought is not sent on to wherever the service points."""
    with TokenService(refusals=[Refusal("", 307, b"{}")]) as service:
        configure(folder, service)
        left = login(folder, *words)
        assert len(service.requests) == 1
    assert left.code == 4


def test_a_service_that_never_comes_to_an_end_is_left(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole answer has its time, however regularly a part of it comes."""
    monkeypatch.setitem(TERMS, "timeout", 0.3)  # type: ignore[arg-type]
    with TokenService() as service:
        configure(folder, service)
    with ScriptedServer({"connect": dribble("HTTP/1.1 200 OK\r\nX-Word: " + "x" * 1000)}) as server:
        monkeypatch.setenv("OAUTH_TOKEN_URL", f"http://127.0.0.1:{server.port}/token")
        left = login(folder, "--device")
    assert left.code == 4
    assert "no complete answer within 0.3 seconds" in left.err


def test_a_consent_that_cannot_be_renewed_is_told(folder: Folder, browser: Path) -> None:
    """A token that will end without another is kept, and the exit code says that a person has to do something."""
    with TokenService(gives_refresh=False) as service:
        configure(folder, service)
        done = login(folder)
    assert done.code == 1
    assert "offline_access" in done.err


def test_an_application_needs_nobody(folder: Folder) -> None:
    """Client credentials are tried at once, and no browser is opened."""
    with TokenService(secret=CLIENT_SECRET) as service:
        scope = "https://outlook.office365.com/.default"
        configure(folder, service, OAUTH_CLIENT_SECRET=CLIENT_SECRET, OAUTH_SCOPE=scope)
        done = login(folder)
        assert done.code == 0, done.err
        assert service.grants == ["client_credentials"]
    assert "Nobody needs to consent" in done.out


def test_a_password_needs_no_consent(folder: Folder) -> None:
    """Where SMTP_AUTH is a password the command says which settings it is for."""
    folder.write("config.env", "SMTP_USERNAME=me\nSMTP_PASSWORD=hush\n")
    refused = login(folder)
    assert refused.code == 2
    assert "SMTP_AUTH=xoauth2" in refused.err


# --- and then ---------------------------------------------------------------------------------------------------------


def guests(number: int) -> str:
    return "Mission,Email\n" + "".join(f"Fiji,guest-{n}@fiji.example.org\n" for n in range(number))


def test_a_mailing_goes_out_with_tokens(folder: Folder, browser: Path) -> None:
    """After one login a mailing over several connections needs nobody, also where the tokens are withdrawn half-way;
    each message leaves once, and no secret stands in the ledger, on the screen or in the log."""
    with TokenService() as service:

        def tick() -> None:
            # Once: two in one go could fall between a refusal and the second login.
            if len(relay.accepted) >= 20 and len(service.grants) == 1 and service.given:
                service.revoke()

        with TokenRelay(service, tick) as relay:
            configure(folder, service, relay, SMTP_CONNECTIONS="4")
            folder.write("contacts/missions.csv", guests(60))
            assert login(folder).code == 0
            sent = folder.run("send", "--yes")
            assert sent.code == 0, sent.err
            assert service.grants == ["authorization_code", "refresh_token"]
    assert len({t.rcpts[0] for t in relay.accepted}) == len(relay.accepted) == 60
    assert relay.refused >= 1
    assert set(folder.states().values()) == {"sent"}
    assert "hush" not in sent.out + sent.err
    for path in folder.path.glob("ledger.db*"):
        assert b"hush" not in path.read_bytes()


def test_a_withdrawn_consent_stops_the_run(folder: Folder) -> None:
    """Where the consent no longer holds the run ends with the command to run, and everybody is due again."""
    with TokenService() as service, TokenRelay(service) as relay:
        service.refresh.clear()
        configure(folder, service, relay, OAUTH_REFRESH_TOKEN=CONSENT)
        stopped = folder.run("send", "--yes")
        assert stopped.code == 4
        assert "mailer login" in stopped.err
        assert "hush" not in stopped.out + stopped.err
        assert set(folder.states().values()) == {"queued"}
        service.refresh.add(CONSENT)
        assert folder.run("send", "--yes").code == 0
