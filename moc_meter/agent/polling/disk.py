# SPDX-License-Identifier: Apache-2.0
"""Disks of instances: what is read, written, sold and taken.

The resource is the disk: the instance's uuid and the device, 'UUID-vda'; of
sums over the disks it is the instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.rate import Readings
from moc_meter.model.sample import MeterKind, Sample

Figure = tuple[str, int | None]     # 'read.bytes'; None where it is not said

_COUNTERS = {'read.bytes': 'B', 'read.requests': 'request',
             'write.bytes': 'B', 'write.requests': 'request'}
_LATENCIES = {'read.latency': 'ns', 'write.latency': 'ns'}
_SIZES = {'capacity': 'B', 'allocation': 'B', 'usage': 'B'}


def _measures(prefix: str, counters: dict[str, str]) -> dict[str, Measure]:
    return {**{name: Measure(prefix + name, MeterKind.CUMULATIVE, unit)
               for name, unit in counters.items()},
            **{name: Measure(prefix + name, MeterKind.GAUGE, unit)
               for name, unit in _SIZES.items()}}


def _rates(prefix: str) -> dict[str, Measure]:
    return {name: Measure(f'{prefix}{name}.rate', MeterKind.GAUGE,
                          f'{unit}/s') for name, unit in _COUNTERS.items()}


DEVICE = _measures('disk.device.', {**_COUNTERS, **_LATENCIES})
TOTAL = _measures('disk.', _COUNTERS)
DEVICE_RATE = _rates('disk.device.')
RATE = _rates('disk.')


class TimedDisks(base.Disks, base.ReadTime, Protocol):
    """What the pollers of rates ask."""


class DiskMeters:
    """Meters ``disk.device.*`` of every disk that has a medium."""

    def __init__(self, hypervisor: base.Disks) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, disks in answered(instances, self._hypervisor.disks):
            for disk in disks:
                for name, figure in _figures(disk):
                    if figure is not None:
                        yield _sample(DEVICE[name], tick, instance, disk,
                                      figure)


class DiskTotals:
    """Meters ``disk.*``: sums over an instance's disks.

    A figure that one of the disks does not have has no sum.
    """

    def __init__(self, hypervisor: base.Disks) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, disks in answered(instances, self._hypervisor.disks):
            for name, figure in _summed(disks, TOTAL):
                yield TOTAL[name].of(tick, instance, figure)


class DiskDeviceRates:
    """Meters ``disk.device.*.rate``, between two readings of a counter."""

    def __init__(self, hypervisor: TimedDisks) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, (disks, at) in answered(
                instances, lambda name: _timed(self._hypervisor, name)):
            for disk in disks:
                for name, rate in _rated(
                        self._readings, (instance.id, disk.device),
                        _figures(disk), at, instance.run):
                    yield _sample(DEVICE_RATE[name], tick, instance, disk,
                                  rate)


class DiskRates:
    """Meters ``disk.*.rate`` of all disks of an instance together.

    A disk that was plugged in or out in between brings or takes its whole
    counter: then there is no rate.
    """

    def __init__(self, hypervisor: TimedDisks) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, (disks, at) in answered(
                instances, lambda name: _timed(self._hypervisor, name)):
            of = instance.id, *(disk.device for disk in disks)
            for name, rate in _rated(self._readings, of,
                                     _summed(disks, RATE), at, instance.run):
                yield RATE[name].of(tick, instance, rate)


def _timed(hypervisor: TimedDisks,
           name: str) -> tuple[Sequence[base.Disk], int]:
    return hypervisor.disks(name), hypervisor.read_at(name)


def _rated(readings: Readings, of: tuple[str, ...],
           figures: Sequence[Figure], at: int, run: str | None
           ) -> Iterator[tuple[str, Decimal]]:
    for name, figure in figures:
        if name not in _COUNTERS or figure is None:
            continue
        change = readings.change((*of, name), figure, at, run)
        rate = change.per_second() if change else None
        if rate is not None:
            yield name, rate


def _sample(measure: Measure, tick: Tick, instance: Instance,
            disk: base.Disk, volume: Decimal | int) -> Sample:
    return measure.sample(
        tick, f'{instance.id}-{disk.device}', volume, owner=instance,
        metadata={**instance.metadata, 'disk_name': disk.device})


def _summed(disks: Sequence[base.Disk],
            wanted: dict[str, Measure]) -> list[tuple[str, int]]:
    """The sums that are known of every disk; none where there is no disk."""
    figures = [dict(_figures(disk)) for disk in disks]
    return [(name, sum(known)) for name in wanted
            if (known := [figure for of_disk in figures
                          if (figure := of_disk[name]) is not None])
            and len(known) == len(figures)]


def _figures(disk: base.Disk) -> tuple[Figure, ...]:
    return (('read.bytes', disk.read_bytes),
            ('read.requests', disk.read_requests),
            ('read.latency', disk.read_latency),
            ('write.bytes', disk.write_bytes),
            ('write.requests', disk.write_requests),
            ('write.latency', disk.write_latency),
            # The image may be larger than what it holds, by its own notes.
            ('capacity', max(disk.capacity, disk.physical)),
            ('allocation', disk.allocation),
            ('usage', disk.physical))
