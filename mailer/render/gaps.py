"""The gaps of a rendered template, where values of contacts belong: their signs, and how they are filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeVar

from markupsafe import Markup

T = TypeVar("T")

# Makes something of the texts that belong into the gaps, in the order of the gaps' numbers.
Filling = Callable[[Sequence[str]], T]

# Like those of the text part, signs that neither a template nor a value can hold.
_OPENS, _CLOSES = "\x10", "\x11"
_SIGN = re.compile(rf"{_OPENS}(\d+){_CLOSES}")


class Gap(Markup):
    """The sign of the gap with this number, which is printed as it is."""

    def __new__(cls, number: int) -> Gap:
        return super().__new__(cls, f"{_OPENS}{number}{_CLOSES}")


def numbers(rendered: str) -> list[int]:
    """The numbers of the gaps in `rendered`, each once."""
    return list(dict.fromkeys(map(int, _SIGN.findall(rendered))))


def renumbered(rendered: str, order: Iterable[int]) -> str:
    """`rendered` with gaps whose numbers are the places of the old ones in `order`."""
    places = {number: Gap(place) for place, number in enumerate(order)}
    return _SIGN.sub(lambda sign: places[int(sign[1])], rendered)


def has_gaps(rendered: str) -> bool:
    return _OPENS in rendered


def cut(rendered: str) -> tuple[list[str], list[int]]:
    """The texts before, between and after the gaps of `rendered`, and the gaps' numbers."""
    pieces = _SIGN.split(rendered)
    return pieces[::2], list(map(int, pieces[1::2]))


def as_text(rendered: str) -> Filling[str]:
    """`rendered` with its gaps filled."""
    texts, numbers = cut(rendered)
    if not numbers:
        return lambda _: rendered
    order = _order(numbers)
    return lambda values: "".join(order((*texts, *values)))


def as_octets(rendered: str) -> Filling[bytes]:
    """`rendered` with its gaps filled, as lines on the wire: UTF-8, ended by CRLF. None of it may hold a CR."""
    texts, numbers = cut(rendered if rendered.endswith("\n") else f"{rendered}\n")
    octets = [_on_wire(text) for text in texts]
    if not numbers:
        return lambda _: octets[0]
    order = _order(numbers)
    return lambda values: b"".join(order((*octets, *map(_on_wire, values))))


def _on_wire(text: str) -> bytes:
    return text.encode().replace(b"\n", b"\r\n")


def _order(numbers: Sequence[int]) -> itemgetter[object]:
    """Takes the texts around gaps, followed by what fills the gaps with these numbers, and puts them in order."""
    places = [place for n, number in enumerate(numbers) for place in (n, len(numbers) + 1 + number)]
    return itemgetter(*places, len(numbers))
