# SPDX-License-Identifier: Apache-2.0
import datetime
import threading

import pytest

from moc_meter import errors
from moc_meter.jobs.service import Job, JobService

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


class Clock:
    """Every look at it is a second later; stops the service at the end."""

    def __init__(self, stop: threading.Event, looks: int) -> None:
        self._stop = stop
        self._left = looks
        self._now = NOON

    def __call__(self) -> datetime.datetime:
        self._left -= 1
        if not self._left:
            self._stop.set()
        self._now += datetime.timedelta(seconds=1)
        return self._now


def test_a_job_runs_at_once_and_again_at_its_interval() -> None:
    stop, runs = threading.Event(), list[datetime.datetime]()
    job = Job(name='count', interval=0.0,
              run=lambda now, _stop: runs.append(now))
    JobService([job], Clock(stop, 7)).run(stop)
    assert len(runs) == 3


def test_a_job_that_cannot_be_done_now_is_tried_again() -> None:
    stop, tries = threading.Event(), list[datetime.datetime]()

    def run(now: datetime.datetime, _stop: threading.Event) -> None:
        tries.append(now)
        raise errors.StoreUnavailable('away')

    JobService([Job(name='try', interval=0.0, run=run)],
               Clock(stop, 7)).run(stop)
    assert len(tries) > 1


def test_a_bug_flies() -> None:
    def run(_now: datetime.datetime, _stop: threading.Event) -> None:
        raise ZeroDivisionError

    stop = threading.Event()
    with pytest.raises(ZeroDivisionError):
        JobService([Job(name='bug', interval=1.0, run=run)],
                   Clock(stop, 9)).run(stop)


def test_a_job_is_given_what_ends_it() -> None:
    """So a long one can end with the service."""
    stop, given = threading.Event(), list[threading.Event]()
    job = Job(name='long', interval=0.0,
              run=lambda _now, stop: given.append(stop))
    JobService([job], Clock(stop, 3)).run(stop)
    assert given[0] is stop
