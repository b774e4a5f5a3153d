"""Lists of names as prose."""

import pytest

from mailer.render.faults import Unfit
from mailer.render.names import capital, isolate, prose

GROUPS = (("A", "B", "C"), ("D", "E"))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "A, B and C along with D and E"),
        ("fr", "A, B et C ainsi que D et E"),
        ("es", "A, B y C junto con D y E"),
        ("ar", "\u2068A\u2069 و\u2068B\u2069 و\u2068C\u2069، وكذلك \u2068D\u2069 و\u2068E\u2069"),
    ],
)
def test_groups_of_hosts_read_as_prose(language: str, told: str) -> None:
    """Names of a group are joined by "and", groups by "along with", in each language."""
    assert prose(language)(GROUPS) == told


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["Francia", "Italia"], "Francia e Italia"),
        (["agua", "hielo"], "agua y hielo"),
        (["padres", "hijos"], "padres e hijos"),
        (["Perú", "Irán"], "Perú e Irán"),
        (["El Salvador", "Íñigo"], "El Salvador e Íñigo"),
        (["Italia"], "Italia"),
    ],
)
def test_spanish_and_changes_before_its_own_sound(names: list[str], told: str) -> None:
    """`y` becomes `e` before the sound of i, but not before a diphthong."""
    assert prose("es")(names) == told


def test_one_name_one_list_and_nothing() -> None:
    """A text is one name, a flat list one group, and an empty list nothing."""
    names = prose("en")
    assert names("Alpha") == "Alpha"
    assert names(["Alpha", "Beta"]) == "Alpha and Beta"
    assert names([]) == ""


@pytest.mark.parametrize("value", [7, [1, 2], [["A"], "B"], [["A"], [3]]])
def test_what_is_no_list_of_names_is_refused(value: object) -> None:
    """Numbers and mixed lists are not printed as Python would print them."""
    with pytest.raises(Unfit):
        prose("en")(value)


def test_a_list_may_begin_a_sentence() -> None:
    """`| names | capital` makes the first letter a capital one, and leaves the others as they are."""
    assert capital(prose("fr")(["la Fondation", "CIVIC"])) == "La Fondation et CIVIC"
    assert capital("") == ""


def test_only_left_to_right_runs_are_isolated() -> None:
    """Arabic names and bare numbers need no signs of direction, and nothing is isolated twice."""
    assert isolate("جنيف") == "جنيف"
    assert isolate("2024") == "2024"
    assert isolate("Zoom") == "\u2068Zoom\u2069"
    assert isolate(isolate("Zoom")) == isolate("Zoom")
