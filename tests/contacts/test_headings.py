"""Which column is what: headings of many languages, in any row, settled by values where they are doubtful."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.contacts.headings import _MEANINGS, header_row, meaning, snake_case
from mailer.model import PartyKind


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("E-mail", "address"), ("  EMAIL  address ", "address"), ("Courriel", "address"),
        ("Adresse é-mail", "address"),
        ("Correo electrónico", "address"), ("البريد الإلكتروني", "address"), ("MC_eMail", "address"),
        ("Email 2", "other_address"), ("Assistant e-mail", "cc"), ("CC", "cc"),
        ("First Name", "first_name"), ("Prénom", "first_name"), ("Nombre", "first_name"),
        ("BB_FirstName", "first_name"),
        ("Surname", "last_name"), ("Family name", "last_name"), ("Nom", "last_name"), ("Apellidos", "last_name"),
        ("Full Name", "name"), ("Contact", "name"), ("Job title", "position"), ("Designation", "position"),
        ("Fonction", "position"), ("Cargo", "position"), ("BB_Function", "position"), ("Diplomatic rank", "rank"),
        ("BB_Dipl_Rank_Display", "rank"), ("Member State", "mission"), ("MC_Entity", "mission"), ("État", "country"),
        ("Pays", "country"), ("Organization", "organisation"), ("Agency", "organisation"), ("Affiliation", "entity"),
        ("Honorific", "title"), ("Civilité", "title"), ("Tratamiento", "title"), ("Title", "job"),
        ("Salutation", "line"), ("Langue", "language"), ("Idioma", "language"),
        ("MC_UNCorrespondenceLanguage", "language"), ("Do not contact", "opt_out"), ("Status", "status"),
        ("Lang.", "language"), ("Language of correspondence", "language"), ("Idioma de correspondencia", "language"),
        ("Prefix", "title"), ("Form of address", "line"), ("Cc address", "cc"), ("Assistant (as a Cc)", "cc"),
        ("NGO", "organisation"), ("Name of organisation", "organisation"), ("ONG", "organisation"),
        ("Delegation", "mission"), ("Embassy", "mission"), ("Ambassade", "mission"), ("السفارة", "mission"),
        ("DO NOT INVITE", "opt_out"), ("Don’t invite", "opt_out"), ("Ne pas inviter", "opt_out"),
        ("No invitar", "opt_out"), ("Invite?", "opt_in"), ("À inviter", "opt_in"),
    ],
)  # fmt: skip
def test_a_heading_is_known_by_its_letters(heading: str, field: str) -> None:
    """Case, accents, blanks and punctuation of a heading do not matter."""
    known = meaning(heading)
    assert known and known[0] == field


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("E-mail(s)", "address"), ("Email (official)", "address"), ("Emails", "address"), ("Countries", "country"),
        ("Language (EN/FR)", "language"), ("Langue(s)", "language"), ("Position (in full)", "position"),
        ("Mr/Ms", "title"), ("Mr./Mrs.", "title"), ("M./Mme", "title"), ("Sr./Sra.", "title"),
        ("Organisation / NGO", "organisation"), ("Country/Mission", "mission"), ("Mission / Organisation", "party"),
        ("Nom\nName", "name"), ("Prénom / First name", "first_name"), ("Title / Position", "position"),
        ("Invite? (Y/N)", "opt_in"), ("Invite: yes/no", "opt_in"), ("Inviter (oui/non)", "opt_in"),
        ("DO NOT INVITE (x)", "opt_out"), ("Do not contact (left post)", "opt_out"), ("Status (active/left)", "status"),
    ],
)  # fmt: skip
def test_a_heading_is_known_by_its_parts(heading: str, field: str) -> None:
    """Plurals, remarks in brackets, and several words for one thing with slashes between them do not matter."""
    known = meaning(heading)
    assert known and known[0] == field


@pytest.mark.parametrize(
    "heading",
    [
        "Assistant", "Email (private)", "Email (spouse)", "E-mail / Phone", "Name (assistant)", "Bcc", "Name / Email",
        "Invite (lunch only)", "Invited", "Country / Region", "M/F", "(Y/N)", "/", "Rank / Function",
    ],
)  # fmt: skip
def test_a_heading_that_may_mean_another_thing_is_not_guessed(heading: str) -> None:
    """Where a part of the heading is unknown, contradicts another, or makes it somebody else's, it means nothing."""
    assert meaning(heading) is None


@given(st.text(max_size=250))
def test_any_heading_has_a_meaning_or_none(heading: str) -> None:
    """Whatever stands in a header row, the question is answered, and by nothing that the reader does not know."""
    assert meaning(heading) is None or meaning(heading)[0] in _MEANINGS


