"""Invitees, outcomes and raw statements that the ledger's tests share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text

from mailer.ledger import Attempt, Invitee, Ledger
from mailer.ledger.schema import moment_of
from mailer.model import Address, Delivery, Party, PartyKind, Reply, Rule, State

NOW = datetime(2024, 5, 2, 9, 30, tzinfo=UTC)
EVENT, MAILING, DOMAIN, RELAY = "poc-week", "invitation", "example.org", "127.0.0.1:2525"
MISSION = Party("Permanent Mission of Ruritania", PartyKind.MISSION)

ACCEPTED = Reply(250, "2.0.0", ("2.0.0 Ok: queued as 4XyZ12",))
GREYLISTED = Reply(450, "4.7.1", ("4.7.1 Greylisted,", "4.7.1 come back later"))
UNKNOWN = Reply(550, "5.1.1", ("5.1.1 No such person",))


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def address(number: int) -> Address:
    return Address(f"guest{number}", "mission.example.org")


def invitee(number: int, *cc: int, party: Party = MISSION) -> Invitee:
    return Invitee(address(number), tuple(address(n) for n in cc), party, Rule.TRANSFERABLE)


def queue(ledger: Ledger, *numbers: int, mailing: str = MAILING, now: datetime = NOW) -> list[int]:
    """Queues those guests; returns the ids of all that is due in the mailing."""
    ledger.enqueue(EVENT, mailing, map(invitee, numbers), domain=DOMAIN, now=now)
    return list(ledger.due(EVENT, mailing, now).values())


def outcome(
    delivery: Delivery | int,
    state: State = State.SENT,
    reply: Reply | None = ACCEPTED,
    now: datetime = NOW,
    due_at: datetime | None = None,
    note: str = "",
    transactions: int = 1,
) -> Attempt:
    number = delivery if isinstance(delivery, int) else delivery.id
    return Attempt(number, state, now, now + timedelta(seconds=1), RELAY, reply, note, due_at, transactions)


def send(ledger: Ledger, numbers: Sequence[int], mailing: str = MAILING, now: datetime = NOW) -> None:
    """Claims and sends those deliveries in a run of their own."""
    with ledger.run(EVENT, mailing, now, relay=RELAY) as run:
        claimed = run.exchange((), numbers, now)
        run.exchange([outcome(one, now=now) for one in claimed], (), now)


def doubt(ledger: Ledger, numbers: Sequence[int], mailing: str = MAILING, now: datetime = NOW) -> None:
    """Claims those deliveries and loses the connection after the final dot."""
    with ledger.run(EVENT, mailing, now, relay=RELAY) as run:
        claimed = run.exchange((), numbers, now)
        run.exchange([outcome(one, State.IN_DOUBT, None, now, note="lost after the dot") for one in claimed], (), now)


def states(ledger: Ledger, mailing: str | None = None) -> list[State]:
    return [one.state for one in ledger.deliveries(EVENT, mailing)]


def raw(url: str, statement: str, **values: object) -> list[tuple[object, ...]]:
    """Executes one statement past the ledger, as somebody with a database client would."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def octets(url: str) -> bytes:
    """All that stands in the files of the ledger's tables and indexes, in lower case; nothing of it is in use."""
    if url.startswith("sqlite:///"):
        return b"".join(path.read_bytes() for path in Path(url.removeprefix("sqlite:///")).parent.iterdir()).lower()
    raw(url, "CHECKPOINT")
    files = (
        "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')"
    )
    return b"".join(bytes(content) for (content,) in raw(url, files)).lower()  # type: ignore[arg-type]


@contextmanager
def writing(url: str, statement: str) -> Iterator[None]:
    """Another process that has executed the statement and takes its time to commit; in the end it does not."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
            yield
    finally:
        engine.dispose()


def steps(url: str, number: int) -> list[tuple[object, ...]]:
    """What the journal says of one delivery, oldest first: state before, state after, reason."""
    return raw(
        url, "SELECT was, became, reason FROM transitions WHERE delivery_id = :number ORDER BY id", number=number
    )


def finished(url: str) -> list[tuple[int, datetime | None]]:
    """Process and end of each run, oldest first."""
    rows = raw(url, "SELECT pid, finished_at FROM runs ORDER BY id")
    return [(pid, at and moment_of(at)) for pid, at in rows]  # type: ignore[misc, arg-type]
