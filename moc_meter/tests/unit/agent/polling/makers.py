# SPDX-License-Identifier: Apache-2.0
"""What the tests of polling are built from."""

from __future__ import annotations

import datetime
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from moc_meter import errors
from moc_meter.agent.calls import Calls
from moc_meter.agent.polling.base import Instance, Measure, Tick
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import Question
from moc_meter.model.sample import MeterKind, Refused, Sample

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
TEN = datetime.timedelta(seconds=10)
#: Seconds that nothing takes that is to end, on any machine.
LONG = 60.0
TICK = Tick(source='region-1', instant=NOON)
INSTANCE = Instance(
    id='bd9431c1-8d69-4ad3-803a-8d4a6b89fd36', name='instance-0000000a',
    host='compute-1', project_id='p-1', user_id='u-1',
    metadata={'name': 'instance-0000000a', 'display_name': 'web'})
OTHER = Instance(
    id='0f6c1d9e-3c52-4d0a-9d3a-6f6b1f1d2c3e', name='instance-0000000b',
    host='compute-1', project_id='p-2', user_id='u-2')

Answer = TypeVar('Answer')

_LEVEL = Measure('level', MeterKind.GAUGE, 'B')


def sample(resource_id: str, tick: Tick = TICK) -> Sample:
    return _LEVEL.sample(tick, resource_id, 1, metadata={})


class FakeClock:
    """Time that passes when somebody waits, and only then.

    before_wait: what happens first; by default nothing.
    """

    def __init__(self, now: datetime.datetime = NOON) -> None:
        self.time = now
        self.waited: list[float] = []
        self.before_wait: Callable[[], None] = lambda: None

    def now(self) -> datetime.datetime:
        return self.time

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.before_wait()
        self.waited.append(seconds)
        self.time += datetime.timedelta(seconds=seconds)
        return stop.is_set()


class PatientCalls(Calls):
    """Gives real time in plenty to all but those who are to hang.

    The seconds of a call are real, whatever clock its share was told by: on
    a busy machine one whose thread is not run at once would seem to hang.
    """

    def __init__(self, hanging: Sequence[str]) -> None:
        """hanging: the keys of those who are to hang."""
        super().__init__('patient')
        self._to_hang = hanging

    def call(self, key: str, question: Callable[[], Answer],
             seconds: float) -> Answer:
        assert seconds > 0
        return super().call(key, question,
                            seconds if key in self._to_hang else LONG)


def patient(rounds: Rounds, *hanging: str) -> Rounds:
    """The rounds, with real time in plenty for all but those who hang."""
    rounds._calls = PatientCalls(hanging)
    return rounds


class ListPublisher:
    """Keeps what it is given; refuses while ``refusals`` are left.

    most: samples that it takes at once.
    """

    def __init__(self, refusals: int = 0, most: int = 10 ** 9) -> None:
        self._most = most
        self.samples: list[Sample] = []
        self.parts: list[int] = []
        self.refusals = refusals

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        assert not refused
        if len(samples) > self._most:
            raise errors.BatchTooLarge('a batch is larger than the spool')
        if self.refusals:
            self.refusals -= 1
            raise errors.SpoolFull('the spool has reached its cap')
        self.samples += samples
        self.parts.append(len(samples))

    def close(self) -> None:
        """Nothing to finish."""

    @property
    def resources(self) -> list[str]:
        return [kept.resource_id for kept in self.samples]


Ask = Callable[[Tick], Iterable[Sample]]


class FakeSurvey:
    """Pollers by name; each is a function of the tick, or more of them."""

    def __init__(self, **pollers: Ask | list[Ask]) -> None:
        self.pollers = pollers

    def questions(self, tick: Tick) -> Iterator[Question]:
        for name, asked in self.pollers.items():
            for ask in asked if isinstance(asked, list) else [asked]:
                yield name, functools.partial(ask, tick)


def says(*resources: str) -> Ask:
    """A poller that has one sample of each."""
    return lambda tick: [sample(resource, tick) for resource in resources]


def fails(fault: Exception, *first: str) -> Ask:
    """A poller that fails after its first samples."""
    def ask(tick: Tick) -> Iterator[Sample]:
        yield from says(*first)(tick)
        raise fault
    return ask
