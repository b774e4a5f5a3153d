"""A letter is read as a careful reader would: what is found is what looking at every line would find."""

import re
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.cli.proof import faults_in
from mailer.model import Letter

PLAIN = (
    (re.compile(r"\b(nan|NaN|None|null|undefined|TBC|TBD)\b"), "it says {0!r}"),
    (re.compile(r"\w {2,}\w"), "two blanks in a row, as an empty field leaves them ({0!r})"),
    (re.compile(r"\(\s*\)|,\s*,"), "something is empty there ({0!r})"),
)
DATE = re.compile(r"\b([A-Z][a-z]+day),? (\d{1,2} [A-Z][a-z]+ \d{4})\b")

PIECES = st.sampled_from(
    [
        *("nan", "NaN", "None", "null", "undefined", "TBC", "TBD", "governance", "Nones", "é", "_", "|", "(", ")", ","),
        *(" ", "  ", "   ", "\n", "\n  ", "\t", "x", "9", ".", "Thursday", "Friday", "Holiday", "day", "2024", " 2024"),
        *("Thursday, 23 May 2024", "Friday 23 May 2024", "Friday, 31 June 2024", "Monday, 1 Nonember 2024", "23 May "),
    ]
)
TEXTS = st.lists(PIECES | st.characters(exclude_categories=["Cs"]), max_size=14).map("".join)


def by_looking_everywhere(letter: Letter) -> list[str]:
    paragraphs = [letter.subject]
    for paragraph in letter.text.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if "|" not in line]
        paragraphs.append(" ".join(line for line in lines if line))
    found = []
    for pattern, fault in PLAIN:
        matches = list(filter(None, map(pattern.search, paragraphs)))
        found += [fault.format(match[0]) for match in matches[:1]]
    for weekday, day in (match for paragraph in paragraphs for match in DATE.findall(paragraph)):
        try:
            right = f"{datetime.strptime(day, '%d %B %Y'):%A}"  # noqa: DTZ007  # a calendar day, in no zone
        except ValueError:
            continue
        if right != weekday:
            found.append(f"{day} is a {right}, not a {weekday}")
    return found


PARAGRAPHS = st.lists(TEXTS, max_size=4).map("\n\n".join)


@given(subject=TEXTS, text=PARAGRAPHS)
@example(subject="", text="a  - b\n  c  d")
@example(subject="", text="| nan |\nFriday,\n23 May 2024")
@example(subject="", text="- on Friday,\n  23 May 2024,\n  , in Geneva")
def test_no_fault_is_overlooked_and_none_is_made_up(subject: str, text: str) -> None:
    """Words left over, gaps, empty brackets and wrong weekdays are found as by looking at every paragraph for each."""
    letter = Letter.of(subject, text, "", "en")
    assert [fault for fault, _ in faults_in(letter, set())] == by_looking_everywhere(letter)


@given(
    paragraphs=st.lists(TEXTS, min_size=1, max_size=6),
    places=st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=2, max_size=6),
)
@example(paragraphs=["Friday,", "23 May 2024", "(", ")", "one", "two"], places=[[4, 0, 5, 1], [4, 0, 1], [4, 2, 3]])
def test_what_was_read_before_hides_nothing(paragraphs: list[str], places: list[list[int]]) -> None:
    """A letter that repeats paragraphs of others before it is found to have the faults that it has by itself."""
    sound: set[bytes] = set()
    for chosen in places:
        text = "\n\n".join(paragraphs[place % len(paragraphs)] for place in chosen)
        letter = Letter.of("Friday,", text, "", "en")
        assert [fault for fault, _ in faults_in(letter, sound)] == by_looking_everywhere(letter)


@pytest.mark.parametrize("text", ["Good governance in Geneva (Annex), 23 May", "- one\n  two", "Friday, 17 May 2024"])
def test_a_sound_letter_has_no_fault(text: str) -> None:
    """Words that hold such letters, hanging lines and right weekdays are well."""
    assert not list(faults_in(Letter.of("Invitation", text, "", "en"), set()))
