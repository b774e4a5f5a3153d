"""The shape of `event.toml`, and the Event that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationInfo

from mailer.event import values
from mailer.event.attachments import attachment
from mailer.event.moments import moment
from mailer.model import Address, Audience, ContactPerson, Event, Mailing, Rsvp, Rule


def _attached(value: object, info: ValidationInfo[Path]) -> Path:
    try:
        return attachment(info.context, values.text(value))
    except ValueError as exc:
        raise ValueError(f"names a file that {exc}") from None


_Line = Annotated[str, BeforeValidator(values.line)]
_Text = Annotated[str, BeforeValidator(values.text)]
_Days = Annotated[int, BeforeValidator(values.days)]
_Weekday = Annotated[int, BeforeValidator(values.weekday)]
_Language = Annotated[str, BeforeValidator(values.language)]
_MailingName = Annotated[str, AfterValidator(values.mailing_name)]
_Translation = Annotated[dict[str, Any], AfterValidator(values.translation)]
_Number = Annotated[int, Field(ge=0, strict=True)]


class Table(BaseModel):
    """A table of the file; keys that it does not know are told apart, in `faults`."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)


class RsvpTable(Table):
    """`[rsvp]`; the deadline is checked with the other moments, as all need the zone."""

    url: Annotated[str, BeforeValidator(values.rsvp_url)]
    deadline: object
    rule: Rule = Rule.TRANSFERABLE
    capacity: _Number | None = None


class ContactPersonTable(Table):
    """`[contact_person]`."""

    name: _Text
    position: _Line = ""
    email: Annotated[Address, BeforeValidator(values.address)]


class MailingTable(Table):
    """`[mailings.NAME]`, validated with the event's folder as context, where its attachments are."""

    template: Annotated[str, BeforeValidator(values.stem)] | None = None
    audience: Audience | None = None
    attachments: tuple[Annotated[Path, BeforeValidator(_attached)], ...] = ()
    calendar: StrictBool = False
    before_deadline: tuple[_Days, ...] | None = None
    gap: _Days = 2
    maximum: _Number = 2
    days: Annotated[tuple[_Weekday, ...], AfterValidator(values.some)] = (0, 1, 2, 3, 4)
    hours: Annotated[tuple[time, time], BeforeValidator(values.hours)] = (time(9), time(18))
    thread: StrictBool = False

    def mailing(self, name: str) -> Mailing:
        """The mailing with its defaults; those who have not answered are reminded unless it says otherwise."""
        audience = self.audience or usual_audience(name, self.before_deadline)
        usual_offsets = (7, 2) if audience is Audience.UNANSWERED else ()
        offsets = usual_offsets if self.before_deadline is None else self.before_deadline
        return Mailing(
            name=name,
            template=self.template or name,
            audience=audience,
            attachments=self.attachments,
            calendar=self.calendar,
            before_deadline=tuple(sorted(set(offsets), reverse=True)),
            gap=self.gap,
            maximum=self.maximum,
            days=frozenset(self.days),
            hours=self.hours,
            thread=self.thread,
        )


def usual_audience(name: str, before_deadline: object) -> Audience:
    """Whom a mailing is for that does not say so; one called `reminder` must not go to everybody."""
    return Audience.UNANSWERED if before_deadline or name == "reminder" else Audience.CONTACTS


class EventFile(Table):
    """The whole file but for the templates' own tables."""

    title: _Text
    starts: object
    ends: object
    timezone: Annotated[ZoneInfo, BeforeValidator(values.zone)]
    source: _Line = ""
    venue: _Line = ""
    online: Annotated[str | bool, BeforeValidator(values.online)] = False
    cancelled: StrictBool = False
    hosts: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(values.hosts)] = ()
    language: _Language = "en"
    links: dict[str, Annotated[str, BeforeValidator(values.link)]] = {}
    rsvp: RsvpTable
    contact_person: ContactPersonTable
    mailings: Annotated[dict[_MailingName, MailingTable], AfterValidator(values.some)]
    translations: dict[_Language, _Translation] = {}

    def event(self, folder: Path, tables: Mapping[str, object]) -> Event:
        """The event in `folder`; `tables` are the templates' own."""
        person = self.contact_person
        return Event(
            name=folder.name,
            folder=folder,
            title=self.title,
            starts=moment(self.starts, self.timezone),
            ends=moment(self.ends, self.timezone),
            timezone=self.timezone,
            source=self.source,
            rsvp=Rsvp(
                self.rsvp.url,
                moment(self.rsvp.deadline, self.timezone, end_of_day=True),
                self.rsvp.rule,
                self.rsvp.capacity,
            ),
            contact_person=ContactPerson(person.name, person.position, person.email),
            mailings={name: mailing.mailing(name) for name, mailing in self.mailings.items()},
            venue=self.venue,
            online=self.online,
            cancelled=self.cancelled,
            hosts=self.hosts,
            links=self.links,
            language=self.language,
            translations=self.translations,
            tables=tables,
        )
