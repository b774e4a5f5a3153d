"""Runs the migrations over the connection that the ledger hands in."""

from alembic import context

from mailer.ledger.schema import metadata

# SQLite cannot change a table in place, so each change is a batch that makes it anew. That drops the table's triggers:
# a migration that changes a table ends by creating them again.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
