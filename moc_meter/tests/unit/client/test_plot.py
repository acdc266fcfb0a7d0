# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import plot
from moc_meter.client.models import Statistics
from moc_meter.client.times import Period

UTC = zoneinfo.ZoneInfo('UTC')
MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
VALUES = st.lists(st.none() | st.decimals(-10 ** 12, 10 ** 12, places=3),
                  min_size=2, max_size=30).filter(
                      lambda values: values[0] is not None
                      and values[-1] is not None)


def series(*values: str | Decimal | None, label: str = '', unit: str = 'vcpu'
           ) -> plot.Series:
    """One value a day from 1 March on; None: there are no samples."""
    return plot.Series(label=label, unit=unit, bars=tuple(
        plot.Bar(start=MARCH + day * DAY, end=MARCH + (day + 1) * DAY,
                 value=Decimal(value))
        for day, value in enumerate(values) if value is not None))


def drawn(*given: plot.Series, width: int = 40,
          start: datetime.datetime | None = None,
          end: datetime.datetime | None = None) -> list[str]:
    return list(plot.text(given, Period(start=start, end=end, zone=UTC),
                          width))


def row(day: int, group: str | None = None, unit: str = 'vcpu', **figures: int
        ) -> Statistics:
    return Statistics(
        unit=unit, groupby=None if group is None else {'project_id': group},
        aggregate={name: Decimal(figure)
                   for name, figure in figures.items()},
        sum=Decimal(day), count=3, duration=None, duration_start=None,
        duration_end=None, period=86400, period_start=MARCH + day * DAY,
        period_end=MARCH + (day + 1) * DAY)


def test_a_plot_over_time() -> None:
    assert drawn(series('8', '4', None, '0', '2'), width=27) == [
        '8 vcpu ████',
        '       ████',
        '       ████',
        '       ████',
        '       ████████',
        '       ████████',
        '       ████████        ████',
        '       ████████        ████',
        '0 vcpu ────────····────────',
        '       2026-03-01 2026-03-06',
        '       · no samples']


def test_what_was_asked_for_is_a_gap_too_before_and_after() -> None:
    assert drawn(series('8', '4'), width=31, start=MARCH - DAY,
                 end=MARCH + 4 * DAY)[8:] == [
        '0 vcpu ····────────········',
        '       2026-02-28 2026-03-05', '       · no samples']


def test_what_is_negative_hangs_from_the_line() -> None:
    assert drawn(series('6', '-2', '1', unit='C'), width=14) == [
        ' 6 C ███',
        '     ███',
        '     ███',
        '     ███',
        '     ███',
        '     ███   ███',
        ' 0 C ─────────',
        '        ███',
        '-2 C    ███',
        '     2026-03-01 2026-03-04']


def test_groups_without_a_course_of_time_are_compared() -> None:
    assert drawn(series('8', label='genomics', unit='GiB'),
                 series('3', label='日本', unit='GiB'),
                 series('0', label='astro', unit='GiB'), width=32) == [
        'genomics │████████████████ 8 GiB',
        '日本     │██████ 3 GiB',
        'astro    │0 GiB']


def test_several_courses_are_one_above_the_other_on_one_scale() -> None:
    lines = drawn(series('8', '4', label='a'), series('4', '8', label='b'),
                  width=17)
    assert lines[:5] == ['a', '8 vcpu █████', '       █████▄▄▄▄▄',
                         '       ██████████', '0 vcpu ──────────']
    assert lines[5:7] == ['b', '8 vcpu      █████']


def test_many_periods_in_few_columns_show_their_largest() -> None:
    lines = drawn(series(*(['1'] * 99), '7', '1'), width=17)
    assert lines[0].rstrip().endswith('█')
    assert 'each column is the largest of up to 11 periods' in lines[-1]


@settings(max_examples=50)
@given(VALUES, st.integers(70, 200))
def test_a_period_is_a_gap_where_nothing_is_known_and_only_there(
        values: list[Decimal | None], width: int) -> None:
    lines = drawn(series(*values), width=width)
    assert all(len(line) <= width for line in lines)
    [axis] = [line for line in lines if '─' in line]
    cells = axis.rpartition(' ')[2]
    assert [cells[at] for at in places(values, len(cells))] == [
        '·' if value is None else '─' for value in values]


@settings(max_examples=50)
@given(st.lists(st.decimals(0, 10 ** 12, places=3), min_size=2, max_size=30))
def test_who_has_more_is_never_drawn_with_less(values: list[Decimal]
                                               ) -> None:
    *lines, axis, _ = drawn(series(*values), width=100)
    left, cells = axis.index('─'), axis.count('─')
    columns = [[line[left + at:][:1] for line in lines]
               for at in places(values, cells)]
    heights = [sum(plot._UP.index(cell or ' ') for cell in column)
               for column in columns]
    assert sorted(zip(values, heights, strict=True)) == list(zip(
        sorted(values), sorted(heights), strict=True))


def places(values: Sequence[object], cells: int) -> range:
    """The first column of each of them."""
    return range(0, cells, cells // len(values))


def test_the_rows_of_a_table_are_what_is_drawn() -> None:
    found = plot.series([row(1, 'a'), row(0, 'a'), row(0, 'b')], 'sum')
    assert [(one.label, one.unit, [str(bar.value) for bar in one.bars])
            for one in found] == [
                ('a', 'vcpu', ['0', '1']), ('b', 'vcpu', ['0'])]


def test_an_aggregate_may_be_drawn_and_what_is_counted_has_no_unit() -> None:
    assert [(one.unit, str(one.bars[0].value))
            for figure in ('stddev', 'count')
            for one in plot.series([row(0, stddev=5)], figure)] == [
                ('vcpu', '5'), ('', '3')]


def test_a_figure_that_is_not_there_is_named() -> None:
    with pytest.raises(errors.InvalidQuery, match="figure='max'"):
        plot.series([row(0)], 'max')


def test_a_name_cannot_steer_the_terminal() -> None:
    [found] = plot.series([row(0, 'a\x1b[2J\nb')], 'sum')
    assert found.label == 'a�[2J�b'


def test_rows_of_several_units_are_not_of_one_scale() -> None:
    found = plot.series([row(0), row(1), row(0, unit='MiB'),
                         row(1, unit='MiB')], 'sum')
    lines = drawn(*found)
    assert any(line.startswith(' 1 MiB') for line in lines)
    assert any(line.startswith('1 vcpu') for line in lines)
