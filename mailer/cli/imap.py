"""An account on an IMAP server, logged in, whose folders are looked into and never changed."""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxLoginError, UnexpectedCommandStatusError
from imap_tools.utils import quote

from mailer.cli import console
from mailer.cli.imap_wire import TlsWire, Wire
from mailer.cli.relay import TOKEN_FILE, client_of
from mailer.config import is_loopback
from mailer.errors import LoginRefused, RelayUnreachable, RelayUntrusted, UsageError
from mailer.smtp import tls
from mailer.smtp.oauth import Tokens
from mailer.smtp.opening import without_secret

if TYPE_CHECKING:
    from mailer.config import Config, ImapUrl

# Where the accounts of a relay, its user names and its tokens, are known under another host's name.
_IMAP_HOST_OF = {
    "smtp.office365.com": "outlook.office365.com",
    "smtp.gmail.com": "imap.gmail.com",
    "smtp-relay.gmail.com": "imap.gmail.com",
}


class Account(BaseMailBox):
    """The library's view of an account, by a connection of ours; `secret` is what the server is told to be let in."""

    def __init__(self, client: Wire, secret: str) -> None:
        self._client, self.secret = client, secret
        super().__init__()

    def _get_mailbox_client(self) -> Wire:
        return self._client


@contextmanager
def logged_in(url: ImapUrl, config: Config) -> Iterator[Account]:
    """The account at `url`, with no folder opened yet; see `password_for` for what it is logged in with.

    Whatever goes wrong with the server, within the `with` too, leaves as RelayUnreachable, RelayUntrusted or
    LoginRefused, in a sentence without a secret. Raises UsageError where there is no password.
    """
    with _explained(url):
        box = _log_in(url, config)
    try:
        with _explained(url, box.secret):
            yield box
            with contextlib.suppress(OSError, ValueError, imaplib.IMAP4.error, ImapToolsError):
                box.logout()
    finally:
        with contextlib.suppress(OSError):
            box.client.shutdown()


# --- login ------------------------------------------------------------------------------------------------------------


def _log_in(url: ImapUrl, config: Config) -> Account:
    password = password_for(url, config)
    if password is not None:
        return _introduced(url, config, password)
    tokens = Tokens(client_of(config), TOKEN_FILE)
    token = asyncio.run(tokens())
    try:
        return _introduced(url, config, token, is_token=True)
    except LoginRefused:
        # A token may be withdrawn before its time.
        return _introduced(url, config, asyncio.run(tokens(token)), is_token=True)


def password_for(url: ImapUrl, config: Config) -> str | None:
    """IMAP_PASSWORD for the account of IMAP_URL; for the relay's own what the relay takes, None where that is a token.

    Raises UsageError: a password or token is shown to no other server than its own.
    """
    ours = config.IMAP_URL
    if config.IMAP_PASSWORD and ours and (ours.user, ours.host) == (url.user, url.host):
        return config.IMAP_PASSWORD.get_secret_value()
    if url.user == config.SMTP_USERNAME and url.host in (config.SMTP_HOST, _IMAP_HOST_OF.get(config.SMTP_HOST or "")):
        if config.SMTP_AUTH == "xoauth2":
            return None
        if config.SMTP_PASSWORD:
            return config.SMTP_PASSWORD.get_secret_value()
    advice = f"set IMAP_URL=imaps://{url.user}@{url.host} and IMAP_PASSWORD in config.env"
    if config.IMAP_PASSWORD:
        whose = f"for {ours.user} at {ours.host}" if ours else "for the account in IMAP_URL, which is not set"
        advice = f"the one that is set is {whose}; {advice}"
    raise UsageError(f"There is no password for {url.user} at {url.host}: {advice}.")


def _introduced(url: ImapUrl, config: Config, secret: str, *, is_token: bool = False) -> Account:
    """A new connection, over TLS unless it stays on this machine, that the server has let in with `secret`."""
    context = tls.context(config.SMTP_CA_FILE)
    if url.is_tls:
        wire: Wire = TlsWire(url.host, url.port, ssl_context=context, timeout=config.SMTP_TIMEOUT)
    else:
        wire = Wire(url.host, url.port, config.SMTP_TIMEOUT)
    box = Account(wire, secret)
    try:
        if not url.is_tls:
            _begin_tls(box, url, context)
        _authenticate(box, url, is_token=is_token)
    except BaseException:
        with contextlib.suppress(OSError):
            box.client.shutdown()
        raise
    return box


