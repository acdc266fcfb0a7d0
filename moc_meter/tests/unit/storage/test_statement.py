# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from moc_meter.model.query import Field
from moc_meter.storage.samples import statement
from moc_meter.storage.samples.plan import Level


def test_postgresql_knows_how_much_is_wanted_at_most_when_it_plans() -> None:
    text, _ = statement._spelled(statement._Form(
        by_series=True, fields=(), is_scoped=False,
        parts=((Level.DAY, True, True),), has_periods=False, most=7,
        group_by=(Field.PROJECT,), cardinality=(), squares=False))
    assert text.splitlines()[-1].strip().endswith(b'LIMIT 8')
