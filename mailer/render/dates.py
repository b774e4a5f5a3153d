"""Dates, times and periods in the house style of each language, always on the clock of the event's zone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, get_timezone_location

from mailer.render.faults import Unfit
from mailer.render.locales import locale_of

# Abbreviations that people abroad read rightly, with the offsets in hours that they stand for. Any other one (Manila's
# PST, Shanghai's CST, the three meanings of IST) misleads, so that city and offset are written instead.
_CLEAR = {
    "UTC": 0, "GMT": 0, "BST": 1, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "WAT": 1, "CAT": 2, "SAST": 2, "EAT": 3, "EST": -5, "EDT": -4, "CDT": -5, "MDT": -6, "PDT": -7,
    "AKST": -9, "AKDT": -8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_CLEAR_IN_AMERICA = {"CST": -6, "MST": -7, "PST": -8}


def date_filters(language: str, zone: ZoneInfo) -> dict[str, Callable[..., str]]:
    """The filters `date`, `time`, `datetime` and `period` for templates in `language` (two letters).

    A moment with a zone is told on the clock of `zone`; one without is on that clock already. `period` takes what has
    `starts` and `ends`: the event, or a table of event.toml. The English style is "Thursday, 23 May 2024 at 1.00pm –
    2.30pm EDT"; the others are those of the United Nations in that language, the blanks of a French "13 h 00" hard ones
    (U+00A0). The filters raise Unfit for what is no date.
    """
    style = _STYLES.get(language, _other(language))
    told: Callable[..., str] = lru_cache(maxsize=256)(style.told)

    def moment(value: object) -> datetime:
        if not isinstance(value, datetime):
            raise _not_a(value, "date with a time", "2024-05-23T13:00:00")
        return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)

    def on_date(value: object) -> str:
        if isinstance(value, datetime):
            value = moment(value)
        elif not isinstance(value, date):
            raise _not_a(value, "date", "2024-05-23")
        return style.day(value)

    def at_time(value: object) -> str:
        if isinstance(value, datetime):
            value = moment(value).time()
        elif not isinstance(value, time):
            raise _not_a(value, "time", "12:45:00")
        return style.clock(value)

    def at(value: object) -> str:
        return _told(moment(value), None)

    def period(value: object) -> str:
        if not isinstance(value, Mapping) or not {"starts", "ends"} <= value.keys():
            raise Unfit("only what has `starts` and `ends` is a period", "Write `{{ event | period }}`.")
        return _told(moment(value["starts"]), moment(value["ends"]))

    def _told(starts: datetime, ends: datetime | None) -> str:
        # Equal moments of the hour that comes twice have equal hashes, so the cache must see the fold too.
        return told(starts, ends, starts.fold, ends.fold if ends else 0)

    return {"date": on_date, "time": at_time, "datetime": at, "period": period}


def _not_a(value: object, what: str, example: str) -> Unfit:
    return Unfit(f"{value!r} is not a {what}", f"In event.toml write it without quotation marks: {example}.")


# --- the zone ---------------------------------------------------------------------------------------------------------


def _city(moment: datetime, language: str) -> str:
    """The zone's city in `language`; empty for zones that are none (UTC, Etc/GMT+5)."""
    zone = moment.tzinfo
    key = getattr(zone, "key", "")
    if "/" not in key or key.startswith("Etc/"):
        return ""
    return str(get_timezone_location(zone, locale=language, return_city=True)).rpartition("/")[2]


def _offset(moment: datetime) -> str:
    """`UTC+8`, `UTC+5:30`, `UTC−3` (RFC 3339 offsets as people write them)."""
    offset = moment.utcoffset() or timedelta()
    minutes = abs(offset) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    sign = "−" if offset < timedelta() else "+"
    return f"UTC{sign}{minutes // 60}" + (f":{minutes % 60:02}" if minutes % 60 else "")


def _has_clear_name(moment: datetime) -> bool:
    """Whether the zone database's abbreviation is understood abroad: letters, and the offset they usually mean."""
    name = moment.tzname() or ""
    american = getattr(moment.tzinfo, "key", "").startswith(("America/", "US/", "Canada/"))
    hours = _CLEAR.get(name, _CLEAR_IN_AMERICA.get(name) if american else None)
    return hours is not None and moment.utcoffset() == timedelta(hours=hours)


def _central_european_time(moment: datetime, language: str) -> str:
    """Its name in `language` (CLDR), where the moment is told in it; else empty.

    The other zones are told by their cities. But for Geneva, Bonn, The Hague and Strasbourg, the zone database knows
    no city save the largest of the country, and nobody there tells the time of Zurich.
    """
    if not getattr(moment.tzinfo, "key", "").startswith("Europe/") or moment.tzname() not in ("CET", "CEST"):
        return ""
    return str(Locale(language).meta_zones.get("Europe_Central", {}).get("long", {}).get("generic", ""))


