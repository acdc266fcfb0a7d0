# SPDX-License-Identifier: Apache-2.0
"""By how much counters grew: CPU time, bytes that were carried.

A counter's reading says little by itself: what was used is the difference to
the reading before. It belongs to the instant of the later one, so periods
that follow on each other neither lose nor double any of it. A reading below
the one before is of a counter that began anew at 0 in between. The very first
reading of a counter is where it is followed from.
"""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from moc_meter import errors
from moc_meter.client.filters import Filter
from moc_meter.client.models import Sample, Statistics
from moc_meter.model import period as instants
from moc_meter.model import quantity

#: What it is called where an aggregate is.
NAME: Final = 'increase'

#: Samples of a meter by rules, the newest first; so many at most.
Ask = Callable[[Sequence[Filter], int | None], Iterable[Sample]]
_Series = tuple[str, str, str]          # source, resource, unit
_SECOND = datetime.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Increase:
    """What a counter grew by up to a reading."""

    reading: Sample
    amount: Decimal


def rows(ask: Ask, rules: Sequence[Filter], *,
         start: datetime.datetime | None = None,
         end: datetime.datetime | None = None, period: int | None = None,
         groupby: Sequence[str] = ()) -> list[Statistics]:
    """A row a unit, group and period in which a counter was read.

    They have one aggregate, NAME, and are else like the service's own; the
    durations are from the first of these readings to the last.
    Raises InvalidQuery of a meter that is no counter.
    """
    cells: dict[tuple[int, str, tuple[str | None, ...]], list[Increase]] = {}
    found = sorted(increases(ask, rules, start, end),
                   key=lambda one: one.reading.timestamp)
    if not found:
        return []
    origin = start or found[0].reading.timestamp
    length = period * _SECOND if period else None
    for one in found:
        place = (one.reading.timestamp - origin) // length if length else 0
        group = tuple(_group(one.reading, name) for name in groupby)
        cells.setdefault((place, one.reading.unit, group), []).append(one)
    return [_row(cell, groupby, group,
                 None if length is None else origin + place * length, length)
            for (place, _, group), cell in sorted(
                cells.items(), key=lambda pair: pair[0][0])]


def increases(ask: Ask, rules: Sequence[Filter],
              start: datetime.datetime | None,
              end: datetime.datetime | None) -> Iterator[Increase]:
    """Of every reading in [start, end), the newest first in each series."""
    later: dict[_Series, Sample] = {}
    bounds = [Filter('timestamp', op, moment)
              for op, moment in (('>=', start), ('<', end)) if moment]
    for reading in _readings(ask([*rules, *bounds], None)):
        if reading.type != 'cumulative':
            raise errors.InvalidQuery(
                'only a counter increases; sum says what others amount to',
                meter=reading.meter, type=reading.type)
        series = _series(reading)
        if series in later:
            yield _grown(reading, later[series])
        later[series] = reading
    for series, reading in later.items():
        before = next(_readings(ask([
            *rules, Filter('resource', '=', reading.resource_id),
            Filter('source', '=', reading.source),
            Filter('timestamp', '<', start)], 2)), None) if start else None
        yield (_grown(before, reading) if before and _series(before) == series
               else Increase(reading, Decimal(0)))


def _readings(samples: Iterable[Sample]) -> Iterator[Sample]:
    """One an instant and series; as in accounts, that of the largest id."""
    for _, same in itertools.groupby(samples, lambda one: one.timestamp):
        yield from {_series(one): one for one in sorted(
            same, key=lambda one: one.id.encode())}.values()


def _series(reading: Sample) -> _Series:
    return reading.source, reading.resource_id, reading.unit


def _grown(before: Sample, reading: Sample) -> Increase:
    amount = quantity.subtract(reading.volume, before.volume)
    return Increase(reading, reading.volume if amount < 0 else amount)


def _group(reading: Sample, name: str) -> str | None:
    kind, _, path = name.partition('.')
    if kind in ('metadata', 'resource_metadata'):
        return reading.metadata.get(path)
    if name not in ('project_id', 'user_id', 'resource_id', 'source'):
        raise errors.InvalidQuery(
            'an increase is not grouped by this', groupby=name,
            allowed=('project_id', 'user_id', 'resource_id', 'source',
                     'metadata.KEY'))
    found: str | None = getattr(reading, name)
    return found


def _row(cell: Sequence[Increase], groupby: Sequence[str],
         group: Sequence[str | None], start: datetime.datetime | None,
         length: datetime.timedelta | None) -> Statistics:
    """cell: in order of time."""
    first, last = (cell[at].reading.timestamp for at in (0, -1))
    microseconds = instants.microseconds(last) - instants.microseconds(first)
    return Statistics(
        unit=cell[0].reading.unit,
        groupby=dict(zip(groupby, group, strict=True)) if groupby else None,
        aggregate={NAME: functools.reduce(
            quantity.add, (one.amount for one in cell))},
        duration=Decimal(microseconds).scaleb(-6).normalize(),
        duration_start=first, duration_end=last,
        period=length // _SECOND if length else 0,
        period_start=first if start is None else start,
        period_end=last if start is None or length is None
        else start + length)
