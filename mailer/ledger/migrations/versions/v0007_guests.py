"""How many guests come with whoever answered, and what was said of them."""

import sqlalchemy as sa
from alembic import op

from mailer.ledger.triggers import Law, refusal

revision = "0007"
down_revision = "0006"

# As they stood in this version.
LAWS = (
    Law("guests_stay", "DELETE", "guests", "a guest is never deleted"),
    Law("guests_facts", "UPDATE OF answer_id, number", "guests", "the number of guests stays as it was taken in"),
    Law("guests_words", "UPDATE OF name", "guests", "the name of a guest can only be erased", "NEW.name <> ''"),
)


def upgrade() -> None:
    op.create_table(
        "guests",
        sa.Column("answer_id", sa.Integer, sa.ForeignKey("answers.id"), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
    )
    dialect = op.get_bind().dialect.name
    for law in LAWS:
        op.execute(refusal(law, dialect))
