# SPDX-License-Identifier: Apache-2.0
"""Four samples, and every way of summing them up."""

from __future__ import annotations

from typing import Any

import pytest

from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import between, figures

URL = '/v2/meters/disk.gb/statistics'


@pytest.fixture
def example(every_store: SampleStore) -> Any:
    api = wiring.client(every_store)
    wiring.keep(api, wiring.table())
    return api


def test_the_worked_example_of_all_samples(example: Any) -> None:
    [row] = example.get(URL).json
    assert row == {
        'min': 2.0, 'max': 8.0, 'avg': 4.5, 'sum': 18.0, 'count': 4,
        'unit': 'GB', 'groupby': None, 'period': 0, 'duration': 10800.0,
        'duration_start': '2026-03-01T10:00:00',
        'duration_end': '2026-03-01T13:00:00',
        'period_start': '2026-03-01T10:00:00',
        'period_end': '2026-03-01T13:00:00'}


def test_the_worked_example_of_two_ranges_that_meet(example: Any) -> None:
    names = ('sum', 'count', 'duration')
    assert figures(example, between('10:00', '13:00'), *names) == [
        (15.0, 3, 7200.0)]
    assert figures(example, between('13:00', '14:00'), *names) == [
        (3.0, 1, 0.0)]


def test_the_worked_example_of_periods_in_a_range(example: Any) -> None:
    found = figures(example, between('10:00', '14:00') + '&period=7200',
                    'period_start', 'period_end', 'period', 'sum')
    assert found == [
        ('2026-03-01T10:00:00', '2026-03-01T12:00:00', 7200, 10.0),
        ('2026-03-01T12:00:00', '2026-03-01T14:00:00', 7200, 8.0)]


def test_the_worked_example_of_periods_without_bounds(example: Any) -> None:
    assert figures(example, 'period=3600', 'period_start', 'sum') == [
        (f'2026-03-01T{hour}:00:00', volume)
        for hour, volume in ((10, 8.0), (11, 2.0), (12, 5.0), (13, 3.0))]


def test_the_worked_example_of_groups(example: Any) -> None:
    found = example.get(f'{URL}?groupby=resource_id').json
    assert {row['groupby']['resource_id']: row['sum'] for row in found} == {
        'a': 10.0, 'b': 8.0}


def test_the_worked_example_of_selected_aggregates(example: Any) -> None:
    [row] = example.get(
        f'{URL}?aggregate.func=cardinality&aggregate.param=resource_id'
        '&aggregate.func=avg').json
    assert row['aggregate'] == {'cardinality/resource_id': 2.0, 'avg': 4.5}
    assert not {'min', 'max', 'avg', 'sum', 'count'} & set(row)


def test_the_worked_example_of_the_deviation(example: Any) -> None:
    [row] = example.get(f'{URL}?aggregate.func=stddev').json
    assert row['aggregate']['stddev'] == pytest.approx(2.29128784747792,
                                                       rel=1e-15)
