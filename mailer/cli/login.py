"""`mailer login`: a person consents, once, to mailer sending as their account."""

from __future__ import annotations

import asyncio

import click

from mailer.cli import console
from mailer.cli.ends import WANTS_A_PERSON
from mailer.errors import UsageError


@click.command(short_help="Consent to sending as SMTP_USERNAME.")
@click.option("--device", is_flag=True, help="On a machine without a browser: show a code to enter on another.")
def login(device: bool) -> int:
    """Consent, once, to sending as SMTP_USERNAME (for SMTP_AUTH=xoauth2); the token renews itself from then on."""
    from mailer import config
    from mailer.cli.consent import consent
    from mailer.cli.relay import TOKEN_FILE, client_of
    from mailer.smtp.oauth import Tokens

    settings, odd = config.load()
    console.problems(odd)
    if settings.SMTP_AUTH != "xoauth2":
        raise UsageError(
            f"SMTP_AUTH is {settings.SMTP_AUTH}, which needs no consent. For Microsoft 365 or Google set "
            "SMTP_AUTH=xoauth2 and the OAUTH_ settings in config.env."
        )
    client = client_of(settings)
    tokens = Tokens(client, TOKEN_FILE)
    if client.needs_nobody:
        asyncio.run(tokens())
        console.say(f"The application logs in by itself: {client.service} gives it tokens. Nobody needs to consent.")
        return 0
    token = consent(client, device=device)
    tokens.keep(token)
    console.say(f"Logged in. The token is kept in {TOKEN_FILE}, which only you may read.")
    if not token.refresh:
        console.complain(
            f"It lasts {round(token.expires_at - token.issued_at)} seconds and cannot be renewed: for Microsoft 365 "
            "add offline_access to OAUTH_SCOPE and log in again."
        )
        return WANTS_A_PERSON
    console.say("It renews itself. Whether the relay takes it: mailer doctor")
    return 0
