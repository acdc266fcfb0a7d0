# SPDX-License-Identifier: Apache-2.0
"""What a caller means by -7d, 2026-03, last month, or noon in Berlin.

A day, week, month or year is one of the caller's zone: it may have an hour
more or less than others. Hours, minutes and seconds are always as long.
"""

from __future__ import annotations

import calendar
import datetime
import difflib
import itertools
import os
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moc_meter import errors

#: Instants as options take them.
INSTANTS: Final = ('now', 'today', 'yesterday', 'monday', '2026-03-01',
                   '2026-03-01T14:30', '2026-03-01T14:30+01:00', '-36h',
                   '-7d', '-2w', '-1mo', '-1y')
MONTHS: Final = ('2026-03',)
ZONES: Final = ('local', 'UTC', 'Europe/Berlin')
#: Cuts of the caller's calendar.
UNITS: Final = ('day', 'week', 'month')
#: What an argument parser would else take for an option; see argparse's
#: _negative_number_matcher.
NEGATIVE: Final = re.compile(r'-\.?\d.*')

_LOCALTIME: Final = Path('/etc/localtime')
_RELATIVE = re.compile(r'-(\d{1,9})(s|min|h|d|w|mo|y)', re.ASCII)
_MONTH = re.compile(r'(\d{4})-(\d{2})', re.ASCII)
_EXACT = {'s': 1, 'min': 60, 'h': 3600}
_DAYS = {'d': 1, 'w': 7}
_MONTHS_IN = {'mo': 1, 'y': 12}
_WEEKDAYS = tuple(name.lower() for name in (
    'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday',
    'Sunday'))


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From start on until before end; None where there is no bound."""

    start: datetime.datetime | None     # aware, in UTC
    end: datetime.datetime | None
    zone: zoneinfo.ZoneInfo             # in which the caller speaks

    @property
    def zone_name(self) -> str:
        """What to call it in an answer."""
        return self.zone.key or 'local time'


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Calendar units that follow on each other and are equally long.

    The first and the last of a period may be cut off at its bounds; such a
    one is alone.
    """

    start: datetime.datetime            # aware, in UTC
    end: datetime.datetime
    seconds: int                        # of each unit; the last may be less


def zone(name: str, environment: Mapping[str, str] = os.environ,
         localtime: Path = _LOCALTIME) -> zoneinfo.ZoneInfo:
    """The time zone of a name; 'local' is that of the machine or of $TZ.

    Raises InvalidQuery where there is none.
    """
    if name != 'local':
        return _zone('--timezone', name)
    if (named := environment.get('TZ')) is not None:
        named = named.removeprefix(':')
        if not named.startswith('/'):
            return _zone('TZ', named or 'UTC')
        localtime = Path(named)
    try:
        _, found, key = localtime.resolve(strict=True).as_posix(
            ).rpartition('/zoneinfo/')
        if found:
            return zoneinfo.ZoneInfo(key)
        with localtime.open('rb') as file:
            return zoneinfo.ZoneInfo.from_file(file)
    except FileNotFoundError:
        return zoneinfo.ZoneInfo('UTC')
    except (KeyError, ValueError, OSError) as fault:
        raise errors.InvalidQuery('the local time zone cannot be read',
                                  path=str(localtime), reason=str(fault)
                                  ) from fault


