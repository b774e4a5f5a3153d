"""How a dialogue speaks with whoever drives it: it yields what to write and is resumed with the relay's reply."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final, NamedTuple, TypeVar

from mailer.model import Reply
from mailer.status import Stage


class Lost(Exception):
    """The connection ended, stalled or brought something that is no reply; the text says which, in plain words.

    Thrown into a dialogue that waits, in place of the reply that will not come.
    """


class Ask(NamedTuple):
    """Write these octets, which will bring `replies` more replies, and resume with the next reply that is due."""

    octets: Sequence[bytes]
    stage: Stage
    replies: int = 1


class Body(NamedTuple):
    """Write the content and resume with SILENCE once it has left, or with what the relay says before that."""

    octets: Sequence[bytes]


SILENCE: Final = Reply(0, None, ())

T = TypeVar("T")
Steps = Generator[Ask | Body, Reply, T]
