"""What each column of an export means: the tool's own by its format, questions by the words of their heading."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mailer.answers import guests
from mailer.answers.formats import Format
from mailer.contacts import headings as staff
from mailer.contacts.cells import key
from mailer.model import fold

# What the user may name, and the meanings that the naming of one settles with it.
NAMEABLE: Mapping[str, tuple[str, ...]] = {
    "reference": ("reference",),
    "email": ("email", "buyer"),
    "name": ("name", "first_name", "last_name"),
    "party": ("party", "country"),
    "attendance": ("attendance",),
    "at": ("at",),
    "guest": guests.MEANINGS,
}
# `carried` columns hold a reference that the link brought, or anything else; `state` is the tool's own word for a
# registration, `how` may add the place to a yes, `completion` tells whether the respondent came to the end, and
# `other` is all of which nothing is known.
MEANINGS = (
    *(meaning for meanings in NAMEABLE.values() for meaning in meanings), "carried", "state", "how", "completion",
    "other",
)  # fmt: skip

Columns = Mapping[str, tuple[int, ...]]


def plan(headings: Sequence[str], known: Format, named: Mapping[str, str]) -> Columns:
    """The 0-based columns of each of `MEANINGS`, most telling first.

    `named` gives headings for keys of `NAMEABLE`, all of which stand in `headings`; an empty one says that there is no
    such column. What is named comes before the tool's own columns, and these before the questions.
    """
    keys = [key(heading) for heading in headings]
    found: dict[str, list[int]] = {meaning: [] for meaning in MEANINGS}
    taken = set()
    for meaning, heading in named.items():
        if heading:
            found[meaning] = [keys.index(key(heading))]
            taken |= {*found[meaning]}
    open_to = set(MEANINGS) - {meaning for name in named for meaning in NAMEABLE[name]}
    for meaning, own in known.columns.items():
        if meaning in open_to:
            columns = [keys.index(key(heading)) for heading in own if key(heading) in keys]
            found[meaning] += columns
            taken |= {*columns}
    for column, heading in enumerate(headings):
        if column not in taken:
            means = meaning_of(heading)
            found[means if means in open_to else "other"].append(column)
    return {meaning: tuple(columns) for meaning, columns in found.items()}


def split(heading: str) -> tuple[str, str]:
    """The question and the choice or part of it that a column stands for: "How will you come? [Online]"."""
    choice = re.search(r"\[([^\[\]]*)\]\s*$", heading)
    return (heading[: choice.start()].strip(), choice[1].strip()) if choice else (heading, "")


@lru_cache(maxsize=4096)
def meaning_of(heading: str) -> str:
    """What a question asks for, one of `MEANINGS`; empty where it is nothing to us, or about somebody else."""
    question, part = split(heading)
    question = _CODE.sub("", question)
    if about_guests := guests.asks(f"{question} {part}"):
        return about_guests
    if guests.is_about_guests(heading):
        return ""
    return _meaning(question) if not part else _ATTENDANCE_ALONE.get(_meaning(question)) or _meaning(part)


def _meaning(text: str) -> str:
    if exact := _EXACT.get(key(text)):
        return exact
    if by_staff := staff.meaning(text):
        return _OF_STAFF.get(by_staff[0], "")
    folded = fold(text)
    if _SOMEBODY_ELSE.search(folded):
        return ""
    return next((meaning for meaning, words, never in _ASKED if words.search(folded) and not never.search(folded)), "")


# --- the words of headings --------------------------------------------------------------------------------------------

_CODE = re.compile(r"^[\w\[\]]+\.\s+")  # LimeSurvey: "Q1. Will you come?"
_ATTENDANCE_ALONE = {"attendance": "attendance"}

_EXACT = {
    key(heading): meaning
    for meaning, headings in {
        "reference": "code; ref; reference; référence; referencia; código; رمز",
        "carried": "token; custom data; affiliate; aff; source name",
        "attendance": "rsvp; decision; reply; response; answer; your reply; your response; your answer; coming;"
        " réponse; votre réponse; respuesta; su respuesta; tu respuesta; الرد; الحضور; المشاركة",
    }.items()
    for heading in headings.split(";")
}
# Staff's headings, where they mean the same on a form.
_OF_STAFF = {
    "first_name": "first_name", "last_name": "last_name", "name": "name", "address": "email", "other_address": "email",
    "party": "party", "mission": "party", "organisation": "party", "entity": "party", "country": "country",
}  # fmt: skip

_SOMEBODY_ELSE = re.compile(r"\b(?:assistant|emergency|supervisor|invitee)\b")
_NEVER = re.compile(r"(?!)")
# Meaning, words that ask for it, and words with which it is another question; the first that fits is taken.
_ASKED = tuple(
    (meaning, re.compile(rf"\b(?:{words})\b"), re.compile(rf"\b(?:{never})\b") if never else _NEVER)
    for meaning, words, never in (
        (
            "reference",
            r"reference|referencia|(?:invitation|rsvp|personal|registration|your) code|code (?:d'invitation|personnel)|"
            r"codigo (?:de invitacion|personal)|مرجع|المرجع|رمز الدعوة",
            r"order|payment",
        ),
        ("email", r"e ?mail|courriel|correo|البريد", r"consent|agree|newsletter|receive|copy|buyer"),
        ("first_name", r"first name|given names?|forename|prenoms?", r"nom et|et nom|buyer"),
        ("last_name", r"last name|surname|family name|nom de famille|apellidos?", r"nombre y|buyer"),
        (
            "party",
            r"missions?|delegation|organi[sz]ations?|organismes?|organismos?|organizacion|institutions?|institucion|"
            r"entity|entidad|entite|affiliation|member state|etat membre|estado miembro|company|"
            r"البعثة|المنظمة|المؤسسة|الجهة",
            r"position|title|function|role|type|address|website|size|phone|department|fonction|cargo",
        ),
        ("country", r"country|pays|pais|الدولة|البلد", r"region|resid\w+|birth|home|billing|code|phone"),
        (
            "name",
            r"name|nom|nombre|الاسم",
            r"nombre (?:total )?(?:d'\w+|de (?:participants?|participantes|personn\w+|personas?|places|delegu\w+))|"
            r"event|ticket|file|user|host|buyer|network|campaign|discount|price|collector",
        ),
        (
            "attendance",
            r"rsvp|attendance|attend|attending|participate|participating|participation|join|joining|come|coming|"
            r"make it|be there|participer\w*|participez|assister\w*|assistez|presente?s?|presence|viendrez|"
            r"asistencia|asistir\w*|asiste|participar\w*|participacion|modality|modalite|modalidad|"
            r"حضور|الحضور|ستحضر|ستحضرون|المشاركة|ستشارك|ستشاركون",
            r"^if|^si|^en caso|si vous|if (?:not|no|yes|so|attending|you (?:are|cannot|do|answered|have|wish))|"
            r"why|reason|raison|motivo|pourquoi|who|whom|qui|quien|how many|number|combien|nombre|cuant\w+|"
            r"lunch\w*|dinner|reception|breakfast|coffee|dejeuner|diner|almuerzo|cena|recepcion|visit|tour|"
            r"(?:which|what|quels?|que|cuales) (?:days?|jours?|dias?|sessions?|sesion\w*)|dates?|time|"
            r"certifica\w+|purpose|needs?|requirements?|visa|dietary|previous\w*|past|interpret\w*|accessib\w*|"
            r"wheelchair|parking|photo\w*|consent|hear|heard|expect\w*",
        ),
    )
)
