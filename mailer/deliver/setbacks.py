"""When to leave a relay alone: for how long where its connections are of no use, for good where it refuses all."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from mailer.deliver.pace import BACK_OFF, JITTER, wait_after
from mailer.smtp import Outcome
from mailer.status import Stage, Verdict, is_about_recipient

# Seconds after the 1st, 2nd ... setback in a row. What follows is taken from the table of back-off, up to its 3rd wait.
REOPEN_AFTER = (1.0, 5.0, 15.0)
_LONGEST = 3
# Answers that make up for a message in doubt: where more are lost than one in so many, a person would soon have more to
# settle than to send.
_ANSWERS_A_DOUBT = 10
# Recipients who are refused alike with nobody accepted in between, and their domains, before it is the mailing that is
# refused.
_ALIKE, _DOMAINS = 10, 3


def still_holds(pause: datetime, now: datetime, retry_after: float) -> bool:
    """Whether nothing is to be begun before the end of a `pause` that was asked of an earlier run.

    One that is longer than any was written by another clock and counts for nothing.
    """
    longest = timedelta(seconds=retry_after * BACK_OFF[_LONGEST - 1] * (1 + JITTER))
    return now < pause <= now + longest


class Refusals:
    """Permanent refusals that say nothing of the recipient, since the relay last accepted anybody.

    Others, temporary ones and doubts in between neither count nor end the row.
    """

    def __init__(self) -> None:
        self._domains: dict[tuple[Stage, int, str | None], list[str]] = {}

    def hear(self, outcome: Outcome, domain: str) -> bool:
        """Whether so many, of several domains, have now been refused alike that the rest need not be tried.

        `domain` is that of the recipient.
        """
        reply = outcome.reply
        if outcome.verdict is Verdict.ACCEPTED:
            self._domains.clear()
        if outcome.verdict is not Verdict.PERMANENT or reply is None or is_about_recipient(outcome.stage, reply):
            return False
        domains = self._domains.setdefault((outcome.stage, reply.code, reply.enhanced_status), [])
        domains.append(domain)
        return len(domains) >= _ALIKE and len(set(domains)) >= _DOMAINS


class Setbacks:
    """Connections in a row that were of no use, or left a message in doubt. Nothing is to be begun before `resume_at`.

    `are_lasting`: the first waits did not mend it, so the next is a long one. `since`: when the first of them came.
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
    def are_lasting(self) -> bool:
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
        if self.are_lasting:
            number = min(self._number - len(REOPEN_AFTER), _LONGEST)
            self.resume_at = now + wait_after(number, self._retry_after, self._source)
        else:
            self.resume_at = now + timedelta(seconds=REOPEN_AFTER[self._number - 1])
        return True
