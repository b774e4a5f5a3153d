"""`mailer init` and `mailer demo`: a working folder from the shipped files, and the whole job shown in one."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from mailer.cli import console
from mailer.errors import UsageError

# Two of the sample contacts whom the demo's relay refuses: one for good, one the first time.
_FAULTS = {
    "lorenzo.facsimile": ("550 5.1.1 No such user here",),
    "kamau.mfano": ("450 4.2.0 Greylisted, come back in a moment", "250 2.1.5 Ok"),
}
_STEPS = (
    ("Every problem at once, before anything is sent.", "check", "--now", "2024-05-02T10:00"),
    ("One address is refused for good, one for a while.", "send", "--yes", "--now", "2024-05-02T10:00"),
    ("The same command later: what is due, nobody twice.", "send", "--yes", "--now", "2024-05-02T10:10"),
    ("Where everything stands, in the relay's own words.", "status", "--now", "2024-05-02T10:15"),
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> int:
    """Make a working folder DIR: templates, sample contacts, and config.env to fill in."""
    make_folder(folder)
    console.say(f"Made {folder}. In it:")
    console.say("  config.env             your relay and sender: fill it in, and keep it to yourself")
    console.say("  contacts/*.xlsx        replace the sample rows; header notes and drop-downs help")
    console.say("  templates/poc-week/    an event to copy: event.toml, and one text a language")
    console.say(f"Then, in {folder}: mailer check, mailer preview, mailer send --sandbox")
    console.say(
        "The sample event lies in the past: add --now 2024-05-02T10:00 to act as if it were before its deadline."
    )
    return 0


def make_folder(folder: Path) -> None:
    """Copies the shipped files. Raises UsageError where something stands already, which is never written over."""
    from mailer.cli.desk import shipped

    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty. Name a new folder; nothing was written.")
    source = shipped()
    for name in ("templates", "contacts"):
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns(".*", "~$*", "__pycache__"))
    shutil.copy(source / "config.example.env", folder)
    shutil.copy(source / "config.example.env", folder / "config.env")
    (folder / "config.env").chmod(0o600)


@click.command()
def demo() -> int:
    """Show the whole job on the shipped event, in a fresh folder, over real SMTP to a server inside the program."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-demo-"))
    make_folder(folder)
    console.say(f"A working folder with a sample event and fictional contacts: {folder}")
    return asyncio.run(_demonstrate(folder))


async def _demonstrate(folder: Path) -> int:
    from mailer.sandbox import Sandbox

    async with Sandbox(folder / "outbox", _FAULTS) as relay:
        settings = (
            f"SMTP_HOST={relay.host}\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\nSMTP_RATE=off\n"
            "MAIL_FROM=POC Week side event <poc-week@example.org>\n"
        )
        (folder / "config.env").write_text(settings, "utf-8")
        for comment, *words in _STEPS:
            await _show(folder, words, comment)
    console.say(f"\nThe messages, as a mail program opens them: {folder / 'outbox'}")
    console.say(f"Look around: cd {folder}")
    return 0


async def _show(folder: Path, words: Sequence[str], comment: str) -> None:
    console.say(f"\n# {comment}\n$ mailer {' '.join(words)}")
    sys.stdout.flush()
    command = (sys.executable, "-m", "mailer", *words)
    process = await asyncio.create_subprocess_exec(*command, cwd=folder)
    await process.wait()
    console.say(f"(exit code {process.returncode})")
