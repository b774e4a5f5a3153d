"""A letter is read as a careful reader would: what is wrong is told, and ordinary prose is let be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from hypothesis import example, given
from hypothesis import strategies as st

from mailer import event as event_file
from mailer.cli.proof import proofreader
from mailer.model import Event, Letter, PartyKind
from mailer.render import compile_mailing
from tests.render.samples import FORM, SHIPPED, contact

EVENT, _ = event_file.load(SHIPPED, "poc-week")  # on 23 May 2024, a Thursday, in New York
LANGUAGES = ("en", "fr", "es", "ar")
# What people write where something is to follow, and a Roman number.
THIRTY = "X" * 3


def held_in(zone: str, *starts: int) -> Event:
    there = datetime(*starts, tzinfo=ZoneInfo(zone))  # type: ignore[misc]  # the zone is given once
    return replace(EVENT, timezone=ZoneInfo(zone), starts=there, ends=there + timedelta(hours=1))


def faults(text: str, *, subject: str = "", event: Event = EVENT, languages: Iterable[str] = ("en",)) -> list[str]:
    return [fault for fault, _ in proofreader(event, languages)(Letter.of(subject, text, "", "en"))]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("on Wednesday, 23 May 2024", "23 May 2024 is a Thursday, not a Wednesday"),
        ("Wednesday 23rd May 2024", "23rd May 2024 is a Thursday, not a Wednesday"),
        ("Wednesday, the 23rd of May 2024", "23rd of May 2024 is a Thursday, not a Wednesday"),
        ("Wednesday, May 23, 2024", "May 23, 2024 is a Thursday, not a Wednesday"),
        ("- Wednesday,\n  May 23rd", "May 23rd is a Thursday, not a Wednesday"),
        ("Wed. 23 May 2024", "23 May 2024 is a Thursday, not a Wed"),
        ("WEDNESDAY, 23 MAY", "23 MAY is a Thursday, not a WEDNESDAY"),
        ("mercredi 23 mai 2024", "23 mai 2024 is a jeudi, not a mercredi"),
        ("Jeudi 1er mai 2024", "1er mai 2024 is a mercredi, not a Jeudi"),
        ("lundi 3\u00a0fevrier 2026", "3 fevrier 2026 is a mardi, not a lundi"),
        ("miércoles 23 de mayo de 2024", "23 de mayo de 2024 is a jueves, not a miércoles"),
        ("El miercoles, 23 de mayo", "23 de mayo is a jueves, not a miercoles"),
        ("الأربعاء، 23 أيار/مايو 2024", "23 أيار/مايو 2024 is a الخميس, not a الأربعاء"),
        ("يوم الأربعاء الموافق ٢٣ مايو ٢٠٢٤", "٢٣ مايو ٢٠٢٤ is a الخميس, not a الأربعاء"),
        ("الاربعاء \u206823\u2069 ماي 2024", "23 ماي 2024 is a الخميس, not a الاربعاء"),
        ("Mittwoch, 23. Mai 2024", "23. Mai 2024 is a Donnerstag, not a Mittwoch"),
    ],
)
def test_a_wrong_weekday_is_told(text: str, fault: str) -> None:
    """In the languages of offices and of the letters, in every usual order, long or short, with accents or without;
    a language code that nobody knows does no harm."""
    assert faults(text, languages=["de"]) == [fault]
    assert faults("", subject=text, languages=["de", "zz"]) == [fault]


def test_an_i_without_its_dot_is_one() -> None:
    """As in Turkish, whose capital of it is everybody's I."""
    assert faults("Frıday, 23 Aprıl 2024") == ["23 Aprıl 2024 is a Tuesday, not a Frıday"]
    for text in ("Cuma, 23 Kasım 2024", "CUMA, 23 KASIM 2024"):
        assert faults(text, languages=["tr"]) == [f"{text[6:]} is a Cumartesi, not a {text[:4]}"]


@given(
    st.dates(date(1950, 1, 1), date(2100, 12, 31)), st.sampled_from([*LANGUAGES, "ar_LB", "ar_DZ", "en_GB", "es_PE"])
)
def test_a_right_weekday_is_never_told(day: date, locale: str) -> None:
    """Whatever the day, its full date in the language is well."""
    assert faults(str(format_date(day, "full", locale=locale))) == []


