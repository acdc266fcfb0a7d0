# SPDX-License-Identifier: Apache-2.0
"""Samples, newest first; or in another order, where that is asked for.

A sample's key begins with its series, so nothing is sorted by time alone.
The rollups tell how far back a page reaches and which series have samples
there; only these stretches of these series are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import expression, period
from moc_meter.model.expression import Expression, Order
from moc_meter.model.query import Selection, StoredSample
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage import dialect
from moc_meter.storage.samples import (
    cells,
    details,
    dropped,
    matching,
    oldest,
    order,
    select,
)
from moc_meter.storage.samples.cells import days, hours, spans
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.reach import Cell, reach
from moc_meter.storage.tables import samples as tables

_sample = cells.sample
#: What is looked through grows by this where it was not enough.
_GROWTH = 8
_OLDEST_FIRST: Order = ((expression.Column.TIMESTAMP, False),)


def sample(conn: sa.Connection, message_id: str,
           projects: frozenset[str] | None) -> StoredSample | None:
    """The sample of this id that the caller may see; the newest of several.

    An id is unique within its source only.
    """
    found = samples(conn, Selection(message_ids=(message_id,),
                                    projects=projects), 1)
    return found[0] if found else None


def samples(conn: sa.Connection, selection: Selection, limit: int, *,
            where: Expression | None = None, sort: Order = (),
            after: StoredSample | None = None) -> list[StoredSample]:
    """See SampleStore.samples()."""
    where = where and expression.inward(where)
    ids = _series_ids(conn, selection, where)
    terms = order.terms(sort)
    rules = [*select.metadata_rules(conn, _sample.c.metadata_id, selection),
             *select.message_rules(selection),
             *([] if where is None else [matching.condition(conn, where)]),
             *([] if after is None else [order.after(conn, after, terms)])]
    lower, upper = _bounds(selection, where, None if sort else after)
    page = _Page(terms, rules, joined=bool(where or sort))
    if sort == _OLDEST_FIRST and not selection.message_ids:
        if after is not None:
            instant = period.microseconds(after.sample.timestamp)
            lower = instant if lower is None else max(lower, instant)
        return _oldest(conn, page, ids, limit, _extent(
            conn, selection, ids, lower, upper))
    if selection.message_ids or sort:   # few, or to be sorted all of them
        border = dropped.border(conn)
        return page.read(conn, limit, [
            *_among(_sample, ids), *select.within(
                _sample.c.timestamp,
                border if lower is None else max(border, lower), upper)])
    lower, upper = _extent(conn, selection, ids, lower, upper)
    found: list[StoredSample] = []
    wanted = limit
    while len(found) < limit and lower < upper:
        since = _since(conn, ids, lower, upper, wanted)
        found += page.read(conn, limit - len(found), [
            _sample.c.series_id.in_(_present(conn, ids, since, upper)),
            *select.within(_sample.c.timestamp, since, upper)])
        # Only where more is asked than the rollups know was it too little.
        upper, wanted = since, wanted * _GROWTH
    return found


def _oldest(conn: sa.Connection, page: _Page, ids: select.Ids | None,
            limit: int, extent: tuple[int, int]) -> list[StoredSample]:
    """The first of [lower, upper), with no more read than they need."""
    lower, upper = extent
    found: list[StoredSample] = []
    wanted = limit
    while len(found) < limit and lower < upper:
        until = oldest.until(conn, ids, lower, upper, wanted)
        found += page.read(conn, limit - len(found), [
            _sample.c.series_id.in_(_present(conn, ids, lower, until)),
            *select.within(_sample.c.timestamp, lower, until)])
        lower, wanted = until, wanted * _GROWTH
    return found


def _series_ids(conn: sa.Connection, selection: Selection,
                where: Expression | None) -> select.Ids | None:
    """The series that can have such a sample; None: any."""
    if where is None and not (selection.series or selection.metadata
                              or selection.projects is not None):
        return None
    return select.series_ids(
        conn, selection,
        [] if where is None else [matching.series(conn, where)])


def _bounds(selection: Selection, where: Expression | None,
            after: StoredSample | None) -> tuple[int | None, int | None]:
    """[lower, upper) that all that is asked keeps to; None: no bound."""
    found = [(selection.start, selection.end)]
    if where is not None:
        found.append(expression.bounds(where))
    if after is not None:
        found.append((None, after.sample.timestamp + period.MICROSECOND))
    lower = [period.microseconds(one) for one, _ in found if one is not None]
    upper = [period.microseconds(one) for _, one in found if one is not None]
    return max(lower, default=None), min(upper, default=None)


def _extent(conn: sa.Connection, selection: Selection,
            ids: select.Ids | None, lower: int | None,
            upper: int | None) -> tuple[int, int]:
    """[lower, upper) that all the selected samples lie in.

    lower, upper: as far as they are asked for.
    """
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
    if first is None:
        return 0, 0
    first = max(first, dropped.border(conn))
    return (first if lower is None else max(first, lower),
            last if upper is None else min(last, upper))


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


@dataclass(frozen=True, slots=True)
class _Page:
    """What of the samples is read; joined: whether with their series."""

    order: Sequence[order.Term]
    rules: select.Conditions
    joined: bool

    def read(self, conn: sa.Connection, limit: int,
             stretch: select.Conditions) -> list[StoredSample]:
        """The first samples of a stretch, with what they said."""
        series, content = tables.series, tables.resource_metadata
        found = sa.select(_sample)
        if self.joined:
            found = found.join(series, series.c.id == _sample.c.series_id)
        page = (found.where(*self.rules, *stretch)
                .order_by(*(term.sql() for term in self.order))
                .limit(limit)).subquery('page')
        said = sa.select(page, series, content.c.content).select_from(
            page.join(series, series.c.id == page.c.series_id)
            .join(content, content.c.id == page.c.metadata_id))
        return order.placed([(_stored(row), row.series_id)
                             for row in conn.execute(said)], self.order)


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
            **details.unpack(row.details)))
