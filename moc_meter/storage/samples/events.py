# SPDX-License-Identifier: Apache-2.0
"""Events and their typed traits: each once, however often it comes.

An event has a series, as a sample has, but neither rollups nor a span; so no
question about samples meets it.
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import Selection, StoredSample
from moc_meter.model.sample import MeterKind, Sample, is_ours
from moc_meter.model.traits import Trait, TraitType, traits
from moc_meter.storage import numbering, staging
from moc_meter.storage.samples import plan, raw, select
from moc_meter.storage.staging import Row
from moc_meter.storage.tables import samples as tables

_KEYS = ('series_id', 'timestamp', 'key')
EVENTS = raw.Kept(table=staging.plain(tables.event),
                  staged=staging.plain(tables.event, 'event_staging'))
_event = EVENTS.table
_trait = staging.plain(tables.event_trait)


def row(event: Sample, series_id: int, recorded: int) -> Row:
    """The event as a row; recorded: in microseconds since 1970."""
    return (series_id, period.microseconds(event.timestamp), event.key,
            recorded,
            None if is_ours(event.message_id) else event.message_id,
            numbering.digest(event.metadata))


def append(conn: sa.Connection,
           batch: Sequence[tuple[Sample, Row]]) -> raw.Appended:
    """Insert the events that are missing, with their traits."""
    if not batch:
        return raw.Appended(fresh=frozenset(), conflicts=frozenset(),
                            expired=frozenset())
    appended = raw.append(conn, [row for _, row in batch], EVENTS)
    staging.load(conn, _trait, sorted(
        ((*row[:3], one.name, one.type.value, one.text, one.integer,
          one.number,
          None if one.instant is None else period.microseconds(one.instant))
         for event, row in batch if EVENTS.recorded(row) in appended.fresh
         for one in traits(event.metadata)), key=lambda row: row[:4]))
    return appended


def newest(conn: sa.Connection, selection: Selection,
           limit: int) -> list[StoredSample]:
    """Newest first; equal timestamps in the order of recording."""
    if selection.metadata or selection.message_ids:
        raise errors.InvalidQuery(
            'events are not asked by metadata or message id')
    of, series = _event.c, tables.series
    page = (sa.select(_event, *(column for column in series.columns
                                if column.name not in ('id', 'digest')))
            .join(series, series.c.id == of.series_id)
            .where(*select.series_rules(selection),
                   *select.within(of.timestamp, *plan.bounds(selection)))
            .order_by(of.timestamp.desc(), of.recorded_at, of.key)
            .limit(limit))
    wanted, one = page.subquery('page'), _trait.c
    said: dict[Row, dict[str, object]] = collections.defaultdict(dict)
    for row in conn.execute(sa.select(_trait).join(wanted, sa.and_(*(
            one[key] == wanted.c[key] for key in _KEYS)))):
        said[row[:3]][row.name] = _trait_of(row).value
    return [_stored(row, said[row[:3]]) for row in conn.execute(page)]


def _trait_of(row: sa.Row[Any]) -> Trait:
    return Trait(
        name=row.name, type=TraitType(row.type), text=row.text,
        integer=row.integer, number=row.number,
        instant=None if row.instant is None else period.instant(row.instant))


def _stored(row: sa.Row[Any], said: dict[str, object]) -> StoredSample:
    return StoredSample(
        recorded_at=period.instant(row.recorded_at),
        sample=Sample(
            source=row.source, is_event=True, volume=Decimal(1),
            message_id=(row.key.hex if row.message_id is None
                        else row.message_id),
            timestamp=period.instant(row.timestamp), meter=row.meter,
            kind=MeterKind(row.kind), unit=row.unit, metadata=said,
            resource_id=row.resource_id, project_id=row.project_id,
            user_id=row.user_id))
