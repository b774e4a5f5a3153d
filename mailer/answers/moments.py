"""When somebody answered: the dates of exports as they are written, by both orders of day and month, never guessed."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Literal

from mailer.contacts.cells import plain
from mailer.model import fold

Order = Literal["dmy", "mdy"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One date as it was written, in UTC: read day first and month first, None where there is no such day.

    `by_numbers` tells that it was written so that its order can be asked at all ("5/6/2024"); the two readings of any
    other date are one.
    """

    dmy: datetime | None
    mdy: datetime | None
    by_numbers: bool = False

    def read(self, order: Order) -> datetime | None:
        return self.dmy if order == "dmy" else self.mdy


def parse(text: str, zone: tzinfo) -> Moment | None:
    """The moment that `text` writes, in `zone` unless it names its own; None where it is no date.

    Year first (ISO 8601 and its looser kin), numbers with `/`, `-` or `.`, and months by name in English, French,
    Spanish and Arabic; a clock of 24 or 12 hours. A bare date is the start of its day. Only dates with points have an
    order of their own: nobody writes month.day.year.
    """
    found = _WRITTEN.fullmatch(_plain(text))
    if not found:
        return None
    parts = found.groupdict()
    if (weekday := parts["weekday"]) and fold(weekday) not in _names("days"):
        return None
    if parts["year_first"]:
        only = _at(parts["year_first"], parts["month_2nd"], parts["day_3rd"], parts, zone)
    elif parts["named"]:
        only = _at(parts["named_year"], _names("months").get(fold(parts["named"])), parts["named_day"], parts, zone)
    elif parts["us_named"]:
        only = _at(parts["us_year"], _names("months").get(fold(parts["us_named"])), parts["us_day"], parts, zone)
    else:
        year = parts["year_last"] if len(parts["year_last"]) == 4 else f"20{parts['year_last']}"
        day_first = _at(year, parts["second"], parts["first"], parts, zone)
        if parts["sign"] == ".":
            only = day_first
        else:
            month_first = _at(year, parts["first"], parts["second"], parts, zone)
            return Moment(day_first, month_first, by_numbers=True) if day_first or month_first else None
    return Moment(only, only) if only else None


def evidence(moments: Iterable[Moment]) -> frozenset[Order]:
    """The orders that single dates prove: a 13 can be no month. Both, where the dates contradict each other."""
    proven: set[Order] = set()
    for moment in moments:
        if not moment.mdy:
            proven.add("dmy")
        elif not moment.dmy:
            proven.add("mdy")
    return frozenset(proven)


def order_matters(moments: Sequence[Moment], marks: Sequence[datetime]) -> bool:
    """Whether the two readings differ in the sequence of the answers, or in which of the `marks` one falls behind.

    Every moment must have both readings.
    """
    day_first = [moment.dmy for moment in moments if moment.dmy]
    month_first = [moment.mdy for moment in moments if moment.mdy]
    if _sequence(day_first) != _sequence(month_first):
        return True
    marks = sorted(marks)
    return any(
        bisect_left(marks, one) != bisect_left(marks, other) for one, other in zip(day_first, month_first, strict=True)
    )


def _sequence(times: list[datetime]) -> list[int]:
    place = {time: n for n, time in enumerate(sorted(set(times)))}
    return [place[time] for time in times]


# --- how dates are written --------------------------------------------------------------------------------------------

_DATE = r"""
    (?P<year_first>\d{4})[-/.](?P<month_2nd>\d{1,2})[-/.](?P<day_3rd>\d{1,2})
  | (?P<first>\d{1,2})(?P<sign>[-/.])(?P<second>\d{1,2})(?P=sign)(?P<year_last>\d{4}|\d{2})
  | (?P<named_day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?[\s-]+(?:de\s+)?(?P<named>[^\W\d]+)\.?,?[\s-]+(?:del?\s+)?
    (?P<named_year>\d{4})
  | (?P<us_named>[^\W\d]+)\.?\s+(?P<us_day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<us_year>\d{4})
"""
_CLOCK = r"""
    (?P<hour>\d{1,2})\s?[:.h]\s?(?P<minute>\d{2})(?:[:.](?P<seconds>\d{2})(?:[.,]\d+)?)?
    (?:\s?(?P<half>[ap])\.?\s?m\b\.?)?
"""
_ZONE = r"(?P<zone>z|(?:gmt|utc)?\s?[+-]\d{1,2}(?::?\d{2})?|[a-z]{2,5})"
_WRITTEN = re.compile(
    rf"(?:(?P<weekday>[^\W\d]+)\.?,?\s+)?(?:{_DATE})(?:(?:,?\s+|t)(?:at\s+|a\s+(?:las\s+)?)?{_CLOCK}\s?\(?{_ZONE}?\)?)?",
    re.VERBOSE,
)
_OFFSET = re.compile(r"(?:gmt|utc)?\s?([+-])(\d{1,2}):?(\d{2})?")
# Letters that mean one offset wherever they are written; "CST" and "IST" mean several.
_HOURS_OF = {
    "z": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3,
    "edt": -4, "est": -5, "cdt": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip


def _plain(text: str) -> str:
    """The text in lower case, without accents, each white space one blank."""
    decomposed = unicodedata.normalize("NFKD", plain(text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).replace("−", "-")


@lru_cache(maxsize=2)
def _names(kind: Literal["months", "days"]) -> dict[str, int]:
    """The numbers of months (1 to 12) or weekdays (0 to 6), by folded name and abbreviation."""
    from babel import Locale

    numbers = {"sept": 9} if kind == "months" else {}
    for language in ("ar_IQ", "ar", "es", "fr", "en"):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in getattr(Locale(language), kind)[context][width].items():
                    numbers[fold(str(name))] = int(number)
    return numbers


def _at(year: str, month: str | int | None, day: str, clock: dict[str, str], zone: tzinfo) -> datetime | None:
    hour = int(clock["hour"] or 0)
    if half := clock["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        local = datetime(
            int(year),
            int(month or 0),
            int(day),
            hour,
            int(clock["minute"] or 0),
            int(clock["seconds"] or 0),
            tzinfo=zone,
        )
    except ValueError:
        return None
    # What programs write for never: the first and the last year have no neighbours to convert to.
    if local.year in (MINYEAR, MAXYEAR):
        return None
    own = _zone(clock["zone"], local) if clock["zone"] else zone
    return local.replace(tzinfo=own).astimezone(UTC) if own else None


def _zone(text: str, local: datetime) -> tzinfo | None:
    """The zone that `text` names: an offset, the letters that the local time has anyway, or letters known to all."""
    if offset := _OFFSET.fullmatch(text):
        sign, hours, minutes = offset.groups()
        east = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(-east if sign == "-" else east) if east < timedelta(hours=24) else None
    if text == (local.tzname() or "").casefold():
        return local.tzinfo
    return timezone(timedelta(hours=_HOURS_OF[text])) if text in _HOURS_OF else None
