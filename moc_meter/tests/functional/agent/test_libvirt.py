# SPDX-License-Identifier: Apache-2.0
"""Polling through libvirt's built-in driver: its single calls."""

from __future__ import annotations

import datetime
import logging
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.agent.polling.base import ComputePoller, Tick
from moc_meter.agent.polling.cpu import CpuMeters
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.hypervisor.libvirt import Libvirt
from moc_meter.agent.polling.interface import InterfaceMeters
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.model.sample import Sample
from moc_meter.tests.contract.hypervisors import (
    BuiltInSubject,
    domain_of,
    new_guest,
    nova_metadata,
)
from moc_meter.tests.servers.guest import Guest

TICK = Tick(source='region-1',
            instant=datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC))
HOST = 'compute-1'
BOOT = Path('/proc/sys/kernel/random/boot_id')


@pytest.fixture
def built_in() -> Iterator[BuiltInSubject]:
    with closing(BuiltInSubject()) as subject:
        yield subject


@pytest.fixture
def libvirt(built_in: BuiltInSubject) -> Libvirt:
    return Libvirt(built_in.url)


def polled(libvirt: Libvirt, poller: ComputePoller) -> dict[str, Sample]:
    """The samples by meter and resource."""
    instances = NovaInstances(libvirt, HOST).instances()
    return {f'{sample.meter} {sample.resource_id}': sample
            for sample in poller.samples(TICK, instances)}


def test_cpu_is_a_counter_in_ns(built_in: BuiltInSubject,
                                libvirt: Libvirt) -> None:
    guest = new_guest(vcpus=3)
    built_in.add(guest)
    found = polled(libvirt, CpuMeters(libvirt))
    sample = found[f'cpu {guest.uuid}']
    assert (sample.kind, sample.unit, sample.metadata['cpu_number']) == (
        'cumulative', 'ns', 3)
    assert sample.volume > 2 ** 53
    assert found[f'vcpus {guest.uuid}'].volume == 3


def test_memory_is_in_mib(built_in: BuiltInSubject,
                          libvirt: Libvirt) -> None:
    guest = new_guest(memory=64)
    built_in.add(guest)
    found = polled(libvirt, MemoryMeters(libvirt))
    kib = built_in.connection.lookupByName(guest.name).memoryStats()
    assert found[f'memory.resident {guest.uuid}'].volume == Decimal(
        kib['rss']) / 1024
    assert found[f'memory.usage {guest.uuid}'].volume == Decimal(
        kib['available'] - kib['usable']) / 1024


