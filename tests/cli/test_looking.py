"""`check`, `contacts`, `preview` and `status`: what is wrong or pending is told at once, and nothing is sent."""

import email
import email.policy
import html
import re
import shutil
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from tests.cli.conftest import BEN, CONTACTS, EVENT, NOW, TEMPLATE, Folder
from tests.servers import ScriptedServer

LATE = "office@fiji.example.org"
PROBLEM_KEYS = ["file", "sheet", "cell", "row", "column", "value", "severity", "problem", "fix"]


def test_a_sound_folder_has_no_errors(folder: Folder) -> None:
    """Exit code 0; warnings do not make it 3."""
    checked = folder.run("check", "--json")
    assert checked.code == 0
    assert [p["column"] for p in checked.json["problems"]] == ["SMTP_HOST", "MAIL_FROM"]
    assert {p["severity"] for p in checked.json["problems"]} == {"warning"}


def test_every_part_is_checked_in_one_pass(folder: Folder) -> None:
    """Faults of settings, event, template, sheet and message stand in one list, each with its place and its mend."""
    folder.write("config.env", "SMTP_PORT=many\n")
    folder.write(
        "templates/round-table/reminder.md", "Subject: x\n\n{{ contact.shoe_size }} {{ rsvp_url }} {{ reference }}\n"
    )
    folder.write("contacts/missions.csv", CONTACTS + "Togo,Mr.,Edem,SAMPLE,Counsellor,nobody,,\n")
    folder.write("contacts/more.csv", "Organisation,Email,Attachment\nOxfam,a@oxfam.example.org,missing.pdf\n")
    checked = folder.run("check", "--json")
    assert checked.code == 3
    problems = checked.json["problems"]
    assert all(list(problem) == PROBLEM_KEYS for problem in problems)
    told = {(Path(p["file"]).name, p["row"] or p["cell"]) for p in problems if p["severity"] == "error"}
    assert told >= {("config.env", 1), ("reminder.md", 3), ("missions.csv", 6), ("more.csv", 2)}
    assert all(problem["fix"] for problem in problems)


def test_an_address_does_not_hide_a_contradiction(folder: Folder) -> None:
    """Rank, title and function are judged in faulty rows as in sound ones, and once; a salutation settles them."""
    rows = "".join(
        f"{party},H.E. Ms.,Ada,SAMPLE,{rank},{party.lower()}{at}example.org,{salutation},{status}\n"
        for party, rank, at, salutation, status in (
            ("Togo", "Counsellor", "", "", ""),
            ("Fiji", "Counsellor", "@", "", ""),
            ("Chad", "Counsellor", "", '"Excellency,"', ""),
            ("Cuba", "Counsellor", "", "", "left"),
            ("Mali", "Ambassador", "", "", ""),
        )
    )
    heading = "Mission,Title,First name,Last name,Rank,Email,Salutation line,Status\n"
    folder.write("contacts/missions.csv", heading + rows)
    for command, now in ((["check"], NOW), (["contacts", "contacts/missions.csv"], None)):
        told = folder.run(*command, "--json", now=now).json["problems"]
        problems = [p for p in told if p["severity"] == "error"]
        assert [p["cell"] for p in problems if p["column"] == "Rank"] == ["E2", "E3"]
        assert [p["cell"] for p in problems if p["column"] == "Email"] == ["F2", "F4", "F5", "F6"]


def test_what_an_author_may_have_overlooked_is_told(folder: Folder) -> None:
    """A signature that runs into one line and words without a translation are warnings, told once for all mailings."""
    french = TEMPLATE.replace("{{ salutation }}", "{{ salutation }}\n\nÀ {{ event.venue }}")
    folder.write("templates/round-table/invitation.fr.md", french)
    folder.write("templates/round-table/reminder.fr.md", f"{french}\nCordialement,\nDana DEMO\n")
    checked = folder.run("check", "--json")
    told = [(Path(p["file"]).name, p["row"] or p["column"], p["severity"]) for p in checked.json["problems"]]
    assert checked.code == 0
    assert told[2:] == [
        ("event.toml", "translations.fr.source", "warning"),
        ("event.toml", "translations.fr.title", "warning"),
        ("event.toml", "translations.fr.venue", "warning"),
        ("reminder.fr.md", 11, "warning"),
    ]


def test_a_broken_event_does_not_hide_the_sheets(folder: Folder) -> None:
    """All missing keys and the bad cells are told together."""
    folder.write("templates/round-table/event.toml", 'title = "x"\ntimezone = "Europe/Geneva"\n')
    folder.write("contacts/missions.csv", CONTACTS + "Togo,Mr.,Edem,SAMPLE,Counsellor,nobody,,\n")
    told = folder.run("check").err
    for expected in ("starts", "ends", "rsvp", "contact_person", "Europe/Zurich", "missions.csv, cell F6"):
        assert expected in told


