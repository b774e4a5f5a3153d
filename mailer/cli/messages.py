"""The messages of guests as they would leave, looked at by a careful reader before they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mailer.cli.desk import Guest, problem_at
from mailer.cli.proof import faults_in
from mailer.errors import InputRefused, Problem
from mailer.model import Delivery, Letter, State
from mailer.smtp.features import CARRIES_ALL

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


def check_messages(prepared: Prepared, guests: Iterable[Guest]) -> Iterator[tuple[Guest, Problem]]:
    """What is wrong with the messages that these guests would get, each problem with its guest."""
    now, message_id = prepared.desk.clock(), f"<sample@{prepared.sender.from_.address.ascii_domain}>"
    sound: set[bytes] = set()
    for guest in guests:
        try:
            letter = prepared.letter(guest, _SAMPLE_REFERENCE, now)
            if not guest.contact.attachment:
                sample = sample_delivery(prepared, guest, _SAMPLE_REFERENCE, message_id)
                prepared.message(letter, guest, sample, CARRIES_ALL)
        except InputRefused as exc:
            yield from ((guest, problem) for problem in exc.problems)
            continue
        for fault, fix in _faults(letter, sound):
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


def _faults(letter: Letter, sound: set[bytes]) -> Iterator[tuple[str, str]]:
    yield from faults_in(letter, sound)
    if _SAMPLE_REFERENCE.encode() not in letter.text_octets:
        yield "the reference does not stand in it", "Put {{ reference }} and {{ rsvp_url }} into the template."
