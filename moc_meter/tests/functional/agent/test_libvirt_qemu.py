# SPDX-License-Identifier: Apache-2.0
"""Polling a real QEMU guest, whose disk traffic is known to the byte."""

from __future__ import annotations

import datetime
import importlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.polling.base import ComputePoller, Tick
from moc_meter.agent.polling.clock import SystemClock
from moc_meter.agent.polling.cpu import CpuMeters
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.disk import DiskMeters
from moc_meter.agent.polling.hypervisor.libvirt import Libvirt
from moc_meter.agent.polling.interface import InterfaceMeters
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import InstanceSurvey
from moc_meter.model.sample import Sample
from moc_meter.tests.contract.hypervisors import new_guest
from moc_meter.tests.servers import guest as guests
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.guest import Guest
from moc_meter.tests.servers.libvirtd import Libvirtd
from moc_meter.tests.unit.agent.polling.makers import ListPublisher

BOOT = Path('/proc/sys/kernel/random/boot_id')
TICK = Tick(source='region-1',
            instant=datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC))


@pytest.fixture(scope='module')
def server() -> Iterator[Libvirtd]:
    """One of our own: it is stopped here, and others use theirs."""
    with Libvirtd() as server:
        yield server


@pytest.fixture(scope='module')
def guest(server: Libvirtd) -> Guest:
    guest = new_guest()
    server.define_guest(guest)
    server.start_guest(guest)
    return guest


@pytest.fixture
def libvirt(server: Libvirtd) -> Libvirt:
    return Libvirt(server.qemu_uri)


def polled(libvirt: Libvirt, poller: ComputePoller,
           guest: Guest) -> dict[str, Sample]:
    """The samples of the guest by meter, and by device where there is one."""
    instances = NovaInstances(libvirt, 'compute-1').instances()
    return {sample.meter + sample.resource_id.removeprefix(guest.uuid): sample
            for sample in poller.samples(TICK, instances)
            if sample.resource_id.startswith(guest.uuid)}


def settled(libvirt: Libvirt, poller: ComputePoller, guest: Guest,
            meter: str) -> dict[str, Sample]:
    """What is polled once it has the meter.

    libvirt leaves out what a guest that it is busy with would have to be
    waited for, so a turn on a busy machine may have less.
    """
    found: dict[str, Sample] = {}

    def asked() -> bool:
        found.clear()
        found.update(polled(libvirt, poller, guest))
        return meter in found

    until(asked, 60, f'{meter} to be told')
    return found


def test_what_the_guest_read_and_wrote_is_told_to_the_byte(
        libvirt: Libvirt, guest: Guest) -> None:
    found = polled(libvirt, DiskMeters(libvirt), guest)
    assert {name: found[f'disk.device.{name}-vda'].volume for name in (
        'read.requests', 'read.bytes', 'write.requests', 'write.bytes')} == {
        'read.requests': guests.READ_REQUESTS,
        'read.bytes': guests.READ_BYTES,
        'write.requests': guests.WRITE_REQUESTS,
        'write.bytes': guests.WRITE_BYTES}


def test_a_disk_that_nobody_touched_has_zeros(libvirt: Libvirt,
                                              guest: Guest) -> None:
    found = polled(libvirt, DiskMeters(libvirt), guest)
    assert [found[f'disk.device.{name}-vdb'].volume
            for name in ('read.bytes', 'write.bytes')] == [0, 0]


def test_sizes_are_those_of_the_image(server: Libvirtd, libvirt: Libvirt,
                                      guest: Guest) -> None:
    found = polled(libvirt, DiskMeters(libvirt), guest)
    told = {line.partition(':')[0]: int(line.split()[-1]) for line in
            server.virsh('domblkinfo', guest.name, 'vda').splitlines()
            if line}
    assert [found[f'disk.device.{name}-vda'].volume
            for name in ('capacity', 'allocation', 'usage')] == [
        max(told['Capacity'], told['Physical']), told['Allocation'],
        told['Physical']]
    assert told['Capacity'] == guests.DISK_BYTES


def test_writing_took_the_disk_some_time(libvirt: Libvirt,
                                         guest: Guest) -> None:
    found = polled(libvirt, DiskMeters(libvirt), guest)
    sample = found['disk.device.write.latency-vda']
    assert (sample.volume > 0, sample.unit) == (True, 'ns')


def test_cpu_time_is_that_of_the_whole_guest(server: Libvirtd,
                                             libvirt: Libvirt,
                                             guest: Guest) -> None:
    def told() -> int:
        lines = server.virsh('domstats', '--cpu-total', guest.name)
        return int(lines.split('cpu.time=')[1].split()[0])

    before = told()
    found = polled(libvirt, CpuMeters(libvirt), guest)
    assert 0 < before <= found['cpu'].volume <= told()
    assert found['vcpus'].volume == guest.vcpus


def test_a_turn_is_read_at_once(server: Libvirtd, libvirt: Libvirt,
                                guest: Guest) -> None:
    libvirt.guests()
    server.stop_daemon()
    try:
        assert libvirt.cpu_time(guest.name)
        assert libvirt.vcpus(guest.name) == guest.vcpus
        assert libvirt.memory(guest.name)
        assert libvirt.interfaces(guest.name) == []
    finally:
        server.start_daemon()


