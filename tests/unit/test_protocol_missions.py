"""The shipped directory of missions, and how names are found in it."""

import csv
from pathlib import Path

import pycountry
import pytest
from babel import Locale

from mailer.protocol import Directory, Mission

SHIPPED = Path(__file__).parents[2] / "templates" / "missions.csv"
HEADER = "code,state,formal_name,also_known_as,look_alikes,en,fr,es,ar\n"


@pytest.fixture(scope="module")
def directory() -> Directory:
    return Directory.load(SHIPPED)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with SHIPPED.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def code(mission: Mission | None) -> str | None:
    return mission.code if mission else None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Turkey", "TUR"), ("Czech Republic", "CZE"), ("Macedonia", "MKD"), ("FYROM", "MKD"), ("Swaziland", "SWZ"),
        ("Cape Verde", "CPV"), ("Ivory Coast", "CIV"), ("Vietnam", "VNM"), ("East Timor", "TLS"), ("Burma", "MMR"),
        ("South Korea", "KOR"), ("North Korea", "PRK"), ("Russia", "RUS"), ("Laos", "LAO"), ("Syria", "SYR"),
        ("Tanzania", "TZA"), ("Moldova", "MDA"), ("Brunei", "BRN"), ("Holland", "NLD"), ("Birmanie", "MMR"),
        ("Rusia", "RUS"), ("Turquie", "TUR"), ("Bielorrusia", "BLR"),
    ],
)  # fmt: skip
def test_old_and_common_names_lead_to_the_mission_of_today(directory: Directory, typed: str, expected: str) -> None:
    """Whoever still writes Turkey or Burma is understood."""
    assert code(directory.find(typed)) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Iran (Islamic Republic of)", "IRN"), ("Iran, Islamic Republic of", "IRN"), ("Bahamas (the)", "BHS"),
        ("NETHERLANDS  (Kingdom of the)", "NLD"), ("the Netherlands", "NLD"), ("Pays-Bas (les)", "NLD"),
        ("Côte d’Ivoire", "CIV"), ("cote d'ivoire", "CIV"), ("Korea, Republic of", "KOR"), ("Viet\u00a0Nam", "VNM"),
        ("Congo (Democratic Republic of the)", "COD"), ("Republic of Congo", "COG"), ("Republic of Guinea", "GIN"),
        ("La Gambie", "GMB"), ("l'Égypte", "EGY"), ("المملكة العربية السعودية", "SAU"), ("NA", "NAM"),
        ("Permanent Mission of Belgium", "BEL"), ("Mission of Belgium to the UN", "BEL"), ("Belgium Mission", "BEL"),
        ("Permanent Mission of Belgium to the United Nations in New York", "BEL"),
        ("Mission permanente de Belgique auprès des Nations Unies", "BEL"),
        ("Misión Permanente de Bélgica ante la ONU", "BEL"), ("US Mission to the UN", "USA"),
        ("Permanent Observer Mission of Palestine to the United Nations", "PSE"), ("Vatican", "VAT"), ("EU", "EU"),
        ("FRA", "FRA"), ("FR", "FRA"), ("fr", "FRA"), ("LA", "LAO"), ("GB", "GBR"), ("KR", "KOR"), ("COD", "COD"),
        ("Embassy of Canada", "CAN"), ("Ambassade du Canada", "CAN"), ("Mission du Canada", "CAN"),
        ("l'Ambassade de l'Égypte", "EGY"), ("Embajada del Perú", "PER"), ("Canadian Embassy", None),
        ("Embassy of the Federal Republic of Germany in Bern", "DEU"), ("Ambassade de France en Suisse", "FRA"),
        ("Ambassade de Suisse au Canada", "CHE"), ("Embassy of Sweden to Switzerland and Liechtenstein", "SWE"),
        ("Embajada del Perú ante la Confederación Suiza", "PER"), ("Embassy in Canada", None),
        ("Canada Embassy", "CAN"), ("High Commission of Canada", "CAN"), ("Délégation permanente du Canada", "CAN"),
        ("Permanent Delegation of Canada to the UN", "CAN"), ("Misión de Chile", "CHL"), ("Embassy", None),
        ("AU", None), ("the", None),
        ("Belgiun", None), ("", None), ("Permanent Mission", None), ("United Nations", None),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_dressed_and_never_by_likeness(
    directory: Directory, typed: str, expected: str | None
) -> None:
    """Articles, index forms, accents, "Permanent Mission of", city and host do not matter; a misspelling finds none."""
    assert code(directory.find(typed)) == expected


