"""Those who come in a colleague's place are addressed by the name that they typed, as by one in a sheet."""

import email
import email.policy

import pytest

from tests.cli.conftest import ADA, EVENT, TEMPLATE, Folder
from tests.servers import ScriptedServer

DORA = "dora@gmail.com"
ARRIVAL = '\n[mailings.arrival]\naudience = "attending"\n'


@pytest.mark.parametrize(
    ("typed", "salutation", "to"),
    [
        ("H.E. Ms  Dora DELEGATE", "Excellency,", "H.E. Ms. Dora DELEGATE"),
        ("Dora DELEGATE (Ms)", "Dear Ms. DELEGATE,", "Ms. Dora DELEGATE"),
        ("Vacante Sample", "Dear Vacante Sample,", "Vacante Sample"),
        ("n/a", "Dear colleagues,", "Permanent Mission of Belgium to the United Nations"),
    ],
)
def test_a_delegate_is_addressed_as_somebody_in_a_sheet(
    folder: Folder, relay: ScriptedServer, typed: str, salutation: str, to: str
) -> None:
    """Titles count, and where no name was typed the mission is written to."""
    folder.write("templates/round-table/event.toml", EVENT + ARRIVAL)
    folder.write("templates/round-table/arrival.md", TEMPLATE)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    rows = folder.run("status", "--json").json["deliveries"]
    reference = next(row["reference"] for row in rows if row["recipient"] == ADA)
    folder.run("answers", "record", reference, "in-person", "--by", typed, "--email", DORA)
    folder.run("preview", "--mailing", "arrival", "--out", "preview")
    written = (folder.path / "preview" / "arrival" / f"{DORA}.eml").read_bytes()
    message = email.message_from_bytes(written, policy=email.policy.default)
    assert message["To"].addresses[0].display_name == to
    assert salutation in message.get_body(("plain",)).get_content().splitlines()
