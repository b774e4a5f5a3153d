"""Whom the sheets name, as far as they can be read: for whoever has their addresses from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from mailer.errors import Problem
from mailer.model import Contact, Invitation, Party

if TYPE_CHECKING:
    from mailer.cli.guests import NoteLayout
    from mailer.cli.roll import Roll
    from mailer.config import Config
    from mailer.protocol import Directory


def contacts_of(settings: Config) -> Iterator[Contact]:
    """The sound rows; what is wrong with the others, `check` and `send` say."""
    from mailer.contacts import read

    return (found for found in read(settings.contact_paths) if isinstance(found, Contact))


class Invitees:
    """Whom the sheets name, in their order, and what they tell of those invited: kept from when first asked for.

    As long as a list cannot be read at all they are read anew each time, since somebody may just be saving it.
    """

    def __init__(self, settings: Config, note_layout: NoteLayout | None) -> None:
        self._settings, self._note_layout = settings, note_layout
        self._contacts: Roll[Contact] | None = None
        self._problems: list[Problem] = []
        self._names: dict[str, str] = {}
        self._renamed: Mapping[Party, Party] | None = None

    def read(self) -> Iterator[Contact | Problem]:
        """All contacts and problems: those that are kept, else streamed from the sheets."""
        from mailer.cli.guests import read_sheets

        if self._contacts is None:
            return read_sheets(self._settings.contact_paths, self._note_layout)
        return chain(self._problems, self._contacts)

    def __iter__(self) -> Iterator[Contact]:
        from mailer.cli.guests import CONTACTS
        from mailer.cli.roll import Roll

        if self._contacts is not None:
            return iter(self._contacts)
        contacts, problems = Roll(packing=CONTACTS), []
        for found in self.read():
            if isinstance(found, Contact):
                contacts.append(found)
            else:
                problems.append(found)
        if all(problem.row or not problem.is_error for problem in problems):
            self._contacts, self._problems = contacts, problems
        return iter(contacts)

    def names(self, keys: set[str]) -> Mapping[str, str]:
        """Names by address key; empty for an office, and for whom no sheet holds."""
        if missing := keys - self._names.keys():
            self._names |= dict.fromkeys(missing, "")
            self._names |= {contact.address.key: contact.name for contact in self if contact.address.key in missing}
        return self._names

    def renamed(self, invitations: Collection[Invitation], directory: Directory) -> Mapping[Party, Party]:
        """What the sheets call parties that were invited by another name.

        It is found once, as whoever is invited afterwards is invited by the name that stands in the sheets.
        """
        from mailer.answers.parties import renamed

        if self._renamed is None or self._contacts is None:
            self._renamed = renamed(invitations, self, directory)
        return self._renamed