@pytest.mark.parametrize("event", ['title = "x"\n', "starts = 2031-03-13T15:00\n"])
def test_a_broken_event_does_not_hide_the_texts(folder: Folder, event: str) -> None:
    """Wrong tags and names are told with it, once, as far as they do not hang on the event; notes are no texts."""
    folder.write("templates/round-table/event.toml", event)
    folder.write("templates/round-table/notes.md", "# To do\n\n{{ whatever\n")
    folder.write("templates/round-table/empty.md", "Subject:\n\nText\n")
    text = "subject: {{ event.programme.title }} {{ contact.extra.table }} {{ contact.shoe_size }}\n\n{% if x %}\n"
    folder.write("templates/round-table/invitation.md", f"\ufeff{text}")
    folder.write("templates/round-table/reminder.md", text.replace("{% if x %}", "{{ salutations | dat }}"))
    problems = folder.run("check", "--json").json["problems"]
    told = [(Path(p["file"]).name, p["row"], p["problem"]) for p in problems if str(p["file"]).endswith(".md")]
    assert [(file, row) for file, row, _ in told] == [
        ("empty.md", 1), ("invitation.md", 3), ("reminder.md", 1), ("reminder.md", 3), ("reminder.md", 3),
    ]  # fmt: skip
    assert [words for file, _, words in told if file == "reminder.md"] == [
        "there is no `contact.shoe_size`", "there is no `salutations`", "there is no filter `dat`",
    ]  # fmt: skip
    assert any(Path(p["file"]).name == "event.toml" for p in problems if p["file"])


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("deadline = 2031-03-07", "deadline = 2031-04-07", "rsvp.deadline"),
        ("2031-03-13T15:00:00", "2031-03-30T02:30:00", "does not exist in Europe/Zurich"),
        ('["7d", "2d"]', '["7d", "soon"]', "number of days"),
        ("[mailings.invitation]", '[mailings.invitation]\nattachments = ["../../config.env"]', "leads out"),
        ("?lang=en&ref={reference}", "?lang=en", "{reference}"),
    ],
)
def test_an_event_that_cannot_be_sent_is_refused(folder: Folder, was: str, becomes: str, words: str) -> None:
    """What contradicts itself in event.toml stops `send` with exit code 3."""
    folder.write("templates/round-table/event.toml", EVENT.replace(was, becomes))
    refused = folder.run("send", "--sandbox", "--yes")
    assert refused.code == 3
    assert words in refused.err


def test_a_dry_run_names_no_sender_that_is_not_set(folder: Folder) -> None:
    """The contact person stands in for the sender in a rehearsal alone: nothing is sent without MAIL_FROM."""
    told = folder.run("send", "--dry-run")
    assert "From no sender (MAIL_FROM is not set)\nOver no relay (none is set)\n" in told.out
    assert "no sender" not in folder.run("send", "--sandbox", "--dry-run").out


def test_an_embassy_is_not_called_a_mission_to_the_united_nations(folder: Folder) -> None:
    """In a capital it is the embassy that is invited, under the name in the sheet; a country alone is its mission."""
    rows = "Embassy of Canada,a@canada.example.org\nChad,b@chad.example.org\n"
    folder.write("contacts/embassies.csv", f"Embassy,Email\n{rows}")
    told = folder.run("send", "--dry-run")
    assert "would send to a@canada.example.org: Embassy of Canada\n" in told.out
    assert re.search(r"would send to b@chad\.example\.org: Permanent Mission of .*Chad to the United Nations", told.out)
    warned = folder.run("check").err
    assert "cell A2" not in warned
    assert "cell A3: the column is one of embassies, but a country alone is printed as “Permanent Mission of" in warned


def test_the_samples_own_attachment_does_not_leave_with_another_event(folder: Folder) -> None:
    """Whoever copies the shipped event and forgets its concept note is warned; a file of their own is theirs."""
    shipped = Path(__file__).parents[2] / "templates" / "poc-week" / "attachments" / "concept-note.pdf"
    note = folder.path / "templates" / "round-table" / "attachments" / "concept-note.pdf"
    note.parent.mkdir()
    note.write_bytes(shipped.read_bytes())
    event = EVENT.replace("[mailings.invitation]", '[mailings.invitation]\nattachments = ["concept-note.pdf"]')
    folder.write("templates/round-table/event.toml", event)
    assert "concept-note.pdf is that of the sample event" in folder.run("check").err
    note.write_bytes(b"%PDF-1.4 our own")
    assert "concept-note.pdf" not in folder.run("check").err


