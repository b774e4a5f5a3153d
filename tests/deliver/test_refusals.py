"""Refusals that are not one recipient's: when they stop the run, and when they must not."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from mailer.deliver.setbacks import Refusals
from mailer.errors import LoginRefused, MailingRefused, RelayError, SenderRefused
from mailer.ledger import Invitee
from mailer.model import Address, Delivery, Envelope, Reply, Rule, State
from mailer.smtp import Features, Outcome
from mailer.status import Stage, Verdict
from tests.deliver.conftest import EVENT, MISSION, NAME, Mailing, accepted
from tests.servers import GOOD, ScriptedServer, Session, say_and_drop

MailingOf = Callable[[int], Mailing]
MANNERS = pytest.mark.parametrize("features", [["PIPELINING"], []], ids=["pipelining", "one-by-one"])
CONNECTIONS = pytest.mark.parametrize("connections", [1, 4])
TAKEN = Outcome(Verdict.ACCEPTED, Stage.BODY, Reply(250, "2.0.0", ("2.0.0 Ok",)))
LATER = Outcome(Verdict.TRANSIENT, Stage.RCPT, Reply(450, "4.2.0", ("4.2.0 Greylisted",)))


def refused(words: str, stage: Stage = Stage.RCPT) -> Outcome:
    return Outcome(Verdict.PERMANENT, stage, Reply(550, words.split(maxsplit=1)[0], (words,)))


BLOCKED, SPAM = refused("5.7.1 Client host blocked"), refused("5.7.0 Spam", Stage.BODY)


def heard(outcomes: Iterable[Outcome], domains: int = 3) -> list[bool]:
    refusals = Refusals()
    return [refusals.hear(outcome, f"d{number % domains}") for number, outcome in enumerate(outcomes)]


def test_ten_alike_since_the_last_acceptance_are_enough() -> None:
    """The count begins anew with each acceptance, and whatever came before does not matter."""
    assert heard([BLOCKED] * 10) == [False] * 9 + [True]
    assert heard([*[TAKEN] * 50, *[BLOCKED] * 10])[-2:] == [False, True]
    assert not any(heard([*[BLOCKED] * 9, TAKEN] * 5))


def test_what_comes_in_between_does_not_hide_them() -> None:
    """Another kind of refusal, a greylisting or a wrong address neither counts nor ends the row."""
    wrong = refused("5.1.1 No such user")
    assert heard([BLOCKED, SPAM, LATER, wrong] * 10).index(True) == 4 * 9
    assert not any(heard([LATER, wrong] * 30))


def test_those_of_two_houses_are_theirs() -> None:
    """Ten alike of fewer than three domains may be the refusals of their own filters."""
    assert not any(heard([BLOCKED] * 30, domains=2))


# --- in a run ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def spread(mailing_of: MailingOf) -> MailingOf:
    """A mailing whose guests are of five domains."""

    def queue(guests: int) -> Mailing:
        mailing = mailing_of(0)
        invitees = (
            Invitee(Address(f"guest{n}", f"office{n % 5}.example.org"), (), MISSION, Rule.TRANSFERABLE)
            for n in range(guests)
        )
        mailing.ledger.enqueue(EVENT, NAME, invitees, domain="example.org", now=mailing.clock())
        return mailing

    return queue


def send(mailing: Mailing, server: ScriptedServer, **settings: object) -> None:
    """The message is of no matter here."""

    def compose(delivery: Delivery, _contact: int, _features: Features) -> tuple[Envelope, Sequence[bytes]]:
        return Envelope(Address("bounces", "example.org"), (delivery.recipient,)), [b"Subject: x\r\n\r\nx\r\n"]

    mailing.send(server, compose=compose, **settings)


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("rcpt", "550 5.7.1 Service unavailable, client host blocked"),
        ("rcpt", "550 Domain example.org has exceeded the max emails per hour (200/200 (100%)) allowed."),
        ("rcpt", "530 5.7.0 Authentication required"),
        ("dot", "554 5.7.0 Message refused"),
    ],
)
def test_a_relay_that_turns_against_the_mailing_stops_it(
    spread: MailingOf, step: str, words: str, features: list[str], connections: int
) -> None:
    """After twenty accepted, ten alike are enough; those in flight go with them, and the rest is due again."""
    mailing = spread(80)
    script = {step: [GOOD[step]] * 20 + [words] * 60}
    with ScriptedServer(script, features) as server, pytest.raises(MailingRefused, match="in the same way"):
        send(mailing, server, connections=connections)
    counts = mailing.counts
    assert counts[State.SENT] == len(server.accepted) == 20
    # An acceptance that is heard late begins the count anew, once.
    assert 10 <= counts[State.FAILED] <= 10 + 9 + 2 * connections
    assert counts.get(State.DEFERRED, 0) + counts[State.QUEUED] == 60 - counts[State.FAILED]


def test_where_everybody_was_tried_there_is_nothing_to_stop(spread: MailingOf) -> None:
    """The run ends as any other when the last refusal of the row is that of the last recipient."""
    mailing = spread(10)
    with ScriptedServer({"rcpt": ["550 5.7.1 Client host blocked"] * 10}) as server:
        send(mailing, server)
    assert mailing.counts == {State.FAILED: 10}


def test_one_server_of_several_behind_a_name_is_noticed(spread: MailingOf) -> None:
    """Where one connection is refused all that another is not, the acceptances of that do not hide it."""
    mailing = spread(200)
    blocked: list[Session] = []

    def judge(session: Session) -> None:
        if session in blocked:
            session.socket.sendall(b"550 5.7.1 Client host blocked\r\n")
        else:
            session.rcpts.append(session.line)
            session.socket.sendall(b"250 Ok\r\n")

    def enter(session: Session) -> None:
        if session.server.connections == 2:
            blocked.append(session)

    script = {"connect": [enter] * 9, "rcpt": [judge] * 999}
    with ScriptedServer(script, ["8BITMIME"]) as server, pytest.raises(MailingRefused, match="host blocked"):
        send(mailing, server, connections=2)
    assert mailing.counts[State.FAILED] <= 14


@CONNECTIONS
@pytest.mark.parametrize(
    "words",
    [
        "550 5.1.1 <g@example.org>: Recipient address rejected: mx said: 550 5.7.1 Sender address rejected",
        "530 5.7.0 Authentication required",
        "550 5.7.8 mx.example.org said: relaying needs login",
        "550 5.7.1 remote host said: SendAsDenied; not allowed to send as events@example.org",
    ],
)
def test_one_recipient_cannot_stop_the_mailing(mailing_of: MailingOf, words: str, connections: int) -> None:
    """Once anybody was accepted, whatever connection it was over, such words at RCPT are of that recipient."""
    mailing = mailing_of(30)
    with ScriptedServer({"rcpt:guest20@mission.example.org": words}) as server:
        mailing.send(server, connections=connections)
    assert mailing.states[20] is State.FAILED
    assert mailing.counts == {State.SENT: 29, State.FAILED: 1}


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("530 5.7.0 Authentication required", LoginRefused),
        ("550 5.7.1 <events@example.org>: Sender address rejected: not owned by user", SenderRefused),
    ],
)
def test_what_an_earlier_run_sent_proves_neither_sender_nor_login(
    mailing_of: MailingOf, words: str, refused: type[RelayError]
) -> None:
    """Both may have been changed since: refused at the first recipient, they stop the run, and nobody fails."""
    mailing = mailing_of(3)
    with ScriptedServer({"rcpt": words}) as server, pytest.raises(refused):
        mailing.send(server, relay={"has_taken_mail": True})
    assert State.FAILED not in mailing.counts


def test_what_one_connection_was_told_another_knows(mailing_of: MailingOf) -> None:
    """A fresh connection's first recipient is no reason to stop where an earlier connection had messages accepted."""
    mailing = mailing_of(4)
    script = {
        "dot": [say_and_drop(b"250 Ok\r\n")],
        "rcpt:guest1@mission.example.org": "530 5.7.0 Authentication required",
    }
    with ScriptedServer(script, []) as server:
        mailing.send(server)
    assert server.connections == 2
    assert mailing.counts == {State.SENT: 3, State.FAILED: 1}


@MANNERS
@CONNECTIONS
@pytest.mark.parametrize("refusal", ["503 5.5.1 Too many messages", "554 5.7.0 Too many messages in this session"])
def test_a_limit_of_messages_that_sounds_like_a_refused_sender_leads_to_another_connection(
    mailing_of: MailingOf, refusal: str, features: list[str], connections: int
) -> None:
    """A connection whose third MAIL is refused for good is left for a new one, in the same run, and nobody fails."""
    mailing = mailing_of(20)
    begun: dict[int, int] = {}
    keep: list[Session] = []  # so that no id comes twice

    def count(session: Session) -> None:
        begun[id(session)] = number = begun.get(id(session), 0) + 1
        session.mail, session.rcpts = session.line if number <= 2 else None, []
        session.socket.sendall((GOOD["mail"] if number <= 2 else refusal).encode() + b"\r\n")

    with ScriptedServer({"connect": [keep.append] * 999, "mail": [count] * 999}, features) as server:
        tally = mailing.send(server, connections=connections)
    assert tally.states == mailing.counts == {State.SENT: 20}
    assert accepted(server) == dict.fromkeys(range(20), 1)
