"""What people write for yes and no, in four languages; nothing unknown is ever a yes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.answers import attendance
from mailer.model import Attendance, fold

YES = {Attendance.IN_PERSON, Attendance.ONLINE, Attendance.ATTENDING}


def of(words: str) -> Attendance:
    return attendance.of(words, registered=False)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (expected, words)
        for expected, several in {
            "attending": [
                "Yes", "YES", "yes!", "I will attend", "We accept with pleasure", "Oui", "Sí", "Si", "si asistiré",
                "Confirmo mi asistencia", "Nous confirmons notre participation", "J’assisterai", "نعم", "سأحضر",
                "approved", "Pending approval", "Attending", "Completed",
                "Pending", "Awaiting approval", "Waiting for approval", "Approval pending", "pendingApproval",
                "En attente d'approbation", "Pendiente de aprobación", "I will attend on 14 May", "Y",
                "In person or online", "In person; Online", "Présente",
            ],
            "in_person": [
                "In person", "in-person", "Yes, I will attend in person", "On site", "En présentiel",
                "Oui, en présentiel", "Presencial", "Asistiré de forma presencial", "حضوريا", "سأحضر حضوريًا",
                "I cannot join online but will come in person", "Yes (in person);",
            ],
            "online": [
                "Online", "Online/Zoom/Virtually", "Yes, online", "Virtually", "En ligne", "En línea", "Virtual",
                "Sí, asistiré en línea", "عبر الإنترنت", "عن بعد", "I cannot attend in person but will join via Zoom",
                "Teams", "Not in person. Online", "Yes, but online",
            ],
            "regrets": [
                "No", "no.", "Regrets", "With regrets", "I regret...", "Decline", "No, I cannot attend",
                "I will not attend", "I won't attend", "can’t come", "Unable to attend", "Not attending", "Refunded",
                "Withdrawn", "Cancelled", "Non", "Non, je ne pourrai pas", "Je n’assisterai pas", "Je regrette",
                "No podré asistir", "Lamento no poder asistir", "لا", "لن أحضر", "أعتذر عن عدم الحضور",
                "We are too busy to attend",
                "No, I will not attend in person", "Neither in person nor online", "N", "not in person; not online",
                "The Permanent Representative will not be able to attend",
            ],
            "waiting": ["Waiting list", "On the waitlist", "Liste d'attente", "lista de espera", "قائمة الانتظار"],
            "review": [
                "", "No problem", "No objection", "Pas de problème", "No hay problema", "No response",
                "Maybe", "Perhaps", "Not sure", "I don't know yet", "denied", "Rejected", "hello", "unpaid", "Not paid",
                "Awaiting payment",
                "Will you attend?", "Yes, no", "Yes/No", "No problem, I will attend", "If I can, I will attend",
                "Si puedo, asistiré", "Si possible, oui", "Peut-être", "Quizás", "ربما", "I may attend",
                "I will not attend in person", "The Ambassador cannot attend, her deputy will attend",
                "The Ambassador cannot attend, but her deputy will", "Sorry for the late reply, I will attend",
                "To be confirmed", "N/A", "👍", "Vegetarian", "Yes, but not in person", "will let you know",
                "I would love to attend, but I am travelling", "Remove me from those attending, yes",
                "It is difficult for us to attend", "Attending: none", "I would have liked to attend",
            ],
        }.items()
        for words in several
    ],
)  # fmt: skip
def test_the_words_of_answers(words: str, expected: str) -> None:
    """Each phrase says what a careful secretary would write down."""
    assert of(words) == expected


def test_no_words_are_a_yes_only_for_who_registered() -> None:
    """A registration that asks nothing is a yes; an empty answer to a question is none."""
    assert attendance.of("  ", registered=True) is Attendance.ATTENDING
    assert attendance.of("", registered=False) is Attendance.REVIEW
    assert attendance.of("whatever", registered=True) is Attendance.REVIEW


# Words without which there is no yes, written down apart from the vocabulary; the rest of language is below.
YES_WORDS = {
    "yes", "yep", "yeah", "y", "true", "si", "sí", "oui", "نعم", "attend", "attends", "attending", "accept", "accepts",
    "accepted", "accepting", "accepte", "acceptons", "acepto", "aceptamos", "approved", "pending", "complete",
    "completed", "registered", "confirm", "confirmed", "confirme", "confirmo", "going", "coming", "come", "present",
    "présent", "présente", "presente", "participate", "participates", "participating", "participe", "participo", "join",
    "joins", "joining", "online", "zoom", "webex", "teams", "webcast", "onsite", "presencial", "présentiel", "visio",
    "ire", "iré",
}  # fmt: skip
OTHER_WORDS = [
    "hello", "thank", "you", "vegetarian", "parking", "the", "Ambassador", "will", "be", "perhaps", "not",
    "no", "never", "deputy", "later", "merci", "beaucoup", "gracias", "quizás", "شكرا", "ربما", "لن", "non", "ne",
    "mission", "14", "May", "invitation", "unpaid", "denied", "sent", "seen", "two", "people", "assistance",
    "attendance", "attended", "conference", "lunch", "visa", "regrets", "sorry", "if", "possible", "?", "...",
]  # fmt: skip
YES_FOLDED = {fold(word) for word in YES_WORDS}
gibberish = st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=9)
unknown_words = st.lists(
    st.sampled_from(OTHER_WORDS) | gibberish.filter(lambda word: fold(word) not in YES_FOLDED),
    min_size=1,
    max_size=8,
)


@given(unknown_words, st.sampled_from([" ", ", ", ". ", "/"]), st.booleans())
def test_unknown_words_are_never_a_yes(words: list[str], between: str, registered: bool) -> None:
    """Without a word of yes in it no text is one, whether or not the row is a registration."""
    assert attendance.of(between.join(words), registered=registered) not in YES


@given(st.text(max_size=40))
def test_any_text_is_judged_alike_whatever_its_case_and_white_space(words: str) -> None:
    """Capitals and blanks around change nothing."""
    assert of(words) == of(f"  {words}\n")
    assert of(words.casefold()) == of(words)


@given(
    st.sampled_from(["not", "never", "cannot", "won't", "unable to"]),
    st.sampled_from(["attend", "join", "participate", "accept", "attend online", "come in person", "be there"]),
    st.sampled_from(["", "thank you", "best wishes", "the Ambassador is travelling"]),
)
def test_a_negated_promise_is_never_a_yes(negation: str, promise: str, more: str) -> None:
    """A negation wins over the promise in its clause, whatever is added."""
    assert of(f"I {negation} {promise}. {more}") in {Attendance.REGRETS, Attendance.REVIEW}
