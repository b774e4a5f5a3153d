"""Message after message to a relay that is ready for them (RFC 5321, 2920), as pure steps: no socket, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, NoReturn

from mailer.errors import LoginRefused, SenderRefused
from mailer.model import Address, Envelope, Reply
from mailer.smtp import commands
from mailer.smtp.features import Features
from mailer.smtp.flight import NEXT, Flight
from mailer.smtp.steps import SILENCE, Ask, Body, Lost, Steps
from mailer.smtp.transport import Outcome
from mailer.status import Judgement, Scope, Stage, Trust, Verdict, is_too_many_recipients, judge

_CROWD = "the relay wants Cc in transactions of their own"


class _Refusal(NamedTuple):
    stage: Stage
    reply: Reply
    judgement: Judgement
    needed: int = 0


class _Consent(NamedTuple):
    """The relay waits for the message: what is to be noted of each Cc left out, and who is for another transaction."""

    notes: Sequence[str]
    put_off: Sequence[Address]


class Dialogue:
    """The transactions of one connection with `relay` (`host:port`, for the sentences of errors).

    `trust` is what we are to the relay before that. `has_ended` tells that nothing sensible can be said on this
    connection any more: drop it without a further word.
    """

    def __init__(self, relay: str, features: Features, trust: Trust = Trust.ADMITTED) -> None:
        self.features = features
        self.has_ended = False
        self._relay = relay
        self._trust = trust
        self._has_begun = False  # a MAIL was accepted
        self._ahead: Flight | None = None
        self._stage = Stage.MAIL
        self._has_dot = False

    def send(
        self,
        envelope: Envelope,
        content: Sequence[bytes],
        following: Envelope | None = None,
        *,
        is_known: bool = False,
        transactions: int | None = None,
    ) -> Steps[Outcome]:
        """One message, see `Transport.send`; a connection lost behind the final dot leaves its outcome unknown."""
        if self._ahead is not None and self._ahead.envelope != envelope:
            raise ValueError("another envelope is under way: send its message, or abandon it")
        body = commands.stuffed(content)
        flight = self._ahead
        if flight is None:
            if obstacle := self._obstacle(envelope):
                return obstacle
            self._require_sender(envelope)
            flight = Flight.of(envelope, self.features)
            if transactions and (needed := 1 + len(flight.put_off)) > transactions:
                return Outcome(Verdict.TRANSIENT, Stage.RCPT, note=_CROWD, needed=needed)
        ahead = None
        if following is not None and self.features.pipelining and self._obstacle(following) is None:
            ahead = Flight.of(following, self.features)
            if ahead.put_off:
                ahead = None  # it may not be allowed so many transactions
        if is_known:
            self._trust = Trust.KNOWN
        outcome, put_off = yield from self._transact(flight, body, ahead, transactions)
        if outcome.reply and outcome.scope in {Scope.LOGIN, Scope.SENDER}:
            self._stop_run(outcome.stage, outcome.reply, outcome.scope)
        if outcome.verdict is not Verdict.ACCEPTED or not put_off:
            return outcome
        notes, begun = [outcome.note], outcome.transactions
        for path in put_off:
            begun += not self.has_ended
            notes.append((yield from self._send_copy(replace(envelope, forward_paths=(path,)), body)))
        return replace(outcome, note="; ".join(filter(None, notes)), transactions=begun)

    def abandon(self) -> Steps[None]:
        """Takes back an envelope that went ahead of its message. Ends the connection if DATA went with it."""
        if self._ahead is None:
            return
        flight, self._ahead = self._ahead, None
        yield from self._take_back(flight.commands[: flight.ahead], must_reset=True)

    def quit(self) -> Steps[None]:
        """QUIT, whatever the relay says to that; nothing at all where it could be taken for something else."""
        try:
            if not self.has_ended and self._ahead is None:
                yield Ask((commands.QUIT,), Stage.QUIT)
        except Lost:
            pass
        self.has_ended = True

    # --- what can be sent at all --------------------------------------------------------------------------------------

    def _obstacle(self, envelope: Envelope) -> Outcome | None:
        """Why this relay need not be asked to take the message; None if it is to be asked."""
        limit = self.features.size
        if limit and envelope.size > limit:
            note = f"the message has {envelope.size} octets and {self._relay} takes {limit} at most: attach less"
            return Outcome(Verdict.PERMANENT, Stage.MAIL, note=note)
        if envelope.forward_paths[0].needs_smtputf8 and not self.features.smtputf8:
            note = (
                f"the address has letters outside ASCII and {self._relay} cannot carry it (SMTPUTF8): use another one"
            )
            return Outcome(Verdict.PERMANENT, Stage.MAIL, note=note)
        if envelope.eight_bit and not self.features.eight_bit:
            # Connections to one name may end at different servers: later, built anew for another, the message can go.
            note = f"{self._relay} does not offer 8BITMIME on this connection: the message is to be encoded for that"
            return Outcome(Verdict.TRANSIENT, Stage.MAIL, note=note)
        return None

    def _require_sender(self, envelope: Envelope) -> None:
        """Raises SenderRefused where the sender's own addresses make every message one that this relay cannot carry."""
        if envelope.smtputf8 and not self.features.smtputf8:
            raise SenderRefused(
                f"{self._relay} cannot carry addresses with letters outside ASCII (SMTPUTF8), and the sender has one: "
                "set MAIL_FROM, REPLY_TO and RETURN_PATH to others."
            )

    # --- a transaction ------------------------------------------------------------------------------------------------

    def _transact(
        self, flight: Flight, body: Sequence[bytes], ahead: Flight | None = None, transactions: int | None = None
    ) -> Steps[tuple[Outcome, Sequence[Address]]]:
        """What becomes of a message, and who is to get it in a further transaction, before which nothing goes ahead."""
        self._has_dot = False
        try:
            agreed = yield from self._agree(flight, transactions)
            if isinstance(agreed, _Refusal):
                return _refused(agreed), ()
            ahead = None if agreed.put_off else ahead
            return (yield from self._hand_over(body, ahead, agreed.notes)), agreed.put_off
        except Lost as exc:
            self.has_ended = True
            verdict = Verdict.UNKNOWN if self._has_dot else Verdict.TRANSIENT
            begun = 0 if self._stage is Stage.MAIL else 1
            return Outcome(verdict, self._stage, note=str(exc), scope=Scope.CONNECTION, transactions=begun), ()

    def _send_copy(self, envelope: Envelope, body: Sequence[bytes]) -> Steps[str]:
        """The same message once more, to one Cc; what is to be noted of that.

        The addressee has the message: whatever becomes of the copy, it neither stops the run nor casts a doubt.
        """
        path = envelope.forward_paths[0]
        if self.has_ended:
            return _left_out(path, "the connection ended before it")
        outcome, _ = yield from self._transact(Flight.of(envelope, self.features), body)
        if outcome.verdict is Verdict.ACCEPTED:
            return ""
        if outcome.verdict is Verdict.UNKNOWN:
            return f"Cc {path} in doubt: {outcome.reply.text if outcome.reply else outcome.note}"
        return _left_out(path, outcome.reply.text if outcome.reply else outcome.note)

    # --- MAIL, RCPT, DATA ---------------------------------------------------------------------------------------------

    def _agree(self, flight: Flight, transactions: int | None) -> Steps[_Refusal | _Consent]:
        """Up to the relay's 354; or what the relay refused altogether, or in one transaction of so many."""
        under_way, self._ahead = self._ahead is not None, None
        self._stage = Stage.MAIL
        refusal = self._judge((yield NEXT[Stage.MAIL] if under_way else flight.departure()))
        must_reset = refusal is None
        self._has_begun = self._has_begun or must_reset
        answered = 1
        carried = {*flight.paths, *flight.put_off}
        notes = [_left_out(path, "needs SMTPUTF8") for path in flight.envelope.forward_paths if path not in carried]
        put_off: list[Address] = []
        crowd: Reply | None = None
        for path in flight.paths:
            if refusal is not None:
                break
            self._stage = Stage.RCPT
            reply = yield flight.ask(answered, Stage.RCPT)
            answered += 1
            refused = self._judge(reply, is_copy=path is not flight.paths[0])
            if refused and (path is flight.paths[0] or refused.judgement.scope is not Scope.DELIVERY):
                refusal = refused
            elif refused and is_too_many_recipients(reply):
                put_off.append(path)
                crowd = reply
            elif refused:
                notes.append(_left_out(path, reply.text))
        put_off += flight.put_off
        if refusal is None and crowd and transactions and len(put_off) >= transactions:
            refusal = _Refusal(Stage.RCPT, crowd, Judgement(Verdict.TRANSIENT, reason=_CROWD), 1 + len(put_off))
        if refusal is None:
            self._stage = Stage.DATA
            refusal = self._judge((yield flight.ask(answered, Stage.DATA)))
            answered += 1
        if refusal is None:
            return _Consent(notes, put_off)
        misunderstood = yield from self._take_back(flight.commands[answered : flight.ahead], must_reset=must_reset)
        return misunderstood or refusal

    def _take_back(self, owed: Sequence[bytes], *, must_reset: bool) -> Steps[_Refusal | None]:
        """Hears out what was written behind a refused command, and ends the transaction.

        A 354 without a wanted recipient is answered by dropping the connection: a lone dot, as RFC 2920 section 3.1
        has it, would send an empty message wherever the relay took a recipient that we count as refused. A 2xx to DATA
        shows that the replies have lost step with our commands: then it is returned in the place of a refusal that may
        have been of something else. Nothing was accepted, as no content was written.
        """
        try:
            for command in owed if not self.has_ended else ():
                reply = yield NEXT[Stage.DATA]
                misunderstood = command is commands.DATA and reply.code < 300
                if misunderstood or reply.code in {354, 421}:
                    self.has_ended = True
                    return _Refusal(Stage.DATA, reply, judge(Stage.DATA, reply)) if misunderstood else None
            if must_reset and not self.has_ended:
                reply = yield Ask((commands.RSET,), Stage.RESET)
                self.has_ended = reply.code // 100 != 2
        except Lost:
            self.has_ended = True
        return None

    # --- the message --------------------------------------------------------------------------------------------------

    def _hand_over(self, body: Sequence[bytes], ahead: Flight | None, notes: Sequence[str]) -> Steps[Outcome]:
        """The content, the final dot and, in the same write, the following envelope (RFC 2920 section 3.1)."""
        self._stage = Stage.BODY
        reply = yield Body(body)
        if reply is not SILENCE:
            # The relay broke in. The final dot is not written, so a refusal is certain and a consent worth nothing.
            self.has_ended = True
            if reply.code < 400:
                note = f"the relay said {reply.text!r} amidst the message"
                return Outcome(Verdict.TRANSIENT, Stage.BODY, note=note, scope=Scope.CONNECTION, transactions=1)
            return _refused(_Refusal(Stage.BODY, reply, judge(Stage.BODY, reply, self._trust)))
        self._has_dot = True
        self._ahead = ahead
        if ahead:
            reply = yield Ask((commands.FINAL_DOT, *ahead.commands[: ahead.ahead]), Stage.BODY, 1 + ahead.ahead)
        else:
            reply = yield Ask((commands.FINAL_DOT,), Stage.BODY)
        if refusal := self._judge(reply):
            return _refused(refusal)
        self._trust = Trust.KNOWN
        return Outcome(Verdict.ACCEPTED, Stage.BODY, reply, "; ".join(notes), transactions=1)

    # --- replies ------------------------------------------------------------------------------------------------------

    def _judge(self, reply: Reply, *, is_copy: bool = False) -> _Refusal | None:
        trust = Trust.KNOWN if is_copy else self._trust  # the addressee of the same message was taken
        judgement = judge(self._stage, reply, trust, has_begun=self._has_begun)
        if judgement.verdict is Verdict.ACCEPTED:
            return None
        self.has_ended = judgement.scope is Scope.CONNECTION
        return _Refusal(self._stage, reply, judgement)

    def _stop_run(self, stage: Stage, reply: Reply, scope: Scope) -> NoReturn:
        if scope is Scope.LOGIN:
            raise LoginRefused(
                f"{self._relay} wants a login that it accepts before it takes mail: {reply.text}. Check SMTP_USERNAME, "
                "SMTP_PASSWORD and SMTP_SECURITY."
            )
        raise SenderRefused(
            f"{self._relay} does not let this account send from that address (at {stage.upper()}): {reply.text}. Check "
            "MAIL_FROM and RETURN_PATH, or have the address granted to the account."
        )


def _refused(refusal: _Refusal) -> Outcome:
    stage, reply, judged, needed = refusal
    return Outcome(
        judged.verdict, stage, reply, judged.reason, judged.scope, judged.slow_down, transactions=1, needed=needed
    )


def _left_out(path: Address, why: str) -> str:
    return f"Cc {path} left out: {why}"
