# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: a poller that forgets whom it polls."""

from __future__ import annotations

from moc_meter.agent.polling.base import Tick
from moc_meter.model.sample import Sample


class Meters:
    """Takes a tick and no instances."""

    def __init__(self, hypervisor: object) -> None:
        self.hypervisor = hypervisor

    def samples(self, tick: Tick) -> list[Sample]:
        assert tick
        return []
