"""A letter read as a careful reader would, before it leaves: words left over, gaps, and weekdays that do not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import lru_cache

from mailer.model import Letter

# What stands for something missing, and the pattern that finds it where it is no part of another word.
_LEFT_OVER = {
    word: re.compile(rf"{word}\b(?<=\b{word})")
    for word in ("nan", "NaN", "None", "null", "undefined", "TBC", "TBD")
}  # fmt: skip
_BLANKS, _BRACKETS, _COMMAS = (re.compile(one) for one in (r"  (?<=\w  ) *\w", r"\(\s*\)", r",\s*,"))

# What is looked for, what is said of it, and whether it can be in a text at all. That is known after a
# look or two at the whole, by patterns that begin with a letter or sign to leap to, and for most letters it is the end.
_FAULTS: tuple[tuple[re.Pattern[str], str, Callable[[str], object]], ...] = (
    (
        re.compile(rf"\b({'|'.join(_LEFT_OVER)})\b"),
        "it says {0!r}",
        lambda text: any(word in text and alone.search(text) for word, alone in _LEFT_OVER.items()),
    ),
    (
        re.compile(r"\w {2,}\w"),
        "two blanks in a row, as an empty field leaves them ({0!r})",
        _BLANKS.search,
    ),
    (
        re.compile(rf"{_BRACKETS.pattern}|{_COMMAS.pattern}"),
        "something is empty there ({0!r})",
        lambda text: _BRACKETS.search(text) or _COMMAS.search(text),
    ),
)

_PARAGRAPH = b"\r\n\r\n"
# So many are remembered: those of every variant of a letter, and less than a megabyte.
_MOST_PARAGRAPHS = 4096

_DAY = re.compile(r"day,? \d{1,2} [A-Z][a-z]+ \d{4}\b")
_DATE = re.compile(r"\b([A-Z][a-z]+day),? (\d{1,2} [A-Z][a-z]+ \d{4})\b")


def faults_in(letter: Letter, sound: set[bytes]) -> Iterator[tuple[str, str]]:
    """Each fault, and what to do. Tables of the text are passed over.

    `sound` are paragraphs in which nothing was found before, at first none: most of a letter stands in the next one
    too. Those of this letter are added if it has no fault.
    """
    # The first is looked at with the subject. No fault reaches from one paragraph into another.
    first, *others = letter.text_octets.split(_PARAGRAPH)
    new = [first, *(paragraph for paragraph in others if paragraph not in sound)]
    found = [*_faults_of(letter.subject, _PARAGRAPH.join(new).replace(b"\r\n", b"\n").decode())]
    if not found:
        if len(sound) > _MOST_PARAGRAPHS:
            sound.clear()
        sound.update(new[1:])
    yield from found


def _faults_of(subject: str, text: str) -> Iterator[tuple[str, str]]:
    whole = f"{subject}\n{text}"
    suspected = [(pattern, fault) for pattern, fault, possible in _FAULTS if possible(whole)]
    if not suspected and "day" not in whole:
        return
    # Each paragraph as one line, since a date may wrap.
    running = "\0".join([subject, *map(_running, text.split("\n\n"))])
    for pattern, fault in suspected:
        if match := pattern.search(running):
            yield fault.format(match[0]), "Fill the cell, or guard the field in the template with an if."
    for day in _DAY.finditer(running):
        word = running.rfind(" ", 0, day.start()) + 1
        for weekday, date in _DATE.findall(running, word, day.end()):
            found = _weekday_of(date)
            if found and found != weekday:
                yield f"{date} is a {found}, not a {weekday}", "Correct the date, or let event.toml give it."


def _running(paragraph: str) -> str:
    """The paragraph as one line, without what was a table in it."""
    return " ".join(filter(None, (line.strip() for line in paragraph.splitlines() if "|" not in line)))


@lru_cache(maxsize=64)
def _weekday_of(day: str) -> str | None:
    """The weekday of "23 May 2024", None where there is no such day."""
    with suppress(ValueError):  # 31 June, or no month at all
        return f"{datetime.strptime(day, '%d %B %Y'):%A}"  # noqa: DTZ007  # a calendar day, in no zone
    return None
