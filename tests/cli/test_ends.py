"""How a run ends: what it says is left to do, and whether that wants a person."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import BEN, CONTACTS, EVENT, REGISTRY, Folder, Result
from tests.servers import GOOD, ScriptedServer, Session

AFTERWARDS, TOO_LATE = "2031-02-24T11:00", "2031-03-08T10:00"
EVENING, SATURDAY, MONDAY = "2031-02-28T17:59:30", "2031-03-01T10:00", "2031-03-03T09:00"


@pytest.fixture
def deferred(folder: Folder) -> Folder:
    """A folder whose invitation to Ben is deferred, and the relay is gone."""
    with ScriptedServer({f"rcpt:{BEN}": ["450 4.2.0 Greylisted"]}) as relay:
        folder.relay(relay)
        told = folder.run("send", "--yes")
    assert told.code == 1
    assert "Deferred ones are due from 10:0" in told.out
    return folder


def is_at_rest(told: Result) -> bool:
    """Whether a run had nothing to do and nothing to ask of a person."""
    return told.code == 0 and "Nothing is due." in told.out and "run it again" not in told.out


def test_a_deferral_that_was_answered_wants_nobody(deferred: Folder) -> None:
    """Once Ben has answered, nothing is left to do: neither then nor after the deadline."""
    assert deferred.run("answers", "record", BEN, "in-person").code == 0
    for now in (AFTERWARDS, TOO_LATE):
        assert is_at_rest(deferred.run("send", "--yes", now=now))


def test_a_deferral_of_somebody_left_out_by_a_person_wants_nobody(deferred: Folder) -> None:
    """Whom the sheet says not to write to any more waits for nothing."""
    deferred.write("contacts/missions.csv", CONTACTS.replace(f"{BEN},,", f"{BEN},,do not contact"))
    assert is_at_rest(deferred.run("send", "--yes"))


def test_a_failure_that_a_person_has_settled_in_the_lists_wants_nobody(folder: Folder) -> None:
    """Whoever was refused and is not to be written to any more is left at that, before the deadline and after it."""
    with ScriptedServer({f"rcpt:{BEN}": "550 5.1.1 No such user"}) as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 1
    assert folder.run("send", "--yes").code == 1
    folder.write("contacts/missions.csv", CONTACTS.replace(f"{BEN},,", f"{BEN},,do not contact"))
    for now in (AFTERWARDS, TOO_LATE):
        assert is_at_rest(folder.run("send", "--yes", now=now))


def test_a_suppressed_deferral_wants_nobody(deferred: Folder) -> None:
    """Who has opted out waits for nothing."""
    deferred.run("suppress", BEN, "--reason", "asked by telephone")
    assert is_at_rest(deferred.run("send", "--yes"))


@pytest.mark.parametrize("listed", [True, False], ids=["in the lists", "taken out"])
def test_after_the_deadline_a_deferral_wants_nobody(deferred: Folder, listed: bool) -> None:
    """Nobody is invited any more, so nobody waits."""
    if not listed:
        deferred.write("contacts/missions.csv", "".join(line for line in CONTACTS.splitlines(True) if BEN not in line))
        assert deferred.run("send", "--yes").code == 1
    assert is_at_rest(deferred.run("send", "--yes", now=TOO_LATE))


def test_what_nobody_needs_any_more_is_told_apart_from_what_waits(deferred: Folder) -> None:
    """A run that sends to others says of an answered deferral that it is no longer due."""
    deferred.run("answers", "record", BEN, "in-person")
    deferred.write("contacts/late.csv", "Mission,Email\nFiji,office@fiji.example.org\n")
    with ScriptedServer() as relay:
        deferred.relay(relay)
        told = deferred.run("send", "--yes")
    assert told.code == 0
    assert "1 no longer due" in told.out
    assert "Deferred ones" not in told.out


def test_a_deferral_still_to_be_tried_wants_a_person(deferred: Folder) -> None:
    """Nothing is due before its next try, which is named."""
    told = deferred.run("send", "--yes")
    assert told.code == 1
    assert "Nothing is due." in told.out
    assert "Deferred ones are due from 10:0" in told.out


# --- the reminder's hours ---------------------------------------------------------------------------------------------


@pytest.fixture
def leap(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Sets the clocks of the commands ahead by so much."""
    ahead = [timedelta()]

    def clock_at(moment: datetime) -> Callable[[], datetime]:
        begun = datetime.now(UTC)
        return lambda: moment + ahead[0] + min(datetime.now(UTC) - begun, timedelta(seconds=20))

    monkeypatch.setattr("mailer.cli.desk.clock_at", clock_at)
    return lambda by: ahead.__setitem__(0, by)


def invite(folder: Folder) -> None:
    """Has everybody invited, eight more than there were."""
    more = "".join(f"Fiji,guest{n}@fiji.example.org\n" for n in range(8))
    folder.write("contacts/fiji.csv", f"Mission,Email\n{more}")
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("send", "--yes").code == 0


