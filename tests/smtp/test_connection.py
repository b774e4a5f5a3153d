"""What one connection does with relays that are well but different."""

import asyncio
import select
import threading
import time

import pytest

from mailer.errors import SenderRefused
from mailer.smtp import Connection, Transport
from mailer.status import Scope, Verdict
from tests.servers import ScriptedServer, drop, reset, say, say_and_drop

try:
    import uvloop
except ImportError:
    uvloop = None

PIPELINING = ("PIPELINING", "8BITMIME")
RUNNERS = [asyncio.run] if uvloop is None else [asyncio.run, uvloop.run]


def conforms(transport: Transport) -> Transport:
    return transport


def test_a_message_arrives_octet_by_octet(talk) -> None:
    """The relay gets the envelope and exactly the content, dots included."""
    with ScriptedServer() as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "office@example.org"))
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.reply.text == "250 2.0.0 Queued"
    (taken,) = server.accepted
    assert taken.recipients == ["a@example.org", "office@example.org"]
    assert taken.content == b"".join(talk.message)


@pytest.mark.parametrize("ahead", [False, True], ids=["one by one", "ahead"])
@pytest.mark.parametrize("features", [(), PIPELINING], ids=["plain", "pipelining"])
def test_many_messages_share_a_connection(talk, features: tuple[str, ...], ahead: bool) -> None:
    """Each message reaches its own addressees, with the next envelope behind the final dot or not."""
    envelopes = [talk.envelope(*(f"{n}-{k}@example.org" for k in range(1 + n % 3))) for n in range(30)]
    with ScriptedServer(features=features) as server:
        outcomes = talk.send(server, *envelopes, ahead=ahead)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}
    assert [taken.recipients for taken in server.accepted] == [[*map(str, e.forward_paths)] for e in envelopes]
    assert server.connections == 1


def test_nothing_is_written_ahead_unless_pipelining_is_offered(talk) -> None:
    """Without PIPELINING each command waits for the reply to the one before."""

    def alone(session) -> None:
        time.sleep(0.01)
        session.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            session.socket.recv(1)
        session.socket.setblocking(True)
        assert not session._buffer
        session.socket.sendall(b"250 Ok\r\n")

    with ScriptedServer({"mail": alone, "rcpt": alone, "dot": alone}, features=()) as server:
        outcomes = talk.send(server, talk.envelope(), talk.envelope("b@example.org"), ahead=True)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 2


def test_a_helo_only_server_works(talk) -> None:
    """A relay that knows no EHLO gets HELO and no extension."""
    with ScriptedServer({"ehlo": "502 5.5.1 What"}, features=()) as server:
        (outcome,) = talk.send(server, talk.envelope(envelope_id="7KQ4M", size=100))
    assert outcome.verdict is Verdict.ACCEPTED
    assert server.commands[:3] == ["EHLO [127.0.0.1]", "HELO [127.0.0.1]", "MAIL FROM:<bounces@example.org>"]


def test_our_address_stands_for_a_name(talk) -> None:
    """Without a name of our own EHLO gives our address, as RFC 5321 has it."""
    with ScriptedServer() as server:
        talk.send(server, talk.envelope())
    assert server.commands[0] == "EHLO [127.0.0.1]"


@pytest.mark.parametrize("features", [(), PIPELINING], ids=["plain", "pipelining"])
def test_a_refused_cc_does_not_keep_the_message(talk, features: tuple[str, ...]) -> None:
    """The addressee gets the message; the Cc that was refused is named with the relay's words."""
    script = {"rcpt:office@example.org": "550 5.1.1 No such user"}
    with ScriptedServer(script, features) as server:
        (outcome,) = talk.send(server, talk.envelope("a@example.org", "office@example.org", "c@example.org"))
    assert outcome.verdict is Verdict.ACCEPTED
    assert server.accepted[0].recipients == ["a@example.org", "c@example.org"]
    assert outcome.note == "Cc office@example.org left out: 550 5.1.1 No such user"


