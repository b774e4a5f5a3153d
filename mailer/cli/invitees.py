"""Whom the sheets name, as far as they can be read: for whoever has their addresses from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from mailer.errors import InputRefused
from mailer.model import Contact, Invitation, Party

if TYPE_CHECKING:
    from mailer.cli.roll import Roll
    from mailer.config import Config
    from mailer.protocol import Directory


def contacts_of(settings: Config) -> Iterator[Contact]:
    """The sound rows; what is wrong with the others, `check` and `send` say."""
    from mailer.contacts import read

    try:
        yield from (found for found in read(settings.contact_paths) if isinstance(found, Contact))
    except InputRefused:
        return


class Invitees:
    """Whom the sheets name, in their order, and what they tell of those invited: read once, when first asked for."""

    def __init__(self, settings: Config) -> None:
        self._settings = settings
        self._names: dict[str, str] = {}
        self._renamed: Mapping[Party, Party] | None = None

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._contacts)

    @cached_property
    def _contacts(self) -> Roll[Contact]:
        from mailer.cli.guests import CONTACTS
        from mailer.cli.roll import Roll

        return Roll(contacts_of(self._settings), CONTACTS)

    def names(self, keys: set[str]) -> Mapping[str, str]:
        """Names by address key; empty for an office, and for whom no sheet holds."""
        if missing := keys - self._names.keys():
            self._names |= dict.fromkeys(missing, "")
            self._names |= {contact.address.key: contact.name for contact in self if contact.address.key in missing}
        return self._names

    def renamed(self, invitations: Iterable[Invitation], directory: Directory) -> Mapping[Party, Party]:
        """What the sheets call parties that were invited by another name.

        It is found once, as whoever is invited afterwards is invited by the name that stands in the sheets.
        """
        from mailer.answers.parties import renamed

        if self._renamed is None:
            self._renamed = renamed(invitations, self, directory)
        return self._renamed
