"""The tools whose exports are read, each one entry: by which headings it is known, and what its own columns say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from mailer.answers.moments import Order
from mailer.contacts.cells import key
from mailer.contacts.headings import SEARCHED_ROWS


@dataclass(frozen=True, slots=True)
class Format:
    """What is known of one tool's export. Headings are written as in the tool and compared by `key`.

    The export is known by a row in which all headings of one of `marks` stand, or which begins with one of `first`.
    `columns` gives for a meaning (see `questions.MEANINGS`) the tool's own headings, the most telling first; all other
    columns are questions. A row is finished where the column of each meaning in `finished` holds the word that is given
    there, or anything if that is empty. `order` is how the tool writes dates in numbers, None where settings decide.
    `choices_below` tells of a second row of headings with the choices of each question. `codes` says what cells mean
    that hold a code, `no_date` which day the tool writes where it has kept no dates.
    """

    tool: str
    marks: tuple[tuple[str, ...], ...] = ()
    first: tuple[str, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    finished: Mapping[str, str] = field(default_factory=dict)
    order: Order | None = None
    choices_below: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    no_date: date | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """Where an export's headings stand: the tool, and the index among the rows that were looked at."""

    format: Format
    index: int


NAMED = Format("columns named by you")

FORMATS = (
    Format(
        "Zoom registration",
        marks=(("Registration Time", "Approval Status"),),
        columns={
            "at": ("Registration Time",),
            "state": ("Approval Status",),
            "carried": ("Source Name",),
        },
        order="mdy",
    ),
    Format(
        "Google Forms",
        first=("Timestamp", "Horodateur", "Marca temporal"),
        columns={
            "at": ("Timestamp", "Horodateur", "Marca temporal"),
            "email": (
                "Email Address", "Username", "Adresse e-mail", "Nom d'utilisateur", "Dirección de correo electrónico",
                "Nombre de usuario",
            ),
        },
    ),
    Format(
        "Microsoft Forms",
        marks=(
            ("Start time", "Completion time"),
            ("Hora de inicio", "Hora de finalización"),
            ("Heure de début", "Heure de fin"),
        ),
        columns={
            "at": ("Completion time", "Hora de finalización", "Heure de fin"),
            "email": ("Email", "Correo electrónico", "Adresse de messagerie"),
            "name": ("Name", "Nombre", "Nom"),
        },
    ),
    Format(
        "Eventbrite",
        marks=(("Order ID", "Order date", "Attendee email"), ("Order ID", "Order date", "Buyer email")),
        columns={
            "at": ("Order date",),
            "state": ("Attendee status", "Order status"),
            "how": ("Ticket type",),
            "persons": ("Ticket quantity",),
            "first_name": ("Attendee first name", "Buyer first name"),
            "last_name": ("Attendee last name", "Buyer last name"),
            "email": ("Attendee email",),
            "buyer": ("Buyer email",),
            "carried": ("Affiliate",),
        },
    ),
    Format(
        "Eventbrite",
        marks=(("Order #", "Order Date", "Email"),),
        columns={
            "at": ("Order Date",),
            "state": ("Attendee Status", "Order Status"),
            "how": ("Ticket Type",),
            "persons": ("Quantity",),
            "carried": ("Affiliate",),
        },
    ),
    Format(
        "Cvent",
        marks=(
            ("Invitee Status", "Registration Date"),
            ("Invitee Status", "Confirmation Number"),
            ("Invitee Status", "Email Address"),
        ),
        columns={
            "at": ("Registration Date",),
            "state": ("Invitee Status",),
            "how": ("Registration Type",),
            "carried": ("Reference ID",),
            "other": ("Participant",),  # whether somebody came, not who
        },
    ),
    Format(
        "Indico",
        marks=(("Registration date", "Registration state"),),
        columns={"at": ("Registration date",), "state": ("Registration state",)},
    ),
    Format(
        "LimeSurvey",
        marks=(
            ("submitdate", "lastpage"),
            ("submitdate", "startlanguage"),
            ("submitdate. Date submitted",),
            ("Date submitted", "Last page"),
        ),
        columns={
            "at": ("submitdate", "submitdate. Date submitted", "Date submitted"),
            "carried": ("token", "token. Token", "token. Access code", "Access code"),
        },
        finished={"at": ""},
        no_date=date(1980, 1, 1),
    ),
    Format(
        "SurveyMonkey",
        marks=(("Respondent ID", "Collector ID"),),
        columns={
            "at": ("End Date", "Date Modified", "Start Date", "Date Created"),
            "carried": ("Custom Data", "Custom Data 1", "Custom Data 2", "Custom Data 3"),
        },
        order="mdy",
        choices_below=True,
    ),
    Format(
        "Typeform",
        marks=(("Submit Date (UTC)", "Network ID"), ("Submit Date (UTC)", "Start Date (UTC)")),
        columns={"at": ("Submit Date (UTC)",), "completion": ("Response Type",)},
        finished={"at": "", "completion": "completed"},
        codes={"1": "Yes", "0": "No"},
    ),
    Format(
        "Tally",
        marks=(("Submission ID", "Respondent ID", "Submitted at"),),
        columns={"at": ("Submitted at",)},
    ),
)  # fmt: skip

# Who came, and when: never an answer.
_ATTENDANCE_REPORTS = (
    ("Join Time", "Leave Time"),
    ("First Join", "Last Leave"),
    ("Attended", "User Name (Original Name)"),
)


def recognise(rows: Sequence[tuple[int, Sequence[str]]]) -> Header | None:
    """The first of the rows, down to the 30th of the sheet, that holds the headings of a tool; None without one."""
    for index, keys in _headings(rows):
        for known in FORMATS:
            begins = keys[0] in map(key, known.first) and any(keys[1:])
            if begins or any(_all_in(mark, keys) for mark in known.marks):
                return Header(known, index)
    return None


def is_attendance_report(rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Whether the sheet tells who came, in place of who answered (Zoom webinar attendees, Teams attendance)."""
    return any(_all_in(mark, keys) for _, keys in _headings(rows) for mark in _ATTENDANCE_REPORTS)


def row_with(headings: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """The index of the first of the rows, down to the 30th of the sheet, in which all of `headings` stand."""
    return next((index for index, keys in _headings(rows) if _all_in(headings, keys)), None)


def _headings(rows: Sequence[tuple[int, Sequence[str]]]) -> list[tuple[int, list[str]]]:
    """The index and the keys of each row that may hold headings."""
    return [
        (index, [key(cell) for cell in cells])
        for index, (number, cells) in enumerate(rows)
        if number <= SEARCHED_ROWS and any(cells)
    ]


def _all_in(headings: Sequence[str], keys: Sequence[str]) -> bool:
    return all(key(heading) in keys for heading in headings)
