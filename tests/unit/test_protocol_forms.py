"""Forms of address: every row of the table in four languages, the ladder below it, and what is refused."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.contacts.names import title_and_name
from mailer.model import Address, Contact, Form, Party, PartyKind, Place
from mailer.protocol import Doubt, Mission, form_of_address
from tests.contacts.conftest import drop_downs

MISSION = Mission(
    "NLD",
    "the Netherlands",
    {
        "en": "Permanent Mission of the Kingdom of the Netherlands to the United Nations",
        "fr": "Mission permanente du Royaume des Pays-Bas auprès de l'Organisation des Nations Unies",
        "es": "Misión Permanente del Reino de los Países Bajos ante las Naciones Unidas",
        "ar": "البعثة الدائمة لمملكة هولندا لدى الأمم المتحدة",
    },
)
UNITED_STATES = Mission("USA", "the United States of America", {"en": "United States Mission to the United Nations"})
NETHERLANDS = Party("Netherlands", PartyKind.MISSION)
NGO = Party("Example Relief", PartyKind.ORGANISATION)
UNHCR = Party("UNHCR", PartyKind.ORGANISATION)


def contact(party: Party = NETHERLANDS, email: str = "someone@example.org", **cells: str) -> Contact:
    cells.setdefault("name", " ".join(filter(None, (cells.get("first_name"), cells.get("last_name")))))
    return Contact(Place("missions.xlsx", "Contacts", 2), party, Address.parse(email), **cells)  # type: ignore[arg-type]


def form(language: str = "en", mission: Mission | None = None, **cells: str | Party) -> tuple[str, str]:
    found = form_of_address(contact(**cells), language, mission).form  # type: ignore[arg-type]
    return found.salutation, found.address_name


def doubts(mission: Mission | None = None, **cells: str) -> list[tuple[str, str]]:
    found = form_of_address(contact(**cells), "en", mission)
    assert all(doubt.problem and doubt.fix for doubt in found.doubts)
    return [(doubt.field, doubt.severity) for doubt in found.doubts]


MINA = {"first_name": "Mina", "last_name": "VAN OOST"}

# Each row of the table: what the cells say, and the form in each language.
TABLE: Mapping[str, tuple[Mapping[str, str | Party], Mapping[str, tuple[str, str]]]] = {
    "head of mission with ambassador rank": (
        {**MINA, "title": "Ms.", "rank": "Ambassador", "position": "Permanent Representative"},
        {
            "en": ("Excellency,", "H.E. Ms. Mina VAN OOST"),
            "fr": ("Madame l'Ambassadrice,", "Son Excellence Madame Mina VAN OOST"),
            "es": ("Excelencia:", "Excma. Sra. Mina VAN OOST"),
            "ar": ("سعادة السفيرة،", "سعادة السفيرة Mina VAN OOST"),
        },
    ),
    "deputy with ambassador rank": (
        {"name": "Tom Berg", "title": "Mr.", "rank": "Ambassador", "position": "Deputy Permanent Representative"},
        {
            "en": ("Excellency,", "H.E. Mr. Tom Berg"),
            "fr": ("Monsieur l'Ambassadeur,", "Son Excellence Monsieur Tom Berg"),
            "es": ("Excelencia:", "Excmo. Sr. Tom Berg"),
            "ar": ("سعادة السفير،", "سعادة السفير Tom Berg"),
        },
    ),
    "ambassador of unknown gender": (
        {**MINA, "rank": "Ambassador Extraordinary and Plenipotentiary"},
        {
            "en": ("Excellency,", "H.E. Mina VAN OOST"),
            "fr": ("Excellence,", "Son Excellence Mina VAN OOST"),
            "es": ("Excelencia:", "S. E. Mina VAN OOST"),
            "ar": ("أصحاب السعادة،", "سعادة Mina VAN OOST"),
        },
    ),
    "deputy or diplomat without ambassador rank": (
        {**MINA, "title": "Ms.", "rank": "Counsellor", "position": "Deputy Permanent Representative"},
        {
            "en": ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST, Counsellor"),
            "fr": ("Madame,", "Madame Mina VAN OOST, Conseillère"),
            "es": ("Estimada Sra. VAN OOST:", "Sra. Mina VAN OOST, Consejera"),
            "ar": ("السيدة Mina VAN OOST المحترمة،", "السيدة Mina VAN OOST، مستشارة"),
        },
    ),
    "diplomat of unknown gender": (
        {**MINA, "rank": "First Secretary"},
        {
            "en": ("Dear Mina VAN OOST,", "Mina VAN OOST, First Secretary"),
            "fr": ("Madame, Monsieur,", "Mina VAN OOST, First Secretary"),
            "es": ("Señora, señor:", "Mina VAN OOST, First Secretary"),
            "ar": ("السيدة المحترمة، السيد المحترم،", "Mina VAN OOST، First Secretary"),
        },
    ),
    "chargé d'affaires": (
        {**MINA, "title": "Mr.", "rank": "Minister-Counsellor", "position": "Chargé d'affaires a.i."},
        {
            "en": ("Dear Mr. VAN OOST,", "Mr. Mina VAN OOST, Chargé d'affaires a.i."),
            "fr": ("Monsieur,", "Monsieur Mina VAN OOST, Chargé d'affaires par intérim"),
            "es": ("Estimado Sr. VAN OOST:", "Sr. Mina VAN OOST, Encargado de Negocios a. i."),
            "ar": ("السيد Mina VAN OOST المحترم،", "السيد Mina VAN OOST، القائم بالأعمال بالنيابة"),
        },
    ),
    "military adviser": (
        {**MINA, "title": "Mr.", "rank": "Colonel", "position": "Military Adviser"},
        {
            "en": ("Dear Colonel VAN OOST,", "Colonel Mina VAN OOST, Military Adviser"),
            "fr": ("Monsieur,", "Colonel Mina VAN OOST, Military Adviser"),
            "es": ("Estimado Sr. VAN OOST:", "Colonel Mina VAN OOST, Military Adviser"),
            "ar": ("السيد Mina VAN OOST المحترم،", "Colonel Mina VAN OOST، Military Adviser"),
        },
    ),
    "expert, whose function is no rank": (
        {**MINA, "title": "Ms.", "rank": "Second Secretary", "position": "Expert, Fifth Committee"},
        {
            "en": ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST, Second Secretary"),
            "fr": ("Madame,", "Madame Mina VAN OOST, Deuxième secrétaire"),
            "es": ("Estimada Sra. VAN OOST:", "Sra. Mina VAN OOST, Segunda Secretaria"),
            "ar": ("السيدة Mina VAN OOST المحترمة،", "السيدة Mina VAN OOST، سكرتيرة ثانية"),
        },
    ),
    "United Nations official, never by grade": (
        {**MINA, "party": UNHCR, "title": "Mr.", "rank": "P-5", "position": "Chief of Section (D-1)"},
        {
            "en": ("Dear Mr. VAN OOST,", "Mr. Mina VAN OOST, Chief of Section"),
            "fr": ("Monsieur,", "Monsieur Mina VAN OOST, Chief of Section"),
            "es": ("Estimado Sr. VAN OOST:", "Sr. Mina VAN OOST, Chief of Section"),
            "ar": ("السيد Mina VAN OOST المحترم،", "السيد Mina VAN OOST، Chief of Section"),
        },
    ),
    "organisation": (
        {**MINA, "party": NGO, "title": "Ms.", "position": "Director"},
        {
            "en": ("Dear colleague,", "Ms. Mina VAN OOST"),
            "fr": ("Chère collègue,", "Madame Mina VAN OOST"),
            "es": ("Estimada colega:", "Sra. Mina VAN OOST"),
            "ar": ("الزميلة العزيزة،", "السيدة Mina VAN OOST"),
        },
    ),
    "academic": (
        {**MINA, "party": NGO, "title": "Dr."},
        {
            "en": ("Dear colleague,", "Dr. Mina VAN OOST"),
            "fr": ("Chère collègue, cher collègue,", "Dr Mina VAN OOST"),
            "es": ("Estimada colega, estimado colega:", "Dr. Mina VAN OOST"),
            "ar": ("الزميلات والزملاء الأعزاء،", "د. Mina VAN OOST"),
        },
    ),
    "mailbox": (
        {},
        {
            "en": ("Dear colleagues,", MISSION.names["en"]),
            "fr": ("Chères et chers collègues,", MISSION.names["fr"]),
            "es": ("Estimadas y estimados colegas:", MISSION.names["es"]),
            "ar": ("الزميلات والزملاء الأعزاء،", MISSION.names["ar"]),
        },
    ),
}


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar"])
@pytest.mark.parametrize("row", TABLE)
def test_every_row_of_the_table_in_every_language(row: str, language: str) -> None:
    """Ambassadors get the formal form, everybody else the semi-formal one, a mailbox the name of its mission."""
    cells, expected = TABLE[row]
    mission = MISSION if cells.get("party", NETHERLANDS) is NETHERLANDS else None
    assert form(language, mission, **cells) == expected[language]
    assert not form_of_address(contact(**cells), language, mission).doubts  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"title": "H.E. Mr."}, ("Excellency,", "H.E. Mr. Mina VAN OOST")),
        ({"title": "S.E. Mme"}, ("Excellency,", "H.E. Ms. Mina VAN OOST")),
        ({"title": "H.E.Dr."}, ("Excellency,", "H.E. Dr. Mina VAN OOST")),
        ({"title": "H. E. General", "rank": "Ambassador"}, ("Excellency,", "H.E. General Mina VAN OOST")),
        ({"title": "H.E. Archbishop"}, ("Excellency,", "H.E. Archbishop Mina VAN OOST")),
        ({"title": "Mrs", "rank": "Ambassador"}, ("Excellency,", "H.E. Mrs. Mina VAN OOST")),
        ({"position": "Apostolic Nuncio, Permanent Observer of the Holy See"}, ("Excellency,", "H.E. Mina VAN OOST")),
        ({"title": "MR"}, ("Dear Mr. VAN OOST,", "Mr. Mina VAN OOST")),
        ({"title": "Mrs"}, ("Dear Mrs. VAN OOST,", "Mrs. Mina VAN OOST")),
        ({"title": "Mx."}, ("Dear Mx. VAN OOST,", "Mx. Mina VAN OOST")),
        ({"title": "Mme."}, ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")),
        ({"title": "السيدة"}, ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")),
        ({"title": "Mr./Ms."}, ("Dear Mina VAN OOST,", "Mina VAN OOST")),
        ({"title": "Prof. Dr."}, ("Dear Prof. VAN OOST,", "Prof. Mina VAN OOST")),
        ({"title": "Lt. Col."}, ("Dear Lt. Col. VAN OOST,", "Lt. Col. Mina VAN OOST")),
        ({"title": "Ms.", "rank": "Ambassador's Secretary"}, ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")),
        ({"title": "Ms.", "rank": "Goodwill Ambassador"}, ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")),
        ({"title": "Ms.", "rank": "Minister Plenipotentiary"},
         ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST, Minister Plenipotentiary")),
        ({"title": "Ms.", "rank": "TBC", "position": "Attaché (nan)"}, ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")),
        ({"rank": "Ambassadrice"}, ("Excellency,", "H.E. Ms. Mina VAN OOST")),
        ({"rank": "Ambassador", "position": "Chargé d'affaires a.i."}, ("Excellency,", "H.E. Mina VAN OOST")),
        ({"rank": "Inspector General of Schools", "title": "Mr."}, ("Dear Mr. VAN OOST,", "Mr. Mina VAN OOST")),
    ],
)  # fmt: skip
def test_titles_and_ranks_are_understood_as_they_are_typed(cells: dict[str, str], expected: tuple[str, str]) -> None:
    """ "H.E." alone means an ambassador, a function never does, and "Mrs." stays "Mrs."."""
    assert form(**MINA, **cells) == expected


@pytest.mark.parametrize("position", ["Permanent Representative", "Permanent Observer of the Holy See", "PR",
    "Représentante permanente de la Belgique auprès de l'ONU", "Representante Permanente",
    "المندوب الدائم"])  # fmt: skip
def test_a_head_of_mission_without_a_rank_counts_as_an_ambassador_with_a_warning(position: str) -> None:
    """The function stands in for the missing rank, and a person is told."""
    assert form(**MINA, position=position)[0] == "Excellency,"
    assert doubts(**MINA, position=position) == [("rank", "warning")]


@pytest.mark.parametrize("position", ["Deputy Permanent Representative", "Permanent Representative a.i.", "Acting PR",
    "Représentant permanent adjoint", "Assistant to the Permanent Representative", "Representative"])  # fmt: skip
def test_no_other_function_makes_an_ambassador(position: str) -> None:
    """Deputies, acting heads and assistants are ambassadors by rank only."""
    assert form(**MINA, title="Ms.", position=position) == ("Dear Ms. VAN OOST,", "Ms. Mina VAN OOST")


def test_the_representative_of_the_united_states_is_its_head_of_mission() -> None:
    """That mission's head is called Representative, without "Permanent"; a rank still decides."""
    assert form(mission=UNITED_STATES, **MINA, position="Representative")[0] == "Excellency,"
    assert doubts(UNITED_STATES, **MINA, position="Representative") == [("rank", "warning")]
    assert form(mission=UNITED_STATES, **MINA, position="Alternate Representative")[0] == "Dear Mina VAN OOST,"
    assert form(mission=UNITED_STATES, **MINA, position="Representative", rank="Counsellor")[0] == "Dear Mina VAN OOST,"


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"rank": "Ambassador", "title": "Colonel"}, "rank"),
        ({"rank": "Ambassador", "title": "Counsellor"}, "rank"),
        ({"rank": "Ambassador", "position": "First Secretary"}, "rank"),
        ({"rank": "Counsellor", "title": "H.E. Ms."}, "rank"),
        ({"rank": "Third Secretary", "position": "Ambassador, Permanent Representative"}, "rank"),
        ({"rank": "Secrétaire d'ambassade", "title": "S.E. M."}, "rank"),
        ({"rank": "Conseillère d'ambassade", "title": "H.E."}, "rank"),
        ({"rank": "Consejero de Embajada", "title": "Excmo. Sr."}, "rank"),
        ({"rank": "Minister Plenipotentiary", "title": "H.E. Ms."}, "rank"),
        ({"rank": "Chargé d'affaires a.i.", "title": "Ambassador"}, "rank"),
        ({"title": "H.E. Mr.", "position": "Chargé d'affaires a.i."}, "position"),
        ({"title": "Colonel", "position": "Ambassador"}, "position"),
    ],
)
def test_a_contradiction_is_refused_until_a_person_settles_it(cells: dict[str, str], field: str) -> None:
    """Where rank and title disagree nothing is guessed, neither "H.E." nor "Mr."; a typed salutation settles it."""
    assert form(**MINA, **cells) == ("Dear Mina VAN OOST,", "Mina VAN OOST")
    assert doubts(**MINA, **cells) == [(field, "error")]
    assert form(**MINA, **cells, salutation="Dear Mina,") == ("Dear Mina,", "Mina VAN OOST")
    assert doubts(**MINA, **cells, salutation="Dear Mina,") == []


