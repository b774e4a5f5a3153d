"""What the answers mean together: closed invitations, holds, who comes, and seats."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.answers.intake import fingerprint, judge
from mailer.answers.standing import Turnout
from mailer.model import Answer, AnswerState, Attendance, Invitation, Rule
from tests.answers.invited import DEADLINE, EVENT, answer, book, hours, invitation, response, stand

AMBASSADOR = invitation("ada@belgium.example.org", "Belgium", "office@belgium.example.org")
DEPUTY = invitation("dan@belgium.example.org", "Permanent Mission of Belgium")
KENYA = invitation("ben@kenya.example.org", "Kenya")
INVITED = (AMBASSADOR, DEPUTY, KENYA)
ADA, DAN, BEN = (one.recipient.key for one in INVITED)
YES, ONLINE, NO = Attendance.IN_PERSON, Attendance.ONLINE, Attendance.REGRETS


def said(found: Turnout) -> list[tuple[str, Attendance]]:
    return [(one.respondent_email or one.respondent_name, one.attendance) for one in found.current]


def under(rule: Rule, name: str = "pat") -> Invitation:
    return invitation(f"{name}@peru.example.org", "Peru", rule=rule)


# --- what an answer closes --------------------------------------------------------------------------------------------


def test_a_delegates_answer_closes_all_invitations_of_the_party() -> None:
    """In whatever spelling the lists name the party; other parties stay open."""
    found = stand(INVITED, answer(AMBASSADOR, email="delegate@gmail.com"))
    by_colleague = "in_person, by a colleague"
    assert found.answered == {ADA: by_colleague, DAN: by_colleague, "delegate@gmail.com": "in_person"}


def test_the_invitees_own_answer_is_the_invitees() -> None:
    """Regrets of one and a yes of the other: each keeps the own word, and nobody is open."""
    found = stand(INVITED, answer(AMBASSADOR, NO, email=ADA), answer(AMBASSADOR, ONLINE, email="delegate@gmail.com"))
    assert (found.answered[ADA], found.answered[DAN]) == ("regrets", "online, by a colleague")
    by_secretary = stand(INVITED, answer(AMBASSADOR, NO, email="office@belgium.example.org"))
    assert (by_secretary.answered[ADA], by_secretary.answered[DAN]) == ("regrets", "regrets, by a colleague")
    without_address = answer(AMBASSADOR, NO, name="Sam Secretary")
    people = {ADA: "Ada Sample"}
    by_form = stand(INVITED, without_address, people=people)
    assert (by_form.answered[ADA], by_form.answered[DAN]) == ("regrets", "regrets, by a colleague")
    somebody_comes = stand(INVITED, without_address, answer(DEPUTY, ONLINE, email="d@gmail.com"), people=people)
    assert somebody_comes.answered[ADA] == "regrets, by a colleague"


def test_a_name_without_an_address_speaks_for_the_invitation() -> None:
    """Where nobody left an address, the invitation's own is written to."""
    assert stand(INVITED, answer(KENYA, name="Some Body")).answered == {BEN: "in_person"}


@pytest.mark.parametrize(
    ("name", "address", "word"),
    [
        ("Ms. Ada María SAMPLE", "ada@gmail.com", "in_person"),
        ("SAMPLE, Ada", "ada@gmail.com", "in_person"),
        ("Ada", "ada@gmail.com", "in_person, by a colleague"),
        ("Ada Other", "ada@gmail.com", "in_person, by a colleague"),
        ("Ada Sample", "ben@kenya.example.org", "in_person, by a colleague"),
        ("Ada", "", "in_person"),
        ("Ana Costa", "", "in_person, by a colleague"),
        ("", "", "in_person"),
    ],
)
def test_name_and_address_tell_whose_word_it_is(name: str, address: str, word: str) -> None:
    """The full name from an address of one's own is the invitee's; another name is not, from whatever address."""
    found = stand(INVITED, answer(AMBASSADOR, email=address, name=name), people={ADA: "Ada Sample"})
    assert found.answered[ADA] == word