def test_without_a_balloon_there_is_no_usage(built_in: BuiltInSubject,
                                             libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.define(domain_of(guest).replace("model='virtio'/>\n  </dev",
                                             "model='none'/>\n  </dev"))
    assert polled(libvirt, MemoryMeters(libvirt)) == {}


def test_a_disk_is_the_instance_and_its_device(built_in: BuiltInSubject,
                                               libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.add(guest)
    found = polled(libvirt, DiskMeters(libvirt))
    assert {sample.resource_id for sample in found.values()} == {
        f'{guest.uuid}-vda', f'{guest.uuid}-vdb'}
    assert {sample.meter for sample in found.values()} == {
        f'disk.device.{name}' for name in (
            'read.bytes', 'read.requests', 'write.bytes', 'write.requests',
            'capacity', 'allocation', 'usage')}


def test_capacity_is_never_less_than_the_image(built_in: BuiltInSubject,
                                               libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.add(guest)
    found = polled(libvirt, DiskMeters(libvirt))
    # The driver says 1099506450432 of capacity in 1099511627776 of image.
    assert [found[f'disk.device.{name} {guest.uuid}-vda'].volume
            for name in ('capacity', 'usage', 'allocation')] == (
        [1099511627776] * 3)


def test_counts_of_a_disk_are_in_their_places(built_in: BuiltInSubject,
                                              libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.add(guest)
    domain = built_in.connection.lookupByName(guest.name)
    before = domain.blockStats('vda')
    found = polled(libvirt, DiskMeters(libvirt))
    after = domain.blockStats('vda')
    names = ('read.requests', 'read.bytes', 'write.requests', 'write.bytes')
    for name, low, high in zip(names, before, after, strict=False):
        figure = found[f'disk.device.{name} {guest.uuid}-vda'].volume
        assert low <= figure <= high, name


def test_an_interface_is_named_by_its_tap(built_in: BuiltInSubject,
                                          libvirt: Libvirt) -> None:
    guest = new_guest()
    port = '0f6c1d9e-3c52-4d0a-9d3a-6f6b1f1d2c3e'
    built_in.define(domain_of(guest, interface=(
        "<virtualport type='openvswitch'>"
        f"<parameters interfaceid='{port}'/></virtualport>")))
    tap = f'tap-{guest.name[-8:]}'
    found = polled(libvirt, InterfaceMeters(libvirt))
    sample = found[
        f'network.incoming.bytes {guest.name}-{guest.uuid}-{tap}']
    assert {name: sample.metadata[name] for name in (
        'name', 'vnic_name', 'mac', 'fref', 'parameters')} == {
        'name': tap, 'vnic_name': tap, 'mac': 'fa:16:3e:00:00:01',
        'fref': None,
        'parameters': {'interfaceid': port, 'bridge': 'br-int'}}


def test_an_interface_with_a_filter_is_named_by_it(
        built_in: BuiltInSubject, libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.define(domain_of(guest, interface=(
        "<filterref filter='nova-instance-0000000a-fa163e000001'/>")))
    found = polled(libvirt, InterfaceMeters(libvirt))
    assert {sample.resource_id for sample in found.values()} == {
        'nova-instance-0000000a-fa163e000001'}


def test_traffic_has_eight_figures_in_their_places(
        built_in: BuiltInSubject, libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.add(guest)
    domain = built_in.connection.lookupByName(guest.name)
    tap = f'tap-{guest.name[-8:]}'
    before = domain.interfaceStats(tap)
    found = polled(libvirt, InterfaceMeters(libvirt))
    after = domain.interfaceStats(tap)
    names = [f'network.{direction}.{name}'
             for direction in ('incoming', 'outgoing')
             for name in ('bytes', 'packets', 'packets.error',
                          'packets.drop')]
    for name, low, high in zip(names, before, after, strict=True):
        figure = found[f'{name} {guest.name}-{guest.uuid}-{tap}'].volume
        assert low <= figure <= high, name


def test_a_guest_of_a_nova_before_2021_is_found(built_in: BuiltInSubject,
                                                libvirt: Libvirt) -> None:
    guest = new_guest()
    built_in.define(domain_of(
        guest, nova_metadata(guest).replace('nova/1.1', 'nova/1.0')))
    [instance] = NovaInstances(libvirt, HOST).instances()
    assert instance.project_id == guest.project_id


def test_a_guest_without_an_owner_is_left_out_and_said_once(
        built_in: BuiltInSubject, libvirt: Libvirt,
        caplog: pytest.LogCaptureFixture) -> None:
    guest = new_guest(project_id='')
    built_in.add(guest)
    discovery = NovaInstances(libvirt, HOST)
    with caplog.at_level(logging.WARNING):
        assert [list(discovery.instances()) for _ in range(3)] == [[], [], []]
    # The driver comes with a guest of its own, which Nova did not make.
    assert discovery.skipped == 2
    assert sorted(record.getMessage().split('guest=')[1].split()[0]
                  for record in caplog.records) == [guest.name, 'test']


def test_names_that_users_choose_stay_as_they_are(
        built_in: BuiltInSubject, libvirt: Libvirt) -> None:
    name = '<!DOCTYPE x> &amp; ]]> "\'𝔻 é'
    built_in.add(new_guest(display_name=name))
    [instance] = NovaInstances(libvirt, HOST).instances()
    assert instance.metadata['display_name'] == name


def test_a_libvirt_that_is_not_there_is_unavailable() -> None:
    nowhere = Libvirt('qemu+unix:///session?socket=/nonexistent/socket')
    with pytest.raises(errors.HypervisorUnavailable, match='nonexistent'):
        nowhere.guests()


def test_a_life_on_another_machine_is_told_by_its_number_alone(
        ) -> None:
    """Our own start is not theirs, which cannot be asked for."""
    assert [Libvirt(url)._boot for url in (
        'qemu+ssh://compute-2/system', 'qemu+tls://[::1]:16514/system')
        ] == ['', '']
    assert {Libvirt(url)._boot for url in (
        'qemu:///system', 'qemu+unix:///session?socket=/run/x', 'test:///x')
        } == {BOOT.read_text().strip() + ':'}


def test_a_missing_binding_is_told_with_what_to_install(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'libvirt', None)
    with pytest.raises(errors.MissingLibrary,
                       match='install libvirt-python'):
        Libvirt('test:///default')


def test_the_connection_is_for_reading_only(
        built_in: BuiltInSubject, libvirt: Libvirt,
        capfd: pytest.CaptureFixture[str]) -> None:
    libvirt.guests()
    [domain] = libvirt._connection._connection.listAllDomains()
    with pytest.raises(libvirt._libvirt.libvirtError, match='read only'):
        domain.destroy()
    assert capfd.readouterr().err == ''


def guests(built_in: BuiltInSubject, count: int) -> list[Guest]:
    made = [new_guest() for _ in range(count)]
    for guest in made:
        built_in.add(guest)
    return made


def test_a_guest_that_vanishes_in_mid_poll_costs_no_other(
        built_in: BuiltInSubject, libvirt: Libvirt) -> None:
    first, second, third = guests(built_in, 3)
    instances = NovaInstances(libvirt, HOST).instances()
    samples = iter(DiskMeters(libvirt).samples(TICK, instances))
    begun = next(samples).resource_id
    left = {guest.uuid: guest for guest in (first, second, third)
            if guest.uuid != begun[:36]}
    _, vanishing = left.popitem()
    built_in.remove(vanishing)
    polled_ids = {sample.resource_id[:36] for sample in samples}
    assert polled_ids == {begun[:36], *left}
