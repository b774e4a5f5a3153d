"""Who is invited already, who gets a copy, and who is to get neither: no address is entered twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailer.contacts.person import Row
from mailer.contacts.shelves import Shelves
from mailer.errors import ANOTHER_ROW, SheetRow
from mailer.model import Contact, Standing

_ROW_BITS = 21  # rows up to rows.MAX_ROWS
_COPY = 1 << _ROW_BITS  # marks the place of an address that gets a copy there, and no invitation of its own
_SHEET_BITS = _ROW_BITS + 1
_TWICE = "Nothing, if two mails are meant; else take the address out of one of the two rows."


class Register:
    """Addresses, by the hash of `Address.key`, and the row that keeps the invitation of each."""

    def __init__(self, sheets: Sequence[tuple[str, str | None]]) -> None:
        """`sheets` are the file and sheet names by which `enter` tells where the earlier row stands."""
        self.opted_out: set[str] = set()
        self.left: set[str] = set()
        self._sheets = sheets
        # Four octets are enough for the places in a thousand sheets.
        self._places = Shelves(wide=len(sheets) << _SHEET_BITS > 1 << 32)

    def enter(self, contact: Contact, sheet: int, row: Row) -> Contact | None:
        """The contact if it may be invited; as do-not-contact or None, with a warning in `row`, if it may not.

        `sheet` is the index of the contact's sheet among those given at first.
        """
        column = row.columns.address[0]
        key = contact.address.key
        if key in self.opted_out:
            row.say(
                column,
                f"Another row says not to contact {contact.address}",
                "Nothing: it will not be written to.",
                "warning",
            )
            return replace(contact, status=Standing.DO_NOT_CONTACT)
        place = sheet << _SHEET_BITS | contact.place.row
        earlier = self._places.put(hash(key), place, over=_COPY)
        if earlier is not None and not earlier & _COPY:
            is_of_other = earlier >> _SHEET_BITS != sheet
            row.say(
                column,
                f"The address stands already in {ANOTHER_ROW}, which keeps the invitation",
                f"Delete one of the two rows{', or this list if it is a copy' if is_of_other else ''}.",
                "warning",
                self._row(earlier),
            )
            return None
        if earlier is not None:
            problem = f"{contact.address} gets a copy by {ANOTHER_ROW} too"
            row.say(column, problem, _TWICE, "warning", self._row(earlier))
        return self._with_copies(contact, place, row) if contact.cc else contact

    def _with_copies(self, contact: Contact, place: int, row: Row) -> Contact:
        """The contact with those copies alone that may go out; who gets something else too is a warning in `row`."""
        column = row.columns.cc[0] if row.columns.cc else row.columns.address[0]
        kept = []
        for address in contact.cc:
            held = "not to contact" if address.key in self.opted_out else "left" if address.key in self.left else ""
            if held:
                problem = f"A copy was to go to {address}, of which another row says: {held}"
                row.say(column, problem, "Nothing: it gets none.", "warning")
                continue
            kept.append(address)
            earlier = self._places.put(hash(address.key), place | _COPY)
            if earlier is not None:
                what = "a copy" if earlier & _COPY else "an invitation"
                row.say(column, f"{address} gets {what} by {ANOTHER_ROW} too", _TWICE, "warning", self._row(earlier))
        return contact if len(kept) == len(contact.cc) else replace(contact, cc=tuple(kept))

    def _row(self, place: int) -> SheetRow:
        return SheetRow(*self._sheets[place >> _SHEET_BITS], place & (1 << _ROW_BITS) - 1)