def test_the_addresses_of_the_event_that_was_copied_do_not_stay_unseen(folder: Folder) -> None:
    """Whoever forgets that the form, or a page, is the other event's is warned once, whichever of the two is looked at.

    A home page is no event's own; nor is a form that several events have, or that of the same event under another name.
    """
    links = '[links]\nhome = "https://www.example.org/"\nnote = "https://www.example.org/note.pdf"\n'

    def warned(event: str) -> list[str]:
        return [line for line in folder.run("check", event).err.splitlines() if " of the event " in line]

    folder.write("templates/round-table/event.toml", EVENT + links)
    shutil.copytree(folder.path / "templates" / "round-table", folder.path / "templates" / "autumn")
    assert warned("autumn") == []
    copied = (EVENT + links).replace("2031-03-13", "2031-09-11")
    folder.write("templates/autumn/event.toml", copied)
    (told,) = warned("autumn")
    assert "rsvp.url and links.note are those of the event round-table. Write this event's own" in told
    assert "of the event autumn" in warned("round-table")[0]
    folder.write("templates/autumn/event.toml", copied.replace("note.pdf", "autumn.pdf"))
    assert "rsvp.url is that of the event round-table" in warned("autumn")[0]
    shutil.copytree(folder.path / "templates" / "autumn", folder.path / "templates" / "winter")
    folder.write("templates/winter/event.toml", copied.replace("2031-09-11", "2031-12-11"))
    assert not any("rsvp.url" in line for line in warned("winter"))


def test_the_form_of_the_sample_is_nobodys(folder: Folder) -> None:
    """An event made of the shipped one leads to the sample's form only until it has an address of its own."""
    shipped = Path(__file__).parents[2] / "templates" / "poc-week"
    shutil.rmtree(folder.path / "templates" / "round-table")
    ours = shutil.copytree(shipped, folder.path / "templates" / "ours")
    event = (ours / "event.toml").read_text("utf-8").replace("title = ", 'title = "Ours" #', 1)
    folder.write("templates/ours/event.toml", event)
    told = "rsvp.url and links.concept_note are those of the event poc-week"
    assert told in folder.run("check", now="2024-05-02T10:00").err
    folder.write("templates/ours/event.toml", event.replace("poc-week-2024", "ours"))
    assert "of the event" not in folder.run("check", now="2024-05-02T10:00").err


def test_an_embassy_is_never_told_to_call_itself_a_mission(folder: Folder) -> None:
    """What may be another state's is asked about, without the full name of a mission to be put in its place."""
    rows = "Embassy of Austria in Bern,a@austria.example.org\nIreland,b@ireland.example.org\n"
    folder.write("contacts/embassies.csv", f"Embassy,Email\n{rows}Mission of Chad to the UN,c@chad.example.org\n")
    warned = folder.run("check").err
    assert "easily taken for another state's ('Embassy of Austria in Bern'). Nothing, if" in warned
    assert "as it stands ('Ireland'). Write it as it is to be printed, as in “Embassy of Canada”" in warned
    assert "to the United Nations" not in warned and "cell A4" not in warned


def test_problems_become_comments_in_a_copy(folder: Folder) -> None:
    """`--annotate` leaves the staff's workbook as it is and writes a copy with a comment at the cell."""
    book = openpyxl.Workbook()
    book.active.append(["Mission", "Email"])
    book.active.append(["Togo", "nobody"])
    source = folder.path / "contacts" / "more.xlsx"
    book.save(source)
    before = source.read_bytes()
    assert folder.run("check", "--annotate", "notes").code == 3
    assert source.read_bytes() == before
    copy = openpyxl.load_workbook(folder.path / "notes" / "more.xlsx")
    assert "Error" in copy.active["B2"].comment.text


def test_a_whole_text_in_a_cell_hides_no_other_problem(folder: Folder) -> None:
    """People see what it begins with, programs the whole of it."""
    folder.write("contacts/more.csv", f"Mission,Name,Email\nTogo,{'long ' * 1000},togo@example.org\n")
    assert len(folder.run("check").err) < 2000
    assert any(problem["value"] == "long " * 1000 for problem in folder.run("check", "--json").json["problems"])


