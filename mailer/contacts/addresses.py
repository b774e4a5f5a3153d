"""Cells that hold e-mail addresses: cleaned of what surrounds them, several told apart, none repaired by guess."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailer.model import Address
from mailer.model.nobody import is_nobody

_COMMENT = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_IN_BRACKETS = re.compile(r"([^<>()\[\];,|\n]*)[<(\[]([^<>()\[\]]*@[^<>()\[\]]*)[>)\]]")
_QUOTED = re.compile(r'"[^"\n]*"(?=\s*<)')
_SEPARATOR = re.compile(r"[\n\r;,|\\]+|/|\s+(?:or|and|et|ou|y|o|&)\s+")
_WIDE = {0xFEE0 + sign: sign for sign in range(0x21, 0x7F)}  # as an East Asian keyboard writes ASCII
_NO_ADDRESS = re.compile(
    r"\W*(?:no|sans|pas de?|sin)\W+(?:(?:e-?)?mail|address|adresse|courriel|correo)\b.*", re.IGNORECASE | re.DOTALL
)
_NUMBER = re.compile(r"[+\d.,()\s/-]*\d(?:[eE]\+?\d+)?[\d\s()-]*")


@dataclass(frozen=True, slots=True)
class Found:
    """The addresses of one cell in their order, comments that were left out, and what is no address with the reason."""

    addresses: tuple[Address, ...] = ()
    comments: tuple[str, ...] = ()
    wrong: tuple[tuple[str, str], ...] = ()


def says_none(cell: str) -> bool:
    """Whether the cell says that there is no address ("n/a", "tbc", "-", "no email"), or is empty."""
    if "@" in cell:
        return False
    return bool(_NO_ADDRESS.fullmatch(cell)) or (is_nobody(cell) and not any(map(str.isdigit, cell)))


def addresses(text: str) -> Found:
    """What the cell holds, divided by line breaks, `;` `,` `/` or `|`; `mailto:` links and `Name <address>` too."""
    if says_none(text):
        return Found()
    typed = unicodedata.normalize("NFC", text)
    text = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    text = _IN_BRACKETS.sub(_without_display_name, _QUOTED.sub("", text))
    comments = [" ".join(comment.split()) for pair in _COMMENT.findall(text) for comment in pair if comment.strip()]
    text = _COMMENT.sub(" ", text)
    found: dict[str, Address] = {}
    wrong = []
    for part in _parts(text):
        try:
            address = Address.parse(part)
        except ValueError as exc:
            wrong.append((part, _reason(part, exc)))
        else:
            if _stands_in(typed, address.local):
                found.setdefault(address.key, address)
            else:
                wrong.append((part, "the part before the @ is written with other signs that look like these"))
    return Found(tuple(found.values()), tuple(comments), tuple(wrong))


def _stands_in(typed: str, local: str) -> bool:
    """Whether somebody typed `local`, but for invisible signs and wide letters; a ligature is not what it means."""
    return local in "".join(c for c in typed.translate(_WIDE) if unicodedata.category(c) != "Cf")


def _without_display_name(match: re.Match[str]) -> str:
    before, inside = match.groups()
    return f"{before};{inside};" if "@" in before else f";{inside};"


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for piece in _SEPARATOR.split(text):
        words = piece.split()
        # Blanks divide only what is an address on both sides; anything else is shown to the person as it stands.
        parts += words if all("@" in word for word in words) else [" ".join(words)]
    return [bare for part in parts if (bare := _bare(part))]


def _bare(part: str) -> str:
    # A full stop may end a sentence; before the address it is a slip that the person must see.
    part = re.sub(r"(?i)^mailto:\s*", "", part.strip(" '\"<>:").rstrip(" '\"<>.:"))
    return part.partition("?")[0] if "@" in part.partition("?")[0] else part


def _reason(part: str, exc: ValueError) -> str:
    if "@" not in part:
        return "it is a number" if _NUMBER.fullmatch(part) else "it has no @"
    return str(exc).rstrip(".") if part.count("@") == 1 else "it has more than one @"
