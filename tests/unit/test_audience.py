"""Who gets a mailing now, and why not everyone else; when a reminder is due, over dates, zones and clock changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.audience import (
    Record,
    Rules,
    is_held,
    main_mailing,
    next_offset_start,
    offset_due,
    opening,
    wave_name,
    why_no_longer,
)
from mailer.model import (
    Address,
    Audience,
    Contact,
    ContactPerson,
    Event,
    Mailing,
    Party,
    PartyKind,
    Place,
    Rsvp,
    Rule,
    Standing,
    State,
)

NEW_YORK = ZoneInfo("America/New_York")
NO_RECORD = Record()

INVITATION = Mailing("invitation", "invitation", Audience.CONTACTS)
REMINDER = Mailing("reminder", "reminder", Audience.UNANSWERED, before_deadline=(7, 2))
LAST_CALL = Mailing("last-call", "last-call", Audience.UNANSWERED)
UPDATE = Mailing("update", "update", Audience.INVITED)
PRACTICAL = Mailing("practical", "practical", Audience.ATTENDING)
AS_UPDATE = Mailing("update-delegates", "update", Audience.ATTENDING)
THANKS = Mailing("thanks", "thanks", Audience.DECLINED)

CONTACT = Contact(
    Place("missions.xlsx", "Contacts", 2), Party("Mission of Atlantis", PartyKind.MISSION), Address("a", "example.org")
)


def event_with(deadline: datetime, zone: ZoneInfo = NEW_YORK, rule: Rule = Rule.TRANSFERABLE) -> Event:
    mailings = (INVITATION, REMINDER, LAST_CALL, UPDATE, PRACTICAL, AS_UPDATE, THANKS)
    return Event(
        name="forum",
        folder=Path("templates/forum"),
        title="A forum",
        starts=deadline + timedelta(days=6),
        ends=deadline + timedelta(days=6, hours=2),
        timezone=zone,
        source="",
        rsvp=Rsvp("https://example.org/?r={reference}", deadline, rule),
        contact_person=ContactPerson("Ada Example", "", Address("ada", "example.org")),
        mailings={mailing.name: mailing for mailing in mailings},
    )


# Friday; reminders fall due on Friday the 10th and on Wednesday the 15th.
EVENT = event_with(datetime(2024, 5, 17, 23, 59, 59, tzinfo=NEW_YORK))


def local(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2024, 5, day, hour, minute, tzinfo=NEW_YORK)


def invited(**states: State) -> Record:
    """The record of somebody whom the invitation reached on the first of May; `reminder_7d` stands for the wave."""
    waves = {name.replace("_", "-"): state for name, state in states.items()}
    return Record({"invitation": State.SENT} | waves, last_sent=local(1))


# --- the reasons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mailing", "record", "now", "reason"),
    [
        # the invitation
        (INVITATION, NO_RECORD, local(1), None),
        (INVITATION, Record({"invitation": State.QUEUED}), local(1), None),
        (INVITATION, Record({"invitation": State.SENT}), local(1), "already sent"),
        (INVITATION, Record({"invitation": State.BOUNCED}), local(1), "bounced"),
        (INVITATION, Record({"invitation": State.FAILED}), local(1), "refused by the relay before"),
        (INVITATION, Record({"invitation": State.IN_DOUBT}), local(1), "in doubt"),
        (INVITATION, Record({"invitation": State.CLAIMED}), local(1), "being sent at this moment"),
        (INVITATION, Record({"invitation": State.SUPPRESSED}), local(1), "suppressed"),
        (INVITATION, Record({"invitation": State.CANCELLED}), local(1), "cancelled"),
        (INVITATION, Record({"invitation": State.DEFERRED}), local(1), None),
        (INVITATION, Record({"invitation": State.DEFERRED}, local(1, 9)), local(1), None),
        (
            INVITATION,
            Record({"invitation": State.DEFERRED}, local(1, 11, 5).astimezone(UTC) - timedelta(seconds=59)),
            local(1),
            "deferred, to be tried again from 01 May, 11:05",
        ),
        (INVITATION, Record(answer="regrets"), local(1), "has answered: regrets"),
        (INVITATION, Record(suppressed="hard bounce"), local(1), "suppressed: hard bounce"),
        (INVITATION, Record(suppressed=""), local(1), "suppressed: "),
        (INVITATION, Record(held="a colleague may have answered"), local(1), None),
        (INVITATION, NO_RECORD, local(17, 23, 59), None),
        (INVITATION, NO_RECORD, local(18, 0), "the deadline has passed"),
        # a reminder: to whom
        (REMINDER, invited(), local(10), None),
        (REMINDER, NO_RECORD, local(10), "was not invited"),
        (REMINDER, Record({"invitation": State.QUEUED}), local(10), "the invitation has not been sent yet"),
        (REMINDER, Record({"invitation": State.DEFERRED}), local(10), "the invitation has not been sent yet"),
        (REMINDER, Record({"invitation": State.BOUNCED}), local(10), "the invitation bounced"),
        (REMINDER, Record({"invitation": State.FAILED}), local(10), "the invitation was refused"),
        (
            REMINDER,
            Record({"invitation": State.IN_DOUBT}),
            local(10),
            "the invitation is in doubt",
        ),
        (
            REMINDER,
            Record({"invitation": State.CLAIMED}),
            local(10),
            "the invitation is being sent at this moment",
        ),
        (REMINDER, Record({"invitation": State.SUPPRESSED}), local(10), "the invitation was suppressed"),
        (REMINDER, Record({"invitation": State.CANCELLED}), local(10), "the invitation was cancelled"),
        (REMINDER, replace(invited(), answer="in_person"), local(10), "has answered: in person"),
        (REMINDER, replace(invited(), held="Ada may have answered"), local(10), "held: Ada may have answered"),
        (REMINDER, replace(invited(), suppressed="opted out"), local(10), "suppressed: opted out"),
        # a reminder: when
        (REMINDER, invited(), local(9), "no reminder is due before Friday, 10 May 2024"),
        (REMINDER, invited(), local(10, 0), None),
        (REMINDER, invited(reminder_7d=State.SENT), local(14), "already sent"),
        (REMINDER, invited(reminder_7d=State.SENT), local(15), None),
        (REMINDER, invited(reminder_7d=State.DEFERRED), local(10), None),
        (REMINDER, invited(reminder_7d=State.FAILED), local(10), "refused by the relay before"),
        (REMINDER, invited(reminder_7d=State.CLAIMED), local(10), "being sent at this moment"),
        (REMINDER, invited(), local(17, 23, 59), None),
        (REMINDER, invited(), local(18, 0), "the deadline has passed"),
        # a reminder: not too often
        (
            REMINDER,
            Record({"invitation": State.SENT}, last_sent=local(9, 23, 30)),
            local(10, 9),
            "was written to on 09 May, less than 2 days ago",
        ),
        (REMINDER, Record({"invitation": State.SENT}, last_sent=local(8, 23, 59)), local(10, 0), None),
        # nor for ever, where the clock of that run was far ahead
        (REMINDER, Record({"invitation": State.SENT}, last_sent=local(28)), local(10, 9), None),
        (
            REMINDER,
            invited(reminder_9d=State.SENT, reminder_7d=State.SENT),
            local(15),
            "the maximum of reminders is reached: 2",
        ),
        (
            REMINDER,
            invited(reminder_9d=State.SENT, reminder_7d=State.IN_DOUBT),
            local(15),
            "the maximum of reminders is reached: 2",
        ),
        (REMINDER, invited(reminder_9d=State.FAILED, reminder_7d=State.SENT), local(15), None),
        (REMINDER, invited(**{"reminder_late_9d": State.SENT, "reminder_7d": State.SENT}), local(15), None),
        (REMINDER, invited(reminder_7d=State.BOUNCED), local(15), "an earlier mail bounced"),
        # a mailing to the unanswered without offsets is sent once, when it is named
        (LAST_CALL, invited(), local(9), None),
        (LAST_CALL, invited(last_call=State.SENT), local(9), "already sent"),
        (LAST_CALL, replace(invited(), answer="online"), local(9), "has answered: online"),
        (LAST_CALL, invited(), local(18), "the deadline has passed"),
        # the other audiences, also after the deadline
        (UPDATE, invited(), local(20), None),
        (UPDATE, replace(invited(), answer="regrets"), local(20), None),
        (UPDATE, replace(invited(), held="Ada may have answered"), local(20), None),
        (UPDATE, NO_RECORD, local(20), "was not invited"),
        (UPDATE, Record({"invitation": State.BOUNCED}), local(20), "the invitation bounced"),
        (UPDATE, invited(update=State.SENT), local(20), "already sent"),
        (PRACTICAL, replace(invited(), answer="in_person", comes=True), local(20), None),
        (PRACTICAL, replace(invited(), comes=True), local(20), None),
        (PRACTICAL, replace(invited(), answer="waiting"), local(20), "does not attend: waiting"),
        (PRACTICAL, replace(invited(), answer="regrets"), local(20), "does not attend: regrets"),
        (PRACTICAL, replace(invited(), answer="in_person, by a colleague"), local(20), "a colleague attends"),
        (
            PRACTICAL,
            replace(invited(), answer="regrets, by a colleague"),
            local(20),
            "does not attend: regrets, by a colleague",
        ),
        (PRACTICAL, invited(), local(20), "has not answered"),
        (PRACTICAL, NO_RECORD, local(20), "was not invited"),
        (PRACTICAL, replace(invited(), held="answer 4 waits"), local(20), "answer 4 waits"),
        (PRACTICAL, replace(invited(), comes=True, told_by=("update",)), local(20), None),
        (AS_UPDATE, replace(invited(), comes=True, told_by=("update",)), local(20), "was told the same by update"),
        (AS_UPDATE, replace(invited(), comes=True), local(20), None),
        (THANKS, replace(invited(), answer="regrets"), local(20), None),
        (THANKS, replace(invited(), answer="online"), local(20), "has not declined"),
        (THANKS, invited(), local(20), "has not answered"),
    ],
)
def test_everyone_left_out_is_told_why(mailing: Mailing, record: Record, now: datetime, reason: str | None) -> None:
    """A recipient is due, or the reason stands in words that the organiser understands."""
    assert Rules(mailing, EVENT, now).why_not(CONTACT, record) == reason


@pytest.mark.parametrize("mailing", EVENT.mailings.values(), ids=EVENT.mailings)
@pytest.mark.parametrize(
    ("status", "reason"), [(Standing.DO_NOT_CONTACT, "do not contact"), (Standing.LEFT, "has left the post")]
)
def test_the_sheet_decides_first(mailing: Mailing, status: Standing, reason: str) -> None:
    """Nobody who is not to be contacted, or has left, gets any mailing, whatever else is known."""
    record = replace(invited(), answer="in_person", suppressed="opted out")
    assert Rules(mailing, EVENT, local(10)).why_not(replace(CONTACT, status=status), record) == reason


@pytest.mark.parametrize(
    ("event_rule", "own_rule", "reason"),
    [
        (Rule.REGRETS_ONLY, None, "answers only to decline"),
        (Rule.TRANSFERABLE, Rule.REGRETS_ONLY, "answers only to decline"),
        (Rule.REGRETS_ONLY, Rule.PERSONAL, None),
        (Rule.PLUS_ONE, None, None),
    ],
)
def test_silence_means_yes_under_regrets_only(event_rule: Rule, own_rule: Rule | None, reason: str | None) -> None:
    """Who answers only to decline is not reminded; the contact's own rule wins over the event's."""
    event = event_with(EVENT.rsvp.deadline, rule=event_rule)
    assert Rules(REMINDER, event, local(10)).why_not(replace(CONTACT, rule=own_rule), invited()) == reason


def test_a_missed_reminder_is_not_made_up_for() -> None:
    """Where the first offset passed without a run, the second is sent, and then none."""
    assert offset_due(REMINDER, EVENT, local(15)) == 2
    assert Rules(REMINDER, EVENT, local(15)).why_not(CONTACT, invited()) is None
    assert Rules(REMINDER, EVENT, local(15)).why_not(CONTACT, invited(reminder_2d=State.SENT)) == "already sent"


def test_a_moved_deadline_moves_what_is_to_come() -> None:
    """With ten more days the next reminder comes ten days later, and what was sent is not sent again."""
    later = event_with(EVENT.rsvp.deadline + timedelta(days=10))
    record = invited(reminder_7d=State.SENT)
    assert Rules(REMINDER, EVENT, local(15)).why_not(CONTACT, record) is None
    assert Rules(REMINDER, later, local(15)).why_not(CONTACT, record) == "no reminder is due before Monday, 20 May 2024"
    assert Rules(REMINDER, later, local(20)).why_not(CONTACT, record) == "already sent"
    assert Rules(REMINDER, later, local(25)).why_not(CONTACT, record) is None


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({}, "was not invited"),
        ({"invitation": State.FAILED}, "the invitation was refused"),
        ({"invitation": State.SENT}, None),
    ],
)
def test_a_save_the_date_asks_nobody_for_an_answer(states: dict[str, State], reason: str | None) -> None:
    """Whoever has had nothing else is not reminded of an invitation; but told of a change, as of the date."""
    event = replace(EVENT, mailings={**EVENT.mailings, "save-the-date": replace(INVITATION, name="save-the-date")})
    record = Record({"save-the-date": State.SENT, **states})
    assert Rules(REMINDER, event, local(10)).why_not(CONTACT, record) == reason
    assert Rules(UPDATE, event, local(10)).why_not(CONTACT, record) is None


def test_any_mailing_to_the_contacts_invites_where_none_is_called_invitation() -> None:
    """Which of them asks for an answer cannot be told by their names then."""
    first, second = (replace(INVITATION, name=name) for name in ("first-letter", "second-letter"))
    event = replace(EVENT, mailings={"first-letter": first, "second-letter": second, "reminder": REMINDER})
    assert Rules(REMINDER, event, local(10)).why_not(CONTACT, Record({"second-letter": State.SENT})) is None


def test_send_means_the_invitation() -> None:
    """Without a name, the mailing called invitation is meant, else the first that goes to the contacts."""
    assert main_mailing(EVENT) is INVITATION
    first = replace(INVITATION, name="save-the-date")
    other = replace(EVENT, mailings={"reminder": REMINDER, "save-the-date": first, "more": INVITATION})
    assert main_mailing(other) is first


def test_a_reminder_has_a_name_for_each_offset() -> None:
    """The ledger tells the waves of a reminder apart by their offset in days."""
    assert wave_name(INVITATION, None) == "invitation"
    assert wave_name(REMINDER, 7) == "reminder-7d"


# --- dates, zones and clock changes -----------------------------------------------------------------------------------

# Beirut and Santiago have days without a midnight, Apia a day without any hour, Lord Howe changes by half an hour.
ZONES = st.sampled_from([
    "America/New_York", "Europe/Zurich", "Asia/Beirut", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia",
    "Australia/Lord_Howe", "Pacific/Kiritimati", "UTC",
]).map(ZoneInfo)  # fmt: skip
CHANGES = [
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 11, 3, 6, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
]
MOMENTS = st.one_of(
    st.integers(0, 20 * 365 * 24 * 60).map(
        lambda minutes: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from(CHANGES),
        st.integers(-3 * 24 * 60, 3 * 24 * 60),
    ),
)
OFFSETS = st.frozensets(st.integers(0, 30), min_size=1, max_size=4).map(lambda days: tuple(sorted(days, reverse=True)))
HOURS = st.sets(st.integers(0, 24 * 60 - 1), min_size=2, max_size=2).map(
    lambda minutes: tuple(time(*divmod(minute, 60)) for minute in sorted(minutes))
)
WEEKDAYS = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def reminders(draw: st.DrawFn) -> tuple[Mailing, Event, datetime]:
    """Any reminder, any event in any zone, and a moment in the weeks around the deadline, in any zone."""
    deadline, zone = draw(MOMENTS), draw(ZONES)
    mailing = replace(
        REMINDER,
        before_deadline=draw(OFFSETS),
        gap=draw(st.integers(0, 5)),
        maximum=draw(st.integers(0, 4)),
        days=draw(WEEKDAYS),
        hours=draw(HOURS),
    )
    now = deadline + timedelta(minutes=draw(st.integers(-32 * 24 * 60, 2 * 24 * 60)))
    return mailing, event_with(deadline.astimezone(zone), zone), now.astimezone(draw(ZONES))


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of `day`, found by looking at every quarter of an hour around it."""
    moment = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=15)
    return moment


