"""What a relay's reply means: temporary or permanent, and for whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.model import Reply
from mailer.status import Scope, Stage, Trust, Verdict, is_about_recipient, judge

LATER, NEVER = Verdict.TRANSIENT, Verdict.PERMANENT
DELIVERY, CONNECTION, LOGIN, SENDER = Scope.DELIVERY, Scope.CONNECTION, Scope.LOGIN, Scope.SENDER


def reply(text: str) -> Reply:
    code, _, words = text.partition(" ")
    status = words.split(" ")[0]
    return Reply(int(code), status if status.count(".") == 2 else None, (words,))


@pytest.mark.parametrize(
    ("stage", "text", "verdict", "scope"),
    [
        # The first digit decides.
        (Stage.RCPT, "550 5.1.1 No such user", NEVER, DELIVERY),
        (Stage.RCPT, "553 Mailbox name not allowed", NEVER, DELIVERY),
        (Stage.RCPT, "450 4.2.0 Greylisted", LATER, DELIVERY),
        (Stage.RCPT, "451 Local error", LATER, DELIVERY),
        (Stage.DATA, "554 5.5.1 No valid recipients", NEVER, DELIVERY),
        (Stage.BODY, "554 5.6.0 Content refused", NEVER, DELIVERY),
        (Stage.BODY, "451 4.3.0 Queue error", LATER, DELIVERY),
        # ... also against an enhanced code of another class.
        (Stage.RCPT, "550 4.1.1 Confused", NEVER, DELIVERY),
        (Stage.RCPT, "450 5.1.1 Confused", LATER, DELIVERY),
        # 552 at RCPT: too many recipients, or a full mailbox, but not a size.
        (Stage.RCPT, "552 Too many recipients", LATER, DELIVERY),
        (Stage.RCPT, "552 5.5.3 Too many recipients", LATER, DELIVERY),
        (Stage.RCPT, "552 5.2.2 Mailbox full", LATER, DELIVERY),
        (Stage.RCPT, "552 5.3.4 Message too big", NEVER, DELIVERY),
        (Stage.BODY, "552 5.3.4 Message too big", NEVER, DELIVERY),
        (Stage.BODY, "552 Message too big", NEVER, DELIVERY),
        # 421 ends the connection wherever it comes; 432 is Microsoft 365 with too many connections.
        *((stage, "421 4.3.2 Closing", LATER, CONNECTION) for stage in Stage),
        (Stage.BODY, "432 4.3.2 Concurrent connections limit exceeded", LATER, CONNECTION),
        (Stage.AUTH, "432 4.3.2 Concurrent connections limit exceeded", LATER, CONNECTION),
        # The login.
        (Stage.AUTH, "535 5.7.8 Wrong password", NEVER, LOGIN),
        (Stage.AUTH, "535 5.7.139 Authentication unsuccessful", NEVER, LOGIN),
        (Stage.AUTH, "534 5.7.9 Application-specific password required", NEVER, LOGIN),
        (Stage.AUTH, "550 5.7.30 Basic authentication is not supported", NEVER, LOGIN),
        (Stage.AUTH, "432 4.7.12 A password transition is needed", NEVER, LOGIN),
        (Stage.AUTH, "454 4.7.0 Temporary authentication failure", LATER, CONNECTION),
        (Stage.MAIL, "530 5.7.57 Client not authenticated", NEVER, LOGIN),
        (Stage.RCPT, "530 5.7.0 Authentication required", NEVER, LOGIN),
        # The sender, wherever the relay mentions it.
        (Stage.MAIL, "550 5.7.1 Not your address", NEVER, SENDER),
        (Stage.MAIL, "501 5.1.7 Bad sender address syntax", NEVER, SENDER),
        (Stage.MAIL, "451 4.1.8 Domain of sender does not resolve", LATER, DELIVERY),
        (Stage.RCPT, "553 5.7.1 <a@example.org>: Sender address rejected: not owned by user b", NEVER, SENDER),
        (Stage.BODY, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", NEVER, SENDER),
        (Stage.BODY, "550 5.7.1 Client does not have permissions to send as this sender", NEVER, SENDER),
        (Stage.BODY, "554 5.2.252 SendAsDenied; b not allowed to send as a", NEVER, SENDER),
        (Stage.BODY, "554 5.2.0 STOREDRV; SendAsDeniedException", NEVER, SENDER),
        (Stage.BODY, "550 5.7.1 Looks like spam", NEVER, DELIVERY),
        # At MAIL the message itself may be at fault.
        (Stage.MAIL, "552 5.3.4 Message size exceeds limit", NEVER, DELIVERY),
        (Stage.MAIL, "552 Message size exceeds limit", NEVER, DELIVERY),
        (Stage.MAIL, "550 5.6.7 SMTPUTF8 address not allowed", NEVER, DELIVERY),
        # A quota of the account is full until tomorrow.
        (Stage.MAIL, "550 5.4.5 Daily user sending limit exceeded", LATER, DELIVERY),
        (Stage.BODY, "550 5.7.232 Tenant has reached its external recipient limit", LATER, DELIVERY),
        # The two sides have lost step.
        (Stage.RCPT, "503 5.5.1 Bad sequence of commands", LATER, CONNECTION),
        (Stage.RCPT, "354 Go ahead", LATER, CONNECTION),
        (Stage.DATA, "250 Ok", LATER, CONNECTION),
        (Stage.BODY, "354 Go ahead", Verdict.UNKNOWN, CONNECTION),
        (Stage.GREETING, "554 5.7.1 No service for you", NEVER, CONNECTION),
    ],
)
def test_each_reply_has_its_meaning(stage: Stage, text: str, verdict: Verdict, scope: Scope) -> None:
    """A reply is temporary or permanent by its first digit, save where a cited rule says otherwise."""
    judgement = judge(stage, reply(text))
    assert (judgement.verdict, judgement.scope) == (verdict, scope)
    assert judgement.reason


CALLOUT = "550 5.1.1 <g1@example.org>: Recipient address rejected: mx said: 550 5.7.1 Sender address rejected"


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("text", [CALLOUT, "550 5.2.1 mx said: relaying denied", "530 5.1.6 Moved, login elsewhere"])
def test_an_enhanced_code_about_an_address_outweighs_the_words(text: str, trust: Trust) -> None:
    """What a relay repeats of another server's words makes nobody's address a matter of our sender or login."""
    judgement = judge(Stage.RCPT, reply(text), trust)
    assert (judgement.verdict, judgement.scope) == (NEVER, DELIVERY)


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("530 5.7.0 Authentication required", LOGIN),
        ("550 5.7.8 mx said: relaying needs login", LOGIN),
        ("550 Client is not allowed to send as events@example.org", SENDER),
        ("553 5.7.1 Sender address rejected: not owned by user b", SENDER),
        ("550 5.1.8 Domain of sender does not resolve", SENDER),
        ("550 5.1.0 <a@example.org>: Sender address rejected: User unknown", SENDER),
    ],
)
def test_whom_a_relay_knows_it_refuses_no_more_for_one_recipient(text: str, scope: Scope) -> None:
    """At RCPT, words about sender or login stop the run at its beginning only; at MAIL they hold for all."""
    assert judge(Stage.RCPT, reply(text)).scope is scope
    known = judge(Stage.RCPT, reply(text), Trust.KNOWN)
    assert (known.verdict, known.scope) == (NEVER, DELIVERY)
    assert known.reason
    assert judge(Stage.MAIL, reply(text), Trust.KNOWN).scope in {LOGIN, SENDER}


@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.1 Client does not have permissions to send as this sender",
        "550 5.7.1 Client does not have permission to send as this user",
        "554 5.2.0 STOREDRV.Submission; SendAsDeniedException",
        "554 5.7.1 <b@example.org> is not allowed to send as <a@example.org>",
        "554 5.7.1 <a@example.org>: Sender address rejected: not owned by user b",
    ],
)
def test_behind_the_dot_words_about_the_sender_hold_until_one_message_was_taken(text: str) -> None:
    """At first a sender who is not granted stops the run; later the same words are of one message, and a code alone
    still speaks of the sender."""
    for trust in (Trust.STRANGER, Trust.ADMITTED):
        assert judge(Stage.BODY, reply(text), trust).scope is SENDER
    known = judge(Stage.BODY, reply(text), Trust.KNOWN)
    assert (known.verdict, known.scope) == (NEVER, DELIVERY)
    coded = judge(Stage.BODY, reply("554 5.2.252 Denied"), Trust.KNOWN)
    assert (coded.verdict, coded.scope) == (NEVER, SENDER)


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize(
    "text",
    [
        "554 5.7.1 Spam. Please send as plain text",
        "550 Please send as an attachment",
        "552 5.7.0 You may send as many as 10 files",
        "554 5.7.1 Resend as text",
    ],
)
def test_send_as_in_another_sense_is_of_the_message(text: str, trust: Trust) -> None:
    """What a filter says of how to send a message stops nobody else's."""
    judgement = judge(Stage.BODY, reply(text), trust)
    assert (judgement.verdict, judgement.scope) == (NEVER, DELIVERY)


