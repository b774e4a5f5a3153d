"""What each value of a setting may be: it is taken as written, and returned as what it means.

Each refusal is a ValueError whose sentence goes on from the name of the key.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr, ValidationInfo

N = TypeVar("N", int, float)

# User and password, host and port, database, settings: told apart as SQLAlchemy does it, but with one @ at most, since
# what stands behind the first would be taken for the host.
_POSTGRESQL = r"postgresql(\+psycopg)?://([^:/]*(:[^@]*)?@)?(\[[^]@/?]+\]|[^][@:/?]*)(:\d{1,5})?(/[^@?]*)?(\?[^@]*)?"
_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages, or recipients, in any `seconds` on end."""

    most: int
    seconds: int
    of_recipients: bool = False

    def __str__(self) -> str:
        period = next(name for name, seconds in _PERIODS.items() if seconds == self.seconds)
        counted = "" if not self.of_recipients else " recipients" if self.most > 1 else " recipient"
        return f"{self.most}{counted}/{period}"


@dataclass(frozen=True, slots=True)
class ImapUrl:
    """An account on an IMAP server, and the folder that is meant, empty where none is named (RFC 5092).

    `is_tls`: TLS from the first octet; otherwise it is begun by STARTTLS.
    """

    user: str
    host: str
    port: int
    is_tls: bool
    folder: str = ""

    @classmethod
    def parse(cls, text: str) -> ImapUrl:
        """`imaps://user@host:port/Folder`, signs of other meaning written as % codes.

        Raises ValueError whose text goes on from "it" and repeats nothing: there may be a password in it.
        """
        form = "must read like imaps://user@host/Folder, with %20 for a blank, %23 for # and %3F for ?"
        try:
            parts = urlsplit(one_line(text))
            userinfo, _, _ = parts.netloc.rpartition("@")
            user, folder = (one_line(unquote(part, errors="strict")) for part in (userinfo, parts.path[1:]))
            host, is_tls = host_name(parts.hostname or ""), parts.scheme == "imaps"
            port = parts.port or (993 if is_tls else 143)
        except ValueError:
            raise ValueError(form) from None
        if ":" in userinfo:
            raise ValueError(
                "holds a password, which other people on this machine could read: set IMAP_PASSWORD in its place"
            )
        if parts.scheme not in ("imaps", "imap") or not user or set("?#") & set(text):
            raise ValueError(form)
        return cls(user, host, port, is_tls, folder)


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, surely is this very machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return check


def flag(value: str | bool) -> bool:
    return value if isinstance(value, bool) else one_of("yes", "no")(value) == "yes"


def between(lowest: N, highest: N) -> Callable[[object], N]:
    kind = type(lowest)

    def check(value: object) -> N:
        try:
            number = kind(str(value))
        except ValueError:
            number = None
        if number is None or not lowest <= number <= highest:
            raise ValueError(f"must be a {'whole ' if kind is int else ''}number from {lowest:g} to {highest:.0f}")
        return number

    return check


def limits(value: str | tuple[Limit, ...]) -> tuple[Limit, ...]:
    """`30/minute, 10000 recipients/day` -> limits; `off` -> none."""
    if not isinstance(value, str):
        return value
    if value.lower() == "off":
        return ()
    found = []
    for part in value.lower().split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(messages?|recipients?)?\s*/\s*(second|minute|hour|day)\s*", part)
        if not match or not int(match[1]):
            raise ValueError(
                "must read like 30/minute, 10000/day, 2000 recipients/day, each per second, minute, hour or day and "
                "with a comma between two, or off"
            )
        found.append(Limit(int(match[1]), _PERIODS[match[3]], (match[2] or "").startswith("recipient")))
    return tuple(found)


def one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value):
        raise ValueError("cannot hold line breaks or control characters")
    return value


def secret(value: SecretStr) -> SecretStr:
    one_line(value.get_secret_value())
    return value


