"""`mailer doctor`: whether a mailing could leave now, line by line, before anybody depends on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import json_option
from mailer.cli.doctor.finding import Finding, Result
from mailer.cli.ends import DONE, REFUSED, RELAY, WANTS_A_PERSON
from mailer.errors import InputRefused

if TYPE_CHECKING:
    from mailer.config import Config

# Seconds for any step: here somebody waits for the answer.
_PATIENCE = 30.0

# The checks that only the relay can fail; `mailer send` stops at any other before it asks the relay.
_OF_RELAY = {"relay", "tls", "login"}


@click.command(short_help="Whether a mailing could leave now.")
@click.option("--resolver", metavar="IP[:PORT]", help="Ask this DNS server, not the machine's own.")
@click.option("--selector", "selectors", metavar="NAME", multiple=True, help="The relay's DKIM selector.")
@json_option
@click.option("--now", metavar="ISO", help="Taken, but without effect: the machine's own clock counts.")
def doctor(resolver: str | None, selectors: tuple[str, ...], as_json: bool, now: str | None) -> int:
    """Look at all that a mailing needs: settings, ledger, relay, login, limits, the sender's domain. Sends nothing.

    Exit codes: 0 all good; 1 something wants a person; where no mailing could leave those of `mailer send`: 3 the
    settings or the ledger cannot be used, 4 the relay cannot be reached or refuses the login.
    """
    from mailer.cli.desk import moment_of

    moment_of(now, None)  # taken as by every command, though what is looked at here goes by the machine's own clock
    found = []
    for finding in _examine(resolver, selectors):
        found.append(finding)
        if not as_json:
            _show(finding)
    failed = {finding.check for finding in found if finding.result is Result.FAILED}
    wanting = sum(finding.result is Result.ATTENTION for finding in found)
    unseen = sum(finding.result is Result.UNSEEN for finding in found)
    if as_json:
        console.as_json({"checks": [finding.as_json() for finding in found]})
    elif failed:
        console.say("No mailing could leave now.")
    elif wanting:
        console.say(f"{console.count(wanting, 'line')} for a person to see to.")
    elif unseen:
        console.say(f"Nothing bad was seen; {console.count(unseen, 'thing')} could not be looked at.")
    else:
        console.say("All is good.")
    if failed:
        return RELAY if failed <= _OF_RELAY else REFUSED
    return WANTS_A_PERSON if wanting else DONE


def _show(finding: Finding) -> None:
    console.say(f"{finding.result.value:9}  {finding.check}: {finding.found}")
    console.say(f"{'':9}  {finding.meaning}.{f' {finding.to_do}.' if finding.to_do else ''}")


def _examine(resolver: str | None, selectors: tuple[str, ...]) -> Iterator[Finding]:
    from mailer import config
    from mailer.cli.doctor import domain, folder
    from mailer.cli.doctor.resolver import resolver_at

    asked = resolver_at(resolver)
    try:
        settings, problems = config.load()
    except InputRefused as exc:
        yield from folder.settings_as_they_are(exc.problems)
        return
    yield from folder.absent()
    yield from folder.settings_as_they_are([*problems, *folder.missing(settings)])
    yield from folder.laid_open()
    yield folder.ledger_at(settings.LEDGER_URL)
    yield folder.pace_as_set(settings)
    if settings.SMTP_HOST:
        yield from _relay(settings)
    if settings.MAIL_FROM:
        yield from domain.examine(asked, domain.sender_of(settings, selectors))


def _relay(settings: Config) -> Iterator[Finding]:
    from mailer.cli.desk import clock_at
    from mailer.cli.doctor import folder, relay
    from mailer.cli.relay import relay_of

    ours = replace(relay_of(settings), timeout=min(settings.SMTP_TIMEOUT, _PATIENCE))
    largest = folder.largest_message(settings)
    yield from asyncio.run(relay.examine(ours, clock_at(None), largest, settings.SMTP_PROVIDER))
