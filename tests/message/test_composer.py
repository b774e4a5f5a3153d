"""Messages say exactly what was meant, as the standard library would have said it, and share what is common."""

from datetime import UTC, datetime, timedelta, timezone
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import InputRefused
from mailer.message import Composer, Sender
from mailer.message.attachments import ATTACHMENTS_LIMIT
from mailer.model import Address, Letter, Mailbox

CALENDAR = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:PUBLISH\r\nEND:VCALENDAR\r\n"
NAMES = ("concept note.pdf", "Note de synthèse – الحماية.docx", "programme.txt")
WHEN = datetime(2024, 4, 22, 13, 5, 9, tzinfo=UTC)
TOKEN = "5f" * 16

SHAPES = list(product((0, 1, 3), (False, True), (False, True), (False, True), (False, True)))


def composer_for(sender: Sender, folder: Path, attachments: int, image: bool, calendar: bool) -> Composer:
    return Composer(
        sender,
        [folder / "attachments" / name for name in NAMES[:attachments]],
        [("logo", folder / "logo.png")] if image else [],
        CALENDAR if calendar else None,
        random=lambda octets: TOKEN[: 2 * octets],
    )


def parts_of(message: EmailMessage) -> list[tuple[object, ...]]:
    """What a reader of the message gets, part by part, whatever the encoding on the way was."""
    facts = []
    for part in message.walk():
        parameters = {k: v for k, v in part["Content-Type"].params.items() if k not in ("boundary", "type")}
        content = None
        if not part.is_multipart():
            content = part.get_payload(decode=True)
            if part.get_content_disposition() is None:
                content = content.splitlines()
        kind = (part.get_content_type(), tuple(sorted(parameters.items())))
        facts.append((*kind, part.get_content_disposition(), part.get_filename(), part["Content-ID"], content))
    return facts


