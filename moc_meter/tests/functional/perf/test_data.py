# SPDX-License-Identifier: Apache-2.0
"""What is measured on is what the service would have stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.storage.samples import cells, partitions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.perf import data
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import migrated

SMALL = data.Shape(projects=2, instances=2, days=2, volumes=2)


@pytest.fixture
def urls(postgresql_server: PostgreSQL) -> tuple[str, str]:
    return (postgresql_server.create_database(),
            postgresql_server.create_database())


def rows(engine: sa.Engine) -> dict[str, list[Any]]:
    """Every row of every table, as the database has it."""
    with engine.connect() as conn:
        return {table.name: sorted(map(repr, conn.exec_driver_sql(
            f'SELECT * FROM {table.name}')))
            for table in tables.metadata.sorted_tables}


def indexes(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Of samples: of what, whose part, valid or not, and of what kind."""
    with engine.connect() as conn:
        return [tuple(row) for row in conn.exec_driver_sql("""
            SELECT pg_get_indexdef(indexrelid), inhparent::regclass::text,
                   indisvalid, contype
            FROM pg_index LEFT JOIN pg_inherits ON inhrelid = indexrelid
            LEFT JOIN pg_constraint ON conindid = indexrelid
            WHERE indrelid::regclass::text LIKE 'sample%%' ORDER BY 1""")]


def test_a_set_loaded_at_once_is_what_writing_its_samples_leaves(
        urls: tuple[str, str]) -> None:
    with migrated(urls[0]) as loaded, migrated(urls[1]) as written:
        data.load(loaded, SMALL)
        store = SqlSampleStore(written)
        stored = sum(store.write(samples, now).stored
                     for now, samples in data.batches(SMALL))
        assert stored == SMALL.samples == len(rows(loaded)['sample'])
        assert rows(loaded) == rows(written)


def test_the_indexes_of_a_set_are_those_of_days_that_are_packed(
        urls: tuple[str, str]) -> None:
    with migrated(urls[0]) as loaded, migrated(urls[1]) as written:
        data.load(loaded, SMALL)
        for now, samples in data.batches(SMALL):
            SqlSampleStore(written).write(samples, now)
        assert len(partitions.pack(written, now)) == SMALL.days
        assert indexes(loaded) == indexes(written)
        assert partitions.pack(loaded, now) == []


def test_the_samples_of_a_set_lie_in_partitions_of_their_days(
        urls: tuple[str, str]) -> None:
    with migrated(urls[0]) as loaded:
        data.load(loaded, SMALL)
        with loaded.connect() as conn:
            days: Sequence[str] = conn.scalars(
                sa.select(sa.literal_column('tableoid::regclass::text'))
                .select_from(cells.sample).distinct()).all()
        assert sorted(days) == ['sample_p20250101', 'sample_p20250102']


def test_sets_are_of_about_as_many_samples_as_they_are_named_by() -> None:
    assert {size: round(shape.samples / 10 ** 6)
            for size, shape in data.SIZES.items()} == {
                '1M': 1, '10M': 10, '43M': 43}
