"""Makes a new ledger, brings an older one up to date, and leaves a newer one alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from mailer.errors import LedgerError
from mailer.ledger import schema, triggers
from mailer.ledger.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(store: Store, *, create: bool) -> None:
    """Leaves the store's tables at `schema.HEAD`, or as they were.

    Raises LedgerError where there is no ledger and `create` is false, where the tables are another program's, and
    where they come from a newer mailer.
    """
    store.require(create=create)
    with store.reading.connect() as connection:
        revision = _revision(store, connection)
    if revision is None and not create:
        raise LedgerError(f"{store.place} is empty: `mailer send` fills it. Or correct LEDGER_URL.")
    if revision is not None and revision > schema.HEAD:
        raise LedgerError(
            f"{store.place} was made by a newer mailer: its tables are of version {revision}, and this program knows "
            f"them up to {schema.HEAD}. Install the newer mailer; nothing was changed."
        )
    if revision is None:
        _make(store)
    elif revision < schema.HEAD:
        with store.migrating() as connection:
            migrate(connection)
    store.make_durable()


def _revision(store: Store, connection: Connection) -> str | None:
    """How far the tables have been migrated; None where there are none."""
    present = set(inspect(connection).get_table_names())
    if {schema.version.name, schema.deliveries.name} <= present:
        revisions = connection.scalars(select(schema.version.c.version_num)).all()
        if len(revisions) != 1:
            raise _damaged(store, "it does not say of which version its tables are")
        return str(revisions[0])
    if present:
        raise LedgerError(f"{store.place} holds the tables of another program. Name another database in LEDGER_URL.")
    return None


def secret_of(store: Store) -> bytes:
    """The ledger's 32 octets. Raises LedgerError where they are gone."""
    with store.reading.connect() as connection:
        secret = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.name == "secret"))
    try:
        return bytes.fromhex(secret or "?")
    except ValueError:
        raise _damaged(store, "the secret behind its references is gone") from None


def _damaged(store: Store, how: str) -> LedgerError:
    return LedgerError(f"{store.place} is damaged: {how}. Copy it away and restore the last sound copy.")


def _make(store: Store) -> None:
    with store.engine.begin() as connection:
        store.wait_for_turn(connection)
        if _revision(store, connection) is not None:
            return  # another process made it in the meantime
        schema.metadata.create_all(connection, checkfirst=False)
        for statement in triggers.statements(connection.dialect.name):
            connection.exec_driver_sql(statement)
        connection.execute(schema.version.insert().values(version_num=schema.HEAD))
        connection.execute(schema.meta.insert().values(name="secret", value=secrets.token_hex(32)))


def migrate(connection: Connection, revision: str = "head") -> None:
    """Runs the migrations up to `revision` in the connection's transaction; imports alembic, which takes its time."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
