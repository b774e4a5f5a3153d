"""A change of the event, told to those invited and to those who come: who was not told is named until they were."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import ADA, BEN, CONTACTS, EVENT, REGISTRY, TEMPLATE, Folder, typing
from tests.servers import ScriptedServer

CHANGE = """
[mailings.change]
audience = "invited"
"""
FOR_DELEGATES = """
[mailings.arrival]
audience = "attending"
[mailings.change-delegates]
template = "change"
audience = "attending"
"""
NOW, ANSWERED, CHANGED, LATER = (f"2031-02-2{day}T10:00" for day in (4, 5, 6, 7))
MUCH_LATER = "2031-02-28T10:00"  # as each run's clock begins anew
DORA, PRIVATE = "dora@gmail.com", "ada.private@gmail.com"
KIM, TOM = "kim@namibia.example.org", "tom@kenya.example.org"


@pytest.fixture
def coming(folder: Folder, relay: ScriptedServer) -> Folder:
    """The folder after a delegate of Kenya and, from a private address, the invitee of Belgium have answered."""
    folder.write("templates/round-table/event.toml", EVENT)
    for name in ("change", "arrival"):
        folder.write(f"templates/round-table/{name}.md", TEMPLATE)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    rows = folder.run("status", "--json").json["deliveries"]
    references = {row["recipient"]: row["reference"] for row in rows}
    for reference, name, address in (
        (references[BEN], "Dora Delegate", DORA),
        (references[ADA], "Ms. Ada Sample", PRIVATE),
    ):
        words = ("answers", "record", reference, "in-person", "--by", name, "--email", address)
        assert folder.run(*words, now=ANSWERED).code == 0
    relay.accepted.clear()
    return folder


def recipients(relay: ScriptedServer) -> list[str]:
    found = sorted(taken.recipients[0] for taken in relay.accepted)
    relay.accepted.clear()
    return found


def test_no_text_is_named_for_another(coming: Folder) -> None:
    """Of several mailings to all invited that have not gone out none is taken for the one that tells of the change."""
    others = '[mailings.erratum]\ntemplate = "arrival"\naudience = "invited"\n'
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + others + CHANGE)
    both = "mailer send --mailing erratum or mailer send --mailing change, and the delegates with"
    said = coming.run("check", now=CHANGED).err
    assert f"tell those invited with one of these, whichever is meant for it: {both}" in said


def test_a_change_while_the_invitation_goes_out_names_who_read_otherwise(folder: Folder, relay: ScriptedServer) -> None:
    """The rest get it as it is now; the first are named until a reminder or another mailing has told them."""
    folder.relay(relay)
    folder.write("templates/round-table/event.toml", EVENT)
    assert folder.run("send", "--limit", "1", "--yes").code == 0
    folder.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B"))
    otherwise = f"1 of those invited has read otherwise (venue): {ADA}"
    went_on = folder.run("send", "--yes", now=ANSWERED)
    assert "2 sent of 2." in went_on.out
    assert f"{otherwise}. Where no reminder is to tell them, do so with a new mailing" in went_on.out
    assert otherwise in folder.run("check", now=ANSWERED).err
    assert folder.run("remind", "--anytime", "--yes", "--only", ADA, now="2031-02-28T10:00").code == 0
    assert "otherwise" not in folder.run("check", now="2031-02-28T11:00").err


def test_what_no_relay_took_was_told_to_nobody(folder: Folder) -> None:
    """After a run whose sender was refused the event may be changed without a word; after one that sent, not."""
    with ScriptedServer({"mail": ["550 5.7.1 Not your address"] * 4}) as refusing:
        folder.relay(refusing)
        assert folder.run("send", "--yes").code == 4
    folder.write("templates/round-table/event.toml", EVENT.replace("Round table on", "Forum on"))
    assert "in the mails since" not in folder.run("check").err
    with ScriptedServer() as accepting:
        folder.relay(accepting)
        assert folder.run("send", "--yes", now=ANSWERED).code == 0
    folder.write("templates/round-table/event.toml", EVENT)
    told = folder.run("check", now=CHANGED).err
    assert "title was Forum on protection in the mails since 25 February 2031" in told


WORDS = """
[links]
programme = "https://www.example.org/programme"
[translations.fr]
venue = "Salle XX"
[translations.fr.links]
programme = "https://www.example.org/fr/programme"
[translations.fr.contact_person]
name = "Mme Dana Demo"
email = "accueil@events.example.org"
"""


@pytest.mark.parametrize(
    ("was", "becomes", "fact"),
    [
        ("dana@", "desk@", "contact_person.email"),
        ("org/form", "org/new-form", "rsvp.url"),
        ("org/programme", "org/draft", "links.programme"),
        ("org/fr/programme", "org/fr/draft", "translations.fr.links.programme"),
        ("Salle XX", "Salle VII", "translations.fr.venue"),
        ("accueil@", "bureau@", "translations.fr.contact_person.email"),
    ],
)
def test_what_leads_a_reader_astray_is_a_change(
    folder: Folder, relay: ScriptedServer, was: str, becomes: str, fact: str
) -> None:
    """Whom to ask, where a link leads and the place in another language are told, once each."""
    folder.write("templates/round-table/event.toml", EVENT + WORDS)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    assert "in the mails since" not in folder.run("check").err
    folder.write("templates/round-table/event.toml", (EVENT + WORDS).replace(was, becomes))
    told = [line for line in folder.run("check").err.splitlines() if "in the mails since" in line]
    assert len(told) == 1
    assert f"{fact} was " in told[0]


@pytest.mark.parametrize(
    ("was", "becomes", "facts"),
    [
        ('venue = "Salle XX"\n', "", ["translations.fr.venue"]),
        ("[translations.fr]\n", '[translations.fr]\ntitle = "Colloque"\n', ["translations.fr.title"]),
        ("Round table", "Forum", ["title"]),
        ("Room XX", "Room XI", ["venue"]),
    ],
)
def test_a_word_that_readers_of_a_translation_had_otherwise_is_a_change(
    folder: Folder, relay: ScriptedServer, was: str, becomes: str, facts: list[str]
) -> None:
    """Words of its own that a translation gets or loses are told; what it has from the event is told once."""
    folder.write("templates/round-table/event.toml", EVENT + WORDS)
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    folder.write("templates/round-table/event.toml", (EVENT + WORDS).replace(was, becomes))
    found = folder.run("check", "--json").json["problems"]
    assert [problem["column"] for problem in found if "in the mails since" in problem["problem"]] == facts


def test_words_that_an_older_ledger_does_not_hold_are_no_change(folder: Folder, relay: ScriptedServer) -> None:
    """What an edition of before says of a translation, its own words alone, is all that is compared with it."""
    folder.write("templates/round-table/event.toml", EVENT + WORDS)
    folder.relay(relay)
    assert folder.run("send", "--limit", "1", "--yes").code == 0
    with closing(sqlite3.connect(folder.path / "ledger.db")) as ledger, ledger:
        [(known,)] = ledger.execute("SELECT facts FROM editions")
        older = {key: value for key, value in json.loads(known).items() if key != "translations.fr.title"}
        ledger.execute("UPDATE editions SET facts = ?", [json.dumps(older)])
    assert "in the mails since" not in folder.run("check").err
    assert folder.run("send", "--yes", now=ANSWERED).code == 0
    told = folder.run("check", now=CHANGED)
    assert "in the mails since" not in told.err and "otherwise" not in told.err


def test_nobody_is_told_of_a_change_that_is_none(folder: Folder, relay: ScriptedServer) -> None:
    """A link or a translation that came later, and facts that an older ledger does not hold, changed nothing."""
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    folder.write("templates/round-table/event.toml", EVENT + WORDS)
    assert "in the mails since" not in folder.run("check").err
    with closing(sqlite3.connect(folder.path / "ledger.db")) as ledger, ledger:
        [(known,)] = ledger.execute("SELECT facts FROM editions")
        older = {key: value for key, value in json.loads(known).items() if key in ("title", "starts", "venue")}
        ledger.execute("UPDATE editions SET facts = ?", [json.dumps(older)])
    folder.write("templates/round-table/event.toml", EVENT.replace("dana@", "desk@"))
    assert "in the mails since" not in folder.run("check").err


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (("Room XX", "Salle B"), "venue"),
        (("dana@", "desk@"), "contact_person.email"),
        (("[rsvp]", "cancelled = true\n[rsvp]"), "cancelled"),
    ],
)
def test_who_comes_and_was_not_told_is_named_until_told(
    coming: Folder, relay: ScriptedServer, change: tuple[str, str], fact: str
) -> None:
    """A mailing to those invited leaves the delegates out: `send` and `check` name them, and what tells them."""
    changed = EVENT.replace(*change)
    assert coming.run("check", now=CHANGED).err.count("event.toml") == 0
    coming.write("templates/round-table/event.toml", changed + CHANGE)
    before = coming.run("check", now=CHANGED).err
    assert "tell those invited with mailer send --mailing change, and the delegates with a new mailing" in before
    sent = coming.run("send", "--mailing", "change", "--yes", now=CHANGED)
    assert recipients(relay) == [ADA, BEN, REGISTRY]
    untold = f"1 of those who come was not told of the change ({fact}): {DORA}"
    assert untold in sent.out
    assert untold in coming.run("check", now=LATER).err
    assert 'a new mailing with audience = "attending"' in coming.run("check", now=LATER).err
    coming.write("templates/round-table/event.toml", changed + CHANGE + FOR_DELEGATES)
    assert "mailer send --mailing change-delegates" in coming.run("check", now=LATER).err
    coming.run("send", "--mailing", "change-delegates", "--yes", now=LATER)
    assert recipients(relay) == [DORA]
    assert "not told" not in coming.run("check", now=LATER).err


def test_who_is_still_to_get_the_mailing_that_tells_the_change_is_counted(
    coming: Folder, relay: ScriptedServer
) -> None:
    """Sent in part, it is named by `send`, `check` and `status` with its command, until all invited have had it."""
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES)
    sent = coming.run("send", "--mailing", "change", "--limit", "1", "--yes", now=CHANGED)
    left = "2 of those invited have not had change, which tells of the change (venue)"
    assert f"{left}. Send it to them with mailer send --mailing change." in sent.out
    assert left in coming.run("check", now=LATER).err
    assert f"{left}. Send it to them with mailer send --mailing change." in coming.run("status", now=LATER).out
    coming.write("contacts/missions.csv", CONTACTS.replace(f"{BEN},,", f"{BEN},,left"))
    assert "1 of those invited has not had change" in coming.run("check", now=LATER).err
    coming.run("send", "--mailing", "change", "--yes", now=LATER)
    for command in ("check", "status"):
        told = coming.run(command, now=LATER)
        assert "of those invited" not in told.out + told.err


def test_what_asks_for_no_answer_names_no_deadline(coming: Folder, relay: ScriptedServer) -> None:
    """A mailing to those invited is measured by the beginning of the event, and only where it comes too late for it."""
    coming.write("templates/round-table/event.toml", EVENT + CHANGE)
    told = coming.run("send", "--mailing", "change", "--dry-run", now=CHANGED).out
    assert "done about" in told
    assert "deadline" not in told and "Answers are due" not in told
    coming.relay(relay, SMTP_RATE="1/minute")
    late = coming.run("send", "--mailing", "change", "--dry-run", now="2031-03-13T14:59").out
    assert "AFTER the event begins" in late


def test_who_may_come_by_an_answer_that_waits_is_named_until_it_is_settled(
    coming: Folder, relay: ScriptedServer
) -> None:
    """No mailing reaches a colleague whose yes is only suggested: `check` and the mailing to those who come say so."""
    answers = f"Timestamp,Email Address,Will you attend?\n2031/02/25 12:00:00,{KIM},Yes\n2031/02/25 12:01:00,{TOM},No\n"
    file = str(coming.write("rsvp.csv", answers))
    assert coming.run("answers", "import", file, "--yes", now=CHANGED).code == 1
    assert KIM not in coming.run("check", now=CHANGED).err
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES)
    waits = f"1 who may come was not told of the change, as the answer waits to be settled: {KIM}"
    before = coming.run("check", now=CHANGED).err
    assert (waits in before, "mailer answers review" in before) == (True, True)
    coming.run("send", "--mailing", "change", "--yes", now=CHANGED)
    told = coming.run("send", "--mailing", "change-delegates", "--yes", now=LATER)
    assert told.code == 1
    assert "1 answer to be settled, of people who may come and are not written to: see mailer answers" in told.out
    assert waits in coming.run("check", now=LATER).err
    assert coming.run("send", "--mailing", "change-delegates", "--dry-run", now=LATER).code == 1

    relay.accepted.clear()
    number = coming.run("answers", "review", "--json").json["answers"][0]["id"]
    assert coming.run("answers", "settle", str(number), "--accept").code == 0
    assert "not told" in coming.run("check", now=LATER).err
    assert coming.run("send", "--mailing", "change-delegates", "--yes", now=LATER).code == 0
    assert recipients(relay) == [KIM]
    assert "not told" not in coming.run("check", now=LATER).err


def test_a_second_change_is_told_to_delegates_by_what_reaches_them(coming: Folder, relay: ScriptedServer) -> None:
    """Delegates who were told of the first change are none of those invited: a mailing to these is not named again."""
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES)
    coming.run("send", "--mailing", "change", "--yes", now=CHANGED)
    coming.run("send", "--mailing", "change-delegates", "--yes", now=CHANGED)
    second = '[mailings.second]\ntemplate = "change"\naudience = "invited"\n'
    changed = EVENT.replace("Room XX", "Salle C") + CHANGE + FOR_DELEGATES + second
    coming.write("templates/round-table/event.toml", changed)
    before = coming.run("check", now=LATER).err
    assert "mailer send --mailing second, and the delegates with mailer send --mailing arrival" in before
    relay.accepted.clear()
    sent = coming.run("send", "--mailing", "second", "--yes", now=LATER)
    assert recipients(relay) == [ADA, BEN, REGISTRY]
    assert f"(venue): {DORA}. Tell them with mailer send --mailing arrival." in sent.out
    coming.run("send", "--mailing", "arrival", "--only", DORA, "--yes", now=MUCH_LATER)
    assert recipients(relay) == [DORA]
    assert "not told" not in coming.run("check", now=MUCH_LATER).err


def test_whom_no_mail_goes_to_is_told_by_a_person(coming: Folder, relay: ScriptedServer) -> None:
    """No mailing is named for a delegate who is suppressed; of one who was forgotten nobody knows any more."""
    changed = EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES
    coming.write("templates/round-table/event.toml", changed)
    coming.run("suppress", DORA, "--reason", "asked")
    sent = coming.run("send", "--mailing", "change", "--yes", now=CHANGED).out
    assert f"1 of those who come was not told of the change (venue): {DORA}. No mail goes to {DORA}: tell" in sent
    assert "Tell them with" not in sent
    coming.run("forget", DORA, "--yes")
    assert "not told" not in coming.run("check", now=LATER).err


def test_a_mailing_that_is_still_to_come_is_named_first(coming: Folder, relay: ScriptedServer) -> None:
    """A reminder that went out with the new facts leaves those who come untold: what is there for each is named."""
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE)
    reminded = coming.run("remind", "--anytime", "--yes", now="2031-02-28T10:00")
    assert recipients(relay) == [REGISTRY]
    assert f"2 of those who come were not told of the change (venue): {ADA}, {DORA}" in reminded.out
    assert "Tell them with mailer send --mailing change and a new mailing" in reminded.out


def test_one_text_is_not_written_twice_to_those_who_were_just_told(coming: Folder, relay: ScriptedServer) -> None:
    """The text that went to all invited goes on to the delegates alone; of another one the dry run says who had it."""
    changed = EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES
    coming.write("templates/round-table/event.toml", changed)
    coming.run("send", "--mailing", "change", "--yes", now=CHANGED)
    same = coming.run("send", "--mailing", "change-delegates", "--dry-run", now=LATER).out
    assert f"left out {ADA}: was told the same by change" in same
    assert "1 to be sent" in same
    other = coming.run("send", "--mailing", "arrival", "--dry-run", now=LATER).out
    assert "2 to be sent" in other
    assert "1  of them have had change already" in other
    coming.write("templates/round-table/event.toml", changed.replace("Salle B", "Salle C"))
    assert "2 to be sent" in coming.run("send", "--mailing", "change-delegates", "--dry-run", now=LATER).out


def test_whoever_was_invited_after_the_change_is_counted_before_it_is_corrected(
    folder: Folder, relay: ScriptedServer
) -> None:
    """The dry run and what stands above the question say how many read it right at once; nobody is left out for it."""
    folder.relay(relay)
    folder.write("templates/round-table/change.md", TEMPLATE)
    folder.write("templates/round-table/event.toml", EVENT + CHANGE)
    assert folder.run("send", "--limit", "1", "--yes").code == 0
    dry = ("send", "--mailing", "change", "--dry-run")
    assert "as it is now" not in folder.run(*dry).out
    folder.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE)
    assert "as it is now" not in folder.run(*dry, now=ANSWERED).out
    assert folder.run("send", "--yes", now=ANSWERED).code == 0
    assert "2  of them were invited with the event as it is now" in folder.run(*dry, now=CHANGED).out
    relay.accepted.clear()
    folder.run("send", "--mailing", "change", "--yes", now=CHANGED)
    assert recipients(relay) == [ADA, BEN, REGISTRY]


def test_an_invitee_who_answers_from_another_address_is_written_to_at_the_first(
    coming: Folder, relay: ScriptedServer
) -> None:
    """By the full name the answer is the invitee's own; the delegate stands for the colleague."""
    coming.write("templates/round-table/event.toml", EVENT + FOR_DELEGATES)
    dry = coming.run("send", "--mailing", "arrival", "--dry-run", now=LATER).out
    assert f"left out {BEN}: a colleague attends" in dry
    assert f"left out {REGISTRY}: has not answered" in dry
    coming.run("send", "--mailing", "arrival", "--yes", now=LATER)
    assert recipients(relay) == [ADA, DORA]


