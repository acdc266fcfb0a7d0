# SPDX-License-Identifier: Apache-2.0
"""Statistics, by the examples of the API's contract and by what must hold."""

from __future__ import annotations

import math
import random
import statistics
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.tests.unit.truth.made import (
    DAY,
    SAMPLES,
    STATISTICS,
    TABLE,
    between,
    rows,
    sample,
)
from moc_meter.truth import answers, figures, instants, questions
from moc_meter.truth.forms import UNIT, Sample


def test_all_samples_of_a_meter_are_one_row() -> None:
    [row] = rows(STATISTICS)
    assert row == {
        'unit': 'GB', 'period': 0, 'groupby': None, 'aggregate': None,
        'period_start': DAY + '10:00:00', 'period_end': DAY + '13:00:00',
        'duration_start': DAY + '10:00:00', 'duration': 10800.0,
        'duration_end': DAY + '13:00:00',
        'sum': 18, 'avg': 4.5, 'count': 4, 'min': 2, 'max': 8}


def test_the_end_of_a_range_does_not_belong_to_it() -> None:
    [row] = rows(STATISTICS + between(('ge', '10:00'), ('lt', '13:00')))
    assert (row['sum'], row['count'], row['duration']) == (15, 3, 7200.0)


def test_the_start_of_a_range_belongs_to_it() -> None:
    [row] = rows(STATISTICS + between(('ge', '13:00'), ('lt', '14:00')))
    assert (row['sum'], row['count'], row['duration']) == (3, 1, 0.0)


def test_after_and_until_mean_what_they_say() -> None:
    [row] = rows(STATISTICS + between(('gt', '10:00'), ('le', '13:00')))
    assert (row['sum'], row['count']) == (10, 3)


def test_periods_count_from_the_lower_bound() -> None:
    found = rows(STATISTICS + between(('ge', '10:00'), ('lt', '14:00'))
                 + '&period=7200')
    assert [(row['period_start'], row['period_end'], row['sum'])
            for row in found] == [
        (DAY + '10:00:00', DAY + '12:00:00', 10),
        (DAY + '12:00:00', DAY + '14:00:00', 8)]


def test_periods_begin_before_the_first_sample_if_the_range_does() -> None:
    found = rows(STATISTICS + between(('ge', '09:30')) + '&period=3600')
    assert [row['period_start'] for row in found] == [
        f'{DAY}{hour:02}:30:00' for hour in (9, 10, 11, 12)]


def test_an_offset_finds_samples_of_periods_before_the_first() -> None:
    found = rows(STATISTICS + between(('ge', '12:30'))
                 + '&q.field=search_offset&q.op=eq&q.value=90&period=3600')
    assert [row['period_start'] for row in found] == [
        f'{DAY}{hour:02}:30:00' for hour in (10, 11, 12)]


def test_without_a_lower_bound_they_count_from_the_earliest_sample() -> None:
    found = rows(STATISTICS + 'period=3600')
    assert [row['period_start'] for row in found] == [
        f'{DAY}{hour}:00:00' for hour in (10, 11, 12, 13)]


def test_rows_are_grouped() -> None:
    found = rows(STATISTICS + 'groupby=resource_id')
    assert [(row['groupby'], row['sum']) for row in found] == [
        ({'resource_id': 'a'}, 10), ({'resource_id': 'b'}, 8)]


def test_selected_aggregates_stand_alone() -> None:
    [row] = rows(STATISTICS + 'aggregate.func=cardinality&aggregate.param='
                 'resource_id&aggregate.func=avg')
    assert row['aggregate'] == {'cardinality/resource_id': 2, 'avg': 4.5}
    assert not {row[name] for name in ('min', 'max', 'avg', 'sum', 'count')
                } - {None}


def test_the_deviation_is_that_of_the_population() -> None:
    [row] = rows(STATISTICS + 'aggregate.func=stddev')
    assert row['aggregate'] == {'stddev': math.sqrt(5.25)}


def test_units_never_mix() -> None:
    found = rows(STATISTICS, [*TABLE, sample('10:30', 7, 9, unit='GiB')])
    assert [(row['unit'], row['sum']) for row in found] == [
        ('GB', 18), ('GiB', 7)]


def test_samples_without_the_metadata_are_left_out() -> None:
    small = sample('10:30', 7, 9, metadata={'instance_type': 'small'})
    [row] = rows(STATISTICS + 'groupby=metadata.instance_type',
                 [*TABLE, small])
    assert (row['groupby'], row['sum']) == (
        {'metadata.instance_type': 'small'}, 7)


def test_an_offset_widens_what_is_selected_and_not_the_duration() -> None:
    [row] = rows(STATISTICS + between(('ge', '11:00'), ('lt', '12:00'))
                 + '&q.field=search_offset&q.op=eq&q.value=60')
    assert (row['sum'], row['count']) == (15, 3)
    assert (row['duration_start'], row['duration_end'], row['duration']) == (
        DAY + '11:00:00', DAY + '12:00:00', 3600.0)
    assert (row['period_start'], row['period_end']) == (
        DAY + '10:00:00', DAY + '12:00:00')


