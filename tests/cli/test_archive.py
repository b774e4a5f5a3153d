"""`mailer resolve --archive` with a folder on an IMAP server: what it holds was sent, and nothing else is settled."""

import base64
import ssl
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import trustme
from pydantic import SecretStr

from mailer.cli import imap
from mailer.cli.imap import logged_in, password_for
from mailer.cli.sent_folder import examine, held_of
from mailer.config import Config, ImapUrl
from mailer.errors import RelayUntrusted
from tests.cli.conftest import ADA, ALL_IN_DOUBT, BEN, REGISTRY, Folder, Result
from tests.mailboxes import PASSWORD, USER, ImapServer, Kept, endlessly, kept, repeat, tell
from tests.servers import Action, dribble, drop, say_and_drop, stall
from tests.tokens import CLIENT_ID, CLIENT_SECRET, TokenService

MOMENT = datetime(2031, 2, 24, tzinfo=UTC)
NAME, MARK = "Gesendete Objekte", {"Gesendete Objekte": "\\Sent"}


@pytest.fixture
def asked(doubtful: Folder) -> Folder:
    """A folder with all in doubt, whose settings name a mailbox."""
    configure(doubtful)
    return doubtful


def configure(folder: Folder, **settings: str) -> None:
    """Settings as those of a relay on this machine, the password that of IMAP."""
    imap = {"IMAP_URL": f"imap://{USER}@127.0.0.1", "IMAP_PASSWORD": f"'{PASSWORD}'"}
    values = {"SMTP_HOST": "127.0.0.1", "SMTP_TIMEOUT": "20", **imap, **settings}
    folder.write("config.env", "".join(f"{key}={value}\n" for key, value in values.items() if value))


def ids_of(folder: Folder) -> dict[str, str]:
    """Message-ID by recipient."""
    return {row["recipient"]: row["message_id"] for row in folder.run("status", "--json").json["deliveries"]}


def copies(folder: Folder, *recipients: str) -> list[Kept]:
    return [kept(ids_of(folder)[recipient]) for recipient in recipients]


def url(server: ImapServer, path: str = "", scheme: str = "imap") -> str:
    return f"{scheme}://{USER}@127.0.0.1:{server.port}{path}"


def resolve(folder: Folder, archive: str, *words: str) -> Result:
    result = folder.run("resolve", *words, "--archive", archive)
    assert "hush" not in result.out + result.err
    return result


# --- what is settled --------------------------------------------------------------------------------------------------


def test_what_the_sent_folder_holds_was_sent(asked: Folder) -> None:
    """Without a folder's name the one that the server marks is looked into, and told; what it lacks stays in doubt."""
    with ImapServer({"INBOX": [], NAME: copies(asked, ADA, REGISTRY)}, MARK) as server:
        result = resolve(asked, url(server))
    assert result.code == 1, result.err
    assert asked.states() == {ADA: "sent", BEN: "in_doubt", REGISTRY: "sent"}
    assert f"folder {NAME} of {USER} at 127.0.0.1" in result.out
    assert "2 marked as sent; 1 other is still in doubt: mailer resolve" in result.out
    assert "look again in some minutes" in result.out


def test_all_found_ends_all_doubt(asked: Folder) -> None:
    """With every identifier found the exit code is 0, in one search and one reading, of headers alone."""
    with ImapServer({NAME: [kept("<other@example.org>"), *copies(asked, ADA, BEN, REGISTRY)]}, MARK) as server:
        assert resolve(asked, url(server)).code == 0
    assert set(asked.states().values()) == {"sent"}
    assert server.verbs()[-4:] == ["EXAMINE", "SEARCH", "FETCH", "LOGOUT"]
    assert server.fetched == 3