def test_those_who_come_are_reached_at_one_address_each() -> None:
    """The invitee at the one invited, a colleague at the own, and at that of the invitation without one."""
    own = answer(AMBASSADOR, email="ada@gmail.com", name="Ada Sample")
    colleague = answer(AMBASSADOR, email="dora@gmail.com", name="Dora Delegate")
    by_telephone = answer(KENYA, name="Ana Costa")
    people = {ADA: "Ada Sample", BEN: "Ben Sample"}
    found = stand(INVITED, own, colleague, by_telephone, people=people)
    assert found.comes == {ADA: own, "dora@gmail.com": colleague, BEN: by_telephone}
    declined = answer(KENYA, NO, email=BEN, at=hours(1))
    assert stand(INVITED, by_telephone, declined, people=people).comes == {}


@pytest.mark.parametrize("rule", [Rule.PERSONAL, Rule.PLUS_ONE, Rule.REGRETS_ONLY])
def test_other_rules_close_only_their_own_invitation(rule: Rule) -> None:
    """A personal invitation and its answer have nothing to do with the party's others."""
    own, open_one, same = under(rule), under(Rule.TRANSFERABLE, "open"), under(rule, "same")
    found = stand((own, open_one, same), answer(own, email=own.recipient.key))
    assert list(found.answered) == [own.recipient.key]
    assert own.recipient.key not in stand((own, open_one, same), answer(open_one, email="x@gmail.com")).answered


def test_transferable_and_one_per_party_close_each_other() -> None:
    """Both speak for the party."""
    both = (under(Rule.TRANSFERABLE, "one"), under(Rule.ONE_PER_PARTY, "two"))
    assert {one.recipient.key for one in both} < stand(both, answer(both[1], email="x@gmail.com")).answered.keys()


def test_whoever_answered_through_anothers_link_has_answered() -> None:
    """Kenya's invitee used Belgium's link: Belgium is closed by that, and the person is not asked again."""
    assert stand(INVITED, answer(AMBASSADOR, email=BEN)).answered[BEN] == "in_person"


def test_silence_is_a_yes_under_regrets_only() -> None:
    """Once the invitation went out, and until regrets come; the seat counts."""
    first, second, third = (under(Rule.REGRETS_ONLY, name) for name in ("one", "two", "three"))
    reached = (first.recipient.key, second.recipient.key)
    found = stand((first, second, third), answer(first, NO, email=first.recipient.key), reached=reached)
    assert found.silent == {second.recipient.key}
    assert found.seats(9, Attendance.IN_PERSON).in_person == 1
    assert found.seats(9).attending == 1


# --- who said what last -----------------------------------------------------------------------------------------------


def test_a_later_answer_of_the_same_respondent_replaces_the_earlier() -> None:
    """By address in any case, whatever order the answers come in; through the party's other link too."""
    yes, no = answer(AMBASSADOR, email="x@gmail.com"), answer(DEPUTY, NO, email="X@gmail.com", at=hours(1))
    for order in ((yes, no), (no, yes)):
        found = stand(INVITED, *order)
        assert said(found) == [("X@gmail.com", NO)]
        assert found.seats(None).in_person == 0
        assert DAN in found.answered


def test_without_an_address_the_name_tells_the_respondent() -> None:
    """On one invitation; and the person who gives an address later is still the same."""
    first, second = answer(KENYA, name="Zoé  Delegate"), answer(KENYA, NO, name="ZOE DELEGATE", at=hours(1))
    assert [one.attendance for one in stand(INVITED, first, second).current] == [NO]
    third = answer(KENYA, ONLINE, name="Zoe Delegate", email="zoe@gmail.com", at=hours(2))
    assert said(stand(INVITED, first, second, third)) == [("zoe@gmail.com", ONLINE)]
    other = answer(AMBASSADOR, ONLINE, name="Zoe Delegate", at=hours(2))
    assert len(stand(INVITED, first, other).current) == 2


def test_several_delegates_come_on_one_invitation() -> None:
    """Each has a seat, in person or online; the invitee may be one of them."""
    answers = [answer(AMBASSADOR, email=f"d{n}@gmail.com") for n in range(3)]
    found = stand(
        INVITED, *answers, answer(AMBASSADOR, ONLINE, email=ADA), answer(KENYA, Attendance.WAITING, email=BEN)
    )
    seats = found.seats(60)
    assert (seats.capacity, seats.in_person, seats.online, seats.waiting) == (60, 3, 1, 1)
    assert len(found.coming) == 4


