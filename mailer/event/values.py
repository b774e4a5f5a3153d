"""What each value of `event.toml` may be; the sentences of the refusals go on from the key's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import time
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.model import Address

C = TypeVar("C", bound=Collection[object])

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def line(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")  # noqa: TRY004  # pydantic gathers ValueErrors
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", value.strip()):
        raise ValueError("cannot hold line breaks or control characters")
    return value.strip()


def text(value: object) -> str:
    if found := line(value):
        return found
    raise ValueError("must not be empty")


def some(values: C) -> C:
    if not values:
        raise ValueError("must hold at least one")
    return values


def zone(value: object) -> ZoneInfo:
    name = text(value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "; Geneva is in Europe/Zurich" if "geneva" in name.lower() else ""
        raise ValueError(f"is not a zone of the IANA database, such as America/New_York{hint}") from None


def online(value: object) -> str | bool:
    return value if isinstance(value, bool) else line(value)


def hosts(value: Any) -> tuple[tuple[str, ...], ...]:
    """One list of names, or a list of such lists: those of each group stand together in prose."""
    match value:
        case [*groups] if groups and all(isinstance(group, list) for group in groups):
            return tuple(tuple(text(name) for name in group) for group in groups if group)
        case [*names] if not any(isinstance(name, list) for name in names):
            return (tuple(text(name) for name in names),) if names else ()
    raise ValueError("must be a list of names in square brackets, or a list of such lists")


def language(value: object) -> str:
    if not re.fullmatch("[a-z]{2}", text(value)):
        raise ValueError("must be a two-letter code like en")
    return text(value)


def address(value: object) -> Address:
    typed = text(value)
    try:
        return Address.parse(typed)
    except ValueError as exc:
        raise ValueError(f"must be an address like name@example.org: {str(exc).rstrip('.')}") from None


def link(value: object) -> str:
    url = urlsplit(text(value))
    if not (url.scheme in ("https", "http") and url.hostname) and not (url.scheme == "mailto" and url.path):
        raise ValueError("must be a web address that begins with https://")
    return text(value)


def rsvp_url(value: object) -> str:
    url = text(value)
    link(url)
    if "{reference}" not in url:
        raise ValueError("must hold {reference}, or answers cannot be told apart")
    if re.search(r"[{}]", url.replace("{reference}", "")):
        raise ValueError("may hold nothing but {reference} in braces")
    return url


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")  # noqa: TRY004  # pydantic gathers ValueErrors
    return value


def _links(value: object) -> dict[str, str]:
    return {name: link(url) for name, url in _table(value).items()}


def _person(value: object) -> dict[str, object]:
    """What is said of the contact person, under the names of `model.ContactPerson`."""
    known = {"name": ("name", text), "position": ("position", line), "email": ("address", address)}
    return {known[key][0]: known[key][1](said) for key, said in _table(value).items() if key in known}


_TRANSLATED: dict[str, Callable[[Any], object]] = {
    "title": text, "source": line, "venue": line, "online": online, "hosts": hosts, "links": _links,
    "contact_person": _person,
}  # fmt: skip


def translation(entries: dict[str, Any]) -> dict[str, Any]:
    """A table of `[translations]`, its entries like those they stand for; what is unknown is the templates' own."""
    found = {}
    for key, value in entries.items():
        try:
            found[key] = _TRANSLATED[key](value) if key in _TRANSLATED else value
        except ValueError as exc:
            raise ValueError(f"holds {key}, which {exc}") from None
    return found


def days(value: object) -> int:
    match = re.fullmatch(r"([0-9]{1,3})\s*d", str(value).strip().lower())
    if not match:
        raise ValueError('must be a number of days like "2d"')
    return int(match[1])


def weekday(value: object) -> int:
    day = text(value).lower()
    for number, name in enumerate(_WEEKDAYS):
        if day in (name, name[:3]):
            return number
    raise ValueError("must be a weekday like Mon or Friday")


def hours(value: object) -> tuple[time, time]:
    match = re.fullmatch(r"(\d\d?:\d\d)\s*[-–]\s*(\d\d?:\d\d)", text(value))
    try:
        first, last = (time.fromisoformat(part.zfill(5)) for part in match.groups()) if match else (time(), time())
    except ValueError:
        first = last = time()
    if first >= last:
        raise ValueError('must be clock times of one day like "09:00-18:00"')
    return first, last


def stem(value: object) -> str:
    name = text(value).removesuffix(".md")
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError("must name a template of the event's folder, without .md")
    return name


def mailing_name(name: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]*", name) or re.search(r"-\d+d$", name):
        raise ValueError("must be named in lower case like invitation or save-the-date, and not end like -7d")
    return name
