"""A peer, the loop that most would write first: Jinja2, the `email` package and `smtplib`, one connection, no memory.

python loop.py PORT [FILE ...]      in a folder with list.csv, letter.txt, letter.html and subject; attaches the files
"""

from __future__ import annotations

import csv
import mimetypes
import smtplib
import sys
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

from jinja2 import Environment


def main(port: int, files: Sequence[Path]) -> None:
    environment = Environment(autoescape=True)
    text = environment.from_string(Path("letter.txt").read_text("utf-8"))
    html = environment.from_string(Path("letter.html").read_text("utf-8"))
    subject = Path("subject").read_text("utf-8")
    with smtplib.SMTP("127.0.0.1", port) as relay, Path("list.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            message = EmailMessage()
            message["From"], message["To"], message["Subject"] = "gathering@example.org", row["email"], subject
            message.set_content(text.render(row))
            message.add_alternative(html.render(row), subtype="html")
            for file in files:
                kind = (mimetypes.guess_type(file.name)[0] or "application/octet-stream").split("/")
                message.add_attachment(file.read_bytes(), *kind, filename=file.name)
            relay.send_message(message)


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
