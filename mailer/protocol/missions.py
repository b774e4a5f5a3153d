"""The missions to the United Nations: what each is called in full, and by which names it may be found."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Self

from mailer.model import fold

_COLUMNS = ("code", "state", "formal_name", "also_known_as", "look_alikes", "en", "fr", "es", "ar")
_LANGUAGES = ("en", "fr", "es", "ar")
_ARTICLES = frozenset(("the", "la", "le", "les", "l", "los", "las", "el"))

# What may stand around a state's name, in folded text without articles.
_TO_THE_UN = re.compile(
    r" (?:to (?:united nations|un)|aupres (?:de organisation )?des nations unies|aupres de onu"
    r"|ante (?:naciones unidas|onu)|لدى الامم المتحدة)"
    r"(?: (?:in|at|a|en) (?:new york|nueva york|geneva|geneve|ginebra|vienna|vienne|viena))?$"
)
_MISSION_OF = re.compile(
    r"^(?:(?:permanent )?(?:observer )?(?:mission|delegation)|embassy|high commission) of "
    r"|^(?:(?:mission|delegation)(?: permanente)?(?: d observation)?|ambassade|haut commissariat) (?:de|du|des|d) "
    r"|^(?:(?:mision|delegacion)(?: permanente)?(?: de observacion)?|embajada) (?:de|del) "
    r"|(?:(?: permanent)?(?: observer)? mission| embassy| high commission)$"
)
# An embassy says in which capital it is, or to whom: "in Bern", "en Suisse", "ante la Confederación Suiza".
_AT_ITS_POST = re.compile(
    r"^((?:embassy|high commission|ambassade|haut commissariat|embajada) .+?)"
    r" (?:in|to|at|en|a|au|aux|aupres|ante) .+$"
)
_EMBASSY = re.compile(r"\b(?:embassy|ambassade|embajada|high commission|haut commissariat|سفارة)\b")


@dataclass(frozen=True, slots=True)
class Mission:
    """A mission under its ISO 3166 alpha-3 `code` (AU, EU for those that have none), its `state` named as in prose."""

    code: str
    state: str
    names: Mapping[str, str] = field(hash=False)

    def name(self, language: str) -> str:
        """The full name of the mission in `language`, in English where the directory has none in it."""
        return self.names.get(language) or self.names["en"]


@dataclass(frozen=True, slots=True, repr=False)
class Directory:
    """The missions that are known, found by exact name after folding; nothing is ever resolved by likeness.

    A name that stands in a row's `look_alikes` (Korea, Congo, Austria ...) finds nothing by itself, even where it is
    the official short name of one state: whoever keeps the sheet writes the formal or the full mission name instead.
    """

    missions: tuple[Mission, ...]
    _by_name: Mapping[str, Mission]
    _by_look_alike: Mapping[str, tuple[Mission, ...]]

    @classmethod
    def load(cls, path: Path) -> Self:
        """The directory in the CSV file `path` (UTF-8, comma or semicolon; names within a cell are parted by `|`).

        Raises ValueError with the line and the reason where the file cannot be used, OSError where it cannot be read.
        """
        by_name: dict[str, Mission] = {}
        by_look_alike: dict[str, tuple[Mission, ...]] = {}
        missions: dict[str, Mission] = {}
        rows = list(_rows(path))
        for line, row in rows:
            mission = _mission(line, row)
            if missions.setdefault(mission.code, mission) is not mission:
                raise ValueError(
                    f"line {line}: the code {mission.code} stands in an earlier row too; give each its own"
                )
            for name in _parts(row["look_alikes"]):
                known = by_look_alike.setdefault(_key(name), ())
                by_look_alike[_key(name)] = known if mission in known else (*known, mission)
        for (line, row), mission in zip(rows, missions.values(), strict=True):
            names = (
                mission.code,
                mission.state,
                row["formal_name"],
                *_parts(row["also_known_as"]),
                *mission.names.values(),
            )
            for name in filter(None, names):
                key = _key(name)
                if key not in by_look_alike and by_name.setdefault(key, mission) is not mission:
                    raise ValueError(
                        f"line {line}: {name!r} is also a name of {by_name[key].state}; "
                        "take it out of one of the two rows, or put it into look_alikes of both"
                    )
        return cls(tuple(missions.values()), by_name, by_look_alike)

    def find(self, name: str) -> Mission | None:
        """The mission called `name`: code, state, index form, formal, full or old name, in any of the four languages.

        None where no row has that name, or where it is a look-alike (see `candidates`).
        """
        key = _key(name)
        return self._by_name.get(key) or self._by_name.get(self.bare(name))

    def candidates(self, name: str) -> tuple[Mission, ...]:
        """The missions that a look-alike `name`, which finds none, may mean; for telling people what to write."""
        key = _key(name)
        return self._by_look_alike.get(key) or self._by_look_alike.get(self.bare(name), ())

    @staticmethod
    def is_embassy(name: str) -> bool:
        """Whether `name` says that it is an embassy or a high commission, and not a mission to the United Nations.

        Both are the same state's, but the full name of the one is wrong on a letter to the other.
        """
        return _EMBASSY.search(_key(name)) is not None

    @classmethod
    def is_bare(cls, name: str) -> bool:
        """Whether `name` is a state's alone, with nothing of what stands around it in those of missions."""
        return cls.bare(name) == _key(name)

    @staticmethod
    def bare(name: str) -> str:
        """`name` for comparing, without articles and whatever stands around a state's name in those of missions."""
        return _MISSION_OF.sub("", _AT_ITS_POST.sub(r"\1", _key(name)))


@lru_cache(maxsize=8192)
def _key(name: str) -> str:
    # The tatweel only stretches a line of Arabic, and an apostrophe is as often left out as typed.
    words = fold(name.replace("ـ", "")).replace("'", " ").split()
    named = [word for word in words if word not in _ARTICLES] or words  # LA is a code as well as an article
    return _TO_THE_UN.sub("", " ".join(named))


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    octets = path.read_bytes()
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = octets.count(b"\n", 0, exc.start) + 1
        raise ValueError(f"line {line}: not UTF-8; save the file as 'CSV UTF-8'") from None
    header = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=";" if ";" in header else ",")
    columns = [cell.strip() for cell in next(reader, [])]
    if missing := [name for name in _COLUMNS if name not in columns]:
        raise ValueError(f"line 1: no column {', '.join(missing)}; the columns are {', '.join(_COLUMNS)}")
    for cells in reader:
        if any(cells):
            if len(cells) != len(columns):
                raise ValueError(
                    f"line {reader.line_num}: {len(cells)} cells under {len(columns)} headings; "
                    "a name with a comma in it needs quotation marks around it"
                )
            yield reader.line_num, dict(zip(columns, (" ".join(cell.split()) for cell in cells), strict=True))


def _mission(line: int, row: Mapping[str, str]) -> Mission:
    for column in ("code", "state", "en"):
        if not row[column]:
            raise ValueError(
                f"line {line}: {column} is empty; every mission needs a code, a state and its English name"
            )
    return Mission(row["code"], row["state"], {language: row[language] for language in _LANGUAGES if row[language]})
