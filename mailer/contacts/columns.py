"""Which column of a sheet is which field of a contact: by its heading, in doubt by its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailer.contacts.cells import party_kind, plain
from mailer.contacts.headings import meaning, snake_case, word_for_yes
from mailer.contacts.rows import letters
from mailer.contacts.titles import is_title_of_address
from mailer.model import PartyKind, fold

# What a column may give that is read from one cell.
ONE_CELL = (
    "title", "first_name", "last_name", "name", "position", "rank", "language", "rule", "status", "salutation",
    "address_name", "attachment", "kind",
)  # fmt: skip
MISSING = -1  # the empty cell that readers put after each row's last


@dataclass(frozen=True, slots=True)
class Columns:
    """The plan of one sheet, made once for all its rows.

    `at` gives for each of `ONE_CELL` its 0-based column, or `MISSING`. The first of `address` is written to, the others
    get copies, like those of `cc`. `party` holds the columns that may name the party, in order, and the kind of party
    that each of them means (None: a column must say). `barring` holds the columns of yes and no that say who is not to
    be written to, whether each asks whom to invite instead ("Invite?"), and the yes that its heading names. `extra`
    pairs names for templates with columns. `places` is what `model.Place` shares among the rows.
    """

    headings: tuple[str, ...]
    at: Mapping[str, int]
    address: tuple[int, ...]
    cc: tuple[int, ...]
    party: tuple[tuple[int, PartyKind | None], ...]
    barring: tuple[tuple[int, bool, str], ...]
    extra: tuple[tuple[str, int], ...]
    places: Mapping[str, tuple[str, str]]

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """What every sheet must have and this one has not, each with headings that would do, in words for people."""
        lacks = (
            ("the e-mail address", "Email, E-mail address, Courriel or Correo electrónico", self.address),
            ("the mission or organisation", "Mission, Country, Delegation, Organisation, NGO or Pays", self.party),
        )
        return tuple((what, headings) for what, headings, columns in lacks if not columns)

    @property
    def fields(self) -> dict[int, str]:
        """What the columns that are read give, as `contacts --json` calls it, from left to right."""
        fields = {column: name for name, column in self.at.items() if column != MISSING}
        fields |= dict.fromkeys(self.address[:1], "email") | dict.fromkeys((*self.address[1:], *self.cc), "cc")
        fields |= {column: "party" for column, _ in self.party} | {column: "status" for column, *_ in self.barring}
        if self.at["kind"] != MISSING:
            fields[self.at["kind"]] = "party_kind"
        return dict(sorted(fields.items()))

    @property
    def kind_unknown(self) -> bool:
        """Whether nothing says if the sheet holds missions or organisations."""
        return self.at["kind"] == MISSING and any(means is None for _, means in self.party)

    def holds(self, kind: PartyKind) -> bool:
        """Whether rows of this kind may stand in the sheet."""
        return self.at["kind"] != MISSING or kind in (means for _, means in self.party)


def plan(headings: Sequence[str], sample: Sequence[Sequence[str]], file: str) -> Columns:
    """The plan of a sheet from its header as it was typed, some of its rows, and the name of its file."""
    found: dict[str, list[int]] = {}
    order: dict[int, int] = {}
    for column, heading in enumerate(headings):
        if heading and (known := meaning(heading)):
            found.setdefault(known[0], []).append(column)
            order[column] = known[1]
    headings = tuple(map(plain, headings))
    for columns in found.values():
        columns.sort(key=lambda column: (order[column], column))
    _settle_titles(found, sample)
    _settle_names(found, sample)
    _settle_kind(found, sample)

    at = {field: found.get(field, [MISSING])[0] for field in ONE_CELL}
    address = tuple(sorted(found.get("address", []))) + tuple(found.get("other_address", []))
    cc = tuple(found.get("cc", []))
    party = _party_columns(found, file, kind_column=at["kind"] != MISSING)
    barring = tuple(
        (column, name == "opt_in", word_for_yes(headings[column]))
        for name in ("opt_out", "opt_in")
        for column in found.get(name, [])
    )
    used = {*at.values(), *address, *cc, *(column for column, _ in party), *(column for column, *_ in barring)}
    places = {field: column for field, column in at.items() if column != MISSING}
    places |= {name: columns[0] for name, columns in (("address", address), ("cc", cc)) if columns}
    if party:
        places["party"] = party[0][0]
    return Columns(
        headings, at, address, cc, party, barring, _extra(headings, used),
        {field: (letters(column), headings[column]) for field, column in places.items()},
    )  # fmt: skip


def _values(sample: Sequence[Sequence[str]], column: int) -> list[str]:
    return [row[column] for row in sample if column < len(row) and row[column]]


def _mostly_titles(sample: Sequence[Sequence[str]], column: int, *, if_empty: bool) -> bool:
    values = _values(sample, column)
    return 2 * sum(is_title_of_address(value) for value in values) >= len(values) if values else if_empty


def _settle_titles(found: dict[str, list[int]], sample: Sequence[Sequence[str]]) -> None:
    """ "Title" is the title of address or the function; "Salutation" is that title or a whole salutation."""
    for column in found.pop("line", []):
        titles = _mostly_titles(sample, column, if_empty=False)
        found.setdefault("title" if titles else "salutation", []).append(column)
    for column in found.pop("job", []):
        titles = _mostly_titles(sample, column, if_empty="title" not in found)
        found.setdefault("title" if titles else "position", []).append(column)


def _settle_names(found: dict[str, list[int]], sample: Sequence[Sequence[str]]) -> None:
    """A lone "Nom" or "Nombre" holds the whole name; "Name" beside "First name" may hold the family name alone."""
    first, last, whole = (found.get(field) for field in ("first_name", "last_name", "name"))
    if whole and first and not last:
        pairs = [(row[first[0]], row[whole[0]]) for row in sample if len(row) > max(first[0], whole[0])]
        pairs = [(given, name) for given, name in pairs if given and name]
        if pairs and 2 * sum(fold(given) in fold(name) for given, name in pairs) < len(pairs):
            found["last_name"] = found.pop("name")
    elif not whole and bool(first) != bool(last):
        found["name"] = found.pop("first_name", []) or found.pop("last_name", [])


def _settle_kind(found: dict[str, list[int]], sample: Sequence[Sequence[str]]) -> None:
    """A column such as "Category" or "Mission or organisation" tells the kind where each value is the name of one."""
    for column in [*found.pop("group", []), *(parties := found.pop("party", []))]:
        values = _values(sample, column)
        if "kind" not in found and values and all(party_kind(value) for value in values):
            found["kind"] = [column]
    if named := [column for column in parties if column not in found.get("kind", [])]:
        found["party"] = named


def _party_columns(
    found: dict[str, list[int]], file: str, *, kind_column: bool
) -> tuple[tuple[int, PartyKind | None], ...]:
    kinds = {
        "organisation": PartyKind.ORGANISATION,
        "entity": _kind_in_name(file) or PartyKind.ORGANISATION,
        "mission": PartyKind.MISSION,
        "country": PartyKind.MISSION,
        "party": _kind_in_name(file),
    }
    present = [name for name in kinds if name in found]
    organisations = [name for name in present if kinds[name] is PartyKind.ORGANISATION]
    missions = [name for name in present if kinds[name] is PartyKind.MISSION]
    if organisations and not kind_column and "country" in missions:
        missions.remove("country")
    chosen = organisations[:1] + missions[:1] or present[:1]
    return tuple((found[name][0], kinds[name]) for name in chosen)


def _kind_in_name(file: str) -> PartyKind | None:
    name = fold(file)
    mission = "mission" in name or "mision" in name
    organisation = any(word in name for word in ("organisation", "organization", "organizacion", "ngo", "ong"))
    return None if mission is organisation else PartyKind.MISSION if mission else PartyKind.ORGANISATION


def _extra(headings: Sequence[str], used: set[int]) -> tuple[tuple[str, int], ...]:
    extra: dict[str, int] = {}
    for column, heading in enumerate(headings):
        name = snake_case(heading)
        if name and column not in used:
            number = 1 + sum(known == name or known.startswith(f"{name}_") for known in extra)
            extra.setdefault(name if name not in extra else f"{name}_{number}", column)
    return tuple(extra.items())
