"""Who is invited already and who asked not to be: the same address is never entered twice."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace

from mailer.contacts.person import Row
from mailer.model import Contact, Standing

_ROW_BITS = 21  # rows up to rows.MAX_ROWS


class Register:
    """Addresses by the row that keeps their invitation: 16 octets a slot, so that a million rows take some 30 MB.

    An open-addressed hash table (Knuth, vol. 3, section 6.4, linear probing) of 64-bit hashes of `Address.key`; that
    two of a million addresses share one has odds of one in thirty million.
    """

    def __init__(self, sheets: Sequence[tuple[str, str | None]]) -> None:
        """`sheets` are the file and sheet names by which `enter` tells where the earlier row stands."""
        self.opted_out: set[str] = set()
        self._sheets = sheets
        self._count = 0
        self._hashes = array("Q", bytes(8 * 1024))
        self._rows = array("Q", bytes(8 * 1024))

    def enter(self, contact: Contact, sheet: int, row: Row) -> Contact | None:
        """The contact if it may be invited; as do-not-contact or None, with a warning in `row`, if it may not.

        `sheet` is the index of the contact's sheet among those given at first.
        """
        column = row.columns.address[0]
        key = contact.address.key
        if self.opted_out:
            if key in self.opted_out:
                row.say(
                    column,
                    f"Another row says not to contact {contact.address}",
                    "Nothing: it will not be written to.",
                    "warning",
                )
                return replace(contact, status=Standing.DO_NOT_CONTACT)
            contact = self._without_opted_out_copies(contact, row)
        earlier = self._place(hash(key), sheet << _ROW_BITS | contact.place.row)
        if earlier is None:
            return contact
        file, name = self._sheets[earlier >> _ROW_BITS]
        where = ", ".join(part for part in (file, f"sheet {name}" if name else "") if part)
        row.say(
            column,
            f"The address stands already in {where}, row {earlier & (1 << _ROW_BITS) - 1}, which keeps the invitation",
            "Delete one of the two rows.",
            "warning",
        )
        return None

    def _without_opted_out_copies(self, contact: Contact, row: Row) -> Contact:
        kept = tuple(address for address in contact.cc if address.key not in self.opted_out)
        if len(kept) == len(contact.cc):
            return contact
        column = row.columns.cc[0] if row.columns.cc else row.columns.address[0]
        row.say(
            column,
            "A copy was to go to an address that another row says not to contact",
            "Nothing: it gets none.",
            "warning",
        )
        return replace(contact, cc=kept)

    def _place(self, digest: int, place: int) -> int | None:
        """Enter `place` under `digest`; or the place that stands there already."""
        if self._count * 2 > len(self._hashes):
            self._grow()
        digest = digest & 0xFFFF_FFFF_FFFF_FFFF or 1  # 0 marks an empty slot
        hashes, mask = self._hashes, len(self._hashes) - 1
        slot = digest & mask
        while taken := hashes[slot]:
            if taken == digest:
                return self._rows[slot]
            slot = slot + 1 & mask
        hashes[slot] = digest
        self._rows[slot] = place
        self._count += 1
        return None

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        self._hashes = array("Q", bytes(16 * len(hashes)))
        self._rows = array("Q", bytes(16 * len(hashes)))
        self._count = 0
        for digest, place in zip(hashes, rows, strict=True):
            if digest:
                self._place(digest, place)
