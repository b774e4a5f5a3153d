"""Who is invited already, who gets a copy, and who is to get neither: no address is entered twice."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace

from mailer.contacts.person import Row
from mailer.model import Contact, Standing

_ROW_BITS = 21  # rows up to rows.MAX_ROWS
_COPY = 1 << _ROW_BITS  # marks the place of an address that gets a copy there, and no invitation of its own
_SHEET_BITS = _ROW_BITS + 1
_SLOTS = 1024
_TWICE = "Nothing, if two mails are meant; else take the address out of one of the two rows."


class Register:
    """Addresses by the row that keeps their invitation: 12 octets a slot, so that a million rows take some 25 MB.

    An open-addressed hash table (Knuth, vol. 3, section 6.4, linear probing) of 64-bit hashes of `Address.key`; that
    two of a million addresses share one has odds of one in thirty million.
    """

    def __init__(self, sheets: Sequence[tuple[str, str | None]]) -> None:
        """`sheets` are the file and sheet names by which `enter` tells where the earlier row stands."""
        self.opted_out: set[str] = set()
        self.left: set[str] = set()
        self._sheets = sheets
        self._count = 0
        self._hashes = array("Q", [0]) * _SLOTS
        # Four octets are enough for the places in a thousand sheets.
        self._rows = array("Q" if len(sheets) << _SHEET_BITS > 1 << 32 else "I", [0]) * _SLOTS

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
        earlier = self._place(hash(key), place)
        if earlier is not None and not earlier & _COPY:
            row.say(
                column,
                f"The address stands already in {self._named(earlier)}, which keeps the invitation",
                "Delete one of the two rows.",
                "warning",
            )
            return None
        if earlier is not None:
            row.say(column, f"{contact.address} gets a copy by {self._named(earlier)} too", _TWICE, "warning")
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
            earlier = self._place(hash(address.key), place | _COPY)
            if earlier is not None:
                what = "a copy" if earlier & _COPY else "an invitation"
                row.say(column, f"{address} gets {what} by {self._named(earlier)} too", _TWICE, "warning")
        return contact if len(kept) == len(contact.cc) else replace(contact, cc=tuple(kept))

    def _named(self, place: int) -> str:
        file, name = self._sheets[place >> _SHEET_BITS]
        where = ", ".join(part for part in (file, f"sheet {name}" if name else "") if part)
        return f"{where}, row {place & (1 << _ROW_BITS) - 1}"

    def _place(self, digest: int, place: int) -> int | None:
        """Enter `place` under `digest`; or the place that stands there already, which yields if it is but a copy's."""
        if self._count * 2 > len(self._hashes):
            self._grow()
        digest = digest & 0xFFFF_FFFF_FFFF_FFFF or 1  # 0 marks an empty slot
        hashes, mask = self._hashes, len(self._hashes) - 1
        slot = digest & mask
        while taken := hashes[slot]:
            if taken == digest:
                earlier = self._rows[slot]
                if earlier & _COPY and not place & _COPY:
                    self._rows[slot] = place
                return earlier
            slot = slot + 1 & mask
        hashes[slot] = digest
        self._rows[slot] = place
        self._count += 1
        return None

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        self._hashes = array("Q", [0]) * (2 * len(hashes))
        self._rows = array(rows.typecode, [0]) * (2 * len(hashes))
        self._count = 0
        for digest, place in zip(hashes, rows, strict=True):
            if digest:
                self._place(digest, place)