@pytest.mark.parametrize(
    ("stage", "text", "verdict", "scope", "slow_down"),
    [
        # RFC 4954 section 6, behind the login too; codes and enhanced codes each for themselves.
        (Stage.MAIL, "530 Authentication required", NEVER, LOGIN, False),
        (Stage.MAIL, "534 Authentication mechanism is too weak", NEVER, LOGIN, False),
        (Stage.MAIL, "535 Authentication credentials invalid", NEVER, LOGIN, False),
        (Stage.MAIL, "538 Encryption required for requested authentication mechanism", NEVER, LOGIN, False),
        (Stage.MAIL, "450 4.7.12 A password transition is needed", NEVER, LOGIN, False),
        (Stage.MAIL, "550 5.7.8 Authentication credentials invalid", NEVER, LOGIN, False),
        (Stage.MAIL, "550 5.7.9 Authentication mechanism is too weak", NEVER, LOGIN, False),
        (Stage.MAIL, "550 5.7.11 Encryption required for requested authentication mechanism", NEVER, LOGIN, False),
        # Microsoft 365, Exchange Online: the end of password logins.
        (Stage.MAIL, "550 5.7.30 Basic authentication is not supported for Client Submission", NEVER, LOGIN, False),
        # RFC 3463 sections 3.2 (X.1.7, X.1.8), and Exchange, without the words.
        (Stage.RCPT, "550 5.1.7 No", NEVER, SENDER, False),
        (Stage.RCPT, "550 5.1.8 No", NEVER, SENDER, False),
        (Stage.BODY, "554 5.2.252 No", NEVER, SENDER, False),
        (Stage.BODY, "550 5.7.60 No", NEVER, SENDER, False),
        # RFC 1870 section 6.1, RFC 3463 X.2.3, RFC 6531 section 3.5: at MAIL, of the message and not of the sender.
        (Stage.MAIL, "550 5.2.3 Message length exceeds administrative limit", NEVER, DELIVERY, False),
        (Stage.MAIL, "550 5.3.4 Message too big for system", NEVER, DELIVERY, False),
        (Stage.MAIL, "550 5.6.7 Non-ASCII addresses not permitted", NEVER, DELIVERY, False),
        # Google; Microsoft 365 (tenant's external recipients, and those of a trial tenant).
        (Stage.BODY, "550 5.4.5 Daily user sending limit exceeded", LATER, DELIVERY, True),
        (Stage.BODY, "550 5.7.232 Tenant exceeded its external recipient rate limit", LATER, DELIVERY, True),
        (Stage.BODY, "550 5.7.233 Trial tenant exceeded its external recipient rate limit", LATER, DELIVERY, True),
        # RFC 3463 X.3.2, X.4.5, X.5.3; Google; Microsoft 365: under a basic code that asks for no slower pace itself.
        (Stage.RCPT, "451 4.3.2 System not accepting network messages", LATER, DELIVERY, True),
        (Stage.RCPT, "451 4.4.5 Mail system congestion", LATER, DELIVERY, True),
        (Stage.RCPT, "451 4.5.3 Too many recipients", LATER, DELIVERY, True),
        (Stage.RCPT, "450 4.7.28 Unusual rate of mail", LATER, DELIVERY, True),
        (Stage.RCPT, "451 4.7.500 Server busy", LATER, DELIVERY, True),
    ],
)
def test_each_code_that_is_named_matters(
    stage: Stage, text: str, verdict: Verdict, scope: Scope, slow_down: bool
) -> None:
    """Where nothing else in a reply tells, the one code of its source decides."""
    judgement = judge(stage, reply(text))
    assert (judgement.verdict, judgement.scope, judgement.slow_down) == (verdict, scope, slow_down)


