# SPDX-License-Identifier: Apache-2.0
"""A resource's usage, cut at borders."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from moc_meter.truth.accounting.exact import rounded, spent
from moc_meter.truth.accounting.history import History
from moc_meter.truth.accounting.segments import Segment
from moc_meter.truth.forms import Instant, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """All that bears on the usage of one resource by one meter."""

    resource_id: str
    type: str | None                # of the resource, where it is known
    history: History
    expected: Interval              # where there should be samples
    segments: Sequence[Segment]
    known: Sequence[Interval]       # disjoint, within expected
    estimated: Sequence[Interval]
    samples: Sequence[Instant] = ()     # in order
    mismatched: Sequence[Instant] = ()  # of another kind or unit

    def met(self, borders: Sequence[Instant]) -> Sequence[Instant]:
        """Of borders in order those around what there is of the series."""
        points = [*self.expected, *self.samples, *self.mismatched]
        first = min(points + [one.start for one in self.segments])
        last = max(points + [one.end for one in self.segments])
        begin = max(0, bisect.bisect_right(borders, first) - 1)
        return borders[begin:bisect.bisect_right(borders, last) + 1]


@dataclass(slots=True)
class Cell:
    """What belongs to [start, end) of one resource, or of several."""

    start: Instant
    end: Instant
    quantity: int = 0               # in units of 10**-9
    lower: int = 0
    upper: int | None = 0           # None: no bound is known
    known: int = 0                  # microseconds
    estimated: int = 0
    expected: int = 0
    samples: int = 0
    first: Instant | None = None    # of the samples
    last: Instant | None = None
    flags: set[str] = field(default_factory=set)

    def empty(self) -> bool:
        """Whether nothing was to be expected, and nothing came."""
        return not (self.quantity or self.lower or self.upper is None
                    or self.upper or self.expected or self.samples
                    or self.flags)


def cut(series: Series, borders: Sequence[Instant]) -> list[Cell]:
    """A cell between each border and the next; borders in order.

    Of a segment that is cut each piece is a difference of its rounded
    running total: the pieces add up to it whatever the borders.
    """
    cells = [Cell(start, end) for start, end in itertools.pairwise(borders)]
    for segment in series.segments:
        for cell in _met(cells, borders, (segment.start, segment.end)):
            _add(cell, segment)
    for cell in _met(cells, borders, series.expected):
        cell.expected = _shared(series.expected, cell)
    for interval in series.known:
        for cell in _met(cells, borders, interval):
            cell.known += _shared(interval, cell)
    for interval in series.estimated:
        for cell in _met(cells, borders, interval):
            cell.estimated += _shared(interval, cell)
    _count(series, cells, borders)
    return cells


def _count(series: Series, cells: Sequence[Cell],
           borders: Sequence[Instant]) -> None:
    """Count samples in their cells."""
    for at in series.samples:
        for cell in _met(cells, borders, (at, at)):
            cell.samples += 1
            cell.first = at if cell.first is None else cell.first
            cell.last = at
    for at in series.mismatched:
        for cell in _met(cells, borders, (at, at)):
            cell.flags.add('mismatch')


def _met(cells: Sequence[Cell], borders: Sequence[Instant],
         interval: Interval) -> Iterable[Cell]:
    """Cells that an interval shares instants with; of a point, its cell."""
    start, end = interval
    first = max(0, bisect.bisect_right(borders, start) - 1)
    if start == end:
        return cells[first:first + 1] if start >= borders[0] else ()
    return cells[first:max(0, bisect.bisect_left(borders, end))]


def _shared(interval: Interval, cell: Cell) -> int:
    """Microseconds of an interval in a cell that it meets."""
    return max(0, min(interval[1], cell.end) - max(interval[0], cell.start))


def _add(cell: Cell, segment: Segment) -> None:
    """Add to a cell what of a segment lies in it."""
    a, b = cell.start, cell.end
    quantity = rounded(segment.used(b)) - rounded(segment.used(a))
    cell.quantity += quantity
    cell.lower += quantity - _doubt(segment, segment.below, a, b)
    if segment.above is None and segment.doubtful(b) > segment.doubtful(a):
        cell.upper = None
    elif cell.upper is not None:
        cell.upper += quantity + _doubt(
            segment, segment.above or Fraction(0), a, b)
    cell.flags |= segment.flags
    if a > segment.start or b < segment.end:
        cell.flags |= segment.cut_flags


def _doubt(segment: Segment, rate: Fraction, a: Instant, b: Instant) -> int:
    """What of a doubt, so much a second, lies in [a, b); never negative."""
    if not rate:
        return 0
    return (rounded(spent(rate, segment.doubtful(b)))
            - rounded(spent(rate, segment.doubtful(a))))
