"""A PostgreSQL server at the other end of a network proves who it is before it learns anything."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from mailer.cli.doctor.folder import ledger_at
from mailer.errors import LedgerError
from mailer.ledger import Ledger, tls

pytest.importorskip("psycopg", reason="the PostgreSQL driver is not installed")


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of PostgreSQL in the environment, nor in the home folder."""
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def remote(postgresql: Callable[[], str]) -> str:
    """An empty schema of a server that is named as from afar, whatever address leads to it."""
    return f"{postgresql().replace('@127.0.0.1', '@db.example.org')}&hostaddr=127.0.0.1"


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def without_tls() -> Iterator[str]:
    """A server that answers the question for TLS with no (PostgreSQL documentation, section 55.2.10)."""

    def refuse() -> None:
        end, _ = listener.accept()
        with end:
            end.recv(8)
            end.sendall(b"N")
            heard.append(end.recv(100))

    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=refuse)
        server.start()
        yield f"postgresql://u@db.example.org:{listener.getsockname()[1]}/x?hostaddr=127.0.0.1"
        server.join(10)
    assert heard == [b""]


def refused(url: str) -> str:
    with pytest.raises(LedgerError) as raised:
        Ledger.open(url)
    return str(raised.value)


def test_a_server_elsewhere_has_to_prove_who_it_is(remote: str, ca_file: Path) -> None:
    """By a certificate for its name, from an authority that is known; each refusal names what to write."""
    assert "sslrootcert=FILE" in refused(remote)
    assert "sslrootcert=FILE" in refused(f"{remote}&sslrootcert={ca_file}.gone")
    named = f"{remote}&sslrootcert={ca_file}"
    assert "the name that the certificate is for" in refused(named.replace("@db.", "@other."))
    Ledger.open(named).close()
    assert ledger_at(named).result == "good"


def test_the_authorities_of_the_machine_are_known(
    remote: str, ca_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those that Python knows, whatever the driver's own OpenSSL looks for; else the file that PostgreSQL's own
    programs read."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    Ledger.open(remote).close()
    monkeypatch.delenv("SSL_CERT_FILE")
    (tmp_path / ".postgresql").mkdir()
    ca_file.rename(tmp_path / ".postgresql/root.crt")
    Ledger.open(remote).close()


def test_a_server_elsewhere_without_tls_learns_nothing(without_tls: str) -> None:
    """Neither the name of the user nor a password leaves in clear text."""
    assert "sslmode=disable" in refused(without_tls)


def test_a_server_may_be_let_off_in_so_many_words(remote: str) -> None:
    """What LEDGER_URL says of sslmode holds; doctor calls it by its name."""
    for mode in ("require", "disable", "prefer"):
        url = f"{remote}&sslmode={mode}"
        Ledger.open(url).close()
        finding = ledger_at(url)
        assert finding.result == "attention"
        assert f"sslmode={mode}" in finding.found
        assert "sslmode=verify-full" in finding.to_do


def test_this_machine_needs_no_proof(postgresql: Callable[[], str]) -> None:
    """On loopback nobody else is on the way."""
    url = postgresql()
    Ledger.open(url).close()
    assert ledger_at(url).result == "good"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"host": "localhost"},
        {"host": "127.0.0.1,::1"},
        {"host": "/var/run/postgresql"},
        {"hostaddr": "127.0.0.2"},
    ],
)
def test_what_is_surely_here(asked: dict[str, str]) -> None:
    """Loopback and sockets, and no host at all, which is a socket."""
    assert tls.settings(asked) == {}
    assert not tls.unproved({**asked, "sslmode": "disable"})


@pytest.mark.parametrize(
    "asked",
    [
        {"host": "db.example.org"},
        {"host": "192.0.2.1"},
        {"host": "localhost,db.example.org"},
        {"host": "localhost", "hostaddr": "192.0.2.1"},
        {"host": "localhost.example.org"},
        {"service": "ledger"},
    ],
)
def test_what_may_be_elsewhere(asked: dict[str, str]) -> None:
    """Any host among several, an address behind whatever name, and what a service file may name."""
    assert tls.settings(asked)["sslmode"] == "verify-full"
    assert not tls.unproved(asked)
    assert tls.unproved({**asked, "sslmode": "require"}) == "sslmode=require"


def test_what_the_environment_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """PGHOST is a host like any other, and PGSSLMODE and PGSSLROOTCERT are words of the administrator's too."""
    monkeypatch.setenv("PGHOST", "db.example.org")
    assert tls.settings({})["sslmode"] == "verify-full"
    monkeypatch.setenv("PGSSLROOTCERT", "ca.pem")
    assert tls.settings({}) == {"sslmode": "verify-full"}
    monkeypatch.setenv("PGSSLMODE", "require")
    assert tls.settings({}) == {}
    assert tls.unproved({}) == "sslmode=require"
    monkeypatch.setenv("PGSSLMODE", "prefer")  # libpq's own default, said in so many words
    assert tls.settings({}) == {}
    assert tls.unproved({}) == "sslmode=prefer"
