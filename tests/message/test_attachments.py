"""Each file travels under its type."""

import os
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.message import Composer


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("note.pdf", b"%PDF", "application/pdf"),
        ("Invitation.DOCX", b"PK", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("programme.csv", "événement;12h45\n".encode(), 'text/csv; charset="utf-8"'),
        ("programme.txt", "événement".encode("cp1252"), "application/octet-stream"),
        ("old.eml", b"Subject: x\n\n", "application/octet-stream"),
        ("archive.tar.gz", b"\x1f\x8b", "application/octet-stream"),
        ("own.ics", b"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\n", 'text/calendar; method="PUBLISH"; charset="utf-8"'),
        ("kept.ics", b"BEGIN:VCALENDAR\r\n", 'text/calendar; charset="utf-8"'),
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


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_is_closed_to_us_is_found_before_it_is_sent(tmp_path: Path, sender) -> None:
    """A recipient's own attachment is opened when it is checked, not first when the message is made."""
    path = tmp_path / "note.pdf"
    path.write_bytes(b"%PDF")
    path.chmod(0)
    with pytest.raises(ValueError, match="the file cannot be read: Permission denied"):
        Composer(sender).check_attachment(path)
