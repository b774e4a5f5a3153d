"""What is to be delivered, and when: new jobs in their order, deferrals by the moment when they are due."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Job(Generic[C]):
    """A delivery to be made, by its number in the ledger, and the contact that its message is made from."""

    delivery_id: int
    contact: C
    recipients: int = 1


class Agenda(Generic[C]):
    """Deferrals whose time has come go before new jobs. `jobs` is read no further than it is used."""

    def __init__(self, jobs: Iterable[Job[C]], deferred: Iterable[tuple[datetime, Job[C]]], *, wait: bool) -> None:
        """`wait`: deferrals that are not due yet are on the agenda too, behind everything else."""
        self._jobs = iter(jobs)
        self._next = next(self._jobs, None)
        self._wait = wait
        self._turns = count()  # what is due at the same moment keeps its order
        self._deferred = [(due_at, next(self._turns), job) for due_at, job in deferred]
        heapq.heapify(self._deferred)

    def put(self, due_at: datetime, job: Job[C]) -> None:
        """Defers a job."""
        heapq.heappush(self._deferred, (due_at, next(self._turns), job))

    def first(self, now: datetime) -> tuple[datetime, Job[C]] | None:
        """What comes next, and when it is due; None where there is nothing more to do or to wait for."""
        if self._deferred and (self._deferred[0][0] <= now or (self._wait and self._next is None)):
            due_at, _, job = self._deferred[0]
            return due_at, job
        return (now, self._next) if self._next else None

    def strike(self, job: Job[C]) -> None:
        """Takes off what `first` gave."""
        if job is self._next:
            self._next = next(self._jobs, None)
        else:
            heapq.heappop(self._deferred)