def test_a_colleague_on_the_telephone_is_one(coming: Folder, relay: ScriptedServer) -> None:
    """`--by` with another's name is a colleague's answer, who without an address is written to at the invitation's."""
    coming.run("answers", "record", REGISTRY, "online", "--by", "Nan Sample", now=LATER)
    coming.write("contacts/more.csv", "Mission,First name,Last name,Email\nPeru,Eva,EXAMPLE,eva.e@peru.example.org\n")
    coming.write("templates/round-table/event.toml", EVENT + FOR_DELEGATES)
    assert coming.run("send", "--yes", "--only", "eva.e", now=ANSWERED).code == 0
    coming.run("answers", "record", "eva.e@peru.example.org", "in-person", "--by", "Ana Costa", now=LATER)
    reminders = coming.run("remind", "--dry-run", "--anytime", now="2031-02-28T10:00").out
    assert "left out eva.e@peru.example.org: has answered: in person, by a colleague" in reminders
    assert f"left out {REGISTRY}: has answered: online\n" in reminders
    assert "would send to eva.e@" in coming.run("send", "--mailing", "arrival", "--dry-run", now=LATER).out


def test_what_is_renamed_is_doubted_before_everybody_is_invited_anew(folder: Folder, relay: ScriptedServer) -> None:
    """An event or a mailing by a new name, where the ledger knows one that is gone, is told before anything leaves."""
    folder.relay(relay)
    assert folder.run("send", "--yes").code == 0
    assert "by another name" not in folder.run("send", "--yes").err
    assert folder.run("remind", "--yes", now="2031-02-28T10:00").code == 0
    event = folder.path / "templates" / "round-table"
    renamed = EVENT.replace("[mailings.invitation]", "[mailings.letter]").replace("reminder", "nudge")
    folder.write("templates/round-table/event.toml", renamed)
    for old, new in (("invitation", "letter"), ("reminder", "nudge")):
        (event / f"{old}.md").rename(event / f"{new}.md")
    assert "knows the mailing invitation, which is no longer there" in folder.run("send", "--dry-run").err
    event.rename(event.with_name("forum"))
    assert "knows the event round-table, which is no longer there" in folder.run("send", "--dry-run").err


