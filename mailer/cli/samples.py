"""`send --test`: the few guests whose messages show every form that a mailing takes, sent to the organiser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mailer.cli import console
from mailer.cli.ends import WANTS_A_PERSON
from mailer.errors import UsageError
from mailer.model import Address, Contact, Mailbox

if TYPE_CHECKING:
    from mailer.cli.guests import Guest
    from mailer.cli.mailing import Prepared


def send_test(prepared: Prepared, guests: Iterable[Guest], address: str) -> int:
    """Sends what some of `guests` would get to `address` instead; gives the exit code. Raises UsageError, RelayError.

    Subject and text are left as they will be, since their looks in a mailbox, and whether they reach it, are what a
    test is for.
    """
    from mailer.cli.dispatch import send_samples

    try:
        to = Mailbox(Address.parse(address))
    except ValueError as exc:
        raise UsageError(f"--test {address}: {exc}") from None

    def tell(guest: Guest, words: str) -> None:
        copies = f"; in copy, not here: {', '.join(map(str, guest.contact.cc))}" if guest.contact.cc else ""
        form = f"{guest.language}, {guest.contact.party.kind}, {guest.form.salutation}"
        console.say(f"{words}: {form} as for {guest.form.address_name} ({guest.contact.address}){copies}")

    samples = choose_samples(prepared, guests)
    number, sent = len(samples), asyncio.run(send_samples(prepared, samples, to, tell))
    days = prepared.desk.event.days_left(prepared.desk.clock())
    if prepared.mailing.is_reminder and days >= 0:
        console.say(f"They say what is said {console.count(days, 'day')} before the deadline; --now shows another day.")
    how_many = console.count(number, "sample") if sent == number else f"{sent} of {console.count(number, 'sample')}"
    console.say(
        f"{how_many} for {to.address}: subject and text as they will be, but with your address, without Cc, and with a "
        "reference that is nobody's. The ledger counts them for the pace alone."
    )
    if sent < number:
        console.say(f"{number - sent} not sent, for what is said above: mend it or wait, then test again.")
        return WANTS_A_PERSON
    console.say("Then see whom it is for, with --dry-run in place of --test, and send it.")
    return 0


def choose_samples(prepared: Prepared, guests: Iterable[Guest]) -> list[Guest]:
    """Few of `guests` whose messages show each form of which there is one, in their order."""
    variants: dict[frozenset[object], tuple[int, Guest]] = {}
    for number, guest in enumerate(guests):
        variants.setdefault(frozenset(_forms(prepared, guest)), (number, guest))
    unseen = set[object]().union(*variants)
    chosen: dict[int, Guest] = {}
    while unseen:
        shown = max(variants, key=lambda forms: len(forms & unseen))
        number, guest = variants[shown]
        chosen[number] = guest
        unseen -= shown
    return [chosen[number] for number in sorted(chosen)]


def _forms(prepared: Prepared, guest: Guest) -> Iterator[object]:
    """What can be different in a message: in each language salutation, rule by kind of party, and empty cells."""
    contact, language = guest.contact, guest.language
    yield language, _salutation(guest)
    yield language, contact.party.kind, contact.rule or prepared.desk.event.rsvp.rule
    yield "cc", bool(contact.cc)
    yield "attachment", bool(contact.attachment)
    for name in prepared.letters.fields(language):
        yield language, name, bool(_cell(contact, name))


def _salutation(guest: Guest) -> str:
    """The salutation without the name in it: "Dear Ms."; the row's own ones count as one form."""
    contact = guest.contact
    if contact.salutation:
        return "own"
    names = f"{contact.name} {contact.first_name} {contact.last_name}".casefold().split()
    words = guest.form.salutation.rstrip(",:،").split()
    return " ".join(word for word in words if word.casefold() not in names)


def _cell(contact: Contact, name: str) -> object:
    """What stands in the cell of which a template speaks by this `name`; None where it is no cell's."""
    match name.split("."):
        case ["contact", "extra", column]:
            return contact.extra.get(column)
        case ["contact", field]:
            return getattr(contact, field, None)
    return None
