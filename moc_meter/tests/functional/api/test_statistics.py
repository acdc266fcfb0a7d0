# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import between, figures

URL = '/v2/meters/disk.gb/statistics'
TEN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
ONE = Sample(source='s', message_id='1', timestamp=TEN, meter='disk.gb',
             kind=MeterKind.GAUGE, unit='GB', volume=Decimal('0.1'),
             resource_id='a', project_id='p1', user_id='u1')


def test_every_aggregate_is_a_float(api: Any) -> None:
    wiring.keep(api, wiring.table())
    functions = ('count', 'min', 'max', 'avg', 'sum', 'max')
    params = ('resource_id', 'user_id', 'project_id', 'source')
    [row] = api.get(URL + '?' + '&'.join(
        [f'aggregate.func=cardinality&aggregate.param={param}'
         for param in params]
        + [f'aggregate.func={function}' for function in functions])).json
    assert row['aggregate'] == {
        'cardinality/resource_id': 2.0, 'cardinality/user_id': 2.0,
        'cardinality/project_id': 1.0, 'cardinality/source': 1.0,
        'count': 4.0, 'min': 2.0, 'max': 8.0, 'avg': 4.5, 'sum': 18.0}
    assert all(type(value) is float for value in row['aggregate'].values())


def test_numbers_are_the_nearest_doubles_of_exact_sums(
        every_store: SampleStore) -> None:
    tenths = [dataclasses.replace(ONE, message_id=str(place))
              for place in range(10)]
    large = dataclasses.replace(ONE, meter='large', message_id='large',
                                volume=Decimal(2 ** 53 + 1))
    every_store.write([*tenths, large], wiring.NOW)
    api = wiring.client(every_store)
    [row] = api.get(URL).json
    assert (row['sum'], row['avg']) == (1.0, 0.1)
    [row] = api.get('/v2/meters/large/statistics').json
    assert row['sum'] == row['max'] == float(2 ** 53)


def test_no_sample_is_no_row(api: Any) -> None:
    assert api.get(URL).json == []
    assert api.get(f'{URL}?period=60').json == []


def test_units_never_mix(api: Any) -> None:
    wiring.keep(api, [wiring.posted(), wiring.posted(counter_unit='GiB')])
    assert sorted(figures(api, '', 'unit', 'count')) == [('GB', 1),
                                                         ('GiB', 1)]


def test_without_periods_the_row_of_the_oldest_sample_is_first(
        api: Any) -> None:
    wiring.keep(api, [
        wiring.posted(counter_unit='A', timestamp='2026-03-01T11:00:00'),
        wiring.posted(counter_unit='B', timestamp='2026-03-01T10:00:00')])
    assert figures(api, '', 'unit') == [('B',), ('A',)]


def test_a_lone_sample_fills_one_period(api: Any) -> None:
    wiring.keep(api, [wiring.posted()])
    assert figures(api, 'period=1', 'count', 'period_start', 'duration') == [
        (1, '2026-03-01T10:00:00', 0.0)]


def test_periods_count_from_the_lower_bound_as_it_was_given(
        api: Any) -> None:
    wiring.keep(api, wiring.table())
    found = figures(
        api, 'period=7200&q.field=timestamp&q.op=gt&q.value=2026-03-01T09:00',
        'period_start', 'count')
    assert found == [('2026-03-01T09:00:00', 1), ('2026-03-01T11:00:00', 2),
                     ('2026-03-01T13:00:00', 1)]


def test_what_an_offset_finds_lies_in_earlier_periods(api: Any) -> None:
    wiring.keep(api, wiring.table())
    found = figures(
        api, 'period=3600&q.field=timestamp&q.op=ge'
             '&q.value=2026-03-01T12:30&q.field=search_offset&q.value=95'
             '&q.op=eq', 'period_start', 'sum')
    assert found == [('2026-03-01T10:30:00', 2.0),
                     ('2026-03-01T11:30:00', 5.0),
                     ('2026-03-01T12:30:00', 3.0)]


def test_an_offset_does_not_widen_the_duration(api: Any) -> None:
    wiring.keep(api, wiring.table())
    [row] = api.get(
        f'{URL}?q.field=timestamp&q.op=ge&q.value=2026-03-01T10:30'
        '&q.field=timestamp&q.op=lt&q.value=2026-03-01T12:30'
        '&q.field=search_offset&q.op=eq&q.value=60').json
    assert (row['count'], row['duration']) == (4, 7200.0)
    assert row['duration_start'] == '2026-03-01T10:30:00'
    assert row['duration_end'] == '2026-03-01T12:30:00'
    assert row['period_start'] == '2026-03-01T10:00:00'
    assert row['period_end'] == '2026-03-01T13:00:00'


def test_an_offset_that_finds_only_what_lies_outside_has_no_duration(
        api: Any) -> None:
    wiring.keep(api, [wiring.posted()])
    [row] = api.get(
        f'{URL}?q.field=timestamp&q.op=ge&q.value=2026-03-01T10:30'
        '&q.field=search_offset&q.op=eq&q.value=60').json
    assert row['duration'] is row['duration_start'] is None


@pytest.mark.parametrize('field', [
    'user_id', 'project_id', 'resource_id', 'source'])
