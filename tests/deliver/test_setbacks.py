"""When a relay is left alone, for how long, and what makes up for it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from mailer.deliver import setbacks as module
from mailer.deliver.setbacks import Setbacks

REOPEN_AFTER = (1.0, 5.0, 15.0)
NOW = datetime(2024, 5, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REOPEN_AFTER", REOPEN_AFTER)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_the_relay_said_before_a_doubt_does_not_make_up_for_it() -> None:
    """Replies that came before a message was lost count for nothing, however late they are looked at."""
    setbacks = Setbacks(300.0, random.Random(1))
    moment = NOW
    for _ in REOPEN_AFTER:
        setbacks.add(moment, left_doubt=True)
        for _ in range(50):
            setbacks.answered(moment - timedelta(seconds=1))
        moment = setbacks.resume_at
    assert not setbacks.are_lasting
    setbacks.add(moment, left_doubt=True)
    assert setbacks.are_lasting


def test_replies_behind_a_doubt_make_up_for_it() -> None:
    """After enough of them the next setback is a first one again, after fewer it is not."""
    for replies, wait in [(3, REOPEN_AFTER[1]), (30, REOPEN_AFTER[0])]:
        setbacks = Setbacks(300.0, random.Random(1))
        setbacks.add(NOW, left_doubt=True)
        for number in range(replies):
            setbacks.answered(after(number))
        setbacks.add(after(60), left_doubt=False)
        assert setbacks.resume_at == after(60 + wait)
