"""What the cells of one row say about a person: cleaned, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.contacts.addresses import addresses
from mailer.contacts.cells import language, plain
from mailer.contacts.names import family_name_in_capitals, title_and_name
from mailer.contacts.titles import is_title_of_address, title_of_address
from mailer.model import Rule, Standing


def test_a_clean_row_is_a_contact_as_typed(row) -> None:
    """A row in order gives its contact and no problem."""
    found = row()
    assert not found.warnings
    contact = found.only
    assert (contact.title, contact.first_name, contact.last_name, contact.name) == (
        "Ms.",
        "Ana",
        "MUESTRA",
        "Ana MUESTRA",
    )
    assert (contact.rank, contact.position, contact.language) == ("Counsellor", "Deputy", "es")
    assert (str(contact.address), contact.party.name) == ("ana@chile.example.org", "Chile")
    assert (contact.status, contact.rule, contact.extra) == (Standing.ACTIVE, None, {})


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["McMuestra", "van der Muestra", "de la Muestra", "al-Muestra", "bin Muestra", "O’MUESTRA"]
)
def test_names_are_kept_as_typed(row, name: str) -> None:
    """No name changes its case."""
    assert row(**{"Last name": name}).only.last_name == name


@pytest.mark.parametrize(
    ("typed", "title", "name"),
    [
        ("H.E. Mr. Juan Muestra", "H.E. Mr.", "Juan Muestra"),
        ("H. E. Mr Juan Muestra", "H.E. Mr.", "Juan Muestra"),
        ("H.E.Ms. Ana Muestra", "H.E. Ms.", "Ana Muestra"),
        ("HE Mr Juan Muestra", "H.E. Mr.", "Juan Muestra"),
        ("H.E. Ana Muestra", "H.E.", "Ana Muestra"),
        ("His Excellency Mr. Juan Muestra", "His Excellency Mr.", "Juan Muestra"),
        ("Hanahara Yuki (Ms)", "Ms.", "Hanahara Yuki"),
        ("Lam Chor Chiu, Evageline (Ms)", "Ms.", "Lam Chor Chiu, Evageline"),
        ("Dr Ana Muestra", "Dr.", "Ana Muestra"),
        ("S.E. M. Jean Exemple", "S.E. M.", "Jean Exemple"),
        ("S.E. Mme Jeanne Exemple", "S.E. Mme", "Jeanne Exemple"),
        ("Excma. Sra. Ana Muestra", "Excma. Sra.", "Ana Muestra"),
        ("Mme Jeanne Exemple", "Mme", "Jeanne Exemple"),
        ("Ambassador Ana Muestra", "Ambassador", "Ana Muestra"),
        ("Col. John Sample", "Col.", "John Sample"),
        ("سعادة السفيرة نموذج", "سعادة السفيرة", "نموذج"),
    ],
)
def test_honorifics_move_to_the_title(row, typed: str, title: str, name: str) -> None:
    """A title in the name's cell is taken out of the name, with a warning."""
    found = row(**{"First name": "", "Last name": "", "Title": "", "Rank": ""}, name=typed)
    assert "Title" in found.warning.fix
    assert (found.only.title, found.only.name) == (title, name)


@pytest.mark.parametrize(
    "name",
    ["He Wei", "Se Ri Sample", "M. Sample", "S. E. Sample", "H. E. Sample", "Don Sample", "Major Sample", "Drew Sample",
     "Mariam Sample", "Ana (Anita) Sample", "Nan Sample", "Na Sample", "Vacante Sample", "Nan-Hee Kim", "Li NAN",
     "Fernanda Hernandez", "Christopher Null", "Malcolm X", "T.B.A. Sample", "HE Jianguo"],
)  # fmt: skip
def test_names_that_look_like_something_else_stay(row, name: str) -> None:
    """Words and initials that may be part of a name are left in it, in a sheet and in a form."""
    found = row(**{"First name": "", "Last name": "", "Rank": ""}, name=name)
    assert (found.only.name, found.warnings) == (name, [])
    assert title_and_name(name) == ("", name)


@pytest.mark.parametrize("name", ["nan", "NaN", "TBC", "tbd", "T.B.C.", "vacant", "Vacant", "N/A", "n.a.", "unknown",
                                  "To be confirmed", "undefined", "[object Object]", "-", "?", "123", "Mr.", "X", "xx",
                                  "Vacant (recruitment under way)", "(vacant)", "Vacante", "poste vacant", "Mr. none",
                                  "\uff4e\uff41\uff4e", "Ana nan", "Ana nan MUESTRA", "Ana MUESTRA (TBC)",
                                  "ana@example.org", "Ana ana@example.org", "none.", "null!",
                                  "Not known."])  # fmt: skip
