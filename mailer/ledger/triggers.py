"""The ledger's promises that no constraint can say, as triggers: arrows, journal, and what nobody may rewrite."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.ledger.schema import ARROWS, one_of


@dataclass(frozen=True, slots=True)
class Law:
    """A change that the ledger refuses: `change` of a row of `table` where `condition` holds (always, if empty)."""

    name: str
    change: str
    table: str
    sentence: str
    condition: str = ""


def _off_the_arrows() -> str:
    arms = " ".join(f"WHEN '{was}' THEN {one_of('NEW.state', became)}" for was, became in ARROWS.items())
    return f"NOT CASE OLD.state {arms} ELSE FALSE END"


LAWS = (
    Law("deliveries_begin", "INSERT", "deliveries", "a delivery begins as queued", "NEW.state <> 'queued'"),
    Law("deliveries_arrows", "UPDATE OF state", "deliveries", "no such transition", _off_the_arrows()),
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
        "UPDATE OF id, delivery_id, run_id, relay, started_at, finished_at, state, code, enhanced_status, due_at, "
        "transactions",
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
    Law("guests_stay", "DELETE", "guests", "a guest is never deleted"),
    Law("guests_facts", "UPDATE OF answer_id, number", "guests", "the number of guests stays as it was taken in"),
    Law("guests_words", "UPDATE OF name", "guests", "the name of a guest can only be erased", "NEW.name <> ''"),
    Law("decisions_stay", "DELETE", "decisions", "a decision is never deleted"),
    Law(
        "decisions_facts",
        "UPDATE OF id, answer_id, at, decision, invitation_id, attendance",
        "decisions",
        "a decision stays as it was taken",
    ),
)

_JOURNAL = (
    "INSERT INTO transitions (delivery_id, at, was, became, reason) "
    "VALUES (NEW.id, NEW.updated_at, OLD.state, NEW.state, NEW.reason);"
)


def refusal(law: Law, dialect: str) -> str:
    """The statement that makes the database keep `law`; PostgreSQL needs `functions` first."""
    when = f"WHEN ({law.condition}) " if law.condition else ""
    if dialect == "postgresql":
        return (
            f"CREATE TRIGGER {law.name} BEFORE {law.change} ON {law.table} "
            f"FOR EACH ROW {when}EXECUTE FUNCTION ledger_refuses('{law.sentence}')"
        )
    return (
        f"CREATE TRIGGER {law.name} BEFORE {law.change} ON {law.table} "
        f"{when}BEGIN SELECT RAISE(ABORT, '{law.sentence}'); END"
    )


def journal(dialect: str) -> str:
    """The statement that makes the database write each transition of a delivery down."""
    if dialect == "postgresql":
        return (
            "CREATE TRIGGER deliveries_journal AFTER UPDATE OF state ON deliveries "
            "FOR EACH ROW EXECUTE FUNCTION ledger_journal()"
        )
    return f"CREATE TRIGGER deliveries_journal AFTER UPDATE OF state ON deliveries BEGIN {_JOURNAL} END"


def functions(dialect: str) -> tuple[str, ...]:
    """The functions that the triggers call where the dialect does not take statements in a trigger."""
    if dialect != "postgresql":
        return ()
    body = "CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$"
    refuse = "RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';"
    return body.format("ledger_refuses", refuse), body.format("ledger_journal", _JOURNAL)


def statements(dialect: str) -> tuple[str, ...]:
    """All that a new ledger executes after its tables are made."""
    return (*functions(dialect), *(refusal(law, dialect) for law in LAWS), journal(dialect))
