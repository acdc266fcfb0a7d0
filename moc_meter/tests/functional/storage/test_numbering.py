# SPDX-License-Identifier: Apache-2.0
"""Numbers of what is kept once, and staging, on each database."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.storage import engine as transactions
from moc_meter.storage import numbering, staging
from moc_meter.storage.faults import DATABASE_ERRORS
from moc_meter.storage.numbering import Numbered
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.servers.base import until
from moc_meter.tests.stores import NOW, count, migrated, sample


def series(name: str, project: str | None = None, **changes: str
           ) -> Mapping[str, Any]:
    return {'source': 's', 'meter': 'm', 'kind': 'gauge', 'unit': 'u',
            'resource_id': name, 'project_id': project, 'user_id': None,
            **changes}


def number(engine: sa.Engine, *wanted: Mapping[str, Any]) -> Numbered:
    return transactions.transact(engine, lambda conn: numbering.number(
        conn, tables.series, {numbering.digest(said): said
                              for said in wanted}))


def test_what_has_a_number_keeps_it_and_uses_up_no_other(
        engine: sa.Engine) -> None:
    a, b, c = (numbering.digest(series(name)) for name in 'abc')
    first, new = number(engine, series('a'), series('b'))
    assert (new, set(first)) == ({a, b}, {a, b})
    second, new = number(engine, series('c'), series('b'))
    assert (new, set(second), second[b]) == ({c}, {b, c}, first[b])
    assert number(engine, series('c'), series('b')) == (second, set())
    assert {*first.values(), *second.values()} == {1, 2, 3}


def test_texts_are_numbered_as_they_are(engine: sa.Engine) -> None:
    """Whatever they would mean in the text of an array."""
    texts = ['NULL', 'null', '{', '{}', '}', ',', '"', '\\', "'", ' ', '\n',
             '%', '%%', '%(digest)s', 'ä😀']
    wanted = [series(text, project) for text in texts
              for project in (text, '', None)]
    given, _ = number(engine, *wanted)
    with transactions.reading(engine) as conn:
        kept = {row.id: row for row in conn.execute(sa.select(tables.series))}
    for said in wanted:
        row = kept.pop(given[numbering.digest(said)])
        assert {name: row._mapping[name] for name in said} == said
    assert not kept


@pytest.mark.parametrize('server', ['postgresql_url', 'mariadb_url'])
def test_a_text_that_is_too_long_is_not_cut(
        server: str, request: pytest.FixtureRequest) -> None:
    """SQLite knows no lengths."""
    with migrated(request.getfixturevalue(server)) as engine:
        with pytest.raises(DATABASE_ERRORS):
            number(engine, series('a', unit='u' * 10_000))
        assert count(engine, tables.series) == 0


def test_of_two_who_number_a_content_one_writes_its_paths(
        postgresql_url: str) -> None:
    """Both wait for a third one, who gives up."""
    with migrated(postgresql_url) as engine:
        store = SqlSampleStore(engine)
        batches = [[sample(number, metadata={'a': 1, 'b': [2, 3]})]
                   for number in range(2)]
        store.write([sample(2)], NOW)      # what can be known is known
        writers = [threading.Thread(target=store.write, args=(batch, NOW))
                   for batch in batches]
        with engine.connect() as third, engine.connect() as watch:
            third.execute(sa.insert(tables.resource_metadata).values(
                content='{}', digest=hashlib.sha256(
                    b'{"a":1,"b":[2,3]}').digest()))
            for writer in writers:
                writer.start()
            until(lambda: watch.scalar(sa.text(
                'SELECT count(*) = 2 FROM pg_locks WHERE NOT granted')), 60,
                'both to wait')
            third.rollback()
            for writer in writers:
                writer.join(60)
        assert count(engine, tables.sample) == 3
        assert count(engine, tables.metadata_path) == 3 + 1
        assert not list(rollups.verify(engine))


def test_a_staging_table_holds_what_it_was_filled_with_last(
        engine: sa.Engine) -> None:
    """In a transaction, after one, and after one that was taken back."""
    staged = staging.plain(tables.event_form, 'form_staging')

    def fill(conn: sa.Connection, *names: str) -> None:
        staging.fill(conn, staged, [(name, '', '', 0) for name in names])
        found = conn.scalars(sa.select(staged.c.event_type))
        assert sorted(found) == sorted(names)

    for _ in range(2):
        with transactions.writing(engine) as conn:
            fill(conn, 'a', 'b')
            fill(conn, 'b')
            with conn.begin_nested():
                fill(conn, 'c')
            fill(conn, 'd', 'e')
        with engine.connect() as conn:
            fill(conn, 'f')
            conn.rollback()
            fill(conn, 'g', 'h')
            fill(conn, 'i')
