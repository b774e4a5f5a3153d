"""The settings: every fault told at once with its line, no secret told at all, and nothing guessed."""

# ruff: noqa: SIM300  # settings have the names of environment variables, which ruff takes for constants

import traceback
from email.utils import parseaddr
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from mailer import config
from mailer.config import Config, Limit
from mailer.errors import InputRefused, Problem

EXAMPLE = Path(__file__).parents[2] / "config.example.env"
SECRET = "hunter2-and-more"


def load(folder: Path, text: str = "", **environment: str) -> Config:
    """The settings of a folder whose config.env holds `text`."""
    (folder / "config.env").write_text(text, "utf-8")
    return config.load(folder, environment)[0]


def faults(folder: Path, text: str, **environment: str) -> tuple[Problem, ...]:
    """What is refused about them."""
    with pytest.raises(InputRefused) as refused:
        load(folder, text, **environment)
    return refused.value.problems


# --- the sample file --------------------------------------------------------------------------------------------------


def test_the_sample_file_loads_and_says_every_default(tmp_path: Path) -> None:
    """A copy of config.example.env is the same as no file at all."""
    assert load(tmp_path, EXAMPLE.read_text("utf-8")) == Config()


def test_the_sample_file_names_every_setting() -> None:
    """Every key of the settings stands in config.example.env, and no other."""
    # As a provider has a pace of its own, that line is a comment.
    assert set(dotenv_values(EXAMPLE)) == set(Config.model_fields) - {"SMTP_RATE"}
    assert "\n# SMTP_RATE=" in EXAMPLE.read_text("utf-8")


def test_the_sample_file_leaves_a_provider_its_pace(tmp_path: Path) -> None:
    """Whoever fills in SMTP_PROVIDER alone sends at the pace that belongs to it; the pace shown is the default."""
    sample = EXAMPLE.read_text("utf-8")
    paced = load(tmp_path, sample.replace("SMTP_PROVIDER=\n", "SMTP_PROVIDER=cpanel\n"))
    assert paced.SMTP_RATE == (Limit(50, 3600),)
    assert load(tmp_path, sample.replace("# SMTP_RATE=", "SMTP_RATE=")) == Config()


def test_what_is_empty_in_the_sample_has_no_default() -> None:
    """A line is empty only where nothing is set; the port alone follows from another line."""
    empty = {key for key, value in dotenv_values(EXAMPLE).items() if not value}
    assert empty == {key for key, field in Config.model_fields.items() if field.default is None} | {"SMTP_PORT"}


def test_everything_has_a_default(tmp_path: Path) -> None:
    """A folder without config.env has settings, though no relay."""
    settings, problems = config.load(tmp_path, {})
    assert settings == Config()
    assert settings.SMTP_HOST is None
    assert problems == ()


# --- broken settings --------------------------------------------------------------------------------------------------