def test_a_title_or_rank_without_a_name_is_refused() -> None:
    """An empty name beside a title is a slip; an empty row of cells is a mailbox."""
    assert doubts(title="Ms.") == [("name", "error")]
    assert doubts(rank="Ambassador") == [("name", "error")]
    assert doubts(position="Registry") == []


def test_one_advice_is_given_where_the_name_is_missing() -> None:
    """Nobody is told to write a rank that would be an error without a name."""
    assert doubts(title="Ms.", position="Permanent Representative") == [("name", "error")]
    (warning,) = form_of_address(contact(position="Permanent Representative"), "en", None).doubts
    assert (warning.severity, warning.fix[:19]) == ("warning", "Write name and rank")
    assert form(position="Permanent Representative")[0] == "Excellency,"


@pytest.mark.parametrize(
    "name", ["Nan Sample", "Na Li", "Vacante Sample", "Malcolm X", "HE Jianguo", "ana van der McX"]
)
def test_a_name_is_printed_as_the_contact_has_it(name: str) -> None:
    """Whether it is one was for the reader of sheets to say; spelling, case and order never change."""
    assert form(name=name, title="Ms.") == (f"Dear Ms. {name},", f"Ms. {name}")
    assert doubts(name=name) == []


def test_the_family_name_is_used_only_where_the_sheet_tells_it() -> None:
    """A full name in one cell is not taken apart; capitals stay as typed."""
    assert form(name="Tom BERG", title="Mr.")[0] == "Dear Mr. Tom BERG,"
    assert form(name="BERG Tom", last_name="BERG", title="Mr.") == ("Dear Mr. BERG,", "Mr. BERG Tom")


