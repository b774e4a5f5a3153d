"""A mailing's templates, compiled once for each language, and the letter that each contact gets from them."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mailer.errors import InputRefused, Problem
from mailer.model import Audience, Contact, Event, Form, Letter, Mailing, Rule
from mailer.render import check
from mailer.render.compiled import Compiled
from mailer.render.document import LARGEST_HTML
from mailer.render.environment import environment
from mailer.render.faults import Failed, shown
from mailer.render.oversights import joined_lines, untranslated
from mailer.render.press import Folders, compile_language
from mailer.render.source import TemplateFile, Unreadable, languages_of, read
from mailer.render.views import NAMES, AnyColumn, contact_view, known_names, rsvp_url, samples, shared_values


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of one mailing; made by `compile_mailing`, after which only rendering is left to do for a contact.

    `default` is the language of contacts for whose own there is no template. `images` are (content id, file) of what
    the HTML shows by `cid:`, `warnings` what may have been overlooked in the texts.
    """

    event: Event
    mailing: Mailing
    default: str
    images: tuple[tuple[str, Path], ...]
    compiled: Mapping[str, Compiled]
    warnings: tuple[Problem, ...] = ()

    @property
    def languages(self) -> frozenset[str]:
        return frozenset(self.compiled)

    def language_for(self, contact: Contact) -> str:
        """The contact's language if there is a template in it, else the default."""
        return contact.language if contact.language and contact.language in self.compiled else self.default

    def fields(self, language: str) -> frozenset[str]:
        """The names that the templates of `language` use: "rsvp_url", "contact.position", "contact.extra.table"."""
        return self.compiled[language].names

    def render(
        self,
        contact: Contact,
        form: Form,
        reference: str,
        now: datetime,
        *,
        party_name: str | None = None,
        mailing_name: str | None = None,
    ) -> Letter:
        """The letter to `contact`, addressed by `form`.

        `reference` is printed as it is given. `party_name` is the party's name in prose (the sheet's own if None),
        `mailing_name` that of one wave of a reminder. Raises InputRefused, with the contact's place and the line of the
        template, if a value that the template needs is not there or cannot stand where it is put.
        """
        language = self.language_for(contact)
        values = self._values(contact, form, reference, party_name or contact.party.name, language)
        values["days_left"] = self.event.days_left(now)
        values["mailing"] = mailing_name or self.mailing.name
        try:
            letter = self.compiled[language].letter(values, contact.rule or self.event.rsvp.rule)
        except Failed as failed:
            raise InputRefused([_in_row(contact, failed)]) from failed
        if len(letter.html_octets) > LARGEST_HTML:
            fix = f"Shorten the values of this row: mail programs cut off what is over {LARGEST_HTML // 1000} kB."
            raise InputRefused([_in_row(contact, Failed("the letter is too long", fix, "", None))])
        return letter

    def samples(self, language: str, extra: Mapping[str, str]) -> Iterator[Problem]:
        """What goes wrong when letters in `language` are written to samples of every kind, under every rule."""
        compiled = self.compiled[language]
        for contact, form in samples(extra):
            values = self._values(contact, form, "23456-789AB", contact.party.name, language)
            values |= {"days_left": 7, "mailing": self.mailing.name}
            for rule in Rule:
                try:
                    yield from check.problems_of(compiled.letter(values, rule), compiled.file)
                except Failed as failed:
                    yield Problem(failed.problem, failed.fix, file=failed.file or compiled.file, row=failed.line)

    def _values(self, contact: Contact, form: Form, reference: str, party: str, language: str) -> dict[str, object]:
        return {
            "contact": contact_view(contact, party, language),
            "salutation": form.salutation,
            "address_name": form.address_name,
            "reference": reference,
            "rsvp_url": rsvp_url(self.event, reference),
        }


def _in_row(contact: Contact, failed: Failed) -> Problem:
    place = contact.place
    line = f"{failed.file}, line {failed.line}: " if failed.line else ""
    return Problem(f"{line}{failed.problem}", failed.fix, file=place.file, sheet=place.sheet, row=place.row)


def compile_mailing(event: Event, mailing: Mailing, templates: Path, packaged: Path) -> Letters:
    """The mailing's templates in every language there is, tried on samples of all kinds of contacts.

    `templates` is the working folder's; layouts and notes that it lacks are taken from `packaged`. Raises InputRefused
    with every problem of all the files at once.
    """
    problems: list[Problem] = []
    files = _files(event, mailing, templates, problems)
    folders = Folders(templates, (templates, packaged), event.folder)
    compiled: dict[str, Compiled] = {}
    warnings: list[Problem] = []
    for language, template in files.items():
        try:
            shared = shared_values(event, language)
            made = compiled[language] = compile_language(shared, language, event.timezone, template, folders)
            warnings += [*made.warnings, *joined_lines(template), *untranslated(event, language, made.names)]
        except InputRefused as refused:
            problems += refused.problems
    images = tuple({cid: (cid, path) for one in compiled.values() for cid, path in one.images}.values())
    letters = Letters(event, mailing, event.language, images, compiled)
    for language in compiled:
        problems += letters.samples(language, AnyColumn())
    if problems:
        raise InputRefused(dict.fromkeys(problems))
    if mailing.audience is Audience.ATTENDING:
        warnings += _for_delegates(letters)
    return replace(letters, warnings=tuple(dict.fromkeys(warnings)))


def _for_delegates(letters: Letters) -> Iterator[Problem]:
    """What will go wrong in letters to those who come in a colleague's place: no sheet has a column for them."""
    fix = 'Write `| default("")` behind the name, as in `{% if contact.extra.table | default("") %}`.'
    for language in letters.compiled:
        for found in letters.samples(language, {}):
            problem = f"no delegate can be written to, as these stand in no sheet: {found.problem}"
            yield replace(found, problem=problem, fix=fix, severity="warning")


def problems_of_texts(folder: Path, templates: Path) -> Iterator[Problem]:
    """What is wrong in the texts of an event of which nothing is known but its folder.

    Texts are the files that begin with a subject. What they say of the event, and all they look like in a letter, is
    judged by `compile_mailing` alone.
    """
    sandbox = environment("en", ZoneInfo("UTC"), html=False)
    known = known_names({"event": None}, NAMES)
    for path in sorted(folder.glob("*.md")):
        try:
            if path.read_bytes()[:11].removeprefix(BOM_UTF8)[:8].lower() == b"subject:":
                yield from check.problems_in(read(path, templates, headed=True), sandbox, known)
        except Unreadable as unreadable:
            yield unreadable.problem
        except OSError:
            continue  # what it holds cannot be told


def _files(event: Event, mailing: Mailing, templates: Path, problems: list[Problem]) -> dict[str, TemplateFile]:
    """The readable templates by language; what is wrong with the others is added to `problems`."""
    paths = languages_of(event.folder, mailing.template)
    default = paths.pop("", event.folder / f"{mailing.template}.md")
    if event.language in paths:
        fix = f"Keep {default.name}, which is the one in the event's own language."
        file = shown(paths[event.language], templates)
        problems.append(Problem("there is another template in this language", fix, file=file))
    files = {}
    for language, path in {event.language: default, **{k: v for k, v in paths.items() if k != event.language}}.items():
        try:
            files[language] = read(path, templates, headed=True)
        except Unreadable as unreadable:
            problems.append(unreadable.problem)
    return files
