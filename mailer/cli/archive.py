"""An archive copy or Sent folder, asked which messages it holds."""

from __future__ import annotations

import mailbox
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
    if path.is_dir() and not all((path / part).is_dir() for part in ("cur", "new")):
        raise UsageError(f"{path} is a folder, but no Maildir: it has no cur and new in it.")
    if not path.exists():
        raise UsageError(f"{path} is not there.")
    box = mailbox.Maildir(path, create=False) if path.is_dir() else mailbox.mbox(path, create=False)
    boxes = [box, *(box.get_folder(name) for name in box.list_folders())] if isinstance(box, mailbox.Maildir) else [box]
    for one in boxes:
        for key in one.iterkeys():
            found = BytesHeaderParser().parsebytes(one.get_bytes(key))["Message-ID"]
            if found:
                yield str(found).strip()
        one.close()


def _held_by_server(url: ImapUrl, wanted: set[str], since: datetime, config: Config) -> set[str]:
    try:
        from mailer.cli.copies import examine, held_of
        from mailer.cli.imap import logged_in
    except ModuleNotFoundError:
        raise UsageError("IMAP needs a library more: pip install 'invitation-mailer[imap]'") from None

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
