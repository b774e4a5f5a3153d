"""The text part as its readers see it."""

from collections.abc import Callable

from mailer.model import Letter
from mailer.render.lines import WIDTH
from tests.render.samples import contact, text_of

Rendered = Callable[..., Letter]


def test_paragraphs_are_filled_after_their_values_are_known(rendered: Rendered) -> None:
    """A long name wraps like any other words, no line is over the width, and no address is broken."""
    address = "https://www.example.org/" + "a" * 90
    letter = rendered(
        "Dear {{ contact.name }}, " + "word " * 40 + f"[here]({address}) " + "word " * 20,
        to=contact(name="A Very Long Name Indeed " * 4),
    )
    lines = text_of(letter).split("\n")
    assert f"({address})" in lines
    assert all(len(line) <= WIDTH for line in lines if address not in line)
    assert len(lines) > 5


def test_hard_blanks_hold_words_together(rendered: Rendered) -> None:
    """Lines break at plain blanks alone."""
    letter = rendered("x" * 70 + " 13\u00a0h\u00a000")
    assert text_of(letter).split("\n")[1] == "13\u00a0h\u00a000"


def test_no_line_ends_within_a_french_time(rendered: Rendered) -> None:
    """However long the words before are, hour and minutes stay together."""
    for before in range(WIDTH - 12, WIDTH):
        french = "Subject: x\n\n" + "x" * before + " à {{ event.starts | time }}."
        text = text_of(rendered("unused", to=contact(language="fr"), **{"invitation.fr.md": french}))
        assert "13\u00a0h\u00a000." in text.replace("\n", " "), text


def test_wide_tables_become_records(rendered: Rendered) -> None:
    """A table that does not fit is told row by row, each value with its heading."""
    wide = "w" * 40
    letter = rendered(f"| When | What |\n|---|---|\n| {wide} | {wide} |\n| ten | tea |")
    assert text_of(letter) == f"When: {wide}\nWhat: {wide}\n\nWhen: ten\nWhat: tea"


def test_ordered_lists_count_on_and_start_anew(rendered: Rendered) -> None:
    """Numbers follow the items that are there, and each list counts from its own beginning."""
    letter = rendered(
        "3. a\n{% for s in event.programme.speakers %}\n3. {{ s }}\n{% endfor %}\n\nText\n\n1. b\n   - c\n2. d"
    )
    assert text_of(letter) == "3. a\n4. Bo\n5. Cy\n\nText\n\n1. b\n   - c\n2. d"


def test_items_with_several_paragraphs_hang(rendered: Rendered) -> None:
    """What belongs to an item is indented under it."""
    assert text_of(rendered("- a\n\n  b\n\n- c")) == "- a\n\n  b\n\n- c"


def test_rules_code_and_pictures_have_a_text_form(rendered: Rendered) -> None:
    """A rule is a line, code keeps its lines, a picture is its description."""
    letter = rendered("---\n\n    a  b\n    c\n\n![The house](logo.png)")
    assert text_of(letter) == "-" * 40 + "\n\na  b\nc\n\nThe house"


def test_right_to_left_lines_keep_their_direction(rendered: Rendered) -> None:
    """In Arabic a Latin value is isolated, and a line that begins with one is marked, but for an address."""
    letter = rendered(
        "unused",
        to=contact(language="ar"),
        **{
            "invitation.ar.md": "Subject: دعوة {{ contact.name }}\n\nإلى {{ contact.name }}\n\n"
            "{{ contact.name }} x\n\n<{{ rsvp_url }}>"
        },
    )
    lines = text_of(letter).split("\n")
    assert lines[0] == "إلى \u2068Ana SAMPLE\u2069"
    assert lines[2] == "\u200f\u2068Ana SAMPLE\u2069 x"
    assert lines[4].startswith("https://rsvp.example.org/")
    assert letter.subject == "دعوة Ana SAMPLE"
    assert '<html lang="ar" dir="rtl">' in letter.html
    assert "\u2068" not in letter.html.split("</title>")[0]
    assert "إلى \u2068Ana SAMPLE\u2069" in letter.html
