"""Whom a name that somebody typed stands for, however it is dressed."""

import pytest

from mailer.answers.parties import Parties, renamed
from mailer.model import Address, Contact, Party, PartyKind, Place, Standing
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


# --- renamed parties --------------------------------------------------------------------------------------------------

ADA, DAN, EVA = "ada@aid.example.org", "dan@aid.example.org", "eva@relief.example.org"
AID, RELIEF, HELP = (Party(name, PartyKind.ORGANISATION) for name in ("Sample Aid", "Sample Relief", "Sample Help"))


def called_now(invited: dict[str, Party], lists: list[tuple[str, Party]]) -> dict[Party, Party]:
    invitations = [invitation(address, party.name, kind=party.kind) for address, party in invited.items()]
    contacts = (Contact(Place("list.csv", None, 2), party, Address.parse(address)) for address, party in lists)
    return renamed(invitations, contacts, DIRECTORY)


@pytest.mark.parametrize(
    ("lists", "found"),
    [
        ([(ADA, AID), (DAN, AID)], {}),
        ([(ADA, RELIEF), (DAN, RELIEF)], {AID: RELIEF}),
        ([(ADA, RELIEF)], {AID: RELIEF}),
        ([(ADA, RELIEF), (DAN, AID)], {}),
        ([(ADA, RELIEF), ("new@aid.example.org", AID)], {}),
        ([(ADA, RELIEF), (DAN, HELP)], {}),
        ([(EVA, RELIEF)], {}),
        ([(ADA, Party("SAMPLE  aid", AID.kind)), (DAN, RELIEF)], {}),
        ([], {}),
    ],
    ids=["as it was", "all", "who is left", "moved", "replaced", "split", "gone", "another spelling", "no lists"],
)
def test_a_party_is_renamed_where_its_name_is_gone(lists: list[tuple[str, Party]], found: dict[Party, Party]) -> None:
    """And all of those invited who are left stand under one other name; else somebody has only moved."""
    assert called_now({ADA: AID, DAN: AID}, lists) == found


def test_a_row_of_somebody_who_has_left_keeps_no_name_standing() -> None:
    """It is seldom renamed with the others; where it was, it tells of the new name as they do."""
    invitations = [invitation(address, AID.name, kind=AID.kind) for address in (ADA, DAN)]

    def lists(left: Party, *others: Party) -> list[Contact]:
        rows = ((ADA, left, Standing.LEFT), *((DAN, party, Standing.ACTIVE) for party in others))
        return [
            Contact(Place("list.csv", None, 2), party, Address.parse(address), status=status)
            for address, party, status in rows
        ]

    assert renamed(invitations, lists(AID, RELIEF), DIRECTORY) == {AID: RELIEF}
    assert renamed(invitations, lists(RELIEF), DIRECTORY) == {AID: RELIEF}
    assert renamed(invitations, lists(RELIEF, AID), DIRECTORY) == {}


def test_what_was_renamed_more_than_once_has_one_key() -> None:
    """Whoever was invited by either of the former names, and by the one of today."""
    invited = {ADA: AID, "a@aid.example.org": AID, DAN: HELP, "d@aid.example.org": HELP, EVA: RELIEF}
    now = called_now(invited, [(address, RELIEF) for address in invited])
    invitations = [invitation(ADA, AID.name, kind=AID.kind), invitation(DAN, HELP.name, kind=HELP.kind)]
    parties = Parties.of(invitations, DIRECTORY, now)
    assert {parties.key(party) for party in (AID, HELP, RELIEF)} == {RELIEF.key}
    assert all(parties.meaning(party.name).keys == {RELIEF.key} for party in (AID, HELP, RELIEF))
    assert parties.at("aid.example.org") == {RELIEF.key}


def test_one_alone_among_others_may_have_moved_to_them() -> None:
    """Not so two, nor whoever shares with them a domain that nobody else has."""
    assert called_now({ADA: AID, EVA: RELIEF}, [(ADA, RELIEF), (EVA, RELIEF)]) == {}
    assert called_now({ADA: AID, DAN: AID, EVA: RELIEF}, [(ADA, RELIEF), (DAN, RELIEF), (EVA, RELIEF)]) == {AID: RELIEF}
    assert called_now({ADA: AID, DAN: RELIEF}, [(ADA, RELIEF), (DAN, RELIEF)]) == {AID: RELIEF}
    invited = {ADA: AID, DAN: RELIEF, "other@aid.example.org": HELP}
    assert called_now(invited, [(ADA, RELIEF), (DAN, RELIEF), ("other@aid.example.org", HELP)]) == {}


def test_a_name_that_has_changed_hands_makes_no_two_parties_one() -> None:
    """Those who had it before stand under a third name, with their own answers."""
    assert called_now({ADA: AID, EVA: RELIEF}, [(ADA, RELIEF), (EVA, HELP)]) == {}
    assert called_now({ADA: AID, EVA: RELIEF}, [(ADA, RELIEF)]) == {AID: RELIEF}


def test_a_name_easily_taken_for_another_is_mended_by_the_one_that_is_written_for_it() -> None:
    """As `check` asks for after the invitations went out too; the known spellings of a mission are one name."""
    congo, republic = Party("Congo", PartyKind.MISSION), Party("Republic of the Congo", PartyKind.MISSION)
    now = called_now({ADA: congo}, [(ADA, republic)])
    assert Parties(DIRECTORY, now).readings(congo) == {"COG"}
    coast = Party("Ivory Coast", PartyKind.MISSION)
    assert called_now({ADA: coast}, [(ADA, Party("Côte d'Ivoire", PartyKind.MISSION))]) == {}
