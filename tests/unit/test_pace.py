"""The pace: no rolling window is ever exceeded, hardly a moment is wasted, and the forecast can be believed."""

import heapq
import math
import random
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.deliver.pace import BACK_OFF, JITTER, Pace, Window, wait_after

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One transaction on its way: from when to when (seconds after NOON) the relay may have counted it."""

    start: float
    finish: float
    recipients: int


@dataclass(frozen=True)
class Message:
    """One to be sent, in seconds, and how many transactions it is known to take."""

    number: int
    duration: float
    recipients: int
    transactions: int = 1


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def simulate(
    windows: Sequence[Window],
    messages: Sequence[tuple[float, int]],
    *,
    connections: int = 1,
    restarts: frozenset[int] = frozenset(),
    together: int = 4,
) -> list[Sent]:
    """Sends `messages` (duration, recipients) on a simulated clock, each as early as the pace lets it.

    The relay takes `together` recipients in one transaction and wants each of the rest in another; it hears that in one
    that comes to nothing, where the message was not allowed so many. Before each number in `restarts` the process is
    killed: what was in flight is in doubt from then on, and a new pace is made from what is remembered.
    """
    pace, now, killings = Pace(windows), 0.0, set(restarts)
    agenda = deque(Message(number, *message) for number, message in enumerate(messages))
    in_flight: list[tuple[float, int, Message, list[Sent]]] = []
    done: list[Sent] = []
    remembered: list[Sent] = []
    while agenda or in_flight:
        if agenda and agenda[0].number in killings:
            killings.remove(agenda[0].number)
            for _, _, message, parts in in_flight:
                done += [replace(part, finish=now) for part in parts if part.start <= now]
                remembered += [Sent(now, now, 1)] * message.recipients
            in_flight.clear()
            pace = remembering(windows, remembered, now)
        wake, opens = math.inf, None
        if agenda and len(in_flight) < connections:
            recipients = agenda[0].recipients
            allowed = max(agenda[0].transactions, pace.transactions(recipients))
            opens = pace.opens_at(at(now), recipients, allowed)
            wake = math.inf if opens is None else (opens - NOON).total_seconds()
        if opens == at(now):
            message = replace(agenda.popleft(), transactions=allowed)
            pace.start(recipients, allowed)
            heapq.heappush(in_flight, (now + message.duration, message.number, message, parted(message, now, together)))
        elif in_flight and in_flight[0][0] <= wake:
            now, _, message, parts = heapq.heappop(in_flight)
            pace.finish(at(now), message.recipients, message.transactions, counted=len(parts))
            done += parts
            remembered += [replace(part, finish=now) for part in parts]
            if (needed := takes(message, together)) > message.transactions:
                pace.expect(message.recipients, needed)
                agenda.appendleft(replace(message, transactions=needed))
        else:
            now = wake
    return done


def takes(message: Message, together: int) -> int:
    return 1 + max(0, message.recipients - together)


def parted(message: Message, start: float, together: int) -> list[Sent]:
    """What the relay sees of the message: all its transactions one after the other, or one that comes to nothing."""
    number = takes(message, together)
    if number > message.transactions:
        return [Sent(start, start + message.duration, message.recipients)]
    each = message.duration / number
    first = min(together, message.recipients)
    return [Sent(start + n * each, start + (n + 1) * each, 1 if n else first) for n in range(number)]


def remembering(windows: Sequence[Window], done: Sequence[Sent], now: float) -> Pace:
    since = at(now) - Pace(windows).reach
    return Pace(windows, [(at(sent.finish), sent.recipients) for sent in done if at(sent.finish) > since])


def heaviest(window: Window, sent: Sequence[Sent]) -> int:
    """The most that any rolling window can hold if the relay counts each message at the worst moment for us.

    A window that begins at some finish holds all that finish then or later and start before it ends.
    """
    starts = sorted((one.start, window.weight(one.recipients)) for one in sent)
    finishes = sorted((one.finish, window.weight(one.recipients)) for one in sent)
    begun = [0, *accumulate(weight for _, weight in starts)]
    ended = [0, *accumulate(weight for _, weight in finishes)]
    moments = [moment for moment, _ in starts]
    return max(
        begun[bisect_left(moments, finish + window.seconds)] - ended[bisect_left(finishes, (finish, 0))]
        for finish, _ in finishes
    )


def fastest(window: Window, messages: Sequence[tuple[float, int]]) -> float:
    """When the last message is done at best: one by one, each a window after the finish of the `most`-th before it."""
    finishes: list[float] = []
    for n, (duration, _) in enumerate(messages):
        before = finishes[-1] if finishes else 0.0
        opens = finishes[n - window.most] + window.seconds if n >= window.most else 0.0
        finishes.append(max(before, opens) + duration)
    return finishes[-1]


def ten_thousand(seed: int, longest: float = 0.5, most_recipients: int = 4) -> list[tuple[float, int]]:
    source = random.Random(seed)
    return [(source.uniform(0.01, longest), source.randint(1, most_recipients)) for _ in range(10_000)]


RATES = {
    "20/minute": (Window(20, 60),),
    "30/minute, 10000 recipients/day": (Window(30, 60), Window(10_000, 86_400, of_recipients=True)),
    "2000/day, 10000 recipients/day": (Window(2000, 86_400), Window(10_000, 86_400, of_recipients=True)),
    "50/hour": (Window(50, 3600),),
    "7/second, 90 recipients/minute": (Window(7, 1), Window(90, 60, of_recipients=True)),
}


@pytest.mark.parametrize("together", [4, 1])
@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("windows", RATES.values(), ids=RATES)
def test_no_window_is_exceeded_over_ten_thousand_sends_with_restarts(
    windows: tuple[Window, ...], connections: int, together: int
) -> None:
    """However often we are killed, whenever the relay counts and if it wants each Cc by itself, no limit is passed."""
    restarts = frozenset(random.Random(7).sample(range(10_000), 40))
    sent = simulate(windows, ten_thousand(1), connections=connections, restarts=restarts, together=together)
    assert len(sent) >= 10_000
    for window in windows:
        assert heaviest(window, sent) <= window.most


@given(
    windows=st.lists(
        st.builds(Window, st.integers(3, 12), st.sampled_from([1, 10, 60]), st.booleans()), min_size=1, max_size=3
    ),
    messages=st.lists(st.tuples(st.floats(0, 20), st.integers(1, 3)), min_size=1, max_size=60),
    connections=st.integers(1, 4),
    restarts=st.frozensets(st.integers(0, 59), max_size=5),
    together=st.integers(1, 3),
)
def test_no_window_is_exceeded_whatever_the_limits(
    windows: list[Window],
    messages: list[tuple[float, int]],
    connections: int,
    restarts: frozenset[int],
    together: int,
) -> None:
    """Any limits, durations, numbers of recipients, connections and restarts, and any relay: every window holds."""
    sent = simulate(windows, messages, connections=connections, restarts=restarts, together=together)
    assert len(sent) >= len(messages)
    for window in windows:
        assert heaviest(window, sent) <= window.most


@pytest.mark.parametrize(
    ("window", "longest"),
    [
        (Window(20, 60), 0.5),
        (Window(30, 60), 0.5),
        (Window(2000, 86_400), 2.0),
        (Window(1, 1), 0.4),
        (Window(50, 3600), 9),
    ],
)
def test_little_time_is_wasted(window: Window, longest: float) -> None:
    """Ten thousand messages take at most one part in twenty longer than the fastest schedule that keeps the limit."""
    messages = ten_thousand(2, longest)
    best = fastest(window, messages)
    assert best <= simulate([window], messages)[-1].finish <= 1.05 * best


def test_little_time_is_wasted_beside_the_bare_limit() -> None:
    """At thirty a minute and half a second each, ten thousand messages take 333 minutes, and at most 5 % more."""
    assert simulate([Window(30, 60)], ten_thousand(3))[-1].finish <= 1.05 * (10_000 / 30 - 1) * 60


def test_little_time_is_wasted_on_a_relay_that_wants_each_cc_by_itself() -> None:
    """Once it is known that two recipients are two messages to it, thirty a minute are fifteen such messages."""
    messages = [(duration, 2) for duration, _ in ten_thousand(5)]
    assert simulate([Window(30, 60)], messages, together=1)[-1].finish <= 1.05 * (20_000 / 30 - 1) * 60


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("windows", [(), (Window(1, 1),), *RATES.values()], ids=["off", "1/second", *RATES])
def test_the_forecast_is_within_five_parts_in_a_hundred(windows: tuple[Window, ...], connections: int) -> None:
    """What is foretold from the mean duration and number of recipients is what ten thousand messages then take."""
    messages = ten_thousand(4)
    durations, recipients = zip(*messages, strict=True)
    done = simulate(windows, messages, connections=connections)[-1].finish
    each, recipients_each = sum(durations) / len(messages), sum(recipients) / len(messages)
    forecast = Pace(windows).forecast(len(messages), NOON, each, recipients_each, connections)
    assert (forecast - NOON).total_seconds() == pytest.approx(done, rel=0.05)


def test_the_forecast_knows_that_a_relay_wants_each_cc_by_itself() -> None:
    """Ten thousand messages to two recipients are twenty thousand to it."""
    messages = [(0.5, 2)] * 10_000
    pace = Pace([Window(30, 60)])
    pace.expect(2, 2)
    forecast = pace.forecast(len(messages), NOON, 0.5, 2.0)
    done = simulate([Window(30, 60)], messages, together=1)[-1].finish
    assert (forecast - NOON).total_seconds() == pytest.approx(done, rel=0.05)


def test_the_forecast_knows_what_was_sent_before() -> None:
    """With the hour's fifty used up half an hour ago, the next message is done in half an hour, not at once."""
    pace = Pace([Window(50, 3600)], [(NOON - timedelta(minutes=30), 1)] * 50)
    assert pace.forecast(1, NOON) == pace.opens_at(NOON)
    assert timedelta(minutes=30) <= pace.forecast(1, NOON) - NOON <= timedelta(minutes=30, seconds=5)


