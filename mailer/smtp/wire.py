"""One TCP or TLS connection that carries out a dialogue's steps, each within its deadline."""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from itertools import groupby
from typing import Any, TypeVar, cast

from mailer.errors import RelayUntrusted
from mailer.model import Reply
from mailer.smtp.replies import ReplyReader
from mailer.smtp.steps import SILENCE, Ask, Body, Lost, Steps
from mailer.status import Stage

T = TypeVar("T")

# Content up to this size goes in one write with its final dot; larger content has left before the dot is written, so
# that a connection lost half-way leaves no doubt.
_ONE_WRITE = 65_536
# Octets read at once; replies are short. Without a buffer of ours asyncio allots 256 KiB for every read, which the
# system maps and unmaps each time: most of what reading costs.
_RECEIVED = 8192


class _For(Enum):
    """What a dialogue waits for."""

    REPLY = 1
    DRAIN = 2


class Wire(asyncio.BufferedProtocol):
    """Runs dialogues one after the other on one connection; `deadlines` are seconds for each stage's whole reply.

    The steps run inside the loop's callbacks and not in a task of their own, so that a message costs one wake-up and
    not one per reply.
    """

    def __init__(self, deadlines: Mapping[Stage, float]) -> None:
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._closed = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._received = memoryview(bytearray(_RECEIVED))
        self._replies: deque[Reply] = deque()
        self._coming = 0  # what came with the reply that is being heard, and is not heard yet
        self._owed = 1  # the greeting, which nobody has to ask for
        self._steps: Steps[Any] | None = None
        self._result: asyncio.Future[Any] = self._closed
        self._waits: _For | None = None
        self._held: Sequence[bytes] = ()
        self._is_paused = False
        self._unsent = 0
        self._failure: Lost | None = None
        self._stage = Stage.CONNECT
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._hang_up: select.poll | None = None

    @property
    def is_lost(self) -> bool:
        return self._failure is not None

    @property
    def tls(self) -> ssl.SSLObject | None:
        return self._transport.get_extra_info("ssl_object") if self._transport else None

    def address_literal(self) -> str:
        """Our end's address as EHLO takes it in place of a name (RFC 5321 section 4.1.3)."""
        address = self._transport.get_extra_info("sockname")[0] if self._transport else ""
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    async def run(self, steps: Steps[T]) -> T:
        """Carries out `steps` and returns or raises what they do. Cancelled, it leaves the connection dropped."""
        self._result = self._loop.create_future()
        self._steps = steps
        self._resume(steps.send, None)
        try:
            return await self._result  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            self._steps = self._waits = None
            steps.close()
            self.drop()
            raise
        finally:
            self._steps = None

    async def start_tls(self, relay: str, context: ssl.SSLContext, host: str) -> None:
        """Begins TLS. Raises Lost, ssl.SSLError, and RelayUntrusted if more than the consent came in clear text."""
        if self._failure:
            raise self._failure
        if self._replies or not self._reader.is_idle or self._transport is None:
            raise RelayUntrusted(f"{relay} said more than its consent before TLS began: somebody may sit in between.")
        seconds = self._deadlines[Stage.STARTTLS]
        try:
            self._transport = await self._loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=seconds
            )
        except BaseException:
            # In the midst of a handshake asyncio closes the socket without a word to us.
            self.drop()
            self._close()
            raise
        self._limit_buffer()

    def drop(self) -> None:
        """Ends the connection without a further word."""
        self._fail("we ended the connection")

    async def wait_closed(self) -> None:
        """Returns once the socket is closed."""
        await asyncio.shield(self._closed)

    # --- running the steps --------------------------------------------------------------------------------------------

    def _resume(self, resume: Callable[[Any], Ask | Body], answer: Reply | Lost | None) -> None:
        """Lets the dialogue go on, by its `send` or `throw`, until it waits for the network or is done."""
        steps = self._steps
        if steps is None or self._result.done():
            return
        self._waits = None
        try:
            step = resume(answer)
            while True:
                try:
                    answer = self._carry_out(step)
                except Lost as exc:
                    step = steps.throw(exc)
                else:
                    if answer is None:
                        return
                    step = steps.send(answer)
        except StopIteration as end:
            self._result.set_result(end.value)
        except Exception as exc:
            # Handed to whoever awaits `run`.
            self._result.set_exception(exc)

    def _carry_out(self, step: Ask | Body) -> Reply | None:
        """The answer to a step, None if it has to be waited for. Raises Lost."""
        if isinstance(step, Body):
            return self._carry_out_body(step)
        if step.octets:
            if self._failure:
                raise self._failure
            assert self._transport is not None  # noqa: S101 - nothing is written before the greeting
            self._transport.write(b"".join((*self._held, *step.octets)))
            self._held = ()
        self._owed += step.replies
        if self._replies:
            return self._replies.popleft()
        if self._failure:
            raise self._failure
        self._wait(_For.REPLY, step.stage)
        return None

    def _carry_out_body(self, body: Body) -> Reply | None:
        if self._failure:
            raise self._failure
        if self._coming or (self._hang_up and self._hang_up.poll(0)):
            # The relay has said more than its consent; or it is gone, though the loop has not told yet: its last words
            # may still come, and the dot never goes.
            self._wait(_For.DRAIN, Stage.BODY)
            return None
        if sum(map(len, body.octets)) <= _ONE_WRITE:
            self._held = body.octets
            return SILENCE
        assert self._transport is not None  # noqa: S101 - see above
        # Small buffers go together; large ones are not copied for that.
        for is_large, buffers in groupby(body.octets, lambda buffer: len(buffer) > _ONE_WRITE):
            for buffer in buffers if is_large else (b"".join(buffers),):
                self._transport.write(buffer)
        # A write that fails leaves nothing to be written either; the end of the connection is told in a moment.
        if not self._is_paused and not self._transport.is_closing():
            return SILENCE
        self._wait(_For.DRAIN, Stage.BODY)
        return None

    # --- deadlines ----------------------------------------------------------------------------------------------------

    def _wait(self, what: _For, stage: Stage) -> None:
        """Sets the deadline. The timer is set anew only where it would fire too late: mostly it finds all is well."""
        self._waits, self._stage = what, stage
        self._deadline = self._loop.time() + self._deadlines[stage]
        self._unsent = self._transport.get_write_buffer_size() if what is _For.DRAIN and self._transport else 0
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._waits is None or self._transport is None:
            return
        seconds = self._deadlines[self._stage]
        if self._waits is _For.DRAIN:
            # A large message may take its time as long as it moves (RFC 5321 section 4.5.3.2.5 is per block).
            unsent = self._transport.get_write_buffer_size()
            if unsent < self._unsent:
                self._unsent, self._deadline = unsent, self._loop.time() + seconds
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            step = "to the message itself" if self._stage is Stage.BODY else f"at {self._stage.upper()}"
            self._fail(f"no complete answer {step} within {seconds:g} seconds")

    # --- what the loop tells ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._limit_buffer()
        if hasattr(select, "POLLRDHUP"):
            self._hang_up = select.poll()
            self._hang_up.register(transport.get_extra_info("socket").fileno(), select.POLLRDHUP)

    def _limit_buffer(self) -> None:
        assert self._transport is not None  # noqa: S101
        # So low that "paused" means: not everything has been handed to the system.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        # A view and not the array itself, whose slices, into which TLS reads, would be copies.
        return self._received

    def buffer_updated(self, nbytes: int) -> None:
        replies: list[Reply] = []
        fault = None
        try:
            replies.extend(self._reader.feed(bytes(self._received[:nbytes])))
        except Lost as exc:
            fault = exc
        try:
            for number, reply in enumerate(replies, 1):
                self._coming = len(replies) - number + (fault is not None)
                self._hear(reply)
        except Lost as exc:
            fault = exc
        self._coming = 0
        if fault:
            self._fail(str(fault))

    def _hear(self, reply: Reply) -> None:
        if self._failure:
            return
        if self._owed:
            self._owed -= 1
        elif self._waits is not _For.DRAIN:
            raise Lost(f"the relay said {reply.text!r} unasked")
        if self._waits and self._steps:
            self._resume(self._steps.send, reply)
        else:
            self._replies.append(reply)

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._waits is _For.DRAIN and self._steps and not self._failure:
            self._resume(self._steps.send, SILENCE)

    def eof_received(self) -> None:
        self._fail("the relay closed the connection" + ("" if self._reader.is_idle else " amidst an answer"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection broke ({exc})" if exc else "the connection was closed")
        self._close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed.done():
            self._closed.set_result(None)

    def _fail(self, why: str) -> None:
        if self._failure is None:
            self._failure = Lost(why)
            if self._transport is not None:
                self._transport.abort()
        if self._waits and self._steps:
            self._resume(self._steps.throw, self._failure)