def _zone(
    moment: datetime,
    language: str,
    of_city: Callable[[str], str],
    of_region: Callable[[str], str] = lambda name: name,
) -> str:
    """The zone in brackets, by its city ("heure de New York"), with the offset where the city alone may not do."""
    if region := _central_european_time(moment, language):
        return f"({of_region(region)})"
    city = _city(moment, language)
    if not city:
        return f"({_offset(moment)})"
    return f"({of_city(city)})" if _has_clear_name(moment) else f"({of_city(city)}, {_offset(moment)})"


# --- the languages ----------------------------------------------------------------------------------------------------


class _Style:
    """How one language tells days, clock times and periods; `joined` is date, first and last clock time, zone."""

    language: str
    pattern: str
    single: str
    joined: str
    across: str

    def day(self, value: date) -> str:
        return str(format_date(value, self.pattern, locale=self.language))

    def clock(self, value: time) -> str:
        return f"{value:%H:%M}"

    def zone(self, moment: datetime) -> str:
        return _zone(moment, self.language, lambda city: city)

    def told(self, starts: datetime, ends: datetime | None, *_folds: int) -> str:
        """One moment, or the period from `starts` to `ends`; both zones are named where they differ."""
        day, clock, zone = self.day(starts), self.clock(starts.time()), self.zone(starts)
        if ends is None:
            return self.single.format(day=day, clock=clock, zone=zone)
        same_zone = zone == self.zone(ends)
        if same_zone and starts.date() == ends.date():
            return self.joined.format(day=day, clock=clock, until=self.clock(ends.time()), zone=zone)
        first = self.told(starts, None)
        return self.across.format(first=first.removesuffix(zone).rstrip() if same_zone else first,
                                  last=self.told(ends, None))  # fmt: skip


class _English(_Style):
    language, pattern = "en", "EEEE, d MMMM y"
    single, joined, across = "{day} at {clock} {zone}", "{day} at {clock} – {until} {zone}", "{first} – {last}"

    def clock(self, value: time) -> str:
        if value.minute == 0 and value.hour in (0, 12):
            return "12 noon" if value.hour else "12 midnight"
        return f"{value.hour % 12 or 12}.{value:%M}{'am' if value.hour < 12 else 'pm'}"

    def zone(self, moment: datetime) -> str:
        if _has_clear_name(moment):
            return str(moment.tzname())
        city = _city(moment, "en")
        return f"{city} time ({_offset(moment)})" if city else _offset(moment)


class _French(_Style):
    language, pattern = "fr", "EEEE d MMMM y"
    single, joined = "{day} à {clock} {zone}", "{day}, de {clock} à {until} {zone}"
    across = "du {first} au {last}"

    def day(self, value: date) -> str:
        return re.sub(r"\b1 ", "1er ", super().day(value), count=1) if value.day == 1 else super().day(value)

    def clock(self, value: time) -> str:
        return f"{value.hour}\u00a0h\u00a0{value:%M}"

    def zone(self, moment: datetime) -> str:
        return _zone(moment, "fr", lambda city: f"heure {_french_of(city)}")


class _Spanish(_Style):
    language, pattern = "es", "EEEE d 'de' MMMM 'de' y"
    single, joined = "{day} a las {clock} horas {zone}", "{day}, de {clock} a {until} horas {zone}"
    across = "del {first} al {last}"

    def clock(self, value: time) -> str:
        return f"{value.hour}.{value:%M}"

    def told(self, starts: datetime, ends: datetime | None, *folds: int) -> str:
        return super().told(starts, ends, *folds).replace(" a las 1.", " a la 1.")

    def zone(self, moment: datetime) -> str:
        return _zone(moment, "es", lambda city: f"hora de {city}")


class _Arabic(_Style):
    language, pattern = "ar", "EEEE، d"
    single = "{day}، الساعة {clock} {zone}"
    joined = "{day}، من الساعة {clock} إلى الساعة {until} {zone}"
    across = "من {first} إلى {last}"

    def day(self, value: date) -> str:
        # The month by both its names, as the Mashriq and the Nile say it: أيار/مايو.
        levant, nile = (format_date(value, "MMMM", locale=locale) for locale in ("ar_LB", "ar_EG"))
        return f"{super().day(value)} {levant}/{nile} {value.year}"

    def zone(self, moment: datetime) -> str:
        return _zone(moment, "ar", lambda city: f"بتوقيت {city}", lambda name: f"ب{name}").replace(",", "،")


_STYLES: dict[str, _Style] = {style.language: style for style in (_English(), _French(), _Spanish(), _Arabic())}


def _other(language: str) -> _Style:
    """The locale's own full date with a 24-hour clock, for languages that have no house style; else the English one."""
    if not locale_of(language):
        return _English()
    style = _Style()
    style.language, style.pattern = language, "full"
    style.single, style.joined, style.across = (
        "{day}, {clock} {zone}",
        "{day}, {clock} – {until} {zone}",
        "{first} – {last}",
    )
    return style


def _french_of(city: str) -> str:
    """`city` after "de": de New York, d’Abidjan, du Caire."""
    if city.startswith("Le "):
        return f"du {city[3:]}"
    return f"d’{city}" if city[0] in "AEÉÈIOU" else f"de {city}"