def test_what_is_renamed_to_a_beginning_of_its_name_is_doubted_too(folder: Folder, relay: ScriptedServer) -> None:
    """`letter-geneva` is no reminder of `letter`, which goes to everybody anew."""
    folder.relay(relay)
    for name in ("letter-geneva", "letter"):
        event = EVENT.replace("[mailings.invitation]", f'[mailings.{name}]\ntemplate = "invitation"')
        folder.write("templates/round-table/event.toml", event)
        told = folder.run("send", "--yes").err
    assert "knows the mailing letter-geneva, which is no longer there" in told


def test_another_ledger_is_doubted_before_everybody_is_invited_anew(folder: Folder, relay: ScriptedServer) -> None:
    """One that LEDGER_URL no longer names has not lost what was sent with it, which is told before anything leaves."""
    folder.relay(relay)
    assert "here too" not in folder.run("send", "--yes").err
    folder.relay(relay, LEDGER_URL="sqlite:///new.db")
    told = folder.run("send", "--dry-run").err
    assert "with ledger.db, which is here too, mailings were begun" in told
    (folder.path / "data").mkdir()
    folder.relay(relay, LEDGER_URL="sqlite:///data/ledger.db")
    assert told == folder.run("send", "--dry-run").err
    folder.relay(relay)
    assert "here too" not in folder.run("send", "--dry-run").err


