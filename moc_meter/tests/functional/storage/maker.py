# SPDX-License-Identifier: Apache-2.0
"""Samples and questions of every kind, and what the answers must be.

The answers here are worked out from the list of samples, one by one and in
fractions, so that they share no step with the store's.
"""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from moc_meter.model import metadata, period, query
from moc_meter.model.query import Field, MetadataRule, Selection
from moc_meter.model.sample import MeterKind, Sample, canonical
from moc_meter.storage import generation, numbering
from moc_meter.storage.samples import series
from moc_meter.storage.samples.sql import SqlSampleStore

MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
_DAYS = 4
_WIDE = decimal.Context(prec=40)
_SPAN = _DAYS * period.DAY // period.MICROSECOND
_METADATA: tuple[dict[str, Any], ...] = (
    {}, {'flavor': 'm1', 'ha': True}, {'flavor': 'm2', 'size': 1.5},
    {'flavor': None, 'tags': ['x', 2]}, {'flavor': {'name': 'm1'}},
    {'flavor.name': 'm2', 'flavor': {'name': 'm1'}}, {'flavor': 'True'})
PATHS = ('flavor', 'flavor.name', 'ha', 'size', 'tags[1]')


def sample(**changes: Any) -> Sample:
    """A sample of 8 GB on 1 March at 10:00, but for what is said."""
    said: dict[str, Any] = {
        'source': 's', 'message_id': '1', 'meter': 'disk', 'unit': 'GB',
        'timestamp': MARCH + 10 * period.HOUR, 'kind': MeterKind.GAUGE,
        'volume': Decimal(8), 'resource_id': 'a', 'project_id': 'p1',
        'user_id': 'u1'}
    return Sample(**(said | changes))


@contextmanager
def holding(engine: sa.Engine, batches: Iterable[Sequence[Sample]]
            ) -> Iterator[list[query.StoredSample]]:
    """A store that holds just these; yields them as they were recorded."""
    generation.reset(engine)
    store, stored = SqlSampleStore(engine), []
    for place, batch in enumerate(batches):
        now = MARCH + (10 + place) * period.DAY
        if batch:
            store.write(batch, now)
        stored += [query.StoredSample(
            sample=one, recorded_at=now + order * period.MICROSECOND)
            for order, one in enumerate(batch)]
    yield stored


#: Instants at, beside and between the borders of hours, days and months.
instants = st.one_of(
    st.integers(0, _SPAN - 1),
    st.builds(lambda hour, beside: hour * 3600 * 10 ** 6 + beside,
              st.integers(1, 24 * _DAYS - 1), st.integers(-1, 1)),
    st.builds(lambda days, beside: days * 86_400 * 10 ** 6 + beside,
              st.sampled_from([-28, 0, 31]), st.integers(-1, 1)),
).map(lambda place: MARCH + place * period.MICROSECOND)
volumes = st.one_of(
    st.sampled_from([Decimal('0.1'), Decimal('-0.000000001'),
                     Decimal(10), Decimal(9), Decimal(0)]),
    st.integers(-10 ** 28 + 1, 10 ** 28 - 1).map(
        lambda digits: Decimal(digits).scaleb(-9, _WIDE)))


@st.composite
def batches(draw: st.DrawFn, most: int = 16) -> list[list[Sample]]:
    """Batches of samples of several series, each with an id of its own."""
    made = [sample(
        message_id=draw(st.sampled_from([f'id {place}', f'{place:032x}'])),
        timestamp=draw(instants), volume=draw(volumes),
        meter=draw(st.sampled_from(['disk', 'disk', 'Disk'])),
        kind=draw(st.sampled_from([MeterKind.GAUGE, MeterKind.DELTA])),
        unit=draw(st.sampled_from(['GB', 'GB '])),
        resource_id=draw(st.sampled_from('ab')),
        project_id=draw(st.sampled_from([None, 'p1', 'P1'])),
        user_id=draw(st.sampled_from([None, '', 'u\u0308'])),
        metadata=draw(st.sampled_from(_METADATA)))
        for place in range(draw(st.integers(0, most)))]
    cut = draw(st.integers(0, len(made)))
    return [made[:cut], made[cut:]]


_rules = st.one_of(
    st.tuples(st.just(Field.METER), st.sampled_from(['disk', 'Disk'])),
    st.tuples(st.just(Field.PROJECT), st.sampled_from([None, 'p1'])),
    st.tuples(st.just(Field.USER), st.sampled_from([None, '', 'u\u0308'])),
    st.tuples(st.just(Field.RESOURCE), st.sampled_from('abc')))
_metadata_rules = st.builds(
    MetadataRule, path=st.sampled_from(PATHS), values=st.lists(
        st.sampled_from([('text', 'm1'), ('text', 'm2'), ('boolean', 'True'),
                         ('text', 'True'), ('number', '2'),
                         ('null', 'None')]), max_size=2).map(tuple))


@st.composite
def selections(draw: st.DrawFn, ids: bool = True,
               times: bool = True) -> Selection:
    return Selection(
        series=tuple(draw(st.lists(_rules, max_size=2))),
        message_ids=(('id 1',) if ids and draw(st.integers(0, 19)) == 0
                     else ()),
        metadata=tuple(draw(st.lists(_metadata_rules, max_size=1))),
        start=draw(st.none() | instants) if times else None,
        end=draw(st.none() | instants) if times else None,
        projects=draw(st.none() | st.frozensets(
            st.sampled_from(['p1', 'P1', 'p2']))))