def test_the_rows_own_words_always_win() -> None:
    """Both overrides together silence every doubt; one alone leaves the other to the rules."""
    row = {"name": "Mina", "rank": "Ambassador", "title": "Counsellor", "position": "First Secretary"}
    both = form_of_address(contact(**row, salutation=" Dear  friends, ", address_name="The Office"), "fr", MISSION)
    assert both.form == Form("Dear friends,", "The Office") and not both.doubts
    assert form(**MINA, rank="Ambassador", address_name="Mina") == ("Excellency,", "Mina")
    assert form(**MINA, rank="Counsellor", salutation="Cara Mina,")[0] == "Cara Mina,"


def test_a_placeholder_is_no_override() -> None:
    """ "nan" in an override's cell is an error, and the rules speak instead."""
    assert form(**MINA, title="Ms.", salutation="nan")[0] == "Dear Ms. VAN OOST,"
    assert doubts(**MINA, salutation="Dear nan,", address_name="TBC") == [
        ("salutation", "error"), ("address_name", "error"),
    ]  # fmt: skip


@pytest.mark.parametrize("words", ["N.A.", "t.b.c.", "Not available", "undefined", "Puesto vacante", "[object Object]"])
def test_what_is_nobodys_name_is_no_form_of_address(words: str) -> None:
    """What the reader of sheets refuses for a name is neither a salutation nor a function behind the name."""
    assert doubts(**MINA, salutation=words) == [("salutation", "error")]
    assert form(**MINA, rank="Colonel", position=words)[1] == "Colonel Mina VAN OOST"


