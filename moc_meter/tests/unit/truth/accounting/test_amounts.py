# SPDX-License-Identifier: Apache-2.0
"""Deltas, counters and events: the worked examples of the definition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from moc_meter.tests.unit.truth.accounting.clouds import (
    Cloud,
    at,
    cloud,
    life,
    sample,
)
from moc_meter.truth.forms import SECOND, UNIT, Meter

MAIL = Meter(name='mail', kind='delta', unit='MB')
COUNTER = Meter(name='bytes', kind='cumulative', unit='B',
                cadence=300 * SECOND)
EVENT = Meter(name='created', kind='event', unit='instance')


def counted(volumes: list[int], meter: Meter = COUNTER) -> Cloud:
    """Readings every five minutes from ten o'clock on."""
    return cloud('2026-03-01', '2026-03-02', meter, [
        sample(at('2026-03-01 10:00') + place * 300 * SECOND, volume, meter)
        for place, volume in enumerate(volumes)])


def test_a_stated_interval_is_spread_evenly() -> None:
    """Example D1."""
    stated = at('2026-03-01 23:50'), at('2026-03-02 00:20')
    assert cloud('2026-03-01', '2026-03-03', MAIL, [sample(
        '2026-03-02 00:20', 900, MAIL, interval=stated)],
    ).quantities('?period=day') == ['300.000000000', '600.000000000']


def test_pieces_are_differences_of_the_rounded_running_total() -> None:
    """100 units over three hours, cut hourly."""
    stated = at('2026-03-01 00:00'), at('2026-03-01 03:00')
    asked = cloud('2026-03-01', '2026-03-01 03:00', MAIL, [sample(
        '2026-03-01 02:59', 100, MAIL, interval=stated)])
    assert asked.quantities('?period=hour') == [
        '33.333333333', '33.333333334', '33.333333333']
    assert asked.quantities() == ['100.000000000']


def test_a_delta_reaches_back_to_the_sample_before() -> None:
    assert cloud('2026-03-01', '2026-03-02', MAIL, [
        sample('2026-03-01 10:00', 5, MAIL),
        sample('2026-03-01 12:00', 4, MAIL)],
    ).quantities('?period=hour&start=2026-03-01T10:00&end=2026-03-01T13:00'
                 ) == ['7.000000000', '2.000000000', '0.000000000']


def test_a_first_delta_reaches_back_to_the_creation() -> None:
    assert cloud('2026-03-01', '2026-03-02', MAIL, [
        sample('2026-03-01 10:00', 4, MAIL)], [life('2026-03-01 08:00')],
    ).quantities('?period=hour&start=2026-03-01T08:00&end=2026-03-01T10:00'
                 ) == ['2.000000000', '2.000000000']


def test_deltas_at_one_instant_all_count() -> None:
    assert cloud('2026-03-01', '2026-03-02', MAIL, [
        sample('2026-03-01 08:00', 0, MAIL),
        sample('2026-03-01 10:00', 4, MAIL, message_id='a'),
        sample('2026-03-01 10:00', 4, MAIL, message_id='b')],
    ).quantities('?end=2026-03-01T09:00') == ['4.000000000']


def test_where_nothing_is_polled_silence_is_a_zero() -> None:
    found = cloud('2026-03-01', '2026-03-04', EVENT,
                  [sample('2026-03-01 00:00', 1, EVENT)]).ask('?period=day')
    assert [(row['quantity'], row['status']) for row in found] == [
        ('1.000000000', 'complete'), ('0.000000000', 'complete'),
        ('0.000000000', 'complete')]


def test_stated_intervals_that_overlap_both_count_and_say_so() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', MAIL, [
        sample('2026-03-01 10:00', 1, MAIL, interval=(
            at('2026-03-01 09:00'), at('2026-03-01 10:00'))),
        sample('2026-03-01 11:00', 2, MAIL, interval=(
            at('2026-03-01 09:59'), at('2026-03-01 11:00')))]).ask()
    assert (row['quantity'], row['flags']) == ('3.000000000', ['overlap'])


def test_stated_intervals_that_touch_do_not_overlap() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', MAIL, [
        sample('2026-03-01 10:00', 1, MAIL, interval=(
            at('2026-03-01 09:00'), at('2026-03-01 10:00'))),
        sample('2026-03-01 11:00', 2, MAIL, interval=(
            at('2026-03-01 10:00'), at('2026-03-01 11:00')))]).ask()
    assert row['flags'] == []


def test_weeks_are_no_part_of_months() -> None:
    """10 a day on 30-31 March, 20 a day on 1-5 April: W14 is 120."""
    asked = cloud('2026-03-30', '2026-04-06', EVENT, [
        sample(f'2026-{day} 12:00', 10 if day < '04' else 20, EVENT)
        for day in ('03-30', '03-31', '04-01', '04-02', '04-03', '04-04',
                    '04-05')])
    assert asked.quantities('?period=week') == ['120.000000000']
    assert asked.quantities('?period=month') == [
        '20.000000000', '100.000000000']


