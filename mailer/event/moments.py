"""Times as the clocks of the event's zone show them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def moment(value: object, zone: ZoneInfo, *, end_of_day: bool = False) -> datetime:
    """An aware time from a TOML value or ISO text; without a zone of its own it is in `zone`.

    A bare date is the start of that day, or its last second with `end_of_day`. A clock time that occurs twice is the
    first of the two. Raises ValueError with a reason, also for a clock time that a change of the clocks leaves out.
    """
    value = as_read(value)
    # The first and the last year have no neighbours to convert to.
    if not isinstance(value, date) or not date.min.year < value.year < date.max.year:
        raise ValueError("must be a date and time like 2024-05-23T13:00")
    if not isinstance(value, datetime):
        # Where midnight is left out, the day starts with the change; where its last second comes twice, it ends later.
        edge = datetime.combine(value, time(23, 59, 59, fold=1) if end_of_day else time(), zone)
        return edge.astimezone(UTC).astimezone(zone)
    local = value.replace(tzinfo=zone) if value.tzinfo is None else value
    there = local.astimezone(UTC).astimezone(zone)
    if value.tzinfo is None and there.replace(tzinfo=None) != value:
        raise ValueError(f"does not exist in {zone.key}: the clocks are put forward over it")
    return there


def as_read(value: object) -> object:
    """The day, or the day and time, that ISO text stands for; any other value as it is."""
    if isinstance(value, str):
        for read in (date.fromisoformat, datetime.fromisoformat):
            with suppress(ValueError):
                return read(value)
    return value