@pytest.mark.parametrize("text", ["503 5.5.1 Too many", "554 5.7.0 Too many", "530 5.7.0 Log in", "550 5.1.8 No"])
def test_a_mail_refused_where_one_was_accepted_concerns_the_connection(text: str) -> None:
    """The sender, and the login, are what they were before: another connection is needed, and nobody fails."""
    judgement = judge(Stage.MAIL, reply(text), has_begun=True)
    assert (judgement.verdict, judgement.scope, judgement.slow_down) == (LATER, CONNECTION, True)
    assert judge(Stage.MAIL, reply(text)).scope in {LOGIN, SENDER}


def test_a_message_that_is_too_large_is_so_on_any_connection() -> None:
    """At MAIL, what concerns the message itself stays with it, however many were accepted before."""
    judgement = judge(Stage.MAIL, reply("552 5.3.4 Message size exceeds limit"), has_begun=True)
    assert (judgement.verdict, judgement.scope) == (NEVER, DELIVERY)


@pytest.mark.parametrize(
    ("text", "is_theirs"),
    [
        ("550 5.1.1 No such user", True),
        ("550 5.4.4 No route", True),
        ("550 5.1.8 Sender's domain not found", False),
        ("550 5.7.1 Client host blocked", False),
        ("550 No such user here", True),
        ("550 unrouteable address", True),
        ("550 Sender address rejected", False),
        ("550 Your IP address is on a list", False),
        (
            "550 Domain example.org has exceeded the max emails per hour (200/200 (100%)) allowed. Message discarded.",
            False,
        ),
        ("530 Unknown user: log in", False),
        ("554 No such user", False),
    ],
)
def test_a_refusal_is_of_the_recipient_or_of_us(text: str, is_theirs: bool) -> None:
    """The enhanced code tells; without one, words about a mailbox do."""
    assert is_about_recipient(Stage.RCPT, reply(text)) is is_theirs


