# SPDX-License-Identifier: Apache-2.0
"""Samples, oldest first, without a look at those that come later."""

from __future__ import annotations

import operator

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter.model import period
from moc_meter.model.expression import Column
from moc_meter.model.query import Selection, StoredSample
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import listing, oldest
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.functional.storage.maker import MARCH, sample

EXAMPLES = {'sqlite': 80, 'postgresql': 20, 'mysql': 20}
OLDEST_FIRST = ((Column.TIMESTAMP, False),)
_instant = operator.attrgetter('sample.timestamp')


def test_pages_from_the_oldest_on_have_each_once(engine: sa.Engine) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name],
              suppress_health_check=[HealthCheck.too_slow])
    @given(maker.batches(40), maker.selections(), st.integers(1, 7))
    def compare(batches: list[list[Sample]], selection: Selection,
                limit: int) -> None:
        found: list[StoredSample] = []
        with maker.holding(engine, batches) as stored:
            meant = maker.selected(selection)
            expected = sorted(maker.newest_first(
                one for one in stored if meant(one.sample)), key=_instant)
            with transactions.reading(engine) as conn:
                while page := listing.samples(
                        conn, selection, limit, sort=OLDEST_FIRST,
                        after=found[-1] if found else None):
                    assert len(page) <= limit
                    found += page
        assert found == expected

    compare()


def test_a_page_reaches_as_far_as_it_must(engine: sa.Engine) -> None:
    start, end = (period.microseconds(MARCH + days * period.DAY)
                  for days in (0, 30))
    batch = [sample(message_id=str(hour),
                    timestamp=MARCH + (30 + hour) * period.HOUR)
             for hour in range(24 * 20)]
    with maker.holding(engine, [batch]), transactions.reading(
            engine) as conn:
        for wanted, hours in ((1, 30), (3, 32), (100, 129)):
            found = oldest.until(conn, None, start, end, wanted)
            assert found == start + hours * 3600 * 10 ** 6 + 1
        assert oldest.until(conn, None, start, end, 1000) == end
