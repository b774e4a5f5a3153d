"""The first ledger: invitations, deliveries with their attempts and transitions, runs and suppressions."""

import sqlalchemy as sa
from alembic import op

from mailer.ledger.schema import Moment
from mailer.ledger.triggers import Law, functions, journal, refusal

revision = "0001"
down_revision = None

STATES = ("queued", "claimed", "sent", "deferred", "failed", "in_doubt", "bounced", "suppressed", "cancelled")
OUTCOMES = ("sent", "deferred", "failed", "in_doubt")


def one_of(column: str, states: tuple[str, ...]) -> str:
    return " OR ".join(f"{column} = '{state}'" for state in states)


# As they stood in this version, whatever `triggers.LAWS` says today.
LAWS = (
    Law("deliveries_begin", "INSERT", "deliveries", "a delivery begins as queued", "NEW.state <> 'queued'"),
    Law(
        "deliveries_arrows",
        "UPDATE OF state",
        "deliveries",
        "no such transition",
        "NOT CASE OLD.state "
        f"WHEN 'queued' THEN {one_of('NEW.state', ('claimed', 'suppressed', 'cancelled'))} "
        f"WHEN 'claimed' THEN {one_of('NEW.state', OUTCOMES)} "
        f"WHEN 'deferred' THEN {one_of('NEW.state', ('claimed', 'failed', 'suppressed'))} "
        f"WHEN 'in_doubt' THEN {one_of('NEW.state', ('queued', 'sent'))} "
        f"WHEN 'sent' THEN {one_of('NEW.state', ('bounced',))} ELSE FALSE END",
    ),
    Law(
        "deliveries_identity",
        "UPDATE OF id, invitation_id, event, mailing, message_id, queued_at",
        "deliveries",
        "what a delivery is stays as it was queued",
    ),
    Law(
        "deliveries_date",
        "UPDATE OF date",
        "deliveries",
        "the Date of a delivery is fixed at its first claim",
        "OLD.date IS NOT NULL AND (NEW.date IS NULL OR NEW.date <> OLD.date)",
    ),
    Law("deliveries_stay", "DELETE", "deliveries", "a delivery is never deleted"),
    Law("invitations_stay", "DELETE", "invitations", "an invitation is never deleted"),
    Law("attempts_stay", "DELETE", "attempts", "an attempt is never deleted"),
    Law(
        "attempts_facts",
        "UPDATE OF id, delivery_id, run_id, relay, started_at, finished_at, state, code, enhanced_status, due_at",
        "attempts",
        "an attempt stays as it was recorded",
    ),
    Law(
        "attempts_words",
        "UPDATE OF reply, note",
        "attempts",
        "the words of an attempt can only be erased",
        "NEW.reply IS NOT NULL OR NEW.note <> ''",
    ),
    Law("transitions_stay", "DELETE", "transitions", "a transition is never deleted"),
    Law(
        "transitions_facts",
        "UPDATE OF id, delivery_id, at, was, became",
        "transitions",
        "a transition stays as it was recorded",
    ),
    Law(
        "transitions_words",
        "UPDATE OF reason",
        "transitions",
        "the reason of a transition can only be erased",
        "NEW.reason <> ''",
    ),
)


def upgrade() -> None:
    _create_what_is_invited()
    _create_what_is_sent()
    _create_what_is_told()
    dialect = op.get_bind().dialect.name
    for statement in (*functions(dialect), *(refusal(law, dialect) for law in LAWS), journal(dialect)):
        op.execute(statement)


def _create_what_is_invited() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("party_key", sa.Text, nullable=False),
        sa.Column("party_kind", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("digest", "event"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "suppressions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )


def _create_what_is_sent() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("mailing", sa.Text, nullable=False),
        sa.Column("relay", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("finished_at", Moment),
    )
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
        sa.UniqueConstraint("message_id"),
        sa.CheckConstraint(one_of("state", STATES), name="state_is_known"),
        sa.CheckConstraint("(state = 'deferred') = (due_at IS NOT NULL)", name="deferred_is_due_some_time"),
        sa.CheckConstraint(
            "state <> 'claimed' OR (run_id IS NOT NULL AND claimed_at IS NOT NULL AND date IS NOT NULL)",
            name="claimed_has_owner",
        ),
    )
    op.create_index("deliveries_by_state", "deliveries", ["event", "mailing", "state"])
    claimed = sa.text("state = 'claimed'")
    op.create_index("deliveries_claimed", "deliveries", ["run_id"], sqlite_where=claimed, postgresql_where=claimed)


def _create_what_is_told() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("delivery_id", sa.Integer, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("relay", sa.Text, nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("finished_at", Moment, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("code", sa.Integer),
        sa.Column("enhanced_status", sa.Text),
        sa.Column("reply", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("due_at", Moment),
        sa.CheckConstraint(one_of("state", OUTCOMES), name="state_is_an_outcome"),
    )
    op.create_index("attempts_by_delivery", "attempts", ["delivery_id"])
    op.create_index("attempts_by_time", "attempts", ["finished_at"])
    op.create_table(
        "transitions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("delivery_id", sa.Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("was", sa.Text, nullable=False),
        sa.Column("became", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
