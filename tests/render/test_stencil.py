"""What is rendered once and filled for each contact is, sign for sign, what rendering it for each would give."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mailer import event as event_file
from mailer.errors import InputRefused
from mailer.model import Contact, Event, Form, Party, PartyKind, Rule
from mailer.render import Letters, compile_mailing
from mailer.render.compiled import Compiled
from mailer.render.faults import Failed
from mailer.render.stencil import Part
from tests.render.samples import SHIPPED, contact

WORDS = st.sampled_from(
    [
        *("Ana", "SAMPLE", "Permanent", "Representative", "of", "the", "Ms.", "O’Neill", "Nguyễn", "حسن", "عبد الله"),
        *("\x10", "\x11", "\x100\x11", "\x101\x11", "\x02p\x03\x04", "\x05", "\x0e1\x0e", "__gap_0", "zq0z", "{{ 7 }}"),
        *(" ", "  ", "\n", "\r\n", "\t", "\u2028", "\u2068", "\ud800", "<b>", "&amp;", '"', "https://example.org/?a=1&b"),
        *("x" * 80, "mailto:a@example.org", "javascript:x", "e\u0301", "🕊", "-", "> ", "1.", "|"),
    ]
)  # fmt: skip
VALUES = st.one_of(
    st.just(""), st.just("Ana"), st.lists(WORDS, max_size=6).map(" ".join), st.lists(WORDS, max_size=4).map("".join),
    st.text(max_size=90),
)  # fmt: skip
FIELDS = ("title", "first_name", "last_name", "name", "position", "rank")
CONTACTS = st.builds(
    lambda fields, extra, party, kind: contact(**fields, extra=extra, party=Party(party, kind)),
    st.fixed_dictionaries(dict.fromkeys(FIELDS, VALUES)),
    st.dictionaries(st.sampled_from(["seat", "link", "note"]), VALUES),
    VALUES,
    st.sampled_from(PartyKind),
)
FORMS = st.builds(Form, VALUES, VALUES)
RULES = st.sampled_from(Rule)


def outcome(render: Callable[[Mapping[str, object]], Any], values: Mapping[str, object]) -> Any:
    try:
        return render(values)
    except Failed as failed:
        return failed.problem, failed.fix, failed.file, failed.line


def parts_of(compiled: Compiled, rule: Rule) -> Iterator[Part[Any]]:
    note = compiled.notes.get(rule)
    yield from (compiled.subject, compiled.text, compiled.html, *((note.text, note.html) if note else ()))


def assert_alike(letters: Letters, to: Contact, form: Form, rule: Rule, days: int = 7) -> None:
    for language, compiled in letters.compiled.items():
        values = {
            **compiled.shared,
            **letters._values(to, form, "7KQ4M-P2XDA", to.party.name, language),
            **{"days_left": days, "mailing": "invitation", "transfer_note": "Note\x05 it.", "subject": form.salutation},
        }
        for part in parts_of(compiled, rule):
            whole = outcome(part.render_whole, values)
            assert outcome(part.render, values) == whole
            if not isinstance(whole, tuple):
                assert part.filled(values) in (None, whole)  # and raises nothing, which `render` would pass over


@pytest.fixture(scope="module")
def shipped() -> list[Letters]:
    event, _ = event_file.load(SHIPPED, "poc-week")
    return [compile_mailing(event, mailing, SHIPPED, SHIPPED) for mailing in event.mailings.values()]


def test_shipped_letters_are_the_same_either_way(shipped: list[Letters]) -> None:
    """In every language and under every rule, whatever the cells hold, subject, text, HTML and note are the same."""

    @settings(max_examples=100)
    @given(to=CONTACTS, form=FORMS, rule=RULES, days=st.integers(-1, 9))
    def alike(to: Contact, form: Form, rule: Rule, days: int) -> None:
        for letters in shipped:
            assert_alike(letters, to, form, rule, days)

    alike()


EXPRESSIONS = st.sampled_from(
    [
        *("contact.name", "contact.position", "contact['rank']", "contact.extra.seat", "contact.extra.link | href"),
        *("contact.name | upper", "contact.name | default('-')", "contact.extra.seat | default('none')", "salutation"),
        *("contact.name ~ ', ' ~ contact.rank", "contact.name or 'nobody'", "contact.name | replace('a', 'b')"),
        *("contact.position if contact.rank else contact.title", "'yes' if contact.position else 'no'", "days_left"),
        *("contact.name.split() | join(', ')", "event.hosts | names", "deadline | date", "contact.name[:3]"),
        *("event.title", "transfer_note", "7 * days_left", "contact.name | length", "rsvp_url"),
        *("transfer_note | upper", "[contact.name, 'Bo'] | names", "[contact.name, transfer_note] | join(' ')"),
        *("contact['extra']['link'] | href_part", "contact.name | bare", "contact.extra.nothing"),
        *("contact.extra", "reference | href_part", "transfer_note | bare", "salutation | href", "days_left | bare"),
    ]
)  # fmt: skip
QUESTIONS = st.sampled_from(
    [
        *("contact.position", "not contact.rank", "contact.extra.seat is defined", "days_left < 3"),
        *("contact.party_kind == 'mission'", "'a' in contact.name", "contact.name | length > 30", "event.source"),
        *("contact['position'] == 'Ana'", "contact.extra == {}", "contact.extra.link | length > 9", "days_left"),
        *("contact.extra.seat", "transfer_note", "contact.name.startswith('A') and contact.rank or contact.title"),
    ]
)  # fmt: skip
LISTS = st.sampled_from(
    ["contact.name.split()", "event.programme.speakers", "event.programme.empty", "[contact.rank, 1]"]
)
# What a loop may ask of each entry, and what it may print around it.
TESTS = st.sampled_from(
    [
        *("w == contact.extra.seat | default('Cy')", "contact.rank", "w", "w != 'Bo'", "contact.name.startswith(w)"),
        *("w in contact.name", "not contact.extra", "w | length > 2", "days_left", "salutation and w == 'Cy'"),
    ]
)  # fmt: skip
AROUND = st.sampled_from(
    [
        *("{{ w }} ", "{{ loop.index }} of {{ loop.length }} ", "x "),
        "{% if loop.first %}first{% endif %} ",
        *("{% if not loop.last %}and {% endif %}", "{{ loop.cycle('a', w) }} "),
        "{{ contact.name if loop.first else w }} ",
        *("{% set word = w %}{{ word }} ", "{{ loop.nextitem | d('-') }} "),
        "{% if w == contact.extra.seat %}here{% endif %} ",
    ]
)  # fmt: skip
# What may use up the entries of `some`, or not.
MIXED = st.sampled_from(
    [
        *("{{ contact.extra.seat or some | first }}", "{{ some | first }}"),
        "{{ some | first if contact.rank else 'BO' }}",
        *("{% if contact.position or some | first %}yes{% endif %}", "{{ contact.name }}"),
        "{% for w in some if contact.rank %}x{% endfor %}",
        *("{% for w in some %}{{ contact.name }} {% endfor %}", "{{ some | list | names }}"),
    ]
)  # fmt: skip
PROSE = st.sampled_from(
    ["Dear", "to whom it may concern,", "and", "a rather long line of words that has to be filled", " "]
)

VALUE_TAGS = EXPRESSIONS.map(lambda expression: f"{{{{ {expression} }}}}")
RUNNING = st.recursive(
    st.lists(PROSE | VALUE_TAGS, min_size=1, max_size=5).map(" ".join),
    lambda inner: st.one_of(
        st.tuples(QUESTIONS, inner, inner).map(lambda x: f"{{% if {x[0]} %}}{x[1]}{{% else %}}{x[2]}{{% endif %}}"),
        st.tuples(QUESTIONS, inner, QUESTIONS, inner).map(
            lambda x: f"{{% if {x[0]} %}}{x[1]}{{% elif {x[2]} %}}{x[3]}{{% endif %}}"
        ),
        st.tuples(LISTS, inner).map(
            lambda x: f"{{% for w in {x[0]} %}}{{{{ w }}}} {{{{ loop.index }}}} {x[1]}{{% endfor %}}"
        ),
        st.tuples(LISTS, TESTS, AROUND, inner, inner, st.sampled_from(["", " recursive"])).map(
            lambda x: f"{{% for w in {x[0]} if {x[1]}{x[5]} %}}{x[2]}{x[3]}{{% else %}}{x[4]}{{% endfor %}}"
        ),
        st.tuples(LISTS, LISTS, TESTS, AROUND, AROUND).map(
            lambda x: (
                f"{{% for w in {x[0]} %}}{x[3]}{{% for v in {x[1]} if {x[2]} %}}{{{{ v }}}} {x[4]}{{% endfor %}}"
                "{% endfor %}"
            )
        ),
        st.tuples(LISTS, MIXED, MIXED).map(
            lambda x: f"{{% set some = {x[0]} | map('upper') %}}{x[1]} {x[2]} {{{{ some | join(' ') }}}}"
        ),
        st.tuples(EXPRESSIONS, inner).map(lambda x: f"{{% set word = {x[0]} %}}{x[1]} {{{{ word }}}}"),
        st.tuples(inner, inner).map("  \n".join),
    ),
    max_leaves=6,
)
BLOCKS = st.one_of(
    RUNNING,
    RUNNING.map(lambda text: f"- {text}\n- {text}"),
    RUNNING.map(lambda text: f"1. {text}\n2. Bo"),
    RUNNING.map(lambda text: f"> {text}"),
    RUNNING.map(lambda text: f"## {text}"),
    RUNNING.map(lambda text: f"[Reply {text}]({{{{ rsvp_url }}}})"),
    VALUE_TAGS.map(lambda tag: f"| Name | {tag} |\n|---|---|\n| {tag} | x |"),
    st.tuples(QUESTIONS, RUNNING).map(lambda x: f"{{% if {x[0]} %}}\n\n{x[1]}\n\n{{% endif %}}"),
    st.tuples(LISTS, VALUE_TAGS).map(lambda x: f"{{% for w in {x[0]} %}}\n- {{{{ w }}}} {x[1]}\n{{% endfor %}}"),
    VALUE_TAGS.map(lambda tag: f"    {tag}\n    x"),
)
BODIES = st.lists(BLOCKS, min_size=1, max_size=4).map("\n\n".join)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_letters_from_any_template_are_the_same_either_way(letters: Any, event: Event, language: str) -> None:
    """Whatever a template prints, asks and repeats, in either direction of writing, no contact sees a difference."""
    html = (
        '<html lang="{{ language }}"><head><title>{{ subject }}</title></head><body>{{ body }}{{ foot }}</body></html>'
    )
    layouts = {"layout.html": html, "layout.txt": "{{ contact.name }}\n{{ body }}\n~~~~~\n{{ foot }}\n"}

    @settings(max_examples=40)
    @given(
        body=BODIES, subject=RUNNING, people=st.lists(st.tuples(CONTACTS, FORMS), min_size=3, max_size=6), rule=RULES
    )
    def alike(body: str, subject: str, people: list[tuple[Contact, Form]], rule: Rule) -> None:
        try:
            made = letters(body, subject=" ".join(subject.split()), changes={"language": language}, **layouts)
        except InputRefused:
            assume(False)
        for to, form in people:
            assert_alike(made, to, form, rule)

    alike()


# A template for each way in which a value can get into what comes out for all; ALL are the same entries for everybody.
CARRIERS = {
    "the test of a loop": "{% for w in ALL if w == SEAT %}{{ w }}{% endfor %} end",
    "the test of a loop, without the name": "{% for w in ALL if w == SEAT %}x{% endfor %} end",
    "the number of rounds": "{% for w in ALL if w >= SEAT %}{{ loop.length }}{% endfor %} end",
    "the first round": "{% for w in ALL if w >= SEAT %}{% if loop.first %}{{ w }}{% endif %}{% endfor %} end",
    "a loop without rounds": "{% for w in ALL if w == SEAT %}x{% else %}nobody{% endfor %} end",
    "a loop in a loop": "{% for v in ALL %}{% for w in ALL if w == SEAT %}{{ v }}{{ w }}{% endfor %}{% endfor %} end",
    "an outer loop": "{% for v in ALL if v == SEAT %}{% for w in [v] %}{{ w }}{% endfor %}{% endfor %} end",
    "a name in a loop": "{% for v in ALL if v == SEAT %}{% set w = v | upper %}{{ w }}{% endfor %} end",
    "a name of two loops": "{% for w in ALL %}{{ w }}{% endfor %}{% for w in [SEAT] %}{{ w }}{% endfor %} end",
    "a name within itself": "{% for w in ALL %}{% for w in [SEAT] %}{{ w }}{% endfor %}{{ w }}{% endfor %} end",
    "a recursive loop": "{% for w in [SEAT, contact.extra.other] recursive %}{{ w }}-{% endfor %} end",
    "a recursive loop with a test": "{% for w in ALL if w == SEAT recursive %}{{ w }}{% endfor %} end",
    "a name set on the way": "{% set w = 'x' %}{% if SEAT == 'Bo' %}{% set w = 'y' %}{% endif %}{{ w }}",
    "a name set to a name": "{% set v = SEAT %}{% set w = v %}{% set u = w ~ '!' %}{{ u }}",
    "two names at once": "{% set v, w = SEAT, 'x' %}{{ w }}{{ v }}",
    "a condition in a value": "{{ 'x' if SEAT == 'Bo' else 'y' }}",
    "a condition in a filter's value": "{{ ('x' if SEAT == 'Bo' else 'y') | upper }}",
    "the argument of a filter": "{{ ALL | join(SEAT) }}",
    "an argument by name": "{{ 'abc' | replace('b', new=SEAT) }}",
    "the test of a filter": "{{ ALL | select('eq', SEAT) | join(' ') }} end",
    "the argument of a method": "{{ 'x Bo y'.split(SEAT or ' ') | join('-') }}",
    "the key of an entry": "{{ {'Bo': 'x', 'Cy': 'y'}[SEAT] | d('z') }}",
    "a yes or no as key": "{{ ['x', 'y'][SEAT == 'Bo'] }}",
    "the end of a part": "{{ 'abcdef'[:SEAT | length] }} end",
    "the turn of a cycle": "{% for w in ALL if w >= SEAT %}{{ loop.cycle('x', SEAT) }}{% endfor %} end",
    "entries used up": "{% set some = ALL | map('string') %}{{ SEAT or some | first }}{{ some | join }} end",
    "entries used up by a question": (
        "{% set some = ALL | map('string') %}{% if SEAT or some | first %}x{% endif %}{{ some | join }} end"
    ),
    "entries used up by a loop": (
        "{% for some in [ALL | map('string')] %}{{ SEAT or some | first }}{% for w in some %}{{ w }}{% endfor %}"
        "{% endfor %} end"
    ),
}


@pytest.mark.parametrize("body", CARRIERS.values(), ids=CARRIERS)
def test_whatever_carries_a_value_carries_each_contact_s_own(letters: Any, body: str) -> None:
    """Where a value decides what a loop, a name or a filter makes, nobody gets what was made for somebody else."""
    made = letters(body.replace("ALL", "event.programme.speakers").replace("SEAT", "contact.extra.seat"))
    for seat, other in [("Bo", ""), ("Cy", ""), ("", ""), ("1", ""), ("", "1"), ("Di", "Bo"), ("Bo", "Cy"), ("", "")]:
        assert_alike(made, contact(extra={"seat": seat, "other": other}), Form("Dear Ana,", "Ana"), Rule.TRANSFERABLE)


def test_what_is_the_same_is_rendered_once() -> None:
    """However many sound contacts there are, no shipped template is rendered as a whole for one of them."""
    event, _ = event_file.load(SHIPPED, "poc-week")
    letters = compile_mailing(event, event.mailings["invitation"], SHIPPED, SHIPPED)
    now = event.rsvp.deadline - timedelta(days=7)
    for number in range(80):
        kind, language = list(PartyKind)[number % 2], ["en", "fr", "es", "ar"][number // 2 % 4]
        to = contact(name=f"Ana Sample{number}", kind=kind, language=language, rule=[*Rule][number // 8 % len(Rule)])
        letters.render(to, Form(f"Dear {to.name},", to.name), "7KQ4M-P2XDA", now)
    parts = [part for compiled in letters.compiled.values() for rule in Rule for part in parts_of(compiled, rule)]
    assert not [part for part in parts if "_whole" in vars(part)]


def test_a_template_that_differs_for_everybody_is_rendered_for_everybody(letters: Any) -> None:
    """Where no two contacts get the same words around their values, each still gets their own, at no end of memory."""
    made = letters("{% for part in contact.name.split() %}{{ part }}-{% endfor %} {{ contact.rank }}")
    now = made.event.rsvp.deadline - timedelta(days=7)
    for number in range(100):
        letter = made.render(contact(name=f"Ana Sample{number}"), Form("Dear Ana,", "Ana"), "7KQ4M-P2XDA", now)
        assert f"Ana-Sample{number}- Counsellor" in letter.text
