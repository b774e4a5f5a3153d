"""`mailer init`: a working folder from the shipped files."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from mailer.cli import console
from mailer.errors import UsageError

# Secrets, whom was written to, and what can be made again.
_NEVER_IN_GIT = ("config.env", "oauth-token.json*", "ledger.db*", "outbox/", "preview/")


@click.command(short_help="Make a working folder DIR.")
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
    (folder / ".gitignore").write_text("".join(f"{name}\n" for name in _NEVER_IN_GIT), "utf-8")
