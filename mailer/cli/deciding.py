"""`mailer resolve`, `suppress` and `forget`: what only a person can decide."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.archive import held
from mailer.cli.arguments import now_option, sandbox_option
from mailer.errors import UsageError
from mailer.model import Address, Delivery, State

if TYPE_CHECKING:
    from mailer.config import Config
    from mailer.ledger import Attempt, Ledger


def _addresses(texts: tuple[str, ...]) -> list[Address]:
    try:
        return [Address.parse(text) for text in texts]
    except ValueError as exc:
        raise UsageError(f"{', '.join(texts)}: {exc}") from None


@click.command()
@click.argument("words", nargs=-1, metavar="[EVENT] [ADDRESS ...]")
@click.option("--sent", "decision", flag_value="sent", help="They were received: mark them as sent.")
@click.option("--resend", "decision", flag_value="queued", help="Send them again, with the same Message-ID and Date.")
@click.option(
    "--archive",
    metavar="MAILDIR|MBOX|IMAP",
    help="What an archive copy or Sent folder holds was sent: a path, imaps://user@host/Folder, or imap for IMAP_URL.",
)
@sandbox_option
@now_option
def resolve(words: tuple[str, ...], decision: str | None, archive: str | None, sandbox: bool, now: str | None) -> int:
    """Show what is in doubt, and settle it: all of it, or the addresses named.

    A delivery is in doubt when the connection or the program was lost after the message was handed over and before the
    relay answered: it may have been sent. Ask the recipient or look into the relay's log, then decide. Or let an
    archive copy decide: --archive looks there for the Message-ID, and changes nothing in it.

    On an IMAP server, that is in imaps://user@host/Folder, with % codes (%20 for a blank), or without a folder in the
    one for sent messages. imap:// begins TLS by STARTTLS. The password is IMAP_PASSWORD in config.env, or that of the
    relay for the same user and host; none stands in the address.
    """
    from mailer.cli.desk import open_desk

    if decision and archive:
        raise UsageError("--archive decides by itself: leave --sent and --resend out.")
    event = words[0] if words and "@" not in words[0] else None
    wanted = {address.key for address in _addresses(words[1:] if event else words)}
    desk = open_desk(event, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        doubtful = _in_doubt(ledger, desk.event.name, wanted)
        if not doubtful:
            console.say("Nothing is in doubt.")
            return 0
        for delivery in doubtful:
            _show(delivery, ledger.attempts(delivery.id)[-1], desk.event.timezone)
        if archive:
            sent, again = _archived(archive, doubtful, desk.config), []
        else:
            choices = [State(decision) if decision else _ask(delivery) for delivery in doubtful]
            sent, again = (
                [delivery.id for delivery, choice in zip(doubtful, choices, strict=True) if choice is state]
                for state in (State.SENT, State.QUEUED)
            )
        ledger.settle(sent, State.SENT, desk.clock())
        ledger.settle(again, State.QUEUED, desk.clock())
    left = len(doubtful) - len(sent) - len(again)
    console.say(f"{len(sent)} marked as sent, {len(again)} to be sent again, {left} left")
    if archive and left:
        console.say("A copy may be filed late: look again in some minutes, before you decide with --resend.")
    return int(left > 0)


def _in_doubt(ledger: Ledger, event: str, wanted: set[str]) -> list[Delivery]:
    """What is in doubt, or of it those whose address is `wanted`. Raises UsageError where one of these is not."""
    doubtful = list(ledger.deliveries(event, state=State.IN_DOUBT))
    if wanted - {delivery.recipient.key for delivery in doubtful}:
        known = ", ".join(str(delivery.recipient) for delivery in doubtful) or "nothing"
        raise UsageError(f"Not all of these are in doubt: {', '.join(sorted(wanted))}. In doubt: {known}.")
    return [delivery for delivery in doubtful if not wanted or delivery.recipient.key in wanted]


def _show(delivery: Delivery, last: Attempt, zone: tzinfo) -> None:
    when = last.started_at.astimezone(zone)
    console.say(f"{delivery.recipient} ({delivery.party}), {delivery.mailing}")
    console.say(f"  handed to {last.relay} on {when:%d %B %Y at %H:%M:%S %Z}; Message-ID {delivery.message_id}")
    console.say(f"  {last.note}")


def _archived(archive: str, doubtful: Sequence[Delivery], config: Config) -> list[int]:
    """The ids of those whose Message-ID the archive holds; all are asked for at once."""
    message_ids = {delivery.message_id for delivery in doubtful}
    # A message is as old as its Date, which it keeps when it is sent again.
    since = min(delivery.date or delivery.updated_at for delivery in doubtful)
    found = held(archive, message_ids, since, config)
    return [delivery.id for delivery in doubtful if delivery.message_id in found]


def _ask(delivery: Delivery) -> State | None:
    if not sys.stdin.isatty():
        return None
    answer = click.prompt(
        f"{delivery.recipient}", type=click.Choice(["sent", "resend", "leave"]), default="leave", show_choices=True
    )
    return {"sent": State.SENT, "resend": State.QUEUED}.get(answer)


@click.command()
@click.argument("address")
@click.option("--reason", required=True, metavar="R", help="Why, in your own words.")
@now_option
def suppress(address: str, reason: str, now: str | None) -> int:
    """Never write to ADDRESS again, in any event."""
    (parsed,) = _addresses((address,))
    with _ledger(now) as (ledger, moment):
        stopped = ledger.suppress(parsed, reason, moment)
    console.say(f"{parsed} is not written to any more; stopped: {console.count(stopped, 'waiting message')}.")
    return 0


@click.command()
@click.argument("address")
@now_option
def forget(address: str, now: str | None) -> int:
    """Erase ADDRESS and every word about it from the ledger, and never write to it again."""
    (parsed,) = _addresses((address,))
    if sys.stdin.isatty():
        click.confirm(f"Erase every word about {parsed} for good?", abort=True)
    with _ledger(now) as (ledger, moment):
        erased = ledger.forget(parsed, moment)
    console.say(
        f"Made anonymous: {console.count(erased, 'message')}. Take the address out of the spreadsheets and outbox/ too."
    )
    return 0


@contextmanager
def _ledger(now: str | None) -> Iterator[tuple[Ledger, datetime]]:
    """The real ledger, for what concerns every event, and the moment it is."""
    from mailer import config
    from mailer.cli.desk import clock_at, moment_of
    from mailer.ledger import Ledger

    settings, _ = config.load()
    with Ledger.open(settings.LEDGER_URL) as ledger:
        yield ledger, clock_at(moment_of(now, None))()
