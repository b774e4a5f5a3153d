"""`mailer send` and `mailer remind`: say what is due, ask, send it, and say what came of it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, now_option
from mailer.cli.command_line import event_meant, where
from mailer.cli.ends import INTERRUPTED
from mailer.errors import InputRefused, LedgerError, RelayError, UsageError

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.gathering import Gathered
    from mailer.cli.interrupts import Interrupts
    from mailer.cli.mailing import Prepared
    from mailer.cli.outstanding import Outstanding
    from mailer.cli.surveying import Survey
    from mailer.deliver import Tally
    from mailer.ledger import Ledger
    from mailer.model import Mailing

# What one message takes on a usual relay over one connection, in seconds: for the forecast, until the ledger knows.
_SECONDS_EACH = 0.3
_NOT_LONG = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Options:
    """How a mailing is to be sent, as the command line says."""

    dry_run: bool
    yes: bool
    wait: bool
    limit: int | None
    only: str | None
    test: str | None
    sandbox: bool
    skip_invalid: bool
    anytime: bool


def _sending_options(command: Callable[..., int]) -> Callable[..., int]:
    options = (
        event_argument,
        click.option("--mailing", metavar="NAME", help="Which mailing of the event."),
        click.option("--dry-run", is_flag=True, help="Send nothing; say what would be sent, and to whom not."),
        click.option("--yes", is_flag=True, help="Do not ask for confirmation."),
        click.option("--wait", is_flag=True, help="Stay until every deferral is settled or given up."),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N messages in this run."),
        click.option("--only", metavar="TEXT", help="Only where address, name or party holds TEXT."),
        click.option("--test", metavar="ADDRESS", help="Send samples of every form to ADDRESS instead."),
        click.option("--sandbox", is_flag=True, help="Rehearse: deliver into outbox/, with a ledger of its own."),
        click.option("--skip-invalid", is_flag=True, help="Send the sound rows although others have errors."),
        now_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(short_help="Send what is due; run again, it resumes.")
@_sending_options
def send(event: str | None, mailing: str | None, now: str | None, **flags: object) -> int:
    """Send what is due of a mailing (the invitation if none is named) and record it; run again, it resumes."""
    from mailer.cli.desk import open_desk
    from mailer.cli.mailing import choose_mailing

    options = _Options(anytime=False, **flags)  # type: ignore[arg-type]
    desk = open_desk(event, now, rehearsal=options.sandbox)
    return _send(desk, choose_mailing(desk, mailing), options)


@click.command(short_help="Send the reminder that is due now.")
@_sending_options
@click.option("--anytime", is_flag=True, help="Also outside the reminder's days and hours.")
def remind(event: str | None, mailing: str | None, now: str | None, **flags: object) -> int:
    """Send the reminder that is due at this moment to those who have not answered."""
    from mailer.cli.desk import open_desk

    options = _Options(**flags)  # type: ignore[arg-type]
    desk = open_desk(event, now, rehearsal=options.sandbox)
    reminders = {name: found for name, found in desk.event.mailings.items() if found.is_reminder}
    if mailing is None and len(reminders) == 1:
        mailing = next(iter(reminders))
    if mailing not in reminders:
        known = f"It has: {', '.join(reminders)}." if reminders else "A reminder is a mailing with before_deadline."
        raise UsageError(f"Which reminder of {desk.event.name}? {known}")
    return _send(desk, reminders[mailing], options)


def _send(desk: Desk, mailing: Mailing, options: _Options) -> int:
    from mailer.cli.gathering import gather
    from mailer.cli.interrupts import Interrupts
    from mailer.cli.mailing import prepare
    from mailer.cli.samples import send_test

    if options.test and options.dry_run:
        raise UsageError("--test sends and --dry-run does not: give one of them.")
    if not (options.sandbox or options.dry_run):
        _require_relay(desk)
    with Interrupts() as interrupts:
        prepared = prepare(desk, mailing)
        # Modules and templates stay to the end: to look through them for cycles again and again takes a seventh of the
        # time of a long list.
        gc.freeze()
        if options.test:
            everybody = gather(prepared)
            _require_sound(everybody, desk, options)
            return send_test(prepared, everybody.guests, options.test)
        return _survey_and_send(prepared, options, interrupts)


def _survey_and_send(prepared: Prepared, options: _Options, interrupts: Interrupts) -> int:
    from mailer.cli.desk import mind_older
    from mailer.cli.outstanding import outstanding
    from mailer.cli.surveying import survey

    desk, mailing = prepared.desk, prepared.mailing
    closed = _closed_until(prepared) if mailing.is_reminder and not options.anytime else None
    with desk.ledger(create=False) as ledger:
        mind_older(ledger, decides=not options.dry_run)
        found = survey(prepared, ledger, wait=options.wait, only=options.only, limit=options.limit)
    _require_sound(found.due, desk, options)
    with desk.ledger(create=not options.dry_run) as ledger:
        _summarise(prepared, found, ledger, options, is_open=not closed)
        if options.dry_run:
            _list(found)
            if closed and found.due.guests:
                console.say(f"At this moment it would send nothing: it is outside the days and hours. {closed}")
        elif not found.due.guests:
            _tell_of_nothing(prepared, found)
        elif closed:
            console.say(f"Nothing was sent: it is outside the reminder's days and hours. {closed}")
        else:
            return _send_due(prepared, found, ledger, options, interrupts)
        left = outstanding(prepared, found, ledger, anytime=options.anytime)
        if left.code:
            _tell(prepared, left, ledger)  # why a run that had nothing to do wants a person
        return left.code


def _tell_of_nothing(prepared: Prepared, found: Survey) -> None:
    """That nothing is due, and what might have been meant."""
    from mailer.cli.desk import OUTBOX

    desk = prepared.desk
    console.say("Nothing is due.")
    if prepared.mailing.asks_for_answer and desk.clock() > desk.event.rsvp.deadline:
        how = "--now" if desk.rehearsal else "--sandbox and --now"
        console.say(f"To rehearse as if it were earlier, add {how} with a moment before the deadline.")
    elif desk.rehearsal and found.reasons:
        console.say(f"To rehearse once more, delete the folder {OUTBOX}.")


def _require_sound(gathered: Gathered, desk: Desk, options: _Options) -> None:
    """Raises InputRefused where anything is wrong, unless only the sound rows are wanted; tells the rest."""
    check = f"mailer check{event_meant(desk)}"
    if gathered.errors and not options.skip_invalid:
        in_sheets = any(problem.row for problem in gathered.errors)
        advice = f"Correct them ({check} --annotate DIR writes each to its cell), or send to the sound rows alone: "
        raise InputRefused(gathered.errors, f"{advice}--skip-invalid" if in_sheets else "")
    if gathered.errors:
        console.problems(gathered.errors)
    if warnings := len(gathered.problems) - len(gathered.errors):
        console.complain(f"{console.count(warnings, 'warning')} about what is due now; {check} shows all there are")


def _send_due(prepared: Prepared, found: Survey, ledger: Ledger, options: _Options, interrupts: Interrupts) -> int:
    from mailer.cli.dispatch import dispatch, lost
    from mailer.cli.outstanding import outstanding

    number = len(found.due.guests)
    if not options.yes:
        ledger.require_no_run()  # nobody is asked in vain
        console.confirm(f"{'rehearse' if options.sandbox else 'send'} {console.count(number, 'message')}")
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            sending = dispatch(prepared, found, ledger, interrupts, wait=options.wait, anytime=options.anytime)
            tally = runner.run(sending)
    except RelayError:
        _tell(prepared, outstanding(prepared, found, ledger, anytime=options.anytime), ledger)
        raise
    finally:
        interrupts.mute()
    try:
        left = outstanding(prepared, found, ledger, anytime=options.anytime)
    except LedgerError as exc:
        raise lost(exc, tally, prepared.desk) from exc
    is_cut_short = _conclude(number, tally, prepared.desk, wait=options.wait)
    _tell(prepared, left, ledger)
    return INTERRUPTED if is_cut_short else left.code


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of the extra `speed`, where that is installed."""
    try:
        import uvloop
    except ImportError:
        return None
    new_loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return new_loop


