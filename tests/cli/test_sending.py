"""`mailer send`: what an organiser may rely on between the spreadsheet and the relay."""

import email
import email.policy
import mailbox
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from mailer.ledger import Attempt, Invitee, Ledger
from mailer.model import Address, Party, PartyKind, Reply, Rule, State
from tests.cli.conftest import ADA, BEN, CONTACTS, EVENT, NOW, REGISTRY, TEMPLATE, Folder, typing
from tests.servers import GOOD, ScriptedServer, Session, drop


def test_everybody_gets_one_personal_message(folder: Folder, relay: ScriptedServer) -> None:
    """Each contact gets one message: own form of address, own reference, Cc of the same party, nobody else's data."""
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    messages = {t.recipients[0]: email.message_from_bytes(t.content, policy=email.policy.SMTP) for t in relay.accepted}
    assert list(messages) == [ADA, BEN, REGISTRY]
    ada = messages[ADA]
    assert ada["To"] == f'"H.E. Ms. Ada SAMPLE" <{ADA}>'
    assert ada["Cc"] == "office@belgium.example.org"
    assert ada["Bcc"] is None
    assert ada["Reply-To"] == '"Ms. Dana Demo" <dana@events.example.org>'
    rows = {row["recipient"]: row for row in folder.run("status", "--json").json["deliveries"]}
    for recipient, message in messages.items():
        text = message.get_body(("plain",)).get_content()
        assert rows[recipient]["reference"] in text
        assert rows[recipient]["message_id"] == message["Message-ID"]
        assert message["Message-ID"].endswith("@sender.example.org>")
        for other in set(messages) - {recipient}:
            assert rows[other]["reference"] not in text
    assert "Excellency," in ada.get_body(("plain",)).get_content()
    assert "Dear Mr. SAMPLE," in messages[BEN].get_body(("plain",)).get_content()


def test_a_second_run_sends_nothing(folder: Folder, relay: ScriptedServer) -> None:
    """Whoever was sent to is not written to again, and a late addition to the sheet is."""
    folder.relay(relay)
    folder.run("send", "--yes")
    again = folder.run("send", "--yes")
    assert (again.code, len(relay.accepted)) == (0, 3)
    assert "Nothing is due." in again.out
    folder.write("contacts/late.csv", "Mission,Email\nFiji,office@fiji.example.org\n")
    folder.run("send", "--yes")
    assert [t.recipients for t in relay.accepted[3:]] == [["office@fiji.example.org"]]


def test_refusals_concern_one_recipient_alone(folder: Folder) -> None:
    """A 5xx fails that address, a 4xx defers it, the others are sent; the words are kept; the exit code is 1."""
    refusals = {"rcpt": ["550 5.1.1 No such user", "250 Ok", "450 4.2.0 Greylisted", "250 Ok"]}
    with ScriptedServer(refusals) as relay:
        folder.write("contacts/missions.csv", CONTACTS.replace(",office@belgium.example.org", ","))
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 1
        rows = {row["recipient"]: row for row in folder.run("status", "--json").json["deliveries"]}
        assert (rows[ADA]["state"], rows[ADA]["code"], rows[ADA]["enhanced_status"]) == ("failed", 550, "5.1.1")
        assert "No such user" in rows[ADA]["reply"]
        assert rows[BEN]["state"] == "sent"
        assert rows[REGISTRY]["state"] == "deferred"
        again = folder.run("send", "--yes", now="2031-02-24T10:01")
        assert again.code == 1
        assert "Nothing is due." in again.out
        assert "invitation in all: 1 deferred, 1 failed, 1 sent" in again.out  # which is why
        assert len(relay.accepted) == 1
        folder.run("send", "--yes", now="2031-02-24T10:30")
    assert folder.states() == {ADA: "failed", BEN: "sent", REGISTRY: "sent"}


