"""Making, opening and refusing a ledger: each refusal is one clear sentence, and leaves the file as it was."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import pytest
from sqlalchemy.exc import DBAPIError

from mailer.cli.doctor.folder import ledger_at
from mailer.errors import LedgerError, LedgerInUse
from mailer.ledger import Ledger
from mailer.ledger.schema import HEAD
from mailer.ledger.store import Taken, open_store
from mailer.ledger.versions import MIGRATIONS, bring_up_to_date, migrate
from mailer.model import State
from tests.ledger.people import (
    DOMAIN,
    EVENT,
    MAILING,
    NOW,
    RELAY,
    address,
    invitee,
    octets,
    outcome,
    queue,
    raw,
    send,
    states,
    steps,
)
from tests.rights import as_nobody

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def url(file: Path) -> str:
    """A file: what PostgreSQL refuses has a test of its own."""
    return f"sqlite:///{file}"


def tables(url: str) -> list[tuple[object, ...]]:
    """What there is and how it was made, whatever the spaces: a column that was added stands in no line of its own."""
    found = raw(url, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name")
    return [(*named, made and " ".join(str(made).split()).replace(" ,", ",")) for *named, made in found]


def test_a_ledger_is_there_again_when_it_is_opened_again(url: str) -> None:
    """What was queued and sent, and the secret behind all names, outlive the process."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1, 2)[:1])
        before, reference = list(ledger.deliveries(EVENT)), ledger.reference_of(EVENT, address(9))
    with Ledger.open(url, create=False) as ledger:
        assert (list(ledger.deliveries(EVENT)), ledger.reference_of(EVENT, address(9))) == (before, reference)


def test_a_relative_path_starts_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sqlite:///ledger.db` is the file in the folder where the command runs, also after a change of folder."""
    monkeypatch.chdir(tmp_path)
    with Ledger.open("sqlite:///ledger.db") as ledger:
        monkeypatch.chdir("/")
        queue(ledger, 1)
    assert (tmp_path / "ledger.db").is_file()


def test_a_ledger_in_memory_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run has a whole ledger and no file."""
    monkeypatch.chdir(tmp_path)
    with Ledger.open("sqlite://") as ledger:
        send(ledger, queue(ledger, 1))
        assert states(ledger) == [State.SENT]
    assert list(tmp_path.iterdir()) == []


def test_a_new_ledger_has_the_tables_that_the_migrations_make(file: Path, url: str) -> None:
    """The short way and the long way lead to the same schema, triggers and version included."""
    Ledger.open(url).close()
    migrated = f"sqlite:///{file}.migrated"
    store = open_store(migrated)
    with store.migrating() as connection:
        migrate(connection)
    store.close()
    assert tables(url) == tables(migrated)
    assert raw(migrated, "SELECT version_num FROM alembic_version") == [(HEAD,)]


NEXT = f'''
"""A change as a later version may make it."""
import sqlalchemy as sa
from alembic import op

from mailer.ledger.triggers import LAWS, journal, refusal

revision = "9999"
down_revision = "{HEAD}"

def upgrade() -> None:
    with op.batch_alter_table("deliveries", recreate="always") as batch:
        batch.add_column(sa.Column("later", sa.Text))
    for law in LAWS:
        if law.table == "deliveries":
            op.execute(refusal(law, "sqlite"))
    op.execute(journal("sqlite"))
'''


def test_a_full_ledger_can_be_migrated(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full ledger of this version takes a change of its central table, and keeps rows, keys and promises."""
    with Ledger.open(url) as ledger:
        numbers = queue(ledger, 1, 2)
        send(ledger, numbers[:1])
        before = list(ledger.deliveries(EVENT))
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "versions" / "v9999_later.py").write_text(NEXT)
    monkeypatch.setattr("mailer.ledger.schema.HEAD", "9999")
    monkeypatch.setattr("mailer.ledger.versions.MIGRATIONS", folder)
    with Ledger.open(url) as ledger:
        assert raw(url, "SELECT version_num FROM alembic_version") == [("9999",)]
        assert list(ledger.deliveries(EVENT)) == before
        with pytest.raises(DBAPIError, match="no such transition"):
            raw(url, f"UPDATE deliveries SET state = 'claimed' WHERE id = {numbers[0]}")
        send(ledger, numbers[1:])
        assert [became for _, became, _ in steps(url, numbers[1])] == [State.CLAIMED, State.SENT]


