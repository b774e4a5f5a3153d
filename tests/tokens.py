"""A token service over real HTTP on loopback, and a relay that takes only the tokens that it gave out."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.servers import Action, ScriptedServer, Session, say_and_drop

CLIENT_ID, CLIENT_SECRET, CONSENT = "mailer-client", "client-secret-hush", "first-consent-hush"
PATH = "/organisation/oauth2/v2.0"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Refusal(Exception):
    """An error code of RFC 6749 section 5.2, or an HTTP status alone, or with what is `said` with it."""

    def __init__(self, error: str, status: int = 400, said: bytes = b"") -> None:
        super().__init__(error)
        self.error, self.status, self.said = error, status, said


@dataclass
class TokenService:
    """Gives tokens that last `lifetime` seconds of `clock`; a context manager.

    A refresh token is good once, as strict services have it. `refusals` are answered first, one a request. `waits`
    is how often a device code is still pending. `consents`: whether the person says yes.
    """

    lifetime: float = 3600
    clock: Callable[[], float] = time.time
    secret: str = ""
    refusals: list[Refusal] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    consents: bool = True
    gives_refresh: bool = True
    grants: list[str] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    given: dict[str, float] = field(default_factory=dict)
    refresh: set[str] = field(default_factory=lambda: {CONSENT})
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                where = service.authorise(dict(parse_qsl(parts.query)))
                self.send_response(302)
                self.send_header("Location", where)
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = service.answer(self.path, dict(parse_qsl(body)))
                octets = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                if status // 100 == 3:
                    self.send_header("Location", f"{service.address}/elsewhere")
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}{PATH}/token"

    def takes(self, access: str) -> bool:
        """Whether a relay may let in whoever brings this token."""
        with self._lock:
            return self.given.get(access, 0) > self.clock()

    def revoke(self) -> None:
        """Ends every access token at once, though they were to last longer."""
        with self._lock:
            self.given.clear()

    # --- requests -----------------------------------------------------------------------------------------------------

    def authorise(self, asked: dict[str, str]) -> str:
        """Where the person's browser is sent back to."""
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        answer = {"state": asked["state"]}
        if self.consents:
            code = secrets.token_urlsafe()
            self._codes[code] = asked
            answer["code"] = code
        else:
            answer |= {"error": "access_denied", "error_description": "The person said no."}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
        with self._lock:
            self.requests.append(asked)
            try:
                if self.refusals:
                    raise self.refusals.pop(0)
                if path == f"{PATH}/devicecode":
                    return 200, self._device_code(asked)
                assert path == f"{PATH}/token", path
                return 200, self._token(asked)
            except Refusal as exc:
                if exc.said or exc.status != 400:
                    return exc.status, exc.said or b"<html>no JSON here</html>"
                words = f"AADSTS00000: {exc.error}; you said {asked.get('client_secret')}"
                return 400, {"error": exc.error, "error_description": words}

    def _device_code(self, asked: dict[str, str]) -> dict[str, object]:
        assert asked["client_id"] == CLIENT_ID
        self._codes["device"] = asked
        return {
            "device_code": "device",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://login.example.org/device",
            "interval": 0.01,
            "expires_in": 900,
        }

    def _token(self, asked: dict[str, str]) -> dict[str, object]:
        if asked.get("client_id") != CLIENT_ID or asked.get("client_secret", "") != self.secret:
            raise Refusal("invalid_client")
        grant = asked["grant_type"]
        if grant == "refresh_token":
            if asked["refresh_token"] not in self.refresh:
                raise Refusal("invalid_grant")
            self.refresh.discard(asked["refresh_token"])
        elif grant == "authorization_code":
            first = self._codes.pop(asked["code"])
            challenge = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"].encode()).digest())
            if challenge.rstrip(b"=").decode() != first["code_challenge"]:
                raise Refusal("invalid_grant")
            assert asked["redirect_uri"] == first["redirect_uri"]
        elif grant == DEVICE:
            if self.waits:
                raise Refusal(self.waits.pop(0))
        elif grant != "client_credentials":
            raise Refusal("unsupported_grant_type")
        self.grants.append(grant)
        return self._give(with_refresh=grant != "client_credentials" and self.gives_refresh)

    def _give(self, *, with_refresh: bool) -> dict[str, object]:
        access, refresh = f"access-{secrets.token_hex(8)}-hush", f"refresh-{secrets.token_hex(8)}-hush"
        self.given[access] = self.clock() + self.lifetime
        answer: dict[str, object] = {"token_type": "Bearer", "access_token": access, "expires_in": self.lifetime}
        if with_refresh:
            self.refresh.add(refresh)
            answer["refresh_token"] = refresh
        return answer


class TokenRelay(ScriptedServer):
    """A relay that lets in whoever brings a token that `service` takes, hangs up on everybody else, and closes each
    connection after three messages.

    `tick` is called after a message while nobody is between greeting and login, or was refused and has not come back
    (clients are told apart by their user names). So what it does to the tokens never falls between the fetch of one
    and its use, however slow the machine is.
    """

    def __init__(self, service: TokenService, tick: Callable[[], None] = lambda: None) -> None:
        super().__init__(features=["8BITMIME", "AUTH XOAUTH2 PLAIN"])
        self.service, self.tick = service, tick
        self.refused = 0
        self._visits: dict[int, _Visit] = {}
        self._refused: set[str] = set()
        self._door = threading.Lock()

    def act_for(self, step: str) -> str | Action | None:
        acts: dict[str, Action] = {"connect": self._arrive, "auth": self._let_in, "dot": self._took}
        return acts.get(step) or super().act_for(step)

    def _arrive(self, session: Session) -> None:
        with self._door:
            self._visits[id(session)] = _Visit(session)

    def _let_in(self, session: Session) -> None:
        said = base64.b64decode(session.line.split()[2]).decode()
        user, _, access = said.rstrip("\x01").partition("\x01auth=Bearer ")
        assert user.endswith("@sender.example.org")
        visit = self._visits[id(session)]
        with self._door:
            visit.is_waiting = False
            good = self.service.takes(access)
            self.refused += not good
            (self._refused.discard if good else self._refused.add)(user)
        if good:
            session.socket.sendall(b"235 2.7.0 Welcome\r\n")
            return
        session.socket.sendall(b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        session.socket.recv(1024)
        say_and_drop(f"535 5.7.3 Authentication unsuccessful for {access}\r\n".encode())(session)

    def _took(self, session: Session) -> None:
        visit = self._visits[id(session)]
        visit.messages += 1
        with self._door:
            if not self._refused and not any(other.is_waiting for other in self._visits.values()):
                self.tick()
        if visit.messages == 3:
            say_and_drop(b"250 2.0.0 Queued\r\n")(session)
        session.socket.sendall(b"250 2.0.0 Queued\r\n")


@dataclass
class _Visit:
    """One connection; it is waiting from its arrival until it is let in or refused."""

    session: Session
    is_waiting: bool = True
    messages: int = 0
