"""`mailer resolve --archive` with files: only an archive can say what was sent, and one bad entry does not end it."""

import mailbox
import os
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import ADA, ALL_IN_DOUBT, BEN, REGISTRY, Folder

ONE_FOUND = {ADA: "sent", BEN: "in_doubt", REGISTRY: "in_doubt"}


def copy_of(folder: Folder, recipient: str) -> bytes:
    """What an archive holds of the message to this recipient."""
    rows = folder.run("status", "--json").json["deliveries"]
    (found,) = (row["message_id"] for row in rows if row["recipient"] == recipient)
    return f"Message-ID: {found}\nSubject: Invitation\n\nExcellency\n".encode()


@pytest.fixture
def maildir(doubtful: Folder) -> Path:
    """A Maildir folder that holds the message to Ada."""
    path = doubtful.path / "archive"
    mailbox.Maildir(path).add(copy_of(doubtful, ADA))
    return path


# --- an mbox file -----------------------------------------------------------------------------------------------------


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive", "From events@sender.example.org Mon Feb 24 10:00:00 2031\n\n")


@pytest.mark.parametrize(
    "make",
    [
        zipped,
        lambda path: path.write_text("Mission,Email\nFiji,office@fiji.example.org\n"),
        lambda path: path.write_text("Message-ID: <1@sender.example.org>\n\nExcellency\n"),
        lambda path: path.write_bytes(b""),
        lambda path: path.symlink_to(os.devnull),
        pytest.param(os.mkfifo, marks=pytest.mark.skipif(os.name == "nt", reason="Windows has none")),
    ],
    ids=["zip", "csv", "one message", "nothing", "device", "FIFO"],
)
def test_what_is_no_archive_is_not_asked(doubtful: Folder, make) -> None:
    """Any other file is a usage error, and not an archive that lacks what was sent: that would lead to doubles."""
    make(doubtful.path / "archive")
    refused = doubtful.run("resolve", "--archive", "archive")
    assert (refused.code, refused.out) == (2, "")
    assert "archive is no mbox file" in refused.err
    assert doubtful.states() == ALL_IN_DOUBT


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_mbox_may_have_either_line_end(doubtful: Folder, end: bytes) -> None:
    """A file that begins with a From line is searched, whichever system wrote it."""
    message = b"From events@sender.example.org Mon Feb 24 10:00:00 2031\n" + copy_of(doubtful, ADA)
    (doubtful.path / "archive").write_bytes(message.replace(b"\n", end))
    assert doubtful.run("resolve", "--archive", "archive").code == 1
    assert doubtful.states() == ONE_FOUND


# --- a Maildir folder -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows lacks these kinds of file")
def test_what_is_no_message_is_passed_over(doubtful: Folder, maildir: Path) -> None:
    """Neither a folder of another program, nor a link to nowhere, in a circle or to a folder, nor a FIFO ends the
    search or holds it up."""
    (maildir / ".sieve" / "tmp").mkdir(parents=True)
    (maildir / ".notes").write_text("Not a folder.")
    for part in ("cur", "new"):
        (maildir / part / "1.gone:2,S").symlink_to("nowhere")
        (maildir / part / "2.circle:2,S").symlink_to("2.circle:2,S")
        (maildir / part / "3.folder:2,S").symlink_to(maildir)
        os.mkfifo(maildir / part / "4.fifo")
    found = doubtful.run("resolve", "--archive", "archive")
    assert (found.code, found.err) == (1, "")
    assert doubtful.states() == ONE_FOUND


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file that even its owner cannot read")
def test_what_cannot_be_read_is_told(doubtful: Folder, maildir: Path) -> None:
    """A message that cannot be read is passed over, and said to be, as it may be the one that is looked for."""
    (maildir / "cur" / "1.unread:2,S").symlink_to("/proc/self/mem")
    found = doubtful.run("resolve", "--archive", "archive")
    assert found.code == 1
    assert "1 message in archive cannot be read: passed over" in found.err
    assert doubtful.states() == ONE_FOUND


def test_subfolders_and_links_are_searched(doubtful: Folder, maildir: Path) -> None:
    """A copy counts in a subfolder, and as a link to a message that is kept elsewhere."""
    mailbox.Maildir(maildir).add_folder("Sent.2031").add(copy_of(doubtful, BEN))
    (doubtful.path / "kept").write_bytes(copy_of(doubtful, REGISTRY))
    (maildir / "new" / "1.link").symlink_to(doubtful.path / "kept")
    assert doubtful.run("resolve", "--archive", "archive").code == 0