@given(reminders())
def test_an_offset_is_due_from_the_start_of_its_day(case: tuple[Mailing, Event, datetime]) -> None:
    """Nd is due from the first moment of the Nth calendar day before the deadline's day; the latest one due counts."""
    mailing, event, now = case
    last_day = event.rsvp.deadline.astimezone(event.timezone).date()
    due = [n for n in mailing.before_deadline if now >= start_of(last_day - timedelta(n), event.timezone)]
    assert offset_due(mailing, event, now) == min(due, default=None)


@given(reminders())
def test_the_next_offset_is_the_first_to_come(case: tuple[Mailing, Event, datetime]) -> None:
    """At the moment that is foretold the next offset is due, and just before it is not."""
    mailing, event, now = case
    start = next_offset_start(mailing, event, now)
    if start is None:
        assert offset_due(mailing, event, now) == min(mailing.before_deadline)
        return
    assert start.astimezone(UTC) > now.astimezone(UTC)
    just_before = start.astimezone(UTC) - timedelta(microseconds=1)
    assert offset_due(mailing, event, start) != offset_due(mailing, event, just_before)
    assert offset_due(mailing, event, just_before) == offset_due(mailing, event, now)


@given(reminders())
@example((
    replace(REMINDER, hours=(time(1), time(1, 30)), days=frozenset(range(7))),
    event_with(datetime(2024, 11, 8, 12, tzinfo=NEW_YORK)),
    datetime(2024, 11, 3, 1, 40, tzinfo=NEW_YORK),
))  # fmt: skip
@example((
    replace(REMINDER, hours=(time(2), time(3)), days=frozenset({6})),
    event_with(datetime(2024, 3, 15, 12, tzinfo=NEW_YORK)),
    datetime(2024, 3, 9, 12, tzinfo=NEW_YORK),
))  # fmt: skip
def test_a_run_opens_at_the_first_moment_that_is_allowed(case: tuple[Mailing, Event, datetime]) -> None:
    """It lies on an allowed weekday within the hours, never before now, and no allowed minute lies between."""
    mailing, event, now = case

    def allowed(moment: datetime) -> bool:
        there = moment.astimezone(event.timezone)
        return there.weekday() in mailing.days and mailing.hours[0] <= there.time() < mailing.hours[1]

    now, opens = now.astimezone(UTC), opening(mailing, event, now).astimezone(UTC)
    assert allowed(opens)
    assert opens >= now
    assert not any(allowed(now + n / 60 * (opens - now)) for n in range(60) if opens > now)
    assert opens == now or not allowed(opens - timedelta(microseconds=1))


