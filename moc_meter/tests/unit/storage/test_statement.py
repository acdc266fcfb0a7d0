# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from moc_meter.model.query import Field
from moc_meter.storage.samples import statement
from moc_meter.storage.samples.plan import Level


def _spelled(has_periods: bool = False) -> bytes:
    text, _ = statement._spelled(statement._Form(
        by_series=True, fields=(), is_scoped=False,
        parts=((Level.DAY, True, True),), has_periods=has_periods, most=7,
        group_by=(Field.PROJECT,), cardinality=(), squares=False))
    return text


def test_postgresql_knows_how_much_is_wanted_at_most_when_it_plans() -> None:
    assert _spelled().splitlines()[-1].strip().endswith(b'LIMIT 8')


def test_postgresql_sorts_a_few_series_rather_than_all_their_cells() -> None:
    assert b'ORDER BY series.unit, series.project_id' in _spelled()
    assert b'ORDER BY' not in _spelled(has_periods=True)
