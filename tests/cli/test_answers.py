"""`mailer answers` and what answers change for reminders: from the export file to the relay."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import openpyxl
import pytest

from mailer import config
from mailer.answers import standing
from mailer.cli.invitees import Invitees
from tests.cli.conftest import ADA, BEN, EVENT, REGISTRY, TEMPLATE, Folder, Result, typing
from tests.servers import ScriptedServer

HEADINGS = "Timestamp,Email Address,Your name,Mission,Will you attend?,Reference"
ANSWERED, REMINDING = "2031-02-25T10:00", "2031-02-28T10:00"
MAILINGS = """
[mailings.practical]
template = "reminder"
audience = "attending"
[mailings.thanks]
template = "reminder"
audience = "declined"
"""


@pytest.fixture
def sent(folder: Folder, relay: ScriptedServer) -> Folder:
    """The folder after the invitations went out, in an event that may be joined online."""
    event = EVENT.replace('venue = "Room XX"', 'venue = "Room XX"\nonline = "Zoom"')
    folder.write("templates/round-table/event.toml", event.replace("[rsvp]", "[rsvp]\ncapacity = 2") + MAILINGS)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    relay.accepted.clear()
    return folder


def reference_of(folder: Folder, recipient: str) -> str:
    rows = folder.run("status", "--json").json["deliveries"]
    return str(next(row["reference"] for row in rows if row["recipient"] == recipient))


def export(folder: Folder, *rows: str, name: str = "rsvp.csv") -> str:
    """A Google Forms export with those rows after the time stamp, each a minute later than the one before."""
    lines = (f"2031/02/24 {12 + n // 60}:{n % 60:02}:00,{row}" for n, row in enumerate(rows))
    return str(folder.write(name, "\n".join((HEADINGS, *lines, ""))))


def reminded(folder: Folder, relay: ScriptedServer, *words: str) -> set[str]:
    """Who gets the reminder now; nobody is in copy but of the same party."""
    relay.accepted.clear()
    folder.run("remind", "--yes", *words, now=REMINDING)
    return {taken.recipients[0] for taken in relay.accepted}


def test_whoever_joins_a_party_that_has_answered_is_not_forecast(sent: Folder, relay: ScriptedServer) -> None:
    """A colleague who is added later is left out with the reason, as in the run; one who is to answer alone is not."""
    assert sent.run("answers", "record", ADA, "in-person", now=ANSWERED).code == 0
    row = "Belgium,Ms.,Eva,SAMPLE,Counsellor,eva@belgium.example.org,,\n"
    contacts = sent.write("contacts/missions.csv", (sent.path / "contacts/missions.csv").read_text("utf-8") + row)
    foreseen = sent.run("send", "--dry-run", now=ANSWERED).out
    assert "invitation: 0 to be sent" in foreseen
    assert "left out eva@belgium.example.org: has answered: in person, by a colleague" in foreseen
    assert "Nothing is due." in sent.run("send", "--yes", now=ANSWERED).out
    assert "eva@belgium.example.org" not in sent.states(ANSWERED)
    [heading, *rows] = contacts.read_text("utf-8").splitlines()
    contacts.write_text("\n".join((f"{heading},Rule", *rows[:-1], f"{rows[-1]},personal", "")), "utf-8")
    assert "1 sent of 1." in sent.run("send", "--yes", now=ANSWERED).out
    assert [taken.recipients for taken in relay.accepted] == [["eva@belgium.example.org"]]


def test_a_party_that_has_answered_is_not_invited_by_another_name(sent: Folder, relay: ScriptedServer) -> None:
    """A row renamed after the answer speaks for its party still, wherever the new one stands."""
    contacts = sent.path / "contacts/missions.csv"
    rows = contacts.read_text("utf-8")
    nora = "Reino de Muestra,Ms.,Nora,SAMPLE,Counsellor,nora@belgium.example.org,,\n"
    assert sent.run("answers", "record", ADA, "in-person", now=ANSWERED).code == 0
    heading, *others = rows.replace("Belgium,", "Reino de Muestra,").splitlines(keepends=True)
    contacts.write_text("".join((heading, nora, *others)), "utf-8")
    foreseen = sent.run("send", "--dry-run", now=ANSWERED).out
    assert "left out nora@belgium.example.org: has answered: in person, by a colleague" in foreseen
    assert "Nothing is due." in sent.run("send", "--yes", now=ANSWERED).out
    contacts.write_text("".join((heading, nora, *rows.splitlines(keepends=True)[1:])), "utf-8")
    assert "would send to nora@" in sent.run("send", "--dry-run", now=ANSWERED).out


NORA, KIM = "nora@belgium.example.org", "kim@kenya.example.org"


def listed(folder: Folder, parties: dict[str, str]) -> None:
    """Makes the lists name these addresses and no others, each with its party."""
    rows = (f"{party},{address}\n" for address, party in parties.items())
    folder.write("contacts/missions.csv", "".join(("Mission,Email\n", *rows)))


@pytest.mark.parametrize("answering", [ADA, NORA])
def test_a_party_that_was_renamed_is_one_party(sent: Folder, relay: ScriptedServer, answering: str) -> None:
    """Whoever answers, invited by the old name or by the new one, spares those who were invited by the other."""
    listed(sent, {ADA: "Reino de Muestra", NORA: "Reino de Muestra", BEN: "Kenya"})
    assert "1 sent of 1." in sent.run("send", "--yes").out
    assert sent.run("answers", "record", answering, "in-person", now=ANSWERED).code == 0
    assert reminded(sent, relay) == {BEN}


def test_what_waits_to_be_settled_holds_a_renamed_party_whole(sent: Folder, relay: ScriptedServer) -> None:
    """The mail domain is the one party's alone, and its new name contradicts no reference of the old one."""
    listed(sent, {ADA: "Reino de Muestra", NORA: "Reino de Muestra", BEN: "Kenya"})
    sent.run("send", "--yes")
    at_its_domain = export(sent, "dora@belgium.example.org,Dora Delegate,Reino de Muestra,Online,")
    assert "1  suggested" in sent.run("answers", "import", at_its_domain, "--yes", now=ANSWERED).out
    assert reminded(sent, relay) == {BEN}
    by_reference = f"dan@gmail.com,Dan Delegate,Reino de Muestra,Online,{reference_of(sent, ADA)}"
    taken = sent.run("answers", "import", export(sent, by_reference, name="more.csv"), "--yes", now=ANSWERED)
    assert "1  matched: 1 online" in taken.out


