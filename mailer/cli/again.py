"""What sends a message again that a person has queued once more, or why nothing does any longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mailer.audience import Rules, mailing_of, offset_due, too_late, wave_name
from mailer.cli import console
from mailer.cli.command_line import command_of
from mailer.model import Audience, Contact, Delivery

if TYPE_CHECKING:
    from mailer.answers.standing import Turnout
    from mailer.cli.desk import Desk
    from mailer.ledger import Ledger

UNLISTED = "in no sound row of the lists any more"


def why_no_more(wave: str, desk: Desk) -> str | None:
    """Why no command sends what the ledger calls `wave` any more, and what does instead; None where one does."""
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


def passed_over(
    deliveries: Collection[Delivery],
    contacts: Iterable[Contact],
    desk: Desk,
    ledger: Ledger,
    turnout: Turnout | None = None,
) -> Mapping[int, str]:
    """Why a run passes over those of the deliveries that it does pass over though they are queued, by their ids.

    `contacts` are all whom the lists name, `turnout` is where the event stands, if that is known. What holds for the
    whole of a mailing, `why_no_more` tells; who is suppressed, the ledger.
    """
    from mailer.cli.delegates import delegates
    from mailer.cli.surveying import Records

    concerned = {one.recipient.key for one in deliveries}
    listed = {contact.address.key: contact for contact in contacts if contact.address.key in concerned}
    reasons: dict[int, str] = {}
    for wave in {one.mailing for one in deliveries}:
        mailing = mailing_of(wave, desk.event)
        if mailing is None:
            continue
        left = {one.recipient.key: one.id for one in deliveries if one.mailing == wave}
        reached = listed
        if mailing.audience is Audience.ATTENDING and left.keys() - listed.keys():
            coming = (one for one in delegates(desk) if isinstance(one, Contact))
            reached = {delegate.address.key: delegate for delegate in coming} | listed
        sound = [reached[key] for key in left if key in reached]
        rules = Rules(mailing, desk.event, desk.clock())
        for contact, known in Records(desk, ledger, mailing, turnout).of(sound):
            number, record = left.pop(contact.address.key), replace(known, suppressed=None)
            reason = rules.why_not(contact, record)
            if reason and rules.is_over(contact, record):
                reasons[number] = reason
        reasons |= dict.fromkeys(left.values(), UNLISTED)
    return reasons


def say_no_more(deliveries: Iterable[Delivery], desk: Desk) -> None:
    """Says of each mailing that no command sends any more how many of the deliveries are in it, and why."""
    for wave, number in Counter(one.mailing for one in deliveries).items():
        if reason := why_no_more(wave, desk):
            console.say(f"{wave} is sent no more ({console.count(number, 'message')}): {reason}")


def say_passed_over(deliveries: Iterable[Delivery], reasons: Mapping[int, str], what: str) -> None:
    """Says for each of the reasons how many of the deliveries are `what` for it, and to whom they are."""
    whose: dict[str, list[str]] = {}
    for one in deliveries:
        if one.id in reasons:
            whose.setdefault(reasons[one.id], []).append(str(one.recipient))
    for reason, recipients in whose.items():
        console.say(f"{len(recipients)} {what} ({reason}): {console.few(recipients)}")


def say_what_sends(queued: Collection[Delivery], desk: Desk, ledger: Ledger) -> None:
    """Names the commands that send what a person has queued again, and what no command sends any more, and why."""
    say_no_more(queued, desk)
    alive = [one for one in queued if not why_no_more(one.mailing, desk)]
    reasons = passed_over(alive, desk.invitees, desk, ledger)
    say_passed_over(alive, reasons, "waiting in vain")
    mailings = (mailing_of(one.mailing, desk.event) for one in alive if one.id not in reasons)
    for command in sorted({command_of(mailing, desk) for mailing in mailings if mailing}):
        console.say(f"Now: {command}")
