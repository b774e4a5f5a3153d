"""A Cc that is one too many for one transaction gets its copy in another, and never stands in the addressee's way."""

from collections.abc import Sequence

import pytest

from mailer.smtp import Connection, Outcome
from mailer.status import Verdict
from tests.servers import Action, ScriptedServer, drop, say_and_drop

TOO_MANY = "452 4.5.3 Too many recipients"
CC = "rcpt:cc@example.org"
MANNERS = pytest.mark.parametrize("features", [(), ("PIPELINING",)], ids=["one by one", "pipelining"])


def recipients(server: ScriptedServer) -> list[list[str]]:
    return [taken.recipients for taken in server.accepted]


@MANNERS
@pytest.mark.parametrize("words", [TOO_MANY, "452 Too many recipients", "552 Too many", "552 5.5.3 Too many"])
def test_a_cc_that_is_too_many_gets_the_same_octets_right_behind(talk, words: str, features: tuple[str, ...]) -> None:
    """The copy goes over the same connection before anything else, with nothing to note; the next message follows."""
    with ScriptedServer({CC: words}, features) as server:
        envelopes = [talk.envelope("a@example.org", "cc@example.org"), talk.envelope("b@example.org")]
        outcomes = talk.send(server, *envelopes, ahead=True)
    assert [(outcome.verdict, outcome.note) for outcome in outcomes] == [(Verdict.ACCEPTED, "")] * 2
    assert recipients(server) == [["a@example.org"], ["cc@example.org"], ["b@example.org"]]
    assert {taken.content for taken in server.accepted} == {b"".join(talk.message)}
    assert server.connections == 1


@MANNERS
@pytest.mark.parametrize("most", [1, 2])
def test_what_the_relay_says_of_its_limit_is_respected_from_the_start(
    talk, most: int, features: tuple[str, ...]
) -> None:
    """No transaction names more recipients than RCPTMAX has it, and everybody gets one copy."""
    people = ["a@example.org", "b@example.org", "c@example.org"]
    with ScriptedServer(features=(*features, f"LIMITS RCPTMAX={most}")) as server:
        first, second = talk.send(server, talk.envelope(*people), talk.envelope("d@example.org"), ahead=True)
    assert (first.verdict, first.note, second.verdict) == (Verdict.ACCEPTED, "", Verdict.ACCEPTED)
    assert [person for taken in recipients(server) for person in taken] == [*people, "d@example.org"]
    assert max(map(len, recipients(server))) == most
    assert not any(command.startswith("RSET") for command in server.commands)


@MANNERS
@pytest.mark.parametrize(
    ("script", "note"),
    [
        ({CC: [TOO_MANY, TOO_MANY]}, f"Cc cc@example.org left out: {TOO_MANY}"),
        ({CC: [TOO_MANY, "550 5.1.1 Nobody"]}, "Cc cc@example.org left out: 550 5.1.1 Nobody"),
        ({CC: [TOO_MANY, "530 5.7.0 Log in"]}, "Cc cc@example.org left out: 530 5.7.0 Log in"),
        ({CC: TOO_MANY, "mail": ["250 Ok", "550 5.1.8 Sender"]}, "Cc cc@example.org left out: 550 5.1.8 Sender"),
        ({CC: TOO_MANY, "mail": ["250 Ok", drop]}, "Cc cc@example.org left out: the "),
        ({CC: TOO_MANY, "dot": ["250 Ok", "554 5.2.252 SendAs"]}, "Cc cc@example.org left out: 554 5.2.252 SendAs"),
        ({CC: TOO_MANY, "dot": ["250 Ok", drop]}, "Cc cc@example.org in doubt: the "),
        ({CC: TOO_MANY, "dot": ["250 Ok", "354 What"]}, "Cc cc@example.org in doubt: 354 What"),
        (
            {CC: TOO_MANY, "dot": [say_and_drop(b"250 Ok\r\n")]},
            "Cc cc@example.org left out: the ",
        ),
    ],
)
def test_whatever_becomes_of_a_copy_the_addressee_has_the_message(
    talk, script: dict[str, Sequence[str | Action]], note: str, features: tuple[str, ...]
) -> None:
    """The delivery is accepted, neither in doubt nor the end of the run; the note says what became of the copy."""
    with ScriptedServer(script, features) as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "cc@example.org"))
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.reply.code == 250
    # How a lost connection is told depends on what the system noticed first.
    assert outcome.note.startswith(note) if note.endswith(" the ") else outcome.note == note


