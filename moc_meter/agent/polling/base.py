# SPDX-License-Identifier: Apache-2.0
"""The contracts of polling: pollers, and what finds instances to poll."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol, TypeVar

from moc_meter import errors
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample, derived_id

Answer = TypeVar('Answer')


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
    run: str | None = None          # which of its lives: see Guest
    metadata: Mapping[str, object] = field(default_factory=dict)


class ComputePoller(Protocol):
    """One kind of measurement of instances (moc_meter.poll.compute).

    Made with the hypervisor that it asks.
    """

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
        """Those that are there now; asked once a turn, before its pollers."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A meter in the hands of its poller."""

    meter: str                      # 'disk.device.read.bytes'
    kind: MeterKind
    unit: str                       # as the meter's definition has it

    def sample(self, tick: Tick, resource_id: str, volume: Decimal | int, *,
               metadata: Mapping[str, object],
               owner: Instance | None = None) -> Sample:
        """The sample of one turn; its volume is rounded to 9 digits.

        owner: the instance whose project and user it is charged to.
        """
        exact = Decimal(volume)
        kept = quantity.rounded(exact)
        return Sample(
            source=tick.source,
            message_id=derived_id(tick.instant.isoformat(), self.meter,
                                  resource_id),
            timestamp=tick.instant, meter=self.meter, kind=self.kind,
            unit=self.unit, volume=kept, rounded=kept != exact,
            resource_id=resource_id, metadata=metadata,
            project_id=owner.project_id if owner else None,
            user_id=owner.user_id if owner else None)

    def of(self, tick: Tick, instance: Instance, volume: Decimal | int,
           **metadata: object) -> Sample:
        """The sample of an instance itself; metadata goes beside its own."""
        return self.sample(tick, instance.id, volume, owner=instance,
                           metadata={**instance.metadata, **metadata})


def answered(instances: Sequence[Instance], question: Callable[[str], Answer]
             ) -> Iterator[tuple[Instance, Answer]]:
    """Each instance with the answer to a question about its name.

    An instance that vanished since it was found is left out; whatever else
    the question raises is not caught here.
    """
    for instance in instances:
        try:
            answer = question(instance.name)
        except errors.InstanceGone:
            continue
        yield instance, answer
