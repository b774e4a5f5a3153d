"""The name of a party alone, from which what its column `party_key` held can be had at any time."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # Not the batch of `env`, which would copy the whole table: both dialects can drop a column in place.
    op.execute("ALTER TABLE invitations DROP COLUMN party_key")
