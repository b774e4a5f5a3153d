"""The days that a text tells of in the words of a language, and the weekday that stands before each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from mailer.model import fold

# English shortens September in two ways, and the Arab countries have several calendars of names.
_LOCALES = {"en": ("en", "en_GB"), "ar": ("ar", "ar_LB", "ar_MA", "ar_DZ")}
# Shorter names are words of every kind: "so" is a German Sunday.
_SHORTEST = 3

# A day without a year is taken to be near the event, or its year is anybody's guess.
_NEAR = timedelta(days=60)

# Weekdays strung together ("Monday to Friday, 20 to 24 May") are passed over: the last need not be that of the day
# behind it. A month may have two names: "أيار/مايو".
_TOLD = r"""
    (?:
        (?P<strung> \b(?:{weekdays})[\s,،/&–-]+(?:\w+\s+)? )?
        \b(?P<weekday>{weekdays})\b\.? [\s,،]+ (?:(?:the|le|dia|الموافق)\s+)?
    )?
    (?P<date>
        (?<![\w/.:-])(?P<day>\d\d?){ordinal}? \s+ (?:(?:of|de)\s+)?
        (?P<month>{months})\b\.?(?:/(?:{months})\b)? (?:[\s,،]+(?:del?\s+)?(?P<year>\d{{4}})(?!\d))?
      | \b(?P<us_month>{months})\b\.? \s+ (?P<us_day>\d\d?)(?!\d){ordinal}? (?:,?\s+(?P<us_year>\d{{4}})(?!\d))?
    )
"""
_WORD = re.compile(r"[^\W\d_]+")
# Signs before a month, and from its beginning on, in which the rest of the day stands.
_BEFORE, _BEHIND = 60, 40
_REMEMBERED = 1024
_ORDINAL = r"(?:(?:st|nd|rd|th|er)\b|\.?º|\.)"


@dataclass(frozen=True, slots=True)
class Told:
    """A day as it is written, None where there is no such day or its year cannot be told, and its weekday.

    `weekday` is empty if none is written, `right_weekday` if that is right or nobody knows.
    """

    text: str
    day: date | None
    weekday: str
    right_weekday: str


_Read = Callable[[str], tuple[Told, ...]]


def reader(languages: Iterable[str], event_day: date) -> Callable[[str], Iterator[Told]]:
    """What finds the days that a text, which stands in one line, tells of in any of `languages` (two letters each).

    Names of days and months are those of the Unicode locale data, long or short, with or without accents. Where no year
    is told, it is that of the day near `event_day`.
    """
    reads: dict[str, list[_Read]] = {}
    for language in languages:
        read = _reader(language, event_day)
        for word in _gate(language):
            reads.setdefault(word, []).append(read)

    def told(text: str) -> Iterator[Told]:
        # To look through a whole text takes long. Most tell no day, and what stands about a month is mostly the same in
        # every letter.
        small = _small(text)
        if months := reads.keys() & _WORD.findall(small):
            about = _about(months, small)
            for read in dict.fromkeys(read for month in months for read in reads[month]):
                for part in about:
                    yield from read(text[part] if len(small) == len(text) else text)

    return told


def _gate(language: str) -> frozenset[str]:
    """The words of which one stands, in small letters, in every text that names a month, with accents or without."""
    spelled = (name for _, name in _spelled("months", language))
    return frozenset(one.split()[0] for name in spelled for one in (_small(name), fold(_without_accents(name))) if one)


def _about(words: Iterable[str], text: str) -> list[slice]:
    """The parts of the text that stand about one of the words; where they overlap, one."""
    places = sorted(found.start() for word in words for found in re.finditer(re.escape(word), text))
    parts: list[slice] = []
    for place in places:
        start = text.rfind(" ", 0, max(0, place - _BEFORE)) + 1
        end = text.find(" ", place + _BEHIND)
        if parts and (parts[-1].stop is None or start <= parts[-1].stop):
            start = parts.pop().start
        parts.append(slice(start, None if end < 0 else end))
    return parts


def _reader(language: str, event_day: date) -> _Read:
    weekdays, months = _names("days", language), _names("months", language)
    pattern = re.compile(
        _TOLD.format(weekdays=_any_of(weekdays), months=_any_of(months), ordinal=_ORDINAL),
        re.VERBOSE | re.IGNORECASE,
    )
    names = _weekday_names(language)

    def told(text: str) -> Iterator[Told]:
        for found in pattern.finditer(_without_accents(text)):
            month, day = found["month"] or found["us_month"], found["day"] or found["us_day"]
            at = _day(found["year"] or found["us_year"], months[fold(month)], int(day), event_day)
            weekday = "" if found["strung"] else text[slice(*found.span("weekday"))]
            is_wrong = at and weekday and weekdays[fold(found["weekday"])] != at.weekday()
            yield Told(text[slice(*found.span("date"))], at, weekday, names[at.weekday()] if at and is_wrong else "")

    return lru_cache(_REMEMBERED)(lambda text: tuple(told(text)))


def _day(year: str | None, month: int, day: int, event_day: date) -> date | None:
    years = [int(year)] if year else [event_day.year + n for n in (-1, 0, 1)]
    for one in years:
        with suppress(ValueError):  # 31 June
            at = date(one, month, day)
            if year or abs(at - event_day) <= _NEAR:
                return at
    return None


def _names(kind: Literal["days", "months"], language: str) -> dict[str, int]:
    """The numbers of weekdays (0 to 6) or months (1 to 12) by folded name."""
    named = ((fold(_without_accents(name)), number) for number, name in _spelled(kind, language))
    return {folded: number for folded, number in named if len(folded) >= _SHORTEST}


def _spelled(kind: Literal["days", "months"], language: str) -> Iterator[tuple[int, str]]:
    from babel import Locale

    for locale in _LOCALES.get(language, (language,)):
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in getattr(Locale.parse(locale), kind)[context][width].items():
                    yield int(number), str(name)


def _weekday_names(language: str) -> dict[int, str]:
    from babel.dates import get_day_names

    return dict(get_day_names(locale=language))


def _any_of(names: dict[str, int]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    return "|".join(name.replace(" ", r"\s") for name in longest_first)


def _small(text: str) -> str:
    return text.casefold().replace("ı", "i")


def _without_accents(text: str) -> str:
    """`text`, sign for sign, without accents and the like; an i has its dot, as a pattern takes both for the same."""
    return text if text.isascii() else "".join(unicodedata.normalize("NFD", sign)[0] for sign in text).replace("ı", "i")
