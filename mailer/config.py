"""`config.env` and the environment -> one frozen Config, with every fault told at once.

Names are those of `config.example.env`; the same name in the environment wins over the file. Secrets are neither in
`repr` nor in a Problem nor in a traceback.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from dotenv.parser import Binding, parse_stream
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from mailer.errors import InputRefused, Problem

FILE_NAME = "config.env"

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages, or recipients, in any `seconds` on end."""

    most: int
    seconds: int
    of_recipients: bool = False

    def __str__(self) -> str:
        period = next(name for name, seconds in _PERIODS.items() if seconds == self.seconds)
        return f"{self.most}{' recipients' if self.of_recipients else ''}/{period}"


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
            parts = urlsplit(_text(text))
            userinfo, _, _ = parts.netloc.rpartition("@")
            user, folder = (_text(unquote(part, errors="strict")) for part in (userinfo, parts.path[1:]))
            host, is_tls = _host(parts.hostname or ""), parts.scheme == "imaps"
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


# What SMTP_PROVIDER stands for, each value overruled by its own key. Limits are the services' published ones.
_PROVIDERS: Mapping[str, Mapping[str, str]] = {
    "microsoft365": {
        "SMTP_HOST": "smtp.office365.com",
        "SMTP_RATE": "30/minute, 10000 recipients/day",
        "OAUTH_TOKEN_URL": "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
        "OAUTH_SCOPE": "https://outlook.office.com/SMTP.Send offline_access",
    },
    "google": {
        "SMTP_HOST": "smtp.gmail.com",
        "SMTP_RATE": "2000 recipients/day",  # of the 10,000 a day, so many different ones outside the organisation
        "OAUTH_TOKEN_URL": "https://oauth2.googleapis.com/token",
        "OAUTH_SCOPE": "https://mail.google.com/",
    },
    "google-relay": {"SMTP_HOST": "smtp-relay.gmail.com", "SMTP_RATE": "10000/day"},
    # Host and limits differ by region and account; these are the limits that a new account begins with. Each recipient
    # counts, those in copy too.
    "ses": {"SMTP_RATE": "1 recipients/second, 200 recipients/day"},
    "cpanel": {"SMTP_RATE": "50/hour"},
}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
# User and password, host and port, database, settings: told apart as SQLAlchemy does it, but with one @ at most, since
# what stands behind the first would be taken for the host.
_POSTGRESQL = r"postgresql(\+psycopg)?://([^:/]*(:[^@]*)?@)?(\[[^]@/?]+\]|[^][@:/?]*)(:\d{1,5})?(/[^@?]*)?(\?[^@]*)?"
_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address, surely is this very machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


# --- what each value may be; the sentences go on from the key's name --------------------------------------------------


def _one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.lower()

    return check


def _flag(value: str | bool) -> bool:
    return value if isinstance(value, bool) else _one_of("yes", "no")(value) == "yes"


def _between(lowest: N, highest: N) -> Callable[[object], N]:
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


def _limits(value: str | tuple[Limit, ...]) -> tuple[Limit, ...]:
    """`30/minute, 10000 recipients/day` -> limits; `off` -> none."""
    if not isinstance(value, str):
        return value
    if value.lower() == "off":
        return ()
    limits = []
    for part in value.lower().split(","):
        match = re.fullmatch(r"\s*(\d{1,9})\s*(messages|recipients)?\s*/\s*(second|minute|hour|day)\s*", part)
        if not match or not int(match[1]):
            raise ValueError(
                "must read like 30/minute, 10000/day, 2000 recipients/day, each per second, minute, hour or day and "
                "with a comma between two, or off"
            )
        limits.append(Limit(int(match[1]), _PERIODS[match[3]], match[2] == "recipients"))
    return tuple(limits)


def _text(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f-\x9f]", value):
        raise ValueError("cannot hold line breaks or control characters")
    return value


def _host(value: str) -> str:
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


def _address(value: str) -> str:
    if refusal := _refusal(value):
        raise ValueError(f"must be an address like name@example.org: {refusal}")
    return value


def _mailbox(value: str) -> str:
    """`Name <address>` or an address, its name quoted for `parseaddr`: people leave a comma in a name bare."""
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


def _return_path(value: str) -> str:
    _address(_only_reference(value).replace("{reference}", "7KQ4MP2XDA"))
    return value


def _unsubscribe_url(value: str) -> str:
    parts = urlsplit(_only_reference(value))
    if parts.scheme != "https" or not parts.hostname or "{reference}" not in value:
        raise ValueError("must be an https address with {reference} in it (RFC 8058)")
    return value


def _token_url(value: str) -> str:
    parts = urlsplit(value)
    host = parts.hostname or ""
    stays_secret = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not stays_secret:
        raise ValueError("must be an https address; plain http goes to this machine only")
    return value


