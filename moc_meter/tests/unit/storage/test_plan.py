# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import datetime
import itertools
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import (
    Field,
    MetadataRule,
    Selection,
    StatisticsQuestion,
)
from moc_meter.storage.samples import plan
from moc_meter.storage.samples.plan import Level, Part

MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
HALF_PAST = datetime.timedelta(minutes=30)
EARLIEST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
LATEST = datetime.datetime.max.replace(tzinfo=datetime.UTC)

instants = st.one_of(
    st.datetimes(timezones=st.just(datetime.UTC)),
    st.sampled_from([EARLIEST, LATEST, MARCH]),
    st.integers(-100, 100).map(lambda hours: MARCH + hours * period.HOUR),
    st.integers(-70, 70).map(lambda days: MARCH + days * period.DAY),
    st.builds(lambda month, beside: MARCH.replace(month=month)
              + beside * period.MICROSECOND,
              st.integers(1, 12), st.integers(-1, 1)),
    st.integers(0, 4 * Level.DAY).map(
        lambda place: MARCH + place * period.MICROSECOND))
lengths = st.one_of(
    st.sampled_from([period.HOUR, period.DAY, 90 * period.HOUR / 60,
                     7 * period.DAY, period.MICROSECOND,
                     datetime.timedelta.max]),
    st.timedeltas(min_value=period.MICROSECOND))


@st.composite
def questions(draw: st.DrawFn) -> StatisticsQuestion:
    bounds = [draw(st.none() | instants) for _ in range(2)]
    if None not in bounds:
        bounds.sort()
    length = draw(st.none() | lengths)
    return StatisticsQuestion(
        selection=Selection(start=bounds[0], end=bounds[1]), period=length,
        origin=None if length is None else draw(instants),
        squares=draw(st.booleans()))


def parts(start: datetime.datetime | None, end: datetime.datetime | None,
          **question: Any) -> list[Part]:
    return plan.parts(dataclasses.replace(
        StatisticsQuestion(selection=Selection(start=start, end=end)),
        **question))


def levels(question: StatisticsQuestion) -> set[Level]:
    return {part.level for part in plan.parts(question)}


def test_edges_are_hours_and_raw_samples_around_whole_days() -> None:
    found = parts(MARCH - 90 * period.HOUR / 60, MARCH + period.DAY
                  + period.HOUR)
    day = period.microseconds(MARCH)
    assert found == [
        Part(Level.RAW, day - 90 * 60 * 10 ** 6, day - Level.HOUR),
        Part(Level.HOUR, day - Level.HOUR, day),
        Part(Level.DAY, day, day + Level.DAY),
        Part(Level.HOUR, day + Level.DAY, day + Level.DAY + Level.HOUR)]


def test_days_are_at_the_edges_of_whole_months() -> None:
    start, february, april, end = (
        period.microseconds(datetime.datetime(2026, *day, tzinfo=datetime.UTC))
        for day in ((1, 30), (2, 1), (4, 1), (4, 3)))
    assert parts(period.instant(start), period.instant(end)) == [
        Part(Level.DAY, start, february), Part(Level.MONTH, february, april),
        Part(Level.DAY, april, end)]


@pytest.mark.parametrize('month', [
    (2024, 2, 29), (2025, 2, 28), (2100, 2, 28), (2026, 12, 31),
    (2026, 4, 30), (9999, 12, 31), (1, 1, 31)])
def test_a_cell_of_a_month_has_all_its_days_and_no_others(
        month: tuple[int, int, int]) -> None:
    begin = period.microseconds(
        datetime.datetime(*month[:2], 1, tzinfo=datetime.UTC))
    end = begin + month[2] * Level.DAY
    assert Level.MONTH.end(begin) == end
    for instant, floor, ceiling in ((begin, begin, begin),
                                    (begin + 1, begin, end),
                                    (end - 1, begin, end)):
        assert Level.MONTH.floor(instant) == floor
        assert Level.MONTH.ceiling(instant) == ceiling


def test_without_bounds_only_months_are_read() -> None:
    assert parts(None, None) == [Part(Level.MONTH, None, None)]


def test_an_open_end_is_months() -> None:
    assert [part.level for part in parts(None, MARCH + HALF_PAST)] == [
        Level.MONTH, Level.RAW]


@pytest.mark.parametrize('start', [MARCH, MARCH + period.HOUR])
def test_an_empty_range_reads_nothing(start: Any) -> None:
    assert parts(start, MARCH) == []


