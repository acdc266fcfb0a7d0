# SPDX-License-Identifier: Apache-2.0
"""The clock: which job, and when."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moc_meter import errors

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that is done again and again, without being asked."""

    name: str
    interval: float                                 # seconds
    #: given the time it is, and what ends it early
    run: Callable[[datetime.datetime, threading.Event], None]


class JobService:
    """Runs each job at once and then at its interval, one after another.

    A job that cannot be done now (the store is away) is tried again at its
    next turn; what it would have done is not lost, since jobs look at what
    there is to do and remember nothing. Any other error is a bug and flies.
    """

    def __init__(self, jobs: Sequence[Job],
                 clock: Callable[[], datetime.datetime]) -> None:
        self._due = {job.name: (job, clock()) for job in jobs}
        self._clock = clock
        self._failing: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Until stop is set."""
        while not stop.is_set():
            for name, (job, due) in self._due.items():
                now = self._clock()
                if due <= now and not stop.is_set():
                    self._try(job, now, stop)
                    self._due[name] = (
                        job, now + datetime.timedelta(seconds=job.interval))
            earliest = min(due for _, due in self._due.values())
            stop.wait(max(0.0, (earliest - self._clock()).total_seconds()))

    def _try(self, job: Job, now: datetime.datetime,
             stop: threading.Event) -> None:
        try:
            job.run(now, stop)
        except errors.MeterError as fault:
            if not fault.retryable:
                raise
            if job.name not in self._failing:
                LOG.warning('job failed, tried again at its next turn: '
                            'job=%s reason=%s', job.name, fault)
            self._failing.add(job.name)
        else:
            if job.name in self._failing:
                LOG.info('job works again: job=%s', job.name)
            self._failing.discard(job.name)
