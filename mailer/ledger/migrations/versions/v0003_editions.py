"""What an event said when mails about it went out, so that a later change of it can be told."""

import sqlalchemy as sa
from alembic import op

from mailer.ledger.schema import Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "editions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.UniqueConstraint("event", "number"),
    )
