"""What else sends personal mail, on the same texts in the same run; each is skipped with a word where it is missing."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

from stand import HERE, Cost, Stand, Taken
from workload import addresses, personal, specimen

Peer = Callable[[], tuple[Cost, Taken]]


def peers(stand: Stand, number: int, *, attached: bool) -> Iterator[tuple[str, Peer]]:
    """Those that can be measured here, by name: each call sends `number` messages to a sink of its own."""
    letter = specimen(stand)
    files = _attachments(letter) if attached else {}
    folder = _folder(stand, letter, files, number)
    yield (
        "smtplib and email in a loop",
        lambda: _sent(stand, folder, number, sys.executable, HERE / "loop.py", "{port}", *files),
    )
    try:
        program = _install_mailmerge(stand)
    except subprocess.CalledProcessError as exc:
        print(f"mailmerge is left out: it cannot be installed here ({exc.stderr.strip().splitlines()[-1]})")
    else:
        words = (program, "--no-dry-run", "--no-limit", "--template", "merge.txt", "--database", "list.csv")
        yield "mailmerge", lambda: _sent(stand, folder, number, *words, "--config", "server.conf")


def source(stand: Stand, number: int, octets: int) -> Peer | None:
    """Postfix's load generator with five sessions: messages of one size, all made before, nothing remembered."""
    program = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        print("smtp-source is left out: it comes with Postfix, which is not installed here")
        return None
    # -N: each recipient another number; the sink's count says that none was left out.
    words = (program, "-s", "5", "-N", "-m", str(number), "-l", str(octets), "-t", "guest@example.org")
    folder = stand.new_folder()
    return lambda: _sent(stand, folder, number, *words, "-f", "gathering@example.org", "127.0.0.1:{port}", listed=False)


def _sent(stand: Stand, folder: Path, number: int, *words: str | Path, listed: bool = True) -> tuple[Cost, Taken]:
    with stand.sink() as sink:
        (folder / "server.conf").write_text(f"[smtp_server]\nhost = 127.0.0.1\nport = {sink.port}\n")
        cost = stand.run(folder, *(str(word).replace("{port}", str(sink.port)) for word in words))
    assert sink.taken
    sink.taken.require(addresses(number) if listed else sorted(sink.taken.recipients)[:number])
    return cost, sink.taken


def _folder(stand: Stand, letter: EmailMessage, files: Mapping[str, bytes], number: int) -> Path:
    """The list and the letter, with these files attached, in the forms that the peers take."""
    folder = stand.new_folder()
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(personal(0)))
        writer.writeheader()
        writer.writerows(personal(n) for n in range(number))
    bodies = [letter.get_body((subtype,)) for subtype in ("plain", "html")]
    text, html = (body.get_content() for body in bodies if body)
    (folder / "letter.txt").write_text(text, "utf-8")
    (folder / "letter.html").write_text(html, "utf-8")
    (folder / "subject").write_text(letter["Subject"], "utf-8")
    parts = "".join(
        f"--b\nContent-Type: text/{subtype}; charset=utf-8\n\n{body}\n"
        for subtype, body in (("plain", text), ("html", html))
    )
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
    attached = "".join(f"ATTACHMENT: {name}\n" for name in files)
    (folder / "merge.txt").write_text(
        f"TO: {{{{ email }}}}\nSUBJECT: {letter['Subject']}\nFROM: {letter['From']}\n{attached}MIME-Version: 1.0\n"
        f"Content-Type: multipart/alternative; boundary=b\n\n{parts}--b--\n",
        "utf-8",
    )
    return folder


def _attachments(letter: EmailMessage) -> dict[str, bytes]:
    found = ((part.get_filename(), part.get_payload(decode=True)) for part in letter.iter_attachments())
    return {name: octets for name, octets in found if name and isinstance(octets, bytes)}


def _install_mailmerge(stand: Stand) -> Path:
    folder = stand.new_folder()
    for words in (("-m", "venv", folder), (folder / "bin" / "python", "-m", "pip", "install", "-q", "mailmerge")):
        command = words if words[0] != "-m" else (sys.executable, *words)
        subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / "bin" / "mailmerge"
