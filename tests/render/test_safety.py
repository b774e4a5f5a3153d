"""Contact data is data: it becomes neither template code, Markdown, HTML, a header nor a link."""

import re
from collections.abc import Callable
from html import escape, unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import InputRefused
from mailer.model import Form
from mailer.render import Letters
from tests.render.samples import FORM, contact, render_to

Compiled = Callable[..., Letters]

TEMPLATE = """Dear **{{ contact.name }}**,

## {{ contact.position }}

- {{ contact.name }}
{% for s in event.programme.speakers %}
- {{ s }} and {{ contact.rank }}
{% endfor %}

| Name |
|---|
| {{ contact.name }} |

[{{ contact.name }}](https://example.org/?q={{ contact.name }}) *{{ contact.rank }}*
"""

HOSTILE = [
    "{{ 7*7 }}", "{% for x in [1] %}", "{# x #}", "<script>alert(1)</script>", '" onclick="x', "*x* _y_ `z`",
    "[a](b)", "![a](https://example.org/b.png)", "a | b", "# h", "- i", "=cmd|", "&amp; <", "zq0z zq1z zqq2z",
    "\\", "{", "}}", "a\r\nBcc: all@example.org", "\x02p\x03\x04x\x05", "\u2068open", "<!--zq0z-->", "\ud800",
]  # fmt: skip


def shape(html: str) -> list[str]:
    """The elements of a document in order, without their attributes' values."""
    return re.findall(r"<(/?\w+)", html)


def plain(text: str) -> str:
    """Text as the reader takes it in: whatever blanks and signs of direction there are."""
    printable = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)
    return " ".join(word for word in re.split(r"[ \n]+", printable) if word)


def check(made: Letters, value: str) -> None:
    usual = render_to(made, contact())
    letter = render_to(made, contact(name=value, position=value, rank=value))
    assert shape(letter.html) == shape(usual.html)
    assert "\n" not in letter.subject
    assert "\r" not in letter.subject
    assert plain(letter.subject) == plain(f"For {value}")
    for line in (f"Dear {value},", f"- Bo and {value} ", f"- Cy and {value} "):
        assert plain(line) in plain(letter.text)
    assert plain(f"Dear {value},") in plain(unescape(re.sub(r"<[^>]*>", "", letter.html)))
    links = re.findall(r'href="([^"]*)"', letter.html)
    assert all(link.startswith("https://example.org/?q=") for link in links)
    letter.text.encode()
    letter.html.encode()


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_come_out_as_typed(letters: Compiled, value: str) -> None:
    """What looks like code, Markdown, HTML or a header is printed verbatim in text and escaped in HTML."""
    check(letters(TEMPLATE, subject="For {{ contact.name }}"), value)


def test_no_value_changes_the_structure(letters: Compiled) -> None:
    """Whatever a cell holds, the letter has the same elements, and the value is there as it was typed."""
    made = letters(TEMPLATE, subject="For {{ contact.name }}")

    @settings(max_examples=150)
    @given(value=st.text(max_size=60))
    def holds(value: str) -> None:
        check(made, value)

    holds()


def test_a_link_from_a_sheet_is_one_or_is_refused(letters: Compiled) -> None:
    """A column can bring an address only with http, https or mailto, and it stays inside its attribute."""
    made = letters("[x]({{ contact.extra.link }})")

    @settings(max_examples=60)
    @given(value=st.text(max_size=40), scheme=st.sampled_from(["", "https://", "javascript:"]))
    def holds(value: str, scheme: str) -> None:
        try:
            html = render_to(made, contact(extra={"link": scheme + value})).html
        except InputRefused:
            return
        (href,) = re.findall(r'<p[^>]*><a href="([^"]*)"', html)
        assert re.match(r"(?i)(https?://|mailto:)", unescape(href))
        assert not re.search(r"[\s<>]", href)

    holds()


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//example.org", "www.example.org", " ", ""]
)
def test_other_schemes_are_refused(letters: Compiled, address: str) -> None:
    """The row is named that holds such an address."""
    with pytest.raises(
        InputRefused, match=r"missions.xlsx, sheet Contacts, row 7: templates/meeting/invitation.md, line 3"
    ):
        render_to(letters("[x]({{ contact.extra.link }})"), contact(extra={"link": address}))


def test_salutations_and_references_are_data_too(letters: Compiled) -> None:
    """What staff type to override the form of address is escaped like the rest."""
    made = letters("{{ salutation }} {{ address_name }} {{ reference }}")
    values = ("<b>Dear</b>\n\nall", "{{ x }}", "A&B/?#")
    letter = made.render(contact(), Form(values[0], values[1]), values[2], made.event.rsvp.deadline)
    assert "<b>Dear</b> all {{ x }} A&B/?#" in letter.text
    assert escape("<b>Dear</b>") in letter.html
    assert FORM.salutation not in letter.text


def test_the_reference_is_encoded_in_the_address(letters: Compiled) -> None:
    """Only the reference's own place in the event's address changes."""
    made = letters("<{{ rsvp_url }}>")
    letter = made.render(contact(), FORM, "A&B/?#", made.event.rsvp.deadline)
    assert "https://rsvp.example.org/form?a=1&ref=A%26B%2F%3F%23#top" in letter.text
