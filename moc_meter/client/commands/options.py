# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have, and what was meant by them."""

from __future__ import annotations

import argparse
import datetime
import functools
import zoneinfo
from collections.abc import Sequence

from moc_meter import errors
from moc_meter.client import filters, times
from moc_meter.client.filters import Filter

#: Fields of samples by the option that compares with them.
FIELDS = ('project', 'user', 'resource', 'source', 'meter')


def selection(parser: argparse.ArgumentParser,
              fields: Sequence[str] = FIELDS) -> None:
    """Which samples: rules that all must hold."""
    group = parser.add_argument_group(
        'selection', 'All of it must hold.')
    query(group)
    for field in fields:
        group.add_argument(f'--{field}', metavar='NAME' if field == 'meter'
                           else 'ID', help=f'of this {field}')
    group.add_argument('--metadata', metavar='KEY=VALUE', action='append',
                       default=[], help='with this among the metadata, a '
                       'path as in disk.kind; may be said again')


def query(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '-q', '--query', metavar='RULES', default='',
        help="rules as Ceilometer's client takes them: "
             "'project=x;timestamp>=2026-03-01', of = != < <= > >=; a type "
             "may stand before a value: 'metadata.size=integer::8'; blanks "
             'around fields and values do not count')


def period(parser: argparse.ArgumentParser) -> None:
    """From when to when."""
    group = parser.add_argument_group(
        'time', 'From --start on, and before --end.')
    shown = ', '.join(times.INSTANTS)
    group.add_argument('--start', metavar='TIME', help=f'as {shown}')
    group.add_argument('--end', metavar='TIME', help='likewise')
    group.add_argument('--month', metavar='MONTH', help='as 2026-03')
    group.add_argument('--last-month', action='store_true',
                       help='the month before this one')
    group.add_argument('--today', action='store_true', help='the day so far')
    group.add_argument('--yesterday', action='store_true',
                       help='the day before')


def zone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--timezone', metavar='ZONE', default='UTC',
        help='in which times are meant and told: '
             f'{", ".join(times.ZONES)} (default: UTC)')


def limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--limit', metavar='N', type=_count,
                        help='so many at most (default: all)')


def zone_of(asked: argparse.Namespace) -> zoneinfo.ZoneInfo:
    return times.zone(asked.timezone)


def period_of(asked: argparse.Namespace) -> times.Period:
    return times.period(
        now=now(), zone=zone_of(asked), start=asked.start, end=asked.end,
        month=asked.month, last_month=asked.last_month, today=asked.today,
        yesterday=asked.yesterday)


def range_of(asked: argparse.Namespace, start: str = 'timestamp',
             end: str = 'timestamp') -> list[Filter]:
    """What period() was told, as rules on the fields of these names."""
    found = period_of(asked)
    return [Filter(field, op, moment) for field, op, moment in (
        (start, '>=', found.start), (end, '<', found.end))
        if moment is not None]


def rules_of(asked: argparse.Namespace) -> list[Filter]:
    """What selection() was told."""
    found = filters.parse(asked.query)
    for field in FIELDS:
        if (value := getattr(asked, field, None)) is not None:
            found.append(Filter(field, '=', value))
    for pair in getattr(asked, 'metadata', ()):
        key, value = pair_of('--metadata', pair)
        found.append(Filter(f'metadata.{key}', '=', value))
    return found


def pair_of(option: str, text: str) -> tuple[str, str]:
    """KEY and VALUE of KEY=VALUE."""
    key, equals, value = text.partition('=')
    if not key or not equals:
        raise errors.InvalidQuery('KEY=VALUE is expected', option=option,
                                  value=text)
    return key, value


@functools.cache
def now() -> datetime.datetime:
    """When the command was given."""
    return datetime.datetime.now(datetime.UTC)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f'a number above 0 is expected, not {text!r}')
    return int(text)