def test_a_counter_that_falls_begins_anew() -> None:
    """Example C1; neither last minus first nor the sum of maxima."""
    asked = counted([100, 160, 20, 50])
    [row] = asked.ask()
    assert (row['quantity'], row['flags']) == ('110.000000000', ['reset'])
    increments = [asked.quantities(
        f'?start=2026-03-01T10:{minute:02}&end=2026-03-01T10:{minute + 5:02}')
        for minute in (0, 5, 10)]
    assert increments == [
        ['60.000000000'], ['20.000000000'], ['30.000000000']]


def test_a_counter_of_32_bits_wraps() -> None:
    """Example C2."""
    wrapping = replace(COUNTER, modulus=2 ** 32 * UNIT,
                       max_rate=125000000 * UNIT)
    [row] = counted([4294967000, 704], wrapping).ask()
    assert (row['quantity'], row['flags']) == ('1000.000000000', [])


def test_a_wrap_that_is_too_fast_is_a_reset() -> None:
    wrapping = replace(COUNTER, modulus=2 ** 32 * UNIT, max_rate=3 * UNIT)
    [row] = counted([4294967000, 704], wrapping).ask(
        '?start=2026-03-01T10:00&end=2026-03-01T10:05')
    assert (row['quantity'], row['lower'], row['upper'], row['flags']) == (
        '704.000000000', '704.000000000', '1604.000000000', ['reset'])


def test_what_a_reset_lost_has_no_bound_without_a_rate() -> None:
    [row] = counted([160, 20]).ask(
        '?start=2026-03-01T10:00&end=2026-03-01T10:05')
    assert (row['upper'], row['status']) == (None, 'complete')


def test_a_declared_restart_counts_from_where_it_says() -> None:
    limited = replace(COUNTER, max_rate=UNIT)
    began = at('2026-03-01 10:02')
    found = cloud('2026-03-01', '2026-03-02', limited, [
        sample('2026-03-01 10:00', 100, limited, counter_start=0),
        sample('2026-03-01 10:05', 180, limited, counter_start=began)])
    [before] = found.ask('?start=2026-03-01T10:00&end=2026-03-01T10:02')
    [after] = found.ask('?start=2026-03-01T10:02&end=2026-03-01T10:05')
    assert (before['quantity'], before['upper'], before['status']) == (
        '0.000000000', '120.000000000', 'missing')
    assert (after['quantity'], after['upper'], after['status']) == (
        '180.000000000', '180.000000000', 'complete')
    assert before['flags'] == ['reset']


def test_a_first_reading_counts_nothing() -> None:
    asked = replace(counted([100]), lived=[life('2026-03-01 09:50')])
    assert asked.quantities() == ['0.000000000']


def test_a_first_reading_counts_if_its_meter_starts_at_zero() -> None:
    asked = replace(counted([100], replace(COUNTER, starts_at_zero=True)),
                    lived=[life('2026-03-01 09:50')])
    assert asked.quantities('?end=2026-03-01T09:55') == ['50.000000000']


def test_a_gap_loses_nothing_of_a_counter_and_says_what_is_doubtful() -> None:
    asked = cloud('2026-03-01', '2026-03-02', COUNTER, [
        sample('2026-03-01 10:00', 0, COUNTER),
        sample('2026-03-01 12:00', 7200, COUNTER)])
    [half] = asked.ask('?start=2026-03-01T10:00&end=2026-03-01T11:00')
    [whole] = asked.ask('?start=2026-03-01T10:00&end=2026-03-01T12:00')
    assert (half['quantity'], half['flags'], half['status']) == (
        '3600.000000000', ['assumed_continuous', 'placement_estimated'],
        'estimated')
    assert (whole['quantity'], whole['flags'], whole['upper']) == (
        '7200.000000000', ['assumed_continuous'], None)


def test_a_gap_is_sure_where_readings_say_when_the_counter_began() -> None:
    [row] = cloud('2026-03-01', '2026-03-02', COUNTER, [
        sample('2026-03-01 10:00', 0, COUNTER, counter_start=0),
        sample('2026-03-01 12:00', 7200, COUNTER, counter_start=0)],
    ).ask('?start=2026-03-01T10:00&end=2026-03-01T12:00')
    assert (row['flags'], row['upper']) == ([], '7200.000000000')


@pytest.mark.parametrize('meter', [EVENT, MAIL])
def test_a_point_at_the_end_belongs_to_what_follows(meter: Meter) -> None:
    asked = cloud('2026-03-01', '2026-03-02', meter,
                  [sample('2026-03-01 10:00', 3, meter)])
    assert asked.quantities(
        '?start=2026-03-01T09:00&end=2026-03-01T10:00') == ['0.000000000']
    assert asked.quantities(
        '?start=2026-03-01T10:00&end=2026-03-01T10:00:00.000001') == [
        '3.000000000']
