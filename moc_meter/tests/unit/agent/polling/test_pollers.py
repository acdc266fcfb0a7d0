# SPDX-License-Identifier: Apache-2.0
"""What every poller of instances makes of what it is told."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from importlib import resources

import pytest

from moc_meter.agent.polling.base import ComputePoller
from moc_meter.agent.polling.cpu import CpuMeters
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.interface import InterfaceMeters
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.model.sample import Sample, derived_id
from moc_meter.tests.contract.hypervisors import FakeHypervisor, Figures
from moc_meter.tests.unit.agent.polling.makers import INSTANCE, OTHER, TICK

TRAFFIC = base.Traffic(bytes=1, packets=2, errors=3, drops=4)
FIGURES = Figures(
    cpu_time=2 ** 53 + 1, vcpus=2,
    memory=base.Memory(resident=2048, usage=1024),
    disks=[base.Disk(
        device='vda', read_requests=1, read_bytes=2, read_latency=3,
        write_requests=4, write_bytes=5, write_latency=6, capacity=7,
        allocation=8, physical=9)],
    interfaces=[base.Interface(
        name='tap1', mac=None, filter=None, port=None, bridge=None,
        incoming=TRAFFIC, outgoing=TRAFFIC)])


@pytest.fixture
def hypervisor() -> FakeHypervisor:
    fake = FakeHypervisor()
    for instance in (INSTANCE, OTHER):
        fake.there[instance.name] = (base.Guest(
            id=instance.id, name=instance.name, nova=None, os_type=None,
            state=base.PowerState.RUNNING, architecture=None), FIGURES)
    fake.guests()
    return fake


@pytest.fixture(params=[CpuMeters, MemoryMeters, DiskMeters,
                        InterfaceMeters])
def poller(request: pytest.FixtureRequest,
           hypervisor: FakeHypervisor) -> ComputePoller:
    made: ComputePoller = request.param(hypervisor)
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