# --- before -----------------------------------------------------------------------------------------------------------


def _require_relay(desk: Desk) -> None:
    """Raises InputRefused where a real sending lacks its relay or its sender; it is never guessed."""
    from mailer.cli.doctor.folder import missing

    if problems := list(missing(desk.config)):
        raise InputRefused(problems)


def _closed_until(prepared: Prepared) -> str | None:
    """When the reminder's days and hours next allow sending, as a sentence; None if they do now."""
    from mailer.audience import opening

    event, now = prepared.desk.event, prepared.desk.clock()
    opens = opening(prepared.mailing, event, now)
    if opens <= now:
        return None
    return f"It would be sent from {opens.astimezone(event.timezone):%A, %d %B %Y, %H:%M %Z}; --anytime overrides this."


def _summarise(prepared: Prepared, found: Survey, ledger: Ledger, options: _Options, *, is_open: bool) -> None:
    from mailer.audience import doubts_invitation
    from mailer.cli.relay import relay_of
    from mailer.cli.renaming import renamed
    from mailer.model import Audience

    desk = prepared.desk
    event, sender = desk.event, prepared.sender.from_
    relay = str(relay_of(desk.config)) if desk.config.SMTP_HOST else "no relay (none is set)"
    console.say(event.title)
    if event.cancelled:
        console.say("This event is CANCELLED: see that the text says so.")
    console.say(f"{prepared.wave}: {len(found.due.guests)} to be sent")
    for (kind, language), number in sorted(found.due.groups.items()):
        console.say(f"{number:>7}  {kind}s, in {language}")
    for name, number in found.told.items():
        had = f"have had {name} already," if event.mailings[name].audience is Audience.INVITED else "were invited"
        console.say(f"{number:>7}  of them {had} with the event as it is now")
    for reason, number in found.reasons.most_common():
        way = f"; settle it with mailer resolve{where(desk)}" if doubts_invitation(reason) else ""
        console.say(f"{number:>7}  left out: {reason}{way}")
    rows = {(problem.file, problem.sheet, problem.row) for problem in found.due.errors}
    if rows:
        console.say(f"{len(rows):>7}  left out: rows with errors, named above")
    whom = f"{sender.name} <{sender.address}>" if sender.name else str(sender.address)
    console.say(f"From {whom}" if desk.rehearsal or desk.config.MAIL_FROM else "From no sender (MAIL_FROM is not set)")
    console.say(f"Over {'the sandbox: a rehearsal, nothing leaves this machine' if desk.rehearsal else relay}")
    if prepared.mailing.asks_for_answer:
        deadline = event.rsvp.deadline.astimezone(event.timezone)
        console.say(f"Answers are due by {deadline:%A, %d %B %Y, %H:%M %Z}")
    if doubt := renamed(prepared, found, ledger):
        if doubt.is_strong and options.yes and not (options.dry_run or desk.rehearsal):
            raise UsageError(f"Nothing was sent. {doubt.sentence}")
        console.complain(f"warning: {doubt.sentence}")
    if found.due.guests and is_open and not desk.rehearsal:
        console.say(_forecast(prepared, ledger, found, options))