def test_copies_behind_a_lost_connection_are_left_out(talk) -> None:
    """Where the connection ends over one copy the others are named, too."""
    script = {CC: TOO_MANY, "rcpt:d@example.org": TOO_MANY, "mail": ["250 Ok", "421 4.4.2 Bye"]}
    with ScriptedServer(script) as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "cc@example.org", "d@example.org"))
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.note == (
        "Cc cc@example.org left out: 421 4.4.2 Bye; Cc d@example.org left out: the connection ended before it"
    )


@MANNERS
def test_a_message_that_may_not_take_so_many_transactions_is_not_sent(talk, features: tuple[str, ...]) -> None:
    """The outcome tells how many it needs, before anybody has got it; allowed those, it goes."""
    envelopes = [talk.envelope("a@example.org", "cc@example.org"), talk.envelope("b@example.org")]

    async def converse(connection: Connection) -> list[Outcome]:
        refused = await connection.send(envelopes[0], talk.message, envelopes[1], transactions=1)
        assert not server.accepted
        sent = await connection.send(envelopes[0], talk.message, envelopes[1], transactions=2)
        return [refused, sent, await connection.send(envelopes[1], talk.message, transactions=1)]

    with ScriptedServer({CC: [TOO_MANY, TOO_MANY]}, features) as server:
        refused, *sent = talk.with_connection(talk.relay(server), converse)
    assert (refused.verdict, refused.needed, refused.transactions) == (Verdict.TRANSIENT, 2, 1)
    assert refused.reply.text == TOO_MANY
    assert [(outcome.verdict, outcome.needed, outcome.transactions) for outcome in sent] == [
        (Verdict.ACCEPTED, 0, 2),
        (Verdict.ACCEPTED, 0, 1),
    ]
    assert recipients(server) == [["a@example.org"], ["cc@example.org"], ["b@example.org"]]
    assert server.connections == 1


@MANNERS
def test_where_the_relay_has_said_its_limit_a_message_that_needs_more_is_not_begun(
    talk, features: tuple[str, ...]
) -> None:
    """No command is wasted on it, and the relay has nothing to count; nor does its envelope go ahead of it."""
    crowded = talk.envelope("a@example.org", "b@example.org", "c@example.org")

    async def converse(connection: Connection) -> list[Outcome]:
        first = await connection.send(talk.envelope("d@example.org"), talk.message, crowded, transactions=1)
        return [first, await connection.send(crowded, talk.message, transactions=2)]

    with ScriptedServer(features=(*features, "LIMITS RCPTMAX=1")) as server:
        _, refused = talk.with_connection(talk.relay(server), converse)
    assert (refused.verdict, refused.needed, refused.transactions) == (Verdict.TRANSIENT, 3, 0)
    assert recipients(server) == [["d@example.org"]]
    assert not any("<a@" in command for command in server.commands)


@pytest.mark.parametrize(
    ("script", "number"),
    [
        ({}, 1),
        ({CC: TOO_MANY}, 2),
        ({CC: TOO_MANY, "mail": ["250 Ok", "550 5.1.8 Sender"]}, 2),
        ({CC: TOO_MANY, "dot": [say_and_drop(b"250 Ok\r\n")]}, None),
        ({"dot": "554 5.6.0 No"}, 1),
        ({"mail": "450 4.7.1 Later"}, 1),
        ({"dot": drop}, 1),
        ({"data": drop}, 1),
        ({"mail": drop}, 0),
    ],
)
def test_the_relay_may_have_counted_every_transaction_whose_mail_it_answered(
    talk, script: dict[str, Sequence[str | Action]], number: int | None
) -> None:
    """Also one that it refused, up to the final dot and behind it, or that was lost on its way."""
    with ScriptedServer(script, ()) as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "cc@example.org"))
    # A copy may just have been begun when the end of the connection is noticed.
    assert outcome.transactions in ({1, 2} if number is None else {number})


def test_a_full_mailbox_is_no_crowd(talk) -> None:
    """A Cc refused for what it is gets no second try: the note has the relay's words."""
    with ScriptedServer({CC: "452 4.2.2 Mailbox full"}) as server:
        outcomes: list[Outcome] = talk.send(server, talk.envelope("a@example.org", "cc@example.org"))
    assert outcomes[0].note == "Cc cc@example.org left out: 452 4.2.2 Mailbox full"
    assert recipients(server) == [["a@example.org"]]


def test_no_copy_goes_where_the_message_was_refused(talk) -> None:
    """The addressee's refusal at the final dot holds for all."""
    with ScriptedServer({CC: TOO_MANY, "dot": "554 5.6.0 No"}) as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "cc@example.org"))
    assert outcome.verdict is Verdict.PERMANENT
    assert not server.accepted
