"""`mailer doctor`: each thing that a mailing hangs on, found good, wanting or broken; nothing is ever sent."""

import contextlib
import importlib
import os
import resource
import sqlite3
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import dns.rcode
import pytest
import trustme

from tests.cli.conftest import EVENT, Folder, Result
from tests.names import Names
from tests.servers import Action, ScriptedServer, Session, drop
from tests.tokens import CLIENT_ID, CLIENT_SECRET, CONSENT, TokenRelay, TokenService

KEY = (
    "v=DKIM1; k=rsa; p="
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDMhx0ujVxZghAxglmA8BZHwJSm9l2oT1jJhquukkKFlIgu6rTCRlVd2X+wSqq5ry6vciiZ"
    "uwMH10SFlo3i+RA/SvS+tcd9Swcua6olAWWO0/1qHJJFlQtNVDzt9kdPYK2QtdK4CNFjRKqcG8lcQa+rqQBrveOYRSXccTGGIbWpuwIDAQAB"
)
GOOD = {
    "sender.example.org MX": ["10 mx.sender.example.org."],
    "sender.example.org TXT": ['"v=spf1 include:relay.example.org -all"', '"site-verification=1"'],
    "relay.example.org TXT": ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    "_dmarc.sender.example.org TXT": ['"v=DMARC1; p=reject"'],
    "mail._domainkey.sender.example.org TXT": [f'"{KEY[:30]}" "{KEY[30:]}"'],
}


@pytest.fixture
def names() -> Iterator[Names]:
    with Names(GOOD) as server:
        yield server


def look(folder: Folder, names: Names, *words: str) -> tuple[Result, dict[str, dict[str, Any]]]:
    """The doctor's report and its findings by check."""
    report = folder.run("doctor", "--json", "--resolver", names.place, "--selector", "mail", *words)
    return report, {finding["check"]: finding for finding in report.json["checks"]}


def configure(folder: Folder, **settings: str) -> None:
    """Settings without a relay."""
    values = {"MAIL_FROM": "Organisers <events@sender.example.org>", **settings}
    folder.write("config.env", "".join(f"{key}={value}\n" for key, value in values.items()))


# --- the relay --------------------------------------------------------------------------------------------------------


def greets_with_time(off: timedelta = timedelta(), hours_east: int = 0) -> Action:
    """A greeting with the true time, but for `off`, as a clock shows it so many hours east of Greenwich."""

    def act(session: Session) -> None:
        time = datetime.now(timezone(timedelta(hours=hours_east))) + off
        session.socket.sendall(f"220 relay.example.org ESMTP at {format_datetime(time)}\r\n".encode())

    return act


