"""A small IMAP server over real sockets (RFC 3501, read-only), to be broken at any command."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from tests.servers import Action, Script, ScriptedServer, Session, _Over

USER, PASSWORD = "events@sender.example.org", "päss wörd-hush"


@dataclass
class Kept:
    """One message of a folder: its octets, and the day that it was filed."""

    octets: bytes
    day: date = date(2031, 2, 24)
    folded: bool = False

    @cached_property
    def message_id(self) -> str:
        found = re.search(rb"(?im)^message-id:\s*(.*?)\r?$", self.octets)
        return found[1].decode() if found else ""


def kept(message_id: str, **facts: object) -> Kept:
    """A message of which nothing but its identifier matters."""
    return Kept(f"Message-ID: {message_id}\r\nSubject: Invitation\r\n\r\nBody".encode(), **facts)  # type: ignore[arg-type]


def tell(octets: bytes) -> Action:
    """Writes this, exactly as given, as the answer to a command that is done."""

    def act(session: Session) -> None:
        tag = session.line.partition(" ")[0].encode()
        session.socket.sendall(octets + tag + b" OK Done\r\n")

    return act


def endlessly(octets: bytes, pause: float = 0.0) -> Action:
    """Writes this again and again, with a pause of so many seconds, until the client hangs up."""

    def act(session: Session) -> None:
        while True:
            session.socket.sendall(octets)
            time.sleep(pause)

    return act


def repeat(refusal: str) -> Action:
    """Ends a login with `refusal`, in which {heard} stands for all that the client said, and the connection."""

    def act(session: Session) -> None:
        tag, _, heard = session.line.partition(" ")
        if heard.startswith("AUTHENTICATE"):
            session.socket.sendall(b"+ \r\n")
            heard += " " + session._read_until(b"\n").decode().rstrip("\r\n")
        session.socket.sendall(refusal.format(tag=tag, heard=heard).encode() + b"\r\n")
        raise _Over

    return act


class ImapServer(ScriptedServer):
    """Holds `folders` (names as they are on the wire, in modified UTF-7) for one user; a context manager.

    `marks` are the flags of folders besides. `script` is that of ScriptedServer, its steps being `greeting` and the
    commands in lower case (`login`, `authenticate`, `list`, `examine`, `search`, `fetch`, `logout`): a reply is a
    whole answer, `{tag}` standing for the command's. `search` says which messages a search by header finds, given
    message and identifier. `takes` says whether a token is good; where it is set no password is.
    """

    def __init__(
        self,
        folders: Mapping[str, Sequence[Kept]],
        marks: Mapping[str, str] | None = None,
        script: Script | None = None,
        tls: ssl.SSLContext | None = None,
        tls_at_once: bool = False,
        search: Callable[[Kept, str], bool] = lambda message, wanted: wanted in message.message_id,
        takes: Callable[[str], bool] | None = None,
        plain: bool = True,
    ) -> None:
        super().__init__(script, (), tls, tls_at_once)
        self.folders, self.marks = folders, marks or {}
        self.search, self.takes, self.plain = search, takes, plain
        self.logins: list[str] = []
        self.fetched = 0

    def verbs(self) -> list[str]:
        """The commands that came, without their tags."""
        return [re.sub(r"^\S+ (UID )?", "", command).split(" ")[0].upper() for command in self.commands]

    def _serve(self, connection: socket.socket) -> None:
        session = _Conversation(self, connection)
        with contextlib.suppress(_Over, OSError):
            session.run()
        self._open.discard(connection)
        session.close()


@dataclass
class _Conversation(Session):
    server: ImapServer
    folder: Sequence[Kept] | None = None
    is_secret: bool = field(default=False)

    def run(self) -> None:
        if self.server.tls_at_once:
            self._begin_tls()
            self.is_secret = True
        self._answer("greeting", "* OK imap.example.org ready")
        while True:
            self.line = self._read_until(b"\n").decode().rstrip("\r\n")
            self.server.commands.append(self.line)
            tag, _, rest = self.line.partition(" ")
            verb, _, words = rest.removeprefix("UID ").partition(" ")
            act = self.server.act_for(verb.lower())
            if isinstance(act, str):
                self._tell(act.format(tag=tag))
            elif act:
                act(self)
            else:
                getattr(self, f"_{verb.lower()}")(tag, words)

    def _tell(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def _capability(self, tag: str, words: str) -> None:
        offered = ["IMAP4rev1", "SPECIAL-USE"]
        if self.server.tls and not self.is_secret:
            offered += ["STARTTLS"]
        if self.server.plain:
            offered += ["AUTH=PLAIN"]
        self._tell(f"* CAPABILITY {' '.join(offered)}", f"{tag} OK Done")

    def _starttls(self, tag: str, words: str) -> None:
        self._tell(f"{tag} OK Begin")
        self._begin_tls()
        self.is_secret = True

    def _login(self, tag: str, words: str) -> None:
        user, password = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', words)
        unquoted = [re.sub(r"\\(.)", r"\1", quoted or atom) for quoted, atom in (user, password)]
        self._let_in(tag, unquoted == [USER, PASSWORD], unquoted[1])

    def _authenticate(self, tag: str, words: str) -> None:
        self._tell("+ ")
        said = base64.b64decode(self._read_until(b"\n")).decode()
        if words == "PLAIN":
            self._let_in(tag, said == f"\0{USER}\0{PASSWORD}", said.rpartition("\0")[2])
            return
        user, _, token = said.rstrip("\1").partition("\1auth=Bearer ")
        good = user == f"user={USER}" and self.server.takes is not None and self.server.takes(token)
        if not good:
            self._tell("+ eyJzdGF0dXMiOiI0MDAifQ==")
            self._read_until(b"\n")
        self._let_in(tag, good, token)

    def _let_in(self, tag: str, good: bool, secret: str) -> None:
        self.server.logins.append(secret)
        # A careless server says what it heard.
        said = "OK Logged in" if good else f"NO [AUTHENTICATIONFAILED] {'x' * 290}{secret} is wrong"
        self._tell(f"{tag} {said}")

    def _list(self, tag: str, words: str) -> None:
        flags = self.server.marks
        rows = [f'* LIST (\\HasNoChildren {flags.get(name, "")}) "/" "{name}"' for name in self.server.folders]
        self._tell(*rows, f"{tag} OK Done")

    def _examine(self, tag: str, words: str) -> None:
        self.folder = self.server.folders.get(words.strip('"'))
        if self.folder is None:
            self._tell(f"{tag} NO [NONEXISTENT] Unknown Mailbox")
        else:
            self._tell(f"* {len(self.folder)} EXISTS", "* OK [UIDVALIDITY 1] Valid", f"{tag} OK [READ-ONLY] Done")

    def _search(self, tag: str, words: str) -> None:
        assert self.folder is not None
        assert len(words) < 8000
        if day := re.fullmatch(r"\(SINCE (\d+-\w+-\d+)\)", words):
            since = datetime.strptime(f"{day[1]} +0000", "%d-%b-%Y %z").date()
            found = [message for message in self.folder if message.day >= since]
        else:
            wanted = re.findall(r'HEADER Message-ID "(.*?)"', words)
            assert words.startswith("OR " * (len(wanted) - 1) + "HEADER ")
            found = [message for message in self.folder if any(self.server.search(message, one) for one in wanted)]
        uids = " ".join(str(7 + self.folder.index(message)) for message in found)
        self._tell(f"* SEARCH {uids}".rstrip(), f"{tag} OK Done")

    def _fetch(self, tag: str, words: str) -> None:
        assert self.folder is not None
        uids, _, what = words.partition(" ")
        assert what == "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
        for uid in map(int, uids.split(",")):
            message = self.folder[uid - 7]
            self.server.fetched += 1
            between = "\r\n " if message.folded else " "
            header = f"Message-ID:{between}{message.message_id}\r\n\r\n" if message.message_id else "\r\n"
            # News of flags may come at any time (RFC 3501 section 7).
            self._tell(f"* {uid - 6} FETCH (FLAGS (\\Seen))")
            self._tell(f"* {uid - 6} FETCH (UID {uid} BODY[HEADER.FIELDS (MESSAGE-ID)] {{{len(header)}}}")
            self.socket.sendall(header.encode())
            self._tell(")")
        self._tell(f"{tag} OK Done")

    def _logout(self, tag: str, words: str) -> None:
        self._tell("* BYE", f"{tag} OK Done")
        raise _Over
