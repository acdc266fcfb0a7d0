# SPDX-License-Identifier: Apache-2.0
"""Days, months and their borders in a time zone, in microseconds."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from moc_meter.truth.forms import SECOND, Instant
from moc_meter.truth.seed import Dice

HOUR = 3600 * SECOND
DAY = 24 * HOUR
ZONES = ('UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe',
         'Asia/Kolkata', 'America/St_Johns')

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def instant(moment: datetime.datetime) -> Instant:
    """Of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: Instant) -> datetime.datetime:
    """The aware datetime, in UTC."""
    return _EPOCH + datetime.timedelta(microseconds=at)


def day_start(day: datetime.date, zone: str) -> Instant:
    """The first instant of a local date."""
    return instant(datetime.datetime.combine(
        day, datetime.time(), tzinfo=ZoneInfo(zone)))


def local_day(at: Instant, zone: str) -> datetime.date:
    """The local date at an instant."""
    return moment(at).astimezone(ZoneInfo(zone)).date()


def days(start: Instant, end: Instant, zone: str) -> Iterator[Instant]:
    """Where local days begin within [start, end)."""
    day = local_day(start, zone)
    while (begin := day_start(day, zone)) < end:
        if begin >= start:
            yield begin
        day += datetime.timedelta(days=1)


def odd_days(first: datetime.date, count: int,
             zone: str) -> list[datetime.date]:
    """Local days that do not have 24 hours, of so many from the first."""
    found = []
    for number in range(count):
        day = first + datetime.timedelta(days=number)
        after = day + datetime.timedelta(days=1)
        if day_start(after, zone) - day_start(day, zone) != DAY:
            found.append(day)
    return found


def border(dice: Dice, near: Instant, zone: str) -> Instant:
    """A border of an hour, day or month near an instant, or just beside."""
    day = local_day(near, zone)
    found = dice.one((
        near // HOUR * HOUR,
        near // DAY * DAY,
        day_start(day, zone),
        day_start(day.replace(day=1), zone)))
    return found + dice.one((-1, 0, 0, 1))
