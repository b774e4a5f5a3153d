"""An archive copy or Sent folder, asked which messages it holds."""

from __future__ import annotations

import mailbox
import os
from collections.abc import Iterator
from datetime import datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.cli import console
from mailer.errors import UsageError

if TYPE_CHECKING:
    from mailer.config import Config, ImapUrl


def held(archive: str, wanted: set[str], since: datetime, config: Config) -> set[str]:
    """Those of the Message-IDs `wanted` that `archive` holds; none of their messages is older than `since`.

    It is a Maildir folder (with its subfolders), an mbox file, a folder on a server (`imaps://user@host/Folder`) or
    `imap`, the one of IMAP_URL. Nothing in it is changed. Raises UsageError where it is none of these, and a RelayError
    where the server cannot be asked.
    """
    if archive == "imap" or "://" in archive:
        return _held_by_server(_url(archive, config), wanted, since, config)
    return wanted & set(_message_ids(Path(archive)))


def _message_ids(path: Path) -> Iterator[str]:
    """The Message-ID of each message in a Maildir folder or an mbox file."""
    for message in _in_maildir(path) if path.is_dir() else _in_mbox(path):
        found = BytesHeaderParser().parsebytes(message)["Message-ID"]
        if found:
            yield str(found).strip()


def _in_mbox(path: Path) -> Iterator[bytes]:
    if not path.exists():
        raise UsageError(f"{path} is not there.")
    # Any other file would be told as an archive that holds nothing, and what was sent would be sent again.
    if not path.is_file() or not _begins_as_mbox(path):
        raise UsageError(
            f"{path} is no mbox file, as its first line does not begin with From: name the archive copy itself, an "
            "mbox file or a Maildir folder."
        )
    box = mailbox.mbox(path, create=False)
    for key in box.iterkeys():
        yield box.get_bytes(key)
    box.close()


def _begins_as_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _in_maildir(path: Path) -> Iterator[bytes]:
    if not _is_maildir(path):
        raise UsageError(f"{path} is a folder, but no Maildir: it has no cur and new in it.")
    unread = 0
    for folder in (path, *filter(_is_maildir, path.glob(".*"))):
        passed_over = _no_files(folder)
        box = mailbox.Maildir(folder, create=False)
        for key in box.iterkeys():
            if key in passed_over:
                continue
            try:
                yield box.get_bytes(key)
            except (OSError, KeyError):
                unread += 1
    if unread:
        console.complain(f"{console.count(unread, 'message')} in {path} cannot be read: passed over.")


def _is_maildir(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in ("cur", "new"))


def _no_files(folder: Path) -> set[str]:
    """The keys of what is no message: a FIFO would be waited for without end, and a link may lead nowhere."""
    entries = (entry for part in ("cur", "new") for entry in os.scandir(folder / part))
    return {entry.name.partition(":")[0] for entry in entries if not _is_file(entry)}


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link in a circle, or through a folder that is closed to us
        return False


def _held_by_server(url: ImapUrl, wanted: set[str], since: datetime, config: Config) -> set[str]:
    try:
        from mailer.cli.imap import logged_in
        from mailer.cli.sent_folder import examine, held_of
    except ModuleNotFoundError:
        raise UsageError("IMAP needs another library: pip install 'invitation-mailer[imap]'") from None

    with logged_in(url, config) as box:
        console.say(f"Looking into the folder {examine(box, url)} of {url.user} at {url.host}.")
        return held_of(wanted, box, since)


def _url(archive: str, config: Config) -> ImapUrl:
    from mailer.config import ImapUrl

    if archive == "imap":
        if config.IMAP_URL is None:
            raise UsageError("--archive imap looks into IMAP_URL, which is not set: imaps://user@host in config.env.")
        return config.IMAP_URL
    try:
        return ImapUrl.parse(archive)
    except ValueError as exc:
        # The URL is not repeated: there may be a password in it.
        raise UsageError(f"The address after --archive {exc}.") from None
