"""Jinja tags in every construct of Markdown, in HTML and in text."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import InputRefused
from mailer.model import Event, Letter, PartyKind
from mailer.render import Letters
from tests.render.samples import body_of, contact, render_to, text_of

Rendered = Callable[..., Letter]


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("Dear {{ contact.last_name }},", "<p>Dear SAMPLE,</p>", "Dear SAMPLE,"),
        ("*{{ contact.last_name }}* **{{ contact.rank }}**s", "<p><em>SAMPLE</em> <strong>Counsellor</strong>s</p>",
         "SAMPLE Counsellors"),
        ("## For {{ contact.name }}", "<h2>For Ana SAMPLE</h2>", "For Ana SAMPLE\n--------------"),
        ("# {{ contact.rank }}", "<h1>Counsellor</h1>", "Counsellor\n=========="),
        ("- {{ contact.name }}\n- `{{ contact.rank }}`",
         "<ul>\n<li>Ana SAMPLE</li>\n<li><code>Counsellor</code></li>\n</ul>", "- Ana SAMPLE\n- Counsellor"),
        ("> {{ contact.name }}", "<blockquote>\n<p>Ana SAMPLE</p>\n</blockquote>", "> Ana SAMPLE"),
        ("See [the {{ contact.rank }}]({{ event.links.note }}) now",
         '<p>See <a href="https://www.example.org/note">the Counsellor</a> now</p>',
         "See the Counsellor (https://www.example.org/note) now"),
        ("See [x](https://example.org/a?b={{ contact.rank }}&c=1)",
         '<p>See <a href="https://example.org/a?b=Counsellor&amp;c=1">x</a></p>',
         "See x (https://example.org/a?b=Counsellor&c=1)"),
        ("Or <{{ rsvp_url }}>.",
         '<p>Or <a href="https://rsvp.example.org/form?a=1&amp;ref=7KQ4M-P2XDA#top">'
         "https://rsvp.example.org/form?a=1&amp;ref=7KQ4M-P2XDA#top</a>.</p>",
         "Or https://rsvp.example.org/form?a=1&ref=7KQ4M-P2XDA#top."),
        ("At [{{ event.contact_person.email }}](mailto:{{ event.contact_person.email }})",
         '<p>At <a href="mailto:eva@example.org">eva@example.org</a></p>', "At eva@example.org"),
        ("At https://example.org/a_(b)?c&d, or (https://example.org/{{ contact.rank }}).",
         '<p>At <a href="https://example.org/a_(b)?c&amp;d">https://example.org/a_(b)?c&amp;d</a>, or '
         '(<a href="https://example.org/Counsellor">https://example.org/Counsellor</a>).</p>',
         "At https://example.org/a_(b)?c&d, or (https://example.org/Counsellor)."),
        ("{{ event.links.note }}, by eva@example.org or {{ event.contact_person.email }}.",
         '<p><a href="https://www.example.org/note">https://www.example.org/note</a>, by '
         '<a href="mailto:eva@example.org">eva@example.org</a> or <a href="mailto:eva@example.org">eva@example.org</a>.'
         "</p>", "https://www.example.org/note, by eva@example.org or eva@example.org."),
        ("`https://example.org` [https://example.org](https://www.example.org)",
         '<p><code>https://example.org</code> <a href="https://www.example.org">https://example.org</a></p>',
         "https://example.org https://example.org (https://www.example.org)"),
        ("a {% if contact.rank %}https://example.org{% endif %} b", "<p>a https://example.org b</p>",
         "a https://example.org b"),
        ("{{ rsvp_url }}",
         '<p><a href="https://rsvp.example.org/form?a=1&amp;ref=7KQ4M-P2XDA#top">'
         "https://rsvp.example.org/form?a=1&amp;ref=7KQ4M-P2XDA#top</a></p>",
         "https://rsvp.example.org/form?a=1&ref=7KQ4M-P2XDA#top"),
        ("[Reply]({{ event.links.note }})", '<p class="action"><a href="https://www.example.org/note">Reply</a></p>',
         "Reply\nhttps://www.example.org/note"),
        ("[Decline](mailto:{{ event.contact_person.email }}?subject=Regrets%20{{ reference }})",
         '<p class="action"><a href="mailto:eva@example.org?subject=Regrets%207KQ4M-P2XDA">Decline</a></p>',
         "Decline\neva@example.org"),
        ("a {% if contact.rank %}b{% else %}c{% endif %} d", "<p>a b d</p>", "a b d"),
        ("In ~~Room **{{ contact.rank }}** [x]({{ event.links.note }})~~ Room B",
         '<p>In <s>Room <strong>Counsellor</strong> <a href="https://www.example.org/note">x</a></s> Room B</p>',
         "In Room B"),
        ("~~In Room A~~\n\nIn ~one~ \\~~room~~", "<p><s>In Room A</s></p>\n<p>In ~one~ ~~room~~</p>",
         "In ~one~ ~~room~~"),
        ("In ~~{% if contact.rank %}Room A{% endif %}~~ Room B", "<p>In <s>Room A</s> Room B</p>", "In Room B"),
        ("one  \n{{ contact.rank }}", "<p>one<br>\nCounsellor</p>", "one\nCounsellor"),
        ("a{# not for readers #} b", "<p>a b</p>", "a b"),
        ("one\n{# not\nfor readers #}\ntwo", "<p>one\ntwo</p>", "one two"),
        ("{{ [contact.rank,\n  contact.name] | join(' / ') }} x", "<p>Counsellor / Ana SAMPLE x</p>",
         "Counsellor / Ana SAMPLE x"),
        ("a \\{\\{ b", "<p>a {{ b</p>", None),
    ],
)  # fmt: skip
def test_placeholders_work_in_every_construct(rendered: Rendered, source: str, html: str, text: str | None) -> None:
    """A value stands where its placeholder stood, and the Markdown around it keeps its meaning."""
    if text is None:
        with pytest.raises(InputRefused, match="left over"):
            rendered(source)
        return
    letter = rendered(source)
    assert body_of(letter) == html
    assert text_of(letter) == text


def test_an_address_from_the_event_is_a_link_wherever_it_stands(letters: Callable[..., Letters]) -> None:
    """Also that of the online room, and those in tables of the event's own; a word of the organisers is none."""
    stream, room = "HTTPS://live.example.org/a?b=1&c=2", "https://zoom.example.org/j/1"
    changes = {"online": room, "venue": "Room XX", "tables": {"press": {"stream": stream, "desk": "press@example.org"}}}
    made = letters(
        "At {{ event.venue }} or {{ event.online }}, {{ event.press.stream }} or {{ event.press.desk }}",
        changes=changes,
    )
    letter = render_to(made, contact())
    links = [unescape(link) for link in re.findall(r'<a href="([^"]*)"', letter.html)]
    assert links[:3] == [room, stream, "mailto:press@example.org"]
    assert f"At Room XX or {room}, {stream} or press@example.org" in " ".join(letter.text.split())


