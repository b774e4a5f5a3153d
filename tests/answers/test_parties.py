"""Whom a name that somebody typed stands for, however it is dressed."""

import pytest

from mailer.answers.parties import Parties
from tests.answers.invited import DIRECTORY, invitation

KENYA = invitation("ben@kenya.example.org", "Kenya")
RURITANIA = invitation("rudolf@ruritania.example.org", "Permanent Mission of the Kingdom of Ruritania")
PARTIES = Parties.of([KENYA, RURITANIA], DIRECTORY)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("Embassy of Kenya", "KEN"), ("Ambassade du Kenya", "KEN"), ("Mission du Kenya", "KEN"),
        ("Embajada de Kenia", "KEN"), ("The Kenya Mission to the United Nations", "KEN"),
        ("Kingdom of Ruritania", RURITANIA.party.key), ("Embassy of the Kingdom of Ruritania", RURITANIA.party.key),
    ],
)  # fmt: skip
def test_a_mission_is_known_by_whatever_stands_around_its_name(typed: str, key: str) -> None:
    """As a mission, an embassy or the state alone, whether the directory holds it or only the sheet."""
    meaning = PARTIES.meaning(typed)
    assert meaning.keys == {key}
    assert meaning.sure and meaning.named
