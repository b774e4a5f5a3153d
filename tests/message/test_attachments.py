"""A contact's own file is found inside the event's folder and nowhere else, and each file travels under its type."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.message import Composer, personal_attachment


def test_a_personal_file_is_found_in_the_folder_or_its_attachments(folder) -> None:
    """A bare name, a name under attachments/ and one with the slash of another system all lead to the file."""
    note = folder / "attachments" / "concept note.pdf"
    assert personal_attachment(folder, "personal.pdf").samefile(folder / "personal.pdf")
    assert personal_attachment(folder, " concept note.pdf ").samefile(note)
    assert personal_attachment(folder, "attachments/concept note.pdf").samefile(note)
    assert personal_attachment(folder, "attachments\\concept note.pdf").samefile(note)


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
def test_nothing_outside_the_folder_can_be_attached(tmp_path, name) -> None:
    """Parent folders, absolute paths, drives, shares and symbolic links that lead out are refused."""
    (tmp_path / "secret.pdf").write_bytes(b"secret")
    event = tmp_path / "poc-week"
    event.mkdir()
    (event / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (event / "linked").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"out of the event's folder"):
        personal_attachment(event, name)


@pytest.mark.parametrize(
    "name", ["", "  ", ".", "attachments", "missing.pdf", "a\nb.pdf", "a\0b.pdf", "x" * 300, "empty.pdf"]
)
def test_a_name_without_a_file_is_refused_with_a_reason(tmp_path, name) -> None:
    """An empty cell, a folder, a missing or empty file and an impossible name each give a sentence."""
    (tmp_path / "attachments").mkdir()
    (tmp_path / "empty.pdf").touch()
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        personal_attachment(tmp_path, name)


def test_a_link_that_stays_inside_is_followed(tmp_path) -> None:
    """Staff may link one file under several names."""
    (tmp_path / "letter.pdf").write_bytes(b"%PDF")
    (tmp_path / "letter-kenya.pdf").symlink_to(tmp_path / "letter.pdf")
    assert personal_attachment(tmp_path, "letter-kenya.pdf").read_bytes() == b"%PDF"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("note.pdf", b"%PDF", "application/pdf"),
        ("Invitation.DOCX", b"PK", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("programme.csv", "événement;12h45\n".encode(), 'text/csv; charset="utf-8"'),
        ("programme.txt", "événement".encode("cp1252"), "application/octet-stream"),
        ("old.eml", b"Subject: x\n\n", "application/octet-stream"),
        ("archive.tar.gz", b"\x1f\x8b", "application/octet-stream"),
        ("no-ending", b"x", "application/octet-stream"),
        ("مذكرة مفاهيمية عن حماية المدنيين وعن الدور الذي تقوم به المجتمعات المحلية.pdf", b"x", "application/pdf"),
        ('quote"and\\slash, semi;colon.pdf', b"x", "application/pdf"),
    ],
)
def test_each_file_travels_under_its_name_and_type(tmp_path: Path, sender, compose, name, content, kind) -> None:
    """The type follows the name; texts of unknown charset and what Base64 is not allowed for become plain octets."""
    (tmp_path / name).write_bytes(content)
    for composer, own in ((Composer(sender, [tmp_path / name]), None), (Composer(sender), tmp_path / name)):
        message = compose(composer, attachment=own)[2]
        part: EmailMessage = next(message.iter_attachments())
        assert part["Content-Type"] == kind
        assert part.get_filename() == name
        assert part.get_content_disposition() == "attachment"
        assert part.get_payload(decode=True) == content
