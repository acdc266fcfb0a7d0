# SPDX-License-Identifier: Apache-2.0
"""How far a page of samples reaches that begins with the oldest.

As listing.py finds it for the newest: by days, looking further and further,
then by their hours.
"""

from __future__ import annotations

import sqlalchemy as sa

from moc_meter.storage.samples import select
from moc_meter.storage.samples.cells import days, hours, spans
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.reach import Cell, reach

_GROWTH = 8


def until(conn: sa.Connection, ids: select.Ids | None, lower: int,
          upper: int, wanted: int) -> int:
    """An instant before which so many samples lie; else the upper bound.

    ids: the series that count; None: all.
    """
    if ids is not None:     # the first of them may be long after the bound
        first = conn.scalar(sa.select(sa.func.min(spans.table.c.first)).where(
            spans.table.c.series_id.in_(ids), spans.table.c.last >= lower))
        if first is None:
            return upper
        lower = max(lower, first)
    start, length = lower // Level.DAY * Level.DAY, Level.DAY * 1
    found: list[Cell] = []
    end = None
    while end is None and start < upper:
        found += _cells(conn, days.table, [
            *_among(days.table, ids), days.table.c.last >= lower,
            *select.within(days.table.c.start, start, start + length)],
            wanted)
        end = _reached(found, lower, upper, wanted)
        start, length = start + length, length * _GROWTH
    if end is None:
        return upper
    nearer = _reached(_cells(conn, hours.table, [
        *_among(hours.table, ids), hours.table.c.last >= lower,
        *select.within(hours.table.c.start,
                       lower // Level.HOUR * Level.HOUR, end)], wanted),
        lower, end, wanted)
    return end if nearer is None else nearer


def _among(table: sa.Table, ids: select.Ids | None) -> select.Conditions:
    return [] if ids is None else [table.c.series_id.in_(ids)]


def _cells(conn: sa.Connection, table: sa.Table, rules: select.Conditions,
           wanted: int) -> list[Cell]:
    """The cells with the oldest samples; so many are enough for as many."""
    of = table.c
    return [Cell(*map(int, row)) for row in conn.execute(
        sa.select(of.first, of.last, of.count).where(of.count > 0, *rules)
        .order_by(of.first).limit(wanted))]


def _reached(cells: list[Cell], lower: int, upper: int,
             wanted: int) -> int | None:
    """reach(), of time that is turned round."""
    found = reach((Cell(-cell.last, -cell.first, cell.samples)
                   for cell in cells), 1 - upper, 1 - lower, wanted)
    return None if found is None else 1 - found
