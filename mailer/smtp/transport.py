"""The boundary behind which messages leave: an envelope and octets go in, an outcome comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mailer.model import Envelope, Reply, frozen
from mailer.smtp.features import Features
from mailer.status import Scope, Stage, Verdict


@frozen
class Outcome:
    """What became of one message, for the ledger.

    `stage` is where it was decided, `reply` the relay's words about it, None where it said nothing. `note` says in
    plain words what the reply does not: why it was refused, how the connection ended, which Cc was left out and why.
    `scope` is CONNECTION where all this says nothing about the message but that another connection is needed (421, a
    fault of the network). `slow_down`: the relay asks for fewer connections or a slower pace.

    `transactions` are those that the relay may have counted: whose MAIL it answered; none unless that is
    said. `needed`: the message was not sent, as it would have taken so many, and was allowed fewer; 0 otherwise.
    """

    verdict: Verdict
    stage: Stage
    reply: Reply | None = None
    note: str = ""
    scope: Scope = Scope.DELIVERY
    slow_down: bool = False
    transactions: int = 0
    needed: int = 0

    @property
    def is_retry(self) -> bool:
        """Whether the connection failed before the message could have been taken, without a word about the message:
        it is simply to be sent again over a new one."""
        return self.verdict is Verdict.TRANSIENT and self.reply is None and self.scope is Scope.CONNECTION


class Transport(Protocol):
    """One way out, used by one task at a time: an SMTP connection, or a test's double of it.

    Whatever concerns one message, or this connection alone, is an Outcome. What concerns the whole run is raised as
    one of the RelayErrors, by `open` or by `send`: then no recipient is to blame and nothing was accepted. The loop:

        if not transport.is_open: await transport.open()
        outcome = await transport.send(envelope, content, following)
    """

    @property
    def is_open(self) -> bool:
        """Whether `send` may be called; False again once the connection has ended, for whatever reason."""

    @property
    def features(self) -> Features:
        """What the relay offers, known from `open` on; `content` must respect it."""

    async def open(self) -> None:
        """Makes the way ready. Raises RelayBusy where fewer connections may help, else another RelayError."""

    async def send(
        self,
        envelope: Envelope,
        content: Sequence[bytes],
        following: Envelope | None = None,
        *,
        is_known: bool = False,
        transactions: int | None = None,
    ) -> Outcome:
        """Hands over one message, `content` being its octets with CRLF line ends in as many buffers as suits.

        The first forward path is the addressee: where it is refused, nothing is sent to the rest. A Cc that is one too
        many for the relay gets the same octets in a transaction of its own right behind; once the addressee's is
        accepted so is the message, and of the copy the note tells. `following` is the next envelope, which may travel
        ahead of its message; then the next call, at once, is `send` with that very envelope, or `abandon`, or `close`.
        `is_known`: the relay has taken a message of ours, on whatever connection. `transactions` is how many there may
        be of the message; where it turns out to need more, none of it is sent.

        Raises SenderRefused or LoginRefused when the whole run has to stop, and ValueError, before anything of it is
        sent, on content that could be taken for commands.
        """

    async def abandon(self) -> None:
        """Takes back a `following` envelope that will not be sent after all. May end the connection."""

    async def close(self) -> None:
        """Ends the connection politely where that is possible; may be called at any time and twice."""