def test_a_ledger_with_settings_behind_it_is_no_other_one(folder: Folder, relay: ScriptedServer) -> None:
    """Nor is one with which a run has begun and sent nothing."""
    begun = "Runs have begun with the ledger beside this file.\nThe latest is 0000000001.\n"
    folder.relay(relay, LEDGER_URL="sqlite:///ledger.db?timeout=5")
    folder.run("suppress", "somebody@peru.example.org", "--reason", "asked")
    folder.write("ledger.db.lock", begun)
    assert "here too" not in folder.run("send", "--dry-run").err


def test_a_renamed_reminder_is_doubted_before_it_counts_anew(folder: Folder, relay: ScriptedServer) -> None:
    """Under a new name what was sent counts no more, so that is told before anybody is reminded of the same twice."""
    folder.relay(relay)
    folder.run("send", "--yes")
    assert "by another name" not in folder.run("remind", "--yes", now="2031-02-28T10:00").err
    folder.write("templates/round-table/event.toml", EVENT.replace("[mailings.reminder]", "[mailings.nudge]"))
    folder.write("templates/round-table/nudge.md", TEMPLATE)
    told = folder.run("remind", "--dry-run", now="2031-03-03T10:00").err
    assert "knows the mailing reminder, which is no longer there" in told
    folder.run("remind", "--yes", now="2031-03-03T10:00")
    assert "by another name" not in folder.run("remind", "--dry-run", now="2031-03-05T10:00").err


