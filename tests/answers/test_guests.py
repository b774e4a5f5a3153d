"""Guests: by which headings an export tells of them, how many a row names, and which rule allows them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailer.answers.intake import fingerprint, judge
from mailer.answers.reading import Export, read_export
from mailer.model import AnswerState, Attendance, Rule
from tests.answers.invited import DEADLINE, EVENT, answer, book, hours, invitation, response, stand

ADA = "ada@peru.example.org"


def export(path: Path, headings: Sequence[str], cells: Sequence[str], said: str = "Yes", **columns: str) -> Export:
    """A Google Forms export of one answer, which is a yes, with these further columns."""
    rows = [
        ["Timestamp", "Email Address", "Will you attend?", *headings],
        ["2024-05-10 10:00:00", ADA, said, *cells],
    ]
    with (path / "form.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return read_export(path / "form.csv", zone=ZoneInfo("Europe/Zurich"), online_event=False, columns=columns)


@pytest.mark.parametrize(
    ("heading", "cell", "number", "name"),
    [
        ("Name of your guest", "Eva Guest", 1, "Eva Guest"),
        ("Guest", "SAMPLE, Eva", 1, "SAMPLE, Eva"),
        ("Guest's name and title", "Ms. Eva Guest", 1, "Ms. Eva Guest"),
        ("Your guest [Name]", "Eva Guest", 1, "Eva Guest"),
        ("Accompanying person", "none", 0, ""),
        ("Name of guest (if any)", "No, thank you", 0, ""),
        ("Guest name", "No Yeong-su", 1, "No Yeong-su"),
        ("Guest name", "to be confirmed", 1, "to be confirmed"),
        ("Names of guests", "Eva Guest and Tom Guest", 2, "Eva Guest; Tom Guest"),
        ("Will you bring a guest?", "Yes", 1, ""),
        ("Number of guests", "2", 2, ""),
        ("Number of persons attending", "2", 1, ""),
        ("Number of guests (including yourself)", "1", 0, ""),
        ("How many people will attend?", "three", 2, ""),
        ("Nom de votre invité(e)", "Ève Modèle", 1, "Ève Modèle"),
        ("Serez-vous accompagné(e) ?", "Oui", 1, ""),
        ("Nombre de participants", "2", 1, ""),
        ("Nom de l'accompagnant", "aucun", 0, ""),
        ("Nombre de su acompañante", "Sol Muestra", 1, "Sol Muestra"),
        ("Número de acompañantes", "1", 1, ""),
        ("¿Cuántas personas asistirán?", "2 personas", 1, ""),
        ("اسم الضيف", "حواء", 1, "حواء"),
        ("عدد المرافقين", "٢", 2, ""),
        ("عدد الأشخاص", "2", 1, ""),
        ("Guest email", "eva@example.org", 0, ""),
        ("Dietary requirements of your guest", "vegetarian", 0, ""),
        ("Number of employees", "40", 0, ""),
        ("Who invited you?", "Ada", 0, ""),
    ],
)
def test_guests_are_read_in_four_languages(tmp_path: Path, heading: str, cell: str, number: int, name: str) -> None:
    """A name, a number, a yes, or the number of all who come; whatever else is asked about a guest is no guest."""
    [found] = export(tmp_path, [heading], [cell]).responses
    assert (found.guests, found.guest_name, found.name, found.doubt) == (number, name, "", "")
    assert found.attendance is Attendance.IN_PERSON


@pytest.mark.parametrize(
    ("said", "number", "is_clear"),
    [
        ("Oui, 2 personnes", 1, True),
        ("Yes, 2 people", 1, True),
        ("Yes (3 persons)", 2, True),
        ("Yes - two delegates", 1, True),
        ("Oui 2 personnes", 1, True),
        ("Sí, tres personas, de forma presencial", 2, True),
        ("نعم، ٣ أشخاص", 2, True),
        ("Yes, 1 person", 0, True),
        ("Yes, 2 guests", 2, True),
        ("Yes, one accompanying person", 1, True),
        ("Yes, 2", 0, False),
        ("Yes +1", 1, True),
        ("Yes, with a guest", 1, True),
        ("I will attend with my spouse", 1, True),
        ("Oui, avec 2 invités", 2, True),
        ("Oui, accompagnée de mon conjoint", 1, True),
        ("Yes, with 2 colleagues", 0, False),
        ("Yes, 2 other people will join me", 0, False),
        ("Oui, nous serons deux", 0, False),
        ("Yes, 12 people", 0, False),
        ("Yes, I will bring my spouse and children", 0, False),
        ("Attending as a guest", 0, True),
        ("Yes, I will attend on 14 May", 0, True),
        ("Yes, at 10:30, 2nd floor", 0, True),
        ("In person (Room 2, 60 seats)", 0, True),
        ("1", 0, True),
    ],
)
def test_a_number_in_the_answer_itself_is_not_lost(tmp_path: Path, said: str, number: int, is_clear: bool) -> None:
    """It is counted where it can mean one thing alone, else for a person; dates, hours and rooms are none."""
    found = export(tmp_path, [], [], said=said).responses[0]
    assert found.guests == number
    assert found.doubt == ("" if is_clear else f"how many come is not clear (“{said}”)")
    named = export(tmp_path, ["Number of persons"], ["3"], said=said).responses[0]
    assert (named.guests, named.doubt) == (2, "")


def test_several_columns_about_guests_count_once(tmp_path: Path) -> None:
    """A yes, a number and the two halves of a name tell of one guest; two names are two."""
    headings = ["Will you bring a guest?", "Number of persons", "Guest first name", "Guest last name"]
    [found] = export(tmp_path, headings, ["Yes", "2", "Eva", "GUEST"]).responses
    assert (found.guests, found.guest_name) == (1, "Eva GUEST")
    [found] = export(tmp_path, ["Name of first guest", "Name of second guest"], ["Eva G.", "Tom G."]).responses
    assert (found.guests, found.guest_name) == (2, "Eva G; Tom G")


def test_a_column_about_guests_can_be_named_and_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    """One that is not understood is named in a warning, with the option that has it read."""
    headings, cells = ["Will you attend with a guest?", "Plus"], ["Yes", "Eva Guest"]
    found = export(tmp_path, headings, cells)
    assert "“Will you attend with a guest?” is not read" in found.problems[0].problem
    assert "guest" not in found.columns
    named = export(tmp_path, headings, cells, guest="Plus")
    assert (named.responses[0].guests, named.columns["guest"]) == (1, "Plus")


@pytest.mark.parametrize(
    "headings",
    [
        "Order ID,Order date,Buyer email,Ticket quantity,Ticket type",
        "Order #,Order Date,Email,Quantity,Ticket Type",
    ],
)
def test_the_tickets_of_one_order_are_seats(tmp_path: Path, headings: str) -> None:
    """Eventbrite's report of orders has one row for all tickets of an order."""
    path = tmp_path / "orders.csv"
    path.write_text(f"{headings}\n1,2024-05-10 10:00:00,{ADA},3,In person\n2,2024-05-10 10:00:00,x{ADA},1,Online\n")
    found = read_export(path, zone=ZoneInfo("UTC"), online_event=True).responses
    assert [response.guests for response in found] == [2, 0]