def test_a_ledger_of_an_older_version_keeps_all_it_holds(url: str) -> None:
    """Deliveries, attempts and journal of a ledger that an earlier program made are there afterwards, and guarded."""
    store = open_store(url)
    with store.migrating() as connection:
        migrate(connection, "0003")
    store.close()
    at = "2024-05-02T09:30:00.000000+00:00"
    for statement in (
        "INSERT INTO meta VALUES ('secret', '" + 32 * "07" + "')",
        f"INSERT INTO invitations VALUES (1, '{EVENT}', X'01', 'a@example.org', 'P', 'p', 'mission', 'personal', 'R', "
        ":at)",
        f"INSERT INTO runs VALUES (1, '{EVENT}', '{MAILING}', '{RELAY}', 'host', 7, :at, NULL)",
        "INSERT INTO deliveries (id, invitation_id, event, mailing, recipient, cc, message_id, state, reason, "
        f"attempts, queued_at, updated_at) VALUES (5, 1, '{EVENT}', '{MAILING}', 'a@example.org', '[]', '<m>', "
        "'queued', '', 1, :at, :at)",
        "UPDATE deliveries SET state = 'claimed', run_id = 1, claimed_at = :at, date = :at",
        "UPDATE deliveries SET state = 'sent'",
        f"INSERT INTO attempts VALUES (1, 5, 1, '{RELAY}', :at, :at, 'sent', 250, NULL, 'Ok', '', NULL)",
        f"INSERT INTO attempts VALUES (2, 5, 1, '{RELAY}', :at, :at, 'deferred', NULL, NULL, NULL, 'Lost', :at)",
        f"INSERT INTO attempts VALUES (3, 5, 1, '{RELAY}', :at, :at, 'in_doubt', NULL, NULL, NULL, 'Lost', NULL)",
    ):
        raw(url, statement, **({"at": at} if ":at" in statement else {}))
    with Ledger.open(url) as ledger:
        [delivery] = ledger.deliveries(EVENT)
        assert (delivery.id, delivery.state, delivery.message_id) == (5, State.SENT, "<m>")
        # What had got a reply, or was in doubt, was counted by the rolling windows.
        assert [attempt.transactions for attempt in ledger.attempts(5)] == [1, 0, 1]
        assert [became for _, became, _ in steps(url, 5)] == [State.CLAIMED, State.SENT]
    for statement in (
        "DELETE FROM deliveries",
        "UPDATE deliveries SET state = 'queued'",
        "UPDATE attempts SET transactions = 0",
    ):
        with pytest.raises(DBAPIError, match=r"never deleted|no such transition|stays as it was recorded"):
            raw(url, statement)
    assert {row[2] for row in raw(url, "PRAGMA foreign_key_list(attempts)")} == {"runs", "deliveries"}


