"""Header values arrive as they were meant, in lines that relays take, and none can become a header of its own."""

from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.message import Composer, Sender
from mailer.model import Address, Mailbox

PRINTABLE = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
TEXTS = st.text(PRINTABLE, min_size=1, max_size=150) | st.text('aé ء🕊"\\,;:<>()@=?_.', min_size=1, max_size=300)
NAMES = (
    "H.E. Mr. José Manuel RODRÍGUEZ CUADROS, Permanent Representative",
    "سعادة السفير السيد محمد عبد الله آل سعود، المندوب الدائم للمملكة لدى الأمم المتحدة في نيويورك",
    'Permanent Mission of the "Kingdom" (of \\ the Netherlands), to the United Nations; and some more words after it',
    "=?utf-8?q?Not_encoded?=",
    "  blanks   within and around ",
    "x" * 300,
    "a <b@example.org>, c",
    "Permanent Observer Mission of the African Union to the United Nations, New York (general mailbox)",
    "Permanent Observer Mission of the African Union to the United Nations in New York",
)


def recipients(content: bytes) -> list[tuple[str, str]]:
    """The names and addresses of To, read by the library's older parser: the newer one tears long encoded names."""
    to = BytesParser(policy=compat32).parsebytes(content)["To"]
    return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([to])]


def within_the_advised_length(content: bytes) -> bool:
    head = content.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    return all(len(line) <= 78 for line in head if b" " in line.strip() and b"=?" in line)


@pytest.fixture(scope="module")
def composer(sender: Sender) -> Composer:
    return Composer(sender)


def test_any_subject_and_name_arrive_as_they_were_meant(composer, compose) -> None:
    """Whatever may stand in a cell or a subject line is read back unchanged by the standard library."""

    @settings(max_examples=200)
    @given(subject=TEXTS, name=TEXTS)
    def arrives(subject: str, name: str) -> None:
        to = Mailbox(Address.parse("pr@mission.example.org"), name)
        _, content, message = compose(composer, subject=subject, to=to)
        assert recipients(content) == [(name, "pr@mission.example.org")]
        assert [address.addr_spec for address in message["To"].addresses] == ["pr@mission.example.org"]
        assert message["Subject"] == subject
        assert within_the_advised_length(content)

    for name in NAMES:
        arrives = example(subject=name, name=name)(arrives)
    arrives()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_never_turns_into_a_second_address(composer, compose, name) -> None:
    """Commas, quotes, brackets and look-alike encoded-words of a name belong to the name."""
    _, content, message = compose(composer, to=Mailbox(Address.parse("pr@mission.example.org"), name))
    assert recipients(content) == [(name, "pr@mission.example.org")]
    (address,) = message["To"].addresses
    assert address.addr_spec == "pr@mission.example.org"
    if " " in name:
        assert address.display_name.split() == name.split()


def test_a_long_subject_in_plain_english_stays_readable_and_is_folded(composer, compose) -> None:
    """Printable ASCII is not encoded, and lines break before blanks at 76 characters."""
    subject = "Reminder: civilian-centred, community-led protection, side event of the Protection of Civilians Week"
    _, content, message = compose(composer, subject=subject)
    assert (
        b"Subject: Reminder: civilian-centred, community-led protection, side event of\r\n"
        b" the Protection of Civilians Week\r\n"
    ) in content
    assert message["Subject"] == subject


