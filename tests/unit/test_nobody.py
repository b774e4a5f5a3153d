"""What says that there is nobody is no name in a sheet, and no form of address either."""

import pytest

from mailer.contacts.names import title_and_name
from mailer.model.nobody import is_no_name, is_nobody
from mailer.protocol.names import fault

NOBODY = ["none", "nan", "NULL", "TBC", "t.b.d.", "N/A", "n.a.", "na", "unknown", "Not known", "vacant",
          "Puesto vacante", "à désigner", "To be confirmed", "شاغر", "xx", "undefined",
          "inconnue", "\uff4e\uff41\uff4e"]  # fmt: skip
PEOPLE = ["Nan Htwe", "Nan-Hee Kim", "Ada Null", "Na Li", "Malcolm X", "Vacante Sample", "Ana Tbcova", "Max", "X."]


@pytest.mark.parametrize("around", ["{}", "({})", "[{}]", "{}.", "“{}”", "– {} –", "<{}>", "{}!"])
@pytest.mark.parametrize("words", NOBODY)
def test_whatever_signs_stand_around_it_nobody_is_called_so(words: str, around: str) -> None:
    """The reader of the sheets and the forms of address judge alike, so that no mail begins with "Dear none.,"."""
    typed = around.format(words)
    assert is_nobody(typed)
    assert is_no_name(typed)
    assert title_and_name(typed) == ("", "")
    assert fault(typed) == "is a placeholder"


@pytest.mark.parametrize("name", PEOPLE)
def test_people_whose_names_look_like_it_are_called_so(name: str) -> None:
    """Half of a name may be a word that stands for nobody elsewhere."""
    assert not is_nobody(name)
    assert not is_no_name(name)
    assert fault(name) == ""


@pytest.mark.parametrize("words", ["Ana nan", "Ambassador (TBC)", "Ana SAMPLE, to be confirmed", "x", "(X)"])
def test_a_part_of_it_or_a_cross_is_no_name(words: str) -> None:
    """A cross ticks a column, and what is still open stays open beside a name; but the cell does not say nobody."""
    assert is_no_name(words)
    assert not is_nobody(words)
    assert fault(words) == "is a placeholder"


@pytest.mark.parametrize("words", ["", "-", "?!", "123"])
def test_what_holds_no_letter_names_nobody(words: str) -> None:
    """The form of address says why, as a number is no placeholder; where nothing stands there is no fault."""
    assert is_nobody(words)
    assert is_no_name(words)
    assert fault(words) == ("has no letter in it" if words else "")