def test_a_migration_that_fails_changes_nothing(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped half-way, the ledger is the old one, whole."""
    with Ledger.open(url) as ledger:
        queue(ledger, 1)
    before = tables(url)
    folder = shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "versions" / "v9999_later.py").write_text(NEXT + '    raise RuntimeError("stopped")\n')
    monkeypatch.setattr("mailer.ledger.schema.HEAD", "9999")
    monkeypatch.setattr("mailer.ledger.versions.MIGRATIONS", folder)
    with pytest.raises(RuntimeError, match="stopped"):
        Ledger.open(url)
    assert tables(url) == before
    monkeypatch.undo()
    with Ledger.open(url) as ledger:
        assert states(ledger) == [State.QUEUED]


def test_alembic_is_loaded_only_to_migrate(url: str) -> None:
    """Making, opening and using a ledger does without the half second that alembic takes to load."""
    code = (
        "import sys; from mailer.ledger import Ledger; Ledger.open(sys.argv[1]).close(); "
        "Ledger.open(sys.argv[1]).close(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, url], cwd=ROOT, check=True)


def refused(url: str, *, create: bool = True) -> str:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url, create=create).close()
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_a_newer_ledger_is_left_alone(file: Path, url: str) -> None:
    """A ledger from a newer program is refused, and not a byte of it is changed."""
    Ledger.open(url).close()
    raw(url, "UPDATE alembic_version SET version_num = '0999'")
    before = file.read_bytes()
    assert "newer mailer" in refused(url)
    assert file.read_bytes() == before


def test_a_missing_ledger_is_not_made_by_a_question(file: Path, url: str) -> None:
    """Commands that only ask do not make a ledger, and say which one does."""
    assert "`mailer send` makes it" in refused(url, create=False)
    assert not file.exists()
    file.touch()
    assert "is empty" in refused(url, create=False)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A path into a folder that is not there names the folder."""
    assert f"make {tmp_path}/nowhere" in refused(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert "is a folder" in refused(f"sqlite:///{tmp_path}")


def test_a_file_that_is_no_database_is_left_alone(file: Path, url: str) -> None:
    """A workbook under the ledger's name is refused and kept."""
    file.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    before = file.read_bytes()
    assert "is not a ledger" in refused(url)
    assert file.read_bytes() == before


@pytest.mark.parametrize("emptied", [False, True])
def test_a_ledger_that_is_lost_is_not_made_anew(file: Path, url: str, emptied: bool) -> None:
    """Deleted or emptied after a run had begun with it, it is missed by every command, and nobody is invited anew."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
    kept = file.read_bytes()
    if emptied:
        file.write_bytes(b"")
    else:
        file.unlink()
    before = sorted(file.parent.iterdir())
    for create in (True, False):
        sentence = refused(url, create=create)
        assert f"The ledger {file} is gone, or empty" in sentence
        assert "delete ledger.db.lock as well" in sentence
    with pytest.raises(LedgerError, match="is gone, or empty"):
        Ledger.exists(url)
    assert sorted(file.parent.iterdir()) == before
    file.write_bytes(kept)
    with Ledger.open(url) as ledger:
        assert states(ledger) == [State.SENT]


def test_what_an_emptied_ledgers_log_holds_is_kept(file: Path, url: str) -> None:
    """The write-ahead log of a lost ledger is left for its backup, which SQLite would delete with an empty file."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
        log = file.with_name("ledger.db-wal").read_bytes()
    file.write_bytes(b"")
    file.with_name("ledger.db-wal").write_bytes(log)
    assert "is gone, or empty" in refused(url)
    assert file.with_name("ledger.db-wal").read_bytes() == log


def test_an_older_copy_in_the_place_of_a_ledger_sends_nothing(file: Path, url: str) -> None:
    """It does not know who was sent to since, so no run begins with it until a person has decided."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
    copy = file.read_bytes()
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 2))
        send(ledger, queue(ledger, 3))
    latest = file.read_bytes()
    file.write_bytes(copy)
    for _ in range(3):
        with Ledger.open(url) as ledger:
            numbers = queue(ledger, 2)
            with pytest.raises(LedgerError, match="older copy: 4 later claims and outcomes are not in it"):
                send(ledger, numbers)
        with Ledger.open(url) as ledger, pytest.raises(LedgerError, match="older copy"):
            ledger.try_out()
    file.write_bytes(latest)
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 4))
    file.write_bytes(copy)
    file.with_name("ledger.db.lock").unlink()
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 2))
        assert states(ledger) == [State.SENT, State.SENT]


def test_a_copy_from_the_midst_of_the_latest_run_is_older_too(file: Path, url: str) -> None:
    """What a run has claimed since may be out, also where the copy knows the run itself."""
    backup = file.with_name("backup.db")
    with Ledger.open(url) as ledger:
        numbers = queue(ledger, 1, 2)
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            run.exchange((), numbers[:1], NOW)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
                source.backup(target)
            run.exchange((), numbers[1:], NOW)
    backup.replace(file)
    with Ledger.open(url) as ledger, pytest.raises(LedgerError, match="older copy"):
        send(ledger, numbers)


def test_doubts_do_not_make_a_copy_look_like_the_latest(file: Path, url: str, tmp_path: Path) -> None:
    """What an older copy holds as claimed is left as it is: in doubt, it would hide that as much is missing."""
    with Ledger.open(url) as ledger:
        numbers = queue(ledger, 1, 2)
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            run.exchange((), numbers[:1], NOW)
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "copy.db")) as target:
                source.backup(target)
            run.exchange((), numbers[1:], NOW)
            killed = file.with_name("ledger.db.lock").read_bytes()
    (tmp_path / "copy.db").replace(file)
    file.with_name("ledger.db.lock").write_bytes(killed)
    with Ledger.open(url) as ledger:
        assert ledger.sweep(NOW) == 0
        with pytest.raises(LedgerError, match="older copy"):
            ledger.sweep(NOW, quietly=False)
        with pytest.raises(LedgerError, match="older copy"):
            send(ledger, numbers)


def test_whoever_deletes_the_lock_too_begins_anew(file: Path, url: str) -> None:
    """Without its lock beside it nothing speaks of an earlier ledger."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
    file.unlink()
    file.with_name("ledger.db.lock").unlink()
    with Ledger.open(url) as ledger:
        assert states(ledger) == []


def test_a_ledger_that_never_had_a_run_is_made_anew(file: Path, url: str) -> None:
    """One whose maker was stopped, or that was only looked at, is missing or blank, and keeps nobody from beginning."""
    with Ledger.open(url) as ledger:
        queue(ledger, 1)
        assert ledger.sweep(NOW) == 0
    file.write_bytes(b"")
    assert not Ledger.exists(url)
    with Ledger.open(url) as ledger:
        assert queue(ledger, 1) == [1]


def test_a_ledger_behind_two_names_has_one_lock(tmp_path: Path, url: str) -> None:
    """Through a symbolic link too, a second run is told who is at work, and nothing is left beside the link."""
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "linked.db").symlink_to(tmp_path / "ledger.db")
    with (
        Ledger.open(url) as ledger,
        Ledger.open(f"sqlite:///{folder}/linked.db") as other,
        ledger.run(EVENT, MAILING, NOW, relay=RELAY),
        pytest.raises(LedgerInUse),
        other.run(EVENT, MAILING, NOW, relay=RELAY),
    ):
        pytest.fail("two runs at once")
    assert [path.name for path in folder.iterdir()] == ["linked.db"]


def test_a_lock_that_is_a_link_is_told_as_one(tmp_path: Path, file: Path, url: str) -> None:
    """A link in the place of the lock's file may lead anywhere, so it is not followed, and the sentence says so."""
    with Ledger.open(url) as ledger:
        send(ledger, queue(ledger, 1))
        lock = file.with_name("ledger.db.lock")
        lock.rename(tmp_path / "elsewhere.lock")
        lock.symlink_to(tmp_path / "elsewhere.lock")
        numbers = queue(ledger, 2)
        with pytest.raises(LedgerError, match="is a link: put the file that it leads to in its place"):
            send(ledger, numbers)
        (tmp_path / "elsewhere.lock").replace(lock)
        send(ledger, numbers)
        assert states(ledger) == [State.SENT, State.SENT]


def test_another_programs_database_is_left_alone(file: Path, url: str) -> None:
    """A database with other tables is refused; nothing is added to it."""
    for statement in ("CREATE TABLE contacts (name TEXT)", "CREATE TABLE alembic_version (version_num TEXT)"):
        raw(url, statement)
        before = file.read_bytes()
        assert "tables of another program" in refused(url)
        assert file.read_bytes() == before


@pytest.mark.parametrize("place", ["ledger.db", "mysql://host/ledger", "oracle://ledger", ""])
def test_a_url_that_names_no_store_is_explained(place: str) -> None:
    """Whatever is no URL of ours is answered with one that would be."""
    assert "LEDGER_URL=sqlite:///ledger.db" in refused(place)


@pytest.mark.parametrize(
    "place",
    [
        "sqlite:///{}?mode=ro&uri=true",
        "sqlite:///{}?foo=x",
        "sqlite:///{}?timeout=soon",
        "sqlite:///{}?timeout=1&foo=x",
        "sqlite:///{}?",
        "sqlite://host{}",
    ],
)
def test_what_a_file_has_no_use_for_is_refused(file: Path, place: str) -> None:
    """Behind a file stands its patience in seconds at most; nothing is ignored, and no file is made by mistake."""
    assert "nothing behind it but ?timeout=SECONDS" in refused(place.format(file))
    with pytest.raises(LedgerError):
        Ledger.exists(place.format(file))
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    "place",
    [
        "postgresql://u:p@sekrit:sekrit2/x",
        "postgresql://u:p@sekrit/sekrit2@127.0.0.1:1/x",
        "postgresql://u:sekrit@sekrit2.invalid:1/sekrit3",
        "postgresql://u:sekrit@127.0.0.1:1/x?sekrit2=y@z",
        "postgresql://u@127.0.0.1:1/sekrit?password=sekrit",
        "postgresql://sekrit:sekrit2",
        "sqlite://u:sekrit@sekrit2/x",
    ],
)
def test_no_part_of_a_url_with_a_password_is_shown(place: str) -> None:
    """However a URL with a password is mistyped, the sentence about it repeats nothing of it."""
    if place.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    assert "sekrit" not in refused(place)