def _begin_tls(box: Account, url: ImapUrl, context: ssl.SSLContext) -> None:
    if "STARTTLS" in box.client.capabilities:
        box.client.starttls(context)
    elif not is_loopback(url.host):
        raise RelayUntrusted(
            f"{url.host} does not offer STARTTLS, so password and names would travel unencrypted: write imaps:// in "
            "place of imap://, or ask its administrator."
        )


def _authenticate(box: Account, url: ImapUrl, *, is_token: bool) -> None:
    try:
        if is_token:
            box.xoauth2(url.user, box.secret, initial_folder=None)
        elif "AUTH=PLAIN" in box.client.capabilities:
            # Unlike LOGIN it takes any letters (RFC 4616).
            box.login_utf8(url.user, box.secret, initial_folder=None)
        else:
            box.login(url.user, box.secret, initial_folder=None)
    except UnicodeEncodeError as exc:
        # Told without the codec's own words, which show a part of it.
        why = f"{url.host} takes ASCII letters alone" if exc.encoding == "ascii" else "it is not in UTF-8"
        raise LoginRefused(f"The user name or the password for {url.host} cannot be sent: {why}.") from None
    except (imaplib.IMAP4.error, MailboxLoginError) as exc:
        words = words_of(exc, url, box.secret)
        if isinstance(exc, imaplib.IMAP4.abort):
            raise imaplib.IMAP4.abort(words) from None
        advice = (
            "The token may not be meant for reading mail: see OAUTH_SCOPE at IMAP_PASSWORD in config.example.env."
            if is_token
            else "Check IMAP_PASSWORD and the user name; some services want a password made for programs."
        )
        raise LoginRefused(f"{url.host} refuses the login of {url.user}: {words}. {advice}") from None


# --- what went wrong --------------------------------------------------------------------------------------------------


@contextmanager
def _explained(url: ImapUrl, secret: str = "") -> Iterator[None]:
    server = f"{url.host}:{url.port}"
    try:
        yield
    except ssl.SSLCertVerificationError as exc:
        raise RelayUntrusted(tls.proves_nothing(exc, server, url.host, "IMAP_URL")) from None
    except ssl.SSLError as exc:
        raise RelayUntrusted(
            f"TLS with {server} failed ({exc.reason}): imaps:// means TLS at once, imap:// STARTTLS."
        ) from None
    except socket.gaierror:
        raise RelayUnreachable(f"There is no host named {url.host}: check the name and the network.") from None
    except TimeoutError:
        raise RelayUnreachable(
            f"{server} does not answer in time: check host and port, the network and its firewall."
        ) from None
    except OSError as exc:
        raise RelayUnreachable(
            f"The connection to {server} failed ({exc.strerror or exc}): check host and port."
        ) from None
    except (imaplib.IMAP4.error, ImapToolsError) as exc:
        words = words_of(exc, url, secret)
        raise RelayUnreachable(f"{server} broke off the conversation: {words}. Try again later.") from None
    except UnicodeEncodeError:
        raise UsageError(f"The folder at {server} is not in UTF-8: write its letters as % codes.") from None
    except ValueError as exc:
        raise RelayUnreachable(
            f"{server} gave an answer that cannot be read: {console.printable(str(exc))[:300]}. Try again later."
        ) from None


def words_of(exc: Exception, url: ImapUrl, secret: str) -> str:
    """What the server said, or what was wrong with it, fit to be shown, and without the `secret` that it was told."""
    said = exc.command_result[1] if isinstance(exc, UnexpectedCommandStatusError) else exc.args
    parts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in said if part]
    text = " ".join(parts)
    for shape in _shapes(secret):
        text = without_secret(text, url.user, shape)
    return " ".join(console.printable(text).split())[:300].rstrip(". ") or "no reason given"


def _shapes(secret: str) -> Iterator[str]:
    """The secret, and as LOGIN quotes it (RFC 3501 section 9); both also as imaplib shows octets, which is as Python
    writes them: it escapes one kind of quote or none, by what else there is."""
    for form in (secret, f"{quote(secret)!s}"[1:-1]):
        octets = form.encode()
        yield from (form, repr(octets)[2:-1], repr(octets + b'"')[2:-2])
