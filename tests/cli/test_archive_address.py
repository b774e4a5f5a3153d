"""How a folder on an IMAP server is written: any name can be, and a password cannot."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import config
from mailer.config import ImapUrl
from mailer.errors import InputRefused

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@given(NAMES.filter(bool), NAMES, st.sampled_from(["imap", "imaps"]), st.integers(1, 65_535))
def test_what_is_quoted_comes_back(user: str, folder: str, scheme: str, port: int) -> None:
    """Whatever letters user and folder have, % codes carry them (RFC 5092 section 3)."""
    text = f"{scheme}://{quote(user, safe='')}@imap.example.org:{port}/{quote(folder)}"
    assert ImapUrl.parse(text) == ImapUrl(user, "imap.example.org", port, scheme == "imaps", folder)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("imaps://staff@imap.example.org", ImapUrl("staff", "imap.example.org", 993, True)),
        ("imaps://a@b.example.org@imap.example.org/", ImapUrl("a@b.example.org", "imap.example.org", 993, True)),
        ("imap://staff@[::1]/Été", ImapUrl("staff", "::1", 143, False, "Été")),
        ("IMAPS://staff@IMAP.example.org/A/B c", ImapUrl("staff", "imap.example.org", 993, True, "A/B c")),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, meant: ImapUrl) -> None:
    """An address of mail may be the user, ports have their defaults, and letters need no codes."""
    assert ImapUrl.parse(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "imaps://imap.example.org/Sent",
        "imaps://:@imap.example.org",
        "https://staff@imap.example.org",
        "imaps://staff:hush@imap.example.org/Sent",
        "imaps://staff:hu/sh@imap.example.org/Sent",
        "imaps://staff:hu?sh@imap.example.org/Sent",
        "imaps://staff@imap.example.org:hush/Sent",
        "imaps://staff@imap.example.org/Sent#hush",
        "imaps://staff@imap.example.org/hush?",
        "imaps://staff@imap.example.org/hush%FF",
        "imaps://staff@imap.example.org/hush%0D%0Aa1 LOGOUT",
        "imaps://staff@imap example.org/hush",
        "hush",
    ],
)
def test_what_cannot_be_read_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    """A setting that holds a password, or means nothing clear, is a fault whose sentence shows none of it."""
    with pytest.raises(InputRefused) as refused:
        config.load(tmp_path, {"IMAP_URL": text})
    (problem,) = refused.value.problems
    assert problem.problem.startswith(("IMAP_URL must read like imaps://user@host/Folder", "IMAP_URL holds a password"))
    assert "hush" not in f"{problem} {problem!r}"


def test_the_password_is_in_no_text_of_the_settings(tmp_path: Path) -> None:
    """Neither str nor repr shows IMAP_PASSWORD."""
    settings, _ = config.load(tmp_path, {"IMAP_URL": "imaps://staff@imap.example.org", "IMAP_PASSWORD": "hush"})
    assert "hush" not in f"{settings} {settings!r}"
