"""The event: `event.toml` as staff write it, every fault told at once, and times as the clocks there show them."""

import os
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer import event
from mailer.errors import InputRefused, Problem, UsageError
from mailer.model import Address, Audience, ContactPerson, Event, Rule

NEW_YORK = ZoneInfo("America/New_York")

LINES = {
    "title": 'title = "A forum"',
    "starts": "starts = 2024-05-23T13:00:00",
    "ends": "ends = 2024-05-23T14:30:00",
    "timezone": 'timezone = "America/New_York"',
    "source": 'source = "the public directory"',
    "rsvp": "[rsvp]",
    "rsvp.url": 'url = "https://example.org/rsvp?r={reference}"',
    "rsvp.deadline": "deadline = 2024-05-17",
    "contact_person": "[contact_person]",
    "contact_person.name": 'name = "Ada Example"',
    "contact_person.email": 'email = "ada@example.org"',
    "mailings.invitation": "[mailings.invitation]",
}


def toml(*more: str, **replaced: str | None) -> str:
    """The smallest sound event with `more` lines after [mailings.invitation].

    Each `key__name=line` takes the place of that line; None takes it out.
    """
    lines = LINES | {key.replace("__", "."): line for key, line in replaced.items()}
    return "\n".join([line for line in lines.values() if line is not None] + list(more))


def load(folder: Path, text: str) -> Event:
    return load_all(folder, text)[0]


def load_all(folder: Path, text: str) -> tuple[Event, tuple[Problem, ...]]:
    """The event `forum` of the templates' folder, and its warnings."""
    (folder / "forum").mkdir(exist_ok=True)
    (folder / "forum" / "event.toml").write_text(text, "utf-8")
    return event.load(folder, "forum")


