"""What a run tells the person who has to decide what comes next."""

import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mailer.cli import console
from tests.cli.conftest import CONTACTS, Folder
from tests.servers import ScriptedServer


def test_a_refusal_names_the_errors_and_the_ways_out(folder: Folder, relay: ScriptedServer) -> None:
    """No warning hides them: those are counted, and `check` has them."""
    folder.relay(relay)
    folder.write("contacts/missions.csv", CONTACTS + "Utopia,Mr.,Nan,X,Counsellor,not an address,,\n")
    refused = folder.run("send", "--yes")
    assert refused.code == 3
    assert "error: missions.csv" in refused.err
    assert "warning: " not in refused.err
    assert "--skip-invalid" in refused.err
    assert "check --annotate" in refused.err


def test_warnings_are_counted_of_what_is_due(folder: Folder, relay: ScriptedServer) -> None:
    """Their number may be another than that of `check`, which is said."""
    folder.relay(relay)
    folder.write("contacts/more.csv", "Mission,Email\nUtopia,office@utopia.example.org\n")
    told = folder.run("send", "--dry-run").err
    assert "1 warning about what is due now; mailer check shows all there are" in told


def test_a_copy_of_a_list_is_one_line(folder: Folder) -> None:
    """Each of its rows names another one of the list; a few such rows are told one by one, and to machines all are."""
    parties = ("Chile", "Cuba", "Fiji", "Mali", "Oman", "Peru", "Togo")
    rows = [f"{name},,,,,{name.lower()}@{name.lower()}.example.org,,\n" for name in parties]
    heading = CONTACTS.splitlines(keepends=True)[0]
    for name in ("missions.csv", "missions (1).csv"):
        folder.write(f"contacts/{name}", heading + "".join(rows))
    told = folder.run("contacts", now=None).err
    what = "The address stands already in missions.csv, row 2, which keeps the invitation"
    assert f"missions (1).csv, cell F2: {what} (also rows 3, 4, 5, 6, 7, 8) (" in told
    assert "Delete one of the two rows, or this list if it is a copy." in told
    assert told.count("stands already") == 1
    assert "7 warnings" in told
    problems = folder.run("contacts", "--json", now=None).json["problems"]
    assert len(problems) == 7
    assert problems[0]["problem"] == what
    folder.write("contacts/missions (1).csv", heading + "".join(rows[:5]))
    assert folder.run("contacts", now=None).err.count("stands already") == 5


def test_a_copy_of_parts_of_two_lists_is_told_apart(folder: Folder) -> None:
    """Whatever the lists are called, rows of two of them are not taken for those of one."""
    rows = [f"Chile,office{number}@chile.example.org\n" for number in range(6)]
    for name, some in (("row 1", rows[:3]), ("row 2", rows[3:]), ("row 3", rows)):
        folder.write(f"contacts/{name}.csv", "Mission,Email\n" + "".join(some))
    assert folder.run("contacts", now=None).err.count("stands already") == 6


def test_rows_with_errors_stand_in_the_status(folder: Folder, relay: ScriptedServer) -> None:
    """Whoever was left out for an error is not forgotten, by place and reason."""
    folder.relay(relay)
    folder.write("contacts/missions.csv", CONTACTS + "Utopia,Mr.,Nan,X,Counsellor,not an address,,\n")
    sent = folder.run("send", "--yes", "--skip-invalid")
    assert sent.code == 1
    assert "Rows with errors were left out" in sent.out
    told = folder.run("status").out
    assert "missions.csv, row 6" in told
    assert "see mailer check" in told


def test_the_status_counts_errors_and_no_warnings(folder: Folder) -> None:
    """What may be meant as it is does not stay there for ever; the number for machines is of all problems."""
    folder.write("contacts/more.csv", "Mission,Email\nBelgium,ada@belgium.example.org\n")
    assert "in the spreadsheets" not in folder.run("status").out
    assert folder.run("status", "--json").json["problems"] == 1
    folder.write("contacts/more.csv", "Mission,Email\nBelgium,ada@belgium.example.org\nFiji,none\n")
    assert "1 error in the spreadsheets: see mailer check" in folder.run("status").out