RATE_FORM = (
    "SMTP_RATE must read like 30/minute, 10000/day, 2000 recipients/day, each per second, minute, hour or day and with "
    "a comma between two, or off"
)
BROKEN = {
    "SMTP_PROVIDER=outlok": "SMTP_PROVIDER must be microsoft365, google, google-relay, ses or cpanel",
    "SMTP_HOST=smtp.example.org:587": "SMTP_HOST must be a host name or address alone; the port stands in SMTP_PORT",
    "SMTP_HOST=smtp://smtp.example.org": "SMTP_HOST must be a host name or address alone; the port stands in SMTP_PORT",
    "SMTP_PORT=smtp": "SMTP_PORT must be a whole number from 1 to 65535",
    "SMTP_PORT=0": "SMTP_PORT must be a whole number from 1 to 65535",
    "SMTP_PORT=65536": "SMTP_PORT must be a whole number from 1 to 65535",
    "SMTP_PORT=58.7": "SMTP_PORT must be a whole number from 1 to 65535",
    "SMTP_SECURITY=ssl": "SMTP_SECURITY must be starttls, tls or none",
    "SMTP_HOST=smtp.example.org\nSMTP_SECURITY=none": (
        "SMTP_SECURITY must be starttls or tls: none would send names, links and the password unencrypted over the "
        "network, unless SMTP_ALLOW_PLAIN=yes says that this is meant"
    ),
    "SMTP_ALLOW_PLAIN=maybe": "SMTP_ALLOW_PLAIN must be yes or no",
    "SMTP_USERNAME=office": (
        "SMTP_AUTH is password, which needs SMTP_USERNAME, SMTP_PASSWORD or neither: SMTP_PASSWORD is not set"
    ),
    "SMTP_PASSWORD=" + SECRET: (
        "SMTP_AUTH is password, which needs SMTP_USERNAME, SMTP_PASSWORD or neither: SMTP_USERNAME is not set"
    ),
    "SMTP_AUTH=oauth": "SMTP_AUTH must be password or xoauth2",
    "SMTP_AUTH=xoauth2\nSMTP_PROVIDER=google": (
        "SMTP_AUTH is xoauth2, which needs SMTP_USERNAME, OAUTH_TOKEN_URL, OAUTH_CLIENT_ID: "
        "SMTP_USERNAME and OAUTH_CLIENT_ID are not set"
    ),
    "SMTP_CA_FILE=nowhere.pem": "SMTP_CA_FILE must name a file, and there is none of that name",
    "OAUTH_TOKEN_URL=http://login.example.org/token": (
        "OAUTH_TOKEN_URL must be an https address; plain http goes to this machine only"
    ),
    "OAUTH_TOKEN_URL=login.example.org": (
        "OAUTH_TOKEN_URL must be an https address; plain http goes to this machine only"
    ),
    "SMTP_CONNECTIONS=many": "SMTP_CONNECTIONS must be a whole number from 1 to 50",
    "SMTP_CONNECTIONS=51": "SMTP_CONNECTIONS must be a whole number from 1 to 50",
    "SMTP_RATE=fast": RATE_FORM,
    "SMTP_RATE=0/minute": RATE_FORM,
    "SMTP_RATE=30/minute,": RATE_FORM,
    "SMTP_RATE=30 per minute": RATE_FORM,
    "SMTP_RATE=30/min": RATE_FORM,
    "SMTP_RATE=5000/week": RATE_FORM,
    "SMTP_RATE=30/minute 100/day": RATE_FORM,
    "SMTP_TIMEOUT=soon": "SMTP_TIMEOUT must be a number from 0.01 to 3600",
    "SMTP_TIMEOUT=0": "SMTP_TIMEOUT must be a number from 0.01 to 3600",
    "RETRY_AFTER=nan": "RETRY_AFTER must be a number from 0.01 to 86400",
    "GIVE_UP_AFTER=inf": "GIVE_UP_AFTER must be a number from 0.01 to 2592000",
    "MAIL_FROM=Peace Office": "MAIL_FROM must read like Name <name@example.org>: ",
    "MAIL_FROM=Ada <ada@example.org>, Bo <bo@example.org>": "MAIL_FROM must read like Name <name@example.org>",
    "MAIL_FROM=Ada\u2028 <ada@example.org>": "MAIL_FROM cannot hold line breaks or control characters",
    'MAIL_FROM="Ada\\nBcc: x <ada@example.org>"': "MAIL_FROM cannot hold line breaks or control characters",
    "REPLY_TO=ada@localhost": "REPLY_TO must read like Name <name@example.org>",
    "RETURN_PATH=Bounces <bounces@example.org>": "RETURN_PATH must be an address like name@example.org",
    "RETURN_PATH=bounces+{ref}@example.org": "RETURN_PATH may hold {reference}, but nothing else in braces",
    "UNSUBSCRIBE_TO=off the list": "UNSUBSCRIBE_TO must be an address like name@example.org",
    "UNSUBSCRIBE_URL=http://example.org/{reference}": (
        "UNSUBSCRIBE_URL must be an https address with {reference} in it (RFC 8058)"
    ),
    "UNSUBSCRIBE_URL=https://example.org/off": (
        "UNSUBSCRIBE_URL must be an https address with {reference} in it (RFC 8058)"
    ),
    "LEDGER_URL=ledger.db": "LEDGER_URL must read like sqlite:///ledger.db or postgresql://user@host/database",
    "LEDGER_URL=postgres://office:" + SECRET + "@db.example.org/ledger": (
        "LEDGER_URL must read like sqlite:///ledger.db or postgresql://user@host/database"
    ),
    "LEDGER_URL=postgresql://office:p@" + SECRET + "@db.example.org/ledger": (
        "LEDGER_URL must read like sqlite:///ledger.db or postgresql://user@host/database; a password's @ is written"
    ),
    "LEDGER_URL=postgresql://office:p@host:" + SECRET + "/ledger": "LEDGER_URL must read like sqlite:///ledger.db or",
    "LEDGER_URL=sqlite://": "LEDGER_URL must read like sqlite:///ledger.db or",
    "LEDGER_URL=sqlite:///:memory:": "LEDGER_URL must name a file: a ledger in memory would forget",
    "LEDGER_URL=sqlite:///ledger.db?mode=ro&uri=true": "LEDGER_URL may hold ?timeout=SECONDS behind the file, and no",
    "LEDGER_URL=sqlite:///ledger.db?timeout=1&foo=x": "LEDGER_URL may hold ?timeout=SECONDS behind the file, and no",
    'EVENT="a\\nb"': "EVENT cannot hold line breaks or control characters",
    "SMTP_HOST": "this line is not KEY=value",
    "SMTP_HOST smtp.example.org": "this line is not KEY=value",
    'SMTP_PASSWORD="' + SECRET: "SMTP_PASSWORD begins with a quote that does not end it",
    # A quote that is closed lines further down takes them into the password; a backslash means something inside it.
    f'SMTP_USERNAME=me\nSMTP_PASSWORD="{SECRET}\nSMTP_RATE=off\nEVENT=talks"': (
        "SMTP_PASSWORD cannot hold line breaks or control characters"
    ),
    f'SMTP_USERNAME=me\nSMTP_PASSWORD="\\new{SECRET}"': "SMTP_PASSWORD cannot hold line breaks or control characters",
    'MAIL_FROM="The hosts" <hosts@example.org>': "MAIL_FROM begins with a quote that does not end it",
}