@given(reminders(), st.data())
def test_reminders_keep_offset_gap_maximum_and_deadline(
    case: tuple[Mailing, Event, datetime], data: st.DataObject
) -> None:
    """Whatever was sent before, somebody is due exactly when each of the rules by itself allows it."""
    mailing, event, now = case
    minutes_ago = data.draw(st.integers(0, 8 * 24 * 60))
    states = data.draw(st.dictionaries(st.sampled_from(mailing.before_deadline), st.sampled_from(State)))
    waves = {wave_name(mailing, offset): state for offset, state in states.items()}
    last_sent = now.astimezone(UTC) - timedelta(minutes=minutes_ago)
    record = Record({"invitation": State.SENT} | waves, last_sent=last_sent)
    offset = offset_due(mailing, event, now)
    had = sum(state in (State.SENT, State.IN_DOUBT, State.CLAIMED) for state in states.values())
    rules = (
        now.astimezone(UTC) <= event.rsvp.deadline.astimezone(UTC),
        offset is not None and states.get(offset) in (None, State.QUEUED, State.DEFERRED),
        State.BOUNCED not in states.values(),
        had < mailing.maximum,
        abs((event.day_of(now) - event.day_of(last_sent)).days) >= mailing.gap,
    )
    assert (Rules(mailing, event, now).why_not(CONTACT, record) is None) == all(rules)


