"""The headings by which staff call their columns, in the languages of their offices, and the row they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mailer.model import fold

SEARCHED_ROWS = 30

# What a heading may mean; aliases go from the surest to the least. `job` and `line` are settled by the column's
# values: "Title" may hold "Ms." or "Director", "Salutation" may hold "Ms." or "Excellency,". `country` yields to an
# organisation beside it. `entity` is an organisation unless the file's name speaks of missions; `party` says nothing of
# its kind. `group` is a kind of party where all its values are.
_MEANINGS: dict[str, str] = {
    "title": "honorific; civilité; tratamiento; form of title; courtesy title; اللقب الشرفي; MC_Title; BB_Title",
    "job": "title; titre; título; titles",
    "line": "salutation; salutations; saludo; formule d'appel; greeting; التحية",
    "first_name": "first name; given name; given names; first names; forename; prénom; prénoms; nombre; nombres;"
    " الاسم الأول; BB_FirstName",
    "last_name": "last name; surname; family name; last names; nom; nom de famille; apellido; apellidos; اسم العائلة;"
    " BB_LastName",
    "name": "name; full name; contact; contact name; contact person; name of contact; nom complet; nom et prénom;"
    " nombre completo; nombre y apellidos; الاسم; الاسم الكامل",
    "position": "position; function; job title; designation; functional title; role; fonction; poste; cargo; función;"
    " المنصب; الوظيفة; BB_Function",
    "rank": "rank; diplomatic rank; rang; rang diplomatique; grade diplomatique; rango; rango diplomático; الرتبة;"
    " الرتبة الدبلوماسية; الدرجة; BB_Dipl_Rank_Display",
    "mission": "mission; permanent mission; mission permanente; misión; misión permanente; member state; observer;"
    " état membre; estado miembro; البعثة; البعثة الدائمة; BB_Mission; MC_Entity;"
    " MC_EntityLong; MC_EntityShort; MC_EntityBB",
    "country": "country; state; état; pays; país; estado; country name; الدولة; البلد",
    "organisation": "organisation; organization; organisation name; organization name; agency; institution; company;"
    " organización; organismo; institución; organisme; المنظمة; المؤسسة",
    "entity": "entity; affiliation; institution affiliation; entidad; entité; الجهة",
    "party": "party; party name; invited party; invitee",
    "kind": "party kind; kind; kind of party; party type; type of party; mission or organisation; MC_Category",
    "group": "group; list; category; type; groupe; catégorie; grupo; categoría; tipo",
    "address": "email; e-mail; mail; email address; e-mail address; mail address; email 1; e-mail 1; primary email;"
    " email addresses; courriel; adresse e-mail; adresse électronique; adresse courriel; adresse mail; correo;"
    " correo electrónico; dirección de correo; dirección de correo electrónico; البريد الإلكتروني; البريد; MC_eMail;"
    " BB_eMail; contact email",
    "other_address": "email 2; e-mail 2; email 3; e-mail 3; second email; secondary email; other email; "
    " additional email; alternative email; courriel 2; correo 2",
    "cc": "cc; copy; copy to; assistant email; email of assistant; cc email; email cc; copie; copie à; copia;"
    " con copia a; نسخة إلى",
    "language": "language; correspondence language; preferred language; working language; langue;"
    " langue de correspondance; idioma; lengua; اللغة; MC_UNCorrespondenceLanguage",
    "rule": "rule; invitation rule; transferability; transferable; règle; regla",
    "status": "status; statut; estatus; الحالة; BB_Status",
    "opt_out": "do not contact; do not mail; do not email; dnc; opt out; opted out; unsubscribed; ne pas contacter;"
    " no contactar",
    "salutation": "salutation line; salutation override; salutation in full; opening; own salutation",
    "address_name": "address name; name on envelope; addressee; address line; name for address",
    "attachment": "attachment; attachments; attached file; pièce jointe; adjunto; archivo adjunto",
}  # fmt: skip


def _key(heading: str) -> str:
    return "".join(c for c in fold(heading) if c.isalnum())


@lru_cache(maxsize=1)
def _by_key() -> dict[str, tuple[str, int]]:
    """Meaning and precedence among headings of the same meaning, by folded heading."""
    return {
        _key(alias): (meaning, order)
        for meaning, aliases in _MEANINGS.items()
        for order, alias in enumerate(aliases.split(";"))
    }


@lru_cache(maxsize=4096)
def meaning(heading: str) -> tuple[str, int] | None:
    """What the heading means and its precedence (lower wins) among synonyms; None where it means nothing to us."""
    return _by_key().get(_key(heading)) if len(heading) <= 200 else None


def header_row(rows: Sequence[tuple[int, list[str]]]) -> int | None:
    """The index in `rows` of the row that holds the headings; None where none of the first 30 rows does.

    It is the row with the most distinct meanings; two are needed, or an address alone.
    """
    best, most = None, 0
    for index, (number, cells) in enumerate(rows):
        if number > SEARCHED_ROWS:
            break
        found = {known[0] for cell in cells if cell and (known := meaning(cell))}
        if len(found) > most and (len(found) > 1 or "address" in found):
            best, most = index, len(found)
    return best


def snake_case(heading: str) -> str:
    """The heading as templates name it: accents and case folded, `_` between words. "Pass N°" is `pass_n`."""
    return "_".join(fold(heading).replace("'", " ").split())


def same_headings(cells: Sequence[str], headings: Sequence[str]) -> bool:
    """Whether a row only repeats the header: most of its filled cells are the heading of their column."""
    filled = [(cell, heading) for cell, heading in zip(cells, headings, strict=False) if cell]
    equal = sum(_key(cell) == _key(heading) for cell, heading in filled)
    return equal > 0 and equal * 2 > len(filled)