def test_unknown_ranks_and_titles_are_told_and_left_out() -> None:
    """A misspelt rank would otherwise quietly cost an ambassador the form that is due."""
    found = form_of_address(contact(**MINA, rank="Ambasador", title="Xyz"), "en", None)
    assert [(doubt.field, doubt.severity) for doubt in found.doubts] == [("rank", "warning"), ("title", "warning")]
    assert isinstance(found.doubts[0], Doubt) and "'Ambasador' is not a rank known here" in found.doubts[0].problem
    assert doubts(**MINA, title="Permanent Representative") == doubts(**MINA, title="P-5") == [("title", "warning")]


@pytest.mark.parametrize(
    ("party", "email", "expected"),
    [
        ("Example Relief", "mina@example.org", "Dear colleague,"),
        ("United Nations Children's Fund", "mina@example.org", "Dear Ms. VAN OOST,"),
        ("Global Cluster (GPC)/UNHCR", "mina@example.org", "Dear Ms. VAN OOST,"),
        ("Department of Peace Operations", "mina@un.org", "Dear Ms. VAN OOST,"),
        ("United Nations Association of Examplia", "mina@example.org", "Dear colleague,"),
        ("Un monde meilleur", "mina@example.org", "Dear colleague,"),
    ],
)
def test_united_nations_officials_are_told_from_other_organisations(party: str, email: str, expected: str) -> None:
    """By the party's name or an un.org address."""
    assert form(party=Party(party, PartyKind.ORGANISATION), email=email, **MINA, title="Ms.")[0] == expected


