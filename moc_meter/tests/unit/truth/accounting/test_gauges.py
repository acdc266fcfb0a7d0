# SPDX-License-Identifier: Apache-2.0
"""Levels over time: the worked examples of the accounts' definition."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest

from moc_meter.tests.unit.truth.accounting.clouds import (
    VCPUS,
    at,
    cloud,
    hours,
    life,
    sample,
)
from moc_meter.truth.forms import SECOND, Meter

POLLED = replace(VCPUS, cadence=300 * SECOND, max_gap=900 * SECOND)


def test_levels_count_for_as_long_as_they_lasted() -> None:
    """Example G1."""
    asked = cloud(
        '2026-03-01', '2026-03-03', made=[
            sample('2026-03-01 22:00', 4), sample('2026-03-01 23:30', 8),
            sample('2026-03-02 00:45', 2)],
        lived=[life('2026-03-01 22:00', '2026-03-02 01:15')])
    first, second = asked.ask('?period=day')
    assert (first['quantity'], second['quantity']) == (
        '36000.000000000', '25200.000000000')
    assert (hours(first['quantity']), hours(second['quantity'])) == (10, 7)
    [both] = asked.ask()
    assert both['known'] == '11700.000000'      # 3.25 h
    mean = Fraction(str(both['quantity'])) / Fraction(str(both['known']))
    assert f'{float(mean):.12f}' == '5.230769230769'
    assert both['unit'] == 'vcpu·s'


@pytest.mark.parametrize(('policy', 'quantity', 'upper', 'estimated'), [
    ('unknown', '3600.000000000', '14400.000000000', '0.000000'),
    ('bridge', '14400.000000000', '14400.000000000', '2700.000000'),
    ('hold', '14400.000000000', '14400.000000000', '2700.000000'),
    ('zero', '3600.000000000', '3600.000000000', '0.000000')])
def test_a_gap_is_read_as_its_meter_says(
        policy: str, quantity: str, upper: str, estimated: str) -> None:
    """Example G2: 4 at 10:00 and at 11:00, known for 900 s."""
    [row] = cloud(
        '2026-03-01', '2026-03-02', replace(POLLED, gap_policy=policy),
        [sample('2026-03-01 10:00', 4), sample('2026-03-01 11:00', 4)],
    ).ask('?start=2026-03-01T10:00&end=2026-03-01T11:00')
    assert (row['quantity'], row['lower'], row['upper'], row['estimated']) == (
        quantity, '3600.000000000', upper, estimated)


@pytest.mark.parametrize(('policy', 'status'), [
    ('unknown', 'partial'), ('bridge', 'estimated'), ('hold', 'estimated'),
    ('zero', 'complete')])
def test_a_gap_shows_in_the_status(policy: str, status: str) -> None:
    [row] = cloud(
        '2026-03-01', '2026-03-02', replace(POLLED, gap_policy=policy),
        [sample('2026-03-01 10:00', 4), sample('2026-03-01 11:00', 4)],
    ).ask('?start=2026-03-01T10:00&end=2026-03-01T11:00')
    assert row['status'] == status


def test_a_bridge_needs_the_same_level_on_both_sides() -> None:
    [row] = cloud(
        '2026-03-01', '2026-03-02', replace(POLLED, gap_policy='bridge'),
        [sample('2026-03-01 10:00', 4), sample('2026-03-01 11:00', 5)],
    ).ask('?start=2026-03-01T10:00&end=2026-03-01T11:00')
    assert (row['quantity'], row['upper']) == (
        '3600.000000000', '17100.000000000')    # 3600 + 5 * 2700


def test_a_straight_line_counts_by_trapezes() -> None:
    line = Meter(name='level', kind='gauge', unit='m', interpolation='linear')
    found = cloud(
        '2026-03-01', '2026-03-02', line,
        [sample('2026-03-01 00:00', 0, line),
         sample('2026-03-01 02:00', 2, line)],
    ).quantities('?period=hour&end=2026-03-01T03:00')
    assert [hours(one) for one in found] == [
        Fraction(1, 2), Fraction(3, 2), 2]


def test_the_level_before_the_first_sample_is_the_first_one() -> None:
    [row] = cloud(
        '2026-03-01', '2026-03-02', POLLED, [sample('2026-03-01 10:05', 4)],
        [life('2026-03-01 10:00', '2026-03-01 10:10')]).ask()
    assert (row['quantity'], row['status']) == ('2400.000000000', 'complete')


def test_a_first_sample_that_comes_late_leaves_the_beginning_unknown(
        ) -> None:
    [row] = cloud(
        '2026-03-01', '2026-03-02', POLLED, [sample('2026-03-01 11:00', 4)],
        [life('2026-03-01 10:00', '2026-03-01 11:01')]).ask()
    assert (row['quantity'], row['known'], row['expected']) == (
        '240.000000000', '60.000000', '3660.000000')


def test_the_last_sample_is_good_for_the_longest_gap_at_most() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', POLLED,
                  [sample('2026-03-01 10:00', 4)]).ask()
    assert row['quantity'] == '3600.000000000'


def test_nothing_counts_beyond_what_was_computed() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', VCPUS,
                  [sample('2026-03-01 23:00', 1)]).ask('?end=2026-03-09')
    assert (hours(row['quantity']), row['expected']) == (1, '3600.000000')


def test_a_gap_is_three_polls_unless_its_meter_says_otherwise() -> None:
    [row] = cloud('2026-03-01', '2026-03-02',
                  replace(POLLED, max_gap=None),
                  [sample('2026-03-01 10:00', 1)]).ask()
    assert row['quantity'] == '900.000000000'


def test_days_of_23_and_of_25_hours_are_charged_as_such() -> None:
    asked = cloud('2026-03-01', '2026-12-01', VCPUS,
                  [sample('2026-03-01', 1)], zone='America/New_York')
    [short] = asked.ask(
        '?start=2026-03-08T05:00Z&end=2026-03-09T04:00Z&period=day')
    [long] = asked.ask(
        '?start=2026-11-01T04:00Z&end=2026-11-02T05:00Z&period=day')
    assert (hours(short['quantity']), hours(long['quantity'])) == (23, 25)
    assert len(asked.ask(
        '?start=2026-11-01T04:00Z&end=2026-11-02T05:00Z&period=hour')) == 25


def test_a_tebibyte_for_a_month_has_all_its_digits() -> None:
    memory = Meter(name='memory', kind='gauge', unit='MiB')
    assert cloud('2026-04-01', '2026-05-01', memory,
                 [sample('2026-04-01', 1048576, memory)]).quantities() == [
        '2717908992000.000000000']


@pytest.mark.parametrize(('third', 'volume'), [('Z', 2), ('c', 3)])
def test_of_samples_at_one_instant_the_arrival_chooses_none(
        third: str, volume: int) -> None:
    """The largest sequence; among what then remains the larger id."""
    tied = [
        sample('2026-03-01 10:00', 1, message_id='b', sequence=8),
        sample('2026-03-01 10:00', 2, message_id='a', sequence=9),
        sample('2026-03-01 10:00', 3, message_id=third)]
    for order in itertools.permutations(tied):
        assert cloud('2026-03-01', '2026-03-01 11:00', VCPUS, order,
                     ).quantities() == [f'{volume * 3600}.000000000']


def test_what_is_deleted_is_not_used_any_more() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', VCPUS, [
        sample('2026-03-01 10:00'), sample('2026-03-01 12:00')],
        [life('2026-03-01 10:00', '2026-03-01 11:00')]).ask()
    assert hours(row['quantity']) == 1


def test_what_is_true_at_an_instant_is_what_was_said_last() -> None:
    """A resize at 12:00 makes two pieces, and renames no past."""
    found = cloud('2026-03-01', '2026-03-02', VCPUS, [
        sample('2026-03-01 10:00', 1, metadata={'flavor': {'name': 'tiny'}}),
        sample('2026-03-01 11:00', 1),
        sample('2026-03-01 12:00', 4, metadata={'flavor.name': 'big'})],
        [life('2026-03-01 09:00', '2026-03-01 13:00')],
    ).ask('?by=metadata.flavor.name')
    assert [(row['metadata.flavor.name'], hours(row['quantity']))
            for row in found] == [('big', 4), ('tiny', 3)]


def test_a_resource_that_changes_hands_is_charged_to_each() -> None:
    found = cloud('2026-03-01', '2026-03-02', VCPUS, [
        sample('2026-03-01 10:00', 2), sample(
            '2026-03-01 12:00', 2, project='p-2')],
        [life('2026-03-01 10:00', '2026-03-01 13:00')],
    ).ask('?by=project_id&by=resource_id')
    assert [(row['project_id'], hours(row['quantity'])) for row in found] == [
        ('p-1', 4), ('p-2', 2)]


def test_a_span_of_samples_is_none_without_any_and_zero_of_one() -> None:
    found = cloud('2026-03-01', '2026-03-04', VCPUS, [
        sample('2026-03-01 10:00'), sample('2026-03-03 10:00'),
        sample('2026-03-03 12:00')]).ask('?period=day')
    assert [row['sample_span'] for row in found] == [
        '0.000000', None, '7200.000000']


def test_another_unit_than_the_meters_is_shown_as_a_mismatch() -> None:
    other = replace(VCPUS, unit='core')
    [row] = cloud('2026-03-01', '2026-03-02', VCPUS, [
        sample('2026-03-01 09:00', 9, other), sample('2026-03-01 23:00')],
    ).ask()
    assert (hours(row['quantity']), row['flags']) == (1, ['mismatch'])


def test_an_instant_before_the_cloud_is_no_fault() -> None:
    assert cloud('2026-03-02', '2026-03-03', VCPUS,
                 [sample(at('2026-03-01'))]).quantities() == [
        '86400.000000000']
