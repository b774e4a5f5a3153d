"""A prepared mailing on its way: the ledger's run, the relay or the sandbox, the loop and its progress."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime

from mailer.audience import main_mailing
from mailer.cli import console
from mailer.cli.desk import OUTBOX, Desk, Guest
from mailer.cli.mailing import Prepared, facts_of
from mailer.cli.relay import relay_of
from mailer.cli.surveying import Survey, Watch
from mailer.deliver import Job, Pace, Policy, Round, Tally, Window
from mailer.ledger import Attempt, Invitee, Ledger
from mailer.model import Delivery, Envelope, Mailbox, State
from mailer.smtp import Connection, Features, Relay, Security
from mailer.status import Verdict


def pace_of(desk: Desk, ledger: Ledger) -> Pace:
    """The configured pace, begun with what the ledger says was sent before; a rehearsal has none."""
    if desk.rehearsal or not desk.config.SMTP_RATE:
        return Pace(())
    windows = [Window(limit.most, limit.seconds, limit.of_recipients) for limit in desk.config.SMTP_RATE]
    return Pace(windows, ledger.reached_relay_since(desk.clock() - Pace(windows).reach))


async def dispatch(prepared: Prepared, found: Survey, ledger: Ledger, *, wait: bool, anytime: bool) -> Tally:
    """Queues the mailing for those who are due and sends it, telling each outcome; see `Round.deliver` for errors."""
    desk, event, due = prepared.desk, prepared.desk.event, found.due
    async with AsyncExitStack() as stack:
        relay = await _relay(desk, stack)
        run = stack.enter_context(ledger.run(event.name, prepared.wave, desk.clock(), relay=str(relay)))
        domain = desk.mail_from.address.domain
        ledger.publish(event.name, facts_of(event), desk.clock())
        ledger.enqueue(event.name, prepared.wave, _invitees(prepared, due), domain=domain, now=desk.clock())
        jobs, waiting = _jobs(prepared, due, ledger)
        threads = _thread_ids(prepared, ledger)

        def compose(delivery: Delivery, guest: Guest, features: Features) -> tuple[Envelope, Sequence[bytes]]:
            letter = prepared.letter(guest, delivery.reference, desk.clock())
            thread_id = threads.get(delivery.recipient.key)
            return prepared.message(letter, guest, delivery, eight_bit=features.eight_bit, thread_id=thread_id)

        with console.progress(len(jobs) + (len(waiting) if wait else 0)) as advance:
            settings = desk.config
            round_ = Round(
                run,
                jobs,
                compose,
                lambda: Connection(relay),
                relay=str(relay),
                pace=pace_of(desk, ledger),
                policy=Policy(settings.SMTP_CONNECTIONS, settings.RETRY_AFTER, settings.GIVE_UP_AFTER, wait),
                clock=desk.clock,
                source=random.Random(),  # noqa: S311  # jitter, not a secret
                progress=lambda delivery, attempt: advance(_line(delivery, attempt), _facts(delivery, attempt)),
                deferred=waiting,
                still_due=Watch(prepared, found, ledger, anytime=anytime),
            )
            _stop_on_signals(round_)
            return await round_.deliver()


async def send_samples(prepared: Prepared, guests: Sequence[Guest], to: Mailbox) -> list[tuple[Guest, str]]:
    """Sends what each of `guests` would get to the address `to` instead, without Cc and without the ledger.

    Gives each guest with the relay's words. Raises RelayError.
    """
    desk = prepared.desk
    told: list[tuple[Guest, str]] = []
    domain = desk.mail_from.address.domain
    with Ledger.open("sqlite://") as ledger:
        async with AsyncExitStack() as stack:
            connection = Connection(await _relay(desk, stack))
            stack.push_async_callback(connection.close)
            for number, guest in enumerate(guests, 1):
                if not connection.is_open:
                    await connection.open()
                now = desk.clock()
                delivery = Delivery(
                    id=number,
                    event=desk.event.name,
                    mailing=f"test-{number}",
                    recipient=to.address,
                    cc=(),
                    party=guest.party,
                    reference=ledger.reference_of(desk.event.name, guest.contact.address),
                    message_id=ledger.message_id(desk.event.name, f"test-{number}", to.address, domain),
                    state=State.QUEUED,
                    attempts=0,
                    updated_at=now,
                )
                letter = prepared.letter(guest, delivery.reference, now)
                eight_bit = connection.features.eight_bit
                outcome = await connection.send(*prepared.message(letter, guest, delivery, eight_bit=eight_bit))
                words = outcome.reply.text if outcome.reply else outcome.note
                told.append((guest, "sent" if outcome.verdict is Verdict.ACCEPTED else f"not sent: {words}"))
    return told


async def _relay(desk: Desk, stack: AsyncExitStack) -> Relay:
    """The configured relay, or the sandbox, running for as long as `stack` lasts."""
    if desk.rehearsal:
        from mailer.sandbox import Sandbox

        sandbox = await stack.enter_async_context(Sandbox(OUTBOX))
        return Relay(sandbox.host, sandbox.port, Security.NONE)
    return relay_of(desk.config)


def _invitees(prepared: Prepared, due: Sequence[Guest]) -> Iterator[Invitee]:
    rule = prepared.desk.event.rsvp.rule
    for contact in (guest.contact for guest in due):
        yield Invitee(contact.address, contact.cc, contact.party, contact.rule or rule)


def _jobs(
    prepared: Prepared, due: Sequence[Guest], ledger: Ledger
) -> tuple[list[Job[Guest]], list[tuple[datetime, Job[Guest]]]]:
    """What may be claimed now, in the order of the sheets, and what is deferred until later."""
    event, wave = prepared.desk.event.name, prepared.wave
    numbers = ledger.due(event, wave, prepared.desk.clock())
    guests = {guest.contact.address.key: guest for guest in due}
    jobs = [Job(numbers[key], guest, 1 + len(guest.contact.cc)) for key, guest in guests.items() if key in numbers]
    waiting = [
        (delivery.due_at, Job(delivery.id, guests[delivery.recipient.key], 1 + len(delivery.cc)))
        for delivery in ledger.deliveries(event, wave, State.DEFERRED)
        if delivery.due_at and delivery.recipient.key in guests and delivery.recipient.key not in numbers
    ]
    return jobs, waiting


def _thread_ids(prepared: Prepared, ledger: Ledger) -> dict[str, str]:
    """The Message-ID of the invitation by recipient key, for a mailing that is to stand under it."""
    if not prepared.mailing.thread:
        return {}
    event = prepared.desk.event
    invitations = ledger.deliveries(event.name, main_mailing(event).name, State.SENT)
    return {delivery.recipient.key: delivery.message_id for delivery in invitations}


def _stop_on_signals(round_: Round[Guest]) -> None:
    """The first Ctrl-C finishes what is in flight; a second one ends the run at once and leaves that in doubt."""
    if sys.platform == "win32":
        return
    task = asyncio.current_task()

    def stop() -> None:
        if round_.tally.interrupted and task:
            task.cancel()
            return
        round_.stop()
        console.complain("Stopping after the messages in flight; once more to stop at once.")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def _line(delivery: Delivery, attempt: Attempt) -> str:
    words = attempt.reply.text if attempt.reply else attempt.note
    return f"{attempt.state.value:9} {delivery.recipient}: {words}"


def _facts(delivery: Delivery, attempt: Attempt) -> dict[str, object]:
    return {
        "mailing": delivery.mailing,
        "recipient": str(delivery.recipient),
        "state": attempt.state.value,
        "reply": attempt.reply.text if attempt.reply else None,
        "note": attempt.note or None,
        "message_id": delivery.message_id,
    }
