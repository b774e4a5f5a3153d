"""The ledger remembers what an event said in the mails that went out, so that a change of it can be told."""

from datetime import UTC, datetime

from mailer.ledger import Ledger

NOW = datetime(2031, 2, 24, 9, tzinfo=UTC)


def test_an_edition_is_new_only_when_a_fact_has_changed(url: str) -> None:
    """Sending again with the same facts keeps the number; a change of place makes the next one."""
    with Ledger.open(url) as ledger:
        assert ledger.edition("poc-week") is None
        assert ledger.publish("poc-week", {"venue": "Room A"}, NOW) == 0
        assert ledger.publish("poc-week", {"venue": "Room A"}, NOW) == 0
        assert ledger.publish("poc-week", {"venue": "Salle « B »"}, NOW) == 1
        assert ledger.publish("other", {"venue": "Room A"}, NOW) == 0
    with Ledger.open(url) as ledger:
        edition = ledger.edition("poc-week")
        assert edition
        assert (edition.number, edition.facts, edition.at) == (1, {"venue": "Salle « B »"}, NOW)
        assert [one.facts["venue"] for one in ledger.editions("poc-week")] == ["Room A", "Salle « B »"]