def test_settings_that_postgresql_does_not_know_are_refused() -> None:
    """What stands behind the ? goes to the connection as it is, so that only what that takes may stand there."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    server = "postgresql://u@127.0.0.1:1/x"
    assert "LEDGER_URL sets 'row_factory', which PostgreSQL does not know" in refused(f"{server}?row_factory=x")
    assert "correct the settings behind the ?" in refused(f"{server}?host=127.0.0.1&port=x")
    assert "cannot be reached" in refused(f"{server}?connect_timeout=2")


def test_whether_a_ledger_is_there_can_be_asked(file: Path, url: str) -> None:
    """The question makes nothing, and is about the file that opening would take, whatever stands behind it."""
    assert not Ledger.exists(url)
    assert not Ledger.exists(f"{url}?timeout=1")
    assert list(file.parent.iterdir()) == []
    Ledger.open(url).close()
    assert Ledger.exists(url)
    assert Ledger.exists(f"{url}?timeout=1")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM alembic_version",
        "INSERT INTO alembic_version VALUES ('0001')",
        "DELETE FROM meta",
        "UPDATE meta SET value = 'x'",
    ],
)
def test_a_ledger_that_has_lost_its_version_or_secret_is_damaged(url: str, statement: str) -> None:
    """Whoever edited the two by hand is told so in a sentence."""
    Ledger.open(url).close()
    raw(url, statement)
    assert "is damaged" in refused(url)


def test_a_locked_ledger_says_so(file: Path, url: str) -> None:
    """While another program writes for too long, the command ends with a sentence and nothing half done."""
    with Ledger.open(f"{url}?timeout=0.05") as ledger:
        queue(ledger, 1)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LedgerError, match="is locked by another program"):
                ledger.enqueue(EVENT, MAILING, [invitee(2)], domain=DOMAIN, now=NOW)
            with pytest.raises(LedgerError, match="is locked"), ledger.run(EVENT, MAILING, NOW, relay=RELAY):
                pass
            assert states(ledger) == [State.QUEUED]
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY):
            pass


def test_opening_waits_for_who_is_making_the_ledger(file: Path, url: str) -> None:
    """A ledger that another process has just made, and still writes to, is opened as soon as that lets go of it."""
    Ledger.open(url).close()
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        assert "is locked by another program" in refused(f"{url}?timeout=0.05")
        leaving = threading.Timer(0.2, other.execute, ["COMMIT"])
        leaving.start()
        Ledger.open(url).close()
        leaving.join()


def test_a_ledger_that_may_only_be_read_says_so() -> None:
    """Without the right to write, opening is refused with a sentence, and the rows stay."""
    with TemporaryDirectory() as name:
        folder, file = Path(name), Path(name, "ledger.db")
        url = f"sqlite:///{file}"
        with Ledger.open(url) as ledger:
            queue(ledger, 1)
        file.chmod(0o444)
        folder.chmod(0o555)
        with as_nobody():
            assert "Give yourself the right to write" in refused(url)
            other = refused(f"sqlite:///{folder}/other.db")
            assert "give yourself the right to write to its folder" in other
            assert "LEDGER_URL" not in other
        folder.chmod(0o755)
        file.chmod(0o644)
        with Ledger.open(url) as ledger:
            assert states(ledger) == [State.QUEUED]


def test_what_a_colleague_left_beside_a_ledger_is_named() -> None:
    """Where another user's files beside the ledger keep it closed, it is they that are named."""
    with TemporaryDirectory() as name:
        folder, file = Path(name), Path(name, "ledger.db")
        folder.chmod(0o777)
        with Ledger.open(f"sqlite:///{file}") as ledger:
            queue(ledger, 1)
        file.chmod(0o666)
        for left in ("ledger.db-wal", "ledger.db-shm"):
            file.with_name(left).touch()
            file.with_name(left).chmod(0o444)
        with (
            as_nobody(),
            Ledger.open(f"sqlite:///{file}") as ledger,
            pytest.raises(LedgerError, match=r"right to read and write ledger\.db-wal and ledger\.db-shm"),
        ):
            queue(ledger, 2)


