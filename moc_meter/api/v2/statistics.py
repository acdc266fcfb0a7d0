# SPDX-License-Identifier: Apache-2.0
"""Statistics of the samples of a meter, by unit, group and period."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, query, refusals, types
from moc_meter.api.v2.arguments import AGGREGATES, RULES, Rule
from moc_meter.api.v2.query import Asked
from moc_meter.api.v2.representation import expose
from moc_meter.model import statistics
from moc_meter.model.query import Field, StatisticsQuestion, StatisticsRow
from moc_meter.storage.samples.base import SampleStore

_PLAIN = ('count', 'min', 'max', 'avg', 'sum')
_CARDINALITY = {'resource_id': Field.RESOURCE, 'user_id': Field.USER,
                'project_id': Field.PROJECT, 'source': Field.SOURCE}
_PREFIXES = ('metadata.', 'resource_metadata.')
_SECOND = datetime.timedelta(seconds=1)
#: Seconds of the whole calendar: no two instants are further apart.
_LONGEST = datetime.date.max.toordinal() * 24 * 60 * 60

#: A function and its parameter.
Aggregate = tuple[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the rows of the answer look like."""

    period: datetime.timedelta | None
    groups: Mapping[str, str]       # as asked: a Field, or a metadata path
    aggregates: Sequence[Aggregate]
    asked: Asked


class Statistics:
    """/v2/meters/{name}/statistics."""

    def __init__(self, *, store: SampleStore,
                 groupby_metadata_keys: Sequence[str]) -> None:
        self._store = store
        self._groups: dict[str, str] = dict(_CARDINALITY)
        self._groups |= {prefix + path: path for prefix in _PREFIXES
                         for path in groupby_metadata_keys}

    @expose([types.Statistics], RULES, arguments.integer('period'),
            arguments.texts('groupby'), AGGREGATES, rule='compute_statistics')
    def index(self, caller: Caller, name: str, q: Sequence[Rule],
              period: int | None, groupby: Sequence[str],
              aggregate: Sequence[Aggregate]) -> list[types.Shown]:
        """One row a unit, group and period that has samples; oldest first."""
        for function in aggregate:
            _check_aggregate(*function)
        form = _Form(period=_period(period), groups=self._grouped(groupby),
                     aggregates=aggregate,
                     asked=query.asked(q, query.SAMPLES, caller, name))
        found = self._store.statistics(_question(form))
        if form.period is None:         # or the store has sorted them
            found.sort(key=_start)
        return [_row(row, form) for row in found]

    def _grouped(self, groupby: Sequence[str]) -> Mapping[str, str]:
        unknown = sorted(set(groupby) - set(self._groups))
        if unknown:
            raise refusals.unknown(', '.join(unknown),
                                   'Invalid groupby fields')
        return {asked: self._groups[asked] for asked in groupby}


def _check_aggregate(function: str, param: str | None) -> None:
    if function == 'cardinality':
        if param not in _CARDINALITY:
            raise errors.InvalidQuery(f'Bad aggregate: cardinality.{param}')
    elif function not in (*_PLAIN, 'stddev'):
        raise errors.InvalidQuery(
            f'Invalid aggregation function: {function}')
    elif param is not None:
        raise errors.InvalidQuery(f'Bad aggregate: {function}.{param}')


def _period(seconds: int | None) -> datetime.timedelta | None:
    if not seconds:
        return None
    if seconds < 0:
        raise errors.InvalidQuery('Period must be positive.')
    if seconds > _LONGEST:
        raise _too_long(seconds)
    return seconds * _SECOND


def _too_long(seconds: int) -> errors.InvalidQuery:
    return errors.InvalidQuery(
        f'Invalid period {seconds}: it reaches beyond the calendar')


def _question(form: _Form) -> StatisticsQuestion:
    paths = dict.fromkeys(name for name in form.groups.values()
                          if not isinstance(name, Field))
    return StatisticsQuestion(
        most=arguments.MOST, selection=form.asked.selection,
        period=form.period, origin=_origin(form),
        group_by_metadata=tuple(paths),
        group_by=tuple(name for name in form.groups.values()
                       if isinstance(name, Field)),
        squares=('stddev', None) in form.aggregates,
        cardinality=tuple(_CARDINALITY[param or ''] for function, param
                          in form.aggregates if function == 'cardinality'))


def _origin(form: _Form) -> datetime.datetime | None:
    """Where periods count from: the lower bound as it was given.

    A search offset selects samples before it, which lie in earlier periods;
    so the origin is moved back by whole periods.
    """
    given, start = form.asked.start, form.asked.selection.start
    if form.period is None or given is None or start is None:
        return None
    before = -((start - given) // form.period)
    return query.shifted(given, -max(before, 0) * form.period)


def _row(row: StatisticsRow, form: _Form) -> types.Shown:
    """The row's values, by the names that types.Statistics has for them."""
    found = row.statistics
    start = _start(row)
    end = found.last if form.period is None else _end(start, form.period)
    group = {asked: row.group[name] for asked, name in form.groups.items()}
    return {'unit': row.unit, 'groupby': group or None,
            'period': form.period // _SECOND if form.period else 0,
            'period_start': start, 'period_end': end,
            **_duration(found.first, found.last, form.asked),
            **_figures(row, form.aggregates)}


def _start(row: StatisticsRow) -> datetime.datetime:
    return row.period_start or row.statistics.first


def _end(start: datetime.datetime,
         period: datetime.timedelta) -> datetime.datetime:
    try:
        return start + period
    except OverflowError:
        raise _too_long(period // _SECOND) from None


def _duration(first: datetime.datetime, last: datetime.datetime,
              asked: Asked) -> dict[str, object]:
    """First and last sample, within the range that was asked for.

    None where a search offset found samples outside of that range only.
    """
    start = max(first, asked.start or first)
    end = min(last, asked.end or last)
    if start > end:
        return dict.fromkeys(('duration_start', 'duration_end', 'duration'))
    return {'duration_start': start, 'duration_end': end,
            'duration': types.nearest((end - start) / _SECOND)}


def _figures(row: StatisticsRow,
             aggregates: Sequence[Aggregate]) -> Mapping[str, object]:
    found = row.statistics
    plain: Mapping[str, Decimal | int] = {
        'count': found.count, 'min': found.min, 'max': found.max,
        'avg': types.nearest(statistics.mean(found.sum, found.count)),
        'sum': found.sum}
    if not aggregates:
        return plain
    return {'aggregate': {
        f'{function}/{param}' if param else function:
            Decimal(_aggregate(row, function, param, plain))
        for function, param in aggregates}}


def _aggregate(row: StatisticsRow, function: str, param: str | None,
               plain: Mapping[str, Decimal | int]) -> Decimal | int:
    if function == 'cardinality':
        return row.cardinality[_CARDINALITY[param or '']]
    if function == 'stddev':
        return types.nearest(statistics.deviation(
            row.statistics.sum, row.squares or Decimal(0),
            row.statistics.count))
    return plain[function]