LOOK_ALIKES = [
    "Korea", "Congo", "Guinea", "Sudan", "Niger", "Nigeria", "Dominica", "Dominican Republic", "Austria", "Australia",
    "Slovakia", "Slovenia", "Samoa", "Ireland", "Corée", "Guinée", "Soudan", "Autriche", "Slovénie", "Irlande", "Corea",
    "Sudán", "Eslovaquia", "Níger", "كوريا", "السودان", "the Sudan", "CONGO (the)",
    "Permanent Mission of Korea to the United Nations", "Embassy of Ireland", "Embassy of Austria in Bern",
]  # fmt: skip


@pytest.mark.parametrize("typed", LOOK_ALIKES)
def test_look_alike_words_are_never_resolved(directory: Directory, typed: str) -> None:
    """A word that is easily taken for another state's finds no mission, but tells whose it may be."""
    assert directory.find(typed) is None
    assert directory.candidates(typed)


def test_a_look_alike_is_settled_by_its_full_names(directory: Directory, rows: list[dict[str, str]]) -> None:
    """Each state with a look-alike is found by its full mission name, and by a formal name that is not one itself."""
    doubtful = [row for row in rows if row["look_alikes"]]
    assert len(doubtful) >= 17
    for row in doubtful:
        assert code(directory.find(row["en"])) == row["code"]
        assert code(directory.find(row["formal_name"])) in (row["code"], None)
    assert {row["code"] for row in doubtful if not directory.find(row["formal_name"])} == {"AUS", "DOM", "IRL"}


def test_every_mission_is_found_by_all_its_own_names(directory: Directory, rows: list[dict[str, str]]) -> None:
    """What the file calls a mission, in any language, finds that mission and no other."""
    assert len(directory.missions) == len(rows) == 197
    for row in rows:
        own = [row["state"], row["formal_name"], *row["also_known_as"].split("|")]
        for name in (*(row[language] for language in ("en", "fr", "es", "ar")), *filter(None, own)):
            assert code(directory.find(name)) == row["code"] or directory.candidates(name), name


def test_names_as_the_world_writes_them_lead_to_the_right_state(directory: Directory) -> None:
    """No name in ISO 3166 or CLDR, in the four languages, leads to another state's mission."""
    locales = [Locale(language).territories for language in ("en", "fr", "es", "ar")]
    found = set()
    for country in pycountry.countries:
        names = [country.name, getattr(country, "official_name", ""), getattr(country, "common_name", "")]
        names += [territories.get(country.alpha_2, "") for territories in locales]
        for mission in filter(None, map(directory.find, filter(None, names))):
            assert mission.code == country.alpha_3
            found.add(mission.code)
    # All but the two that are no states, and Ireland, all of whose names are look-alikes.
    assert {m.code for m in directory.missions} - found == {"AU", "EU", "IRL"}


@pytest.mark.parametrize(
    ("state", "language", "expected"),
    [
        ("Netherlands", "en", "Permanent Mission of the Kingdom of the Netherlands to the United Nations"),
        ("United States", "en", "United States Mission to the United Nations"),
        ("Gambia", "en", "Permanent Mission of The Gambia to the United Nations"),
        ("Republic of the Niger", "en", "Permanent Mission of the Niger to the United Nations"),
        ("African Union", "en", "Permanent Observer Mission of the African Union to the United Nations"),
        ("European Union", "en", "Delegation of the European Union to the United Nations"),
        ("France", "fr", "Mission permanente de la France auprès de l'Organisation des Nations Unies"),
        ("Japan", "fr", "Mission permanente du Japon auprès de l'Organisation des Nations Unies"),
        ("UAE", "fr", "Mission permanente des Émirats arabes unis auprès de l'Organisation des Nations Unies"),
        ("India", "fr", "Mission permanente de l'Inde auprès de l'Organisation des Nations Unies"),
        ("Haiti", "fr", "Mission permanente d'Haïti auprès de l'Organisation des Nations Unies"),
        ("Bolivia", "fr", "Mission permanente de la Bolivie auprès de l'Organisation des Nations Unies"),
        ("Peru", "es", "Misión Permanente del Perú ante las Naciones Unidas"),
        ("El Salvador", "es", "Misión Permanente de El Salvador ante las Naciones Unidas"),
        ("UK", "es", "Misión Permanente del Reino Unido ante las Naciones Unidas"),
        ("Germany", "ar", "البعثة الدائمة لألمانيا لدى الأمم المتحدة"),
        ("Denmark", "ar", "البعثة الدائمة للدانمرك لدى الأمم المتحدة"),
        ("Lebanon", "ar", "البعثة الدائمة للبنان لدى الأمم المتحدة"),
        ("Japan", "ja", "Permanent Mission of Japan to the United Nations"),
    ],
)
def test_full_names_are_printed_as_stored(directory: Directory, state: str, language: str, expected: str) -> None:
    """The full name comes from the file in the reader's language, in English where there is none."""
    mission = directory.find(state)
    assert mission and mission.name(language) == expected


