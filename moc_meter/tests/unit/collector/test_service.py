# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import pytest

from moc_meter import errors
from moc_meter.collector import service
from moc_meter.collector.service import Collector
from moc_meter.messaging import codec, entry
from moc_meter.messaging.base import Handle
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import MeterKind, Refused, Sample
from moc_meter.tests.contract.fakes import FakeDispatcher

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
HOLD = 240.0
BAD = Refused(content=b'\xff\0', code='moc_meter.sample.invalid',
              reason='no volume', origin='agent notification')


class Time(threading.Event):
    """The stop event, and a clock that runs only while it is waited on.

    plan: what happens when so many seconds have passed.
    """

    def __init__(self, plan: Iterable[tuple[float, Callable[[], object]]]
                 = ()) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.pauses: list[float] = []
        self.plan = sorted(plan, key=lambda step: step[0])

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, 'every wait is bounded'
        self.pauses.append(timeout)
        self.elapsed += timeout
        while self.plan and self.plan[0][0] <= self.elapsed:
            self.plan.pop(0)[1]()
        return self.is_set()

    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed


class ScriptedBus:
    """A receiver that hands over given batches; stops when all are done."""

    def __init__(self, *batches: Sequence[bytes]) -> None:
        self.batches = list(batches)
        self.given_back = 0

    def run(self, handle: Handle, stop: threading.Event) -> None:
        while self.batches and not stop.is_set():
            try:
                handle(self.batches[0])
            except BaseException:
                self.given_back += 1
                raise
            self.batches.pop(0)
        stop.set()

    def check(self) -> None:
        """There is nothing to look at."""

    def close(self) -> None:
        """There is nothing to close."""


def sample(number: int, timestamp: datetime.datetime = START) -> Sample:
    return Sample(source='region-1', message_id=f'm-{number}',
                  timestamp=timestamp, meter='vcpus', kind=MeterKind.GAUGE,
                  unit='vcpu', volume=Decimal(number), resource_id='i-1')


def batch(*numbers: int) -> bytes:
    return codec.encode([sample(number) for number in numbers])


def collect(bus: ScriptedBus, dispatcher: FakeDispatcher,
            time: Time | None = None) -> Collector:
    time = time or Time()
    collector = Collector(
        bus, [dispatcher], Admission(definitions=Definitions([])),
        clock=time.now, hold_seconds=HOLD, monotonic=time.monotonic)
    collector.run(time)
    return collector


def refusing(*numbers: int) -> Callable[[Sequence[Sample]], None]:
    """A destination that fails on every batch with one of these in it."""
    def refuse(samples: Sequence[Sample]) -> None:
        for one in samples:
            if one.volume in numbers:
                raise ValueError(f'cannot keep {one.volume}')
    return refuse


def away(dispatcher: FakeDispatcher) -> Callable[[object], None]:
    """From the first batch on the destination is away."""
    def leave(_samples: object) -> None:
        dispatcher.away = True
        raise errors.StoreUnavailable('gone')
    return leave


def back(dispatcher: FakeDispatcher) -> None:
    dispatcher.away = False
    dispatcher.refuses = len


def volumes(dispatcher: FakeDispatcher) -> list[int]:
    return sorted(int(one.volume) for one in dispatcher.samples.values())


def test_what_arrives_is_kept_before_it_is_acknowledged() -> None:
    bus, dispatcher = ScriptedBus([batch(1, 2)], [batch(3)]), FakeDispatcher()
    collector = collect(bus, dispatcher)
    assert volumes(dispatcher) == [1, 2, 3]
    assert (collector.counts.received, collector.counts.stored) == (3, 3)
    assert bus.batches == []


def test_several_messages_are_one_transaction() -> None:
    dispatcher = FakeDispatcher()
    collect(ScriptedBus([batch(1, 2), batch(3), batch(4)]), dispatcher)
    assert [size for size, _ in dispatcher.batches] == [4]


def test_what_is_delivered_again_is_counted_as_duplicate() -> None:
    collector = collect(ScriptedBus([batch(1, 2)], [batch(2, 1)]),
                        FakeDispatcher())
    assert (collector.counts.stored, collector.counts.duplicates) == (2, 2)


