"""What an author easily overlooks in a letter that can be sent as it is: lines run together, words not translated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mailer.errors import Problem
from mailer.model import Event
from mailer.render.locales import locale_of
from mailer.render.source import TemplateFile
from mailer.render.views import event_view

# Signatures, addresses and the like have shorter lines than a text that is broken by hand.
_SHORT = 60
# A paragraph of several lines, of which none begins as something else does.
_LINES = re.compile(
    r"(?<!.\n)(?:^(?!\s|[-+*#>|]\s|[-=*_]+$|\d+[.)]\s|```|\{%).+(?:\n|\Z)){2,}",
    re.MULTILINE,
)
_KEPT_APART = ("  ", "\\")

# What is always in a language, and what may be nothing but names, which are the same in all of them.
_TEXTS = {("title",), ("source",), ("venue",), ("contact_person", "position")}
_TEXTS_OR_NAMES = {"hosts", "online", "contact_person"}
_ENGLISH = {"Ms", "Mr", "Mrs"}


def joined_lines(template: TemplateFile) -> Iterator[Problem]:
    """A warning where lines are likely meant to stand below each other, but Markdown makes one of them.

    Such are short lines without a full stop at the end, which are the last paragraph of the letter or begin with a line
    that ends in a comma, as a complimentary close does.
    """
    body = template.body.rstrip()
    for paragraph in _LINES.finditer(body):
        *others, last = lines = paragraph[0].rstrip("\n").split("\n")
        is_close = paragraph.end() == len(body) or lines[0].endswith((",", "،"))
        if not is_close or last.endswith((".", "!", "?", ":", ";", "؟")) or max(map(len, lines)) > _SHORT:
            continue
        if not all(line.endswith(_KEPT_APART) for line in others):
            row = template.body_line + body.count("\n", 0, paragraph.start())
            fix = "End each but the last with a backslash, if they are to stay apart."
            yield Problem("these lines become one", fix, "warning", template.file, row=row, value=" ⏎ ".join(lines))


def untranslated(event: Event, language: str, names: Iterable[str]) -> Iterator[Problem]:
    """A warning for each of `names`, those that the letter in `language` uses, of which event.toml has no translation.

    Names of people and the like need none; whatever else stays the same is silenced by writing it there again.
    """
    if language == event.language:
        return
    told, own = _named(language), _named(event.language)
    view, translation = event_view(event, language), event.translations.get(language, {})
    for path in sorted(tuple(name.split(".")[1:]) for name in names if name.startswith("event.")):
        value, is_text = _entry(view, path), path in _TEXTS
        may_be_text = path[0] in _TEXTS_OR_NAMES or path[0] in event.tables
        if _entry(translation, path) is None and ((is_text and value) or (may_be_text and _has_words(value))):
            place = ("translations", language, *path)
            problem = f"{'.'.join(path)} is printed in the {told} letter and stands in {own} only"
            fix = f"Add {path[-1]} to [{'.'.join(place[:-1])}], with the same words if they are meant."
            yield Problem(problem, fix, "warning", str(event.folder / "event.toml"), column=".".join(place))


def _entry(table: object, path: tuple[str, ...]) -> object:
    for key in path:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def _has_words(value: object) -> bool:
    """Whether any text in `value` is more than a name: one of its words begins with a small letter, or is "Ms."."""
    if isinstance(value, str):
        words = [word.strip("().,;:") for word in value.split()]
        return len(words) > 1 and any((word.isalpha() and word[0].islower()) or word in _ENGLISH for word in words)
    entries = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return any(map(_has_words, entries))


def _named(language: str) -> str:
    locale = locale_of(language)
    return (locale.english_name if locale else None) or language
