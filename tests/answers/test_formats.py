"""Exports of each tool, as it writes them: what is recognised, who answered, and the traps of each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailer.answers.reading import Export, read_export
from mailer.answers.response import Response
from mailer.errors import InputRefused
from mailer.model import Attendance

EXPORTS = Path(__file__).parent / "exports"
NEW_YORK = ZoneInfo("America/New_York")


def export(name: str, *, online_event: bool = True) -> Export:
    return read_export(EXPORTS / name, zone=NEW_YORK, online_event=online_event)


def only(name: str) -> Response:
    (response,) = export(name).responses
    return response


@pytest.mark.parametrize(
    ("file", "tool", "rows"),
    [
        ("zoom_registration.csv", "Zoom registration", [7, 8, 9]),
        ("google_forms_en.csv", "Google Forms", [2, 3, 4, 5]),
        ("google_forms_fr.csv", "Google Forms", [2, 3]),
        ("google_forms_es.csv", "Google Forms", [2]),
        ("microsoft_forms_en.csv", "Microsoft Forms", [2, 3]),
        ("microsoft_forms_es.csv", "Microsoft Forms", [2]),
        ("eventbrite_old.csv", "Eventbrite", [2, 3, 4]),
        ("eventbrite_new.csv", "Eventbrite", [2, 3]),
        ("cvent.csv", "Cvent", [4, 5, 8, 9, 10]),
        ("indico.csv", "Indico", [2, 3, 4, 5]),
        ("limesurvey_codes.csv", "LimeSurvey", [2]),
        ("limesurvey_questions.csv", "LimeSurvey", [2, 3]),
        ("surveymonkey.csv", "SurveyMonkey", [3, 4, 5]),
        ("surveymonkey_joined.csv", "SurveyMonkey", [3, 4, 5]),
        ("typeform.csv", "Typeform", [2]),
        ("tally.csv", "Tally", [2]),
    ],
)
def test_each_tool_is_recognised_by_its_headings(file: str, tool: str, rows: list[int]) -> None:
    """The tool is named, and each finished row below its headings is a response of the row a spreadsheet shows."""
    found = export(file)
    assert found.tool == tool
    assert [response.row for response in found.responses] == rows
    assert all(response.file == file for response in found.responses)


@pytest.mark.parametrize("file", sorted(path.name for path in EXPORTS.iterdir() if path.name != "zoom_attendees.csv"))
def test_ana_and_the_others_are_understood_in_each_export(file: str) -> None:
    """In every sample somebody has a name, an address or reference, an aware time and an attendance that is clear."""
    for response in export(file).responses:
        assert response.name
        assert response.addresses or response.reference
        assert response.at.utcoffset() is not None
    assert any(response.attendance is not Attendance.REVIEW for response in export(file).responses)


def attendances(found: Export) -> list[str]:
    return [str(response.attendance) for response in found.responses]


def test_zoom_rows_are_read_below_the_preamble_though_longer_than_their_header() -> None:
    """The lines about the meeting are passed over, and a last cell without a heading does no harm."""
    ana, nils, _ = export("zoom_registration.csv").responses
    assert (ana.name, ana.addresses, ana.party) == (
        "Ana MUESTRA", ("ana@chile.example.org",), "Permanent Mission of Chile",
    )  # fmt: skip
    assert ana.reference == "C3FT6-3Q7DB"
    assert ana.at == datetime(2024, 5, 10, 13, 57, 19, tzinfo=UTC)
    assert nils.party == ""  # where somebody sits is not whom they come for


def test_zoom_pending_is_a_yes_and_denied_is_for_review() -> None:
    """A registration that waits for approval is a yes; one that was denied is for a person to look at."""
    assert attendances(export("zoom_registration.csv")) == ["attending", "attending", "review"]


def test_a_zoom_attendance_report_is_refused_with_the_way_out() -> None:
    """Who came is not who answered."""
    with pytest.raises(InputRefused, match="it says who came, not who answered") as refused:
        export("zoom_attendees.csv")
    assert "registration report" in str(refused.value)


def test_google_forms_repeat_answers_are_responses_of_their_own() -> None:
    """Somebody who answers twice is two responses, in the file's order, each with its time."""
    first, _, second, _ = export("google_forms_en.csv").responses
    assert first.addresses == second.addresses
    assert (first.attendance, second.attendance) == (Attendance.IN_PERSON, Attendance.REGRETS)
    assert first.at < second.at


