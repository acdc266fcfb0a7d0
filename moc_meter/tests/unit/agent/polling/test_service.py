# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.service import PollingService
from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.tests.unit.agent.polling.makers import (
    LONG,
    NOON,
    TEN,
    FakeClock,
    FakeSurvey,
    ListPublisher,
    patient,
    says,
)


class Bench:
    """A service in time that passes by itself, for some waits."""

    def __init__(self, survey: FakeSurvey, *, start: datetime.datetime,
                 interval: datetime.timedelta = TEN, waits: int = 4) -> None:
        self.clock = FakeClock(start)
        self.publisher = ListPublisher()
        self.service = PollingService(
            source='region-1', interval=interval, surveys={'host': survey},
            publisher=self.publisher, clock=self.clock)
        patient(self.service.rounds['host'])
        self.stop = threading.Event()
        self._waits = waits
        self.clock.before_wait = self._settle

    def _settle(self) -> None:
        """Time stands still while a round is under way."""
        assert self.service.rounds['host'].join(LONG)
        self._waits -= 1
        if self._waits < 0:
            self.stop.set()

    def run(self) -> list[datetime.datetime]:
        self.service.run(self.stop)
        return [kept.timestamp for kept in self.publisher.samples]


def test_ticks_are_whole_multiples_and_the_first_is_still_to_come() -> None:
    bench = Bench(FakeSurvey(cpu=says('a')),
                  start=NOON + datetime.timedelta(seconds=3.25), waits=3)
    assert bench.run() == [NOON + TEN, NOON + 2 * TEN, NOON + 3 * TEN]


def test_a_start_on_a_whole_multiple_waits_for_the_next() -> None:
    assert Bench(FakeSurvey(cpu=says('a')), start=NOON,
                 waits=1).run() == [NOON + TEN]


@given(st.integers(1, 86_400),
       st.datetimes(datetime.datetime(1990, 1, 1),
                    datetime.datetime(2100, 1, 1)))
def test_two_agents_make_the_same_ticks(seconds: int,
                                        start: datetime.datetime) -> None:
    ticks = Bench(FakeSurvey(cpu=says('a')),
                  start=start.replace(tzinfo=datetime.UTC),
                  interval=datetime.timedelta(seconds=seconds)).run()
    assert len(ticks) == 4
    assert all((tick - period.EPOCH).total_seconds() % seconds == 0
               for tick in ticks)


def test_two_agents_that_overlap_make_the_same_samples() -> None:
    first, second = (Bench(FakeSurvey(cpu=says('a')), waits=2,
                           start=NOON + datetime.timedelta(seconds=late))
                     for late in (1, 7))
    first.run()
    second.run()
    assert first.publisher.samples == second.publisher.samples


def test_missed_ticks_are_counted_and_not_made_up() -> None:
    bench = Bench(FakeSurvey(cpu=says('a')), start=NOON, waits=3)
    settle = bench.clock.before_wait

    def oversleep() -> None:
        settle()
        if len(bench.clock.waited) == 1:
            bench.clock.time += 3 * TEN

    bench.clock.before_wait = oversleep
    assert bench.run() == [NOON + TEN, NOON + 6 * TEN]
    assert bench.service.missed == 4


def test_a_clock_that_is_set_back_a_little_repeats_no_tick() -> None:
    bench = Bench(FakeSurvey(cpu=says('a')), start=NOON, waits=3)
    settle = bench.clock.before_wait

    def set_back() -> None:
        settle()
        if len(bench.clock.waited) == 1:
            bench.clock.time -= datetime.timedelta(seconds=13)

    bench.clock.before_wait = set_back
    assert bench.run() == [NOON + TEN, NOON + 2 * TEN]


def test_a_wait_that_ends_early_makes_no_early_tick() -> None:
    seen = []

    def look(tick: Tick) -> list[Sample]:
        seen.append(bench.clock.time - tick.instant)
        return []

    bench = Bench(FakeSurvey(cpu=look), start=NOON, waits=10)
    settle = bench.clock.before_wait

    def wake_early() -> None:
        settle()
        bench.clock.time -= datetime.timedelta(
            seconds=len(bench.clock.waited) % 3)

    bench.clock.before_wait = wake_early
    bench.run()
    assert len(seen) > 2
    assert set(seen) == {datetime.timedelta(0)}


def test_a_stop_is_heeded_at_once() -> None:
    bench = Bench(FakeSurvey(cpu=says('a')), start=NOON)
    bench.stop.set()
    assert bench.run() == []


def test_a_kind_that_hangs_does_not_stop_another() -> None:
    hangs, free = threading.Event(), threading.Event()
    # What a poller may take is told in real seconds: these never run out.
    hour = datetime.timedelta(hours=1)

    def hang(tick: Tick) -> list[Sample]:
        hangs.set()
        assert free.wait(LONG)
        return []

    bench = Bench(FakeSurvey(cpu=says('a')), start=NOON, waits=3)
    bench.service = PollingService(
        source='region-1', interval=hour, publisher=bench.publisher,
        surveys={'compute': FakeSurvey(cpu=hang),
                 'host': FakeSurvey(cpu=says('a'))}, clock=bench.clock)
    settle = bench.clock.before_wait

    def then_free() -> None:
        settle()
        if bench.clock.waited:      # a round began, and time stands still
            assert hangs.wait(LONG)
        if bench.stop.is_set():
            free.set()

    bench.clock.before_wait = then_free
    assert len(bench.run()) == 3
    assert bench.service.rounds['compute'].counted['skipped'] == 2


def test_what_a_round_cannot_bear_ends_the_service() -> None:
    clock, breaks = FakeClock(), threading.Event()

    class Broken(ListPublisher):
        def publish(self, *_: object) -> None:
            breaks.set()
            raise ZeroDivisionError

    service = PollingService(
        source='region-1', interval=TEN, publisher=Broken(),
        surveys={'host': FakeSurvey(cpu=says('a'))}, clock=clock)
    patient(service.rounds['host'])

    def settle() -> None:
        """Else the tick would be over before anything is asked."""
        assert not clock.waited or breaks.wait(LONG)

    clock.before_wait = settle
    with pytest.raises(ZeroDivisionError):
        service.run(threading.Event())
