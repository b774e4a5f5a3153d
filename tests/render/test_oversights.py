"""What an author may have overlooked is a warning, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mailer.event import load
from mailer.model import Event
from mailer.render import Letters, compile_mailing
from tests.render.samples import SHIPPED

Compiled = Callable[..., Letters]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("Text.\n\nYours sincerely,\nKarim EXAMPLE\n", [5]),
        ("Text.\n\nYours sincerely,\n\nKarim EXAMPLE\n{{ event.contact_person.position }}", [7]),
        ("Text.\n\nYours sincerely,\nKarim EXAMPLE\n\nEnclosure: the note.", [5]),
        ("Yours sincerely,\\\nKarim EXAMPLE\nSecretary", [3]),
        ("Yours sincerely,\\\nKarim EXAMPLE  \nSecretary", []),
        ("Yours sincerely,\n\nKarim EXAMPLE", []),
        ("A text that its author\nhas broken by hand.", []),
        ("A text that its author,\nwho likes short lines,\nhas broken by hand.", []),
        ("A text in the midst of which\nnothing is ended\n\nThe end.", []),
        ("The topics are, among others and in the order of the programme,\nthese two", []),
        ("Bring:\n\n- a pen,\n- paper", []),
        ("- an item,\nthat goes\non", []),
        ("| a, | b |\n|---|---|\n| c | d |", []),
        ("{% if contact.rank %}\nYours sincerely,\n{% endif %}\nKarim EXAMPLE", []),
    ],
)
def test_lines_that_become_one_are_told(letters: Compiled, body: str, rows: list[int]) -> None:
    """Short lines at the end or after a comma, as in a signature, are told if Markdown joins them; prose is not."""
    found = letters(body).warnings
    assert [problem.row for problem in found] == rows
    assert all(not problem.is_error and problem.file == "templates/meeting/invitation.md" for problem in found)


FRENCH = "Subject: {{ event.title }}\n\n{{ event.hosts | names }} {{ event.wording.occasion }} {{ event.online }}\n"
PERSON = "\n{{ event.contact_person.name }}, {{ event.contact_person.position }}, {{ event.contact_person.email }}.\n"


def untranslated(letters: Compiled, translation: dict[str, object], **changes: object) -> set[str | None]:
    changes = {"tables": {"wording": {"occasion": "a week of meetings"}}, "online": "Zoom", **changes}
    made = letters(
        "x", changes={**changes, "translations": {"fr": translation}}, **{"invitation.fr.md": FRENCH + PERSON}
    )
    return {problem.column for problem in made.warnings}


def test_words_without_a_translation_are_told(letters: Compiled) -> None:
    """What a letter prints in another language than its own is told by its key; names of people and firms are not."""
    assert untranslated(letters, {}) == {
        f"translations.fr.{key}"
        for key in ("title", "source", "wording.occasion", "contact_person.name", "contact_person.position")
    }
    translation = {"title": "T", "wording": {"occasion": "une semaine"}, "contact_person": {"position": "Secrétaire"}}
    assert untranslated(letters, translation) == {"translations.fr.source", "translations.fr.contact_person.name"}
    hosts = (("Alpha", "the Office of Beta"),)
    assert "translations.fr.hosts" in untranslated(letters, {}, hosts=hosts)


def test_a_translation_that_is_the_same_is_one(letters: Compiled, event: Event) -> None:
    """A value that is meant to stay as it is, and is written again, is told no more; the warning says how."""
    assert "translations.fr.title" not in untranslated(letters, {"title": event.title})
    told = letters("x", **{"invitation.fr.md": "Subject: {{ event.title }}\n\nx"}).warnings
    assert "title is printed in the French letter and stands in English only. Add title to [translations.fr]" in str(
        told[-1]
    )


def test_the_shipped_texts_are_free_of_warnings() -> None:
    """Each mailing of the shipped event is fully translated, and its signature keeps its lines."""
    event, _ = load(SHIPPED, "poc-week")
    for mailing in event.mailings.values():
        assert compile_mailing(event, mailing, SHIPPED, SHIPPED).warnings == ()
        assert compile_mailing(replace(event, translations={}), mailing, SHIPPED, SHIPPED).warnings
