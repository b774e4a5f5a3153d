"""One mailing in one language as compiled templates, and the letter that they make of a contact's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from mailer.errors import Problem
from mailer.model import Letter, Rule
from mailer.render.plaintext import BREAK
from mailer.render.stencil import Part


@dataclass(frozen=True, slots=True)
class Note:
    """What a rule says about passing the invitation on, as running text for the text part and for the HTML."""

    text: Part[str]
    html: Part[str]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The templates of one language.

    `file` names the template to people, `names` are those that it, its layouts and its notes use, `shared` the values
    that are the same for everybody, `images` (content id, file) what the HTML shows, `warnings` what many will not see
    of it. `notes` is empty where the template has no use for one.
    """

    language: str
    file: str
    names: frozenset[str]
    shared: Mapping[str, object]
    images: tuple[tuple[str, Path], ...]
    warnings: tuple[Problem, ...]
    subject: Part[str]
    text: Part[bytes]
    html: Part[bytes]
    notes: Mapping[Rule, Note]

    def letter(self, values: Mapping[str, object], rule: Rule) -> Letter:
        """The letter for one contact's `values` under `rule`. Raises Failed."""
        seen = {**self.shared, **values}
        note = self.notes.get(rule)
        if note:
            seen["transfer_note"] = Markup(note.text.render(seen).strip())  # noqa: S704 - nothing is escaped in text
        words = self.subject.render(seen).replace(BREAK, " ").split(" ")
        seen["subject"] = subject = " ".join(filter(None, words))
        text = self.text.render(seen)
        if note:
            seen["transfer_note"] = Markup(note.html.render(seen).strip())  # noqa: S704 - escaped when it was rendered
        return Letter(subject, text, self.html.render(seen), self.language)