def test_a_connection_lost_after_the_final_dot_is_in_doubt(folder: Folder) -> None:
    """Nobody can know whether the relay took it: it is named, not sent again, and settled by `resolve`."""
    with ScriptedServer({"dot": [drop, "250 Ok"]}) as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 1
        assert folder.states() == {ADA: "in_doubt", BEN: "sent", REGISTRY: "sent"}
        assert folder.run("send", "--yes").code == 1
        assert len(relay.accepted) == 3
        shown = folder.run("resolve")
        assert shown.code == 1
        assert ADA in shown.out
        assert "Message-ID" in shown.out
        assert folder.run("resolve", "--resend", ADA).code == 0
        assert folder.run("send", "--yes", now="2031-02-24T11:00").code == 0
    first, again = (email.message_from_bytes(t.content) for t in relay.accepted if t.recipients[0] == ADA)
    assert first["Message-ID"] == again["Message-ID"]
    assert first["Date"] == again["Date"]


def test_the_forecast_goes_by_the_pace_and_by_what_the_relay_took_before(folder: Folder, relay: ScriptedServer) -> None:
    """Before a relay is known a message counts a third of a second; then what it took; and never more than allowed."""
    folder.relay(relay)
    name = f"127.0.0.1:{relay.port}"
    guests = "".join(f"Fiji,guest{n}@fiji.example.org\n" for n in range(57))
    folder.write("contacts/fiji.csv", f"Mission,Email\n{guests}")
    assert "60 messages: less than a minute, done about 10:00" in folder.run("send", "--dry-run").out
    now = datetime(2031, 2, 23, 10, tzinfo=UTC)
    guest = Invitee(Address("guest", "example.org"), (), Party("Fiji", PartyKind.MISSION), Rule.TRANSFERABLE)
    with Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger:
        ledger.enqueue("earlier", "invitation", [guest], domain="example.org", now=now)
        [number] = ledger.due("earlier", "invitation", now).values()
        with ledger.run("earlier", "invitation", now, relay=name) as run:
            run.exchange((), [number], now)
            took = now + timedelta(seconds=10)
            reply = Reply(250, None, ("Ok",))
            run.exchange([Attempt(number, State.SENT, now, took, name, reply, "", None, 1)], (), took)
    assert "60 messages: 10 minutes, done about 10:10" in folder.run("send", "--dry-run").out
    folder.relay(relay, SMTP_RATE="2/minute, 500 recipients/day")
    told = folder.run("send", "--dry-run").out
    assert "done about 10:34" in told  # two, of ten seconds each, in any minute after which both are done
    assert "before the deadline (at most 2/minute, 500 recipients/day)" in told


def test_nothing_is_sent_while_an_error_stands(folder: Folder, relay: ScriptedServer) -> None:
    """One bad row stops the mailing, with its cell; `--skip-invalid` sends the sound rows and names the other."""
    folder.relay(relay)
    folder.write("contacts/missions.csv", CONTACTS + "Togo,Mr.,Nan,nan,Counsellor,not an address,,\n")
    refused = folder.run("send", "--yes")
    assert (refused.code, len(relay.accepted)) == (3, 0)
    assert "missions.csv, cell F6" in refused.err
    assert "Nothing was sent." in refused.err
    skipped = folder.run("send", "--yes", "--skip-invalid")
    assert (skipped.code, len(relay.accepted)) == (1, 3)
    assert "missions.csv, cell F6" in skipped.err


