"""A file that a mailing or a contact's row names is found inside the event's folder and nowhere else."""

from pathlib import Path

import pytest

from mailer.event import attachment


def test_a_file_is_found_in_the_folder_or_its_attachments(tmp_path: Path) -> None:
    """A bare name, a name under attachments/ and one with the slash of another system all lead to the file."""
    folder = tmp_path
    (folder / "attachments").mkdir()
    (folder / "attachments" / "concept note.pdf").write_bytes(b"%PDF")
    (folder / "personal.pdf").write_bytes(b"%PDF")
    note = folder / "attachments" / "concept note.pdf"
    assert attachment(folder, "personal.pdf").samefile(folder / "personal.pdf")
    assert attachment(folder, " concept note.pdf ").samefile(note)
    assert attachment(folder, "attachments/concept note.pdf").samefile(note)
    assert attachment(folder, "attachments\\concept note.pdf").samefile(note)


@pytest.mark.parametrize(
    "name",
    [
        *("../secret.pdf", "attachments/../../secret.pdf", "..\\secret.pdf", "/etc/hostname", "link.pdf"),
        *(
            "C:\\secret.pdf",
            "C:secret.pdf",
            "\\\\server\\share\\secret.pdf",
            "//server/share/x.pdf",
            "linked/secret.pdf",
        ),
    ],
)
def test_nothing_outside_the_folder_can_be_attached(tmp_path: Path, name: str) -> None:
    """Parent folders, absolute paths, drives, shares and symbolic links that lead out are refused."""
    (tmp_path / "secret.pdf").write_bytes(b"secret")
    event = tmp_path / "poc-week"
    event.mkdir()
    (event / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (event / "linked").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"out of the event's folder"):
        attachment(event, name)


@pytest.mark.parametrize(
    "name", ["", "  ", ".", "attachments", "missing.pdf", "a\nb.pdf", "a\0b.pdf", "x" * 300, "empty.pdf"]
)
def test_a_name_without_a_file_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    """An empty cell, a folder, a missing or empty file and an impossible name each give a sentence."""
    (tmp_path / "attachments").mkdir()
    (tmp_path / "empty.pdf").touch()
    with pytest.raises(ValueError, match=r"(is|cannot be) \w+"):
        attachment(tmp_path, name)


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    """Staff may link one file under several names."""
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    (tmp_path / "letter-kenya.pdf").symlink_to(tmp_path / "letter.pdf")
    assert attachment(tmp_path, "letter-kenya.pdf").read_bytes() == b"%PDF"


@pytest.mark.parametrize("name", ["n" * 300, "n" * 300 + "/note.pdf", "/".join(["n" * 200] * 30)])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    """What the system will not even look up is a reason like any other."""
    with pytest.raises(ValueError, match=r"^cannot be read: File name too long$"):
        attachment(tmp_path, name)