def host_name(value: str) -> str:
    host = value.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not re.fullmatch(r"[\w.-]+", host):
            raise ValueError("must be a host name or address alone; the port stands in SMTP_PORT") from None
    return host


def _refusal(address: str) -> str | None:
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as exc:
        return str(exc).rstrip(".")
    return None


def address(value: str) -> str:
    if refusal := _refusal(value):
        raise ValueError(f"must be an address like name@example.org: {refusal}")
    return value


def mailbox(value: str) -> str:
    """`Name <address>` or an address, its name quoted for `parseaddr`: people leave a comma in a name bare."""
    if re.search(r"[\ud800-\udfff]", value):
        raise ValueError("is not written in UTF-8")
    match = re.fullmatch(r"([^<>]*)<([^<>]*)>", value)
    name, address = (match[1].strip(), match[2].strip()) if match else ("", value)
    if refusal := _refusal(address):
        raise ValueError(f"must read like Name <name@example.org>: {refusal}")
    if re.fullmatch(r'".*"', name):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    if not name:
        return address
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{address}>'


def _only_reference(value: str) -> str:
    if re.search(r"[{}]", value.replace("{reference}", "")):
        raise ValueError("may hold {reference}, but nothing else in braces")
    return value


def return_path(value: str) -> str:
    address(_only_reference(value).replace("{reference}", "7KQ4MP2XDA"))
    return value


def unsubscribe_url(value: str) -> str:
    parts = urlsplit(_only_reference(value))
    if parts.scheme != "https" or not parts.hostname or "{reference}" not in value:
        raise ValueError("must be an https address with {reference} in it (RFC 8058)")
    return value


def token_url(value: str) -> str:
    parts = urlsplit(value)
    host = parts.hostname or ""
    stays_secret = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not stays_secret:
        raise ValueError("must be an https address; plain http goes to this machine only")
    return value


def ledger_url(value: str) -> str:
    """The ledger's URL, whose refusals repeat nothing of it; see `_POSTGRESQL`."""
    if re.fullmatch(r"sqlite:///:memory:(\?.*)?", value):
        raise ValueError("must name a file: a ledger in memory would forget who was written to")
    if re.match(r"sqlite:///[^?]", value) and not re.fullmatch(r"[^?]+(\?timeout=\d{1,5}(\.\d+)?)?", value):
        raise ValueError("may hold ?timeout=SECONDS behind the file, and no other question mark")
    if not re.fullmatch(rf"sqlite:///[^?].*|{_POSTGRESQL}", value):
        advice = "; a password's @ is written %40" if re.match(r"postgresql.*:.*@", value) else ""
        raise ValueError(f"must read like sqlite:///ledger.db or postgresql://user@host/database{advice}")
    return value


def imap_url(value: str | ImapUrl | None) -> ImapUrl | None:
    return ImapUrl.parse(value.strip()) if isinstance(value, str) else value


def existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("must name a file, and there is none of that name")
    return path


def safe_in_the_clear(security: str, info: ValidationInfo) -> str:
    host, meant = info.data.get("SMTP_HOST"), info.data.get("SMTP_ALLOW_PLAIN", True)
    if security == "none" and host and not meant and not is_loopback(host):
        raise ValueError(
            "must be starttls or tls: none would send names, links and the password unencrypted over the network, "
            "unless SMTP_ALLOW_PLAIN=yes says that this is meant"
        )
    return security


def login_complete(auth: str, info: ValidationInfo) -> str:
    """Holds the keys of a login together; one that is itself at fault is not complained of twice."""
    needed: tuple[str, ...] = ("SMTP_USERNAME", "SMTP_PASSWORD")
    if auth == "xoauth2":
        needed = ("SMTP_USERNAME", "OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID")
    missing = [key for key in needed if info.data.get(key, "faulty") is None]
    if missing and (auth == "xoauth2" or len(missing) < len(needed)):
        all_or_none = "" if auth == "xoauth2" else " or neither"
        lack = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        raise ValueError(f"is {auth}, which needs {', '.join(needed)}{all_or_none}: {lack}")
    return auth
