"""What the ledger knows by a name that is gone: a doubt before everybody is invited, or reminded, anew."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.audience import mailing_of, named_by
from mailer.event import names
from mailer.model import Audience, Event, Mailing

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.mailing import Prepared
    from mailer.cli.surveying import Survey
    from mailer.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Doubt:
    """That a mailing may be one which went out by another name; `is_strong` where hardly anything else can be meant.

    Then somebody of those due has had it, and a script does not send it: only a person can tell.
    """

    sentence: str
    is_strong: bool = False


def renamed(prepared: Prepared, found: Survey, ledger: Ledger) -> Doubt | None:
    """The doubt where an event or a mailing of the ledger is gone, and a new one invites everybody or reminds."""
    desk, mailing = prepared.desk, prepared.mailing
    if not found.due.guests:
        return None
    standing = ledger.counts(desk.event.name)
    if mailing.is_reminder:
        return _renamed_reminder(desk, mailing, standing)
    if mailing.audience is not Audience.CONTACTS:
        return None
    if not standing:
        return _renamed_event(desk, found, ledger) or _replaced(desk, ledger)
    if prepared.wave not in standing:
        return _renamed_mailing(desk, mailing, standing, found, ledger)
    # What has begun with new people alone, as by --only, went to nobody twice, and tells nothing of the others.
    doubts = (_renamed_mailing(desk, mailing, standing, found, ledger), _renamed_event(desk, found, ledger))
    return next((doubt for doubt in doubts if doubt and doubt.is_strong), None)


def _renamed_event(desk: Desk, found: Survey, ledger: Ledger) -> Doubt | None:
    """An event that is gone is most often over; one that begins when this one does is this one.

    Where somebody has had both, a person has said that they are two.
    """
    event = desk.event
    gone = sorted(set(ledger.references_elsewhere(event.name).values()).difference(names(desk.templates)))
    if not gone:
        return None
    same = [name for name in gone if _is_same(name, event, desk.clock(), ledger) and _were_sent(name, found, ledger)]
    if same and (has_this := ledger.histories(event.name)):
        same = [name for name in same if has_this.keys().isdisjoint(ledger.histories(name))]
    meant = same or gone
    return _doubt("event", meant, event.name, f"put {desk.templates / meant[0]} back beside it", is_strong=bool(same))


def _is_same(name: str, event: Event, now: datetime, ledger: Ledger) -> bool:
    """Whether the mails about the event `name` said that it begins when this one does, or had its title and is to come.

    A series has one title, and the earlier one is over when the folder is used for the next.
    """
    edition = ledger.edition(name)
    if edition is None:
        return False
    began = datetime.fromisoformat(edition.facts["starts"])
    return began == event.starts or (edition.facts["title"] == event.title and began > now)


def _renamed_mailing(
    desk: Desk, mailing: Mailing, standing: Collection[str], found: Survey, ledger: Ledger
) -> Doubt | None:
    """Where no other mailing to the contacts that event.toml has was sent, the one that is gone is the invitation.

    Unless somebody has had both: then a person has said that they are two.
    """
    event = desk.event
    once = {name for name, offset in map(named_by, standing) if offset is None}  # a reminder is doubted apart
    gone = sorted(once - event.mailings.keys())
    if not gone:
        return None
    others = once & event.mailings.keys() - {mailing.name}
    is_invited = any(event.mailings[name].audience is Audience.CONTACTS for name in others)
    is_strong = not is_invited and _were_sent(event.name, found, ledger)
    if is_strong and mailing.name in once:
        had = (history.states.keys() for history in ledger.histories(event.name).values())
        is_strong = not any(mailing.name in states and not states.isdisjoint(gone) for states in had)
    return _doubt("mailing", gone, mailing.name, f"write [mailings.{gone[0]}] there again", is_strong=is_strong)


def _were_sent(event: str, found: Survey, ledger: Ledger) -> bool:
    """Whether any of those due has, or may have, had a mail of the event of that name."""
    histories = ledger.histories(event, (guest.contact.address for guest in found.due.guests))
    return any(history.last_written for history in histories.values())


def _doubt(what: str, gone: Collection[str], new: str, beside: str, *, is_strong: bool) -> Doubt:
    """`beside` is what shows, without a prompt, that there are two of them."""
    old = " and ".join(gone)
    sentence = (
        f"The ledger knows the {what} {old}, which is no longer there. If {new} is the same one by another name, call "
        f"it {old} again: as {new} it goes to everybody anew."
    )
    if is_strong:
        sentence += f" If it is another one, {beside}, or leave --yes out and confirm it."
    return Doubt(sentence, is_strong)


def _renamed_reminder(desk: Desk, mailing: Mailing, standing: Collection[str]) -> Doubt | None:
    known = [mailing_of(wave, desk.event) for wave in standing]
    unknown = (named_by(wave) for wave, one in zip(standing, known, strict=True) if one is None)
    gone = {name for name, offset in unknown if offset is not None}
    if mailing in known or not gone:
        return None
    old = " and ".join(sorted(gone))
    return Doubt(
        f"The ledger knows the mailing {old}, which is no longer there. If {mailing.name} is the same one by another "
        f"name, call it {old} again: as {mailing.name} its dates and its maximum count anew."
    )


def _replaced(desk: Desk, ledger: Ledger) -> Doubt | None:
    """That nothing was ever sent with the ledger, while there is another one here; None where that is not so."""
    from mailer.ledger import begun_in

    if desk.rehearsal or ledger.references_elsewhere(desk.event.name):
        return None
    own = Path(desk.config.LEDGER_URL.partition(":///")[2].partition("?")[0]).resolve()
    others = [name for name in begun_in(Path()) if Path(name).resolve() != own]
    if not others:
        return None
    return Doubt(
        f"Nobody was written to with this ledger, and with {' and '.join(others)}, which is here too, mailings were "
        "begun. If that is the right one, set LEDGER_URL to it: by this one everybody is invited anew."
    )
