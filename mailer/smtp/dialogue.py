"""Message after message to a relay that is ready for them (RFC 5321, 2920), as pure steps: no socket, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from mailer.errors import LoginRefused, SenderRefused
from mailer.model import Address, Envelope, Reply
from mailer.smtp import commands
from mailer.smtp.features import Features
from mailer.smtp.steps import SILENCE, Ask, Body, Lost, Steps
from mailer.smtp.transport import Outcome
from mailer.status import Judgement, Scope, Stage, Verdict, judge

# The reply that comes next of several commands that were written together.
_NEXT = {stage: Ask((), stage, 0) for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA)}


class _Refusal(NamedTuple):
    stage: Stage
    reply: Reply
    judgement: Judgement


class Dialogue:
    """The transactions of one connection with `relay` (`host:port`, for the sentences of errors).

    `is_stranger`: we have not logged in, and the relay has never taken a message of ours. `has_ended` tells that
    nothing sensible can be said on this connection any more: drop it without a further word.
    """

    def __init__(self, relay: str, features: Features, *, is_stranger: bool = False) -> None:
        self.features = features
        self._is_stranger = is_stranger
        self.has_ended = False
        self._relay = relay
        self._ahead: _Flight | None = None
        self._stage = Stage.MAIL
        self._has_dot = False

    def send(self, envelope: Envelope, content: Sequence[bytes], following: Envelope | None = None) -> Steps[Outcome]:
        """One transaction, see `Transport.send`; a connection lost behind the final dot leaves its outcome unknown."""
        if self._ahead is not None and self._ahead.envelope != envelope:
            raise ValueError("another envelope is under way: send its message, or abandon it")
        body = commands.stuffed(content)
        flight = self._ahead
        if flight is None:
            if obstacle := self._obstacle(envelope):
                return obstacle
            self._require_sender(envelope)
            flight = _Flight.of(envelope, self.features)
        ahead = None
        if following is not None and self.features.pipelining and self._obstacle(following) is None:
            ahead = _Flight.of(following, self.features)
        self._has_dot = False
        try:
            agreed = yield from self._agree(flight)
            if isinstance(agreed, _Refusal):
                return self._refused(agreed)
            return (yield from self._hand_over(body, ahead, agreed))
        except Lost as exc:
            self.has_ended = True
            verdict = Verdict.UNKNOWN if self._has_dot else Verdict.TRANSIENT
            return Outcome(verdict, self._stage, note=str(exc), scope=Scope.CONNECTION)

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

    # --- MAIL, RCPT, DATA ---------------------------------------------------------------------------------------------

    def _agree(self, flight: _Flight) -> Steps[_Refusal | list[str]]:
        """Up to the relay's 354, and what is to be noted of each Cc left out; or what the relay refused altogether."""
        under_way, self._ahead = self._ahead is not None, None
        self._stage = Stage.MAIL
        refusal = self._judge((yield _NEXT[Stage.MAIL] if under_way else flight.departure()))
        must_reset = refusal is None
        answered = 1
        notes = [
            _left_out(path, "needs SMTPUTF8") for path in flight.envelope.forward_paths if path not in flight.paths
        ]
        for path in flight.paths:
            if refusal is not None:
                break
            self._stage = Stage.RCPT
            reply = yield flight.ask(answered, Stage.RCPT)
            answered += 1
            refused = self._judge(reply, is_copy=path is not flight.paths[0])
            if refused and (path is flight.paths[0] or refused.judgement.scope is not Scope.DELIVERY):
                refusal = refused
            elif refused:
                notes.append(_left_out(path, reply.text))
        if refusal is None:
            self._stage = Stage.DATA
            refusal = self._judge((yield flight.ask(answered, Stage.DATA)))
            answered += 1
        if refusal is None:
            return notes
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
                reply = yield _NEXT[Stage.DATA]
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

    def _hand_over(self, body: Sequence[bytes], ahead: _Flight | None, notes: Sequence[str]) -> Steps[Outcome]:
        """The content, the final dot and, in the same write, the following envelope (RFC 2920 section 3.1)."""
        self._stage = Stage.BODY
        reply = yield Body(body)
        if reply is not SILENCE:
            # The relay broke in. The final dot is not written, so a refusal is certain and a consent worth nothing.
            self.has_ended = True
            if reply.code < 400:
                note = f"the relay said {reply.text!r} amidst the message"
                return Outcome(Verdict.TRANSIENT, Stage.BODY, note=note, scope=Scope.CONNECTION)
            return self._refused(_Refusal(Stage.BODY, reply, judge(Stage.BODY, reply)))
        self._has_dot = True
        self._ahead = ahead
        if ahead:
            reply = yield Ask((commands.FINAL_DOT, *ahead.commands[: ahead.ahead]), Stage.BODY, 1 + ahead.ahead)
        else:
            reply = yield Ask((commands.FINAL_DOT,), Stage.BODY)
        if refusal := self._judge(reply):
            return self._refused(refusal)
        self._is_stranger = False
        return Outcome(Verdict.ACCEPTED, Stage.BODY, reply, "; ".join(notes))

    # --- replies ------------------------------------------------------------------------------------------------------

    def _judge(self, reply: Reply, *, is_copy: bool = False) -> _Refusal | None:
        judgement = judge(self._stage, reply, is_stranger=self._is_stranger and not is_copy)
        if judgement.verdict is Verdict.ACCEPTED:
            return None
        self.has_ended = judgement.scope is Scope.CONNECTION
        return _Refusal(self._stage, reply, judgement)

    def _refused(self, refusal: _Refusal) -> Outcome:
        stage, reply, judgement = refusal
        if judgement.scope in {Scope.LOGIN, Scope.SENDER}:
            self._stop_run(stage, reply, judgement.scope)
        scope, slow_down = judgement.scope, judgement.slow_down
        return Outcome(judgement.verdict, stage, reply, judgement.reason, scope=scope, slow_down=slow_down)

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


def _left_out(path: Address, why: str) -> str:
    return f"Cc {path} left out: {why}"


class _Flight(NamedTuple):
    """One envelope as commands (MAIL, a RCPT for each of `paths`, DATA), the first `ahead` of them for one write."""

    envelope: Envelope
    paths: Sequence[Address]
    commands: Sequence[bytes]
    ahead: int

    @classmethod
    def of(cls, envelope: Envelope, features: Features) -> _Flight:
        """Where PIPELINING is offered, MAIL and every RCPT go at once, and DATA too for a single recipient.

        With several recipients DATA waits: the message must not go to a Cc whose addressee was refused. A Cc that
        this relay cannot carry is not among `paths`.
        """
        first, *rest = paths = envelope.forward_paths
        if not features.smtputf8:
            paths = (first, *(path for path in rest if not path.needs_smtputf8))
        rcpts = [commands.rcpt_to(path, features) for path in paths]
        ahead = 1 if not features.pipelining else 3 if len(paths) == 1 else 1 + len(paths)
        return cls(envelope, paths, (commands.mail_from(envelope, features), *rcpts, commands.DATA), ahead)

    def departure(self) -> Ask:
        """Writes what goes at once, and asks for the reply to MAIL."""
        return Ask(self.commands[: self.ahead], Stage.MAIL, self.ahead)

    def ask(self, number: int, stage: Stage) -> Ask:
        """Asks for the reply to one of the further commands, and writes that first where it has not gone."""
        return _NEXT[stage] if number < self.ahead else Ask(self.commands[number : number + 1], stage)
