"""What is wrong with templates is found before anything is sent, all of it at once."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from mailer.errors import InputRefused, Problem
from mailer.model import Event
from mailer.render import Letters
from tests.render.samples import contact, render_to

Compiled = Callable[..., Letters]


def problems(letters: Compiled, body: str, **options: object) -> tuple[Problem, ...]:
    with pytest.raises(InputRefused) as refused:
        letters(body, **options)
    return refused.value.problems


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{{ evnt.title }}", "there is no `evnt`"),
        ("{{ event.titel }}", "there is no `event.titel`"),
        ("{{ event.links.zoom }}", "there is no `event.links.zoom`"),
        ("{{ event['links']['zoom'] }}", "there is no `event.links.zoom`"),
        ("{{ contact.surname }}", "there is no `contact.surname`"),
        ("{{ contact.name", "cannot be read"),
        ("{% if contact.name %}", "cannot be read"),
        ("{{ deadline | shout }}", "there is no filter `shout`"),
        ("{{ contact.name | safe }}", "there is no filter `safe`"),
        ("{% autoescape false %}{{ contact.name }}{% endautoescape %}", "has no place in a template"),
        ("{% include 'x' %}", "has no place in a template"),
        ("{% set event = 1 %}", "`event` is a name of ours"),
        ("{{ event.starts }}", "cannot be printed: it is no text"),
        ("{{ event.hosts }}", "cannot be printed: it is a list"),
        ("{{ event.links }}", "cannot be printed: it is a table"),
        ("{{ event.rsvp.capacity }}", "cannot be printed: it is empty"),
        ("{{ event.online }}", "cannot be printed: it is false"),
        ("{{ event.title | date }}", "cannot be printed: 'A Meeting' is not a date"),
        ("{{ event.programme.speakers.nobody }}", "has no value"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("[x]({{ event.title }})", "is no address for a link"),
        ("<{{ contact.rank }}>", "the link is empty"),
    ],
)
def test_each_fault_is_named_with_file_and_line(letters: Compiled, line: str, what: str) -> None:
    """Unknown names, broken tags, what may not stand in a template, and what cannot be printed."""
    found = problems(letters, f"First\n\n{line}\n")
    assert any(what in problem.problem for problem in found), [str(problem) for problem in found]
    assert {problem.file for problem in found} == {"templates/meeting/invitation.md"}
    assert all(problem.row in (5, 6) and problem.fix for problem in found)


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("{{ contact.titel }}", "Did you mean `title`? There are: email, extra, first_name,"),
        ("{{ contact.tabel_no }}", "A further column of your sheet is `contact.extra.tabel_no`."),
        ("{{ event.links.nota }}", "Did you mean `note`? There are: note. Or add it to event.toml."),
        ("{{ rsvp_ulr }}", "Did you mean `rsvp_url`? There are: address_name,"),
        ("{{ deadline | tme }}", "Did you mean `time`? There are: capital, date, datetime, names,"),
    ],
)
def test_what_there_is_instead_is_told(letters: Compiled, line: str, fix: str) -> None:
    """A mistyped name, entry or filter is answered with what looks like it and with all that there are."""
    (problem,) = problems(letters, line)
    assert fix in problem.fix
    assert "href" not in problem.fix  # which is for mailer itself


def test_an_unknown_filter_hides_nothing_else(letters: Compiled) -> None:
    """Names that are wrong as well are told in the same pass."""
    found = problems(letters, "{{ deadline | shout }}\n\n{{ evnt.title | murmur }}")
    assert [(problem.row, problem.problem) for problem in found] == [
        (3, "there is no filter `shout`"),
        (5, "there is no `evnt`"),
        (5, "there is no filter `murmur`"),
    ]


def test_all_that_cannot_be_printed_is_told_at_once(letters: Compiled) -> None:
    """Times, lists and what is true or false are named together, but for what a tag may keep out of the letter."""
    guarded = "{% if event.online is string %}\n{{ event.online }}\n{% endif %}"
    body = (
        f"{{{{ deadline }}}}\n\n{{{{ event.starts }}}} {{{{ event.hosts }}}}\n\n{guarded}\n\n{{{{ event.cancelled }}}}"
    )
    found = problems(letters, body)
    assert [(problem.row, problem.problem.partition(" cannot be printed: ")[0]) for problem in found] == [
        (3, "{{ deadline }}"),
        (5, "{{ event.hosts }}"),
        (5, "{{ event.starts }}"),
        (11, "{{ event.cancelled }}"),
    ]


def test_a_column_that_is_not_there_is_answered_with_those_that_are(letters: Compiled) -> None:
    """A column of the sheet that a template misspells is told with the heading that looks like it."""
    made = letters("{{ contact.extra.tabel_no }}")
    with pytest.raises(InputRefused, match="there is no 'tabel_no', but 'table_no'"):
        render_to(made, contact(extra={"table_no": "7", "seat": "A"}))


def test_all_files_are_told_at_once(letters: Compiled) -> None:
    """Languages, layouts and notes with faults are all named in one go."""
    found = problems(
        letters,
        "{{ one }}",
        **{
            "invitation.fr.md": "Objet: x\n\ny",
            "invitation.es.md": "Subject: {{ two }}\n\n{{ three }}\n\n{{ four",
            "invitation.en.md": "Subject: x\n\ny",
            "invitation.ar.md": "Subject:\n\ny",
            "layout.txt": "{{ body }}",
            "notes/personal.md": "{{ five }}",
            "notes/plus_one.md": "{{ transfer_note }}",
        },
    )
    files = {problem.file for problem in found}
    assert files == {f"templates/meeting/invitation{suffix}.md" for suffix in ("", ".fr", ".es", ".en", ".ar")} | {
        "templates/layout.txt",
        "templates/notes/personal.md",
        "templates/notes/plus_one.md",
    }


@pytest.mark.parametrize(
    ("body", "changes", "what"),
    [
        ("[here]()", {}, "a link leads nowhere"),
        ("{{ event.title }}", {"title": "For {{ contact.name }}"}, "a placeholder is left over"),
        (
            "{{ event.links.form }}",
            {"links": {"form": "https://example.org/{reference}"}},
            "a placeholder is left over",
        ),
        ("![x](https://www.example.org/x.png)", {}, "no image is loaded from elsewhere"),
        ("![x](//www.example.org/x.png)", {}, "no image is loaded from elsewhere"),
        ("![x]({{ event.links.note }})", {}, "no image is loaded from elsewhere"),
        ("![x](../secret.png)", {}, "an image is missing"),
        ("{{ event.title }}", {"title": "x" * 91_000}, "the HTML has"),
    ],
)
def test_what_readers_would_stumble_over_is_refused(
    letters: Compiled, body: str, changes: dict[str, object], what: str
) -> None:
    """Links to nowhere, placeholders left over, pictures from elsewhere, and more HTML than mail programs show."""
    assert any(what in problem.problem for problem in problems(letters, body, changes=changes))


@pytest.mark.parametrize(
    "element",
    [
        '<link rel="stylesheet" href="https://www.example.org/x.css">',
        "<style>td { background: url(https://www.example.org/x.png) }</style>",
        "<script>1</script>",
    ],
)
def test_a_layout_fetches_and_runs_nothing(letters: Compiled, element: str) -> None:
    """No style sheet, picture or script comes from elsewhere when a letter is read."""
    page = "<table><tr><td>{{ body }}{{ foot }}</td></tr></table>"
    layout = f"<html><head><title>x</title>{element}</head><body>{page}</body></html>"
    assert any("fetch or run" in p.problem for p in problems(letters, "x", **{"layout.html": layout}))


def test_an_empty_subject_is_refused(letters: Compiled) -> None:
    """A subject that is empty for some contacts is found on samples."""
    found = problems(letters, "x", subject="{{ contact.name }}")
    assert [problem.problem for problem in found] == ["the subject is empty once it is filled in"]


def test_a_note_is_running_text(letters: Compiled) -> None:
    """A note that would not fit into a sentence's place is refused."""
    found = problems(letters, "{{ transfer_note }}", **{"notes/transferable.md": "- a list"})
    assert [(problem.file, problem.row) for problem in found] == [("templates/notes/transferable.md", None)]


