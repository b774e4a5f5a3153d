"""The words of each language: salutations and what stands before a name, by gender (unknown, man, woman)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.model import fold

_ByGender = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's forms. Salutations may hold `{honorific}`, `{family}` and `{name}`.

    `person` greets somebody without ambassador rank; `styled` does so by a rank or degree where gender is unknown, and
    is empty where the language cannot. `excellency` stands before an ambassador's name, `excellency_styled` where a
    degree takes the place of "Mr."; `academic` holds the degrees.
    """

    ambassador: _ByGender
    person: _ByGender
    styled: str
    colleague: _ByGender
    mailbox: str
    honorific: _ByGender
    excellency: _ByGender
    excellency_styled: str
    academic: Mapping[str, _ByGender] = field(hash=False)
    comma: str = ", "


WORDINGS: Mapping[str, Wording] = {
    "en": Wording(
        ambassador=("Excellency,",) * 3,
        person=("Dear {name},", "Dear {honorific} {family},", "Dear {honorific} {family},"),
        styled="Dear {honorific} {family},",
        colleague=("Dear colleague,",) * 3,
        mailbox="Dear colleagues,",
        honorific=("", "Mr.", "Ms."),
        excellency=("H.E.", "H.E. Mr.", "H.E. Ms."),
        excellency_styled="H.E. {honorific}",
        academic={"Dr.": ("Dr.",) * 3, "Prof.": ("Prof.",) * 3},
    ),
    "fr": Wording(
        ambassador=("Excellence,", "Monsieur l'Ambassadeur,", "Madame l'Ambassadrice,"),
        person=("Madame, Monsieur,", "Monsieur,", "Madame,"),
        styled="",
        colleague=("Chère collègue, cher collègue,", "Cher collègue,", "Chère collègue,"),
        mailbox="Chères et chers collègues,",
        honorific=("", "Monsieur", "Madame"),
        excellency=("Son Excellence", "Son Excellence Monsieur", "Son Excellence Madame"),
        excellency_styled="Son Excellence {honorific}",
        academic={"Dr.": ("Dr",) * 3, "Prof.": ("Prof.",) * 3},
    ),
    "es": Wording(
        ambassador=("Excelencia:",) * 3,
        person=("Señora, señor:", "Estimado {honorific} {family}:", "Estimada {honorific} {family}:"),
        styled="",
        colleague=("Estimada colega, estimado colega:", "Estimado colega:", "Estimada colega:"),
        mailbox="Estimadas y estimados colegas:",
        honorific=("", "Sr.", "Sra."),
        excellency=("S. E.", "Excmo. Sr.", "Excma. Sra."),
        excellency_styled="S. E. {honorific}",
        academic={"Dr.": ("Dr.", "Dr.", "Dra."), "Prof.": ("Prof.", "Prof.", "Prof.ª")},
    ),
    "ar": Wording(
        ambassador=("أصحاب السعادة،", "سعادة السفير،", "سعادة السفيرة،"),
        person=("السيدة المحترمة، السيد المحترم،", "السيد {name} المحترم،", "السيدة {name} المحترمة،"),
        styled="",
        colleague=("الزميلات والزملاء الأعزاء،", "الزميل العزيز،", "الزميلة العزيزة،"),
        mailbox="الزميلات والزملاء الأعزاء،",
        honorific=("", "السيد", "السيدة"),
        excellency=("سعادة", "سعادة السفير", "سعادة السفيرة"),
        excellency_styled="سعادة {honorific}",
        academic={"Dr.": ("د.", "الدكتور", "الدكتورة"), "Prof.": ("أ. د.", "الأستاذ الدكتور", "الأستاذة الدكتورة")},
        comma="، ",
    ),
}

# The ranks that the staff's workbook offers: in each language for unknown gender, a man and a woman. Where a language
# has no word for both, nothing stands for unknown gender, as it would be a guess.
_RANKS: tuple[Mapping[str, _ByGender], ...] = (
    {
        "en": ("Minister Plenipotentiary",) * 3,
        "fr": ("Ministre plénipotentiaire",) * 3,
        "es": ("", "Ministro Plenipotenciario", "Ministra Plenipotenciaria"),
        "ar": ("", "وزير مفوض", "وزيرة مفوضة"),
    },
    {
        "en": ("Minister",) * 3,
        "fr": ("Ministre",) * 3,
        "es": ("", "Ministro", "Ministra"),
        "ar": ("", "وزير", "وزيرة"),
    },
    {
        "en": ("Minister Counsellor",) * 3,
        "fr": ("", "Ministre conseiller", "Ministre conseillère"),
        "es": ("", "Ministro Consejero", "Ministra Consejera"),
        "ar": ("", "وزير مستشار", "وزيرة مستشارة"),
    },
    {
        "en": ("Counsellor",) * 3,
        "fr": ("", "Conseiller", "Conseillère"),
        "es": ("", "Consejero", "Consejera"),
        "ar": ("", "مستشار", "مستشارة"),
    },
    {
        "en": ("First Secretary",) * 3,
        "fr": ("", "Premier secrétaire", "Première secrétaire"),
        "es": ("", "Primer Secretario", "Primera Secretaria"),
        "ar": ("", "سكرتير أول", "سكرتيرة أولى"),
    },
    {
        "en": ("Second Secretary",) * 3,
        "fr": ("Deuxième secrétaire",) * 3,
        "es": ("", "Segundo Secretario", "Segunda Secretaria"),
        "ar": ("", "سكرتير ثان", "سكرتيرة ثانية"),
    },
    {
        "en": ("Third Secretary",) * 3,
        "fr": ("Troisième secrétaire",) * 3,
        "es": ("", "Tercer Secretario", "Tercera Secretaria"),
        "ar": ("", "سكرتير ثالث", "سكرتيرة ثالثة"),
    },
    {
        "en": ("Attaché",) * 3,
        "fr": ("", "Attaché", "Attachée"),
        "es": ("", "Agregado", "Agregada"),
        "ar": ("", "ملحق", "ملحقة"),
    },
    {
        "en": ("Chargé d'affaires a.i.", "Chargé d'affaires a.i.", "Chargée d'affaires a.i."),
        "fr": ("", "Chargé d'affaires par intérim", "Chargée d'affaires par intérim"),
        "es": ("", "Encargado de Negocios a. i.", "Encargada de Negocios a. i."),
        "ar": ("", "القائم بالأعمال بالنيابة", "القائمة بالأعمال بالنيابة"),
    },
)
_RANK_BY_WORDS = {fold(words): rank for rank in _RANKS for by_gender in rank.values() for words in by_gender if words}


def rank_in(language: str, typed: str, gender: int) -> str:
    """The rank that somebody `typed` in another language, in `language`; as typed where it is no standard one.

    `language` is one of `WORDINGS`, `gender` the index into what goes by gender. Words of the language itself are left
    as they are, but those of the drop-down, as "Attaché", which is English too.
    """
    folded = fold(typed)
    rank = _RANK_BY_WORDS.get(folded)
    if rank is None:
        return typed
    if folded in map(fold, rank[language]) and (language == "en" or folded not in map(fold, rank["en"])):
        return typed
    return rank[language][gender] or typed