def test_whoever_has_moved_does_not_close_the_new_party(sent: Folder, relay: ScriptedServer) -> None:
    """The old party is still on the lists, so that the answer stays with it, and with those left behind."""
    listed(sent, {ADA: "Belgium", NORA: "Belgium", BEN: "Kenya"})
    sent.run("send", "--yes")
    assert sent.run("answers", "record", ADA, "in-person", now=ANSWERED).code == 0
    listed(sent, {ADA: "Kenya", NORA: "Belgium", BEN: "Kenya", KIM: "Kenya"})
    relay.accepted.clear()
    assert "1 sent of 1." in sent.run("send", "--yes", now=ANSWERED).out
    assert [taken.recipients for taken in relay.accepted] == [[KIM]]
    assert reminded(sent, relay) == {BEN, KIM}


def test_one_who_has_moved_to_others_does_not_close_their_party(sent: Folder, relay: ScriptedServer) -> None:
    """Also where nobody is left in the old one, whose name is gone from the lists."""
    listed(sent, {ADA: "Belgium", BEN: "Kenya", KIM: "Kenya"})
    sent.run("send", "--yes")
    assert sent.run("answers", "record", ADA, "regrets", now=ANSWERED).code == 0
    listed(sent, {ADA: "Kenya", BEN: "Kenya", KIM: "Kenya"})
    assert reminded(sent, relay) == {BEN, KIM}


def test_a_list_that_could_not_be_read_is_looked_for_again(folder: Folder) -> None:
    """Somebody may have been saving it just then, while a run lasts for hours."""
    settings, _ = config.load(folder.path, {"CONTACTS": str(folder.path / "contacts")})
    invitees = Invitees(settings, None)
    known = len(list(invitees))
    workbook = folder.path / "contacts" / "more.xlsx"
    workbook.write_bytes(b"PK")
    broken = Invitees(settings, None)
    assert len(list(broken)) == known
    workbook.unlink()
    folder.write("contacts/more.csv", f"Mission,Email\nKenya,{KIM}\n")
    assert (len(list(broken)), len(list(invitees))) == (known + 1, known)


def test_an_answer_is_held_to_what_the_invitation_says(folder: Folder, relay: ScriptedServer) -> None:
    """Not to the rule and the party that the sheet had when the save-the-date went out."""
    early = '[mailings.save-the-date]\ntemplate = "invitation"\naudience = "contacts"\n'
    folder.write("templates/round-table/event.toml", EVENT + early)
    folder.relay(relay)
    assert folder.run("send", "--mailing", "save-the-date", "--yes").code == 0
    folder.write("contacts/missions.csv", f"Mission,Email,Rule\nBelgium,{ADA},personal\nBelgium,{BEN},\n")
    assert folder.run("send", "--yes").code == 0
    row = f"x@gmail.com,Somebody Else,,In person,{reference_of(folder, ADA)}"
    stranger = folder.run("answers", "import", export(folder, row), "--yes", now=ANSWERED)
    assert "1  for review" in stranger.out
    assert {row["party"] for row in folder.run("status", "--json").json["deliveries"] if row["recipient"] == BEN} == {
        "Belgium"
    }


def test_a_crowd_that_answers_with_one_reference_is_told(sent: Folder) -> None:
    """As when a link is posted for all to see; each is matched as before, and a delegation is none."""
    reference = reference_of(sent, ADA)
    rows = [f"d{n}@gmail.com,Delegate {n},Belgium,Online,{reference}" for n in range(20)]
    delegation = sent.run("answers", "import", export(sent, *rows[:19]), "--yes", now=ANSWERED)
    assert (delegation.code, delegation.err) == (0, "")
    crowd = sent.run("answers", "import", export(sent, *rows), "--dry-run", now=ANSWERED)
    warning = f"warning: 20 people of one party answered with one reference: Belgium ({reference})"
    assert (crowd.code, warning in crowd.err, "1  matched: 1 online" in crowd.out) == (0, True, True)
    sent.run("answers", "import", export(sent, *rows), "--yes", now=ANSWERED)
    listed = sent.run("answers", "list")
    assert (warning in listed.err, "20 online" in listed.out) == (True, True)


def test_a_delegates_answer_stops_the_partys_reminder(sent: Folder, relay: ScriptedServer) -> None:
    """The forwarded link, answered from a private address: the party is left alone, the others are reminded."""
    file = export(sent, f"dora@gmail.com,Dora Delegate,Belgium,Online,{reference_of(sent, ADA).lower()}")
    taken = sent.run("answers", "import", file, "--yes", now=ANSWERED)
    assert (taken.code, taken.err) == (0, "")
    assert "Google Forms" in taken.out
    assert "1  matched: 1 online" in taken.out
    [answer] = sent.run("answers", "list", "--json").json["answers"]
    assert (answer["state"], answer["matched_by"], answer["attendance"]) == ("matched", "reference", "online")
    assert (answer["party"], answer["respondent_email"], answer["row"]) == ("Belgium", "dora@gmail.com", 2)
    assert reminded(sent, relay) == {BEN, REGISTRY}
    assert reminded(sent, relay) == set()


