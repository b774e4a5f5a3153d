"""One guest's message as it would leave, looked at by a careful reader before it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mailer.cli.desk import Guest, problem_at
from mailer.cli.proof import faults_in
from mailer.errors import InputRefused, Problem
from mailer.model import Delivery, Letter, State

if TYPE_CHECKING:
    from mailer.cli.mailing import Prepared

_SAMPLE_REFERENCE = "7KQ4M-P2XDA"


def check_attachment(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    """What is wrong with the file that the guest's row names."""
    try:
        prepared.composers[guest.language].check_attachment(prepared.desk.own_attachment(guest))
    except ValueError as exc:
        fix = f"Put the file into {prepared.desk.event.folder} or correct the name."
        yield problem_at(guest.contact, "attachment", f"the attachment {exc}", fix)


def check_message(prepared: Prepared, guest: Guest) -> Iterator[Problem]:
    """What is wrong with the message that this guest would get."""
    now, contact = prepared.desk.clock(), guest.contact
    sample = sample_delivery(prepared, guest, _SAMPLE_REFERENCE, f"<sample@{prepared.sender.from_.address.domain}>")
    try:
        letter = prepared.letter(guest, _SAMPLE_REFERENCE, now)
        if not contact.attachment:
            prepared.message(letter, guest, sample, eight_bit=True)
    except InputRefused as exc:
        yield from exc.problems
        return
    for fault, fix in _faults(letter):
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


def _faults(letter: Letter) -> Iterator[tuple[str, str]]:
    yield from faults_in(letter)
    if _SAMPLE_REFERENCE.encode() not in letter.text_octets:
        yield "the reference does not stand in it", "Put {{ reference }} and {{ rsvp_url }} into the template."