LONDON_IN_MAY, LONDON_IN_JANUARY = held_in("Europe/London", 2024, 5, 23, 13), held_in("Europe/London", 2024, 1, 9, 10)


@pytest.mark.parametrize(
    ("text", "event", "fault"),
    [
        ("at 1.00pm EST", EVENT, "EST, but America/New_York is on EDT on 23 May 2024"),
        ("23 May 2024 at 13:00 (EST)", EVENT, "EST, but America/New_York is on EDT on 23 May 2024"),
        ("23 May at 1 p.m. EDT, lunch at 12 noon EST", EVENT, "EST, but America/New_York is on EDT on 23 May 2024"),
        ("le 14 novembre 2024, 13 h 00 EDT", EVENT, "EDT, but America/New_York is on EST on 14 November 2024"),
        ("10 am BST", LONDON_IN_JANUARY, "BST, but Europe/London is on GMT on 9 January 2024"),
        ("1.00pm GMT", LONDON_IN_MAY, "GMT, but Europe/London is on BST on 23 May 2024"),
    ],
)
def test_a_zone_that_is_not_in_force_is_told(text: str, event: Event, fault: str) -> None:
    """Summer time in winter and the other way round, on the day that the paragraph tells of or else the event's."""
    assert faults(text, event=event) == [f"it says {fault}"]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("Thursday, 23 May 2024 at 1.00pm – 2.30pm EDT (7.00pm CEST)", EVENT),
        ("Reply by Friday, 1 March 2024, 5pm EST", EVENT),
        ("The next one is on 7 January at 1.00pm EST", EVENT),
        ("LE DÉJEUNER EST SERVI À 12 H 45", EVENT),
        ("1.00pm BST (12.00 GMT)", LONDON_IN_MAY),
        ("from 12.30am EDT to 3.00am EST on 3 November 2024", EVENT),
        ("1.00pm PST", held_in("Asia/Manila", 2024, 5, 23, 9)),
    ],
)
def test_zones_that_may_stand_are_let_be(text: str, event: Event) -> None:
    """Other zones, other days, the night of the change, and a French verb in capitals."""
    assert faults(text, event=event) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear [name],", ["[name]"]),
        ("Dear [Mr./Ms.] [Last name],", ["[Mr./Ms.]", "[Last name]"]),
        ("to [Name of organisation], on [insert date]", ["[Name of organisation]", "[insert date]"]),
        ("[NOM DE L’ORGANISATION] [الاسم]", ["[NOM DE L’ORGANISATION]", "[الاسم]"]),
        ("Estimada «Nombre» «Last_Name»:", ["«Nombre»", "«Last_Name»"]),
        ("Dear <<Name>>,", ["<<Name>>"]),
        ("Dear {name} of {Name of organisation}", ["{name}", "{Name of organisation}"]),
    ],
)
def test_a_placeholder_left_over_is_told(text: str, found: list[str]) -> None:
    """Brackets, braces and the marks of mail merge around the name of a field."""
    assert faults(text) == [f"the placeholder {one} was left over" for one in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Speaker: TBC", ["TBC"]),
        (f"at TBD, in Room {THIRTY}X", ["TBD", f"{THIRTY}X"]),
        (f"Dear Mr. {THIRTY},", [THIRTY]),
        (f"Your Excellency {THIRTY},", [THIRTY]),
        (f"It begins at {THIRTY}.", [THIRTY]),
        (f"Venue: {THIRTY}", [THIRTY]),
        ("Dear nan,", ["nan"]),
        ("Dear Ms. None,", ["None"]),
        ("Table: null", ["null"]),
        ("Dear undefined,", ["undefined"]),
    ],
)
def test_a_word_left_over_is_told(text: str, found: list[str]) -> None:
    """What people and programs write where something is to follow or nothing was."""
    assert faults(text) == [f"it says {word!r}" for word in found]


@pytest.mark.parametrize("text", ["in Geneva ()", "Ada, , Counsellor", "(\n )", "آدا، ، مستشارة"])
def test_what_an_empty_field_leaves_is_told(text: str) -> None:
    """Brackets with nothing in them, and a comma behind a comma."""
    assert len(faults(text)) == 1


