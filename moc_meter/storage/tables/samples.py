# SPDX-License-Identifier: Apache-2.0
"""Tables of the samples wing: series, metadata, samples, rollups, marks."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from moc_meter.model.admission import LENGTHS
from moc_meter.model.traits import LONGEST_NAME, LONGEST_TEXT
from moc_meter.storage import dialect
from moc_meter.storage.samples import details

metadata = sa.MetaData(naming_convention={
    'pk': 'pk_%(table_name)s', 'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_N_name)s',
    'ck': 'ck_%(table_name)s_%(constraint_name)s'})

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_MYSQL: dict[str, Any] = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_nopad_bin'}
#: Rows that every batch updates find room for it in their own page, so that
#: PostgreSQL need not touch their indexes.
_UPDATED = _MYSQL | {'postgresql_with': {'fillfactor': 70}}
#: Cells of hours are not updated any more when their hour is over, and most of
#: them are older.
_HOURS = _MYSQL | {'postgresql_with': {'fillfactor': 85}}

#: What a sample itself said, numbered once. The unique key is a digest of
#: the parts: null and empty differ, and a unique key over nullable columns
#: cannot tell.
series = sa.Table(
    'series', metadata,
    sa.Column('id', _ID, primary_key=True),
    sa.Column('digest', dialect.digest(), nullable=False, unique=True),
    sa.Column('source', dialect.text(LENGTHS['source']), nullable=False),
    sa.Column('meter', dialect.text(LENGTHS['meter']), nullable=False),
    sa.Column('kind', dialect.text(16), nullable=False),
    sa.Column('unit', dialect.text(LENGTHS['unit']), nullable=False),
    sa.Column('resource_id', dialect.text(LENGTHS['resource_id']),
              nullable=False),
    sa.Column('project_id', dialect.text(LENGTHS['project_id'])),
    sa.Column('user_id', dialect.text(LENGTHS['user_id'])),
    sa.Index(None, 'meter', 'project_id'),
    sa.Index(None, 'meter', 'resource_id'),
    sa.Index(None, 'resource_id'),
    sa.Index(None, 'project_id'),
    sa.Index(None, 'user_id'),
    **_MYSQL)

#: Metadata once per distinct content, as canonical JSON.
resource_metadata = sa.Table(
    'metadata', metadata,
    sa.Column('id', _ID, primary_key=True),
    sa.Column('digest', dialect.digest(), nullable=False, unique=True),
    sa.Column('content', dialect.long_text(), nullable=False),
    **_MYSQL)

#: One row a scalar of a metadata's content, for questions. ``digest`` is of
#: (path, kind, value), so a rule is a look-up whatever its length.
metadata_path = sa.Table(
    'metadata_path', metadata,
    sa.Column('metadata_id', _ID,
              sa.ForeignKey(resource_metadata.c.id), primary_key=True,
              autoincrement=False),
    sa.Column('position', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('path', dialect.long_text(), nullable=False),
    sa.Column('kind', dialect.text(8), nullable=False),
    sa.Column('value', dialect.long_text(), nullable=False),
    sa.Column('digest', dialect.digest(), nullable=False),
    sa.Index(None, 'digest', 'metadata_id'),
    **_MYSQL)

#: First and last instant at which a series came with a metadata.
span = sa.Table(
    'span', metadata,
    sa.Column('series_id', _ID, sa.ForeignKey(series.c.id),
              primary_key=True, autoincrement=False),
    sa.Column('metadata_id', _ID, sa.ForeignKey(resource_metadata.c.id),
              primary_key=True, autoincrement=False),
    sa.Column('first', dialect.Instant, nullable=False),
    sa.Column('last', dialect.Instant, nullable=False),
    sa.Index(None, 'metadata_id'),
    **_UPDATED)

#: The raw samples, narrow: with a ninth column PostgreSQL would take eight
#: bytes more for each row in which one is null, and some more if what is of
#: any length were before what has to be aligned. No foreign keys: MariaDB
#: knows none on a partitioned table, and a distributed store none across its
#: nodes.
sample = sa.Table(
    'sample', metadata,
    sa.Column('series_id', _ID, nullable=False, autoincrement=False),
    sa.Column('timestamp', dialect.Instant, nullable=False),
    sa.Column('key', dialect.Key, nullable=False),
    sa.Column('metadata_id', _ID, nullable=False),
    sa.Column('recorded_at', dialect.Instant, nullable=False),
    sa.Column('volume', dialect.Quantity, nullable=False),
    #: only where ``key`` does not spell it
    sa.Column('message_id', dialect.text(LENGTHS['message_id'])),
    #: what few say; see storage/samples/details.py
    sa.Column('details', dialect.text(details.LENGTH)),
    sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key',
                            postgresql_include=['volume']),
    sa.Index(None, 'key'),
    postgresql_partition_by='RANGE (timestamp)',
    **_MYSQL)


#: Events: what a sample says that has traits instead of a volume.
#: ``digest`` is of them all, so that a second delivery that differs is seen;
#: ``project_id`` is the trait, ``event_type`` the meter of the series.
event = sa.Table(
    'event', metadata,
    sa.Column('series_id', _ID, sa.ForeignKey(series.c.id), nullable=False,
              autoincrement=False),
    sa.Column('timestamp', dialect.Instant, nullable=False),
    sa.Column('key', dialect.Key, nullable=False),
    sa.Column('recorded_at', dialect.Instant, nullable=False),
    sa.Column('message_id', dialect.text(LENGTHS['message_id'])),
    sa.Column('digest', dialect.digest(), nullable=False),
    sa.Column('project_id', dialect.text(LENGTHS['project_id'])),
    sa.Column('event_type', dialect.text(LENGTHS['meter']), nullable=False),
    sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key'),
    sa.Index(None, 'timestamp'),
    sa.Index(None, 'key'),
    sa.Index(None, 'project_id', 'timestamp'),
    sa.Index(None, 'project_id', 'event_type', 'timestamp'),
    sa.Index(None, 'event_type', 'timestamp'),
    **_MYSQL)

#: Traits of events; ``value`` is in the order of its type, see traits.py, and
#: ``project_id`` that of the event: so what a caller may see of a value is
#: one stretch of an index, in the order of time.
event_trait = sa.Table(
    'event_trait', metadata,
    sa.Column('series_id', _ID, nullable=False, autoincrement=False),
    sa.Column('timestamp', dialect.Instant, nullable=False),
    sa.Column('key', dialect.Key, nullable=False),
    sa.Column('name', dialect.text(LONGEST_NAME), nullable=False),
    sa.Column('type', dialect.text(8), nullable=False),
    sa.Column('value', dialect.text(LONGEST_TEXT), nullable=False),
    sa.Column('project_id', dialect.text(LENGTHS['project_id'])),
    sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key', 'name'),
    sa.ForeignKeyConstraint(
        ['series_id', 'timestamp', 'key'],
        ['event.series_id', 'event.timestamp', 'event.key']),
    sa.Index(None, 'project_id', 'name', 'type', 'value', 'timestamp'),
    **_MYSQL)

#: Which traits events of a type have, and the last UTC day with such an
#: event; an empty name stands for the events themselves.
event_form = sa.Table(
    'event_form', metadata,
    sa.Column('event_type', dialect.text(LENGTHS['meter']), nullable=False),
    sa.Column('name', dialect.text(LONGEST_NAME), nullable=False),
    sa.Column('type', dialect.text(8), nullable=False),
    sa.Column('day', dialect.Instant, nullable=False),
    sa.PrimaryKeyConstraint('event_type', 'name', 'type'),
    **_MYSQL)


def _rollup(name: str, options: dict[str, Any],
            count: sa.types.TypeEngine[int]) -> sa.Table:
    return sa.Table(
        name, metadata,
        sa.Column('series_id', _ID, primary_key=True, autoincrement=False),
        sa.Column('start', dialect.Instant, primary_key=True,
                  autoincrement=False),
        sa.Column('first', dialect.Instant),
        sa.Column('last', dialect.Instant),
        sa.Column('count', count, nullable=False),
        sa.Column('sum', dialect.Quantity, nullable=False),
        sa.Column('min', dialect.Quantity),
        sa.Column('max', dialect.Quantity),
        **options)


#: Buckets of a series by hour, day and month; a cell is inserted empty (count
#: 0, no extremes) and then filled in the same transaction. Four bytes are
#: enough for a day of 24,855 samples a second of one series; the database
#: refuses more.
rollup_hour = _rollup('rollup_hour', _HOURS, sa.Integer())
rollup_day = _rollup('rollup_day', _UPDATED, sa.Integer())
rollup_month = _rollup('rollup_month', _UPDATED, sa.BigInteger())
#: So that the newest samples of all are found without a look at the rest.
sa.Index(None, rollup_day.c.start)

#: "Something was said of this resource on this UTC day": appended with every
#: batch, taken by the records job.
mark = sa.Table(
    'mark', metadata,
    sa.Column('id', _ID, primary_key=True),
    sa.Column('source', dialect.text(LENGTHS['source']), nullable=False),
    sa.Column('resource_id', dialect.text(LENGTHS['resource_id']),
              nullable=False),
    sa.Column('day', dialect.Instant, nullable=False),
    **_MYSQL)

#: The journal of retention. What of a level is before the level's greatest
#: ``until`` is dropped; ``finished_at`` is null as long as some may be there
#: still, and ``dropped`` says by then how many they were.
retention = sa.Table(
    'retention', metadata,
    sa.Column('id', _ID, primary_key=True),
    sa.Column('level', dialect.text(16), nullable=False),
    sa.Column('until', dialect.Instant, nullable=False),
    sa.Column('by', dialect.text(255), nullable=False),
    sa.Column('decided_at', dialect.Instant, nullable=False),
    sa.Column('finished_at', dialect.Instant),
    sa.Column('dropped', sa.BigInteger, nullable=False),
    sa.UniqueConstraint('level', 'until'),
    **_MYSQL)

#: What was refused, with its bytes and reason; ``digest`` is of source and
#: content, all of it, so a redelivery is not kept twice.
quarantine = sa.Table(
    'quarantine', metadata,
    sa.Column('id', _ID, primary_key=True),
    sa.Column('digest', dialect.digest(), nullable=False),
    sa.Column('received_at', dialect.Instant, nullable=False),
    sa.Column('origin', dialect.text(255), nullable=False),
    sa.Column('source', dialect.text(LENGTHS['source'])),
    sa.Column('code', dialect.text(64), nullable=False),
    sa.Column('reason', dialect.long_text(), nullable=False),
    sa.Column('content', dialect.content(), nullable=False),
    sa.UniqueConstraint('digest', 'code'),
    **_MYSQL)

#: One row: how often the database was emptied, see storage/generation.py.
generation = sa.Table(
    'generation', metadata,
    sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
    sa.Column('number', sa.BigInteger, nullable=False),
    **_MYSQL)