def test_the_same_or_a_grown_file_changes_nothing_that_stands(sent: Folder) -> None:
    """Imported twice, each answer is there once; a grown file adds its new rows alone, wherever they stand."""
    first, second = f"{ADA},Ada,Belgium,In person,", f"{BEN},Ben,Kenya,No,"
    file = export(sent, first)
    sent.run("answers", "import", file, "--yes", now=ANSWERED)
    before = sent.run("answers", "list", "--json").json
    again = sent.run("answers", "import", file, now=ANSWERED)
    assert (again.code, "1  recorded before" in again.out) == (0, True)
    assert sent.run("answers", "list", "--json").json == before
    grown = sent.write("grown.csv", f"{HEADINGS}\n2031/02/24 13:00:00,{second}\n2031/02/24 12:00:00,{first}\n")
    sent.run("answers", "import", str(grown), "--yes", now=ANSWERED)
    after = sent.run("answers", "list", "--json").json["answers"]
    assert (after[0], len(after)) == (before["answers"][0], 2)


def test_the_later_answer_wins_and_seats_are_counted(sent: Folder) -> None:
    """Several delegates of one invitation, a change of mind, and a room that is too small."""
    reference = reference_of(sent, BEN)
    rows = [f"d{n}@gmail.com,Delegate {n},Kenya,In person,{reference}" for n in range(3)]
    file = export(sent, f"{ADA},Ada,,In person,", *rows, f'{ADA.upper()},Ada,,"No, regrets",')
    assert sent.run("answers", "import", file, "--yes", now=ANSWERED).code == 0
    listed = sent.run("answers", "list", "--json").json
    assert listed["seats"] == {"capacity": 2, "in_person": 3, "online": 0, "attending": 0, "waiting": 0}
    assert [row["attendance"] for row in listed["answers"] if row["party"] == "Belgium"] == ["regrets"]
    told = sent.run("answers", "list", "--xlsx", str(sent.path / "answers.xlsx"))
    assert "3 of 2 seats in person" in told.out
    assert "1 more than the room holds" in told.out
    sheet = openpyxl.load_workbook(sent.path / "answers.xlsx").active
    assert [cell.value for cell in sheet["C"]] == ["Name", "Ada", "Delegate 0", "Delegate 1", "Delegate 2"]


def test_doubts_hold_reminders_until_a_person_settles_them(sent: Folder, relay: ScriptedServer) -> None:
    """A suggestion and an unclear answer: exit code 1, shown as held, nobody reminded; settled, undone, settled."""
    file = export(
        sent,
        "colleague@kenya.example.org,Kim Colleague,,In person,",
        f"{REGISTRY},,,I will let you know,",
    )
    taken = sent.run("answers", "import", file, "--yes", now=ANSWERED)
    assert taken.code == 1
    assert "2 answers to be settled" in taken.out
    assert "1  Kim Colleague <colleague@kenya.example.org>: in person" in taken.out
    assert sent.run("answers", "import", file, "--yes", now=ANSWERED).code == 1
    status = sent.run("status", "--json").json
    assert {held["party"] for held in status["held"]} == {"Kenya", "Namibia"}
    assert {answer["state"] for answer in status["answers"]} == {"suggested", "review"}
    assert reminded(sent, relay) == {ADA}
    waits = "answer 1 waits to be settled: "
    assert f"held: {waits}" in sent.run("remind", "--dry-run", now=REMINDING).out
    assert f"held: Kenya, {waits}" in sent.run("status", now=REMINDING).out
    assert f"{BEN}: {waits}" in sent.run("send", "--mailing", "practical", "--dry-run", now=REMINDING).out

    shown = sent.run("answers", "review", now=ANSWERED)
    assert (shown.code, "the mail domain is this party's alone" in shown.out) == (1, True)
    suggested, unclear = sent.run("answers", "review", "--json").json["answers"]
    assert [one["party"] for one in suggested["candidates"]] == ["Kenya"]
    assert sent.run("answers", "settle", str(suggested["id"]), "--accept").code == 0
    refused = sent.run("answers", "settle", str(unclear["id"]), "--accept")
    assert (refused.code, "--as in-person" in refused.err) == (2, True)
    passed_over = sent.run("answers", "settle", str(unclear["id"]), "--reject", "--as", "regrets")
    assert (passed_over.code, "leave it out" in passed_over.err) == (2, True)
    assert sent.run("answers", "settle", str(unclear["id"]), "--accept", "--as", "online").code == 0
    assert sent.run("answers", "review").code == 0
    assert sent.run("answers", "import", file, "--yes", now=ANSWERED).code == 0
    rows = {row["party"]: row for row in sent.run("answers", "list", "--json").json["answers"]}
    assert (rows["Kenya"]["matched_by"], rows["Namibia"]["attendance"]) == ("person", "online")

    assert sent.run("answers", "settle", str(suggested["id"]), "--undo").code == 0
    assert sent.run("answers", "settle", str(suggested["id"]), "--reject").code == 0
    assert sent.run("answers", "import", file, "--yes", now=ANSWERED).code == 0
    assert reminded(sent, relay) == {BEN}
    sent.run("answers", "settle", str(suggested["id"]), "--undo")
    assert sent.run("answers", "settle", str(suggested["id"]), "--undo").code == 2
    assert sent.run("answers", "settle", "99", "--reject").code == 2


