# SPDX-License-Identifier: Apache-2.0
"""What of a sample bears on its series: the order of the series, and ties."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from moc_meter.truth.forms import Instant, Interval, Meter, Sample

#: Longer than anything lasts, in microseconds.
UNLIMITED = 2 ** 62


class Point(NamedTuple):
    """One sample of a series; its volume in units of 10**-9."""

    at: Instant
    message_id: str
    volume: int
    interval: Interval | None = None
    counter_start: Instant | None = None
    sequence: int | None = None


def point(sample: Sample) -> Point:
    """The sample without what its series says already."""
    return Point(sample.timestamp, sample.message_id, sample.volume,
                 sample.interval, sample.counter_start, sample.sequence)


def longest_gap(meter: Meter) -> int:
    """Microseconds for which a sample is good, at most."""
    if meter.max_gap is not None:
        return meter.max_gap
    return UNLIMITED if meter.cadence is None else 3 * meter.cadence


def ordered(points: Iterable[Point]) -> list[Point]:
    """In order of time; what lies at one instant in order of its ids."""
    return sorted(points, key=lambda one: (one.at, one.message_id.encode()))


def unshadowed(points: Iterable[Point]) -> list[Point]:
    """One point an instant: a gauge or counter has one value there.

    Of those with a sequence the largest stays, and of what then remains the
    one of the largest id; the arrival has no say.
    """
    return [_winner(list(tied)) for _, tied in groupby(
        ordered(points), key=lambda one: one.at)]


def _winner(tied: list[Point]) -> Point:
    """The one that counts of those of one instant, in order of their ids."""
    last = max((one.sequence for one in tied if one.sequence is not None),
               default=None)
    return [one for one in tied if one.sequence in (None, last)][-1]