@pytest.mark.parametrize(("text", "sentence"), BROKEN.items(), ids=[text.partition("\n")[0] for text in BROKEN])
def test_a_broken_setting_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """One fault gives one problem that names the setting and says what it must be, and never a secret."""
    (problem,) = faults(tmp_path, text)
    assert problem.problem.startswith(sentence)
    assert problem.file == "config.env"
    assert SECRET not in str(problem)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Every broken setting of a file is reported in one pass, each with its line and what stands there."""
    text = """# the relay
SMTP_HOST=smtp.example.org
SMTP_SECURITY=none
SMTP_PORT=smtp

SMTP_USERNAME=office
this is no setting
SMTP_RATE=fast
MAIL_FROM=nobody
"""
    found = {(problem.column, problem.row, problem.value) for problem in faults(tmp_path, text)}
    assert found == {
        ("SMTP_SECURITY", 3, "none"),
        ("SMTP_PORT", 4, "smtp"),
        ("SMTP_AUTH", None, None),
        (None, 7, None),
        ("SMTP_RATE", 8, "fast"),
        ("MAIL_FROM", 9, "nobody"),
    }


def test_a_fault_is_not_told_twice(tmp_path: Path) -> None:
    """What is wrong by itself is not also blamed for not going with the rest."""
    text = "SMTP_HOST=smtp.example.org\nSMTP_SECURITY=none\nSMTP_ALLOW_PLAIN=perhaps"
    assert [problem.column for problem in faults(tmp_path, text)] == ["SMTP_ALLOW_PLAIN"]
    assert [problem.column for problem in faults(tmp_path, "SMTP_USERNAME=a\nSMTP_AUTH=xoauth")] == ["SMTP_AUTH"]


def test_a_fault_in_the_environment_is_sought_there(tmp_path: Path) -> None:
    """A broken value from the environment is not looked for in the file, though a sound one stands there."""
    (problem,) = faults(tmp_path, "SMTP_PORT=587", SMTP_PORT="smtp")
    assert (problem.file, problem.row, problem.fix) == (None, None, "Correct it in the environment.")


def test_a_sender_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Octets of the environment that are no UTF-8 arrive as halves of characters, which no header can hold."""
    (problem,) = faults(tmp_path, "", MAIL_FROM="Zo\udce9 <zoe@example.org>")
    assert problem.problem == "MAIL_FROM is not written in UTF-8"


