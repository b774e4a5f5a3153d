"""One respondent's row of an export, before anybody asks whose answer it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailer.model import Attendance


@dataclass(frozen=True, slots=True)
class Response:
    """What one row of an RSVP export says, cleaned but not matched.

    `reference` is the text in which a reference was found or expected (it may be a whole sentence, or empty);
    `addresses` are tried in their order, the respondent's own first (an Eventbrite buyer's after the attendee's);
    `party` is the organisation or country as typed. `attendance` is `review` where the words are not understood, which
    `words` keeps. `at` is aware, and the time at which the file was saved where the answer is not `dated`. `row` is
    1-based, as the spreadsheet shows it. `guests` come besides the respondent, and `guest_name` is what was said of
    them; `doubt` is what a person must read.
    """

    file: str
    row: int
    reference: str
    name: str
    addresses: tuple[str, ...]
    party: str
    attendance: Attendance
    words: str
    at: datetime
    guests: int = 0
    guest_name: str = ""
    doubt: str = ""
    dated: bool = True
