# SPDX-License-Identifier: Apache-2.0
"""Guests of libvirt that do not answer, or answer oddly, and all the others.
"""

from __future__ import annotations

import datetime
import importlib
import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.clock import SystemClock
from moc_meter.agent.polling.cpu import CpuMeters
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.hypervisor.libvirt import Libvirt
from moc_meter.agent.polling.interface import InterfaceMeters
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import InstanceSurvey
from moc_meter.tests.contract.hypervisors import (
    BuiltInSubject,
    new_guest,
)
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.guest import Guest
from moc_meter.tests.servers.libvirtd import Libvirtd
from moc_meter.tests.unit.agent.polling.makers import (
    ListPublisher,
    PatientCalls,
)

INTERVAL = datetime.timedelta(minutes=10)
#: Seconds that a call may take here; longer than any that does not hang.
TIMEOUT = 3.0
_UUID = re.compile('[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')

Fault = Callable[[str, str, Callable[[], object]], None]


@pytest.fixture
def built_in() -> Iterator[BuiltInSubject]:
    with closing(BuiltInSubject()) as subject:
        yield subject


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Fault:
    """Makes one call of libvirt do something else for one guest first."""
    def make(call: str, uuid: str, first: Callable[[], object]) -> None:
        domain = importlib.import_module('libvirt').virDomain
        real = getattr(domain, call)

        def called(self: Any, *given: Any) -> Any:
            if self.UUIDString() == uuid:
                first()
            return real(self, *given)

        monkeypatch.setattr(domain, call, called)
    return make


@pytest.fixture
def freed() -> Iterator[threading.Event]:
    """What a call hangs for; set in the end, whatever the test does."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


class Bench:
    """Rounds of libvirt's guests, one after another."""

    def __init__(self, url: str, *guests: Guest) -> None:
        """guests: those that are looked at."""
        self._uuids = {guest.uuid for guest in guests}
        self.libvirt = Libvirt(url, TIMEOUT)
        self.publisher = ListPublisher()
        self.rounds = Rounds(
            'compute', InstanceSurvey(
                NovaInstances(self.libvirt, 'compute-1'),
                {'cpu': CpuMeters(self.libvirt),
                 'disk': DiskMeters(self.libvirt),
                 'interface': InterfaceMeters(self.libvirt),
                 'memory': MemoryMeters(self.libvirt)}),
            publisher=self.publisher, interval=INTERVAL, clock=SystemClock())

    def turn(self) -> set[tuple[str, str]]:
        """A round within its interval: meters and uuids of its samples."""
        self.publisher.samples.clear()
        self.rounds.begin(Tick(source='region-1', instant=SystemClock().now()),
                          threading.Event())
        assert self.rounds.join(INTERVAL.total_seconds())
        return {(sample.meter, found[0]) for sample in self.publisher.samples
                if (found := _UUID.findall(sample.resource_id))
                and found[0] in self._uuids}


def said(log: pytest.LogCaptureFixture) -> list[str]:
    """Without libvirt's own guest of its test driver, which Nova has not."""
    return [line.partition(' url=')[0].partition(' reason=')[0]
            for line in log.messages if 'guest=test ' not in line]


def guests(built_in: BuiltInSubject, count: int) -> list[Guest]:
    made = [new_guest(name=f'instance-{number:08x}')
            for number in range(count)]
    for guest in made:
        built_in.add(guest)
    return made


def test_one_of_a_thousand_that_hangs_delays_and_loses_no_other(
        built_in: BuiltInSubject, faulty: Fault, freed: threading.Event,
        log: pytest.LogCaptureFixture) -> None:
    made = guests(built_in, 1000)
    hung = made[500]
    faulty('blockInfo', hung.uuid, freed.wait)
    bench = Bench(built_in.url, *made)
    bench.libvirt._connection._calls = PatientCalls([hung.uuid])
    threads = threading.active_count()
    for _ in range(2):
        assert {uuid for meter, uuid in bench.turn()
                if meter == 'disk.device.read.bytes'} == {
            guest.uuid for guest in made} - {hung.uuid}
    assert bench.rounds.counted['skipped'] == 0
    assert threading.active_count() <= threads + 3
    assert said(log) == [
        f'guest does not answer, left out until it does: uuid={hung.uuid}']


@pytest.mark.parametrize(('hung', 'lines'), [(12, 12), (60, 26)])
def test_many_that_hang_at_once_use_up_no_more_than_four_time_outs(
        built_in: BuiltInSubject, faulty: Fault, freed: threading.Event,
        log: pytest.LogCaptureFixture, hung: int, lines: int) -> None:
    made = guests(built_in, hung + 8)
    for guest in made[:hung]:
        faulty('XMLDesc', guest.uuid, freed.wait)
    libvirt = Libvirt(built_in.url, timeout=1.0)
    libvirt._connection._calls = PatientCalls(
        [guest.uuid for guest in made[:hung]])
    names = {guest.name for guest in libvirt.guests()}
    assert sum(libvirt._waits) < 4.1
    assert names.isdisjoint(guest.name for guest in made[:hung])
    if hung == 12:
        assert names > {guest.name for guest in made[hung:]}
    ending = [line for line in log.messages if line.startswith('too many')]
    assert len(ending) == (hung > 12)
    assert len(log.messages) - len(ending) == pytest.approx(lines, abs=1)


