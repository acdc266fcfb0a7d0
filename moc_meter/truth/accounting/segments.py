# SPDX-License-Identifier: Apache-2.0
"""A stretch of usage, and the part of it before an instant.

Levels are units of 10**-9 a second, amounts units of 10**-9.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from moc_meter.truth.accounting import exact
from moc_meter.truth.forms import SECOND, Instant, Interval

_NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Usage of one resource over [start, end), between two samples.

    ``held`` and ``known`` lie within [start, end]. Where start and end are
    the same, the whole ``amount`` belongs to that instant.
    """

    start: Instant
    end: Instant
    level: Fraction = _NOTHING
    slope: Fraction = _NOTHING      # what the level gains a second
    bent: Instant = 0               # until here
    amount: int = 0
    held: Instant                   # the level counts until here
    known: Instant                  # and this far it was seen
    doubt: Instant                  # from here on it may be more or less
    above: Fraction | None = _NOTHING   # a second in doubt; None: no bound
    below: Fraction = _NOTHING
    flags: frozenset[str] = frozenset()
    cut_flags: frozenset[str] = frozenset()     # of pieces cut within it

    def used(self, until: Instant) -> Fraction:
        """U(t): what was used from the segment's start to an instant."""
        if self.start == self.end:
            return Fraction(self.amount if until > self.start else 0)
        flat = exact.spent(self.level,
                           max(0, min(until, self.held) - self.start))
        if not self.slope:
            return flat
        risen = Fraction(max(0, min(until, self.bent) - self.start), SECOND)
        return flat + self.slope * risen * risen / 2

    def doubtful(self, until: Instant) -> int:
        """Microseconds from where doubt begins to an instant."""
        return max(0, min(until, self.end) - self.doubt)


def level(start: Instant, end: Instant, height: Fraction) -> Segment:
    """A known level all the way."""
    return Segment(start=start, end=end, level=height, held=end, known=end,
                   doubt=end)


def spread(start: Instant | None, end: Instant, amount: int,
           flags: Iterable[str] = (), *, above: Fraction | None = _NOTHING,
           cut_flags: Iterable[str] = ()) -> Segment:
    """An amount spread evenly; at the instant ``end`` without a start.

    above: how much more a second it may have been.
    """
    sure = above is not None and not above
    if start is None or start >= end:
        return Segment(start=end, end=end, amount=amount, held=end, known=end,
                       doubt=end, flags=frozenset(flags))
    return Segment(
        start=start, end=end, level=Fraction(amount * SECOND, end - start),
        held=end, known=end, doubt=end if sure else start, above=above,
        flags=frozenset(flags), cut_flags=frozenset(cut_flags))


def unknown(start: Instant, end: Instant, above: Fraction | None,
            flags: Iterable[str] = ()) -> Segment:
    """A stretch of which nothing is known but, perhaps, a bound."""
    return Segment(start=start, end=end, held=start, known=start, doubt=start,
                   above=above, flags=frozenset(flags))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants in disjoint intervals, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def uncovered(whole: Interval, intervals: Iterable[Interval]
              ) -> list[Interval]:
    """What the intervals leave of a whole."""
    found, at = [], whole[0]
    for start, end in union(intervals):
        if at < min(start, whole[1]):
            found.append((at, min(start, whole[1])))
        at = max(at, end)
    if at < whole[1]:
        found.append((at, whole[1]))
    return found
