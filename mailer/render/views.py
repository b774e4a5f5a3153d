"""What a template sees of the event and of a contact, as plain tables, and a sample contact to try templates with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from mailer.model import Address, Contact, Event, Form, Party, PartyKind, Place

NAMES = frozenset({
    "event", "contact", "salutation", "address_name", "reference", "rsvp_url", "deadline", "days_left",
    "transfer_note", "mailing",
})  # fmt: skip

# What the layouts see besides: the parts they put together.
LAYOUT_NAMES = frozenset({"subject", "language", "direction", "body", "foot"})

_ADDRESS = re.compile(r"(?:https?://|mailto:)\S+|(?P<mailbox>[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+)", re.IGNORECASE)


def event_view(event: Event, language: str) -> dict[str, object]:
    """The event as templates in `language` see it."""
    event = event.in_language(language)
    return {
        **event.tables,
        "name": event.name,
        "title": event.title,
        "starts": event.starts,
        "ends": event.ends,
        "timezone": event.timezone.key,
        # None where it is empty: a template may ask for it, and printing it is an error.
        "venue": event.venue or None,
        "online": event.online,
        "cancelled": event.cancelled,
        "hosts": event.hosts,
        "source": event.source,
        "links": dict(event.links),
        "contact_person": {
            "name": event.contact_person.name,
            "position": event.contact_person.position or None,
            "email": event.contact_person.email,
        },
        "rsvp": {
            "deadline": event.rsvp.deadline,
            "rule": event.rsvp.rule.value,
            "capacity": event.rsvp.capacity,
        },
    }


def links_in(shared: Mapping[str, object], *tables: str) -> dict[str, str]:
    """The `shared` values that are nothing but an address, as templates name them; what a link to each begins with.

    They are the organiser's own words, which a contact's values are not.
    """
    links: dict[str, str] = {}
    for key, value in shared.items():
        if isinstance(value, Mapping):
            links |= links_in(value, *tables, key)
        elif isinstance(value, str) and (address := _ADDRESS.fullmatch(value)):
            links[".".join((*tables, key))] = "mailto:" if address["mailbox"] else ""
    return links


def contact_view(contact: Contact, party: str, language: str) -> dict[str, object]:
    """The contact as templates see it; `party` is the name in prose, `language` that of the letter."""
    return {
        "title": contact.title,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.name,
        "position": contact.position,
        "rank": contact.rank,
        "email": str(contact.address),
        "language": language,
        "party": party,
        "party_kind": contact.party.kind.value,
        "extra": contact.extra if isinstance(contact.extra, dict) else dict(contact.extra),
    }


def shared_values(event: Event, language: str) -> dict[str, object]:
    """What means the same in every letter in `language`."""
    return {"event": event_view(event, language), "deadline": event.rsvp.deadline}


def known_names(shared: Mapping[str, object], names: frozenset[str]) -> dict[str, object]:
    """`names` with what is known of them: the `shared` values, the contact's fields but not its extra ones."""
    contact, _ = next(samples({}))
    known: dict[str, object] = {name: shared.get(name) for name in names}
    return {**known, "event": shared["event"], "contact": {**contact_view(contact, "", ""), "extra": None}}


def rsvp_url(event: Event, reference: str) -> str:
    """The address at which this invitation is answered; only the reference is put in, the rest stays as it is."""
    return event.rsvp.url.replace("{reference}", quote(reference, safe=""))


class AnyColumn(dict[str, str]):
    """Stands for the unknown columns of a sheet that has not been read: every one is there."""

    def __missing__(self, key: str) -> str:
        return "https://example.org/sample"

    def __contains__(self, key: object) -> bool:
        return True


def samples(extra: Mapping[str, str]) -> Iterator[tuple[Contact, Form]]:
    """A person and a mailbox of each kind of party, with which every branch of most templates is gone through."""
    place = Place("sample", None, 1)
    address = Address("sample", "example.org")
    for kind in PartyKind:
        party = Party("Sample", kind)
        yield (
            Contact(place, party, address, (), "Ms.", "Ana", "SAMPLE", "Ana SAMPLE", "Adviser", "Counsellor",
                    extra=extra),
            Form("Dear Ms. Sample,", "Ms. Ana SAMPLE"),
        )  # fmt: skip
        yield Contact(place, party, address, extra=extra), Form("Dear colleagues,", "Sample")