def test_an_address_can_be_named(asked: Folder) -> None:
    """Of what the folder holds only the deliveries that were named are settled."""
    with ImapServer({NAME: copies(asked, ADA, BEN)}, MARK) as server:
        assert resolve(asked, url(server), BEN).code == 1  # as two others are still in doubt
    assert asked.states() == {**ALL_IN_DOUBT, BEN: "sent"}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/Sent%20Items", "Sent Items"),
        ("/Sent Items", "Sent Items"),
        ("/Gesendet/%C3%84lter%20%26%20neu", "Gesendet/&AMQ-lter &- neu"),
        ("/Gesendet/Älter & neu", "Gesendet/&AMQ-lter &- neu"),
        ("/%E5%8F%B0%E5%8C%97", "&U,BTFw-"),
    ],
)
def test_a_folder_may_have_any_name(asked: Folder, path: str, name: str) -> None:
    """Blanks, other letters and other scripts may be typed or written as % codes (RFC 5092, RFC 3501 section 5.1.3)."""
    with ImapServer({name: copies(asked, ADA, BEN, REGISTRY), NAME: []}, MARK) as server:
        assert resolve(asked, url(server, path)).code == 0


def test_the_configured_mailbox_is_called_imap(asked: Folder) -> None:
    """`--archive imap` looks into IMAP_URL; where it is not set, that is said."""
    configure(asked, IMAP_URL="")
    assert "IMAP_URL" in resolve(asked, "imap").err
    with ImapServer({"Copies": copies(asked, ADA, BEN, REGISTRY)}) as server:
        configure(asked, IMAP_URL=url(server, "/Copies"))
        assert resolve(asked, "imap").code == 0


def test_a_hit_whose_header_differs_is_none(asked: Folder) -> None:
    """A search that finds what only resembles the identifier, or everything, settles nothing."""
    others = [kept(f"<x{ids_of(asked)[ADA][1:]}"), kept("<other@example.org>"), Kept(b"Subject: none\r\n\r\n")]
    with ImapServer({NAME: others}, MARK, search=lambda message, wanted: True) as server:
        assert resolve(asked, url(server)).code == 1
    assert asked.states() == ALL_IN_DOUBT


@pytest.mark.parametrize("refusal", [None, "{tag} NO Cannot search so", "{tag} BAD Too complex"])
def test_a_search_by_header_that_finds_nothing_is_made_good(asked: Folder, refusal: str | None) -> None:
    """Where the server's search does not know the header, or refuses it, the messages of those days are read."""
    old = [kept(f"<{n}@example.org>", day=kept("").day.replace(day=n)) for n in range(1, 21)]
    found = [replace(copy, folded=True) for copy in copies(asked, ADA, BEN, REGISTRY)]
    script = {"search": [refusal]} if refusal else {}
    with ImapServer({NAME: [*old, *found]}, MARK, script, search=lambda message, wanted: False) as server:
        assert resolve(asked, url(server)).code == 0
    assert server.fetched == 3


def test_thousands_are_asked_for_in_few_round_trips() -> None:
    """Identifiers are searched for and read in groups, each below the length of a command that servers take."""
    held = [kept(f"<{n:024x}@sender.example.org>") for n in range(0, 2000, 2)]
    wanted = {f"<{n:024x}@sender.example.org>" for n in range(2000)}
    with ImapServer({"Sent": held}) as server:
        where = ImapUrl(USER, "127.0.0.1", server.port, is_tls=False, folder="Sent")
        with logged_in(where, Config(IMAP_URL=where, IMAP_PASSWORD=SecretStr(PASSWORD))) as box:
            examine(box, where)
            assert held_of(wanted, box, MOMENT) == {message.message_id for message in held}
    assert len(server.commands) < 60


def test_a_found_number_may_come_in_pieces(asked: Folder) -> None:
    """An answer to a search that brings a literal, or none, besides the numbers is read as far as it is understood."""
    script = {"search": tell(b"* SEARCH {3}\r\nabc\r\n* SEARCH\r\n* SEARCH 7\r\n")}
    with ImapServer({NAME: copies(asked, ADA)}, MARK, script) as server:
        assert "1 marked as sent" in resolve(asked, url(server), ADA).out


# --- what is not to be done -------------------------------------------------------------------------------------------


def test_a_missing_folder_is_told_with_those_that_there_are(asked: Folder) -> None:
    """A name that the server does not know is a usage error that lists the names it knows, as people write them."""
    with ImapServer({"INBOX": [], "Gel&APY-scht": [], "[All]": []}, {"[All]": "\\Noselect"}) as server:
        result = resolve(asked, url(server, "/Sent"))
    assert result.code == 2
    assert "no folder Sent" in result.err
    assert "There are: Gelöscht, INBOX." in result.err
    assert asked.states() == ALL_IN_DOUBT