def test_a_lock_of_a_colleague_is_named() -> None:
    """Where the ledger may be written but the lock beside it may not, it is the lock that is named."""
    with TemporaryDirectory() as name:
        folder, file = Path(name), Path(name, "ledger.db")
        folder.chmod(0o777)
        with Ledger.open(f"sqlite:///{file}") as ledger, ledger.run(EVENT, MAILING, NOW, relay=RELAY):
            pass
        file.chmod(0o666)
        file.with_name("ledger.db.lock").chmod(0o644)
        with (
            as_nobody(),
            Ledger.open(f"sqlite:///{file}") as ledger,
            pytest.raises(LedgerError, match=r"right to read and write ledger\.db\.lock"),
            ledger.run(EVENT, MAILING, NOW, relay=RELAY),
        ):
            pass


def test_a_sweep_of_a_ledger_that_may_only_be_read_does_nothing() -> None:
    """Who may look but not write sees the claims of a dead run as they are, without a complaint."""
    with TemporaryDirectory() as name:
        folder, file = Path(name), Path(name, "ledger.db")
        folder.chmod(0o777)
        url = f"sqlite:///{file}"
        with Ledger.open(url) as ledger:
            [number] = queue(ledger, 1)
            with suppress(KeyboardInterrupt), ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
                run.exchange((), [number], NOW)
                shutil.copy(file, f"{file}.kept")
                shutil.copy(f"{file}-wal", f"{file}.kept-wal")
                raise KeyboardInterrupt
        kept = Path(f"{file}.kept")
        for path in folder.glob("*.kept*"):
            path.chmod(0o444)
        with as_nobody(), Ledger.open(f"sqlite:///{kept}", create=False) as ledger:
            assert ledger.sweep(NOW) == 0
            with pytest.raises(LedgerError, match="may only be read"):
                ledger.sweep(NOW, quietly=False)
            assert states(ledger) == [State.CLAIMED]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_is_gone_stops_the_run(file: Path, url: str, replaced: bool) -> None:
    """A file that is deleted or replaced under a run takes no claim and no outcome: it would be kept by nobody."""
    other = file.with_name("other.db")
    Ledger.open(f"sqlite:///{other}").close()
    with Ledger.open(url) as ledger:
        numbers = queue(ledger, 1, 2)

        def lose_the_file() -> None:
            with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
                [claimed] = run.exchange((), numbers[:1], NOW)
                kept = file.rename(file.with_name("kept.db"))
                if replaced:
                    other.rename(file)
                for outcomes, claim in ([outcome(claimed)], ()), ((), numbers[1:]):
                    with pytest.raises(LedgerError, match="deleted, moved or replaced while it was in use"):
                        run.exchange(outcomes, claim, NOW)
                with pytest.raises(LedgerError, match="deleted, moved or replaced"):
                    ledger.enqueue(EVENT, MAILING, [invitee(3)], domain=DOMAIN, now=NOW)
                kept.replace(file)
                run.exchange([outcome(claimed)], (), NOW)
                file.unlink()

        with pytest.raises(LedgerError, match="look at `mailer status`"):
            lose_the_file()
    assert not file.exists()


