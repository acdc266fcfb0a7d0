# SPDX-License-Identifier: Apache-2.0
"""The machine that runs the tests, against what its kernel says."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest

from moc_meter.agent.polling import machine
from moc_meter.agent.polling.base import HardwarePoller, Tick
from moc_meter.model import admission, meter
from moc_meter.model.sample import Sample

START = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
HOST = 'compute-1'


def polled(poller: HardwarePoller, turn: int = 0) -> dict[str, Sample]:
    """The samples by meter and device."""
    tick = Tick(source='region-1',
                instant=START + turn * datetime.timedelta(seconds=10))
    samples = list(poller.samples(tick, HOST))
    assert all(sample.resource_id.startswith(HOST) for sample in samples)
    return {sample.meter.removeprefix('hardware.')
            + sample.resource_id.removeprefix(HOST): sample
            for sample in samples}


def kernel(name: str) -> dict[str, int]:
    """Figures of a file of /proc by their first word, in its unit."""
    return {line.split()[0].rstrip(':'): int(line.split()[1])
            for line in Path('/proc', name).read_text().splitlines()
            if line.split()[1:2] and line.split()[1].isdecimal()}


def busy_ns() -> int:
    """CPU time in the kernel's own words, of a 100th of a second each."""
    user, nice, system, _idle, _io, irq, soft, steal = map(
        int, Path('/proc/stat').read_text().split()[1:9])
    ticks = user + nice + system + irq + soft + steal
    return ticks * 10 ** 9 // os.sysconf('SC_CLK_TCK')


def test_cpu_time_is_the_kernels() -> None:
    before = busy_ns()
    sample = polled(machine.CpuMeters())['cpu.time']
    assert before <= sample.volume <= busy_ns()
    assert (sample.kind, sample.unit) == ('cumulative', 'ns')


def test_utilisation_is_the_mean_since_the_turn_before() -> None:
    poller = machine.CpuMeters()
    first = polled(poller, 0)
    assert 'cpu.util' not in first
    before = busy_ns()
    while busy_ns() == before:
        pass                # until the kernel has counted once more
    second = polled(poller, 1)
    assert 0 < second['cpu.util'].volume <= 100


def test_load_is_what_the_kernel_prints() -> None:
    sample = polled(machine.CpuMeters())['cpu.load.15min']
    assert sample.unit == 'process'
    # getloadavg() has 16 binary digits of it, and the file two decimals.
    shown = float(Path('/proc/loadavg').read_text().split()[2])
    assert abs(float(sample.volume) - shown) < 0.1


def test_memory_is_in_kb_of_1024_bytes() -> None:
    found = polled(machine.MemoryMeters())
    assert found['memory.total'].volume == kernel('meminfo')['MemTotal']
    assert 0 < found['memory.used'].volume < found['memory.total'].volume
    assert 0 < found['memory.available'].volume < (
        found['memory.total'].volume)


def test_a_file_system_is_told_once_by_its_device() -> None:
    found = polled(machine.DiskMeters())
    totals = {name: sample for name, sample in found.items()
              if name.startswith('disk.size.total.')}
    assert totals
    for sample in totals.values():
        path = str(sample.metadata['path'])
        size = os.statvfs(path)
        assert sample.volume * 1024 == size.f_blocks * size.f_frsize


def test_what_drives_read_is_the_kernels() -> None:
    found = polled(machine.DiskMeters())
    drives = {name.removeprefix('disk.read.bytes.'): sample
              for name, sample in found.items()
              if name.startswith('disk.read.bytes.')}
    assert drives
    for device, sample in drives.items():
        sectors = int(Path('/sys/block', device, 'stat').read_text()
                      .split()[2])
        assert sample.volume <= sectors * 512


def test_traffic_of_the_loopback_is_counted_since_the_start() -> None:
    def counted() -> int:
        return int(Path('/sys/class/net/lo/statistics/rx_bytes').read_text())

    before = counted()
    sample = polled(machine.NetworkMeters())['network.incoming.bytes.lo']
    assert before <= sample.volume <= counted()


@pytest.mark.parametrize('poller', [
    machine.CpuMeters(), machine.MemoryMeters(), machine.DiskMeters(),
    machine.NetworkMeters()], ids=lambda poller: type(poller).__name__)
def test_a_strict_deployment_admits_every_sample(
        poller: HardwarePoller) -> None:
    strict = admission.Admission(definitions=meter.load(), strict=True)
    samples = [sample for turn in (0, 1)
               for sample in polled(poller, turn).values()]
    now = datetime.datetime.now(datetime.UTC)
    for sample in samples:
        assert strict.admit(sample, now) == sample
