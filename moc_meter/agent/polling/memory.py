# SPDX-License-Identifier: Apache-2.0
"""Memory of instances, as their hypervisor measures it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample

ASSIGNED = Measure('memory', MeterKind.GAUGE, 'MiB')
AVAILABLE = Measure('memory.available', MeterKind.GAUGE, 'MiB')
USAGE = Measure('memory.usage', MeterKind.GAUGE, 'MiB')
RESIDENT = Measure('memory.resident', MeterKind.GAUGE, 'MiB')
SWAP_IN = Measure('memory.swap.in', MeterKind.CUMULATIVE, 'MiB')
SWAP_OUT = Measure('memory.swap.out', MeterKind.CUMULATIVE, 'MiB')

_KIB = Decimal('0.0009765625')      # in MiB; 1/1024


class MemoryMeters:
    """Meters ``memory`` and ``memory.*``, in MiB.

    ``memory`` is what the host gives, ``memory.resident`` what that takes of
    it. The others are what the guest's own system says: without a balloon
    driver in it there are none, and no samples, which is not the same as 0.
    """

    def __init__(self, hypervisor: base.MemoryUse) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, memory in answered(instances, self._hypervisor.memory):
            for measure, kib in _figures(memory) if memory else ():
                if kib is not None:
                    yield measure.of(tick, instance,
                                     quantity.multiply(Decimal(kib), _KIB))


def _figures(memory: base.Memory) -> tuple[tuple[Measure, int | None], ...]:
    return ((ASSIGNED, memory.assigned),
            (USAGE, memory.usage),
            (RESIDENT, memory.resident),
            (AVAILABLE, memory.available),
            (SWAP_IN, memory.swap_in),
            (SWAP_OUT, memory.swap_out))
