"""Puts invitees into the ledger: an invitation for each new recipient, a queued delivery for each new mailing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mailer.ledger.identity import Identity
from mailer.ledger.records import ASKED_AT_ONCE, Invitee, cc_of, cc_text, chunks, marks
from mailer.ledger.schema import moment_text
from mailer.ledger.store import Store
from mailer.ledger.suppression import hold_back, suppressed
from mailer.model import Address

# The last two columns say whether the delivery waits to be sent, and how often it was tried.
_KNOWN = (
    "SELECT i.digest, i.id, i.party, i.party_kind, i.rule, d.id, d.cc, d.state = 'queued' OR d.state = 'deferred', "
    "d.attempts "
    "FROM invitations i LEFT JOIN deliveries d ON d.invitation_id = i.id AND d.mailing = ? "
    "WHERE i.event = ? AND i.digest IN ({})"
)
_INVITE = (
    "INSERT INTO invitations (event, digest, recipient, party, party_kind, rule, reference, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
# Nobody else makes invitations meanwhile, so that those above the last id are the new ones.
_LAST = "SELECT COALESCE(MAX(id), 0) FROM invitations"
_NEW = "SELECT digest, id FROM invitations WHERE id > ? ORDER BY id"
_QUEUE = (
    "INSERT INTO deliveries (invitation_id, event, mailing, recipient, cc, message_id, queued_at, updated_at, "
    "state, reason, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', '', 0)"
)
# Both look again, as another process may have claimed the delivery in the meantime.
_CORRECT_CC = "UPDATE deliveries SET cc = ? WHERE id = ? AND attempts = ? AND (state = 'queued' OR state = 'deferred')"
_CORRECT_INVITATION = (
    "UPDATE invitations SET party = ?, party_kind = ?, rule = ? WHERE id = ? AND NOT EXISTS ("
    "SELECT 1 FROM deliveries d WHERE d.invitation_id = invitations.id AND (d.attempts > 0 OR d.state = 'claimed'){})"
)
_OF_THIS_MAILING = " AND d.mailing = ?"


@dataclass(frozen=True, slots=True)
class Intake:
    """What the rows of one call have in common: event, mailing, the domain of the Message-IDs, and the moment.

    `invites` says that the mailing tells party and rule anew, whatever others have told before.
    """

    store: Store
    identity: Identity
    event: str
    mailing: str
    domain: str
    now: datetime
    invites: bool

    def enqueue(self, invitees: Iterable[Invitee]) -> int:
        """Queues those in one transaction who are not in the mailing yet; returns how many wait to be sent."""
        wanted: dict[bytes, Invitee] = {}
        for invitee in invitees:
            wanted.setdefault(self.identity.of(invitee.recipient), invitee)
        with self.store.engine.begin() as connection:
            self.store.wait_for_turn(connection)
            self.store.make_room(connection)
            gone = suppressed(self.store, connection, self._everybody(wanted))
            known = self._known(connection, wanted)
            self._correct(connection, known, wanted, gone)
            numbers = {digest: number for digest, number, *_ in known}
            for digest, *_, delivery, _, _, _ in known:
                if delivery is not None:
                    del wanted[digest]
            if wanted:
                self._invite(
                    {digest: one for digest, one in wanted.items() if digest not in numbers}, numbers, connection
                )
                connection.exec_driver_sql(self.store.sql(_QUEUE), self._delivery_rows(wanted, numbers, gone))
            if gone:
                hold_back(connection, self.now)
            return sum(digest not in gone for digest in wanted)

    def _invite(self, missing: dict[bytes, Invitee], numbers: dict[bytes, int], connection: Connection) -> None:
        """Makes the invitations that are missing, and adds theirs to the numbers."""
        last = connection.exec_driver_sql(_LAST).scalar_one()
        turn = 0
        while missing:
            # Who is missing on a later turn has drawn a reference that is another's, and draws again.
            connection.exec_driver_sql(self.store.sql(_INVITE), self._invitation_rows(missing, turn))
            for digest, number in connection.exec_driver_sql(self.store.sql(_NEW), (last,)):
                numbers[digest] = last = number
                del missing[digest]
            turn += 1

    def _everybody(self, invitees: Mapping[bytes, Invitee]) -> Iterator[bytes]:
        """The digests of all addressees and of everybody in a Cc."""
        yield from invitees
        yield from (self.identity.of(address) for invitee in invitees.values() for address in invitee.cc)

    def _known(self, connection: Connection, digests: Iterable[bytes]) -> list[Row[*tuple[Any, ...]]]:
        """What is there of each: digest, number, party and rule, then delivery, Cc, whether it waits, and attempts."""
        return [
            row
            for some in chunks(digests, ASKED_AT_ONCE)
            for row in connection.exec_driver_sql(
                self.store.sql(_KNOWN.format(marks(some))), (self.mailing, self.event, *some)
            )
        ]

    def _correct(
        self,
        connection: Connection,
        known: Iterable[Row[*tuple[Any, ...]]],
        invitees: Mapping[bytes, Invitee],
        gone: Collection[bytes],
    ) -> None:
        """Takes over what the sheet says now: all of it where no attempt was made, else who is to have no copy."""
        copies, invitations = [], []
        for digest, number, name, kind, rule, delivery, cc, waits, attempts in known:
            if delivery is not None and not waits:
                continue
            invitee = invitees[digest]
            party = invitee.party
            # Words equal their StrEnum.
            if not attempts and (name != party.name or kind != party.kind or rule != invitee.rule):
                invitations.append((party.name, party.kind.value, invitee.rule.value, number))
            if delivery is not None and cc != cc_text(invitee.cc):
                # What the relay was offered before is offered again, but to nobody who is to have no copy any more.
                keys = {one.key for one in invitee.cc}
                named = [one for one in cc_of(cc) if one.key in keys] if attempts else invitee.cc
                if cc != (wanted := self._cc(named, gone)):
                    copies.append((wanted, delivery, attempts))
        if copies:
            connection.exec_driver_sql(self.store.sql(_CORRECT_CC), copies)
        if invitations:
            mailing = (self.mailing,) if self.invites else ()
            correct = self.store.sql(_CORRECT_INVITATION.format(_OF_THIS_MAILING if mailing else ""))
            connection.exec_driver_sql(correct, [(*row, *mailing) for row in invitations])

    def _cc(self, named: Sequence[Address], gone: Collection[bytes]) -> str:
        """The Cc as it is stored, without the suppressed."""
        return cc_text([address for address in named if not gone or self.identity.of(address) not in gone])

    def _invitation_rows(self, invitees: Mapping[bytes, Invitee], turn: int) -> list[tuple[object, ...]]:
        at = moment_text(self.now)

        return [
            (
                self.event,
                digest,
                str(invitee.recipient),
                invitee.party.name,
                invitee.party.kind.value,
                invitee.rule.value,
                self.identity.reference(self.event, invitee.recipient, turn),
                at,
            )
            for digest, invitee in invitees.items()
        ]

    def _delivery_rows(
        self, invitees: Mapping[bytes, Invitee], numbers: Mapping[bytes, int], gone: Collection[bytes]
    ) -> list[tuple[object, ...]]:
        at = moment_text(self.now)
        return [
            (
                numbers[digest],
                self.event,
                self.mailing,
                str(invitee.recipient),
                self._cc(invitee.cc, gone),
                self.identity.message_id(self.event, self.mailing, invitee.recipient, self.domain),
                at,
                at,
            )
            for digest, invitee in invitees.items()
        ]