def test_the_reference_is_asked_for_where_several_may_be_meant(sent: Folder) -> None:
    """Of two candidates one must be named, and only one of ours."""
    file = export(sent, f"dora@gmail.com,Dora,Kenya,Online,{reference_of(sent, ADA)}")
    assert sent.run("answers", "import", file, "--yes", now=ANSWERED).code == 1
    unnamed = sent.run("answers", "settle", "1", "--accept")
    assert (unnamed.code, "(Kenya)" in unnamed.err, "(Belgium)" in unnamed.err) == (2, True, True)
    assert sent.run("answers", "settle", "1", "--accept", "22222-22222").code == 2
    assert sent.run("answers", "settle", "1", "--accept", reference_of(sent, BEN).lower()).code == 0
    [answer] = sent.run("answers", "list", "--json").json["answers"]
    assert (answer["party"], answer["reference"]) == ("Kenya", reference_of(sent, BEN))


def test_doubts_are_settled_one_by_one_on_a_terminal(sent: Folder) -> None:
    """Accept with the meaning, reject, leave: each is asked for, and what is left is said."""
    pty = pytest.importorskip("pty", reason="there are no terminals of this kind here")
    rows = (f"{BEN},Ben,,Perhaps,", "x@kenya.example.org,Kim,,Online,", "x@namibia.example.org,Nan,,Online,")
    sent.run("answers", "import", export(sent, *rows), "--yes", now=ANSWERED)
    typed = "accept\n\nonline\nreject\nleave\n"
    command = [sys.executable, "-m", "mailer", "answers", "review", "--now", ANSWERED]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, cwd=sent.path, text=True) as asked:
        os.write(ours, typed.encode())
        out, _ = asked.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert (asked.returncode, "1 left" in out) == (1, True)
    found = {row["respondent_name"]: row for row in sent.run("answers", "list", "--json").json["answers"]}
    assert {name: row["state"] for name, row in found.items()} == {
        "Ben": "matched",
        "Kim": "rejected",
        "Nan": "suggested",
    }
    assert found["Ben"]["attendance"] == "online"


def test_an_address_settles_what_no_reference_is_known_for(sent: Folder) -> None:
    """The status table has addresses and no references, so either names the invitation; an unknown one settles none."""
    file = export(sent, "dora@gmail.com,Dora,Atlantis,Online,", f"{BEN},Ben,Kenya,Online,")
    sent.run("answers", "import", file, "--yes", now=ANSWERED)
    for nobody in ("nobody@elsewhere.example.org", "not an address@", "22222-22222"):
        refused = sent.run("answers", "settle", "1", "--accept", nobody)
        assert (refused.code, "mailer status" in refused.err or "not an address@" in refused.err) == (2, True)
    assert sent.run("answers", "settle", "1", "--accept", "office@belgium.example.org").code == 0
    assert sent.run("answers", "settle", "1", "--accept", ADA.upper()).code == 0
    answer = next(one for one in sent.run("answers", "list", "--json").json["answers"] if one["id"] == 1)
    assert (answer["state"], answer["reference"]) == ("matched", reference_of(sent, ADA))


