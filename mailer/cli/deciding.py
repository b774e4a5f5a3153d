"""`mailer resolve`, `suppress` and `forget`: what only a person can decide."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import now_option, sandbox_option
from mailer.errors import UsageError
from mailer.model import Address, Delivery, Event, State

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.config import Config
    from mailer.ledger import Attempt, Ledger


def _addresses(texts: tuple[str, ...]) -> list[Address]:
    try:
        return [Address.parse(text) for text in texts]
    except ValueError as exc:
        raise UsageError(f"{', '.join(texts)}: {exc}") from None


@click.command(short_help="Settle what is in doubt, or was refused.")
@click.argument("words", nargs=-1, metavar="[EVENT] [ADDRESS ...]")
@click.option("--sent", is_flag=True, help="They were received: mark them as sent.")
@click.option("--resend", is_flag=True, help="Send them again, with the same Message-ID and Date.")
@click.option(
    "--archive",
    metavar="MAILDIR|MBOX|IMAP",
    help="What an archive copy or Sent folder holds was sent: a path, imaps://user@host/Folder, or imap for IMAP_URL.",
)
@click.option("--failed", is_flag=True, help="What the relay refused, in place of what is in doubt; with --resend.")
@click.option("--yes", is_flag=True, help="Do not ask before all of them are settled at once.")
@sandbox_option
@now_option
def resolve(words: tuple[str, ...], archive: str | None, yes: bool, sandbox: bool, now: str | None, **way: bool) -> int:
    """Show what is in doubt, and settle it: all of it, or the addresses named.

    A delivery is in doubt when the connection or the program was lost before the relay's answer was on record: it may
    have been sent. Ask the recipient or look into the relay's log, then decide. Or let an archive copy decide:
    --archive looks there for the Message-ID, and changes nothing in it.

    With --failed, what the relay refused is shown; once the cause is mended, --resend has it sent again.

    On an IMAP server, that is in imaps://user@host/Folder, with % codes (%20 for a blank), or without a folder in the
    one for sent messages. imap:// begins TLS by STARTTLS. The password is IMAP_PASSWORD in config.env, or that of the
    relay for the same user and host; none stands in the address.
    """
    from mailer.cli.desk import open_desk

    decision, failed = _decision(archive, **way), way["failed"]
    state = State.FAILED if failed else State.IN_DOUBT
    event = words[0] if words and "@" not in words[0] else None
    wanted = {address.key for address in _addresses(words[1:] if event else words)}
    desk = open_desk(event, now, rehearsal=sandbox)
    with desk.ledger(create=False) as ledger:
        doubtful = _standing(ledger, desk.event, state, wanted)
        if not doubtful:
            console.say("Nothing has failed." if failed else "Nothing is in doubt.")
            return 0
        # Before the list, under which its error would be lost.
        archived = _archived(archive, doubtful, desk.config) if archive else None
        for delivery in doubtful:
            _show(delivery, ledger.attempts(delivery.id)[-1], desk.event.timezone)
        if decision and not wanted and not yes and sys.stdin.isatty():
            messages = console.count(len(doubtful), "message")
            console.confirm(f"mark {messages} as sent" if decision is State.SENT else f"have {messages} sent again")
        if failed:
            return _settle_failed(ledger, desk, doubtful if decision else [], event)
        if archived is None:
            choices = [decision or _ask(delivery) for delivery in doubtful]
        else:
            choices = [State.SENT if delivery.message_id in archived else None for delivery in doubtful]
        return _settle(ledger, desk, list(zip(doubtful, choices, strict=True)), event, archive)


def _decision(archive: str | None, *, failed: bool, sent: bool, resend: bool) -> State | None:
    """What is to become of all of them; None where each is asked for, or the archive decides."""
    if failed and (sent or archive):
        raise UsageError("What the relay refused was not sent: --failed goes with --resend alone.")
    if sent and resend:
        raise UsageError("--sent and --resend contradict each other: name one.")
    if archive and (sent or resend):
        raise UsageError("--archive decides by itself: leave --sent and --resend out.")
    return State.SENT if sent else State.QUEUED if resend else None


def _standing(ledger: Ledger, event: Event, state: State, wanted: set[str]) -> list[Delivery]:
    """What stands so, or of it those whose address is `wanted`. Raises UsageError where one of these does not.

    Failed reminders do not count: the next one is another mailing, and the one before is not made up for.
    """
    doubtful = list(ledger.deliveries(event.name, state=state))
    if state is State.FAILED:
        doubtful = [delivery for delivery in doubtful if delivery.mailing in event.mailings]
    if wanted - {delivery.recipient.key for delivery in doubtful}:
        word = state.value.replace("_", " ")
        known = ", ".join(str(delivery.recipient) for delivery in doubtful) or "nothing"
        raise UsageError(f"Not all of these are {word}: {', '.join(sorted(wanted))}. {word.capitalize()}: {known}.")
    return [delivery for delivery in doubtful if not wanted or delivery.recipient.key in wanted]


def _show(delivery: Delivery, last: Attempt, zone: tzinfo) -> None:
    when = last.started_at.astimezone(zone)
    console.say(f"{delivery.recipient} ({delivery.party}), {delivery.mailing}, Message-ID {delivery.message_id}")
    at = f"{when:%d %B %Y at %H:%M:%S %Z}"
    if delivery.state is State.FAILED:
        console.say(f"  refused by {last.relay} on {at}: {last.reply.text if last.reply else last.note}")
    else:
        console.say(f"  claimed for {last.relay} on {at}; it may have been handed over")
        console.say(f"  {last.note}")


def _archived(archive: str, doubtful: Sequence[Delivery], config: Config) -> set[str]:
    """Those of their Message-IDs that the archive holds; all are asked for at once."""
    from mailer.cli.archive import held

    # A message is as old as its Date, which it keeps when it is sent again.
    since = min(delivery.date or delivery.updated_at for delivery in doubtful)
    return held(archive, {delivery.message_id for delivery in doubtful}, since, config)


def _ask(delivery: Delivery) -> State | None:
    if not sys.stdin.isatty():
        return None
    chosen: State | None = click.prompt(
        f"{delivery.recipient} (sent, resend, leave)", default="leave", value_proc=_choice
    )
    return chosen


def _choice(typed: str) -> State | None:
    """What a word, or its first letters, stands for."""
    letters = typed.strip().lower()
    for word, state in (("sent", State.SENT), ("resend", State.QUEUED), ("leave", None)):
        if letters and word.startswith(letters):
            return state
    raise click.BadParameter("type sent, resend or leave, or s, r or l.")


def _settle(
    ledger: Ledger, desk: Desk, choices: list[tuple[Delivery, State | None]], event: str | None, archive: str | None
) -> int:
    """Records what was chosen, says what still stands and what to do next, and returns the exit code."""
    sent = ledger.settle([one.id for one, state in choices if state is State.SENT], State.SENT, desk.clock())
    again = [one for one, state in choices if state is State.QUEUED]
    queued = ledger.settle([one.id for one in again], State.QUEUED, desk.clock())
    left = sum(states.get(State.IN_DOUBT, 0) for states in ledger.counts(desk.event.name).values())
    where = _where(desk, event)
    console.say(_summary(sent, queued, left, f"mailer resolve{where}"))
    if archive and any(state is None for _, state in choices):
        console.say("A copy may be filed late: look again in some minutes, before you decide with --resend.")
    elif not archive and not sent and not queued:
        console.say(f"Settle them: mailer resolve{where} ADDRESS --sent or --resend, or --archive FOLDER")
    _say_what_sends(desk, again, where)
    return int(left > 0)


def _settle_failed(ledger: Ledger, desk: Desk, again: Sequence[Delivery], event: str | None) -> int:
    """Queues these once more, or says how; returns the exit code."""
    where = _where(desk, event)
    if not again:
        console.say(
            f"Once the cause is mended: mailer resolve{where} --failed --resend, for all or for the ADDRESS named"
        )
        return 1
    queued = ledger.settle([one.id for one in again], State.QUEUED, desk.clock())
    console.say(f"{queued} to be sent again")
    _say_what_sends(desk, again, where)
    return 0


def _where(desk: Desk, event: str | None) -> str:
    """What a command needs besides its name to mean this ledger."""
    return (f" {event}" if event else "") + (" --sandbox" if desk.rehearsal else "")


def _say_what_sends(desk: Desk, queued: Iterable[Delivery], where: str) -> None:
    for command in sorted({_sending(desk, one.mailing) for one in queued}):
        console.say(f"Now: {command}{where}")


def _summary(sent: int, queued: int, left: int, command: str) -> str:
    parts = ((sent, "marked as sent"), (queued, "to be sent again"))
    done = ", ".join(f"{number} {what}" for number, what in parts if number) or "Nothing was settled"
    if not left:
        return f"{done}; nothing is in doubt any more"
    if not (sent or queued):
        return f"{done}; {left} {'is' if left == 1 else 'are'} in doubt"
    return f"{done}; {console.count(left, 'other')} {'is' if left == 1 else 'are'} still in doubt: {command}"


def _sending(desk: Desk, mailing: str) -> str:
    """The command that sends what is queued of a mailing as the ledger names it: a reminder with its offset."""
    from mailer.audience import main_mailing

    if mailing == main_mailing(desk.event).name:
        return "mailer send"
    if mailing in desk.event.mailings:
        return f"mailer send --mailing {mailing}"
    return f"mailer remind --mailing {mailing.rpartition('-')[0]}"


@click.command()
@click.argument("address")
@click.option("--reason", required=True, metavar="R", help="Why, in your own words.")
@now_option
def suppress(address: str, reason: str, now: str | None) -> int:
    """Never write to ADDRESS again, in any event."""
    (parsed,) = _addresses((address,))
    with _ledger(now) as (ledger, moment, events):
        is_known = any(ledger.histories(event, [parsed]) for event in events)
        stopped = ledger.suppress(parsed, reason, moment)
    console.say(f"{parsed} is not written to any more; stopped: {console.count(stopped, 'waiting message')}.")
    if not is_known:
        console.say("No message of its own was sent to it, or waits: see that it is spelled as in your lists.")
    return 0


@click.command(short_help="Erase ADDRESS from the ledger for good.")
@click.argument("address")
@now_option
def forget(address: str, now: str | None) -> int:
    """Erase ADDRESS and every word about it from the ledger, and never write to it again."""
    (parsed,) = _addresses((address,))
    if sys.stdin.isatty():
        click.confirm(f"Erase every word about {parsed} for good?", abort=True)
    with _ledger(now) as (ledger, moment, _):
        erased = ledger.forget(parsed, moment)
    console.say(
        f"Made anonymous: {console.count(erased, 'message')}. Take the address out of the spreadsheets and outbox/ too."
    )
    return 0


@contextmanager
def _ledger(now: str | None) -> Iterator[tuple[Ledger, datetime, Sequence[str]]]:
    """The real ledger, for what concerns every event, the moment it is, and the events there are.

    Raises UsageError outside of a working folder, where it would be a ledger that no event has.
    """
    from mailer import config, event
    from mailer.cli.desk import clock_at, moment_of
    from mailer.ledger import Ledger

    settings, _ = config.load()
    events = event.names(settings.TEMPLATES)
    if not events:
        raise UsageError(f"There is no event in {settings.TEMPLATES}/ here: go to your working folder.")
    with Ledger.open(settings.LEDGER_URL) as ledger:
        yield ledger, clock_at(moment_of(now, None))(), events
