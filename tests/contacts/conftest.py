"""Lists as staff and their programs save them, and one look at what is understood of them."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from mailer.contacts import read
from mailer.errors import Problem
from mailer.model import Contact

FIXTURES = Path(__file__).parent / "fixtures"
SHIPPED = Path(__file__).parents[2] / "contacts"
ANA = {
    "Title": "Ms.", "First name": "Ana", "Last name": "MUESTRA", "Position": "Deputy", "Rank": "Counsellor",
    "Mission": "Chile", "Email": "ana@chile.example.org", "Cc": "", "Language": "Spanish", "Status": "",
}  # fmt: skip


@dataclass(frozen=True)
class Understood:
    """What `read` gave, sorted."""

    contacts: list[Contact]
    errors: list[Problem]
    warnings: list[Problem]

    @property
    def only(self) -> Contact:
        assert not self.errors, self.errors
        assert len(self.contacts) == 1
        return self.contacts[0]

    @property
    def error(self) -> Problem:
        assert len(self.errors) == 1, self.errors
        return self.errors[0]

    @property
    def warning(self) -> Problem:
        assert not self.errors, self.errors
        assert len(self.warnings) == 1, self.warnings
        return self.warnings[0]


def _understand(*paths: Path) -> Understood:
    contacts, errors, warnings = [], [], []
    for item in read(paths):
        if isinstance(item, Contact):
            contacts.append(item)
        else:
            (errors if item.is_error else warnings).append(item)
    return Understood(contacts, errors, warnings)


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def drop_downs(name: str) -> dict[str, list[str]]:
    """What the shipped workbook offers in its cells, by heading."""
    sheet = load_workbook(SHIPPED / name).worksheets[0]
    rules = sheet.data_validations.dataValidation
    return {
        sheet.cell(1, area.min_col).value: rule.formula1.strip('"').split(",") for rule in rules for area in rule.cells
    }


@pytest.fixture
def understand() -> Callable[..., Understood]:
    """Reads files and folders."""
    return _understand


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Understood]:
    """Reads a list of the rows given, the header first."""

    def understood(*rows: Sequence[str], file: str = "missions.csv") -> Understood:
        return _understand(write_csv(tmp_path / file, rows))

    return understood


@pytest.fixture
def row(table: Callable[..., Understood]) -> Callable[..., Understood]:
    """Reads a list of one row, which is Ana's but for the cells named; other names are further columns."""

    def understood(**cells: str) -> Understood:
        values = dict(ANA) | {name.replace("_", " ").capitalize(): text for name, text in cells.items()}
        return table(list(values), list(values.values()))

    return understood


@pytest.fixture
def xlsx(tmp_path: Path) -> Callable[..., Path]:
    """Writes a workbook of the sheets given by name."""

    def written(file: str = "missions.xlsx", **sheets: Iterable[Sequence[object]]) -> Path:
        book = Workbook()
        book.remove(book.worksheets[0])
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for cells in rows:
                sheet.append(cells)
        book.save(tmp_path / file)
        return tmp_path / file

    return written


@pytest.fixture(scope="session")
def soffice(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], Path]:
    """Converts a workbook by LibreOffice into the format that a suffix names."""
    program = shutil.which("soffice")
    if not program:
        pytest.skip("LibreOffice (soffice) is not installed")
    home = tmp_path_factory.mktemp("soffice")

    def converted(source: Path, suffix: str) -> Path:
        out = home / suffix
        command = [program, f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", suffix]
        subprocess.run([*command, "--outdir", out, source], check=True, capture_output=True, timeout=120)
        return out / f"{source.stem}.{suffix}"

    return converted
