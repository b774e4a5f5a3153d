"""By which rule somebody is addressed: rank first, function second, and never a guess where the two disagree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

from mailer.protocol import honorifics, names, ranks
from mailer.protocol.honorifics import Gender, Honorific
from mailer.protocol.ranks import Kind, Reading


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing about a contact's form of address that a person must look at.

    `field` is the contact's field that is in doubt ("rank"), `problem` what is wrong with it, `fix` what to do. An
    `error` means that the form is not fit to be sent.
    """

    field: str
    severity: Literal["error", "warning"]
    problem: str
    fix: str


class Affiliation(Enum):
    """To which kind of house somebody belongs, as far as forms of address ask."""

    MISSION = "mission"
    UNITED_STATES = "mission of the United States"
    UNITED_NATIONS = "United Nations"
    ORGANISATION = "organisation"


class Manner(Enum):
    """The row of the table of forms that applies."""

    AMBASSADOR = "ambassador"
    PERSON = "person"
    COLLEAGUE = "colleague"
    NEUTRAL = "neutral"  # while rank and title disagree: neither "H.E." nor "Mr."


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody is to be addressed, but for the name.

    `style` is the word before an English name; `is_typed` tells that it is more than "Mr." or "Ms.", `is_rank` that it
    is a military or police rank, which stands before the name in every language. `suffix` follows the name.
    """

    manner: Manner
    gender: Gender
    style: str
    is_typed: bool
    is_rank: bool
    suffix: str
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True, slots=True)
class _Cells:
    """The three cells that speak of standing, each with what it says."""

    title: Honorific
    rank: Reading
    position: Reading
    typed: dict[str, str]

    @property
    def is_unranked(self) -> bool:
        """Whether no cell gives a rank, so that the function must decide."""
        known = (Kind.AMBASSADOR, Kind.CHARGE, Kind.MILITARY, Kind.DIPLOMAT)
        return self.rank.kind not in known and self.title.rank.kind is Kind.NONE and not self.title.excellency

    @property
    def military(self) -> str:
        """The military or police rank, as typed; never from a position, where an "Inspector" may be a civilian."""
        return next((reading.words for reading in (self.rank, self.title.rank) if reading.kind is Kind.MILITARY), "")


@lru_cache(maxsize=16_384)
def standing(title: str, rank: str, position: str, affiliation: Affiliation) -> Standing:
    """The standing of somebody with these cells; equal cells are judged once."""
    typed = {"title": title, "rank": rank, "position": position}
    cells = _Cells(honorifics.read(title), ranks.read(rank), ranks.read(position), typed)
    doubts = [*_not_understood(cells)]
    manner = _manner(cells, affiliation, doubts)
    style, is_typed = cells.title.style, cells.title.is_typed
    if cells.military and manner is Manner.PERSON:
        style, is_typed = cells.military, True
    return Standing(
        manner,
        cells.title.gender or honorifics.read(cells.rank.words).gender,
        style,
        is_typed,
        bool(cells.military),
        _suffix(cells, affiliation) if manner is Manner.PERSON else "",
        tuple(doubts),
    )


@lru_cache(maxsize=4096)
def disagreement(title: str, rank: str, position: str) -> Doubt | None:
    """The error where one of the three speaks of an ambassador and another of somebody below; None where they agree."""
    typed = {"title": title, "rank": rank, "position": position}
    return _contradiction(_Cells(honorifics.read(title), ranks.read(rank), ranks.read(position), typed))


def _manner(cells: _Cells, affiliation: Affiliation, doubts: list[Doubt]) -> Manner:
    if contradiction := _contradiction(cells):
        doubts.append(contradiction)
        return Manner.NEUTRAL
    if Kind.AMBASSADOR in (cells.rank.kind, cells.position.kind) or cells.title.excellency:
        return Manner.AMBASSADOR
    is_head = cells.position.kind is Kind.HEAD or (
        cells.position.kind is Kind.REPRESENTATIVE and affiliation is Affiliation.UNITED_STATES
    )
    if is_head and cells.is_unranked:
        doubts.append(
            Doubt(
                "rank",
                "warning",
                f"no rank is given, so the {cells.position.words} counts as an ambassador",
                "Write the rank, Ambassador or another, into the rank column.",
            )
        )
        return Manner.AMBASSADOR
    is_diplomat = not cells.is_unranked or cells.position.kind in (Kind.DIPLOMAT, Kind.CHARGE)
    is_official = Kind.GRADE in (cells.rank.kind, cells.position.kind)
    if affiliation is Affiliation.ORGANISATION and not is_diplomat and not is_official:
        return Manner.COLLEAGUE
    return Manner.PERSON


def _contradiction(cells: _Cells) -> Doubt | None:
    below = (Kind.CHARGE, Kind.MILITARY, Kind.DIPLOMAT)
    rank, position, title = cells.rank.kind, cells.position.kind, cells.title
    if rank is Kind.AMBASSADOR:
        if title.rank.kind in below and not title.excellency:
            return _disagree(cells, "rank", "title")
        return _disagree(cells, "rank", "position") if position is Kind.DIPLOMAT else None
    if rank in below:
        if title.excellency:
            return _disagree(cells, "rank", "title")
        return _disagree(cells, "rank", "position") if position is Kind.AMBASSADOR else None
    if title.excellency and position in (Kind.CHARGE, Kind.DIPLOMAT):
        return _disagree(cells, "position", "title")
    if position is Kind.AMBASSADOR and title.rank.kind in below and not title.excellency:
        return _disagree(cells, "position", "title")
    return None


def _disagree(cells: _Cells, one: str, other: str) -> Doubt:
    return Doubt(
        one,
        "error",
        f"the {one} is {cells.typed[one]!r}, but the {other} is {cells.typed[other]!r}: one speaks of an ambassador, "
        "the other does not",
        "Correct the one that is wrong, or fill in salutation to settle how this person is addressed.",
    )


def _not_understood(cells: _Cells) -> list[Doubt]:
    doubts = []
    if cells.rank.kind is Kind.OTHER:
        fix = "Write a rank (Ambassador, Counsellor, Colonel ...); a function belongs into the position column."
        doubts.append(
            Doubt("rank", "warning", f"{cells.typed['rank']!r} is not a rank known here, so it is left out", fix)
        )
    if cells.title.unknown:
        fix = "Write a title (Mr., Ms., Dr., H.E. ...), or fill in salutation and address_name."
        doubts.append(
            Doubt("title", "warning", f"{cells.title.unknown!r} is not a title known here, so it is left out", fix)
        )
    return doubts


def _suffix(cells: _Cells, affiliation: Affiliation) -> str:
    readings = (cells.rank, cells.position, cells.title.rank)
    function = ranks.without_grade(cells.typed["position"])
    if charge := next((reading.words for reading in readings if reading.kind is Kind.CHARGE), ""):
        suffix = charge
    elif cells.military or Kind.GRADE in (cells.rank.kind, cells.position.kind):
        suffix = function
    elif cells.rank.kind is Kind.DIPLOMAT:
        suffix = cells.typed["rank"]
    elif affiliation is Affiliation.UNITED_NATIONS or cells.position.kind is Kind.DIPLOMAT:
        suffix = function
    else:
        suffix = cells.title.rank.words
    return "" if names.fault(suffix) else suffix
