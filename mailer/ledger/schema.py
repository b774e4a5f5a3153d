"""The ledger's tables: what may exist in them, and which way a delivery may go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
    types,
)

from mailer.model import AnswerState, Attendance, State

# The revision of `migrations/versions` that these tables stand for. A new ledger is made from here and stamped with
# it, which spares the import of alembic; a test holds the two to the same schema.
HEAD = "0009"

# Where a delivery may go (design.md section 4; and deferred -> suppressed: whoever opts out between two attempts;
# failed -> queued: a person has mended what the relay refused it for; suppressed -> queued: a person has taken the
# suppression back).
ARROWS: Mapping[State, tuple[State, ...]] = {
    State.QUEUED: (State.CLAIMED, State.SUPPRESSED, State.CANCELLED),
    State.CLAIMED: (State.SENT, State.DEFERRED, State.FAILED, State.IN_DOUBT),
    State.DEFERRED: (State.CLAIMED, State.FAILED, State.SUPPRESSED),
    State.IN_DOUBT: (State.QUEUED, State.SENT),
    State.FAILED: (State.QUEUED,),
    State.SUPPRESSED: (State.QUEUED,),
    State.SENT: (State.BOUNCED,),
}


def moment_text(moment: datetime) -> str:
    """The moment as text that both dialects take and that sorts by time: ISO 8601, in UTC, of fixed width."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat(timespec="microseconds")


def moment_of(stored: datetime | str) -> datetime:
    """The moment that a driver returns for a column of type `Moment`, in UTC."""
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored.astimezone(UTC)


