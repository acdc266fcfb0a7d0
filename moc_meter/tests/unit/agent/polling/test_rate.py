# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.agent.polling.rate import Change, Readings

SECOND = 10 ** 9
DAY = 24 * 3600 * SECOND
counters = st.integers(0, 2 ** 64)
instants = st.integers(0, 10 ** 18)


@given(counters, counters, instants, instants)
def test_a_rate_is_the_change_in_a_second_or_there_is_none(
        before: int, after: int, then: int, now: int) -> None:
    readings = Readings()
    assert readings.change(('i', 'cpu'), before, then, '1') is None
    change = readings.change(('i', 'cpu'), after, now, '1')
    rate = change.per_second() if change else None
    if after < before or now <= then:
        assert rate is None
    else:
        exact = Fraction((after - before) * SECOND, now - then)
        assert rate is not None
        assert abs(Fraction(rate) - exact) <= Fraction(1, 10 ** 15)


@given(st.integers(0, 10 ** 18), st.integers(1, 64), st.integers(1, DAY))
def test_the_share_of_more_cpus_is_smaller(worked: int, cpus: int,
                                           elapsed: int) -> None:
    share = Change(worked, elapsed).share(100, cpus)
    assert share is not None
    exact = Fraction(100 * worked, elapsed * cpus)
    assert abs(Fraction(share) - exact) <= Fraction(1, 10 ** 15)


@given(st.lists(counters, min_size=2))
def test_changes_without_a_restart_add_up_to_the_whole(
        figures: list[int]) -> None:
    readings = Readings()
    figures.sort()
    changes = [readings.change(('i', 'cpu'), figure, at, '1')
               for at, figure in enumerate(figures)]
    assert sum(change.amount or 0 for change in changes
               if change) == figures[-1] - figures[0]


def test_counters_are_kept_apart() -> None:
    readings = Readings()
    readings.change(('i', 'tap1', 'rx'), 5, 0, '1')
    assert readings.change(('i', 'tap1', 'tx'), 7, SECOND, '1') is None
    assert readings.change(('j', 'tap1', 'rx'), 7, SECOND, '1') is None
    assert readings.change(('i', 'tap1', 'rx'), 7, SECOND, '1') == Change(
        2, SECOND)


def test_in_another_life_the_counter_began_anew_even_if_it_is_larger(
        ) -> None:
    readings = Readings()
    readings.change(('i', 'rx'), 5, 0, 'boot-1:7')
    change = readings.change(('i', 'rx'), 9, SECOND, 'boot-2:7')
    assert change == Change(None, SECOND)
    assert change.per_second() is None
    assert readings.change(('i', 'rx'), 10, 2 * SECOND, 'boot-2:7'
                           ) == Change(1, SECOND)


def test_what_was_not_read_for_a_day_is_forgotten() -> None:
    readings = Readings()
    readings.change(('gone', 'cpu'), 1, 0, '1')
    readings.change(('there', 'cpu'), 1, SECOND, '1')
    readings.change(('there', 'cpu'), 2, DAY + SECOND, '1')
    assert list(readings._last) == [('there', 'cpu')]