def test_what_is_no_name_is_refused(row, name: str) -> None:
    """Placeholders, bare titles and addresses in place of a name are errors in their cell."""
    error = row(**{"First name": "", "Last name": ""}, name=name).error
    assert (error.column, error.value) == ("Name", name)


@pytest.mark.parametrize(
    ("cells", "also"),
    [
        ({"Title": "", "Rank": ""}, ": the row is then a mailbox."),
        ({"Title": ""}, ", and rank too: the row is then a mailbox."),
        ({}, ", and title and rank too: the row is then a mailbox."),
        ({"First name": "Ana"}, "."),
    ],
)
def test_what_to_empty_where_nobody_is_named_is_told_at_once(row, cells: dict[str, str], also: str) -> None:
    """A title or a rank alone is the next error; beside half a name, nothing else is to be emptied."""
    error = row(**{"First name": "", "Last name": "TBC"} | cells).error
    assert error.fix == f"Write the name, or empty the cell{also}"


@pytest.mark.parametrize("part", ["First name", "Last name"])
def test_a_placeholder_beside_a_name_is_refused(row, part: str) -> None:
    """`Dear nan` cannot come about: half a name that is none is an error too."""
    assert row(**{part: "nan"}).error.column == part


@pytest.mark.parametrize(("typed", "meant"), [("AndrÃ©", "André"), ("JoÃ£o", "João"), ("PeÃ±a", "Peña")])
def test_garbled_letters_are_warned_of(row, typed: str, meant: str) -> None:
    """Nobody reads "Dear Ms. PeÃ±a"; what was right is not doubted."""
    warning = row(**{"Last name": typed}).warning
    assert warning.cell and meant in warning.problem
    assert row(**{"Last name": meant}).warnings == []
    assert row(**{"Last name": "Ångström-São"}).warnings == []


def test_people_called_nan_or_null_are_people(row) -> None:
    """Given name Nan or Na, and family name Null, Na, Vacante or X, pass where the other part is given."""
    for first in ("Nan", "Na"):
        assert row(**{"First name": first}).only.name == f"{first} MUESTRA"
    for last in ("Null", "Na", "Vacante", "X"):
        assert row(**{"Last name": last}).only.name == f"Ana {last}"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (" H.E. Ms  Ana MUESTRA ", ("H.E. Ms.", "Ana MUESTRA")), ("Ana (Dr)", ("Dr.", "Ana")), ("Ana", ("", "Ana")),
        ("", ("", "")), ("Mr.", ("", "")), ("n/a", ("", "")), ("Ms TBC", ("", "")), ("ana@example.org", ("", "")),
    ],
)  # fmt: skip
def test_a_name_out_of_a_form_is_cleaned_as_in_a_sheet(typed: str, found: tuple[str, str]) -> None:
    """The title apart; where nobody can be called by it, no name at all."""
    assert title_and_name(typed) == found


def test_title_and_name_may_add_up_but_not_contradict(row) -> None:
    """H.E. before the name joins Mr. in the title's cell; Mr. against Ms. is an error."""
    assert row(Title="Ms.", Rank="", **{"First name": "H.E. Ana"}).only.title == "H.E. Ms."
    assert row(Title="Ms.", Rank="", **{"First name": "Ms Ana"}).only.title == "Ms."
    assert row(Title="Mr.", Rank="", **{"First name": "Ms Ana"}).error.cell == "B2"


@pytest.mark.parametrize("title", ["Rabbi", "Mister", "Director"])
def test_a_title_is_taken_as_it_stands(row, title: str) -> None:
    """Whether it is one is for the form of address to say, which knows what is printed of it."""
    found = row(Title="", honorific=title, Rank="")
    assert (found.only.title, found.warnings) == (title, [])


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Ana MUESTRA", "MUESTRA"), ("MUESTRA Ana", "MUESTRA"), ("Ana de la MUESTRA", "de la MUESTRA"),
        ("Ana MUESTRA MODELO", "MUESTRA MODELO"), ("Ana McMUESTRA", "McMUESTRA"), ("Ali al-MUESTRA", "al-MUESTRA"),
        ("Ana Muestra", ""), ("ANA MUESTRA", ""), ("JP Muestra", ""), ("J.R.R. Muestra", ""), ("ANA Muestra LOPEZ", ""),
        ("MUESTRA", ""), ("نموذج", ""),
    ],
)  # fmt: skip
def test_capitals_mark_the_family_name(row, name: str, family: str) -> None:
    """A family name in capitals is known as such, spelled as typed; no other full name is split."""
    assert family_name_in_capitals(name) == family
    assert row(**{"First name": "", "Last name": ""}, name=name).only.last_name == family