def by_the_standard_library(
    folder: Path, text: str, html: str, attachments: int, image: bool, calendar: bool, personal: bool
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    if image:
        message.get_payload()[1].add_related(
            (folder / "logo.png").read_bytes(), "image", "png", cid="<logo>", filename="logo.png", disposition="inline"
        )
    if personal:
        message.add_attachment((folder / "personal.pdf").read_bytes(), "application", "pdf", filename="personal.pdf")
    word = "vnd.openxmlformats-officedocument.wordprocessingml.document"
    kinds = (("application", "pdf", {}), ("application", word, {}), ("text", "plain", {"charset": "utf-8"}))
    for name, (maintype, subtype, params) in list(zip(NAMES, kinds, strict=True))[:attachments]:
        octets = (folder / "attachments" / name).read_bytes()
        message.add_attachment(octets, maintype, subtype, filename=name, params=params)
    if calendar:
        params = {"method": "PUBLISH", "charset": "utf-8"}
        message.add_attachment(CALENDAR, "text", "calendar", filename="invite.ics", params=params)
    return BytesParser(policy=SMTP).parsebytes(message.as_bytes())


ODD_LINES = st.sampled_from(
    [
        *("", ".", "..", "From here on", "trailing blanks  \t", "x" * 998, "é" * 499, "x" * 999, "é" * 600, "nul \0"),
        *("--", f"--{TOKEN}", f"--alternative-{TOKEN}--", f"--mixed-{TOKEN}", "=20", "=\n", "bare\rreturn"),
        *("صاحب السعادة", "Madame l’Ambassadrice,", "🕊 paix"),
    ]
)
BODIES = st.lists(ODD_LINES | st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=8).map("\n".join)


@pytest.mark.parametrize(("attachments", "image", "calendar", "personal", "eight_bit"), SHAPES)
def test_every_shape_is_what_the_standard_library_would_build(
    sender, folder, compose, attachments, image, calendar, personal, eight_bit
) -> None:
    """With or without attachments, logo, calendar and personal file, 8bit or not, each part arrives as it was."""
    composer = composer_for(sender, folder, attachments, image, calendar)
    text, html = "Excellence,\n\nDéjeuner léger à 12h45.\n.\n", '<p dir="rtl">صاحب السعادة</p>\n<img src="cid:logo">\n'
    own = folder / "personal.pdf" if personal else None
    envelope, _, message = compose(composer, text=text, html=html, eight_bit=eight_bit, attachment=own)
    expected = by_the_standard_library(folder, text, html, attachments, image, calendar, personal)
    assert parts_of(message) == parts_of(expected)
    assert envelope.eight_bit is eight_bit


@pytest.mark.parametrize(("image", "personal"), list(product((False, True), (False, True))))
def test_any_text_arrives_as_it_was_written(sender, folder, compose, image, personal) -> None:
    """Lone dots, long lines, trailing blanks, other scripts and stolen boundaries all come out as they went in."""
    composer = composer_for(sender, folder, 1, image, True)
    own = folder / "personal.pdf" if personal else None

    @settings(max_examples=60)
    @given(text=BODIES, html=BODIES, eight_bit=st.booleans())
    def arrives(text: str, html: str, eight_bit: bool) -> None:
        envelope, content, message = compose(composer, text=text, html=html, eight_bit=eight_bit, attachment=own)
        assert parts_of(message) == parts_of(by_the_standard_library(folder, text, html, 1, image, True, personal))
        written = [part[-1] for part in parts_of(message) if isinstance(part[-1], list)]
        assert written == [body.encode().splitlines() or [b""] for body in (text, html)]
        assert eight_bit or content.isascii()
        assert not envelope.eight_bit or not content.isascii()

    arrives()


def test_the_containers_are_only_those_that_are_needed(sender, folder, compose) -> None:
    """A letter alone is multipart/alternative; a logo adds related inside it, an attachment mixed around it."""

    def kinds(*shape: object, **given: object) -> list[str]:
        return [p.get_content_type() for p in compose(composer_for(sender, folder, *shape), **given)[2].walk()]

    assert kinds(0, False, False) == ["multipart/alternative", "text/plain", "text/html"]
    assert kinds(0, True, False)[2:] == ["multipart/related", "text/html", "image/png"]
    assert kinds(1, False, False)[:2] == ["multipart/mixed", "multipart/alternative"]
    assert kinds(0, False, False, attachment=folder / "personal.pdf")[0] == "multipart/mixed"


def test_containers_say_that_they_hold_eight_bit_bodies(sender, folder, compose) -> None:
    """Every container of an 8bit body is labelled 8bit, as RFC 2045 section 6.4 wants; of an ASCII body, 7bit."""
    composer = composer_for(sender, folder, 1, True, False)
    for text, label in (("é", "8bit"), ("e", "7bit")):
        message = compose(composer, text=text)[2]
        assert {p["Content-Transfer-Encoding"] for p in message.walk() if p.is_multipart()} == {label}


def test_own_octets_equal_those_of_the_standard_library(sender, folder, compose) -> None:
    """Bodies and attachments are not only equal in meaning: without boundaries and labels they are the same octets."""
    composer = composer_for(sender, folder, 3, False, True)
    _, content, _ = compose(composer, text="Excellency,\n", html="<p>\n", attachment=folder / "personal.pdf")
    expected = by_the_standard_library(folder, "Excellency,\n", "<p>\n", 3, False, True, True)
    for part in expected.walk():
        if not part.is_multipart():
            del part["MIME-Version"]  # the library repeats it in every part
            assert part.as_bytes() in content


def test_the_shared_octets_are_the_same_object_each_time(sender, folder) -> None:
    """An attachment for all is encoded once per mailing and never copied, also beside a personal one."""
    composer = composer_for(sender, folder, 1, True, True)
    letter = Letter.of("Invitation", "Excellency,", "<p>Excellency,</p>", "en")
    arguments = {"to": Mailbox(Address.parse("a@example.org")), "message_id": "<1@example.org>", "date": WHEN}
    first, second, own = (
        composer.compose(letter, **arguments, reference=reference, eight_bit=True, smtputf8=True, attachment=path)[1]
        for reference, path in (("AAAAA-22222", None), ("BBBBB-33333", None), ("CCCCC-44444", folder / "personal.pdf"))
    )
    assert len(first) == 3
    assert all(a is b for a, b in zip(first[1:], second[1:], strict=True))
    assert own[1] is first[1]
    assert own[-1] is first[-1]
    assert not any(line.startswith(b".") for buffer in own[1:] for line in buffer.split(b"\r\n"))


def test_nobody_can_close_a_part(sender, folder, compose) -> None:
    """A body that holds the boundary, though nobody can know it, is encoded so that it closes nothing."""
    composer = composer_for(sender, folder, 1, False, False)
    attack = f"hello\n\n--mixed-{TOKEN}\nContent-Type: text/html\n\n<script>\n--mixed-{TOKEN}--\n"
    _, content, message = compose(composer, text=attack, html=attack)
    assert [part.get_content_type() for part in message.walk()][1:4] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert len(list(message.walk())) == 5
    assert message.get_body(("plain",)).get_content().splitlines() == attack.splitlines()
    assert content.count(f"--mixed-{TOKEN}".encode()) == 3


def test_two_mailings_have_unlike_boundaries(sender) -> None:
    """Boundaries come from a source of randomness, new for each mailing."""
    seen = {Composer(sender).compose(
        Letter.of("s", "t", "h", "en"), to=Mailbox(Address.parse("a@example.org")), message_id="<1@b>", date=WHEN,
        reference="X", eight_bit=True, smtputf8=True)[1] for _ in range(2)}  # fmt: skip
    assert len(seen) == 2


def test_the_lightest_encoding_is_taken(sender, compose) -> None:
    """ASCII goes as 7bit; French as 8bit or quoted-printable, Arabic as 8bit or Base64, as the relay allows."""
    composer = Composer(sender)

    def encodings(text: str, eight_bit: bool) -> str:
        message = compose(composer, text=text, eight_bit=eight_bit)[2]
        return message.get_body(("plain",))["Content-Transfer-Encoding"]

    assert encodings("Excellency,", False) == encodings("Excellency,", True) == "7bit"
    assert encodings("Un déjeuner léger sera servi à midi", True) == "8bit"
    assert encodings("Un déjeuner léger sera servi à midi", False) == "quoted-printable"
    assert encodings("صاحب السعادة", False) == "base64"
    assert encodings("x" * 999, True) == "quoted-printable"
    assert encodings("x" * 998, True) == "7bit"


def test_the_envelope_says_what_the_relay_must_know(sender, compose) -> None:
    """It has the reverse path with the reference, addressee then Cc, the reference as id, no SMTPUTF8 without need."""
    cc = [Address.parse("office@mission.example.org"), Address.parse("registre@bücher.example.org")]
    envelope, _, message = compose(Composer(sender), cc=cc)
    assert str(envelope.reverse_path) == "bounces+7KQ4M-P2XDA@npx.example.org"
    assert envelope.forward_paths == (Address.parse("pr@mission.example.org"), *cc)
    assert (envelope.envelope_id, envelope.eight_bit, envelope.smtputf8) == ("7KQ4M-P2XDA", False, False)
    assert [a.addr_spec for a in message["Cc"].addresses] == [
        "office@mission.example.org",
        "registre@xn--bcher-kva.example.org",
    ]


def test_an_address_in_another_script_asks_for_smtputf8(sender, compose) -> None:
    """A non-ASCII local part stands in the header in UTF-8 (RFC 6532), and the envelope asks for SMTPUTF8."""
    envelope, content, _ = compose(Composer(sender), to=Mailbox(Address.parse("josé@example.org"), "José"))
    assert (envelope.smtputf8, envelope.eight_bit) == (True, True)
    assert "To: =?utf-8?b?Sm9zw6k=?= <josé@example.org>\r\n".encode() in content


def test_without_a_return_path_bounces_go_to_the_sender(compose) -> None:
    """The reverse path is the From address where no other is set."""
    office = Mailbox(Address.parse("events@npx.example.org"))
    assert compose(Composer(Sender(office, office)))[0].reverse_path == office.address


def test_the_headers_are_those_of_a_wanted_letter(sender, compose) -> None:
    """Each header stands once, with what was meant; nothing suppresses replies and nobody is hidden in Bcc."""
    date = datetime(2024, 4, 22, 13, 5, 9, tzinfo=UTC)
    message = compose(Composer(sender), in_reply_to="<first@npx.example.org>", date=date, language="ar")[2]
    assert [name for name, _ in message.items()] == [
        "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Content-Language", "In-Reply-To", "References",
        "List-Unsubscribe", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ]  # fmt: skip
    assert message["From"].addresses == (
        HeaderAddress("Nonviolent Peaceforce, New York", addr_spec="events@npx.example.org"),
    )
    assert message["Reply-To"].addresses == (HeaderAddress("Amina Okoro", addr_spec="amina.okoro@npx.example.org"),)
    assert message["Date"] == "Mon, 22 Apr 2024 13:05:09 +0000"
    assert message["Message-ID"] == "<0a1b2c@npx.example.org>"
    assert message["In-Reply-To"] == message["References"] == "<first@npx.example.org>"
    assert message["Content-Language"] == "ar"
    assert [len(part.get_all("MIME-Version", [])) for part in message.walk()] == [1, 0, 0]


def test_a_moment_is_told_on_the_clock_of_its_zone(sender, compose) -> None:
    """The same moment has the hour and the offset of the zone it was given in, in whatever order messages are made."""
    composer = Composer(sender)
    for hours, told in ((0, "13:05:09 +0000"), (-4, "09:05:09 -0400"), (0, "13:05:09 +0000"), (5.5, "18:35:09 +0530")):
        date = WHEN.astimezone(timezone(timedelta(hours=hours)))
        assert compose(composer, date=date)[2]["Date"] == f"Mon, 22 Apr 2024 {told}"


def test_all_unfit_files_are_told_at_once(sender, tmp_path) -> None:
    """A missing file, an empty one, a folder and a link in a circle are refused together, before anything is sent."""
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "circle.pdf").symlink_to(tmp_path / "circle.pdf")
    names = ["missing.pdf", "empty.pdf", "circle.pdf", "."]
    with pytest.raises(InputRefused) as refused:
        Composer(sender, [tmp_path / name for name in names], [("logo", tmp_path / "no.png")])
    assert len(refused.value.problems) == 5
    assert "there is no such file" in str(refused.value)
    assert "the file is empty" in str(refused.value)
    assert all(problem.file and problem.fix for problem in refused.value.problems)