@pytest.mark.parametrize(
    ("text", "problem", "fix", "row"),
    [
        ("\nSMTP_PROT=25", "SMTP_PROT is not a setting, so it does nothing", "Did you mean SMTP_PORT?", 2),
        ("smtp_port=25", "smtp_port is not a setting, so it does nothing", "Did you mean SMTP_PORT?", 1),
        (
            "COLOUR=blue",
            "COLOUR is not a setting, so it does nothing",
            "Remove the line; config.example.env lists all names.",
            1,
        ),
        (
            "SMTP_PORT=25\n# again\nSMTP_PORT=26",
            "SMTP_PORT stands on line 1 too",
            "Keep one of the two; the last one counts.",
            3,
        ),
        (
            "SMTP_USERNAME=a # ours\nSMTP_PASSWORD='a #b'\nIMAP_PASSWORD=a #b",
            "IMAP_PASSWORD ends before a blank and a #, which begin a comment",
            "Put it between '...' if they belong to it; else give the comment a line of its own.",
            3,
        ),
        (
            "MAIL_FROM=a@b.org # us\nREPLY_TO='Office #3 <a@b.org>'\nSMTP_USERNAME=Office #3\nSMTP_PASSWORD=a",
            "SMTP_USERNAME ends before a blank and a #, which begin a comment",
            "Put it between '...' if they belong to it; else give the comment a line of its own.",
            3,
        ),
    ],
)
def test_what_is_odd_is_a_warning(tmp_path: Path, text: str, problem: str, fix: str, row: int) -> None:
    """A setting that does nothing is said, and keeps nobody from sending."""
    (tmp_path / "config.env").write_text(text)
    (warning,) = config.load(tmp_path, {})[1]
    assert (warning.problem, warning.fix, warning.row, warning.severity) == (problem, fix, row, "warning")


def test_a_sender_that_a_comment_has_cut_is_told_with_its_cause(tmp_path: Path) -> None:
    """What is left of it is refused, which alone would not say where the rest is."""
    refused, cut = faults(tmp_path, "MAIL_FROM=Office #3 <office@example.org>")
    assert (refused.column, refused.value, refused.severity) == ("MAIL_FROM", "Office", "error")
    assert cut.problem == "MAIL_FROM ends before a blank and a #, which begin a comment"


def test_warnings_stand_beside_errors(tmp_path: Path) -> None:
    """A refused file tells what is merely odd as well."""
    assert [problem.severity for problem in faults(tmp_path, "COLOUR=blue\nSMTP_PORT=x")] == ["error", "warning"]


@pytest.mark.parametrize(
    "octets",
    ["MAIL_FROM=Zoë <z@example.org>".encode("cp1252"), "SMTP_PORT=25".encode("utf-16")],
    ids=["cp1252", "utf-16"],
)
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, octets: bytes) -> None:
    """A file that is not UTF-8 is one clear problem."""
    (tmp_path / "config.env").write_bytes(octets)
    with pytest.raises(InputRefused, match=r"^config\.env: cannot be read: it is not UTF-8 text"):
        config.load(tmp_path, {})


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A folder in the file's place is one clear problem."""
    (tmp_path / "config.env").mkdir()
    with pytest.raises(InputRefused, match=r"^config\.env: cannot be read: Is a directory"):
        config.load(tmp_path, {})


