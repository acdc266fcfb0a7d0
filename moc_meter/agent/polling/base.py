# SPDX-License-Identifier: Apache-2.0
"""The contracts of polling: pollers, and what finds instances to poll."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moc_meter.model.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One turn of the polling cycle.

    Its instant is the timestamp of every sample of the turn: a whole multiple
    of the interval, so two agents that overlap make the same samples.
    """

    source: str                     # the deployment that is measured
    instant: datetime.datetime      # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A virtual machine to be polled."""

    id: str                         # Nova's uuid
    name: str                       # the hypervisor's: 'instance-0000000a'
    host: str                       # where it runs
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object] = field(default_factory=dict)


class ComputePoller(Protocol):
    """One kind of measurement of instances (moc_meter.poll.compute)."""

    def samples(self, tick: Tick, instances: Sequence[Instance]
                ) -> Iterable[Sample]:
        """Samples of one turn, of the instances that still answer."""


class HardwarePoller(Protocol):
    """One kind of measurement of our own host (moc_meter.poll.hardware)."""

    def samples(self, tick: Tick, host: str) -> Iterable[Sample]:
        """Samples of one turn.

        host: this host's name, the beginning of its resource ids.
        """


class Discoverer(Protocol):
    """Finds the instances to poll (moc_meter.discover)."""

    def instances(self) -> Sequence[Instance]:
        """Those that are there now."""
