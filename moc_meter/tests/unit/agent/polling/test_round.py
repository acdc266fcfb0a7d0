# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import datetime
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import (
    HostSurvey,
    InstanceSurvey,
    Question,
    Survey,
)
from moc_meter.model.sample import Sample
from moc_meter.tests.contract.hypervisors import FakeSubject, new_guest
from moc_meter.tests.servers.base import until
from moc_meter.tests.unit.agent import rubbish
from moc_meter.tests.unit.agent.polling.makers import (
    LONG,
    NOON,
    TEN,
    TICK,
    Ask,
    FakeClock,
    FakeSurvey,
    ListPublisher,
    fails,
    patient,
    sample,
    says,
)

#: Of which a poller may take a quarter, and of that we wait for some.
SHORT = datetime.timedelta(seconds=4)
LATER = Tick(source='region-1', instant=NOON + TEN)


class Bench:
    """Rounds of one survey, with everything around them."""

    def __init__(self, survey: Survey,
                 interval: datetime.timedelta = TEN, *,
                 refusals: int = 0, hanging: str = '') -> None:
        """hanging: who has no more real time than its share."""
        self.clock = FakeClock()
        self.stop = threading.Event()
        self.publisher = ListPublisher(refusals)
        self.rounds = patient(
            Rounds('compute', survey, publisher=self.publisher,
                   interval=interval, clock=self.clock), hanging)

    def turn(self, tick: Tick = TICK) -> None:
        self.clock.time = max(self.clock.time, tick.instant)
        self.rounds.begin(tick, self.stop)
        assert self.rounds.join(LONG)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_every_poller_is_asked_once_a_round() -> None:
    bench = Bench(FakeSurvey(cpu=says('a', 'b'), disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['a', 'b', 'c']


def test_a_poller_that_fails_stops_no_other() -> None:
    bench = Bench(FakeSurvey(cpu=fails(ZeroDivisionError()),
                             disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['c']
    assert bench.rounds.counted['faults'] == 1


def test_a_fault_loses_no_more_than_its_own_instance() -> None:
    bench = Bench(FakeSurvey(disk=[
        says('a'), fails(OSError('stale handle'), 'b'), says('c')]))
    bench.turn()
    assert bench.publisher.resources == ['a', 'b', 'c']


def test_a_lasting_fault_is_logged_once_and_its_end_too(
        log: pytest.LogCaptureFixture) -> None:
    survey = FakeSurvey(disk=fails(OSError('stale')))
    bench = Bench(survey)
    bench.turn()
    bench.turn()
    survey.pollers['disk'] = says('a')
    bench.turn()
    bench.turn()
    assert [record.getMessage() for record in log.records] == [
        "polling fails: kind=compute name=disk reason=OSError('stale')",
        'polling works again: kind=compute name=disk']


def test_another_fault_is_logged_again(
        log: pytest.LogCaptureFixture) -> None:
    survey = FakeSurvey(disk=fails(OSError()))
    bench = Bench(survey)
    bench.turn()
    survey.pollers['disk'] = fails(KeyError('vda'))
    bench.turn()
    assert len(log.records) == 2


def test_a_hypervisor_that_is_away_ends_the_round_and_the_next_one_tries(
        log: pytest.LogCaptureFixture) -> None:
    away = errors.HypervisorUnavailable('libvirt does not answer')
    survey = FakeSurvey(cpu=[fails(away, 'a'), says('b')], disk=says('c'))
    bench = Bench(survey)
    bench.turn()
    assert bench.publisher.resources == ['a']
    survey.pollers['cpu'] = says('a')
    bench.turn()
    assert bench.publisher.resources == ['a', 'a', 'c']
    assert len(log.records) == 2


def test_while_nothing_is_found_the_log_says_so_once(
        log: pytest.LogCaptureFixture) -> None:
    subject = FakeSubject()
    subject.add(new_guest())
    bench = Bench(InstanceSurvey(NovaInstances(subject.fake, 'h'),
                                 {'disk': DiskMeters(subject.fake)}))
    subject.fake.away = True
    bench.turn()
    bench.turn(LATER)
    assert not bench.publisher.samples
    subject.fake.away = False
    bench.turn(LATER)
    assert bench.publisher.samples
    assert [record.getMessage().split(': ')[0] for record in log.records] == [
        'polling fails', 'polling works again']


def test_a_host_is_asked_by_its_name() -> None:
    class Names:
        def samples(self, tick: Tick, host: str) -> list[Sample]:
            return [sample(host, tick)]

    bench = Bench(HostSurvey('compute-1', {'cpu': Names()}))
    bench.turn()
    assert bench.publisher.resources == ['compute-1']


def test_a_full_spool_holds_the_round_with_growing_pauses(
        log: pytest.LogCaptureFixture) -> None:
    bench = Bench(FakeSurvey(cpu=says('a')), refusals=4)
    bench.turn()
    assert bench.publisher.resources == ['a']
    assert bench.clock.waited == [0.1, 0.2, 0.4, 0.8]
    assert [record.getMessage().split(' reason')[0]
            for record in log.records] == [
        'polling fails: kind=compute name=spool',
        'polling works again: kind=compute name=spool']


def test_while_the_spool_is_full_nothing_new_is_asked() -> None:
    bench = Bench(FakeSurvey(cpu=says('a')), refusals=1)
    waiting, room = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        assert room.wait(LONG)

    bench.clock.before_wait = wait
    bench.rounds.begin(TICK, bench.stop)
    assert waiting.wait(LONG)
    bench.rounds.begin(LATER, bench.stop)
    room.set()
    assert bench.rounds.join(LONG)
    assert [kept.timestamp for kept in bench.publisher.samples] == [NOON]
    assert bench.rounds.counted['skipped'] == 1


def test_a_stop_does_not_wait_for_room() -> None:
    bench = Bench(FakeSurvey(cpu=says('a', 'b')), refusals=10 ** 9)
    bench.clock.before_wait = bench.stop.set
    bench.turn()
    assert bench.rounds.counted['lost'] == 2


def test_a_round_that_hangs_is_said_once_and_never_begun_twice(
        log: pytest.LogCaptureFixture) -> None:
    hangs, begun, calls = threading.Event(), threading.Event(), []

    def hang(tick: Tick) -> list[Sample]:
        calls.append(tick)
        begun.set()
        assert hangs.wait(LONG)
        return []

    bench = Bench(FakeSurvey(cpu=hang))
    for _ in range(3):
        bench.rounds.begin(TICK, bench.stop)
    assert begun.wait(LONG)
    assert not bench.rounds.join(0)
    assert (calls, bench.rounds.counted['skipped']) == ([TICK], 2)
    hangs.set()
    assert bench.rounds.join(LONG)
    bench.turn(LATER)
    assert calls == [TICK, LATER]
    assert [record.getMessage().split(':')[0] for record in log.records] == [
        'polling skipped, the round before is not over', 'polling goes on']


def test_figures_that_come_after_the_next_tick_are_not_of_this_one() -> None:
    def late(tick: Tick) -> list[Sample]:
        bench.clock.time += TEN
        return [sample('late', tick)]

    bench = Bench(FakeSurvey(cpu=says('a'), disk=late))
    bench.turn()
    assert bench.publisher.resources == ['a']


def test_a_stop_in_mid_round_hands_over_what_is_there() -> None:
    def stops(tick: Tick) -> list[Sample]:
        bench.stop.set()
        return [sample('b', tick)]

    bench = Bench(FakeSurvey(cpu=[says('a'), stops, says('c')],
                             disk=says('d')))
    bench.turn()
    assert bench.publisher.resources == ['a', 'b']


def test_a_publisher_that_breaks_is_no_fault_of_a_poller() -> None:
    class Broken(ListPublisher):
        def publish(self, *_: object) -> None:
            raise ZeroDivisionError

    bench = Bench(FakeSurvey(cpu=says('a')))
    bench.rounds = patient(Rounds(
        'compute', FakeSurvey(cpu=says('a')), publisher=Broken(),
        interval=TEN, clock=bench.clock))
    bench.rounds.begin(TICK, bench.stop)
    with pytest.raises(ZeroDivisionError):
        bench.rounds.join(LONG)


def test_how_a_poller_fares_is_counted_where_it_is_given_up() -> None:
    """Who comes back later has answered nobody."""
    freed, back = threading.Event(), threading.Event()

    def hang(tick: Tick) -> Iterator[Sample]:
        assert freed.wait(LONG)
        yield sample('late', tick)
        back.set()

    survey = FakeSurvey(cpu=hang, disk=says('c'))
    bench = Bench(survey, SHORT, hanging='cpu')
    bench.turn()
    freed.set()
    assert back.wait(LONG)
    until(lambda: not bench.rounds._calls.hanging, LONG, 'the call to end')
    assert bench.rounds.faults == {'cpu': 1}
    assert bench.rounds.last_success == {'disk': NOON}
    survey.pollers['cpu'] = says('a')
    bench.turn(LATER)
    assert bench.rounds.faults == {'cpu': 1}
    assert bench.rounds.last_success == dict.fromkeys(('cpu', 'disk'),
                                                      NOON + TEN)


@pytest.mark.parametrize('given', [[None], ['ab'], *(
    [dataclasses.replace(sample('a'), **change)]
    for change in rubbish.FIELDS)])
def test_rubbish_is_a_fault_of_its_poller_alone(given: Any) -> None:
    bench = Bench(FakeSurvey(cpu=lambda _: given, disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['c']
    assert bench.rounds.faults == {'cpu': 1}


@pytest.mark.parametrize('make', rubbish.BREAKING)
def test_samples_that_break_their_reader_break_their_poller_alone(
        make: Callable[[], Mapping[str, object]]) -> None:
    bench = Bench(FakeSurvey(
        cpu=lambda _: [dataclasses.replace(sample('a'), metadata=make())],
        disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['c']
    assert bench.rounds.faults == {'cpu': 1}


def test_a_slow_poller_has_its_share_of_the_interval_and_no_more(
        log: pytest.LogCaptureFixture) -> None:
    def slow(tick: Tick) -> list[Sample]:
        bench.clock.time += datetime.timedelta(seconds=1)
        return [sample('b', tick)]

    bench = Bench(FakeSurvey(cpu=[slow] * 20, disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['b', 'b', 'b', 'c']
    assert (bench.rounds.counted['faults'], bench.rounds.faults) == (
        1, {'cpu': 1})
    assert [line.split(' reason')[0] for line in log.messages] == [
        'polling fails: kind=compute name=cpu']
    bench.turn(LATER)
    assert bench.publisher.resources[4:] == ['b', 'b', 'b', 'c']


def test_many_slow_pollers_leave_time_for_the_last_one() -> None:
    def slow(_: Tick) -> list[Sample]:
        bench.clock.time += TEN / 1000
        return []

    many: list[Ask] = [slow] * 400
    bench = Bench(FakeSurvey(a=many, b=many, c=many, d=many, e=many, f=many,
                             disk=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['c']


def test_what_is_too_large_for_the_spool_is_handed_over_in_parts() -> None:
    bench = Bench(FakeSurvey(cpu=says(*'abcde')))
    bench.publisher = ListPublisher(most=2)
    bench.rounds = patient(Rounds(
        'compute', FakeSurvey(cpu=says(*'abcde')), publisher=bench.publisher,
        interval=TEN, clock=bench.clock))
    bench.turn()
    assert bench.publisher.resources == [*'abcde']


def test_a_poller_that_hangs_delays_and_loses_no_other(
        log: pytest.LogCaptureFixture) -> None:
    freed = threading.Event()
    asked: list[Tick] = []

    def hang(tick: Tick) -> Iterator[Sample]:
        asked.append(tick)
        yield sample('first', tick)
        assert freed.wait(LONG)

    bench = Bench(FakeSurvey(cpu=[hang, hang], disk=says('c')), SHORT,
                  hanging='cpu')
    bench.turn()
    bench.turn(LATER)
    assert bench.publisher.resources == ['first', 'c', 'c']
    assert len(asked) == 1
    freed.set()
    assert [line.split(' reason')[0] for line in log.messages] == [
        'polling fails: kind=compute name=cpu']


class Silent:
    """A survey whose discovery fails, and does not say how."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def questions(self, _: Tick) -> list[Question]:
        raise self._fault


@pytest.mark.parametrize(('name', 'survey'), [
    ('discovery', Silent),
    ('cpu', lambda fault: FakeSurvey(cpu=fails(fault), disk=says('c')))])
def test_a_fault_that_hangs_when_it_is_told_is_one_that_hangs(
        name: str, survey: Callable[[Exception], Survey],
        log: pytest.LogCaptureFixture) -> None:
    let_go = threading.Event()
    bench = Bench(survey(rubbish.SilentFault(let_go)), SHORT, hanging=name)
    bench.turn()
    let_go.set()
    [line] = log.messages
    assert line == (f'polling fails: kind=compute name={name} '
                    f"reason=TimeoutError('a call hangs: {name}')")


def test_where_an_unknown_fault_was_raised_is_in_the_log(
        log: pytest.LogCaptureFixture) -> None:
    def slips(_: Tick) -> list[Sample]:
        return [][1]

    Bench(FakeSurvey(cpu=slips)).turn()
    assert 'in slips' in log.text


def test_a_discovery_that_hangs_is_asked_once(
        log: pytest.LogCaptureFixture) -> None:
    freed = threading.Event()
    asked: list[Tick] = []

    class Hangs:
        def questions(self, tick: Tick) -> list[Question]:
            asked.append(tick)
            assert freed.wait(LONG)
            return []

    bench = Bench(Hangs(), SHORT, hanging='discovery')
    bench.turn()
    bench.turn(LATER)
    freed.set()
    assert len(asked) == 1
    assert [line.split(' reason')[0] for line in log.messages] == [
        'polling fails: kind=compute name=discovery']


def test_when_the_next_tick_comes_what_was_read_is_handed_over() -> None:
    asked: list[Tick] = []

    def slow(tick: Tick) -> list[Sample]:
        asked.append(tick)
        bench.clock.time += TEN / 2
        return [sample('b', tick)]

    bench = Bench(FakeSurvey(cpu=says('a'), disk=slow, memory=slow,
                             power=says('c')))
    bench.turn()
    assert bench.publisher.resources == ['a', 'b']
    bench.clock.time = NOON + TEN
    bench.turn(LATER)
    assert bench.publisher.resources == ['a', 'b', 'a', 'b']
    assert asked == [TICK, TICK, LATER, LATER]


def test_many_samples_are_handed_over_in_parts() -> None:
    bench = Bench(FakeSurvey(cpu=[says(*'abcdefghij')] * 101))
    bench.turn()
    assert bench.publisher.parts == [500, 500, 10]
