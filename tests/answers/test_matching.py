"""Whose answer a response is: what matches, what is suggested, and what only a person can say."""

import pytest

from mailer.answers.matching import Match, match, references_in
from mailer.answers.parties import Parties
from mailer.model import AnswerState, Attendance, PartyKind, Reference, Rule
from tests.answers.invited import DIRECTORY, book, invitation, reference, response

BELGIUM = invitation("ada@belgium.example.org", "Belgium", "office@belgium.example.org")
KENYA = invitation("ben@kenya.example.org", "Permanent Mission of Kenya", "desk@kenya.example.org")
NIGER = invitation("salou@niger.example.org", "the Niger")
NIGERIA = invitation("tunde@nigeria.example.org", "Nigeria")
FREE = invitation("mission.of.fiji@gmail.com", "Fiji")
RELIEF = invitation(
    "kim@relief.example.org", "International Relief Council (IRC)", kind=PartyKind.ORGANISATION
)  # fmt: skip
HOST_A = invitation("a@host.example.org", "Peru")
HOST_B = invitation("b@host.example.org", "Chile")
ALL = (BELGIUM, KENYA, NIGER, NIGERIA, FREE, RELIEF, HOST_A, HOST_B)
BOOK = book(*ALL, people={"ada@belgium.example.org": "Ada Sample"}, **{reference("elsewhere"): "another-event"})


def matched(to: str, evidence: str, found: Match) -> bool:
    return (found.state, found.reference, found.matched_by) == (AnswerState.MATCHED, to, evidence)


def candidates(found: Match) -> set[str]:
    return {candidate.party for candidate in found.candidates}


# --- the reference ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        str,
        str.lower,
        lambda text: text.replace("-", ""),
        lambda text: text.replace("-", " "),
        lambda text: " ".join(text.replace("-", "").lower()),
        lambda text: f"My reference is {text}, and many thanks for the invitation.",
        lambda text: f"https://rsvp.example.org/form?lang=en&ref={text}#top",
        lambda text: text.replace("-", "–"),
    ],
    ids=["printed", "lower", "joined", "blank", "letter by letter", "sentence", "link", "dash"],
)
def test_a_reference_counts_however_it_is_written(write: object) -> None:
    """With or without hyphen, spaces and case, alone, in a sentence or in the link."""
    found = match(response("somebody@gmail.com", reference=write(KENYA.reference)), BOOK)  # type: ignore[operator]
    assert matched(KENYA.reference, "reference", found)


def test_the_reference_comes_before_the_address() -> None:
    """A delegate who was invited too answers for the invitation whose link was used."""
    found = match(response("ada@belgium.example.org", reference=KENYA.reference), BOOK)
    assert matched(KENYA.reference, "reference", found)


def test_a_mistyped_reference_is_ignored_with_a_note() -> None:
    """No wrong sign makes it another's: the rest of the row decides, else it waits with the one that it nearly is."""
    for place in range(10):
        signs = KENYA.reference.replace("-", "")
        for sign in Reference.ALPHABET:
            if sign == signs[place]:
                continue
            typed = signs[:place] + sign + signs[place + 1 :]
            assert not list(references_in(typed))
    found = match(response("ada@belgium.example.org", reference=typed), BOOK)
    assert matched(BELGIUM.reference, "address", found)
    assert "mistyped" in found.reason
    alone = match(response("somebody@gmail.com", reference=typed), BOOK)
    assert (alone.state, alone.reference, candidates(alone)) == (AnswerState.REVIEW, None, {KENYA.party.name})
    foreign = match(response("somebody@gmail.com", reference="ORDER-12345"), BOOK)
    assert (foreign.state, foreign.candidates) == (AnswerState.REVIEW, ())


def test_a_reference_of_another_event_is_for_review() -> None:
    """The event is named; what the rest of the row points to is offered, and never taken."""
    found = match(response("ada@belgium.example.org", reference=reference("elsewhere")), BOOK)
    assert (found.state, found.reference, candidates(found)) == (AnswerState.REVIEW, None, {"Belgium"})
    assert "another-event" in found.reason


