# SPDX-License-Identifier: Apache-2.0
"""The schema as the migrations make it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from moc_meter import errors
from moc_meter.storage import engine as transactions
from moc_meter.storage import migrations
from moc_meter.storage.tables.samples import metadata
from moc_meter.tests.stores import migrated


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    made = transactions.make_engine(database_url)
    yield made
    made.dispose()


def ours(_thing: object, name: str | None, kind: str, reflected: bool,
         _other: object) -> bool:
    """PostgreSQL shows its partitions as tables of their own."""
    return not (kind == 'table' and reflected
                and (name or '').startswith('sample_'))


def differences(engine: sa.Engine) -> list[Any]:
    with transactions.reading(engine) as conn:
        found: list[Any] = compare_metadata(MigrationContext.configure(
            conn, opts={'compare_type': True, 'include_object': ours}),
            metadata)
    return found


def test_the_migrated_schema_is_that_of_the_tables(engine: sa.Engine
                                                   ) -> None:
    transactions.migrate(engine)
    assert differences(engine) == []


def test_columns_have_the_order_of_the_tables(engine: sa.Engine) -> None:
    """Which decides how long a row is."""
    transactions.migrate(engine)
    inspector = sa.inspect(engine)
    for table in metadata.sorted_tables:
        found = [column['name'] for column in inspector.get_columns(
            table.name)]
        assert found == table.columns.keys()


def test_pages_are_filled_as_the_tables_say(postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine, engine.connect() as conn:
        found = conn.execute(sa.text(
            'SELECT relname, reloptions FROM pg_class '
            "WHERE relkind = 'r' AND reloptions IS NOT NULL")).all()
    assert {name: options for name, options in found
            if name in metadata.tables} == {
        table.name: [f'{name}={value}' for name, value in said.items()]
        for table in metadata.sorted_tables
        if (said := table.dialect_options['postgresql']['with'])}


def test_an_index_too_many_is_seen(engine: sa.Engine) -> None:
    transactions.migrate(engine)
    with transactions.writing(engine) as conn:
        conn.exec_driver_sql('CREATE INDEX ix_other ON mark (day)')
    assert [odd[0] for odd in differences(engine)] == ['remove_index']


def test_down_and_up_again_is_the_same(engine: sa.Engine) -> None:
    transactions.migrate(engine)
    with transactions.writing(engine) as conn:
        command.downgrade(migrations.config(conn), 'base')
    with transactions.reading(engine) as conn:
        assert sa.inspect(conn).get_table_names() == ['alembic_version']
    with pytest.raises(errors.StoreMismatch):
        transactions.check_schema(engine)
    transactions.migrate(engine)
    transactions.check_schema(engine)
    assert differences(engine) == []


def test_migrating_twice_does_nothing(engine: sa.Engine) -> None:
    transactions.migrate(engine)
    transactions.migrate(engine)
    transactions.check_schema(engine)


@pytest.mark.parametrize(('database', 'schema', 'collation'), [
    ('postgresql', 'current_schema()', 'C'),
    ('mariadb', 'database()', 'utf8mb4_nopad_bin')])
def test_texts_are_compared_by_code_point(
        request: pytest.FixtureRequest, database: str, schema: str,
        collation: str) -> None:
    """SQLite compares the bytes of UTF-8, which is the same order."""
    with migrated(request.getfixturevalue(
            f'{database}_url')) as engine, transactions.reading(
                engine) as conn:
        found = conn.execute(sa.text(
            'SELECT table_name, column_name, collation_name '
            f'FROM information_schema.columns WHERE table_schema = {schema} '
            "AND table_name <> 'alembic_version' AND data_type IN "
            "('text', 'longtext', 'varchar', 'character varying')")).all()
    assert {row[0] for row in found} >= {'series', 'metadata', 'mark',
                                         'metadata_path', 'quarantine'}
    assert [row for row in found if row[2] != collation] == []
