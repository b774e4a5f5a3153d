"""What a run tells while it goes: a bar on a terminal, a line of JSON for each outcome in a file or pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TextIO, TypeVar

from mailer.cli import console
from mailer.model import State

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

T = TypeVar("T")

# json.dumps would make an encoder for each line.
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


class Teller(Protocol):
    """Whom the run tells what happens."""

    def outcome(self, facts: Mapping[str, object]) -> None:
        """What became of one delivery, which is on disk: `state`, `recipient`, `reply`, `note` and more."""

    def wait(self, until: datetime, words: str) -> None:
        """Nothing is on its way, and nothing goes before `until`, in `words` for people."""


@contextmanager
def progress(total: int, pace: str) -> Iterator[Teller]:
    """A bar over `total` outcomes where standard error is a terminal, else a log.

    The bar has a clock, and rate and time left; where a `pace` holds sending back that, as it comes in bursts.
    """
    if not sys.stderr.isatty():
        yield _Log()
        return
    from rich.console import Console

    screen = Console(file=_Terminal(sys.stderr))  # type: ignore[arg-type]  # writes, and passes on the rest
    with _bar(screen, pace) as bar:
        yield _Bar(screen, bar, total)


class _Terminal:
    """A terminal that may be closed: what is written from then on goes nowhere, and nothing stops for that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._try(lambda: self._stream.write(text)) or 0

    def flush(self) -> None:
        self._try(self._stream.flush)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _try(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except OSError:
            self._stream = console.nowhere()
            return None


class _Log:
    """One JSON line for each event, there as soon as it is told unless whoever read it has left."""

    def __init__(self) -> None:
        self._waits_until: datetime | None = None

    def outcome(self, facts: Mapping[str, object]) -> None:
        self._write("delivery", facts)

    def wait(self, until: datetime, words: str) -> None:  # noqa: ARG002  # the moment itself is clearer to a machine
        if until != self._waits_until:
            self._waits_until = until
            self._write("waiting", {"until": until.isoformat(timespec="seconds")})

    def _write(self, event: str, facts: Mapping[str, object]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            sys.stderr.write(_encode({"at": now, "event": event, **facts}) + "\n")
            sys.stderr.flush()
        except OSError:
            sys.stderr = console.nowhere()


class _Bar:
    """Counts what is settled, and tells besides whatever was not sent, or not to all in copy."""

    def __init__(self, screen: Console, bar: Progress, total: int) -> None:
        self._screen, self._bar = screen, bar
        self._task: TaskID = bar.add_task("Sending", total=total)

    def outcome(self, facts: Mapping[str, object]) -> None:
        is_sent = facts["state"] == State.SENT
        if words := facts["note"] if is_sent else facts["reply"] or facts["note"]:
            state = str(facts["state"]).replace("_", " ")
            told = console.on_screen(f"{state:9} {facts['recipient']}: {words}", self._screen.width)
            self._screen.print(told, markup=False, highlight=False, soft_wrap=True)
        self._bar.update(self._task, advance=facts["state"] != State.DEFERRED, description="Sending")

    def wait(self, until: datetime, words: str) -> None:  # noqa: ARG002
        self._bar.update(self._task, description=f"Waiting until {words}")


def _bar(screen: Console, pace: str) -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed * 60:,.0f}/min" if speed else "")

    speed = (TextColumn(f"at most {pace}"),) if pace else (Rate(), TimeRemainingColumn())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), *speed)
    return Progress(*columns, console=screen)