@pytest.mark.parametrize(('length', 'origin', 'coarsest'), [
    (period.DAY, MARCH, Level.DAY),
    (period.DAY, MARCH + period.HOUR, Level.HOUR),
    (period.DAY, MARCH + HALF_PAST, Level.RAW),
    (36 * period.HOUR, MARCH, Level.HOUR),
    (HALF_PAST, MARCH, Level.RAW),
    (90 * period.HOUR / 60, MARCH, Level.RAW),
])
def test_cells_are_read_where_each_lies_in_one_period(
        length: datetime.timedelta, origin: datetime.datetime,
        coarsest: Level) -> None:
    [part] = parts(None, None, period=length, origin=origin)
    assert part.level is coarsest


@pytest.mark.parametrize('asked', [
    {'squares': True}, {'group_by_metadata': ('flavor',)},
    {'selection': Selection(message_ids=('1',))},
    {'selection': Selection(metadata=(MetadataRule(path='a', values=()),))},
])
def test_what_cells_do_not_know_is_read_from_raw_samples(
        asked: dict[str, Any]) -> None:
    question = dataclasses.replace(
        StatisticsQuestion(selection=Selection()), **asked)
    assert levels(question) == {Level.RAW}


def test_what_the_series_says_is_read_from_cells() -> None:
    question = StatisticsQuestion(
        selection=Selection(series=((Field.USER, None),),
                            projects=frozenset({'p'})),
        group_by=(Field.PROJECT,), cardinality=(Field.RESOURCE,))
    assert levels(question) == {Level.MONTH}


@given(questions())
def test_the_parts_are_the_range_without_gap_or_overlap(
        question: StatisticsQuestion) -> None:
    found = plan.parts(question)
    start, end = plan.bounds(question.selection)
    if start is not None and start == end:
        assert found == []
        return
    assert (found[0].start, found[-1].end) == (start, end)
    assert all(one.end == other.start is not None
               for one, other in itertools.pairwise(found))
    assert all(part.start is None or part.end is None
               or part.start < part.end for part in found)


@given(questions())
@example(StatisticsQuestion(selection=Selection(start=LATEST)))
def test_every_part_begins_and_ends_at_borders_of_its_cells(
        question: StatisticsQuestion) -> None:
    assert all(border is None or border == part.level.floor(border)
               for part in plan.parts(question)
               for border in (part.start, part.end)
               # One may lie where the calendar ends.
               if border != period.microseconds(LATEST) + 1)


@pytest.mark.parametrize('number', [0, 1, 660])
def test_periods_as_long_as_a_month_are_no_months(number: int) -> None:
    """Wherever the first one begins, some begin within a month."""
    assert Level.MONTH not in plan.levels(StatisticsQuestion(
        selection=Selection(), period=31 * period.DAY,
        origin=period.EPOCH + number * 31 * period.DAY))


@given(questions())
def test_no_cell_is_in_two_periods(question: StatisticsQuestion) -> None:
    periods = plan.periods(question)
    for part in plan.parts(question):
        if periods and part.level is not Level.RAW:
            assert part.level is not Level.MONTH
            assert periods.length % part.level == 0
            assert periods.origin % part.level == 0


@given(instants, instants)
def test_what_is_left_at_an_edge_is_shorter_than_a_larger_cell(
        one: datetime.datetime, other: datetime.datetime) -> None:
    found = parts(*sorted([one, other]))
    for finer, larger in itertools.pairwise(reversed(Level)):
        edges = [part for part in found if part.level is finer]
        assert sum((part.end or 0) - (part.start or 0)
                   for part in edges) < 2 * larger


@given(instants, lengths, instants)
def test_an_instant_lies_in_the_period_that_is_counted_for_it(
        origin: datetime.datetime, length: datetime.timedelta,
        instant: datetime.datetime) -> None:
    periods = plan.Periods(period.microseconds(origin),
                           length // period.MICROSECOND)
    passed = period.microseconds(instant) - periods.base
    assert 0 <= passed < 2 ** 63
    assert 0 < periods.step < 2 ** 63
    number = (instant - origin) // length
    try:
        expected = origin + number * length
    except OverflowError:
        with pytest.raises(errors.InvalidQuery, match='before the calendar'):
            periods.start(passed // periods.step)
    else:
        assert periods.start(passed // periods.step) == expected
