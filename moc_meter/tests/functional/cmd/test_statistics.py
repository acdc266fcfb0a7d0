# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import RetentionLevel
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.cmd.command import Answer, Manage
from moc_meter.tests.stores import NOW, sample

MIDNIGHT = period.floor(NOW, period.DAY)
#: Within a month, so that its days are asked.
SINCE = ('--start', f'{MIDNIGHT:%Y-%m-%d}')


@pytest.fixture(autouse=True)
def samples(engine: sa.Engine) -> None:
    """One at every half hour of two days: 0, 1, …; a fraction each."""
    SqlSampleStore(engine).write([
        sample(number, volume=number + Decimal('0.1'),
               timestamp=MIDNIGHT + number * period.HOUR / 2)
        for number in range(96)], NOW)


def explain(manage: Manage, *asked: str) -> Answer:
    return manage('statistics', 'explain', 'vcpus', *asked)


def test_it_says_what_each_cell_gave(manage: Manage) -> None:
    answer = explain(manage, '--start', '2026-03-03T23:15',
                     '--end', '2026-03-05T01:10')
    *cells, total = answer.objects
    assert [(cell['read'], cell['start'], cell['end'], cell['count'],
             cell['agrees']) for cell in cells] == [
        ('day', '2026-03-04T00:00:00', '2026-03-05T00:00:00', 48, True),
        ('hour', '2026-03-05T00:00:00', '2026-03-05T01:00:00', 2, True),
        ('raw', '2026-03-05T01:00:00', '2026-03-05T01:10:00', 1, True)]
    figures = {'count': 51, 'sum': sum(range(51)) + 5.1, 'min': 0.1,
               'max': 50.1}
    assert total == {'unit': 'vcpu', 'answer': figures, 'raw': figures,
                     'agrees': True}
    assert answer.status == 0


def test_a_cell_that_is_wrong_is_named(manage: Manage, engine: sa.Engine
                                       ) -> None:
    day = tables.rollup_day
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(day).where(day.c.start == MIDNIGHT).values(
            count=day.c.count + 1))
    answer = explain(manage, *SINCE)
    wrong, right, total = answer.objects
    assert (wrong['agrees'], right['agrees'], total['agrees']) == (
        False, True, False)
    assert wrong['count'] == wrong['raw']['count'] + 3
    assert answer.status == 1


def test_each_month_is_a_cell_of_its_own(manage: Manage, engine: sa.Engine
                                         ) -> None:
    later = MIDNIGHT + 60 * period.DAY
    SqlSampleStore(engine).write([sample(
        900, volume=Decimal(7), timestamp=later)], NOW)
    month = tables.rollup_month
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(month).where(month.c.start > MIDNIGHT).values(
            count=month.c.count + 1))
    answer = explain(manage)
    march, may, _ = answer.objects
    assert [(cell['read'], cell['start'], cell['end'], cell['count'],
             cell['agrees']) for cell in (march, may)] == [
        ('month', '2026-03-01T00:00:00', '2026-04-01T00:00:00', 96, True),
        ('month', '2026-05-01T00:00:00', '2026-06-01T00:00:00', 2, False)]
    assert answer.status == 1


def test_a_month_that_has_no_samples_is_named(manage: Manage,
                                              engine: sa.Engine) -> None:
    month = tables.rollup_month
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(month).values(
            start=MIDNIGHT.replace(month=7, day=1)))
    march, july, _ = explain(manage).objects
    assert (march['count'], march['agrees'], march['raw']['count']) == (
        0, False, 96)
    assert (july['start'], july['count'], july['agrees']) == (
        '2026-07-01T00:00:00', 96, False)


@pytest.mark.usefixtures('border')
def test_of_a_month_whose_days_were_dropped_in_part_nothing_is_known(
        manage: Manage) -> None:
    month, total = explain(manage).objects
    assert (month['read'], month['count'], month['agrees']) == (
        'month', 96, None)
    assert (total['agrees'], total['dropped_cells']) == (None, 1)


@pytest.fixture
def border(engine: sa.Engine) -> str:
    """Up to which samples were dropped: the first of both days."""
    border = MIDNIGHT + period.DAY
    SqlSampleStore(engine).expire(RetentionLevel.SAMPLES, border, NOW, 'test',
                                  threading.Event())
    return f'{border:%Y-%m-%dT%H:%M:%S}'


def test_what_was_dropped_neither_agrees_nor_disagrees(
        manage: Manage, border: str, engine: sa.Engine) -> None:
    answer = explain(manage, *SINCE)
    dropped, kept, total = answer.objects
    assert (dropped['agrees'], kept['agrees']) == (None, True)
    assert 'raw' not in dropped
    assert (dropped['count'], kept['count']) == (48, 48)
    assert (total['answer']['count'], total['raw']['count']) == (96, 48)
    assert (total['agrees'], total['dropped_cells'], total['kept_from']) == (
        None, 1, border)
    assert answer.status == 0
    day = tables.rollup_day
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(day).values(count=day.c.count + 1))
    answer = explain(manage, *SINCE)
    assert [one['agrees'] for one in answer.objects] == [None, False, False]
    assert answer.status == 1


@pytest.mark.usefixtures('border')
@pytest.mark.parametrize('asked', [
    ('--start', f'{MIDNIGHT + period.HOUR / 4:%Y-%m-%dT%H:%M}'),
    ('-q', 'metadata.flavor.name=string::small')])
def test_what_the_api_would_refuse_is_refused(
        manage: Manage, asked: tuple[str, str]) -> None:
    answer = explain(manage, *asked)
    assert (answer.status, answer.out) == (2, b'')
    assert 'dropped' in answer.err


@pytest.mark.usefixtures('border')
def test_an_edge_of_what_is_kept_is_answered(manage: Manage) -> None:
    start = MIDNIGHT + period.DAY + period.HOUR / 4
    answer = explain(manage, '--start', f'{start:%Y-%m-%dT%H:%M}')
    assert [one['agrees'] for one in answer.objects] == [True] * (
        len(answer.objects))
    assert answer.status == 0


def test_rules_narrow_it_as_in_the_api(manage: Manage) -> None:
    total = explain(manage, '-q', 'resource_id=i-1;project=p-1').objects[-1]
    assert total['answer']['count'] == 32
    cells = explain(manage, '-q', 'metadata.flavor.name=string::small'
                    ).objects
    assert [cell.get('read') for cell in cells] == ['raw', None]


def test_a_rule_that_is_none_is_refused(manage: Manage) -> None:
    for rule in ('nonsense', 'colour=red'):
        answer = explain(manage, '-q', rule)
        assert (answer.status, answer.out) == (2, b'')
        assert rule.partition('=')[0] in answer.err


def test_where_there_is_nothing_it_says_so(manage: Manage) -> None:
    for asked in (('nometer',), ('vcpus', '--start', '2030-01-01')):
        answer = manage('statistics', 'explain', *asked)
        [said] = answer.objects
        assert said['meter'] == asked[0]
        assert 'no sample of this meter' in said['reason']
        assert answer.status == 0
