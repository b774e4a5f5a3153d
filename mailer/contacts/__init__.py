"""Staff's workbooks in, Contacts and Problems out; nothing is guessed and nothing is written to.

`read` gives what stands in files and folders, and by a `Layout` what each column was taken for; `annotate` a copy of a
workbook with its problems as comments. `mailer.contacts.rows.sheets` reads the rows of any table.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mailer.contacts.layout import Layout
from mailer.contacts.reading import read
from mailer.errors import Problem

__all__ = ["Layout", "annotate", "read"]


def annotate(path: Path, problems: Iterable[Problem], to: Path) -> None:
    """Write to `to` a copy of the workbook `path` in which every problem is a comment at its cell.

    Problems of other files are passed over. A comment stands at the first cell of its sheet where the problem has no
    cell. `to` ends in `.xlsx` (`.xlsm` for a source with macros); a source of another kind (.csv, .tsv, .ods, .xls) is
    copied as text, without its looks. Raises InputRefused where `path` cannot be read.
    """
    from mailer.contacts.annotation import annotate  # openpyxl

    annotate(path, problems, to)
