# SPDX-License-Identifier: Apache-2.0
"""Which meters and resources have samples, out of spans.

A span is the first and last instant of a series with a metadata. Samples are
asked only where a time rule cuts a span, and then for its ends within the
range. Where two spans end at the same instant, the newest sample is the one
whose series, then metadata, has the lesser digest: a choice without meaning,
but the same in every store that holds the same samples.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.expression import Column
from moc_meter.model.query import Field, MeterSeen, ResourceSeen, Selection
from moc_meter.model.sample import MeterKind
from moc_meter.storage.samples import matching, plan, select
from moc_meter.storage.samples.cells import sample, spans
from moc_meter.storage.tables import samples as tables


def meters(conn: sa.Connection, selection: Selection, limit: int | None,
           unique: bool = False, after: MeterSeen | None = None
           ) -> list[MeterSeen]:
    """Meters by name, resource, kind and unit; see MeterSeen."""
    found = _seen(conn, selection)
    last = None if after is None else [
        after.name, after.kind.value, after.unit]
    if unique:
        return [MeterSeen(name=row.meter, kind=MeterKind(row.kind),
                          unit=row.unit)
                for row in conn.execute(
                    _page(found, ['meter', 'kind', 'unit'], limit, last))]
    keys = ['meter', 'resource_id', 'kind', 'unit']
    if after is not None and last is not None:
        last.insert(1, after.resource_id or '')
    # Paged by what the index has; each of these is at least one entry, but
    # for the one that the page before ended in.
    page = _page(found, keys[:2], limit and limit + bool(last),
                 last and last[:2], or_equal=True)
    ranked = _numbered(_spans_of(found, page, keys[:2]), keys)
    columns = [ranked.c[key] for key in keys]
    return [MeterSeen(name=row.meter, kind=MeterKind(row.kind), unit=row.unit,
                      resource_id=row.resource_id, source=row.source,
                      project_id=row.project_id, user_id=row.user_id)
            for row in conn.execute(
                sa.select(ranked).where(
                    ranked.c.place == 1,
                    *_beyond(columns, last)).order_by(*columns)
                .limit(limit))]


def resources(conn: sa.Connection, selection: Selection, limit: int | None,
              after: str | None = None) -> list[ResourceSeen]:
    """Resources by id, as the newest selected sample of each says."""
    found, keys = _seen(conn, selection), ['resource_id']
    page = _page(found, keys, limit, None if after is None else [after])
    ranked = _numbered(_spans_of(found, page, keys), keys)
    content = tables.resource_metadata
    newest = conn.execute(
        sa.select(ranked, content.c.content).select_from(ranked.join(
            content, content.c.id == ranked.c.metadata_id))
        .where(ranked.c.place == 1).order_by(ranked.c.resource_id)).all()
    names = _names(conn, [row.resource_id for row in newest],
                   selection.projects)
    return [ResourceSeen(
        resource_id=row.resource_id, source=row.source,
        project_id=row.project_id, user_id=row.user_id,
        first=period.instant(row.earliest), last=period.instant(row.last),
        metadata=json.loads(row.content),
        meters=tuple(names.get(row.resource_id, ()))) for row in newest]


def _names(conn: sa.Connection, resources: list[str],
           projects: frozenset[str] | None) -> dict[str, list[str]]:
    """The meters of some resources, ascending: all that may be seen."""
    seen = _seen(conn, Selection(projects=projects)).where(
        tables.series.c.resource_id.in_(resources)).subquery()
    found: dict[str, list[str]] = {}
    for row in conn.execute(
            sa.select(seen.c.resource_id, seen.c.meter).distinct()
            .order_by(seen.c.resource_id, seen.c.meter)):
        found.setdefault(row.resource_id, []).append(row.meter)
    return found


def values(conn: sa.Connection, field: Field, selection: Selection,
           limit: int | None, after: str | None = None) -> list[str]:
    """What the selected samples say in a field, ascending; None is left out.
    """
    found = _seen(conn, selection).where(
        tables.series.c[field.value].is_not(None))
    return list(conn.scalars(_page(found, [field.value], limit,
                                   None if after is None else [after])))


def _seen(conn: sa.Connection, selection: Selection) -> sa.Select[Any]:
    """A row a span: what its series says, its metadata, first and last.

    An event counts like a delta. first is null where the selected range has
    no sample of the span.
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
        *(column for column in series.c if column is not series.c.kind),
        matching.column(Column.KIND).label('kind'), span.c.metadata_id,
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


def _page(found: sa.Select[Any], keys: list[str], limit: int | None,
          last: list[str] | None = None,
          or_equal: bool = False) -> sa.Select[Any]:
    """The first distinct keys that have a sample, in order.

    last: those that they come after, or are equal to, if that is wanted.
    """
    seen = found.subquery()
    columns = [seen.c[key] for key in keys]
    return (sa.select(*columns)
            .where(*_there(seen), *_beyond(columns, last, or_equal))
            .group_by(*columns).order_by(*columns).limit(limit))


def _beyond(columns: Sequence[sa.ColumnElement[Any]], last: list[str] | None,
            or_equal: bool = False) -> select.Conditions:
    """What comes after some values, column by column."""
    if last is None:
        return []
    equal = [column == value
             for column, value in zip(columns, last, strict=True)]
    beyond = [sa.and_(*equal[:place], column > value)
              for place, (column, value) in enumerate(
                  zip(columns, last, strict=True))]
    # The first of them alone, so that an index is of use.
    return [columns[0] >= last[0],
            sa.or_(*beyond, *([sa.and_(*equal)] if or_equal else []))]


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
