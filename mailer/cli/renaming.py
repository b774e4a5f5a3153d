"""What the ledger knows by a name that is gone: a doubt before everybody is invited, or reminded, anew."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.audience import named_by
from mailer.cli.again import mailing_of
from mailer.event import names
from mailer.model import Audience, Mailing

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.mailing import Prepared
    from mailer.ledger import Ledger


def renamed(prepared: Prepared, ledger: Ledger) -> str | None:
    """That an event or a mailing of the ledger is gone, where a new one invites everybody or reminds; else None."""
    desk, mailing = prepared.desk, prepared.mailing
    standing = ledger.counts(desk.event.name)
    if mailing.is_reminder:
        return _renamed_reminder(desk, mailing, standing)
    if mailing.audience is not Audience.CONTACTS or prepared.wave in standing:
        return None
    if standing:
        what, new = "mailing", mailing.name
        once = {name for name, offset in map(named_by, standing) if offset is None}  # a reminder is doubted apart
        gone = once - desk.event.mailings.keys()
    else:
        what, new = "event", desk.event.name
        gone = set(ledger.references_elsewhere(new).values()).difference(names(desk.templates))
    if not gone:
        return None if standing else _replaced(desk, ledger)
    old = " and ".join(sorted(gone))
    return (
        f"The ledger knows the {what} {old}, which is no longer there. If {new} is the same one by another name, call "
        f"it {old} again: as {new} it goes to everybody anew."
    )


def _renamed_reminder(desk: Desk, mailing: Mailing, standing: Collection[str]) -> str | None:
    known = [mailing_of(wave, desk.event) for wave in standing]
    unknown = (named_by(wave) for wave, one in zip(standing, known, strict=True) if one is None)
    gone = {name for name, offset in unknown if offset is not None}
    if mailing in known or not gone:
        return None
    old = " and ".join(sorted(gone))
    return (
        f"The ledger knows the mailing {old}, which is no longer there. If {mailing.name} is the same one by another "
        f"name, call it {old} again: as {mailing.name} its dates and its maximum count anew."
    )


def _replaced(desk: Desk, ledger: Ledger) -> str | None:
    """That nothing was ever sent with the ledger, while there is another one here; None where that is not so."""
    from mailer.ledger import begun_in

    if desk.rehearsal or ledger.references_elsewhere(desk.event.name):
        return None
    own = Path(desk.config.LEDGER_URL.partition(":///")[2].partition("?")[0]).resolve()
    others = [name for name in begun_in(Path()) if Path(name).resolve() != own]
    if not others:
        return None
    return (
        f"Nobody was written to with this ledger, and with {' and '.join(others)}, which is here too, mailings were "
        "begun. If that is the right one, set LEDGER_URL to it: by this one everybody is invited anew."
    )
