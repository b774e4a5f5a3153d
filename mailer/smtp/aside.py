"""Work in a thread of its own that keeps no process from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begin(work: Callable[[], T]) -> Future[T]:
    """Begins `work`, and gives what will hold its result, or what it raised.

    Whoever stops waiting for it leaves it to itself: it cannot be cancelled, and the end of the process ends it, while
    an executor's threads would be waited for.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as exc:
            # Handed to whoever waits.
            future.set_exception(exc)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return future
