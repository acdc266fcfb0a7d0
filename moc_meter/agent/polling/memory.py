# SPDX-License-Identifier: Apache-2.0
"""Memory of instances, as their hypervisor measures it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample

USAGE = Measure('memory.usage', MeterKind.GAUGE, 'MiB')
RESIDENT = Measure('memory.resident', MeterKind.GAUGE, 'MiB')

_KIB = Decimal('0.0009765625')      # in MiB; 1/1024


class MemoryMeters:
    """Meters ``memory.usage`` and ``memory.resident``, in MiB.

    Usage is what the guest's own system says: without a balloon driver in it
    there is none, and no sample, which is not the same as 0.
    """

    def __init__(self, hypervisor: base.MemoryUse) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, memory in answered(instances, self._hypervisor.memory):
            if memory is None:
                continue
            for measure, kib in ((USAGE, memory.usage),
                                 (RESIDENT, memory.resident)):
                if kib is not None:
                    yield measure.of(tick, instance,
                                     quantity.multiply(Decimal(kib), _KIB))