@pytest.mark.parametrize(
    ("text", "slow_down"),
    [
        ("421 4.7.0 Try again later", True),
        ("421 4.7.28 Unusual rate of mail", True),
        ("432 4.3.2 Concurrent connections limit exceeded", True),
        ("450 4.2.1 Peak SMTP relay limit exceeded", True),
        ("451 4.7.500 Server busy", True),
        ("452 4.5.3 Too many recipients", True),
        ("452 4.3.1 Insufficient system storage", True),
        ("452 4.2.2 This mailbox is full", False),
        ("454 Throttling failure: Maximum sending rate exceeded", True),
        ("550 5.4.5 Daily user sending limit exceeded", True),
        ("450 4.2.0 Greylisted", False),
        ("451 4.7.1 Greylisting in action", False),
        ("550 5.1.1 No such user", False),
    ],
)
def test_a_relay_that_asks_for_less_is_heard(text: str, slow_down: bool) -> None:
    """Too many connections, recipients or messages ask for a slower pace; a refused recipient or greylisting do not."""
    assert judge(Stage.RCPT, reply(text)).slow_down is slow_down


@given(
    st.sampled_from(Stage),
    st.integers(200, 599),
    st.none() | st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
)
def test_every_reply_at_every_stage_is_judged(stage: Stage, code: int, status: str | None) -> None:
    """No reply is accepted by mistake: only 2xx is a yes, and 3xx to DATA; unknown is never permanent below 500."""
    judgement = judge(stage, Reply(code, status, (status or "",)))
    assert (judgement.verdict is Verdict.ACCEPTED) == (code // 100 == (3 if stage is Stage.DATA else 2))
    if judgement.verdict is Verdict.PERMANENT and judgement.scope is Scope.DELIVERY:
        assert code >= 500


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (550, "5.1.1", "there is no such mailbox"),
        (450, "4.2.2", "the mailbox is full"),
        (554, "5.7.999", "refused"),
        (455, "4.7.999", "refused for now"),
        (450, "4.7.1", "refused by policy, for now"),
        (550, None, "the mailbox is not available"),
    ],
)
def test_replies_have_plain_words(code: int, status: str | None, words: str) -> None:
    """The enhanced status code is told in plain words, else the basic one; an unknown one by its class."""
    assert judge(Stage.RCPT, Reply(code, status, ("",))).reason == words