def _forecast(prepared: Prepared, ledger: Ledger, found: Survey, options: _Options) -> str:
    """How long the messages will take, and whether they will be out before deadline and closing hour, as a sentence."""
    from mailer.cli.dispatch import pace_of, paused_until, waiting
    from mailer.cli.relay import relay_of

    desk, mailing, messages = prepared.desk, prepared.mailing, len(found.due.guests)
    now, event, config = desk.clock(), desk.event, desk.config
    known, pace = ledger.seconds_each(str(relay_of(config))), pace_of(desk, ledger)
    recipients_each = found.due.recipients / messages
    pause = paused_until(desk, ledger)
    begin = pause or now
    done = pace.forecast(messages, begin, known or _SECONDS_EACH, recipients_each, config.SMTP_CONNECTIONS)
    paced = pace.forecast(messages, begin, recipients_each=recipients_each)
    is_guess = known is None and done - paced > max(_NOT_LONG, (done - now) / 20)
    guess = "; a guess, as nothing has gone over this relay yet" if is_guess else ""
    done = max([done, *(retry_at for retry_at, _ in waiting(prepared, found.due.guests, ledger))])
    when = console.moment(done, now, event.timezone) + _in_time(prepared, done)
    until = f"; none before {console.moment_from(pause, now, event.timezone)}, as the relay asked" if pause else ""
    rate = f" (at most {', '.join(map(str, config.SMTP_RATE))})" if config.SMTP_RATE else ""
    closing = datetime.combine(event.day_of(now), mailing.hours[1], event.timezone)
    ends = mailing.is_reminder and not options.anytime and done > closing
    hours = f"; but the reminder's hours end before, at {closing:%H:%M %Z}" if ends else ""
    span = console.duration(done - now)
    return f"{console.count(messages, 'message')}: {span}, done about {when}{rate}{until}{guess}{hours}"


