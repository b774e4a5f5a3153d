"""What of a relay's words is believed, and of whom it is."""

from collections.abc import Callable
from datetime import timedelta

from mailer.model import State
from tests.deliver.conftest import EVENT, Mailing, accepted
from tests.servers import ScriptedServer, drop, say

MailingOf = Callable[[int], Mailing]


def test_what_is_sent_again_days_later_is_not_given_up_at_once(mailing_of: MailingOf) -> None:
    """A doubt of Friday that a person settles on Monday, by sending again, may be greylisted as any first try."""
    mailing = mailing_of(1)
    with ScriptedServer({"dot": drop}) as server:
        mailing.send(server)
    assert mailing.counts == {State.IN_DOUBT: 1}
    mailing.ahead = timedelta(days=3)
    mailing.ledger.resolve([one.id for one in mailing.ledger.deliveries(EVENT)], State.QUEUED, mailing.clock())
    for _ in range(3):
        with ScriptedServer({"rcpt": "450 4.7.1 Greylisted"}) as server:
            assert mailing.send(server).states == {State.DEFERRED: 1}
        mailing.ahead += timedelta(hours=6)
    mailing.ahead += timedelta(days=1)
    with ScriptedServer({"rcpt": "450 4.7.1 Greylisted"}) as server:
        assert mailing.send(server).states == {State.FAILED: 1}


def test_a_mailbox_that_is_switched_off_holds_nobody_else_up(mailing_of: MailingOf) -> None:
    """450 4.2.1 is about that mailbox (RFC 3463 section 3.3): it waits alone, and fails at the give-up time."""
    mailing = mailing_of(3)
    with ScriptedServer({"rcpt": ["450 4.2.1 Mailbox disabled"]}) as server:
        assert mailing.send(server).states == {State.DEFERRED: 1, State.SENT: 2}
    mailing.ahead = timedelta(days=3)
    with ScriptedServer({"rcpt": "450 4.2.1 Mailbox disabled"}) as server:
        assert mailing.send(server).states == {State.FAILED: 1}


def test_a_consent_before_the_message_is_none(mailing_of: MailingOf) -> None:
    """A 250 that comes together with the 354 is no answer to a message that had not been written."""
    mailing = mailing_of(1)
    with ScriptedServer({"data": [say(b"354 Go ahead\r\n250 2.0.0 Ok\r\n")]}) as server:
        mailing.send(server, wait=True, retry_after=0.01)
    assert mailing.counts == {State.SENT: 1}
    assert accepted(server) == {0: 1}


def test_what_was_said_before_the_nonsense_holds(mailing_of: MailingOf) -> None:
    """An acceptance, and a refusal, count though what follows it in the same breath is no SMTP."""
    mailing = mailing_of(2)
    words = [say(b"250 2.0.0 Queued\r\nGARBAGE\r\n"), say(b"550 5.7.1 Spam\r\n\r\n")]
    with ScriptedServer({"dot": words}) as server:
        mailing.send(server)
    assert mailing.counts == {State.SENT: 1, State.FAILED: 1}