def test_the_shipped_names_keep_the_grammar_of_their_language(rows: list[dict[str, str]]) -> None:
    """No full name holds an index form, an article that should have contracted, or stray blanks."""
    for row in rows:
        assert "de le " not in row["fr"] and "de les " not in row["fr"] and "de l' " not in row["fr"]
        assert "de el " not in row["es"] and " del Salvador" not in row["es"]
        assert " لال" not in row["ar"] and "ـ" not in row["ar"]
        for text in row.values():
            assert text == " ".join(text.split())
        for language in ("en", "fr", "es", "ar"):
            assert row[language] and "(" not in row[language]


def test_mission_names_use_the_formal_or_the_short_name_as_counted(rows: list[dict[str, str]]) -> None:
    """Of the 195 states 98 use the formal name for their mission; in three of them that is the prose name too."""
    formal = [r["code"] for r in rows if r["formal_name"] in r["en"] and r["formal_name"] != r["state"]]
    assert len({*formal, "FSM", "IRN", "VEN"}) == 98


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"code,state\n", r"line 1: no column formal_name"),
        (b"", r"line 1: no column code"),
        ((HEADER + "ABC,Abc,,,,,,,\n").encode(), r"line 2: en is empty"),
        ((HEADER + "ABC,Abc,,,,Mission of Abc,,,\nABC,Abd,,,,Mission of Abd,,,\n").encode(), r"line 3: the code ABC"),
        ((HEADER + "ABC,Abc,,Old,,Mission of Abc,,,\nABD,Abd,,Old,,Mission of Abd,,,\n").encode(), r"line 3: 'Old' is"),
        ((HEADER + "ABC,Abc,,,,Mission of Abc, Ltd,,,\n").encode(), r"line 2: 10 cells under 9 headings"),
        ((HEADER + "ABC,Türk,,,,Mission,,,\n").encode("cp1252"), r"line 2: not UTF-8"),
    ],
)
def test_a_faulty_file_is_refused_with_line_and_reason(tmp_path: Path, content: bytes, message: str) -> None:
    """What staff mistyped is named with its line."""
    path = tmp_path / "missions.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Directory.load(path)


def test_the_file_may_be_saved_by_a_spreadsheet_program(tmp_path: Path) -> None:
    """Semicolons, CRLF and a byte order mark, as Excel writes them, are read; an empty cell falls back to English."""
    path = tmp_path / "missions.csv"
    path.write_bytes(
        ("\ufeff" + (HEADER + "ABC,Abc,,Old|Older,,Mission of Abc,,,\n").replace(",", ";"))
        .replace("\n", "\r\n")
        .encode()
    )
    directory = Directory.load(path)
    mission = directory.find("older")
    assert mission == Mission("ABC", "Abc", {"en": "Mission of Abc"})
    assert mission.name("fr") == "Mission of Abc"


def test_every_code_leads_to_its_own_mission_or_is_told_to_mean_two(directory: Directory) -> None:
    """ISO 3166's codes of two and three letters find their state, but AU: Australia's, and the African Union's name."""
    for mission in directory.missions:
        country = pycountry.countries.get(alpha_3=mission.code)
        for typed in {mission.code, country.alpha_2 if country else mission.code} - {"AU"}:
            assert directory.find(typed) is mission
    assert {mission.code for mission in directory.candidates("AU")} == {"AU", "AUS"}


def test_a_look_alike_names_each_mission_once(directory: Directory) -> None:
    """Two spellings of one word in a row do not make two candidates."""
    assert [mission.code for mission in directory.candidates("Nigeria")] == ["NER", "NGA"]


def test_a_code_may_not_be_the_name_of_another(tmp_path: Path) -> None:
    """A file in which a code means two missions is refused with its line."""
    path = tmp_path / "missions.csv"
    path.write_text(HEADER + "AAA,Aland,,BBB,,Mission of Aland,,,\nBBB,Bland,,,,Mission of Bland,,,\n", "utf-8")
    with pytest.raises(ValueError, match="line 3: 'BBB' is also a name of Aland"):
        Directory.load(path)
