# SPDX-License-Identifier: Apache-2.0
"""What a round of polling asks, and whom."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from moc_meter.agent.polling.base import (
    ComputePoller,
    Discoverer,
    HardwarePoller,
    Tick,
)
from moc_meter.model.sample import Sample

#: The name of a poller, and what asks it for samples of one thing.
Ask = Callable[[], Iterable[Sample]]
Question = tuple[str, Ask]


class Survey(Protocol):
    """What is asked in a round."""

    def questions(self, tick: Tick) -> Iterable[Question]:
        """Those of this tick; those of one poller stand together."""


@dataclass(frozen=True, slots=True)
class InstanceSurvey:
    """Every compute poller, of every instance that is found."""

    discoverer: Discoverer
    pollers: Mapping[str, ComputePoller]

    def questions(self, tick: Tick) -> Iterator[Question]:
        instances = self.discoverer.instances()
        for name, poller in self.pollers.items():
            for instance in instances:
                yield name, functools.partial(poller.samples, tick,
                                              [instance])


@dataclass(frozen=True, slots=True)
class HostSurvey:
    """Every hardware poller, of our own host."""

    host: str
    pollers: Mapping[str, HardwarePoller]

    def questions(self, tick: Tick) -> Iterator[Question]:
        for name, poller in self.pollers.items():
            yield name, functools.partial(poller.samples, tick, self.host)
