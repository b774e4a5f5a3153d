"""Replies are read whole or not at all, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.model import Reply
from mailer.smtp.features import Features
from mailer.smtp.replies import MAX_LINE, MAX_LINES, ReplyReader
from mailer.smtp.steps import Lost

replies = st.lists(
    st.builds(
        lambda code, lines: Reply(code, None, tuple(lines)),
        st.integers(200, 599),
        st.lists(st.text(st.characters(categories=["L"]), max_size=20), min_size=1, max_size=4),
    ),
    max_size=5,
)


def written(reply: Reply) -> bytes:
    *before, last = reply.lines
    return "".join([*(f"{reply.code}-{text}\r\n" for text in before), f"{reply.code} {last}\r\n"]).encode()


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted({place % (len(octets) + 1) for place in places}), len(octets)]
    return [octets[start:end] for start, end in pairwise(ends)]


def read(pieces: list[bytes]) -> list[Reply | str]:
    reader, found = ReplyReader(), []
    try:
        for piece in pieces:
            found.extend(reader.feed(piece))
    except Lost as exc:
        found.append(str(exc))
    return found


@given(replies, st.lists(st.integers(0, 500)))
def test_replies_survive_any_cut(sent: list[Reply], places: list[int]) -> None:
    """A reply is the same whether it comes in one piece or octet by octet, alone or with others."""
    assert read(cut(b"".join(map(written, sent)), places)) == sent


@given(
    st.binary(max_size=300) | st.from_regex(rb"([2-5][0-9][0-9][ -]?[a-z]{0,3}\r?\n){0,5}"),
    st.lists(st.integers(0, 300)),
)
def test_garbage_is_told_as_garbage(octets: bytes, places: list[int]) -> None:
    """Whatever comes is either a reply or a fault in plain words, and the same however it is cut."""
    assert read(cut(octets, places)) == read([octets])


@pytest.mark.parametrize(
    ("octets", "status", "lines"),
    [
        (b"250\r\n", None, ("",)),
        (b"250 \r\n", None, ("",)),
        (b"250 2.0.0 Ok\n", "2.0.0", ("2.0.0 Ok",)),
        (b"550-5.1.1 No such user\r\n550 5.1.1 Try another\r\n", "5.1.1", ("5.1.1 No such user", "5.1.1 Try another")),
        (b"550 5.1.1234 Not a status\r\n", None, ("5.1.1234 Not a status",)),
        (b"250 \xc3\xa9t\xe9\r\n", None, ("\u00e9t\\xe9",)),
        (b"250 \x1b[2J\x00\r\n", None, ("\\x1b[2J\\x00",)),
    ],
)
def test_words_are_kept_as_they_came(octets: bytes, status: str | None, lines: tuple[str, ...]) -> None:
    """The relay's words stay verbatim, save that control characters are spelled out."""
    (reply,) = read([octets])
    assert isinstance(reply, Reply)
    assert (reply.enhanced_status, reply.lines) == (status, lines)


@pytest.mark.parametrize(
    "octets",
    [
        b"250" + b"x" * (MAX_LINE + 1),
        b"250 " + b"x" * MAX_LINE + b"\r\n",
        b"250-x\r\n" * (MAX_LINES + 1),
        b"250-x\r\n251 y\r\n",
        b"250x\r\n",
        b"150 x\r\n",
        b"25\r\n",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_what_is_no_reply_ends_the_reading(octets: bytes) -> None:
    """Endless lines, changing codes and other protocols are recognised, in bounded memory."""
    with pytest.raises(Lost):
        list(ReplyReader().feed(octets))


def test_features_are_read_from_the_ehlo_reply() -> None:
    """Keywords count in any case, with old spellings; what is unknown or unreadable is passed over."""
    lines = (
        "relay",
        "size 1000",
        "8bitmime",
        "PIPELINING",
        "DSN",
        "SMTPUTF8",
        "AUTH PLAIN login",
        "AUTH=XOAUTH2",
        "",
        "X-NEW 1",
    )
    features = Features.from_ehlo(Reply(250, None, lines))
    assert features == Features(1000, True, True, True, True, False, frozenset({"PLAIN", "LOGIN", "XOAUTH2"}))
    assert Features.from_ehlo(Reply(250, None, ("relay", "SIZE"))).size == 0
    assert Features.from_ehlo(Reply(250, None, ("relay", "SIZE \u00b2"))).size == 0
    assert Features.from_ehlo(Reply(250, None, ("relay",))) == Features()
    assert not Features.from_ehlo(Reply(250, None, ("relay", "SMTPUTF8"))).smtputf8  # of no use without 8BITMIME


@pytest.mark.parametrize(
    ("line", "most"),
    [
        ("LIMITS RCPTMAX=20", 20),
        ("limits MAILMAX=2 rcptmax=1 RCPTDOMAINMAX=5", 1),
        ("LIMITS RCPTMAX=0", None),
        ("LIMITS RCPTMAX=", None),
        ("LIMITS", None),
    ],
)
def test_limits_say_how_many_recipients_a_message_may_have(line: str, most: int | None) -> None:
    """RCPTMAX of RFC 9422 is read wherever it stands, and nothing else taken for it."""
    assert Features.from_ehlo(Reply(250, None, ("relay", line))).most_recipients == most
