"""What is to be delivered, and when: new jobs in their order, deferrals by the moment when they are due."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count, islice
from typing import Generic, TypeVar

C = TypeVar("C")

# So many new jobs are read at once, when there are fewer left than all connections together may claim.
_SOME = 1000
_LOW = 200


@dataclass(frozen=True, slots=True)
class Job(Generic[C]):
    """A delivery to be made, by its number in the ledger, and the contact that its message is made from.

    `transactions` are those that it may take.
    """

    delivery_id: int
    contact: C
    recipients: int
    transactions: int = 1


class Agenda(Generic[C]):
    """Deferrals whose time has come go before new jobs, of which some at a time are read, as they are needed."""

    def __init__(self, jobs: Iterable[Job[C]], deferred: Iterable[tuple[datetime, Job[C]]], *, wait: bool) -> None:
        """`wait`: deferrals that are not due yet are on the agenda too, behind everything else."""
        self._unread: Iterator[Job[C]] | None = iter(jobs)
        self._new: deque[Job[C]] = deque()
        self._wait = wait
        self._turns = count()  # what is due at the same moment keeps its order
        self._deferred = [(due_at, next(self._turns), job) for due_at, job in deferred]
        heapq.heapify(self._deferred)

    @property
    def is_low(self) -> bool:
        """Whether new jobs are to be read before `first` is asked."""
        return self._unread is not None and len(self._new) < _LOW

    @property
    def is_used_up(self) -> bool:
        """Whether all new jobs that were read are taken off, and there are more to read."""
        return self._unread is not None and not self._new

    def read(self) -> None:
        """Reads some new jobs, which may take its time. What is raised on the way ends the new jobs."""
        unread, self._unread = self._unread, None
        if unread is not None:
            some = list(islice(unread, _SOME))
            self._new.extend(some)
            self._unread = unread if len(some) == _SOME else None

    def put(self, due_at: datetime, job: Job[C]) -> None:
        """Defers a job."""
        heapq.heappush(self._deferred, (due_at, next(self._turns), job))

    def first(self, now: datetime) -> tuple[datetime, Job[C]] | None:
        """What comes next, and when it is due; None where there is nothing more to do or to wait for."""
        if self._deferred and (self._deferred[0][0] <= now or (self._wait and not self._new)):
            due_at, _, job = self._deferred[0]
            return due_at, job
        return (now, self._new[0]) if self._new else None

    def strike(self, job: Job[C]) -> None:
        """Takes off what `first` gave."""
        if self._new and job is self._new[0]:
            self._new.popleft()
        else:
            heapq.heappop(self._deferred)
