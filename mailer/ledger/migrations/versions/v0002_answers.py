"""Answers to invitations, and what people decided about the doubtful ones."""

import sqlalchemy as sa
from alembic import op

from mailer.ledger.schema import Moment
from mailer.ledger.triggers import Law, refusal

revision = "0002"
down_revision = "0001"

# As they stood in this version, whatever `schema` and `triggers` say today.
STATES = ("matched", "suggested", "review")
ATTENDANCES = ("in_person", "online", "attending", "regrets", "waiting", "review")
DECISIONS = ("accepted", "rejected", "undone")
LAWS = (
    Law("answers_stay", "DELETE", "answers", "an answer is never deleted"),
    Law(
        "answers_facts",
        "UPDATE OF id, event, fingerprint, state, attendance, invitation_id, party, matched_by, late, file, file_row, "
        "at, recorded_at",
        "answers",
        "an answer stays as it was taken in",
    ),
    Law(
        "answers_words",
        "UPDATE OF respondent_name, reason",
        "answers",
        "the words of an answer can only be erased",
        "NEW.respondent_name <> '' OR NEW.reason <> ''",
    ),
    Law("decisions_stay", "DELETE", "decisions", "a decision is never deleted"),
    Law(
        "decisions_facts",
        "UPDATE OF id, answer_id, at, decision, invitation_id, attendance",
        "decisions",
        "a decision stays as it was taken",
    ),
)


def one_of(column: str, words: tuple[str, ...]) -> str:
    return " OR ".join(f"{column} = '{word}'" for word in words)


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attendance", sa.Text, nullable=False),
        sa.Column("respondent_name", sa.Text, nullable=False),
        sa.Column("respondent_email", sa.Text, nullable=False),
        sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.id")),
        sa.Column("party", sa.Text),
        sa.Column("matched_by", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("candidates", sa.Text, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("file", sa.Text),
        sa.Column("file_row", sa.Integer),
        sa.Column("at", Moment, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.UniqueConstraint("fingerprint", "event"),
        sa.CheckConstraint(one_of("state", STATES), name="state_is_known"),
        sa.CheckConstraint(one_of("attendance", ATTENDANCES), name="attendance_is_known"),
        sa.CheckConstraint("state <> 'matched' OR invitation_id IS NOT NULL", name="matched_has_invitation"),
        sa.CheckConstraint("attendance <> 'review' OR state = 'review'", name="unclear_is_for_review"),
    )
    op.create_index("answers_by_event", "answers", ["event"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("answer_id", sa.Integer, sa.ForeignKey("answers.id"), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("invitation_id", sa.Integer, sa.ForeignKey("invitations.id")),
        sa.Column("attendance", sa.Text),
        sa.CheckConstraint(one_of("decision", DECISIONS), name="decision_is_known"),
        sa.CheckConstraint(
            "(decision = 'accepted') = (invitation_id IS NOT NULL AND attendance IS NOT NULL)",
            name="accepted_has_invitation",
        ),
        sa.CheckConstraint("attendance <> 'review'", name="accepted_is_clear"),
    )
    op.create_index("decisions_by_answer", "decisions", ["answer_id"])
    dialect = op.get_bind().dialect.name
    for law in LAWS:
        op.execute(refusal(law, dialect))
