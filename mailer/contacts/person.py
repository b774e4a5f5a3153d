"""One row of a sheet -> one Contact, and what is wrong with the row, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from mailer.contacts import cells as words
from mailer.contacts.addresses import addresses, says_none
from mailer.contacts.columns import Columns
from mailer.contacts.names import (
    family_name_in_capitals,
    is_ordinary,
    looks_like_code,
    without_honorific,
)
from mailer.contacts.rows import letters
from mailer.contacts.titles import merged, title_of_address
from mailer.errors import Problem, Severity, SheetRow
from mailer.model import Address, Contact, Party, PartyKind, Place, Rule, Standing
from mailer.model.nobody import is_no_name, is_nobody

_NAMES = ("name", "first_name", "last_name")
_SHORT = ("title", "first_name", "last_name", "name", "position", "rank", "salutation", "address_name")
# Words that stand for nobody and yet are names of people, where the other part of the name is given.
_NAMES_ALL_THE_SAME = {
    *(("first_name", name) for name in ("Nan", "Na")),
    *(("last_name", name) for name in ("Null", "Na", "Vacante", "X")),
}
_NO_EXTRA: Mapping[str, str] = {}


class Doubt(Protocol):
    """What is wrong with the contact's `field`, and what to do about it."""

    @property
    def field(self) -> str: ...

    @property
    def problem(self) -> str: ...

    @property
    def fix(self) -> str: ...


# Of title, rank and position: what these disagree about, None where they agree.
Judge = Callable[[str, str, str], Doubt | None]


@dataclass(slots=True)
class Row:
    """A row in hand: `cells` are clean and end with an empty one (see `columns.MISSING`), `raw` are as they came."""

    place: Place
    columns: Columns
    raw: Sequence[str]
    cells: Sequence[str]
    problems: list[Problem] = field(default_factory=list)
    failed: bool = False

    def say(
        self, column: int, problem: str, fix: str, severity: Severity = "error", other: SheetRow | None = None
    ) -> None:
        """Note a problem of the cell in the 0-based `column`; `other` is the row that has part in it."""
        known = 0 <= column < len(self.columns.headings)
        self.problems.append(
            Problem(
                problem,
                fix,
                severity,
                self.place.file,
                self.place.sheet,
                f"{letters(column)}{self.place.row}" if column >= 0 else None,
                self.place.row,
                self.columns.headings[column] or None if known else None,
                self.raw[column] if 0 <= column < len(self.raw) else None,
                other,
            )
        )
        self.failed = self.failed or severity == "error"

    def at(self, name: str) -> str:
        return self.cells[self.columns.at[name]]


def contact(row: Row, kind: PartyKind | None, judge: Judge | None = None) -> Contact | None:
    """The contact that the row says, None if an error stands in it; `row.problems` then tells all of them.

    A row whose status is not active keeps only the errors of its address and party: nobody will be written to by it,
    so what else is wrong with it is a warning. In a row with an error, which no form of address is asked for, `judge`
    says whether title, rank and position agree.
    """
    columns, cells = row.columns, row.cells
    status = _standing(row)
    party = _party_of(row, kind)
    address, cc = _addresses(row, status)
    blocking = row.failed
    title, first, last, name = _names(row)
    language = _language(row)
    rule = _rule(row)
    if row.failed and not blocking and status not in (None, Standing.ACTIVE):
        row.problems = [replace(problem, severity="warning") for problem in row.problems]
        row.failed = False
    at = columns.at
    rank, position, salutation = cells[at["rank"]], cells[at["position"]], cells[at["salutation"]]
    is_asked = row.failed and not salutation and status is Standing.ACTIVE
    if is_asked and judge and (doubt := judge(title, rank, position)):
        row.say(at[doubt.field], doubt.problem, doubt.fix)
    if row.failed or party is None or address is None or status is None:
        return None
    return Contact(
        row.place,
        party,
        address,
        cc,
        title,
        first,
        last,
        name,
        position,
        rank,
        language,
        rule,
        status,
        salutation,
        cells[at["address_name"]],
        cells[at["attachment"]],
        {key: cells[column] for key, column in columns.extra} if columns.extra else _NO_EXTRA,
    )


# --- standing, party, language, rule ----------------------------------------------------------------------------------


