"""What every measurement stands on: the programs in C, a folder for files, and commands run with their costs taken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent

# An import of what is None fails as that of what is not installed.
_PLAIN = "import sys; sys.modules['uvloop'] = None; from mailer.cli import main; main()"


class Unsound(Exception):
    """A run that does not count: somebody got nothing, or something twice, or the command failed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: moments of the monotonic clock, CPU seconds (user and system), octets of memory."""

    began: float
    ended: float
    cpu: float
    peak: int

    @property
    def wall(self) -> float:
        return self.ended - self.began


@dataclass(frozen=True, slots=True)
class Taken:
    """What the sink took: how many messages, when the first and the last, for whom how often, octets of the last."""

    messages: int
    connections: int
    first: float
    last: float
    recipients: Counter[str]
    octets: int

    @property
    def seconds(self) -> float:
        """The sending phase: from the first acceptance to the last."""
        return self.last - self.first

    @property
    def rate(self) -> float:
        """Messages a second of the sending phase."""
        return (self.messages - 1) / self.seconds

    def require(self, recipients: Iterable[str]) -> None:
        """Raises Unsound unless each of the recipients, and nobody else, was written to exactly once."""
        wanted = Counter(recipients)
        if wanted != self.recipients:
            missing, extra = wanted - self.recipients, self.recipients - wanted
            raise Unsound(f"{missing.total()} got nothing, {extra.total()} messages were too many")


@dataclass(slots=True)
class Sink:
    """A running sink; what it took is known once it has ended."""

    port: int
    log: Path
    taken: Taken | None = None

    def has_begun(self) -> bool:
        """Whether the first message has been accepted."""
        return self.log.exists() and self.log.stat().st_size > 0


@dataclass(frozen=True)
class Stand:
    """The tree of the repository that is measured, a folder that is gone afterwards, and how much is to be done.

    `rows` is the largest list, `rounds` how often each run is made.
    """

    tree: Path
    folder: Path
    rows: int
    rounds: int
    _compiled: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", self.folder / "programs")
        self._compiled.mkdir()
        for source in HERE.glob("*.c"):
            subprocess.run(["gcc", "-O2", "-Wall", "-o", self._compiled / source.stem, source], check=True)
        # The first run compiles our modules and those of the libraries; no measured run may have to.
        self.mailer(self.folder, "--help")

    @property
    def environment(self) -> dict[str, str]:
        """For commands: none of our settings, this tree's modules, byte code kept beside the other files of the run."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        cache = str(self.folder / "bytecode")
        return kept | {"PYTHONPATH": str(self.tree), "PYTHONPYCACHEPREFIX": cache, "PYTHONUNBUFFERED": "1"}

    def new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    # --- commands -----------------------------------------------------------------------------------------------------

    @contextmanager
    def running(self, folder: Path, *words: str | Path) -> Iterator[subprocess.Popen[str]]:
        """The command at work in `folder`; it has ended afterwards. Its log is `folder/log`, its costs `cost_of`."""
        command = [self._compiled / "measured", folder / "cost", *words]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            try:
                yield process
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
            finally:
                process.communicate()

    def run(self, folder: Path, *words: str | Path) -> Cost:
        """Runs a command in `folder` to its end. Raises Unsound where it fails."""
        with self.running(folder, *words) as process:
            pass
        if process.returncode:
            log = (folder / "log").read_text(errors="replace")[-800:]
            raise Unsound(f"{' '.join(map(str, words))} ended with {process.returncode}: {log}")
        return cost_of(folder)

    def mailer(self, folder: Path, *words: str, fast: bool = False) -> Cost:
        """Runs `mailer` with these words in `folder`."""
        return self.run(folder, *self.command(*words, fast=fast))

    def command(self, *words: str, fast: bool = False) -> Sequence[str]:
        """`mailer` with these words as the plain install runs it, or on the loop of the extra `speed`."""
        return (sys.executable, "-m", "mailer", *words) if fast else (sys.executable, "-c", _PLAIN, *words)

    # --- servers ------------------------------------------------------------------------------------------------------

    @contextmanager
    def sink(self) -> Iterator[Sink]:
        """A sink at work; afterwards `taken` says what it took."""
        log = self.new_folder() / "taken"
        with self._server("sink", log) as (port, process):
            sink = Sink(port, log)
            yield sink
            process.terminate()
            counters, _ = process.communicate()
        facts = json.loads(counters)
        if facts.pop("early"):
            raise Unsound("something was sent before the server allowed it")
        octets = "0"
        recipients: Counter[str] = Counter()
        with log.open() as lines:
            for line in lines:
                recipient, octets, _ = line.rsplit(" ", 2)
                recipients[recipient] += 1
        sink.taken = Taken(**facts, recipients=recipients, octets=int(octets))

    @contextmanager
    def delayed(self, port: int, milliseconds: float) -> Iterator[int]:
        """The port of a proxy to `port` that is so far away, each way."""
        with self._server("delay", str(port), str(milliseconds)) as (own, process):
            yield own
            process.terminate()

    @contextmanager
    def _server(self, name: str, *words: str | Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
        process = subprocess.Popen([self._compiled / name, *words], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()
            process.wait()


def cost_of(folder: Path) -> Cost:
    """What the command that ran in `folder` took."""
    return Cost(**json.loads((folder / "cost").read_text()))


def terminate(process: subprocess.Popen[str]) -> None:
    """Asks the command that `Stand.running` gave to end."""
    os.killpg(process.pid, signal.SIGTERM)


@contextmanager
def stand(tree: Path, rows: int, rounds: int) -> Iterator[Stand]:
    """A stand for the length of a `with`, on the disk that holds temporary files."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-bench-"))
    try:
        yield Stand(tree, folder, rows, rounds)
    finally:
        shutil.rmtree(folder)