def _zone(option: str, name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = {one.lower(): one for one in zoneinfo.available_timezones()}
        near = difflib.get_close_matches(name.lower(), known, 1)
        raise errors.InvalidQuery(
            'no such time zone', option=option, value=name,
            allowed=tuple(dict.fromkeys((*(known[one] for one in near),
                                         *ZONES)))) from None


def period(*, now: datetime.datetime, zone: zoneinfo.ZoneInfo,
           start: str | None = None, end: str | None = None,
           month: str | None = None, last_month: bool = False,
           today: bool = False, yesterday: bool = False) -> Period:
    """What options of these names ask for.

    now: aware. Raises InvalidQuery, which names the option, its value and
    what is allowed.
    """
    given = {'--month': month is not None, '--last-month': last_month,
             '--today': today, '--yesterday': yesterday,
             '--start': start is not None or end is not None}
    chosen = [option for option, is_given in given.items() if is_given]
    if len(chosen) > 1:
        raise errors.InvalidQuery('only one of these may be given',
                                  options=tuple(chosen))
    try:
        first, last = _bounds(now.astimezone(zone), start, end, month,
                              chosen)
    except OverflowError:
        raise errors.InvalidQuery(
            'only the years 1 to 9999 can be told', **{
                option: value for option, value in (
                    ('start', start), ('end', end), ('month', month))
                if value is not None}) from None
    if first is not None and last is not None and first >= last:
        raise errors.InvalidQuery(
            '--start must lie before --end', start=first.isoformat(),
            end=last.isoformat())
    return Period(start=first, end=last, zone=zone)


_Bounds = tuple[datetime.datetime | None, datetime.datetime | None]


def _bounds(now: datetime.datetime, start: str | None, end: str | None,
            month: str | None, chosen: list[str]) -> _Bounds:
    """now: in the caller's zone."""
    zone, day = now.tzinfo, now.date()
    match chosen:
        case ['--month']:
            first = _month(month or '')
        case ['--last-month']:
            first = _months(day.replace(day=1), -1)
        case ['--today']:
            return _midnight(day, zone), _midnight(_later(day, 1), zone)
        case ['--yesterday']:
            return _midnight(_later(day, -1), zone), _midnight(day, zone)
        case _:
            return (None if start is None else _instant('--start', start, now),
                    None if end is None else _instant('--end', end, now))
    return _midnight(first, zone), _midnight(_months(first, 1), zone)


def instant(option: str, text: str, now: datetime.datetime,
            zone: zoneinfo.ZoneInfo) -> datetime.datetime:
    """The instant that an option names, in UTC.

    A date is its day's first instant; without an offset, the time is one of
    the zone. Raises InvalidQuery, also where clocks of the zone are put
    forward over that time, or show it twice.
    """
    try:
        return _instant(option, text, now.astimezone(zone))
    except OverflowError:
        raise _refused(option, text) from None


def _instant(option: str, text: str, now: datetime.datetime
             ) -> datetime.datetime:
    if text == 'now':
        return now.astimezone(datetime.UTC)
    if relative := _RELATIVE.fullmatch(text):
        return _ago(int(relative[1]), relative[2], now)
    today = now.date()
    if text in ('today', 'yesterday'):
        return _midnight(_later(today, -(text == 'yesterday')), now.tzinfo)
    if text.lower() in _WEEKDAYS:
        since = (today.weekday() - _WEEKDAYS.index(text.lower())) % 7
        return _midnight(_later(today, -since), now.tzinfo)
    try:
        if len(text) <= len('2026-03-01'):
            return _midnight(datetime.date.fromisoformat(text), now.tzinfo)
        return _written(option, text, now.tzinfo)
    except ValueError:
        raise _refused(option, text) from None


def _refused(option: str, text: str) -> errors.InvalidQuery:
    return errors.InvalidQuery('no such instant', option=option, value=text,
                               allowed=INSTANTS)


def _written(option: str, text: str, zone: datetime.tzinfo | None
             ) -> datetime.datetime:
    read = datetime.datetime.fromisoformat(text)
    if read.tzinfo is not None:
        return read.astimezone(datetime.UTC)
    first, second = (_utc(read, zone, fold) for fold in (0, 1))
    if first != second:
        raise errors.InvalidQuery(
            'clocks show this time twice: give its offset' if first < second
            else 'clocks never show this time', option=option, value=text,
            timezone=str(zone), allowed=tuple(
                moment.astimezone(zone).isoformat()
                for moment in sorted((first, second))))
    return first


def _ago(count: int, unit: str, now: datetime.datetime
         ) -> datetime.datetime:
    """Days and longer ones by the calendar, at the same time of the day."""
    if unit in _EXACT:
        return (now.astimezone(datetime.UTC)
                - datetime.timedelta(seconds=count * _EXACT[unit]))
    if unit in _DAYS:
        day = _later(now.date(), -count * _DAYS[unit])
    else:
        day = _months(now.date(), -count * _MONTHS_IN[unit])
    return _utc(datetime.datetime.combine(day, now.time()), now.tzinfo,
                now.fold)


def _month(text: str) -> datetime.date:
    if read := _MONTH.fullmatch(text):
        try:
            return datetime.date(int(read[1]), int(read[2]), 1)
        except ValueError:
            pass
    raise errors.InvalidQuery('no such month', option='--month', value=text,
                              allowed=MONTHS)


def _later(day: datetime.date, days: int) -> datetime.date:
    return day + datetime.timedelta(days=days)


def _months(day: datetime.date, count: int) -> datetime.date:
    """So many months later; the month's last day where it has no such."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise OverflowError
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(day.day, last))


def _midnight(day: datetime.date, zone: datetime.tzinfo | None
              ) -> datetime.datetime:
    """The first instant of a day; it need not be at 0:00 on clocks."""
    return _utc(datetime.datetime.combine(day, datetime.time()), zone, 0)


def _utc(clock: datetime.datetime, zone: datetime.tzinfo | None, fold: int
         ) -> datetime.datetime:
    return clock.replace(tzinfo=zone, fold=fold).astimezone(datetime.UTC)


def runs(start: datetime.datetime, end: datetime.datetime,
         zone: zoneinfo.ZoneInfo, unit: str) -> Iterator[Run]:
    """The period cut at the zone's borders of days, weeks or months.

    unit: one of UNITS; a week begins on Monday. The service knows periods
    of so many seconds only: asking it once for each run, with its bounds
    and its seconds, gives the calendar's figures, though days differ.
    """
    edges = [start, *_edges(start, end, zone, unit), end]
    for length, pieces in itertools.groupby(
            itertools.pairwise(edges), lambda piece: piece[1] - piece[0]):
        found = list(pieces)
        # Only what is cut off is not of whole seconds; two such ones are
        # one run only where nothing lies between.
        seconds = -(-length // datetime.timedelta(seconds=1))
        for part in [found] if not length.microseconds else (
                [one] for one in found):
            yield Run(start=part[0][0], end=part[-1][1], seconds=seconds)


def _edges(start: datetime.datetime, end: datetime.datetime,
           zone: zoneinfo.ZoneInfo, unit: str
           ) -> Iterator[datetime.datetime]:
    """Where a unit begins, after start and before end."""
    day = start.astimezone(zone).date()
    if unit == 'week':
        day = _later(day, -day.weekday())
    elif unit == 'month':
        day = day.replace(day=1)
    while (edge := _midnight(day, zone)) < end:
        if edge > start:
            yield edge
        day = (_months(day, 1) if unit == 'month'
               else _later(day, 7 if unit == 'week' else 1))
