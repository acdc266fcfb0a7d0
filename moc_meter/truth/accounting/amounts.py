# SPDX-License-Identifier: Apache-2.0
"""What deltas and counters add up to, and over which stretches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from moc_meter.truth.accounting.points import Point, longest_gap
from moc_meter.truth.accounting.segments import Segment, spread, unknown
from moc_meter.truth.forms import SECOND, Instant, Meter


def deltas(points: Sequence[Point],
           created: Instant | None) -> Iterator[Segment]:
    """A segment for each delta: several may lie at one instant.

    points: in order; created: of the resource, where it is known.
    """
    doubled = _overlapping(points)
    earlier, here = created, None
    for one in points:
        if one.at != here:
            earlier, here = here if here is not None else created, one.at
        if one.interval is None:
            yield spread(earlier, one.at, one.volume)
        else:
            yield spread(*one.interval, one.volume,
                         ['overlap'] if one in doubled else [])


def _overlapping(points: Sequence[Point]) -> set[Point]:
    """Those whose stated intervals meet another's."""
    stated = sorted((one.interval, one) for one in points if one.interval)
    found: set[Point] = set()
    reach: tuple[Instant, Point] | None = None
    for (start, end), one in stated:
        if reach and start < min(reach[0], end):
            found |= {one, reach[1]}
        if not reach or end > reach[0]:
            reach = end, one
    return found


def counter(points: Sequence[Point], meter: Meter,
            created: Instant | None) -> Iterator[Segment]:
    """Segments between the readings of a counter, none of them negative.

    points: in order, one an instant; created: of the resource, where it is
        known.
    """
    first = points[0]
    if created is not None and meter.starts_at_zero:
        yield spread(created, first.at, first.volume)
    for before, here in itertools.pairwise(points):
        yield from _increment(before, here, meter)


def _increment(before: Point, here: Point,
               meter: Meter) -> Iterator[Segment]:
    rate = lost_rate(meter)
    began, once = here.counter_start, before.counter_start
    if began is not None and once is not None and began != once:
        if before.at < began:
            yield unknown(before.at, began, rate, ['reset'])
        yield spread(began, here.at, here.volume, ['reset'])
        return
    amount, flags = _grown(before, here, meter)
    late = here.at - before.at > longest_gap(meter)
    if late and (began is None or once is None):
        flags = [*flags, 'assumed_continuous']
    yield spread(before.at, here.at, amount, flags,
                 above=rate if flags else Fraction(0),
                 cut_flags=['placement_estimated'] if late else [])


def _grown(before: Point, here: Point, meter: Meter) -> tuple[int, list[str]]:
    """By how much a counter grew, and what is to be said of that."""
    if here.volume >= before.volume:
        return here.volume - before.volume, []
    if meter.modulus is not None and meter.max_rate is not None:
        wrapped = (here.volume - before.volume) % meter.modulus
        if wrapped * SECOND <= meter.max_rate * (here.at - before.at):
            return wrapped, []
    return here.volume, ['reset']


def lost_rate(meter: Meter) -> Fraction | None:
    """How much a counter may have counted a second where nobody saw it."""
    return None if meter.max_rate is None else Fraction(meter.max_rate)
