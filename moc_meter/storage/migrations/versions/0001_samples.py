# SPDX-License-Identifier: Apache-2.0
"""The samples wing: series, metadata, samples, rollups, marks, quarantine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from moc_meter.storage import dialect
from moc_meter.storage.samples import partitions

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_OPTIONS: dict[str, Any] = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4',
    'mysql_collate': 'utf8mb4_nopad_bin'}
_UPDATED = _OPTIONS | {'postgresql_with': {'fillfactor': 70}}
_HOURS = _OPTIONS | {'postgresql_with': {'fillfactor': 85}}


def upgrade() -> None:
    _series()
    _metadata()
    _samples()
    _rollups()
    _marks()
    _quarantine()
    _generation()
    _retention()
    _events()


def downgrade() -> None:
    for table in ('event_form', 'event_trait', 'event', 'retention', 'generation', 'quarantine', 'mark',
                  'rollup_month', 'rollup_day', 'rollup_hour', 'span', 'sample', 'metadata_path', 'metadata',
                  'series'):
        op.drop_table(table)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _ID, nullable=False, autoincrement=False)


def _series() -> None:
    op.create_table(
        'series',
        sa.Column('id', _ID, primary_key=True),
        sa.Column('digest', dialect.digest(), nullable=False),
        sa.Column('source', dialect.text(255), nullable=False),
        sa.Column('meter', dialect.text(255), nullable=False),
        sa.Column('kind', dialect.text(16), nullable=False),
        sa.Column('unit', dialect.text(64), nullable=False),
        sa.Column('resource_id', dialect.text(512), nullable=False),
        sa.Column('project_id', dialect.text(255)),
        sa.Column('user_id', dialect.text(255)),
        sa.UniqueConstraint('digest'),
        **_OPTIONS)
    op.create_index('ix_series_meter_project_id', 'series',
                    ['meter', 'project_id'])
    op.create_index('ix_series_meter_resource_id', 'series',
                    ['meter', 'resource_id'])
    for column in ('resource_id', 'project_id', 'user_id'):
        op.create_index(f'ix_series_{column}', 'series', [column])


def _metadata() -> None:
    op.create_table(
        'metadata',
        sa.Column('id', _ID, primary_key=True),
        sa.Column('digest', dialect.digest(), nullable=False),
        sa.Column('content', dialect.long_text(), nullable=False),
        sa.UniqueConstraint('digest'),
        **_OPTIONS)
    op.create_table(
        'metadata_path',
        _number('metadata_id'),
        sa.Column('position', sa.Integer, nullable=False,
                  autoincrement=False),
        sa.Column('path', dialect.long_text(), nullable=False),
        sa.Column('kind', dialect.text(8), nullable=False),
        sa.Column('value', dialect.long_text(), nullable=False),
        sa.Column('digest', dialect.digest(), nullable=False),
        sa.PrimaryKeyConstraint('metadata_id', 'position'),
        sa.ForeignKeyConstraint(['metadata_id'], ['metadata.id']),
        **_OPTIONS)
    op.create_index('ix_metadata_path_digest_metadata_id', 'metadata_path',
                    ['digest', 'metadata_id'])


def _samples() -> None:
    op.create_table(
        'sample',
        _number('series_id'),
        sa.Column('timestamp', sa.BigInteger, nullable=False),
        sa.Column('key', dialect.Key, nullable=False),
        _number('metadata_id'),
        sa.Column('recorded_at', sa.BigInteger, nullable=False),
        sa.Column('volume', dialect.Quantity, nullable=False),
        sa.Column('message_id', dialect.text(255)),
        sa.Column('details', dialect.text(81)),
        sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key',
                                postgresql_include=['volume']),
        postgresql_partition_by='RANGE (timestamp)',
        **_OPTIONS)
    op.create_index('ix_sample_key', 'sample', ['key'])
    partitions.begin(op.get_bind())
    op.create_table(
        'span',
        _number('series_id'),
        _number('metadata_id'),
        sa.Column('first', sa.BigInteger, nullable=False),
        sa.Column('last', sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint('series_id', 'metadata_id'),
        sa.ForeignKeyConstraint(['series_id'], ['series.id']),
        sa.ForeignKeyConstraint(['metadata_id'], ['metadata.id']),
        **_UPDATED)
    op.create_index('ix_span_metadata_id', 'span', ['metadata_id'])


def _rollups() -> None:
    for name, options, count in (('rollup_hour', _HOURS, sa.Integer), ('rollup_day', _UPDATED, sa.Integer),
                                 ('rollup_month', _UPDATED, sa.BigInteger)):
        op.create_table(
            name,
            _number('series_id'),
            sa.Column('start', sa.BigInteger, nullable=False,
                      autoincrement=False),
            sa.Column('first', sa.BigInteger),
            sa.Column('last', sa.BigInteger),
            sa.Column('count', count, nullable=False),
            sa.Column('sum', dialect.Quantity, nullable=False),
            sa.Column('min', dialect.Quantity),
            sa.Column('max', dialect.Quantity),
            sa.PrimaryKeyConstraint('series_id', 'start'),
            **options)
    op.create_index('ix_rollup_day_start', 'rollup_day', ['start'])


def _marks() -> None:
    op.create_table(
        'mark',
        sa.Column('id', _ID, primary_key=True),
        sa.Column('source', dialect.text(255), nullable=False),
        sa.Column('resource_id', dialect.text(512), nullable=False),
        sa.Column('day', sa.BigInteger, nullable=False),
        **_OPTIONS)


def _quarantine() -> None:
    op.create_table(
        'quarantine',
        sa.Column('id', _ID, primary_key=True),
        sa.Column('digest', dialect.digest(), nullable=False),
        sa.Column('received_at', sa.BigInteger, nullable=False),
        sa.Column('origin', dialect.text(255), nullable=False),
        sa.Column('source', dialect.text(255)),
        sa.Column('code', dialect.text(64), nullable=False),
        sa.Column('reason', dialect.long_text(), nullable=False),
        sa.Column('content', dialect.content(), nullable=False),
        sa.UniqueConstraint('digest', 'code'),
        **_OPTIONS)


def _generation() -> None:
    made = op.create_table(
        'generation',
        sa.Column('id', sa.Integer, primary_key=True, autoincrement=False),
        sa.Column('number', sa.BigInteger, nullable=False),
        **_OPTIONS)
    op.bulk_insert(made, [{'id': 1, 'number': 0}])


def _retention() -> None:
    op.create_table(
        'retention',
        sa.Column('id', _ID, primary_key=True),
        sa.Column('level', dialect.text(16), nullable=False),
        sa.Column('until', sa.BigInteger, nullable=False),
        sa.Column('by', dialect.text(255), nullable=False),
        sa.Column('decided_at', sa.BigInteger, nullable=False),
        sa.Column('finished_at', sa.BigInteger),
        sa.Column('dropped', sa.BigInteger, nullable=False),
        sa.UniqueConstraint('level', 'until'),
        **_OPTIONS)


def _events() -> None:
    op.create_table(
        'event',
        _number('series_id'),
        sa.Column('timestamp', sa.BigInteger, nullable=False),
        sa.Column('key', dialect.Key, nullable=False),
        sa.Column('recorded_at', sa.BigInteger, nullable=False),
        sa.Column('message_id', dialect.text(255)),
        sa.Column('digest', dialect.digest(), nullable=False),
        sa.Column('project_id', dialect.text(255)),
        sa.Column('event_type', dialect.text(255), nullable=False),
        sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key'),
        sa.ForeignKeyConstraint(['series_id'], ['series.id']),
        **_OPTIONS)
    for columns in (('timestamp',), ('key',), ('project_id', 'timestamp'),
                    ('project_id', 'event_type', 'timestamp'),
                    ('event_type', 'timestamp')):
        op.create_index(f'ix_event_{"_".join(columns)}', 'event', columns)
    op.create_table(
        'event_trait',
        _number('series_id'),
        sa.Column('timestamp', sa.BigInteger, nullable=False),
        sa.Column('key', dialect.Key, nullable=False),
        sa.Column('name', dialect.text(64), nullable=False),
        sa.Column('type', dialect.text(8), nullable=False),
        sa.Column('value', dialect.text(255), nullable=False),
        sa.Column('project_id', dialect.text(255)),
        sa.PrimaryKeyConstraint('series_id', 'timestamp', 'key', 'name'),
        sa.ForeignKeyConstraint(
            ['series_id', 'timestamp', 'key'],
            ['event.series_id', 'event.timestamp', 'event.key']),
        **_OPTIONS)
    op.create_index(
        'ix_event_trait_project_id_name_type_value_timestamp', 'event_trait',
        ['project_id', 'name', 'type', 'value', 'timestamp'])
    op.create_table(
        'event_form',
        sa.Column('event_type', dialect.text(255), nullable=False),
        sa.Column('name', dialect.text(64), nullable=False),
        sa.Column('type', dialect.text(8), nullable=False),
        sa.Column('day', sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint('event_type', 'name', 'type'),
        **_OPTIONS)
