# SPDX-License-Identifier: Apache-2.0
"""What is measured in a made-up cloud, and how it is to be read."""

from __future__ import annotations

from typing import NamedTuple

from moc_meter.truth.forms import SECOND, UNIT, Meter

#: Most bytes a second that an interface carries.
MAX_RATE = 2 ** 20
#: Where a counter of 32 bits begins anew.
MODULUS = 2 ** 32


class Polled(NamedTuple):
    """A meter that pollers read of a guest."""

    meter: str
    kind: str
    unit: str
    legacy: str                 # what older agents call the unit
    place: int                  # 0: the instance, 1: its interface


POLLED = (
    Polled('cpu', 'cumulative', 'ns', 'ns', 0),
    Polled('memory.usage', 'gauge', 'MiB', 'MB', 0),
    Polled('network.incoming.bytes', 'cumulative', 'B', 'B', 1),
    Polled('disk.read.bytes', 'cumulative', 'B', 'B', 0),
    Polled('network.outgoing.bytes', 'cumulative', 'B', 'B', 1),
    Polled('disk.write.bytes', 'cumulative', 'B', 'B', 0),
    Polled('cpu_util', 'gauge', '%', '%', 0),
)

#: What events say: meter, unit, what older services call the unit.
SAID = {
    'vcpus': ('vcpu', 'vcpu'), 'memory': ('MiB', 'MB'),
    'disk.root.size': ('GiB', 'GB'), 'volume.size': ('GiB', 'GB'),
    'snapshot.size': ('GiB', 'GB'), 'image.size': ('B', 'B'),
    'network': ('network', 'network'), 'ip.floating': ('ip', 'ip')}


def catalogue(step: int, wraps: bool) -> dict[str, Meter]:
    """Every meter of a world, by its name.

    step: seconds between two polls; wraps: whether interfaces count in 32
    bits.
    """
    cadence = step * SECOND
    found = [Meter(name=meter, kind='gauge', unit=unit)
             for meter, (unit, _) in SAID.items()]
    for one in POLLED:
        network = one.meter.startswith('network')
        found.append(Meter(
            name=one.meter, kind=one.kind, unit=one.unit, cadence=cadence,
            max_gap=3 * cadence,
            gap_policy='bridge' if one.meter == 'memory.usage' else 'unknown',
            modulus=MODULUS * UNIT if network and wraps else None,
            max_rate=MAX_RATE * UNIT if network else None,
            starts_at_zero=one.kind == 'cumulative'))
    found += [
        Meter(name='mail.processed', kind='delta', unit='mail'),
        Meter(name='web.requests', kind='delta', unit='request'),
        Meter(name='account.balance', kind='gauge', unit='EUR',
              interpolation='linear'),
        Meter(name='archive.size', kind='gauge', unit='B',
              gap_policy='hold'),
        Meter(name='pages.printed', kind='cumulative', unit='page')]
    return {meter.name: meter for meter in found}
