"""The dialogue without a socket: whatever is answered, it keeps its rules."""

from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import LoginRefused, RelayError, SenderRefused
from mailer.model import Address, Envelope, Reply
from mailer.smtp import Features, Outcome
from mailer.smtp.dialogue import Dialogue
from mailer.smtp.opening import hello, login
from mailer.smtp.steps import SILENCE, Ask, Body, Lost
from mailer.status import Verdict

A, B, C = (Address.parse(f"{name}@example.org") for name in "abc")
CONTENT = [b"Subject: x\r\n\r\nbody\r\n"]

answers = st.sampled_from(
    [
        None,
        *(Reply(code, None, ("x",)) for code in (250, 251, 354, 421, 432, 450, 452, 503, 530, 550, 552, 554, 235, 334)),
    ]
)


class Played:
    """Answers rightly, or as scripted (None: lost) where `wrong` says so; keeps what was written and said."""

    def __init__(self, answers: list[Reply | None], wrong: list[bool]) -> None:
        self.answers, self.wrong = list(answers), list(wrong)
        self.owed: list[str] = []
        self.said: list[tuple[str, Reply]] = []
        self.written: list[bytes] = []
        self.is_body_written = False

    def answer(self, step: Ask | Body) -> Reply:
        if isinstance(step, Body):
            self.is_body_written = True
            self.written += step.octets
            return SILENCE
        self.written += step.octets
        self.owed += [octets.decode().partition(" ")[0].strip() for octets in step.octets]
        command = self.owed.pop(0)
        good = Reply(354 if command == "DATA" else 250, None, ("ok",))
        scripted = self.answers.pop(0) if self.answers and self.wrong and self.wrong.pop(0) else good
        if scripted is None:
            raise Lost("it was lost")
        self.said.append((command, scripted))
        return scripted

    def run(self, steps: Generator[Ask | Body, Reply, Outcome]) -> Outcome:
        try:
            step = next(steps)
            while True:
                try:
                    answer = self.answer(step)
                except Lost as exc:
                    step = steps.throw(exc)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return end.value


@given(
    st.lists(answers, min_size=12, max_size=12),
    st.lists(st.sampled_from([False, False, True]), min_size=12, max_size=12),
    st.booleans(),
    st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=3, unique=True),
    st.none() | st.just(Envelope(A, (B,))),
    st.none() | st.integers(1, 2),
)
def test_the_rules_hold_whatever_is_answered(
    replies: list[Reply | None],
    wrong: list[bool],
    pipelining: bool,
    recipients: list[Address],
    following: Envelope | None,
    most_recipients: int | None,
) -> None:
    """No content goes where the addressee was refused; accepted means a 2xx to the first final dot; nothing but the
    stated errors is raised, and that never once the message was accepted."""
    played = Played(replies, wrong)
    dialogue = Dialogue("relay.example.org:25", Features(pipelining=pipelining, most_recipients=most_recipients))
    try:
        outcome = played.run(dialogue.send(Envelope(A, tuple(recipients)), CONTENT, following))
    except (SenderRefused, LoginRefused):
        outcome = None
    said = [(command, reply.code // 100) for command, reply in played.said]
    addressee = next((reply.code for command, reply in played.said if command == "RCPT"), 0)
    if played.is_body_written:
        assert addressee // 100 == 2
        assert ("MAIL", 2) in said
        assert ("DATA", 3) in said
    dotted = [reply.code // 100 for command, reply in played.said if command == "."]
    if outcome is None:
        assert dotted[:1] != [2]
        return
    assert (outcome.verdict is Verdict.ACCEPTED) == (dotted[:1] == [2])
    assert outcome.verdict is not Verdict.UNKNOWN or played.is_body_written
    if outcome.verdict is Verdict.PERMANENT:
        assert outcome.reply is not None
        assert outcome.reply.code >= 500


def test_a_354_without_the_addressee_ends_the_connection() -> None:
    """A relay that asks for the content after it refused the only recipient gets none, not even a dot."""
    played = Played([Reply(550, None, ("no",))], [False, True])
    dialogue = Dialogue("relay.example.org:25", Features(pipelining=True))
    outcome = played.run(dialogue.send(Envelope(A, (B,)), CONTENT))
    assert outcome.verdict is Verdict.PERMANENT
    assert dialogue.has_ended
    assert played.written == [b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.org>\r\n", b"DATA\r\n"]


def test_the_next_message_must_be_the_one_that_was_announced() -> None:
    """An envelope under way gets no other's message; once DATA went with it, taking it back ends the connection."""
    dialogue = Dialogue("relay.example.org:25", Features(pipelining=True))
    first, second = Envelope(A, (B,)), Envelope(A, (C,))
    played = Played([], [])
    assert played.run(dialogue.send(first, CONTENT, second)).verdict is Verdict.ACCEPTED
    with pytest.raises(ValueError, match="another envelope is under way"):
        played.run(dialogue.send(first, CONTENT))
    played.run(dialogue.abandon())
    assert dialogue.has_ended


def test_unsafe_content_is_refused_before_a_word_is_said() -> None:
    """A bare line feed never leads to a half-sent message."""
    played = Played([], [])
    with pytest.raises(ValueError, match="CR or LF"):
        played.run(Dialogue("relay.example.org:25", Features()).send(Envelope(A, (B,)), [b"a\nb"]))
    assert not played.written


@given(st.lists(answers, min_size=6, max_size=6), st.sampled_from(["PLAIN", "LOGIN", "XOAUTH2"]))
def test_the_opening_raises_only_what_it_states(replies: list[Reply | None], method: str) -> None:
    """Before the first message everything ends in success or in a RelayError that keeps the secret."""
    relay, played = "relay.example.org:25", Played(replies, [True] * 6)
    offered = Features(auth=frozenset({method}))
    for steps in (hello(relay, "me"), login(relay, offered, "me", "s3cret-word", xoauth2=method == "XOAUTH2")):
        try:
            played.run(steps)  # type: ignore[arg-type]
        except RelayError as exc:
            assert relay in str(exc)
            assert "s3cret" not in str(exc)