def test_a_file_that_cannot_be_copied_hides_no_problem(folder: Folder) -> None:
    """Beside a broken workbook everything else is told and annotated all the same."""
    contacts = folder.path / "contacts"
    openpyxl.Workbook().save(folder.path / "whole.xlsx")
    with ZipFile(folder.path / "whole.xlsx") as whole, ZipFile(contacts / "hollow.xlsx", "w") as hollow:
        for name in whole.namelist():
            if "sheet1" not in name:
                hollow.writestr(name, whole.read(name))
    (contacts / "broken.xlsx").write_bytes(b"PK\x03\x04")
    folder.write("contacts/odd.csv", "\0\1")
    folder.write("contacts/more.csv", "Mission,Email\nTogo,nobody\n")
    told = folder.run("check", "--annotate", "notes", "--json")
    assert told.code == 3
    files = [problem["file"] for problem in told.json["problems"] if problem["severity"] == "error"]
    assert sorted(files) == ["broken.xlsx", "broken.xlsx", "hollow.xlsx", "hollow.xlsx", "more.csv", "odd.csv"]
    assert [path.name for path in (folder.path / "notes").iterdir()] == ["more.csv.xlsx"]


def test_contacts_are_understood_without_an_event(folder: Folder) -> None:
    """`contacts FILE` reads any sheet and says whom it understood, with the salutation that would be used."""
    (folder.path / "templates").rename(folder.path / "elsewhere")
    told = folder.run("contacts", "contacts/missions.csv", "--json", now=None)
    assert told.code == 0
    rows = {row["email"]: row for row in told.json["contacts"]}
    ada = rows["ada@belgium.example.org"]
    assert (ada["salutation"], ada["party"], ada["party_kind"]) == ("Excellency,", "Belgium", "mission")
    assert ada["cc"] == ["office@belgium.example.org"]
    assert rows["registry@namibia.example.org"]["salutation"] == "Dear colleagues,"
    assert rows["eva@peru.example.org"]["status"] == "do not contact"


def test_a_misspelt_setting_is_told_where_lists_alone_are_read(folder: Folder) -> None:
    """Whoever asks `contacts` which lists are found hears why theirs are not; the lists are sound all the same."""
    folder.write("config.env", "CONTACT=lists\n")
    told = folder.run("contacts", now=None)
    assert (told.code, "CONTACT" in told.err) == (0, True)


def test_a_single_message_can_be_looked_at(folder: Folder) -> None:
    """`--to` writes that one alone, however the address is spelled, and says so; an unknown address is named."""
    shown = folder.run("preview", "--mailing", "invitation", "--to", "ADA@belgium.example.org")
    assert "1 message in preview;" in shown.out
    assert [path.stem for path in (folder.path / "preview").rglob("*.eml")] == ["ada@belgium.example.org"]
    folder.write("contacts/more.csv", "Mission,Email\nFiji,office@bücher.example.org\n")
    assert folder.run("preview", "--to", "office@xn--bcher-kva.example.org").code == 0
    refused = folder.run("preview", "--to", "nobody@belgium.example.org")
    assert refused.code == 2
    assert "nobody@belgium.example.org" in refused.err


def test_a_preview_that_shows_nothing_leaves_nothing(folder: Folder) -> None:
    """No folder is made for an address that is unknown or a text that cannot be used; nor is sending spoken of."""
    unknown = folder.run("preview", "--to", "nobody@belgium.example.org")
    assert (unknown.code, (folder.path / "preview").exists()) == (2, False)
    folder.write("templates/round-table/invitation.md", TEMPLATE.replace("transfer_note", "unknown_note"))
    refused = folder.run("preview")
    assert (refused.code, (folder.path / "preview").exists()) == (3, False)
    assert "there is no `unknown_note`" in refused.err
    assert "sent" not in refused.err


def test_a_problem_is_told_once_whatever_the_preview_shows(folder: Folder) -> None:
    """What is odd about a sheet is odd in every mailing; it counts once, be the address in the sheet or not."""
    folder.write("contacts/more.csv", "Mission,Email\nRuritania,a@ruritania.example.org\n")
    for address in ("a@ruritania.example.org", "nobody@belgium.example.org"):
        assert folder.run("preview", "--to", address).err.count("('Ruritania')") == 1


def test_a_row_by_which_nobody_is_written_to_is_no_error(folder: Folder) -> None:
    """Where rank and function of somebody who has left disagree, `contacts` and `status` say no more than `check`."""
    row = "Togo,Counsellor,Ambassador,Kof SAMPLE,kof@togo.example.org,left"
    folder.write("contacts/left.csv", f"Mission,Position,Rank,Name,Email,Status\n{row}\n")
    told = folder.run("contacts", "--json", now=None)
    assert (told.code, told.json["problems"]) == (0, [])
    assert {row["email"]: row["status"] for row in told.json["contacts"]}["kof@togo.example.org"] == "left"
    status = folder.run("status").out
    assert "has left the post" in status and "problem" not in status


