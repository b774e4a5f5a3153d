"""Name cells as they come: blanks tidied, titles taken off, and what is no name recognised; no name is parsed."""

from __future__ import annotations

import re
import unicodedata

_UNTIDY = re.compile(r"^\s|\s$|\s\s|[^\S ]|[\x00-\x1f\x7f-\x9f]|\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")

# A hyphen or a capital letter makes it a name (Nan-Hee, Nan Htwe).
_NO_NAME = re.compile(
    r"(?<![\w-])(?:(?-i:nan|NaN)|n/a|tbc|tbd|tba|vacant|vacante|vacancy|شاغر"
    r"|to be (?:confirmed|announced|determined|appointed|named)|[àa] (?:confirmer|désigner)|por (?:confirmar|designar)"
    r")(?![\w-])",
    re.IGNORECASE,
)
# Words that may be half of somebody's name (Ada Null) say that there is nobody only where they are all there is.
_NOBODY = re.compile(r"\W*(?:nan|none|null|na|unknown|inconnue?|desconocid[oa]|x+)\W*", re.IGNORECASE)

# An undotted "HE" is a Chinese family name and "M." an initial: here they count only where another title follows.
_WORD = r"(?:mr|mrs|ms|miss|mme|mlle|monsieur|madame|sr|sra|srta|excm[oa]|dr|dra|prof|amb|ambassador|السيدة)\b\.?"
_LEADING = re.compile(
    rf"(?:(?:h\.\s?e\.|s\.\s?e\.)\s*(?:{_WORD}\s*|m\.?\s)*|[hs]e\s+(?=(?:{_WORD}|m\.)\s)(?:{_WORD}\s*|m\.\s)+|(?:{_WORD}\s*)+)"
    r"(?=\w)",
    re.IGNORECASE,
)
_TRAILING = re.compile(rf"\s*[(\[]\s*(?:{_WORD}|m\.)\s*[)\]]$", re.IGNORECASE)


def tidy(text: str) -> str:
    """`text` without blanks around it, doubled blanks, control characters and empty brackets; otherwise as typed."""
    has_brackets = "(" in text or "[" in text or "{" in text or "<" in text
    if text.isprintable() and not has_brackets and "  " not in text and text == text.strip():
        return text  # as nearly every cell is; the pattern takes four times as long to see it
    while text and _UNTIDY.search(text):
        text = " ".join(_EMPTY_BRACKETS.sub(" ", _CONTROL.sub(" ", text)).split())
    return text


def fault(name: str, *, is_part: bool = False) -> str:
    """Why `name` is nothing to call somebody by, in words that follow "it"; empty if it may be one, or part of one."""
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name)
    if "@" in plain:
        return "contains an e-mail address"
    if _NO_NAME.search(plain) or (not is_part and _NOBODY.fullmatch(plain)):
        return "is a placeholder"
    return "" if not plain or any(map(str.isalpha, plain)) else "has no letter in it"


def apart(name: str) -> tuple[str, str]:
    """`name` without a title before it or in brackets behind, and that title: "Lam Chor", "Ms" for "Lam Chor (Ms)"."""
    leading = _LEADING.match(name)
    trailing = _TRAILING.search(name) if name.endswith((")", "]")) else None
    begin = leading.end() if leading else 0
    end = trailing.start() if trailing and trailing.start() > begin else len(name)
    return name[begin:end], f"{name[:begin]} {name[end:].strip(' ()[]')}".strip()
