"""Words that are printed as they were typed: blanks tidied, and what says nothing recognised."""

from __future__ import annotations

import re
import unicodedata

_UNTIDY = re.compile(r"^\s|\s$|\s\s|[^\S ]|[\x00-\x1f\x7f-\x9f]|\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")

# A hyphen or a capital letter makes it a name (Nan-Hee, Nan Htwe).
_PLACEHOLDER = re.compile(
    r"(?<![\w-])(?:(?-i:nan|NaN)|n/a|tbc|tbd|tba|vacant|vacancy|شاغر"
    r"|to be (?:confirmed|announced|determined|appointed|named)|[àa] (?:confirmer|désigner)|por (?:confirmar|designar)"
    r")(?![\w-])",
    re.IGNORECASE,
)
# Words that may be half of somebody's name (Ada Null) say that there is nobody only where they are all there is.
_NOBODY = re.compile(
    r"\W*(?:nan|none|null|undefined|object object|n\W{0,2}a|t\W?b\W?[acd]|unknown|not (?:applicable|available|known)"
    r"|(?:(?:puesto|plaza|cargo) )?vacante|inconnue?|desconocid[oa]|x+)\W*",
    re.IGNORECASE,
)


def tidy(text: str) -> str:
    """`text` without blanks around it, doubled blanks, control characters and empty brackets; otherwise as typed."""
    has_brackets = "(" in text or "[" in text or "{" in text or "<" in text
    if text.isprintable() and not has_brackets and "  " not in text and text == text.strip():
        return text  # as nearly every cell is; the pattern takes four times as long to see it
    while text and _UNTIDY.search(text):
        text = " ".join(_EMPTY_BRACKETS.sub(" ", _CONTROL.sub(" ", text)).split())
    return text


def fault(words: str) -> str:
    """Why `words` are nothing to print, in words that follow "it"; empty if they may be."""
    plain = words if words.isascii() else unicodedata.normalize("NFKC", words)
    if "@" in plain:
        return "contains an e-mail address"
    if _PLACEHOLDER.search(plain) or _NOBODY.fullmatch(plain):
        return "is a placeholder"
    return "" if not plain or any(map(str.isalpha, plain)) else "has no letter in it"