def test_a_forecast_changes_nothing() -> None:
    """Asking when it will be done takes no message's place."""
    pace = Pace([Window(2, 60)])
    pace.forecast(10, NOON)
    pace.start()
    assert pace.opens_at(NOON) == NOON


def test_a_full_window_opens_when_its_oldest_message_leaves_it() -> None:
    """Two a minute: the third may start a minute after the first was finished, and a trifle."""
    pace = Pace([Window(2, 60)])
    for second in (0, 10):
        pace.start()
        pace.finish(at(second))
    opens = pace.opens_at(at(20))
    assert opens is not None
    assert at(60) < opens < at(60.1)
    assert pace.opens_at(opens) == opens


def test_messages_in_flight_hold_their_places() -> None:
    """While what is in flight fills the window nobody can tell when it opens: not before something has finished."""
    pace = Pace([Window(2, 60)])
    pace.start()
    pace.start()
    assert pace.opens_at(NOON) is None
    pace.finish(NOON)
    assert pace.opens_at(NOON) == NOON + pace.reach


def test_what_never_reached_the_relay_frees_its_place_at_once() -> None:
    """A message given back before it was begun does not count."""
    pace = Pace([Window(1, 60)])
    pace.start()
    pace.finish(NOON, counted=0)
    assert pace.opens_at(NOON) == NOON


