# SPDX-License-Identifier: Apache-2.0
"""What was said of a resource, one state after the other.

Of the samples of an instant the one counts that seen.py takes for the newest.
"""

from __future__ import annotations

import itertools
import json

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import ResourceState, Selection
from moc_meter.storage.samples import dropped, plan, select
from moc_meter.storage.samples.cells import sample
from moc_meter.storage.tables import samples as tables

_STATE = ('source', 'project_id', 'user_id', 'metadata_id')


def states(conn: sa.Connection, selection: Selection,
           limit: int) -> list[ResourceState]:
    """See SampleStore.history(); as far as samples are kept."""
    series, content = tables.series, tables.resource_metadata
    start, end = plan.bounds(selection)
    said = sa.select(
        sample.c.timestamp, series.c.source, series.c.project_id,
        series.c.user_id, sample.c.metadata_id,
        sa.func.row_number().over(
            partition_by=sample.c.timestamp,
            order_by=[series.c.digest, content.c.digest]).label('place'),
    ).select_from(sample.join(series, series.c.id == sample.c.series_id)
                  .join(content, content.c.id == sample.c.metadata_id)).where(
        sample.c.series_id.in_(select.series_ids(conn, selection)),
        *select.within(sample.c.timestamp,
                       max(start or 0, dropped.border(conn)), end)).subquery()
    before = sa.select(said, *(
        sa.func.lag(said.c[name]).over(order_by=said.c.timestamp)
        .label(f'last_{name}') for name in _STATE)).where(
            said.c.place == 1).subquery()
    changes = (sa.select(before).where(sa.or_(*(
        before.c[name].is_distinct_from(before.c[f'last_{name}'])
        for name in _STATE))).order_by(before.c.timestamp)
        .limit(limit + 1)).subquery()
    rows = conn.execute(
        sa.select(changes, content.c.content).select_from(
            changes.join(content, content.c.id == changes.c.metadata_id))
        .order_by(changes.c.timestamp)).all()
    ends = [period.instant(row.timestamp) for row in rows[1:]]
    return [ResourceState(
        since=period.instant(row.timestamp), until=until, source=row.source,
        project_id=row.project_id, user_id=row.user_id,
        metadata=json.loads(row.content))
        for row, until in itertools.zip_longest(rows[:limit], ends[:limit])]