@pytest.mark.parametrize("typed", ["Belgium", "Permanent Mission of Belgium", "International Relief Council", "Norway"])
def test_a_reference_that_disagrees_with_the_party_is_for_review(typed: str) -> None:
    """The link of one party with another's name: both wait, invited or not."""
    found = match(response(reference=KENYA.reference, party=typed), BOOK)
    assert (found.state, found.reference) == (AnswerState.REVIEW, KENYA.reference)
    assert KENYA.party.name in candidates(found)


@pytest.mark.parametrize("typed", ["", "Kenya", "Mission of Kenya to the UN", "Ministry of Health", "n/a", "Nairobi"])
def test_a_reference_stands_beside_any_other_word(typed: str) -> None:
    """Its own party in any spelling, and words that are no party's name, leave it as it is."""
    assert matched(KENYA.reference, "reference", match(response(reference=KENYA.reference, party=typed), BOOK))


def test_a_country_does_not_contradict_an_organisation() -> None:
    """Whoever works for the council in Kenya may say so; in the name of Kenya's mission it is for review."""
    assert matched(RELIEF.reference, "reference", match(response(reference=RELIEF.reference, party="Kenya"), BOOK))
    at_home = match(response("x@relief.example.org", party="Kenya"), BOOK)
    assert (at_home.state, candidates(at_home)) == (AnswerState.SUGGESTED, {RELIEF.party.name})
    in_its_name = response(reference=RELIEF.reference, party="Permanent Mission of Kenya")
    assert match(in_its_name, BOOK).state is AnswerState.REVIEW


def test_a_look_alike_agrees_with_the_reference() -> None:
    """“Niger” beside the reference of the Niger is more evidence, not less."""
    assert matched(NIGER.reference, "reference", match(response(reference=NIGER.reference, party="Niger"), BOOK))


def test_references_of_two_parties_are_for_review() -> None:
    """Nobody chooses between two references of different parties but a person."""
    found = match(response(reference=f"{KENYA.reference} or {BELGIUM.reference}"), BOOK)
    assert (found.state, len(candidates(found))) == (AnswerState.REVIEW, 2)


# --- the address ------------------------------------------------------------------------------------------------------


def test_addresses_are_tried_in_their_order_to_before_cc() -> None:
    """The recipient's address, then a copy's; the buyer's after the attendee's; in any case."""
    assert matched(BELGIUM.reference, "address", match(response("ADA@Belgium.Example.Org"), BOOK))
    assert matched(BELGIUM.reference, "cc", match(response("office@belgium.example.org"), BOOK))
    bought = response("guest@gmail.com", "desk@kenya.example.org")
    assert matched(KENYA.reference, "cc", match(bought, BOOK))
    assert matched(FREE.reference, "address", match(response("Mission.of.Fiji@gmail.com"), BOOK))


def test_an_address_in_copy_of_several_parties_is_for_review() -> None:
    """An office that two parties share answers for neither until a person says which."""
    shared = (
        invitation("one@one.example.org", "Peru", "office@shared.example.org"),
        invitation("two@two.example.org", "Chile", "office@shared.example.org"),
    )
    found = match(response("office@shared.example.org"), book(*shared))
    assert (found.state, candidates(found)) == (AnswerState.REVIEW, {"Peru", "Chile"})


# --- the party --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "party", "evidence"),
    [
        (response("colleague@kenya.example.org"), KENYA, "domain"),
        (response("colleague@kenya.example.org", party="Political section"), KENYA, "domain"),
        (response("guest@gmail.com", party="Belgium"), BELGIUM, "name"),
        (response("guest@gmail.com", party="Mission permanente de la Belgique auprès de l’ONU"), BELGIUM, "name"),
        (response("guest@gmail.com", party="بعثة"), None, None),
        (response("guest@gmail.com", party="IRC"), RELIEF, "name"),
        (response("guest@gmail.com", party="international relief council"), RELIEF, "name"),
        (response("x@nigeria.example.org", party="Nigeria"), NIGERIA, "domain"),
        (response("x@host.example.org", party="Peru"), HOST_A, "name"),
    ],
)
def test_own_domain_and_name_suggest(row: object, party: object, evidence: str | None) -> None:
    """Domain, official name in any language, and acronym of one party point to it; a person says yes."""
    found = match(row, BOOK)  # type: ignore[arg-type]
    if party is None:
        assert found.state is AnswerState.REVIEW
        return
    assert (found.state, found.matched_by) == (AnswerState.SUGGESTED, evidence)
    assert found.reference == party.reference  # type: ignore[attr-defined]
    assert candidates(found) == {party.party.name}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "domain", ["gmail.com", "outlook.com", "hotmail.fr", "yahoo.co.uk", "gmx.net", "qq.com", "un.int"]
)
def test_free_and_hosting_domains_identify_nobody(domain: str) -> None:
    """Not even where one party alone is reached there."""
    invited = invitation(f"mission@{domain}", "Fiji")
    found = match(response(f"somebody@{domain}"), book(invited))
    assert (found.state, found.candidates) == (AnswerState.REVIEW, ())


