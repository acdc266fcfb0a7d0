# SPDX-License-Identifier: Apache-2.0
"""Samples of pollers: what they read of every guest that is on, by ticks.

Of ten million samples nine are made here, so this is plain arithmetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import UNIT, Host, Instant, Missing, Sample
from moc_meter.truth.guest import Guest
from moc_meter.truth.meters import MODULUS, POLLED
from moc_meter.truth.said import DYADIC

#: What a kernel counts a guest's CPU time in, in ns.
JIFFY = 10 ** 7

Table = Sequence[tuple[str, str, str, int]]     # meter, kind, unit, place


def down(hosts: Sequence[Host], at: Instant) -> Mapping[str, str]:
    """Hosts that give nothing at an instant, and why."""
    return {host.id: why for host in hosts
            for begin, end, why in host.outages if begin <= at < end}


class Pollers:
    """The agents of all hosts."""

    def __init__(self, frame: Frame, source: str, decimals: bool,
                 hosts: Sequence[Host], legacy: frozenset[str]) -> None:
        """legacy: projects whose site says units as older agents do."""
        wanted = POLLED[:frame.scale.meters]
        self._old, self._new = ([
            (one.meter, one.kind, one.legacy if old else one.unit, one.place)
            for one in wanted] for old in (True, False))
        self._source, self._decimals = source, decimals
        self._hosts, self._legacy = hosts, legacy
        self._mask = MODULUS - 1 if frame.wraps else -1

    def tick(self, at: Instant,
             guests: Sequence[Guest]) -> Iterator[Sample | Missing]:
        """Of one tick, in the order of the guests."""
        absent = down(self._hosts, at)
        source, stamp = self._source, f'\0{self._source}\0{at}'.encode()
        blake2b, new = hashlib.blake2b, tuple.__new__
        for guest in guests:
            if at >= guest.until:
                guest.go_on(at)
            if not guest.on:
                continue
            bits = guest.read(at)
            ids, (_, project, user, host, metadata) = guest.ids, guest.holder
            table = self._old if project in self._legacy else self._new
            reason = absent.get(host or '')
            if reason or bits >> 56 == 0:
                yield from _missing(at, guest, table, reason or 'lost')
                continue
            name = blake2b(ids[0].encode() + stamp,
                           digest_size=15).hexdigest()
            for place, ((meter, kind, unit, where), volume) in enumerate(
                    zip(table, self._figures(guest, bits), strict=False)):
                yield new(Sample, (
                    source, f'{name}{place:02x}', at, meter, kind, unit,
                    volume, ids[where], project, user, metadata, None, None,
                    None))

    def _figures(self, guest: Guest, bits: int) -> tuple[int, ...]:
        """In the order of POLLED, in units of 10**-9."""
        noise = bits >> 16
        if self._decimals:
            memory = noise % (guest.memory * UNIT)
            util = noise % (100 * UNIT)
        else:
            memory = noise % (guest.memory * 512) * DYADIC
            util = noise % (100 * 512) * DYADIC
        return (guest.spent * (JIFFY * UNIT), memory,
                (guest.received & self._mask) * UNIT,
                guest.was_read * UNIT,
                (guest.sent & self._mask) * UNIT,
                guest.written * UNIT, util)


def _missing(at: Instant, guest: Guest, table: Table,
             reason: str) -> Iterator[Missing]:
    for meter, _, _, where in table:
        yield Missing(timestamp=at, meter=meter,
                      resource_id=guest.ids[where],
                      project_id=guest.holder.project_id, reason=reason)
