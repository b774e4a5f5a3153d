"""Replies as the relay writes them, in whatever pieces they come (RFC 5321 section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from mailer.model import Reply
from mailer.smtp.steps import Lost

# RFC 5321 section 4.5.3.1.5 allows 512 octets a line; real servers write more, only an attacker writes this much.
MAX_LINE = 4096
MAX_LINES = 200

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")


class ReplyReader:
    """Turns octets into replies. Reads a bare LF as a line end too, as every client does."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []
        self._code = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a further reply has come yet."""
        return not self._rest and not self._lines

    def feed(self, octets: bytes) -> Iterator[Reply]:
        """The replies that `octets` complete; to be run to its end. Raises Lost on what cannot be a reply."""
        lines = (self._rest + octets).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if reply := self._take(line):
                yield reply
        if len(self._rest) > MAX_LINE:
            raise Lost(f"the relay's answer has a line of more than {MAX_LINE} octets")

    def _take(self, line: bytes) -> Reply | None:
        code, is_last, text = _parse(line)
        if self._lines and code != self._code:
            raise Lost(f"the relay's answer changes from {self._code} to {code} half-way")
        if is_last and not self._lines:
            return _single(code, text)
        self._code = code
        self._lines.append(text)
        if len(self._lines) > MAX_LINES:
            raise Lost(f"the relay's answer has more than {MAX_LINES} lines")
        if not is_last:
            return None
        reply = Reply(code, _enhanced(self._lines[0]), tuple(self._lines))
        self._lines = []
        return reply


# A relay gives the same few answers to most commands, thousands of times in a run.
@lru_cache(maxsize=32)
def _parse(line: bytes) -> tuple[int, bool, str]:
    if len(line) > MAX_LINE:
        raise Lost(f"the relay's answer has a line of more than {MAX_LINE} octets")
    found = _LINE.fullmatch(line.removesuffix(b"\r"))
    if not found:
        raise Lost(f"the relay's answer is no SMTP: {_legible(line[:60])!r}")
    code, mark, text = found.groups()
    return int(code), mark != b"-", _legible(text or b"")


@lru_cache(maxsize=32)
def _single(code: int, text: str) -> Reply:
    return Reply(code, _enhanced(text), (text,))


def _enhanced(text: str) -> str | None:
    found = _ENHANCED.match(text)
    return found[1] if found else None


def _legible(text: bytes) -> str:
    """The text as it came, save that what could act on a terminal or a database is spelled out."""
    plain = text.decode("utf-8", "backslashreplace").rstrip()
    return plain if plain.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)
