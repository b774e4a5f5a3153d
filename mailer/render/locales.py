"""What is known of a language: how it is called, lists its names, writes its dates, and in which direction."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError


def locale_of(language: str) -> Locale | None:
    """The locale of a language code, None for a code that no language has."""
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return None


def is_right_to_left(language: str) -> bool:
    locale = locale_of(language)
    return locale is not None and locale.text_direction == "rtl"
