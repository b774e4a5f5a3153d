"""A letter read as a careful reader would, before it leaves: what was left over, gaps, and wrong weekdays and zones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time

from mailer.cli.days import Told, reader
from mailer.cli.leftovers import leftovers_in
from mailer.model import Event, Letter

Fault = tuple[str, str]

# Letters tell days in these languages beside their own: one text may be in two of them.
_OFFICE_LANGUAGES = ("en", "fr", "es", "ar")

_PARAGRAPH, _ITEM = b"\r\n\r\n", b"\r\n- "
# So many are remembered: those of every variant of a letter, and less than a megabyte.
_MOST_PARAGRAPHS = 4096

_SIGNS_OF_DIRECTION = re.compile("[\u200e\u200f\u2066-\u2069]")
_FIGURE = re.compile(r"\d")
_EMPTY = re.compile(r"\(\s*\)|[,،]\s*[,،]")
# What stands before the letters of a zone: the figures of a clock, or a bracket alone.
_CLOCK = r"(?:\d(?:\s?(?:[ap]\.?m\.?|h(?:\s?\d\d)?|noon|midnight|hrs?|hours|heures|horas))?,?\s\(?|\()"


def proofreader(event: Event, languages: Iterable[str]) -> Callable[[Letter], list[Fault]]:
    """What finds the faults of each letter about `event`, in one of `languages`, and says what to do about them.

    A paragraph, or item of a list, in which nothing was found is not looked at again: most of a letter stands in the
    next one too.
    """
    from mailer.render.locales import locale_of

    sound: set[bytes] = set()
    known = filter(locale_of, dict.fromkeys((*_OFFICE_LANGUAGES, *languages)))
    days_in = reader(known, event.starts.date())
    zones = _zones(event)

    def faults_of(paragraph: bytes) -> Iterator[Fault]:
        # In one line, since a date may wrap. No fault reaches from one paragraph into another.
        text = " ".join(paragraph.decode().split())
        if not text.isascii():
            text = _SIGNS_OF_DIRECTION.sub("", text)
        yield from leftovers_in(text)
        if empty := _EMPTY.search(text):
            fix = "Fill the cell, or guard the field in the template with an if; a salutation brings its own comma."
            yield f"something is empty there ({empty[0]!r})", fix
        if _FIGURE.search(text):
            told = [*days_in(text)]
            yield from _wrong_weekdays(told)
            if zones and any(zone in text for zone in zones):
                yield from _wrong_zones(event, told, re.findall(rf"{_CLOCK}({'|'.join(zones)})\b", text))

    def faults_in(letter: Letter) -> list[Fault]:
        found: list[Fault] = []
        text = letter.text_octets.replace(_ITEM, _PARAGRAPH)
        for paragraph in (letter.subject.encode(), *text.split(_PARAGRAPH)):
            if paragraph in sound:
                continue
            faults = [*faults_of(paragraph)]
            found += faults
            if not faults:
                if len(sound) >= _MOST_PARAGRAPHS:
                    sound.clear()
                sound.add(paragraph)
        return [*dict.fromkeys(found)]

    return faults_in


def _wrong_weekdays(told: Iterable[Told]) -> Iterator[Fault]:
    for one in told:
        if one.right_weekday:
            fault = f"{one.text} is a {one.right_weekday}, not a {one.weekday}"
            yield fault, "Correct the date, or let event.toml give it."


def _zones(event: Event) -> list[str]:
    """The abbreviations of the event's time zone, where there are two of them."""
    months = (datetime(event.starts.year, month, 1, tzinfo=event.timezone) for month in range(1, 13))
    names = {name for month in months if (name := month.tzname() or "").isalpha()}
    return sorted(names) if len(names) > 1 else []


def _wrong_zones(event: Event, told: Sequence[Told], words: Sequence[str]) -> Iterator[Fault]:
    """The zone's abbreviations that are in force on none of the days told, or, where none is, not at the event."""
    days = [one.day for one in told] or [event.starts.date(), event.ends.date()]
    known = [day for day in days if day]
    if len(known) < len(days):
        return
    right = {name for day in known for name in _zone_names(event, day)}
    # The world's own time may stand beside the right one on purpose: "1.00pm BST (12.00 GMT)".
    may_stand = right | {"GMT"} if right & {*words} else right
    for word in sorted({*words} - may_stand):
        in_force = f"{event.timezone.key} is on {_zone_names(event, known[0])[0]} on {known[0].day} {known[0]:%B %Y}"
        yield f"it says {word}, but {in_force}", "Correct it, or let event.toml give date and time."


def _zone_names(event: Event, day: date) -> list[str]:
    """What the clocks of the event's zone show at the end of the day, and at its beginning."""
    moments = (datetime.combine(day, clock, event.timezone) for clock in (time.max, time.min))
    return [moment.tzname() or "" for moment in moments]
