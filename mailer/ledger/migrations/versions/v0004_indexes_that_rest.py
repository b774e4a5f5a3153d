"""Indexes of deliveries that do not change with each step of each message, and none over the Message-IDs."""

import sqlalchemy as sa
from alembic import op

from mailer.ledger.schema import Moment

revision = "0004"
down_revision = "0003"

# As they stood in this version.
STATES = ("queued", "claimed", "sent", "deferred", "failed", "in_doubt", "bounced", "suppressed", "cancelled")
COLUMNS = (
    "id, invitation_id, event, mailing, recipient, cc, message_id, state, reason, attempts, code, enhanced_status, "
    "reply, date, due_at, run_id, claimed_at, queued_at, updated_at"
)


def upgrade() -> None:
    op.drop_index("deliveries_by_state", "deliveries")
    op.drop_index("deliveries_claimed", "deliveries")
    if op.get_bind().dialect.name == "sqlite":
        _remake_deliveries()
    else:
        op.drop_constraint(op.f("deliveries_one_message_id"), "deliveries")
    op.create_index("deliveries_by_mailing", "deliveries", ["mailing", "event"])
    unsent = sa.text("state <> 'sent'")
    columns = ["state", "event", "mailing"]
    op.create_index("deliveries_unsent", "deliveries", columns, sqlite_where=unsent, postgresql_where=unsent)


def _remake_deliveries() -> None:
    """SQLite can take a constraint away only with the table; triggers and what refers to it stay as they were."""
    of_deliveries = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'deliveries'")
    triggers = op.get_bind().scalars(of_deliveries).all()
    op.execute("PRAGMA legacy_alter_table = ON")  # or attempts would go on to refer to the old table
    op.rename_table("deliveries", "deliveries_before")
    op.execute("PRAGMA legacy_alter_table = OFF")
    known = " OR ".join(f"state = '{state}'" for state in STATES)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.id"), nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("mailing", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("cc", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("enhanced_status", sa.Text),
        sa.Column("reply", sa.Text),
        sa.Column("date", Moment),
        sa.Column("due_at", Moment),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        sa.Column("claimed_at", Moment),
        sa.Column("queued_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.UniqueConstraint("invitation_id", "mailing"),
        sa.CheckConstraint(known, name="state_is_known"),
        sa.CheckConstraint("(state = 'deferred') = (due_at IS NOT NULL)", name="deferred_is_due_some_time"),
        sa.CheckConstraint(
            "state <> 'claimed' OR (run_id IS NOT NULL AND claimed_at IS NOT NULL AND date IS NOT NULL)",
            name="claimed_has_owner",
        ),
    )
    op.execute(f"INSERT INTO deliveries ({COLUMNS}) SELECT {COLUMNS} FROM deliveries_before")  # noqa: S608 - names
    op.drop_table("deliveries_before")
    for trigger in triggers:
        op.execute(trigger)