def test_a_damaged_ledger_says_so(file: Path, url: str) -> None:
    """A file with torn pages is reported as damaged, not as a traceback; its log must not stay for a copy of it."""
    with Ledger.open(url) as ledger:
        queue(ledger, *range(200))
    content = bytearray(file.read_bytes())
    content[4096 * 3 :] = os.urandom(len(content) - 4096 * 3)
    file.write_bytes(content)
    with pytest.raises(LedgerError, match=r"damaged. Move it away with its -wal|refused"), Ledger.open(url) as ledger:
        list(ledger.deliveries(EVENT))
        ledger.counts(EVENT)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by an administrator")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(small_disk: Path) -> None:
    """On a full disk the command ends with a sentence; what was recorded before stays, and with space it goes on."""
    place = f"sqlite:///{small_disk}/ledger.db"
    filler = small_disk / "filler"
    with Ledger.open(place) as ledger:
        numbers = queue(ledger, *range(20))
        with (
            pytest.raises(LedgerError, match="the disk is full"),
            ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run,
        ):
            claimed = run.exchange((), numbers[:5], NOW)
            run.exchange(list(map(outcome, claimed)), (), NOW)
            run.exchange((), numbers[5:7], NOW)
            with filler.open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space"):
                while True:
                    stream.write(bytes(4096))
            while True:
                ledger.enqueue(EVENT, "reminder", map(invitee, range(2000)), domain=DOMAIN, now=NOW)
        filler.unlink()
    with Ledger.open(place) as ledger, ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
        assert states(ledger, MAILING) == [State.SENT] * 5 + [State.IN_DOUBT] * 2 + [State.QUEUED] * 13
        assert states(ledger, "reminder") == []
        claimed = run.exchange((), numbers, NOW)
        run.exchange(list(map(outcome, claimed)), (), NOW)
        assert len(claimed) == 13


