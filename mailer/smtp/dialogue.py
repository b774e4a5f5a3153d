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

_RefusedCc = list[tuple[Address, Reply | None]]


class _Refusal(NamedTuple):
    stage: Stage
    reply: Reply
    judgement: Judgement


class Dialogue:
    """The transactions of one connection with `relay` (`host:port`, for the sentences of errors).

    `has_ended` tells that nothing sensible can be said on this connection any more: drop it without a further word.
    """

    def __init__(self, relay: str, features: Features) -> None:
        self.features = features
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
        if obstacle := self._obstacle(envelope):
            return obstacle
        flight = self._ahead or _Flight.of(envelope, self.features)
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
        owed, self._ahead = self._ahead.ahead, None
        yield from self._take_back(owed, must_reset=True)

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
        if envelope.eight_bit and not self.features.eight_bit:
            # Connections to one name may end at different servers: built anew for this one, the message can go.
            note = f"{self._relay} does not offer 8BITMIME on this connection: the message is to be encoded for that"
            return Outcome(Verdict.TRANSIENT, Stage.MAIL, note=note, scope=Scope.CONNECTION)
        if self.features.smtputf8:
            return None
        sender, addressee = envelope.reverse_path, envelope.forward_paths[0]
        if envelope.smtputf8 or addressee.needs_smtputf8 or (sender and sender.needs_smtputf8):
            note = (
                f"the address has letters outside ASCII and {self._relay} cannot carry it (SMTPUTF8): use another one"
            )
            return Outcome(Verdict.PERMANENT, Stage.MAIL, note=note)
        return None

    # --- MAIL, RCPT, DATA ---------------------------------------------------------------------------------------------

    def _agree(self, flight: _Flight) -> Steps[_Refusal | _RefusedCc]:
        """Up to the relay's 354, and which Cc it refused before that; or what it refused altogether."""
        _mail, *rcpts, data = flight.commands
        under_way, self._ahead = self._ahead is not None, None
        self._stage = Stage.MAIL
        refusal = self._judge((yield Ask((), Stage.MAIL, 0) if under_way else flight.departure()))
        owed = flight.ahead - 1
        must_reset = refusal is None
        refused_cc: _RefusedCc = [(path, None) for path in flight.envelope.forward_paths if path not in flight.paths]
        for path, rcpt in zip(flight.paths, rcpts, strict=True):
            if refusal is not None:
                break
            self._stage = Stage.RCPT
            reply = yield Ask((), Stage.RCPT, 0) if owed else Ask((rcpt,), Stage.RCPT)
            owed -= owed > 0
            refused = self._judge(reply)
            if refused and (path is flight.paths[0] or refused.judgement.scope is not Scope.DELIVERY):
                refusal = refused
            elif refused:
                refused_cc.append((path, reply))
        if refusal is None:
            self._stage = Stage.DATA
            refusal = self._judge((yield Ask((), Stage.DATA, 0) if owed else Ask((data,), Stage.DATA)))
            owed = 0
        if refusal is None:
            return refused_cc
        yield from self._take_back(owed, must_reset=must_reset)
        return refusal

    def _take_back(self, owed: int, *, must_reset: bool) -> Steps[None]:
        """Hears out what was written behind a refused command, and ends the transaction.

        A 354 without a wanted recipient is answered by dropping the connection: a lone dot, as RFC 2920 section 3.1
        has it, would send an empty message wherever the relay took a recipient that we count as refused.
        """
        try:
            for _ in range(owed if not self.has_ended else 0):
                reply = yield Ask((), Stage.DATA, 0)
                if reply.code in {354, 421}:
                    self.has_ended = True
                    return
            if must_reset and not self.has_ended:
                reply = yield Ask((commands.RSET,), Stage.RESET)
                self.has_ended = reply.code // 100 != 2
        except Lost:
            self.has_ended = True

    # --- the message --------------------------------------------------------------------------------------------------

    def _hand_over(self, body: Sequence[bytes], ahead: _Flight | None, refused_cc: _RefusedCc) -> Steps[Outcome]:
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
        note = "; ".join(f"Cc {path} left out: {said.text if said else 'needs SMTPUTF8'}" for path, said in refused_cc)
        return Outcome(Verdict.ACCEPTED, Stage.BODY, reply, note, tuple(refused_cc))

    # --- replies ------------------------------------------------------------------------------------------------------

    def _judge(self, reply: Reply) -> _Refusal | None:
        judgement = judge(self._stage, reply)
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
        first, *rest = envelope.forward_paths
        paths = (first, *(path for path in rest if features.smtputf8 or not path.needs_smtputf8))
        rcpts = [commands.rcpt_to(path, features) for path in paths]
        ahead = 1 if not features.pipelining else 3 if len(paths) == 1 else 1 + len(paths)
        return cls(envelope, paths, (commands.mail_from(envelope, features), *rcpts, commands.DATA), ahead)

    def departure(self) -> Ask:
        """Writes what goes at once, and asks for the reply to MAIL."""
        return Ask(self.commands[: self.ahead], Stage.MAIL, self.ahead)
