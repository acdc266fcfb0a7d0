# SPDX-License-Identifier: Apache-2.0
"""What many samples amount to, as rows or as a plot."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from moc_meter import errors
from moc_meter.client import increase, picture, plot, readable, times
from moc_meter.client.columns import Column, own_unit, seconds
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing
from moc_meter.client.filters import Filter
from moc_meter.client.models import Statistics

_FIGURES = ('count', 'min', 'max', 'avg', 'sum')
#: Aggregates that count something and have no unit.
_COUNTS = ('count', 'cardinality')
_HOUR = 3600
_TERMINAL = Path('-')
#: Of the units of the calendar.
_LONGEST = datetime.timedelta(days=32)


class ListStatistics(Listing):
    """List count, min, max, avg and sum of a meter."""

    examples = (
        'vcpus --last-month --period week -f csv',
        'cpu --month 2026-03 -g project_id -a increase --unit h -f csv',
        'vcpus --month 2026-03 --groupby project_id',
        'vcpus -a max -a cardinality/resource_id --start -30d',
        'vcpus --period day --start -14d --plot usage.svg')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('meter', metavar='METER', help='its name')
        parser.add_argument(
            '-p', '--period', metavar='PERIOD', type=_period,
            help='a row for each: so many seconds, hour, or day, week or '
                 'month of the calendar in --timezone')
        parser.add_argument(
            '-g', '--groupby', metavar='FIELD', action='append', default=[],
            help='rows for each project_id, user_id, resource_id, source, or '
                 'metadata as the service allows: metadata.instance_type; '
                 'may be said again')
        parser.add_argument(
            '-a', '--aggregate', metavar='FUNCTION', action='append',
            default=[], type=lambda text: text.replace('<-', '/'),
            help='instead of the five: max, min, avg, sum, count, stddev, '
                 'cardinality/FIELD; may be said again. Or increase, alone: '
                 'by how much counters grew, from reading to reading')
        parser.add_argument(
            '--unit', metavar='UNIT', help='of times and bytes: h, GiB; with '
            'nine digits behind the point')
        parser.add_argument(
            '--plot', metavar='FILE', nargs='?', const=_TERMINAL,
            type=_file,
            help='draw the first of the aggregates, or avg: here, or to an '
                 '.svg or .png besides the rows')
        options.selection(parser, ('project', 'user', 'resource', 'source'))
        options.period(parser)

    def columns_of(self, asked: argparse.Namespace) -> Sequence[Column]:
        periods = asked.period is not None
        unit = own_unit if asked.unit is None else None
        return (
            Column('period_start', long=not periods),
            Column('period_end', long=not periods),
            *(Column(name, _group(name)) for name in dict.fromkeys(
                asked.groupby)),
            Column('unit', long=asked.unit is None),
            *((Column(name, _aggregate(name),
                      None if _counts(name) else unit)
               for name in dict.fromkeys(asked.aggregate))
              if asked.aggregate else
              (Column(name, unit=unit) for name in _FIGURES)),
            Column('duration', unit=seconds),
            Column('duration_start', long=periods),
            Column('duration_end', long=periods),
            Column('period', long=True))

    def run(self, parsed_args: argparse.Namespace) -> int:
        if (increase.NAME in parsed_args.aggregate
                and set(parsed_args.aggregate) != {increase.NAME}):
            raise errors.InvalidQuery(
                'an increase is not made of the samples that others are of; '
                'ask for it alone', option='--aggregate',
                value=tuple(parsed_args.aggregate))
        if parsed_args.plot not in (None, _TERMINAL):
            picture.check()
        if parsed_args.plot != _TERMINAL:
            return super().run(parsed_args)
        if not sys.stdout.isatty():
            raise errors.InvalidQuery(
                'a plot is drawn on a terminal only; name a file',
                option='--plot', allowed=picture.FORMATS)
        self._draw(parsed_args)
        return 0

    def items(self, asked: argparse.Namespace) -> Iterable[Statistics]:
        rows = list(self._rows(asked))
        if asked.plot not in (None, _TERMINAL):
            picture.write(plot.series(rows, _figure(asked)), asked.plot,
                          title=_title(asked), within=options.period_of(asked))
        return rows

    def _rows(self, asked: argparse.Namespace) -> Iterator[Statistics]:
        rows = self._cut(asked) if asked.period in times.UNITS else (
            self._part(asked, options.period_of(asked), asked.period))
        for row in rows:
            yield row if asked.unit is None else _in(asked.unit, row)

    def _cut(self, asked: argparse.Namespace) -> Iterator[Statistics]:
        """By the calendar."""
        period = options.period_of(asked)
        first, last = period.start, period.end
        if first is None or last is None:
            bounds = self.client.statistics(
                asked.meter, [*options.rules_of(asked), *_between(period)])
            if not bounds:
                return
            # Beyond the samples, so that no period of the calendar is cut.
            first = first or min(
                row.period_start for row in bounds) - _LONGEST
            last = last or max(row.period_end for row in bounds) + _LONGEST
        for run in times.runs(first, last, period.zone, asked.period):
            for row in self._part(asked, run, run.seconds):
                yield dataclasses.replace(
                    row, period_end=min(row.period_end, run.end))

    def _part(self, asked: argparse.Namespace, part: times.Period | times.Run,
              period: int | None) -> Iterable[Statistics]:
        rules = options.rules_of(asked)
        if increase.NAME in asked.aggregate:
            return increase.rows(
                lambda rules, limit: self.client.samples(
                    rules, meter=asked.meter, limit=limit),
                rules, start=part.start, end=part.end, period=period,
                groupby=asked.groupby)
        return self.client.statistics(
            asked.meter, [*rules, *_between(part)],
            period=period, groupby=asked.groupby, aggregates=asked.aggregate)

    def _draw(self, asked: argparse.Namespace) -> None:
        rows = list(self._rows(asked))
        if not rows:
            print('nothing found', file=sys.stderr)
            return
        print(_title(asked))
        for line in plot.text(plot.series(rows, _figure(asked)),
                              options.period_of(asked),
                              shutil.get_terminal_size().columns):
            print(line)


def _period(text: str) -> int | str:
    if text in times.UNITS:
        return text
    if text == 'hour':
        return _HOUR
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f'seconds above 0, hour, {", ".join(times.UNITS)} are expected, '
            f'not {text!r}')
    return int(text)


def _file(text: str) -> Path:
    """Of a plot; refused before METER is missed, which it may be."""
    if Path(text).suffix.lower() not in picture.FORMATS:
        raise argparse.ArgumentTypeError(
            f'a file that ends in {" or ".join(picture.FORMATS)} is '
            f'expected, not {text!r}; put METER first, or say --plot=FILE')
    return Path(text)


def _figure(asked: argparse.Namespace) -> str:
    return str(asked.aggregate[0]) if asked.aggregate else 'avg'


def _title(asked: argparse.Namespace) -> str:
    return f'{_figure(asked)} of {asked.meter}, {asked.timezone}'


def _group(name: str) -> Callable[[Statistics], object]:
    return lambda row: (row.groupby or {}).get(name)


def _aggregate(name: str) -> Callable[[Statistics], object]:
    return lambda row: (row.aggregate or {}).get(name)


def _counts(name: str) -> bool:
    return name.partition('/')[0] in _COUNTS


def _between(part: times.Period | times.Run) -> list[Filter]:
    return [Filter('timestamp', op, moment) for op, moment in (
        ('>=', part.start), ('<', part.end)) if moment is not None]


def _in(unit: str, row: Statistics) -> Statistics:
    """The row with its figures in another unit."""
    def told(value: Decimal | None) -> Decimal | None:
        return value and readable.convert(value, row.unit, unit)

    return dataclasses.replace(
        row, unit=unit, min=told(row.min), max=told(row.max),
        avg=told(row.avg), sum=told(row.sum),
        aggregate=row.aggregate and {
            name: value if _counts(name)
            else readable.convert(value, row.unit, unit)
            for name, value in row.aggregate.items()})