@pytest.mark.parametrize("features", [(), PIPELINING], ids=["plain", "pipelining"])
@pytest.mark.parametrize(
    ("reply", "verdict"), [("550 5.1.1 No", Verdict.PERMANENT), ("450 4.2.0 No", Verdict.TRANSIENT)]
)
def test_nothing_goes_to_the_cc_alone(talk, features: tuple[str, ...], reply: str, verdict: Verdict) -> None:
    """Where the addressee is refused the message is not sent to the rest, and the connection serves the next one."""
    with ScriptedServer({"rcpt:a@example.org": reply}, features) as server:
        envelopes = [talk.envelope("a@example.org", "office@example.org"), talk.envelope("b@example.org")]
        refused, sent = talk.send(server, *envelopes)
    assert (refused.verdict, refused.reply.text) == (verdict, reply)
    assert sent.verdict is Verdict.ACCEPTED
    assert [taken.recipients for taken in server.accepted] == [["b@example.org"]]
    assert server.connections == 1


def test_a_refusal_ahead_is_told_in_its_turn(talk) -> None:
    """When the envelope behind the final dot is refused, the message before it is sent all the same."""
    script = {"rcpt:b@example.org": "550 5.1.1 No such user"}
    with ScriptedServer(script, PIPELINING) as server:
        envelopes = [talk.envelope(f"{name}@example.org") for name in "abc"]
        outcomes = talk.send(server, *envelopes, ahead=True)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED, Verdict.PERMANENT, Verdict.ACCEPTED]
    assert [taken.recipients for taken in server.accepted] == [["a@example.org"], ["c@example.org"]]


@pytest.mark.parametrize(
    ("script", "features"),
    [
        ({"data": ["250 2.1.5 Ok"]}, ()),
        ({"data": ["250 2.1.5 Ok"]}, PIPELINING),
        ({"rcpt": ["550 5.1.1 No such user"], "data": ["250 2.1.5 Ok"]}, PIPELINING),
        ({"mail": ["550 5.7.1 Not you"], "data": ["250 2.1.5 Ok"]}, PIPELINING),
    ],
    ids=["plain", "pipelining", "recipient refused", "sender refused"],
)
def test_a_consent_in_the_place_of_the_354_ends_the_connection(talk, script: dict, features: tuple[str, ...]) -> None:
    """A relay whose replies have lost step with our commands gets no content, refuses nobody for good, and is left."""
    with ScriptedServer(script, features) as server:
        lost, sent = talk.send(server, talk.envelope(), talk.envelope("b@example.org"))
    assert (lost.verdict, lost.scope, lost.reply.text) == (Verdict.TRANSIENT, Scope.CONNECTION, "250 2.1.5 Ok")
    assert sent.verdict is Verdict.ACCEPTED
    assert [taken.recipients for taken in server.accepted] == [["b@example.org"]]
    assert server.connections == 2


@pytest.mark.parametrize("act", [drop, reset, say_and_drop(b"421 4.4.2 Timeout\r\n")])
def test_a_connection_lost_ahead_of_the_message_leaves_no_doubt(talk, act) -> None:
    """A connection that breaks with the next envelope under way costs that message nothing but a new try."""
    with ScriptedServer({"rcpt:b@example.org": act}, PIPELINING) as server:
        first, second, third = (talk.envelope(f"{name}@example.org") for name in "abb")
        outcomes = talk.send(server, first, second, third, ahead=False)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED, Verdict.TRANSIENT, Verdict.ACCEPTED]
    assert len(server.accepted) == 2
    assert server.connections == 2


def test_only_the_message_behind_whose_dot_the_connection_broke_is_in_doubt(talk) -> None:
    """With the next envelope under way, a lost reply to the final dot leaves one message in doubt and not two."""
    with ScriptedServer({"dot": [drop]}, PIPELINING) as server:
        a, b = talk.envelope("a@example.org"), talk.envelope("b@example.org")

        async def both(connection: Connection) -> list:
            doubted = await connection.send(a, talk.message, b)
            assert not connection.is_open
            await connection.open()
            return [doubted, await connection.send(b, talk.message)]

        doubted, sent = talk.with_connection(talk.relay(server), both)
    assert (doubted.verdict, sent.verdict) == (Verdict.UNKNOWN, Verdict.ACCEPTED)


def test_an_envelope_can_be_taken_back(talk) -> None:
    """What was announced and then not sent leaves nothing at the relay, and the connection can be opened again."""
    with ScriptedServer(features=PIPELINING) as server:
        several = talk.envelope("b@example.org", "c@example.org")

        async def act(connection: Connection) -> None:
            await connection.send(talk.envelope("a@example.org"), talk.message, several)
            await connection.abandon()
            assert connection.is_open
            await connection.send(talk.envelope("d@example.org"), talk.message, talk.envelope("e@example.org"))
            await connection.abandon()
            assert not connection.is_open
            await connection.open()
            await connection.send(talk.envelope("f@example.org"), talk.message, talk.envelope("g@example.org"))

        talk.with_connection(talk.relay(server), act)
    assert [taken.recipients for taken in server.accepted] == [["a@example.org"], ["d@example.org"], ["f@example.org"]]