@pytest.mark.parametrize(
    ("script", "settings", "words"),
    [
        ({"mail": "550 5.7.60 Not allowed to send as this sender"}, {}, "MAIL_FROM"),
        ({"greeting": "554 5.7.1 Go away"}, {}, "554"),
        ({}, {"SMTP_USERNAME": "org", "SMTP_PASSWORD": "hush-hush"}, "login"),
        ({}, {"SMTP_SECURITY": "starttls"}, "STARTTLS"),
    ],
    ids=["sender refused", "greeting refused", "no login offered", "no TLS offered"],
)
def test_a_relay_that_cannot_be_used_stops_the_run(
    folder: Folder, script: dict[str, str], settings: dict[str, str], words: str
) -> None:
    """Exit code 4, one sentence, no secret in it, nobody marked failed, and everybody due again."""
    with ScriptedServer(script) as relay:
        folder.relay(relay, **settings)
        stopped = folder.run("send", "--yes")
    assert stopped.code == 4
    assert words in stopped.err
    assert "hush" not in stopped.err + stopped.out
    assert set(folder.states().values()) <= {"queued", "deferred"}
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 0
        assert len(relay.accepted) == 3


def test_without_a_relay_send_says_so_and_names_the_sandbox(folder: Folder) -> None:
    """The relay is never guessed."""
    refused = folder.run("send", "--yes")
    assert refused.code == 3
    assert "SMTP_HOST" in refused.err
    assert "--sandbox" in refused.err


def test_an_unreachable_relay_loses_nothing(folder: Folder, relay: ScriptedServer) -> None:
    """Exit code 4 and a clear sentence; the next run sends all."""
    folder.relay(relay, SMTP_PORT="1")
    stopped = folder.run("send", "--yes")
    assert stopped.code == 4
    assert "127.0.0.1:1" in stopped.err
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    assert len(relay.accepted) == 3


def test_a_dry_run_leaves_no_trace(folder: Folder) -> None:
    """It says who would get it and who not, without relay, ledger or message."""
    told = folder.run("send", "--dry-run")
    assert told.code == 0
    assert f"would send to {ADA}" in told.out
    assert "left out eva@peru.example.org: do not contact" in told.out
    assert not (folder.path / "ledger.db").exists()


def test_a_relay_that_has_an_address_alone_is_told_apart_from_its_port(folder: Folder, relay: ScriptedServer) -> None:
    """One of IPv6 stands in brackets, as in every other sentence."""
    folder.relay(relay, SMTP_HOST="::1")
    assert f"Over [::1]:{relay.port}\n" in folder.run("send", "--dry-run").out


def test_a_rehearsal_never_marks_a_real_delivery(folder: Folder, relay: ScriptedServer) -> None:
    """`--sandbox` keeps the messages and a ledger of its own; the real sending goes to everybody afterwards."""
    assert folder.run("send", "--sandbox", "--yes").code == 0
    assert len(list((folder.path / "outbox").glob("*.eml"))) == 3
    assert not (folder.path / "ledger.db").exists()
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    assert len(relay.accepted) == 3


def test_samples_go_to_the_organiser_alone(folder: Folder, relay: ScriptedServer) -> None:
    """`--test` sends samples to one address, without Cc, and the ledger knows nothing of them."""
    folder.relay(relay)
    tested = folder.run("send", "--test", "me@sender.example.org")
    assert tested.code == 0
    assert {tuple(t.recipients) for t in relay.accepted} == {("me@sender.example.org",)}
    assert len(relay.accepted) == 3
    assert not any(b"\r\nCc:" in t.content for t in relay.accepted)
    assert (
        f"Excellency, as for H.E. Ms. Ada SAMPLE ({ADA}); in copy, not here: office@belgium.example.org" in tested.out
    )
    assert folder.states() == {}


def test_samples_that_were_refused_are_told_apart(folder: Folder) -> None:
    """How many were sent of how many is said, with what to do about the others; the exit code is 1."""
    with ScriptedServer({"dot": ["250 Ok", "452 4.2.2 Mailbox full", "250 Ok"]}) as relay:
        folder.relay(relay)
        tested = folder.run("send", "--test", "me@sender.example.org")
    assert tested.code == 1
    assert "not sent: 452 4.2.2 Mailbox full" in tested.out
    assert "2 of 3 samples for me@sender.example.org" in tested.out
    assert "1 not sent, for what is said above" in tested.out


