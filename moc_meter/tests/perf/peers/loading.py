# SPDX-License-Identifier: Apache-2.0
"""The samples of a store of ours into tables of Ceilometer's.

Meters, resources and their metadata are written by Ceilometer's own driver.
The samples, which are many, are copied from database to database; check() is
the proof that no more than a signature and the time of storing differ from
what the driver would have written.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.perf import data
from moc_meter.tests.perf.peers.ceilometer import Ceilometer
from moc_meter.tests.servers.base import ServerFailed
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import migrated

_SMALL = data.Shape(projects=2, instances=2, days=1, volumes=3)


def load(ours: str, theirs: Ceilometer) -> None:
    """Copy everything; Ceilometer's tables are empty.

    ours: the URL of the database, which is not changed.
    """
    with (psycopg.connect(_plain(ours)) as source,
          psycopg.connect(_plain(theirs.database), autocommit=True
                          ) as target):
        _number(source, theirs)
        with _bare(target), source.cursor() as reader, \
                target.cursor() as writer, reader.copy(_OUT) as out, \
                writer.copy(_IN) as into:
            for block in out:
                into.write(block)
        target.execute('VACUUM ANALYZE')
        source.rollback()


def check(server: PostgreSQL) -> None:
    """Raises ServerFailed where a small set says that load() is wrong."""
    ours = server.create_database()
    copied, written = (Ceilometer(server.create_database())
                       for _ in range(2))
    with contextlib.closing(copied), contextlib.closing(written):
        with migrated(ours) as engine:
            for now, samples in data.batches(_SMALL):
                SqlSampleStore(engine).write(samples, now)
                written.take(samples, len(samples))
                written.do('parse')
                written.do('store')
        load(ours, copied)
        if _said(copied) != _said(written):
            raise ServerFailed('what was copied is not what is written')


def _number(source: psycopg.Connection, theirs: Ceilometer) -> None:
    """What numbers Ceilometer has for each series with a metadata."""
    rows = source.execute(_SERIES).fetchall()
    numbers = theirs.numbers(Sample(
        source=said, message_id='', timestamp=data.START, meter=meter,
        kind=MeterKind(kind), unit=unit, volume=Decimal(0),
        resource_id=resource_id, project_id=project_id, user_id=user_id,
        metadata=json.loads(content)) for (
            _, _, said, meter, kind, unit, resource_id, project_id, user_id,
            content) in rows)
    source.execute('SET max_parallel_workers_per_gather = 0')
    source.execute("""CREATE TEMPORARY TABLE numbered (
        series_id bigint, metadata_id bigint, meter bigint, resource bigint)
        """)
    with source.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO numbered VALUES (%s, %s, %s, %s)',
            [(*row[:2], *pair) for row, pair
             in zip(rows, numbers, strict=True)])
    source.execute('ANALYZE numbered')


@contextlib.contextmanager
def _bare(target: psycopg.Connection) -> Iterator[None]:
    """Without indexes and constraints, which are made again at the end."""
    constraints = target.execute(_CONSTRAINTS).fetchall()
    indexes = target.execute(_INDEXES).fetchall()
    # Foreign keys come first, by their kind.
    for name, _ in constraints:
        target.execute(_of('ALTER TABLE sample DROP CONSTRAINT {}', name))
    for name, _ in indexes:
        target.execute(_of('DROP INDEX {}', name))
    yield
    for name, definition in reversed(constraints):
        target.execute(_of(f'ALTER TABLE sample ADD CONSTRAINT {{}} '
                           f'{definition}', name))
    for _, definition in indexes:
        target.execute(definition)


def _of(statement: str, name: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(name))


def _said(theirs: Ceilometer) -> list[tuple[Any, ...]]:
    with psycopg.connect(_plain(theirs.database)) as conn:
        return conn.execute(_SAID).fetchall()


def _plain(url: str) -> str:
    return url.replace('+psycopg2', '').replace('+psycopg', '')


_SERIES = """
SELECT series_id, metadata_id, source, meter, kind, unit, resource_id,
       project_id, user_id, content
FROM span JOIN series ON series.id = series_id
JOIN metadata ON metadata.id = metadata_id ORDER BY series_id, metadata_id"""
# The order is that of the table, in which it came.
_OUT = """
COPY (SELECT meter, resource, volume,
             timestamp 'epoch' + timestamp * interval '1 microsecond',
             timestamp 'epoch' + recorded_at * interval '1 microsecond',
             encode(sha256(key::text::bytea), 'hex'),
             coalesce(message_id, replace(key::text, '-', ''))
      FROM sample JOIN numbered USING (series_id, metadata_id)) TO STDOUT"""
_IN = """
COPY sample (meter_id, resource_id, volume, timestamp, recorded_at,
             message_signature, message_id) FROM STDIN"""
_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'sample'::regclass ORDER BY contype, conname"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'sample'::regclass AND NOT EXISTS (
    SELECT FROM pg_constraint WHERE conindid = indexrelid)"""
_SAID = """
SELECT message_id, length(message_signature), volume, timestamp, name, type,
       unit, source_id, r.resource_id, user_id, project_id, metadata_hash,
       resource_metadata::jsonb
FROM sample JOIN meter m ON m.id = meter_id
JOIN resource r ON r.internal_id = sample.resource_id ORDER BY message_id"""
