"""What people write into a cell where no name is known."""

from __future__ import annotations

import re
import unicodedata

# What says so beside other words too; "Nan" with a capital letter or a hyphen is a name (Nan Htwe, Nan-Hee).
_NOT_YET = (
    r"(?-i:nan|NaN)|n/a|tb[acd]|vacant|vacancy|شاغر"
    r"|to be (?:confirmed|announced|determined|appointed|named)|[àa] (?:confirmer|désigner)|por (?:confirmar|designar)"
)
# What may be half of somebody's name (Ada Null), and says so only where it is all there is.
_ALONE = (
    r"nan|null|none|undefined|object object|n\W{0,2}a|t\W?b\W?[acd]|x{2,}|unknown|not (?:applicable|available|known)"
    r"|(?:(?:puesto|plaza|cargo) )?vacante|inconnue?|desconocid[oa]"
)
_IN_PART = re.compile(rf"(?<![\w-])(?:{_NOT_YET})(?![\w-])", re.IGNORECASE)
_AS_A_WHOLE = re.compile(rf"\W*(?:{_NOT_YET}|{_ALONE})\W*", re.IGNORECASE)
# With a full stop it is an initial.
_CROSS = re.compile(r"[\s(\[]*x[\s)\]]*", re.IGNORECASE)


def is_nobody(cell: str) -> bool:
    """Whether the cell says that there is nobody ("TBC", "(vacant)", "none.", "N/A"), or holds no letter at all."""
    words = _spelled_out(cell)
    return bool(_AS_A_WHOLE.fullmatch(words)) or not any(map(str.isalpha, words))


def is_no_name(name: str) -> bool:
    """Whether nobody is called by what stands in a name's place: it `is_nobody`, in part or as a whole, or a cross."""
    words = _spelled_out(name)
    return bool(_IN_PART.search(words) or _CROSS.fullmatch(words)) or is_nobody(words)


def _spelled_out(words: str) -> str:
    return words if words.isascii() else unicodedata.normalize("NFKC", words)
