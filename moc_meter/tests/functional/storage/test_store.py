# SPDX-License-Identifier: Apache-2.0
"""The store on databases that have limits, and that are not always the same.
"""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from moc_meter.model import query
from moc_meter.model.sample import Refused
from moc_meter.storage import engine as transactions
from moc_meter.storage import numbering, quarantine
from moc_meter.storage.samples import series
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.stores import NOW, migrated, sample


def test_of_what_is_too_long_for_a_database_the_beginning_is_kept(
        engine: sa.Engine) -> None:
    """What cannot be set aside would come again for ever."""
    content = b"'" * (3 * quarantine.MAX_CONTENT)
    SqlSampleStore(engine).quarantine([Refused(
        content=content, code='c', reason='bad', origin='collector')], NOW)
    with transactions.reading(engine) as conn:
        kept = conn.execute(sa.select(tables.quarantine)).one()
    assert kept.content == content[:quarantine.MAX_CONTENT]
    assert kept.reason == ('bad (only the beginning is kept: '
                           f'bytes={len(content)}, limit={len(content) // 3})')


def test_numbers_are_forgotten_with_the_connection(engine: sa.Engine
                                                   ) -> None:
    """Behind the new one there may be a database that was restored.

    The loss is met by a reader, who tries again and says nothing of it.
    """
    store = SqlSampleStore(engine)
    ours = sample(1, resource_id='ours')
    store.write([ours], NOW)
    other = dataclasses.replace(ours, resource_id='other')
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(tables.series).values(
            resource_id='other',
            digest=numbering.digest(series.parts(other))))
    engine.dispose()
    assert [found.sample.resource_id for found in
            store.samples(query.Selection(), 9)] == ['other']
    store.write([dataclasses.replace(ours, message_id='2')], NOW)
    assert {found.sample.message_id: found.sample.resource_id for found in
            store.samples(query.Selection(), 9)} == {
                ours.message_id: 'other', '2': 'ours'}


def test_a_row_of_a_usual_sample_has_nothing_between_its_values(
        postgresql_url: str) -> None:
    """No map of what is null beside the header, and nothing to align."""
    with migrated(postgresql_url) as engine:
        SqlSampleStore(engine).write([sample(1)], NOW)
        with transactions.reading(engine) as conn:
            row, volume = conn.execute(sa.text(
                'SELECT pg_column_size(sample), pg_column_size(volume) '
                'FROM sample')).one()
    header, key, number = 24, 16, 8
    assert row == header + key + 4 * number + volume
