"""Which template a contact gets, and what stands in it."""

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from mailer.errors import InputRefused
from mailer.model import Event, Letter, PartyKind, Rule
from mailer.render import Letters, compile_mailing
from tests.render.samples import FORM, SHIPPED, contact, render_to, text_of

Rendered = Callable[..., Letter]
Compiled = Callable[..., Letters]


def test_the_language_of_the_contact_chooses_with_a_stated_fallback(letters: Compiled) -> None:
    """A contact is written to in its language where there is a template, else in the event's."""
    made = letters("English", **{"invitation.fr.md": "Subject: Bienvenue\n\nFrançais"})
    assert made.languages == {"en", "fr"}
    assert made.language_for(contact(language="fr")) == "fr"
    assert made.language_for(contact(language="ru")) == "en"
    assert made.language_for(contact()) == "en"
    assert render_to(made, contact(language="fr")).subject == "Bienvenue"


def test_the_event_says_which_language_has_no_suffix(letters: Compiled) -> None:
    """With `language = "fr"` the plain file is the French one, and its dates are French."""
    made = letters("{{ deadline | date }}", changes={"language": "fr"})
    assert made.languages == {"fr"}
    assert "vendredi 17 mai 2024" in render_to(made, contact()).text


def test_translations_lie_over_the_event(letters: Compiled) -> None:
    """What event.toml says in a language is used there, and all else falls back to the main value."""
    made = letters(
        "{{ event.title }}",
        changes={"translations": {"fr": {"title": "Une réunion", "contact_person": {"name": "Mme Eva EXAMPLE"}}}},
        **{
            "invitation.fr.md": "Subject: x\n\n{{ event.title }}, {{ event.contact_person.name }}, "
            "{{ event.contact_person.email }}"
        },
    )
    assert "A Meeting" in render_to(made, contact()).text
    assert "Une réunion, Mme Eva EXAMPLE, eva@example.org" in render_to(made, contact(language="fr")).text


def test_a_template_sees_the_names_of_the_contract(rendered: Rendered) -> None:
    """Everything that templates are promised is there, and the reference is encoded into the event's address."""
    source = """
{{ contact.title }} {{ contact.first_name }} {{ contact.last_name }} {{ contact.name }} {{ contact.position }}
{{ contact.rank }} {{ contact.email }} {{ contact.language }} {{ contact.party }} {{ contact.party_kind }}
{{ contact.extra.table }}

{{ salutation }} {{ address_name }} {{ reference }} {{ rsvp_url }} {{ deadline | date }} {{ days_left }} {{ mailing }}
"""
    letter = rendered(source, to=contact(extra={"table": "12"}))
    assert " ".join(letter.text.split()).startswith(
        "Ms. Ana SAMPLE Ana SAMPLE Adviser Counsellor ana.sample@mission.example.org en Ruritania mission 12 "
    )
    assert "Dear Ms. Sample, Ms. Ana SAMPLE 7KQ4M-P2XDA" in " ".join(letter.text.split())
    assert "https://rsvp.example.org/form?a=1&ref=7KQ4M-P2XDA#top" in letter.text
    assert "Friday, 17 May 2024 7 invitation" in " ".join(letter.text.split())


def test_days_left_are_calendar_days_where_the_event_is(letters: Compiled) -> None:
    """Late in the evening of New York it is still the same day there."""
    made = letters("{{ days_left }} days, {{ mailing }}, {{ contact.party }}")
    evening = datetime(2024, 5, 16, 3, 30, tzinfo=ZoneInfo("UTC"))
    letter = made.render(contact(), FORM, "X", evening, party_name="the Ruritanian Mission", mailing_name="reminder-2d")
    assert "2 days, reminder-2d, the Ruritanian Mission" in letter.text


WORDS = {
    "en": ("your mission", "your organisation"),
    "fr": ("votre mission", "votre organisation"),
    "es": ("su misión", "su organización"),
    "ar": ("بعثتكم", "منظمتكم"),
}


def test_the_note_follows_rule_kind_of_party_and_language(letters: Compiled) -> None:
    """Each rule has its words in each language, for missions and for organisations, the same in text and HTML."""
    files = {f"invitation.{code}.md": "Subject: x\n\n{{ transfer_note }}" for code in ("fr", "es", "ar")}
    made = letters("{{ transfer_note }}", **files)
    notes = set()
    for rule, kind, language in product(Rule, PartyKind, WORDS):
        letter = render_to(made, contact(kind=kind, language=language, rule=rule))
        note = letter.text.split("\n\n")[1].replace("\n", " ")
        own, other = WORDS[language][:: 1 if kind is PartyKind.MISSION else -1]
        assert own in note
        assert other not in note
        assert f"<p>{note}</p>" in unescape(re.sub(r' style="[^"]*"', "", letter.html))
        notes.add(note)
    assert len(notes) == len(Rule) * len(PartyKind) * len(WORDS)


def test_the_event_has_a_rule_and_the_row_may_have_another(letters: Compiled) -> None:
    """Without a rule of its own a contact is under the event's."""
    made = letters("{{ transfer_note }}")
    assert "is transferable" in render_to(made, contact()).text
    assert "is not transferable" in render_to(made, contact(rule=Rule.PERSONAL)).text


