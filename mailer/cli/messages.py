"""The messages of guests as they would leave, looked at by a careful reader before they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mailer.cli.guests import Guest, problem_at
from mailer.cli.proof import proofreader
from mailer.errors import InputRefused, Problem
from mailer.model import Contact, Delivery, Letter, State
from mailer.smtp.features import CARRIES_ALL

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared

_SAMPLE_REFERENCE = "7KQ4M-P2XDA"

# What no cell of a sheet holds.
_MARK = "\ue000"

_cells = attrgetter(
    "cc", "title", "first_name", "last_name", "name", "position", "rank", "salutation", "address_name", "attachment"
)


def variant(guest: Guest) -> tuple[object, ...]:
    """What letters of one kind have in common: language, rule, kind of party, and which cells hold something."""
    contact = guest.contact
    filled = tuple(map(bool, (*_cells(contact), *contact.extra.values())))
    return guest.language, contact.rule, contact.party.kind, guest.mission is None, filled


def check_attachment(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    """What is wrong with the file that the guest's row names."""
    try:
        prepared.composers[guest.language].check_attachment(prepared.desk.own_attachment(guest))
    except ValueError as exc:
        fix = f"Put the file into {prepared.desk.event.folder} or correct the name."
        yield problem_at(guest.contact, "attachment", f"the attachment {exc}", fix)


def check_messages(prepared: Prepared, guests: Iterable[Guest]) -> Iterator[tuple[Guest, Problem]]:
    """What is wrong with the messages that these guests would get, each problem with its guest."""
    now, message_id = prepared.desk.clock(), f"<sample@{prepared.domain}>"
    faults_in = proofreader(prepared.desk.event, prepared.letters.languages)
    holes: dict[tuple[object, ...], Sequence[str]] = {}
    for guest in guests:
        try:
            letter = prepared.letter(guest, _SAMPLE_REFERENCE, now)
            if not guest.contact.attachment:
                sample = sample_delivery(prepared, guest, _SAMPLE_REFERENCE, message_id)
                prepared.message(letter, guest, sample, CARRIES_ALL)
        except InputRefused as exc:
            yield from ((guest, problem) for problem in exc.problems)
            continue
        kind = variant(guest)
        if kind not in holes:
            holes[kind] = list(_holes(prepared, guest, letter, now))
        for name in holes[kind]:
            problem = f"{prepared.mailing.template} prints {name}, which is empty in this row"
            fix = f"Fill the cell, or put the words about it between {{% if {name} %}} and {{% endif %}}."
            yield guest, problem_at(guest.contact, name.removeprefix("contact."), problem, fix, warning=True)
        for fault, fix in (*faults_in(letter), *_lacks_reference(letter)):
            problem = f"{prepared.mailing.template} reads badly: {fault}"
            yield guest, replace(problem_at(guest.contact, "address", problem, fix, warning=True), value=None)


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


def _holes(prepared: Prepared, guest: Guest, letter: Letter, now: datetime) -> Iterator[str]:
    """The cells that the guest's `letter` prints though nothing stands in them: "contact.extra.table".

    With something in the cell, nothing else of the letter would be different: so no `if` looks at it.
    """
    for name in sorted(prepared.letters.fields(guest.language)):
        marked = _marked(guest.contact, name)
        if marked is None:
            continue
        with suppress(InputRefused):
            other = prepared.letter(replace(guest, contact=marked), _SAMPLE_REFERENCE, now)
            shown = f"{other.subject}\n{other.html}"
            if _MARK in shown and shown.replace(_MARK, "") == f"{letter.subject}\n{letter.html}":
                yield name


def _marked(contact: Contact, name: str) -> Contact | None:
    """The contact with a mark in the empty cell of which a template speaks by this name; None where it is none."""
    marked: dict[str, Any] = {}
    match name.split("."):
        case ["contact", "extra", column] if contact.extra.get(column) == "":
            marked["extra"] = {**contact.extra, column: _MARK}
        case ["contact", field] if getattr(contact, field, None) == "":
            marked[field] = _MARK
    return replace(contact, **marked) if marked else None


def _lacks_reference(letter: Letter) -> Iterator[tuple[str, str]]:
    if _SAMPLE_REFERENCE.encode() not in letter.text_octets:
        yield "the reference does not stand in it", "Put {{ reference }} and {{ rsvp_url }} into the template."