@given(reminders())
def test_run_after_run_each_offset_is_sent_once(case: tuple[Mailing, Event, datetime]) -> None:
    """A run every few hours until the deadline sends no offset twice and never more than the maximum."""
    mailing, event, now = case
    record, sent = Record({"invitation": State.SENT}), []
    now = now.astimezone(UTC)
    while now <= event.rsvp.deadline.astimezone(UTC) + timedelta(days=1):
        if Rules(mailing, event, now).why_not(CONTACT, record) is None:
            wave = wave_name(mailing, offset_due(mailing, event, now))
            sent.append(now)
            assert wave not in record.states
            record = Record(dict(record.states) | {wave: State.SENT}, last_sent=now)
        now += timedelta(hours=5)
    assert len(sent) <= min(mailing.maximum, len(mailing.before_deadline))
    days = [event.day_of(moment) for moment in sent]
    assert all((later - earlier).days >= mailing.gap for earlier, later in pairwise(days))


def test_the_hour_that_comes_twice_has_one_deadline() -> None:
    """A deadline in the first of two equal hours has passed in the second, though the clock shows less."""
    event = event_with(datetime(2024, 11, 3, 1, 30, tzinfo=NEW_YORK))
    assert Rules(LAST_CALL, event, datetime(2024, 11, 3, 1, 20, tzinfo=NEW_YORK)).why_not(CONTACT, invited()) is None
    second = datetime(2024, 11, 3, 1, 10, tzinfo=NEW_YORK, fold=1)
    assert Rules(LAST_CALL, event, second).why_not(CONTACT, invited()) == "the deadline has passed"


