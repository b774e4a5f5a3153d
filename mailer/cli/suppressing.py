"""`mailer suppress` and `forget`: who is not to be written to any more, why, and who is erased."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from shlex import quote
from typing import TYPE_CHECKING

import click

from mailer.cli import console
from mailer.cli.arguments import json_option, legible, now_option, parsed_address
from mailer.errors import InputRefused, UsageError
from mailer.model import State

if TYPE_CHECKING:
    from mailer.config import Config
    from mailer.ledger import Ledger
    from mailer.model import Address

_SPELLING = "see that it is spelled as in your lists"


@dataclass(frozen=True, slots=True)
class _Register:
    """The real ledger with what concerns every event: the settings, the events there are, and the moment it is."""

    ledger: Ledger
    settings: Config
    events: Sequence[str]
    now: datetime


@click.command(short_help="Never write to ADDRESS again; or show who is suppressed.")
@click.argument("address", required=False)
@click.option("--reason", metavar="R", callback=legible, help="Why, in your own words.")
@click.option("--lift", is_flag=True, help="Write to ADDRESS again.")
@json_option
@now_option
def suppress(address: str | None, reason: str | None, lift: bool, as_json: bool, now: str | None) -> int:
    """Never write to ADDRESS again, in any event; with --lift, write to it again.

    Without ADDRESS, show who is suppressed, why and since when. A suppression holds no address: those are named that
    stand in the lists or in the ledger, and the others counted.
    """
    if address is None:
        if lift or reason is not None:
            raise UsageError("Whose? Name the ADDRESS.")
        with _register(now, create=False) as register:
            _list(register, as_json=as_json)
        return 0
    if as_json:
        raise UsageError("--json goes with the list alone: leave ADDRESS out.")
    if lift and reason is not None:
        raise UsageError("--lift takes back what --reason enters: name one.")
    parsed = parsed_address(address)
    with _register(now, create=not lift) as register:
        if lift:
            _lift(register, parsed)
        else:
            _enter(register, parsed, reason)
    return 0


def _list(register: _Register, *, as_json: bool) -> None:
    from mailer.cli.desk import mind_older
    from mailer.cli.invitees import contacts_of

    mind_older(register.ledger)
    contacts = contacts_of(register.settings)
    in_lists = chain.from_iterable((contact.address, *contact.cc) for contact in contacts)
    found = register.ledger.suppressions(in_lists)
    named = [(str(address), one.reason, one.at) for address, one in found if address]
    unnamed = len(found) - len(named)
    if as_json:
        rows = [{"address": address, "reason": reason, "at": at.isoformat()} for address, reason, at in named]
        console.as_json({"suppressed": rows, "unnamed": unnamed})
        return
    for address, reason, at in named:
        console.say(f"{address}, since {_day(at)}: {reason}")
    if unnamed:
        console.say(f"{unnamed} not named, as a digest alone is kept: in no list any more, and not in the ledger")
    if not found:
        console.say("Nobody is suppressed.")


def _day(at: datetime) -> str:
    return f"{at.astimezone():%d %B %Y}"  # of the machine's zone, as no event is meant


def _enter(register: _Register, address: Address, reason: str | None) -> None:
    from mailer.ledger import Suppression

    if not (reason and reason.strip()):
        raise UsageError("Say why, in your own words: --reason R.")
    if Suppression(reason, register.now).is_for_good:
        raise UsageError(f"--reason {reason} is what mailer forget leaves: give another.")
    ledger = register.ledger
    if earlier := ledger.suppressed([address]).get(address.key):
        console.say(f"Nothing changes: {address} is suppressed since {_day(earlier.at)}: {earlier.reason}")
        return
    is_known = any(ledger.histories(event, [address]) for event in register.events)
    stopped = ledger.suppress(address, reason, register.now)
    console.say(f"{address} is not written to any more; stopped: {console.count(stopped, 'waiting message')}.")
    if not is_known:
        console.say(f"No message of its own was sent to it, or waits: {_SPELLING}.")


def _lift(register: _Register, address: Address) -> None:
    from mailer import event
    from mailer.cli.again import say_what_sends
    from mailer.cli.desk import Desk

    queued = register.ledger.lift(address, register.now)
    console.say(f"{address} may be written to again; queued: {console.count(queued, 'message')} that had been stopped.")
    for name in register.events if queued else ():
        found = register.ledger.deliveries(name, state=State.QUEUED)
        if waiting := [one for one in found if one.recipient.key == address.key]:
            try:
                loaded, _ = event.load(register.settings.TEMPLATES, name)
            except InputRefused:
                console.say(f"Which command sends it, event.toml tells once it is mended: mailer check {quote(name)}")
                continue
            say_what_sends(waiting, Desk(register.settings, loaded, lambda: register.now), register.ledger)


@click.command(short_help="Erase ADDRESS from the ledger for good.")
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@now_option
def forget(address: str, yes: bool, now: str | None) -> int:
    """Erase ADDRESS and every word about it from the ledger, and never write to it again.

    On a terminal it asks first.
    """
    from mailer.cli.desk import mind_older

    parsed = parsed_address(address)
    with _register(now, create=True) as register:
        mind_older(register.ledger, decides=True)
        if not yes and sys.stdin.isatty():
            console.confirm(f"erase every word about {parsed} for good")
        earlier = register.ledger.suppressed([parsed]).get(parsed.key)
        erased = register.ledger.forget(parsed, register.now)
    made = f"{console.count(erased.deliveries, 'message')}, {console.count(erased.answers, 'answer')}"
    kept = "the spreadsheets, the exports of answers, preview/ and outbox/"
    console.say(f"Made anonymous: {made}. Take the address out of {kept} too.")
    if earlier and earlier.is_for_good:
        console.say(f"It had been forgotten on {_day(earlier.at)}.")
    elif not (erased.deliveries or erased.answers):
        console.say(f"Nothing in the ledger had it: {_SPELLING}.")
    return 0


@contextmanager
def _register(now: str | None, *, create: bool) -> Iterator[_Register]:
    """The register, without `create` an empty one in memory where there is none.

    Raises UsageError outside of a working folder, where it would be a ledger that no event has.
    """
    from mailer import config, event
    from mailer.cli.desk import clock_at, moment_of
    from mailer.ledger import Ledger

    settings, odd = config.load()
    console.problems(odd)
    events = event.names(settings.TEMPLATES)
    if not events:
        raise UsageError(f"There is no event in {settings.TEMPLATES}/ here: go to your working folder.")
    url = settings.LEDGER_URL if create or Ledger.exists(settings.LEDGER_URL) else "sqlite://"
    with Ledger.open(url) as ledger:
        yield _Register(ledger, settings, events, clock_at(moment_of(now, None))())