INJECTIONS = ["a\r\nBcc: x@example.org", "a\nBcc: x@example.org", "a\rb", "a\0b", "a\u2028b", "a\x85b", "a\ud800b"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_subject_with_a_line_break_or_control_character_is_refused(composer, compose, text) -> None:
    """Such a subject stops the message with a sentence that shows it."""
    with pytest.raises(ValueError, match="the subject cannot hold line breaks"):
        compose(composer, subject=text)


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_value_can_become_a_header(sender, composer, compose, text) -> None:
    """Names, ids, references and languages with line breaks or control characters are refused."""
    address = Address.parse("pr@mission.example.org")
    for value in ("message_id", "in_reply_to"):
        with pytest.raises(ValueError, match="is not a Message-ID"):
            compose(composer, **{value: f"<{text}@example.org>"})
    with pytest.raises(ValueError, match="is not a reference"):
        compose(composer, reference=text)
    with pytest.raises(ValueError, match="is not a language code"):
        compose(composer, language=text)
    with pytest.raises(ValueError, match="control characters"):
        compose(composer, to=Mailbox(address, text))
    with pytest.raises(ValueError, match="control characters"):
        Composer(Sender(Mailbox(address, text), Mailbox(address)))
    with pytest.raises(ValueError, match="unsubscribe"):
        Sender(sender.from_, sender.reply_to, unsubscribe_url=f"https://example.org/{text}/{{reference}}")
    with pytest.raises(ValueError):
        Sender(sender.from_, sender.reply_to, return_path=f"{text}{{reference}}@example.org")


@pytest.mark.parametrize("message_id", ["1@example.org", "<1>", "<a b@example.org>", "<1@example.org> <2@b>", "<é@b>"])
def test_a_message_id_has_its_brackets_and_one_at_sign(composer, compose, message_id) -> None:
    """What is no Message-ID is refused instead of sent."""
    with pytest.raises(ValueError, match="is not a Message-ID"):
        compose(composer, message_id=message_id)


def test_a_date_without_a_zone_is_refused(composer, compose) -> None:
    """A moment that could be any of two dozen is not written into a message."""
    with pytest.raises(ValueError, match="zone"):
        compose(composer, date=datetime(2024, 4, 22, 13, 5, tzinfo=UTC).replace(tzinfo=None))


def test_many_cc_addresses_are_folded(composer, compose) -> None:
    """All Cc addresses stand in the header and in the envelope, in lines of usual length."""
    cc = [Address.parse(f"desk.{n}.of.the.mission@mission.example.org") for n in range(40)]
    envelope, content, message = compose(composer, cc=cc)
    assert [address.addr_spec for address in message["Cc"].addresses] == [str(address) for address in cc]
    assert envelope.forward_paths[1:] == tuple(cc)
    assert all(len(line) <= 78 for line in content.split(b"\r\n\r\n", 1)[0].split(b"\r\n") if b"desk." in line)


def test_unsubscribing_goes_to_the_reply_address_unless_another_is_set(sender, compose) -> None:
    """List-Unsubscribe is a mailto with the reference in its subject, and one-click is not promised."""
    message = compose(Composer(sender))[2]
    expected = "<mailto:amina.okoro@npx.example.org?subject=unsubscribe%207KQ4M-P2XDA>"
    assert message["List-Unsubscribe"] == expected
    assert message["List-Unsubscribe-Post"] is None
    other = Sender(sender.from_, sender.reply_to, unsubscribe_to=Address.parse("leave+us&all@bücher.example.org"))
    assert compose(Composer(other))[2]["List-Unsubscribe"].startswith("<mailto:leave%2Bus%26all@xn--bcher-kva.example")


def test_one_click_unsubscribing_needs_an_https_address(sender, compose) -> None:
    """With an https address both headers of RFC 8058 are there; any other address is refused."""
    url = "https://rsvp.example.org/leave?ref={reference}&again={reference}"
    message = compose(Composer(Sender(sender.from_, sender.reply_to, unsubscribe_url=url)))[2]
    assert message["List-Unsubscribe"].split(", ")[0] == f"<{url.replace('{reference}', '7KQ4M-P2XDA')}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for bad in ("http://rsvp.example.org/{reference}", "https://rsvp.example.org/", "https://a b/{reference}"):
        with pytest.raises(ValueError, match="https"):
            Sender(sender.from_, sender.reply_to, unsubscribe_url=bad)
