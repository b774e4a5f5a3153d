"""`config.env` and the environment -> one frozen Config, with every fault told at once.

Names are those of `config.example.env`; the same name in the environment wins over the file. Secrets are `SecretStr`:
neither `repr` nor a log nor a traceback shows them.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as check_together
from pydantic_core import PydanticCustomError

from mailer.errors import InputRefused, Problem

FILE_NAME = "config.env"

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages, or recipients, in any `seconds` on end."""

    most: int
    seconds: int
    of_recipients: bool = False


# What SMTP_PROVIDER stands for, each value overruled by its own key. Limits are the services' published ones.
_PROVIDERS: Mapping[str, Mapping[str, str]] = {
    "microsoft365": {
        "SMTP_HOST": "smtp.office365.com",
        "SMTP_RATE": "30/minute, 10000 recipients/day",
    },
    "google": {"SMTP_HOST": "smtp.gmail.com", "SMTP_RATE": "2000/day, 10000 recipients/day"},
    "google-relay": {"SMTP_HOST": "smtp-relay.gmail.com", "SMTP_RATE": "10000/day"},
    "ses": {"SMTP_RATE": "1/second, 200/day"},
    "cpanel": {"SMTP_RATE": "50/hour"},
}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _refuse(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{sentence}", {"sentence": sentence})


def _one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value.strip().lower() not in words:
            raise _refuse(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return value.strip().lower()

    return check


def _flag(value: object) -> bool:
    if value in (True, False):
        return bool(value)
    return _one_of("yes", "no")(str(value)) == "yes"


def _limits(value: object) -> object:
    """`30/minute, 10000 recipients/day` -> limits; `off` -> none."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "off":
        return ()
    limits = []
    for part in value.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(messages|recipients)?\s*/\s*(second|minute|hour|day)\s*", part.lower())
        if not match or not int(match[1]):
            raise _refuse("must read like 30/minute, 10000/day, 2000 recipients/day, or off")
        limits.append(Limit(int(match[1]), _PERIODS[match[3]], match[2] == "recipients"))
    return tuple(limits)


def _mailbox(value: str) -> str:
    name, address = parseaddr(value)
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as exc:
        raise _refuse(f"must read like Name <name@example.org>: {exc}") from None
    if any(c in name for c in "\r\n"):
        raise _refuse("cannot hold a line break")
    return value.strip()


def _return_path(value: str) -> str:
    _mailbox(value.replace("{reference}", "7KQ4MP2XDA"))
    return value.strip()


def _unsubscribe_url(value: str) -> str:
    if urlsplit(value).scheme != "https" or "{reference}" not in value:
        raise _refuse("must be an https address with {reference} in it (RFC 8058)")
    return value.strip()


def _token_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise _refuse("must be an https address; plain http goes to this machine only")
    return value.strip()


def _ledger_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql")):
        raise _refuse("must read like sqlite:///ledger.db or postgresql://host/database")
    return value.strip()


def is_loopback(host: str) -> bool:
    """Whether `host` names this very machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_Text = Annotated[str, AfterValidator(str.strip)]


class Config(BaseModel):
    """The settings of a working folder; see `config.example.env` for the meaning of each."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    SMTP_PROVIDER: Annotated[str, AfterValidator(_one_of(*_PROVIDERS))] | None = None
    SMTP_HOST: _Text | None = None
    SMTP_PORT: Annotated[int, Field(ge=1, le=65_535)] = 587
    SMTP_SECURITY: Annotated[Literal["starttls", "tls", "none"], BeforeValidator(_one_of(*_PORTS))] = "starttls"
    SMTP_ALLOW_PLAIN: Annotated[bool, BeforeValidator(_flag)] = False
    SMTP_USERNAME: _Text | None = None
    SMTP_PASSWORD: SecretStr | None = None
    SMTP_AUTH: Annotated[Literal["password", "xoauth2"], BeforeValidator(_one_of("password", "xoauth2"))] = "password"
    SMTP_CA_FILE: Path | None = None
    OAUTH_TOKEN_URL: Annotated[str, AfterValidator(_token_url)] | None = None
    OAUTH_CLIENT_ID: _Text | None = None
    OAUTH_CLIENT_SECRET: SecretStr | None = None
    OAUTH_SCOPE: _Text | None = None
    OAUTH_REFRESH_TOKEN: SecretStr | None = None
    SMTP_CONNECTIONS: Annotated[int, Field(ge=1, le=50)] = 1
    SMTP_RATE: Annotated[tuple[Limit, ...], BeforeValidator(_limits)] = (Limit(20, 60),)
    SMTP_TIMEOUT: Annotated[float, Field(gt=0)] = 300
    RETRY_AFTER: Annotated[float, Field(gt=0)] = 300
    GIVE_UP_AFTER: Annotated[float, Field(gt=0)] = 86_400
    MAIL_FROM: Annotated[str, AfterValidator(_mailbox)] | None = None
    REPLY_TO: Annotated[str, AfterValidator(_mailbox)] | None = None
    RETURN_PATH: Annotated[str, AfterValidator(_return_path)] | None = None
    UNSUBSCRIBE_TO: Annotated[str, AfterValidator(_mailbox)] | None = None
    UNSUBSCRIBE_URL: Annotated[str, AfterValidator(_unsubscribe_url)] | None = None
    LEDGER_URL: Annotated[str, AfterValidator(_ledger_url)] = "sqlite:///ledger.db"
    CONTACTS: _Text = "contacts"
    TEMPLATES: Path = Path("templates")
    EVENT: _Text | None = None

    @check_together(mode="after")
    def _agree(self) -> Self:
        plain_is_safe = self.SMTP_ALLOW_PLAIN or is_loopback(self.SMTP_HOST or "localhost")
        if self.SMTP_SECURITY == "none" and not plain_is_safe:
            raise _refuse(
                "SMTP_SECURITY=none would send names, links and the password unencrypted over the network; "
                "use starttls or tls, or set SMTP_ALLOW_PLAIN=yes if this is meant"
            )
        if bool(self.SMTP_USERNAME) != bool(self.SMTP_PASSWORD) and self.SMTP_AUTH == "password":
            raise _refuse("SMTP_USERNAME and SMTP_PASSWORD go together: set both, or neither")
        if self.SMTP_CA_FILE and not self.SMTP_CA_FILE.is_file():
            raise _refuse(f"SMTP_CA_FILE names {self.SMTP_CA_FILE}, which is not a file")
        return self

    @property
    def contact_paths(self) -> tuple[Path, ...]:
        """The folder or files that CONTACTS names, separated by commas."""
        return tuple(Path(part.strip()) for part in self.CONTACTS.split(",") if part.strip())


def load(folder: Path = Path(), environment: Mapping[str, str] | None = None) -> tuple[Config, tuple[Problem, ...]]:
    """The settings of the working `folder`, and what is odd about them (warnings).

    A missing `config.env` is no fault: everything has a default, and `send` says what it lacks. An empty value counts
    as not set. Raises InputRefused with every fault at once, each with its line in the file.
    """
    environment = os.environ if environment is None else environment
    lines, values, problems = _read_file(folder / FILE_NAME)
    values |= {key: environment[key] for key in Config.model_fields if key in environment}
    values = {key: value for key, value in values.items() if value.strip()}
    preset = dict(_PROVIDERS.get(values.get("SMTP_PROVIDER", "").strip().lower(), {}))
    settings = preset | values
    if "SMTP_PORT" not in settings:
        security = settings.get("SMTP_SECURITY", "starttls").strip().lower()
        settings["SMTP_PORT"] = str(_PORTS.get(security, 587))
    try:
        config = Config.model_validate(settings)
    except ValidationError as exc:
        faults = [_problem(dict(error), settings, lines, environment) for error in exc.errors(include_url=False)]
        raise InputRefused([*faults, *problems]) from None
    if any(problem.is_error for problem in problems):
        raise InputRefused(problems)
    return config, tuple(problems)


def _read_file(path: Path) -> tuple[dict[str, int], dict[str, str], list[Problem]]:
    """Line and value of each key in the file, and what cannot be understood in it."""
    lines: dict[str, int] = {}
    values: dict[str, str] = {}
    problems: list[Problem] = []
    if not path.exists():
        return lines, values, problems
    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else exc.strerror
        raise InputRefused(
            [Problem(f"cannot be read: {reason}", "Save it as UTF-8 text that you may read.", file=path.name)]
        ) from None
    for binding in bindings:
        text = binding.original.string
        line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        if binding.error:
            problems.append(
                Problem("this line is not KEY=value", "Write it as in config.example.env.", file=path.name, row=line)
            )
        elif binding.key and binding.key not in Config.model_fields:
            fix = "Correct the name or remove the line; config.example.env lists all names."
            problems.append(Problem("this setting is unknown", fix, "warning", path.name, row=line, column=binding.key))
        elif binding.key:
            lines[binding.key], values[binding.key] = line, binding.value or ""
    return lines, values, problems


def _problem(
    error: dict[str, Any], settings: Mapping[str, str], lines: Mapping[str, int], environment: Mapping[str, str]
) -> Problem:
    key = str(error["loc"][0]) if error["loc"] else None
    secret = key is not None and Config.model_fields[key].annotation == SecretStr | None
    sentence = str(error["msg"])
    from_environment = key is not None and key in environment
    place = "in the environment" if from_environment else f"in {FILE_NAME}"
    return Problem(
        problem=f"{key}: {sentence}" if key else sentence,
        fix=f"Correct it {place}.",
        file=None if from_environment else FILE_NAME,
        row=None if from_environment else lines.get(key or ""),
        column=key,
        value=None if secret or key is None else settings.get(key),
    )
