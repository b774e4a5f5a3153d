"""Every message of a mailing as it would leave, checked before the first one does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mailer.cli.desk import Guest, problem_at
from mailer.errors import InputRefused, Problem
from mailer.model import Delivery, Letter, Standing, State

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared

# Up to here every message is rendered before the first one leaves; above it, one of each variant.
RENDER_ALL = 10_000

_ROWS_NAMED = 20
_SAMPLE_REFERENCE = "7KQ4M-P2XDA"


def check_messages(prepared: Prepared) -> Iterator[tuple[Guest, Problem]]:
    """What is wrong with the messages, each fault with the guest whose message shows it."""
    seen: set[tuple[object, ...]] = set()
    active = [guest for guest in prepared.guests if guest.contact.status is Standing.ACTIVE]
    yield from _missing_languages(prepared, active)
    for guest in active:
        if guest.contact.attachment:
            for problem in _check_attachment(prepared, guest):
                yield guest, problem
        if len(active) > RENDER_ALL:
            variant = _variant(guest)
            if variant in seen:
                continue
            seen.add(variant)
        for problem in check_message(prepared, guest):
            yield guest, problem


def grouped(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems, those that many rows share told once with the first row and the others named.

    So a fault of a template, which shows in every letter, does not bury the rest.
    """
    alike: dict[Problem, list[Problem]] = {}
    for problem in problems:
        alike.setdefault(replace(problem, row=None, cell=None, value=None), []).append(problem)
    for found in alike.values():
        rows = [str(problem.row) for problem in found[1:]]
        if not rows or len({problem.value for problem in found}) > 1:
            yield from found
            continue
        more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
        yield replace(found[0], problem=f"{found[0].problem} (also row {', '.join(rows[:_ROWS_NAMED])}{more})")


def _missing_languages(prepared: Prepared, guests: Sequence[Guest]) -> Iterator[tuple[Guest, Problem]]:
    """One warning for each language that contacts ask for and no template is in."""
    wanting: dict[str, list[Guest]] = {}
    for guest in guests:
        if guest.contact.language and guest.contact.language != guest.language:
            wanting.setdefault(guest.contact.language, []).append(guest)
    for language, found in wanting.items():
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        problem = f"there is no {prepared.mailing.template} in {language}{others}; {found[0].language} is used"
        fix = f"Write {prepared.mailing.template}.{language}.md, or leave it so."
        yield found[0], problem_at(found[0].contact, "language", problem, fix, warning=True)


def _variant(guest: Guest) -> tuple[object, ...]:
    contact = guest.contact
    own = (getattr(contact, field.name) for field in fields(contact))
    filled = tuple(bool(value) for value in own if isinstance(value, str | tuple))
    extra = tuple(bool(value) for value in contact.extra.values())
    return guest.language, contact.rule, contact.party.kind, guest.mission is None, filled, extra


def _check_attachment(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    try:
        prepared.composers[guest.language].check_attachment(prepared.desk.own_attachment(guest))
    except ValueError as exc:
        fix = f"Put the file into {prepared.desk.event.folder} or correct the name."
        yield problem_at(guest.contact, "attachment", f"the attachment {exc}", fix)


def check_message(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    """What is wrong with the message that this guest would get."""
    now, contact = prepared.desk.clock(), guest.contact
    sample = sample_delivery(prepared, guest, _SAMPLE_REFERENCE, f"<sample@{prepared.desk.mail_from.address.domain}>")
    try:
        letter = prepared.letter(guest, _SAMPLE_REFERENCE, now)
        if not contact.attachment:
            prepared.message(letter, guest, sample, eight_bit=True)
    except InputRefused as exc:
        yield from exc.problems
        return
    for fault, fix in lint(letter):
        problem = f"{prepared.mailing.template} reads badly: {fault}"
        yield replace(problem_at(contact, "address", problem, fix, warning=True), value=None)


def sample_delivery(prepared: Prepared, guest: Guest, reference: str, message_id: str) -> Delivery:
    """A delivery to look at, which no ledger knows."""
    contact = guest.contact
    return Delivery(
        id=0,
        event=prepared.desk.event.name,
        mailing=prepared.wave,
        recipient=contact.address,
        cc=contact.cc,
        party=contact.party.name,
        reference=reference,
        message_id=message_id,
        state=State.QUEUED,
        attempts=0,
        updated_at=prepared.desk.clock(),
    )


_LINT = (
    (re.compile(r"\b(nan|NaN|None|null|undefined|TBC|TBD)\b"), "it says {0!r}"),
    (re.compile(r"\w {2,}\w"), "two blanks in a row, as an empty field leaves them ({0!r})"),
    (re.compile(r"\(\s*\)|,\s*,"), "something is empty there ({0!r})"),
)

_DATE = re.compile(r"\b([A-Z][a-z]+day),? (\d{1,2} [A-Z][a-z]+ \d{4})\b")


def lint(letter: Letter) -> Iterator[tuple[str, str]]:
    """What a careful reader would notice in a letter: the fault, and what to do. Tables of the text are passed over."""
    lines = [letter.subject, *(line for line in letter.text.splitlines() if "|" not in line)]
    for pattern, fault in _LINT:
        if match := next(filter(None, map(pattern.search, lines)), None):
            yield fault.format(match[0]), "Fill the cell, or guard the field in the template with an if."
    for weekday, day in _DATE.findall(" ".join(lines)):
        with suppress(ValueError):  # 31 June, or no month at all
            found = datetime.strptime(day, "%d %B %Y")  # noqa: DTZ007  # a calendar day, in no zone
            if found.strftime("%A") != weekday:
                yield f"{day} is a {found:%A}, not a {weekday}", "Correct the date, or let event.toml give it."
    if _SAMPLE_REFERENCE not in letter.text:
        yield "the reference does not stand in it", "Put {{ reference }} and {{ rsvp_url }} into the template."
