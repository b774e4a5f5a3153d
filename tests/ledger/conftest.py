"""A fresh ledger for each test, on each store that this machine offers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.ledger import Ledger


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        yield ledger
