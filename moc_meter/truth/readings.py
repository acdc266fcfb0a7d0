# SPDX-License-Identifier: Apache-2.0
"""What pollers see of guests, and the samples that must come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from moc_meter.truth import calendar
from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import UNIT, Host, Instant, Sample
from moc_meter.truth.guest import Guest
from moc_meter.truth.life import GIB
from moc_meter.truth.meters import MODULUS
from moc_meter.truth.polled import JIFFY, down

#: What it is called, and in what it is counted.
_DISK = {'read.bytes': 'B', 'read.requests': 'request', 'read.latency': 'ns',
         'write.bytes': 'B', 'write.requests': 'request',
         'write.latency': 'ns'}
_SIZES = ('capacity', 'allocation', 'usage')
_TRAFFIC = {'bytes': 'B', 'packets': 'packet', 'packets.drop': 'packet',
            'packets.error': 'packet'}
_MEMORY = {'memory': 'assigned', 'memory.usage': 'usage',
           'memory.resident': 'resident', 'memory.available': 'available',
           'memory.swap.in': 'swap_in', 'memory.swap.out': 'swap_out'}


class Reading(NamedTuple):
    """A guest at a tick; without figures where it is off."""

    timestamp: Instant
    host: str
    resource_id: str            # Nova's uuid
    name: str                   # the hypervisor's: 'instance-0000000a'
    run: str                    # which of its lives on this host
    on: bool
    project_id: str
    user_id: str
    metadata: Mapping[str, object]
    cpu_time: int | None        # ns
    vcpus: int | None
    memory: Mapping[str, int | None]                # KiB; None: not said
    disks: Mapping[str, Mapping[str, int]]          # by device
    #: By the host's end of it; then by direction and meter's end.
    interfaces: Mapping[str, Mapping[str, Mapping[str, int]]]


class View:
    """What there is to be seen on all hosts."""

    def __init__(self, frame: Frame, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._mask = MODULUS - 1 if frame.wraps else -1

    def tick(self, at: Instant, guests: Sequence[Guest]) -> Iterator[Reading]:
        """On hosts that are up; a shelved instance is on none."""
        absent = down(self._hosts, at)
        for guest in guests:
            if at >= guest.until:
                guest.go_on(at)
            if guest.on:
                guest.read(at)
            host = guest.holder.host
            if host and host not in absent:
                yield self._reading(at, host, guest)

    def _reading(self, at: Instant, host: str, guest: Guest) -> Reading:
        _, project, user, _, metadata = guest.holder
        on = guest.on
        return Reading(
            at, host, guest.ids[0], guest.name, f'run-{guest.runs}', on,
            project, user, metadata, guest.spent * JIFFY if on else None,
            guest.vcpus if on else None, _memory(guest) if on else {},
            _disks(guest) if on else {},
            {guest.ids[1].rpartition('-')[2]: self._interface(guest)}
            if on else {})

    def _interface(self, guest: Guest) -> dict[str, dict[str, int]]:
        return {direction: {
            'bytes': count & self._mask, 'packets': count // 1400,
            'packets.drop': count >> 30, 'packets.error': 0}
            for direction, count in (('incoming', guest.received),
                                     ('outgoing', guest.sent))}


def _memory(guest: Guest) -> dict[str, int | None]:
    """Without a balloon driver in it a guest says nothing of its own."""
    assigned = guest.memory * 1024
    said = guest.base % 4 > 0
    return {'resident': assigned - guest.spent % 1000, 'assigned': assigned,
            'usage': guest.was_read % assigned if said else None,
            'available': assigned - 4 if said else None,
            'swap_in': 0 if said else None, 'swap_out': 7 if said else None}


def _disks(guest: Guest) -> dict[str, dict[str, int]]:
    """The second of them is idle."""
    first = {'read.bytes': guest.was_read,
             'read.requests': guest.was_read // 4096,
             'read.latency': guest.was_read * 3,
             'write.bytes': guest.written,
             'write.requests': guest.written // 4096,
             'write.latency': guest.written * 5,
             'capacity': 20 * GIB, 'allocation': guest.written % GIB,
             'usage': 10 * GIB}
    return {'vda': first, 'vdb': {**dict.fromkeys(_DISK, 0), 'capacity': GIB,
                                  'allocation': 0, 'usage': GIB}}


def expected(source: str, reading: Reading) -> Iterator[Sample]:
    """What the core pollers make of a reading; of one that is off, nothing.
    """
    own = reading.resource_id
    said = dict(reading.metadata)
    if reading.cpu_time is not None and reading.vcpus is not None:
        yield _sample(source, reading, 'vcpus', 'gauge', 'vcpu', own,
                      reading.vcpus * UNIT, said)
        yield _sample(source, reading, 'cpu', 'cumulative', 'ns', own,
                      reading.cpu_time * UNIT,
                      {**said, 'cpu_number': reading.vcpus})
    for meter, name in _MEMORY.items():
        kib = reading.memory.get(name)
        if kib is not None:
            kind = 'cumulative' if 'swap' in meter else 'gauge'
            yield _sample(source, reading, meter, kind, 'MiB', own,
                          _mebi(kib), said)
    for device, disk in reading.disks.items():
        for name, figure in disk.items():
            kind = 'gauge' if name in _SIZES else 'cumulative'
            yield _sample(source, reading, f'disk.device.{name}', kind,
                          _DISK.get(name, 'B'), f'{own}-{device}',
                          figure * UNIT, {**said, 'disk_name': device})
    for tap, traffic in reading.interfaces.items():
        described = {**said, 'name': tap, 'vnic_name': tap, 'mac': None,
                     'fref': None,
                     'parameters': {'interfaceid': None, 'bridge': None}}
        for direction, counts in traffic.items():
            for name, figure in counts.items():
                yield _sample(
                    source, reading, f'network.{direction}.{name}',
                    'cumulative', _TRAFFIC[name],
                    f'{reading.name}-{own}-{tap}', figure * UNIT, described)


def _mebi(kib: int) -> int:
    """In units of 10**-9, half to even: 2**-10 has ten digits."""
    whole, rest = divmod(kib * UNIT, 1024)
    return whole + (rest > 512 or (rest == 512 and whole % 2 == 1))


def _sample(source: str, reading: Reading, meter: str, kind: str, unit: str,
            resource: str, volume: int,
            metadata: Mapping[str, object]) -> Sample:
    """Its id is the digest of tick, meter and resource."""
    tick = calendar.moment(reading.timestamp).isoformat()
    name = hashlib.sha256(
        f'{tick}\0{meter}\0{resource}'.encode()).hexdigest()[:32]
    return Sample(source, name, reading.timestamp, meter, kind, unit, volume,
                  resource, reading.project_id, reading.user_id, metadata)
