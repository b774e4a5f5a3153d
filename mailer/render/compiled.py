"""One mailing in one language as compiled templates, and the letter that they make of a contact's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Template
from markupsafe import Markup

from mailer.model import Letter, Rule
from mailer.render.faults import failure
from mailer.render.placeholders import Source
from mailer.render.plaintext import BREAK


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled template, and which tag of which file stands on each of its lines."""

    template: Template
    source: Source

    def render(self, values: Mapping[str, object]) -> str:
        """The template with `values`. Raises Failed, which names the tag's file and line."""
        try:
            return self.template.render(values)
        except Exception as exc:  # an expression can raise anything; people need its line, whatever it is
            raise failure(exc, self.source, self.template.filename or "") from exc


@dataclass(frozen=True, slots=True)
class Note:
    """What a rule says about passing the invitation on, as running text for the text part and for the HTML."""

    text: Part
    html: Part


@dataclass(frozen=True, slots=True)
class Compiled:
    """The templates of one language.

    `file` names the template to people, `names` are those that it, its layouts and its notes use, `shared` the values
    that are the same for everybody, `images` (content id, file) what the HTML shows. `notes` is empty where the
    template has no use for one.
    """

    language: str
    file: str
    names: frozenset[str]
    shared: Mapping[str, object]
    images: tuple[tuple[str, Path], ...]
    subject: Part
    text: Part
    html: Part
    notes: Mapping[Rule, Note]
    laid_out: Callable[[str], str]

    def letter(self, values: Mapping[str, object], rule: Rule) -> Letter:
        """The letter for one contact's `values` under `rule`. Raises Failed."""
        seen = {**self.shared, **values}
        note = self.notes.get(rule)
        if note:
            seen["transfer_note"] = Markup(note.text.render(seen).strip())  # noqa: S704 - nothing is escaped in text
        words = self.subject.render(seen).replace(BREAK, " ").split(" ")
        seen["subject"] = subject = " ".join(word for word in words if word)
        text = self.laid_out(self.text.render(seen))
        if note:
            seen["transfer_note"] = Markup(note.html.render(seen).strip())  # noqa: S704 - escaped when it was rendered
        return Letter(subject, text, self.html.render(seen), self.language)
