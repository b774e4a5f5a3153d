"""The relay of the settings, and where the tokens for its login come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mailer.smtp import Relay, Security
from mailer.smtp.oauth import Client, Tokens

if TYPE_CHECKING:
    from pydantic import SecretStr

    from mailer.config import Config

TOKEN_FILE = Path("oauth-token.json")


def relay_of(config: Config) -> Relay:
    """The configured relay with its login; nothing is asked of the network, or of the token service, yet."""
    xoauth2 = config.SMTP_AUTH == "xoauth2"
    return Relay(
        config.SMTP_HOST or "",
        config.SMTP_PORT,
        Security(config.SMTP_SECURITY),
        username=config.SMTP_USERNAME or "",
        password=Tokens(client_of(config), TOKEN_FILE) if xoauth2 else _plain(config.SMTP_PASSWORD),
        xoauth2=xoauth2,
        ca_file=config.SMTP_CA_FILE,
        timeout=config.SMTP_TIMEOUT,
    )


def client_of(config: Config) -> Client:
    """The application and its account, as the OAUTH_ settings have them."""
    return Client(
        token_url=config.OAUTH_TOKEN_URL or "",
        client_id=config.OAUTH_CLIENT_ID or "",
        username=config.SMTP_USERNAME or "",
        scope=config.OAUTH_SCOPE or "",
        client_secret=_plain(config.OAUTH_CLIENT_SECRET),
        refresh_token=_plain(config.OAUTH_REFRESH_TOKEN),
    )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