def test_a_domain_of_several_parties_is_for_review() -> None:
    """It suggests nobody; where few share it, all of them are offered, so that none is reminded in the meantime."""
    found = match(response("somebody@host.example.org"), BOOK)
    assert (found.state, candidates(found)) == (AnswerState.REVIEW, {"Peru", "Chile"})
    many = [invitation(f"p{n}@host.example.org", party) for n, party in enumerate(("Peru", "Chile", "Fiji", "Togo"))]
    assert match(response("somebody@host.example.org"), book(*many)).candidates == ()


@pytest.mark.parametrize(
    ("typed", "invited", "offered"),
    [
        ("Niger", ("the Niger", "Nigeria"), {"the Niger", "Nigeria"}),
        ("Korea", ("Republic of Korea",), {"Republic of Korea"}),
        ("Congo", ("Congo", "Democratic Republic of the Congo"), {"Congo", "Democratic Republic of the Congo"}),
        ("Samoa", ("Samoa",), {"Samoa"}),
    ],
)
def test_look_alikes_are_never_resolved(typed: str, invited: tuple[str, ...], offered: set[str]) -> None:
    """A name that may be another state's is for review, even where only one of them was invited."""
    parties = [invitation(f"m{n}@m{n}.example.org", party) for n, party in enumerate(invited)]
    found = match(response("guest@gmail.com", party=typed), book(*parties))
    assert (found.state, found.reference, candidates(found)) == (AnswerState.REVIEW, None, offered)


def test_a_look_alike_with_the_partys_domain_is_suggested() -> None:
    """“Niger” from the Niger's own domain is evidence enough to suggest it."""
    found = match(response("desk@niger.example.org", party="Niger"), BOOK)
    assert (found.state, candidates(found)) == (AnswerState.SUGGESTED, {"the Niger"})


def test_domain_against_name_is_for_review() -> None:
    """From Kenya's domain in Belgium's name: both wait."""
    found = match(response("desk2@kenya.example.org", party="Belgium"), BOOK)
    assert (found.state, candidates(found)) == (AnswerState.REVIEW, {"Belgium", KENYA.party.name})


def test_a_name_within_other_words_is_for_review() -> None:
    """“Embassy of Kenya, Washington” is no name of the mission, but the mission is not reminded over it."""
    found = match(response("guest@gmail.com", party="Embassy of Kenya, Washington"), BOOK)
    assert (found.state, candidates(found)) == (AnswerState.REVIEW, {KENYA.party.name})


def test_the_invitees_own_name_is_for_review() -> None:
    """The person invited, writing from a private address: not proved, but not reminded either."""
    found = match(response("ada.s@gmail.com", name="SAMPLE Ada"), BOOK)
    assert (found.state, candidates(found)) == (AnswerState.REVIEW, {"Belgium"})


def test_a_party_of_two_invitations_is_suggested_with_both() -> None:
    """Which of a party's invitations is meant, a person says; a personal one is not offered to colleagues."""
    second = invitation("second@kenya.example.org", "Kenya")
    personal = invitation("third@kenya.example.org", "Kenya", rule=Rule.PERSONAL)
    found = match(response("colleague@kenya.example.org"), book(KENYA, second, personal))
    assert (found.state, found.reference) == (AnswerState.SUGGESTED, None)
    assert {candidate.reference for candidate in found.candidates} == {KENYA.reference, second.reference}