def test_who_was_taken_off_the_list_while_waiting_is_told(folder: Folder) -> None:
    """What waits in the ledger for nobody in the lists is named, and wants a person."""
    with ScriptedServer({"rcpt": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
        first, *_ = folder.states()
        rows = [line for line in CONTACTS.splitlines(keepends=True) if first not in line]
        folder.write("contacts/missions.csv", "".join(rows))
        again = folder.run("send", "--yes", now="2031-02-24T11:00")
    assert again.code == 1
    assert f"1 waiting in the ledger, in no sound row of the lists any more, so not sent: {first}." in again.out


def test_a_rehearsal_can_be_made_anew(folder: Folder) -> None:
    """A second one says how."""
    folder.run("send", "--sandbox", "--yes")
    again = folder.run("send", "--sandbox", "--yes")
    assert "Nothing is due." in again.out
    assert "delete the folder outbox" in again.out


def test_a_mailing_that_comes_too_late_is_told_loudly(folder: Folder, relay: ScriptedServer) -> None:
    """The forecast says days where it takes days, and that they end after the deadline."""
    folder.relay(relay, SMTP_RATE="1/day")
    folder.write("contacts/more.csv", "Mission,Email\n" + "".join(f"Fiji,g{n}@fiji.example.org\n" for n in range(40)))
    told = folder.run("send", "--dry-run").out
    assert "42 days" in told
    assert "AFTER the deadline" in told


@pytest.mark.parametrize(
    ("hours", "words"),
    [(1, "11:00 CET"), (20, "Wednesday, 01 January 2031, 06:00 CET"), (-20, "Monday, 30 December, 14:00 CET")],
)
def test_a_moment_has_its_date_unless_it_is_today(hours: int, words: str) -> None:
    """The year stands only where it is another."""
    now = datetime(2030, 12, 31, 9, tzinfo=UTC)
    assert console.moment(now + timedelta(hours=hours), now, ZoneInfo("Europe/Paris")) == words


def test_who_comes_back_at_the_moment_told_is_not_too_early() -> None:
    """What is due at some seconds past a minute is told as due at the next: earlier, a run would find nothing."""
    now = datetime(2030, 12, 31, 9, tzinfo=UTC)
    for seconds, words in ((0, "10:00 CET"), (0.001, "10:01 CET"), (59.9, "10:01 CET")):
        assert console.moment_from(now + timedelta(seconds=seconds), now, ZoneInfo("Europe/Paris")) == words


def test_a_command_that_is_named_means_the_same_event_and_ledger(folder: Folder) -> None:
    """Beside another event, and in a rehearsal, it can be typed as it stands."""
    shutil.copytree(folder.path / "templates/round-table", folder.path / "templates/forum")
    folder.write("contacts/more.csv", "Mission,Email\nUtopia,office@utopia.example.org\n")
    assert "mailer preview round-table\n" in folder.run("check", "round-table").out
    sent = folder.run("send", "round-table", "--sandbox", "--yes")
    assert "mailer check round-table shows all there are" in sent.err
    named = ("--event", "round-table", "--sandbox")
    file = folder.write("rsvp.csv", "Timestamp,Email Address,Coming\n2031-02-24 09:00,kim@kenya.example.org,yes\n")
    taken = folder.run("answers", "import", str(file), "--yes", *named)
    assert "1 answer to be settled: mailer answers review round-table --sandbox\n" in taken.out
    told = folder.run("answers", "review", "round-table", "--sandbox").out
    assert "mailer answers settle ID --event round-table --sandbox --accept [REFERENCE|ADDRESS], or --reject\n" in told
    assert "see mailer answers list round-table --sandbox" in folder.run("answers", "settle", "9", "--undo", *named).err
    unknown = folder.run("answers", "record", "22222-22223", "online", *named)
    assert "see mailer status round-table --sandbox" in unknown.err
    folder.write("contacts/more.csv", "Mission,Email\nUtopia,\n")
    status = folder.run("status", "round-table", "--sandbox", now="2031-02-28T10:00").out
    assert "see mailer check round-table\n" in status
    assert "held: Kenya, answer 1 waits to be settled: " in status
    assert "see mailer answers review round-table --sandbox\n" in status


def test_an_invitation_in_doubt_is_told_with_what_settles_it(doubtful: Folder) -> None:
    """Nobody is reminded of it, and the line that says so names the command."""
    told = doubtful.run("remind", "--dry-run", now="2031-02-28T10:00").out
    assert "3  left out: the invitation is in doubt; settle it with mailer resolve\n" in told


def test_who_was_refused_is_looked_up_by_one_command_that_means_the_event(folder: Folder) -> None:
    """Where the relay refuses the whole mailing too, the command that is named can be typed as it stands."""
    shutil.copytree(folder.path / "templates/round-table", folder.path / "templates/forum")
    offices = "".join(f"Office {n},to@guest{n}.example.org\n" for n in range(12))
    folder.write("contacts/more.csv", f"Organisation,Email\n{offices}")
    with ScriptedServer({"dot": ["554 5.7.1 Blocked"] * 15}) as relay:
        folder.relay(relay)
        refused = folder.run("send", "round-table", "--yes")
    assert "refused one after the other in the same way" in refused.err
    assert "with mailer resolve round-table --failed\n" in refused.out
    assert "mailer resolve" not in refused.err