def refused(folder: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(InputRefused) as caught:
        load(folder, text)
    return caught.value.problems


# --- broken events ----------------------------------------------------------------------------------------------------

DATE = "must be a date and time like 2024-05-23T13:00"
URL = "must be a web address that begins with https://"
ATTACHMENTS = "mailings.invitation.attachments"
DAYS = 'must be a number of days like "2d"'
HOURS = 'must be clock times of one day like "09:00-18:00"'
HOSTS = "must be a list of names in square brackets, or a list of such lists"
LIST = "must be a list in square brackets"
WEEKDAY = "must be a weekday like Mon or Friday"
IGNORED = "Check its spelling; it is ignored."
NAME = "must be named in lower case like invitation or save-the-date, and not end like -7d"

BROKEN = [
    (toml(title=None), "title is missing"),
    (toml(title='title = "  "'), "title must not be empty"),
    (toml(title="title = 7"), "title must be text in quotes"),
    (toml(title='title = "A\\nBcc: x"'), "title cannot hold line breaks or control characters"),
    (
        toml(contact_person__name='name = "Ada\\u2028Bcc: x"'),
        "contact_person.name cannot hold line breaks or control characters",
    ),
    (toml(source='source = "a\\u0000"'), "source cannot hold line breaks or control characters"),
    (toml(starts=None), "starts is missing"),
    (toml(starts='starts = "in May"'), f"starts {DATE}"),
    (toml(starts="starts = 13:00:00"), f"starts {DATE}"),
    (toml(starts="starts = true"), f"starts {DATE}"),
    (toml(starts='starts = "2024-05-23T25:00"'), f"starts {DATE}"),
    (toml(starts="starts = 9999-12-31T23:00:00"), f"starts {DATE}"),
    (
        toml(starts="starts = 2024-03-10T02:30:00", rsvp__deadline="deadline = 2024-03-01"),
        "starts does not exist in America/New_York: the clocks are put forward over it",
    ),
    (toml(ends=None), "ends is missing"),
    (toml(ends="ends = 2024-05-23T13:00:00"), "ends is not after starts"),
    (toml(ends="ends = 2024-05-23T18:00:00+02:00"), "ends is not after starts"),
    (toml(timezone=None), "timezone is missing"),
    (
        toml(timezone='timezone = "Europe/Geneva"'),
        "timezone is not a zone of the IANA database, such as America/New_York; Geneva is in Europe/Zurich",
    ),
    (toml(timezone='timezone = "EDT"'), "timezone is not a zone of the IANA database, such as America/New_York"),
    (toml(timezone='timezone = "America"'), "timezone is not a zone of the IANA database, such as America/New_York"),
    (toml(timezone='timezone = "../x"'), "timezone is not a zone of the IANA database, such as America/New_York"),
    (toml(source='source = "x"\nonline = 3'), "online must be text in quotes"),
    (
        toml(source='source = "x"\nhosts = "CIVIC"'),
        f"hosts {HOSTS}",
    ),
    (toml(source='source = "x"\nhosts = ["A", ""]'), "hosts must not be empty"),
    (toml(source='source = "x"\nhosts = ["A", ["B"]]'), f"hosts {HOSTS}"),
    (toml(source='source = "x"\nlanguage = "english"'), "language must be a two-letter code like en"),
    (toml("[translations.french]", 'title = "Un forum"'), "translations.french must be a two-letter code like en"),
    (toml(source='source = "x"\ntranslations = 3'), "translations must be a table"),
    (toml("[translations.fr]", "title = 3"), "translations.fr holds title, which must be text in quotes"),
    (toml("[translations.fr]", 'links = "x"'), "translations.fr holds links, which must be a table"),
    (toml("[links]", 'note = ""'), "links.note must not be empty"),
    (toml("[links]", 'note = "javascript:alert(1)"'), f"links.note {URL}"),
    (toml("[links]", 'note = "example.org/note"'), f"links.note {URL}"),
    (toml(rsvp=None, rsvp__url=None, rsvp__deadline=None), "rsvp is missing"),
    (toml(rsvp="rsvp = 3", rsvp__url=None, rsvp__deadline=None), "rsvp must be a table"),
    (toml(rsvp__url='url = "https://example.org/"'), "rsvp.url must hold {reference}, or answers cannot be told apart"),
    (toml(rsvp__url='url = "example.org/{reference}"'), f"rsvp.url {URL}"),
    (toml(rsvp__url='url = "https://{reference}/{name}"'), "rsvp.url may hold nothing but {reference} in braces"),
    (toml(rsvp__deadline=None), "rsvp.deadline is missing"),
    (toml(rsvp__deadline='deadline = "17 May"'), f"rsvp.deadline {DATE}"),
    (toml(rsvp__deadline="deadline = 2024-05-24"), "rsvp.deadline is after the event has started"),
    (toml(rsvp__deadline="deadline = 2024-05-23"), "rsvp.deadline is after the event has started"),
    (
        toml(rsvp__deadline='deadline = 2024-05-17\nrule = "open"'),
        "rsvp.rule must be 'transferable', 'personal', 'plus_one', 'one_per_party' or 'regrets_only'",
    ),
    (toml(rsvp__deadline="deadline = 2024-05-17\ncapacity = -1"), "rsvp.capacity must be 0 or more"),
    (toml(rsvp__deadline='deadline = 2024-05-17\ncapacity = "40"'), "rsvp.capacity must be a whole number"),
    (toml(contact_person__name=None), "contact_person.name is missing"),
    (toml(contact_person__email=None), "contact_person.email is missing"),
    (toml(contact_person__email='email = ""'), "contact_person.email must not be empty"),
    (
        toml(contact_person__email='email = "ada"'),
        "contact_person.email must be an address like name@example.org: An email address must have an @-sign",
    ),
    (toml(mailings__invitation=None), "mailings is missing"),
    (toml(mailings__invitation="[mailings]"), "mailings must hold at least one"),
    (toml(mailings__invitation="[mailings]\ninvitation = 3"), "mailings.invitation must be a table"),
    (toml(mailings__invitation="[mailings.reminder]"), "mailings holds none that goes to the contacts"),
    (toml("[mailings.Second]"), f"mailings.Second {NAME}"),
    (toml("[mailings.reminder-7d]"), f"mailings.reminder-7d {NAME}"),
    (
        toml('audience = "everybody"', "[mailings.more]"),
        "mailings.invitation.audience must be 'contacts', 'unanswered', 'attending', 'declined' or 'invited'",
    ),
    (
        toml('template = "../other/invitation"'),
        "mailings.invitation.template must name a template of the event's folder, without .md",
    ),
    (toml('calendar = "yes"'), "mailings.invitation.calendar must be true or false"),
    (toml('attachments = "note.pdf"'), f"{ATTACHMENTS} {LIST}"),
    (
        toml('attachments = ["note.pdf"]'),
        f"{ATTACHMENTS}, entry 1, names a file that is neither in the event's folder nor in its attachments folder",
    ),
    (
        toml('attachments = ["../secret.pdf"]'),
        f"{ATTACHMENTS}, entry 1, names a file that leads out of the event's folder",
    ),
    (
        toml('attachments = ["/etc/passwd"]'),
        f"{ATTACHMENTS}, entry 1, names a file that leads out of the event's folder",
    ),
    (toml("[mailings.reminder]", 'before_deadline = ["soon"]'), f"mailings.reminder.before_deadline, entry 1, {DAYS}"),
    (toml("[mailings.reminder]", 'before_deadline = "7d"'), f"mailings.reminder.before_deadline {LIST}"),
    (toml("[mailings.reminder]", "gap = 2"), f"mailings.reminder.gap {DAYS}"),
    (toml("[mailings.reminder]", "maximum = -1"), "mailings.reminder.maximum must be 0 or more"),
    (toml("[mailings.reminder]", 'days = ["Mon", "Fryday"]'), f"mailings.reminder.days, entry 2, {WEEKDAY}"),
    (toml("[mailings.reminder]", 'days = ["Monty"]'), f"mailings.reminder.days, entry 1, {WEEKDAY}"),
    (toml("[mailings.reminder]", "days = []"), "mailings.reminder.days must hold at least one"),
    (toml("[mailings.reminder]", 'hours = "nine to five"'), f"mailings.reminder.hours {HOURS}"),
    (toml("[mailings.reminder]", 'hours = "18:00-09:00"'), f"mailings.reminder.hours {HOURS}"),
    (toml("[mailings.reminder]", 'hours = "09:00-24:00"'), f"mailings.reminder.hours {HOURS}"),
    ("title = A forum", "is not valid TOML: Invalid value"),
    ("[rsvp]\n[rsvp]", "is not valid TOML: Cannot declare ('rsvp',) twice"),
]


@pytest.mark.parametrize(("text", "sentence"), BROKEN, ids=[sentence for _, sentence in BROKEN])
def test_a_broken_event_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """One fault gives one problem, which names the key as staff write it and says what it must be."""
    (tmp_path / "secret.pdf").write_text("not for you")
    (problem,) = refused(tmp_path, text)
    assert problem.problem == sentence
    assert problem.file == str(tmp_path / "forum" / "event.toml")
    assert problem.is_error


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Missing keys, wrong values, contradictions, files that are not there and oddities are told in one pass."""
    text = """
starts = 2024-05-23T13:00:00
ends = 2024-05-23T12:00:00
timezone = "New York"
colour = "blue"

[rsvp]
url = "https://example.org/"
deadline = 2024-06-17

[mailings.reminder]
attachments = ["note.pdf"]
days = ["Fryday"]
"""
    assert {(problem.column, problem.severity) for problem in refused(tmp_path, text)} == {
        ("title", "error"),
        ("ends", "error"),
        ("timezone", "error"),
        ("colour", "warning"),
        ("source", "warning"),
        ("rsvp.url", "error"),
        ("rsvp.deadline", "error"),
        ("contact_person", "error"),
        ("mailings", "error"),
        ("mailings.reminder.attachments", "error"),
        ("mailings.reminder.days", "error"),
    }


def test_a_problem_shows_what_stands_there(tmp_path: Path) -> None:
    """The value is shown beside the key, dates too."""
    (problem,) = refused(tmp_path, toml(rsvp__deadline="deadline = 2024-05-24"))
    assert str(problem).endswith("event.toml: rsvp.deadline is after the event has started ('2024-05-24'). Correct it.")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (toml(starts="starts = 2024-02-30"), "event.toml, line 2: is not valid TOML: .* \\('starts = 2024-02-30'\\)"),
        (toml(starts="starts ="), "event.toml, line 2: is not valid TOML: Invalid value \\('starts ='\\)"),
        (toml('template = """open'), "event.toml: is not valid TOML: .* \\(at end of document\\)"),
        (toml("gap = " + "9" * 5000), "event.toml: is not valid TOML: Exceeds the limit"),
        (toml(f"days = {'[' * 5000}"), "event.toml: is not valid TOML: maximum recursion"),
    ],
    ids=["no such day", "no value", "never closed", "a very long number", "very deep"],
)
def test_a_line_that_is_no_toml_is_shown(tmp_path: Path, text: str, place: str) -> None:
    """The line has its number and stands there as it is written, so that it need not be counted or guessed."""
    (problem,) = refused(tmp_path, text)
    assert re.search(place, str(problem))


