# SPDX-License-Identifier: Apache-2.0
"""Where the hours, days, weeks and months of a zone begin.

A day begins at the first instant of its date in the zone, so one of 23 or 25
hours is nothing special. Hours are counted from there: they nest in days.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator

from moc_meter.truth import calendar
from moc_meter.truth.forms import Instant

PERIODS = ('hour', 'day', 'week', 'month')


def borders(period: str, zone: str, start: Instant,
            end: Instant) -> list[Instant]:
    """Starts of all periods that meet [start, end), and the last one's end.

    period: one of PERIODS; zone: an IANA name.
    """
    found: list[Instant] = []
    for border in _starts(period, zone, start):
        if border <= start:
            found = [border]
        elif border != found[-1]:       # a date that the zone left out
            found.append(border)
        if border >= end:
            return found
    raise AssertionError('periods do not end')


def _starts(period: str, zone: str, start: Instant) -> Iterator[Instant]:
    if period == 'hour':
        yield from _hours(_starts('day', zone, start))
        return
    date = _first_date(period, calendar.local_day(start, zone))
    while True:
        yield calendar.day_start(date, zone)
        date = _next_date(period, date)


def _hours(days: Iterator[Instant]) -> Iterator[Instant]:
    for day, following in itertools.pairwise(days):
        yield from range(day, following, calendar.HOUR)


def _first_date(period: str, date: datetime.date) -> datetime.date:
    """The first date of the period that a date lies in."""
    if period == 'week':
        return date - datetime.timedelta(days=date.weekday())
    return date.replace(day=1) if period == 'month' else date


def _next_date(period: str, date: datetime.date) -> datetime.date:
    if period == 'month':
        return (date + datetime.timedelta(days=31)).replace(day=1)
    return date + datetime.timedelta(days=7 if period == 'week' else 1)
