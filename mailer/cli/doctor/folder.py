"""What stands in the working folder: settings, ledger, pace, and how large the event's messages are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from mailer import event
from mailer.cli import console
from mailer.cli.desk import mailbox
from mailer.cli.doctor.domain import Sender
from mailer.cli.doctor.finding import Finding, Result
from mailer.config import Config, Limit
from mailer.errors import LedgerError, MailerError, Problem
from mailer.ledger import Ledger
from mailer.model import State


def settings_as_they_are(problems: Iterable[Problem]) -> Iterator[Finding]:
    """Each problem of the settings, or one finding that there is none."""
    problem = None
    for problem in problems:
        found = str(problem).removesuffix(problem.fix).rstrip(". ")
        meaning = "Nothing is sent before it is mended" if problem.is_error else "It does not do what it seems to"
        yield Finding("settings", Result.ATTENTION, found, meaning, problem.fix.rstrip("."))
    if problem is None:
        yield Finding("settings", Result.GOOD, "every setting can be used", "The rest is judged by them")


def missing(settings: Config) -> Iterator[Problem]:
    """What a real sending needs and the settings leave out."""
    if not settings.SMTP_HOST:
        yield Problem("SMTP_HOST is not set", "Set it in config.env to the name of your mail server", file="config.env")
    if not settings.MAIL_FROM:
        yield Problem("MAIL_FROM is not set", "Set it in config.env: Name <address>", file="config.env")


def ledger_at(url: str, now: datetime) -> Finding:
    """Whether the ledger can be written; one that is not there yet is not made."""
    meaning = "Nothing is sent before its claim is on disk, so without the ledger nothing is sent"
    try:
        found = _write_to_ledger(url, now)
    except LedgerError as exc:
        # Each of its sentences says what to do.
        return Finding("ledger", Result.ATTENTION, str(exc).rstrip("."), meaning)
    except OSError as exc:
        to_do = "See to it that you may write there, or set LEDGER_URL"
        return Finding("ledger", Result.ATTENTION, f"no file can be made beside it: {exc.strerror}", meaning, to_do)
    return Finding("ledger", Result.GOOD, found, "Every claim and every reply can be kept")


def _write_to_ledger(url: str, now: datetime) -> str:
    """What was found. Where there is no ledger yet one is made beside it, looked at and thrown away."""
    scheme, _, path = url.partition(":///")
    file = Path(path.partition("?")[0])
    if scheme == "sqlite" and file.parent.is_dir() and not file.exists():
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".mailer-doctor-") as folder:
            Ledger.open(f"sqlite:///{folder}/ledger.db").close()
        return f"{file} does not exist yet, and can be made"
    with Ledger.open(url, create=False) as ledger:
        # A decision about nothing is written as any other.
        ledger.settle([], State.SENT, now)
    return "it can be written"


def pace_of(settings: Config) -> Finding:
    """How fast a mailing will go at most."""
    over = f"over {console.count(settings.SMTP_CONNECTIONS, 'connection')}"
    if not settings.SMTP_RATE:
        meaning = "Many providers block an account that sends too fast"
        to_do = "Ask yours for its limits and set SMTP_RATE" if settings.SMTP_HOST else ""
        return Finding("pace", Result.NOTE, f"no limit (SMTP_RATE=off), {over}", meaning, to_do)
    limits = ", ".join(map(_limit, settings.SMTP_RATE))
    meaning = "mailer send keeps to it, over all its runs, and says beforehand when it will be done"
    return Finding("pace", Result.GOOD, f"at most {limits}, {over}", meaning)


def _limit(limit: Limit) -> str:
    period = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}[limit.seconds]
    return f"{console.count(limit.most, 'recipient' if limit.of_recipients else 'message')} {period}"


def largest_message(settings: Config) -> int | None:
    """About the octets of the largest message of the event; None where none is sure to be meant or it is broken."""
    try:
        loaded, _ = event.load(settings.TEMPLATES, event.choose(settings.TEMPLATES, settings.EVENT))
    except MailerError:
        return None
    sizes = [sum(path.stat().st_size for path in mailing.attachments) for mailing in loaded.mailings.values()]
    # Base64 with its line ends (RFC 2045 section 6.8), and the texts with their layout.
    return max(sizes, default=0) * 78 // 57 + 50_000


def sender_of(settings: Config, selectors: tuple[str, ...]) -> Sender:
    """The sender's domain and that of the return path, as the DNS writes them; MAIL_FROM must be set."""
    address = mailbox(settings.MAIL_FROM or "").address
    back = mailbox(settings.RETURN_PATH.replace("{reference}", "x")).address if settings.RETURN_PATH else address
    return Sender(address.ascii_domain, back.ascii_domain, settings.SMTP_PROVIDER, selectors)