@pytest.mark.parametrize(
    "line", ["title = “A forum”", "hosts = [\n  “CIVIC”,\n]", "title = ‘A forum’", "title = «A forum»"]
)
def test_quotes_of_an_office_program_are_told_from_straight_ones(tmp_path: Path, line: str) -> None:
    """Whoever sees “ and ” sees double quotes, so the advice says which are meant."""
    (problem,) = refused(tmp_path, f"{line}\n")
    assert problem.fix.startswith("Write straight double quotes")


@pytest.mark.parametrize(
    ("text", "sentence", "fix"),
    [
        (
            toml(source=None),
            "source is missing",
            "Say where the addresses come from; it stands at the foot of every mail.",
        ),
        (
            toml(ends="ends = 2024-05-24"),
            "ends is a day without a time, so it is the midnight that the day begins with",
            "Add the time, as in 2024-05-23T13:00.",
        ),
        (
            toml("calender = true"),
            "mailings.invitation.calender is not a key of ours",
            "Did you mean calendar? It is ignored.",
        ),
        (toml(rsvp__deadline="deadline = 2024-05-17\nx = 1"), "rsvp.x is not a key of ours", IGNORED),
        (toml(source='source = "x"\nvenu = "Hall"'), "venu is not a key of ours", "Did you mean venue? It is ignored."),
        (toml(contact_person__name='name = "Ada"\nphone = "1"'), "contact_person.phone is not a key of ours", IGNORED),
        (
            toml("[mailings.reminder]", 'before_deadline = ["9d", "5d", "2d"]'),
            "mailings.reminder.before_deadline names 3 reminders, and nobody gets more than 2 of them",
            "Add maximum = 3 if all are meant, or maximum = 2 if that is.",
        ),
        (
            toml("[mailings.reminder]", 'before_deadline = ["2d", "1d"]'),
            "mailings.reminder.before_deadline has 1d so soon after 2d that nobody gets both: the gap is 2 days",
            'Add gap = "1d" if both are meant, or gap = "2d" if not.',
        ),
    ],
)
def test_what_is_odd_is_a_warning(tmp_path: Path, text: str, sentence: str, fix: str) -> None:
    """What nobody reads, a missing source, a reminder that nobody would get: said, and keeping nobody from sending."""
    _, (warning,) = load_all(tmp_path, text)
    assert (warning.problem, warning.fix, warning.severity) == (sentence, fix, "warning")


