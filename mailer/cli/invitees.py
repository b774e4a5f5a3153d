"""Whom the sheets name, as far as they can be read: for whoever has their addresses from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from mailer.errors import InputRefused, Problem
from mailer.model import Contact, Invitation, Party

if TYPE_CHECKING:
    from mailer.cli.roll import Roll
    from mailer.config import Config
    from mailer.protocol import Directory


def contacts_of(settings: Config) -> Iterator[Contact]:
    """The sound rows; what is wrong with the others, `check` and `send` say."""
    return (found for found in _read(settings) if isinstance(found, Contact))


def _read(settings: Config) -> Iterator[Contact | Problem]:
    from mailer.contacts import read

    try:
        yield from read(settings.contact_paths)
    except InputRefused as exc:
        yield from exc.problems


class Invitees:
    """Whom the sheets name, in their order, and what they tell of those invited: read once, when first asked for.

    As long as a list cannot be read at all they are read anew each time, since somebody may just be saving it.
    """

    def __init__(self, settings: Config) -> None:
        self._settings = settings
        self._contacts: Roll[Contact] | None = None
        self._is_whole = False
        self._names: dict[str, str] = {}
        self._renamed: Mapping[Party, Party] | None = None

    def __iter__(self) -> Iterator[Contact]:
        from mailer.cli.guests import CONTACTS
        from mailer.cli.roll import Roll

        if self._contacts is None or not self._is_whole:
            self._is_whole = True
            self._contacts = Roll(self._sound_rows(), CONTACTS)
        return iter(self._contacts)

    def _sound_rows(self) -> Iterator[Contact]:
        for found in _read(self._settings):
            if isinstance(found, Contact):
                yield found
            elif found.is_error and not found.row:
                self._is_whole = False

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

        if self._renamed is None or not self._is_whole:
            self._renamed = renamed(invitations, self, directory)
        return self._renamed
