"""One store for all that must be remembered: invitations, deliveries, attempts and suppressions."""

from mailer.ledger.ledger import Ledger
from mailer.ledger.lock import begun_in
from mailer.ledger.probes import try_making, unproved
from mailer.ledger.records import Attempt, Edition, Erasure, History, Invitee, Suppression
from mailer.ledger.run import Run
from mailer.ledger.suppression import NOWHERE

__all__ = [
    "NOWHERE",
    "Attempt",
    "Edition",
    "Erasure",
    "History",
    "Invitee",
    "Ledger",
    "Run",
    "Suppression",
    "begun_in",
    "try_making",
    "unproved",
]