def test_samples_show_every_form_there_is(folder: Folder, relay: ScriptedServer) -> None:
    """Each salutation, rule, kind of party and cell that a text uses, filled and empty, is seen in few messages."""
    folder.relay(relay)
    folder.write("templates/round-table/invitation.md", TEMPLATE + "{% if contact.extra.table %}A table.{% endif %}\n")
    alike = "".join(f"Togo,Mr.,Edem{n},SAMPLE{n},Counsellor,edem{n}@togo.example.org,,,\n" for n in range(30))
    others = """Chad,Ms.,Mara,SAMPLE,Counsellor,mara@chad.example.org,personal,,
Fiji,Ms.,Mere,SAMPLE,Attaché,mere@fiji.example.org,,7,
Cuba,Mr.,Raul,SAMPLE,Attaché,raul@cuba.example.org,,,Dear Raul!
"""
    heading = "Mission,Title,First name,Last name,Rank,Email,Rule,Table,Salutation\n"
    folder.write("contacts/missions.csv", heading + alike + others)
    folder.write("contacts/more.csv", "Organisation,Name,Email,Table\nOxfam,Ana Placeholder,ana@oxfam.example.org,\n")
    tested = folder.run("send", "--test", "me@sender.example.org")
    assert "5 samples for me@sender.example.org" in tested.out
    for addressee in ("edem0@togo", "mara@chad", "mere@fiji", "raul@cuba", "ana@oxfam"):
        assert f"({addressee}.example.org)" in tested.out
    assert len(relay.accepted) == 5


def test_samples_of_a_reminder_say_of_what_day_they_are(folder: Folder, relay: ScriptedServer) -> None:
    """What a reminder says depends on the day, which is told."""
    folder.relay(relay)
    told = folder.run("remind", "--test", "me@sender.example.org", now="2031-03-05T10:00").out
    assert "They say what is said 2 days before the deadline" in told


def test_sending_wants_a_person_or_yes(folder: Folder, relay: ScriptedServer) -> None:
    """Without a terminal and without --yes nothing is sent, and the exit code is that of wrong usage."""
    folder.relay(relay)
    asked = folder.run("send")
    assert (asked.code, len(relay.accepted)) == (2, 0)
    assert "--yes" in asked.err


def test_only_and_limit_narrow_the_run(folder: Folder, relay: ScriptedServer) -> None:
    """`--only` picks by address, name or party, `--limit` the first few; the rest stay due."""
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "kenya")
    assert [t.recipients for t in relay.accepted] == [[BEN]]
    folder.run("send", "--yes", "--limit", "1")
    assert relay.accepted[1].recipients[0] == ADA
    assert folder.run("send", "--yes").code == 0
    assert len(relay.accepted) == 3


def test_a_list_of_several_parts_is_sent_to_its_last_row(folder: Folder) -> None:
    """However long the list, each row gets one message, in the order of the sheet, and a second run sends nothing."""
    addresses = [f"guest-{n}@party-{n % 7}.example.org" for n in range(2300)]
    rows = "".join(f"Party {n % 7},Ms.,Ada,SAMPLE,,{address},,\n" for n, address in enumerate(addresses))
    folder.write("contacts/missions.csv", "Organisation,Title,First name,Last name,Rank,Email,Cc,Status\n" + rows)
    assert folder.run("send", "--sandbox", "--yes").code == 0
    sent = folder.run("status", "--sandbox", "--json").json["deliveries"]
    assert [one["recipient"] for one in sent] == addresses
    assert {(one["state"], one["attempts"]) for one in sent} == {("sent", 1)}
    assert "Nothing is due." in folder.run("send", "--sandbox", "--yes").out


def test_nobody_is_written_to_after_opting_out(folder: Folder, relay: ScriptedServer) -> None:
    """A suppressed address gets nothing, not even as a copy."""
    folder.relay(relay)
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    folder.run("suppress", "office@belgium.example.org", "--reason", "asked by telephone")
    folder.run("send", "--yes")
    assert sorted(address for t in relay.accepted for address in t.recipients) == [ADA, REGISTRY]


