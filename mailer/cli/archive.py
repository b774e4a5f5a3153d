"""An archive copy or Sent folder, asked which messages it holds."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from pathlib import Path

from mailer.errors import UsageError


def message_ids(path: Path) -> Iterator[str]:
    """The Message-ID of each message in `path`, a Maildir folder (with its subfolders) or an mbox file.

    Raises UsageError where it is neither.
    """
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
