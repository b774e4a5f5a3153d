"""What stands in the working folder: settings, ledger, pace, and how large the event's messages are."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from mailer import event
from mailer.cli import console
from mailer.cli.doctor.finding import Finding, Result
from mailer.cli.gathering import active
from mailer.cli.invitees import contacts_of
from mailer.cli.relay import TOKEN_FILE
from mailer.config import FILE_NAME, Config
from mailer.errors import LedgerError, MailerError, Problem
from mailer.ledger import Ledger, try_making, unproved
from mailer.message.attachments import encoded_size

# Octets that a run wants to find free: 4 MB for the write-ahead log and 1 kB for each of some thousand messages.
_SPARE = 10_000_000
# Octets of the texts of a message with their layout, about.
_TEXTS = 50_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_NEEDED = {
    "SMTP_HOST": (
        "Set it in config.env to the name of your mail server. To rehearse without one: mailer send --sandbox"
    ),
    "MAIL_FROM": "Set it in config.env: Name <address>, an address that your relay lets you send from.",
}


def settings_as_they_are(problems: Iterable[Problem]) -> Iterator[Finding]:
    """Each problem of the settings, or one finding that there is none."""
    problem = None
    for problem in problems:
        found = str(problem).removesuffix(problem.fix).rstrip(". ")
        result, meaning = Result.ATTENTION, "It does not do what it seems to"
        if problem.is_error:
            result, meaning = Result.FAILED, "Nothing is sent before it is mended"
        yield Finding("settings", result, found, meaning, problem.fix.rstrip("."))
    if problem is None:
        yield Finding(
            "settings",
            Result.GOOD,
            "every setting can be used",
            "The rest is judged by them; lists, texts and messages by mailer check",
        )


def missing(settings: Config) -> Iterator[Problem]:
    """What a real sending needs and the settings leave out; it is never guessed."""
    for key, fix in _NEEDED.items():
        if not getattr(settings, key):
            yield Problem(f"{key} is not set", fix, file="config.env", column=key)


def absent() -> Iterator[Finding]:
    """That this is hardly a working folder; nothing is said where it may be one."""
    if not Path(FILE_NAME).is_file():
        meaning = "The environment alone sets anything, and the rest has its defaults"
        to_do = "Go to your working folder, or make one: mailer init DIR"
        yield Finding("settings", Result.ATTENTION, f"there is no {FILE_NAME} here", meaning, to_do)


def laid_open() -> Iterator[Finding]:
    """The files with secrets that everybody on this machine may read; nothing is said of the others."""
    for path in (Path(FILE_NAME), TOKEN_FILE):
        if path.is_file() and _is_open_to_all(path):
            meaning = "Whoever works on this machine could send in your name"
            to_do = (
                f"Take the right away: chmod 600 {path}; and if others do work there, have a new password or token made"
            )
            yield Finding("secrets", Result.ATTENTION, f"everybody may read {path}", meaning, to_do)


def _is_open_to_all(path: Path) -> bool:
    """Whether anybody may read it: each folder on the way there has to let them pass. Windows has no such rights."""
    real = path.resolve()
    way = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    return os.name == "posix" and way and bool(real.stat().st_mode & stat.S_IROTH)


def ledger_at(url: str) -> Finding:
    """Whether the ledger can be written, with space for a mailing; one that is not there yet is not made."""
    meaning = "Nothing is sent before its claim is on disk, so without the ledger nothing is sent"
    try:
        found = _write_to_ledger(url)
    except LedgerError as exc:
        # Each of its sentences says what to do.
        return Finding("ledger", Result.FAILED, str(exc).rstrip("."), meaning)
    except OSError as exc:
        found = f"no file of {_SPARE // 1_000_000} MB can be made beside it: {exc.strerror}"
        to_do = "See to it that you may write there and that there is space, or set LEDGER_URL"
        if exc.errno not in _FULL:
            return Finding("ledger", Result.FAILED, found, meaning, to_do)
        meaning = "A mailing stops once the ledger has no more space, and what is on its way then is in doubt"
        return Finding("ledger", Result.ATTENTION, found, meaning, to_do)
    if weak := unproved(url):
        meaning = "Whoever stands on the way there could read or change names, links and answers"
        to_do = (
            "Write sslmode=verify-full behind the ? in LEDGER_URL, and sslrootcert=FILE for an authority of your own"
        )
        found = f"{found}, but its server need not prove who it is ({weak})"
        return Finding("ledger", Result.ATTENTION, found, meaning, to_do)
    return Finding("ledger", Result.GOOD, found, "Every claim and every reply can be kept")


def _write_to_ledger(url: str) -> str:
    """What was found. Where there is no ledger yet one is made beside it, looked at and thrown away."""
    scheme, _, path = url.partition(":///")
    file = Path(path.partition("?")[0])
    if scheme == "sqlite" and file.parent.is_dir():
        with tempfile.TemporaryFile(dir=file.parent) as spare:
            spare.write(bytes(_SPARE))
        if not Ledger.exists(url):
            with tempfile.TemporaryDirectory(dir=file.parent, prefix=".mailer-doctor-") as folder:
                Ledger.open(f"sqlite:///{folder}/ledger.db").close()
            return f"{file} does not exist yet, and can be made"
    elif scheme != "sqlite" and not Ledger.exists(url):
        try_making(url)
        return "the database holds no table yet: mailer send makes them"
    with Ledger.open(url, create=False) as ledger:
        ledger.try_out()
    return "it can be written"


def pace_as_set(settings: Config) -> Finding:
    """How fast a mailing will go at most."""
    over = f"over {console.count(settings.SMTP_CONNECTIONS, 'connection')}"
    if not settings.SMTP_RATE:
        meaning = "Many providers block an account that sends too fast"
        to_do = "Ask yours for its limits and set SMTP_RATE" if settings.SMTP_HOST else ""
        return Finding("pace", Result.NOTE, f"no limit (SMTP_RATE=off), {over}", meaning, to_do)
    meaning = "mailer send keeps to it, over all its runs, and says beforehand when it will be done"
    return Finding("pace", Result.GOOD, f"at most {', '.join(map(str, settings.SMTP_RATE))}, {over}", meaning)


def largest_message(settings: Config) -> int | None:
    """About the octets of the largest message of the event, with the largest file that a row names.

    None where no event is sure to be meant, or it is broken.
    """
    try:
        loaded, _ = event.load(settings.TEMPLATES, event.choose(settings.TEMPLATES, settings.EVENT))
    except MailerError:
        return None
    shared = max((sum(map(_encoded, mailing.attachments)) for mailing in loaded.mailings.values()), default=0)
    own = 0
    for name in {contact.attachment for contact in active(contacts_of(settings))} - {""}:
        with suppress(ValueError):  # `mailer check` tells what is wrong with it
            own = max(own, _encoded(event.attachment(loaded.folder, name)))
    return shared + own + _TEXTS


def _encoded(path: Path) -> int:
    return encoded_size(path.stat().st_size)