def test_the_preview_is_what_the_wire_will_carry(folder: Folder, relay: ScriptedServer) -> None:
    """Each `.eml` parses, has CRLF line ends, and holds the reference and Message-ID that will be sent."""
    assert folder.run("preview", "--mailing", "invitation", "--out", "look").code == 0
    page = (folder.path / "look" / "index.html").read_text("utf-8")
    octets = (folder.path / "look" / "invitation" / "ada@belgium.example.org.eml").read_bytes()
    assert b"\n" not in octets.replace(b"\r\n", b"")
    seen = email.message_from_bytes(octets, policy=email.policy.SMTP)
    assert "ada@belgium.example.org.html" in page
    assert not (folder.path / "look" / "invitation" / "eva@peru.example.org.eml").exists()
    folder.relay(relay)
    folder.run("preview", "--mailing", "invitation", "--out", "look")
    seen = email.message_from_bytes(
        (folder.path / "look" / "invitation" / "ada@belgium.example.org.eml").read_bytes(), policy=email.policy.SMTP
    )
    folder.run("send", "--yes")
    sent = email.message_from_bytes(relay.accepted[0].content, policy=email.policy.SMTP)
    assert seen["Message-ID"] == sent["Message-ID"]
    assert seen.get_body(("plain",)).get_content() == sent.get_body(("plain",)).get_content()
    assert sent["Date"].datetime.isoformat().startswith("2031-02-24T09:00")


def test_the_preview_shows_what_the_header_says(folder: Folder) -> None:
    """Subject, sender, addressee, copies, reply address and attachments stand above each letter, for approval."""
    folder.write("templates/round-table/note.pdf", "%PDF")
    event = EVENT.replace("[mailings.invitation]", '[mailings.invitation]\nattachments = ["note.pdf"]\ncalendar = true')
    folder.write("templates/round-table/event.toml", event)
    folder.run("preview")
    page = (folder.path / "preview" / "invitation" / "ada@belgium.example.org.html").read_text("utf-8")
    header = html.unescape(re.sub(r"<[^>]*>", "|", page.split("<dl>")[1].split("</dl>")[0]))
    assert header.strip("|").split("||") == [
        *("Subject", "Round table on protection"),
        *("From", '"Ms. Dana Demo" <dana@events.example.org>'),
        *("To", '"H.E. Ms. Ada SAMPLE" <ada@belgium.example.org>'),
        *("Cc", "office@belgium.example.org"),
        *("Reply-To", '"Ms. Dana Demo" <dana@events.example.org>'),
        *("Attachments", "note.pdf (1 kB), invite.ics (1 kB)"),
    ]
    page = (folder.path / "preview" / "invitation" / "registry@namibia.example.org.html").read_text("utf-8")
    assert '<dt>Cc</dt><dd dir="auto">none</dd>' in page


def test_the_preview_lists_every_message_by_mailing_and_language(folder: Folder) -> None:
    """The index has a jump to each group with its number of messages, and numbers the messages through all of them."""
    folder.write("templates/round-table/invitation.fr.md", TEMPLATE)
    folder.write("contacts/more.csv", "Mission,Email,Language\nSenegal,office@senegal.example.org,fr\n")
    folder.run("preview")
    page = (folder.path / "preview" / "index.html").read_text("utf-8")
    assert re.findall(r'<a href="#(group-\d)">([^<]*)</a>: (\d)', page) == [
        ("group-0", "invitation, en", "3"),
        ("group-1", "invitation, fr", "1"),
        ("group-2", "reminder, en", "4"),
    ]
    assert re.findall(r'<h2 id="(group-\d)">[^<]*</h2><ol start="(\d)">', page) == [
        ("group-0", "1"),
        ("group-1", "4"),
        ("group-2", "5"),
    ]


def test_a_preview_takes_the_place_of_an_earlier_one_and_of_nothing_else(folder: Folder) -> None:
    """What somebody else has put into the folder is neither overwritten nor deleted."""
    page = folder.write("site/index.html", "<!doctype html><title>Our home page</title>")
    kept = folder.write("shown/invitation/minutes.html", "Not ours.")
    refused = folder.run("preview", "--out", "site")
    assert refused.code == 2
    assert "Name another folder with --out" in refused.err
    assert page.read_text() == "<!doctype html><title>Our home page</title>"
    folder.run("preview", "--out", "shown")
    assert kept.exists()
    stale = folder.write("shown/invitation/gone@mission.example.org.eml", "")
    folder.run("preview", "--out", "shown")
    assert not stale.exists()


