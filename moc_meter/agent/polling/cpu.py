# SPDX-License-Identifier: Apache-2.0
"""CPU time and virtual CPUs of instances, as their hypervisor counts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model.sample import MeterKind, Sample

CPU = Measure('cpu', MeterKind.CUMULATIVE, 'ns')
VCPUS = Measure('vcpus', MeterKind.GAUGE, 'vcpu')


class Cpus(base.CpuTime, base.Vcpus, Protocol):
    """What this poller asks of a hypervisor."""


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