def test_a_template_that_is_missing_is_named(letters: Compiled, event: Event) -> None:
    """A mailing names its template; where there is none, the file to be written is told."""
    mailing = replace(event.mailings["invitation"], template="welcome")
    found = problems(letters, "x", changes={"mailings": {"invitation": mailing}})
    assert [(p.file, p.problem) for p in found] == [("templates/meeting/welcome.md", "the template is missing")]


def test_a_template_is_no_link_out_of_the_events_folder(letters: Compiled, event: Event) -> None:
    """As with attachments: what stands elsewhere is not shown to those who are invited. Links inside are followed."""
    secret = event.folder.parent.parent / "other.secret"
    secret.write_text("Subject: Keys\n\nhush-hush\n")
    (event.folder / "invitation.fr.md").symlink_to("../../other.secret")
    [found] = problems(letters, "Hello")
    assert found.problem == "the template is a link that leads out of the event's folder"
    assert (found.file, "hush" in str(found)) == ("templates/meeting/invitation.fr.md", False)
    (event.folder / "invitation.fr.md").unlink()
    (event.folder / "invitation.fr.md").symlink_to("invitation.md")
    letters("Hello")


def test_encodings_and_control_characters_are_named(letters: Compiled, event: Event) -> None:
    """A file in another encoding and a character that nobody can see are told with their file."""
    (event.folder / "invitation.fr.md").write_bytes("Subject: é\n\né".encode("cp1252"))
    found = problems(letters, "a\n\x07")
    assert [(p.file, p.row) for p in found] == [
        ("templates/meeting/invitation.md", 4),
        ("templates/meeting/invitation.fr.md", None),
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(letters: Compiled, event: Event) -> None:
    """Editors of all systems may write templates."""
    (event.folder / "invitation.fr.md").write_bytes("\ufeffSubject: x\r\n\r\nÀ vous\r\n".encode())
    assert letters("x").languages == {"en", "fr"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_image_that_is_closed_to_us_is_a_problem(letters: Compiled, event: Event) -> None:
    """It is told with the file and line that name it, and with the system's reason."""
    image = event.folder / "map.png"
    image.write_bytes(b"x")
    image.chmod(0)
    (problem,) = problems(letters, "![map](map.png)")
    assert (problem.file, problem.row, problem.value) == ("templates/meeting/invitation.md", 3, "map.png")
    assert problem.problem == "an image cannot be read: Permission denied"


def test_an_image_with_a_name_that_no_file_can_have_is_a_problem(letters: Compiled) -> None:
    """Too long a name, or one with a zero octet in it, is told like any other that cannot be read."""
    for name in ("m" * 300 + ".png", "map%00.png"):
        (problem,) = problems(letters, f"![map]({name})")
        assert problem.problem.startswith("an image cannot be read: ")


def test_a_file_that_is_no_picture_is_not_shown_as_one(letters: Compiled, event: Event) -> None:
    """Template, line and file are named, whatever the file is called; what no mail program shows does not leave."""
    (event.folder / "agenda.html").write_text("<h1>Agenda</h1>")
    (event.folder / "map.png").write_text("a page that was saved in place of the map")
    (event.folder / "map.JPG").write_bytes(b"\xff\xd8\xff\xe0")
    found = problems(letters, "![x](agenda.html)\n\n![y](map.png) ![z](map.JPG)")
    file = "templates/meeting/invitation.md"
    assert [(p.file, p.row, p.value, p.is_error) for p in found] == [
        (file, 3, "agenda.html", True),
        (file, 5, "map.png", True),
    ]


@pytest.mark.parametrize("name", ["map.svg", "map.WEBP"])
def test_a_picture_that_many_do_not_see_is_a_warning(letters: Compiled, event: Event, name: str) -> None:
    """It leaves as it is, and whoever wrote the text is told once, with file and line."""
    (event.folder / name).write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (event.folder / "invitation.fr.md").write_text("Subject: x\n\nx")
    made = letters(f"x\n\n![map]({name})")
    assert name in {path.name for _, path in made.images}
    [told] = [warning for warning in made.warnings if "do not show" in warning.problem]
    assert (told.file, told.row, told.value) == ("templates/meeting/invitation.md", 5, name)