def test_no_value_becomes_a_part_of_the_preview(folder: Folder) -> None:
    """Whatever stands in a sheet or in the event's title is text, on the index and above and in each letter."""
    hostile = '"><script>alert(1)</script>'
    folder.write("templates/round-table/event.toml", EVENT.replace("Round table", hostile.replace('"', "'")))
    folder.write(
        "contacts/more.csv",
        'Mission,Email,Address name\n"Fiji","office@fiji.example.org","<script>x{y}&quot;</script>"\n',
    )
    folder.run("preview")
    pages = list((folder.path / "preview").rglob("*.html"))
    assert len(pages) == 9
    for path in pages:
        page = path.read_text("utf-8")
        assert "<script" not in page
        assert page.count("sandbox=") == page.count("<iframe") == 1


def test_status_says_where_everything_stands(folder: Folder, relay: ScriptedServer) -> None:
    """Every contact stands in it with state and words; the JSON has the documented keys; the workbook opens."""
    empty = folder.run("status", "--json")
    assert (empty.code, empty.json["deliveries"]) == (0, [])
    folder.relay(relay)
    folder.run("send", "--yes")
    told = folder.run("status", "--json").json
    assert list(told) == ["event", "now", "mailings", "deliveries", "answers", "held", "problems"]
    assert told["event"] == "round-table"
    assert told["mailings"] == {"invitation": {"sent": 3}}
    assert list(told["deliveries"][0]) == [
        "mailing", "recipient", "cc", "party", "reference", "state", "code", "enhanced_status", "reply", "attempts",
        "message_id", "updated_at", "note",
    ]  # fmt: skip
    table = folder.run("status", "--xlsx", "status.xlsx").out
    assert "eva@peru.example.org" in table
    assert "do not contact" in table
    sheet = openpyxl.load_workbook(folder.path / "status.xlsx").active
    assert sheet.freeze_panes == "A2"
    assert {row[1].value for row in sheet.iter_rows(min_row=2)} >= {"ada@belgium.example.org", "eva@peru.example.org"}


def test_status_names_what_sends_what_waits(folder: Folder) -> None:
    """A deferral is named with the moment from which it is tried again, what is queued with the command alone."""
    with ScriptedServer({f"rcpt:{BEN}": "450 4.2.0 Greylisted"}) as relay:
        folder.relay(relay, RETRY_AFTER="600")
        folder.run("send", "--yes")
    later = re.search(
        r"invitation: 1 deferred, 2 sent; send what waits from (10:\d\d) CET on", folder.run("status").out
    )
    assert later and later[1] >= "10:05"
    due = folder.run("status", now="2031-02-24T12:00").out
    assert "invitation: 1 deferred, 2 sent; send what waits with mailer send\n" in due
    late = folder.run("status", now="2031-03-08T10:00").out
    assert "1 deferred, 2 sent; what waits is sent no more: the deadline has passed" in late
    folder.run("answers", "record", BEN, "regrets")
    answered = folder.run("status").out
    assert "invitation: 1 deferred, 2 sent; 1 waiting in vain (has answered: regrets)\n" in answered
    with ScriptedServer({f"rcpt:{LATE}": "550 5.1.1 No such user"}) as relay:
        folder.relay(relay, RETRY_AFTER="600")
        folder.write("contacts/more.csv", f"Mission,Email\nFiji,{LATE}\n")
        folder.run("send", "--yes")
    late = folder.run("status", now="2031-03-08T10:00").out
    assert "what failed or waits is sent no more: the deadline has passed; write to them yourself" in late


def test_reminders_stand_in_the_order_in_which_they_are_sent(folder: Folder, relay: ScriptedServer) -> None:
    """The one of eight days before the deadline stands above the one of three."""
    event = EVENT.replace('["7d", "2d"]', '["8d", "3d"]')
    folder.write("templates/round-table/event.toml", event)
    folder.relay(relay)
    folder.run("send", "--yes", now="2031-02-20T10:00")
    for now in ("2031-02-27T10:00", "2031-03-04T10:00"):
        folder.run("remind", "--yes", now=now)
    told = [line.split(":")[0] for line in folder.run("status", now="2031-03-04T11:00").out.splitlines()]
    assert [word for word in told if word in {"invitation", "reminder-8d", "reminder-3d"}] == [
        "invitation", "reminder-8d", "reminder-3d",
    ]  # fmt: skip


def test_what_no_reply_tells_stands_in_the_json(doubtful: Folder) -> None:
    """A delivery in doubt has no reply, and in its `note` what the table says of it."""
    row = doubtful.run("status", "--json").json["deliveries"][0]
    assert row["reply"] is None
    assert row["note"] in doubtful.run("status").out