def test_a_reminder_waits_for_monday() -> None:
    """On a Saturday a run says that it would send on Monday at nine; within the hours it sends at once."""
    assert opening(REMINDER, EVENT, local(11)) == local(13, 9)
    assert opening(REMINDER, EVENT, local(13, 18)) == local(14, 9)
    assert opening(REMINDER, EVENT, local(13, 17, 59)) == local(13, 17, 59)


def test_a_cancelled_event_invites_nobody_and_can_say_so() -> None:
    """Invitations and reminders stop; a mailing to those invited, which tells them, still goes out."""
    cancelled = replace(EVENT, cancelled=True)
    update = Mailing("update", "update", Audience.INVITED)
    assert (
        Rules(EVENT.mailings["invitation"], cancelled, local(9)).why_not(CONTACT, Record()) == "the event is cancelled"
    )
    assert Rules(REMINDER, cancelled, local(13)).why_not(CONTACT, invited()) == "the event is cancelled"
    assert Rules(update, cancelled, local(13)).why_not(CONTACT, invited()) is None


@pytest.mark.parametrize(
    ("mailing", "record", "now", "reason"),
    [
        (INVITATION, NO_RECORD, local(9), None),
        (INVITATION, Record(answer="regrets"), local(9), "has answered: regrets"),
        (INVITATION, NO_RECORD, local(18), "the deadline has passed"),
        (REMINDER, NO_RECORD, local(15), None),
        (REMINDER, Record(answer="online"), local(15), "has answered: online"),
        (REMINDER, Record(held="Ada may have answered"), local(15), "held: Ada may have answered"),
        (UPDATE, Record(answer="regrets"), local(20), None),
        (PRACTICAL, Record(answer="regrets"), local(20), "does not attend: regrets"),
    ],
)
def test_what_comes_in_between_is_heeded(mailing: Mailing, record: Record, now: datetime, reason: str | None) -> None:
    """Who answered, is held or whose deadline passed after the run began is left out; not who was sent to."""
    assert why_no_longer(CONTACT, record, mailing, EVENT, now) == reason
    assert reason is None or is_held(reason) == bool(record.held)
