# SPDX-License-Identifier: Apache-2.0
"""What the processor counts of instances, where it is told to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model.sample import MeterKind, Sample


def _gauge(name: str, unit: str) -> Measure:
    return Measure(name, MeterKind.GAUGE, unit)


L3_CACHE = _gauge('cpu_l3_cache', 'B')
BANDWIDTH_TOTAL = _gauge('memory.bandwidth.total', 'B/s')
BANDWIDTH_LOCAL = _gauge('memory.bandwidth.local', 'B/s')
CYCLES = _gauge('perf.cpu.cycles', 'cycle')
INSTRUCTIONS = _gauge('perf.instructions', 'instruction')
CACHE_REFERENCES = _gauge('perf.cache.references', 'count')
CACHE_MISSES = _gauge('perf.cache.misses', 'count')


class PerfMeters:
    """Meters ``perf.*``, ``memory.bandwidth.*`` and ``cpu_l3_cache``.

    An event that is not enabled on the guest has no figure, and no sample.
    """

    def __init__(self, hypervisor: base.PerfEvents) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, perf in answered(instances, self._hypervisor.perf):
            for measure, figure in _figures(perf) if perf else ():
                if figure is not None:
                    yield measure.of(tick, instance, figure)


def _figures(perf: base.Perf) -> tuple[tuple[Measure, int | None], ...]:
    return ((L3_CACHE, perf.l3_cache),
            (BANDWIDTH_TOTAL, perf.bandwidth_total),
            (BANDWIDTH_LOCAL, perf.bandwidth_local),
            (CYCLES, perf.cycles),
            (INSTRUCTIONS, perf.instructions),
            (CACHE_REFERENCES, perf.cache_references),
            (CACHE_MISSES, perf.cache_misses))
