# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.cmd.command import Answer, Manage
from moc_meter.tests.stores import NOW, sample

MIDNIGHT = period.floor(NOW, period.DAY)


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
    answer = explain(manage)
    wrong, right, total = answer.objects
    assert (wrong['agrees'], right['agrees'], total['agrees']) == (
        False, True, False)
    assert wrong['count'] == wrong['raw']['count'] + 3
    assert answer.status == 1


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
