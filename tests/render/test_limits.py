"""A template that would fill the memory or never end is a problem with its file and line, at once."""

from collections.abc import Callable

import pytest

from mailer.errors import InputRefused
from mailer.render import Letters
from tests.render.samples import contact, render_to

Compiled = Callable[..., Letters]

LOOPS = "{% set s = '" + "x" * 100 + "' %}{% for a in s %}{% for b in s %}{% for c in s %}" + "x{% endfor %}" * 3
GROWING = '{% set a = "xxxxxxxxxx" %}' + "{% set a = a ~ a ~ a ~ a %}" * 30 + "{{ a }}"
LISTS = "{% set a = [1, 2, 3, 4] %}" + "{% set a = a + a %}" * 40
ENORMOUS = {
    "tags": "{% if 1 %}" * 300 + "x" + "{% endif %}" * 300,
    "brackets": "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "lists": "{{ " + "[" * 300 + "]" * 300 + " }}",
    "signs": "{{ " + "not " * 5000 + "1 }}",
    "filters": "{{ contact.name" + " | upper" * 2000 + " }}",
    "sums": "{{ 1" + " + 1" * 3000 + " }}",
    "a number": "{{ " + "9" * 5000 + " }}",
    "padding": "{{ 'a' | center(1000000000) }}",
    "indent": "{{ 'a' | indent(1000000000, true) }}",
    "a filter of a filter": "{{ ['a'] | map('center', 1000000000) | join }}",
    "formats": "{{ '%01000000000d' | format(1) }}",
    "formats by sign": "{{ '%01000000000d' % 1 }}",
    "formats by method": "{{ '{:01000000000d}'.format(1) }}",
    "methods": "{{ 'a'.ljust(1000000000) }}",
    "methods by filter": "{{ ['a'] | map(attribute='ljust') | first }}",
    "times": "{{ 'x' * 1000000000 }}",
    "times a list": "{% set a = [1] * 1000000000 %}",
    "powers": "{{ 10 ** 10 ** 10 }}",
    "products": "{% set a = 9 %}" + "{% set a = a * a %}" * 40,
    "batches": "{{ [1] | batch(1000000000, 'x') | list | length }}",
    "loops": LOOPS,
    "growing": GROWING,
    "growing lists": LISTS,
    "replacements": '{% set a = "a" * 9 %}' + "{% set a = a | replace('a', 'aaaaaaaaaa') %}" * 9,
    "pieces": "{% for a in 'x' | list %}" + "{{ contact.name }}, " * 6000 + "{% endfor %}",
    "length": "x" * 200_001,
}


@pytest.mark.parametrize("body", ENORMOUS.values(), ids=ENORMOUS)
def test_what_would_never_end_is_a_problem(letters: Compiled, body: str) -> None:
    """Depth, padding, repetition and growth are refused in a moment, and the file is named."""
    with pytest.raises(InputRefused) as refused:
        render_to(letters(body), contact())
    problem = refused.value.problems[0]
    assert "invitation.md" in str(problem)
    assert problem.row == (None if body == ENORMOUS["length"] else 3)


def test_a_long_value_in_a_row_ends_its_loop(letters: Compiled) -> None:
    """What only a row makes enormous is told with the row, the template and its line."""
    made = letters("\n{% for a in contact.position %}{% for b in contact.position %}{{ a }}{% endfor %}{% endfor %}")
    with pytest.raises(InputRefused, match=r"row 7: templates/meeting/invitation.md, line 4: .* more than 200 times"):
        render_to(made, contact(position="x" * 300))


def test_what_letters_need_is_within_the_limits(rendered: Callable[..., object]) -> None:
    """Three loops for days, sessions and speakers, a few blocks in one another and usual filters are no problem."""
    one = "{% if loop.index % 2 == 0 %}{{ c | upper | trim }}{% endif %}"
    inner = "{% for c in event.programme.speakers %}" + one + "{% endfor %}"
    rendered("{% for a in event.hosts %}{% for b in a %}" + inner + "{% endfor %}{% endfor %} {{ days_left * 2 }}")