def test_nobody_is_brought_to_what_is_declined(tmp_path: Path) -> None:
    """Regrets take no seat, whatever else stands in the row."""
    with_no = export(tmp_path, ["Will you attend the session?", "Guest"], ["No", "Eva Guest"], attendance="Guest")
    assert with_no.responses[0].guests == 0
    rows = [
        ["Timestamp", "Email Address", "Will you attend?", "Guest"],
        ["2024-05-10 10:00:00", ADA, "No", "Eva Guest"],
    ]
    with (tmp_path / "no.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    [found] = read_export(tmp_path / "no.csv", zone=ZoneInfo("UTC"), online_event=False).responses
    assert (found.attendance, found.guests, found.guest_name) == (Attendance.REGRETS, 0, "")


def test_a_number_that_is_none_is_for_review(tmp_path: Path) -> None:
    """The words are shown, and a person says how many come."""
    [found] = export(tmp_path, ["Number of persons"], ["two or three"]).responses
    [(_, judged)] = judge([found], book(invitation(ADA, "Peru")), (), event=EVENT, deadline=DEADLINE)
    assert (judged.state, len(judged.candidates)) == (AnswerState.REVIEW, 1)
    assert "how many come is not clear (“two or three”)" in judged.reason


@pytest.mark.parametrize(
    ("rule", "guests", "reason"),
    [
        (Rule.PLUS_ONE, 1, None),
        (Rule.PLUS_ONE, 2, "the invitation is for one person and a guest, and 3 would come"),
        (Rule.TRANSFERABLE, 2, None),
        (Rule.REGRETS_ONLY, 1, None),
        (Rule.PERSONAL, 1, "the invitation is for one person, and 2 would come"),
        (Rule.ONE_PER_PARTY, 1, "one person may come for each party, and 2 would"),
    ],
)
def test_the_rule_says_whether_a_guest_may_come(rule: Rule, guests: int, reason: str | None) -> None:
    """What it does not allow waits for a person, with the reason."""
    row = response(ADA, guests=guests)
    [(_, judged)] = judge([row], book(invitation(ADA, "Peru", rule=rule)), (), event=EVENT, deadline=DEADLINE)
    assert judged.state is (AnswerState.REVIEW if reason else AnswerState.MATCHED)
    assert judged.guests == guests
    assert reason is None or judged.reason.startswith(reason)


def test_a_guest_counts_beside_those_who_come_already() -> None:
    """A delegate with a guest leaves no place on an invitation for two; the own earlier answer takes none."""
    host = invitation(ADA, "Peru", rule=Rule.PLUS_ONE)
    alone, with_guest = response(ADA, row=2), response(ADA, guests=1, at=hours(1), row=3)
    other = response("tom@gmail.com", reference=host.reference, at=hours(2), row=4)
    judged = [one for _, one in judge([alone, with_guest, other], book(host), (), event=EVENT, deadline=DEADLINE)]
    assert [one.state for one in judged] == [AnswerState.MATCHED, AnswerState.MATCHED, AnswerState.REVIEW]


def test_a_guest_takes_a_seat_in_the_way_of_the_respondent() -> None:
    """Until the respondent thinks better of it, or comes alone."""
    host = invitation(ADA, "Peru", rule=Rule.PLUS_ONE)
    both = answer(host, Attendance.ONLINE, email=ADA, guests=1)
    assert stand([host], both).seats(9).online == 2
    assert stand([host], both, answer(host, Attendance.IN_PERSON, email=ADA, at=hours(1))).seats(9).in_person == 1
    assert stand([host], both, answer(host, Attendance.REGRETS, email=ADA, at=hours(1))).seats(9).online == 0


def test_an_answer_without_a_guest_is_known_as_before() -> None:
    """A guest makes it another answer, so that a file in which one was added is taken in."""
    alone = fingerprint(response(ADA))
    assert alone == "\n".join(("", "", "ada peru example org", "", "in person", "2031-03-01T09:00:00+00:00"))
    assert len({alone, *(fingerprint(response(ADA, guests=1, guest_name=one)) for one in ("Eva", "Tom"))}) == 3