def test_a_script_does_not_invite_anew_what_was_renamed(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--yes does not answer whether an event that begins at the same moment is another one; a person may."""
    folder.relay(relay)
    folder.run("send", "--yes")
    templates = folder.path / "templates"
    (templates / "round-table").rename(templates / "forum")
    refused = folder.run("send", "--yes")
    assert (refused.code, len(relay.accepted)) == (2, 3)
    assert "call it round-table again" in refused.err
    assert "put templates/round-table back beside it, or leave --yes out and confirm it" in refused.err
    assert folder.run("send", "--dry-run").code == 0
    assert folder.run("send", "--sandbox", "--yes").code == 0
    shutil.copytree(templates / "forum", templates / "round-table")
    assert "by another name" not in folder.run("send", "forum", "--dry-run").err
    shutil.rmtree(templates / "round-table")
    assert typing(folder, monkeypatch, "yes\n", "send").code == 0
    assert len(relay.accepted) == 6
    assert folder.run("send", "--yes").code == 0


@pytest.mark.parametrize(
    ("title", "starts", "code"),
    [
        ("Round table on protection", "2031-03-20", 2),  # it is called and dated anew
        ("Round table: protection", "2031-03-13", 2),
        ("Forum on access", "2031-03-20", 0),
    ],
)
def test_another_event_in_the_place_of_one_is_sent(
    folder: Folder, relay: ScriptedServer, title: str, starts: str, code: int
) -> None:
    """The folder of an event is often used for the next; only one of the same title or moment is taken for the same."""
    folder.relay(relay)
    folder.run("send", "--yes")
    templates = folder.path / "templates"
    (templates / "round-table").rename(templates / "forum")
    event = EVENT.replace("2031-03-13", starts).replace("Round table on protection", title)
    folder.write("templates/forum/event.toml", event)
    sent = folder.run("send", "--yes")
    assert (sent.code, "knows the event round-table" in sent.err) == (code, True)


def test_a_series_is_no_event_by_another_name(folder: Folder, relay: ScriptedServer) -> None:
    """Next year's event of the same title, in the place of the one that is over, is sent without a person."""
    folder.relay(relay)
    folder.run("send", "--yes")
    templates = folder.path / "templates"
    (templates / "round-table").rename(templates / "round-table-2032")
    folder.write("templates/round-table-2032/event.toml", EVENT.replace("2031-", "2032-"))
    assert folder.run("send", "--yes", now="2032-02-23T10:00").code == 0
    assert len(relay.accepted) == 6


def test_who_was_not_written_to_is_invited_by_whatever_name(folder: Folder, relay: ScriptedServer) -> None:
    """Nobody gets anything twice where the renamed event had gone to none of those who are due."""
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "belgium")
    templates = folder.path / "templates"
    (templates / "round-table").rename(templates / "forum")
    assert folder.run("send", "--yes", "--only", "kenya").code == 0
    assert len(relay.accepted) == 2
    refused = folder.run("send", "--yes")
    assert (refused.code, len(relay.accepted)) == (2, 2)
    assert "call it round-table again" in refused.err