def test_what_is_no_day_is_not_called_one(tmp_path: Path) -> None:
    """A beginning that cannot be read is one error, without a warning that takes it for a midnight."""
    (problem,) = refused(tmp_path, toml(starts='starts = "23.05.2024"'))
    assert problem.problem == f"starts {DATE}"


def test_a_file_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    """Another encoding, or a file that has gone, is one clear problem."""
    (tmp_path / "forum").mkdir()
    with pytest.raises(InputRefused, match="cannot be read: No such file or directory"):
        event.load(tmp_path, "forum")
    (tmp_path / "forum" / "event.toml").write_bytes('title = "é"'.encode("cp1252"))
    with pytest.raises(InputRefused, match="cannot be read: it is not UTF-8 text"):
        event.load(tmp_path, "forum")


# --- sound events -----------------------------------------------------------------------------------------------------


def test_the_smallest_event(tmp_path: Path) -> None:
    """Little is needed, and the rest is as the documentation says."""
    loaded, problems = load_all(tmp_path, toml("[mailings.reminder]"))
    assert problems == ()
    assert (loaded.name, loaded.folder, loaded.title) == ("forum", tmp_path / "forum", "A forum")
    assert loaded.starts == datetime(2024, 5, 23, 17, tzinfo=UTC)
    assert loaded.starts.tzinfo is loaded.timezone
    assert loaded.rsvp.deadline == datetime(2024, 5, 17, 23, 59, 59, tzinfo=NEW_YORK)
    assert (loaded.rsvp.rule, loaded.rsvp.capacity) == (Rule.TRANSFERABLE, None)
    assert loaded.contact_person == ContactPerson("Ada Example", "", Address("ada", "example.org"))
    assert (loaded.venue, loaded.online, loaded.hosts, loaded.language) == ("", False, (), "en")
    invitation, reminder = loaded.mailings["invitation"], loaded.mailings["reminder"]
    assert (invitation.audience, invitation.is_reminder, invitation.template) == (
        Audience.CONTACTS,
        False,
        "invitation",
    )
    assert (reminder.audience, reminder.before_deadline) == (Audience.UNANSWERED, (7, 2))
    assert (reminder.gap, reminder.maximum, reminder.thread) == (2, 2, False)
    assert (reminder.days, reminder.hours) == (frozenset(range(5)), (time(9), time(18)))