def test_google_forms_headings_with_line_breaks_are_questions_like_others() -> None:
    """A line break inside a heading changes nothing."""
    found = export("google_forms_en.csv")
    assert found.columns["attendance"] == "Will you attend the briefing?"
    assert found.responses[0].party == "Chile"


def test_a_reference_in_a_comment_counts() -> None:
    """Nobody asked for it there, and still it is the row's reference, with the sentence around it."""
    assert "wjpdg-hysdk" in export("google_forms_en.csv").responses[1].reference


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("google_forms_fr.csv", ["in_person", "regrets"]),
        ("google_forms_es.csv", ["online"]),
        ("microsoft_forms_es.csv", ["in_person"]),
    ],
)
def test_french_and_spanish_forms_are_understood(file: str, expected: list[str]) -> None:
    """Headings and answers in French and Spanish are read like English ones, dates by the file's own evidence."""
    assert attendances(export(file)) == expected
    assert all(response.at.month == 5 for response in export(file).responses)


def test_microsoft_forms_anonymous_is_no_respondent() -> None:
    """Where the tool writes "anonymous", name and address are those of the questions."""
    ana, dominique = export("microsoft_forms_en.csv").responses
    assert (ana.name, ana.addresses) == ("Ana MUESTRA", ("ana@chile.example.org",))
    assert (dominique.name, dominique.addresses) == ("Dominique MODÈLE", ("d.modele@unep.example.org",))
    assert ana.at == datetime(2024, 5, 13, 13, 2, 10, tzinfo=UTC)  # completion, not start


def test_eventbrite_states_decide_and_the_ticket_says_how() -> None:
    """Refunded and Not Attending are regrets; an attending "In person" ticket is a seat in the room."""
    found = export("eventbrite_old.csv")
    assert attendances(found) == ["in_person", "regrets", "regrets"]
    assert found.responses[0].party == "Chile"


def test_eventbrite_attendee_comes_before_the_buyer() -> None:
    """The buyer may be an assistant: the name is the attendee's, the buyer's address the last that is tried."""
    ana, luz = export("eventbrite_new.csv").responses
    assert ana.addresses == ("ana.muestra@free.example.org", "office@chile.example.org")
    assert (luz.name, luz.addresses) == ("Luz PRUEBA", ("office@chile.example.org",))


def test_an_affiliate_code_is_a_reference_only_where_it_is_one() -> None:
    """What a link carries back is looked at; Eventbrite's own codes are no mistyped references."""
    ana, luz = export("eventbrite_new.csv").responses
    assert (ana.reference, luz.reference) == ("C3FT6-3Q7DB", "")


def test_cvent_lists_all_invitees_and_dates_only_registrations() -> None:
    """Who has not answered, or only looked at the page, is passed over; of those who decline no date is known."""
    found = export("cvent.csv")
    assert attendances(found) == ["online", "regrets", "waiting", "review", "regrets"]
    assert [response.dated for response in found.responses] == [True, False, True, True, False]
    ana = found.responses[0]
    assert (ana.name, ana.addresses, ana.party) == ("Ana MUESTRA", ("ana@chile.example.org",), "Chile")
    assert (ana.reference, ana.at) == ("C3FT6-3Q7DB", datetime(2024, 5, 13, 13, 57, tzinfo=UTC))
    unanswered, undated = found.problems
    assert "It is said that no answer came in rows 6 and 7" in unanswered.problem
    assert "No date stands in rows 5 and 10" in undated.problem


def test_indico_states() -> None:
    """Completed and pending are a yes and the question says how; withdrawn is regrets, rejected for review."""
    assert attendances(export("indico.csv")) == ["in_person", "online", "regrets", "review"]


