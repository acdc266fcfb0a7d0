# SPDX-License-Identifier: Apache-2.0
"""What pollers see, and what the pollers that there are make of it."""

from __future__ import annotations

import itertools

import pytest

from moc_meter.agent.polling import base
from moc_meter.agent.polling.cpu import CpuMeters
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.hypervisor import base as hypervisors
from moc_meter.agent.polling.interface import InterfaceMeters
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.testing.hypervisor import FakeHypervisor, Figures
from moc_meter.truth import calendar
from moc_meter.truth.forms import Sample
from moc_meter.truth.readings import Reading
from moc_meter.truth.world import World

POLLERS = (CpuMeters, MemoryMeters, DiskMeters, InterfaceMeters)


def guest(reading: Reading) -> hypervisors.Guest:
    state = (hypervisors.PowerState.RUNNING if reading.on
             else hypervisors.PowerState.SHUT_OFF)
    return hypervisors.Guest(id=reading.resource_id, name=reading.name,
                             state=state, os_type='hvm',
                             architecture='x86_64', nova=None,
                             run=reading.run)


def disk(device: str, of: dict[str, int]) -> hypervisors.Disk:
    return hypervisors.Disk(
        device=device, capacity=of['capacity'], allocation=of['allocation'],
        physical=of['usage'], read_bytes=of['read.bytes'],
        read_requests=of['read.requests'], read_latency=of['read.latency'],
        write_bytes=of['write.bytes'], write_requests=of['write.requests'],
        write_latency=of['write.latency'])


def traffic(of: dict[str, int]) -> hypervisors.Traffic:
    return hypervisors.Traffic(bytes=of['bytes'], packets=of['packets'],
                               errors=of['packets.error'],
                               drops=of['packets.drop'])


def figures(reading: Reading) -> Figures:
    return Figures(
        cpu_time=reading.cpu_time, vcpus=reading.vcpus,
        memory=(hypervisors.Memory(**reading.memory)
                if reading.memory else None),
        disks=[disk(device, dict(of))
               for device, of in reading.disks.items()],
        interfaces=[hypervisors.Interface(
            name=tap, mac=None, filter=None, port=None, bridge=None,
            incoming=traffic(dict(of['incoming'])),
            outgoing=traffic(dict(of['outgoing'])))
            for tap, of in reading.interfaces.items()])


def instance(reading: Reading) -> base.Instance:
    return base.Instance(
        id=reading.resource_id, name=reading.name, host=reading.host,
        project_id=reading.project_id, user_id=reading.user_id,
        metadata=reading.metadata)


def made(source: str, readings: list[Reading]) -> list[Sample]:
    """What the pollers make of one tick on one host."""
    hypervisor = FakeHypervisor()
    hypervisor.there = {one.name: (guest(one), figures(one))
                        for one in readings}
    hypervisor.guests()
    tick = base.Tick(source=source,
                     instant=calendar.moment(readings[0].timestamp))
    return [Sample(one.source, one.message_id,
                   calendar.instant(one.timestamp), one.meter,
                   one.kind.value, one.unit, int(one.volume.scaleb(9)),
                   one.resource_id, one.project_id, one.user_id,
                   one.metadata)
            for poller in POLLERS
            for one in poller(hypervisor).samples(
                tick, [instance(reading) for reading in readings])]


@pytest.mark.parametrize('seed', range(6))
def test_pollers_make_of_readings_what_they_must(seed: int) -> None:
    world = World(seed)
    found = [sample for _, readings in itertools.groupby(
                 sorted(world.readings(),
                        key=lambda one: (one.timestamp, one.host)),
                 lambda one: (one.timestamp, one.host))
             for sample in made(world.source, list(readings))]
    expected = {sample.message_id: sample for sample in world.polled()}
    assert len(found) == len(expected) > 500
    assert {sample.message_id: sample for sample in found} == expected


def test_a_guest_that_is_off_has_no_figures() -> None:
    readings = [one for seed in range(6) for one in World(seed).readings()]
    assert {one.on for one in readings} == {True, False}
    assert all((one.cpu_time is not None) is one.on is bool(one.disks)
               for one in readings)


def test_a_host_that_is_down_is_not_seen() -> None:
    stretches = 0
    for seed in range(12):
        world = World(seed)
        readings = list(world.readings())
        for host in world.facts.hosts:
            for begin, end, _ in host.outages:
                stretches += 1
                assert not [one for one in readings if one.host == host.id
                            and begin <= one.timestamp < end]
    assert stretches > 5


def test_another_run_begins_with_counters_at_zero() -> None:
    runs = 0
    for seed in range(6):
        last: dict[str, Reading] = {}
        for one in World(seed).readings():
            before = last.get(one.resource_id)
            if (before and before.run == one.run and one.on and before.on):
                assert (one.cpu_time or 0) >= (before.cpu_time or 0)
            runs += bool(before and before.run != one.run)
            last[one.resource_id] = one
    assert runs > 5
