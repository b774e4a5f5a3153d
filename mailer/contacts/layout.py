"""What the columns of one sheet were taken for, for whoever made the sheet to look over."""

from __future__ import annotations

from dataclasses import dataclass

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
        """`missions.xlsx, sheet List: party from Country, last name from Surname; kept for the texts: Table, Room`."""
        headings: dict[str, list[str]] = {}
        for letters, heading, field in self.columns:
            headings.setdefault(field, []).append(heading or f"column {letters}")
        kept = headings.pop(EXTRA, [])
        place = f"{self.file}, sheet {self.sheet}" if self.sheet else self.file
        read = (f"{field.replace('_', ' ')} from {' and '.join(names)}" for field, names in headings.items())
        return f"{place}: {', '.join(read)}" + (f"; kept for the texts: {', '.join(kept)}" if kept else "")

    def as_json(self) -> dict[str, object]:
        """The layout as `contacts --json` tells it."""
        columns = [{"column": letters, "heading": heading, "field": field} for letters, heading, field in self.columns]
        return {"file": self.file, "sheet": self.sheet, "columns": columns}