def _ledger_url(value: str) -> str:
    """The ledger's URL, whose refusals repeat nothing of it; see `_POSTGRESQL`."""
    if re.fullmatch(r"sqlite:///:memory:(\?.*)?", value):
        raise ValueError("must name a file: a ledger in memory would forget who was written to")
    if re.match(r"sqlite:///[^?]", value) and not re.fullmatch(r"[^?]+(\?timeout=\d{1,5}(\.\d+)?)?", value):
        raise ValueError("may hold ?timeout=SECONDS behind the file, and no other question mark")
    if not re.fullmatch(rf"sqlite:///[^?].*|{_POSTGRESQL}", value):
        advice = "; a password's @ is written %40" if re.match(r"postgresql.*:.*@", value) else ""
        raise ValueError(f"must read like sqlite:///ledger.db or postgresql://user@host/database{advice}")
    return value


def _imap_url(value: str | ImapUrl | None) -> ImapUrl | None:
    return ImapUrl.parse(value.strip()) if isinstance(value, str) else value


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("must name a file, and there is none of that name")
    return path


def _safe_in_the_clear(security: str, info: ValidationInfo) -> str:
    host, meant = info.data.get("SMTP_HOST"), info.data.get("SMTP_ALLOW_PLAIN", True)
    if security == "none" and host and not meant and not is_loopback(host):
        raise ValueError(
            "must be starttls or tls: none would send names, links and the password unencrypted over the network, "
            "unless SMTP_ALLOW_PLAIN=yes says that this is meant"
        )
    return security


def _login_complete(auth: str, info: ValidationInfo) -> str:
    """Holds the keys of a login together; one that is itself at fault is not complained of twice."""
    needed: tuple[str, ...] = ("SMTP_USERNAME", "SMTP_PASSWORD")
    if auth == "xoauth2":
        needed = ("SMTP_USERNAME", "OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID")
    missing = [key for key in needed if info.data.get(key, "faulty") is None]
    if missing and (auth == "xoauth2" or len(missing) < len(needed)):
        all_or_none = "" if auth == "xoauth2" else " or neither"
        raise ValueError(f"is {auth}, which needs {', '.join(needed)}{all_or_none}: {', '.join(missing)} is not set")
    return auth


_Text = Annotated[str, AfterValidator(_text)]
_Mailbox = Annotated[_Text, AfterValidator(_mailbox)]
# What `repr` leaves out is never shown elsewhere either; a ledger's URL may hold a password.
_Secret = Annotated[SecretStr | None, Field(repr=False)]


class Config(BaseModel):
    """The settings of a working folder; see `config.example.env` for the meaning of each.

    SMTP_PROVIDER and SMTP_SECURITY are already worked into the values that follow from them. A mailbox is written so
    that `email.utils.parseaddr` reads it.
    """

    # A validator sees only the fields above its own, so what depends on others stands below them.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    SMTP_PROVIDER: Annotated[str, AfterValidator(_one_of(*_PROVIDERS))] | None = None
    SMTP_HOST: Annotated[str, AfterValidator(_host)] | None = None
    SMTP_ALLOW_PLAIN: Annotated[bool, BeforeValidator(_flag)] = False
    SMTP_SECURITY: Annotated[
        Literal["starttls", "tls", "none"], BeforeValidator(_one_of(*_PORTS)), AfterValidator(_safe_in_the_clear)
    ] = "starttls"
    SMTP_PORT: Annotated[int, BeforeValidator(_between(1, 65_535))] = 587
    SMTP_USERNAME: _Text | None = None
    SMTP_PASSWORD: _Secret = None
    SMTP_CA_FILE: Annotated[Path, AfterValidator(_file)] | None = None
    OAUTH_TOKEN_URL: Annotated[str, AfterValidator(_token_url)] | None = None
    OAUTH_CLIENT_ID: _Text | None = None
    OAUTH_CLIENT_SECRET: _Secret = None
    OAUTH_SCOPE: _Text | None = None
    OAUTH_REFRESH_TOKEN: _Secret = None
    SMTP_AUTH: Annotated[
        Literal["password", "xoauth2"],
        BeforeValidator(_one_of("password", "xoauth2")),
        AfterValidator(_login_complete),
        Field(validate_default=True),
    ] = "password"
    # Nothing of a refused URL is repeated: it may hold a password.
    IMAP_URL: Annotated[ImapUrl | None, BeforeValidator(_imap_url), Field(repr=False)] = None
    IMAP_PASSWORD: _Secret = None
    SMTP_CONNECTIONS: Annotated[int, BeforeValidator(_between(1, 50))] = 1
    SMTP_RATE: Annotated[tuple[Limit, ...], BeforeValidator(_limits)] = (Limit(20, 60),)
    SMTP_TIMEOUT: Annotated[float, BeforeValidator(_between(0.01, 3600.0))] = 600.0
    RETRY_AFTER: Annotated[float, BeforeValidator(_between(0.01, 86_400.0))] = 300.0
    GIVE_UP_AFTER: Annotated[float, BeforeValidator(_between(0.01, 30 * 86_400.0))] = 86_400.0
    MAIL_FROM: _Mailbox | None = None
    REPLY_TO: _Mailbox | None = None
    RETURN_PATH: Annotated[_Text, AfterValidator(_return_path)] | None = None
    UNSUBSCRIBE_TO: Annotated[_Text, AfterValidator(_address)] | None = None
    UNSUBSCRIBE_URL: Annotated[_Text, AfterValidator(_unsubscribe_url)] | None = None
    LEDGER_URL: Annotated[_Text, AfterValidator(_ledger_url), Field(repr=False)] = "sqlite:///ledger.db"
    CONTACTS: _Text = "contacts"
    TEMPLATES: Path = Path("templates")
    EVENT: _Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_presets(cls, settings: dict[str, object]) -> dict[str, object]:
        preset = _PROVIDERS.get(str(settings.get("SMTP_PROVIDER")).lower(), {})
        security = str(settings.get("SMTP_SECURITY", "starttls")).lower()
        return {"SMTP_PORT": _PORTS.get(security, 587), **preset, **settings}

    @property
    def contact_paths(self) -> tuple[Path, ...]:
        """The folder or files that CONTACTS names, separated by commas."""
        return tuple(Path(part.strip()) for part in self.CONTACTS.split(",") if part.strip())