def test_an_address_from_a_sheet_is_only_text(rendered: Rendered) -> None:
    """A cell makes no link by itself; whoever writes the text may make one of it."""
    visitor = contact(extra={"site": "https://www.example.net/x"})
    letter = rendered("See {{ contact.extra.site }}, www.example.org", to=visitor)
    assert body_of(letter) == "<p>See https://www.example.net/x, www.example.org</p>"
    assert "<a " in rendered("See <{{ contact.extra.site }}>", to=visitor).html


SPEAKERS = "{% for name in event.programme.speakers %}\n{item}\n{% endfor %}"


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("- first\n{% for s in event.programme.speakers %}\n- {{ s }}\n{% endfor %}\n- last",
         "<ul><li>first</li><li>Bo</li><li>Cy</li><li>last</li></ul>", "- first\n- Bo\n- Cy\n- last"),
        ("Speakers:\n\n{% for s in event.programme.speakers %}\n- {{ s }}\n{% endfor %}\nThe end.",
         "<p>Speakers:</p><ul><li>Bo</li><li>Cy</li></ul><p>The end.</p>", "Speakers:\n\n- Bo\n- Cy\n\nThe end."),
        ("{%- for s in event.programme.speakers -%}\n1. {{ s }}\n{%- endfor -%}\n",
         "<ol><li>Bo</li><li>Cy</li></ol>", "1. Bo\n2. Cy"),
        ("| At | Who |\n|---|---|\n{% for s in event.programme.speakers %}\n| ten | {{ s }} |\n{% endfor %}",
         "<table><thead><tr><th>At</th><th>Who</th></tr></thead><tbody>"
         "<tr><td>ten</td><td>Bo</td></tr><tr><td>ten</td><td>Cy</td></tr></tbody></table>",
         "At   Who\n---  ---\nten  Bo\nten  Cy"),
        ("{% if event.programme.empty %}\n- nothing\n{% endif %}\n\nText", "<p>Text</p>", "Text"),
        ("{% for s in event.programme.speakers %}\n## {{ s }}\n\nspeaks\n{% endfor %}",
         "<h2>Bo</h2><p>speaks</p><h2>Cy</h2><p>speaks</p>", "Bo\n--\n\nspeaks\n\nCy\n--\n\nspeaks"),
        ("One\n{% if contact.rank %}\nTwo\n{% else %}\nThree\n{% endif %}\nFour",
         "<p>One</p><p>Two</p><p>Four</p>", "One\n\nTwo\n\nFour"),
        ("{% if true %}\n{% for s in event.programme.speakers %}\n{% if s != 'Bo' %}\n- {{ s }}\n{% endif %}\n"
         "{% endfor %}\n{% endif %}", "<ul><li>Cy</li></ul>", "- Cy"),
        ("{% if true %}{% for s in event.programme.speakers %}\n- {{ s }}\n{% endfor %}{% endif %}",
         "<ul><li>Bo</li><li>Cy</li></ul>", "- Bo\n- Cy"),
        ("{% set who = contact.name %}\n\nDear {{ who }}", "<p>Dear Ana SAMPLE</p>", "Dear Ana SAMPLE"),
        ("- a\n  {% if contact.rank %}\n  - b\n  {% endif %}\n- c",
         "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
    ],
)  # fmt: skip
def test_block_tags_stand_between_blocks(rendered: Rendered, source: str, html: str, text: str) -> None:
    """Tags alone on a line repeat or leave out blocks, items and rows, and a loop makes one list or one table."""
    letter = rendered(source)
    assert "".join(body_of(letter).split("\n")) == html
    assert text_of(letter) == text


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("One {% if contact.rank %}two\n\nthree{% endif %} four", 3),
        ("{% if contact.rank %}\n- one {% endif %}\n- two", 4),
        ("One\n\n```\n{% if true %}\ncode\n{% endif %}\n```", 6),
        ("One ~~{% if contact.rank %}two~~ three{% endif %}", 3),
    ],
)
def test_a_tag_that_would_break_the_structure_is_refused(rendered: Rendered, source: str, line: int) -> None:
    """A tag that begins in one block and ends in another is named with its line."""
    with pytest.raises(InputRefused) as refused:
        rendered(source)
    assert [(problem.file, problem.row) for problem in refused.value.problems] == [
        ("templates/meeting/invitation.md", line)
    ]


