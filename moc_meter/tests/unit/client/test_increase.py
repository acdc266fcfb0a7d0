# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import increase
from moc_meter.client.filters import Filter
from moc_meter.client.models import Sample, Statistics
from moc_meter.model import quantity

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
#: Minutes after noon, the resource, and the reading.
READINGS = st.lists(st.tuples(
    st.integers(0, 500), st.sampled_from('ab'),
    st.decimals(0, 10 ** 19, places=9)),
    unique_by=lambda reading: reading[:2], max_size=15)


def sample(minute: int, resource: str, volume: Decimal | int,
           **changes: Any) -> Sample:
    fields: dict[str, Any] = {
        'id': f'{minute}{resource}', 'meter': 'cpu', 'type': 'cumulative',
        'unit': 'ns', 'volume': Decimal(volume), 'user_id': None,
        'project_id': 'p1', 'resource_id': resource, 'source': 's',
        'timestamp': NOON + minute * MINUTE, 'metadata': {}}
    return Sample(**{**fields, **changes})


def service(samples: Sequence[Sample], rules: Sequence[Filter],
            limit: int | None) -> Iterator[Sample]:
    """As a service would answer: what all rules select, newest first."""
    def selected(one: Sample, rule: Filter) -> bool:
        if rule.field == 'timestamp':
            assert isinstance(rule.value, datetime.datetime)
            return (one.timestamp < rule.value if rule.op == '<'
                    else one.timestamp >= rule.value)
        return bool({'resource': one.resource_id, 'source': one.source,
                     'project': one.project_id}[rule.field] == rule.value)

    found = sorted((one for one in samples
                    if all(selected(one, rule) for rule in rules)),
                   key=lambda one: one.timestamp, reverse=True)
    return iter(found[:limit])


def rows(samples: Sequence[Sample], start: int | None = None,
         end: int | None = None, **asked: Any) -> list[Statistics]:
    first, last = (None if minute is None else NOON + minute * MINUTE
                   for minute in (start, end))
    return increase.rows(functools.partial(service, samples), (),
                         start=first, end=last, **asked)


def amounts(found: Sequence[Statistics]) -> list[Decimal]:
    return [(row.aggregate or {})[increase.NAME] for row in found]


def total(*arguments: Any, **asked: Any) -> Decimal:
    return quantity.total(amounts(rows(*arguments, **asked)))


def test_it_is_the_sum_of_differences_and_of_what_came_after_a_reset(
        ) -> None:
    assert total([sample(minute, 'a', volume) for minute, volume
                  in enumerate((100, 160, 20, 50))]) == 110


def test_the_reading_before_the_start_is_where_it_is_followed_from() -> None:
    samples = [sample(0, 'a', 100), sample(10, 'a', 130)]
    assert [int(total(samples, *bounds)) for bounds in (
        (5,), (10,), (5, 10))] == [30, 30, 0]


def test_of_two_readings_at_one_instant_that_of_the_larger_id_counts(
        ) -> None:
    samples = [sample(0, 'a', 0), sample(5, 'a', 9, id='y'),
               sample(5, 'a', 4, id='x'), sample(6, 'a', 10)]
    assert total(samples) == total(samples, 0, 6) + total(samples, 6) == 10


def test_a_row_says_when_and_of_whom() -> None:
    one, other = rows(
        [sample(0, 'a', 100), sample(70, 'a', 130, project_id='p2')],
        0, 120, period=3600, groupby=['project_id'])
    assert (one.groupby, other.groupby) == ({'project_id': 'p1'},
                                            {'project_id': 'p2'})
    assert (other.period_start, other.period_end, other.period) == (
        NOON + 60 * MINUTE, NOON + 120 * MINUTE, 3600)
    assert (other.unit, other.duration) == ('ns', Decimal(0))
    assert amounts([one, other]) == [0, 30]


def test_without_periods_it_is_of_the_readings_that_are_there() -> None:
    [row] = rows([sample(2, 'a', 100), sample(7, 'a', 130)])
    assert (row.period_start, row.period_end) == (NOON + 2 * MINUTE,
                                                  NOON + 7 * MINUTE)
    assert (row.period, row.duration) == (0, Decimal(300))


def test_nothing_is_no_row() -> None:
    assert rows([], 0, 5, period=60) == []


def test_units_are_not_added() -> None:
    found = rows([sample(0, 'a', 1), sample(1, 'a', 5, unit='ms'),
                  sample(2, 'a', 3), sample(3, 'a', 9, unit='ms')])
    assert [row.unit for row in found] == ['ns', 'ms']
    assert amounts(found) == [2, 4]


def test_metadata_can_be_grouped_by() -> None:
    found = rows([sample(0, 'a', 1, metadata={'flavor.name': 'm1'})],
                 groupby=['metadata.flavor.name'])
    assert [row.groupby for row in found] == [{'metadata.flavor.name': 'm1'}]


def test_only_counters_increase() -> None:
    with pytest.raises(errors.InvalidQuery, match="type='gauge'"):
        rows([sample(0, 'a', 1, type='gauge')])


def test_what_cannot_be_grouped_by_is_named() -> None:
    with pytest.raises(errors.InvalidQuery, match="groupby='name'"):
        rows([sample(0, 'a', 1)], groupby=['name'])


@given(READINGS, st.integers(-5, 505), st.integers(1, 9000))
def test_periods_and_ranges_neither_lose_nor_double_anything(
        readings: list[tuple[int, str, Decimal]], cut: int, seconds: int
        ) -> None:
    samples = [sample(*reading) for reading in readings]
    whole = total(samples)
    assert whole == total(samples, period=seconds) == total(
        samples, groupby=['resource_id'])
    assert whole == quantity.add(total(samples, end=cut),
                                 total(samples, start=cut))


@given(READINGS)
def test_it_is_what_was_counted_where_no_counter_began_anew(
        readings: list[tuple[int, str, Decimal]]) -> None:
    samples = [sample(minute, resource, volume)
               for (minute, resource, _), volume in zip(
                   sorted(readings), sorted(one[2] for one in readings),
                   strict=True)]
    for resource in 'ab':
        own = [one.volume for one in samples if one.resource_id == resource]
        assert total([one for one in samples if one.resource_id == resource]
                     ) == (quantity.subtract(max(own), min(own)) if own
                           else 0)
