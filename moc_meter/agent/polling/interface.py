# SPDX-License-Identifier: Apache-2.0
"""Network traffic of instances, seen from the instance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from moc_meter.agent.polling.base import Instance, Measure, Tick, answered
from moc_meter.agent.polling.hypervisor import base
from moc_meter.model.sample import MeterKind, Sample


class InterfaceMeters:
    """Meters ``network.incoming.*`` and ``network.outgoing.*``."""

    def __init__(self, hypervisor: base.Interfaces) -> None:
        self._hypervisor = hypervisor

    def samples(self, tick: Tick,
                instances: Sequence[Instance]) -> Iterator[Sample]:
        for instance, interfaces in answered(instances,
                                             self._hypervisor.interfaces):
            for interface in interfaces:
                for measure, figure in _figures(interface):
                    if figure is not None:
                        yield measure.sample(
                            tick, _resource_id(instance, interface), figure,
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


def _figures(interface: base.Interface
             ) -> Iterator[tuple[Measure, int | None]]:
    for direction, traffic in (('incoming', interface.incoming),
                               ('outgoing', interface.outgoing)):
        for name, unit, figure in (('bytes', 'B', traffic.bytes),
                                   ('packets', 'packet', traffic.packets),
                                   ('packets.drop', 'packet', traffic.drops),
                                   ('packets.error', 'packet',
                                    traffic.errors)):
            yield Measure(f'network.{direction}.{name}',
                          MeterKind.CUMULATIVE, unit), figure