def test_all_is_good(folder: Folder, names: Names) -> None:
    """A sound folder, relay and domain: exit code 0, a line for each thing with its meaning, and nothing is sent."""
    greeting = {"greeting": [greets_with_time()] * 2}
    with ScriptedServer(greeting, ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 35000000"]) as relay:
        folder.relay(relay, SMTP_RATE="20/minute", SMTP_USERNAME="", RETURN_PATH="b+{reference}@sender.example.org")
        report, found = look(folder, names)
        told = folder.run("doctor", "--resolver", names.place, "--selector", "mail")
    assert report.code == told.code == 0
    assert report.err == ""
    assert list(found) == [
        "settings", "ledger", "pace", "relay", "tls", "clock", "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "size",
        "login", "return path", "spf", "dkim", "dmarc",
    ]  # fmt: skip
    assert {check for check, finding in found.items() if finding["result"] != "good"} == {"login"}
    assert found["pace"]["found"] == "at most 20/minute, over 1 connection"
    assert all(finding["meaning"] for finding in found.values())
    assert "All is good." in told.out
    for finding in found.values():
        assert finding["check"] in told.out
        assert finding["meaning"] in told.out
    assert not relay.accepted
    assert not any(command.startswith("MAIL") for command in relay.commands)
    assert not (folder.path / "ledger.db").exists()


def test_what_was_not_seen_is_not_called_good(folder: Folder, names: Names) -> None:
    """A relay that does not tell its time leaves the clock unseen, and the last line counts that; exit code 0."""
    with ScriptedServer() as relay:
        folder.relay(relay)
        told = folder.run("doctor", "--resolver", names.place, "--selector", "mail")
    assert told.code == 0
    assert told.out.endswith("Nothing bad was seen; 1 thing could not be looked at.\n")


def test_a_relay_that_is_not_there_is_unreachable(folder: Folder, names: Names) -> None:
    """Exit code 4, with the settings to check; the sender's domain is looked at all the same.

    Where `send` would not come as far as the relay, the code is its own: 3.
    """
    with ScriptedServer() as relay:
        folder.relay(relay)
    report, found = look(folder, names)
    assert report.code == 4
    assert folder.run("send", "--yes").code == 4
    assert found["relay"]["result"] == "failed"
    assert "SMTP_HOST" in found["relay"]["found"]
    assert found["dmarc"]["result"] == "good"
    folder.relay(relay, MAIL_FROM="")
    assert look(folder, names)[0].code == folder.run("send", "--yes").code == 3


@pytest.mark.parametrize(
    ("script", "check"),
    [
        ({"connect": drop}, "relay"),
        ({"greeting": "554 5.7.1 Go away"}, "relay"),
        ({"ehlo": "421 4.3.2 Too many", "helo": "421 4.3.2 Too many"}, "relay"),
        ({"auth": "535 5.7.8 Wrong"}, "login"),
        ({"auth": "454 4.7.0 Later"}, "login"),
        ({"auth": "535 5.7.139 Authentication unsuccessful, basic authentication is disabled."}, "login"),
    ],
    ids=["hangs up", "refuses us", "is busy", "refuses the login", "cannot check the login", "takes no password"],
)
def test_a_relay_that_takes_nothing_is_told(folder: Folder, names: Names, script: Any, check: str) -> None:
    """Whatever keeps every message from leaving is `failed`, in the relay's words, without the password."""
    with ScriptedServer(script, ["AUTH PLAIN"]) as relay:
        folder.relay(relay, SMTP_USERNAME="me", SMTP_PASSWORD="hush-hush")
        report, found = look(folder, names)
    assert report.code == 4
    assert found[check]["result"] == "failed"
    assert "hush" not in report.out + report.err
    assert ("size" in found) is (check == "login")
    assert "is left" not in report.out  # as there is no run


def test_a_login_is_tried(folder: Folder, names: Names) -> None:
    """A password that the relay takes is good."""
    with ScriptedServer(None, ["AUTH PLAIN"]) as relay:
        folder.relay(relay, SMTP_USERNAME="me", SMTP_PASSWORD="hush-hush")
        report, found = look(folder, names)
    assert report.code == 0
    assert found["login"]["result"] == "good"
    assert sum(command.startswith("AUTH") for command in relay.commands) == 1
    assert "hush" not in report.out


def test_the_end_of_passwords_at_microsoft_is_told(folder: Folder, names: Names) -> None:
    """A password that Microsoft 365 still takes is no fault, but what ends when and what to do is told."""
    with ScriptedServer(None, ["AUTH PLAIN"]) as relay:
        folder.relay(relay, SMTP_USERNAME="me", SMTP_PASSWORD="hush-hush", SMTP_PROVIDER="microsoft365")
        _, found = look(folder, names)
    assert found["login"]["result"] == "note"
    assert "end of December 2026" in found["login"]["meaning"]
    assert "mailer login" in found["login"]["to_do"]


def test_a_token_is_tried(folder: Folder, names: Names) -> None:
    """With SMTP_AUTH=xoauth2 a token is fetched and shown to the relay; without consent the command is named."""
    with TokenService() as service, TokenRelay(service) as relay:
        settings = {
            "SMTP_AUTH": "xoauth2",
            "SMTP_USERNAME": "events@sender.example.org",
            "OAUTH_TOKEN_URL": service.url,
            "OAUTH_CLIENT_ID": CLIENT_ID,
        }
        folder.relay(relay, **settings)
        report, found = look(folder, names)
        assert report.code == 4
        assert "mailer login" in found["login"]["found"]
        folder.relay(relay, OAUTH_REFRESH_TOKEN=CONSENT, **settings)
        report, found = look(folder, names)
        assert report.code == 0
        assert "token" in found["login"]["found"]
        folder.relay(relay, OAUTH_CLIENT_SECRET=CLIENT_SECRET, OAUTH_REFRESH_TOKEN="wrong", **settings)
        report, found = look(folder, names)
        assert report.code == 4
    assert "hush" not in report.out + report.err


@contextlib.contextmanager
def secure_relay(folder: Folder, ends: datetime | None = None, host: str = "127.0.0.1") -> Iterator[ScriptedServer]:
    """A relay with STARTTLS and a certificate for `host` that ends at that moment."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder.path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, not_after=ends).configure_cert(context)
    with ScriptedServer(None, ["STARTTLS", "SIZE 1000000"], context) as relay:
        folder.relay(relay, SMTP_SECURITY="starttls", SMTP_CA_FILE="ca.pem")
        yield relay


@pytest.mark.parametrize(("days", "result"), [(30, "good"), (11, "attention")])
def test_the_certificate_tells_its_end(folder: Folder, names: Names, days: int, result: str) -> None:
    """Issuer and true days left are told, whatever --now says; two weeks before its end somebody has to see to it."""
    with secure_relay(folder, datetime.now(UTC) + timedelta(days=days, hours=12)):
        report, found = look(folder, names)
    assert found["certificate"]["result"] == result
    assert f"{days} days left" in found["certificate"]["found"]
    assert "trustme" in found["certificate"]["found"]
    assert "TLSv1.3 by STARTTLS" in found["tls"]["found"]
    assert report.code == (0 if result == "good" else 1)


def test_a_certificate_that_proves_nothing_fails(folder: Folder, names: Names) -> None:
    """Another's certificate is told as what it is, and no further word is exchanged."""
    with secure_relay(folder, host="elsewhere.example.org"):
        report, found = look(folder, names)
    assert report.code == 4
    assert found["tls"]["result"] == "failed"
    assert "does not prove" in found["tls"]["found"]


@pytest.mark.parametrize(
    ("greeting", "result", "words"),
    [
        (greets_with_time(), "good", "agree"),
        (greets_with_time(hours_east=1), "good", "agree"),
        (greets_with_time(timedelta(hours=3)), "attention", "behind"),
        (greets_with_time(timedelta(hours=-3)), "attention", "ahead"),
        ("220 relay.example.org ESMTP at 31 Feb 2031 10:00:00 +0000", "unseen", "does not tell"),
        ("220 relay.example.org ESMTP at 31 Dec 9999 23:59:59 -1200", "unseen", "does not tell"),
        ("220 relay.example.org ESMTP ready", "unseen", "does not tell"),
    ],
    ids=["agrees", "agrees elsewhere", "is ahead", "is behind", "no day", "no year", "no time"],
)
def test_the_clock_is_compared_with_the_greeting(
    folder: Folder, names: Names, greeting: str | Action, result: str, words: str
) -> None:
    """Where the relay greets with its time, a wrong clock is found, whatever --now says; else nothing is claimed."""
    with ScriptedServer({"greeting": greeting}) as relay:
        folder.relay(relay)
        report, found = look(folder, names)
    assert found["clock"]["result"] == result
    assert words in found["clock"]["found"]
    assert report.code == int(result == "attention")


@pytest.mark.parametrize(("size", "words"), [("9" * 20, "messages of up to"), ("9" * 400, "states no limit")])
def test_a_limit_without_measure_is_told(folder: Folder, names: Names, size: str, words: str) -> None:
    """The largest limit that a relay may state is told as it is; what is longer than a number can be is none."""
    with ScriptedServer(None, [f"SIZE {size}"]) as relay:
        folder.relay(relay)
        report, found = look(folder, names)
    assert words in found["size"]["found"]
    assert report.code == 0


def test_attachments_are_held_against_the_limit(folder: Folder, names: Names) -> None:
    """A mailing that is larger than the relay takes is found before it is sent."""
    folder.write("templates/round-table/event.toml", EVENT.replace("[mailings.reminder]", 'attachments = ["plan.pdf"]\n'
        "[mailings.reminder]"))  # fmt: skip
    for size, result in ((600_000, "good"), (800_000, "attention")):
        folder.write("templates/round-table/plan.pdf", "x" * size)
        with ScriptedServer(None, ["SIZE 1000000"]) as relay:
            folder.relay(relay)
            _, found = look(folder, names)
        assert found["size"]["result"] == result, found["size"]
        assert "1.0 MB" in found["size"]["found"]


def test_the_attachments_of_rows_are_held_against_the_limit(folder: Folder, names: Names) -> None:
    """The largest counts of those that somebody gets; a file that is not there is for `check` to tell."""
    for name, size in (("letter.pdf", 600_000), ("map.pdf", 800_000)):
        folder.write(f"templates/round-table/attachments/{name}", "x" * size)
    for status, octets, result in (("left", "0.9 MB", "good"), ("", "1.1 MB", "attention")):
        folder.write(
            "contacts/missions.csv",
            "Mission,Email,Attachment,Status\nChad,office@chad.example.org,letter.pdf,\n"
            f"Fiji,office@fiji.example.org,gone.pdf,\nPeru,office@peru.example.org,map.pdf,{status}\n",
        )
        with ScriptedServer(None, ["SIZE 1000000"]) as relay:
            folder.relay(relay)
            _, found = look(folder, names)
        assert found["size"]["result"] == result, found["size"]
        assert octets in found["size"]["meaning"]


# --- the folder -------------------------------------------------------------------------------------------------------


def test_a_folder_without_settings_is_hardly_the_right_one(folder: Folder, names: Names) -> None:
    """Where there is no config.env, that is said first, and where to go."""
    (folder.path / "config.env").unlink(missing_ok=True)
    first = folder.run("doctor", "--resolver", names.place, "--json").json["checks"][0]
    assert first["found"] == "there is no config.env here"
    assert "mailer init DIR" in first["to_do"]


def test_faulty_settings_are_told_with_their_mend(folder: Folder, names: Names) -> None:
    """What stops `send` is told here too, each with what to do; a missing relay and sender are among it."""
    folder.write("config.env", "SMTP_PORT=many\nSMTP_HOST=a b\n")
    report = folder.run("doctor", "--json", "--resolver", names.place)
    assert report.code == folder.run("send", "--yes").code == 3
    assert [(one["check"], one["result"]) for one in report.json["checks"]] == [("settings", "failed")] * 2
    assert "Correct it in config.env" in report.json["checks"][0]["to_do"]
    folder.write("config.env", "SMTP_RAT=1\n")
    report = folder.run("doctor", "--resolver", names.place)
    assert "attention  settings: config.env" in report.out
    assert "Did you mean SMTP_RATE?" in report.out
    assert "good       ledger: " in report.out
    assert "No mailing could leave now." in report.out
    sent = folder.run("send", "--yes")
    assert report.code == sent.code == 3
    for words in ("SMTP_HOST is not set", "MAIL_FROM is not set", "mailer send --sandbox", "your relay lets you"):
        assert words in report.out
        assert words in sent.err
    assert not names.asked


def test_secrets_that_everybody_may_read_are_told(folder: Folder, names: Names) -> None:
    """config.env copied by hand is mostly open to all; nothing is said where a folder above keeps them out."""
    configure(folder, SMTP_PASSWORD="hush-hush", SMTP_USERNAME="me")
    way = [path for path in (folder.path, *folder.path.parents) if not path.stat().st_mode & 0o001]
    if any(path.stat().st_uid != os.geteuid() for path in way):
        pytest.skip("a folder above that is not ours keeps everybody out")
    rights = {path: path.stat().st_mode for path in way}
    (folder.path / "config.env").chmod(0o644)
    try:
        for path in way:
            path.chmod(0o755)
        report, found = look(folder, names)
        assert found["secrets"]["result"] == "attention"
        assert "chmod 600 config.env" in found["secrets"]["to_do"]
        assert "hush" not in report.out
        folder.path.chmod(0o700)
        assert "secrets" not in look(folder, names)[1]
        folder.path.chmod(0o755)
        (folder.path / "config.env").chmod(0o640)
        assert "secrets" not in look(folder, names)[1]
    finally:
        for path, mode in rights.items():
            path.chmod(mode)


def test_a_ledger_that_cannot_be_written_is_told(folder: Folder, names: Names) -> None:
    """With a ledger that is locked, somebody else's or without a folder no mailing leaves: exit code 3.

    A sound one is left as it is.
    """
    configure(folder, LEDGER_URL="sqlite:///gone/ledger.db")
    assert look(folder, names)[1]["ledger"]["result"] == "failed"
    assert "No mailing could leave now." in folder.run("doctor", "--resolver", names.place).out
    configure(folder, LEDGER_URL="sqlite:///ledger.db?timeout=0.05")
    assert folder.run("send", "--yes", "--dry-run").code == 0
    with ScriptedServer() as relay:
        folder.relay(relay, LEDGER_URL="sqlite:///gone/ledger.db")
        assert look(folder, names)[0].code == folder.run("send", "--yes").code == 3
        folder.relay(relay, LEDGER_URL="sqlite:///ledger.db?timeout=0.05")
        folder.run("send", "--yes")
        with contextlib.closing(sqlite3.connect(folder.path / "ledger.db")) as other:
            before, writes = list(other.iterdump()), other.execute("PRAGMA data_version").fetchone()
            assert look(folder, names)[1]["ledger"]["result"] == "good"
            assert other.execute("PRAGMA data_version").fetchone() != writes
            other.execute("BEGIN IMMEDIATE")
            report, found = look(folder, names)
            assert list(other.iterdump()) == before
        assert (report.code, found["ledger"]["result"]) == (3, "failed")
    assert "locked" in found["ledger"]["found"]
    assert not list(folder.path.glob(".mailer-doctor-*"))


@contextlib.contextmanager
def space_for(octets: int) -> Iterator[None]:
    """No file can be made larger than that: a disk that is full, to whoever writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("exists", [True, False])
def test_a_disk_without_space_is_told(folder: Folder, names: Names, relay: ScriptedServer, exists: bool) -> None:
    """Space for the ledger of a short mailing is not enough: a larger one would be in doubt when it stops."""
    folder.relay(relay)
    if exists:
        folder.run("send", "--yes")
    with space_for(2_000_000):
        report, found = look(folder, names)
    assert report.code == 1
    assert found["ledger"]["result"] == "attention"
    assert "space" in found["ledger"]["to_do"]
    assert look(folder, names)[1]["ledger"]["result"] == "good"
    assert (folder.path / "ledger.db").exists() is exists


# --- the sender's domain ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "change", "result", "words"),
    [
        ("return path", {"sender.example.org MX": []}, "attention", "takes no mail"),
        ("return path", {"sender.example.org MX": [], "sender.example.org A": ["192.0.2.1"]}, "good", "itself"),
        ("return path", {"sender.example.org MX": ["0 ."]}, "attention", "takes no mail"),
        ("spf", {"sender.example.org TXT": ['"hello"']}, "attention", "no SPF record"),
        ("spf", {"sender.example.org TXT": ['"v=spf1include:x.example.org -all"']}, "attention", "but v=spf1include:x"),
        ("spf", {"sender.example.org TXT": [r'"\"v=spf1 mx -all\""']}, "attention", 'but "v=spf1 mx -all"'),
        ("spf", {"sender.example.org TXT": ['"v=spf1 -all"', '"v=spf1 +all"']}, "attention", "2 SPF records"),
        ("spf", {"sender.example.org TXT": ['"v=spf1 mx +all"']}, "attention", "everybody"),
        (
            "spf",
            {"relay.example.org TXT": ['"v=spf1 ip4:0.0.0.0/0 -all"']},
            "attention",
            "whoever keeps relay.example.org",
        ),
        ("spf", {"sender.example.org TXT": ['"v=spf1 mx a:x.example.org a:y.example.org ~all"']}, "good", "check"),
        (
            "spf",
            {"sender.example.org TXT": ['"v=spf1 ip4:192.0.2.1 a a:x.example.org mx:y.example.org ~all"']},
            "attention",
            "a:x.example.org in the record",
        ),
        ("spf", {"sender.example.org TXT": ['"v=spf1 ipv4:192.0.2.1 -all"']}, "attention", "ipv4:192.0.2.1"),
        ("spf", {"relay.example.org TXT": []}, "attention", "has no SPF record"),
        ("spf", {"relay.example.org TXT": ['"v=spf1 include:relay.example.org -all"']}, "attention", "back to itself"),
        (
            "spf",
            {f"{n}.example.org TXT": [f'"v=spf1 include:{n + 1}.example.org"'] for n in range(40)}
            | {"sender.example.org TXT": ['"v=spf1 include:0.example.org -all"']},
            "attention",
            "10",
        ),
        ("dkim", {"mail._domainkey.sender.example.org TXT": ['"v=DKIM1; p="']}, "attention", "withdrawn"),
        ("dkim", {"mail._domainkey.sender.example.org TXT": []}, "attention", "does not sign"),
        ("dkim", {"mail._domainkey.sender.example.org TXT": [f'"{KEY[:120]}"']}, "attention", "cut off"),
        ("dmarc", {"_dmarc.sender.example.org TXT": []}, "attention", "p=none"),
        ("dmarc", {"_dmarc.sender.example.org TXT": ['"v=DMARC1; p=what"']}, "attention", "but v=DMARC1; p=what at"),
        ("dmarc", {"_dmarc.sender.example.org TXT": ['"v=DMARC1 p=reject"']}, "attention", "but v=DMARC1 p=reject at"),
        (
            "dmarc",
            {"_dmarc.sender.example.org TXT": [], "_dmarc.example.org TXT": [r'"\"v=DMARC1; p=none\""']},
            "attention",
            'but "v=DMARC1; p=none" at _dmarc.example.org',
        ),
        ("dmarc", {"_dmarc.sender.example.org TXT": ['"v=DMARC1; p=reject; t=y"']}, "good", "filed as junk"),
        (
            "dmarc",
            {"_dmarc.sender.example.org TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']},
            "attention",
            "2 DMARC records",
        ),
        (
            "dmarc",
            {"_dmarc.sender.example.org TXT": [], "_dmarc.example.org TXT": ['"v=DMARC1; p=none; sp=quarantine"']},
            "good",
            "filed as junk",
        ),
        (
            "dmarc",
            {"sender.example.org TXT": [], "mail._domainkey.sender.example.org TXT": []},
            "attention",
            "neither is seen",
        ),
        (
            "dmarc",
            {"relay.example.org TXT": [], "mail._domainkey.sender.example.org TXT": []},
            "attention",
            "neither is seen",
        ),
    ],
)
def test_what_the_dns_says_is_judged(
    folder: Folder, check: str, change: dict[str, list[str]], result: str, words: str
) -> None:
    """Each record is judged by what it does to the mailing, with what to publish instead."""
    configure(folder)
    with Names(GOOD | change) as names:
        report, found = look(folder, names)
    finding = found[check]
    assert finding["result"] == result, finding
    assert words in f"{finding['found']} {finding['meaning']} {finding['to_do']}"
    assert report.code == 3  # no relay is set
    assert (finding["to_do"] is not None) is (result == "attention")


def test_of_two_records_one_is_to_go(folder: Folder) -> None:
    """With two SPF or DMARC records nobody is told to publish one more."""
    configure(folder)
    two = {
        "sender.example.org TXT": ['"v=spf1 mx -all"', '"v=spf1 include:relay.example.org -all"'],
        "_dmarc.sender.example.org TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
    }
    with Names(GOOD | two) as names:
        _, found = look(folder, names)
    assert found["spf"]["to_do"].startswith("Merge them into one TXT record at sender.example.org")
    assert found["dmarc"]["to_do"].startswith("Keep one at _dmarc.sender.example.org")


@pytest.mark.parametrize("selector", ["mail", "mail._domainkey", "mail._DomainKey.sender.example.org."])
def test_a_selector_may_stand_with_its_place(folder: Folder, names: Names, selector: str) -> None:
    """As providers write it; the key is looked for where it is."""
    configure(folder)
    report = folder.run("doctor", "--json", "--resolver", names.place, "--selector", selector)
    [dkim] = [finding for finding in report.json["checks"] if finding["check"] == "dkim"]
    assert dkim["result"] == "good"
    assert "mail._domainkey.sender.example.org" in dkim["found"]


def test_a_provider_must_be_named(folder: Folder) -> None:
    """With a known provider its SPF entry and its DKIM selectors are looked for without being named."""
    configure(folder, SMTP_PROVIDER="microsoft365", SMTP_HOST="127.0.0.1", SMTP_PORT="9", SMTP_SECURITY="none")
    own = '"v=spf1 include:spf.protection.outlook.com -all"'
    against = '"v=spf1 -include:spf.protection.outlook.com mx -all"'
    theirs = {
        "selector1._domainkey.sender.example.org TXT": ['"v=DKIM1; p="'],  # as after a change of keys
        "selector2._domainkey.sender.example.org TXT": [f'"{KEY}"'],
        "spf.protection.outlook.com TXT": ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    }
    for zone, spf, dkim in (
        (GOOD, "attention", "attention"),
        (GOOD | {"sender.example.org TXT": [own]} | theirs, "good", "good"),
        (GOOD | {"sender.example.org TXT": [against]} | theirs, "attention", "good"),
    ):
        with Names(zone) as names:
            report = folder.run("doctor", "--json", "--resolver", names.place)
        found = {finding["check"]: finding for finding in report.json["checks"]}
        assert (found["spf"]["result"], found["dkim"]["result"]) == (spf, dkim)
    assert report.code == 4


def test_a_return_path_elsewhere_needs_a_signature(folder: Folder) -> None:
    """SPF of another domain than that of the From does not count for DMARC; a key that is seen does."""
    configure(folder, RETURN_PATH="bounces@elsewhere.example.net")
    elsewhere = {"elsewhere.example.net TXT": ['"v=spf1 mx -all"'], "elsewhere.example.net MX": ["1 mx.example.net."]}
    with Names(GOOD | elsewhere) as names:
        _, found = look(folder, names)
        assert found["spf"]["result"] == "good"
        assert "DKIM has to prove it" in found["dmarc"]["meaning"]
        unsigned = folder.run("doctor", "--json", "--resolver", names.place)
    found = {finding["check"]: finding for finding in unsigned.json["checks"]}
    assert found["dkim"]["result"] == "unseen"
    assert found["dmarc"]["result"] == "attention"


def test_a_return_path_beside_the_sender_is_of_the_same_organisation(folder: Folder) -> None:
    """SPF counts for DMARC where both domains lie under one that has a policy, unless that wants them the same."""
    configure(folder, RETURN_PATH="bounces@back.example.org")
    beside = {"back.example.org TXT": ['"v=spf1 mx -all"'], "back.example.org MX": ["1 mx.example.org."]}
    for policy, proof in (("p=reject", "SPF counts"), ("p=reject; aspf=s", "DKIM has to prove it")):
        above = {"_dmarc.sender.example.org TXT": [], "_dmarc.example.org TXT": [f'"v=DMARC1; {policy}"']}
        with Names(GOOD | beside | above) as names:
            _, found = look(folder, names)
        assert proof in found["dmarc"]["meaning"]


@pytest.mark.parametrize(
    ("name", "unseen"),
    [
        ("sender.example.org MX", {"return path"}),
        ("relay.example.org TXT", {"spf"}),
        ("mail._domainkey.sender.example.org TXT", {"dkim"}),
        ("_dmarc.sender.example.org TXT", {"dmarc"}),
    ],
)
def test_what_cannot_be_asked_hides_nothing_else(folder: Folder, name: str, unseen: set[str]) -> None:
    """A question that the resolver cannot answer leaves one thing unseen, and the others are judged."""
    configure(folder)
    with Names({**GOOD, name: dns.rcode.SERVFAIL}) as names:
        _, found = look(folder, names)
    checks = ("return path", "spf", "dkim", "dmarc")
    assert {check for check in checks if found[check]["result"] == "unseen"} == unseen
    assert {found[check]["result"] for check in checks} == {"unseen", "good"}


def test_a_policy_is_not_judged_without_its_proof(folder: Folder) -> None:
    """Where SPF could not be looked at and no key is known, it is not said that the policy harms the mailing."""
    configure(folder)
    with Names({**GOOD, "relay.example.org TXT": dns.rcode.SERVFAIL}) as names:
        report = folder.run("doctor", "--json", "--resolver", names.place)
    found = {finding["check"]: finding for finding in report.json["checks"]}
    assert found["spf"]["result"] == found["dkim"]["result"] == found["dmarc"]["result"] == "unseen"
    assert "p=reject" in found["dmarc"]["found"]


def test_records_are_printed_clean(folder: Folder) -> None:
    """What a record holds besides printable ASCII reaches no terminal."""
    configure(folder)
    spf, policy = r'"v=spf1 \027]0;title\007 \195\188 -all"', r'"v=DMARC1; p=reject; x=\027[31m"'
    with Names(GOOD | {"sender.example.org TXT": [spf], "_dmarc.sender.example.org TXT": [policy]}) as names:
        told = folder.run("doctor", "--resolver", names.place, "--selector", "mail").out
    assert told.replace("\n", "").replace("\N{REPLACEMENT CHARACTER}", "").isascii()
    assert told.replace("\n", "").isprintable()
    assert "title" in told
    assert "[31m" in told


@pytest.mark.parametrize(
    ("rcode", "words"),
    [
        (dns.rcode.REFUSED, "takes no questions from this machine"),
        (dns.rcode.SERVFAIL, "DNSSEC"),
        (dns.rcode.NOTIMP, "NOTIMP"),
        (None, "does not answer"),
    ],
    ids=["refused", "failed", "cannot", "silent"],
)
def test_a_resolver_that_says_nothing_is_no_fault(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, rcode: dns.rcode.Rcode | None, words: str
) -> None:
    """Where the DNS cannot be asked it is said so, with what it said, and nothing is claimed about the domain."""
    if rcode is None:
        monkeypatch.setattr(importlib.import_module("mailer.cli.doctor.resolver"), "_PATIENCE", 0.2)
    with ScriptedServer() as relay, Names(GOOD, rcode) as names:
        folder.relay(relay)
        report, found = look(folder, names)
    assert report.code == 0
    for check in ("return path", "spf", "dkim", "dmarc"):
        assert found[check]["result"] == "unseen"
        assert words in found[check]["found"]
        assert "not looked at" in found[check]["meaning"]


@pytest.mark.parametrize(
    ("place", "host", "port"),
    [("127.0.0.1:5353", "127.0.0.1", 5353), ("127.0.0.1", "127.0.0.1", 53), ("[::1]:5353", "::1", 5353),
     ("::1", "::1", 53)],
)  # fmt: skip
def test_a_resolver_may_be_written_short(place: str, host: str, port: int) -> None:
    """The port is 53 where none is named, and an address of either kind is understood."""
    resolver = importlib.import_module("mailer.cli.doctor.resolver").resolver_at(place)
    assert (resolver.nameservers, resolver.port) == ([host], port)


def test_a_resolver_is_an_address(folder: Folder) -> None:
    """Anything but an address and a port is refused before anything is looked at."""
    configure(folder)
    for place in ("resolver.example.org", "127.0.0.1:port", "", "::1:x"):
        assert folder.run("doctor", "--resolver", place).code == 2
