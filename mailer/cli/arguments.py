"""The arguments that several commands share."""

from __future__ import annotations

import click

from mailer.errors import UsageError
from mailer.model import Address, Attendance

# What an answer may mean, as people type it.
ATTENDANCES = {"in-person": Attendance.IN_PERSON, "online": Attendance.ONLINE, "regrets": Attendance.REGRETS}

event_argument = click.argument("event", required=False)
event_option = click.option("--event", "named", metavar="NAME", help="Which event, where there are several.")
now_option = click.option("--now", metavar="ISO", help="Act as if it were this moment, in the event's zone.")
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, and nothing else, to standard output.")
sandbox_option = click.option("--sandbox", is_flag=True, help="The rehearsal's ledger instead of the real one.")


def legible(_context: click.Context, _option: click.Parameter, typed: str | None) -> str | None:
    """What an option holds that is kept as it was typed. Raises click.BadParameter where it is no text."""
    from mailer.contacts.cells import control_character

    if typed and (sign := control_character(typed)):
        raise click.BadParameter(f"it holds {sign}, which is no sign of a text: type it anew, in UTF-8.")
    return typed


def parsed_address(typed: str) -> Address:
    """The address that was typed. Raises UsageError where it is none."""
    try:
        return Address.parse(typed)
    except ValueError as exc:
        raise UsageError(f"{typed}: {exc}") from None


def one_event(event: str | None, named: str | None) -> str | None:
    """The event that was named, behind the command or with --event. Raises UsageError where these are two."""
    if event and named and event != named:
        raise UsageError(f"{event} and --event {named} are two events: name one.")
    return named or event