def test_too_large_a_message_is_not_even_offered(talk) -> None:
    """SIZE is kept to: the relay is not asked, and the note says what to do."""
    with ScriptedServer(features=("SIZE 1000",)) as server:
        (outcome,) = talk.send(server, talk.envelope(size=1001))
        talk.send(server, talk.envelope(size=1000))
    assert outcome.verdict is Verdict.PERMANENT
    assert "takes 1000 at most" in outcome.note
    assert [command for command in server.commands if command.startswith("MAIL")] == [
        "MAIL FROM:<bounces@example.org> SIZE=1000"
    ]


def test_addresses_outside_ascii_need_a_relay_that_carries_them(talk) -> None:
    """Without SMTPUTF8 such an addressee fails alone, and such a Cc is left out with a note."""
    andre = "andr\u00e9@example.org"
    with ScriptedServer(features=("SMTPUTF8", "8BITMIME")) as server:
        (outcome,) = talk.send(server, talk.envelope(andre))
        assert outcome.verdict is Verdict.ACCEPTED
    with ScriptedServer(features=()) as server:
        refused, sent = talk.send(server, talk.envelope(andre), talk.envelope("a@example.org", andre))
    assert (refused.verdict, refused.reply) == (Verdict.PERMANENT, None)
    assert sent.note == f"Cc {andre} left out: needs SMTPUTF8"
    assert server.accepted[0].recipients == ["a@example.org"]


def test_eight_bit_content_waits_for_a_relay_that_takes_it(talk) -> None:
    """Without 8BITMIME such content is not sent; it is to be built anew and tried again, though not at once."""
    with ScriptedServer(features=()) as server:
        (outcome,) = talk.send(server, talk.envelope(eight_bit=True))
    assert (outcome.verdict, outcome.reply, outcome.is_retry) == (Verdict.TRANSIENT, None, False)
    assert not server.accepted


def test_a_refused_sender_stops_the_run(talk) -> None:
    """The error names the relay, repeats its words and says what to check."""
    with ScriptedServer({"dot": "554 5.2.252 SendAsDenied"}) as server, pytest.raises(SenderRefused) as raised:
        talk.send(server, talk.envelope())
    assert "554 5.2.252 SendAsDenied" in str(raised.value)
    assert "MAIL_FROM" in str(raised.value)


def test_a_relay_that_closes_while_nothing_is_sent_is_noticed(talk) -> None:
    """A connection that the relay ended between two messages is no longer open, so no message is lost on it."""
    with ScriptedServer({"dot": say_and_drop(b"250 2.0.0 Queued\r\n421 4.4.2 Idle too long\r\n")}) as server:

        async def act(connection: Connection) -> object:
            outcome = await connection.send(talk.envelope(), talk.message)
            while connection.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            return outcome

        assert talk.with_connection(talk.relay(server), act).verdict is Verdict.ACCEPTED


