"""`mailer resolve`: what is in doubt, or was refused, and what a person decides about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.again import UNLISTED, passed_over, say_no_more, say_passed_over, say_what_sends, why_no_more
from mailer.cli.arguments import now_option, parsed_address, sandbox_option
from mailer.cli.command_line import where
from mailer.cli.ends import DONE, WANTS_A_PERSON
from mailer.errors import LedgerError, LedgerInUse, UsageError
from mailer.model import Delivery, Event, State

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.config import Config
    from mailer.ledger import Attempt, Ledger


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
@click.option("--yes", is_flag=True, help="On a terminal, do not ask before all of them are settled at once.")
@sandbox_option
@now_option
def resolve(words: tuple[str, ...], archive: str | None, yes: bool, sandbox: bool, now: str | None, **way: bool) -> int:
    """Show what is in doubt, and settle it: all of it, or the addresses named.

    A delivery is in doubt when the connection or the program was lost before the relay's answer was on record: it may
    have been sent. Ask the recipient or look into the relay's log, then decide: with --sent or --resend, or on a
    terminal one by one. Or let an archive copy decide: --archive looks there for the Message-ID, and changes nothing.

    With --failed, what the relay refused is shown; once the cause is mended, --resend has it sent again, without those
    whom the lists name no more, unless they are named here.

    A folder on an IMAP server is named by imaps://user@host/Folder, with % codes (%20 for a blank); without /Folder,
    the one for sent messages is meant. imap:// begins TLS by STARTTLS. The password is IMAP_PASSWORD in config.env, or
    that of the relay for the same user and host; none stands in the address.
    """
    from mailer.cli.desk import mind_older, open_desk

    decision, failed = _decision(archive, **way), way["failed"]
    event = words[0] if words and "@" not in words[0] else None
    wanted = {parsed_address(text).key for text in (words[1:] if event else words)}
    desk = open_desk(event, now, rehearsal=sandbox)
    asks = not wanted and not yes and sys.stdin.isatty()
    with desk.ledger(create=False) as ledger:
        mind_older(ledger, decides=bool(decision or archive) or (sys.stdin.isatty() and not failed))
        claimed, code = (0, 0) if failed else _tell_of_claims(ledger, desk)
        standing = _standing(ledger, desk.event, State.FAILED if failed else State.IN_DOUBT, wanted)
        if not standing:
            console.say("Nothing has failed." if failed else f"Nothing {'else ' if claimed else ''}is in doubt.")
            return code
        if failed:
            return _look_at_failed(standing, ledger, desk, decision, named=bool(wanted), asks=asks)
        # Before the list, under which its error would be lost.
        archived = _archived(archive, standing, desk.config) if archive else None
        for delivery in standing:
            _show(delivery, ledger.attempts(delivery.id)[-1], desk.event.timezone)
            if archived is not None:
                console.say(f"  {'found' if delivery.message_id in archived else 'not found'} in {archive}")
        if decision and asks:
            _confirm(decision, standing, ledger)
        if archived is None:
            choices = [decision or _ask(delivery) for delivery in standing]
        else:
            choices = [State.SENT if delivery.message_id in archived else None for delivery in standing]
        return _resolve(ledger, desk, list(zip(standing, choices, strict=True)), archive) or code


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
    """What stands so, or of it those whose address is `wanted`. Raises UsageError where one of these does not."""
    found = list(ledger.deliveries(event.name, state=state))
    if wanted - {delivery.recipient.key for delivery in found}:
        word = state.in_words
        known = ", ".join(dict.fromkeys(str(delivery.recipient) for delivery in found)) or "nothing"
        raise UsageError(f"Not all of these are {word}: {', '.join(sorted(wanted))}. {word.capitalize()}: {known}.")
    return [delivery for delivery in found if not wanted or delivery.recipient.key in wanted]


def _tell_of_claims(ledger: Ledger, desk: Desk) -> tuple[int, int]:
    """Says what is claimed, and by whom or why it is not in doubt yet; returns how much, and the exit code for it."""
    claimed = list(ledger.deliveries(desk.event.name, state=State.CLAIMED))
    if not claimed:
        return 0, 0
    number = console.count(len(claimed), "message")
    try:
        ledger.sweep(desk.clock(), quietly=False)
    except LedgerInUse as exc:
        console.say(f"{number} on the way, as long as that run lives. {exc}")
        return len(claimed), 0
    except LedgerError as exc:
        for one in claimed:
            when = f"{one.updated_at.astimezone(desk.event.timezone):%d %B %Y at %H:%M:%S %Z}"
            console.say(f"{one.recipient} ({one.party}), {one.mailing}, Message-ID {one.message_id}")
            console.say(f"  claimed on {when}; it may have been handed over")
        console.say(f"{number} claimed by no run that is known to live, and not to be settled now. {exc}")
        return len(claimed), WANTS_A_PERSON
    return 0, 0


def _show(delivery: Delivery, last: Attempt, zone: tzinfo) -> None:
    from mailer.report import words

    when = last.started_at.astimezone(zone)
    console.say(f"{delivery.recipient} ({delivery.party}), {delivery.mailing}, Message-ID {delivery.message_id}")
    at = f"{when:%d %B %Y at %H:%M:%S %Z}"
    if delivery.state is State.FAILED:
        console.say(f"  not taken by {last.relay} on {at}: {words(delivery)}")
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


def _resolve(ledger: Ledger, desk: Desk, choices: list[tuple[Delivery, State | None]], archive: str | None) -> int:
    """Records what was chosen, says what still stands and what to do next, and returns the exit code."""
    sent = ledger.resolve([one.id for one, state in choices if state is State.SENT], State.SENT, desk.clock())
    again = [one for one, state in choices if state is State.QUEUED]
    queued = ledger.resolve([one.id for one in again], State.QUEUED, desk.clock())
    left = sum(states.get(State.IN_DOUBT, 0) for states in ledger.counts(desk.event.name).values())
    command = f"mailer resolve{where(desk)}"
    console.say(_summary(sent, queued, len(again) - queued, left, command))
    if archive and any(state is None for _, state in choices):
        console.say("A copy may be filed late: look again in some minutes, before you decide with --resend.")
    elif not archive and not sent and not again:
        console.say(f"Settle them: {command} ADDRESS --sent or --resend, or --archive FOLDER")
    if queued:
        say_what_sends(again, desk, ledger)
    return WANTS_A_PERSON if left else DONE


# --- what was refused -------------------------------------------------------------------------------------------------


def _look_at_failed(
    failed: Sequence[Delivery], ledger: Ledger, desk: Desk, decision: State | None, *, named: bool, asks: bool
) -> int:
    """Shows what was refused, and queues once more what is still to be sent, or says how; returns the exit code.

    Whoever needs the mailing no more is left alone, and whom the lists name no more unless `named`.
    """
    reasons = passed_over(failed, desk.invitees, desk, ledger)
    _show_failed(failed, reasons, ledger, desk.event.timezone)
    left = {number: reason for number, reason in reasons.items() if not (named and reason == UNLISTED)}
    needed = [one for one in failed if one.id not in left]
    say_no_more(needed, desk)
    again = [one for one in needed if not why_no_more(one.mailing, desk)]
    if decision is None:
        return _say_how(again, reasons, desk)
    if asks:
        _confirm(State.QUEUED, again, ledger)
    queued = ledger.resolve([one.id for one in again], State.QUEUED, desk.clock())
    console.say(f"{queued} to be sent again")
    if stopped := len(again) - queued:
        console.say(f"{stopped} suppressed, so not sent again")
    say_passed_over(failed, left, "left as failed")
    if queued:
        say_what_sends(again, desk, ledger)
    return 0


def _show_failed(failed: Sequence[Delivery], reasons: Mapping[int, str], ledger: Ledger, zone: tzinfo) -> None:
    suppressed = ledger.suppressed(one.recipient for one in failed)
    for one in failed:
        _show(one, ledger.attempts(one.id)[-1], zone)
        if suppression := suppressed.get(one.recipient.key):
            console.say(f"  suppressed: {suppression.reason}")
        if one.id in reasons:
            console.say(f"  {reasons[one.id]}")


def _say_how(again: Sequence[Delivery], passed: Mapping[int, str], desk: Desk) -> int:
    """How what failed is sent again, unless it is `passed` over; returns the exit code, 0 where nobody needs that."""
    if again:
        who = "all but those marked," if passed else "all"
        console.say(
            f"Once the cause is mended: mailer resolve{where(desk)} --failed --resend, for {who} or for an ADDRESS"
        )
    elif passed:
        console.say("Nothing is left to do.")
    return WANTS_A_PERSON if any(one.id not in passed for one in again) else DONE


def _confirm(decision: State, standing: Sequence[Delivery], ledger: Ledger) -> None:
    """Asks before all of them are settled, unless that sends nothing. Raises UsageError where the answer is not yes."""
    if decision is State.SENT:
        console.confirm(f"mark {console.count(len(standing), 'message')} as sent")
        return
    suppressed = ledger.suppressed(one.recipient for one in standing)
    if number := sum(one.recipient.key not in suppressed for one in standing):
        console.confirm(f"have {console.count(number, 'message')} sent again")


def _summary(sent: int, queued: int, stopped: int, left: int, command: str) -> str:
    parts = ((sent, "marked as sent"), (queued, "to be sent again"), (stopped, "suppressed, so not sent again"))
    done = ", ".join(f"{number} {what}" for number, what in parts if number) or "Nothing was settled"
    if not left:
        return f"{done}; nothing is in doubt any more"
    if not (sent or queued or stopped):
        return f"{done}; {left} {'is' if left == 1 else 'are'} in doubt"
    return f"{done}; {console.count(left, 'other')} {'is' if left == 1 else 'are'} still in doubt: {command}"
