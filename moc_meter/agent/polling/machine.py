# SPDX-License-Identifier: Apache-2.0
"""The machine that the agent runs on, as its kernel counts (psutil).

Resources are the host itself, and 'HOST.DEVICE' for its disks and network
interfaces. Names, kinds and units are those of the meters that clouds have
long polled by SNMP, where 'KB' is 1024 bytes and a gauge may be the reading
of a counter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil

from moc_meter.agent.polling.base import Measure, Tick
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample


def _gauge(name: str, unit: str) -> Measure:
    return Measure(f'hardware.{name}', MeterKind.GAUGE, unit)


def _counter(name: str, unit: str) -> Measure:
    return Measure(f'hardware.{name}', MeterKind.CUMULATIVE, unit)


CPU_TIME = _counter('cpu.time', 'ns')
CPU_UTIL = _gauge('cpu.util', '%')
LOADS = (_gauge('cpu.load.1min', 'process'),
         _gauge('cpu.load.5min', 'process'),
         _gauge('cpu.load.15min', 'process'))
MEMORY_TOTAL = _gauge('memory.total', 'KB')
MEMORY_USED = _gauge('memory.used', 'KB')
MEMORY_AVAILABLE = _gauge('memory.available', 'KB')
DISK_TOTAL = _gauge('disk.size.total', 'KB')
DISK_USED = _gauge('disk.size.used', 'KB')
DISK_READ_BYTES = _gauge('disk.read.bytes', 'B')
DISK_READ_REQUESTS = _gauge('disk.read.requests', 'requests')
DISK_WRITE_BYTES = _gauge('disk.write.bytes', 'B')
DISK_WRITE_REQUESTS = _gauge('disk.write.requests', 'requests')
INCOMING_BYTES = _counter('network.incoming.bytes', 'B')
OUTGOING_BYTES = _counter('network.outgoing.bytes', 'B')
OUTGOING_ERRORS = _counter('network.outgoing.errors', 'packet')

_KB = Decimal('0.0009765625')       # of a byte; 1/1024
#: Drives that are memory, or files of other drives.
_NO_DRIVES = ('loop', 'ram', 'zram')


class CpuMeters:
    """CPU time, load, and how busy the CPUs were since the last turn."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def samples(self, tick: Tick, host: str) -> Iterator[Sample]:
        metadata = {'host': host, 'cpu_number': psutil.cpu_count()}
        busy, total = cpu_times(psutil.cpu_times()._asdict())
        before, self._last = self._last, (busy, total)
        yield CPU_TIME.sample(tick, host, busy, metadata=metadata)
        if before and (share := percent(busy - before[0],
                                        total - before[1])) is not None:
            yield CPU_UTIL.sample(tick, host, share, metadata=metadata)
        for measure, load in zip(LOADS, psutil.getloadavg(), strict=True):
            yield measure.sample(tick, host, _exact(load), metadata=metadata)


class MemoryMeters:
    """Memory of the host, as its kernel accounts for it."""

    def samples(self, tick: Tick, host: str) -> Iterator[Sample]:
        memory = psutil.virtual_memory()
        for measure, size in ((MEMORY_TOTAL, memory.total),
                              (MEMORY_USED, memory.used),
                              (MEMORY_AVAILABLE, memory.available)):
            yield measure.sample(tick, host, _kb(size),
                                 metadata={'host': host})


class DiskMeters:
    """File systems on drives, and what is read and written of drives."""

    def samples(self, tick: Tick, host: str) -> Iterator[Sample]:
        mounted = mount_points(psutil.disk_partitions(all=False))
        for device, path in mounted.items():
            usage = psutil.disk_usage(path)
            for measure, size in ((DISK_TOTAL, usage.total),
                                  (DISK_USED, usage.used)):
                yield measure.sample(
                    tick, f'{host}.{device}', _kb(size),
                    metadata={'host': host, 'device': device, 'path': path})
        counters: dict[str, Any] = psutil.disk_io_counters(
            perdisk=True, nowrap=False) or {}
        for device, counted in counters.items():
            if not _is_drive(device):
                continue
            for measure, figure in (
                    (DISK_READ_BYTES, counted.read_bytes),
                    (DISK_READ_REQUESTS, counted.read_count),
                    (DISK_WRITE_BYTES, counted.write_bytes),
                    (DISK_WRITE_REQUESTS, counted.write_count)):
                yield measure.sample(
                    tick, f'{host}.{device}', figure,
                    metadata={'host': host, 'device': device})


class NetworkMeters:
    """Traffic of the host's network interfaces.

    When the counters began is not said: the kernel tells its start by a clock
    that is set, and another start would be taken for a restart.
    """

    def samples(self, tick: Tick, host: str) -> Iterator[Sample]:
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        for name, counted in counters.items():
            for measure, figure in ((INCOMING_BYTES, counted.bytes_recv),
                                    (OUTGOING_BYTES, counted.bytes_sent),
                                    (OUTGOING_ERRORS, counted.errout)):
                yield measure.sample(
                    tick, f'{host}.{name}', figure,
                    metadata={'host': host, 'name': name})


def cpu_times(seconds: Mapping[str, float]) -> tuple[int, int]:
    """Nanoseconds that the CPUs worked, and all there were.

    seconds: what the kernel counted since the start, by the state that the
        CPUs were in.
    """
    times = {state: int(quantity.multiply(_exact(counted), Decimal(10 ** 9)))
             for state, counted in seconds.items()}
    # What guests were given is in user and nice already.
    total = sum(times.values()) - times['guest'] - times['guest_nice']
    return total - times['idle'] - times['iowait'], total


def percent(part: int, whole: int) -> Decimal | None:
    """100 x part / whole; None where the kernel's figures went back."""
    if not 0 <= part <= whole or whole == 0:
        return None
    return Decimal(100 * part) / whole


def mount_points(partitions: Iterable[Any]) -> dict[str, str]:
    """Where each device is mounted; the first place, where there are more.

    partitions: with ``device`` and ``mountpoint``, as psutil has them.
    """
    found: dict[str, str] = {}
    for partition in partitions:
        found.setdefault(partition.device.removeprefix('/dev/'),
                         partition.mountpoint)
    return found


def _is_drive(device: str) -> bool:
    """Whether it is a whole drive, and not a part of one."""
    return (not device.startswith(_NO_DRIVES)
            and (Path('/sys/block') / device).exists())


def _kb(size: int) -> Decimal:
    return quantity.multiply(Decimal(size), _KB)


def _exact(figure: float) -> Decimal:
    """What psutil hands over as a binary fraction, as it is printed."""
    return Decimal(str(figure))
