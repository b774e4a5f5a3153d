"""The calendar file is one that anyone can add, pass on and have withdrawn, and it is at the right time everywhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Component

from mailer.message import Composer, calendar_file
from mailer.model import Address, ContactPerson, Event, Rsvp

NOW = datetime(2024, 4, 22, 13, 5, 9, tzinfo=UTC)
UID = "poc-week-2024-05-21@npx.example.org"


@pytest.fixture(scope="module")
def event() -> Event:
    zone = ZoneInfo("America/New_York")
    return Event(
        name="poc-week",
        folder=Path("templates/poc-week"),
        title="Protection, led by communities; a side event",
        starts=datetime(2024, 5, 23, 13, tzinfo=zone),
        ends=datetime(2024, 5, 23, 14, 30, tzinfo=zone),
        timezone=zone,
        source="the list of missions",
        rsvp=Rsvp("https://rsvp.example.org/?ref={reference}", datetime(2024, 5, 17, 23, 59, 59, tzinfo=zone)),
        contact_person=ContactPerson("Amina Okoro", "UN Representative", Address.parse("amina@npx.example.org")),
        mailings={},
        venue="Mission of the Kingdom of the Netherlands, New York",
        online="Zoom",
        links={"concept_note": "https://example.org/note", "own_page": "https://example.org/{reference}"},
    )


def calendar_of(event: Event, **given: object) -> tuple[Component, Component]:
    values = {"uid": UID, "sequence": 0, "now": NOW}
    calendar = Calendar.from_ical(calendar_file(event, **(values | given)))
    (entry,) = calendar.walk("VEVENT")
    return calendar, entry


def test_the_event_is_published_to_everybody_alike(event) -> None:
    """It has method PUBLISH, an organiser and no attendees, one UID and nothing that is a recipient's own."""
    calendar, entry = calendar_of(event)
    assert calendar["METHOD"] == "PUBLISH"
    assert (entry["UID"], entry["SEQUENCE"], entry["STATUS"]) == (UID, 0, "CONFIRMED")
    assert entry["ORGANIZER"] == "mailto:amina@npx.example.org"
    assert entry["ORGANIZER"].params["CN"] == "Amina Okoro"
    assert "ATTENDEE" not in entry
    assert entry["SUMMARY"] == event.title
    assert entry["LOCATION"] == "Mission of the Kingdom of the Netherlands, New York; Zoom"
    assert entry["DESCRIPTION"] == ("Amina Okoro, UN Representative, amina@npx.example.org\nhttps://example.org/note")
    assert entry["DTSTAMP"].dt == NOW
    assert b"reference" not in calendar_file(event, uid=UID, sequence=0, now=NOW)


def test_a_change_and_a_withdrawal_keep_the_uid(event) -> None:
    """A later version has the same UID and a higher sequence; a withdrawal says CANCEL in both places."""
    _, entry = calendar_of(replace(event, starts=event.starts + timedelta(hours=-1)), sequence=1)
    assert (entry["UID"], entry["SEQUENCE"]) == (UID, 1)
    calendar, entry = calendar_of(replace(event, cancelled=True), sequence=2)
    assert (calendar["METHOD"], entry["STATUS"], entry["UID"]) == ("CANCEL", "CANCELLED", UID)


# No RRULE, which would go on for ever, and no RDATE, which Outlook passes over.
_FIXED = ["DTSTART", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO"]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "UTC", "Asia/Manila", "Europe/Zurich", "Africa/Casablanca", "America/Santiago"]
)
@pytest.mark.parametrize("month", [1, 5, 12])
def test_the_time_is_right_by_the_zone_that_the_file_itself_describes(event, zone, month) -> None:
    """A calendar that knows only the VTIMEZONE inside the file finds the same moment, and no change of the clocks."""
    tz = ZoneInfo(zone)
    starts, ends = (moment.replace(month=month, tzinfo=tz) for moment in (event.starts, event.ends))
    calendar, entry = calendar_of(replace(event, starts=starts, ends=ends, timezone=tz))
    assert (entry["DTSTART"].dt, entry["DTEND"].dt) == (starts, ends)
    described = calendar.walk("VTIMEZONE")
    assert len(described) == (zone != "UTC")
    for description in described:
        assert [sorted(one) for one in description.subcomponents] == [_FIXED]
        assert starts.replace(tzinfo=description.to_tz(lookup_tzid=False)).utcoffset() == starts.utcoffset()
    assert len(calendar.to_ical()) < 2_000