def test_recipients_count_where_the_provider_counts_them() -> None:
    """A message with two Cc takes three places of a limit in recipients, and one of a limit in messages."""
    pace = Pace([Window(4, 60), Window(6, 60, of_recipients=True)])
    pace.start(3)
    pace.finish(NOON, 3)
    assert pace.opens_at(NOON, 3) == NOON
    assert pace.opens_at(NOON, 4) == NOON + pace.reach


def test_a_message_that_is_taken_apart_has_places_for_all_its_transactions() -> None:
    """It begins when a limit in messages has room for each of them; what it did not take in the end is free at once."""
    pace = Pace([Window(3, 60), Window(9, 60, of_recipients=True)])
    assert pace.transactions(3) == 1
    pace.expect(3, 2)
    assert [pace.transactions(recipients) for recipients in (1, 2, 3, 4)] == [1, 1, 2, 3]
    pace.start()
    assert pace.opens_at(NOON, 4, 3) is None
    pace.start(3, 2)
    pace.finish(NOON, 3, 2, counted=1)
    assert pace.opens_at(NOON) == NOON
    assert pace.opens_at(NOON, 3, 2) == NOON + pace.reach


def test_where_no_messages_are_counted_any_number_of_transactions_may_go_at_once() -> None:
    """A limit in recipients holds the same places whether a relay takes Cc together or not: nothing is tried twice."""
    assert Pace([Window(9, 60, of_recipients=True)]).transactions(3) == Pace(()).transactions(3) == 3