def test_a_mailbox_without_a_known_mission_is_called_as_the_sheet_calls_it() -> None:
    """Without a mission, and in a language without words of its own, the party's name and English serve."""
    assert form("en") == ("Dear colleagues,", "Netherlands")
    assert form("ja", MISSION) == ("Dear colleagues,", MISSION.names["en"])


PIECES = st.one_of(
    st.sampled_from([
        "", "nan", "NaN", "Mr.", "Ms", "H.E.", "Dr", "(Ms)", "()", "Ambassador", "Colonel", "Counsellor", "P-5",
        "Sir nan",
        "Chargé d'affaires a.i.", "Permanent Representative", "Ana RUIZ", "nan nan", "TBC", "a@example.org", "[ ]",
        "\x00",
        "{name}", "{0}", "السفيرة", "Ana\r\nBcc: x", "( ( ) )", "Archbishop nan", "D-1 nan",
    ]),
    st.text(max_size=12),
)  # fmt: skip
CELLS = st.lists(PIECES, max_size=3).map(" ".join)
NAMES = CELLS.map(lambda typed: title_and_name(typed)[1])
FIELDS = {"last_name": NAMES, "name": NAMES} | dict.fromkeys(
    ("title", "position", "rank", "salutation", "address_name"), CELLS
)