@pytest.mark.parametrize(
    ("marks", "words"), [({}, "marks no folder"), ({"INBOX": "\\Sent", NAME: "\\sent"}, "2 folders")]
)
def test_a_sent_folder_is_not_guessed(asked: Folder, marks: dict[str, str], words: str) -> None:
    """A server that marks no folder as that for sent messages, or several, is not second-guessed by names."""
    with ImapServer({"INBOX": [], NAME: []}, marks) as server:
        result = resolve(asked, url(server))
    assert result.code == 2
    assert words in result.err
    assert f"There are: {NAME}, INBOX." in result.err


def test_a_password_in_the_address_is_refused(asked: Folder) -> None:
    """It is neither used nor repeated, and the reason is given; so is every address that cannot be read."""
    for archive in (f"imaps://{USER}:hush@imap.example.org/Sent", "imaps://a:hu/sh-hush@imap.example.org", "imaps://h"):
        result = resolve(asked, archive)
        assert result.code == 2
        assert ("IMAP_PASSWORD" if "hush@" in archive and "hu/" not in archive else "must read like") in result.err


def test_a_decision_and_an_archive_exclude_each_other(asked: Folder) -> None:
    """`--resend` with `--archive` is a question back."""
    assert resolve(asked, "imap", "--resend").code == 2


