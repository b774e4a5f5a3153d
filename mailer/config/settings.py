"""The settings of a working folder: names, types, defaults, and what a provider stands for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from mailer.config import values
from mailer.config.values import ImapUrl, Limit

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
    "ses": {"SMTP_RATE": "1 recipient/second, 200 recipients/day"},
    "cpanel": {"SMTP_RATE": "50/hour"},
}
# More connections at once are turned away.
MOST_CONNECTIONS: Mapping[str | None, int] = {"microsoft365": 3}
_PORTS = {"starttls": 587, "tls": 465, "none": 25}

_Text = Annotated[str, AfterValidator(values.one_line)]
_Mailbox = Annotated[_Text, AfterValidator(values.mailbox)]
# What `repr` leaves out is never shown elsewhere either; a ledger's URL may hold a password.
_Secret = Annotated[Annotated[SecretStr, AfterValidator(values.secret)] | None, Field(repr=False)]


class Config(BaseModel):
    """The settings of a working folder; see `config.example.env` for the meaning of each.

    SMTP_PROVIDER and SMTP_SECURITY are already worked into the values that follow from them. A mailbox is written so
    that `email.utils.parseaddr` reads it.
    """

    # A validator sees only the fields above its own, so what depends on others stands below them.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    SMTP_PROVIDER: Annotated[str, AfterValidator(values.one_of(*_PROVIDERS))] | None = None
    SMTP_HOST: Annotated[str, AfterValidator(values.host_name)] | None = None
    SMTP_ALLOW_PLAIN: Annotated[bool, BeforeValidator(values.flag)] = False
    SMTP_SECURITY: Annotated[
        Literal["starttls", "tls", "none"],
        BeforeValidator(values.one_of(*_PORTS)),
        AfterValidator(values.safe_in_the_clear),
    ] = "starttls"
    SMTP_PORT: Annotated[int, BeforeValidator(values.between(1, 65_535))] = 587
    SMTP_USERNAME: _Text | None = None
    SMTP_PASSWORD: _Secret = None
    SMTP_CA_FILE: Annotated[Path, AfterValidator(values.existing_file)] | None = None
    OAUTH_TOKEN_URL: Annotated[str, AfterValidator(values.token_url)] | None = None
    OAUTH_CLIENT_ID: _Text | None = None
    OAUTH_CLIENT_SECRET: _Secret = None
    OAUTH_SCOPE: _Text | None = None
    OAUTH_REFRESH_TOKEN: _Secret = None
    SMTP_AUTH: Annotated[
        Literal["password", "xoauth2"],
        BeforeValidator(values.one_of("password", "xoauth2")),
        AfterValidator(values.login_complete),
        Field(validate_default=True),
    ] = "password"
    # Nothing of a refused URL is repeated: it may hold a password.
    IMAP_URL: Annotated[ImapUrl | None, BeforeValidator(values.imap_url), Field(repr=False)] = None
    IMAP_PASSWORD: _Secret = None
    SMTP_CONNECTIONS: Annotated[int, BeforeValidator(values.between(1, 50))] = 1
    SMTP_RATE: Annotated[tuple[Limit, ...], BeforeValidator(values.limits)] = (Limit(20, 60),)
    SMTP_TIMEOUT: Annotated[float, BeforeValidator(values.between(0.01, 3600.0))] = 600.0
    RETRY_AFTER: Annotated[float, BeforeValidator(values.between(0.01, 86_400.0))] = 300.0
    GIVE_UP_AFTER: Annotated[float, BeforeValidator(values.between(0.01, 30 * 86_400.0))] = 86_400.0
    MAIL_FROM: _Mailbox | None = None
    REPLY_TO: _Mailbox | None = None
    RETURN_PATH: Annotated[_Text, AfterValidator(values.return_path)] | None = None
    UNSUBSCRIBE_TO: Annotated[_Text, AfterValidator(values.address)] | None = None
    UNSUBSCRIBE_URL: Annotated[_Text, AfterValidator(values.unsubscribe_url)] | None = None
    LEDGER_URL: Annotated[_Text, AfterValidator(values.ledger_url), Field(repr=False)] = "sqlite:///ledger.db"
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