def test_a_disk_that_is_full_from_the_start_says_so(small_disk: Path) -> None:
    """Where not even the write-ahead log has room, the disk is named as what may be full, not only as faulty."""
    place = f"sqlite:///{small_disk}/ledger.db"
    Ledger.open(place).close()
    with (small_disk / "filler").open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space"):
        while True:
            stream.write(bytes(4096))
    with pytest.raises(LedgerError, match=r"disk (may be|is) full"), Ledger.open(place) as ledger:
        ledger.enqueue(EVENT, MAILING, map(invitee, range(2000)), domain=DOMAIN, now=NOW)


def test_the_version_is_read_before_anything_is_written(url: str) -> None:
    """Opening an up-to-date ledger changes none of its tables."""
    Ledger.open(url).close()
    before = tables(url)
    store = open_store(url)
    bring_up_to_date(store, create=False)
    store.close()
    assert tables(url) == before


def columns(url: str) -> list[tuple[object, ...]]:
    return [
        *raw(
            url,
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position",
        ),
        *raw(url, "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname"),
        *raw(
            url,
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = current_schema()::regnamespace ORDER BY conname",
        ),
        *raw(
            url,
            "SELECT tgname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace ORDER BY tgname",
        ),
    ]


def test_postgresql_is_made_and_migrated_alike(postgresql: Callable[[], str]) -> None:
    """The short way and the long way lead to the same schema there too."""
    made, migrated = postgresql(), postgresql()
    Ledger.open(made).close()
    store = open_store(migrated)
    with store.migrating() as connection:
        migrate(connection)
    store.close()
    names = [url.rpartition("%3D")[2] for url in (made, migrated)]
    first, second = (
        repr(columns(url)).replace(name, "ledger") for url, name in zip((made, migrated), names, strict=True)
    )
    assert first == second
    assert "deliveries_arrows" in first


def test_a_postgresql_session_is_given_up_when_its_other_side_is_gone(postgresql: Callable[[], str]) -> None:
    """Both sides ask after half a minute of silence and let go after a minute, unless LEDGER_URL says otherwise."""

    def settings_of(url: str) -> tuple[list[object], dict[str, str]]:
        store = open_store(url)
        with store.session() as session, session() as cursor:
            theirs = []
            for name in ("keepalives_idle", "keepalives_interval", "keepalives_count", "user_timeout"):
                cursor.execute(f"SELECT setting FROM pg_settings WHERE name = 'tcp_{name}'")
                theirs.append(cursor.fetchall()[0][0])
        with store.reading.connect() as connection:
            ours = connection.connection.driver_connection.info.get_parameters()
        store.close()
        return theirs, {name: value for name, value in ours.items() if name.startswith(("keepalives", "tcp_"))}

    url = postgresql()
    theirs, ours = settings_of(url)
    assert theirs == ["30", "10", "3", "60000"]
    assert ours == {
        "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "60000"
    }  # fmt: skip
    assert settings_of(f"{url}&keepalives_idle=7")[1]["keepalives_idle"] == "7"