def test_samples_are_grouped_by_each_field(api: Any, field: str) -> None:
    wiring.keep(api, [wiring.posted(**({} if field == 'source'
                                       else {field: 'x'}))])
    [row] = api.get(f'{URL}?groupby={field}').json
    assert row['groupby'] == {
        field: 'p1:openstack' if field == 'source' else 'x'}


def test_groups_of_metadata_leave_out_what_lacks_it(api: Any) -> None:
    wiring.keep(api, [
        wiring.posted(resource_metadata={'instance_type': 'small'}),
        wiring.posted(resource_metadata={'other': 'x'})])
    for name in ('metadata.instance_type', 'resource_metadata.instance_type'):
        [row] = api.get(f'{URL}?groupby={name}&groupby={name}').json
        assert (row['groupby'], row['count']) == ({name: 'small'}, 1)


def test_a_deployment_says_which_metadata_may_be_grouped_by(
        store: SampleStore) -> None:
    api = wiring.client(store, groupby_metadata_keys=('disk.kind',))
    wiring.keep(api, [wiring.posted(resource_metadata={'disk.kind': 'ssd'})])
    [row] = api.get(f'{URL}?groupby=metadata.disk.kind').json
    assert row['groupby'] == {'metadata.disk.kind': 'ssd'}
    refused = api.get(f'{URL}?groupby=metadata.instance_type', status=400)
    assert 'Invalid groupby fields' in wiring.complaint(refused)


def test_a_group_without_a_user_is_null(api: Any) -> None:
    wiring.keep(api, [wiring.posted(user_id=None)])
    [row] = api.get(f'{URL}?groupby=user_id&groupby=resource_id').json
    assert row['groupby'] == {'user_id': None, 'resource_id': 'a'}


@pytest.mark.parametrize(('query', 'said'), [
    ('groupby=volume', 'Unknown argument: "volume": Invalid groupby fields'),
    ('groupby=', 'Unknown argument: "": Invalid groupby fields'),
    ('groupby=resource', 'Invalid groupby fields'),
    ('period=-1', 'Period must be positive.'),
    ('period=x', 'unable to convert to int'),
    ('period=10000000000000', 'Invalid period 10000000000000'),
    ('period=' + '9' * 30, 'Invalid period'),
    ('aggregate.func=median', 'Invalid aggregation function: median'),
    ('aggregate.func=', 'Invalid aggregation function: '),
    ('aggregate.param=user_id', 'Invalid aggregation function: '),
    ('aggregate.func=cardinality', 'Bad aggregate: cardinality.None'),
    ('aggregate.func=cardinality&aggregate.param=x',
     'Bad aggregate: cardinality.x'),
    ('aggregate.func=max&aggregate.param=user_id',
     'Bad aggregate: max.user_id'),
    ('aggregate.param=x&aggregate.func=max&aggregate.func=cardinality',
     'Bad aggregate: max.x'),
    ('aggregate=max', 'Unknown argument: "aggregate"'),
    ('limit=1', 'Unknown argument: "limit"'),
])
def test_a_question_that_cannot_be_answered_is_refused(
        api: Any, query: str, said: str) -> None:
    assert said in wiring.complaint(api.get(f'{URL}?{query}', status=400))


def test_a_period_that_reaches_beyond_the_calendar_is_refused(
        api: Any) -> None:
    wiring.keep(api, [wiring.posted()])
    assert 'Invalid period' in wiring.complaint(
        api.get(f'{URL}?period=315000000000', status=400))


MINUTES = st.integers(0, 60)


@settings(deadline=None)
@given(minutes=st.lists(MINUTES, min_size=1), cuts=st.tuples(
    MINUTES, MINUTES, MINUTES).map(sorted))
def test_adjacent_ranges_neither_lose_nor_double_a_sample(
        minutes: list[int], cuts: list[int]) -> None:
    store = FakeStore()
    store.write([dataclasses.replace(
        ONE, message_id=str(place), volume=Decimal(place) / 10,
        timestamp=TEN + datetime.timedelta(minutes=minute))
        for place, minute in enumerate(minutes)], wiring.NOW)
    api = wiring.client(store)

    def within(first: int, last: int) -> tuple[Decimal, int]:
        start, end = (f'{10 + cut // 60}:{cut % 60:02}'
                      for cut in (first, last))
        rows = api.get(f'{URL}?{between(start, end)}').json
        return (sum((Decimal(repr(row['sum'])) for row in rows), Decimal(0)),
                sum(row['count'] for row in rows))

    a, b, c = cuts
    left, right, whole = within(a, b), within(b, c), within(a, c)
    assert left[1] + right[1] == whole[1]
    assert left[0] + right[0] == whole[0]


@settings(deadline=None)
@given(minutes=st.lists(MINUTES, min_size=1), period=st.integers(1, 5000))
def test_every_sample_lies_in_exactly_one_period(minutes: list[int],
                                                 period: int) -> None:
    store = FakeStore()
    store.write([dataclasses.replace(
        ONE, message_id=str(place),
        timestamp=TEN + datetime.timedelta(minutes=minute))
        for place, minute in enumerate(minutes)], wiring.NOW)
    rows = wiring.client(store).get(f'{URL}?period={period}').json
    assert sum(row['count'] for row in rows) == len(minutes)
    assert all(row['period_start'] <= row['duration_start']
               <= row['duration_end'] < row['period_end'] for row in rows)
