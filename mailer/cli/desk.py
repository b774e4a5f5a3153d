"""The working folder as the commands see it: settings, event, clock and ledger, each opened once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailer.errors import InputRefused, Problem, UsageError
from mailer.model import Address, Event, Mailbox

if TYPE_CHECKING:
    from mailer.cli.guests import Guest, NoteLayout
    from mailer.cli.invitees import Invitees
    from mailer.config import Config
    from mailer.config.values import Limit
    from mailer.ledger import Ledger
    from mailer.protocol import Directory

Clock = Callable[[], datetime]

OUTBOX = Path("outbox")
SANDBOX_LEDGER = "sqlite:///outbox/ledger.db"


def shipped() -> Path:
    """The folder that holds the shipped `templates/`, `contacts/` and `config.example.env`.

    Inside the installed package, or the repository itself where mailer runs from there.
    """
    package = Path(__file__).parents[1]
    carried = package / "_shipped"
    return carried if carried.is_dir() else package.parent


def clock_at(moment: datetime | None) -> Clock:
    """A clock in UTC that shows `moment` now and goes on from there; the machine's own without one."""
    if moment is None:
        return lambda: datetime.now(UTC)
    begun, start = time.monotonic(), moment.astimezone(UTC)
    return lambda: start + timedelta(seconds=time.monotonic() - begun)


@dataclass(frozen=True)
class Desk:
    """One working folder, with one event on the table. `problems` are the warnings of its settings and its event.

    `note_layout` is told what the columns of each sheet are taken for, whenever it is read.
    """

    config: Config
    event: Event
    clock: Clock
    problems: tuple[Problem, ...] = ()
    rehearsal: bool = False
    note_layout: NoteLayout | None = None

    @property
    def templates(self) -> Path:
        return self.config.TEMPLATES

    @cached_property
    def directory(self) -> Directory:
        return load_directory(self.templates)

    @cached_property
    def invitees(self) -> Invitees:
        from mailer.cli.invitees import Invitees

        return Invitees(self.config, self.note_layout)

    @property
    def mail_from(self) -> Mailbox:
        """The sender: MAIL_FROM; the contact person where it is not set, which is good enough to look at."""
        return mailbox(self.config.MAIL_FROM) if self.config.MAIL_FROM else self.event.contact_person.mailbox

    @property
    def rate(self) -> Sequence[Limit]:
        """How much may go in which time; a rehearsal has no limit."""
        return () if self.rehearsal else self.config.SMTP_RATE

    def own_attachment(self, guest: Guest) -> Path:
        """The file that the guest's row names. Raises ValueError with a reason."""
        from mailer.event import attachment

        return attachment(self.event.folder, guest.contact.attachment)

    @property
    def ledger_url(self) -> str:
        return SANDBOX_LEDGER if self.rehearsal else self.config.LEDGER_URL

    @contextmanager
    def ledger(self, *, create: bool) -> Iterator[Ledger]:
        """The ledger, made if need be; without `create` a missing one is replaced by an empty one in memory."""
        from mailer.ledger import Ledger

        if create and self.rehearsal:
            OUTBOX.mkdir(exist_ok=True)
        if create or Ledger.exists(self.ledger_url):
            with Ledger.open(self.ledger_url, create=create) as ledger:
                ledger.sweep(self.clock())
                yield ledger
        else:
            with Ledger.open("sqlite://") as ledger:
                yield ledger


def mind_older(ledger: Ledger, *, decides: bool = False) -> None:
    """Warns, whoever looks into an older copy of the ledger, that it does not tell how things stand.

    Raises LedgerError with the same words where somebody `decides` something on what it tells.
    """
    from mailer.cli import console

    if decides:
        ledger.require_latest()
    elif sentence := ledger.older_copy():
        console.complain(f"warning: {sentence}")


def open_desk(event_name: str | None, now: str | None, *, rehearsal: bool = False) -> Desk:
    """The desk for the event that is meant, in the current folder. Raises InputRefused, or UsageError."""
    from mailer import config, event

    settings, odd_settings = config.load()
    name = event.choose(settings.TEMPLATES, event_name or settings.EVENT)
    loaded, odd_event = event.load(settings.TEMPLATES, name)
    return Desk(settings, loaded, clock_at(moment_of(now, loaded)), (*odd_settings, *odd_event), rehearsal)


def moment_of(text: str | None, event: Event | None) -> datetime | None:
    """What `--now` says, in the event's zone where it names none, in UTC without an event. Raises UsageError."""
    from mailer.event import moment

    if text is None:
        return None
    try:
        return moment(text, event.timezone if event else ZoneInfo("UTC"))
    except ValueError as exc:
        raise UsageError(f"--now {text}: {exc}.") from None


def mailbox(text: str) -> Mailbox:
    """The mailbox that a setting holds, which `config` has checked."""
    from email.utils import parseaddr

    name, address = parseaddr(text)
    return Mailbox(Address.parse(address), name)


def load_directory(templates: Path) -> Directory:
    """The known missions: the folder's own `missions.csv`, else the shipped one."""
    from mailer.protocol import Directory

    own = templates / "missions.csv"
    path = own if own.exists() else shipped() / "templates" / "missions.csv"
    try:
        return Directory.load(path)
    except (ValueError, OSError) as exc:
        fix = "Correct the line, or delete the file to use the shipped one."
        raise InputRefused([Problem(f"cannot be used: {exc}", fix, file=str(path))]) from None