# --- sound settings ---------------------------------------------------------------------------------------------------


def test_the_environment_wins(tmp_path: Path) -> None:
    """The same name in the environment overrules the file; an empty one takes the file's value back."""
    text = "SMTP_HOST=file.example.org\nEVENT=forum\nSMTP_RATE=off"
    settings = load(tmp_path, text, SMTP_HOST="environment.example.org", EVENT="", PATH="/bin")
    assert settings.SMTP_HOST == "environment.example.org"
    assert settings.EVENT is None
    assert settings.SMTP_RATE == ()


def test_the_process_environment_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being told otherwise it is the environment of the process."""
    monkeypatch.setenv("SMTP_HOST", "environment.example.org")
    assert config.load(tmp_path)[0].SMTP_HOST == "environment.example.org"


def test_files_from_windows_are_read(tmp_path: Path) -> None:
    """A byte order mark, CR LF, quotes, blanks and comments do no harm, and lines are still counted right."""
    (tmp_path / "config.env").write_bytes(
        b"\xef\xbb\xbf# mine\r\n\r\nSMTP_HOST = 'smtp.example.org'  # ours\r\nCOLOUR=1\r\n"
    )
    settings, (warning,) = config.load(tmp_path, {})
    assert settings.SMTP_HOST == "smtp.example.org"
    assert warning.row == 4


@pytest.mark.parametrize(("security", "port"), [("", 587), ("STARTTLS", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_the_security(tmp_path: Path, security: str, port: int) -> None:
    """Where no port is set, it is the usual one; one that is set stays."""
    text = f"SMTP_HOST=127.0.0.1\nSMTP_SECURITY={security}\n"
    assert load(tmp_path, text).SMTP_PORT == port
    assert load(tmp_path, text + "SMTP_PORT=2525").SMTP_PORT == 2525


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.10", "::1", "[::1]"])
def test_plain_text_stays_on_this_machine(tmp_path: Path, host: str) -> None:
    """SMTP_SECURITY=none needs no leave where nothing goes over a network."""
    assert load(tmp_path, f"SMTP_HOST={host}\nSMTP_SECURITY=none").SMTP_HOST == host.strip("[]")


@pytest.mark.parametrize(
    "host", ["smtp.example.org", "10.0.0.1", "0.0.0.0", "localhost.example.org", "127.0.0.1.example.org"]
)
def test_plain_text_over_a_network_must_be_meant(tmp_path: Path, host: str) -> None:
    """SMTP_SECURITY=none to any other machine is refused until SMTP_ALLOW_PLAIN=yes says so in so many words."""
    text = f"SMTP_HOST={host}\nSMTP_SECURITY=none\n"
    assert [problem.column for problem in faults(tmp_path, text)] == ["SMTP_SECURITY"]
    assert [problem.column for problem in faults(tmp_path, text + "SMTP_ALLOW_PLAIN=no")] == ["SMTP_SECURITY"]
    assert load(tmp_path, text + "SMTP_ALLOW_PLAIN=yes").SMTP_SECURITY == "none"


@pytest.mark.parametrize(
    ("provider", "host", "rate"),
    [
        ("microsoft365", "smtp.office365.com", (Limit(30, 60), Limit(10_000, 86_400, of_recipients=True))),
        ("Google", "smtp.gmail.com", (Limit(2000, 86_400, of_recipients=True),)),
        ("google-relay", "smtp-relay.gmail.com", (Limit(10_000, 86_400),)),
        ("ses", None, (Limit(1, 1, of_recipients=True), Limit(200, 86_400, of_recipients=True))),
        ("cpanel", None, (Limit(50, 3600),)),
    ],
)
def test_a_provider_sets_host_and_rate(
    tmp_path: Path, provider: str, host: str | None, rate: tuple[Limit, ...]
) -> None:
    """SMTP_PROVIDER stands for the published limits of a service, and for its host where all share one."""
    settings = load(tmp_path, f"SMTP_PROVIDER={provider}")
    assert (settings.SMTP_HOST, settings.SMTP_RATE, settings.SMTP_PORT) == (host, rate, 587)


def test_more_connections_than_a_service_lets_in_are_told(tmp_path: Path) -> None:
    """Microsoft 365 turns the fourth away; the mailing goes on with three, so that it is a warning."""
    (tmp_path / "config.env").write_text("SMTP_PROVIDER=Microsoft365\nSMTP_CONNECTIONS=4\n", "utf-8")
    settings, [warning] = config.load(tmp_path, {})
    assert settings.SMTP_CONNECTIONS == 4
    assert (warning.severity, warning.row, warning.value) == ("warning", 2, "4")
    assert "SMTP_CONNECTIONS is more than the 3 that are let in at once" in warning.problem
    (tmp_path / "config.env").write_text("SMTP_PROVIDER=microsoft365\nSMTP_CONNECTIONS=3\n", "utf-8")
    assert config.load(tmp_path, {})[1] == ()


def test_every_provider_is_sound_by_itself(tmp_path: Path) -> None:
    """No preset needs another line to be accepted."""
    for provider in ("microsoft365", "google", "google-relay", "ses", "cpanel"):
        assert load(tmp_path, f"SMTP_PROVIDER={provider}").SMTP_PROVIDER == provider


def test_a_line_of_its_own_wins_over_the_provider(tmp_path: Path) -> None:
    """What a provider stands for is overruled key by key."""
    settings = load(tmp_path, "SMTP_PROVIDER=google\nSMTP_RATE=5/minute\nOAUTH_SCOPE=mine")
    assert settings.SMTP_HOST == "smtp.gmail.com"
    assert settings.SMTP_RATE == (Limit(5, 60),)
    assert settings.OAUTH_SCOPE == "mine"


def test_a_provider_knows_where_its_tokens_come_from(tmp_path: Path) -> None:
    """With xoauth2 a provider needs only who we are; a token server on this machine may be plain."""
    text = "SMTP_AUTH=xoauth2\nSMTP_USERNAME=office@example.org\nOAUTH_CLIENT_ID=mailer\nSMTP_PROVIDER=microsoft365\n"
    settings = load(tmp_path, text)
    assert settings.OAUTH_SCOPE == "https://outlook.office.com/SMTP.Send offline_access"
    assert settings.OAUTH_TOKEN_URL is not None
    assert load(tmp_path, text + "OAUTH_TOKEN_URL=http://127.0.0.1:8080/token").OAUTH_TOKEN_URL


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("20/minute", (Limit(20, 60),)),
        ("30 / Minute , 10000 recipients/day", (Limit(30, 60), Limit(10_000, 86_400, of_recipients=True))),
        ("5 messages/second,7/hour", (Limit(5, 1), Limit(7, 3600))),
        ("off", ()),
        ("OFF", ()),
    ],
)
def test_rates(tmp_path: Path, text: str, limits: tuple[Limit, ...]) -> None:
    """Several limits may hold at once, in messages or in recipients, or none."""
    assert load(tmp_path, f"SMTP_RATE={text}").SMTP_RATE == limits


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("office@example.org", "", "office@example.org"),
        ("<office@example.org>", "", "office@example.org"),
        ("Peace Office <office@example.org>", "Peace Office", "office@example.org"),
        ("Peace Office, New York <office@example.org>", "Peace Office, New York", "office@example.org"),
        ("'\"Peace Office, New York\" <office@example.org>'", "Peace Office, New York", "office@example.org"),
        ("Peace (Office) <office@example.org>", "Peace (Office)", "office@example.org"),
        ("Bureau de la paix à Genève <paix@example.org>", "Bureau de la paix à Genève", "paix@example.org"),
        ("مكتب السلام <salam@example.org>", "مكتب السلام", "salam@example.org"),
    ],
)
def test_mailboxes_are_read_as_people_write_them(tmp_path: Path, text: str, name: str, address: str) -> None:
    """A name needs no quotes, whatever signs it holds; what is kept is read by the standard library."""
    settings = load(tmp_path, f"MAIL_FROM={text}")
    assert settings.MAIL_FROM is not None
    assert parseaddr(settings.MAIL_FROM) == (name, address)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='<>"\\')).map(str.strip))
def test_any_name_survives(name: str) -> None:
    """Whatever stands before the angle bracket is the name that readers will see."""
    assert parseaddr(Config(MAIL_FROM=f"{name} <office@example.org>").MAIL_FROM or "") == (name, "office@example.org")


def test_a_return_path_may_hold_the_reference(tmp_path: Path) -> None:
    """Bounces can find their way by the address alone."""
    assert (
        load(tmp_path, "RETURN_PATH=bounces+{reference}@example.org").RETURN_PATH == "bounces+{reference}@example.org"
    )


def test_contacts_may_be_a_folder_or_files(tmp_path: Path) -> None:
    """CONTACTS names one or several, separated by commas."""
    assert load(tmp_path).contact_paths == (Path("contacts"),)
    settings = load(tmp_path, "CONTACTS=lists/a.xlsx, lists/b and c.csv,")
    assert settings.contact_paths == (Path("lists/a.xlsx"), Path("lists/b and c.csv"))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///ledger.db",
        "sqlite:////var/l.db?timeout=0.5",
        "postgresql://a@b/c",
        "postgresql+psycopg://b/c",
        "postgresql://office@tenant:p/w:%40@[::1]:5432/ledger?sslmode=require&options=-csearch_path%3Dx",
        "postgresql:///ledger?host=/var/run/postgresql",
    ],
)
def test_ledgers(tmp_path: Path, url: str) -> None:
    """A ledger is a file of SQLite or a database of PostgreSQL."""
    assert load(tmp_path, f"LEDGER_URL={url}").LEDGER_URL == url


def test_settings_cannot_be_changed() -> None:
    """Whoever is given the settings can rely on them."""
    with pytest.raises(ValidationError):
        Config().SMTP_PORT = 25  # type: ignore[misc]


# --- secrets ----------------------------------------------------------------------------------------------------------

WITH_SECRETS = f"""
SMTP_USERNAME=office
SMTP_PASSWORD={SECRET}
OAUTH_CLIENT_SECRET={SECRET}
OAUTH_REFRESH_TOKEN={SECRET}
LEDGER_URL=postgresql://office:{SECRET}@db.example.org/ledger
"""


def test_secrets_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    """Neither str nor repr nor a format of the settings shows a password, a token or the ledger's URL."""
    settings = load(tmp_path, WITH_SECRETS)
    assert isinstance(settings.SMTP_PASSWORD, SecretStr)
    assert settings.SMTP_PASSWORD.get_secret_value() == SECRET
    assert SECRET not in f"{settings} {settings!r} {settings.SMTP_PASSWORD!r} {settings.SMTP_PASSWORD}"


def test_secrets_are_in_no_refusal(tmp_path: Path) -> None:
    """When settings are refused, neither the problems nor the traceback, with all causes, hold a secret."""
    text = WITH_SECRETS.replace("postgresql", "postgres") + "SMTP_PORT=x\nSMTP_PASSWORD_2='" + SECRET
    with pytest.raises(InputRefused) as refused:
        load(tmp_path, text, OAUTH_CLIENT_SECRET=SECRET)
    told = [str(refused.value), repr(refused.value), *map(repr, refused.value.problems)]
    error: BaseException | None = refused.value
    while error:
        told += [str(error), repr(error), *traceback.format_exception(error)]
        error = error.__cause__ or error.__context__
    assert len(refused.value.problems) == 3
    assert SECRET not in "\n".join(told)


def test_a_secret_is_kept_as_typed(tmp_path: Path) -> None:
    """A blank at the edge of a quoted password belongs to it, and # within is no comment."""
    settings = load(tmp_path, "SMTP_USERNAME=office\nSMTP_PASSWORD=' a#b '")
    assert settings.SMTP_PASSWORD == SecretStr(" a#b ")
