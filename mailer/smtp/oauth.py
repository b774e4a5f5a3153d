"""Access tokens for AUTH XOAUTH2 (RFC 6749): fetched, kept in a file, and renewed once for all connections."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from mailer.errors import LoginRefused, MailerError, RelayUnreachable, UsageError
from mailer.smtp.aside import begin

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session, OAuthError
    from requests import Response

# Seconds: how long before its end a token is renewed, at most; what it lasts where the service does not say (RFC 6749
# section 5.1 leaves that open); for one request with its whole answer; for another process that is renewing.
_EARLY = 300.0
_USUAL_LIFETIME = 3600.0
_PATIENCE = 20.0
_TURN = 60.0
# The most that a number of seconds in an answer can mean: ten years of a token, ten minutes between two questions.
_MOST = {"expires_in": 315_360_000.0, "interval": 600.0}

_LOG_IN_AGAIN = "Log in again: mailer login."
# What to do, by the service's error code (RFC 6749 section 5.2, RFC 8628 section 3.5, OpenID Connect section 3.1.2.6).
_ADVICE = {
    "invalid_grant": _LOG_IN_AGAIN,
    "interaction_required": _LOG_IN_AGAIN,
    "consent_required": _LOG_IN_AGAIN,
    "login_required": _LOG_IN_AGAIN,
    "access_denied": "The consent was not given. Run mailer login again, or ask your administrator to consent.",
    "expired_token": "The code was not entered in time: run mailer login again.",
    "invalid_client": "Check OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET; a secret has an end, too.",
    "unauthorized_client": "Have the application allowed to do this, or check OAUTH_CLIENT_ID.",
    "invalid_scope": "Check OAUTH_SCOPE; config.example.env names the usual ones.",
    "unsupported_grant_type": "Without a person this service gives no token: mailer login.",
}
_AWAY = {"temporarily_unavailable", "server_error", "slow_down"}


@dataclass(frozen=True, slots=True)
class Client:
    """The application as the token service knows it, and the account it sends for.

    `refresh_token` is a person's consent that was got elsewhere. Without one, and before `mailer login` has brought
    one, a `client_secret` means that the application logs in for itself (RFC 6749 section 4.4).
    """

    token_url: str
    client_id: str
    username: str
    scope: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    @property
    def service(self) -> str:
        """The token service's host, for sentences."""
        return urlsplit(self.token_url).netloc

    @property
    def needs_nobody(self) -> bool:
        """Whether it is the application itself that was let in: `/.default` is Microsoft's name for all that it was."""
        return bool(self.client_secret) and self.scope.endswith("/.default")

    @property
    def fingerprint(self) -> str:
        """What tells a kept token of this client from one that was got with other settings."""
        settings = [self.token_url, self.client_id, self.username, self.scope, self.refresh_token]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """One access token; `refresh` brings the next one, empty where the client needs none. Times are Unix time."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: float
    expires_at: float

    @classmethod
    def from_response(cls, response: Mapping[str, Any], now: float, refresh: str = "") -> Self:
        """What the service answered in a `conversation` (RFC 6749 section 5.1).

        `refresh` stays where it sends no other. Raises ValueError where that is no token.
        """
        access = response.get("access_token")
        if not isinstance(access, str) or not access:
            raise ValueError("there is no access token in the answer")
        lifetime = response.get("expires_in", _USUAL_LIFETIME)
        return cls(access, str(response.get("refresh_token") or refresh), now, now + lifetime)

    def is_fresh(self, now: float) -> bool:
        """Whether it may be used without a thought of renewal; a clock that was set back makes it stale."""
        early = min(_EARLY, (self.expires_at - self.issued_at) / 2)
        return self.issued_at <= now < self.expires_at - early


class Tokens:
    """The access tokens of one client, for all connections of all processes that share the file `cache`.

    The file is readable by its owner alone. `clock` gives Unix time.
    """

    def __init__(self, client: Client, cache: Path, clock: Callable[[], float] = time.time) -> None:
        self._client, self._cache, self._clock = client, cache, clock
        self._token: Token | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, refused: str = "") -> str:
        """A token to log in with, another one than `refused`, which the relay did not take.

        However many connections ask, only the first makes a request. Raises LoginRefused where a person has to do
        something, RelayUnreachable where the service is away and the last token has ended, and UsageError where the
        libraries for it are not installed.
        """
        async with self._turn:
            token = self._token
            if token is None or token.access == refused or not token.is_fresh(self._clock()):
                token = self._token = await asyncio.wrap_future(begin(lambda: self._renewed(refused)))
        return token.access

    def keep(self, token: Token) -> None:
        """Keeps what a person's consent has brought. Raises LoginRefused where that cannot be written."""
        with self._locked():
            self._write(token)

    def _renewed(self, refused: str) -> Token:
        with self._locked():
            kept, now = self._read(), self._clock()
            if kept and kept.access != refused and kept.is_fresh(now):
                return kept
            try:
                token = self._fetch(kept.refresh if kept else "", now)
            except RelayUnreachable:
                # Renewal begins early so that the service may be away for a while.
                if kept and kept.access != refused and kept.issued_at <= now < kept.expires_at:
                    return kept
                raise
            self._write(token)
            return token

    def _fetch(self, refresh: str, now: float) -> Token:
        # With what renews it now, so that this too is struck out of what the service repeats.
        client = replace(self._client, refresh_token=refresh or self._client.refresh_token)
        with conversation(client) as session:
            if client.refresh_token:
                response = session.refresh_token(client.token_url, refresh_token=client.refresh_token, **TERMS)
            elif client.client_secret:
                response = session.fetch_token(client.token_url, grant_type="client_credentials", **TERMS)
            else:
                raise LoginRefused(f"Nobody has consented yet to sending as {client.username}: mailer login.")
            return Token.from_response(response, now, client.refresh_token)

    # --- the file -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            with FileLock(f"{self._cache}.lock", timeout=_TURN):
                yield
        except Timeout:
            raise RelayUnreachable(f"Another program has held {self._cache}.lock for {_TURN:.0f} seconds.") from None
        except OSError as exc:
            raise LoginRefused(
                f"The token cannot be kept in {self._cache}: {exc.strerror}. See to it that you may write there."
            ) from None

    def _read(self) -> Token | None:
        """The kept token; None where there is none, or it is damaged or belongs to other settings."""
        try:
            kept = json.loads(self._cache.read_text("utf-8"))
            if kept.pop("client") != self._client.fingerprint:
                return None
            return Token(str(kept["access"]), str(kept["refresh"]), float(kept["issued_at"]), float(kept["expires_at"]))
        except (FileNotFoundError, ValueError, TypeError, AttributeError, KeyError):
            return None

    def _write(self, token: Token) -> None:
        """Replaces the file in one step, so that a crash leaves the old token or the new one."""
        kept = {"client": self._client.fingerprint, **asdict(token)}
        new = self._cache.with_name(f"{self._cache.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._cache)


# --- the service --------------------------------------------------------------------------------------------------

# A redirection would carry the secret to wherever it points.
TERMS: Mapping[str, Any] = {"timeout": _PATIENCE, "allow_redirects": False}


@contextmanager
def conversation(client: Client) -> Iterator[OAuth2Session]:
    """A session with the token service; every request in it takes TERMS. Each answer is whole within their `timeout`
    and of 64 KiB at most: a JSON object in which `expires_in` and `interval` are sensible numbers of seconds or are
    missing.

    Its faults leave as LoginRefused or RelayUnreachable, in a sentence without a secret. Raises UsageError where the
    libraries for it are not installed.
    """
    try:
        from authlib.integrations.requests_client import OAuth2Session, OAuthError
        from requests import RequestException

        from mailer.smtp.exchange import Exchange
    except ModuleNotFoundError:
        raise UsageError("SMTP_AUTH=xoauth2 needs two more libraries: pip install 'invitation-mailer[oauth]'") from None

    session = OAuth2Session(
        client.client_id,
        client.client_secret or None,
        token_endpoint_auth_method="client_secret_post" if client.client_secret else "none",
        scope=client.scope or None,
        code_challenge_method="S256",
    )
    # Plain http is for this very machine; a proxy from the environment would carry it off.
    session.trust_env = client.token_url.startswith("https:")
    session.hooks["response"].append(_legible)
    for scheme in ("https://", "http://"):
        session.mount(scheme, Exchange())
    try:
        with session:
            yield session
    except OAuthError as exc:
        raise _explained(client, exc) from None
    except UnicodeEncodeError:
        # Told without the codec's own words, which show a part of it.
        raise LoginRefused("One of the OAUTH_ settings is not in UTF-8: enter it anew, best in config.env.") from None
    except (RequestException, ValueError) as exc:
        # What requests says of itself may hold the request.
        fault = type(exc).__name__ if isinstance(exc, RequestException) else str(exc).rstrip(".")
        raise RelayUnreachable(
            f"The token service {client.service} gave no token ({fault}): check OAUTH_TOKEN_URL and the network, or "
            "try again later."
        ) from None


def _legible(response: Response, *_: object, **__: object) -> Response:
    """The service's answer without what the library would stumble over.

    Raises ValueError where it is no JSON object.
    """
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise ValueError(f"HTTP {response.status_code} without a JSON object")  # noqa: TRY004 - no call of ours is wrong
    for key, most in _MOST.items():
        seconds = _number(answer.pop(key, None))
        if 0 < seconds <= most:
            answer[key] = seconds
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and "error" in answer:
        answer["error"] = "slow_down"  # whatever the service calls it: nothing is wrong with what was asked
    # The library's own word, which it would take from the service too.
    answer.pop("expires_at", None)
    response._content, response.encoding = json.dumps(answer).encode(), "utf-8"
    return response


def _number(value: Any) -> float:
    """`value` as a number, 0 where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _explained(client: Client, exc: OAuthError) -> MailerError:
    """The service's refusal as one sentence that says what to do."""
    error = str(exc.error)  # some services send an object
    words = " ".join(f"{error} {exc.description or ''}".split())
    for secret in (client.client_secret, client.refresh_token):
        words = words.replace(secret, "***") if secret else words
    words = "".join(c for c in words if c.isprintable())[:300].rstrip(". ")
    if error in _AWAY:
        return RelayUnreachable(f"The token service {client.service} gives no token now: {words}. Try again later.")
    advice = _ADVICE.get(error, "Check the OAUTH_ settings in config.env.")
    return LoginRefused(f"The token service {client.service} gives no token for {client.username}: {words}. {advice}")
