"""A sample contact, and the letter it gets."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mailer.model import Address, Contact, Form, Letter, Party, PartyKind, Place
from mailer.render import Letters

SHIPPED = Path(__file__).parents[2] / "templates"
NEW_YORK = ZoneInfo("America/New_York")
FORM = Form("Dear Ms. Sample,", "Ms. Ana SAMPLE")


def contact(**changes: Any) -> Contact:
    """A fictional counsellor of a mission."""
    kind = changes.pop("kind", PartyKind.MISSION)
    sample = Contact(
        Place("missions.xlsx", "Contacts", 7),
        Party("Ruritania", kind),
        Address("ana.sample", "mission.example.org"),
        title="Ms.",
        first_name="Ana",
        last_name="SAMPLE",
        name="Ana SAMPLE",
        position="Adviser",
        rank="Counsellor",
    )
    return replace(sample, **changes)


def render_to(letters: Letters, to: Contact, *, days_before: int = 7) -> Letter:
    now = letters.event.rsvp.deadline - timedelta(days=days_before)
    return letters.render(to, FORM, "7KQ4M-P2XDA", now)


def body_of(letter: Letter) -> str:
    """The HTML of the body alone."""
    return letter.html.split("<body>")[1].split("<footer>")[0].strip()


def text_of(letter: Letter) -> str:
    """The text of the body alone."""
    return letter.text.split("\n~~~~~")[0].strip("\n")
