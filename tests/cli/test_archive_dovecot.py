"""`mailer resolve --archive` with a real IMAP server: Dovecot, over TLS, with folders as it marks and names them."""

import imaplib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.cli.conftest import Folder
from tests.servers import ScriptedServer, drop

pwd = pytest.importorskip("pwd", reason="Dovecot runs on Unix")
grp = pytest.importorskip("grp")
BACKSLASH = "\\"
USER, PASSWORD = "events@sender.example.org", 'päss "wörd" \\ hush'
SENT, OTHER = "Gesendete Objekte", "Archives/&AMk-t&AOk- 2031"
CONFIGURATION = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{base}/server.pem
ssl_key = <{base}/server.pem
mail_location = maildir:{base}/mail
first_valid_uid = 1
{users}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox "Gesendete Objekte" {{
    auto = create
    special_use = \\Sent
  }}
  mailbox "Archives/Été 2031" {{
    auto = create
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A running server; `ca_file` proves who it is."""

    imap: int
    imaps: int
    ca_file: Path

    def keep(self, folder: str, content: bytes) -> None:
        """Files a message, as a mail program does, on the day of the tests."""
        with self._inside() as box:
            day = imaplib.Time2Internaldate(datetime(2031, 2, 24, 10, tzinfo=UTC))
            assert box.append(f'"{folder}"', "", day, content)[0] == "OK"

    def flags(self, folder: str) -> list[bytes]:
        """What the server says of the folder's messages."""
        with self._inside() as box:
            box.select(f'"{folder}"', readonly=True)
            return [line for line in box.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]

    def _inside(self) -> imaplib.IMAP4_SSL:
        box = imaplib.IMAP4_SSL("127.0.0.1", self.imaps, ssl_context=ssl.create_default_context(cafile=self.ca_file))
        box.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return box


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not program:
        pytest.skip("Dovecot is not installed")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("2.3."):
        pytest.skip(f"the configuration is for Dovecot 2.3, and this is {version}")
    with tempfile.TemporaryDirectory(prefix="dovecot") as folder:
        base = Path(folder)
        imap, imaps = _configure(base)
        with subprocess.Popen([program, "-F", "-c", str(base / "dovecot.conf")]) as server:
            try:
                _await(server, imap, base / "log")
                yield Dovecot(imap, imaps, base / "ca.pem")
            finally:
                server.terminate()


def _configure(base: Path) -> tuple[int, int]:
    """Everything that the server reads; its ports. It hands its work to other users where it runs as root."""
    is_root = os.getuid() == 0
    me = pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(os.getgid()).gr_name
    keeper = pwd.getpwnam("nobody" if is_root else me)
    users = (
        "" if is_root else f"default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {group}"
    )
    imap, imaps = _free_ports()
    text = CONFIGURATION.format(base=base, users=users, uid=keeper.pw_uid, gid=keeper.pw_gid, imap=imap, imaps=imaps)
    (base / "dovecot.conf").write_text(text, "utf-8")
    (base / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n", "utf-8")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(base / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(base / "server.pem"))
    (base / "mail").mkdir()
    if is_root:
        base.chmod(0o755)
        os.chown(base / "mail", keeper.pw_uid, keeper.pw_gid)
    return imap, imaps


def _await(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Returns once the server listens; skips the tests where it cannot run here."""
    for _ in range(200):
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.skip(f"Dovecot does not start here: {log.read_text('utf-8') if log.exists() else 'it says nothing'}")


def configure(folder: Folder, dovecot: Dovecot, password: str) -> None:
    values = {"IMAP_URL": f"imap://{USER}@127.0.0.1", "IMAP_PASSWORD": password, "SMTP_CA_FILE": str(dovecot.ca_file)}
    folder.write("config.env", "".join(f"{key}={value}\n" for key, value in values.items()))


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_real_server_settles_what_it_holds(folder: Folder, dovecot: Dovecot, scheme: str) -> None:
    """What lies in the folder marked for sent messages, or in one named by its own letters, was sent; what was unread
    there stays unread."""
    with ScriptedServer({"dot": [drop, drop, "250 Ok"]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    first, second = (recipient for recipient, state in folder.states().items() if state == "in_doubt")
    copies = {transaction.recipients[0]: transaction.content for transaction in relay.accepted}
    dovecot.keep(SENT, copies[first])
    dovecot.keep(OTHER, copies[second])
    configure(folder, dovecot, f"'{PASSWORD.replace(BACKSLASH, BACKSLASH * 2)}'")
    server = f"{scheme}://{USER}@127.0.0.1:{dovecot.imaps if scheme == 'imaps' else dovecot.imap}"

    marked = folder.run("resolve", "--archive", server)
    assert marked.code == 1, marked.err
    assert SENT in marked.out
    assert (folder.states()[first], folder.states()[second]) == ("sent", "in_doubt")
    missing = folder.run("resolve", "--archive", f"{server}/Archives/2031")
    assert missing.code == 2
    assert f"There are: Archives/Été 2031, {SENT}, INBOX." in missing.err
    assert folder.run("resolve", "--archive", f"{server}/Archives/%C3%89t%C3%A9%202031").code == 0
    assert set(folder.states().values()) == {"sent"}
    assert b"Seen" not in b"".join(dovecot.flags(SENT) + dovecot.flags(OTHER))


def test_a_real_server_refuses_a_wrong_password(folder: Folder, dovecot: Dovecot) -> None:
    """Its own words are shown, and nothing is settled."""
    with ScriptedServer({"dot": [drop, "250 Ok"]}) as relay:
        folder.relay(relay)
        folder.run("send", "--yes")
    configure(folder, dovecot, "wrong-hush")
    refused = folder.run("resolve", "--archive", f"imaps://{USER}@127.0.0.1:{dovecot.imaps}")
    assert refused.code == 4
    assert "Authentication failed" in refused.err
    assert "hush" not in refused.err
    assert "in_doubt" in folder.states().values()