def _standing(row: Row) -> Standing | None:
    text = row.at("status")
    status = words.standing(text)
    if status is None:
        row.say(
            row.columns.at["status"], "The status is not known", "Write active, do not contact or left, or nothing."
        )
    for column, inviting, yes in row.columns.barring:
        barred = words.is_barred(row.cells[column], inviting, yes)
        if barred is None:
            problem = "The cell does not say whether to invite" if inviting else "The cell says neither yes nor no"
            row.say(column, problem, "Write yes or no; if the column says something else, give it another heading.")
            status = None
        elif barred and status is Standing.ACTIVE:
            status = Standing.DO_NOT_CONTACT
    return status


def kind_of(columns: Columns, cells: Sequence[str]) -> PartyKind | None:
    """The kind of party that a row says by its own column, else by the first filled party column; None if unknown."""
    text = cells[columns.at["kind"]]
    if text:
        return words.party_kind(text)
    filled = next((means for column, means in columns.party if cells[column]), None)
    return filled or (columns.party[0][1] if columns.party else None)


def _party_of(row: Row, kind: PartyKind | None) -> Party | None:
    columns, cells = row.columns, row.cells
    if kind is None:
        column = columns.at["kind"]
        row.say(
            column, "It is not clear whether this is a mission or an organisation", "Write mission or organisation."
        )
        return None
    if len(columns.party) == 1 and (name := cells[columns.party[0][0]]) and (party := _party(name, kind)):
        return party  # nearly always
    filled = [(means is kind, cells[column]) for column, means in columns.party if cells[column]]
    if len(filled) > 1 and not row.at("kind"):
        row.say(
            columns.party[-1][0],
            "Both a mission and an organisation are given",
            "Leave one of the two cells empty, or add a column 'Party kind'.",
        )
        return None
    if not filled:
        column = next((column for column, means in columns.party if means is kind), columns.party[0][0])
        fix = f"Write the name of the {kind}; where cells are merged, it stands in the first of their rows alone."
        row.say(column, f"The {kind} is missing", fix)
        return None
    name = max(filled)[1] if len(filled) > 1 else filled[0][1]
    party = _party(name, kind)
    if party is None:
        column = next(column for column, _ in columns.party if cells[column] == name)
        row.say(column, f"{name!r} names no {kind}", f"Write the name of the {kind}.")
        return None
    return party


@lru_cache(maxsize=4096)  # most parties have several contacts
def _party(name: str, kind: PartyKind) -> Party | None:
    """The party of that name, None where the cell says that there is none."""
    return None if is_nobody(name) and name != "NA" else Party(name, kind)  # the code of Namibia


def _language(row: Row) -> str | None:
    text = row.at("language")
    if not text:
        return None
    code = words.language(text)
    if code is None:
        row.say(
            row.columns.at["language"],
            "The language is not known",
            "Write its English name, such as French, or its code.",
        )
    return code


def _rule(row: Row) -> Rule | None:
    text = row.at("rule")
    if not text:
        return None
    rule = words.rule(text)
    if rule is None:
        row.say(
            row.columns.at["rule"], "The rule is not known", f"Write one of {', '.join(words.RULE_WORDS)}, or nothing."
        )
    return rule


# --- addresses --------------------------------------------------------------------------------------------------------


def _addresses(row: Row, status: Standing | None) -> tuple[Address | None, tuple[Address, ...]]:
    """Whom to write to, and who gets a copy."""
    to_column, *others = row.columns.address
    text = row.cells[to_column]
    if says_none(text):
        if status in (Standing.DO_NOT_CONTACT, Standing.LEFT):
            row.say(
                to_column,
                f"The row says {status!s} but has no address, so nobody can be held back by it",
                "Write the address, or delete the row.",
                "warning",
            )
        else:
            row.say(to_column, "The e-mail address is missing", "Write the address, or delete the row.")
        return None, ()
    found = _read_cell(row, to_column)
    if not found:
        return None, ()
    first, rest = found[0], found[1:]
    if rest:
        copies = ", ".join(map(str, rest))
        row.say(
            to_column,
            f"The cell holds {len(rest) + 1} addresses: {first} is written to, with {copies} in copy (Cc)",
            "Nothing, if that is meant; else move the others to a column Cc.",
            "warning",
        )
    for column in (*others, *row.columns.cc):
        if row.cells[column]:
            rest += _read_cell(row, column)
    if not rest:
        return first, ()
    return first, tuple({address.key: address for address in rest if address.key != first.key}.values())


