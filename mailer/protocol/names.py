"""Words that are printed as they were typed: blanks tidied, and what says nothing recognised."""

from __future__ import annotations

import re
import unicodedata

from mailer.model.nobody import is_no_name

_UNTIDY = re.compile(r"^\s|\s$|\s\s|[^\S ]|[\x00-\x1f\x7f-\x9f]|\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}|<\s*>")


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
    if not words:
        return ""
    if "@" in unicodedata.normalize("NFKC", words):
        return "contains an e-mail address"
    if not any(map(str.isalpha, words)):
        return "has no letter in it"
    return "is a placeholder" if is_no_name(words) else ""