def test_no_name_is_a_mailbox(row) -> None:
    """A row with party and address alone is a mailbox, not an error."""
    assert row(**{"First name": "", "Last name": "", "Title": "", "Rank": "", "Position": ""}).only.is_mailbox


@pytest.mark.parametrize(
    ("typed", "title"),
    [("MR", "Mr."), ("mr.", "Mr."), ("Mrs.", "Mrs."), ("mrs", "Mrs."), ("MME", "Mme"), ("Sra", "Sra."), ("H.E", "H.E."),
     ("H.E. Mr", "H.E. Mr."), ("prof dr", "Prof. Dr."), ("Colonel", "Colonel"), ("Her Excellency Ms",
     "Her Excellency Ms.")],
)  # fmt: skip
def test_titles_have_one_spelling(typed: str, title: str) -> None:
    """Short titles are spelled one way; written-out ones stay as typed; Mrs. stays Mrs."""
    assert (title_of_address(typed), is_title_of_address(typed)) == (title, True)


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["ana@example.org", " ana@example.org\u00a0", "\u200bana@example.org\ufeff", "ana＠example.org",
     "ａｎａ@example.org",
     "mailto:ana@example.org", "Ana <mailto:ana@example.org>", "ana@example.org <ana@example.org>",
     "MAILTO:ana@example.org?subject=Hi", "Ana Muestra <ana@example.org>",
     "<ana@example.org>",
     '"Muestra, Ana" <ana@example.org>', "ana@example.org;", "ana@EXAMPLE.org", "ana@example.org, ana@example.org",
     "Ana (ana@example.org)", "ana@example.org."],
)  # fmt: skip
def test_what_surrounds_an_address_is_cleaned_away(row, typed: str) -> None:
    """Blanks of all kinds, full-width signs, mailto: and display names go without a word."""
    found = row(Email=typed)
    assert not found.warnings
    assert str(found.only.address) == "ana@example.org"


@pytest.mark.parametrize("between", [";", ",", " / ", "\n", "; ", " | ", " or ", "\r\n", " "])
def test_several_addresses_are_one_to_and_copies(row, between: str) -> None:
    """The first address is written to, the rest get copies, and a warning says so."""
    found = row(Email=f"ana@example.org{between}office@example.org", Cc="ana@example.org; desk@example.org")
    assert str(found.only.address) == "ana@example.org"
    assert list(map(str, found.only.cc)) == ["office@example.org", "desk@example.org"]
    assert "office@example.org" in found.warning.problem


def test_a_second_column_of_addresses_gets_copies(table) -> None:
    """Email 2 is copied like Cc."""
    contact = table(["Mission", "Email", "Email 2"], ["Chile", "a@example.org", "b@example.org"]).only
    assert list(map(str, contact.cc)) == ["b@example.org"]


def test_a_remark_beside_an_address_is_left_out(row) -> None:
    """A comment in brackets goes, with a warning that quotes it."""
    found = row(Email="ana@example.org (until June)")
    assert "until June" in found.warning.problem
    assert str(found.only.address) == "ana@example.org"