def test_an_interrupted_message_leaves_nothing_half_said(talk) -> None:
    """Cancelled while it waits, a connection is dropped: no later message can be taken for its rest."""

    async def act(connection: Connection) -> None:
        sending = asyncio.ensure_future(connection.send(talk.envelope(), talk.message))
        while not server.commands or not server.commands[-1].startswith("RCPT"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert not connection.is_open

    with ScriptedServer({"rcpt": lambda session: session.server.is_over.wait(5)}, features=()) as server:
        talk.with_connection(talk.relay(server), act)
    assert not server.accepted


def test_a_large_message_takes_its_time(talk) -> None:
    """A message larger than any buffer arrives whole."""
    content = [b"Subject: x\r\n\r\n", (b"x" * 76 + b"\r\n") * 100_000, b".\r\n"]
    with ScriptedServer() as server:
        (outcome,) = talk.send(server, talk.envelope(), content=content)
    assert outcome.verdict is Verdict.ACCEPTED
    assert server.accepted[0].content == b"".join(content)


class _Leaving:
    """A relay that closes behind its consent to a message, and a client that goes on only when it has."""

    def __init__(self, talk, content) -> None:
        self.behaviour = {"data": self._consent_and_close}
        self._talk, self._content = talk, content
        self._is_gone = threading.Event()

    def _consent_and_close(self, session) -> None:
        session.socket.sendall(b"354 Go ahead\r\n")
        session.socket.close()
        self._is_gone.set()

    async def act(self, connection: Connection) -> object:
        sending = asyncio.ensure_future(connection.send(self._talk.envelope(), self._content))
        await asyncio.sleep(0)  # the envelope is written, and nothing of the answers read before the relay is gone
        assert self._is_gone.wait(30)
        return await sending


@pytest.mark.parametrize("run", RUNNERS)
def test_a_large_message_that_cannot_be_written_leaves_no_doubt(talk, run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that is gone when the message is to be written, and whose end is not noticed before, has not taken it."""
    monkeypatch.delattr(select, "POLLRDHUP", raising=False)  # as on systems that do not tell of it at once
    leaving = _Leaving(talk, [b"Subject: x\r\n\r\n", (b"x" * 76 + b"\r\n") * 100_000])
    with ScriptedServer(leaving.behaviour, PIPELINING) as server:
        outcome = type(talk)(run).with_connection(talk.relay(server), leaving.act)
    assert outcome.is_retry
    assert not server.accepted


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="this system does not tell of it at once")
@pytest.mark.parametrize("run", RUNNERS)
def test_a_relay_that_is_gone_before_the_dot_leaves_no_doubt(talk, run) -> None:
    """Where the relay closed behind its consent the dot is not written, though the loop has not told of the end yet."""
    leaving = _Leaving(talk, talk.message)
    with ScriptedServer(leaving.behaviour, PIPELINING) as server:
        outcome = type(talk)(run).with_connection(talk.relay(server), leaving.act)
    assert (outcome.verdict, outcome.is_retry) == (Verdict.TRANSIENT, True)


@pytest.mark.parametrize("unasked", ["250 2.1.0 Ok", "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go ahead", "550 5.1.1 No"])
def test_an_unasked_reply_is_not_taken_for_the_next_answer(talk, unasked: str) -> None:
    """Whatever a relay says beyond its answer ends the connection; the next message is answered for itself."""
    script = {"dot": [say(f"250 2.0.0 Queued\r\n{unasked}\r\n".encode())], "rcpt": ["250 Ok", "450 4.2.0 Greylisted"]}
    with ScriptedServer(script, features=()) as server:
        first, second = talk.send(server, talk.envelope(), talk.envelope("b@example.org"))
        assert server.connections == 2
    assert first.verdict is Verdict.ACCEPTED
    assert second.reply.text == "450 4.2.0 Greylisted"
    assert len(server.accepted) == 1


def test_a_relay_that_breaks_in_with_its_consent_gets_no_dot(talk) -> None:
    """A refusal right behind the 354 is heard before the dot is written; of a relay that knows us, it stops no run."""
    broken_in = say(b"354 Go ahead\r\n554 5.7.1 You are not allowed to send as that\r\n")
    with ScriptedServer({"data": ["354 Go ahead", broken_in]}, features=()) as server:
        first, second = talk.send(server, talk.envelope(), talk.envelope("b@example.org"))
    assert first.verdict is Verdict.ACCEPTED
    assert (second.verdict, second.scope) == (Verdict.PERMANENT, Scope.DELIVERY)
    assert len(server.accepted) == 1


def test_nothing_goes_ahead_for_a_message_that_the_relay_cannot_take(talk) -> None:
    """An envelope that need not be asked for is not written behind the message before it either."""
    with ScriptedServer(features=(*PIPELINING, "SIZE 1000")) as server:
        sent, too_large = talk.send(server, talk.envelope(), talk.envelope("b@example.org", size=1001), ahead=True)
    assert sent.verdict is Verdict.ACCEPTED
    assert (too_large.verdict, too_large.reply) == (Verdict.PERMANENT, None)
    assert [command for command in server.commands if "b@example.org" in command] == []
    assert len(server.accepted) == 1


def test_connection_is_a_transport(talk) -> None:
    """A connection is what the delivery loop asks for."""
    with ScriptedServer() as server:

        async def act() -> bool:
            return conforms(Connection(talk.relay(server))).is_open

        assert asyncio.run(act()) is False
