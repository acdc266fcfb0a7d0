# SPDX-License-Identifier: Apache-2.0
"""CPU time and virtual CPUs of instances, as their hypervisor counts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.rate import Readings
from moc_meter.model.sample import MeterKind, Sample

CPU = Measure('cpu', MeterKind.CUMULATIVE, 'ns')
VCPUS = Measure('vcpus', MeterKind.GAUGE, 'vcpu')
UTIL = Measure('cpu_util', MeterKind.GAUGE, '%')
DELTA = Measure('cpu.delta', MeterKind.DELTA, 'ns')


class Cpus(base.CpuTime, base.Vcpus, Protocol):
    """What the poller of the counter asks of a hypervisor."""


class TimedCpus(Cpus, base.ReadTime, Protocol):
    """What the pollers of its changes ask."""


class CpuMeters:
    """Meters ``cpu`` and ``vcpus`` of every instance that is on.

    A restart of the guest begins the counter anew; that is for those who
    read it to see.
    """

    def __init__(self, hypervisor: Cpus) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, (consumed, vcpus) in answered(instances, self._ask):
            if vcpus is not None:
                yield VCPUS.of(tick, instance, vcpus)
            if consumed is not None:
                yield CPU.of(tick, instance, consumed, cpu_number=vcpus)

    def _ask(self, name: str) -> tuple[int | None, int | None]:
        return self._hypervisor.cpu_time(name), self._hypervisor.vcpus(name)


class CpuUtil:
    """Meter ``cpu_util``: of all virtual CPUs, in %, between two readings.

    A little more than 100 is possible: the emulator works too.
    """

    def __init__(self, hypervisor: TimedCpus) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, (consumed, vcpus, at) in answered(instances,
                                                        self._ask):
            if consumed is None:
                continue
            change = self._readings.change((instance.id,), consumed, at,
                                           instance.run)
            busy = change.share(100, vcpus) if change and vcpus else None
            if busy is not None:
                yield UTIL.of(tick, instance, busy, cpu_number=vcpus)

    def _ask(self, name: str) -> tuple[int | None, int | None, int]:
        return (self._hypervisor.cpu_time(name),
                self._hypervisor.vcpus(name), self._hypervisor.read_at(name))


class CpuDelta:
    """Meter ``cpu.delta``: CPU time since the reading before, in ns."""

    def __init__(self, hypervisor: TimedCpus) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, (consumed, at) in answered(instances, self._ask):
            if consumed is None:
                continue
            change = self._readings.change((instance.id,), consumed, at,
                                           instance.run)
            if change and change.amount is not None:
                yield DELTA.of(tick, instance, change.amount)

    def _ask(self, name: str) -> tuple[int | None, int]:
        return self._hypervisor.cpu_time(name), self._hypervisor.read_at(name)
