"""Guests whom a respondent brings: the headings that ask for them, and how many a row names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailer.model import fold

# What columns about guests may mean: who or how many they are, or how many come with the respondent counted in.
MEANINGS = ("guest", "guest_first_name", "guest_last_name", "persons")


@dataclass(frozen=True, slots=True)
class Guests:
    """How many come besides the respondent, and what was said of them; `doubt` says what could not be understood."""

    number: int = 0
    name: str = ""
    doubt: str = ""


def asks(heading: str) -> str:
    """Which of `MEANINGS` a heading asks for; empty where it is none, or something else about a guest."""
    folded = _WITH_TITLE.sub("", fold(heading))
    is_about_guest = bool(_GUEST.search(folded))
    if _NEVER.search(folded):
        return ""
    if not is_about_guest or _INCLUDING.search(folded):
        counts = _NUMBER.search(folded) and (is_about_guest or _PERSONS.search(folded))
        return ("guest" if _BESIDES.search(folded) else "persons") if counts else ""
    if _FIRST_NAME.search(folded):
        return "guest_first_name"
    if _LAST_NAME.search(folded):
        return "guest_last_name"
    is_short = len(folded.split()) <= 4 and not _COMING.search(folded)
    return "guest" if is_short or _NAME.search(folded) or _NUMBER.search(folded) or _BRING.search(folded) else ""


def is_about_guests(heading: str) -> bool:
    """Whether a heading speaks of guests, whatever it asks about them."""
    return bool(_GUEST.search(fold(heading)))


def may_ask(heading: str) -> bool:
    """Whether a heading that `asks` for none of `MEANINGS` may all the same be one that tells of guests."""
    return is_about_guests(heading) and not _NEVER.search(fold(heading))


def named(meant: Mapping[str, Sequence[int]], cells: Sequence[str], said: str = "") -> Guests:
    """The guests of a row by the columns of `MEANINGS`: as many as are named, or the number given if that is more.

    `said` are the words of the answer itself, which may tell of some too.
    """
    first, last = (next((cells[one] for one in meant[half] if cells[one]), "") for half in MEANINGS[1:3])
    texts = [text for text in (*(cells[column] for column in meant["guest"]), f"{first} {last}".strip()) if text]
    names, numbers, doubts = [], [0], []
    for text in texts:
        if (number := _number(text)) is not None:
            numbers.append(number)
        else:
            names += [part.strip(" .,-") for part in _SEVERAL.split(text) if fold(part)]
    for text in filter(None, (cells[column] for column in meant["persons"])):
        if (number := _number(text)) is None:
            doubts.append(f"how many come is not clear (“{text}”)")
        else:
            numbers.append(number - 1)
    by_the_way = _by_the_way(said)
    number = max(len(names), *numbers, *(number for number in by_the_way if number is not None))
    if None in by_the_way and not number:
        doubts.append(f"how many come is not clear (“{said}”)")
    return Guests(number, "; ".join(names), "; ".join(doubts))


@lru_cache(maxsize=4096)
def _by_the_way(said: str) -> tuple[int | None, ...]:
    """How many come besides, by each part of an answer that tells it ("Yes, 2 people"); None where it is not clear."""
    told: list[int | None] = []
    for place, part in enumerate(_PARTS.split(said.replace("+", " plus "))):
        words = fold(part)
        if found := _PEOPLE.fullmatch(words):
            told.append((_number(found[1]) or 0) - 1)
        elif found := _BROUGHT.fullmatch(words):
            number = _number(found[1] or found["more"])
            told.append(1 if number is None else number)  # "a guest", "my spouse"
        elif _MAY_COUNT.search(words) or (place and re.fullmatch(_MANY, words)):
            told.append(None)
    return tuple(told)


def _number(text: str) -> int | None:
    """The number that the text is, by a word for nobody or for yes too; None where it is something else."""
    whole = fold(text)
    if not whole or fold(re.split(r"[,;(\n]|\s[-–—]\s", text)[0]) in _NOBODY:
        return 0
    if found := re.fullmatch(rf"(\d{{1,2}})(?: (?:{_GUEST_WORDS}|{_PERSON_WORDS}))*", whole):
        return int(found[1])
    return next((number for number, words in _NUMBERS.items() if whole in words), None)


# --- the words, as they are folded ------------------------------------------------------------------------------------


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b")


def _set(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split(";"))


_GUEST_WORDS = (
    r"guests?|accompan(?:y|ied|ying)\w*|acompan\w+|accompagn\w+|plus (?:one|1)|spouse|conjoint\w*|conyuge|invites?|"
    r"invitad[oa]s?|(?:ال|لل)?(?:ضيف|ضيوف|مرافق)\w*"
)
_PERSON_WORDS = (
    r"persons?|people|participants?|attendees?|delegates|seats?|places?|personnes?|delegues?|personas?|participantes?|"
    r"asistentes?|delegados?|plazas?|(?:ال)?(?:اشخاص|مشاركين|حضور|مقاعد|افراد)|شخصا"
)
_GUEST, _PERSONS = _any(_GUEST_WORDS), _any(_PERSON_WORDS)
_ONE, _FEW = r"1|one|une?|una", r"two|three|deux|trois|dos|tres"
_MANY = rf"[2-9٢-٩]|{_FEW}|four|five|six|quatre|cinq|cuatro|cinco|seis"
_OTHERS = rf"{_GUEST_WORDS}|colleagues?|collegues?|colegas?|others|autres|otr[oa]s"
_PARTS = re.compile(r"[,،;؛()\n]|[.!:]\s|\s[-–—]\s")
_PEOPLE = re.compile(rf"(?:(?:yes|oui|si|نعم) )?(\d|{_ONE}|{_FEW}) (?:{_PERSON_WORDS})")
_BROUGHT = re.compile(
    rf"(?:(?:yes|oui|si|نعم) |.*\b(?:with|by|avec|de|con|por) )?(\d|a|my|mon|ma|mi|{_ONE}|{_FEW}) (?:{_GUEST_WORDS})"
    rf"(?: (?:{_PERSON_WORDS}))?|(?:.* )?plus (?P<more>\d|{_ONE}|{_FEW})"
)
_MAY_COUNT = _any(
    rf"(?:1\d|{_MANY}) (?:\w+ )?(?:{_PERSON_WORDS})|(?:1?\d|{_ONE}|{_MANY}) (?:\w+ )?(?:{_OTHERS})|"
    rf"(?:with|avec|con|bring\w*) (?:\w+ )?(?:{_GUEST_WORDS})|"
    rf"(?:we are|will be|serons|sommes|seremos|somos) (?:{_MANY})"
)
_NAME = _any(r"names?|noms?|nombres?|(?:ال)?(?:اسم|اسماء)|who|qui|quien(?:es)?|من")
_FIRST_NAME = _any(r"(?:first|given) names?|forename|prenoms?")
_LAST_NAME = _any(r"last names?|surnames?|family names?|noms? de famille|apellidos?")
_NUMBER = _any(
    r"how many|number|no of|total|size of|combien|nombre (?:total )?d(?:e|'\w+)|numero|cuant[oa]s|cantidad|عدد|كم"
)
_INCLUDING = _any(r"including|included|incl|y compris|inclus\w*|incluid\w*|incluyendo|contando|comprised|شامل\w*")
_BESIDES = _any(r"additional|besides|other than|in addition|en plus|supplementaires?|adicional(?:es)?|ademas|excluding")
_WITH_TITLE = re.compile(r"(?<=\bname)s? (?:and )?(?:job )?(?:title|position|function)\b|\btitle and (?=name)")
_BRING = _any(r"bring\w*|accompan\w+|acompan\w+|accompagn\w+")
_COMING = _any(r"attend\w*|com(?:e|ing)|join\w*|particip\w+|assist\w+|asist\w+|speakers?|is")
_NEVER = _any(
    r"e ?mail|courriel|correo|البريد|phone|telephone|telefono|mobile|whatsapp|position|function|fonction|cargo|job|"
    r"title|titre|organi[sz]ations?|organismes?|organismos?|organizacion|institution|employ\w+|staff|work|company|country|"
    r"pays|pais|nationalit[ey]|nacionalidad|passe?port|pasaporte|gender|diet\w*|meals?|lunch|dinner|reception|dejeuner|diner|"
    r"almuerzo|cena|allerg\w*|regime|requirements?|needs?|visa|badge|birth|naissance|nacimiento|dates?|time|arriv\w+|"
    r"llegada|rooms?|hotel|comments?|relation\w*|language|langue|idioma|children|age|type|house|speakers?|consent|"
    r"invitee|assistant|emergency|supervisor|purpose|reason|accessib\w*|wheelchair|interpret\w*|photo\w*|days?|years?|"
    r"ticket|order|accompany(?:ing)? (?:letter|documents?)"
)
_SEVERAL = re.compile(r"[;\n]|\s(?:&|and|et)\s")
_NOBODY = _set(
    "no;none;nobody;no one;no guest;no guests;nil;n/a;na;n;not applicable;alone;just me;only me;myself;without;0;false"
    ";non;aucun;aucune;personne;seul;seule;sans;néant;sans objet;pas d'invité"
    ";ninguno;ninguna;nadie;solo;sola;sin acompañante;sin invitado;no aplica"
    ";لا;لا أحد;لا يوجد;بدون;وحدي;بمفردي"
)
_NUMBERS = {
    1: _set("yes;y;true;one;one guest;oui;un;une;sí;uno;una;نعم;واحد"),
    2: _set("two;deux;dos;اثنان;اثنين"),
    3: _set("three;trois;tres;ثلاثة"),
}