def test_a_heading_as_it_is_goes_before_one_with_a_remark(table) -> None:
    """Of "Position (FR)" and "Position" the latter is read, wherever it stands."""
    contact = table(
        ["Mission", "Position (FR)", "Position", "Email"], ["Chile", "Conseiller", "Counsellor", "a@example.org"]
    ).only
    assert (contact.position, contact.extra) == ("Counsellor", {"position_fr": "Conseiller"})


def test_unknown_headings_are_named_for_templates() -> None:
    """A column without a meaning to us keeps its heading in lower_snake_case without accents."""
    assert meaning("Région d’intérêt") is None
    assert snake_case("Région d’intérêt (2024)") == "region_d_interet_2024"


def test_a_data_row_is_no_header() -> None:
    """Rows that hold values alone have no header among them."""
    assert header_row([(1, ["Ana", "MUESTRA", "ana@example.org"]), (2, ["Chile", "", ""])]) is None


def test_header_under_title_rows_and_merged_cells(xlsx, understand) -> None:
    """Title rows above the header are passed over, and the rows keep the numbers that the spreadsheet shows."""
    path = xlsx(Sheet=[["Invitation list 2024"], [], ["Confidential", None, "v2"], ["Mission", "Name", "Email"],
                       ["Chile", "Ana MUESTRA", "ana@example.org"]])  # fmt: skip
    contact = understand(path).only
    assert contact.place.row == 5
    assert contact.place.cell("address") == "C5"
    assert contact.place.columns["party"] == ("A", "Mission")


def test_unknown_columns_are_kept(table) -> None:
    """`extra` has a key for every unknown column, filled or not, and twins are told apart."""
    found = table(["Mission", "Email", "Table N°", "Diet", "Diet"], ["Chile", "ana@example.org", "5", "", "none"])
    assert found.only.extra == {"table_n": "5", "diet": "", "diet_2": "none"}


@pytest.mark.parametrize(
    ("value", "title", "position"), [("Mme", "Mme", ""), ("H.E. Mr.", "H.E. Mr.", ""), ("Director", "", "Director")]
)
def test_title_is_what_its_values_are(table, value: str, title: str, position: str) -> None:
    """A column "Title" holds Mr. and Ms., or functions, as its values say."""
    contact = table(
        ["Title", "Name", "Organisation", "Email"], [value, "Ana MUESTRA", "Sample Trust", "a@example.org"]
    ).only
    assert (contact.title, contact.position) == (title, position)


@pytest.mark.parametrize(("value", "title", "salutation"), [("Mr", "Mr.", ""), ("Excellency,", "", "Excellency,")])
def test_salutation_is_a_title_or_a_whole_line(table, value: str, title: str, salutation: str) -> None:
    """A column "Salutation" holds titles, or the line that replaces the usual one, as its values say."""
    contact = table(["Salutation", "Name", "Mission", "Email"], [value, "Ana MUESTRA", "Chile", "a@example.org"]).only
    assert (contact.title, contact.salutation) == (title, salutation)


def test_a_lone_nom_is_the_whole_name(table) -> None:
    """ "Nom" without "Prénom" may hold the whole name, so nothing calls it a family name."""
    contact = table(["Nom", "Pays", "Courriel"], ["Ana Muestra", "Chili", "a@example.org"]).only
    assert (contact.name, contact.last_name) == ("Ana Muestra", "")


def test_name_beside_first_name_is_the_family_name(table) -> None:
    """ "Name" beside "First name" is the family name where it does not repeat the given one."""
    contact = table(["First name", "Name", "Mission", "Email"], ["Ana", "Muestra", "Chile", "a@example.org"]).only
    assert (contact.first_name, contact.last_name, contact.name) == ("Ana", "Muestra", "Ana Muestra")


# --- the kind of party ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "header", "party", "kind"),
    [
        ("list.csv", ["Mission", "Email"], ["Chile"], PartyKind.MISSION),
        ("organisations.csv", ["Country", "Email"], ["Chile"], PartyKind.MISSION),
        ("missions.csv", ["Organisation", "Email"], ["Sample Trust"], PartyKind.ORGANISATION),
        ("missions.csv", ["Entity", "Email"], ["Chile"], PartyKind.MISSION),
        ("list.csv", ["Entity", "Email"], ["Sample Trust"], PartyKind.ORGANISATION),
        ("Missions 2024.csv", ["Party", "Email"], ["Chile"], PartyKind.MISSION),
        ("my ngos.csv", ["Party", "Email"], ["Sample Trust"], PartyKind.ORGANISATION),
    ],
)
def test_kind_of_party_by_heading_else_by_file(table, file, header, party, kind) -> None:
    """Mission and Country make missions, Organisation makes organisations; else the file's name says it."""
    contact = table(header, [*party, "a@example.org"], file=file).only
    assert (contact.party.name, contact.party.kind) == (party[0], kind)


