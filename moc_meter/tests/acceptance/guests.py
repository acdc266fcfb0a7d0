# SPDX-License-Identifier: Apache-2.0
"""A hypervisor whose guests are those of a made-up world, at a tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from moc_meter import errors
from moc_meter.agent.polling.base import Instance
from moc_meter.agent.polling.hypervisor import base
from moc_meter.truth.readings import Reading

_STATES = {True: base.PowerState.RUNNING, False: base.PowerState.SHUT_OFF}


class Guests:
    """Hypervisor and discovery; both read what is to be seen now."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}      # by the guest's name

    def instances(self) -> Sequence[Instance]:
        return [Instance(
            id=one.resource_id, name=one.name, host=one.host,
            project_id=one.project_id, user_id=one.user_id, run=one.run,
            metadata=one.metadata) for one in self.readings.values()]

    def guests(self) -> Sequence[base.Guest]:
        return [base.Guest(
            id=one.resource_id, name=one.name, state=_STATES[one.on],
            os_type='hvm', architecture='x86_64', nova=None, run=one.run)
            for one in self.readings.values()]

    def cpu_time(self, name: str) -> int | None:
        return self._reading(name).cpu_time

    def vcpus(self, name: str) -> int | None:
        return self._reading(name).vcpus

    def memory(self, name: str) -> base.Memory | None:
        said = self._reading(name).memory
        return base.Memory(**said) if said else None

    def disks(self, name: str) -> Sequence[base.Disk]:
        return [_disk(device, said) for device, said
                in self._reading(name).disks.items()]

    def interfaces(self, name: str) -> Sequence[base.Interface]:
        return [base.Interface(
            name=tap, mac=None, filter=None, port=None, bridge=None,
            incoming=_traffic(said['incoming']),
            outgoing=_traffic(said['outgoing']))
            for tap, said in self._reading(name).interfaces.items()]

    def perf(self, name: str) -> base.Perf | None:  # noqa: ARG002
        return None

    def power_state(self, name: str) -> base.PowerState:
        return _STATES[self._reading(name).on]

    def read_at(self, name: str) -> int:
        return self._reading(name).timestamp * 1000

    def _reading(self, name: str) -> Reading:
        if name not in self.readings:
            raise errors.InstanceGone('no such guest', name=name)
        return self.readings[name]


def _disk(device: str, said: Mapping[str, int]) -> base.Disk:
    return base.Disk(
        device=device, capacity=said['capacity'],
        allocation=said['allocation'], physical=said['usage'],
        **{f'{way}_{what}': said[f'{way}.{what}']
           for way in ('read', 'write')
           for what in ('requests', 'bytes', 'latency')})


def _traffic(said: Mapping[str, int]) -> base.Traffic:
    return base.Traffic(bytes=said['bytes'], packets=said['packets'],
                        drops=said['packets.drop'],
                        errors=said['packets.error'])
