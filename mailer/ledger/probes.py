"""What can be asked of the place of a ledger that is not opened."""

from __future__ import annotations

from mailer.ledger.schema import meta
from mailer.ledger.store import open_store


def unproved(url: str) -> str:
    """The setting by which a database server elsewhere need not prove who it is; empty where there is none.

    Raises LedgerError where the URL names no ledger.
    """
    store = open_store(url)
    store.close()
    return store.unproved


def try_making(url: str) -> None:
    """Makes a table in the empty database at `url` and takes it back. Raises LedgerError where that fails.

    Only for one whose tables are made in transactions: PostgreSQL.
    """
    store = open_store(url)
    try:
        with store.engine.connect() as connection:
            meta.create(connection, checkfirst=False)
            connection.rollback()
    finally:
        store.close()
