"""A folder on an IMAP server, looked into for copies of what we sent, and never changed."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from imap_tools import AND, BaseMailBox
from imap_tools.errors import MailboxFetchError, MailboxFolderSelectError, MailboxUidsError
from imap_tools.utils import check_command_status, quote

from mailer.cli import console
from mailer.cli.imap import Account, words_of
from mailer.errors import UsageError
from mailer.ledger.records import chunks

if TYPE_CHECKING:
    from mailer.config import ImapUrl

# So many folders are named where the one that was asked for is not there.
_MOST_NAMED = 40
# In one command: identifiers to search for and messages to read, so that a line stays below the 8,192 octets that
# servers take (RFC 7162 section 4).
_IDS, _MESSAGES = 50, 500
# The day that a server files a message under is one of its own zone, and its clock may be wrong.
_MARGIN = timedelta(days=2)


def examine(box: Account, url: ImapUrl) -> str:
    """Opens the folder that `url` names, else the one for sent messages, for reading only (EXAMINE).

    Returns its name, fit to be shown. Raises UsageError, with the folders that there are, where it is not there.
    """
    folder = url.folder or _sent_folder(box, url)
    try:
        box.folder.set(folder, readonly=True)
    except MailboxFolderSelectError as exc:
        words = words_of(exc, url, box.secret)
        raise UsageError(
            f"{url.host} opens no folder {console.printable(folder)} for {url.user}: {words}. {_folders_of(box)}"
        ) from None
    return console.printable(folder)


def _sent_folder(box: BaseMailBox, url: ImapUrl) -> str:
    """The folder that the server marks as \\Sent (RFC 6154): its name differs by server and language."""
    marked = [folder.name for folder in box.folder.list() if "\\sent" in map(str.lower, folder.flags)]
    if len(marked) != 1:
        found = f"{len(marked)} folders" if marked else "no folder"
        raise UsageError(
            f"{url.host} marks {found} of {url.user} as the one for sent messages: name it, as in "
            f"imaps://user@host/Folder. {_folders_of(box)}"
        )
    return marked[0]


def _folders_of(box: BaseMailBox) -> str:
    listed = (folder for folder in box.folder.list() if "\\noselect" not in map(str.lower, folder.flags))
    names = sorted(console.printable(folder.name) for folder in listed)
    return f"There are: {console.few(names, _MOST_NAMED)}." if names else "It shows no folders at all."


def held_of(wanted: set[str], box: BaseMailBox, since: datetime) -> set[str]:
    """Those of the Message-IDs `wanted` that the open folder holds; none of their messages is older than `since`.

    The server's search is only where to look: each message is proved by its own header.
    """
    uids = {uid for some in chunks(sorted(wanted), _IDS) for uid in _search(box, some)}
    found = wanted & set(_message_ids(box, sorted(uids)))
    if found != wanted:
        # A search by header may lag behind or compare in a way of its own; one by date does neither.
        found |= wanted & set(_message_ids(box, _uids(box, str(AND(date_gte=(since - _MARGIN).date())))))
    return found


def _search(box: BaseMailBox, message_ids: Sequence[str]) -> list[str]:
    """The UIDs that the server finds for these identifiers (RFC 3501 section 6.4.4); none where it cannot search so."""
    keys = [f"HEADER Message-ID {quote(message_id)!s}" for message_id in message_ids]
    try:
        return _uids(box, "OR " * (len(keys) - 1) + " ".join(keys))
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, MailboxUidsError):
        return []


def _uids(box: BaseMailBox, criteria: str) -> list[str]:
    answer = box.client.uid("SEARCH", criteria)
    check_command_status(answer, MailboxUidsError)
    return [uid for part in answer[1] if isinstance(part, bytes) for uid in part.decode("ascii").split()]


def _message_ids(box: BaseMailBox, uids: Sequence[str]) -> Iterator[str]:
    """The Message-ID of each of these messages; nothing else of them is read, and none is marked as seen."""
    for some in chunks(uids, _MESSAGES):
        answer = box.client.uid("FETCH", ",".join(some), "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
        check_command_status(answer, MailboxFetchError)
        # A header comes as a literal, which makes a pair; the rest is punctuation, and news of flags.
        for _, header in (part for part in answer[1] if isinstance(part, tuple)):
            yield str(BytesHeaderParser().parsebytes(header)["Message-ID"]).strip()
