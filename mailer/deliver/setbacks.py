"""When to leave a relay alone: for how long where its connections are of no use, for good where it refuses all."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from mailer.deliver.pace import BACK_OFF, JITTER, wait_after
from mailer.smtp import Outcome
from mailer.status import Stage, Verdict

# Seconds after the 1st, 2nd ... setback in a row. What follows is taken from the table of back-off, up to its 3rd wait.
REOPEN_AFTER = (1.0, 5.0, 15.0)
_LONGEST = 3
# Answers that make up for a message in doubt: where more are lost than one in so many, a person would soon have more to
# settle than to send.
_ANSWERS_A_DOUBT = 10


# Recipients in a row who are refused alike, and their domains, before it is the mailing that is refused.
_ALIKE, _DOMAINS = 10, 3


class Refusals:
    """Permanent refusals that say nothing of the recipient, until the relay has accepted anybody."""

    def __init__(self) -> None:
        self._last: tuple[Stage, int, str | None] | None = None
        self._number = 0
        self._domains: set[str] = set()
        self._has_accepted = False

    def hear(self, outcome: Outcome, domain: str) -> bool:
        """Whether so many, of several domains, have now been refused alike that the rest need not be tried.

        `domain` is that of the recipient.
        """
        self._has_accepted = self._has_accepted or outcome.verdict is Verdict.ACCEPTED
        reply = outcome.reply
        if self._has_accepted or reply is None:
            return False
        refusal = outcome.stage, reply.code, reply.enhanced_status
        if refusal != self._last:
            self._last, self._number = refusal, 0
            self._domains.clear()
        self._number += 1
        self._domains.add(domain)
        is_theirs = outcome.verdict is not Verdict.PERMANENT or _is_about_recipient(*refusal)
        return not is_theirs and self._number >= _ALIKE and len(self._domains) >= _DOMAINS


def _is_about_recipient(stage: Stage, code: int, status: str | None) -> bool:
    """RFC 3463 section 3.2 to 3.5: X.1 is about the address, X.2 about the mailbox, X.4 about the way there."""
    return status.startswith(("5.1.", "5.2.", "5.4.")) if status else stage is Stage.RCPT and code != 554


class Setbacks:
    """Connections in a row that were of no use, or left a message in doubt. Nothing is to be begun before `resume_at`.

    `last`: what the first waits did not mend, so that the next is a long one. `since`: when the first of them came.
    """

    def __init__(self, retry_after: float, source: random.Random) -> None:
        """`retry_after`: the first wait of the back-off, in seconds."""
        self.resume_at = datetime.min.replace(tzinfo=UTC)
        self.since = self.resume_at
        self._retry_after, self._source = retry_after, source
        self._number = 0
        self._answers_owed = 0
        self._doubted_at = self.resume_at

    @property
    def last(self) -> bool:
        return self._number > len(REOPEN_AFTER)

    def answered(self, at: datetime) -> None:
        """The relay replied at that moment. Behind a doubt, once is not enough; what came before it tells nothing."""
        if at < self._doubted_at:
            return
        self._answers_owed = max(0, self._answers_owed - 1)
        if not self._answers_owed:
            self._number = 0

    def add(self, now: datetime, *, left_doubt: bool) -> bool:
        """Counts one. False for one that had begun before a pause that still holds, and tells nothing new."""
        if left_doubt:
            self._answers_owed, self._doubted_at = _ANSWERS_A_DOUBT, now
        if now < self.resume_at:
            return False
        if self._number == 0:
            self.since = now
        self._number += 1
        if self.last:
            number = min(self._number - len(REOPEN_AFTER), _LONGEST)
            self.resume_at = now + wait_after(number, self._retry_after, self._source)
        else:
            self.resume_at = now + timedelta(seconds=REOPEN_AFTER[self._number - 1])
        return True

    def resume(self, until: datetime, now: datetime) -> bool:
        """Goes on with a pause that was asked of an earlier run; false if it is over.

        One that is longer than any was written by another clock and counts for nothing.
        """
        longest = timedelta(seconds=self._retry_after * BACK_OFF[_LONGEST - 1] * (1 + JITTER))
        if not now < until <= now + longest:
            return False
        self.resume_at = until
        return True