PROSE = [
    "None of the seats is reserved, and the clause is null and void; the period remains undefined.",
    "Leaving None Behind: an undefined role, and a null result. “None of us,” they said.",
    f"General Assembly resolution 3379 ({THIRTY}) and Vol. {THIRTY}, p. 3; Room XX; Chapter {THIRTY} of the report.",
    "“[The Organization] shall …” [sic], [emphasis added], [1], [A/78/123], [in French], [Annex A], [Reminder]",
    f"See https://forms.example.org/?entry[name]=1&id={{id}} and https://example.org/xxxx/y, "
    f"or call +41 22 {THIRTY} XX XX.",
    "From Monday to Friday, 20 May to 24 May 2024; Monday through Friday, May 20 - 24, 2024.",
    "On Wednesday 22 and Thursday 23 May 2024, and every Friday until 31 May. You may, on Sunday 30 June, rest.",
    "We meet again on Tuesday 7 January. Dear Sam, 23 May 2024 is the day.",
    "In May 23 delegations met; in 2024 the Sun rose on 5 continents. Good governance in Geneva (Annex).",
    "Du lundi au vendredi 24 mai 2024, « Femmes, paix et sécurité », « Nom », « Mission », << Paix et sécurité >>.",
    "Les mercredi 22 et jeudi 23 mai 2024, à 13 h 00 ; l’article 5 est null ; "
    f"la {THIRTY}e session et la {THIRTY} Assemblée.",
    "La agenda «Mujeres, paz y seguridad», la palabra «misión», «Sí» o «No»; "
    f"la {THIRTY} Cumbre y su {THIRTY} aniversario.",
    "Los días miércoles 22 y jueves 23 de mayo de 2024, de 13.00 a 14.30 horas (hora de Nueva York).",
    "تحت عنوان «المرأة والسلام والأمن»، وكلمة «المنظمة» و«نعم»، من الاثنين إلى الجمعة، 20 أيار/مايو 2024 إلى 24 منه.",
    "يوم الخميس الموافق 23 أيار/مايو 2024، من الساعة 13:00 إلى الساعة 14:30 (بتوقيت نيويورك).",
    "When      What\n--------  ----\nThursday  tea\n\n    code  of  mine",
]


@pytest.mark.parametrize("text", PROSE)
def test_ordinary_prose_is_let_be(text: str) -> None:
    """Roman numbers, quotation marks, editors' brackets, spans of days and tables are no faults."""
    assert faults(text, languages=["de"]) == []


@pytest.mark.parametrize("name", EVENT.mailings)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shipped_letters_are_sound(name: str, language: str) -> None:
    """No mailing of the shipped event has a fault in any of its languages, on any day before the deadline."""
    letters = compile_mailing(EVENT, EVENT.mailings[name], SHIPPED, SHIPPED)
    read = proofreader(EVENT, letters.languages)
    for kind in PartyKind:
        for days in (0, 1, 10):
            to = contact(language=language, kind=kind)
            letter = letters.render(to, FORM, "7KQ4M-P2XDA", EVENT.rsvp.deadline - timedelta(days=days))
            assert letter.language == language
            assert read(letter) == []


PIECES = st.sampled_from(
    [
        *(
            "nan",
            "None",
            "TBC",
            "[name]",
            "«Name»",
            "governance",
            "(",
            ")",
            ",",
            " ",
            "  ",
            "\n",
            "\n  ",
            "\t",
            "x",
            "9",
        ),
        *("Thursday, 23 May 2024", "Friday 23 May 2024", "Friday, 31 June 2024", "23 May ", "1pm EST", "Friday,\n"),
    ]
)
TEXTS = st.lists(PIECES | st.characters(exclude_categories=["Cs"]), max_size=14).map("".join)


@given(
    paragraphs=st.lists(TEXTS, min_size=1, max_size=6),
    places=st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=2, max_size=6),
)
@example(paragraphs=["Friday,", "23 May 2024", "(", ")", "one", "two"], places=[[4, 0, 5, 1], [4, 0, 1], [4, 2, 3]])
def test_what_was_read_before_hides_nothing(paragraphs: list[str], places: list[list[int]]) -> None:
    """A letter that repeats paragraphs of others before it is found to have the faults that it has by itself."""
    read = proofreader(EVENT, ["en"])
    for chosen in places:
        text = "\n\n".join(paragraphs[place % len(paragraphs)] for place in chosen)
        found = read(Letter.of("Friday,", text, "", "en"))
        assert [fault for fault, _ in found] == faults(text, subject="Friday,")
