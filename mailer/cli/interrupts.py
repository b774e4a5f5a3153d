"""Ctrl-C while a mailing is made ready and sent: remembered wherever it strikes, and never told by a traceback."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import NoReturn, Self


def is_ignored(number: signal.Signals) -> bool:
    """Whether whoever started us wants us to go on in spite of this signal, as `nohup` does."""
    return signal.getsignal(number) is signal.SIG_IGN


class Interrupts:
    """Hears Ctrl-C for the length of a `with`, on the main thread; not where it is ignored, as in a background job.

    Python drops a KeyboardInterrupt that it raises amidst the callback of a destroyed object; `heed` raises it again.
    """

    def __init__(self) -> None:
        self._came = False

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        if not is_ignored(signal.SIGINT):
            signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def heed(self) -> None:
        """Raises KeyboardInterrupt if there was one."""
        if self._came:
            raise KeyboardInterrupt

    def mute(self) -> None:
        """Passes over any more of them: what is left takes a moment, and broken off it would look like a fault."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _hear(self, _number: int, _frame: object) -> NoReturn:
        self._came = True
        raise KeyboardInterrupt
