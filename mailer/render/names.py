"""Lists of names as prose, capital letters at the beginning of a sentence, and Latin names inside Arabic lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from babel import Locale
from babel.lists import format_list

from mailer.render.faults import Unfit
from mailer.render.locales import locale_of

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"

# What joins a further group of hosts to the groups before it.
_ALONG_WITH = {"en": " along with ", "fr": " ainsi que ", "es": " junto con ", "ar": "، وكذلك "}

# British English, as the United Nations writes it: no comma before the last "and".
_LOCALES = {"en": "en_GB"}


def isolate(text: str) -> str:
    """`text` for a right-to-left line: between U+2068 and U+2069 if it holds left-to-right letters (UAX #9)."""
    if text.isascii() and not any(c.isalpha() for c in text):
        return text
    if FIRST_STRONG_ISOLATE in text or not any(unicodedata.bidirectional(c) == "L" for c in text):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_ISOLATE}"


def prose(language: str) -> Callable[[object], str]:
    """The filter `names` in `language`: "A, B and C", and for groups of names "A, B and C along with D and E"."""
    locale = locale_of(_LOCALES.get(language, language)) or Locale.parse("en_GB")
    along_with = _ALONG_WITH.get(language, ", ")
    each: Callable[[str], str] = isolate if locale.text_direction == "rtl" else str

    @lru_cache(maxsize=64)
    def joined(names: tuple[str, ...]) -> str:
        listed = str(format_list([each(name) for name in names], locale=locale))
        return _spanish_and(listed, names) if language == "es" else listed

    def names(value: object) -> str:
        return along_with.join(joined(group) for group in _groups(value))

    return names


def capital(value: str) -> str:
    """The filter for what begins a sentence: its first letter a capital one, the others as they are."""
    return value[:1].upper() + value[1:]


def _spanish_and(listed: str, names: tuple[str, ...]) -> str:
    """`y` becomes `e` before the sound of i: "Francia e Italia", but "agua y hielo"."""
    last = names[-1] if len(names) > 1 else ""
    if re.match(r"(?:i|í|hi(?![aeo])|hí)", last, re.IGNORECASE):
        return f"{listed.removesuffix(f'y {last}')}e {last}"
    return listed


def _groups(value: object) -> Iterable[tuple[str, ...]]:
    if isinstance(value, str):
        return [(value,)] if value else []
    if not isinstance(value, list | tuple):
        raise Unfit("it is no list of names", "In event.toml write a list of names, or a list of such lists.")
    if all(isinstance(name, str) for name in value):
        return [tuple(value)] if value else []
    groups = [tuple(group) for group in value if isinstance(group, list | tuple) and group]
    if len(groups) != len(value) or not all(isinstance(name, str) for group in groups for name in group):
        raise Unfit("it is no list of names", "In event.toml write a list of names, or a list of such lists.")
    return groups