def test_two_spellings_of_a_mission_are_one_party() -> None:
    """A domain that stands in two lists under two names of one state is that state's own."""
    invited = [KENYA, invitation("second@kenya.example.org", "Republic of Kenya")]
    assert match(response("colleague@kenya.example.org"), book(*invited)).state is AnswerState.SUGGESTED
    assert len({Parties.of(invited, DIRECTORY).key(one.party) for one in invited}) == 1


# --- rules and words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (response("pat@peru.example.org"), AnswerState.MATCHED),
        (response("pat@peru.example.org", name="Pat Person"), AnswerState.MATCHED),
        (response("pat@peru.example.org", name="Some Deputy"), AnswerState.REVIEW),
        (response("deputy@peru.example.org", reference=reference("pat@peru.example.org")), AnswerState.REVIEW),
        (response(reference=reference("pat@peru.example.org")), AnswerState.MATCHED),
        (response(reference=reference("pat@peru.example.org"), name="Some Deputy"), AnswerState.REVIEW),
        (response("office@peru.example.org"), AnswerState.REVIEW),
        (response("deputy@peru.example.org"), AnswerState.REVIEW),
    ],
)
def test_a_personal_invitation_is_answered_by_the_person(row: object, state: AnswerState) -> None:
    """Another name or address goes to review, and waits there with the invitation it was meant for."""
    personal = invitation("pat@peru.example.org", "Peru", "office@peru.example.org", rule=Rule.PERSONAL)
    found = match(row, book(personal, people={"pat@peru.example.org": "Pat Person"}))  # type: ignore[arg-type]
    assert (found.state, found.reference) == (state, personal.reference)
    assert bool(found.candidates) is (state is AnswerState.REVIEW)


def test_the_invitee_at_another_address_is_not_called_somebody_else() -> None:
    """A personal invitation waits all the same, and the reason says what is true."""
    personal = invitation("pat@peru.example.org", "Peru", rule=Rule.PERSONAL)
    invited = book(personal, people={"pat@peru.example.org": "Pat Person"})
    found = match(response("pat@gmail.com", name="Dr. Pat PERSON", reference=personal.reference), invited)
    assert found.state is AnswerState.REVIEW
    assert "it was answered under the invitee's name from another address" in found.reason
    other = match(response("dan@gmail.com", name="Dan Person", reference=personal.reference), invited)
    assert "somebody else answered" in other.reason


def test_a_known_name_is_said_to_be_known() -> None:
    """The reason agrees with the candidates below it."""
    found = match(response("ada@gmail.com", name="SAMPLE Ada"), BOOK)
    assert [one.reason for one in found.candidates] == ["the person invited has this name"]
    assert found.reason.startswith("somebody invited has this name, but")
    assert match(response("x@gmail.com", name="Some Body"), BOOK).reason == (
        "no reference, and neither the address nor a name is known"
    )


def test_unclear_words_are_for_review_whoever_wrote_them() -> None:
    """It is known whose answer it is, not what it means: that party waits."""
    unclear = response(reference=KENYA.reference, attendance=Attendance.REVIEW, words="perhaps")
    found = match(unclear, BOOK)
    assert (found.state, found.reference, candidates(found)) == (
        AnswerState.REVIEW,
        KENYA.reference,
        {KENYA.party.name},
    )
    assert "“perhaps”" in found.reason


def test_what_was_said_unclearly_is_told_beside_any_other_doubt() -> None:
    """The words are nowhere else, and whoever settles the answer has to know them."""
    found = match(response("x@gmail.com", attendance=Attendance.REVIEW, words="if I can"), BOOK)
    assert (found.state, found.candidates) == (AnswerState.REVIEW, ())
    assert "“if I can”" in found.reason and "no reference" in found.reason


def test_a_stranger_is_for_review_and_holds_nobody() -> None:
    """Nothing in the row is known: no candidate, and a reason."""
    found = match(response("somebody@elsewhere.example.org", name="Some Body", party="Atlantis"), BOOK)
    assert (found.state, found.candidates) == (AnswerState.REVIEW, ())
    assert match(response(party="Norway"), BOOK).reason == "“Norway” was not invited"
