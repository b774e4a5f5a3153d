"""`mailer demo`: the whole job on the shipped event, in a fresh folder, over real SMTP."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from mailer.cli import console
from mailer.cli.ends import DONE, WANTS_A_PERSON
from mailer.cli.folder import make_folder
from mailer.errors import UsageError

# Two of the sample contacts whom the demo's relay refuses: one for good, one the first time.
_FAULTS = {
    "lorenzo.facsimile": ("550 5.1.1 No such user here",),
    "kamau.mfano": ("450 4.2.0 Greylisted, come back in a moment", "250 2.1.5 Ok"),
}
_EVENT, _MAILING = "poc-week", "invitation"

# What a form tool would export. The first row came by the ambassador's link from a colleague; the last is from an
# address that nobody invited, at a mission's own domain.
_ANSWERS = """Timestamp,Email Address,Your name,Will you attend?,Reference
2024/05/06 9:12:03 AM GMT-4,cheikh.delegue@senegal.example.org,Cheikh DÉLÉGUÉ,"Yes, in person",{delegated}
2024/05/06 11:40:51 AM GMT-4,harriet.placeholder@sample-alliance.example.org,Harriet Placeholder,"Yes, online",
2024/05/07 4:05:17 PM GMT-4,mere.vakaraitaki@fiji.example.org,Mere VAKARAITAKI,"No, I cannot attend",
2024/05/08 8:30:00 AM GMT-4,protocol.desk@jordan.example.org,Protocol Desk,"Yes, in person",
"""

_SENDING = (
    ("Every problem at once, before anything is sent.", "check", "--now", "2024-05-02T10:00"),
    ("One address is refused for good, one for a while.", "send", "--yes", "--now", "2024-05-02T10:00"),
    ("The same command later: what is due, nobody twice.", "send", "--yes", "--now", "2024-05-02T10:10"),
)
_ANSWERING = (
    ("Answers come in: one from a delegate, one in doubt.", "answers", "import", "answers.csv", "--yes", "--now",
     "2024-05-09T10:00"),
    ("Who has answered, and whose colleague has, is left alone.", "remind", "--yes", "--now", "2024-05-10T10:00"),
    ("Where everything stands, in the relay's own words.", "status", "--now", "2024-05-10T10:30"),
)  # fmt: skip


@click.command(short_help="The whole job on the shipped event, in a fresh folder.")
def demo() -> int:
    """Show the whole job on the shipped event, in a fresh folder, over real SMTP to a server inside the program."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-demo-"))
    make_folder(folder)
    console.say(f"A working folder with a sample event and fictional contacts: {folder}")
    asyncio.run(_demonstrate(folder))
    console.say(f"\nThe messages, as a mail program opens them: {folder / 'outbox'}")
    console.say(f"Look around: cd {folder}")
    return 0


async def _demonstrate(folder: Path) -> None:
    from mailer.sandbox import Sandbox

    async with Sandbox(folder / "outbox", _FAULTS) as relay:
        settings = (
            f"SMTP_HOST={relay.host}\nSMTP_PORT={relay.port}\nSMTP_SECURITY=none\nSMTP_RATE=off\n"
            "MAIL_FROM=POC Week side event <poc-week@example.org>\n"
        )
        (folder / "config.env").write_text(settings, "utf-8")
        for comment, *words in _SENDING:
            await _show(folder, words, comment)
        delegated = _reference(folder, "aissatou.exemple@senegal.example.org")
        (folder / "answers.csv").write_text(_ANSWERS.format(delegated=delegated), "utf-8")
        for comment, *words in _ANSWERING:
            await _show(folder, words, comment)


def _reference(folder: Path, recipient: str) -> str:
    """The reference that the invitation of `recipient` carries."""
    from mailer.ledger import Ledger

    with Ledger.open(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        sent = ledger.deliveries(_EVENT, _MAILING)
        return next((delivery.reference for delivery in sent if str(delivery.recipient) == recipient), "")


async def _show(folder: Path, words: Sequence[str], comment: str) -> None:
    from mailer.config import Config

    console.say(f"\n# {comment}\n$ mailer {' '.join(words)}")
    sys.stdout.flush()
    # What the environment says wins over config.env: here it could lead to a real relay and a real ledger.
    environment = {key: value for key, value in os.environ.items() if key not in Config.model_fields}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "mailer", *words, cwd=folder, env=environment)
    await process.wait()
    console.say(f"(exit code {process.returncode})")
    if process.returncode not in (DONE, WANTS_A_PERSON):
        raise UsageError(f"The demo ends here: mailer {words[0]} could not do its part in {folder}.")