def test_what_an_offset_finds_outside_of_the_range_has_no_duration() -> None:
    [row] = rows(STATISTICS + between(('ge', '10:10'), ('lt', '10:20'))
                 + '&q.field=search_offset&q.op=eq&q.value=10')
    assert (row['count'], row['duration']) == (1, None)


def test_nobody_is_selected_by_the_word_none() -> None:
    orphan = sample('10:30', 7, 9, project_id=None)
    [row] = rows(STATISTICS + 'q.field=project&q.value=None',
                 [*TABLE, orphan])
    assert row['sum'] == 7


def test_figures_are_exact() -> None:
    tiny = [sample('10:00', 0, number)._replace(volume=volume)
            for number, volume in enumerate((10 ** 28, 1, 1))]
    [row] = rows(STATISTICS, tiny)
    assert row['sum'] == Fraction(10 ** 28 + 2, UNIT)
    assert row['avg'] == float(Fraction(10 ** 28 + 2, 3 * UNIT))


@given(st.lists(st.integers(-10 ** 29, 10 ** 29), min_size=1, max_size=20))
def test_the_deviation_is_the_nearest_double(volumes: list[int]) -> None:
    found = figures.deviation(len(volumes), sum(volumes),
                              sum(volume ** 2 for volume in volumes))
    exact = statistics.pvariance([Fraction(one, UNIT) for one in volumes])
    below, above = (Fraction(math.nextafter(found, toward)) for toward
                    in (-math.inf, math.inf))
    half = Fraction(found)
    lowest = max(Fraction(0), (below + half) / 2)
    assert lowest ** 2 <= exact <= ((above + half) / 2) ** 2


@given(SAMPLES, st.integers(0, 2 ** 32))
def test_the_order_of_samples_never_matters(samples: list[Sample], seed: int
                                            ) -> None:
    mixed = random.Random(seed).sample(samples, len(samples))
    for text in ('', 'period=7200', 'period=3601&groupby=project_id',
                 'groupby=metadata.instance_type&aggregate.func=stddev'):
        assert rows(STATISTICS + text, mixed) == rows(STATISTICS + text,
                                                      samples)


_CUTS = st.integers(0, 23).map(lambda hour: f'{hour:02}:00')


@given(SAMPLES, st.lists(_CUTS, min_size=3, max_size=3).map(sorted))
def test_ranges_that_meet_neither_lose_nor_double(
        samples: list[Sample], cuts: list[str]) -> None:
    start, middle, end = cuts
    first, second, both = (
        _total(STATISTICS + between(('ge', low), ('lt', high)), samples)
        for low, high in ((start, middle), (middle, end), (start, end)))
    assert (first[0] + second[0], first[1] + second[1]) == both


@given(SAMPLES, st.sampled_from((1, 3599, 3600, 86400, 604800)))
def test_every_sample_counts_in_one_period(samples: list[Sample],
                                           period: int) -> None:
    whole = _total(STATISTICS, samples)
    for bounds in ('', between(('ge', '00:00'))):
        split = rows(f'{STATISTICS}{bounds}&period={period}'.replace(
            '?&', '?'), samples)
        for row in split:
            assert row['period_start'] <= row['duration_start']  # type: ignore[operator]
            assert row['duration_end'] < row['period_end']  # type: ignore[operator]
        if not bounds:
            assert _sums(split) == whole


@given(SAMPLES)
def test_groups_add_up_to_the_whole(samples: list[Sample]) -> None:
    assert _sums(rows(STATISTICS + 'groupby=user_id&groupby=resource_id',
                      samples)) == _total(STATISTICS, samples)


def _total(text: str, samples: list[Sample]) -> tuple[int, Fraction]:
    return _sums(rows(text, samples))


def _sums(found: list[Any]) -> tuple[int, Fraction]:
    return (sum(row['count'] for row in found),
            sum((row['sum'] for row in found), Fraction(0)))


def test_a_stream_must_be_in_order_of_time() -> None:
    question = questions.parse(STATISTICS + 'period=60')
    with pytest.raises(ValueError, match='order of time'):
        answers.answer([question], iter(TABLE[::-1]))


def test_a_stream_and_a_list_have_equal_answers() -> None:
    asked = [questions.parse(STATISTICS + text)
             for text in ('period=60', 'groupby=user_id')]
    assert [answer.shown() for answer
            in answers.answer(asked, iter(TABLE))] == [
        answer.shown() for answer in answers.answer(asked, TABLE)]


@pytest.mark.parametrize('text', [
    'groupby=colour', 'aggregate.func=median',
    'aggregate.func=cardinality&aggregate.param=unit',
    'q.field=colour&q.value=red', 'q.field=timestamp&q.value=2024-01-01',
    'q.field=search_offset&q.value=1', 'q.field=user&q.op=gt&q.value=u'])
def test_what_the_api_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'no|not'):
        rows(STATISTICS + text)


def test_an_offset_from_utc_is_heeded() -> None:
    bound = instants.spelled(TABLE[2].timestamp, 330).replace('+', '%2B')
    [row] = rows(f'{STATISTICS}q.field=timestamp&q.op=ge&q.value={bound}')
    assert row['sum'] == 8