def test_nobody_is_invited_after_the_deadline(folder: Folder, relay: ScriptedServer) -> None:
    """The deadline's day is the last; one second later nothing is sent."""
    folder.relay(relay)
    late = folder.run("send", "--yes", now="2031-03-08T00:00:00")
    assert "the deadline has passed" in late.out
    assert not relay.accepted
    folder.run("send", "--yes", now="2031-03-07T23:59:00")
    assert len(relay.accepted) == 3


def test_the_reminder_goes_to_those_whose_invitation_was_sent(folder: Folder, relay: ScriptedServer) -> None:
    """It is due by its offset, only to the invited, with the same reference and a Message-ID of its own, and once."""
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "kenya")
    early = folder.run("remind", "--yes", now="2031-02-25T10:00")
    assert "no reminder is due before" in early.out
    assert folder.run("remind", "--yes", now="2031-02-28T10:00").code == 0
    assert [t.recipients for t in relay.accepted] == [[BEN], [BEN]]
    rows = folder.run("status", "--json").json["deliveries"]
    assert {row["mailing"] for row in rows} == {"invitation", "reminder-7d"}
    assert len({row["reference"] for row in rows}) == 1
    assert len({row["message_id"] for row in rows}) == 2
    folder.run("remind", "--yes", now="2031-02-28T11:00")
    assert len(relay.accepted) == 2
    weekend = folder.run(
        "remind",
        "--yes",
        now="2031-03-08T10:00",
    )
    assert len(relay.accepted) == 2, weekend.out


def test_another_event_is_a_folder_and_no_code(folder: Folder) -> None:
    """With two events the command asks which, and an unknown one is named with those there are."""
    folder.write("templates/briefing/event.toml", EVENT)
    folder.write("templates/briefing/invitation.md", TEMPLATE)
    asked = folder.run("status", now=None)
    assert asked.code == 2
    assert "briefing, round-table" in asked.err
    assert folder.run("status", "nonsense", now=None).code == 2


