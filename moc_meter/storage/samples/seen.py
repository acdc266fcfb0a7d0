# SPDX-License-Identifier: Apache-2.0
"""Which meters and resources have samples, out of spans.

A span is the first and last instant of a series with a metadata. Samples are
asked only where a time rule cuts a span, and then for its ends within the
range. Where two spans end at the same instant, the newest sample is the one
whose series, then metadata, has the lesser digest: a choice without meaning,
but the same in every store that holds the same samples.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import MeterSeen, ResourceSeen, Selection
from moc_meter.model.sample import MeterKind
from moc_meter.storage.samples import plan, select
from moc_meter.storage.samples.cells import sample, spans
from moc_meter.storage.tables import samples as tables

#: What a resource's newest span says of it.
_NAMES = ('resource_id', 'meter', 'source', 'project_id', 'user_id', 'digest',
          'metadata_id', 'said', 'last')


def meters(conn: sa.Connection, selection: Selection, limit: int | None,
           unique: bool = False) -> list[MeterSeen]:
    """Meters by name, resource, kind and unit; see MeterSeen."""
    found = _seen(conn, selection)
    if unique:
        return [MeterSeen(name=row.meter, kind=MeterKind(row.kind),
                          unit=row.unit)
                for row in conn.execute(
                    _page(found, ['meter', 'kind', 'unit'], limit))]
    keys = ['meter', 'resource_id', 'kind', 'unit']
    # Paged by what the index has; each of these is at least one entry.
    page = _page(found, keys[:2], limit)
    ranked = _numbered(_spans_of(found, page, keys[:2]), keys)
    return [MeterSeen(name=row.meter, kind=MeterKind(row.kind), unit=row.unit,
                      resource_id=row.resource_id, source=row.source,
                      project_id=row.project_id, user_id=row.user_id)
            for row in conn.execute(
                sa.select(ranked).where(ranked.c.place == 1)
                .order_by(*(ranked.c[key] for key in keys)).limit(limit))]


def resources(conn: sa.Connection, selection: Selection,
              limit: int | None) -> list[ResourceSeen]:
    """Resources by id, as the newest selected sample of each says."""
    found, keys = _seen(conn, selection), ['resource_id']
    meters_of = _numbered(_spans_of(found, _page(found, keys, limit), keys),
                          [*keys, 'meter'])
    ranked = _numbered(sa.select(
        *(meters_of.c[name] for name in _NAMES),
        meters_of.c.earliest.label('first')).where(meters_of.c.place == 1),
        keys)
    # One row a meter; only a resource's first has the metadata.
    content = tables.resource_metadata
    rows = conn.execute(
        sa.select(ranked, content.c.content).select_from(ranked.outerjoin(
            content, sa.and_(content.c.id == ranked.c.metadata_id,
                             ranked.c.place == 1)))
        .order_by(ranked.c.resource_id, ranked.c.place))
    return [_resource(list(group)) for _, group in itertools.groupby(
        rows, lambda row: row.resource_id)]


def _resource(rows: list[sa.Row[Any]]) -> ResourceSeen:
    newest = rows[0]
    return ResourceSeen(
        resource_id=newest.resource_id, source=newest.source,
        project_id=newest.project_id, user_id=newest.user_id,
        first=period.instant(newest.earliest),
        last=period.instant(newest.last),
        metadata=json.loads(newest.content),
        meters=tuple(sorted(row.meter for row in rows)))


def _seen(conn: sa.Connection, selection: Selection) -> sa.Select[Any]:
    """A row a span: what its series says, its metadata, first and last.

    first is null where the selected range has no sample of the span.
    """
    if selection.message_ids:
        raise errors.InvalidQuery(
            'meters and resources are not asked by message id')
    start, end = plan.bounds(selection)
    span, series = spans.table, tables.series
    first, last = span.c.first, span.c.last
    reaching = ([] if start is None else [last >= start]) + (
        [] if end is None else [first < end])
    return sa.select(
        series, span.c.metadata_id,
        _cut(first, select.within(first, start, None), start, end,
             sample.c.timestamp).label('first'),
        _cut(last, select.within(last, None, end), start, end,
             sample.c.timestamp.desc()).label('last'),
    ).select_from(series.join(span, span.c.series_id == series.c.id)).where(
        *select.series_rules(selection), *reaching,
        *select.metadata_rules(conn, span.c.metadata_id, selection))


def _cut(end_of_span: sa.ColumnElement[int], inside: select.Conditions,
         start: int | None, end: int | None,
         order: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """An end of a span; where it is cut off, of the samples in range."""
    if not inside:
        return end_of_span
    span = spans.table
    nearest = (sa.select(sample.c.timestamp)
               .where(sample.c.series_id == span.c.series_id,
                      sample.c.metadata_id == span.c.metadata_id,
                      *select.within(sample.c.timestamp, start, end))
               .order_by(order).limit(1).correlate(span).scalar_subquery())
    return sa.case((sa.and_(*inside), end_of_span), else_=nearest)


def _there(seen: sa.Subquery) -> select.Conditions:
    """Whether the selected range has a sample of a span.

    One end without the other is known where samples were dropped meanwhile.
    """
    return [seen.c.first.is_not(None), seen.c.last.is_not(None)]


def _page(found: sa.Select[Any], keys: list[str],
          limit: int | None) -> sa.Select[Any]:
    """The first distinct keys that have a sample, in order."""
    seen = found.subquery()
    columns = [seen.c[key] for key in keys]
    return (sa.select(*columns).where(*_there(seen))
            .group_by(*columns).order_by(*columns).limit(limit))


def _spans_of(found: sa.Select[Any], page: sa.Select[Any],
              keys: list[str]) -> sa.Select[Any]:
    """The spans of a page, and the digests of their metadata."""
    seen, wanted = found.subquery(), page.subquery('page')
    content = tables.resource_metadata
    return sa.select(seen, content.c.digest.label('said')).select_from(
        wanted.join(seen, sa.and_(*(seen.c[key] == wanted.c[key]
                                    for key in keys)))
        .join(content, content.c.id == seen.c.metadata_id)
    ).where(*_there(seen))


def _numbered(rows: sa.Select[Any], keys: list[str]) -> sa.Subquery:
    """The rows with their place, from the newest, among those of one key.

    earliest: the first instant of those of the key. Two windows in one
    SELECT must be sorted alike, or MariaDB numbers one by the other's order.
    """
    of = rows.subquery()
    partition = [of.c[key] for key in keys]
    newest = [of.c.last.desc(), of.c.digest, of.c.said]
    return sa.select(
        of,
        sa.func.row_number().over(partition_by=partition, order_by=newest)
        .label('place'),
        sa.func.min(of.c.first).over(
            partition_by=partition, order_by=newest, rows=(None, None))
        .label('earliest')).subquery()
