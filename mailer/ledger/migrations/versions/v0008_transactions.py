"""How many transactions an attempt took, of which a relay that splits a message counts each."""

from alembic import op

from mailer.ledger.triggers import Law, refusal

revision = "0008"
down_revision = "0007"

# As it stood in this version.
FACTS = Law(
    "attempts_facts",
    "UPDATE OF id, delivery_id, run_id, relay, started_at, finished_at, state, code, enhanced_status, due_at, "
    "transactions",
    "attempts",
    "an attempt stays as it was recorded",
)


def upgrade() -> None:
    # Not the batch of `env`, which would copy the whole table: both dialects can add a column in place.
    op.execute("ALTER TABLE attempts ADD COLUMN transactions INTEGER DEFAULT 1 NOT NULL")
    # Until now what had no reply and was in no doubt was not counted.
    op.execute("UPDATE attempts SET transactions = 0 WHERE code IS NULL AND state <> 'in_doubt'")
    dialect = op.get_bind().dialect.name
    op.execute("DROP TRIGGER attempts_facts" + (" ON attempts" if dialect == "postgresql" else ""))
    op.execute(refusal(FACTS, dialect))
