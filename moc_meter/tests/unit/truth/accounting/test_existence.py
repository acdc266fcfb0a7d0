# SPDX-License-Identifier: Apache-2.0
"""How long things were there: existence, active time, coverage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moc_meter.tests.unit.truth.accounting.clouds import (
    VCPUS,
    Cloud,
    at,
    cloud,
    life,
    sample,
)
from moc_meter.truth import usage
from moc_meter.truth.forms import SECOND, Missing

POLLED = replace(VCPUS, cadence=300 * SECOND, max_gap=900 * SECOND)
STATES = [('2026-03-01 10:00', 'active'), ('2026-03-01 12:00', 'stopped'),
          ('2026-03-01 15:00', 'active')]
WINDOW = 'start=2026-03-01T11:00&end=2026-03-01T17:00'


def seconds(asked: Cloud, question: str) -> list[object]:
    return [row['quantity'] for row in usage.answer(
        asked, f'/truth/{question}')]


def test_existence_and_active_time_are_two_things() -> None:
    """10:00 created, 12:00 stopped, 15:00 started, 16:00 deleted."""
    asked = cloud('2026-03-01', '2026-03-02', lived=[life(
        '2026-03-01 10:00', '2026-03-01 16:00', states=STATES)])
    assert seconds(asked, f'existence?{WINDOW}') == ['18000.000000000']
    assert seconds(asked, f'active?{WINDOW}') == ['7200.000000000']


def test_states_that_follow_each_other_count_once() -> None:
    asked = cloud('2026-03-01', '2026-03-02', lived=[life(
        '2026-03-01 10:00', states=[*STATES[:1], (
            '2026-03-01 11:00', 'active')])])
    assert seconds(asked, 'active?end=2026-03-01T12:00') == [
        '7200.000000000']


def test_what_is_no_instance_is_never_active() -> None:
    asked = cloud('2026-03-01', '2026-03-02', lived=[life(
        '2026-03-01 10:00', kind='volume', states=STATES)])
    assert seconds(asked, 'active') == ['0.000000000']
    assert seconds(asked, 'existence?by=type') == ['50400.000000000']


def test_existence_is_that_of_who_had_the_resource() -> None:
    asked = cloud('2026-03-01', '2026-03-02', lived=[life(
        '2026-03-01 10:00', '2026-03-01 16:00', holders=[
            ('2026-03-01 10:00', 'p-1'), ('2026-03-01 15:00', 'p-2')])])
    found = usage.answer(asked, '/truth/existence?by=project_id')
    assert [(row['project_id'], row['quantity'], row['unit'])
            for row in found] == [('p-1', '18000.000000000', 's'),
                                  ('p-2', '3600.000000000', 's')]


def polled(lost: range) -> Cloud:
    """A day of samples every five minutes without some of them."""
    start = at('2026-03-01')
    ticks = [start + place * 300 * SECOND for place in range(288)]
    asked = cloud('2026-03-01', '2026-03-02', POLLED, [
        sample(tick, 4) for place, tick in enumerate(ticks)
        if place not in lost], [life('2026-03-01')])
    asked.lost = [Missing(timestamp=ticks[place], meter='vcpus',
                          resource_id='r-1', project_id='p-1',
                          reason='silent') for place in lost]
    return asked


def test_coverage_is_of_time_and_not_of_samples() -> None:
    """18 consecutive samples missing of a day of 288."""
    asked = polled(range(100, 118))
    [row] = asked.ask()
    assert (row['known'], row['expected'], row['coverage']) == (
        '81600.000000', '86400.000000', '0.944444444')
    assert row['status'] == 'partial'
    [gone] = usage.answer(asked, '/truth/missing')
    assert (gone['usable'], gone['expected']) == (270, 288)   # 93.75 %
    assert gone['reasons'] == {'silent': 18}


def test_a_day_without_a_gap_is_complete() -> None:
    [row] = polled(range(0)).ask()
    assert (row['coverage'], row['status']) == ('1.000000000', 'complete')
    assert usage.answer(polled(range(0)), '/truth/missing') == []


def test_what_is_missing_is_told_by_period() -> None:
    found = usage.answer(polled(range(10, 14)),
                         '/truth/missing?period=hour&by=project_id')
    assert [(row['start'], row['project_id'], row['missing'], row['expected'])
            for row in found] == [
        ('2026-03-01T00:00:00.000000Z', 'p-1', 2, 12),
        ('2026-03-01T01:00:00.000000Z', 'p-1', 2, 12)]


def test_what_a_meter_has_no_use_for_is_missing_as_a_mismatch() -> None:
    asked = cloud('2026-03-01', '2026-03-02', VCPUS, [
        sample('2026-03-01 10:00', 1, replace(VCPUS, unit='core'))])
    [row] = usage.answer(asked, '/truth/missing?meter=vcpus')
    assert (row['meter'], row['reasons']) == ('vcpus', {'mismatch': 1})


def test_a_zero_and_nothing_known_are_told_apart() -> None:
    """Of two instances one is measured, the other never; then none is."""
    asked = cloud('2026-03-01', '2026-03-04', POLLED, [
        sample('2026-03-01 10:00', 0)], [
        life('2026-03-01 10:00', '2026-03-01 10:10'),
        life('2026-03-02 10:00', '2026-03-02 10:10', resource='r-2')])
    assert [(row['quantity'], row['status'], row['coverage'], row['upper'])
            for row in asked.ask('?period=day')] == [
        ('0.000000000', 'complete', '1.000000000', '0.000000000'),
        ('0.000000000', 'missing', '0.000000000', None),
        ('0.000000000', 'not_expected', None, '0.000000000')]


@pytest.mark.parametrize(('by', 'count'), [
    ('', 1), ('?by=resource_id', 2), ('?by=project_id', 1),
    ('?by=type', 1)])
def test_resources_are_counted_once_a_row(by: str, count: int) -> None:
    asked = cloud('2026-03-01', '2026-03-03', VCPUS, [
        sample('2026-03-01'), sample('2026-03-01', resource='r-2'),
        sample('2026-03-02', user='u-2')])
    found = asked.ask(by)
    assert len(found) == count
    assert sum(int(str(row['resources'])) for row in found) == 2
