"""Nothing that we write can be taken for another command, or for the end of the message."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.model import Address, Envelope
from mailer.smtp import Features, commands

ALL = Features(1000, True, True, True, True)
SENDER, A = Address.parse("bounces@example.org"), Address.parse("a@example.org")

pieces = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a", b"", b"\r\n.\r\n", b"\r", b"\n", b"QUIT"]), max_size=12)


def understood(wire: bytes) -> bytes:
    """What a server that reads by the letter of RFC 5321 takes from the wire up to the final dot."""
    content, dot, rest = (b"\r\n" + wire).partition(b"\r\n.\r\n")
    assert dot
    assert not rest
    return content.replace(b"\r\n.", b"\r\n")[2:] + b"\r\n"


@given(pieces)
def test_content_arrives_as_it_was_and_ends_at_its_end(content: list[bytes]) -> None:
    """Every message is either refused or understood as meant, however its octets lie in buffers."""
    whole = b"".join(content)
    if re.search(rb"(?<!\r)\n|\r(?!\n)", whole):
        with pytest.raises(ValueError, match="CR or LF"):
            commands.stuffed(content)
        return
    wire = b"".join(commands.stuffed(content))
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
    meant = whole if whole.endswith(b"\r\n") or not whole else whole + b"\r\n"
    assert understood(wire + commands.FINAL_DOT) == (meant or b"\r\n")


def test_large_buffers_are_safe_too() -> None:
    """An attachment is looked through like everything else."""
    large = b"x\r\n" * 20_000
    assert b"".join(commands.stuffed([large, b".x", large])) == large + b"..x" + large
    with pytest.raises(ValueError, match="CR or LF"):
        commands.stuffed([large + b"\n" + large])


def test_mail_carries_what_the_relay_offers_and_no_more() -> None:
    """Parameters go only where they are offered."""
    envelope = Envelope(SENDER, (A,), "7KQ4M P2+XDA", 500, eight_bit=True, smtputf8=True)
    assert commands.mail_from(envelope, Features()) == b"MAIL FROM:<bounces@example.org>\r\n"
    assert commands.mail_from(envelope, ALL) == (
        b"MAIL FROM:<bounces@example.org> SIZE=500 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=7KQ4M+20P2+2BXDA\r\n"
    )
    assert commands.mail_from(Envelope(SENDER, (A,)), ALL) == b"MAIL FROM:<bounces@example.org> RET=HDRS\r\n"
    assert commands.rcpt_to(A, Features()) == b"RCPT TO:<a@example.org>\r\n"
    assert commands.rcpt_to(A, ALL) == b"RCPT TO:<a@example.org> NOTIFY=FAILURE,DELAY\r\n"


def test_international_domains_go_as_a_labels() -> None:
    """A domain outside ASCII travels in its ASCII form; a local part outside ASCII as UTF-8 with SMTPUTF8."""
    envelope = Envelope(SENDER, (Address.parse("andr\u00e9@b\u00fccher.example.org"),))
    assert (
        commands.rcpt_to(envelope.forward_paths[0], Features())
        == "RCPT TO:<andr\u00e9@xn--bcher-kva.example.org>\r\n".encode()
    )
    assert commands.mail_from(envelope, ALL).endswith(b" SMTPUTF8 RET=HDRS\r\n")


@given(st.text(max_size=20))
def test_no_line_end_gets_into_a_command(text: str) -> None:
    """Whatever an address, an envelope id or a name holds, one command stays one line."""
    for build in (
        lambda: commands.rcpt_to(Address(text, "example.org"), ALL),
        lambda: commands.mail_from(Envelope(Address(text, "example.org"), (A,), text), ALL),
        lambda: commands.line(f"EHLO {text}"),
    ):
        try:
            command = build()
        except ValueError:
            continue
        assert command.count(b"\r") == command.count(b"\n") == 1
        assert command.endswith(b"\r\n")


def test_a_long_login_goes_in_two_lines() -> None:
    """A token that would make the command longer than 512 octets follows the relay's 334 (RFC 4954)."""
    assert commands.auth("PLAIN", b"\0a\0b") == (b"AUTH PLAIN AGEAYg==\r\n",)
    command, response = commands.auth("XOAUTH2", b"x" * 1000)
    assert command == b"AUTH XOAUTH2\r\n"
    assert len(response) > 1000
