"""A person's consent to sending as their account: by device code, or by a browser that comes back to this machine."""

from __future__ import annotations

import queue
import secrets
import threading
import time
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mailer.cli import console
from mailer.errors import LoginRefused, UsageError
from mailer.smtp.oauth import TERMS, Client, Token, conversation

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

# Seconds that a person has to come back from the browser, second factor and all.
_PATIENCE = 600.0
# RFC 8628 sections 3.2 and 3.5: between two questions, where the service does not say; more, where it says "slow down".
_INTERVAL = 5.0
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class _Service:
    """Where a person consents; `device_url` is None where the service has no device code for sending mail."""

    browser_url: str
    device_url: str | None
    wishes: Mapping[str, str] = field(default_factory=dict)


def consent(client: Client, *, device: bool) -> Token:
    """The token that the service gives once the person has consented; says to them what to do.

    Raises LoginRefused, RelayUnreachable, and UsageError where the service has no such way.
    """
    service = _service_of(client)
    with conversation(client) as session:
        response = (_by_device_code if device else _by_browser)(client, service, session)
        return Token.from_response(response, time.time())


def _service_of(client: Client) -> _Service:
    if client.service == "oauth2.googleapis.com":
        # Google lets devices with a code read files and profiles, not send mail; and gives a refresh token only when
        # it is asked for in these words.
        wishes = {"access_type": "offline", "prompt": "consent"}
        return _Service("https://accounts.google.com/o/oauth2/v2/auth", None, wishes)
    # Microsoft's names for what stands beside the token endpoint.
    beside = client.token_url.rpartition("/")[0]
    return _Service(f"{beside}/authorize", f"{beside}/devicecode")


# --- device code (RFC 8628) -------------------------------------------------------------------------------------------


def _by_device_code(client: Client, service: _Service, session: OAuth2Session) -> Mapping[str, Any]:
    from authlib.integrations.requests_client import OAuthError
    from requests import RequestException

    if service.device_url is None:
        raise UsageError(f"{client.service} has no device code for sending mail: run mailer login where a browser is.")
    asked = {"client_id": client.client_id, "scope": client.scope}
    answer = session.request("POST", service.device_url, withhold_token=True, data=asked, **TERMS).json()
    if "error" in answer:
        raise OAuthError(answer["error"], answer.get("error_description"))
    try:
        address, user_code, device_code = (answer[key] for key in ("verification_uri", "user_code", "device_code"))
        interval, lifetime = float(answer.get("interval", _INTERVAL)), float(answer.get("expires_in", _PATIENCE))
    except (KeyError, TypeError):
        raise LoginRefused(f"{client.service} offers no device code: run mailer login where a browser is.") from None
    told = f"On any device open {address}, enter the code {user_code} and log in as {client.username}."
    console.say(console.printable(told))
    console.say(f"Waiting {console.count(round(lifetime / 60), 'minute')} for that.")
    ends_at = time.monotonic() + lifetime
    while time.monotonic() < ends_at:
        time.sleep(interval)
        try:
            response: Mapping[str, Any] = session.fetch_token(
                client.token_url, grant_type=_DEVICE_CODE, device_code=device_code, **TERMS
            )
        except OAuthError as exc:
            if exc.error == "slow_down":
                interval += _INTERVAL
            elif exc.error != "authorization_pending":
                raise
        except (RequestException, ValueError):
            # Section 3.5: a fault on the way is no answer; the person may be entering the code at this moment.
            interval *= 2
            if time.monotonic() + interval > ends_at:
                raise
        else:
            return response
    raise OAuthError("expired_token")


# --- loopback redirect (RFC 8252 section 7.3) with PKCE (RFC 7636) ----------------------------------------------------


def _by_browser(client: Client, service: _Service, session: OAuth2Session) -> Mapping[str, Any]:
    from authlib.integrations.requests_client import OAuthError

    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    with _listening(state) as (port, answers):
        # The name and not the number: Microsoft lets the port vary for http://localhost alone.
        back = f"http://localhost:{port}"
        address, _ = session.create_authorization_url(
            service.browser_url,
            state=state,
            code_verifier=verifier,
            redirect_uri=back,
            login_hint=client.username,
            **service.wishes,
        )
        minutes = console.count(round(_PATIENCE / 60), "minute")
        console.say(f"Waiting {minutes} for you to log in as {client.username} in the browser.")
        if service.device_url:
            console.say("If there is no browser on this machine, stop here and run mailer login --device.")
        console.say(f"If none opens, open this address there:\n{address}")
        webbrowser.open(address)
        try:
            answer = answers.get(timeout=_PATIENCE)
        except queue.Empty:
            raise LoginRefused(
                f"Nobody came back from the browser within {_PATIENCE / 60:.0f} minutes. Where there is no browser: "
                "mailer login --device"
            ) from None
    if "code" not in answer:
        raise OAuthError(answer.get("error", "access_denied"), answer.get("error_description"))
    response: Mapping[str, Any] = session.fetch_token(
        client.token_url,
        grant_type="authorization_code",
        code=answer["code"],
        code_verifier=verifier,
        redirect_uri=back,
        **TERMS,
    )
    return response


@contextmanager
def _listening(state: str) -> Iterator[tuple[int, queue.Queue[dict[str, str]]]]:
    """Waits on a free port of loopback for the browser to come back with `state`; gives port and answers."""
    answers: queue.Queue[dict[str, str]] = queue.Queue()

    class Listener(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            answer = dict(parse_qsl(urlsplit(self.path).query))
            ours = secrets.compare_digest(answer.get("state", "").encode(), state.encode())
            try:
                self._say(200 if ours else 404, _farewell(answer) if ours else "This is not the page you look for.")
            finally:
                if ours:
                    answers.put(answer)

        def _say(self, status: int, words: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the address holds the code."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Nothing: whoever calls here may hang up, or talk nonsense, as they like."""

    with Server(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield server.server_port, answers
        finally:
            server.shutdown()
            thread.join()


def _farewell(answer: Mapping[str, str]) -> str:
    if "code" in answer:
        return "Thank you. You may close this window and go back to mailer."
    return "The consent was not given. You may close this window; mailer says what to do."