@pytest.mark.parametrize("file", ["limesurvey_codes.csv", "limesurvey_questions.csv", "typeform.csv"])
def test_unfinished_rows_are_no_answers_and_are_counted(file: str) -> None:
    """Who did not come to the end has not answered; one warning says how many rows were passed over."""
    found = export(file)
    (warning,) = found.problems
    assert not warning.is_error
    assert "not finished" in warning.problem
    assert "1 passed over" in warning.problem
    assert all("Gone" not in response.name and "Nils" not in response.name for response in found.responses)


def test_limesurvey_token_and_ticked_choices() -> None:
    """The token carries the reference; of a question over several columns, the ticked choice is the answer."""
    assert only("limesurvey_codes.csv").reference == "C3FT63Q7DB"
    ana, dominique = export("limesurvey_questions.csv").responses
    assert (ana.attendance, ana.words) == (Attendance.IN_PERSON, "In person")
    assert (dominique.attendance, dominique.words) == (Attendance.REGRETS, "I cannot attend")


@pytest.mark.parametrize("file", ["surveymonkey.csv", "surveymonkey_joined.csv"])
def test_surveymonkey_second_header_row_and_spread_choices(file: str) -> None:
    """The second row is part of the headings, contact fields and choices stand below their question."""
    ana, pat, nils = export(file).responses
    assert (ana.name, ana.addresses, ana.party) == ("Ana MUESTRA", ("ana@chile.example.org",), "Chile")
    assert ana.reference == "C3FT6-3Q7DB"
    assert attendances(export(file)) == ["in_person", "attending", "regrets"]
    assert (pat.name, pat.words) == ("Pat Sample", "In person; Online")
    assert nils.at == datetime(2024, 5, 12, 19, 22, 13, tzinfo=UTC)


def test_typeform_times_are_utc_and_the_hidden_field_is_the_reference() -> None:
    """Typeform says its times in UTC, whatever the event's zone."""
    ana = only("typeform.csv")
    assert ana.at == datetime(2024, 5, 16, 21, 5, tzinfo=UTC)
    assert ana.reference == "c3ft6-3q7db"


@pytest.mark.parametrize(
    ("cells", "attendance", "guests"), [("1,,2", "attending", 2), ("1,1,1", "in_person", 1), ("0,,0", "regrets", 0)]
)
def test_typeform_writes_yes_as_1_and_no_as_0(tmp_path: Path, cells: str, attendance: str, guests: int) -> None:
    """Its Yes/No questions are answered in figures, which stay numbers where it is asked how many come."""
    headings = "#,Your email,Will you attend?,Will you attend in person?,How many guests will you bring?"
    tail = "Response Type,Start Date (UTC),Submit Date (UTC),Network ID"
    row = f"a1,ana@chile.example.org,{cells},completed,2024-05-16 21:00:00,2024-05-16 21:05:00,f0"
    path = tmp_path / "typeform.csv"
    path.write_text(f"{headings},{tail}\n{row}\n", "utf-8")
    (ana,) = read_export(path, zone=NEW_YORK, online_event=True).responses
    assert (ana.attendance, ana.guests) == (attendance, guests)


@pytest.mark.parametrize(
    ("file", "expected"), [("zoom_registration.csv", "in_person"), ("surveymonkey.csv", "in_person")]
)
def test_a_bare_yes_to_an_event_in_one_room_is_in_person(file: str, expected: str) -> None:
    """An event that is not online has only one way to attend."""
    assert "attending" in attendances(export(file))
    assert "attending" not in attendances(export(file, online_event=False))
    assert expected in attendances(export(file, online_event=False))


SHOWN: Mapping[str, Mapping[str, str]] = {
    "tally.csv": {
        "reference": "ref", "email": "Email", "name": "Name", "attendance": "Will you attend?", "at": "Submitted at",
    },
    "eventbrite_old.csv": {
        "email": "Email", "name": "First Name + Last Name", "party": "Organisation",
        "attendance": "Attendee Status + Ticket Type", "at": "Order Date", "guest": "Quantity",
    },
}  # fmt: skip


@pytest.mark.parametrize("file", SHOWN)
def test_the_summary_tells_which_heading_was_taken_for_what(file: str) -> None:
    """What is shown before anything is written names every column that was used."""
    assert export(file).columns == SHOWN[file]
