"""Guests in the ledger: kept with the answer, never rewritten, and nameless once the host is forgotten."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from mailer.ledger import Ledger
from mailer.model import Address
from tests.ledger.people import EVENT, NOW, later, octets, queue, raw
from tests.ledger.test_answers import answer


def test_guests_come_back_with_the_answer_that_brought_them(ledger: Ledger) -> None:
    """Among others, and also where the same answer is taken in again."""
    queue(ledger, 1, 2)
    alone, both = answer(ledger), replace(answer(ledger, 2), guests=2, guest_name="Eva; Tom")
    for _ in range(2):
        ledger.record_answers(EVENT, {"alone": alone, "both": both}, NOW)
    assert [(one.guests, one.guest_name) for one in ledger.answers(EVENT)] == [(0, ""), (2, "Eva; Tom")]


def test_a_forgotten_host_leaves_the_seats(ledger: Ledger, url: str) -> None:
    """The names of the guests go with the host's, from every file; their number stays."""
    queue(ledger, 1)
    host = replace(answer(ledger), respondent_email="dora@mission.example.org", guests=1, guest_name="Eva Quill")
    ledger.record_answers(EVENT, {"host": host}, NOW)
    ledger.forget(Address.parse("dora@mission.example.org"), later(1))
    [kept] = ledger.answers(EVENT)
    assert (kept.guests, kept.guest_name) == (1, "")
    ledger.close()
    assert b"quill" not in octets(url)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM guests", "UPDATE guests SET number = 3", "UPDATE guests SET name = 'Tom'"]
)
def test_nobody_rewrites_who_was_brought(ledger: Ledger, url: str, statement: str) -> None:
    """The database itself refuses it."""
    queue(ledger, 1)
    ledger.record_answers(EVENT, {"host": replace(answer(ledger), guests=1, guest_name="Eva")}, NOW)
    with pytest.raises(DBAPIError, match="guest"):
        raw(url, statement)
