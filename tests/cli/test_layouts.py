"""`contacts` and `check` say of each sheet which column was taken for what, and stop where that is not clear."""

from tests.cli.conftest import CONTACTS, Folder

MINE = "missions.csv: party from Mission; as named: Title, First name, Last name, Rank, Email, Cc, Status"
SHEET = """Country,Family name,First name,Mr/Ms,Email,Lang.,Assistant,DO NOT INVITE,Table
Ghana,SAMPLE,Kofi,H.E. Mr.,kofi@ghana.example.org,fr,pa@ghana.example.org,x,5
"""


def test_contacts_say_which_column_was_taken_for_what(folder: Folder) -> None:
    """One line a sheet on the screen, the columns one by one in the JSON, beside contacts and problems."""
    folder.write("contacts/missions.csv", SHEET)
    told = folder.run("contacts", now=None)
    assert told.code == 0
    assert (
        "missions.csv: party from Country, last name from Family name, title from Mr/Ms, language from Lang., status "
        "from DO NOT INVITE; as named: First name, Email; kept for the texts: Assistant, Table\n"
    ) in told.out
    assert "do not contact" in told.out
    assert "missions.csv, cell G1: “Assistant” is not a heading that is understood" in told.err
    as_json = folder.run("contacts", "--json", now=None).json
    assert list(as_json) == ["contacts", "problems", "sheets"]
    fields = {column["heading"]: column["field"] for column in as_json["sheets"][0]["columns"]}
    assert (fields["Lang."], fields["DO NOT INVITE"], fields["Table"]) == ("language", "status", "extra")


def test_check_says_it_once_however_many_mailings_there_are(folder: Folder) -> None:
    """The invitation and the reminder read the same sheets; a broken template hides no sheet."""
    assert folder.run("check").out.count(MINE) == 1
    folder.write("templates/round-table/invitation.md", "Subject: x\n\n{{ contact.nothing }}\n")
    assert folder.run("check").out.count(MINE) == 1
    folder.write("templates/round-table/event.toml", "title =")
    assert folder.run("check").out.count(MINE) == 1
    assert list(folder.run("check", "--json").json) == ["problems"]


def test_nobody_is_written_to_by_a_sheet_that_forbids_in_other_words(folder: Folder) -> None:
    """Not even with --skip-invalid, which would take every row of it for sound."""
    folder.write("contacts/missions.csv", CONTACTS.replace("Status", "Do not invite any more"))
    refused = folder.run("send", "--sandbox", "--yes")
    assert refused.code == 3
    assert "missions.csv, cell H1" in refused.err
    folder.run("send", "--sandbox", "--yes", "--skip-invalid")
    assert not list(folder.path.glob("outbox/**/*.eml"))
