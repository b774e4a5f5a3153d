"""The labelled set: nobody who answered is reminded, nearly everybody else is; and how the usual rule fares."""

from collections.abc import Sequence

import pytest

from tests.answers.cases import Case, cases
from tests.answers.scoring import address_or_link, ours, score


@pytest.fixture(scope="module")
def labelled() -> Sequence[Case]:
    return cases()


def test_the_set_is_what_it_says(labelled: Sequence[Case]) -> None:
    """At least 300 cases in which somebody answered, each recipient and reference in one case alone."""
    invitations = [one for case in labelled for one in case.invitations]
    assert sum(bool(case.responses) for case in labelled) >= 300
    assert (
        len({one.recipient.key for one in invitations})
        == len({one.reference for one in invitations})
        == len(invitations)
    )
    for case in labelled:
        assert case.answered <= {one.recipient.key for one in case.invitations}


def test_no_party_that_answered_is_reminded(labelled: Sequence[Case]) -> None:
    """Whatever the way in which the answer came; and at least 99 of 100 silent recipients are reminded."""
    found = score(ours, labelled)
    assert not found.pestered, found
    assert found.silent_reminded >= 0.99, found


def test_address_or_link_alone_is_worse(labelled: Sequence[Case]) -> None:
    """The rule that others use reminds more than a third of those who answered."""
    usual = score(address_or_link, labelled)
    assert usual.pestered.total() > usual.answered / 3, usual
