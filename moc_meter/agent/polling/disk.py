# SPDX-License-Identifier: Apache-2.0
"""Disks of instances: what is read, written, sold and taken.

The resource is the disk: the instance's uuid and the device, 'UUID-vda'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model.sample import MeterKind, Sample


def _counter(name: str, unit: str) -> Measure:
    return Measure(f'disk.device.{name}', MeterKind.CUMULATIVE, unit)


def _size(name: str) -> Measure:
    return Measure(f'disk.device.{name}', MeterKind.GAUGE, 'B')


READ_BYTES = _counter('read.bytes', 'B')
READ_REQUESTS = _counter('read.requests', 'request')
READ_LATENCY = _counter('read.latency', 'ns')
WRITE_BYTES = _counter('write.bytes', 'B')
WRITE_REQUESTS = _counter('write.requests', 'request')
WRITE_LATENCY = _counter('write.latency', 'ns')
CAPACITY = _size('capacity')
ALLOCATION = _size('allocation')
USAGE = _size('usage')


class DiskMeters:
    """Meters ``disk.device.*`` of every disk that has a medium."""

    def __init__(self, hypervisor: base.Disks) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, disks in answered(instances, self._hypervisor.disks):
            for disk in disks:
                for measure, figure in _figures(disk):
                    if figure is not None:
                        yield measure.sample(
                            tick, f'{instance.id}-{disk.device}', figure,
                            owner=instance,
                            metadata={**instance.metadata,
                                      'disk_name': disk.device})


def _figures(disk: base.Disk) -> tuple[tuple[Measure, int | None], ...]:
    return ((READ_BYTES, disk.read_bytes),
            (READ_REQUESTS, disk.read_requests),
            (READ_LATENCY, disk.read_latency),
            (WRITE_BYTES, disk.write_bytes),
            (WRITE_REQUESTS, disk.write_requests),
            (WRITE_LATENCY, disk.write_latency),
            # The image may be larger than what it holds, by its own notes.
            (CAPACITY, max(disk.capacity, disk.physical)),
            (ALLOCATION, disk.allocation),
            (USAGE, disk.physical))
