"""A list of any length: what goes in comes out, as often as it is asked for."""

from mailer.cli.roll import PAGE, Roll


def test_a_long_roll_comes_out_as_it_went_in() -> None:
    """The order stays, whether the list fits into memory or not, and also while two readers take turns."""
    for length in (0, 1, PAGE, PAGE + 1, 3 * PAGE + 7):
        roll = Roll(range(length))
        assert len(roll) == length
        assert bool(roll) == (length > 0)
        assert list(zip(roll, roll, strict=True)) == [(n, n) for n in range(length)]


def test_a_roll_can_grow_between_two_readings() -> None:
    """What is appended later is found behind the rest."""
    roll = Roll(range(PAGE + 5))
    assert sum(1 for _ in roll) == PAGE + 5
    for number in range(PAGE + 5, 2 * PAGE + 5):
        roll.append(number)
    assert list(roll) == list(range(2 * PAGE + 5))