def _in_time(prepared: Prepared, done: datetime) -> str:
    """Whether the last message, `done` at that moment, is in time, to stand behind it; nothing where any time will do.

    What asks for no answer is late only where it was to be there before the event begins.
    """
    event = prepared.desk.event
    if prepared.mailing.asks_for_answer:
        return f", {'AFTER' if done > event.rsvp.deadline else 'before'} the deadline"
    return ", AFTER the event begins" if prepared.desk.clock() < event.starts < done else ""


def _list(found: Survey) -> None:
    for guest in found.due.guests:
        name = guest.form.address_name  # a mission that is written to as such is called by its own name
        whom = name if guest.party in name else f"{name} ({guest.party})"
        console.say(f"would send to {guest.contact.address}: {whom}")
    for address, reason in found.left_out:
        console.say(f"left out {address}: {reason}")
    console.say("A dry run: nothing was sent.")


# --- after ------------------------------------------------------------------------------------------------------------


def _conclude(number: int, tally: Tally, desk: Desk, *, wait: bool) -> bool:
    """Says what came of the run; whether it was stopped before it had done all that it was to do."""
    from mailer.model import State

    console.say(f"{console.states(tally.states) or 'None sent'} of {number}.")
    if tally.without_copy:
        console.say(f"{tally.without_copy} sent, but not to everybody in copy: see mailer status{where(desk)}")
    untried = number - tally.states.total() - tally.passed_over
    if tally.interrupted and untried:
        console.say(f"Stopped: {untried} not tried. Run the same command again to go on.")
        return True
    if tally.interrupted and wait and tally.states[State.DEFERRED]:
        console.say("Stopped before the deferred ones were settled.")
        return True
    return False


def _tell(prepared: Prepared, left: Outstanding, ledger: Ledger) -> None:
    """How the mailing stands, what of it wants a person, and where to look further."""
    from mailer.cli.changes import who_was_not_told

    desk = prepared.desk
    for sentence in left.sentences(prepared.wave, desk):
        console.say(sentence)
    for untold in who_was_not_told(desk, ledger):
        console.say(". ".join(untold))
    what = "The messages are in outbox/; where they stand" if desk.rehearsal else "Where everything stands"
    console.say(f"{what}: mailer status{where(desk)}")
