# SPDX-License-Identifier: Apache-2.0
"""Where the answer to a question of statistics is read.

Whole UTC months are read from their rollup, whole days and hours from theirs,
and what is left at the edges from the raw samples. Pure; instants are
microseconds since 1970 here, since not every border of a cell is within the
calendar.
"""

from __future__ import annotations

import calendar
import datetime
import enum
import functools
from dataclasses import dataclass

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import Selection, StatisticsQuestion

_EARLIEST = period.microseconds(
    datetime.datetime.min.replace(tzinfo=datetime.UTC))
_LATEST = period.microseconds(
    datetime.datetime.max.replace(tzinfo=datetime.UTC))


class Level(enum.IntEnum):
    """What can be read, coarsest first.

    The value is a cell's length; of months, which differ, the greatest.
    """

    MONTH = 31 * period.DAY // period.MICROSECOND
    DAY = period.DAY // period.MICROSECOND
    HOUR = period.HOUR // period.MICROSECOND
    RAW = 1

    def floor(self, instant: int) -> int:
        """Where the cell begins that an instant lies in."""
        if self is not Level.MONTH:
            return instant - instant % self
        return period.microseconds(period.instant(instant).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0))

    def ceiling(self, instant: int) -> int:
        """Where the first cell begins that is not before an instant."""
        begin = self.floor(instant)
        return begin if begin == instant else self.end(begin)

    def end(self, begin: int) -> int:
        """Where the cell ends that begins there."""
        if self is not Level.MONTH:
            return begin + self
        month = period.instant(begin)
        return begin + Level.DAY * calendar.monthrange(month.year,
                                                       month.month)[1]


@dataclass(frozen=True, slots=True)
class Part:
    """The cells of one level that begin in [start, end); None: no bound."""

    level: Level
    start: int | None
    end: int | None


@dataclass(frozen=True)
class Periods:
    """Periods of equal length, and how SQL counts them.

    Integer division rounds towards zero on every database, so instants are
    counted from a base that no instant is before.
    """

    origin: int                     # where period 0 begins
    length: int

    @property
    def step(self) -> int:
        """The length; one that exceeds the calendar would not fit 64 bits."""
        return min(self.length, _LATEST - _EARLIEST + 1)

    @property
    def base(self) -> int:
        """Where the first step begins that an instant can be in."""
        return self.origin - self._before * self.step

    @functools.cached_property
    def _before(self) -> int:
        return -((_EARLIEST - self.origin) // self.step)

    def start(self, number: int) -> datetime.datetime:
        """Where the period begins that is so many steps after the base."""
        try:
            return period.instant(
                self.origin + (number - self._before) * self.length)
        except OverflowError:
            raise errors.InvalidQuery(
                'a period with samples begins before the calendar',
                seconds=self.length // 10 ** 6) from None


def periods(question: StatisticsQuestion) -> Periods | None:
    """The periods that a question names; its origin must be known."""
    if question.period is None or question.origin is None:
        return None
    return Periods(period.microseconds(question.origin),
                   question.period // period.MICROSECOND)


def parts(question: StatisticsQuestion) -> list[Part]:
    """What must be read: every selected instant is in exactly one part."""
    return _cut(*bounds(question.selection), levels(question))


def bounds(selection: Selection) -> tuple[int | None, int | None]:
    """The time range of a selection; None where it has no bound."""
    start, end = (None if bound is None else period.microseconds(bound)
                  for bound in (selection.start, selection.end))
    return start, end


def levels(question: StatisticsQuestion) -> list[Level]:
    """Those whose cells know all that is asked and lie in one period each."""
    if (question.selection.metadata or question.selection.message_ids
            or question.group_by_metadata or question.squares):
        return [Level.RAW]
    divided = periods(question)
    if divided is None:
        return list(Level)
    # Periods are of equal length, and months are not.
    return [level for level in Level if level is not Level.MONTH
            and divided.length % level == 0 and divided.origin % level == 0]


def _cut(start: int | None, end: int | None,
         levels: list[Level]) -> list[Part]:
    if not levels:
        return []
    level, *finer = levels
    first = None if start is None else level.ceiling(start)
    last = None if end is None else level.floor(end)
    if first is not None and last is not None and first >= last:
        return _cut(start, end, finer)
    return [*(_cut(start, first, finer) if first != start else []),
            Part(level, first, last),
            *(_cut(last, end, finer) if last != end else [])]
