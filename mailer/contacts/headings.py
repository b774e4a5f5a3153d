"""The headings by which staff call their columns, in the languages of their offices, and the row they stand in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mailer.contacts.cells import key
from mailer.contacts.titles import is_title
from mailer.model import fold

SEARCHED_ROWS = 30

# What a heading may mean; aliases go from the surest to the least. `job` and `line` are settled by the column's
# values: "Title" may hold "Ms." or "Director", "Salutation" may hold "Ms." or "Excellency,". `country` yields to an
# organisation beside it. `entity` is an organisation unless the file's name speaks of missions; `party` says nothing of
# its kind. `group` is a kind of party where all its values are, and `party` too is one there. `opt_out` and `opt_in`
# ask the same from both ends.
# What only may be an address to write to, or a copy ("Assistant", "Private email", "Bcc"), is not here: see `doubts`.
_MEANINGS: dict[str, str] = {
    "title": "honorific; civilité; tratamiento; form of title; courtesy title; prefix; name prefix; titre de civilité;"
    " tratamiento de cortesía; اللقب الشرفي; MC_Title; BB_Title",
    "job": "title; titre; título; titles",
    "line": "salutation; salutations; form of address; saludo; formule d'appel; forma de tratamiento; greeting;"
    " التحية",
    "first_name": "first name; given name; given names; first names; forename; prénom; prénoms; nombre; nombres;"
    " nombre de pila; الاسم الأول; الاسم الشخصي; BB_FirstName",
    "last_name": "last name; surname; family name; last names; nom; nom de famille; patronyme; apellido; apellidos;"
    " primer apellido; اسم العائلة; الاسم العائلي; الكنية; BB_LastName",
    "name": "name; full name; contact; contact name; contact person; name of contact; first and last name;"
    " name and surname; participant; participant name; name of participant; focal point; point of contact;"
    " nom complet; nom et prénom; nom et prénoms; prénom et nom; nom du contact; personne de contact;"
    " nombre completo; nombre y apellidos; nombre y apellido; nombre del contacto; persona de contacto; participante;"
    " الاسم; الاسم الكامل; اسم المشارك; جهة الاتصال",
    "position": "position; function; job title; designation; functional title; position title; job; post; role;"
    " occupation; fonction; poste; qualité; titre fonctionnel; cargo; función; puesto; posición;"
    " المنصب; الوظيفة; المسمى الوظيفي; الصفة; BB_Function",
    "rank": "rank; diplomatic rank; military rank; rang; rang diplomatique; grade diplomatique; rango;"
    " rango diplomático; الرتبة; الرتبة الدبلوماسية; الدرجة; الدرجة الدبلوماسية; BB_Dipl_Rank_Display",
    "mission": "mission; permanent mission; mission permanente; misión; misión permanente; member state; observer;"
    " observer state; mission name; name of mission; diplomatic mission; embassy; delegation; permanent representation;"
    " état membre; état observateur; ambassade; délégation; représentation permanente; estado miembro; embajada;"
    " delegación; representación permanente; misiones; البعثة; البعثة الدائمة; الدولة العضو; السفارة; الوفد;"
    " BB_Mission; MC_Entity; MC_EntityLong; MC_EntityShort; MC_EntityBB",
    "country": "country; state; état; pays; país; estado; country name; name of country; nom du pays; nombre del país;"
    " الدولة; البلد",
    "organisation": "organisation; organization; organisation name; organization name; name of organisation;"
    " name of organization; org; ngo; name of ngo; ngo name; civil society organisation; civil society organization;"
    " agency; agency name; institution; institution name; name of institution; institute; association; foundation;"
    " university; company; company name; employer; nom de l'organisation; organisme; nom de l'organisme; ong;"
    " nom de l'ong; nom de l'institution; fondation; université; société; organización; organizaciones;"
    " nombre de la organización; organismo; institución; instituciones; nombre de la institución; asociación;"
    " fundación; universidad; empresa; المنظمة; اسم المنظمة; المنظمة غير الحكومية; المؤسسة; اسم المؤسسة; الجامعة",
    "entity": "entity; entity name; affiliation; institution affiliation; entidad; entité; afiliación; الجهة",
    "party": "party; party name; invited party; invitee",
    "kind": "party kind; kind; kind of party; party type; type of party; MC_Category",
    "group": "group; list; category; type; organisation type; organization type; type of organisation;"
    " type of organization; type of entity; groupe; catégorie; type d'organisation; grupo; categoría; tipo;"
    " tipo de organización",
    "address": "email; e-mail; mail; email address; e-mail address; mail address; email 1; e-mail 1; primary email;"
    " main email; official email; work email; office email; professional email; email official; email id; mailbox;"
    " email addresses; contact email; email of contact; courriel; mél; adresse e-mail; adresse électronique;"
    " adresse courriel; adresse de courriel; adresse mail; adresse de messagerie; courriel professionnel;"
    " adresse e-mail professionnelle; correo; correo electrónico; correo e; correo oficial; correo institucional;"
    " dirección de correo; dirección de correo electrónico; dirección electrónica; dirección de email;"
    " البريد الإلكتروني; عنوان البريد الإلكتروني; بريد إلكتروني; البريد; الإيميل; إيميل; MC_eMail; BB_eMail",
    "other_address": "email 2; e-mail 2; email 3; e-mail 3; email address 2; second email; secondary email;"
    " other email; additional email; alternative email; alternate email; courriel 2; autre courriel; autre e-mail;"
    " correo 2; otro correo; correo alternativo; البريد الإلكتروني 2",
    "cc": "cc; copy; copy to; cc to; in copy; carbon copy; copy cc; cc copy; cc address; cc addresses; copy address;"
    " cc email; cc email address; email cc; email for copy; cc assistant; assistant cc; assistant as cc;"
    " assistant as a cc; assistant email; assistant's email; assistant email address;"
    " email assistant; email of assistant; email of the assistant; secretary email; secretary's email; email secretary;"
    " email of secretary; pa email; email pa; copie; copie à; en copie; copie cc; adresse en copie; e-mail en copie;"
    " courriel en copie; e-mail de l'assistant; e-mail de l'assistante; courriel de l'assistant;"
    " courriel de l'assistante; copia; con copia a; con copia; en copia; copia a; correo en copia; correo copia;"
    " correo del asistente; correo de la asistente; نسخة إلى; نسخة; بريد المساعد",
    "language": "language; lang; correspondence language; language of correspondence; language for correspondence;"
    " preferred language; language preference; working language; language code; invitation language;"
    " language of invitation; language of the invitation; langue; langue de correspondance; langue de travail;"
    " langue préférée; langue de préférence; langue de l'invitation; idioma; idioma de correspondencia;"
    " idioma preferido; idioma de trabajo; idioma de la invitación; lengua; اللغة; لغة المراسلة; لغة المراسلات;"
    " لغة العمل; اللغة المفضلة; MC_UNCorrespondenceLanguage",
    "rule": "rule; invitation rule; transferability; transferable; règle; regla",
    "status": "status; statut; estatus; الحالة; BB_Status",
    "opt_out": "do not contact; do not invite; do not mail; do not email; do not write; do not send; don't contact;"
    " don't invite; don't email; don't mail; don't write; don't send; not to be invited; not to invite;"
    " not to be contacted; not to contact; not invited; no invitation; no invite; no contact; no mail; dnc; exclude;"
    " excluded; exclusion; exclude from mailing; to be excluded; opt out; opted out; unsubscribe; unsubscribed;"
    " ne pas contacter; ne pas inviter; à ne pas contacter; à ne pas inviter; ne pas écrire; ne pas envoyer; exclure;"
    " à exclure; exclu; exclue; désinscrit; désabonné; no contactar; no invitar; no escribir; no enviar; excluir;"
    " excluido; excluida; dado de baja; عدم الاتصال; عدم الدعوة; لا يدعى; لا تتم دعوته; يستبعد; استبعاد",
    "opt_in": "invite; to invite; to be invited; please invite; should be invited; send invitation; send invite; send;"
    " include; include in mailing; to be included; inviter; à inviter; envoyer; inclure; à inclure; invitar; a invitar;"
    " por invitar; enviar; incluir; يدعى; تتم دعوته",
    "salutation": "salutation line; salutation override; salutation in full; opening; own salutation",
    "address_name": "address name; name on envelope; addressee; address line; name for address",
    "attachment": "attachment; attachments; attached file; pièce jointe; adjunto; archivo adjunto",
}  # fmt: skip
# What a heading means whose parts ("Country/Mission", "Nom / Name") mean several things, the narrowest first.
_TOGETHER = (
    ("mission", {"mission", "country"}),
    ("organisation", {"organisation", "entity"}),
    ("party", {"mission", "country", "organisation", "entity", "party"}),
    ("name", {"name", "first_name", "last_name"}),
    ("position", {"job", "position"}),
    ("job", {"job", "title"}),
    ("line", {"line", "title"}),
)
_DERIVED = 1000  # a heading as it stands in the table goes before one that was taken apart

_BETWEEN = re.compile(r"[/\\|;,+&\n\r]|\s(?:and|or|et|ou|y|o)\s|\s[-–—]\s")
_REMARK = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
_YES_OR_NO = re.compile(
    r"[\s(\[:,-]*\b(?P<yes>y(?:es)?|o(?:ui)?|s[ií]?)\s*(?:/|or|ou|o)\s*no?n?\b[\s)\]?.]*$", re.IGNORECASE
)
# A remark in brackets is dropped unless it makes the column another's, or another thing.
_OTHER = re.compile(
    r"\b(?:assistant\w*|asistente|secretar\w*|pa|aide|spouse|conjoint\w*|partner|guest|companion|accompan\w*|host|old"
    r"|former|previous|e ?mail\w*|courriel|correo|cc|phone|tel\w*|fax|not|no|\d+)\b"
)
# Where a mail goes depends on these, so there each word of the remark has to be one that changes nothing.
_WHO_GETS_IT = frozenset({"address", "other_address", "cc", "opt_in"})
_CHANGES_NOTHING = frozenset({
    "s", "es", "official", "officiel", "officielle", "oficial", "work", "office", "professional", "professionnel",
    "professionnelle", "institutional", "institucional", "required", "mandatory", "obligatoire", "obligatorio",
    "optional", "if", "any", "known", "main", "primary", "to", "several", "by", "separated", "semicolon", "semicolons",
    "comma", "commas",
})  # fmt: skip


@lru_cache(maxsize=1)
def _by_key() -> dict[str, tuple[str, int]]:
    """Meaning and precedence among headings of the same meaning, by folded heading."""
    return {
        key(alias): (meaning, order)
        for meaning, aliases in _MEANINGS.items()
        for order, alias in enumerate(aliases.split(";"))
    }


@lru_cache(maxsize=4096)
def meaning(heading: str) -> tuple[str, int] | None:
    """What the heading means and its precedence (lower wins) among synonyms; None where it means nothing to us.

    Plurals, remarks in brackets and parts divided by slashes are understood where they leave no doubt: "E-mail(s)",
    "Language (EN/FR)", "Country/Mission", "Mr./Ms.". Each part must mean something, and all of them one thing.
    """
    if len(heading) > 200:
        return None
    if known := _by_key().get(key(heading)):
        return known
    bare = _REMARK.sub(" ", _YES_OR_NO.sub("", heading))
    parts = [part for part in _BETWEEN.split(bare) if key(part)]
    means = _together(parts) or _simple(bare)
    if means is None or not all(_changes_nothing(remark, means) for remark in _REMARK.findall(heading)):
        return None
    return means, _DERIVED


def _simple(heading: str) -> str | None:
    """What the heading means by itself or as the plural of another."""
    whole = key(heading)
    singulars = (whole, whole.removesuffix("s"), whole.removesuffix("es"), re.sub("ies$", "y", whole))
    return next((known[0] for word in singulars if (known := _by_key().get(word))), None)


def _together(parts: Sequence[str]) -> str | None:
    """What the parts of a heading mean together; None unless each of them means something, and all one thing."""
    if len(parts) > 1 and all(is_title(part.strip()) for part in parts):
        return "title"
    found = {_simple(part) for part in parts}
    if len(found) <= 1:
        return next(iter(found), None)
    return next((whole for whole, some in _TOGETHER if found <= some), None)


def _changes_nothing(remark: str, means: str) -> bool:
    words = fold(remark)
    if _YES_OR_NO.fullmatch(remark):
        return True
    return set(words.split()) <= _CHANGES_NOTHING if means in _WHO_GETS_IT else not _OTHER.search(words)


def word_for_yes(heading: str) -> str:
    """What stands for yes in the cells below, folded, as the heading says: `o` under "Inviter (O/N)"; else empty."""
    asked = _YES_OR_NO.search(heading)
    return fold(asked["yes"]) if asked else ""


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
    equal = sum(key(cell) == key(heading) for cell, heading in filled)
    return equal > 0 and equal * 2 > len(filled)
