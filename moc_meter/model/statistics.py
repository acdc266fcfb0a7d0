# SPDX-License-Identifier: Apache-2.0
"""Statistics of one series over one bucket, and how two buckets join."""

from __future__ import annotations

import datetime
import decimal
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from moc_meter.model import quantity

# Far more digits than a binary double holds, so that a figure which is cut
# here and made a double at the API is rounded once for all practical purposes.
_DIVISION = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the metering API says of a bucket without reading its samples."""

    count: int                     # > 0
    sum: Decimal                   # of the volumes; for usage see accounting
    min: Decimal
    max: Decimal
    first: datetime.datetime       # instant of the earliest sample
    last: datetime.datetime        # of the latest one

    @classmethod
    def of(cls, figures: Iterable[tuple[datetime.datetime, Decimal]]
           ) -> Statistics | None:
        """Statistics of instants and volumes; None where there are none."""
        return merge(cls(1, volume, volume, volume, instant, instant)
                     for instant, volume in figures)

    def __add__(self, other: Statistics) -> Statistics:
        """Both buckets as one. The order of joining never matters."""
        return Statistics(self.count + other.count,
                          quantity.add(self.sum, other.sum),
                          min(self.min, other.min), max(self.max, other.max),
                          min(self.first, other.first),
                          max(self.last, other.last))


def merge(buckets: Iterable[Statistics]) -> Statistics | None:
    """All the buckets as one; None where there is none."""
    return functools.reduce(lambda a, b: a + b if a else b, buckets, None)


def mean(total: Decimal, count: int) -> Decimal:
    """The plain mean of so many volumes with this sum."""
    return _DIVISION.divide(total, Decimal(count))


def deviation(total: Decimal, squares: Decimal, count: int) -> Decimal:
    """The population standard deviation.

    total, squares: the exact sums of the volumes and of their squares.
    sqrt(n * squares - total**2) / n; what stands under the root is exact, so
    it is never negative and equal volumes give 0.
    """
    spread = quantity.subtract(quantity.multiply(squares, Decimal(count)),
                               quantity.multiply(total, total))
    return _DIVISION.divide(spread.sqrt(_DIVISION), Decimal(count))