def test_a_mistyped_reference_is_asked_for_again(sent: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is not left because of a slip; whoever does not know the reference may still leave it."""
    rows = ("dora@gmail.com,Dora,Atlantis,Online,", f"{BEN},Ben,Kenya,Online,")
    sent.run("answers", "import", export(sent, *rows), "--yes", now=ANSWERED)
    typed = f"accept\n22222-22222\naccept\n{reference_of(sent, ADA)}\n"
    settled = typing(sent, monkeypatch, typed, "answers", "review")
    assert (settled.code, "22222" in settled.err, "0 left" in settled.out) == (0, True, True)
    states = {row["party"]: row["state"] for row in sent.run("answers", "list", "--json").json["answers"]}
    assert states == {"Belgium": "matched", "Kenya": "matched"}
    assert sent.run("answers", "settle", "1", "--undo").code == 0
    assert "1 left" in typing(sent, monkeypatch, "accept\n22222-22222\nleave\n", "answers", "review").out


def test_a_call_is_recorded(sent: Folder, relay: ScriptedServer) -> None:
    """By reference or by an address that the invitation went to; for somebody else, with name and address."""
    assert sent.run("answers", "record", reference_of(sent, BEN), "regrets", now=ANSWERED).code == 0
    office = ("answers", "record", "office@belgium.example.org", "in-person", "--by", "Dora Delegate")
    assert sent.run(*office, "--email", "dora@gmail.com", now=ANSWERED).code == 0
    rows = {row["party"]: row for row in sent.run("answers", "list", "--json").json["answers"]}
    assert (rows["Kenya"]["respondent_email"], rows["Kenya"]["attendance"]) == (BEN, "regrets")
    assert (rows["Belgium"]["respondent_name"], rows["Belgium"]["matched_by"]) == ("Dora Delegate", "person")
    assert rows["Belgium"]["file"] is None
    assert reminded(sent, relay) == {REGISTRY}


def test_a_second_delegate_takes_a_second_seat_unless_a_person_says_instead(sent: Folder) -> None:
    """On an invitation that may be passed on several may come; who else does is told, with what takes that back."""
    dora = ("answers", "record", ADA, "in-person", "--by", "Dora Delegate", "--email", "dora@gmail.com")
    first = sent.run(*dora, now=ANSWERED)
    second = sent.run("answers", "record", ADA, "in-person", "--by", "Eva Example", now=ANSWERED)
    assert (first.code, second.code, "comes too" in first.out) == (0, 0, False)
    assert "On the same invitation Dora Delegate <dora@gmail.com> comes too. If answer 2 is instead: " in second.out
    assert sent.run("answers", "list", "--json").json["seats"]["in_person"] == 2
    assert "mailer answers settle 1 --reject\n" in second.out
    assert sent.run("answers", "settle", "1", "--reject").code == 0
    assert sent.run("answers", "list", "--json").json["seats"]["in_person"] == 1
    assert "comes too" not in sent.run("answers", "record", ADA, "regrets", "--by", "Tom Third", now=ANSWERED).out


@pytest.mark.parametrize("command", ["list", "review"])
def test_two_events_are_not_taken_for_one(sent: Folder, command: str) -> None:
    """An event behind the command and another one with --event are wrong usage; the same one twice is well."""
    refused = sent.run("answers", command, "round-table", "--event", "autumn")
    assert (refused.code, refused.out) == (2, "")
    assert "round-table and --event autumn are two events: name one." in refused.err
    assert sent.run("answers", command, "round-table", "--event", "round-table").code == 0


@pytest.mark.parametrize("who", ["22222-22223", "nonsense", "nobody@elsewhere.example.org", "not an address@"])
def test_a_call_for_nobody_is_refused(sent: Folder, who: str) -> None:
    """A mistyped reference or an unknown address records nothing."""
    refused = sent.run("answers", "record", who, "regrets", now=ANSWERED)
    assert (refused.code, refused.out) == (2, "")
    assert sent.run("answers", "list", "--json").json["answers"] == []


@pytest.mark.parametrize("option", ["--by", "--guest"])
@pytest.mark.parametrize("name", ["Zo\udce9", "Zoe\x1b[2J"])
def test_a_name_that_is_no_text_is_refused(sent: Folder, option: str, name: str) -> None:
    """Octets in another encoding than the terminal's are no letters, and no name does anything to a screen."""
    refused = sent.run("answers", "record", ADA, "in-person", option, name, now=ANSWERED)
    assert (refused.code, refused.out) == (2, "")
    assert "type it anew" in refused.err
    assert sent.run("answers", "list", "--json").json["answers"] == []


def test_what_breaks_the_rule_is_kept_for_review(folder: Folder, relay: ScriptedServer) -> None:
    """One delegate a party: a second yes waits, on paper and by telephone, and a person may allow it."""
    folder.write("templates/round-table/event.toml", EVENT.replace("[rsvp]", '[rsvp]\nrule = "one_per_party"'))
    folder.relay(relay)
    folder.run("send", "--yes")
    reference = reference_of(folder, ADA)
    assert folder.run("answers", "record", reference, "in-person", "--by", "One", now=ANSWERED).code == 0
    second = folder.run("answers", "record", reference, "in-person", "--by", "Two", now=ANSWERED)
    assert (second.code, "one does already" in second.out) == (1, True)
    assert folder.run("answers", "list", "--json").json["seats"]["in_person"] == 1
    assert folder.run("answers", "settle", "2", "--accept").code == 0
    assert folder.run("answers", "list", "--json").json["seats"]["in_person"] == 2


def test_a_file_in_which_nothing_is_ours_is_refused(sent: Folder) -> None:
    """A foreign or empty export, and one of another event: exit code 3, the reason, nothing written."""
    foreign = export(sent, "stranger@elsewhere.example.org,Some Body,Atlantis,Yes,", name="foreign.csv")
    refused = sent.run("answers", "import", foreign, "--yes", now=ANSWERED)
    assert (refused.code, "nothing in it is ours" in refused.err) == (3, True)
    assert "Nothing was written." in refused.err
    empty = export(sent, name="empty.csv")
    assert sent.run("answers", "import", empty, "--yes", now=ANSWERED).code == 3
    ours = export(sent, f"{ADA},Ada,Belgium,Yes,{reference_of(sent, ADA)}", name="ours.csv")
    sent.write("templates/seminar/event.toml", EVENT.replace("Round table", "Seminar"))
    sent.write("templates/seminar/invitation.md", TEMPLATE)
    sent.write("templates/seminar/reminder.md", TEMPLATE)
    assert sent.run("answers", "import", ours, "--event", "seminar", now=ANSWERED).code == 3
    sent.write("contacts/missions.csv", "Mission,Email\nFiji,office@fiji.example.org\n")
    sent.run("send", "seminar", "--yes")
    other = sent.run("answers", "import", ours, "--event", "seminar", now=ANSWERED)
    assert (other.code, "references are of round-table" in other.err) == (3, True)
    assert sent.run("answers", "list", "seminar", "--json").json["answers"] == []


def test_an_event_called_like_a_word_is_not_taken_for_that_of_the_references(sent: Folder) -> None:
    """Another event is told by the references in the file, not by what the reasons happen to say."""
    for file, text in (("event.toml", EVENT), ("invitation.md", TEMPLATE), ("reminder.md", TEMPLATE)):
        sent.write(f"templates/name/{file}", text)
    assert sent.run("send", "name", "--yes").code == 0
    foreign = export(sent, "stranger@elsewhere.example.org,Some Body,,Yes,")
    refused = sent.run("answers", "import", foreign, "--event", "round-table", "--yes", now=ANSWERED)
    assert (refused.code, "nothing in it is ours" in refused.err) == (3, True)


def test_nothing_is_written_without_a_yes(sent: Folder) -> None:
    """A dry run and a run that nobody confirms say what they found and leave the ledger alone."""
    file = export(sent, f"{ADA},Ada,Belgium,Yes,")
    dry = sent.run("answers", "import", file, "--dry-run", now=ANSWERED)
    assert (dry.code, "1  matched" in dry.out, "nothing was written" in dry.out) == (0, True, True)
    assert sent.run("answers", "import", file, now=ANSWERED).code == 2
    assert sent.run("answers", "list", "--json").json["answers"] == []


def test_columns_and_order_of_dates_can_be_named(sent: Folder) -> None:
    """Any sheet can be read; dates that read two ways are refused until the order is told."""
    rows = (f"{reference_of(sent, ADA)};Ada;online;02/03/2031", f"{reference_of(sent, BEN)};Ben;no;03/02/2031")
    file = str(sent.write("eigene.csv", "\n".join(("Code;Wer;Kommt;Wann", *rows, ""))))
    columns = ("--columns", 'reference=Code,name="Wer",attendance=Kommt,at=Wann')
    assert sent.run("answers", "import", file, *columns, "--yes", now=ANSWERED).code == 3
    assert sent.run("answers", "import", file, *columns, "--dates", "dmy", "--yes", now=ANSWERED).code == 0
    first, second = sent.run("answers", "list", "--json").json["answers"]
    assert (first["respondent_name"], second["at"][:10]) == ("Ben", "2031-03-01")
    assert sent.run("answers", "import", file, "--columns", "reference", now=ANSWERED).code == 2


def test_a_late_answer_is_kept_and_flagged(sent: Folder) -> None:
    """After the deadline it counts, and says so."""
    late = sent.write("late.csv", f"{HEADINGS}\n2031/03/08 09:00:00,{ADA},Ada,Belgium,Yes,\n")
    assert sent.run("answers", "import", str(late), "--yes", now="2031-03-08T10:00").code == 0
    [answer] = sent.run("answers", "list", "--json").json["answers"]
    assert (answer["late"], answer["state"], answer["attendance"]) == (True, "matched", "attending")


def test_an_answer_without_a_date_is_not_taken_for_a_new_one_when_its_file_is_saved_again(sent: Folder) -> None:
    """It has the time of the file in which it first came, so what was said by telephone since stands."""
    rows = f"{HEADINGS}\n2031/02/24 12:00:00,{ADA},Ada,Belgium,Yes,\n,{BEN},Ben,Kenya,No,\n"
    for saved in ("2031-02-25T09:00+01:00", "2031-02-27T09:00+01:00"):
        file = sent.write("rsvp.csv", rows)
        os.utime(file, (datetime.fromisoformat(saved).timestamp(),) * 2)
        taken = sent.run("answers", "import", str(file), "--yes", now="2031-02-27T10:00")
        assert (taken.code, "row 3" in taken.err) == (0, True)
        sent.run("answers", "record", BEN, "online", now="2031-02-26T10:00")
    assert "2  recorded before" in taken.out
    answers = sent.run("answers", "list", "--json").json["answers"]
    assert {answer["party"]: answer["attendance"] for answer in answers} == {"Belgium": "attending", "Kenya": "online"}


def taken_on(sent: Folder, day: int, *rows: str, name: str = "sheet.csv") -> Result:
    """The import, on that day of February, of a sheet without dates that was saved an hour before."""
    file = sent.write(name, "\n".join(("Email,Coming", *rows, "")))
    os.utime(file, (datetime(2031, 2, day, 8, tzinfo=UTC).timestamp(),) * 2)
    columns = ("--columns", "email=Email,attendance=Coming")
    return sent.run("answers", "import", str(file), "--yes", *columns, now=f"2031-02-{day}T10:00")


def test_an_answer_without_a_date_that_comes_back_is_given_again(sent: Folder) -> None:
    """In a sheet in which Yes became No and is Yes again, it is Yes; and what was said by telephone since stands."""
    for day, word in ((25, "Yes"), (26, "No"), (27, "Yes"), (28, "Yes")):
        assert taken_on(sent, day, f"{BEN},{word}", f"{ADA},Online").code == 0
        [said] = [one for one in sent.run("answers", "list", "--json").json["answers"] if one["party"] == "Kenya"]
        assert said["attendance"] == ("regrets" if word == "No" else "attending")
    sent.run("answers", "record", BEN, "regrets", now="2031-03-01T10:00")
    assert "2  recorded before" in taken_on(sent, 28, f"{BEN},Yes", f"{ADA},Online").out
    seats = sent.run("answers", "list", "--json").json["seats"]
    assert (seats["attending"], seats["online"]) == (0, 1)


def test_an_answer_without_a_date_that_was_only_overtaken_is_not_given_again(sent: Folder) -> None:
    """Where the sheet still holds the later one, in whatever order, or another file brought it, that one stands."""
    taken_on(sent, 25, f"{BEN},Yes", f"{ADA},Yes")
    taken_on(sent, 26, f"{BEN},No", f"{BEN},Yes", f"{ADA},Yes")
    taken_on(sent, 26, f"{ADA},No", name="another.csv")
    assert "3  recorded before" in taken_on(sent, 27, f"{BEN},No", f"{BEN},Yes", f"{ADA},Yes").out
    answers = sent.run("answers", "list", "--json").json["answers"]
    assert {one["party"]: one["attendance"] for one in answers} == {"Kenya": "regrets", "Belgium": "regrets"}


def test_an_answer_without_a_date_is_of_now_where_its_file_was_saved_by_a_clock_that_is_ahead(sent: Folder) -> None:
    """It is not late, and what is said by telephone after it stands."""
    file = sent.write("rsvp.csv", f"{HEADINGS}\n2031/02/24 12:00:00,{ADA},Ada,Belgium,Yes,\n,{BEN},Ben,Kenya,No,\n")
    os.utime(file, (datetime.fromisoformat("2031-06-04T09:00+02:00").timestamp(),) * 2)
    assert sent.run("answers", "import", str(file), "--yes", now="2031-02-25T10:00").code == 0
    sent.run("answers", "record", BEN, "online", now="2031-02-26T10:00")
    answers = {answer["party"]: answer for answer in sent.run("answers", "list", "--json").json["answers"]}
    assert (answers["Kenya"]["attendance"], answers["Kenya"]["late"]) == ("online", False)


def test_nobody_is_invited_after_they_answered(sent: Folder, relay: ScriptedServer) -> None:
    """A delegate who is put on the list later gets no invitation any more."""
    sent.run("answers", "record", reference_of(sent, ADA), "online", "--by", "Dora", "--email", "dora@gmail.com")
    sent.write("contacts/late.csv", "Mission,First name,Last name,Email\nBelgium,Dora,Delegate,dora@gmail.com\n")
    assert "left out dora@gmail.com: has answered: online\n" in sent.run("send", "--dry-run", now=ANSWERED).out


def test_a_mailing_to_those_who_come_reaches_just_those(sent: Folder, relay: ScriptedServer) -> None:
    """Delegates at their own addresses, each once and by name; neither the colleague they replace nor the silent."""
    reference = reference_of(sent, ADA)
    file = export(
        sent,
        f"dora@gmail.com,Ms. Dora Delegate,Belgium,In person,{reference}",
        f"dan@gmail.com,,Belgium,Online,{reference}",
        f"{BEN},Ben,Kenya,No,",
        f"{REGISTRY},,,Online,",
    )
    sent.run("answers", "import", file, "--yes", now=ANSWERED)
    assert sent.run("send", "--mailing", "practical", "--yes", now=REMINDING).code == 0
    letters = {taken.recipients[0]: taken.content.decode() for taken in relay.accepted}
    assert letters.keys() == {"dora@gmail.com", "dan@gmail.com", REGISTRY}
    assert "Dora Delegate" in letters["dora@gmail.com"]
    assert "Permanent Mission of Belgium" in letters["dan@gmail.com"]
    assert sent.run("send", "--mailing", "practical", "--yes", now=REMINDING).code == 0
    assert len(relay.accepted) == 3
    relay.accepted.clear()
    assert sent.run("send", "--mailing", "thanks", "--yes", now=REMINDING).code == 0
    assert [taken.recipients for taken in relay.accepted] == [[BEN]]
    sent.run("answers", "record", "dan@gmail.com", "regrets", now=REMINDING)
    assert sent.run("answers", "list", "--json").json["seats"]["online"] == 1


def test_whoever_was_told_with_all_invited_does_not_wait_to_be_told(sent: Folder, relay: ScriptedServer) -> None:
    """An unclear answer keeps a mailing to those who come from being complete, unless that person has its text."""
    sent.run("answers", "import", export(sent, f"{BEN},Ben,Kenya,Perhaps,"), "--yes", now=ANSWERED)
    assert sent.run("send", "--mailing", "practical", "--dry-run", now=REMINDING).code == 1
    event = sent.path / "templates/round-table/event.toml"
    changed = event.read_text("utf-8").replace("Room XX", "Salle B")
    event.write_text(f'{changed}[mailings.change]\ntemplate = "reminder"\naudience = "invited"\n', "utf-8")
    assert sent.run("send", "--mailing", "change", "--yes", now=REMINDING).code == 0
    assert sent.run("send", "--mailing", "practical", "--dry-run", now=REMINDING).code == 0
    assert "may come" not in sent.run("check", now=REMINDING).err


def test_silence_is_a_yes_where_only_regrets_are_asked_for(folder: Folder, relay: ScriptedServer) -> None:
    """Nobody is reminded; the practical information goes to all who did not decline; the seats are counted."""
    folder.write(
        "templates/round-table/event.toml", EVENT.replace("[rsvp]", '[rsvp]\nrule = "regrets_only"') + MAILINGS
    )
    folder.relay(relay)
    folder.run("send", "--yes")
    folder.run("answers", "record", BEN, "regrets", now=ANSWERED)
    assert folder.run("answers", "list", "--json").json["seats"]["in_person"] == 2
    assert reminded(folder, relay) == set()
    relay.accepted.clear()
    folder.run("send", "--mailing", "practical", "--yes", now=REMINDING)
    assert {taken.recipients[0] for taken in relay.accepted} == {ADA, REGISTRY}


def test_a_rehearsal_has_answers_of_its_own(sent: Folder) -> None:
    """With --sandbox the real answers are neither seen nor changed, and the command named next goes on with it."""
    sent.run("send", "--sandbox", "--yes")
    assert sent.run("answers", "record", ADA, "online", "--sandbox", now=ANSWERED).code == 0
    assert len(sent.run("answers", "list", "--sandbox", "--json").json["answers"]) == 1
    assert sent.run("answers", "list", "--json").json["answers"] == []
    unclear = export(sent, f"{BEN},Ben,Kenya,Perhaps,")
    taken = sent.run("answers", "import", unclear, "--yes", "--sandbox", now=ANSWERED)
    assert "1 answer to be settled: mailer answers review --sandbox" in taken.out
    assert "settle ID --sandbox --accept" in sent.run("answers", "review", "--sandbox").out
    assert "settled: 1; see mailer answers review --sandbox" in sent.run("status", "--sandbox").out
    told = sent.run("remind", "--sandbox", "--yes", now="2031-03-05T10:00")
    assert "to be settled: see mailer answers review --sandbox" in told.out


def test_dates_that_change_places_with_an_earlier_answer_are_asked_about(sent: Folder) -> None:
    """Whether the no of 2/3 came before or after the yes that is recorded decides, so the order must be named."""
    reference = reference_of(sent, BEN)
    sent.run("answers", "import", export(sent, f"{BEN},Ben SAMPLE,Kenya,In person,{reference}"), "--yes", now=ANSWERED)
    other = str(sent.write("other.csv", f"{HEADINGS}\n2/3/2031 9:00:00,{BEN},Ben SAMPLE,Kenya,No,{reference}\n"))
    refused = sent.run("answers", "import", other, "--yes", now="2031-03-05T10:00")
    assert refused.code == 3
    assert "--dates" in refused.err
    assert sent.run("answers", "import", other, "--yes", "--dates", "dmy", now="2031-03-05T10:00").code == 0
    [answer] = sent.run("answers", "list", "--json", now="2031-03-05T10:00").json["answers"]
    assert answer["attendance"] == "regrets"


def test_nobody_has_answered_tomorrow(sent: Folder) -> None:
    """Read day first, 2/3 would be still to come, so it is read month first."""
    other = str(sent.write("other.csv", f"{HEADINGS}\n2/3/2031 9:00:00,{BEN},Ben SAMPLE,Kenya,No,\n"))
    assert sent.run("answers", "import", other, "--yes", now=ANSWERED).code == 0
    [answer] = sent.run("answers", "list", "--json", now=ANSWERED).json["answers"]
    assert answer["at"].startswith("2031-02-03")


def test_an_export_of_another_event_is_refused_even_if_the_people_are_ours(sent: Folder) -> None:
    """When every reference in it is another event's, nothing is written and no reminder is held."""
    sent.write("templates/briefing/event.toml", EVENT)
    sent.write("templates/briefing/invitation.md", TEMPLATE)
    assert sent.run("send", "briefing", "--yes").code == 0
    rows = sent.run("status", "briefing", "--json").json["deliveries"]
    theirs = {row["recipient"]: row["reference"] for row in rows}
    file = export(sent, *(f"{who},Somebody,,Online,{reference}" for who, reference in theirs.items()))
    refused = sent.run("answers", "import", file, "--event", "round-table", "--yes", now=ANSWERED)
    assert refused.code == 3
    assert "briefing" in refused.err
    assert sent.run("answers", "list", "--event", "round-table", "--json").json["answers"] == []


def test_a_guest_takes_a_seat_where_the_rule_has_one(folder: Folder, relay: ScriptedServer) -> None:
    """From the form and by telephone; listed with the host, in the seats, and for review where one too many comes."""
    folder.write("templates/round-table/event.toml", EVENT.replace("[rsvp]", '[rsvp]\nrule = "plus_one"'))
    folder.relay(relay)
    folder.run("send", "--yes")
    rows = (f"2031/02/24 12:00:00,{ADA},Yes,Eva Guest", f"2031/02/24 12:01:00,{REGISTRY},Yes,Tom and Tim Guest")
    file = folder.write("rsvp.csv", "\n".join(("Timestamp,Email Address,Coming,Name of your guest", *rows, "")))
    taken = folder.run("answers", "import", str(file), "--yes", now=ANSWERED)
    assert taken.code == 1
    assert "guest      from Name of your guest" in taken.out
    assert "1  guests with those matched" in taken.out
    assert "the invitation is for one person and a guest, and 3 would come" in taken.out
    assert folder.run("answers", "record", BEN, "in-person", "--guest", "Kim Guest", now=ANSWERED).code == 0
    again = folder.run("answers", "record", BEN, "in-person", "--guest", "Kim Guest", now=ANSWERED)
    assert "Was recorded before" in again.out
    listed = folder.run("answers", "list", "--json").json
    assert listed["seats"]["in_person"] == 4
    guests = {row["party"]: (row["guests"], row["guest_name"]) for row in listed["answers"]}
    assert guests == {"Belgium": (1, "Eva Guest"), "Kenya": (1, "Kim Guest"), "Namibia": (2, "Tom; Tim Guest")}
    told = folder.run("answers", "list").out
    assert "with Eva Guest" in told
    assert "2 of them brought as guests" in told
    [doubt] = folder.run("answers", "review", "--json").json["answers"]
    assert folder.run("answers", "settle", str(doubt["id"]), "--accept").code == 0
    assert folder.run("answers", "list", "--json").json["seats"]["in_person"] == 7
    folder.run("forget", ADA, "--yes")
    kept = folder.run("answers", "list", "--json").json
    assert (kept["seats"]["in_person"], "Eva" in str(kept)) == (7, False)
    assert folder.run("answers", "record", BEN, "regrets", "--guest", "Kim Guest", now=ANSWERED).code == 2


def test_a_name_alone_is_said_to_be_known(sent: Folder) -> None:
    """What stands above the candidates agrees with why they are ones."""
    taken = sent.run("answers", "import", export(sent, "ada@gmail.com,Ada SAMPLE,,In person,"), "--yes", now=ANSWERED)
    assert "somebody invited has this name, but there is no reference, and the address is not known" in taken.out
    assert "Belgium: the person invited has this name" in taken.out


def test_where_the_event_stands_is_made_out_once_for_a_status(sent: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many mailings and reminders are told of, and a change that some were not told of."""
    assert sent.run("answers", "record", ADA, "online", now=ANSWERED).code == 0
    event = sent.path / "templates/round-table/event.toml"
    event.write_text(event.read_text("utf-8").replace("Room XX", "Room YY"), "utf-8")
    assert sent.run("remind", "--yes", now=REMINDING).code == 0
    made, turnout = [], standing.turnout
    monkeypatch.setattr(standing, "turnout", lambda *given: made.append(given) or turnout(*given))
    assert "not told of the change" in sent.run("status", now=REMINDING).out
    assert len(made) == 1
