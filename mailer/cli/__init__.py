"""The command `mailer`: arguments, wiring, exit codes and progress; the only room that prints."""

from __future__ import annotations

import asyncio
import gc
import io
import sys

import click

from mailer.cli import console
from mailer.cli.answering import answers
from mailer.cli.checking import check
from mailer.cli.contacts import contacts
from mailer.cli.demo import demo
from mailer.cli.doctor import doctor
from mailer.cli.ends import DONE, INTERRUPTED, REFUSED, RELAY, USAGE, WANTS_A_PERSON
from mailer.cli.folder import init
from mailer.cli.login import login
from mailer.cli.previewing import preview
from mailer.cli.resolving import resolve
from mailer.cli.sending import remind, send
from mailer.cli.status import status
from mailer.cli.suppressing import forget, suppress
from mailer.errors import InputRefused, LedgerError, LedgerInUse, LedgerLost, MailerError, RelayError, UsageError

# New objects after which cycles among them are looked for. A command starts by making some hundred thousand that stay,
# and to go through those again and again takes a tenth of that time.
_YOUNG = 50_000

_EXIT_CODES: tuple[tuple[type[MailerError], int], ...] = (
    (UsageError, USAGE),
    (InputRefused, REFUSED),
    (RelayError, RELAY),
    (LedgerInUse, WANTS_A_PERSON),
    (LedgerLost, WANTS_A_PERSON),
    (LedgerError, REFUSED),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="invitation-mailer", message="mailer %(version)s", help="Show the version.")
def group() -> None:
    """Personal invitations to missions and organisations, from the staff's spreadsheets to logged deliveries.

    Run it in a working folder (`mailer init DIR` makes one). `mailer demo` shows the whole job in under a minute.

    \b
    Exit codes:
      0    all done
      1    done, but something wants a person: failed, deferred, in doubt,
           for review; or not done, as another run uses the ledger
      2    usage
      3    input refused, nothing sent
      4    relay unreachable or login refused, nothing lost
      130  interrupted, safe to rerun
    """


_COMMANDS = (
    demo, init, check, contacts, preview, send, remind, answers, status, resolve, suppress, forget,
    login, doctor,
)  # fmt: skip
for command in _COMMANDS:
    group.add_command(command)


def main() -> None:
    """Runs the command line and ends the process with the documented exit code, without a traceback."""
    gc.set_threshold(_YOUNG)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed by whoever called us
            setattr(sys, name, console.nowhere())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows "?" for it
    try:
        code = group.main(standalone_mode=False, prog_name="mailer")
    except click.exceptions.Abort:
        console.complain("Stopped. Nothing more was done.")
        code = INTERRUPTED
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.complain("Stopped at once. What was in flight is in doubt: the next run says which.")
        code = INTERRUPTED
    except click.ClickException as exc:
        told = io.StringIO()
        exc.show(told)
        console.complain(told.getvalue().rstrip())
        code = USAGE
    except MailerError as exc:
        code = _explain(exc)
    except OSError as exc:
        if console.has_lost(exc):
            code = WANTS_A_PERSON
        else:
            console.complain(f"mailer: {exc.filename or 'a file'} cannot be used: {exc.strerror or exc}")
            code = REFUSED
    code = code if isinstance(code, int) else DONE
    sys.exit(WANTS_A_PERSON if code == DONE and console.is_cut_short() else code)


def _explain(error: MailerError) -> int:
    if isinstance(error, InputRefused):
        console.problems(error.problems)
        sends = sys.argv[1:2] in (["send"], ["remind"])
        if told := " ".join(filter(None, ("Nothing was sent." if sends else "", error.advice))):
            console.complain(told)
    else:
        console.complain(f"mailer: {error}")
    return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
