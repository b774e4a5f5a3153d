"""A small event made by hand, and letters rendered from templates that a test writes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mailer.model import Address, Audience, Contact, ContactPerson, Event, Letter, Mailing, Rsvp
from mailer.render import Letters, compile_mailing
from tests.render.samples import NEW_YORK, SHIPPED, contact, render_to


@pytest.fixture
def event(tmp_path: Path) -> Event:
    folder = tmp_path / "templates" / "meeting"
    folder.mkdir(parents=True)
    invitation = Mailing("invitation", "invitation", Audience.CONTACTS)
    return Event(
        name="meeting",
        folder=folder,
        title="A Meeting",
        starts=datetime(2024, 5, 23, 13, tzinfo=NEW_YORK),
        ends=datetime(2024, 5, 23, 14, 30, tzinfo=NEW_YORK),
        timezone=NEW_YORK,
        source="You are on our list.",
        rsvp=Rsvp(
            "https://rsvp.example.org/form?a=1&ref={reference}#top", datetime(2024, 5, 17, 23, 59, 59, tzinfo=NEW_YORK)
        ),
        contact_person=ContactPerson("Ms. Eva EXAMPLE", "Secretary", Address("eva", "example.org")),
        mailings={"invitation": invitation},
        hosts=(("Alpha", "Beta"), ("Gamma",)),
        links={"note": "https://www.example.org/note"},
        tables={"programme": {"speakers": ["Bo", "Cy"], "empty": [], "rows": [{"at": "ten", "what": "Tea"}]}},
    )


@pytest.fixture
def letters(event: Event) -> Callable[..., Letters]:
    """Compiles the body given, and the files given by name (`**{"invitation.fr.md": …}`), in the shipped layout."""

    def compiled(body: str, *, subject: str = "Welcome", changes: Any = None, **files: str) -> Letters:
        (event.folder / "invitation.md").write_text(f"Subject: {subject}\n\n{body}", "utf-8")
        for name, text in files.items():
            path = event.folder.parent / name if "/" in name or name.startswith("layout") else event.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        changed = replace(event, **changes) if changes else event
        return compile_mailing(changed, changed.mailings["invitation"], event.folder.parent, SHIPPED)

    return compiled


@pytest.fixture
def rendered(letters: Callable[..., Letters]) -> Callable[..., Letter]:
    """The letter that a sample contact gets from the body given, in a layout of nothing but the body."""

    def render(body: str, *, to: Contact | None = None, **options: Any) -> Letter:
        bare = {
            "layout.html": '<html lang="{{ language }}" dir="{{ direction }}"><head><title>{{ subject }}</title></head>'
            "<body>{{ body }}<footer>{{ foot }}</footer></body></html>",
            "layout.txt": "{{ body }}\n~~~~~\n{{ foot }}\n",
        }
        return render_to(letters(body, **{**bare, **options}), to or contact())

    return render
