"""A template and the house's layouts, foot and notes made into the compiled parts of a letter, once a language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from jinja2 import TemplateSyntaxError
from markdown_it.token import Token

from mailer.errors import InputRefused, Problem
from mailer.model import Rule
from mailer.render import blocks, check, document, markdown
from mailer.render.compiled import Compiled, Note
from mailer.render.environment import Sandbox, environment
from mailer.render.gaps import Filling, as_octets, as_text
from mailer.render.lines import layouter
from mailer.render.locales import is_right_to_left
from mailer.render.placeholders import MisplacedTag, Placeholders
from mailer.render.plaintext import TextWriter
from mailer.render.source import TemplateFile, Unreadable, find, read
from mailer.render.stencil import Part
from mailer.render.views import LAYOUT_NAMES, NAMES, known_names, links_in

T = TypeVar("T")

_NOTE_NAMES = NAMES - {"transfer_note"}


@dataclass(frozen=True, slots=True)
class Folders:
    """The working folder's `templates`, the folders in which layouts and notes are looked for, and the event's own."""

    templates: Path
    shared: tuple[Path, ...]
    event: Path


@dataclass(frozen=True, slots=True)
class House:
    """What the house gives to every letter: both layouts, the foot, and the note of each rule."""

    html: TemplateFile
    text: TemplateFile
    foot: TemplateFile
    notes: Mapping[Rule, TemplateFile]


def compile_language(
    shared: Mapping[str, object], language: str, zone: ZoneInfo, template: TemplateFile, folders: Folders
) -> Compiled:
    """`template` in the house layout.

    `shared` are the names that mean the same in every letter of the language, `event` among them. Raises InputRefused
    with every problem.
    """
    house = _house(folders, language)
    sandbox = environment(language, zone, html=False)
    problems = [
        *_checked([template], sandbox, known_names(shared, NAMES)),
        *_checked([house.html, house.text], sandbox, known_names(shared, NAMES | LAYOUT_NAMES)),
        *_checked([house.foot, *house.notes.values()], sandbox, known_names(shared, _NOTE_NAMES)),
        *_without_parts(house, sandbox),
        *document.fetched(house.html),
    ]
    if problems:
        raise InputRefused(problems)
    used = check.names_used([template], sandbox)
    notes = house.notes if "transfer_note" in used else {}
    used |= check.names_used([house.html, house.text, house.foot, *notes.values()], sandbox)
    shared = {
        **shared,
        "language": language,
        "direction": "rtl" if is_right_to_left(language) else "ltr",
    }
    shown = [template, house.html, house.foot]
    press = _Press(language, zone, shared, [*shown, house.text, *notes.values()])
    try:
        subject = press.subject(template)
        text, html, images = press.bodies(template, house, folders)
        made = {rule: press.note(file) for rule, file in notes.items()}
    except MisplacedTag as misplaced:
        raise InputRefused([_misplaced(misplaced)]) from misplaced
    warnings = tuple(document.seldom_shown(images, shown))
    return Compiled(language, template.file, used - LAYOUT_NAMES, shared, images, warnings, subject, text, html, made)


def _house(folders: Folders, language: str) -> House:
    problems: list[Problem] = []

    def found(*names: str) -> TemplateFile:
        try:
            return read(find(folders.shared, *names), folders.templates)
        except Unreadable as unreadable:
            problems.append(unreadable.problem)
            return TemplateFile("", "", "")

    def note(name: str) -> TemplateFile:
        return found(f"notes/{name}.{language}.md", f"notes/{name}.md")

    house = House(found("layout.html"), found("layout.txt"), note("foot"), {rule: note(rule.value) for rule in Rule})
    if problems:
        raise InputRefused(problems)
    return house


def _checked(files: Iterable[TemplateFile], sandbox: Sandbox, known: Mapping[str, object]) -> Iterator[Problem]:
    for file in files:
        yield from check.problems_in(file, sandbox, known)


def _without_parts(house: House, sandbox: Sandbox) -> Iterator[Problem]:
    """A layout must have a place for the body, and for the foot, which tells people why they are written to."""
    for layout in (house.html, house.text):
        try:
            used = check.names_used([layout], sandbox)
        except TemplateSyntaxError:
            continue  # told already
        for part in sorted({"body", "foot"} - used):
            yield Problem(f"the layout has no place for the {part}", f"Put {{{{ {part} }}}} into it.", file=layout.file)


def _misplaced(misplaced: MisplacedTag) -> Problem:
    tag = misplaced.tag
    return Problem(
        f"{tag} does not begin and end between the same blocks",
        "Put this tag and those that belong to it each on a line of its own between paragraphs, items or rows, "
        "or all into one line of text.",
        file=tag.file,
        row=tag.line,
    )


class _Press:
    """Makes the parts of one letter, with one set of placeholders for all its files."""

    def __init__(
        self, language: str, zone: ZoneInfo, shared: Mapping[str, object], files: Sequence[TemplateFile]
    ) -> None:
        self._shared = shared
        self._text = environment(language, zone, html=False)
        self._laid_out = layouter(right_to_left=is_right_to_left(language))
        self._header = environment(language, zone, html=False, isolated=False)
        self._html = environment(language, zone, html=True)
        self._places = Placeholders(self._text, *(file.text for file in files))
        self._writer = TextWriter(self._places)
        self._links = {"rsvp_url": "", **links_in(shared)}

    def subject(self, template: TemplateFile) -> Part[str]:
        """The subject, whose Latin runs are not isolated: lists of mails show such signs unevenly."""
        hidden = self._places.hide(template.subject, template.file, template.subject_line)
        blocks.require_whole(self._places.tags_in(hidden))
        return self._part(self._header, hidden, f"{template.file} (subject)", as_text)

    def bodies(
        self, template: TemplateFile, house: House, folders: Folders
    ) -> tuple[Part[bytes], Part[bytes], tuple[tuple[str, Path], ...]]:
        """The text part, the HTML part, and the images that the HTML shows. Raises MisplacedTag, InputRefused."""
        body, foot = self._tokens(template), self._tokens(house.foot)
        text_layout = self._places.hide(house.text.text, house.text.file)
        text = self._writer.in_layout(text_layout, body=body, foot=foot)
        html = document.assemble(
            self._places.hide(house.html.text, house.html.file),
            {"body": markdown.html_of(body), "foot": markdown.html_of(foot)},
            self._places,
        )
        html, images, problems = document.with_images(
            html, [folders.event, *folders.shared], [template, house.html, house.foot], self._places
        )
        if problems:
            raise InputRefused(problems)
        text_part = self._part(self._text, text, f"{template.file} (text)", self._laid_out)
        return text_part, self._part(self._html, html, f"{template.file} (HTML)", as_octets), tuple(images)

    def note(self, file: TemplateFile) -> Note:
        """The note as running text: its paragraphs follow one another. Raises MisplacedTag, InputRefused."""
        tokens = self._tokens(file)
        text: list[str] = []
        html: list[str] = []
        for token in tokens:
            if token.type == "tag":
                text.append(token.content)
                html.append(token.content)
            elif token.type == "inline":
                text.append(self._writer.running(token.children or []) + " ")
                html.append(document.with_attributes(markdown.html_of([token]), self._places) + " ")
            elif not token.type.startswith("paragraph_"):
                fix = "Write plain paragraphs; emphasis and links may stand in them."
                raise InputRefused([Problem("a note is running text, without headings or lists", fix, file=file.file)])
        return Note(
            self._part(self._text, "".join(text), f"{file.file} (text)", as_text),
            self._part(self._html, "".join(html), f"{file.file} (HTML)", as_text),
        )

    def _tokens(self, file: TemplateFile) -> list[Token]:
        hidden = self._places.hide(file.body, file.file, file.body_line)
        return markdown.tokens_of(hidden, self._places, self._links)

    def _part(self, sandbox: Sandbox, hidden: str, name: str, made: Callable[[str], Filling[T]]) -> Part[T]:
        source = self._places.show(hidden)
        return Part(sandbox, source, name, self._shared, made)