def test_a_cell_never_becomes_a_formula(folder: Folder, relay: ScriptedServer) -> None:
    """What looks like a formula in a sheet is text in the mail and in every workbook that is written."""
    folder.write(
        "contacts/odd.csv", "Organisation,Name,Email\n=cmd|' /C calc'!A0,{{ 7*7 }} <b>x</b>,odd@odd.example.org\n"
    )
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "odd@")
    message = email.message_from_bytes(relay.accepted[0].content, policy=email.policy.SMTP)
    assert "49" not in str(message["To"])
    folder.run("status", "--xlsx", "status.xlsx")
    cells = [c for row in openpyxl.load_workbook(folder.path / "status.xlsx").active.iter_rows() for c in row]
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_a_file_that_cannot_be_read_is_one_clear_sentence(folder: Folder) -> None:
    """A broken workbook stops the run without a traceback; a lock file of Excel does not."""
    (folder.path / "contacts" / "~$missions.xlsx").write_bytes(b"lock")
    assert folder.run("check").code == 0
    (folder.path / "contacts" / "broken.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    refused = folder.run("send", "--sandbox", "--yes")
    assert refused.code == 3
    assert "broken.xlsx" in refused.err


def test_unknown_names_in_a_template_are_found_before_anything_is_sent(folder: Folder, relay: ScriptedServer) -> None:
    """The file, the line and the name are told; nobody gets a half-made letter."""
    folder.relay(relay)
    folder.write("templates/round-table/invitation.md", TEMPLATE + "\n{{ contact.favourite_colour }}\n")
    refused = folder.run("send", "--yes", now=NOW)
    assert (refused.code, relay.accepted) == (3, [])
    assert "favourite_colour" in refused.err
    assert "invitation.md, line 9" in refused.err


def test_the_staffs_files_are_never_written_to(folder: Folder) -> None:
    """No report and no annotated copy can take the place of a file in the contacts folder."""
    folder.write("contacts/more.csv", "Mission,Email\nTogo,nobody\n")
    before = {path: path.read_bytes() for path in (folder.path / "contacts").iterdir()}
    assert folder.run("check", "--annotate", "contacts").code in (2, 3)
    assert folder.run("status", "--xlsx", "contacts/missions.xlsx").code == 2
    assert folder.run("contacts", "contacts/more.csv", "--xlsx", "contacts/more.csv", now=None).code == 2
    after = {path: path.read_bytes() for path in (folder.path / "contacts").iterdir()}
    assert all(after[path] == content for path, content in before.items())


def test_a_target_that_cannot_be_written_is_named(folder: Folder) -> None:
    """A missing folder or a file in the way is a sentence, not a traceback."""
    folder.write("blocked", "a file")
    for words in (("status", "--xlsx", "nowhere/x.xlsx"), ("preview", "--out", "blocked/x"), ("init", "blocked/x")):
        refused = folder.run(*words, now=None if words[0] == "init" else NOW)
        assert refused.code in (2, 3)
        assert refused.err


def test_a_change_of_the_event_is_told_with_what_was_sent(folder: Folder, relay: ScriptedServer) -> None:
    """`check` names what the mails said otherwise; an update raises the calendar's SEQUENCE, or withdraws the entry."""
    update = '[mailings.update]\naudience = "invited"\ncalendar = true\n'
    folder.write(
        "templates/round-table/event.toml",
        EVENT.replace("[mailings.invitation]", "[mailings.invitation]\ncalendar = true"),
    )
    folder.write("templates/round-table/update.md", TEMPLATE)
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "kenya")
    assert b"SEQUENCE:0" in _calendar(relay.accepted[0].content)
    moved = EVENT.replace("Room XX", "Salle B").replace("[mailings.invitation]", update + "[mailings.invitation]")
    folder.write("templates/round-table/event.toml", moved)
    told = folder.run("check").err
    assert "venue was Room XX in the mails since 24 February 2031 and is Salle B now" in told
    assert "mailer send --mailing update" in told
    assert folder.run("send", "--mailing", "update", "--yes").code == 0
    assert [t.recipients for t in relay.accepted] == [["ben@kenya.example.org"]] * 2
    assert b"SEQUENCE:1" in _calendar(relay.accepted[1].content)
    assert "venue" not in folder.run("check").err
    folder.write(
        "templates/round-table/event.toml",
        moved.replace("[rsvp]", "cancelled = true\n[rsvp]").replace("update]", "sorry]"),
    )
    folder.write("templates/round-table/sorry.md", TEMPLATE)
    assert folder.run("send", "--yes").code == 0
    assert folder.run("send", "--mailing", "sorry", "--yes").code == 0
    withdrawn = _calendar(relay.accepted[2].content)
    assert b"METHOD:CANCEL" in withdrawn
    assert b"SEQUENCE:2" in withdrawn
    assert len(relay.accepted) == 3


