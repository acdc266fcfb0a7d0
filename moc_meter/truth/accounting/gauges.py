# SPDX-License-Identifier: Apache-2.0
"""The level of a gauge over time, as far as its samples tell it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from moc_meter.truth.accounting import exact
from moc_meter.truth.accounting.points import Point, longest_gap
from moc_meter.truth.accounting.segments import Segment
from moc_meter.truth.forms import SECOND, Instant, Interval, Meter


def gauge(points: Sequence[Point], meter: Meter,
          existence: Interval) -> Iterator[Segment]:
    """Segments of a gauge between its samples, and before and after them.

    points: in order, one an instant; existence: [c, d), d at most the
        cut-off.
    """
    begin, stop = existence
    first = points[0]
    if begin < min(first.at, stop):
        near = first.at - begin <= longest_gap(meter)
        end = min(first.at, stop)
        yield _stretch(begin, end, end if near else begin, first, None)
    for here, following in itertools.pairwise(points):
        start, end = max(here.at, begin), min(following.at, stop)
        if start < end:
            yield _between(here, following, (start, end), meter)
    last = points[-1]
    start = max(last.at, begin)
    if start < stop:
        seen = min(stop, max(start, last.at + longest_gap(meter)))
        yield _stretch(start, stop, seen, last, None)


def _between(here: Point, following: Point, over: Interval,
             meter: Meter) -> Segment:
    """The segment of two neighbours, and what is made of a gap in it."""
    start, end = over
    seen = min(end, max(start, here.at + longest_gap(meter)))
    slope = Fraction(0)
    if meter.interpolation == 'linear':
        slope = Fraction((following.volume - here.volume) * SECOND,
                         following.at - here.at)
    if seen < end and meter.gap_policy == 'zero':
        return Segment(start=start, end=end,
                       level=_height(here, slope, start), slope=slope,
                       bent=seen, held=seen, known=end, doubt=end)
    held = meter.gap_policy == 'hold' or (
        meter.gap_policy == 'bridge' and here.volume == following.volume)
    return _stretch(start, end, seen, here, following, slope=slope,
                    held=held)


def _height(point: Point, slope: Fraction, at: Instant) -> Fraction:
    return point.volume + exact.spent(slope, at - point.at)


def _stretch(start: Instant, end: Instant, seen: Instant, point: Point,
             following: Point | None, *, slope: Fraction = Fraction(0),
             held: bool = False) -> Segment:
    """[start, end) at a sample's level, seen as far as ``seen``.

    In what was not seen the level may have been anything between nothing
    and the larger of the neighbours.
    """
    near = [0, point.volume] + ([following.volume] if following else [])
    taken = point.volume if held else 0
    return Segment(
        start=start, end=end, level=_height(point, slope, start),
        slope=slope, bent=seen, held=end if held else seen, known=seen,
        doubt=seen, above=Fraction(max(near) - taken),
        below=Fraction(taken - min(near)))