@pytest.mark.parametrize("address", ["žofie@example.org", "ana@bücher.example.org", "用户@例え.jp"])
def test_international_addresses_are_kept(row, address: str) -> None:
    """Addresses beyond ASCII, in either part, are addresses."""
    assert str(row(Email=address).only.address) == address


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "missing"), ("ana", "no @"), ("9.77E+15", "number"), ("+1 212 555 0100", "number"),
        ("ana @example.org", ""), ("ana muestra@example.org", ""), ("ana@@example.org", "more than one"),
        ("ana@example", ""), ("ana@exa mple.org", ""), ("see above", "no @"), ("ana@example..org", ""),
        ("ana@example.org; tbc", "no @"), ("=cmd|'/c calc'!A1", "no @"), ("()", "missing"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_shown_and_not_mended(row, typed: str, reason: str) -> None:
    """A cell that is not wholly addresses is an error with its value and a reason."""
    found = row(Email=typed)
    assert not found.contacts
    assert all(error.cell == "G2" and error.value == typed for error in found.errors)
    assert any(reason in error.problem for error in found.errors)


@pytest.mark.parametrize(
    "typed", ["n/a", "N/A", "none", "-", "tbc", "Unknown", "no email", "No e-mail address yet", "pas d’adresse", "?"]
)
def test_words_for_no_address_are_one_error(row, typed: str) -> None:
    """Whatever signs in them part addresses elsewhere; in the place of a copy too."""
    assert row(Email=typed).error.problem == "The e-mail address is missing"
    assert row(Cc=typed).error.problem == "The cell holds no e-mail address"


@given(st.lists(st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example\.org", fullmatch=True), min_size=1, unique=True))
def test_any_list_of_addresses_comes_back_in_order(parts: list[str]) -> None:
    """Whatever divides them, all addresses of a cell are found, in their order."""
    for between in (";", ",\n", " / ", " | "):
        found = addresses(between.join(parts))
        assert list(map(str, found.addresses)) == parts
        assert not found.wrong


@given(st.text(max_size=60))
def test_no_cell_breaks_the_reader_of_addresses(text: str) -> None:
    """Any text gives addresses, or reasons why not; an address never holds blanks or control characters."""
    found = addresses(text)
    assert all(not c.isspace() and c.isprintable() for address in found.addresses for c in str(address))


# --- other cells ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("English", "en"), ("french", "fr"), ("FR", "fr"), ("Français", "fr"), ("francais", "fr"), ("Español", "es"),
        ("العربية", "ar"), ("Arabe", "ar"), ("spa", "es"), ("fre", "fr"), ("fra", "fr"), ("pt-BR", "pt"),
        ("en_GB", "en"),
        ("English/French", "en"), ("French; English", "fr"), ("English\\French", "en"), ("Spanish, English", "es"),
        ("French - English", "fr"), ("Español – inglés", "es"), ("fr-CA", "fr"),
        ("French and English", "fr"), ("Inglés", "en"), ("Русский", "ru"), ("German", "de"),
    ],
)  # fmt: skip
def test_languages_by_name_and_code(typed: str, code: str) -> None:
    """Languages are known by name in several languages and by ISO code; of several the first counts."""
    assert language(typed) == code


@pytest.mark.parametrize(
    ("column", "value"),
    [("Language", "Klingon"), ("Language", "??"), ("Status", "retired"), ("Status", "-"), ("Rule", "whoever"),
     ("Do not contact", "perhaps"), ("Do not contact", "✗")],
)  # fmt: skip
def test_unknown_words_are_errors_in_their_cell(row, column: str, value: str) -> None:
    """A word that a fixed column does not know is shown, never ignored."""
    error = row(**{column: value}).error
    assert (error.column, error.value) == (column, value)


@pytest.mark.parametrize(
    ("typed", "rule"),
    [("personal", Rule.PERSONAL), ("Plus one", Rule.PLUS_ONE), ("+1", Rule.PLUS_ONE),
     ("one_per_party", Rule.ONE_PER_PARTY),
     ("Non-transferable", Rule.PERSONAL), ("regrets only", Rule.REGRETS_ONLY), ("", None)],
)  # fmt: skip
def test_rules(row, typed: str, rule: Rule | None) -> None:
    """A row may have its own rule."""
    assert row(rule=typed).only.rule is rule


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        ({"Status": "Active"}, Standing.ACTIVE), ({"Status": "Do not contact"}, Standing.DO_NOT_CONTACT),
        ({"Status": "DO-NOT-CONTACT"}, Standing.DO_NOT_CONTACT), ({"Status": "left"}, Standing.LEFT),
        ({"Do not contact": "yes"}, Standing.DO_NOT_CONTACT), ({"Do not contact": "x"}, Standing.DO_NOT_CONTACT),
        ({"Do not contact": "no"}, Standing.ACTIVE), ({"Do not contact": "Oui"}, Standing.DO_NOT_CONTACT),
        ({"Do not contact": "yes", "Status": "left"}, Standing.LEFT),
    ],
)  # fmt: skip
def test_standing(row, cells: dict[str, str], status: Standing) -> None:
    """Status, and a column of crosses, say who may be written to."""
    assert row(**cells).only.status is status


def test_a_row_nobody_is_written_to_by_has_only_warnings(row) -> None:
    """In a row of somebody who has left, a vacant name or an old contradiction does not stop the others."""
    found = row(Status="left", **{"Last name": "vacant", "Language": "Klingon"})
    assert found.only.status is Standing.LEFT
    assert len(found.warnings) == 2