# --- reading them -----------------------------------------------------------------------------------------------------


def load(folder: Path = Path(), environment: Mapping[str, str] | None = None) -> tuple[Config, tuple[Problem, ...]]:
    """The settings of the working `folder`, and what is odd about them (warnings).

    A missing `config.env` is no fault: everything has a default, and `send` says what it lacks. An empty value counts
    as not set; in the environment it takes back what the file says. Raises InputRefused with every fault at once, each
    with its line in the file.
    """
    environment = os.environ if environment is None else environment
    lines: dict[str, int] = {}
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for line, binding in _bindings(folder / FILE_NAME):
        if problem := _oddity(line, binding, lines):
            problems.append(problem)
        if binding.key in Config.model_fields and binding.value is not None:
            lines[binding.key], values[binding.key] = line, binding.value
    for key in Config.model_fields.keys() & environment.keys():
        lines.pop(key, None)
        values[key] = environment[key]
    settings = {key: value if _is_secret(key) else value.strip() for key, value in values.items() if value.strip()}
    try:
        config = Config.model_validate(settings)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False, include_input=False)
        faults = [_fault(str(error["loc"][0]), error["msg"], settings, lines) for error in errors]
        raise InputRefused([*faults, *problems]) from None
    if any(problem.is_error for problem in problems):
        raise InputRefused(problems)
    return config, tuple(problems)


def _is_secret(key: str) -> bool:
    return not Config.model_fields[key].repr


def _bindings(path: Path) -> Iterator[tuple[int, Binding]]:
    """What stands in the file, with its line; comments and blank lines left out."""
    if not path.exists():
        return
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else exc.strerror
        fix = "Save it as UTF-8 text that you may read."
        raise InputRefused([Problem(f"cannot be read: {reason}", fix, file=path.name)]) from None
    for binding in bindings:
        if binding.key or binding.error:
            text = binding.original.string
            yield binding.original.line + text[: len(text) - len(text.lstrip())].count("\n"), binding


def _oddity(line: int, binding: Binding, lines: Mapping[str, int]) -> Problem | None:
    """What is wrong with a line, whatever its value; `lines` are those of the keys before it."""
    key = binding.key
    if key is None or binding.error or binding.value is None:
        fix = "Write it as in config.example.env; a # begins a comment."
        return Problem("this line is not KEY=value", fix, file=FILE_NAME, row=line)
    if key not in Config.model_fields:
        close = difflib.get_close_matches(key.upper(), Config.model_fields, 1)
        fix = f"Did you mean {close[0]}?" if close else "Remove the line; config.example.env lists all names."
        return Problem(f"{key} is not a setting, so it does nothing", fix, "warning", FILE_NAME, row=line, column=key)
    if key in lines:
        fix = "Keep one of the two; the last one counts."
        return Problem(f"{key} stands on line {lines[key]} too", fix, "warning", FILE_NAME, row=line, column=key)
    return None


def _fault(key: str, message: str, settings: Mapping[str, str], lines: Mapping[str, int]) -> Problem:
    from_environment = key in settings and key not in lines
    value = settings.get(key)
    # With a quote that is not closed, a value goes on over the lines below it, and passwords may stand there.
    is_shown = not _is_secret(key) and "\n" not in (value or "")
    return Problem(
        problem=f"{key} {message.removeprefix('Value error, ')}",
        fix=f"Correct it in {'the environment' if from_environment else FILE_NAME}.",
        file=None if from_environment else FILE_NAME,
        row=lines.get(key),
        column=key,
        value=value if is_shown else None,
    )