def test_a_message_larger_than_a_limit_goes_alone() -> None:
    """More recipients than a window allows is no reason to wait for ever: it goes when the window is empty."""
    pace = Pace([Window(2, 60, of_recipients=True)])
    assert pace.opens_at(NOON, 5) == NOON
    pace.start(1)
    assert pace.opens_at(NOON, 5) is None
    pace.finish(NOON, 1)
    assert pace.opens_at(NOON, 5) == NOON + pace.reach


def test_a_new_pace_goes_on_from_what_was_sent() -> None:
    """A restart gives no fresh allowance, nor do windows that were used before carry anything over by themselves."""
    windows = [Window(3, 60)]
    first = Pace(windows)
    for _ in range(3):
        first.start()
        first.finish(NOON)
    assert Pace(windows, [(NOON, 1)] * 3).opens_at(at(1)) == first.opens_at(at(1))
    assert Pace(windows).opens_at(at(1)) == at(1)


def test_after_a_clock_was_set_back_one_window_is_waited_and_no_more() -> None:
    """What seems to lie an hour ahead may have been sent just now, so it counts for a window from now, not an hour."""
    pace = Pace([Window(2, 60)], [(at(10), 1), (at(3600), 1)])
    assert pace.opens_at(at(15)) == at(10) + pace.reach
    assert pace.opens_at(at(20), 1) == at(10) + pace.reach
    pace = Pace([Window(2, 60)])
    for second in (3600, 0):
        pace.start()
        pace.finish(at(second))
    assert pace.opens_at(NOON) == NOON + pace.reach


@given(
    window=st.builds(Window, st.integers(1, 5), st.sampled_from([1, 60])),
    messages=st.lists(st.tuples(st.floats(0, 20), st.sampled_from([0, 0, 0, 0.5, 30, 3600])), max_size=40),
)
def test_a_clock_that_is_set_back_neither_exceeds_a_window_nor_stops_the_run(
    window: Window, messages: list[tuple[float, float]]
) -> None:
    """By the time that really passes every window holds, and none is waited out more than twice for one message."""
    pace, real, ahead = Pace([window]), timedelta(), timedelta()
    sent: list[Sent] = []
    for duration, set_back in messages:
        ahead -= timedelta(seconds=set_back)
        wanted = real
        while (opens := pace.opens_at(NOON + real + ahead)) != NOON + real + ahead:
            assert opens is not None
            real = opens - NOON - ahead
        assert real - wanted <= 2 * window.length
        pace.start()
        start, real = real, real + timedelta(seconds=duration)
        pace.finish(NOON + real + ahead)
        sent.append(Sent(start.total_seconds(), real.total_seconds(), 1))
    assert not sent or heaviest(window, sent) <= window.most


def test_no_limit_means_no_wait() -> None:
    """With SMTP_RATE=off everything may start now, and nothing of the past is needed."""
    pace = Pace([])
    pace.start()
    assert pace.opens_at(NOON, 500) == NOON
    assert pace.reach == timedelta()
    assert pace.forecast(100, NOON, 0.5) == at(50)


class Middle(random.Random):
    """A source without chance: always the middle of what is asked for."""

    def random(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("deferrals", "first", "minutes"),
    [
        (1, 300, 5 * 1),
        (2, 300, 5 * 3),
        (3, 300, 5 * 6),
        (4, 300, 5 * 12),
        (5, 300, 5 * 24),
        (6, 300, 5 * 48),
        (7, 300, 5 * 48),  # the last goes on
        (100, 300, 5 * 48),
        (1, 60, 1 * 1),
        (3, 60, 1 * 6),
        (6, 60, 1 * 48),
    ],
)
def test_waits_grow_by_the_table(deferrals: int, first: float, minutes: int) -> None:
    """After the n-th deferral the wait is the first wait times the n-th entry of the table."""
    assert wait_after(deferrals, first, Middle()) == timedelta(minutes=minutes)


@given(deferrals=st.integers(1, 50), first=st.floats(0.01, 86_400), seed=st.integers())
@settings(max_examples=50)
def test_waits_are_spread_by_a_tenth(deferrals: int, first: float, seed: int) -> None:
    """Chance moves a wait by a tenth at most, so that the order of the table stays."""
    wait = wait_after(deferrals, first, random.Random(seed)).total_seconds()
    middle = first * BACK_OFF[min(deferrals, len(BACK_OFF)) - 1]
    assert middle * (1 - JITTER) - 1e-6 <= wait <= middle * (1 + JITTER) + 1e-6