def test_without_a_driver_in_the_guest_there_is_no_memory_usage(
        libvirt: Libvirt, guest: Guest) -> None:
    found = settled(libvirt, MemoryMeters(libvirt), guest, 'memory.resident')
    assert set(found) == {'memory', 'memory.resident'}
    assert found['memory'].volume == guest.memory
    assert 0 < found['memory.resident'].volume < 4096


def test_an_interface_that_libvirt_cannot_count_has_no_samples(
        libvirt: Libvirt, guest: Guest) -> None:
    instances = NovaInstances(libvirt, 'compute-1').instances()
    assert not list(InterfaceMeters(libvirt).samples(TICK, instances))


def test_nova_metadata_comes_whole(server: Libvirtd, libvirt: Libvirt,
                                   guest: Guest) -> None:
    [instance] = [one for one
                  in NovaInstances(libvirt, 'compute-1').instances()
                  if one.id == guest.uuid]
    assert instance.metadata == {
        'host': 'compute-1', 'name': guest.name, 'status': 'active',
        'state': 'active', 'os_type': 'hvm', 'architecture': 'x86_64',
        'run': f'{BOOT.read_text().strip()}:'
               f'{server.virsh("domid", guest.name).strip()}',
        'display_name': guest.display_name,
        'flavor': {'name': guest.flavor, 'vcpus': 2, 'ram': 64, 'disk': 1,
                   'ephemeral': 0, 'swap': 0},
        'image': {'id': guest.image_id}, 'vcpus': 2, 'memory_mb': 64,
        'disk_gb': 1, 'root_gb': 1, 'ephemeral_gb': 0}


def test_a_restarted_guest_counts_from_zero(server: Libvirtd,
                                            libvirt: Libvirt) -> None:
    guest = new_guest()
    server.define_guest(guest)
    counts = []
    for _ in range(2):
        server.start_guest(guest)
        found = polled(libvirt, DiskMeters(libvirt), guest)
        counts.append(found['disk.device.write.bytes-vda'].volume)
        server.stop_guest(guest)
        assert not polled(libvirt, DiskMeters(libvirt), guest)
    assert counts == [guests.WRITE_BYTES] * 2


def test_a_restarted_daemon_is_found_again(server: Libvirtd,
                                           libvirt: Libvirt,
                                           guest: Guest) -> None:
    name = 'disk.device.write.bytes-vda'
    before = settled(libvirt, DiskMeters(libvirt), guest, name)
    server.stop_daemon()
    with pytest.raises(errors.HypervisorUnavailable):
        libvirt.guests()
    server.start_daemon()
    after = settled(libvirt, DiskMeters(libvirt), guest, name)
    assert after[name].volume == before[name].volume


def test_a_daemon_that_restarts_in_mid_turn_is_not_even_noticed(
        server: Libvirtd, libvirt: Libvirt, guest: Guest,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """The domains that the old connection had listed are of no use then."""
    connection = importlib.import_module('libvirt').virConnect
    real = connection.listAllDomains
    listed: list[Any] = []

    def restarting(self: Any) -> Any:
        found = real(self)
        if not listed:
            listed.append(found)
            server.stop_daemon()
            server.start_daemon()
        return found

    monkeypatch.setattr(connection, 'listAllDomains', restarting)
    for _ in range(5):      # it may be busy with the guest after a restart
        listed.clear()
        found = polled(libvirt, DiskMeters(libvirt), guest)
        # Which only the statistics of many at once have.
        if 'disk.device.read.latency-vda' in found:
            break
    assert 'disk.device.read.latency-vda' in found


def test_a_daemon_that_restarts_between_two_polls_is_not_even_noticed(
        server: Libvirtd, libvirt: Libvirt, guest: Guest) -> None:
    instances = NovaInstances(libvirt, 'compute-1').instances()
    server.stop_daemon()
    server.start_daemon()
    assert list(DiskMeters(libvirt).samples(TICK, instances))
    assert polled(libvirt, DiskMeters(libvirt), guest)


def test_a_libvirt_that_hangs_holds_no_more_than_its_own_round(
        server: Libvirtd, libvirt: Libvirt, guest: Guest) -> None:
    publisher = ListPublisher()
    rounds = Rounds(
        'compute', InstanceSurvey(NovaInstances(libvirt, 'compute-1'),
                                  {'disk': DiskMeters(libvirt)}),
        publisher=publisher, interval=datetime.timedelta(days=36500),
        clock=SystemClock())
    stop = threading.Event()
    libvirt.guests()            # connected, as an agent in its daily work
    server.send(signal.SIGSTOP)
    try:
        rounds.begin(TICK, stop)
        assert not rounds.join(0.3)
        rounds.begin(TICK, stop)
        assert rounds.counted['skipped'] == 1
    finally:
        server.send(signal.SIGCONT)
    assert rounds.join(60)
    assert f'{guest.uuid}-vda' in publisher.resources
