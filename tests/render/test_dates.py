"""Dates in the house style of each language, on the clock of the event's zone."""

# ruff: noqa: DTZ001 - times without a zone are read on the clock of the event, as in event.toml

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.render.dates import date_filters
from mailer.render.faults import Unfit

NEW_YORK = ZoneInfo("America/New_York")


def period(language: str, zone: str, starts: datetime, ends: datetime) -> str:
    there = ZoneInfo(zone)
    span: Mapping[str, datetime] = {"starts": starts.replace(tzinfo=there), "ends": ends.replace(tzinfo=there)}
    return date_filters(language, there)["period"](dict(span))


DAY = datetime(2024, 5, 23, 13), datetime(2024, 5, 23, 14, 30)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Thursday, 23 May 2024 at 1.00pm – 2.30pm EDT"),
        ("fr", "jeudi 23 mai 2024, de 13\u00a0h\u00a000 à 14\u00a0h\u00a030 (heure de New York)"),
        ("es", "jueves 23 de mayo de 2024, de 13.00 a 14.30 horas (hora de Nueva York)"),
        ("ar", "الخميس، 23 أيار/مايو 2024، من الساعة 13:00 إلى الساعة 14:30 (بتوقيت نيويورك)"),
        ("de", "Donnerstag, 23. Mai 2024, 13:00 – 14:30 (New York)"),
    ],
)
def test_a_period_is_one_line_in_the_style_of_the_language(language: str, told: str) -> None:
    """The event's period reads as the house, or the United Nations in that language, would write it."""
    assert period(language, "America/New_York", *DAY) == told


@pytest.mark.parametrize(
    ("zone", "english", "french"),
    [
        ("Europe/Zurich", "CEST", "(heure d’Europe centrale)"),
        ("Europe/London", "BST", "(heure de Londres)"),
        ("Africa/Algiers", "CET", "(heure d’Alger)"),
        ("Asia/Manila", "Manila time (UTC+8)", "(heure de Manille, UTC+8)"),
        ("Asia/Dubai", "Dubai time (UTC+4)", "(heure de Dubaï, UTC+4)"),
        ("Asia/Kolkata", "Kolkata time (UTC+5:30)", "(heure de Kolkata, UTC+5:30)"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time (UTC−3)", "(heure de Buenos Aires, UTC−3)"),
        ("Africa/Cairo", "EEST", "(heure du Caire)"),
        ("Africa/Addis_Ababa", "EAT", "(heure d’Addis-Abeba)"),
        ("UTC", "UTC", "(UTC)"),
        ("Etc/GMT+5", "UTC−5", "(UTC−5)"),
    ],
)
def test_the_zone_is_told_so_that_nobody_misreads_it(zone: str, english: str, french: str) -> None:
    """An abbreviation that has no letters or misleads gives way to city and offset."""
    assert period("en", zone, *DAY).endswith(english)
    assert period("fr", zone, *DAY).endswith(french)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("es", "(hora de Europa central)"),
        ("ar", "(بتوقيت وسط أوروبا)"),
        ("de", "(Mitteleuropäische Zeit)"),
        ("zh", "(中欧时间)"),
    ],
)
def test_geneva_is_not_on_the_time_of_zurich(language: str, told: str) -> None:
    """Where the zone database knows one city for many, the zone is told by its own name, in winter as in summer."""
    november = datetime(2024, 11, 14, 9), datetime(2024, 11, 14, 10)
    assert [period(language, "Europe/Zurich", *when)[-len(told) :] for when in (DAY, november)] == [told, told]


def test_an_arabic_line_has_arabic_commas() -> None:
    """Between city and offset too."""
    assert period("ar", "Asia/Dubai", *DAY).endswith("(بتوقيت دبي، UTC+4)")


def test_winter_and_summer_have_their_own_abbreviation() -> None:
    """New York is on EST in November and on EDT in May."""
    november = datetime(2024, 11, 14, 9), datetime(2024, 11, 14, 10)
    assert period("en", "America/New_York", *november) == "Thursday, 14 November 2024 at 9.00am – 10.00am EST"


