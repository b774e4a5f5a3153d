"""`event.toml` -> Event with its mailings, deadlines and rule, every fault of the file told at once.

The file is the only place of an event's dates, times, lists and links. A time without a zone is the event's.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from mailer.errors import InputRefused, Problem, UsageError
from mailer.model import Address, Audience, ContactPerson, Event, Mailing, Rsvp, Rule

FILE_NAME = "event.toml"

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def names(templates: Path) -> tuple[str, ...]:
    """The events of the folder `templates`: its subfolders that hold an `event.toml`."""
    return tuple(sorted(path.parent.name for path in templates.glob(f"*/{FILE_NAME}")))


def choose(templates: Path, name: str | None) -> str:
    """The event that is meant: `name`, or the only one there is. Raises UsageError that lists what there is."""
    known = names(templates)
    if name is None and len(known) == 1:
        return known[0]
    if name is not None and name in known:
        return name
    if not known:
        raise UsageError(
            f"There is no event: no folder in {templates}/ holds an {FILE_NAME}. Begin with: mailer init DIR"
        )
    what = f"There is no event {name!r}" if name else "There are several events"
    raise UsageError(f"{what}. Name one of: {', '.join(known)}.")


def load(templates: Path, name: str) -> tuple[Event, tuple[Problem, ...]]:
    """The event `name` of the folder `templates`, and what is odd about it (warnings).

    Raises InputRefused with every error in its `event.toml` at once.
    """
    path = templates / name / FILE_NAME
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        raise InputRefused([Problem(f"cannot be read: {exc}", "Save it as UTF-8 text.", file=str(path))]) from None
    except tomllib.TOMLDecodeError as exc:
        fix = "Mend that line; texts stand in double quotes, lists in square brackets."
        raise InputRefused([Problem(f"is not valid TOML: {exc}", fix, file=str(path))]) from None
    try:
        sheet = _File.model_validate(table)
    except ValidationError as exc:
        raise InputRefused(_fault(path, dict(error)) for error in exc.errors(include_url=False)) from None
    problems = [*_contradictions(path, sheet), *_missing_attachments(path, sheet), *_unknown_keys(path, sheet)]
    if any(problem.is_error for problem in problems):
        raise InputRefused(problems)
    return sheet.event(path.parent), tuple(problems)


def moment(value: object, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime:
    """An aware time from a TOML value or ISO text; without a zone of its own it is in `zone`.

    A bare date is the start of that day, or its last second with `end_of_day`. Raises ValueError with a reason, also
    for a clock time that a change of the clocks leaves out.
    """
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(23, 59, 59) if end_of_day else time())
    if not isinstance(value, datetime):
        raise ValueError("must be a date and time like 2024-05-23T13:00")  # noqa: TRY004  # one fault for the caller
    if value.tzinfo is not None:
        return value.astimezone(zone)
    local = value.replace(tzinfo=zone)
    if local.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None) != value:
        raise ValueError(f"does not exist in {zone.key}: the clocks are put forward over it")
    return local


def attachment(folder: Path, name: str) -> Path:
    """The file that `name` stands for inside the event's `folder` or its `attachments/`.

    Raises ValueError with a reason where it is missing or would lie outside the folder, links followed.
    """
    root = folder.resolve()
    for candidate in (folder / name, folder / "attachments" / name):
        path = candidate.resolve()
        if not path.is_relative_to(root):
            raise ValueError("lies outside the event's folder")
        if path.is_file():
            return path
    raise ValueError("is not in the event's folder nor in its attachments folder")


def days_left(event: Event, now: datetime) -> int:
    """Whole calendar days from `now` to the deadline's day in the event's zone; negative after it."""
    return (event.day_of(event.rsvp.deadline) - event.day_of(now)) // timedelta(days=1)


# --- what each value may be -------------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be text in quotes, and not empty")
    if any(ord(c) < 32 for c in value.strip()):
        raise ValueError("cannot hold line breaks or control characters")
    return value.strip()


def _groups(value: object) -> object:
    """One list of names, or a list of such lists: those of each group stand together in prose."""
    return value if isinstance(value, list) and any(isinstance(item, list) for item in value) else [value]


def _zone(value: object) -> ZoneInfo:
    name = _text(value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "; Geneva is in Europe/Zurich" if "geneva" in name.lower() else ""
        raise ValueError(f"is not a zone of the IANA database, such as America/New_York{hint}") from None


def _date_or_time(value: object) -> object:
    moment(value, ZoneInfo("UTC"))
    return value


def _rsvp_url(url: str) -> str:
    if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).netloc:
        raise ValueError("must be a web address that begins with https://")
    if "{reference}" not in url:
        raise ValueError("must hold {reference}, or answers cannot be told apart")
    return url


def _days(value: object) -> int:
    match = re.fullmatch(r"(\d{1,3})\s*d", str(value).strip().lower())
    if not match:
        raise ValueError('must be a number of days like "2d"')
    return int(match[1])


def _weekday(value: object) -> int:
    day = _text(value).lower()
    if day[:3] not in _WEEKDAYS or not (
        len(day) == 3 or date(2024, 1, 1 + _WEEKDAYS.index(day[:3])).strftime("%A").lower() == day
    ):
        raise ValueError("must be a weekday like Mon or Friday")
    return _WEEKDAYS.index(day[:3])


def _hours(value: object) -> tuple[time, time]:
    match = re.fullmatch(r"(\d\d?:\d\d)\s*[-–]\s*(\d\d?:\d\d)", _text(value))
    try:
        first, last = (time.fromisoformat(part.zfill(5)) for part in match.groups()) if match else (time(), time())
    except ValueError:
        first = last = time()
    if first >= last:
        raise ValueError('must be clock times like "09:00-18:00"')
    return first, last


def _stem(value: object) -> str:
    name = _text(value).removesuffix(".md")
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError("must name a template of the event's folder, without .md")
    return name


_Text = Annotated[str, BeforeValidator(_text)]
_MaybeText = Annotated[str, AfterValidator(str.strip)]
_Moment = Annotated[object, BeforeValidator(_date_or_time)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)


class _Rsvp(_Table):
    url: Annotated[_Text, AfterValidator(_rsvp_url)]
    deadline: _Moment
    rule: Rule = Rule.TRANSFERABLE
    capacity: Annotated[int, Field(ge=0, strict=True)] | None = None


class _Person(_Table):
    name: _Text
    position: _MaybeText = ""
    email: Annotated[Address, BeforeValidator(lambda value: Address.parse(_text(value)))]


class _Mailing(_Table):
    template: Annotated[str, BeforeValidator(_stem)] | None = None
    audience: Audience | None = None
    attachments: tuple[_Text, ...] = ()
    calendar: StrictBool = False
    before_deadline: tuple[Annotated[int, BeforeValidator(_days)], ...] = ()
    gap: Annotated[int, BeforeValidator(_days)] = 2
    maximum: Annotated[int, Field(ge=0, strict=True)] = 2
    days: tuple[Annotated[int, BeforeValidator(_weekday)], ...] = (0, 1, 2, 3, 4)
    hours: Annotated[tuple[time, time], BeforeValidator(_hours)] = (time(9), time(18))
    thread: StrictBool = False

    def mailing(self, name: str, folder: Path) -> Mailing:
        usual = Audience.UNANSWERED if self.before_deadline else Audience.CONTACTS
        return Mailing(
            name=name,
            template=self.template or name,
            audience=self.audience or usual,
            attachments=tuple(attachment(folder, file) for file in self.attachments),
            calendar=self.calendar,
            before_deadline=tuple(sorted(set(self.before_deadline), reverse=True)),
            gap=self.gap,
            maximum=self.maximum,
            days=frozenset(self.days),
            hours=self.hours,
            thread=self.thread,
        )


class _File(_Table):
    title: _Text
    starts: _Moment
    ends: _Moment
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    source: _MaybeText = ""
    venue: _MaybeText = ""
    online: StrictBool | _MaybeText = False
    hosts: Annotated[tuple[tuple[_Text, ...], ...], BeforeValidator(_groups)] = ()
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"
    links: dict[str, _Text] = {}
    rsvp: _Rsvp
    contact_person: _Person
    mailings: Annotated[dict[Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]*$")], _Mailing], Field(min_length=1)]
    translations: dict[str, dict[str, Any]] = {}

    def event(self, folder: Path) -> Event:
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
            mailings={name: mailing.mailing(name, folder) for name, mailing in self.mailings.items()},
            venue=self.venue,
            online=self.online,
            hosts=tuple(group for group in self.hosts if group),
            links=self.links,
            language=self.language,
            translations=self.translations,
            tables=self.model_extra or {},
        )


# --- what is wrong with it --------------------------------------------------------------------------------------------


def _fault(path: Path, error: Mapping[str, Any]) -> Problem:
    key = ".".join(str(part) for part in error["loc"] if part != "function-before[_text(), str]")
    if error["type"] == "missing":
        return Problem(f"{key} is missing", "Add it; the shipped event shows how.", file=str(path), column=key)
    reason = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    value = error["input"]
    shown = str(value) if isinstance(value, str | int | float | date | time) else None
    return Problem(f"{key} {reason}", "Correct it.", file=str(path), column=key, value=shown)


def _contradictions(path: Path, sheet: _File) -> Iterator[Problem]:
    moments: dict[str, datetime] = {}
    for key, value in (("starts", sheet.starts), ("ends", sheet.ends), ("rsvp.deadline", sheet.rsvp.deadline)):
        try:
            moments[key] = moment(value, sheet.timezone, end_of_day=key == "rsvp.deadline")
        except ValueError as exc:
            yield Problem(f"{key} {exc}", "Correct it.", file=str(path), column=key, value=str(value))
    if {"starts", "ends"} <= moments.keys() and moments["ends"] <= moments["starts"]:
        fix = "Correct one of the two."
        yield Problem("ends is not after starts", fix, file=str(path), column="ends", value=str(sheet.ends))
    if {"starts", "rsvp.deadline"} <= moments.keys() and moments["rsvp.deadline"] > moments["starts"]:
        problem, value = "rsvp.deadline is after the event has started", str(sheet.rsvp.deadline)
        yield Problem(problem, "Correct the date.", file=str(path), column="rsvp.deadline", value=value)
    if not sheet.source:
        fix = "Say where the addresses come from; it stands at the foot of every mail."
        yield Problem("source is missing", fix, "warning", str(path), column="source")


def _missing_attachments(path: Path, sheet: _File) -> Iterator[Problem]:
    for name, mailing in sheet.mailings.items():
        for file in mailing.attachments:
            try:
                attachment(path.parent, file)
            except ValueError as exc:
                key = f"mailings.{name}.attachments"
                fix = f"Put the file into {path.parent} or correct the name."
                yield Problem(f"{key} names a file that {exc}", fix, file=str(path), column=key, value=file)


def _unknown_keys(path: Path, sheet: _File) -> Iterator[Problem]:
    tables: dict[str, _Table] = {"rsvp": sheet.rsvp, "contact_person": sheet.contact_person}
    tables |= {f"mailings.{name}": mailing for name, mailing in sheet.mailings.items()}
    keys = [f"{name}.{key}" for name, table in tables.items() for key in table.model_extra or {}]
    # A table of any name is the templates' own; a bare value at the top is more likely misspelt.
    keys += [key for key, value in (sheet.model_extra or {}).items() if not isinstance(value, dict)]
    for key in keys:
        problem = f"{key} is not a key of ours"
        yield Problem(problem, "Check its spelling; it is ignored.", "warning", str(path), column=key)