def test_every_destination_gets_every_batch() -> None:
    one, other, stop = FakeDispatcher(), FakeDispatcher(), Time()
    Collector(ScriptedBus([batch(1), b'?']), [one, other],
              Admission(definitions=Definitions([])),
              clock=stop.now).run(stop)
    assert volumes(one) == volumes(other) == [1]
    assert len(one.refused) == len(other.refused) == 1


def test_a_message_that_cannot_be_read_is_quarantined_with_its_bytes(
        ) -> None:
    dispatcher = FakeDispatcher()
    collector = collect(ScriptedBus([b'\xff?', batch(1)]), dispatcher)
    [refused] = dispatcher.refused.values()
    assert (refused.content, refused.code) == (
        b'\xff?', errors.InvalidMessage.code)
    assert volumes(dispatcher) == [1]
    assert collector.counts.refused == 1


def test_an_inadmissible_sample_is_quarantined_with_its_bytes() -> None:
    late = sample(1, START + datetime.timedelta(days=1))
    dispatcher = FakeDispatcher()
    collect(ScriptedBus([codec.encode([late, sample(2)])]), dispatcher)
    [refused] = dispatcher.refused.values()
    assert entry.read_sample(refused.content) == late
    assert 'not in the future' in refused.reason
    assert volumes(dispatcher) == [2]


def test_a_sample_that_no_database_could_spell_is_quarantined() -> None:
    message = batch(1).replace(b'"i-1"', b'"\\ud800"')
    dispatcher = FakeDispatcher()
    collect(ScriptedBus([message, batch(2)]), dispatcher)
    assert len(dispatcher.refused) == 1
    assert volumes(dispatcher) == [2]


def test_what_an_agent_refused_is_quarantined() -> None:
    dispatcher = FakeDispatcher()
    collect(ScriptedBus([codec.encode([sample(1)], [BAD])]), dispatcher)
    assert list(dispatcher.refused.values()) == [BAD]


def test_a_bad_sample_is_found_among_good_ones() -> None:
    dispatcher = FakeDispatcher(refusing(42))
    collector = collect(ScriptedBus([batch(*range(100))]), dispatcher)
    [refused] = dispatcher.refused.values()
    assert entry.read_sample(refused.content) == sample(42)
    assert 'cannot keep 42' in refused.reason
    assert volumes(dispatcher) == [n for n in range(100) if n != 42]
    assert (collector.counts.stored, collector.counts.refused) == (99, 1)
    assert len(dispatcher.batches) <= 2 * 7 + 1


def test_a_hundred_bad_samples_are_an_accident() -> None:
    dispatcher = FakeDispatcher(refusing(*range(100)))
    bus = ScriptedBus([batch(*range(300))])
    collect(bus, dispatcher)
    assert (len(dispatcher.refused), bus.given_back) == (100, 0)


def test_where_everything_looks_bad_it_is_given_back_and_looked_at_later(
        ) -> None:
    dispatcher = FakeDispatcher(refusing(*range(300)))
    bus = ScriptedBus([batch(*range(300))])
    def mend() -> None:
        assert dispatcher.refused == {}
        dispatcher.refuses = len
    time = Time([(service.FLOOD_SECONDS, mend)])
    collect(bus, dispatcher, time)
    assert volumes(dispatcher) == list(range(300))
    assert (bus.given_back, time.pauses) == (1, [service.FLOOD_SECONDS])


def test_a_short_outage_is_waited_for() -> None:
    dispatcher = FakeDispatcher()
    dispatcher.refuses = away(dispatcher)
    bus = ScriptedBus([batch(1)])
    time = Time([(HOLD - 60, lambda: back(dispatcher))])
    collector = collect(bus, dispatcher, time)
    assert volumes(dispatcher) == [1]
    assert (bus.given_back, collector.counts.held) == (0, 1)


@pytest.mark.parametrize('hours', [1, 72])
def test_a_long_outage_is_one_giving_back(hours: int) -> None:
    dispatcher = FakeDispatcher()
    dispatcher.refuses = away(dispatcher)
    bus = ScriptedBus([batch(1)], [batch(2)])
    time = Time([(hours * 3600, lambda: back(dispatcher))])
    collector = collect(bus, dispatcher, time)
    assert volumes(dispatcher) == [1, 2]
    assert (bus.given_back, collector.counts.given_back) == (1, 1)