class Moment(types.TypeDecorator[datetime]):
    """An aware datetime: `timestamptz` where there is one, else text (see `moment_text`)."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        return types.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        return value if value is None or dialect.name == "postgresql" else moment_text(value)

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else moment_of(value)


# How an answer may come in, and what a person may decide about it.
_READ = (AnswerState.MATCHED, AnswerState.SUGGESTED, AnswerState.REVIEW)
Decision = Literal["accepted", "rejected", "undone"]


def one_of(column: str, states: tuple[str, ...]) -> str:
    """The condition that the column holds one of the states; for it SQLite builds a table at each row if it is IN."""
    return " OR ".join(f"{column} = '{state}'" for state in states)


# The deliveries that `deliveries_unsent` holds; a query names this condition too, or SQLite passes the index over.
IS_UNSENT = "state <> 'sent'"
UNSENT = text(IS_UNSENT)

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_one_%(column_0_N_name)s",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_key",
    }
)

# `digest` is a keyed digest of the address (identity.py): it tells a recipient also after `forget` has taken the
# address itself away. As an invitation is one per event and recipient, a delivery is one per invitation and mailing;
# the Message-ID is derived from the same three and needs no index of its own, which for a million rows, in no order,
# would be rewritten with every chunk that is queued. Whoever looks for Message-IDs, as a report of many bounces does,
# reads `message_id` of all deliveries of the event once and keeps those that are wanted.

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("party_kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("digest", "event"),
    UniqueConstraint("reference"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("mailing", Text, nullable=False),
    Column("relay", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("invitation_id", ForeignKey(invitations.c.id), nullable=False),
    Column("event", Text, nullable=False),
    Column("mailing", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("cc", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("code", Integer),
    Column("enhanced_status", Text),
    Column("reply", Text),
    Column("date", Moment),
    Column("due_at", Moment),
    Column("run_id", ForeignKey(runs.c.id)),
    Column("claimed_at", Moment),
    Column("queued_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    UniqueConstraint("invitation_id", "mailing"),
    CheckConstraint(one_of("state", tuple(State)), name="state_is_known"),
    CheckConstraint("(state = 'deferred') = (due_at IS NOT NULL)", name="deferred_is_due_some_time"),
    CheckConstraint(
        "state <> 'claimed' OR (run_id IS NOT NULL AND claimed_at IS NOT NULL AND date IS NOT NULL)",
        name="claimed_has_owner",
    ),
)
# For totals, and the deliveries of one mailing in the order queued: written once and never again. Were the event first,
# SQLite would take it for a whole event too, and sort that for each page.
Index("deliveries_by_mailing", deliveries.c.mailing, deliveries.c.event)


@event.listens_for(deliveries, "after_create")
def _index_unsent(_: Table, connection: Connection, **_options: object) -> None:
    """What is not sent is what anybody looks for, and leaves the index when it is.

    In words that both dialects understand: an Index with a condition for each would load them both.
    """
    connection.exec_driver_sql(
        f"CREATE INDEX deliveries_unsent ON deliveries (state, event, mailing) WHERE {IS_UNSENT}"
    )


attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", ForeignKey(deliveries.c.id), nullable=False),
    Column("run_id", ForeignKey(runs.c.id), nullable=False),
    Column("relay", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Integer),
    Column("enhanced_status", Text),
    Column("reply", Text),
    Column("note", Text, nullable=False),
    Column("due_at", Moment),
    Column("transactions", Integer, nullable=False, server_default=text("1")),
    CheckConstraint(one_of("state", ARROWS[State.CLAIMED]), name="state_is_an_outcome"),
)
Index("attempts_by_delivery", attempts.c.delivery_id)
Index("attempts_by_time", attempts.c.finished_at)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("delivery_id", Integer, nullable=False),  # written by a trigger from the delivery itself: no key to check
    Column("at", Moment, nullable=False),
    Column("was", Text, nullable=False),
    Column("became", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

# What was read and matched, which stays as it was; what a person decided about it is appended to `decisions`, and the
# answer that counts is read from both. `fingerprint` is a keyed digest of what the respondent said: it tells an answer
# that is here also when its file is imported again, and after `forget` has taken the person away.
answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attendance", Text, nullable=False),
    Column("respondent_name", Text, nullable=False),
    Column("respondent_email", Text, nullable=False),
    Column("invitation_id", ForeignKey(invitations.c.id)),
    Column("party", Text),
    Column("matched_by", Text),
    Column("reason", Text, nullable=False),
    Column("candidates", Text, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("file", Text),
    Column("file_row", Integer),
    Column("at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    UniqueConstraint("fingerprint", "event"),
    CheckConstraint(one_of("state", _READ), name="state_is_known"),
    CheckConstraint(one_of("attendance", tuple(Attendance)), name="attendance_is_known"),
    CheckConstraint("state <> 'matched' OR invitation_id IS NOT NULL", name="matched_has_invitation"),
    CheckConstraint("attendance <> 'review' OR state = 'review'", name="unclear_is_for_review"),
)
Index("answers_by_event", answers.c.event)

# Who comes with a respondent, and takes a seat of the same kind; most answers have no row here.
guests = Table(
    "guests",
    metadata,
    Column("answer_id", ForeignKey(answers.c.id), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("answer_id", ForeignKey(answers.c.id), nullable=False),
    Column("at", Moment, nullable=False),
    Column("decision", Text, nullable=False),
    Column("invitation_id", ForeignKey(invitations.c.id)),
    Column("attendance", Text),
    CheckConstraint(one_of("decision", get_args(Decision)), name="decision_is_known"),
    CheckConstraint(
        "(decision = 'accepted') = (invitation_id IS NOT NULL AND attendance IS NOT NULL)",
        name="accepted_has_invitation",
    ),
    CheckConstraint("attendance <> 'review'", name="accepted_is_clear"),
)
Index("decisions_by_answer", decisions.c.answer_id)

# What `event.toml` said each time mails of a new wording of it went out; `number` counts from 0.
editions = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("event", "number"),
)

# alembic's own table, which says how far a ledger has been migrated.
version = Table("alembic_version", metadata, Column("version_num", types.String(32), primary_key=True))
version.primary_key.name = "alembic_version_pkc"