def remind_until_closing(folder: Folder, leap: Callable[[timedelta], None]) -> tuple[Result, list[str]]:
    """Sends reminders until the hours end with the first message, and says who still waits."""

    def close(session: Session) -> None:
        leap(timedelta(minutes=1))
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [close]}) as relay:
        folder.relay(relay)
        told = folder.run("remind", "--yes", now=EVENING)
        leap(timedelta())
    rows = folder.run("status", "--json", now=EVENING).json["deliveries"]
    states = {row["recipient"]: row["state"] for row in rows if row["mailing"] == "reminder-7d"}
    assert set(states.values()) == {"sent", "queued"}
    return told, [recipient for recipient, state in states.items() if state == "queued"]


def test_what_is_left_at_the_closing_hour_is_still_due(folder: Folder, leap: Callable[[timedelta], None]) -> None:
    """A run that the reminder's hours end says how many wait for the next ones, and when those begin; exit code 1."""
    invite(folder)
    told, left = remind_until_closing(folder, leap)
    assert told.code == 1
    waiting = f"{len(left)} wait for the reminder's hours: from Monday, 03 March 2031, 09:00 CET; run it again then"
    assert waiting in told.out
    assert "no longer due" not in told.out
    closed = folder.run("remind", "--yes", now=SATURDAY)
    assert closed.code == 1
    assert waiting in closed.out
    with ScriptedServer() as relay:
        folder.relay(relay)
        assert folder.run("remind", "--yes", now=MONDAY).code == 0
    assert {t.recipients[0] for t in relay.accepted} == set(left)


def test_who_answers_after_the_closing_hour_waits_no_more(folder: Folder, leap: Callable[[timedelta], None]) -> None:
    """Of those left at the closing hour, the party that answers is no longer due, and the others are."""
    invite(folder)
    _, left = remind_until_closing(folder, leap)
    answered = [recipient for recipient in left if "fiji" in recipient]
    folder.run("answers", "record", answered[0], "regrets", now=EVENING)
    closed = folder.run("remind", "--yes", now=SATURDAY)
    assert closed.code == 1
    assert f"{len(answered)} no longer due" in closed.out
    assert f"{len(left) - len(answered)} wait for the reminder's hours" in closed.out


def test_hours_that_begin_again_only_after_the_deadline_are_told(
    folder: Folder, leap: Callable[[timedelta], None]
) -> None:
    """Who waits at the last closing hour before the deadline is never reminded, unless somebody overrides the hours."""
    event = EVENT.replace("deadline = 2031-03-07", "deadline = 2031-03-01").replace('["7d", "2d"]', '["7d"]')
    folder.write("templates/round-table/event.toml", event)
    invite(folder)
    told, left = remind_until_closing(folder, leap)
    assert told.code == 1
    assert f"{len(left)} wait for the reminder's hours: they begin again only after the deadline" in told.out
    assert "--anytime" in told.out


def test_outside_the_hours_what_was_never_begun_wants_nobody(folder: Folder) -> None:
    """A reminder of which nothing is queued yet just says when it may go."""
    invite(folder)
    told = folder.run("remind", "--yes", now=SATURDAY)
    assert told.code == 0
    assert "outside the reminder's days and hours" in told.out


def test_the_forecast_says_that_the_hours_end_before(folder: Folder, relay: ScriptedServer) -> None:
    """Where the pace takes a reminder beyond its closing hour, that is said before anybody confirms it."""
    invite(folder)
    folder.relay(relay, SMTP_RATE="2/minute")
    ends = "the reminder's hours end before, at 18:00 CET"
    assert ends in folder.run("remind", "--dry-run", now="2031-02-28T17:58").out
    assert ends not in folder.run("remind", "--dry-run", now="2031-02-28T17:50").out
    assert ends not in folder.run("remind", "--dry-run", "--anytime", now="2031-02-28T17:58").out


def test_an_answer_in_doubt_that_comes_during_the_run_wants_a_person(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose reminder an answer holds that a person must settle first is not called done with."""
    monkeypatch.setattr("mailer.cli.surveying._FRESH_FOR", timedelta(0))
    invite(folder)
    export = folder.write("export.csv", "Name,Email,Attendance\nNina SAMPLE,nina@namibia.example.org,Yes\n")

    def answer(session: Session) -> None:
        columns = "email=Email,name=Name,attendance=Attendance"
        words = ("answers", "import", export.name, "--columns", columns, "--yes", "--now", SATURDAY)
        done = subprocess.run([sys.executable, "-m", "mailer", *words], cwd=folder.path, check=False)
        assert done.returncode == 1  # a doubt is left
        session.socket.sendall(GOOD["dot"].encode() + b"\r\n")

    with ScriptedServer({"dot": [answer]}) as relay:
        folder.relay(relay)
        told = folder.run("remind", "--yes", "--anytime", now=SATURDAY)
    assert REGISTRY not in {t.recipients[0] for t in relay.accepted}
    assert told.code == 1
    assert "Reminders wait for an answer to be settled" in told.out
    assert "no longer due" not in told.out