def test_a_run_that_waits_keeps_its_postgresql_session(postgresql: Callable[[], str]) -> None:
    """A server that ends idle sessions does not end the one with the right to send."""
    url = postgresql()
    if int(str(raw(url, "SHOW server_version_num")[0][0])) < 14_00_00:
        pytest.skip("This server ends no idle sessions")
    with Ledger.open(f"{url}%20-cidle_session_timeout%3D100") as ledger:
        numbers = queue(ledger, 1)
        with ledger.run(EVENT, MAILING, NOW, relay=RELAY) as run:
            sleep(0.5)
            assert len(run.exchange((), numbers, NOW)) == 1


def test_postgresql_refusals_say_what_to_do(postgresql: Callable[[], str]) -> None:
    """An empty, a missing, an unreachable and a foreign database are each told apart."""
    url = postgresql()
    assert "is empty: `mailer send` fills it" in refused(url, create=False)
    assert not Ledger.exists(url)
    raw(url, "CREATE TABLE contacts (name text)")
    assert "tables of another program" in refused(url)
    assert Ledger.exists(url)
    server = url.partition("/postgres?")[0]
    assert 'database "nowhere" does not exist' in refused(f"{server}/nowhere")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "cannot be reached" in refused(f"postgresql://mailer:secret@127.0.0.1:{port}/postgres")
    assert "secret" not in refused(f"postgresql://mailer:secret@127.0.0.1:{port}/postgres")


def test_doctor_tries_to_make_a_table_in_postgresql(postgresql: Callable[[], str]) -> None:
    """A database in which mailer send could make no table is not called good, and a good one stays empty."""
    url = postgresql()
    assert ledger_at(url).result == "good"
    assert not Ledger.exists(url)
    raw(url, "CREATE ROLE guest LOGIN")
    guest = url.replace("mailer@", "guest@", 1)
    raw(url, f"GRANT USAGE ON SCHEMA {url.rpartition('%3D')[2]} TO guest")
    assert ledger_at(guest).result == "failed"
    assert "Grant the rights" in ledger_at(guest).found
    nowhere = ledger_at(f"{url}_misspelt")
    assert (nowhere.result, "search_path" in nowhere.found) == ("failed", True)


def test_what_another_program_still_reads_is_not_called_erased(tmp_path: Path) -> None:
    """SQLite leaves a page in the file as long as anybody reads it, until the command is run again."""
    url = f"sqlite:///{tmp_path}/ledger.db?timeout=0.1"
    local = address(1).local.encode()
    with Ledger.open(url) as ledger:
        queue(ledger, 1)
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM deliveries").fetchall()
            with pytest.raises(LedgerError, match="its file still holds it"):
                ledger.forget(address(1), NOW)
            assert local in octets(url)
        assert ledger.forget(address(1), NOW).deliveries == 1
        assert local not in octets(url)


def test_what_only_its_owner_can_erase_is_not_called_erased(postgresql: Callable[[], str]) -> None:
    """Who may write to the tables but does not own them is told that the files still hold the address."""
    url = postgresql()
    schema = url.rpartition("%3D")[2]
    with Ledger.open(url) as ledger:
        queue(ledger, 1)
    for statement in (
        "CREATE ROLE writer LOGIN",
        f"GRANT USAGE ON SCHEMA {schema} TO writer",
        f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO writer",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA {schema} TO writer",
    ):
        raw(url, statement)
    with (
        Ledger.open(url.replace("mailer@", "writer@", 1)) as ledger,
        pytest.raises(LedgerError, match="the owner of its tables"),
    ):
        ledger.forget(address(1), NOW)
    with Ledger.open(url) as ledger:
        assert ledger.forget(address(1), NOW).deliveries == 1


def test_one_ledger_in_postgresql_has_one_right_to_send(postgresql: Callable[[], str]) -> None:
    """Whatever stands before its schema in the search path, such as a schema of the user's own."""
    ledgers, own = postgresql(), postgresql()
    Ledger.open(ledgers).close()
    both = f"{own},{ledgers.rpartition('%3D')[2]}"
    first, second, other = (open_store(url) for url in (ledgers, both, own))
    try:
        with first.exclusive(), pytest.raises(Taken), second.exclusive(patient=False):
            pass
        with first.exclusive(), other.exclusive(patient=False):
            pass
    finally:
        for store in (first, second, other):
            store.close()
