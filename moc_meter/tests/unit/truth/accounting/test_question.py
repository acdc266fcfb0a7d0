# SPDX-License-Identifier: Apache-2.0
"""Which questions there are, and what is said to others."""

from __future__ import annotations

import pytest

from moc_meter.tests.unit.truth.accounting.clouds import at, cloud, sample
from moc_meter.truth import usage
from moc_meter.truth.accounting.question import parse

CLOUD = cloud('2026-03-01', '2026-03-02', made=[sample('2026-03-01')])


@pytest.mark.parametrize(('question', 'complaint'), [
    ('/v2/usage/vcpus', "no such path: path='/v2/usage/vcpus', allowed="),
    ('/truth/usage', "path='/truth/usage'"),
    ('/truth/existence/vcpus', "path='/truth/existence/vcpus'"),
    ('/truth/usage/cores', "no such meter: meter='cores', allowed=vcpus"),
    ('/truth/usage/vcpus?begin=1', "parameter='begin', allowed=start, end"),
    ('/truth/usage/vcpus?meter=vcpus', "parameter='meter'"),
    ('/truth/missing?basis=funding', "parameter='basis'"),
    ('/truth/missing?meter=cores', "meter='cores', allowed=vcpus"),
    ('/truth/missing?by=user_id', "by='user_id', allowed=meter, resource_id"),
    ('/truth/active?by=flavor', "by='flavor', allowed=project_id, user_id"),
    ('/truth/active?by=metadata.', "by='metadata.', allowed="),
    ('/truth/active?by=type&by=type', "by='type' and by='type'"),
    ('/truth/active?start=2026-03-01&start=2026-03-02', 'allowed=once'),
    ('/truth/active?period=year', "period='year', allowed=hour, day, week,"),
    ('/truth/active?period=', "period='', allowed="),
    ('/truth/active?zone=Mars', "zone='Mars', allowed=names such as UTC"),
    ('/truth/active?zone=../etc', r"zone='\.\./etc'"),
    ('/truth/active?start=yesterday', "start='yesterday', allowed=2026-03"),
    ('/truth/active?end=', "end='', allowed="),
    ('/truth/active?basis=owner', "basis='owner', allowed=funding, affil"),
    ('/truth/active?start=2026-03-01T12&end=2026-03-01T12',
     "before end: start='2026-03-01T12:00:00', end='2026-03-01T12:00:00'"),
])
def test_a_refusal_names_what_was_given_and_what_is_allowed(
        question: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        usage.answer(CLOUD, question)


def test_a_window_left_out_is_the_clouds_own() -> None:
    asked = parse(CLOUD, '/truth/active')
    assert (asked.start, asked.end, asked.zone) == (
        at('2026-03-01'), at('2026-03-02'), 'UTC')


def test_an_offset_is_converted() -> None:
    asked = parse(CLOUD, '/truth/active?start=2026-03-01T01:00%2B01:00')
    assert asked.start == at('2026-03-01')


def test_rows_are_clipped_to_the_window() -> None:
    found = usage.answer(
        CLOUD, '/truth/usage/vcpus?period=hour&zone=Asia/Kolkata'
               '&start=2026-03-01T10:15&end=2026-03-01T11:00')
    assert [(row['start'], row['end'], row['quantity']) for row in found] == [
        ('2026-03-01T10:15:00.000000Z', '2026-03-01T10:30:00.000000Z',
         '900.000000000'),
        ('2026-03-01T10:30:00.000000Z', '2026-03-01T11:00:00.000000Z',
         '1800.000000000')]


@pytest.mark.parametrize(('zone', 'starts'), [
    ('UTC', ['2026-03-01T00', '2026-03-02T00', '2026-03-09T00']),
    ('America/New_York', ['2026-03-01T00', '2026-03-02T05',
                          '2026-03-09T04'])])
def test_weeks_begin_on_the_mondays_of_the_zone(
        zone: str, starts: list[str]) -> None:
    found = usage.answer(CLOUD, f'/truth/active?period=week&zone={zone}'
                                f'&end=2026-03-10')
    assert [str(row['start'])[:13] for row in found] == starts


def test_a_date_that_a_zone_left_out_is_no_day() -> None:
    """Samoa had no 30 December 2011."""
    found = usage.answer(
        CLOUD, '/truth/active?period=day&zone=Pacific/Apia'
               '&start=2011-12-29T10:00&end=2012-01-01T10:00')
    assert [str(row['start'])[:13] for row in found] == [
        '2011-12-29T10', '2011-12-30T10', '2011-12-31T10']