def test_an_event_over_a_night_on_which_the_clocks_change_keeps_both_ends(event) -> None:
    """Ten in the evening to half past four is five and a half hours on the night that has one hour less."""
    tz = ZoneInfo("Europe/Zurich")
    starts, ends = datetime(2027, 3, 27, 22, tzinfo=tz), datetime(2027, 3, 28, 4, 30, tzinfo=tz)
    calendar, entry = calendar_of(replace(event, starts=starts, ends=ends, timezone=tz))
    (description,) = calendar.walk("VTIMEZONE")
    own = description.to_tz(lookup_tzid=False)
    from_, to = (entry[name].dt.replace(tzinfo=own) for name in ("DTSTART", "DTEND"))
    assert to.astimezone(UTC) - from_.astimezone(UTC) == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(("month", "day"), [(3, 28), (10, 31)])
def test_the_change_of_the_clocks_stands_on_the_clock_that_ends(event, month, day) -> None:
    """RFC 5545 section 3.6.5: its moment is DTSTART by TZOFFSETFROM."""
    tz = ZoneInfo("Europe/Zurich")
    starts = datetime(2027, month, day, 9, tzinfo=tz)
    calendar, _ = calendar_of(replace(event, starts=starts, ends=starts + timedelta(hours=1), timezone=tz))
    (description,) = calendar.walk("VTIMEZONE")
    before, change = sorted(description.subcomponents, key=lambda one: one.DTSTART)
    assert before.TZOFFSETTO == change.TZOFFSETFROM
    assert (change.DTSTART - change.TZOFFSETFROM).replace(tzinfo=UTC) == datetime(2027, month, day, 1, tzinfo=UTC)


@pytest.mark.parametrize(("cancelled", "method"), [(False, "PUBLISH"), (True, "CANCEL")])
def test_it_travels_as_an_attachment_with_its_method(event, sender, compose, cancelled, method) -> None:
    """`invite.ics` is an attachment and no alternative of the text, its type's method that of the file."""
    octets = calendar_file(replace(event, cancelled=cancelled), uid=UID, sequence=1, now=NOW)
    message = compose(Composer(sender, calendar=octets))[2]
    (part,) = message.iter_attachments()
    assert dict(part["Content-Type"].params) == {"method": method, "charset": "utf-8"}
    assert (part.get_content_type(), part.get_filename()) == ("text/calendar", "invite.ics")
    assert part.get_payload(decode=True) == octets
    assert all(line.endswith(b"\r\n") for line in octets.splitlines(keepends=True))
    assert [p.get_content_type() for p in message.iter_parts()] == ["multipart/alternative", "text/calendar"]


def test_a_file_that_is_no_calendar_is_not_sent_as_one(sender) -> None:
    """Without a METHOD a mail client would not know what to do with it."""
    with pytest.raises(ValueError, match="METHOD"):
        Composer(sender, calendar=b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")


def test_the_entry_is_in_the_language_that_is_asked_for(event: Event) -> None:
    """Title and place are told as in the letters of a language, under the same UID and at the same time."""
    told = replace(event, translations={"fr": {"title": "La protection", "venue": "Mission des Pays-Bas"}})
    _, french = calendar_of(told.in_language("fr"))
    _, english = calendar_of(told)
    assert (french["SUMMARY"], french["LOCATION"]) == ("La protection", "Mission des Pays-Bas; Zoom")
    assert [french[name] for name in ("UID", "DTSTART")] == [english[name] for name in ("UID", "DTSTART")]