@given(
    cells=st.fixed_dictionaries(FIELDS),
    party=st.builds(Party, CELLS, st.sampled_from(PartyKind)),
    language=st.sampled_from(["en", "fr", "es", "ar", "ja"]),
    mission=st.sampled_from([None, MISSION]),
)
def test_no_form_ever_shows_what_an_empty_or_broken_cell_left_behind(
    cells: dict[str, str], party: Party, language: str, mission: Mission | None
) -> None:
    """Whatever stands in the cells: no "nan", doubled or outer blanks, empty brackets or control characters."""
    found = form_of_address(
        Contact(Place("f", None, 2), party, Address.parse("a@example.org"), **cells), language, mission
    )
    assert found.form.salutation
    for text in (found.form.salutation, found.form.address_name):
        assert not re.search(r"(?<![\w-])nan(?![\w-])", text, re.IGNORECASE)
        assert not re.search(r"\s\s|^\s|\s$|[^\S ]|[\x00-\x1f\x7f-\x9f]|\(\s*\)|\[\s*\]", text)


@pytest.mark.parametrize(
    ("language", "cells", "expected"),
    [
        ("fr", {"title": "Mr.", "rank": "Second Secretary"}, "Monsieur Mina VAN OOST, Deuxième secrétaire"),
        ("fr", {"title": "Ms.", "rank": "minister-counsellor"}, "Madame Mina VAN OOST, Ministre conseillère"),
        ("fr", {"title": "Ms.", "rank": "Minister"}, "Madame Mina VAN OOST, Ministre"),
        ("es", {"title": "Mr.", "rank": "Minister"}, "Sr. Mina VAN OOST, Ministro"),
        ("fr", {"title": "Ms.", "rank": "Legal Attaché"}, "Madame Mina VAN OOST, Legal Attaché"),
        ("fr", {"title": "Mme", "rank": "Conseiller"}, "Madame Mina VAN OOST, Conseiller"),
        ("fr", {"rank": "Counsellor"}, "Mina VAN OOST, Counsellor"),
        ("fr", {"rank": "Third Secretary"}, "Mina VAN OOST, Troisième secrétaire"),
        ("es", {"title": "Mr.", "rank": "Chargé d'affaires a.i."}, "Sr. Mina VAN OOST, Encargado de Negocios a. i."),
        ("fr", {"title": "Ms.", "rank": "Attaché"}, "Madame Mina VAN OOST, Attachée"),
        ("ar", {"title": "Ms.", "rank": "Attaché"}, "السيدة Mina VAN OOST، ملحقة"),
        ("en", {"title": "Mme", "rank": "Première secrétaire"}, "Ms. Mina VAN OOST, First Secretary"),
        ("en", {"title": "Sr.", "rank": "Ministro Consejero"}, "Mr. Mina VAN OOST, Minister Counsellor"),
        ("de", {"title": "Mme", "rank": "Conseillère"}, "Ms. Mina VAN OOST, Counsellor"),
    ],
)
def test_standard_ranks_are_told_in_the_letters_language(language: str, cells: dict[str, str], expected: str) -> None:
    """A rank of the drop-down goes into the letter's language by gender; any other stays as typed."""
    assert form(language, **MINA, **cells)[1] == expected


def test_every_rank_of_the_drop_down_has_its_words() -> None:
    """What the staff's workbook offers is never left in English in a letter to a man or a woman."""
    for rank in set(drop_downs("missions.xlsx")["Rank"]) - {"Ambassador", "Colonel"}:
        for language in ("fr", "es", "ar"):
            man, woman = (form(language, **MINA, title=title, rank=rank)[1] for title in ("Mr.", "Ms."))
            assert not woman.endswith(rank)
            assert not man.endswith(rank) or (language, rank) == ("fr", "Attaché")
