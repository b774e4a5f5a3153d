"""The arguments that several commands share."""

from __future__ import annotations

import click

event_argument = click.argument("event", required=False)
event_option = click.option("--event", "named", metavar="NAME", help="Which event, where there are several.")
now_option = click.option("--now", metavar="ISO", help="Act as if it were this moment, in the event's zone.")
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, and nothing else, to standard output.")
sandbox_option = click.option("--sandbox", is_flag=True, help="The rehearsal's ledger instead of the real one.")
