"""What sends a message again that a person has queued once more, or why nothing does any longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailer.cli import console
from mailer.model import Delivery, Event, Mailing

if TYPE_CHECKING:
    from mailer.cli.desk import Desk


def mailing_of(wave: str, event: Event) -> Mailing | None:
    """The mailing that the ledger calls `wave`, a reminder with its offset; None where event.toml has it no more."""
    if wave in event.mailings:
        return event.mailings[wave]
    found = event.mailings.get(wave.rpartition("-")[0])
    return found if found and found.is_reminder else None


def why_no_more(wave: str, desk: Desk) -> str | None:
    """Why no command sends what the ledger calls `wave` any more, and what does instead; None where one does."""
    from mailer.audience import offset_due, too_late, wave_name

    event, now = desk.event, desk.clock()
    mailing = mailing_of(wave, event)
    if mailing is None:
        return "event.toml names it no more; to send it, write it there again"
    if ended := too_late(mailing, event, now):
        return f"{ended}; write to them yourself where you must"
    if not mailing.is_reminder:
        return None
    current = offset_due(mailing, event, now)
    coming = (offset for offset in mailing.before_deadline if current is None or offset <= current)
    if wave in {wave_name(mailing, offset) for offset in coming}:
        return None
    return "the next reminder goes to whoever of them has not answered"


def say_no_more(deliveries: Iterable[Delivery], desk: Desk) -> None:
    """Says of each mailing that no command sends any more how many of the deliveries are in it, and why."""
    for wave, number in Counter(one.mailing for one in deliveries).items():
        if reason := why_no_more(wave, desk):
            console.say(f"{wave} is sent no more ({console.count(number, 'message')}): {reason}")


def say_what_sends(waves: Iterable[str], desk: Desk, where: str) -> None:
    """Names the commands that send what is queued of the mailings; `where` is what each needs to mean this ledger."""
    mailings = (mailing_of(wave, desk.event) for wave in waves if not why_no_more(wave, desk))
    for command in sorted({_command(mailing, desk.event) for mailing in mailings if mailing}):
        console.say(f"Now: {command}{where}")


def _command(mailing: Mailing, event: Event) -> str:
    from mailer.audience import main_mailing

    if mailing == main_mailing(event):
        return "mailer send"
    return f"mailer {'remind' if mailing.is_reminder else 'send'} --mailing {mailing.name}"
