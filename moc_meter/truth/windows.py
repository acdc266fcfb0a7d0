# SPDX-License-Identifier: Apache-2.0
"""Stretches of time to ask about, where answers go wrong first.

Bounds fall on samples, a microsecond beside them, or on the borders of hours,
days, weeks and months.
"""

from __future__ import annotations

import datetime

from moc_meter.truth import calendar, instants
from moc_meter.truth.forms import SECOND, Instant
from moc_meter.truth.questions import Rule
from moc_meter.truth.summary import Summary

_OFFSETS = (0, 60, -300, 330, 345, 765)         # minutes ahead of UTC
_HOUR, _DAY = 3600 * SECOND, 24 * 3600 * SECOND


class Windows:
    """Rules about time, by chance."""

    def __init__(self, summary: Summary) -> None:
        self._of = summary
        self._dice = summary.dice

    def rules(self) -> tuple[Rule, ...]:
        """Bounds, or one, or none; sometimes with a search offset."""
        which = self._dice.below(20)
        if which < 3:
            return ()
        low, high = self._pair()
        lower, upper = ('ge', 'lt') if which < 14 else ('gt', 'le')
        if which in (14, 15):
            lower, upper = self._dice.one((('ge', 'le'), ('gt', 'lt')))
        rules = [self._rule(lower, low), self._rule(upper, high)]
        if which in (3, 4):
            del rules[which == 3]
        if self._dice.chance(8):
            rules.append(Rule('search_offset', 'eq', str(
                self._dice.one((0, 1, 7, 60, 61, 1440)))))
        return tuple(rules)

    def _pair(self) -> tuple[Instant, Instant]:
        one, other = sorted((self.instant(), self.instant()))
        which = self._dice.below(12)
        if which == 0:                  # empty
            return other, self._dice.one((one, other))
        if which == 1:                  # wider than the world
            return (self._of.first - self._dice.below(400) * _DAY,
                    self._of.last + 1 + self._dice.below(400) * _DAY)
        if which == 2:                  # a day, or what is called so
            start = self._border('day')
            return start, start + self._dice.one((23, 24, 25)) * _HOUR
        return one, other

    def instant(self) -> Instant:
        """Three in four at a place where something changes."""
        place = self._dice.one(self._of.kept).timestamp
        which = self._dice.below(20)
        if which < 5:
            return place
        if which < 8:
            return place + self._dice.one((-1, 1))
        if which < 15:
            return self._border(self._dice.one(
                ('hour', 'hour', 'day', 'day', 'week', 'month')))
        length = self._of.last - self._of.first + 2
        return self._of.first + self._dice.below(length)

    def _border(self, unit: str) -> Instant:
        place = self._dice.one(self._of.kept).timestamp
        zone = self._dice.one(('UTC', self._of.zone))
        begin = border(place, unit, zone)
        return begin + self._dice.one((0, 0, 0, 0, -1, 1))

    def _rule(self, op: str, instant: Instant) -> Rule:
        return Rule('timestamp', op, self._spelled(instant))

    def _spelled(self, instant: Instant) -> str:
        which = self._dice.below(8)
        if which == 0:
            return instants.spelled(instant, self._dice.one(_OFFSETS))
        if which == 1:
            return instants.show(instant) + 'Z'
        return instants.show(instant)


def border(instant: Instant, unit: str, zone: str) -> Instant:
    """Where the hour, day, week or month of an instant began in a zone."""
    if unit == 'hour':
        return instant // _HOUR * _HOUR
    day = calendar.local_day(instant, zone)
    if unit == 'week':
        day -= datetime.timedelta(days=day.weekday())
    if unit == 'month':
        day = day.replace(day=1)
    return calendar.day_start(day, zone)