@pytest.mark.parametrize("bound", ["maximum = 3", "maximum = 2"])
def test_reminders_that_are_bounded_in_so_many_words_are_none(tmp_path: Path, bound: str) -> None:
    """Whoever wrote the bound knows it."""
    table = ("[mailings.reminder]", 'before_deadline = ["3d", "2d", "1d"]', 'gap = "2d"', bound)
    assert load_all(tmp_path, toml(*table))[1] == ()


def test_attachments_of_one_name_are_noticed(tmp_path: Path) -> None:
    """Two files that nobody can tell apart are a warning, and so is an `invite.ics` beside the calendar's."""
    for name in ("attachments/brief.pdf", "b/brief.pdf", "invite.ics"):
        file = tmp_path / "forum" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    invitation = ('attachments = ["brief.pdf", "b/brief.pdf", "invite.ics"]', "calendar = true")
    change = ("[mailings.change]", 'audience = "invited"', 'attachments = ["invite.ics"]')
    problems = load_all(tmp_path, toml(*invitation, *change))[1]
    assert [(p.severity, p.column, p.value, p.problem) for p in problems] == [
        (
            "warning", "mailings.invitation.attachments", name,
            f"each message would carry 2 files called {name}",
        )
        for name in ("invite.ics", "brief.pdf")
    ]  # fmt: skip


def test_everything_that_an_event_may_say(tmp_path: Path) -> None:
    """Each key of the design arrives where it belongs, and what is not ours stays the templates' own."""
    (tmp_path / "forum" / "attachments").mkdir(parents=True)
    (tmp_path / "forum" / "attachments" / "note.pdf").write_bytes(b"%PDF-")
    text = toml(
        'attachments = ["note.pdf"]',
        "calendar = true",
        "[mailings.nudge]",
        'template = "reminder.md"',
        'before_deadline = ["2d", "10d", "2d"]',
        'gap = "3d"',
        "maximum = 1",
        'days = ["monday", "Sat"]',
        'hours = "8:30 – 17:45"',
        "thread = true",
        "[mailings.last-call]",
        'audience = "unanswered"',
        "before_deadline = []",
        "[links]",
        'note = "https://example.org/note.pdf"',
        "[translations.fr]",
        'title = "Un forum"',
        'hosts = ["Le bureau"]',
        "[catering]",
        "lunch = 12:45:00",
        "[[sessions]]",
        'room = "A"',
        source='source = "x"\nvenue = "Hall 1"\nonline = "Zoom"\nlanguage = "es"\nhosts = [["A", "B"], [], ["C"]]',
        rsvp__deadline='deadline = 2024-05-17T12:00:00Z\nrule = "one_per_party"\ncapacity = 40',
        contact_person__name='name = "Ada Example"\nposition = "Coordinator"',
    )
    loaded, problems = load_all(tmp_path, text)
    assert problems == ()
    assert loaded.rsvp.deadline == datetime(2024, 5, 17, 8, tzinfo=NEW_YORK)
    assert (loaded.rsvp.rule, loaded.rsvp.capacity) == (Rule.ONE_PER_PARTY, 40)
    assert (loaded.venue, loaded.online, loaded.language) == ("Hall 1", "Zoom", "es")
    assert loaded.hosts == (("A", "B"), ("C",))
    assert loaded.contact_person.position == "Coordinator"
    assert loaded.links == {"note": "https://example.org/note.pdf"}
    assert loaded.translations == {"fr": {"title": "Un forum", "hosts": (("Le bureau",),)}}
    assert loaded.tables == {"catering": {"lunch": time(12, 45)}, "sessions": [{"room": "A"}]}
    invitation, nudge, last_call = loaded.mailings.values()
    assert (invitation.attachments, invitation.calendar) == ((tmp_path / "forum/attachments/note.pdf",), True)
    assert (nudge.audience, nudge.template, nudge.before_deadline) == (Audience.UNANSWERED, "reminder", (10, 2))
    assert (nudge.gap, nudge.maximum, nudge.thread) == (3, 1, True)
    assert (nudge.days, nudge.hours) == ({0, 5}, (time(8, 30), time(17, 45)))
    assert (last_call.audience, last_call.is_reminder) == (Audience.UNANSWERED, False)


