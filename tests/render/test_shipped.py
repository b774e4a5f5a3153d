"""The shipped event: every fact, in every language, from event.toml alone."""

import re
from datetime import timedelta

import pytest

from mailer import event as event_file
from mailer.model import Event, Letter, PartyKind
from mailer.render import Letters, compile_mailing
from tests.render.samples import FORM, SHIPPED, contact

LANGUAGES = ["en", "fr", "es", "ar"]

PERIODS = {
    "en": "Thursday, 23 May 2024 at 1.00pm – 2.30pm EDT",
    "fr": "jeudi 23 mai 2024, de 13 h 00 à 14 h 30 (heure de New York)",
    "es": "jueves 23 de mayo de 2024, de 13.00 a 14.30 horas (hora de Nueva York)",
    "ar": "الخميس، 23 أيار/مايو 2024، من الساعة 13:00 إلى الساعة 14:30 (بتوقيت نيويورك)",
}
FACTS = {
    "en": [
        "12.45pm",
        "Friday, 17 May 2024",
        "Mission of the Kingdom of the Netherlands, New York",
        "NORCAP and PAX along with",
    ],
    "fr": ["12 h 45", "vendredi 17 mai 2024", "Mission du Royaume des Pays-Bas, New York", "NORCAP et PAX ainsi que"],
    "es": [
        "12.45 horas",
        "viernes 17 de mayo de 2024",
        "Misión del Reino de los Países Bajos",
        "NORCAP y PAX junto con",
    ],
    "ar": ["12:45", "الجمعة، 17 أيار/مايو 2024", "بعثة مملكة هولندا", "وNORCAP وPAX، وكذلك"],
}
EVERYWHERE = ["CIVIC", "Creating Safer Space", "GPC", "HPG/ODI", "Nonviolent Peaceforce", "Zoom", "7KQ4M-P2XDA",
              "https://rsvp.example.org/poc-week-2024?ref=7KQ4M-P2XDA", "gay.rosenblum-kumar@np.example.org",
              "https://www.example.org/poc-week-2024/concept-note"]  # fmt: skip


@pytest.fixture(scope="module")
def event() -> Event:
    event, warnings = event_file.load(SHIPPED, "poc-week")
    assert not warnings
    return event


@pytest.fixture(scope="module")
def mailings(event: Event) -> dict[str, Letters]:
    return {name: compile_mailing(event, mailing, SHIPPED, SHIPPED) for name, mailing in event.mailings.items()}


def letter(mailings: dict[str, Letters], name: str, language: str, days: int = 10) -> Letter:
    made = mailings[name]
    to = contact(language=language, kind=PartyKind.MISSION)
    return made.render(to, FORM, "7KQ4M-P2XDA", made.event.rsvp.deadline - timedelta(days=days))


def flat(text: str) -> str:
    return " ".join(re.sub("[\u2068\u2069\u200f]", "", text).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["invitation", "reminder"])
def test_every_fact_is_in_text_and_html(mailings: dict[str, Letters], name: str, language: str) -> None:
    """Who, when, where, until when, by which link and whom to ask, in all languages of both mailings."""
    made = letter(mailings, name, language)
    text = flat(made.text)
    html = flat(re.sub(r"<[^>]*>", "", made.html).replace("&amp;", "&")) + made.html
    for fact in [*EVERYWHERE, *FACTS[language], PERIODS[language]]:
        assert fact in text, fact
        assert fact in html, fact
    assert made.language == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_and_direction_are_set(mailings: dict[str, Letters], language: str) -> None:
    """Screen readers and mail programs are told language and direction."""
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in letter(mailings, "invitation", language).html


@pytest.mark.parametrize("name", ["invitation", "reminder"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_are_small_and_self_contained(mailings: dict[str, Letters], name: str, language: str) -> None:
    """A letter is far from the size at which it is cut off, fetches nothing, and its lines are short."""
    made = letter(mailings, name, language)
    assert len(made.html.encode()) < 20_000
    assert not re.search(r'src="(?!cid:)', made.html)
    assert all(len(line) <= 77 or "https://" in line for line in made.text.split("\n"))


def test_no_date_stands_in_a_template() -> None:
    """Dates, times and links come from event.toml, so that another event is a new folder and no code."""
    for path in (SHIPPED / "poc-week").glob("*.md"):
        assert not re.search(r"\d|https?:|Zoom|NORCAP", re.sub(r"\{[{%].*?[}%]\}", "", path.read_text("utf-8"))), (
            path.name
        )


def test_a_reminder_says_when_the_deadline_is_near(mailings: dict[str, Letters]) -> None:
    """On the last two days the reminder says so, before that it does not."""
    assert "which is tomorrow" in flat(letter(mailings, "reminder", "en", days=1).text)
    assert "which is today" in flat(letter(mailings, "reminder", "en", days=0).text)
    assert "which is" not in flat(letter(mailings, "reminder", "en", days=2).text)


def test_the_concept_note_is_a_small_pdf(event: Event) -> None:
    """The attachment is real and light."""
    (path,) = event.mailings["invitation"].attachments
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_size < 60_000


def test_the_logo_is_described_as_decoration_and_the_tables_as_layout(mailings: dict[str, Letters]) -> None:
    """Screen readers skip the picture and do not announce the tables that only arrange the page."""
    html = letter(mailings, "invitation", "en").html
    assert re.search(r'<img [^>]*alt=""', html)
    assert html.count("<table") == html.count('role="presentation"')