PIECES = ["# X", "X *X* **X**s", "- X\n- a X", "1. X\n2. X", "> X", "| X | b |\n|---|---|\n| X | X |", "`X`", "    X",
          "[X](https://example.org/X)", "X  \nX", "---", "![X](logo.png)"]  # fmt: skip


def test_a_placeholder_is_read_as_the_word_that_it_stands_for(rendered: Rendered) -> None:
    """In any composition of blocks the letter is the one that its author would get by typing the value."""

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
    def holds(pieces: list[str]) -> None:
        source = "\n\n".join(pieces)
        with_value = rendered(source.replace("X", "{{ contact.rank }}"))
        typed = rendered(source.replace("X", "Counsellor"))
        assert (with_value.text, with_value.html) == (typed.text, typed.html)

    holds()


def test_a_tag_begins_and_ends_in_the_subject(rendered: Rendered) -> None:
    """What is opened in the subject cannot be closed in the body, although the file as a whole would be sound."""
    for subject, body in (("{% if contact.rank %}a", "b{% endif %}"), ("{{ contact.rank", "}} b")):
        with pytest.raises(InputRefused, match=r"invitation.md, line 1"):
            rendered(body, subject=subject)


def test_html_in_a_template_is_text(rendered: Rendered) -> None:
    """Authors write Markdown; tags of HTML are shown as they are typed."""
    letter = rendered("a <b>bold</b> <script>alert(1)</script>")
    assert body_of(letter) == "<p>a &lt;b&gt;bold&lt;/b&gt; &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert text_of(letter) == "a <b>bold</b> <script>alert(1)</script>"


def test_a_branch_may_depend_on_the_kind_of_party(rendered: Rendered) -> None:
    """Missions and organisations can be told different things."""
    source = 'in {{ "your mission" if contact.party_kind == "mission" else "your organisation" }}'
    assert text_of(rendered(source)) == "in your mission"
    assert text_of(rendered(source, to=contact(kind=PartyKind.ORGANISATION))) == "in your organisation"


def test_a_picture_that_is_a_link_is_no_button(rendered: Rendered, event: Event) -> None:
    """It is shown as it is, without the colour and the room that a button's words have around them."""
    (event.folder / "plan.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    letter = rendered("[![Plan](plan.png)]({{ event.links.note }})")
    assert re.fullmatch(
        r'<p><a href="https://www.example.org/note"><img src="cid:[^"]+" alt="Plan"></a></p>', body_of(letter)
    )
    assert text_of(letter) == "Plan (https://www.example.org/note)"
