"""What the columns of one sheet were taken for, for whoever made the sheet to look over."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.model import fold

EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Layout:
    """One sheet: for each column its letters, its heading, and the field of a contact that it gives.

    Fields are called as in `contacts --json`; those that are not read are `extra`, which is kept for the texts.
    """

    file: str
    sheet: str | None
    columns: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        """`missions.xlsx, sheet List: party from Country; as named: Title, Email; kept for the texts: Table, Room`."""
        taken: dict[str, list[str]] = {}
        named: list[str] = []
        kept: list[str] = []
        for letters, heading, field in self.columns:
            words = field.replace("_", " ")
            group = kept if field == EXTRA else named if fold(heading) == words else taken.setdefault(words, [])
            group.append(heading or f"column {letters}")
        place = f"{self.file}, sheet {self.sheet}" if self.sheet else self.file
        said = (
            ", ".join(f"{words} from {' and '.join(headings)}" for words, headings in taken.items()),
            f"as named: {', '.join(named)}" if named else "",
            f"kept for the texts: {', '.join(kept)}" if kept else "",
        )
        return f"{place}: {'; '.join(filter(None, said))}"

    def as_json(self) -> dict[str, object]:
        """The layout as `contacts --json` tells it."""
        columns = [{"column": letters, "heading": heading, "field": field} for letters, heading, field in self.columns]
        return {"file": self.file, "sheet": self.sheet, "columns": columns}