def test_a_link_out_of_the_folder_is_no_attachment(tmp_path: Path) -> None:
    """A symbolic link inside the event's folder does not lead outside it."""
    (tmp_path / "secret.pdf").write_text("not for you")
    (tmp_path / "forum").mkdir()
    (tmp_path / "forum" / "note.pdf").symlink_to(tmp_path / "secret.pdf")
    with pytest.raises(ValueError, match="leads out"):
        event.attachment(tmp_path / "forum", "note.pdf")


# --- which event ------------------------------------------------------------------------------------------------------


def with_events(folder: Path, *names: str) -> Path:
    for name in (*names, "partials"):
        (folder / name).mkdir()
    for name in names:
        (folder / name / "event.toml").touch()
    return folder


def test_events_are_the_folders_with_an_event_file(tmp_path: Path) -> None:
    """Other folders beside them are no events."""
    assert event.names(with_events(tmp_path, "forum", "briefing")) == ("briefing", "forum")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("closed", ["", "forum"])
def test_a_folder_that_is_closed_is_not_an_empty_one(tmp_path: Path, closed: str) -> None:
    """Where events cannot be looked for, that is said, and not that there are none."""
    folder = with_events(tmp_path, "forum") / closed
    folder.chmod(0)
    try:
        with pytest.raises(InputRefused, match=f"{folder}: cannot be read: Permission denied"):
            event.choose(tmp_path, "forum")
    finally:
        folder.chmod(0o755)


def test_the_only_event_need_not_be_named(tmp_path: Path) -> None:
    """Where one event exists it is meant, and may be named as well."""
    with_events(tmp_path, "forum")
    assert event.choose(tmp_path, None) == event.choose(tmp_path, "forum") == "forum"


@pytest.mark.parametrize(
    ("names", "name", "sentence"),
    [
        ((), None, "There is no event: no folder in .* holds an event.toml"),
        ((), "forum", "There is no event: no folder in .* holds an event.toml"),
        (("forum", "briefing"), None, "There are several events. Name one of: briefing, forum. Write .*--event NAME"),
        (("forum",), "fourm", "There is no event 'fourm'. Name one of: forum. Write"),
    ],
)
def test_an_unknown_event_lists_the_known_ones(
    tmp_path: Path, names: tuple[str, ...], name: str | None, sentence: str
) -> None:
    """Whoever names no event, or one that is not there, is told what there is."""
    with pytest.raises(UsageError, match=sentence):
        event.choose(with_events(tmp_path, *names), name)


def test_the_event_in_another_language(tmp_path: Path) -> None:
    """A translation lies over what is said in words, entry by entry; times, rules and all else stay."""
    loaded = load(
        tmp_path,
        toml(
            "[links]", 'note = "https://example.org/note"', 'map = "https://example.org/map"',
            "[wording]", 'occasion = "Week"', 'thanks = "Thanks"',
            "[translations.fr]", 'title = "Un forum"', 'venue = "Salle 1"', 'hosts = ["le bureau"]',
            "[translations.fr.links]", 'note = "https://example.org/fr"',
            "[translations.fr.contact_person]", 'name = "Mme Ada Example"', 'email = "ada.fr@example.org"',
            "[translations.fr.wording]", 'occasion = "Semaine"',
        ),
    )  # fmt: skip
    french = loaded.in_language("fr")
    assert (french.title, french.venue, french.hosts) == ("Un forum", "Salle 1", (("le bureau",),))
    assert french.links == {"note": "https://example.org/fr", "map": "https://example.org/map"}
    assert (french.contact_person.name, french.contact_person.email) == ("Mme Ada Example", "ada.fr@example.org")
    assert french.tables["wording"] == {"occasion": "Semaine", "thanks": "Thanks"}
    assert (french.starts, french.rsvp, french.mailings) == (loaded.starts, loaded.rsvp, loaded.mailings)
    assert loaded.in_language("es") is loaded


