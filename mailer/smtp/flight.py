"""One envelope as the commands that it takes, and which of them may be written without waiting for replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mailer.model import Address, Envelope
from mailer.smtp import commands
from mailer.smtp.features import Features
from mailer.smtp.steps import Ask
from mailer.status import Stage

# The reply that comes next of several commands that were written together.
NEXT = {stage: Ask((), stage, 0) for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA)}


class Flight(NamedTuple):
    """One envelope as commands (MAIL, a RCPT for each of `paths`, DATA), the first `ahead` of them for one write.

    `paths` begins with the addressee. `put_off` are those that are too many for one transaction with this relay; a Cc
    that it cannot carry is in neither.
    """

    envelope: Envelope
    paths: Sequence[Address]
    put_off: Sequence[Address]
    commands: Sequence[bytes]
    ahead: int

    @classmethod
    def of(cls, envelope: Envelope, features: Features) -> Flight:
        """Where PIPELINING is offered, MAIL and every RCPT go at once, and DATA too for a single recipient.

        With several recipients DATA waits: the message must not go to a Cc whose addressee was refused.
        """
        first, *rest = carried = envelope.forward_paths
        if not features.smtputf8:
            carried = (first, *(path for path in rest if not path.needs_smtputf8))
        paths = carried[: features.most_recipients]
        rcpts = [commands.rcpt_to(path, features) for path in paths]
        ahead = 1 if not features.pipelining else 3 if len(paths) == 1 else 1 + len(paths)
        written = (commands.mail_from(envelope, features), *rcpts, commands.DATA)
        return cls(envelope, paths, carried[len(paths) :], written, ahead)

    def departure(self) -> Ask:
        """Writes what goes at once, and asks for the reply to MAIL."""
        return Ask(self.commands[: self.ahead], Stage.MAIL, self.ahead)

    def ask(self, number: int, stage: Stage) -> Ask:
        """Asks for the reply to one of the further commands, and writes that first where it has not gone."""
        return NEXT[stage] if number < self.ahead else Ask(self.commands[number : number + 1], stage)
