"""The commands that people are told to type, each for the event and the ledger that are on the desk."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from mailer.audience import main_mailing
from mailer.model import Mailing

if TYPE_CHECKING:
    from mailer.cli.desk import Desk


def command_of(mailing: Mailing, desk: Desk) -> str:
    """The command that sends the mailing."""
    which = "" if mailing == main_mailing(desk.event) else f" --mailing {mailing.name}"
    return f"mailer {'remind' if mailing.is_reminder else 'send'}{where(desk)}{which}"


def where(desk: Desk, *, option: str = "") -> str:
    """What a command needs behind its name to mean the event and the ledger on the desk.

    `option` is "--event" for those that take the event by it.
    """
    return event_meant(desk, option=option) + (" --sandbox" if desk.rehearsal else "")


def event_meant(desk: Desk, *, option: str = "") -> str:
    """What a command that knows no rehearsals needs behind its name to mean the event on the desk."""
    from mailer.event import names

    event = desk.event.name
    if event == desk.config.EVENT or len(names(desk.templates)) == 1:
        return ""
    return f" {option} {quote(event)}" if option else f" {quote(event)}"