def test_a_calendar_entry_is_replaced_though_sender_and_day_have_moved(folder: Folder, relay: ScriptedServer) -> None:
    """It keeps the UID of the first mails: by another one calendars would keep the old entry beside the new."""
    event = EVENT.replace("[mailings.invitation]", "[mailings.invitation]\ncalendar = true")
    folder.write("templates/round-table/event.toml", event)
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "kenya")
    config = (folder.path / "config.env").read_text("utf-8")
    folder.write("config.env", f"{config}\nMAIL_FROM=The hosts <hosts@moved.example.net>\n")
    folder.write("templates/round-table/event.toml", _on_another_day(event))
    folder.run("send", "--yes")
    assert b"<hosts@moved.example.net>" in relay.accepted[1].content
    first, second = (_uid(one.content) for one in relay.accepted[:2])
    assert first == second


def test_a_calendar_entry_is_replaced_though_its_first_sender_was_refused(folder: Folder) -> None:
    """The mails that were queued under that sender keep the Message-IDs that the entry goes by."""
    event = EVENT.replace("[mailings.invitation]", "[mailings.invitation]\ncalendar = true")
    folder.write("templates/round-table/event.toml", event)
    with ScriptedServer({"mail": "550 5.7.60 SendAsDenied"}) as relay:
        folder.relay(relay)
        config = (folder.path / "config.env").read_text("utf-8")
        folder.write("config.env", f"{config}\nMAIL_FROM=The hosts <hosts@mistyped.example.net>\n")
        assert folder.run("send", "--yes").code == 4
        folder.write("config.env", config)
        folder.run("send", "--yes", "--only", "kenya")
        folder.write("templates/round-table/event.toml", _on_another_day(event))
        folder.run("send", "--yes")
    first, second = (_uid(one.content) for one in relay.accepted[:2])
    assert first == second


def test_next_years_event_of_the_same_name_is_another_calendar_entry(folder: Folder, relay: ScriptedServer) -> None:
    """A ledger of its own begins to count anew, and calendars take nothing with a lower number for news."""
    event = EVENT.replace("[mailings.invitation]", "[mailings.invitation]\ncalendar = true")
    folder.relay(relay)
    config = (folder.path / "config.env").read_text("utf-8")
    for ledger, text in (("this.db", event), ("next.db", _on_another_day(event))):
        folder.write("templates/round-table/event.toml", text)
        folder.write("config.env", f"{config}\nLEDGER_URL=sqlite:///{ledger}\n")
        folder.run("send", "--yes", "--only", "kenya")
    first, second = (_uid(one.content) for one in relay.accepted[:2])
    assert first != second


def _on_another_day(event: str) -> str:
    return event.replace("2031-03-13T", "2031-03-14T")


def _uid(message: bytes) -> list[bytes]:
    return re.findall(rb"^UID:.*$", _calendar(message), re.M)


def _calendar(message: bytes) -> bytes:
    parsed = email.message_from_bytes(message, policy=email.policy.SMTP)
    part = next(part for part in parsed.walk() if part.get_content_type() == "text/calendar")
    content: bytes = part.get_payload(decode=True)
    return content


def test_a_ledger_that_cannot_be_used_does_not_hide_the_rest(folder: Folder) -> None:
    """`check` tells of a damaged ledger as of anything else, in the same list."""
    folder.write("ledger.db", "not a database, but long enough to be taken for one at first sight" * 20)
    folder.write("contacts/more.csv", "Mission,Email\nTogo,nobody\n")
    checked = folder.run("check", "--json")
    assert checked.code == 3
    told = [problem["file"] for problem in checked.json["problems"] if problem["severity"] == "error"]
    assert set(told) == {"config.env", "more.csv"}


def test_a_weekday_that_does_not_fit_its_date_is_noticed(folder: Folder) -> None:
    """Whoever types a date into a text is told when the calendar says otherwise; the right ones pass."""
    typed = "Join us on Friday, 23 May 2024, or on Thursday 23 May 2024.\n"
    folder.write("templates/round-table/invitation.md", TEMPLATE + typed)
    told = folder.run("check").err
    assert "23 May 2024 is a Thursday, not a Friday" in told
    assert told.count("is a Thursday") == 1


def test_a_mailing_that_is_gone_is_no_reminder_for_its_name(folder: Folder, relay: ScriptedServer) -> None:
    """Only what ends with an offset is: `reminder-final` is told as what event.toml names no more."""
    folder.relay(relay)
    folder.run("send", "--yes")
    further = '[mailings.reminder-final]\naudience = "invited"\ntemplate = "reminder"\n'
    folder.write("templates/round-table/event.toml", EVENT + further)
    assert folder.run("send", "--yes", "--mailing", "reminder-final").code == 0
    folder.write("templates/round-table/event.toml", EVENT)
    assert "\nreminder-final: 3 sent\n" in folder.run("status").out