def test_kind_of_party_by_its_own_column(table) -> None:
    """A column of kinds wins over all else, also where it is called Category."""
    header = ["Category", "Party", "Email"]
    found = table(header, ["NGO", "Sample Trust", "a@example.org"], ["Member State", "Chile", "b@example.org"])
    assert [(c.party.name, str(c.party.kind)) for c in found.contacts] == [
        ("Chile", "mission"),
        ("Sample Trust", "organisation"),
    ]
    assert not found.errors


@pytest.mark.parametrize("heading", ["Mission or organisation", "Mission or organization", "Mission/Organisation"])
def test_a_heading_of_both_kinds_holds_parties_or_their_kinds(table, heading) -> None:
    """It names the parties, beside which their kinds are asked for, unless each of its values is a kind."""
    found = table([heading, "Party", "Email"], ["mission", "Chile", "a@example.org"], ["NGO", "Trust", "b@example.org"])
    assert [(c.party.name, str(c.party.kind)) for c in found.contacts] == [
        ("Chile", "mission"),
        ("Trust", "organisation"),
    ]
    found = table([heading, "Category", "Email"], ["Chile", "mission", "a@example.org"])
    assert [(c.party.name, str(c.party.kind)) for c in found.contacts] == [("Chile", "mission")]
    error = table([heading, "Email"], ["Chile", "a@example.org"], ["Trust", "b@example.org"], file="guests.csv").error
    assert error.problem == "It is not clear whether the sheet holds missions or organisations"


def test_an_unknown_kind_is_an_error_in_its_cell(table) -> None:
    """A word that is no kind of party is shown, never taken for one."""
    error = table(["Party kind", "Mission", "Email"], ["friend", "Chile", "a@example.org"]).error
    assert (error.cell, error.value) == ("A2", "friend")


def test_without_a_sign_of_the_kind_the_sheet_is_refused(table) -> None:
    """Where neither column, heading nor file name tells the kind, one error says so."""
    error = table(["Party", "Email"], ["Chile", "a@example.org"], file="list.csv").error
    assert "missions or organisations" in error.problem
    assert error.cell is None


def test_country_beside_organisation_yields(table) -> None:
    """Beside Organisation, Country is only a further column."""
    contact = table(["Country", "Organisation", "Email"], ["Chile", "Sample Trust", "a@example.org"]).only
    assert (contact.party.name, contact.party.kind, contact.extra) == (
        "Sample Trust",
        PartyKind.ORGANISATION,
        {"country": "Chile"},
    )


def test_mission_and_organisation_in_one_list(table) -> None:
    """Beside each other, the filled one of Mission and Organisation is the party; both filled is an error."""
    found = table(
        ["Mission", "Organisation", "Email"],
        ["Chile", "", "a@example.org"],
        ["", "Sample Trust", "b@example.org"],
        ["Chile", "Sample Trust", "c@example.org"],
    )
    assert [str(c.party.kind) for c in found.contacts] == ["mission", "organisation"]
    assert found.error.row == 4


def test_missing_columns_are_named(table) -> None:
    """A sheet without addresses, or without parties, is one error that names the lack, what was seen and would do."""
    error = table(["Mission", "Name"], ["Chile", "Ana"]).error
    assert "e-mail" in error.problem
    assert error.cell is None
    error = table(["Kraj", "Name", "Email"], ["Chile", "Ana", "a@example.org"]).error
    assert "mission or organisation" in error.problem
    assert "“Kraj”, “Name”, “Email”" in error.problem
    assert "Country" in error.fix


def test_the_directory_of_missions(table) -> None:
    """The exports of the directory of missions are understood by their own headings."""
    found = table(
        ["MC_Entity", "MC_EntityLong", "MC_eMail", "MC_UNCorrespondenceLanguage", "MC_Category"],
        ["Chile", "Permanent Mission of Chile", "chile@example.org", "Spanish; English", "1"],
        ["Sample Union", "Observer of the Sample Union", "union@example.org", "French", "4"],
        file="export.csv",
    )
    assert not found.errors
    chile, union = found.contacts
    assert (chile.party.name, chile.language, str(chile.party.kind)) == ("Chile", "es", "mission")
    assert str(union.party.kind) == "organisation"
