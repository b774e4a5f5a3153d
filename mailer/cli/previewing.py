"""`mailer preview`: each message as it would leave, and a page to leaf through them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import event_argument, now_option, parsed_address
from mailer.cli.ends import soundness
from mailer.errors import InputRefused, LedgerError, Problem, UsageError

if TYPE_CHECKING:
    from mailer.cli.desk import Desk
    from mailer.cli.guests import Guest
    from mailer.cli.mailing import Prepared
    from mailer.cli.pages import Entry
    from mailer.ledger import Ledger
    from mailer.model import Letter


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
    from mailer.cli.pages import index

    desk = open_desk(event, now)
    chosen = [choose_mailing(desk, mailing)] if mailing else list(desk.event.mailings.values())
    key = parsed_address(address).key if address else None
    entries: list[Entry] = []
    problems: list[Problem] = []
    with _folder(out) as is_ours, _ledger(desk) as ledger:
        for one in chosen:
            prepared = prepare(desk, one)
            gathered = gather(prepared)
            problems += gathered.problems
            asked = [guest for guest in gathered.guests if guest.contact.address.key == key] if key else None
            if asked is None:
                entries += _write_messages(prepared, gathered.guests, ledger, out, anew=is_ours)
            elif asked:
                entries += _write_messages(prepared, asked, ledger, out, anew=False)
    problems = list(dict.fromkeys(problems))  # most are those of each mailing
    if address and not entries:
        console.problems(problems)
        raise UsageError(f"No contact that may be written to has the address {address}.")
    (out / "index.html").write_text(index(desk.event.title, entries), "utf-8")
    console.problems(problems)
    console.say(f"{console.count(len(entries), 'message')} in {out}; open {out / 'index.html'}")
    return soundness(problems)


@contextmanager
def _folder(out: Path) -> Iterator[bool]:
    """Makes the folder, and takes it away again where nothing has been put into it; whether it holds a preview.

    Raises UsageError, also where somebody else's page would be overwritten.
    """
    from mailer.cli.pages import is_index

    is_new, page = not out.exists(), out / "index.html"
    is_ours = is_index(page)
    if page.exists() and not is_ours:
        raise UsageError(f"{page} is not of a preview, and would be overwritten. Name another folder with --out.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{out} cannot be made: {exc.strerror}. Name another folder with --out.") from None
    try:
        yield is_ours
    finally:
        if is_new and not any(out.iterdir()):
            out.rmdir()


@contextmanager
def _ledger(desk: Desk) -> Iterator[Ledger]:
    """The ledger, made if need be, so that references are those that will be sent; else one that gives samples."""
    from mailer.ledger import Ledger

    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(desk.ledger(create=True))
        except LedgerError as exc:
            if Ledger.exists(desk.ledger_url):
                raise
            console.complain(f"warning: the references shown are samples, no invitation will have them. {exc}")
            ledger = stack.enter_context(desk.ledger(create=False))
        yield ledger


def _write_messages(
    prepared: Prepared, guests: Iterable[Guest], ledger: Ledger, out: Path, *, anew: bool
) -> list[Entry]:
    """Writes messages of one mailing, in place of all earlier ones if `anew`; gives their index entries."""
    from mailer.cli.pages import Entry, attached_to, page

    folder = out / prepared.mailing.name
    folder.mkdir(exist_ok=True)
    for stale in (*folder.glob("*.eml"), *folder.glob("*.html")) if anew else ():
        stale.unlink()
    entries: list[Entry] = []
    names: set[str] = set()
    attached: dict[tuple[str, str], str] = {}  # to the messages in one language that have the same file of their own
    for guest in guests:
        contact = guest.contact
        try:
            letter, octets = _message(prepared, guest, ledger)
        except InputRefused:
            continue  # stands among the problems of the mailing
        name = re.sub(r"[^\w@.+-]", "_", str(contact.address))
        if name in names:
            name = f"{name}-{len(entries)}"  # two addresses that differ in such a sign alone
        names.add(name)
        (folder / f"{name}.eml").write_bytes(octets)
        shape = guest.language, contact.attachment
        if shape not in attached:
            attached[shape] = attached_to(octets)
        shown = page(octets, attached[shape], letter.html, prepared.letters.images)
        (folder / f"{name}.html").write_text(shown, "utf-8")
        group = f"{prepared.mailing.name}, {guest.language}"
        remark = ", ".join([str(contact.address), *(f"Cc {address}" for address in contact.cc)])
        entries.append(Entry(f"{prepared.mailing.name}/{name}.html", group, guest.form.address_name, remark))
    return entries


def _message(prepared: Prepared, guest: Guest, ledger: Ledger) -> tuple[Letter, bytes]:
    from mailer.cli.messages import sample_delivery
    from mailer.smtp.features import CARRIES_ALL

    desk, contact = prepared.desk, guest.contact
    event = desk.event.name
    delivery = sample_delivery(
        prepared,
        guest,
        reference=ledger.reference_of(event, contact.address),
        message_id=ledger.message_id(event, prepared.wave, contact.address, prepared.domain),
    )
    letter = prepared.letter(guest, delivery.reference, desk.clock())
    _, content = prepared.message(letter, guest, delivery, CARRIES_ALL)
    return letter, b"".join(content)
