# SPDX-License-Identifier: Apache-2.0
"""What every poller of instances makes of what it is told."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from importlib import resources
from typing import Any

import pytest

from moc_meter.agent.polling.base import ComputePoller, Tick
from moc_meter.agent.polling.cpu import CpuDelta, CpuMeters, CpuUtil
from moc_meter.agent.polling.disk import (
    DiskDeviceRates,
    DiskMeters,
    DiskRates,
    DiskTotals,
)
from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.interface import (
    InterfaceDeltas,
    InterfaceMeters,
    InterfaceRates,
)
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.agent.polling.perf import PerfMeters
from moc_meter.agent.polling.power import PowerMeter
from moc_meter.model.sample import Sample, derived_id
from moc_meter.testing.hypervisor import FakeHypervisor, Figures
from moc_meter.tests.unit.agent.polling.makers import (
    INSTANCE,
    OTHER,
    TEN,
    TICK,
)

TRAFFIC = base.Traffic(bytes=1, packets=2, errors=3, drops=4)
DISK = base.Disk(
    device='vda', read_requests=1, read_bytes=2, read_latency=3,
    write_requests=4, write_bytes=5, write_latency=6, capacity=7,
    allocation=8, physical=9)
TAP = base.Interface(name='tap1', mac=None, filter=None, port=None,
                     bridge=None, incoming=TRAFFIC, outgoing=TRAFFIC)
FIGURES = Figures(
    cpu_time=2 ** 53 + 1, vcpus=2,
    memory=base.Memory(resident=2048, usage=1024, assigned=4096,
                       available=3072, swap_in=512, swap_out=256),
    perf=base.Perf(l3_cache=1, bandwidth_total=2, bandwidth_local=3,
                   cycles=4, instructions=5, cache_references=6,
                   cache_misses=7),
    disks=[DISK], interfaces=[TAP])
BEFORE = Tick(source='region-1', instant=TICK.instant - TEN)
#: Of one hypervisor that we do not poll.
HYPER_V = {'disk.latency', 'disk.iops', 'disk.device.latency',
           'disk.device.iops'}


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    fake = FakeHypervisor()
    for instance in (INSTANCE, OTHER):
        fake.there[instance.name] = (base.Guest(
            id=instance.id, name=instance.name, nova=None, os_type=None,
            state=base.PowerState.RUNNING, architecture=None), FIGURES)
    fake.guests()
    return fake


#: Every poller, by its entry point.
POLLERS: Mapping[str, Callable[[FakeHypervisor], ComputePoller]] = {
    'cpu': CpuMeters, 'cpu.util': CpuUtil, 'cpu.delta': CpuDelta,
    'memory': MemoryMeters, 'power': PowerMeter, 'perf': PerfMeters,
    'disk': DiskMeters, 'disk.total': DiskTotals,
    'disk.device.rate': DiskDeviceRates, 'disk.rate': DiskRates,
    'interface': InterfaceMeters, 'interface.rate': InterfaceRates,
    'interface.delta': InterfaceDeltas}


@pytest.fixture(params=POLLERS)
def poller(request: pytest.FixtureRequest,
           hypervisor: FakeHypervisor) -> ComputePoller:
    """A poller that has read once before."""
    made = POLLERS[request.param](hypervisor)
    list(made.samples(BEFORE, [INSTANCE, OTHER]))
    hypervisor.time += 10 ** 9
    return made


def catalogue() -> Iterator[dict[str, str]]:
    path = resources.files('moc_meter.tests') / 'data/meters.csv'
    return csv.DictReader(path.read_text('utf-8').splitlines())


def of(samples: list[Sample], meter: str) -> Sample:
    [one] = [sample for sample in samples if sample.meter == meter]
    return one


def test_kind_and_unit_are_those_of_the_catalogue(
        poller: ComputePoller) -> None:
    known = {row['name']: (row['type'], row['unit']) for row in catalogue()}
    for sample in poller.samples(TICK, [INSTANCE]):
        assert (sample.kind, sample.unit) == known[sample.meter], sample.meter


def test_the_owner_and_the_tick_are_on_every_sample(
        poller: ComputePoller) -> None:
    for sample in poller.samples(TICK, [INSTANCE]):
        assert (sample.project_id, sample.user_id, sample.timestamp,
                sample.source) == ('p-1', 'u-1', TICK.instant, 'region-1')
        assert sample.metadata['display_name'] == 'web'


def test_the_id_is_made_of_tick_meter_and_resource(
        poller: ComputePoller) -> None:
    for sample in poller.samples(TICK, [INSTANCE]):
        assert sample.message_id == derived_id(
            '2026-03-01T12:00:00+00:00', sample.meter, sample.resource_id)


def test_one_turn_has_every_id_once(poller: ComputePoller) -> None:
    samples = list(poller.samples(TICK, [INSTANCE, OTHER]))
    assert len({sample.message_id for sample in samples}) == len(samples)


def test_a_vanished_instance_costs_no_other(
        poller: ComputePoller, hypervisor: FakeHypervisor) -> None:
    del hypervisor.there[INSTANCE.name]
    samples = list(poller.samples(TICK, [INSTANCE, OTHER]))
    assert {sample.project_id for sample in samples} == {'p-2'}


def test_every_figure_of_a_disk_is_in_its_place(
        hypervisor: FakeHypervisor) -> None:
    samples = DiskMeters(hypervisor).samples(TICK, [INSTANCE])
    assert {sample.meter.removeprefix('disk.device.'): sample.volume
            for sample in samples} == {
        'read.requests': 1, 'read.bytes': 2, 'read.latency': 3,
        'write.requests': 4, 'write.bytes': 5, 'write.latency': 6,
        'capacity': 9, 'allocation': 8, 'usage': 9}


def test_every_figure_of_an_interface_is_in_its_place(
        hypervisor: FakeHypervisor) -> None:
    samples = InterfaceMeters(hypervisor).samples(TICK, [INSTANCE])
    assert {sample.meter.removeprefix('network.'): sample.volume
            for sample in samples} == {
        f'{direction}.{name}': figure
        for direction in ('incoming', 'outgoing')
        for name, figure in (('bytes', 1), ('packets', 2),
                             ('packets.error', 3), ('packets.drop', 4))}


def test_a_long_count_of_ns_loses_no_digit(
        hypervisor: FakeHypervisor) -> None:
    samples = list(CpuMeters(hypervisor).samples(TICK, [INSTANCE]))
    assert of(samples, 'cpu').volume == 2 ** 53 + 1
    assert of(samples, 'cpu').metadata['cpu_number'] == 2


def test_resources_are_named_as_the_catalogue_has_it(
        hypervisor: FakeHypervisor) -> None:
    disk = DiskMeters(hypervisor).samples(TICK, [INSTANCE])
    interface = InterfaceMeters(hypervisor).samples(TICK, [INSTANCE])
    assert ({sample.resource_id for sample in (*disk, *interface)}) == {
        f'{INSTANCE.id}-vda',
        f'instance-0000000a-{INSTANCE.id}-tap1'}


def test_every_polled_meter_of_the_catalogue_is_made(
        hypervisor: FakeHypervisor) -> None:
    wanted = {row['name'] for row in catalogue() if row['profile'] == 'poll'}
    made = {sample.meter for make in POLLERS.values()
            for sample in twice(make(hypervisor), hypervisor)}
    assert made - wanted == {'memory', 'vcpus'}
    assert wanted - made == HYPER_V


def test_every_figure_of_memory_is_in_its_place(
        hypervisor: FakeHypervisor) -> None:
    assert volumes(MemoryMeters(hypervisor).samples(TICK, [INSTANCE])) == {
        'memory': 4, 'memory.usage': 1, 'memory.resident': 2,
        'memory.available': 3, 'memory.swap.in': Decimal('0.5'),
        'memory.swap.out': Decimal('0.25')}


def test_every_count_of_the_processor_is_in_its_place(
        hypervisor: FakeHypervisor) -> None:
    assert volumes(PerfMeters(hypervisor).samples(TICK, [INSTANCE])) == {
        'cpu_l3_cache': 1, 'memory.bandwidth.total': 2,
        'memory.bandwidth.local': 3, 'perf.cpu.cycles': 4,
        'perf.instructions': 5, 'perf.cache.references': 6,
        'perf.cache.misses': 7}


def test_an_event_that_is_not_enabled_has_no_sample(
        hypervisor: FakeHypervisor) -> None:
    change(hypervisor, perf=base.Perf(
        l3_cache=None, bandwidth_total=None, bandwidth_local=None, cycles=4,
        instructions=None, cache_references=None, cache_misses=None))
    assert volumes(PerfMeters(hypervisor).samples(TICK, [INSTANCE])) == {
        'perf.cpu.cycles': 4}


def test_a_guest_that_is_off_has_a_power_state_and_nothing_else(
        hypervisor: FakeHypervisor) -> None:
    guest, figures = hypervisor.there[INSTANCE.name]
    hypervisor.there[INSTANCE.name] = (dataclasses.replace(
        guest, state=base.PowerState.SHUT_OFF), figures)
    hypervisor.guests()
    assert volumes(sample for make in POLLERS.values()
                   for sample in twice(make(hypervisor), hypervisor)) == {
        'power.state': 5}


def test_cpu_util_is_of_all_cpus_together(hypervisor: FakeHypervisor) -> None:
    poller = CpuUtil(hypervisor)
    assert list(poller.samples(BEFORE, [INSTANCE])) == []
    hypervisor.time += 10 * 10 ** 9
    change(hypervisor, cpu_time=2 ** 53 + 1 + 5 * 10 ** 9)
    [sample] = poller.samples(TICK, [INSTANCE])
    assert sample.volume == 25
    assert sample.metadata['cpu_number'] == 2


def test_cpu_delta_is_what_was_added(hypervisor: FakeHypervisor) -> None:
    poller = CpuDelta(hypervisor)
    assert list(poller.samples(BEFORE, [INSTANCE])) == []
    change(hypervisor, cpu_time=2 ** 53 + 8)
    [sample] = poller.samples(TICK, [INSTANCE])
    assert sample.volume == 7


def test_without_its_cpus_there_is_no_util(
        hypervisor: FakeHypervisor) -> None:
    change(hypervisor, vcpus=None)
    assert twice(CpuUtil(hypervisor), hypervisor) == []


def test_sums_are_of_all_disks(hypervisor: FakeHypervisor) -> None:
    change(hypervisor, disks=[DISK, dataclasses.replace(
        DISK, device='vdb', read_bytes=40, capacity=100)])
    assert volumes(DiskTotals(hypervisor).samples(TICK, [INSTANCE])) == {
        'disk.read.requests': 2, 'disk.read.bytes': 42,
        'disk.write.requests': 8, 'disk.write.bytes': 10,
        'disk.capacity': 109, 'disk.allocation': 16, 'disk.usage': 18}


def test_a_figure_that_one_disk_lacks_has_no_sum(
        hypervisor: FakeHypervisor) -> None:
    change(hypervisor, disks=[DISK, dataclasses.replace(
        DISK, device='vdb', read_bytes=None)])
    sums = volumes(DiskTotals(hypervisor).samples(TICK, [INSTANCE]))
    assert 'disk.read.bytes' not in sums
    assert sums['disk.read.requests'] == 2


def test_rates_are_per_second_of_the_clock_of_the_readings(
        hypervisor: FakeHypervisor) -> None:
    pollers: list[ComputePoller] = [
        DiskDeviceRates(hypervisor), DiskRates(hypervisor),
        InterfaceRates(hypervisor)]
    assert not [sample for poller in pollers
                for sample in poller.samples(BEFORE, [INSTANCE])]
    hypervisor.time += 4 * 10 ** 9
    change(hypervisor, disks=[dataclasses.replace(
        DISK, read_bytes=10, write_requests=5)], interfaces=[
            dataclasses.replace(TAP, incoming=base.Traffic(
                bytes=2, packets=8, errors=9, drops=9))])
    assert volumes(sample for poller in pollers
                   for sample in poller.samples(TICK, [INSTANCE])) == {
        'disk.device.read.bytes.rate': 2,
        'disk.device.read.requests.rate': 0,
        'disk.device.write.bytes.rate': 0,
        'disk.device.write.requests.rate': Decimal('0.25'),
        'disk.read.bytes.rate': 2, 'disk.read.requests.rate': 0,
        'disk.write.bytes.rate': 0,
        'disk.write.requests.rate': Decimal('0.25'),
        'network.incoming.bytes.rate': Decimal('0.25'),
        'network.incoming.packets.rate': Decimal('1.5'),
        'network.outgoing.bytes.rate': 0,
        'network.outgoing.packets.rate': 0}


RATES = ['cpu.util', 'disk.device.rate', 'disk.rate', 'interface.rate']


@pytest.mark.parametrize('name', RATES)
@pytest.mark.parametrize('passed', [0, -10 ** 9])
def test_a_clock_that_does_not_go_on_makes_no_rate(
        hypervisor: FakeHypervisor, name: str, passed: int) -> None:
    assert twice(POLLERS[name](hypervisor), hypervisor, passed) == []


@pytest.mark.parametrize('name', [*RATES, 'cpu.delta'])
def test_a_restart_makes_no_rate_and_the_next_reading_does(
        hypervisor: FakeHypervisor, name: str) -> None:
    poller = POLLERS[name](hypervisor)
    list(poller.samples(BEFORE, [INSTANCE]))
    nothing = base.Traffic(bytes=0, packets=0, errors=0, drops=0)
    change(hypervisor, cpu_time=0, disks=[dataclasses.replace(
        DISK, read_bytes=0, read_requests=0, write_bytes=0,
        write_requests=0)], interfaces=[dataclasses.replace(
            TAP, incoming=nothing, outgoing=nothing)])
    hypervisor.time += 10 ** 9
    assert list(poller.samples(TICK, [INSTANCE])) == []
    hypervisor.time += 10 ** 9
    assert list(poller.samples(TICK, [INSTANCE]))


def test_a_disk_that_is_plugged_in_is_no_traffic(
        hypervisor: FakeHypervisor) -> None:
    poller = DiskRates(hypervisor)
    list(poller.samples(BEFORE, [INSTANCE]))
    change(hypervisor, disks=[DISK, dataclasses.replace(
        DISK, device='vdb', read_bytes=10 ** 12)])
    hypervisor.time += 10 ** 9
    assert list(poller.samples(TICK, [INSTANCE])) == []


def test_two_guests_with_one_tap_after_each_other_are_two(
        hypervisor: FakeHypervisor) -> None:
    poller = InterfaceRates(hypervisor)
    list(poller.samples(BEFORE, [INSTANCE]))
    hypervisor.time += 10 ** 9
    assert list(poller.samples(TICK, [OTHER])) == []


def test_traffic_since_the_last_reading_is_0_then_more_then_all_again(
        hypervisor: FakeHypervisor) -> None:
    poller = InterfaceDeltas(hypervisor)
    told = []
    for counted in (100, 130, 20):
        change(hypervisor, interfaces=[dataclasses.replace(
            TAP, incoming=dataclasses.replace(TRAFFIC, bytes=counted))])
        told.append(volumes(poller.samples(TICK, [INSTANCE]))[
            'network.incoming.bytes.delta'])
    assert told == [0, 30, 20]


def twice(poller: ComputePoller, hypervisor: FakeHypervisor,
          passed: int = 10 ** 9) -> list[Sample]:
    """The second answer, so much later."""
    list(poller.samples(BEFORE, [INSTANCE]))
    hypervisor.time += passed
    return list(poller.samples(TICK, [INSTANCE]))


def volumes(samples: Iterable[Sample]) -> dict[str, Decimal]:
    return {sample.meter: sample.volume for sample in samples}


def change(hypervisor: FakeHypervisor, **figures: Any) -> None:
    guest, before = hypervisor.there[INSTANCE.name]
    hypervisor.there[INSTANCE.name] = (
        guest, dataclasses.replace(before, **figures))
    hypervisor.guests()


LIVES = [dataclasses.replace(INSTANCE, run=run)
         for run in ('boot-1:5', 'boot-2:5')]


@pytest.mark.parametrize('name', [
    'cpu.util', 'cpu.delta', 'disk.device.rate', 'disk.rate',
    'interface.rate'])
def test_of_two_lives_nothing_is_derived(
        name: str, hypervisor: FakeHypervisor) -> None:
    """Though the second may have counted further than the first had."""
    poller = POLLERS[name](hypervisor)
    for instance in LIVES:
        hypervisor.time += 10 ** 9
        assert list(poller.samples(TICK, [instance])) == []


def test_traffic_of_another_life_is_all_that_it_counted(
        hypervisor: FakeHypervisor) -> None:
    poller = InterfaceDeltas(hypervisor)
    for instance in LIVES:
        hypervisor.time += 10 ** 9
        found = list(poller.samples(TICK, [instance]))
    assert {sample.volume for sample in found} == {TRAFFIC.bytes}
