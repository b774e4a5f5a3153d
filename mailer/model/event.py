"""An event with its mailings, its deadline and its rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailer.model.address import Address, Mailbox
from mailer.model.party import Rule

# The name under which the calendar file of a mailing travels.
CALENDAR_FILE = "invite.ics"


class Audience(StrEnum):
    """Whom a mailing is for; all but `contacts` are read from the ledger."""

    CONTACTS = "contacts"
    UNANSWERED = "unanswered"
    ATTENDING = "attending"
    DECLINED = "declined"
    INVITED = "invited"


@dataclass(frozen=True, slots=True)
class Mailing:
    """One wave of an event. `before_deadline` holds a reminder's offsets in days, largest first; empty otherwise.

    `template` is the file's stem in the event's folder. `attachments` are files, checked to exist inside that folder.
    `gap` is in calendar days, `days` are weekdays (0 is Monday), `hours` first and last clock time of sending; they and
    `maximum` bind reminders alone.
    """

    name: str
    template: str
    audience: Audience
    attachments: tuple[Path, ...] = ()
    calendar: bool = False
    before_deadline: tuple[int, ...] = ()
    gap: int = 2
    maximum: int = 2
    days: frozenset[int] = frozenset(range(5))
    hours: tuple[time, time] = (time(9), time(18))
    thread: bool = False

    @property
    def is_reminder(self) -> bool:
        return bool(self.before_deadline)

    @property
    def asks_for_answer(self) -> bool:
        """Whether it is for those who have not answered, and so of use until the deadline alone."""
        return self.is_reminder or self.audience in {Audience.CONTACTS, Audience.UNANSWERED}


@dataclass(frozen=True, slots=True)
class ContactPerson:
    """Who answers questions about the event."""

    name: str
    position: str
    address: Address

    @property
    def email(self) -> str:
        return str(self.address)

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(self.address, self.name)


@dataclass(frozen=True, slots=True)
class Rsvp:
    """How to answer: `url` with `{reference}` in it, aware `deadline`, event's `rule`, seats in the room or None."""

    url: str
    deadline: datetime
    rule: Rule = Rule.TRANSFERABLE
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What `event.toml` says. `starts` and `ends` are aware, in `timezone`. `hosts` are groups of display names.

    `online` is the name of the service ("Zoom"), True without a name, or False. `language` is that of the templates
    without a suffix. `translations` holds, by language, what `event.toml` says otherwise in that language; `tables`
    every further table, for the templates.
    """

    name: str
    folder: Path
    title: str
    starts: datetime
    ends: datetime
    timezone: ZoneInfo
    source: str
    rsvp: Rsvp
    contact_person: ContactPerson
    mailings: Mapping[str, Mailing]
    venue: str = ""
    online: str | bool = False
    cancelled: bool = False
    hosts: tuple[tuple[str, ...], ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    translations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tables: Mapping[str, object] = field(default_factory=dict)

    def in_language(self, language: str) -> Event:
        """The event as it is told in `language`: what `event.toml` says otherwise in it lies over the rest.

        That may be title, source, venue, online and hosts, single links, what is said of the contact person, and the
        tables of the templates. Times and rules are the same in all languages.
        """
        over: dict[str, Any] = dict(self.translations.get(language, {}))
        if not over:
            return self
        words = {key: over.pop(key) for key in ("title", "source", "venue", "online", "hosts") if key in over}
        links = {**self.links, **over.pop("links", {})}
        person = replace(self.contact_person, **over.pop("contact_person", {}))
        return replace(self, **words, links=links, contact_person=person, tables=_laid_over(self.tables, over))

    def day_of(self, moment: datetime) -> date:
        """The calendar day of `moment` where the event takes place."""
        return moment.astimezone(self.timezone).date()

    def days_left(self, now: datetime) -> int:
        """Whole calendar days from `now` to the deadline's day, where the event takes place; negative after it."""
        return (self.day_of(self.rsvp.deadline) - self.day_of(now)).days


def _laid_over(below: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """`below` with the entries of `over`, tables within tables entry by entry."""
    merged = dict(below)
    for key, value in over.items():
        under = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        merged[key] = _laid_over(under, value) if both else value  # type: ignore[arg-type]
    return merged
