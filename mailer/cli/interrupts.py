"""Ctrl-C while a mailing is made ready and sent: remembered wherever it strikes, and never told by a traceback."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn, Self


def heeded() -> Sequence[signal.Signals]:
    """Ctrl-C, a shutdown and a closed terminal, as signals; not those that whoever started us wants us to ignore."""
    known = [getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    return [number for number in known if number and signal.getsignal(number) is not signal.SIG_IGN]


class Interrupts:
    """Hears Ctrl-C and its like for the length of a `with`, on the main thread; none that is ignored, as in a
    background job.

    Python drops a KeyboardInterrupt that it raises amidst the callback of a destroyed object; `heed` raises it again.
    """

    def __init__(self) -> None:
        self._came = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._hear) for number in heeded()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def heed(self) -> None:
        """Raises KeyboardInterrupt if there was one."""
        if self._came:
            raise KeyboardInterrupt

    def mute(self) -> None:
        """Passes over any more of them: what is left takes a moment, and broken off it would look like a fault."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _hear(self, _number: int, _frame: object) -> NoReturn:
        self._came = True
        raise KeyboardInterrupt