def test_do_not_contact_without_an_address_holds_nobody_back(row) -> None:
    """Such a row is a warning; with a mistyped address it is an error, as the wish could not be kept."""
    assert "held back" in row(Status="do not contact", Email="").warning.problem
    assert row(Status="do not contact", Email="ana@").error.cell == "G2"


@pytest.mark.parametrize(
    ("word", "standing"),
    [
        ("actif", Standing.ACTIVE),
        ("Ne plus contacter", Standing.DO_NOT_CONTACT),
        ("no contactar", Standing.DO_NOT_CONTACT),
        ("a quitté le poste", Standing.LEFT),
    ],
)
def test_the_status_may_stand_in_french_or_spanish(row, word: str, standing: Standing) -> None:
    """As the heading over it may."""
    assert row(Status=word).only.status is standing


def test_overrides(row) -> None:
    """A row's own salutation, address name and attachment are kept as they are."""
    contact = row(salutation_line="Dear friend,", address_name="Ana M.", attachment="seat.pdf").only
    assert (contact.salutation, contact.address_name, contact.attachment) == ("Dear friend,", "Ana M.", "seat.pdf")


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000", "\t", "\n", "  ", "\u200b ", "\u202f"])
def test_white_space_of_all_kinds_is_one_blank(row, space: str) -> None:
    """Runs of any white space in a name are one blank, and none is at its ends."""
    assert row(**{"First name": f"{space}Ana{space}Sofía{space}"}).only.first_name == "Ana Sofía"


@given(st.text(max_size=40))
def test_plain_text_has_no_white_space_but_single_blanks(text: str) -> None:
    """Cleaning is done once: a cleaned cell is clean."""
    cleaned = plain(text)
    assert plain(cleaned) == cleaned
    assert cleaned.split() == cleaned.split(" ") or not cleaned


@pytest.mark.parametrize("sign", ["\x07", "\x1b", "\x7f", "\x1c"])
def test_control_characters_are_errors(row, sign: str) -> None:
    """A control character in any used cell is an error there."""
    error = row(Position=f"Dep{sign}uty").error
    assert error.cell == "D2"
    assert "control" in error.problem


def test_a_flood_in_a_cell_is_an_error(row) -> None:
    """A name or function of more than 1,000 characters is refused; notes may be long."""
    assert row(Position="x" * 1001).error.cell == "D2"
    assert len(row(notes="x" * 5000).only.extra["notes"]) == 5000


def test_na_is_namibia(table) -> None:
    """ "NA" and "None" are values like others, in every column."""
    contact = table(["Mission", "Email", "Code"], ["NA", "a@example.org", "NA"]).only
    assert (contact.party.name, contact.extra) == ("NA", {"code": "NA"})


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#NAME?", "Err:508"])
def test_error_values_as_text_are_errors(row, value: str) -> None:
    """The text that an error value leaves in a text file is an error wherever a column is used."""
    assert row(notes=value).error.column == "Notes"


def test_all_problems_of_a_row_are_told_at_once(row) -> None:
    """One pass shows every error of a row."""
    found = row(Email="ana@", Mission="", Language="Klingon", Status="gone", **{"Last name": "TBC"})
    assert {error.column for error in found.errors} == {"Email", "Mission", "Language", "Status", "Last name"}


@pytest.mark.parametrize(
    "typed", [".ana@example.org", "\ufb00@example.org", "ana\u00b2@example.org", "<.ana@example.org>"]
)
def test_the_part_before_the_at_is_never_changed(row, typed: str) -> None:
    """A leading full stop, a ligature or a raised figure is an error: what it stands for would be a guess."""
    assert "is not an e-mail address" in row(Email=typed).error.problem


@pytest.mark.parametrize("party", ["nan", "NULL", "TBC", "n/a", "?", "undefined"])
def test_a_party_that_is_none_is_refused(row, party: str) -> None:
    """What programs and people write where there is no name is not printed as the name of a mission."""
    error = row(Mission=party).error
    assert (error.column, error.problem) == ("Mission", f"{party!r} names no mission")


@pytest.mark.parametrize("name", ["=A1", "+Ana", "-Ana", "Ana <b>", "Ana > Eva"])
def test_a_name_like_code_is_printed_with_a_warning(row, name: str) -> None:
    """Nobody's name begins like a formula or holds angle brackets, but it is for staff to say."""
    found = row(**{"First name": name})
    assert found.only.first_name == name
    assert "looks like a formula or markup" in found.warning.problem


def test_an_empty_party_may_be_a_merged_cell(row) -> None:
    """The fix tells what happened where a mission seems to stand there."""
    assert "where cells are merged" in row(Mission="").error.fix