def test_who_was_not_written_to_gets_the_invitation_by_whatever_name(
    folder: Folder, relay: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it went to them says nothing of those who had it by its old name; only a person does."""
    folder.relay(relay)
    folder.run("send", "--yes", "--only", "belgium")
    event = folder.path / "templates" / "round-table"
    (event / "invitation.md").rename(event / "letter.md")
    folder.write("templates/round-table/event.toml", EVENT.replace("[mailings.invitation]", "[mailings.letter]"))
    assert folder.run("send", "--yes", "--only", "kenya").code == 0
    assert len(relay.accepted) == 2
    refused = folder.run("send", "--yes")
    assert (refused.code, len(relay.accepted)) == (2, 2)
    assert "call it invitation again" in refused.err
    assert typing(folder, monkeypatch, "yes\n", "send", "--only", "belgium").code == 0
    assert folder.run("send", "--yes").code == 0
    assert len(relay.accepted) == 4


def test_a_script_does_not_send_a_renamed_invitation_again(folder: Folder, relay: ScriptedServer) -> None:
    """Where all the mailings to the contacts that were sent are gone, only a person can tell that this one is new."""
    folder.relay(relay)
    folder.run("send", "--yes")
    event = folder.path / "templates" / "round-table"
    (event / "invitation.md").rename(event / "letter.md")
    letter = EVENT.replace("[mailings.invitation]", "[mailings.letter]")
    folder.write("templates/round-table/event.toml", letter)
    refused = folder.run("send", "--yes")
    assert (refused.code, len(relay.accepted)) == (2, 3)
    assert "write [mailings.invitation] there again" in refused.err
    folder.write("templates/round-table/event.toml", f"{letter}[mailings.invitation]\ntemplate = 'letter'\n")
    assert folder.run("send", "--mailing", "letter", "--yes").code == 0
    assert len(relay.accepted) == 6


def test_a_further_event_or_mailing_is_no_doubt(folder: Folder, relay: ScriptedServer) -> None:
    """A save-the-date before the invitation, and another event beside this one, are what they are."""
    folder.relay(relay)
    folder.write("templates/round-table/event.toml", f"{EVENT}[mailings.save-the-date]")
    folder.write("templates/round-table/save-the-date.md", TEMPLATE)
    assert folder.run("send", "--mailing", "save-the-date", "--yes").code == 0
    assert "by another name" not in folder.run("send", "--dry-run").err
    for name in ("event.toml", "invitation.md", "reminder.md", "save-the-date.md"):
        folder.write(f"templates/forum/{name}", (folder.path / "templates/round-table" / name).read_text("utf-8"))
    assert "by another name" not in folder.run("send", "forum", "--dry-run").err


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("ben@kenya.example.org", "successor@kenya.example.org"),
        ("ben@kenya.example.org,,", "ben@kenya.example.org,,left"),
    ],
)
def test_no_mailing_is_named_for_whom_the_lists_name_no_more(
    coming: Folder, relay: ScriptedServer, was: str, becomes: str
) -> None:
    """Somebody comes by the invitation of a predecessor, and has left no address: only a person can tell them."""
    assert coming.run("answers", "record", BEN, "in-person", "--by", "Kim Other", now=ANSWERED).code == 0
    lists = coming.path / "contacts/missions.csv"
    lists.write_text(lists.read_text("utf-8").replace(was, becomes), "utf-8")
    coming.write("templates/round-table/event.toml", EVENT.replace("Room XX", "Salle B") + CHANGE + FOR_DELEGATES)
    coming.run("send", "--mailing", "change", "--yes", now=CHANGED)
    told = coming.run("send", "--mailing", "change-delegates", "--yes", now=LATER).out
    assert f"1 of those who come was not told of the change (venue): {BEN}. " in told
    assert f"No row that may be written to names {BEN}: tell them yourself." in told
    assert "Tell them with" not in told
    assert "Tell them with" not in coming.run("status", now=LATER).out