@pytest.mark.parametrize('hours', [1, 72])
def test_a_store_that_answers_and_takes_nothing_is_one_giving_back(
        hours: int) -> None:
    """A full disk, a standby, a right that was taken away."""
    def full(_samples: object) -> None:
        raise errors.StoreUnavailable('disk full')
    dispatcher = FakeDispatcher(full)
    bus = ScriptedBus([batch(1)], [batch(2)])
    time = Time([(hours * 3600, lambda: back(dispatcher))])
    collector = collect(bus, dispatcher, time)
    assert volumes(dispatcher) == [1, 2]
    assert collector.counts.given_back == 1


def test_what_is_owed_and_bad_does_not_stop_the_others() -> None:
    def full(_samples: object) -> None:
        raise errors.StoreUnavailable('disk full')
    dispatcher = FakeDispatcher(full)

    def mended() -> None:
        dispatcher.refuses = refusing(1)
    bus = ScriptedBus([batch(1, 2)], [batch(3)])
    collect(bus, dispatcher, Time([(2 * HOLD, mended)]))
    assert (len(dispatcher.refused), volumes(dispatcher)) == (1, [2, 3])


def test_a_collector_that_waits_for_its_store_does_next_to_nothing() -> None:
    dispatcher = FakeDispatcher()
    dispatcher.away = True
    time = Time([(3600, lambda: back(dispatcher))])
    collect(ScriptedBus([batch(1)]), dispatcher, time)
    assert dispatcher.pings < 3600 / 30 + 10
    assert len(dispatcher.batches) == 1
    assert time.pauses[0] < 1
    assert max(time.pauses) == 30


def test_what_is_stored_late_is_not_recorded_early() -> None:
    dispatcher = FakeDispatcher()
    dispatcher.refuses = away(dispatcher)
    time = Time([(100, lambda: back(dispatcher))])
    collect(ScriptedBus([batch(1)]), dispatcher, time)
    assert dispatcher.batches[-1][1] == time.now()


def test_a_stop_does_not_wait_for_the_store() -> None:
    dispatcher = FakeDispatcher()
    dispatcher.refuses = away(dispatcher)
    bus, time = ScriptedBus([batch(1)]), Time()
    time.plan.append((10, time.set))
    collect(bus, dispatcher, time)
    assert time.elapsed < 30
    assert bus.batches == [[batch(1)]]


def test_the_quarantine_is_waited_for_as_well() -> None:
    class Late(FakeDispatcher):
        def quarantine(self, refused: Sequence[Refused],
                       now: datetime.datetime) -> None:
            if not time.elapsed:
                raise errors.StoreUnavailable('gone')
            super().quarantine(refused, now)
    time, dispatcher = Time(), Late(refusing(1))
    collect(ScriptedBus([batch(1, 2)]), dispatcher, time)
    assert (len(dispatcher.refused), volumes(dispatcher)) == (1, [2])


def test_a_wrong_schema_ends_the_collector() -> None:
    def mismatch(_samples: object) -> None:
        raise errors.StoreMismatch('another schema')
    bus = ScriptedBus([batch(1)])
    with pytest.raises(errors.StoreMismatch):
        collect(bus, FakeDispatcher(mismatch))
    assert bus.given_back == 1


def test_a_schema_that_is_wrong_before_anything_arrives_ends_it_too() -> None:
    class Mismatched(FakeDispatcher):
        def ping(self) -> None:
            raise errors.StoreMismatch('another schema')
    bus = ScriptedBus([batch(1)])
    with pytest.raises(errors.StoreMismatch):
        collect(bus, Mismatched())
    assert bus.given_back == 0


def test_a_fault_in_admission_stops_no_other_sample() -> None:
    class Faulty(Admission):
        def admit(self, sample: Sample, now: datetime.datetime) -> Sample:
            if sample.volume == 1:
                raise ZeroDivisionError
            return super().admit(sample, now)
    dispatcher, stop = FakeDispatcher(), Time()
    Collector(ScriptedBus([batch(1, 2)]), [dispatcher],
              Faulty(definitions=Definitions([])), clock=stop.now).run(stop)
    [refused] = dispatcher.refused.values()
    assert 'ZeroDivisionError' in refused.reason
    assert volumes(dispatcher) == [2]
