"""A fresh ledger for each test, on each store that this machine offers."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trustme

from mailer.ledger import Ledger
from tests.ledger.people import raw


def _programs() -> Path | None:
    """The folder of PostgreSQL's server programs, which is seldom on the path."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return Path(found).parent if found else next(iter(folders), None)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Vouches for the PostgreSQL server, which is db.example.org to it."""
    return trustme.CA()


@pytest.fixture(scope="session")
def postgresql(authority: trustme.CA) -> Iterator[Callable[[], str]]:
    """Makes URLs of empty schemas in a PostgreSQL server of our own; skips, saying why, where there is none."""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as administrator
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        if user:
            shutil.chown(folder, user)
        place = str(Path(folder, "server"))
        make = [str(programs / "initdb"), "-D", place, "-U", "mailer", "-A", "trust", "--no-sync", "-E", "UTF8"]
        made = subprocess.run(make, user=user, cwd=folder, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"PostgreSQL cannot make a database: {made.stderr}")
        proof = Path(folder, "server.pem")
        authority.issue_cert("db.example.org").private_key_and_cert_chain_pem.write_to_path(str(proof))
        proof.chmod(0o600)
        if user:
            shutil.chown(proof, user)
        start = [str(programs / "postgres"), "-D", place, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F",
                 "-c", "ssl=on", "-c", f"ssl_cert_file={proof}", "-c", f"ssl_key_file={proof}"]  # fmt: skip
        with subprocess.Popen(start, user=user, cwd=folder, stderr=subprocess.DEVNULL) as server:
            try:
                base = f"postgresql+psycopg://mailer@127.0.0.1:{port}/postgres"
                _wait_until_it_answers(base, server)
                numbers = count()

                def empty_schema() -> str:
                    name = f"ledger{next(numbers)}"
                    raw(base, f"CREATE SCHEMA {name}")
                    return f"postgresql://mailer@127.0.0.1:{port}/postgres?options=-csearch_path%3D{name}"

                yield empty_schema
            finally:
                server.terminate()


def _wait_until_it_answers(url: str, server: subprocess.Popen[bytes]) -> None:
    from sqlalchemy.exc import OperationalError

    for _ in range(300):
        try:
            raw(url, "SELECT 1")
        except OperationalError:
            if server.poll() is not None:
                pytest.skip("PostgreSQL does not start")
            time.sleep(0.1)
        else:
            return
    pytest.skip("PostgreSQL does not answer")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new ledger may be made, in each dialect."""
    if request.param == "postgresql":
        place: str = request.getfixturevalue("postgresql")()
        return place
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        yield ledger
