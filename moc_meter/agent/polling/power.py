# SPDX-License-Identifier: Apache-2.0
"""Whether instances run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model.sample import MeterKind, Sample

STATE = Measure('power.state', MeterKind.GAUGE, '')


class PowerMeter:
    """Meter ``power.state``, of every instance, whether on or off.

    Its volume is the number of the state: see PowerState.
    """

    def __init__(self, hypervisor: base.Power) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, state in answered(instances,
                                        self._hypervisor.power_state):
            yield STATE.of(tick, instance, state.value)