def test_the_own_answer_takes_back_a_seat_held_by_a_colleague() -> None:
    """A guest of one who answers the own invitation comes once, or not at all."""
    host, guest = under(Rule.PLUS_ONE), under(Rule.TRANSFERABLE, "guest")
    as_guest = answer(host, email=guest.recipient.key)
    own = answer(guest, NO, email=guest.recipient.key, at=hours(1))
    found = stand((host, guest), as_guest, own)
    assert said(found) == [(guest.recipient.key, NO)]
    assert len(found.answered) == 2


def test_an_assistant_who_answers_for_two_is_two_answers() -> None:
    """One address on two personal invitations, once settled: neither replaces the other, both are closed."""
    first, second = under(Rule.PERSONAL, "one"), under(Rule.PERSONAL, "two")
    office = "office@peru.example.org"
    found = stand((first, second), answer(first, email=office), answer(second, NO, email=office, at=hours(1)))
    assert len(found.current) == 2
    assert {first.recipient.key, second.recipient.key} < found.answered.keys()


# --- what waits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [AnswerState.SUGGESTED, AnswerState.REVIEW])
def test_a_doubt_holds_every_party_that_it_points_to(state: AnswerState) -> None:
    """Candidates and the reference's own, with all their invitations; nobody else; a rejected one holds nobody."""
    doubt = answer(KENYA, email="x@gmail.com", state=state, candidates=[AMBASSADOR])
    found = stand((*INVITED, under(Rule.PERSONAL)), doubt)
    assert set(found.held) == {ADA, DAN, BEN}
    assert found.answered == {}
    assert {hold.party for hold in found.holds} == {"Belgium", "Kenya"}
    assert f"answer {doubt.id} waits" in found.held[ADA]
    rejected = answer(KENYA, email="x@gmail.com", state=AnswerState.REJECTED, candidates=[AMBASSADOR])
    assert stand(INVITED, rejected).held == {}


def test_a_later_clear_answer_settles_a_doubt() -> None:
    """“Perhaps” and then “yes” of one respondent leave nothing to ask; the other way round something to look at."""
    perhaps = answer(KENYA, Attendance.REVIEW, email="x@gmail.com", state=AnswerState.REVIEW)
    yes = answer(KENYA, email="x@gmail.com", at=hours(1))
    assert stand(INVITED, perhaps, yes).doubts == ()
    again = answer(KENYA, Attendance.REVIEW, email="x@gmail.com", state=AnswerState.REVIEW, at=hours(2))
    found = stand(INVITED, yes, again)
    assert (len(found.doubts), found.answered[BEN]) == (1, "in_person, by a colleague")
    assert len(stand(INVITED, perhaps, again).doubts) == 1


# --- rules ------------------------------------------------------------------------------------------------------------


def judged(invitation: Invitation, *addresses: str, attendance: Attendance = YES) -> list[AnswerState]:
    rows = [
        response(one, reference=invitation.reference, row=n, attendance=attendance, at=hours(n))
        for n, one in enumerate(addresses)
    ]
    return [one.state for _, one in judge(rows, book(invitation), (), event=EVENT, deadline=DEADLINE)]


def test_one_more_than_the_rule_allows_is_for_review() -> None:
    """A guest's guest, and a party's second delegate; regrets and changes of mind take no place."""
    ok, review = AnswerState.MATCHED, AnswerState.REVIEW
    plus_one, single = under(Rule.PLUS_ONE), under(Rule.ONE_PER_PARTY)
    assert judged(plus_one, "a@a.org", "b@b.org", "a@a.org", "c@c.org") == [ok, ok, ok, review]
    assert judged(single, "a@a.org", "a@a.org", "b@b.org") == [ok, ok, review]
    assert judged(single, "a@a.org", "b@b.org", attendance=NO) == [ok, ok]
    assert judged(under(Rule.TRANSFERABLE), *(f"{n}@a.org" for n in range(9))) == [ok] * 9


