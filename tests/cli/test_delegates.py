"""Those who come in a colleague's place are addressed by the name that they typed, as by one in a sheet."""

import email
import email.policy

import pytest

from tests.cli.conftest import ADA, CONTACTS, EVENT, TEMPLATE, Folder
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
        ("Dr. " * 250 + "A", "Dear colleagues,", "Permanent Mission of Belgium to the United Nations"),
        ("Win at https://example.org/", "Dear colleagues,", "Permanent Mission of Belgium to the United Nations"),
    ],
)
def test_a_delegate_is_addressed_as_somebody_in_a_sheet(
    folder: Folder, relay: ScriptedServer, typed: str, salutation: str, to: str
) -> None:
    """Titles count, and where no name was typed, but a link or a whole text, the mission is written to."""
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


def test_a_delegate_is_written_to_by_the_name_that_the_party_has_now(folder: Folder, relay: ScriptedServer) -> None:
    """As are the others of the party, whom the sheets name."""
    folder.write("templates/round-table/event.toml", EVENT + ARRIVAL)
    folder.write("templates/round-table/arrival.md", TEMPLATE)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    folder.run("answers", "record", ADA, "in-person", "--by", "Dora Delegate", "--email", DORA)
    folder.write("contacts/missions.csv", CONTACTS.replace("Belgium,", "Reino de Muestra,"))
    due = folder.run("send", "--mailing", "arrival", "--dry-run").out
    assert f"would send to {DORA}: Dora Delegate (Reino de Muestra)" in due


def test_a_text_that_no_delegate_can_get_is_told_before_the_first_answers(
    folder: Folder, relay: ScriptedServer
) -> None:
    """A column of the sheets is a warning in a mailing to those who come, unless there is something in its place."""
    told = "no delegate can be written to, as these stand in no sheet: {{ contact.extra.table }} has no value"
    folder.write("contacts/missions.csv", CONTACTS.replace("Cc,Status", "Cc,Table").replace(",do not contact", ",7"))
    folder.write("templates/round-table/event.toml", EVENT + ARRIVAL)
    folder.write("templates/round-table/arrival.md", f"{TEMPLATE}\nTable {{{{ contact.extra.table }}}}.\n")
    folder.relay(relay)
    warned = folder.run("check")
    assert warned.code == 0
    assert told in warned.err
    assert folder.run("send", "--yes").code == 0
    folder.run("answers", "record", ADA, "in-person")
    assert "warnings about what is due now" in folder.run("send", "--mailing", "arrival", "--dry-run").err
    for words in ('{{ contact.extra.table | default("") }}', '{% if contact.extra.table | default("") %}.{% endif %}'):
        folder.write("templates/round-table/arrival.md", f"{TEMPLATE}\nTable {words}\n")
        assert "no delegate" not in folder.run("check").err


def test_one_who_comes_and_can_be_written_to_nowhere_is_named(folder: Folder, relay: ScriptedServer) -> None:
    """The answer left no address, and the row of the invitation is gone; whoever was forgotten is not spoken of."""
    folder.write("templates/round-table/event.toml", EVENT + ARRIVAL)
    folder.write("templates/round-table/arrival.md", TEMPLATE)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    folder.run("answers", "record", ADA, "in-person", "--by", "Belgian delegate")
    named = "answer 1: one who comes has no address: Belgian delegate (Belgium)"
    assert named not in folder.run("check").err
    folder.write("contacts/missions.csv", "".join(row for row in CONTACTS.splitlines(keepends=True) if ADA not in row))
    assert named in folder.run("check").err
    assert "1 warning about what is due now" in folder.run("send", "--mailing", "arrival", "--dry-run").err
    assert folder.run("forget", ADA, "--yes").code == 0
    assert "has no address" not in folder.run("check").err
