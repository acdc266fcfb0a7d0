# SPDX-License-Identifier: Apache-2.0
"""What samples say, each once: from spans, however many samples there are."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter.model.query import Field, Selection
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import seen
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.functional.storage.maker import sample
from moc_meter.tests.functional.storage.test_listing import reads_samples

EXAMPLES = {'sqlite': 50, 'postgresql': 15, 'mysql': 15}


def test_values_are_those_of_the_selected_samples(engine: sa.Engine) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name],
              suppress_health_check=[HealthCheck.too_slow])
    @given(maker.batches(), maker.selections(ids=False),
           st.sampled_from(Field))
    def compare(batches: list[list[Sample]], selection: Selection,
                field: Field) -> None:
        with maker.holding(engine, batches) as stored:
            meant = maker.selected(selection)
            expected = sorted({getattr(one.sample, field) for one in stored
                               if meant(one.sample)} - {None})
            with transactions.reading(engine) as conn:
                found = seen.values(conn, field, selection, None)
                later = seen.values(conn, field, selection, 2, expected[0]
                                    if expected else None)
        assert found == expected
        assert later == expected[1:3]

    compare()


@pytest.mark.parametrize('selection', [
    Selection(), Selection(projects=frozenset({'p1'})),
    Selection(series=((Field.SOURCE, 's'), (Field.USER, 'u')))])
def test_without_a_time_rule_no_sample_is_read(
        engine: sa.Engine, selection: Selection) -> None:
    with maker.holding(engine, [[sample()]]):
        for field in Field:
            assert not reads_samples(
                engine, lambda conn, field=field: seen.values(  # type: ignore[misc]
                    conn, field, selection, 9))