@st.composite
def questions(draw: st.DrawFn) -> query.StatisticsQuestion:
    length = draw(st.none() | st.sampled_from(
        [period.HOUR, period.DAY, 36 * period.HOUR, period.MICROSECOND,
         3 * period.MICROSECOND, 7 * period.DAY]) | st.timedeltas(
             min_value=period.MICROSECOND, max_value=3650 * period.DAY))
    fields = st.lists(st.sampled_from(Field), max_size=2,
                      unique=True).map(tuple)
    return query.StatisticsQuestion(
        selection=draw(selections()), period=length,
        origin=draw(st.none() | instants | st.just(MARCH + 2 * period.DAY)),
        group_by=draw(fields),
        group_by_metadata=tuple(draw(st.lists(
            st.sampled_from(PATHS), max_size=1))),
        squares=draw(st.booleans()), cardinality=draw(fields))


def selected(selection: Selection) -> Callable[[Sample], bool]:
    """Whether a sample is meant."""
    def is_selected(one: Sample) -> bool:
        said = set(metadata.scalars(one.metadata))
        return (all(getattr(one, field.value) == value
                    for field, value in selection.series)
                and all(one.message_id == wanted
                        for wanted in selection.message_ids)
                and all(any((rule.path, *value) in said
                            for value in rule.values)
                        for rule in selection.metadata)
                and (selection.start is None
                     or one.timestamp >= selection.start)
                and (selection.end is None or one.timestamp < selection.end)
                and (selection.projects is None
                     or one.project_id in selection.projects))
    return is_selected


def statistics(samples: Iterable[Sample], question: query.StatisticsQuestion
               ) -> list[tuple[Any, ...]]:
    """The rows of the answer, see shown()."""
    chosen = list(filter(selected(question.selection), samples))
    origin = question.origin or min(
        (one.timestamp for one in chosen), default=None)
    rows: dict[tuple[Any, ...], list[Sample]] = {}
    for one in chosen:
        start = None
        if question.period is not None and origin is not None:
            start = origin + ((one.timestamp - origin) // question.period
                              * question.period)
        group = [getattr(one, field.value) for field in question.group_by]
        paths: dict[str, str] = {}
        for path, _, value in metadata.scalars(
                json.loads(canonical(one.metadata))):
            paths.setdefault(path, value)
        if not all(path in paths for path in question.group_by_metadata):
            continue
        group += [paths[path] for path in question.group_by_metadata]
        rows.setdefault((start, tuple(group), one.unit), []).append(one)
    return [(*key, *_figures(rows[key], question)) for key in sorted(
        rows, key=lambda key: (key[0] or MARCH, [
            (value is not None, value or '') for value in key[1]], key[2]))]


def _figures(samples: list[Sample], question: query.StatisticsQuestion
             ) -> tuple[Any, ...]:
    exact = [Fraction(one.volume) for one in samples]
    times = [one.timestamp for one in samples]
    return (len(exact), sum(exact), min(exact), max(exact), min(times),
            max(times),
            sum(value * value for value in exact) if question.squares
            else None,
            {field: len({getattr(one, field.value) for one in samples}
                        - {None}) for field in question.cardinality})


def shown(rows: Iterable[query.StatisticsRow]) -> list[tuple[Any, ...]]:
    """Rows of the store in the form of statistics()."""
    return [(row.period_start, tuple(row.group.values()), row.unit,
             row.statistics.count, Fraction(row.statistics.sum),
             Fraction(row.statistics.min), Fraction(row.statistics.max),
             row.statistics.first, row.statistics.last,
             None if row.squares is None else Fraction(row.squares),
             dict(row.cardinality)) for row in rows]


def newest_first(stored: Iterable[query.StoredSample]
                 ) -> list[query.StoredSample]:
    return sorted(stored, key=lambda one: (
        MARCH - one.sample.timestamp, one.recorded_at, one.sample.key.bytes,
    ))


def meters(samples: Iterable[Sample], selection: Selection,
           unique: bool) -> list[query.MeterSeen]:
    groups: dict[tuple[Any, ...], list[Sample]] = {}
    for one in filter(selected(selection), samples):
        kind = MeterKind.DELTA if one.kind is MeterKind.EVENT else one.kind
        key = (one.meter, *([] if unique else [one.resource_id]), kind,
               one.unit)
        groups.setdefault(key, []).append(one)
    return [query.MeterSeen(
        name=key[0], kind=key[-2], unit=key[-1],
        **({} if unique else _said(_newest(groups[key]))))
        for key in sorted(groups)]


def resources(samples: Iterable[Sample],
              selection: Selection) -> list[query.ResourceSeen]:
    groups: dict[str, list[Sample]] = {}
    samples = list(samples)
    for one in filter(selected(selection), samples):
        groups.setdefault(one.resource_id, []).append(one)
    seen = list(filter(selected(Selection(projects=selection.projects)),
                       samples))
    return [query.ResourceSeen(
        first=min(one.timestamp for one in groups[key]),
        last=max(one.timestamp for one in groups[key]),
        metadata=_newest(groups[key]).metadata,
        meters=tuple(sorted({one.meter for one in seen
                             if one.resource_id == key})),
        **_said(_newest(groups[key]))) for key in sorted(groups)]


def _said(one: Sample) -> dict[str, Any]:
    return {name: getattr(one, name) for name in (
        'resource_id', 'source', 'project_id', 'user_id')}


def _newest(samples: Iterable[Sample]) -> Sample:
    """Of several at the same instant, the one of the lesser digests."""
    return min(samples, key=lambda one: (
        MARCH - one.timestamp, numbering.digest(series.parts(one)),
        numbering.digest(one.metadata), canonical(one.metadata)))
