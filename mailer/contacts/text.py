"""Comma-, semicolon- and tab-separated files: which encoding, which delimiter, and their rows as a stream."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

from mailer.contacts.rows import MAX_COLUMNS, MAX_ROWS, Sheet, refusal
from mailer.errors import InputRefused, Problem

DELIMITERS = ",;\t|"
_BLOCK = 2**20
_SAVE_AGAIN = "Save it again, as 'CSV UTF-8' or as .xlsx."
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What office software writes in the west and in Turkey. A few accented names look nearly as likely in other sets, so
# those must be clearly likelier, by this factor.
_WESTERN, _CLEARLY = ("windows-1252", "windows-1254"), 1.2


def table(path: Path) -> Sheet:
    """The one table of a text file, read block by block; see `rows.sheets`."""
    encoding, proposed = _encoding(path)
    delimiter, declared = _delimiter(path, encoding)
    problems = []
    if proposed:
        problems.append(
            Problem(
                f"The file is not UTF-8; it was read as {encoding}",
                "Check the accents in the names, or save it as 'CSV UTF-8'.",
                "warning",
                file=path.name,
            )
        )

    def rows() -> Iterator[tuple[int, list[str]]]:
        with _open(path, encoding) as stream:
            if declared:
                next(stream)
            number = 0
            try:
                for number, cells in enumerate(csv.reader(stream, delimiter=delimiter, strict=True), start=1):
                    if number > MAX_ROWS:
                        raise refusal(path, f"The file has more than {MAX_ROWS:,} rows", "Split it into several files.")
                    if cells:
                        yield number, cells
            except csv.Error as exc:
                raise refusal(
                    path,
                    f"The quotation marks after row {number} do not match ({exc})",
                    'Close each opening ", double those inside a value, or save the list as .xlsx.',
                ) from exc

    return Sheet(path.name, None, rows, problems=tuple(problems))


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path) -> tuple[str, bool]:
    """The encoding that decodes the whole file strictly, and whether it is only proposed."""
    with path.open("rb") as file:
        head = file.read(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            if _decodes(path, name):
                return name, False
            problem = f"The file begins as {name} but is damaged"
            raise _undecodable(path, problem) if name == "utf-8-sig" else refusal(path, problem, _SAVE_AGAIN)
    if _decodes(path, "utf-8"):
        return "utf-8", False
    for candidate in _proposals(_sample(path)):
        if _decodes(path, candidate):
            return codecs.lookup(candidate).name, True
    raise _undecodable(path, "It is not possible to tell in which encoding the file was saved")


def _undecodable(path: Path, problem: str) -> InputRefused:
    """The exception that names the first zero octet of a file that no encoding explains, else says `problem`."""
    line = 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            before, zero, _ = block.partition(b"\0")
            line += before.count(b"\n")
            if zero:
                problem = f"Line {line} holds a zero octet (NUL), as no text does"
                break
    return refusal(path, problem, _SAVE_AGAIN)


def _proposals(sample: bytes) -> list[str]:
    """The encodings of office software that explain the octets, likeliest first."""
    from chardet import EncodingEra, detect_all

    found = detect_all(sample, encoding_era=EncodingEra.MODERN_WEB | EncodingEra.LEGACY_MAC)
    likely = {one["encoding"].lower(): one["confidence"] for one in found if one["encoding"]}
    return sorted(likely, key=lambda name: -likely[name] * (_CLEARLY if name in _WESTERN else 1))


def _decodes(path: Path, encoding: str) -> bool:
    """Whether the whole file is text in `encoding`: it decodes, and to no control sign that text never holds."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                if "\0" in decoder.decode(block):
                    return False
            decoder.decode(b"", final=True)
    except (UnicodeError, LookupError):
        return False
    return True


def _sample(path: Path) -> bytes:
    """The lines in which the encoding shows, at most a quarter of a megabyte; all of a file with zero octets."""
    with path.open("rb") as file:
        head = file.read(_BLOCK // 4)
        if b"\0" in head:
            return head
        file.seek(0)
        telling = (line for line in file if not line.isascii())
        return head[:4096] + b"".join(islice(telling, 2000))[: _BLOCK // 4]


def _delimiter(path: Path, encoding: str) -> tuple[str, bool]:
    """The sign between cells, and whether the first line declares it (`sep=;`, which is then no row)."""
    with _open(path, encoding) as stream:
        head = stream.read(_BLOCK // 16)
    first, _, _ = head.partition("\n")
    first = first.strip('"\r ')
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4], True
    if path.suffix.lower() == ".tsv":
        return "\t", False
    return max(DELIMITERS, key=lambda sign: _agreement(head, sign)), False


def _agreement(head: str, delimiter: str) -> tuple[int, int]:
    """How well `delimiter` explains the first rows: rows that share the commonest width above one, and that width."""
    widths = []
    try:
        for cells in islice(csv.reader(head.splitlines(keepends=True), delimiter=delimiter), 50):
            widths.append(min(len(cells), MAX_COLUMNS))
    except csv.Error:
        return 0, 0
    wide = [width for width in widths if width > 1]
    commonest = max(wide, key=wide.count, default=0)
    return wide.count(commonest), commonest
