"""A prepared mailing on its way: the ledger's run, the relay or the sandbox, the loop and its progress."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from mailer.audience import main_mailing
from mailer.cli import console
from mailer.cli.command_line import where
from mailer.cli.desk import OUTBOX, Desk
from mailer.cli.guests import Guest
from mailer.cli.interrupts import Interrupts, heeded
from mailer.cli.mailing import Prepared, facts_of
from mailer.cli.messages import sample_delivery
from mailer.cli.progress import Teller, progress
from mailer.cli.relay import relay_of
from mailer.cli.surveying import Survey, Watch, still_due
from mailer.deliver import Compose, Job, Pace, Policy, Round, Tally, Window, still_holds
from mailer.errors import LedgerError, LedgerLost, MailingRefused
from mailer.ledger import Attempt, Invitee, Ledger
from mailer.ledger.records import chunks
from mailer.model import Audience, Delivery, Envelope, Mailbox, State
from mailer.smtp import Connection, Features, Relay, Security
from mailer.status import Verdict

# Nearly every list is queued whole before its first message leaves; longer ones in parts of so many. Their digests and
# references lie scattered over two whole indexes, most pages of which are written anew for each part.
_QUEUED_TOGETHER = 10_000

# A shorter wait is over before anybody wonders.
_WORTH_TELLING = timedelta(seconds=10)


def pace_of(desk: Desk, ledger: Ledger) -> Pace:
    """The configured pace, begun with what the ledger says was sent before; a rehearsal has none."""
    if not desk.rate:
        return Pace(())
    now = desk.clock()
    windows = [Window(limit.most, limit.seconds, limit.of_recipients) for limit in desk.rate]
    before = ledger.reached_relay_since(now - Pace(windows).reach, now)
    # What a clock that was ahead has written down is no reason to wait for longer than the windows are.
    pace = Pace(windows, [(min(at, now), recipients) for at, recipients in before])
    if apart := ledger.taken_apart(str(relay_of(desk.config))):
        pace.expect(*apart)
    return pace


def paused_until(desk: Desk, ledger: Ledger) -> datetime | None:
    """The end of a pause that the relay asked of an earlier run; None where none keeps a run from sending now."""
    until, settings = ledger.paused_until(str(relay_of(desk.config))), desk.config
    return until if until and still_holds(until, desk.clock(), settings.RETRY_AFTER) else None


async def dispatch(
    prepared: Prepared, found: Survey, ledger: Ledger, interrupts: Interrupts, *, wait: bool, anytime: bool
) -> Tally:
    """Queues the mailing for those who are due and sends it, telling each outcome; see `Round.deliver` for errors.

    Raises LedgerLost where the ledger fails once something may have left.
    """
    desk, event, due = prepared.desk, prepared.desk.event, found.due.guests
    round_: Round[Guest] | None = None
    try:
        async with AsyncExitStack() as stack:
            relay = await _relay(desk, stack)
            relay = replace(relay, has_taken_mail=ledger.seconds_each(str(relay)) is not None)
            run = stack.enter_context(ledger.run(event.name, prepared.wave, desk.clock(), relay=str(relay)))
            ledger.publish(event.name, facts_of(event), desk.clock())
            waits = waiting(prepared, due, ledger)
            watch = Watch(prepared, ledger, anytime=anytime)
            jobs = _jobs(prepared, due, ledger, watch, {job.delivery_id for _, job in waits})
            settings = desk.config
            teller = stack.enter_context(progress(len(due), ", ".join(map(str, desk.rate))))
            round_ = Round(
                run,
                jobs,
                _composing(prepared, ledger, relay),
                lambda: Connection(relay),
                pace=pace_of(desk, ledger),
                policy=Policy(settings.SMTP_CONNECTIONS, settings.RETRY_AFTER, settings.GIVE_UP_AFTER, wait),
                clock=desk.clock,
                source=random.Random(),  # noqa: S311  # jitter, not a secret
                progress=lambda delivery, attempt: teller.outcome(_facts(delivery, attempt)),
                idle=lambda until: _tell_wait(teller, until, desk),
                deferred=waits,
                still_due=watch,
            )
            _stop_on_signals(round_)
            interrupts.heed()
            return await round_.deliver()
    except LedgerError as exc:
        if round_ is None or not round_.tally.claimed:
            raise
        raise lost(exc, round_.tally, desk) from exc


def lost(fault: LedgerError, tally: Tally, desk: Desk) -> LedgerLost:
    """The fault of a ledger that came when something may have left, with what was recorded before."""
    return LedgerLost(
        f"{fault} Recorded before that: {console.states(tally.states) or 'nothing'}. Whatever was in flight is in "
        f"doubt: once the ledger can be used again, mailer resolve{where(desk)} shows it."
    )


def _tell_wait(teller: Teller, until: datetime, desk: Desk) -> None:
    now = desk.clock()
    if until - now > _WORTH_TELLING:
        teller.wait(until, console.moment(until, now, desk.event.timezone))


async def send_samples(
    prepared: Prepared, guests: Sequence[Guest], to: Mailbox, tell: Callable[[Guest, str], None]
) -> int:
    """Sends what each of `guests` would get to the address `to` instead, without Cc, at the pace of all that is sent.

    The ledger, made if need be where there is a pace, counts them for that and keeps nothing else. Tells each guest
    with the relay's words; returns how many were sent. Raises RelayError, and LedgerInUse where there is a pace and
    somebody else sends.
    """
    desk = prepared.desk
    number_sent = 0
    with desk.ledger(create=bool(desk.rate)) as kept, Ledger.open("sqlite://") as ledger:
        kept.try_out()  # what cannot be counted is not sent
        async with AsyncExitStack() as stack:
            relay = await _relay(desk, stack)
            if desk.rate:
                # What others send a run counts at its beginning, so samples must not come in between.
                stack.enter_context(kept.run(desk.event.name, "samples", desk.clock(), relay=str(relay)))
            connection = Connection(relay)
            stack.push_async_callback(connection.close)
            for number, guest in enumerate(guests, 1):
                await _wait_for_turn(desk, kept)
                if not connection.is_open:
                    await connection.open()
                reference = ledger.reference_of(desk.event.name, guest.contact.address)
                message_id = ledger.message_id(desk.event.name, f"test-{number}", to.address, prepared.domain)
                sample = sample_delivery(prepared, guest, reference, message_id)
                delivery = replace(sample, recipient=to.address, cc=())
                letter = prepared.letter(guest, reference, delivery.updated_at)
                envelope, content = prepared.message(letter, guest, delivery, connection.features)
                begun = kept.count_besides(desk.clock())  # also where nothing of this process lives to tell the end
                try:
                    outcome = await connection.send(envelope, content)
                finally:
                    kept.count_besides(desk.clock(), instead_of=begun)
                is_sent = outcome.verdict is Verdict.ACCEPTED
                number_sent += is_sent
                words = outcome.reply.text if outcome.reply else outcome.note
                tell(guest, "sent" if is_sent else f"not sent: {words}")
    return number_sent


async def _wait_for_turn(desk: Desk, ledger: Ledger) -> None:
    """Until one more message may go, as the ledger stands by now; told where it takes a while."""
    while (opens_at := pace_of(desk, ledger).opens_at(now := desk.clock())) and opens_at > now:
        if opens_at - now > _WORTH_TELLING:
            until = console.moment(opens_at, now, desk.event.timezone)
            console.say(f"The pace ({', '.join(map(str, desk.rate))}) lets the next one go at {until}.")
        await asyncio.sleep((opens_at - now).total_seconds())


async def _relay(desk: Desk, stack: AsyncExitStack) -> Relay:
    """The configured relay, or the sandbox, running for as long as `stack` lasts."""
    if desk.rehearsal:
        from mailer.sandbox import Sandbox

        sandbox = await stack.enter_async_context(Sandbox(OUTBOX))
        return Relay(sandbox.host, sandbox.port, Security.NONE)
    return relay_of(desk.config)


def _jobs(
    prepared: Prepared, due: Iterable[Guest], ledger: Ledger, watch: Watch, set_aside: Collection[int]
) -> Iterator[Job[Guest]]:
    """What may be claimed, in the order of the sheets, but for what is `set_aside`; queued a part at a time.

    So the first message need not wait until the last of a very long list is queued. Where the run ends before that, who
    is not queued is found to be due by the next one.
    """
    for some in chunks(due, _QUEUED_TOGETHER):
        jobs = _queue(prepared, some, ledger, watch, set_aside)
        some.clear()  # whoever was sent to takes no room while the next part is read
        while jobs:
            yield jobs.popleft()


def _queue(
    prepared: Prepared, some: Sequence[Guest], ledger: Ledger, watch: Watch, set_aside: Collection[int]
) -> deque[Job[Guest]]:
    desk, event, wave = prepared.desk, prepared.desk.event, prepared.wave
    # A reminder alone keeps its distance from other mailings.
    guests = still_due(prepared, ledger, some) if prepared.mailing.is_reminder else some
    contacts = [guest.contact for guest in guests]
    invitees = (Invitee(one.address, one.cc, one.party, one.rule or event.rsvp.rule) for one in contacts)
    invites = prepared.mailing.audience is Audience.CONTACTS
    ledger.enqueue(event.name, wave, invitees, domain=prepared.domain, now=desk.clock(), invites=invites)
    # An answer that came in between concerns the party's invitations, of which there may now be more.
    watch.look()
    numbers = ledger.due(event.name, wave, desk.clock(), [contact.address for contact in contacts])
    keyed = ((numbers.get(guest.contact.address.key), guest) for guest in guests)
    return deque(
        Job(number, guest, 1 + len(guest.contact.cc))
        for number, guest in keyed
        if number is not None and number not in set_aside
    )


def waiting(prepared: Prepared, due: Iterable[Guest], ledger: Ledger) -> list[tuple[datetime, Job[Guest]]]:
    """Those of the mailing whose next try is still to come, and when."""
    now = prepared.desk.clock()
    deferred = ledger.deliveries(prepared.desk.event.name, prepared.wave, State.DEFERRED)
    later = {one.recipient.key: (due_at, one) for one in deferred if (due_at := one.waits_until(now))}
    if not later:
        return []
    pairs = [(guest, *later[key]) for guest in due if (key := guest.contact.address.key) in later]
    return [(due_at, Job(delivery.id, guest, 1 + len(delivery.cc))) for guest, due_at, delivery in pairs]


def _composing(prepared: Prepared, ledger: Ledger, relay: Relay) -> Compose[Guest]:
    """What makes each message; MailingRefused from it says that it is too large for the relay, whoever gets it."""
    threads = _thread_ids(prepared, ledger)

    def compose(delivery: Delivery, guest: Guest, features: Features) -> tuple[Envelope, Sequence[bytes]]:
        letter = prepared.letter(guest, delivery.reference, prepared.desk.clock())
        thread_id = threads.get(delivery.recipient.key)
        envelope, content = prepared.message(letter, guest, delivery, features, thread_id=thread_id)
        # Nothing that is this recipient's own, so that it is the same for all the others.
        shared = prepared.composers[letter.language].shared_size if guest.contact.attachment else envelope.size
        if features.size and shared > features.size:
            raise MailingRefused(
                f"{relay} takes {features.size:,} octets at most, and a message with what is attached to every one "
                f"has {shared:,}: attach less, or shorten the text. Nobody was marked as failed."
            )
        return envelope, content

    return compose


def _thread_ids(prepared: Prepared, ledger: Ledger) -> dict[str, str]:
    """The Message-ID of the invitation by recipient key, for a mailing that is to stand under it."""
    if not prepared.mailing.thread:
        return {}
    event = prepared.desk.event
    invitations = ledger.deliveries(event.name, main_mailing(event).name, State.SENT)
    return {delivery.recipient.key: delivery.message_id for delivery in invitations}


def _stop_on_signals(round_: Round[Guest]) -> None:
    """The first Ctrl-C finishes what is in flight; a second one ends the run at once and leaves that in doubt.

    What was ignored when the run began stays so: `nohup`, and a script's jobs in the background, count on it.
    """
    if sys.platform == "win32":
        return
    task = asyncio.current_task()

    def stop() -> None:
        if round_.tally.interrupted and task:
            task.cancel()
            return
        round_.stop()
        console.complain("Stopping after the messages in flight; once more to stop at once.")

    for number in heeded():
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _facts(delivery: Delivery, attempt: Attempt) -> dict[str, object]:
    return {
        "mailing": delivery.mailing,
        "recipient": str(delivery.recipient),
        "state": attempt.state.value,
        "reply": attempt.reply.text if attempt.reply else None,
        "note": attempt.note or None,
        "message_id": delivery.message_id,
    }
