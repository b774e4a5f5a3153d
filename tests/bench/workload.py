"""The work that all do alike: lists of fictional people, one letter of 2.5 kB text and 6 kB HTML, two attachments."""

from __future__ import annotations

import csv
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from stand import HERE, Stand

HEADINGS = ("Organisation", "Title", "First name", "Last name", "Position", "E-mail", "Seat", "Badge")
PDF_OCTETS = 300_000

# Parties have about ten contacts each, as in the lists that are really kept.
_CONTACTS_EACH = 10

# What stands in the place of each personal value in the letter that the peers' template is cut from.
_SPECIMEN = {
    "party": "Specimen Partyname",
    "first_name": "Firstnamespecimen",
    "last_name": "Lastnamespecimen",
    "position": "Positionspecimen",
    "email": "specimen@party.example.org",
    "seat": "Seatspecimen",
    "badge": "Badgespecimen",
}
_REFERENCE = re.compile(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b")


def row(number: int) -> tuple[str, ...]:
    """The contact with this number; no two have one address."""
    party = number // _CONTACTS_EACH
    return (
        f"Society for the Study of Example {party}",
        ("Ms.", "Mr.", "Dr.")[number % 3],
        ("Adaeze", "Bjørn", "Chiara", "Dinesh", "Élodie")[number % 5],
        _family_name(number),
        ("Programme Officer", "Adviser on Protection", "Director of Field Support")[number % 3],
        f"guest-{number}@society-{party % 1000}.example.org",
        f"Row {number % 40 + 1}, seat {number % 23 + 1}",
        f"B{number:07d}",
    )


def _family_name(number: int) -> str:
    """Letters alone: a name with figures in it is looked at more closely than those that people have."""
    return "".join("abdegiklmnoprstu"[int(digit, 16)] for digit in f"{number:05x}").capitalize()


def addresses(rows: int) -> Iterator[str]:
    """The recipients of a list with so many rows."""
    return (row(number)[5] for number in range(rows))


def working_folder(stand: Stand, rows: int, *, port: int, attached: bool = False, settings: str = "") -> Path:
    """A working folder of mailer with one event and one list of so many contacts, for a relay at `port`."""
    folder = stand.new_folder()
    shutil.copytree(HERE / "templates", folder / "templates")
    event = folder / "templates" / "gathering" / "event.toml"
    if attached:
        text = event.read_text("utf-8").replace("attachments = []\ncalendar = false", _ATTACHED)
        event.write_text(text, "utf-8")
        (event.parent / "attachments").mkdir()
        (event.parent / "attachments" / "programme.pdf").write_bytes(pdf())
    (folder / "config.env").write_text(
        f"SMTP_HOST=127.0.0.1\nSMTP_PORT={port}\nSMTP_SECURITY=none\nSMTP_RATE=off\n"
        f"MAIL_FROM=The Gathering <gathering@example.org>\n{settings}",
        "utf-8",
    )
    (folder / "contacts").mkdir()
    write_list(folder / "contacts" / "organisations.csv", (row(number) for number in range(rows)))
    return folder


_ATTACHED = 'attachments = ["attachments/programme.pdf"]\ncalendar = true'


def write_list(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(rows)


def write_workbook(path: Path, rows: int) -> None:
    """The same list as a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Contacts")
    sheet.append(HEADINGS)
    for number in range(rows):
        sheet.append(row(number))
    book.save(path)


def pdf() -> bytes:
    """Octets that do not compress, in the frame of a PDF; always the same."""
    return b"%PDF-1.4\n" + random.Random(1).randbytes(PDF_OCTETS - 15) + b"\n%%EOF"


# --- for the peers ----------------------------------------------------------------------------------------------------


def specimen(stand: Stand) -> EmailMessage:
    """Mailer's own letter with `{{ name }}` where each personal value stands: the template for everybody else.

    It has the attachments too, for those runs that send them.
    """
    folder = working_folder(stand, 0, port=25, attached=True)
    party, *others = _SPECIMEN.values()
    write_list(folder / "contacts" / "organisations.csv", [(party, "Ms.", *others)])
    stand.mailer(folder, "preview")
    (path,) = folder.glob("preview/invitation/*.eml")
    letter = message_from_bytes(path.read_bytes(), policy=SMTP)
    assert isinstance(letter, EmailMessage)
    cut = EmailMessage()
    cut["Subject"], cut["From"], cut["To"] = str(letter["Subject"]), str(letter["From"]), "{{ email }}"
    for subtype in ("plain", "html"):
        body = letter.get_body((subtype,))
        assert body is not None
        text = _REFERENCE.sub("{{ reference }}", body.get_content())
        for name, value in _SPECIMEN.items():
            text = text.replace(value, f"{{{{ {name} }}}}")
        if subtype == "plain":
            cut.set_content(text)
        else:
            cut.add_alternative(text, subtype="html")
    for part in letter.iter_attachments():
        name, content_type = part.get_filename(), part.get_content_type()
        cut.add_attachment(part.get_payload(decode=True), *content_type.split("/"), filename=name)
    return cut


def personal(number: int) -> Mapping[str, str]:
    """The values of the contact with this number, by the names that `specimen` uses."""
    party, _, *others = row(number)
    return dict(zip(_SPECIMEN, (party, *others), strict=True)) | {"reference": f"{number:05d}-{number % 99_991:05d}"}