def test_staff_can_edit_a_note_for_their_folder(rendered: Rendered) -> None:
    """A note in the working folder wins, may hold links and branches, and another language falls back to it."""
    note = "{% if contact.party_kind == 'mission' %}\n*Pass* it [on]({{ event.links.note }}).\n{% endif %}\nThanks."
    letter = rendered("Note: {{ transfer_note }}", **{"notes/transferable.md": note})
    assert text_of(letter) == "Note: Pass it on (https://www.example.org/note). Thanks."
    assert '<p>Note: <em>Pass</em> it <a href="https://www.example.org/note">on</a>. Thanks.</p>' in letter.html


def test_text_and_html_say_the_same(letters: Compiled) -> None:
    """Every word and link of the HTML is in the text part, foot and reference included."""
    made = letters("# Hi\n\nSee [this]({{ event.links.note }}).\n\n- a\n- {{ contact.party }}")
    letter = render_to(made, contact())
    bare = re.sub(r"<(style|title)\b.*?</\1>", " ", letter.html, flags=re.DOTALL)
    words = set(re.findall(r"[\w@./-]+", unescape(re.sub(r"<[^>]*>", " ", bare))))
    assert {word.strip(".") for word in words} - {
        word.strip(".:()") for word in re.findall(r"[\w@./:-]+", letter.text)
    } == set()
    assert "7KQ4M-P2XDA" in letter.text.split("-----")[-1]
    assert "https://www.example.org/note" in letter.text


def test_the_logo_travels_with_the_message(letters: Compiled) -> None:
    """The layout's picture is named by a content id that is the same in every run, and its file is told."""
    first, second = letters("x"), letters("y")
    assert first.images == second.images
    ((cid, path),) = first.images
    assert path == (SHIPPED / "logo.png").resolve()
    assert f'src="cid:{cid}"' in render_to(first, contact()).html


def test_a_layout_of_the_working_folder_wins(letters: Compiled) -> None:
    """Tags between the rows of a layout's table stay there, and values in attributes are values."""
    made = letters(
        "Body",
        **{
            "layout.html": '<html lang="{{ language }}"><body><table>{% for s in event.programme.speakers %}'
            '<tr><td title="{{ s }}">{{ s }}</td></tr>{% endfor %}</table>{{ body }}{{ foot }}</body></html>'
        },
    )
    html = render_to(made, contact()).html
    assert '<tr><td title="Bo">Bo</td></tr><tr><td title="Cy">Cy</td></tr></tbody></table>' in html.replace(
        "<!---->", ""
    )


def test_what_a_language_uses_is_known(letters: Compiled) -> None:
    """The names that templates, layouts and notes use are told, so that equal rows can be told too."""
    made = letters("{{ contact.position }} {{ contact.extra.table }} {{ transfer_note }}")
    assert {"contact.position", "contact.extra.table", "contact.party_kind", "reference"} <= made.fields("en")
    assert "contact.rank" not in made.fields("en")


def test_a_column_that_a_row_lacks_is_named_with_both_places(letters: Compiled) -> None:
    """The template's line and the contact's row are told before anything is sent, `default` and `defined` excepted."""
    made = letters("Hello\n\nTable {{ contact.extra.table }}")
    with pytest.raises(InputRefused) as refused:
        render_to(made, contact(extra={"colour": "red"}))
    (problem,) = refused.value.problems
    assert (problem.file, problem.sheet, problem.row) == ("missions.xlsx", "Contacts", 7)
    assert problem.problem.startswith("templates/meeting/invitation.md, line 5: {{ contact.extra.table }} has no value")
    kind = letters("{{ contact.extra.table | default('any') }}{% if contact.extra.items is defined %}!{% endif %}")
    assert "any" in render_to(kind, contact()).text


def test_a_column_may_be_called_as_a_method_is(rendered: Rendered) -> None:
    """A heading "Items" or "Values" is a column like any other."""
    letter = rendered(
        "{{ contact.extra.items }} {{ contact.extra.values }}", to=contact(extra={"items": "3", "values": "4"})
    )
    assert text_of(letter) == "3 4"


def test_a_letter_that_grows_too_long_names_its_row(letters: Compiled) -> None:
    """What mail programs would cut off is refused for the contact that causes it."""
    made = letters("{{ contact.position }}")
    with pytest.raises(InputRefused, match=r"missions.xlsx, sheet Contacts, row 7: the letter is too long"):
        render_to(made, contact(position="ا" * 50_000))


def test_layouts_and_notes_must_be_somewhere(event: Event) -> None:
    """What neither the working folder nor the packaged one holds is told at once."""
    (event.folder / "invitation.md").write_text("Subject: x\n\ny", "utf-8")
    with pytest.raises(InputRefused) as refused:
        compile_mailing(event, event.mailings["invitation"], event.folder.parent, event.folder.parent)
    assert len({problem.file for problem in refused.value.problems}) == 3 + len(Rule)


def test_no_picture_and_no_address_makes_the_page_wider_than_the_screen(letters: Compiled, event: Event) -> None:
    """A picture shrinks to its column and a long address is broken, in the styles that mail programs keep: inline."""
    (event.folder / "hall.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    html = render_to(letters("![Hall](hall.png)\n\n- https://www.example.org/" + "x" * 90), contact()).html
    (picture,) = re.findall(r'<img [^>]*alt="Hall"[^>]*>', html)
    assert "max-width: 100%;height: auto" in picture
    assert all("word-break: break-word" in tag for tag in re.findall(r"<(?:p|li)\b[^>]*>", html))