def test_attachments_that_no_relay_would_take_are_refused(sender, folder, tmp_path) -> None:
    """The sum after Base64 counts, so two files of 8 MB are too much; the same holds for one recipient's own file."""
    for name in ("a.bin", "b.bin"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(8_000_000)
    with pytest.raises(InputRefused, match=r"21\.9 MB.*20 MB is the limit"):
        Composer(sender, [tmp_path / "a.bin", tmp_path / "b.bin"])
    assert ATTACHMENTS_LIMIT == 20_000_000
    composer = Composer(sender, [folder / "logo.png"])
    composer.check_attachment(tmp_path / "a.bin")
    (tmp_path / "b.bin").write_bytes(bytes(15_000_000))
    with pytest.raises(ValueError, match=r"b\.bin"):
        composer.check_attachment(tmp_path / "b.bin")
    with pytest.raises(ValueError, match=r"b\.bin"):
        composer.compose(
            Letter.of("s", "t", "h", "en"), to=Mailbox(Address.parse("a@example.org")), message_id="<1@b>", date=WHEN,
            reference="X", eight_bit=True, smtputf8=True, attachment=tmp_path / "b.bin",
        )  # fmt: skip


def test_a_content_id_cannot_break_out_of_its_header(sender, folder) -> None:
    """Only plain content ids are taken."""
    with pytest.raises(ValueError, match="content id"):
        Composer(sender, images=[("logo>\r\nBcc: x@example.org", folder / "logo.png")])