def test_a_guest_that_answers_again_is_metered_again(
        built_in: BuiltInSubject, faulty: Fault, freed: threading.Event,
        log: pytest.LogCaptureFixture) -> None:
    good, bad = guests(built_in, 2)
    faulty('blockInfo', bad.uuid, freed.wait)
    bench = Bench(built_in.url, good, bad)
    first, second = bench.turn(), bench.turn()
    # What was read before it hung is told; nothing while it does.
    assert ('cpu', bad.uuid) in first
    assert {uuid for _, uuid in second} == {good.uuid}
    connection = bench.libvirt._connection._connection
    bench.turn()
    assert bench.libvirt._connection._connection is connection
    freed.set()
    until(lambda: not bench.libvirt._connection.hanging, 60, 'the call to end')
    assert ('disk.device.capacity', bad.uuid) in bench.turn()
    bench.turn()
    assert said(log) == [
        f'guest does not answer, left out until it does: uuid={bad.uuid}',
        f'guest is read again: uuid={bad.uuid}']


@pytest.mark.parametrize('call', ['XMLDesc', 'ID'])
def test_an_odd_error_in_discovery_costs_its_own_guest_only(
        built_in: BuiltInSubject, faulty: Fault, call: str,
        log: pytest.LogCaptureFixture) -> None:
    good, bad = guests(built_in, 2)
    error = importlib.import_module('libvirt').libvirtError

    def odd() -> None:
        raise error('internal error: a driver of its own')

    faulty(call, bad.uuid, odd)
    bench = Bench(built_in.url, good, bad)
    assert {uuid for _, uuid in bench.turn()} == {good.uuid}
    assert {uuid for _, uuid in bench.turn()} == {good.uuid}
    assert said(log) == [f'guest cannot be read: uuid={bad.uuid}']


def test_an_odd_error_in_one_figure_costs_that_figure_only(
        built_in: BuiltInSubject, faulty: Fault) -> None:
    [guest] = guests(built_in, 1)
    error = importlib.import_module('libvirt').libvirtError

    def odd() -> None:
        raise error('internal error: no such statistics today')

    faulty('memoryStats', guest.uuid, odd)
    bench = Bench(built_in.url, guest)
    meters = {meter for meter, _ in bench.turn()}
    assert {'cpu', 'disk.device.read.bytes',
            'network.incoming.bytes'} <= meters
    assert 'memory.resident' not in meters


def test_an_emulator_that_is_stuck_costs_its_own_guest_only(
        libvirtd_server: Libvirtd, log: pytest.LogCaptureFixture) -> None:
    server = libvirtd_server
    good, bad = new_guest(), new_guest()
    for guest in (good, bad):
        server.define_guest(guest)
        server.start_guest(guest)
    bench = Bench(server.qemu_uri, good, bad)
    assert ('disk.device.capacity', bad.uuid) in bench.turn()
    emulator = [pid for pid in server.pids if bad.name in Path(
        f'/proc/{pid}/cmdline').read_text()]
    server.send(signal.SIGSTOP, emulator)
    try:
        for _ in range(2):
            found = bench.turn()
            assert ('disk.device.capacity', good.uuid) in found
            assert ('disk.device.capacity', bad.uuid) not in found
    finally:
        server.send(signal.SIGCONT, emulator)
    until(lambda: not bench.libvirt._connection.hanging, 60, 'an answer')
    assert ('disk.device.capacity', bad.uuid) in bench.turn()
    assert [line for line in said(log) if bad.uuid in line][:1] == [
        f'guest does not answer, left out until it does: uuid={bad.uuid}']
    for guest in (good, bad):
        server.stop_guest(guest)


def test_a_daemon_that_is_stuck_is_unavailable_and_comes_back(
        log: pytest.LogCaptureFixture) -> None:
    guest = new_guest()
    with Libvirtd() as server:
        server.define_guest(guest)
        bench = Bench(server.qemu_uri, guest)
        bench.turn()
        server.send(signal.SIGSTOP)
        try:
            bench.turn()
            threads = threading.active_count()
            bench.turn()
            assert threading.active_count() == threads
        finally:
            server.send(signal.SIGCONT)
        until(lambda: not bench.libvirt._connection.hanging, 60, 'an answer')
        bench.turn()
    assert said(log) == [
        'polling fails: kind=compute name=discovery',
        'polling works again: kind=compute name=discovery']


def test_a_state_that_nobody_knows_costs_its_own_guest_only(
        built_in: BuiltInSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = guests(built_in, 2)
    connection = importlib.import_module('libvirt').virConnect
    real = connection.domainListGetStats

    def later(*given: Any) -> list[Any]:
        return [(guest, {**figures, 'state.state': 99})
                if guest.UUIDString() == bad.uuid else (guest, figures)
                for guest, figures in real(*given)]

    monkeypatch.setattr(connection, 'domainListGetStats', later)
    libvirt = Libvirt(built_in.url)
    names = {guest.name for guest in libvirt.guests()}
    assert (good.name in names, bad.name in names) == (True, False)
