"""How fast: rolling windows that are never exceeded, and the table of waits after a deferral.

A relay counts a message at some moment between our start and its reply. A slot is therefore taken at the start and
given back a whole window after the *finish*: whenever the relay counted, no window of its own can hold more than the
limit. No schedule that keeps this promise is faster.

Where a relay wants Cc in transactions of their own, each counts as a message, and none is begun before there is room
for all of them: the outcome need not wait for the pace behind the first.
"""

from __future__ import annotations

import copy
import math
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# Waits after the 1st, 2nd ... deferral as multiples of the first wait; with its default of five minutes these are
# 5, 15 and 30 minutes, 1, 2 and 4 hours (RFC 5321 section 4.5.4.1 asks for at least half an hour once it lasts).
BACK_OFF = (1, 3, 6, 12, 24, 48)
JITTER = 0.1

# Part of a window that is waited beyond its end: a clock that is being set right may run that much faster than another
# (NTP slews by at most 1 in 2000).
_MARGIN = 0.001


def wait_after(deferrals: int, first: float, source: random.Random) -> timedelta:
    """How long to wait after the `deferrals`-th deferral (from 1) when the first wait is `first` seconds.

    Spread by a tenth either way, so that what was deferred together does not return together.
    """
    multiple = BACK_OFF[:deferrals][-1]
    return timedelta(seconds=first * multiple * source.uniform(1 - JITTER, 1 + JITTER))


@dataclass(frozen=True, slots=True)
class Window:
    """At most `most` messages, or recipients, in any `seconds` on end."""

    most: int
    seconds: int
    of_recipients: bool = False

    @property
    def length(self) -> timedelta:
        """How long a message counts after its finish."""
        return timedelta(seconds=self.seconds * (1 + _MARGIN))

    def weight(self, recipients: int, transactions: int = 1) -> int:
        """What a message to so many recipients, sent in so many transactions, counts here."""
        return recipients if self.of_recipients else transactions


class _Count:
    """What one window holds: messages in flight, and those finished that it still counts."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._length = window.length
        self._finished: deque[tuple[datetime, int]] = deque()
        self._inside = 0
        self._in_flight = 0

    def __copy__(self) -> _Count:
        twin = _Count(self.window)
        twin._finished = self._finished.copy()
        twin._inside, twin._in_flight = self._inside, self._in_flight
        return twin

    def opens_at(self, now: datetime, weight: int) -> datetime | None:
        self._redate(now)
        self._forget(now)
        lacking = self._inside + self._in_flight + weight - self.window.most
        if lacking <= 0 or not (self._inside or self._in_flight):
            return now
        for finished_at, gone in self._finished:
            lacking -= gone
            if lacking <= 0:
                return finished_at + self._length
        # A message that counts more than the limit goes alone, when everything before it has left the window.
        return self._finished[-1][0] + self._length if self._finished and not self._in_flight else None

    def start(self, weight: int) -> None:
        self._in_flight += weight

    def finish(self, weight: int) -> None:
        self._in_flight -= weight

    def remember(self, finished_at: datetime, weight: int) -> None:
        self._redate(finished_at)
        self._finished.append((finished_at, weight))
        self._inside += weight

    def _redate(self, now: datetime) -> None:
        """Lets what lies ahead count from `now`: the clock was set back, and how long ago it was is not known."""
        if self._finished and self._finished[-1][0] > now:
            self._finished = deque((min(finished_at, now), weight) for finished_at, weight in self._finished)

    def _forget(self, now: datetime) -> None:
        while self._finished and self._finished[0][0] + self._length <= now:
            self._inside -= self._finished.popleft()[1]


class Pace:
    """Several windows that must all hold, begun with what the ledger says was sent before."""

    def __init__(self, windows: Iterable[Window], sent_before: Iterable[tuple[datetime, int]] = ()) -> None:
        """`sent_before`: when each earlier transaction was finished, in order, and its number of recipients.

        What is in doubt belongs there too, with the latest moment at which it may have been under way.
        """
        self._windows = tuple(windows)
        self._counts = tuple(_Count(window) for window in self._windows)
        # Recipients that the relay is thought to take together; nothing depends on it where no messages are counted.
        self._together = math.inf if any(not window.of_recipients for window in self._windows) else 1
        for finished_at, recipients in sent_before:
            for count in self._counts:
                count.remember(finished_at, count.window.weight(recipients))

    @property
    def reach(self) -> timedelta:
        """How far back the longest window looks."""
        return max((window.length for window in self._windows), default=timedelta())

    def transactions(self, recipients: int) -> int:
        """How many a message to so many is to be allowed: one, unless they seem to be more than the relay takes so."""
        return int(max(1, 1 + recipients - self._together))

    def expect(self, recipients: int, transactions: int) -> None:
        """The relay wants so many recipients in so many transactions."""
        self._together = min(self._together, 1 + recipients - transactions)

    def opens_at(self, now: datetime, recipients: int = 1, transactions: int = 1) -> datetime | None:
        """When the next message may start: `now`, a later moment, or None until something in flight has finished."""
        latest = now
        for count in self._counts:
            opens = count.opens_at(now, count.window.weight(recipients, transactions))
            if opens is None:
                return None
            latest = max(latest, opens)
        return latest

    def start(self, recipients: int = 1, transactions: int = 1) -> None:
        """A message takes its places in every window; `opens_at` said that it may."""
        for count in self._counts:
            count.start(count.window.weight(recipients, transactions))

    def finish(self, now: datetime, recipients: int = 1, transactions: int = 1, *, counted: int = 1) -> None:
        """It left flight at `now`; its places are free at once but for the transactions that the relay may have
        `counted`."""
        for count in self._counts:
            count.finish(count.window.weight(recipients, transactions))
            if counted:
                count.remember(now, count.window.weight(recipients, counted))

    def forecast(
        self,
        messages: int,
        now: datetime,
        seconds_each: float = 0.0,
        recipients_each: float = 1.0,
        connections: int = 1,
    ) -> datetime:
        """When the last of `messages` would be done if nothing is deferred.

        `seconds_each` is what one takes over one of the `connections`; `recipients_each` is the mean of their
        recipients.
        """
        each = timedelta(seconds=seconds_each)
        if not self._windows:
            return now + messages * each / connections
        pace = copy.copy(self)
        pace._counts = tuple(copy.copy(count) for count in self._counts)
        in_flight: deque[tuple[datetime, int]] = deque()  # who began first ends first, as all take the same
        for n in range(messages):
            recipients = int((n + 1) * recipients_each) - int(n * recipients_each)
            transactions = pace.transactions(recipients)
            opens_at = pace.opens_at(now, recipients, transactions)
            while in_flight and (len(in_flight) == connections or opens_at is None or opens_at >= in_flight[0][0]):
                now, gone = in_flight.popleft()
                parts = pace.transactions(gone)
                pace.finish(now, gone, parts, counted=parts)
                opens_at = pace.opens_at(now, recipients, transactions)
            now = opens_at or now
            pace.start(recipients, transactions)
            in_flight.append((now + each, recipients))
        return now + each
