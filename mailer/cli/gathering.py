"""One pass over the sheets: those whom a mailing is to reach, and whether the message of each is fit to be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from mailer.cli.guests import GUESTS, Guest, problem_at
from mailer.cli.messages import check_attachment, check_messages, variant
from mailer.cli.roll import Roll
from mailer.errors import Problem
from mailer.model import Contact, Standing

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared

T = TypeVar("T")

# Up to here every message is rendered before the first one leaves; above it, one of each variant.
RENDER_ALL = 10_000

Choice = Callable[[Iterable[Contact]], Iterable[Contact]]


@dataclass(slots=True)
class Gathered:
    """Those whom a mailing is to reach, in the order of the sheets, and all problems that were found on the way.

    `groups` counts them by kind of party and language; `recipients` counts those in copy too.
    """

    problems: Sequence[Problem]
    guests: Roll[Guest] = field(default_factory=lambda: Roll(packing=GUESTS))
    groups: Counter[tuple[str, str]] = field(default_factory=Counter)
    recipients: int = 0

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.is_error]

    def add(self, guest: Guest) -> None:
        self.guests.append(guest)
        self.groups[guest.contact.party.kind.value, guest.language] += 1
        self.recipients += 1 + len(guest.contact.cc)


def active(contacts: Iterable[Contact]) -> Iterator[Contact]:
    """Those who may be written to at all, as the sheets say."""
    return (contact for contact in contacts if contact.status is Standing.ACTIVE)


def gather(prepared: Prepared, choose: Choice = active) -> Gathered:
    """Reads the sheets once, keeps the contacts that `choose` lets through, and checks the messages to those.

    Who would get a message with an error is left out and named. Memory holds no more than some thousand guests,
    however long the sheets are.
    """
    problems = list(prepared.problems)
    gathered = Gathered(problems)
    inspection = _Inspection(prepared)
    for contact in choose(_without_problems(prepared.contacts(), problems)):
        for guest in _without_problems(prepared.addressed(contact), problems):
            gathered.add(guest)
            inspection.see(guest)
    faults = list(inspection.faults(gathered.guests))
    problems.extend(problem for _, problem in faults)
    unfit = {guest.contact.address.key for guest, problem in faults if problem.is_error}
    if not unfit:
        return gathered
    fit = Gathered(problems)
    for guest in gathered.guests:
        if guest.contact.address.key not in unfit:
            fit.add(guest)
    return fit


def _without_problems(found: Iterable[T | Problem], problems: list[Problem]) -> Iterator[T]:
    """What was found; the problems among it go to `problems`."""
    for one in found:
        if isinstance(one, Problem):
            problems.append(one)
        else:
            yield one


class _Inspection:
    """What is to be looked at more closely, noted while the guests go by."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._variants: dict[tuple[object, ...], Guest] = {}
        self._wanting: dict[str, tuple[Guest, int]] = {}  # the first guest, and how many there are
        self._without_file: list[tuple[Guest, Problem]] = []

    def see(self, guest: Guest) -> None:
        contact = guest.contact
        self._variants.setdefault(variant(guest), guest)
        if contact.language and contact.language != guest.language:
            first, number = self._wanting.get(contact.language, (guest, 0))
            self._wanting[contact.language] = first, number + 1
        if contact.attachment:
            self._without_file += [(guest, problem) for problem in check_attachment(self._prepared, guest)]

    def faults(self, guests: Roll[Guest]) -> Iterator[tuple[Guest, Problem]]:
        """What is wrong with the messages to `guests`, each fault with the guest whose message shows it."""
        yield from self._missing_languages()
        yield from self._without_file
        yield from check_messages(self._prepared, guests if len(guests) <= RENDER_ALL else self._variants.values())

    def _missing_languages(self) -> Iterator[tuple[Guest, Problem]]:
        """One warning for each language that contacts ask for and no template is in."""
        template = self._prepared.mailing.template
        for language, (guest, number) in self._wanting.items():
            others = f" (and {number - 1} more)" if number > 1 else ""
            problem = f"there is no {template} in {language}{others}; {guest.language} is used"
            fix = f"Write {template}.{language}.md, or leave it so."
            yield guest, problem_at(guest.contact, "language", problem, fix, warning=True)
