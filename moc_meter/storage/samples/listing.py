# SPDX-License-Identifier: Apache-2.0
"""Samples, newest first.

A sample's key begins with its series, so nothing is sorted by time alone.
The rollups tell how far back a page reaches and which series have samples
there; only these stretches of these series are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Selection, StoredSample
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage import dialect
from moc_meter.storage.samples import cells, dropped, plan, select
from moc_meter.storage.samples.cells import days, hours, spans
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.reach import Cell, reach
from moc_meter.storage.tables import samples as tables

_sample = cells.sample
#: What is looked through grows by this where it was not enough.
_GROWTH = 8


def sample(conn: sa.Connection, message_id: str,
           projects: frozenset[str] | None) -> StoredSample | None:
    """The sample of this id that the caller may see; the newest of several.

    An id is unique within its source only.
    """
    found = samples(conn, Selection(message_ids=(message_id,),
                                    projects=projects), 1)
    return found[0] if found else None


def samples(conn: sa.Connection, selection: Selection,
            limit: int) -> list[StoredSample]:
    """Newest first; equal timestamps in the order of recording."""
    ids = (select.series_ids(conn, selection)
           if selection.series or selection.metadata
           or selection.projects is not None else None)
    rules = select.metadata_rules(conn, _sample.c.metadata_id, selection)
    if selection.message_ids:
        return _page(conn, limit, [
            *select.message_rules(selection), *rules, *_among(_sample, ids),
            _sample.c.timestamp >= dropped.border(conn),
            *select.within(_sample.c.timestamp, *plan.bounds(selection))])
    found: list[StoredSample] = []
    lower, upper = _extent(conn, selection, ids)
    wanted = limit
    while len(found) < limit and lower < upper:
        since = _since(conn, ids, lower, upper, wanted)
        found += _page(conn, limit - len(found), [
            _sample.c.series_id.in_(_present(conn, ids, since, upper)), *rules,
            *select.within(_sample.c.timestamp, since, upper)])
        # Only where metadata are asked for can it have been too little.
        upper, wanted = since, wanted * _GROWTH
    return found


def _extent(conn: sa.Connection, selection: Selection,
            ids: select.Ids | None) -> tuple[int, int]:
    """[lower, upper) that all the selected samples lie in."""
    if selection.metadata:
        of = spans.table.c
        chosen = sa.select(sa.func.min(of.first), sa.func.max(of.last) + 1
                           ).where(*_among(spans.table, ids),
                                   *select.metadata_rules(
                                       conn, of.metadata_id, selection))
    else:
        start = days.table.c.start      # indexed: two look-ups
        chosen = sa.select(
            sa.select(sa.func.min(start)).scalar_subquery(),
            sa.select(sa.func.max(start) + Level.DAY).scalar_subquery())
    first, last = conn.execute(chosen).one()
    start_rule, end_rule = plan.bounds(selection)
    if first is None:
        return 0, 0
    first = max(first, dropped.border(conn))
    return (first if start_rule is None else max(first, start_rule),
            last if end_rule is None else min(last, end_rule))


def _since(conn: sa.Connection, ids: select.Ids | None, lower: int,
           upper: int, wanted: int) -> int:
    """An instant since which so many samples lie; else the lower bound.

    Found by days, looking further and further back, then by their hours.
    """
    found: list[Cell] = []
    since, border, length = None, upper, Level.DAY * 1
    while since is None and border > lower:
        start = (border - length) // Level.DAY * Level.DAY
        found += _newest(conn, days.table, [
            *_among(days.table, ids),
            *select.within(days.table.c.start, start, border)], wanted)
        since = reach(found, lower, upper, wanted)
        border, length = start, length * _GROWTH
    if since is None:
        since = lower
    newest = max((min(cell.last, upper - 1) for cell in found), default=since)
    if newest - newest % Level.HOUR <= since:
        return since        # within one hour, of which hours know no more
    within = _newest(conn, hours.table, [
        hours.table.c.series_id.in_(_present(conn, ids, since, upper)),
        *select.within(hours.table.c.start,
                       since // Level.HOUR * Level.HOUR, upper)], wanted)
    nearer = reach(within, since, upper, wanted)
    return since if nearer is None else nearer


def _newest(conn: sa.Connection, table: sa.Table, rules: select.Conditions,
            wanted: int) -> Iterator[Cell]:
    """The cells with the newest samples; so many are enough for as many."""
    of = table.c
    for row in conn.execute(
            sa.select(of.first, of.last, of.count).where(of.count > 0, *rules)
            .order_by(of.last.desc()).limit(wanted)):
        yield Cell(*map(int, row))


def _present(conn: sa.Connection, ids: select.Ids | None, start: int,
             end: int) -> select.Ids:
    """The series that have samples about [start, end)."""
    of = days.table.c
    return dialect.ids(conn, sa.select(of.series_id).where(
        *_among(days.table, ids), of.last >= start, of.first < end,
        *select.within(of.start, start // Level.DAY * Level.DAY, end)))


def _among(table: sa.Table, ids: select.Ids | None) -> select.Conditions:
    return [] if ids is None else [table.c.series_id.in_(ids)]


def _page(conn: sa.Connection, limit: int,
          rules: select.Conditions) -> list[StoredSample]:
    """The newest samples that fulfil the rules, with what they said."""
    def order(of: Any) -> list[sa.ColumnElement[Any]]:
        return [of.timestamp.desc(), of.recorded_at, of.key, of.series_id]

    page = (sa.select(_sample).where(*rules).order_by(*order(_sample.c))
            .limit(limit)).subquery('page')
    series, content = tables.series, tables.resource_metadata
    said = sa.select(page, series, content.c.content).select_from(
        page.join(series, series.c.id == page.c.series_id)
        .join(content, content.c.id == page.c.metadata_id))
    return [_stored(row) for row in conn.execute(
        said.order_by(*order(page.c)))]


def _stored(row: sa.Row[Any]) -> StoredSample:
    return StoredSample(
        recorded_at=period.instant(row.recorded_at),
        sample=Sample(
            source=row.source,
            message_id=(row.key.hex if row.message_id is None
                        else row.message_id),
            timestamp=period.instant(row.timestamp), meter=row.meter,
            kind=MeterKind(row.kind), unit=row.unit, volume=row.volume,
            resource_id=row.resource_id, project_id=row.project_id,
            user_id=row.user_id, metadata=json.loads(row.content),
            interval=(None if row.interval_start is None else
                      (period.instant(row.interval_start),
                       period.instant(row.interval_end))),
            counter_start=(None if row.counter_start is None
                           else period.instant(row.counter_start)),
            sequence=row.sequence, rounded=bool(row.rounded)))