# --- moments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "end_of_day", "expected"),
    [
        ("2024-05-17", False, "2024-05-17T00:00:00-04:00"),
        ("2024-05-17", True, "2024-05-17T23:59:59-04:00"),
        (date(2024, 5, 17), True, "2024-05-17T23:59:59-04:00"),
        ("2024-05-17T12:00", True, "2024-05-17T12:00:00-04:00"),
        (datetime(2024, 1, 17, 12), False, "2024-01-17T12:00:00-05:00"),  # noqa: DTZ001  # as TOML gives it
        ("2024-05-17T12:00Z", False, "2024-05-17T08:00:00-04:00"),
        ("2024-05-17T12:00+02:00", False, "2024-05-17T06:00:00-04:00"),
        ("2024-11-03T01:30", False, "2024-11-03T01:30:00-04:00"),  # comes twice: the first
    ],
)
def test_moments(value: object, end_of_day: bool, expected: str) -> None:
    """A time without a zone is the event's; a bare date is its start, or its end for a deadline."""
    assert event.moment(value, NEW_YORK, end_of_day=end_of_day).isoformat() == expected


@pytest.mark.parametrize("text", ["2024-05-17", "20240517", "2024-W20-5"])
def test_a_day_ends_with_its_last_second_however_it_is_written(text: str) -> None:
    """Each way in which ISO 8601 writes a day is one."""
    assert event.moment(text, ZoneInfo("UTC"), end_of_day=True) == datetime(2024, 5, 17, 23, 59, 59, tzinfo=UTC)


def test_a_day_without_midnight_starts_with_the_change() -> None:
    """Where the clocks are put forward at midnight, a bare date still is a moment."""
    assert event.moment("2024-03-31", ZoneInfo("Asia/Beirut")).isoformat() == "2024-03-31T01:00:00+03:00"


ZONES = st.sampled_from(["America/New_York", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe", "UTC"]).map(
    ZoneInfo
)


@given(st.dates(date(2000, 1, 1), date(2035, 1, 1)), ZONES)
@example(date(2024, 4, 6), ZoneInfo("America/Santiago"))  # whose last hour comes twice
@example(date(2024, 9, 7), ZoneInfo("America/Santiago"))  # whose next day has no midnight
def test_a_day_ends_a_second_before_the_next_one_starts(day: date, zone: ZoneInfo) -> None:
    """A bare date as a deadline leaves out no moment of that day, however long it is."""
    end, start = event.moment(day, zone, end_of_day=True), event.moment(day + timedelta(days=1), zone)
    assert start.astimezone(UTC) - end.astimezone(UTC) == timedelta(seconds=1)


@given(st.datetimes(), ZONES)
def test_every_moment_exists(wall: datetime, zone: ZoneInfo) -> None:
    """A time is either one that the clocks there show, or refused with a reason."""
    try:
        moment = event.moment(wall, zone)
    except ValueError as exc:
        assert str(exc).startswith(("does not exist in", "must be a date"))
    else:
        assert moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2024-05-10T00:00", 7),
        ("2024-05-16T23:59", 1),
        ("2024-05-17T00:00", 0),
        ("2024-05-17T23:59", 0),
        ("2024-05-18T00:00", -1),
        ("2024-05-17T03:00Z", 1),
    ],
)
def test_days_left_are_counted_by_the_calendar_of_the_place(tmp_path: Path, now: str, days: int) -> None:
    """Any moment of the day before the deadline's day is one day before it."""
    assert load(tmp_path, toml()).days_left(event.moment(now, NEW_YORK)) == days
