"""What a suppression held back may be queued again where a person takes the suppression back."""

from alembic import op

from mailer.ledger.schema import one_of
from mailer.ledger.triggers import Law, refusal

revision = "0006"
down_revision = "0005"

# As it stood in this version.
ARROWS = Law(
    "deliveries_arrows",
    "UPDATE OF state",
    "deliveries",
    "no such transition",
    "NOT CASE OLD.state "
    f"WHEN 'queued' THEN {one_of('NEW.state', ('claimed', 'suppressed', 'cancelled'))} "
    f"WHEN 'claimed' THEN {one_of('NEW.state', ('sent', 'deferred', 'failed', 'in_doubt'))} "
    f"WHEN 'deferred' THEN {one_of('NEW.state', ('claimed', 'failed', 'suppressed'))} "
    f"WHEN 'in_doubt' THEN {one_of('NEW.state', ('queued', 'sent'))} "
    f"WHEN 'failed' THEN {one_of('NEW.state', ('queued',))} "
    f"WHEN 'suppressed' THEN {one_of('NEW.state', ('queued',))} "
    f"WHEN 'sent' THEN {one_of('NEW.state', ('bounced',))} ELSE FALSE END",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    op.execute("DROP TRIGGER deliveries_arrows" + (" ON deliveries" if dialect == "postgresql" else ""))
    op.execute(refusal(ARROWS, dialect))