def test_a_missing_library_is_named(asked: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, the command says how to get it."""
    for name in ("mailer.cli.sent_folder", "mailer.cli.imap"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "imap_tools", None)
    result = resolve(asked, f"imaps://{USER}@127.0.0.1")
    assert result.code == 2
    assert "pip install 'invitation-mailer[imap]'" in result.err


# --- login ------------------------------------------------------------------------------------------------------------


def test_a_refused_login_is_told_without_the_password(asked: Folder) -> None:
    """The server's words are shown, without a secret that it repeats; nothing is settled, and the exit code is 4."""
    configure(asked, IMAP_PASSWORD="wrong-hush")
    for plain in (True, False):
        with ImapServer({NAME: copies(asked, ADA)}, MARK, plain=plain) as server:
            result = resolve(asked, url(server))
        assert result.code == 4
        assert "AUTHENTICATIONFAILED" in result.err
        assert "IMAP_PASSWORD" in result.err
        assert server.logins == ["wrong-hush"]
    assert asked.states() == ALL_IN_DOUBT


@pytest.mark.parametrize("plain", [True, False], ids=["PLAIN", "LOGIN"])
@pytest.mark.parametrize("refusal", ["{tag} NO {heard}", "{tag} BAD {heard}", "* BYE {heard}", "{heard}"])
@pytest.mark.parametrize("password", ["wr'ong-hush", 'wr"ong-\\-hush', "wr'\"ong-hush"])
def test_a_server_that_repeats_what_it_heard_shows_no_password(
    asked: Folder, monkeypatch: pytest.MonkeyPatch, refusal: str, plain: bool, password: str
) -> None:
    """However the server ends the login, neither the password nor a form in which it went there is shown."""
    monkeypatch.setenv("IMAP_PASSWORD", password)
    with ImapServer({}, script={"login": repeat(refusal), "authenticate": repeat(refusal)}, plain=plain) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "ong-" not in result.err
    assert base64.b64encode(f"\0{USER}\0{password}".encode()).decode().rstrip("=") not in result.err


@pytest.mark.parametrize("refusal", ["NO", "BAD"])
@pytest.mark.parametrize("step", ["examine", "search", "fetch"])
def test_a_password_is_not_shown_later_either(asked: Folder, step: str, refusal: str) -> None:
    """A server that is still at it when the folder is looked into gets no word about the password through."""
    words = f"{{tag}} {refusal} {PASSWORD} was right"
    with ImapServer({NAME: copies(asked, ADA)}, MARK, {step: [words, words]}) as server:
        result = resolve(asked, url(server))
    assert "***" in result.err
    assert "wörd" not in result.err
    assert "w\\xc3" not in result.err


def test_a_password_that_cannot_be_sent_is_told(asked: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that the server's only login cannot carry, or an environment in another encoding, are named as such."""
    with ImapServer({NAME: []}, MARK, plain=False) as server:
        letters = resolve(asked, url(server))
    assert letters.code == 4
    assert "127.0.0.1 takes ASCII letters alone" in letters.err
    monkeypatch.setenv("IMAP_PASSWORD", "p\udce4ss-hush")
    with ImapServer({NAME: []}, MARK) as server:
        octets = resolve(asked, url(server))
    assert octets.code == 4
    assert "is not in UTF-8" in octets.err
    assert "udce4" not in octets.err


def test_the_relays_password_serves_its_own_account(asked: Folder) -> None:
    """For the relay's user on the relay's host SMTP_PASSWORD is enough; to nobody else it is shown."""
    configure(asked, IMAP_PASSWORD="", SMTP_USERNAME=USER, SMTP_PASSWORD=f"'{PASSWORD}'")
    with ImapServer({NAME: copies(asked, ADA, BEN)}, MARK) as server:
        assert resolve(asked, url(server).replace("events", "staff")).code == 2
        assert resolve(asked, url(server).replace("127.0.0.1", "localhost")).code == 2
        assert server.connections == 0
        assert "2 marked as sent" in resolve(asked, url(server), ADA, BEN).out


def test_the_password_of_one_mailbox_is_not_shown_to_another(asked: Folder) -> None:
    """IMAP_PASSWORD goes to the account of IMAP_URL alone, and to none where that is not set."""
    with ImapServer({NAME: []}, MARK) as server:
        for ours, whose in [
            (f"imaps://{USER}@imap.example.org", f"{USER} at imap.example.org"),
            ("imap://staff@127.0.0.1", "staff at 127.0.0.1"),
            ("", "the account in IMAP_URL, which is not set"),
        ]:
            configure(asked, IMAP_URL=ours)
            result = resolve(asked, url(server))
            assert result.code == 2
            assert f"the one that is set is for {whose}; set IMAP_URL=imaps://{USER}@127.0.0.1" in result.err
    assert server.connections == 0


@pytest.mark.parametrize(("smtp", "imap"), [("google", "imap.gmail.com"), ("microsoft365", "outlook.office365.com")])
def test_the_hosts_of_one_service_share_an_account(smtp: str, imap: str) -> None:
    """Google's and Microsoft's relays and mailboxes have different names and the same users."""
    settings = Config(SMTP_PROVIDER=smtp, SMTP_USERNAME=USER, SMTP_PASSWORD=SecretStr("hush"))
    assert password_for(ImapUrl(USER, imap, 993, is_tls=True), settings) == "hush"


def test_a_token_is_the_password_where_the_relay_takes_tokens(asked: Folder) -> None:
    """With SMTP_AUTH=xoauth2 the relay's own token logs in; one that is refused is replaced, once."""
    with TokenService(secret=CLIENT_SECRET) as service:
        configure(
            asked,
            IMAP_PASSWORD="",
            SMTP_AUTH="xoauth2",
            SMTP_USERNAME=USER,
            OAUTH_TOKEN_URL=service.url,
            OAUTH_CLIENT_ID=CLIENT_ID,
            OAUTH_CLIENT_SECRET=CLIENT_SECRET,
            OAUTH_SCOPE="https://relay.example.org/.default",
        )
        with ImapServer({NAME: copies(asked, ADA)}, MARK, takes=service.takes) as server:
            assert "1 marked as sent" in resolve(asked, url(server), ADA).out
            service.revoke()
            assert resolve(asked, url(server), BEN).code == 1
            assert len(server.logins) == 3
        with ImapServer({NAME: copies(asked, BEN)}, MARK, takes=lambda token: False) as server:
            result = resolve(asked, url(server))
            assert len(server.logins) == 2
    assert result.code == 4
    assert "OAUTH_SCOPE" in result.err
    assert asked.states() == {**ALL_IN_DOUBT, ADA: "sent"}


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_an_authority_of_ones_own_is_trusted(
    asked: Folder, scheme: str, authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    """With SMTP_CA_FILE the login goes over TLS, begun at once or by STARTTLS."""
    authority.cert_pem.write_to_path(str(asked.path / "ca.pem"))
    configure(asked, SMTP_CA_FILE="ca.pem")
    with ImapServer({NAME: copies(asked, ADA)}, MARK, tls=tls, tls_at_once=scheme == "imaps") as server:
        assert "1 marked as sent" in resolve(asked, url(server, scheme=scheme), ADA).out
    assert ("STARTTLS" in server.verbs()) == (scheme == "imap")


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_certificate_that_proves_nothing_is_not_trusted(asked: Folder, scheme: str, tls: ssl.SSLContext) -> None:
    """An unknown authority gets no password, though the server is on this machine."""
    with ImapServer({NAME: copies(asked, ADA)}, MARK, tls=tls, tls_at_once=scheme == "imaps") as server:
        result = resolve(asked, url(server, scheme=scheme))
    assert result.code == 4
    assert "does not prove that it is 127.0.0.1" in result.err
    assert "SMTP_CA_FILE" in result.err
    assert not server.logins
    assert asked.states() == ALL_IN_DOUBT


def test_nothing_goes_in_the_clear_over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere that does not offer STARTTLS is not logged in to."""
    monkeypatch.setattr(imap, "is_loopback", lambda host: False)
    with ImapServer({}) as server:
        where = ImapUrl(USER, "127.0.0.1", server.port, is_tls=False)
        settings = Config(IMAP_URL=where, IMAP_PASSWORD=SecretStr("hush"))
        with pytest.raises(RelayUntrusted, match="does not offer STARTTLS"), logged_in(where, settings):
            pass
    assert server.verbs() == ["CAPABILITY"]


# --- faults -----------------------------------------------------------------------------------------------------------

STEPS = ("greeting", "capability", "authenticate", "list", "examine", "search", "fetch")
FAULTS = {
    "drop": drop,
    "garbage": say_and_drop(b"\x00\xff garbage\r\n"),
    "bye": say_and_drop(b"* BYE Going down\r\n"),
    "cut": say_and_drop(b"* 1 FETCH (UID 7 BODY[HEADER.FIELDS (MESSAGE-ID)] {90}\r\nMessage-ID: <"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_breaks_off_settles_nothing(asked: Folder, step: str, fault: str) -> None:
    """At whatever command it fails, the exit code is 4, one sentence says so, and all stays in doubt."""
    with ImapServer({NAME: copies(asked, ADA, BEN, REGISTRY)}, MARK, {step: FAULTS[fault]}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4, result.err
    assert "127.0.0.1" in result.err
    assert asked.states() == ALL_IN_DOUBT


def test_messages_that_cannot_be_read_are_no_answer(asked: Folder) -> None:
    """A refused FETCH is told as such, not as an archive that lacks the messages."""
    with ImapServer({NAME: copies(asked, ADA)}, MARK, {"fetch": "{tag} NO [SERVERBUG] Disk"}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "[SERVERBUG] Disk" in result.err


def test_a_silent_server_is_left(asked: Folder) -> None:
    """SMTP_TIMEOUT bounds each answer."""
    configure(asked, SMTP_TIMEOUT="0.2")
    with ImapServer({NAME: []}, MARK, {"search": stall}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "does not answer" in result.err


@pytest.mark.parametrize(
    ("step", "act"),
    [
        ("greeting", dribble("* OK " + "x" * 10_000)),
        ("authenticate", endlessly(b"* OK Wait\r\n", 0.02)),
        ("search", endlessly(b"* OK Wait\r\n", 0.02)),
        ("search", dribble("* SEARCH " + "1" * 10_000)),
        ("fetch", endlessly(b"+ \r\n", 0.02)),
    ],
)
def test_an_answer_without_end_is_not_waited_for(asked: Folder, step: str, act: Action) -> None:
    """SMTP_TIMEOUT bounds the whole answer to a command, however regularly a part of it comes."""
    configure(asked, SMTP_TIMEOUT="0.5")
    with ImapServer({NAME: copies(asked, ADA)}, MARK, {step: act}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "does not answer in time" in result.err
    assert asked.states() == ALL_IN_DOUBT


def test_nor_is_it_over_tls(asked: Folder, authority: trustme.CA, tls: ssl.SSLContext) -> None:
    """Under TLS an answer without end is cut off in the same words."""
    authority.cert_pem.write_to_path(str(asked.path / "ca.pem"))
    configure(asked, SMTP_CA_FILE="ca.pem", SMTP_TIMEOUT="1")
    script = {"search": endlessly(b"* OK Wait\r\n", 0.02)}
    with ImapServer({NAME: copies(asked, ADA)}, MARK, script, tls, tls_at_once=True) as server:
        result = resolve(asked, url(server, scheme="imaps"))
    assert result.code == 4
    assert "does not answer in time" in result.err


@pytest.mark.parametrize(
    "act",
    [
        endlessly(b"* OK " + b"x" * 100_000 + b"\r\n"),
        tell(b"* SEARCH {99999999999999999999}\r\n"),
        tell(b"* SEARCH {99999999999}\r\n"),
        tell(b"* SEARCH {3000000000}\r\n"),
    ],
    ids=["lines", "no such number", "no such memory", "too much memory"],
)
def test_an_answer_of_any_size_is_not_taken(asked: Folder, act: Action) -> None:
    """What a server sends, or only announces, beyond measure fills no memory and settles nothing."""
    with ImapServer({NAME: copies(asked, ADA)}, MARK, {"search": act}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "gave an answer that cannot be read: it is longer than 16 MiB" in result.err
    assert asked.states() == ALL_IN_DOUBT


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("list", b'* LIST (\\Sent) "/" "&2D0-x"\r\n'),
        ("list", b'* LIST (\\Sent) "/" "&AAA-&ZZ!!-"\r\n'),
        ("search", b"* SEARCH 1 \xff\xfe\r\n"),
        ("capability", b"* CAPABILITY IMAP4rev1 \xff\r\n"),
    ],
)
def test_letters_that_are_none_are_told_as_such(asked: Folder, step: str, answer: bytes) -> None:
    """An answer in an encoding that nobody can read is not taken for a host that is not there."""
    with ImapServer({NAME: copies(asked, ADA)}, MARK, {step: tell(answer)}) as server:
        result = resolve(asked, url(server))
    assert result.code == 4
    assert "gave an answer that cannot be read" in result.err


def test_a_folder_in_another_encoding_is_told(asked: Folder) -> None:
    """A name that was typed in a terminal of another encoding is a usage error that says how to write it."""
    with ImapServer({NAME: []}, MARK) as server:
        result = resolve(asked, url(server, "/\udcc9t\udce9"))
    assert result.code == 2
    assert "is not in UTF-8: write its letters as % codes" in result.err


def test_names_of_folders_do_nothing_to_a_terminal(asked: Folder) -> None:
    """Control characters in what a server calls its folders are not printed."""
    name = "Se&ABs-nt&AAc-"
    with ImapServer({name: copies(asked, ADA)}, {name: "\\Sent"}) as server:
        assert "folder Se nt  of" in resolve(asked, url(server), ADA).out
    with ImapServer({name: []}) as server:
        unmarked, missing = resolve(asked, url(server)), resolve(asked, url(server, "/Sent"))
    assert "There are: Se nt ." in unmarked.err
    assert "There are: Se nt ." in missing.err


def test_a_farewell_is_not_needed(asked: Folder) -> None:
    """What the server proved before it broke off at LOGOUT counts."""
    with ImapServer({NAME: copies(asked, ADA, BEN, REGISTRY)}, MARK, {"logout": drop}) as server:
        assert resolve(asked, url(server)).code == 0


def test_a_host_that_is_not_there_is_told(asked: Folder) -> None:
    """A name that does not exist and a port where nobody listens are told apart."""
    # No resolver is asked for a label that is longer than any can be (RFC 1035 section 2.3.4).
    nowhere = f"{'a' * 64}.example.org"
    configure(asked, IMAP_URL=f"imaps://{USER}@{nowhere}")
    missing = resolve(asked, "imap")
    assert missing.code == 4
    assert f"There is no host named {nowhere}" in missing.err
    with ImapServer({}) as server:
        gone = url(server)
    configure(asked)
    closed = resolve(asked, gone)
    assert closed.code == 4
    assert "refused" in closed.err