def _read_cell(row: Row, column: int) -> list[Address]:
    text = row.cells[column]
    try:
        if text.isascii():  # others need NFKC
            return [Address.parse(text)]
    except ValueError:
        pass  # not just an address, as nearly every cell is
    found = addresses(row.raw[column])
    for text, reason in found.wrong:
        row.say(
            column,
            f"{text!r} is not an e-mail address: {reason}",
            "Correct it, as name@example.org; several go apart by a semicolon.",
        )
    if not found.addresses and not found.wrong:
        row.say(column, "The cell holds no e-mail address", "Write the address, or empty the cell.")
    if found.comments and found.addresses:
        row.say(
            column,
            f"The remark {'; '.join(found.comments)!r} beside the address was left out",
            "Move it to a column Notes.",
            "warning",
        )
    return list(found.addresses)


# --- names ------------------------------------------------------------------------------------------------------------


def _names(row: Row) -> tuple[str, str, str, str]:
    """Title, first, last and full name; honorifics that stood in a name are in the title."""
    at, cells = row.columns.at, row.cells
    title = title_of_address(cells[at["title"]])
    parts = {}
    for part in _NAMES:
        text = cells[at[part]]
        if text and not is_ordinary(text):
            text, title = _cleared(row, part, text, title)
        parts[part] = text
    first, last, name = parts["first_name"], parts["last_name"], parts["name"]
    if not name:
        name = f"{first} {last}" if first and last else first or last
    elif not last and not first:
        last = family_name_in_capitals(name)
    return title, first, last, name


def _cleared(row: Row, part: str, text: str, title: str) -> tuple[str, str]:
    """The name without the honorific in it, and the title with it."""
    column = row.columns.at[part]
    if "@" in text:
        row.say(column, "An e-mail address stands in the place of a name", "Write the name, or empty the cell.")
        return text, title
    if is_no_name(text) and not ((part, text) in _NAMES_ALL_THE_SAME and row.at("first_name") and row.at("last_name")):
        row.say(column, f"{text!r} is not a name", _without_name(row, part))
        return text, title
    if looks_like_code(text):
        problem = "The name looks like a formula or markup; it is printed as it stands"
        row.say(column, problem, "Correct it, unless it is meant.", "warning")
    honorific, name = without_honorific(text)
    if not honorific:
        return text, title
    if is_no_name(name):
        row.say(column, f"{text!r} holds a title and no name", _without_name(row, part))
        return text, title
    whole = merged(title, honorific)
    if whole is None:
        row.say(
            column,
            f"The name says {honorific!r} and the title says {title!r}",
            "Leave the title in the column Title alone, and correct it.",
        )
        return name, title
    row.say(
        column,
        f"The title {honorific!r} stands in the name; it was read as the title",
        "Move it to the column Title.",
        "warning",
    )
    return name, whole


def _without_name(row: Row, part: str) -> str:
    """What to do where no name stands in the place of `part`; with a title or a rank, nobody is addressed without."""
    if not all(is_no_name(row.at(other)) for other in _NAMES if other != part and row.at(other)):
        return "Write the name, or empty the cell."
    too = " and ".join(field for field in ("title", "rank") if row.at(field))
    return f"Write the name, or empty the cell{f', and {too} too' if too else ''}: the row is then a mailbox."


# --- cells that cannot be read ----------------------------------------------------------------------------------------


def unreadable_cells(row: Row, faults: Mapping[int, str]) -> None:
    """Note the used cells that hold an error, a formula without a value (`faults`), control characters, or too much."""
    columns = row.columns
    short = {columns.at[name] for name in _SHORT} | {column for column, _ in columns.party}
    for column, text in enumerate(row.raw):
        if column >= len(columns.headings):
            if text.strip() and row.place.sheet is None:
                row.say(
                    column,
                    "The row has more cells than the header",
                    "Put quotation marks around values that hold the delimiter.",
                )
        elif not columns.headings[column]:
            continue
        elif column in faults or text.strip() in words.ERROR_VALUES:
            why = faults.get(column, "holds an error value")
            row.say(column, f"The cell {why}", "Open the file in Excel and correct or calculate it, or type the value.")
        elif sign := words.control_character(text):
            row.say(column, f"The cell holds a control character ({sign})", "Type the value anew.")
        elif len(text) > words.MAX_LENGTH and column in short:
            row.say(column, f"The value is longer than {words.MAX_LENGTH:,} characters", "Shorten it.")


def garbled_cells(row: Row) -> None:
    """Note the used cells whose letters were garbled where the list was saved or opened, before it came to us."""
    for column, text in enumerate(row.raw[: len(row.columns.headings)]):
        if row.columns.headings[column] and not text.isascii() and (meant := words.ungarbled(text)):
            fix = "Save the list anew from where it is right, as UTF-8 or as a workbook, or type the value."
            row.say(column, f"The letters are garbled; {meant!r} was probably meant", fix, "warning")