def test_a_period_over_a_change_of_the_clocks_names_both_zones() -> None:
    """On the night in which the clocks go back, one o'clock comes twice and is told apart."""
    twice = datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK)
    filters = date_filters("en", NEW_YORK)
    assert filters["datetime"](twice) == "Sunday, 3 November 2024 at 1.30am EDT"
    assert filters["datetime"](twice.replace(fold=1)) == "Sunday, 3 November 2024 at 1.30am EST"
    assert period("en", "America/New_York", datetime(2024, 11, 3, 0, 30), datetime(2024, 11, 3, 3)) == (
        "Sunday, 3 November 2024 at 12.30am EDT – Sunday, 3 November 2024 at 3.00am EST"
    )


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Thursday, 23 May 2024 at 1.00pm – Friday, 24 May 2024 at 12 noon EDT"),
        ("fr", "du jeudi 23 mai 2024 à 13\u00a0h\u00a000 au vendredi 24 mai 2024 à 12\u00a0h\u00a000"
               " (heure de New York)"),
        ("es", "del jueves 23 de mayo de 2024 a las 13.00 horas al viernes 24 de mayo de 2024 a las 12.00 horas"
               " (hora de Nueva York)"),
        ("ar", "من الخميس، 23 أيار/مايو 2024، الساعة 13:00 إلى الجمعة، 24 أيار/مايو 2024، الساعة 12:00"
               " (بتوقيت نيويورك)"),
    ],
)  # fmt: skip
def test_a_period_of_several_days_names_both(language: str, told: str) -> None:
    """First and last day each have their date, the zone stands once."""
    assert period(language, "America/New_York", datetime(2024, 5, 23, 13), datetime(2024, 5, 24, 12)) == told


def test_moments_are_told_on_the_clock_of_the_event() -> None:
    """A time in another zone is converted; one without a zone is the event's already."""
    filters = date_filters("en", NEW_YORK)
    assert filters["datetime"](datetime(2024, 5, 18, 3, 59, tzinfo=UTC)) == "Friday, 17 May 2024 at 11.59pm EDT"
    assert filters["date"](datetime(2024, 5, 18, 3, 59, tzinfo=UTC)) == "Friday, 17 May 2024"
    assert filters["datetime"](datetime(2024, 5, 17, 9, 5)) == "Friday, 17 May 2024 at 9.05am EDT"
    assert filters["time"](time(12, 45)) == "12.45pm"
    assert filters["time"](time(0)) == "12 midnight"


def test_first_of_the_month_and_one_o_clock_are_idiomatic() -> None:
    """French says 1er, Spanish "a la 1.00"."""
    first = datetime(2024, 5, 1, 1, tzinfo=NEW_YORK)
    assert date_filters("fr", NEW_YORK)["date"](first) == "mercredi 1er mai 2024"
    assert "a la 1.00 horas" in date_filters("es", NEW_YORK)["datetime"](first)
    assert date_filters("fr", NEW_YORK)["date"](date(2024, 5, 11)) == "samedi 11 mai 2024"


@pytest.mark.parametrize("name", ["date", "time", "datetime", "period"])
def test_what_is_no_date_is_refused_with_advice(name: str) -> None:
    """A date in quotation marks is a text, and the message says how to write it."""
    with pytest.raises(Unfit) as refused:
        date_filters("en", NEW_YORK)[name]("23 May")
    assert refused.value.fix


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),
    language=st.sampled_from(["en", "fr", "es", "ar"]),
)
def test_the_cache_never_mixes_up_two_moments(moment: datetime, language: str) -> None:
    """A filter that was used before tells what a fresh one tells, in the hour that comes twice too."""
    used = date_filters(language, NEW_YORK)["datetime"]
    for hours in range(3):
        used(moment + timedelta(hours=hours))
    assert used(moment + timedelta(hours=1)) == date_filters(language, NEW_YORK)["datetime"](
        moment + timedelta(hours=1)
    )
