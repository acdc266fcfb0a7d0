# SPDX-License-Identifier: Apache-2.0
"""Network traffic of instances, seen from the instance.

The resource is the interface: 'instance-0000000a-UUID-tap5c2d1a3e-11', or the
name of its network filter where it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.rate import Change, Readings
from moc_meter.model.sample import MeterKind, Sample

_UNITS = {f'network.{direction}.{name}': unit
          for direction in ('incoming', 'outgoing')
          for name, unit in (('bytes', 'B'), ('packets', 'packet'),
                             ('packets.drop', 'packet'),
                             ('packets.error', 'packet'))}
_BYTES = ('network.incoming.bytes', 'network.outgoing.bytes')
_RATED = (*_BYTES, 'network.incoming.packets', 'network.outgoing.packets')

COUNTERS = {name: Measure(name, MeterKind.CUMULATIVE, unit)
            for name, unit in _UNITS.items()}
RATES = {name: Measure(f'{name}.rate', MeterKind.GAUGE, f'{_UNITS[name]}/s')
         for name in _RATED}
DELTAS = {name: Measure(f'{name}.delta', MeterKind.DELTA, 'B')
          for name in _BYTES}


class TimedInterfaces(base.Interfaces, base.ReadTime, Protocol):
    """What the pollers of changes ask."""


class InterfaceMeters:
    """Meters ``network.incoming.*`` and ``network.outgoing.*``."""

    def __init__(self, hypervisor: base.Interfaces) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, interfaces in answered(instances,
                                             self._hypervisor.interfaces):
            for interface in interfaces:
                for name, figure in _figures(interface):
                    if figure is not None:
                        yield _sample(COUNTERS[name], tick, instance,
                                      interface, figure)


class InterfaceRates:
    """Meters ``network.*.bytes.rate`` and ``network.*.packets.rate``."""

    def __init__(self, hypervisor: TimedInterfaces) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, interface, name, _, change in _changes(
                self._hypervisor, self._readings, instances, RATES):
            rate = change.per_second() if change else None
            if rate is not None:
                yield _sample(RATES[name], tick, instance, interface, rate)


class InterfaceDeltas:
    """Meters ``network.*.bytes.delta``, since the reading before.

    0 at the first, which says nothing of what came before it; where the
    counter began anew, all that it has counted since.
    """

    def __init__(self, hypervisor: TimedInterfaces) -> None:
        self._hypervisor = hypervisor
        self._readings = Readings()

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, interface, name, figure, change in _changes(
                self._hypervisor, self._readings, instances, DELTAS):
            added = change.amount if change else 0
            yield _sample(DELTAS[name], tick, instance, interface,
                          figure if added is None else added)


def _changes(hypervisor: TimedInterfaces, readings: Readings,
             instances: Sequence[Instance], wanted: dict[str, Measure]
             ) -> Iterator[tuple[Instance, base.Interface, str, int,
                                 Change | None]]:
    """Of each counter that is wanted, its figure and its change.

    Remembered by instance and name: another guest may get the same tap.
    """
    def ask(name: str) -> tuple[Sequence[base.Interface], int]:
        return hypervisor.interfaces(name), hypervisor.read_at(name)

    for instance, (interfaces, at) in answered(instances, ask):
        for interface in interfaces:
            for name, figure in _figures(interface):
                if name in wanted and figure is not None:
                    yield (instance, interface, name, figure, readings.change(
                        (instance.id, interface.name, name), figure, at,
                        instance.run))


def _sample(measure: Measure, tick: Tick, instance: Instance,
            interface: base.Interface, volume: Decimal | int) -> Sample:
    return measure.sample(tick, _resource_id(instance, interface), volume,
                          owner=instance,
                          metadata=_metadata(instance, interface))


def _resource_id(instance: Instance, interface: base.Interface) -> str:
    return (interface.filter
            or f'{instance.name}-{instance.id}-{interface.name}')


def _metadata(instance: Instance,
              interface: base.Interface) -> dict[str, object]:
    """The instance's; but ``name`` is that of the interface."""
    return {**instance.metadata,
            'name': interface.name,
            'vnic_name': interface.name,
            'mac': interface.mac,
            'fref': interface.filter,
            'parameters': {'interfaceid': interface.port,
                           'bridge': interface.bridge}}


def _figures(interface: base.Interface) -> Iterator[tuple[str, int | None]]:
    for direction, traffic in (('incoming', interface.incoming),
                               ('outgoing', interface.outgoing)):
        yield f'network.{direction}.bytes', traffic.bytes
        yield f'network.{direction}.packets', traffic.packets
        yield f'network.{direction}.packets.drop', traffic.drops
        yield f'network.{direction}.packets.error', traffic.errors
