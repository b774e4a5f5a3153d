"""Whom the sheets name, as far as they can be read: for whoever has their addresses from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mailer.errors import InputRefused
from mailer.model import Contact

if TYPE_CHECKING:
    from mailer.config import Config


def contacts_of(settings: Config) -> Iterator[Contact]:
    """The sound rows; what is wrong with the others, `check` and `send` say."""
    from mailer.contacts import read

    try:
        yield from (found for found in read(settings.contact_paths) if isinstance(found, Contact))
    except InputRefused:
        return


class Invitees:
    """The names of those invited as the sheets have them, which are read only when one is asked for that is new."""

    def __init__(self, settings: Config) -> None:
        self._settings = settings
        self._names: dict[str, str] = {}

    def names(self, keys: set[str]) -> Mapping[str, str]:
        """Names by address key; empty for an office, and for whom no sheet holds."""
        if missing := keys - self._names.keys():
            self._names |= dict.fromkeys(missing, "")
            found = (contact for contact in contacts_of(self._settings) if contact.address.key in missing)
            self._names |= {contact.address.key: contact.name for contact in found}
        return self._names
