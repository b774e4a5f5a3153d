"""Puts invitees into the ledger: an invitation for each new recipient, a queued delivery for each new mailing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Row

from mailer.ledger.identity import Identity
from mailer.ledger.records import Invitee, cc_text, marks
from mailer.ledger.schema import moment_text
from mailer.ledger.store import Store
from mailer.ledger.suppression import hold_back
from mailer.model import Party

_KNOWN = (
    "SELECT i.digest, i.id, EXISTS (SELECT 1 FROM deliveries d WHERE d.invitation_id = i.id AND d.mailing = ?) "
    "FROM invitations i WHERE i.event = ? AND i.digest IN ({})"
)
_INVITE = (
    "INSERT INTO invitations (event, digest, recipient, party, party_key, party_kind, rule, reference, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_QUEUE = (
    "INSERT INTO deliveries (invitation_id, event, mailing, recipient, cc, message_id, queued_at, updated_at, "
    "state, reason, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', '', 0)"
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What the rows of one call have in common: event, mailing, the domain of the Message-IDs, and the moment."""

    store: Store
    identity: Identity
    event: str
    mailing: str
    domain: str
    now: datetime

    def enqueue(self, invitees: Iterable[Invitee]) -> int:
        """Queues those in one transaction who are not in the mailing yet; returns how many wait to be sent."""
        wanted: dict[bytes, Invitee] = {}
        for invitee in invitees:
            wanted.setdefault(self.identity.of(invitee.recipient), invitee)
        with self.store.engine.begin() as connection:
            self.store.wait_for_turn(connection)
            numbers: dict[bytes, int] = {}
            for digest, number, queued in self._known(connection, wanted):
                numbers[digest] = number
                if queued:
                    del wanted[digest]
            if not wanted:
                return 0
            missing = {digest: invitee for digest, invitee in wanted.items() if digest not in numbers}
            turn = 0
            while missing:
                # Who is missing on a later turn has drawn a reference that is another's, and draws again.
                connection.exec_driver_sql(self.store.sql(_INVITE), self._invitation_rows(missing, turn))
                for digest, number, _ in self._known(connection, missing):
                    numbers[digest] = number
                    del missing[digest]
                turn += 1
            connection.exec_driver_sql(self.store.sql(_QUEUE), self._delivery_rows(wanted, numbers))
            return len(wanted) - hold_back(connection, self.now)

    def _known(self, connection: Connection, digests: Collection[bytes]) -> Sequence[Row[bytes, int, bool]]:
        """Digest and number of each invitation that is there, and whether it is in the mailing already."""
        query = self.store.sql(_KNOWN.format(marks(digests)))
        return connection.exec_driver_sql(query, (self.mailing, self.event, *digests)).all()

    def _invitation_rows(self, invitees: Mapping[bytes, Invitee], turn: int) -> list[tuple[object, ...]]:
        at = moment_text(self.now)

        @cache
        def columns(party: Party) -> tuple[str, str, str]:
            return party.name, party.key, party.kind.value

        return [
            (
                self.event,
                digest,
                str(invitee.recipient),
                *columns(invitee.party),
                invitee.rule.value,
                self.identity.reference(self.event, invitee.recipient, turn),
                at,
            )
            for digest, invitee in invitees.items()
        ]

    def _delivery_rows(
        self, invitees: Mapping[bytes, Invitee], numbers: Mapping[bytes, int]
    ) -> list[tuple[object, ...]]:
        at = moment_text(self.now)
        return [
            (
                numbers[digest],
                self.event,
                self.mailing,
                str(invitee.recipient),
                cc_text(invitee.cc),
                self.identity.message_id(self.event, self.mailing, invitee.recipient, self.domain),
                at,
                at,
            )
            for digest, invitee in invitees.items()
        ]