def test_a_ledger_from_a_newer_version_is_left_alone(folder: Folder, relay: ScriptedServer) -> None:
    """A clear sentence and exit code 3; the file is as it was."""
    folder.relay(relay)
    folder.run("send", "--yes", "--limit", "1")
    with closing(sqlite3.connect(folder.path / "ledger.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = folder.run("send", "--yes")
    assert refused.code == 3
    assert "newer" in refused.err
    assert len(relay.accepted) == 1


def test_a_second_run_at_the_same_time_says_who_is_at_work(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second `send` ends with exit code 1 and says which process is sending, before anybody is asked."""
    folder.relay(relay)
    folder.run("send", "--yes", "--limit", "1")
    with (
        Ledger.open(f"sqlite:///{folder.path / 'ledger.db'}") as ledger,
        ledger.run("round-table", "invitation", datetime.now(UTC), relay="relay.example.org:25"),
    ):
        refused = [folder.run("send", "--yes"), typing(folder, monkeypatch, "yes\n", "send")]
    for one in refused:
        assert one.code == 1
        assert "has been sending invitation of round-table since" in one.err
        assert "Type yes" not in one.out
    assert len(relay.accepted) == 1
    assert typing(folder, monkeypatch, "yes\n", "send").code == 0
    assert len(relay.accepted) == 3


def test_rows_with_errors_are_left_out_and_stay_due(folder: Folder, relay: ScriptedServer) -> None:
    """What `--skip-invalid` leaves out is counted and not burnt: once mended, the rows are sent."""
    folder.relay(relay)
    more = "Oxfam,a@oxfam.example.org,letter.pdf\nOxfam,b@oxfam.example.org,letter.pdf\n"
    folder.write("contacts/more.csv", f"Organisation,Email,Attachment\n{more}")
    skipped = folder.run("send", "--yes", "--skip-invalid")
    assert skipped.code == 1
    assert "letter.pdf" in skipped.err
    assert "      2  left out: rows with errors" in skipped.out
    assert "a@oxfam.example.org" not in folder.states()
    folder.write("templates/round-table/letter.pdf", "%PDF")
    assert folder.run("send", "--yes").code == 0
    assert [one.recipients for one in relay.accepted[-2:]] == [["a@oxfam.example.org"], ["b@oxfam.example.org"]]


def test_a_dry_run_never_sends(folder: Folder, relay: ScriptedServer) -> None:
    """`--dry-run` with `--test` is a question back, not a message."""
    folder.relay(relay)
    assert folder.run("send", "--dry-run", "--test", "me@sender.example.org").code == 2
    assert not relay.accepted


def test_a_rehearsal_heeds_the_real_opt_outs(folder: Folder) -> None:
    """Whoever the real sending would leave out is left out of the rehearsal too."""
    folder.run("suppress", BEN, "--reason", "asked by telephone")
    folder.run("send", "--sandbox", "--yes")
    assert len(list((folder.path / "outbox").glob("*.eml"))) == 2


def test_an_address_that_is_not_in_doubt_is_not_called_settled(folder: Folder) -> None:
    """A mistyped address in `resolve` is named together with what is in doubt."""
    with ScriptedServer({"dot": [drop, "250 Ok"]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    refused = folder.run("resolve", "nobody@belgium.example.org", "--sent")
    assert refused.code == 2
    assert ADA in refused.err
    assert folder.states()[ADA] == "in_doubt"


def test_a_lost_relay_tells_what_had_gone_out(folder: Folder) -> None:
    """Before the error it says how many were sent and how many are in doubt."""
    refused = "550 5.7.60 Not allowed to send as this sender"
    with ScriptedServer({"mail": ["250 Ok", refused, refused]}, features=()) as relay:
        folder.relay(relay)
        stopped = folder.run("send", "--yes")
    assert stopped.code == 4
    assert "1 sent" in stopped.out


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_an_archive_copy_settles_a_doubt(folder: Folder, kind: str) -> None:
    """Where the Sent folder holds the Message-ID, the delivery was sent; what it does not hold stays in doubt."""
    with ScriptedServer({"dot": [drop, drop, "250 Ok"]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    path = folder.path / "archive"
    box = mailbox.Maildir(path) if kind == "maildir" else mailbox.mbox(path)
    box.add(relay.accepted[0].content)
    box.close()
    looked = folder.run("resolve", "--archive", "archive")
    assert looked.code == 1
    of_ada, of_ben = looked.out.split(BEN)
    assert "  found in archive\n" in of_ada
    assert "  not found in archive\n" in of_ben
    assert folder.states() == {ADA: "sent", BEN: "in_doubt", REGISTRY: "sent"}
    assert folder.run("resolve", "--archive", "nowhere").code == 2


def test_a_run_that_was_killed_leaves_nothing_claimed(folder: Folder, relay: ScriptedServer) -> None:
    """Whatever command looks next finds the abandoned claim in doubt, even when nothing else is due."""
    folder.relay(relay)
    folder.run("send", "--yes")
    folder.write("contacts/late.csv", "Mission,Email\nFiji,office@fiji.example.org\n")
    script = (
        "import os, sys\n"
        "from datetime import UTC, datetime\n"
        "from mailer.ledger import Ledger, Invitee\n"
        "from mailer.model import Address, Party, PartyKind, Rule\n"
        "now = datetime(2031, 2, 24, 9, tzinfo=UTC)\n"
        "ledger = Ledger.open('sqlite:///ledger.db')\n"
        "fiji = Party('Fiji', PartyKind.MISSION)\n"
        "one = Invitee(Address.parse('office@fiji.example.org'), (), fiji, Rule.TRANSFERABLE)\n"
        "with ledger.run('round-table', 'invitation', now, relay='relay.example.org:25') as run:\n"
        "    ledger.enqueue('round-table', 'invitation', [one], domain='sender.example.org', now=now)\n"
        "    run.exchange([], list(ledger.due('round-table', 'invitation', now).values()), now)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder.path, check=False)
    assert folder.states()["office@fiji.example.org"] == "in_doubt"
    assert "office@fiji.example.org" in folder.run("resolve").out


def test_nobody_is_written_to_who_answers_while_the_run_waits(folder: Folder) -> None:
    """Whether somebody is still due is asked right before each message: the deadline may pass in the meantime."""
    with ScriptedServer({f"rcpt:{BEN}": ["450 4.2.0 Greylisted"]}) as relay:
        folder.relay(relay, RETRY_AFTER="2")
        told = folder.run("send", "--yes", "--wait", now="2031-03-07T23:59:58")
    assert "1 no longer due" in told.out
    assert BEN not in {t.recipients[0] for t in relay.accepted}


def test_a_colleagues_answer_during_the_run_spares_the_party(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is still to be written to when a colleague answers is left alone, also where the list is queued in parts."""
    monkeypatch.setattr("mailer.cli.surveying._FRESH_FOR", timedelta(0))
    monkeypatch.setattr("mailer.cli.dispatch._QUEUED_TOGETHER", 3)
    monkeypatch.setattr("mailer.deliver.agenda._SOME", 3)
    monkeypatch.setattr("mailer.deliver.agenda._LOW", 1)
    eva = "eva@belgium.example.org"
    folder.write(
        "contacts/missions.csv", CONTACTS.replace("Peru,", f"Belgium,Ms.,Eva,SAMPLE,Counsellor,{eva},,\nPeru,")
    )

    def answer(session: Session) -> None:
        words = ("answers", "record", ADA, "in-person", "--now", NOW)
        subprocess.run([sys.executable, "-m", "mailer", *words], cwd=folder.path, check=True, capture_output=True)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [answer]}) as relay:
        folder.relay(relay)
        told = folder.run("send", "--yes")
    assert "1 no longer due" in told.out
    assert {t.recipients[0] for t in relay.accepted} == {ADA, BEN, REGISTRY}


def test_a_clock_that_is_set_back_during_the_run_hides_no_answer(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are looked for anew when the clock shows an earlier moment than at the last look."""
    set_back = [timedelta()]
    moment, begun = datetime.fromisoformat(NOW).replace(tzinfo=UTC), datetime.now(UTC)
    clock = lambda: moment + (datetime.now(UTC) - begun) - set_back[0]  # noqa: E731
    monkeypatch.setattr("mailer.cli.desk.clock_at", lambda _: clock)

    def answer(session: Session) -> None:
        words = ("answers", "record", REGISTRY, "in-person", "--now", NOW)
        subprocess.run([sys.executable, "-m", "mailer", *words], cwd=folder.path, check=True, capture_output=True)
        set_back[0] = timedelta(hours=1)
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [answer]}) as relay:
        folder.relay(relay)
        told = folder.run("send", "--yes")
    assert "1 no longer due" in told.out
    assert {t.recipients[0] for t in relay.accepted} == {ADA, BEN}


def test_nobody_is_told_to_send_as_if_it_were_earlier(folder: Folder, relay: ScriptedServer) -> None:
    """After the deadline --now would write to people; a rehearsal writes to none, and what has no deadline is done."""
    folder.write("templates/round-table/event.toml", EVENT + '[mailings.thanks]\naudience = "attending"\n')
    folder.write("templates/round-table/thanks.md", TEMPLATE)
    folder.relay(relay)
    late = "2031-03-20T10:00"
    assert "as if it were earlier, add --sandbox and --now" in folder.run("send", "--yes", now=late).out
    assert "as if it were earlier, add --now" in folder.run("send", "--yes", "--sandbox", now=late).out
    assert "earlier" not in folder.run("send", "--mailing", "thanks", "--yes", now=late).out
