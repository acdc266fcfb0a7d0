# SPDX-License-Identifier: Apache-2.0
"""Whose usage is: the worked examples of the definition, and its rules."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter.tests.unit.truth.accounting.clouds import (
    at,
    cloud,
    hours,
    sample,
    share,
)
from moc_meter.truth.accounting.allocation import Running, allocate
from moc_meter.truth.forms import Meter

HALF = Fraction(1, 2)
SHARES = st.lists(
    st.integers(1, 100), max_size=4).filter(lambda parts: sum(parts) <= 100
    ).map(lambda parts: {chr(97 + place): Fraction(part, 100)
                         for place, part in enumerate(parts)})


def parts(rows: list[dict[str, object]]) -> dict[object, object]:
    return {row['institution']: hours(row['quantity']) for row in rows}


def test_shares_that_change_count_from_their_day_on() -> None:
    """Example A1: 1000 vCPU·h over April; the shares change on the 16th."""
    burst = Meter(name='burst', kind='delta', unit='vcpu·s')
    april = at('2026-04-01'), at('2026-05-01')
    asked = cloud('2026-04-01', '2026-05-01', burst, [
        sample('2026-04-30', 3600000, burst, interval=april)], shares=[
        share('A', '0.6', until='2026-04-16'),
        share('B', '0.4', until='2026-04-16'),
        share('A', '0.5', '2026-04-16'), share('B', '0.3', '2026-04-16')])
    found = asked.ask('?by=institution')
    assert parts(found) == {'A': 550, 'B': 350, 'unallocated': 100}
    [first, _] = asked.ask('?by=institution&end=2026-04-16')
    assert hours(first['quantity']) == 300


def test_what_cannot_be_divided_goes_to_one() -> None:
    """Example A2."""
    assert allocate(1, {'a': HALF, 'b': HALF}) == {'a': 1, 'b': 0}


def test_what_is_missing_goes_to_the_largest_remainder() -> None:
    assert allocate(10, {'a': Fraction(33, 100), 'b': Fraction(67, 100)}) == {
        'a': 3, 'b': 7}
    assert allocate(2, {'a': Fraction(1, 4), 'b': Fraction(3, 4)}) == {
        'a': 1, 'b': 1}


def test_negative_quantities_are_divided_like_positive_ones() -> None:
    assert allocate(-1, {'a': HALF, 'b': HALF}) == {'a': -1, 'b': 0}


@pytest.mark.parametrize('shares', [
    {'a': HALF, 'b': Fraction(51, 100)}, {'a': Fraction(0)}])
def test_shares_beyond_the_whole_are_refused(
        shares: dict[str, Fraction]) -> None:
    with pytest.raises(ValueError, match='sum of at most 1'):
        allocate(1, shares)


@given(st.integers(-10 ** 30, 10 ** 30), SHARES)
@settings(deadline=None)
def test_what_is_allocated_is_the_whole(
        quantity: int, shares: dict[str, Fraction]) -> None:
    found = allocate(quantity, shares)
    assert sum(found.values()) == quantity
    for name, part in shares.items():
        assert abs(found[name] - quantity * part) < 1


@given(st.lists(st.integers(0, 10 ** 12)), SHARES)
@settings(deadline=None)
def test_pieces_of_a_record_add_up_to_its_allocation(
        pieces: list[int], shares: dict[str, Fraction]) -> None:
    running = Running(shares)
    found = [running.add(piece) for piece in pieces]
    assert [sum(one.values()) for one in found] == pieces
    assert {name: sum(one[name] for one in found)
            for name in allocate(0, shares)} == allocate(sum(pieces), shares)


def test_shares_are_those_that_were_known_when_asked() -> None:
    """P was A's alone; in June one learns that since May 40 % are B's."""
    before = [share('A', '1', '2026-01-01')]
    after = [share('A', '1', '2026-01-01', '2026-05-01'),
             share('A', '0.6', '2026-05-01'), share('B', '0.4', '2026-05-01')]
    burst = Meter(name='burst', kind='event', unit='job')
    for known, expected in ((before, {'A': '1000.000000000'}),
                            (after, {'A': '600.000000000',
                                     'B': '400.000000000'})):
        asked = cloud('2026-05-01', '2026-06-01', burst,
                      [sample('2026-05-15', 1000, burst)], shares=known)
        assert {row['institution']: row['quantity']
                for row in asked.ask('?by=institution')} == expected


def test_a_project_without_shares_has_its_nearest_ancestors() -> None:
    asked = cloud('2026-04-01', '2026-04-02', made=[
        sample('2026-04-01', 1, project='p-2')], shares=[share('A', '1')])
    assert parts(asked.ask('?by=institution')) == {'A': 24}


def test_own_shares_of_a_project_go_before_its_ancestors() -> None:
    asked = cloud('2026-04-01', '2026-04-02', made=[
        sample('2026-04-01', 1, project='p-2')],
        shares=[share('A', '1'), share('B', '0.5', project='p-2')])
    assert parts(asked.ask('?by=institution')) == {
        'B': 12, 'unallocated': 12}


def test_what_nobody_has_is_unallocated() -> None:
    asked = cloud('2026-04-01', '2026-04-02', made=[
        sample('2026-04-01', 1, project=None)], shares=[share('A', '1')])
    assert parts(asked.ask('?by=institution')) == {'unallocated': 24}


def test_by_affiliation_usage_is_the_users_institutions() -> None:
    asked = cloud('2026-04-01', '2026-04-02', made=[
        sample('2026-04-01', 1),
        sample('2026-04-01', 2, resource='r-2', user='stranger')],
        shares=[share('B', '1')])
    assert parts(asked.ask('?by=institution&basis=affiliation')) == {
        'A': 24, 'unallocated': 48}


def test_bounds_are_allocated_with_the_same_shares() -> None:
    asked = cloud('2026-04-01', '2026-04-02', Meter(
        name='vcpus', kind='gauge', unit='vcpu', max_gap=3600 * 10 ** 6),
        [sample('2026-04-01 00:00', 4), sample('2026-04-01 23:00', 4)],
        shares=[share('A', '0.75')])
    found = {row['institution']: (row['lower'], row['upper'])
             for row in asked.ask('?by=institution')}
    assert found == {'A': ('21600.000000000', '259200.000000000'),
                     'unallocated': ('7200.000000000', '86400.000000000')}