def test_answers_recorded_before_count_for_the_rule() -> None:
    """The second yes may come weeks later, through the party's other invitation."""
    first, second = under(Rule.ONE_PER_PARTY, "one"), under(Rule.ONE_PER_PARTY, "two")
    known = answer(first, email="x@gmail.com")
    row = response("y@gmail.com", reference=second.reference, at=hours(9))
    [(_, late)] = judge([row], book(first, second), [known], event=EVENT, deadline=DEADLINE)
    assert (late.state, late.reference) == (AnswerState.REVIEW, second.reference)
    assert "one does already" in late.reason


def test_who_may_come_is_who_waits_for_a_person_with_anything_but_a_no() -> None:
    """Unless that person is among those who come by another answer, and is written to as such."""
    waiting = {
        "kim@kenya.example.org": Attendance.ONLINE,
        "unclear@kenya.example.org": Attendance.REVIEW,
        "no@kenya.example.org": Attendance.REGRETS,
        "again@kenya.example.org": Attendance.IN_PERSON,
    }
    doubts = [
        answer(None, attendance, email=email, state=AnswerState.SUGGESTED, candidates=[KENYA], at=hours(1))
        for email, attendance in waiting.items()
    ]
    found = stand([KENYA], *doubts, answer(KENYA, Attendance.ONLINE, email="again@kenya.example.org"))
    assert len(found.doubts) == 4
    assert [one.respondent_email for one in found.may_come] == [*waiting][:2]


def test_a_late_answer_is_kept_and_flagged() -> None:
    """After the deadline it counts and says so."""
    for at, late in ((DEADLINE, False), (DEADLINE + timedelta(seconds=1), True)):
        [(_, made)] = judge(
            [response(BEN, at=at)], book(KENYA), (), event=EVENT, deadline=DEADLINE
        )  # fmt: skip
        assert (made.state, made.late) == (AnswerState.MATCHED, late)


def test_a_fingerprint_does_not_depend_on_the_place() -> None:
    """Row and file do not count, words and time do; without dates the file's time does not count either."""
    row, later = response(BEN, name="Ben", row=2), response(BEN, name="Ben", at=hours(1))
    assert fingerprint(row) == fingerprint(response(BEN, name="BEN", row=9))
    assert fingerprint(row) != fingerprint(later)
    undated = fingerprint(replace(row, dated=False))
    assert undated == fingerprint(replace(later, dated=False))
    assert undated != fingerprint(replace(response(BEN, name="Ben", words="No"), dated=False))


# --- invariants -------------------------------------------------------------------------------------------------------

_answers = st.builds(
    lambda to, attendance, email, hour, state: answer(to, attendance, email=email, at=hours(hour), state=state),
    st.sampled_from(INVITED),
    st.sampled_from([YES, ONLINE, NO, Attendance.WAITING, Attendance.ATTENDING]),
    st.sampled_from(["", ADA, DAN, BEN, "x@gmail.com", "y@gmail.com"]),
    st.integers(0, 50),
    st.sampled_from([AnswerState.MATCHED, AnswerState.MATCHED, AnswerState.SUGGESTED, AnswerState.REJECTED]),
)


@given(st.lists(_answers, max_size=12), st.randoms())
def test_the_order_of_arrival_does_not_matter(answers: list[Answer], source: object) -> None:
    """Where an event stands is decided by what was said and when, not by the order in which it was read."""
    shuffled = list(answers)
    source.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = stand(INVITED, *answers), stand(INVITED, *shuffled)
    assert first == second


@given(st.lists(_answers, max_size=12))
def test_nobody_who_answered_is_open(answers: list[Answer]) -> None:
    """Every matched answer closes its invitation, every doubt holds it, and one person has one seat in a party."""
    found = stand(INVITED, *answers)
    for one in answers:
        recipient = next(invited.recipient.key for invited in INVITED if invited.reference == one.reference)
        if one.state is AnswerState.MATCHED:
            assert recipient in found.answered
        if one.state is AnswerState.SUGGESTED:
            assert recipient in found.answered or recipient in found.held
    belgian = [
        one.respondent_email for one in found.coming if one.reference != KENYA.reference and one.respondent_email
    ]
    assert len(belgian) == len(set(belgian))
