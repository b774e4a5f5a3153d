"""The event as a calendar file that anyone may keep or pass on (iCalendar, RFC 5545 and RFC 5546)."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailer.model import Event

_A_DAY = timedelta(days=1)


def calendar_file(event: Event, *, uid: str, sequence: int, now: datetime) -> bytes:
    """The event for everybody's calendar: published, or withdrawn if it is cancelled.

    It has an organiser and no attendees, so that it can be forwarded and nobody's calendar answers it. Its `uid` is the
    same for every recipient; `sequence` grows by one with each change of time or place (RFC 5546 section 2.1.4). `now`
    is the aware moment of its making. Nothing in it is personal to a recipient.
    """
    from icalendar import Calendar, vCalAddress
    from icalendar import Event as Entry

    organiser = vCalAddress(f"mailto:{event.contact_person.address.ascii}")
    organiser.params["CN"] = event.contact_person.name
    entry = Entry()
    entry.add("uid", uid)
    entry.add("sequence", sequence)
    entry.add("dtstamp", now)
    entry.add("dtstart", event.starts)
    entry.add("dtend", event.ends)
    entry.add("summary", event.title)
    if location := _location(event):
        entry.add("location", location)
    entry.add("description", _description(event))
    entry.add("organizer", organiser)
    entry.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//invitation-mailer//EN")
    calendar.add("method", "CANCEL" if event.cancelled else "PUBLISH")
    calendar.add_component(entry)
    # Of a zone, Outlook understands days that are the same every year, and not those of single years (MS-STANOICAL
    # section 2.2.47). Nothing but the offset of these very days leaves it nothing to misread.
    calendar.add_missing_timezones(first_date=event.starts.date() - _A_DAY, last_date=event.ends.date() + 2 * _A_DAY)
    # The library writes the hour that the new time begins with; RFC 5545 section 3.6.5 wants the old time's.
    for zone in calendar.timezones:
        for part in zone.standard + zone.daylight:
            part.DTSTART -= max(part.TZOFFSETTO - part.TZOFFSETFROM, timedelta())
    content: bytes = calendar.to_ical()
    return content


def _location(event: Event) -> str:
    online = event.online if isinstance(event.online, str) else "online" if event.online else ""
    return "; ".join(part for part in (event.venue, online) if part)


def _description(event: Event) -> str:
    """Whom to ask, and the links that are the same for everybody."""
    person = event.contact_person
    lines = [", ".join(part for part in (person.name, person.position, person.email) if part)]
    return "\n".join([*lines, *(link for link in event.links.values() if "{" not in link)])
