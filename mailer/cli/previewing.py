"""`mailer preview`: each message as it would leave, and a page to leaf through them."""

from __future__ import annotations

import base64
import html
import mimetypes
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, now_option
from mailer.errors import InputRefused, Problem, UsageError

if TYPE_CHECKING:
    from mailer.cli.desk import Guest
    from mailer.cli.mailing import Prepared
    from mailer.ledger import Ledger
    from mailer.model import Letter

_INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ margin: 0; display: flex; height: 100vh; font: 15px/1.4 system-ui, sans-serif; color: #1b1b1b; }}
nav {{ width: 26rem; overflow: auto; border-right: 1px solid #ccc; padding: 0 1rem 2rem; box-sizing: border-box; }}
nav a {{ display: block; padding: .45rem .3rem; color: inherit; text-decoration: none; border-bottom: 1px solid #eee; }}
nav a:hover, nav a:focus {{ background: #eef3fa; }}
nav h1 {{ font-size: 1.2rem; }}
nav small {{ color: #555; }}
iframe {{ flex: 1; border: 0; background: #fff; }}
</style></head><body><nav><h1>{title}</h1>{links}</nav>
<iframe name="message" title="The message" sandbox="allow-popups" src="{first}"></iframe></body></html>
"""


@click.command(short_help="What each would get, as messages and pages; nothing is sent.")
@event_argument
@click.option("--to", "address", metavar="ADDRESS", help="Only the message to this address.")
@click.option("--mailing", metavar="NAME", help="Only this mailing.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("preview"), show_default=True)
@now_option
def preview(event: str | None, address: str | None, mailing: str | None, out: Path, now: str | None) -> int:
    """Write what each would get: message and page a recipient, and index.html to leaf through. Nothing is sent."""
    from mailer.cli.desk import open_desk
    from mailer.cli.gathering import gather
    from mailer.cli.mailing import choose_mailing, prepare

    desk = open_desk(event, now)
    chosen = [choose_mailing(desk, mailing)] if mailing else list(desk.event.mailings.values())
    entries: list[tuple[str, str]] = []
    problems: list[Problem] = []
    with desk.ledger(create=True) as ledger:
        for one in chosen:
            prepared = prepare(desk, one)
            gathered = gather(prepared)
            problems += gathered.problems
            entries += _write_messages(prepared, gathered.guests, ledger, address, out)
    if address and not entries:
        console.problems(problems)
        raise UsageError(f"No contact that may be written to has the address {address}.")
    links = "".join(f'<a href="{html.escape(link)}" target="message">{text}</a>' for link, text in entries)
    title = html.escape(desk.event.title)
    first = html.escape(entries[0][0]) if entries else ""
    out.mkdir(parents=True, exist_ok=True)
    (out / "index.html").write_text(_INDEX.format(title=title, links=links, first=first), "utf-8")
    console.problems(list(dict.fromkeys(problems)))
    console.say(f"{len(entries)} messages in {out}; open {out / 'index.html'}")
    return 3 if any(problem.is_error for problem in problems) else 0


def _write_messages(
    prepared: Prepared, guests: Iterable[Guest], ledger: Ledger, address: str | None, out: Path
) -> list[tuple[str, str]]:
    """Writes the messages of one mailing; gives link and text of each for the index."""
    folder = out / prepared.mailing.name
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (*folder.glob("*.eml"), *folder.glob("*.html")) if not address else ():
        stale.unlink()
    entries: list[tuple[str, str]] = []
    names: set[str] = set()
    for guest in guests:
        contact = guest.contact
        if address and contact.address.key != address.strip().casefold():
            continue
        try:
            letter, octets = _message(prepared, guest, ledger)
        except InputRefused:
            continue  # stands among the problems of the mailing
        name = re.sub(r"[^\w@.+-]", "_", str(contact.address))
        if name in names:
            name = f"{name}-{len(entries)}"  # two addresses that differ in such a sign alone
        names.add(name)
        (folder / f"{name}.eml").write_bytes(octets)
        page = _with_images(letter.html, prepared.letters.images)
        (folder / f"{name}.html").write_text(page, "utf-8")
        text = (
            f"{html.escape(guest.form.address_name)}<br><small>{html.escape(prepared.mailing.name)}, {guest.language}: "
            f"{html.escape(str(contact.address))}</small>"
        )
        entries.append((f"{prepared.mailing.name}/{name}.html", text))
    return entries


def _message(prepared: Prepared, guest: Guest, ledger: Ledger) -> tuple[Letter, bytes]:
    from mailer.cli.messages import sample_delivery
    from mailer.smtp.features import CARRIES_ALL

    desk, contact = prepared.desk, guest.contact
    event, domain = desk.event.name, desk.mail_from.address.ascii_domain
    delivery = sample_delivery(
        prepared,
        guest,
        reference=ledger.reference_of(event, contact.address),
        message_id=ledger.message_id(event, prepared.wave, contact.address, domain),
    )
    letter = prepared.letter(guest, delivery.reference, desk.clock())
    _, content = prepared.message(letter, guest, delivery, CARRIES_ALL)
    return letter, b"".join(content)


def _with_images(page: str, images: Sequence[tuple[str, Path]]) -> str:
    """The page with its inline images in itself, as a browser knows no `cid:`."""
    for cid, path in images:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        page = page.replace(f"cid:{cid}", f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}")
    return page
