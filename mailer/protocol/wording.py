"""The words of each language: salutations and what stands before a name, by gender (unknown, man, woman)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
