# SPDX-License-Identifier: Apache-2.0
"""Hour, day and month buckets, and spans: verified, rebuilt.

They are a pure function of the samples, kept in the transaction that inserts
the samples, from the rows really inserted: a redelivered sample touches none.
Months are proved by their days, all else by the samples.
"""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation, staging
from moc_meter.storage.samples import dropped, select
from moc_meter.storage.samples.cells import (
    CELLS,
    Cells,
    begin,
    sample,
    spans,
)
from moc_meter.storage.samples.plan import Level

#: Series that one question of verify() is about.
_CHUNK = 100
#: Cells that one transaction of rebuild() replaces.
_BATCH = 1000
#: Every series.
_ALL = (-2 ** 63, 2 ** 63 - 1)
#: On a series and an instant of a sample or a cell.
_Condition = Callable[[sa.ColumnElement[int], Any], sa.ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell that is not what its samples, or a month's days, say.

    table: rollup_hour, rollup_day, rollup_month or span.
    key: series and start in microseconds since 1970; of a span series and
        metadata.
    expected, found: the other columns in the table's order; None where there
        should be, or is, no such cell.
    """

    table: str
    key: tuple[int, int]
    expected: tuple[Any, ...] | None
    found: tuple[Any, ...] | None

    @property
    def begin(self) -> int:
        """Since when samples, or days, are needed to prove it."""
        if self.table != spans.table.name:
            return self.key[1]
        return min(int(side[0]) for side in (self.expected, self.found)
                   if side)


def verify(engine: sa.Engine, start: datetime.datetime | None = None,
           end: datetime.datetime | None = None) -> Iterator[Difference]:
    """Derive every cell anew and tell which is not as it is kept.

    start, end: [start, end), widened to whole UTC months, and for hours to
        whole days; spans, which time does not cut, are verified where neither
        is given.
    One question a hundred series, which reads one state of the database; so
    writers may go on, and memory is bounded. Cells whose samples were
    dropped are left out; see unprovable(). Needs two connections.
    """
    for cells in _asked(start, end):
        for chunk in _chunks(engine):
            for batch in _differences(engine, cells, chunk, start, end):
                yield from batch


def unprovable(engine: sa.Engine, start: datetime.datetime | None = None,
               end: datetime.datetime | None = None) -> int:
    """Cells that verify() cannot derive anew: their samples were dropped.

    start, end: see verify().
    """
    def work(conn: sa.Connection) -> int:
        old = sa.union_all(*(
            sa.select(sa.literal_column('1')).select_from(cells.table).where(
                _begin(cells) < _border(conn, cells),
                _within(cells, _ALL, start, end, 0)(
                    cells.table.c.series_id, cells.table.c.get('start')))
            for cells in _asked(start, end))).subquery()
        return conn.scalar(sa.select(sa.func.count()).select_from(old)) or 0
    return transactions.inquire(engine, work)


def rebuild(engine: sa.Engine, start: datetime.datetime | None = None,
            end: datetime.datetime | None = None) -> int:
    """Replace the cells that verify() would name; how many it were.

    But for months of which samples were dropped. Writers may go on. Needs a
    second connection of the engine.
    """
    replaced = 0
    for cells in _asked(start, end):
        for chunk in _chunks(engine):
            for batch in _differences(engine, cells, chunk, start, end):
                keys = sorted(difference.key for difference in batch)
                replaced += transactions.transact(
                    engine, functools.partial(_replace, cells=cells,
                                              keys=keys))
    return replaced


def _asked(start: datetime.datetime | None,
           end: datetime.datetime | None) -> tuple[Cells, ...]:
    return tuple(cells for cells in CELLS
                 if cells.level or not (start or end))


def _chunks(engine: sa.Engine) -> Iterator[tuple[int, int]]:
    """Ranges (above, up to] of series, which leave none out.

    Of the derived tables and of samples: a cell may be there that has no
    series.
    """
    above = _ALL[0]
    columns = [table.c.series_id for table in (
        sample, *(cells.table for cells in CELLS))]
    while True:
        last = above
        for column in columns:
            page = (sa.select(column).distinct().where(column > above)
                    .order_by(column).limit(_CHUNK))
            found = transactions.inquire(
                engine, functools.partial(_scalars, chosen=page))
            if found:
                last = max(last, found[-1])
        if last == above:
            return
        yield above, last
        above = last


def _scalars(conn: sa.Connection, chosen: sa.Select[Any]
             ) -> Sequence[int]:
    return conn.scalars(chosen).all()


def _differences(engine: sa.Engine, cells: Cells, chunk: tuple[int, int],
                 start: datetime.datetime | None,
                 end: datetime.datetime | None) -> Iterator[list[Difference]]:
    """The differences of a chunk, some at a time.

    Samples may be dropped while they are read. The border of what is dropped
    is moved before that, so what lies above it afterwards is true.
    """
    ask = functools.partial(_border, cells=cells)
    border = transactions.inquire(engine, ask)
    found = _compare(engine, cells, _within(cells, chunk, start, end, border))
    while batch := list(itertools.islice(found, _BATCH)):
        border = transactions.inquire(engine, ask)
        yield [one for one in batch if one.begin >= border]


def _border(conn: sa.Connection, cells: Cells) -> int:
    """Cells that begin before it are not provable; see dropped.border()."""
    return dropped.border(conn) if cells.source[0] is sample else 0


def _within(cells: Cells, chunk: tuple[int, int],
            start: datetime.datetime | None, end: datetime.datetime | None,
            border: int) -> _Condition:
    """The condition on a series and an instant of a sample or a cell.

    border: see _border().
    """
    # Of a month all the days are to be right.
    wide = Level.DAY if cells.level is Level.HOUR else Level.MONTH
    first = max(border, 0 if start is None
                else wide.floor(period.microseconds(start)))
    last = (None if end is None
            else wide.ceiling(period.microseconds(end)))

    def condition(series: sa.ColumnElement[int],
                  instant: Any) -> sa.ColumnElement[bool]:
        return sa.and_(series > chunk[0], series <= chunk[1], *(
            select.within(instant, first, last) if cells.level else ()))
    return condition


def _compare(engine: sa.Engine, cells: Cells,
             within: _Condition) -> Iterator[Difference]:
    """The cells of which the samples and the table say different things.

    Expected and found cells are laid on top of each other; where they are
    the same they fall together in one group of two.
    """
    names = cells.table.columns.keys()
    source, instant, _ = cells.source
    expected = cells.expected().where(
        within(source.c.series_id, source.c[instant])).add_columns(
            sa.literal_column('1').label('expected'))
    kept = sa.select(*cells.table.columns,
                     sa.literal_column('0').label('expected')).where(
        within(cells.table.c.series_id, cells.table.c.get('start')))
    both = sa.union_all(expected, kept).subquery()
    columns = [both.c[name] for name in names]
    keys = [both.c[key] for key in cells.keys]
    odd = (sa.select(*columns, sa.func.max(both.c.expected))
           .group_by(*columns).having(sa.func.count() == 1)
           .order_by(*keys))
    with transactions.reading(engine) as conn:
        found = conn.execution_options(yield_per=_BATCH).execute(odd)
        for key, rows in itertools.groupby(found, lambda row: row[:2]):
            sides = {bool(row[-1]): tuple(row[2:-1]) for row in rows}
            yield Difference(table=cells.table.name,
                             key=(int(key[0]), int(key[1])),
                             expected=sides.get(True), found=sides.get(False))


def _begin(cells: Cells) -> sa.ColumnElement[int]:
    """Since when samples, or days, are needed to prove a cell."""
    return cells.table.c['start' if cells.level else 'first']


def _replace(conn: sa.Connection, cells: Cells,
             keys: Sequence[tuple[int, int]]) -> int:
    """Derive the cells anew: lock them, read their source, replace.

    Reading before locking would lose what others insert in between. Cells of
    which samples were dropped since are left alone; meanwhile none are. So is
    a month that is there: it may be one of its days that is wrong.
    Returns how many were replaced.
    """
    generation.held(conn)
    border = dropped.border(conn)
    if cells.level:
        proved = _border(conn, cells)
        keys = [key for key in keys if key[1] >= proved]
    filler = (None, None, 0, 0, None, None) if cells.level else (0, 0)
    number = staging.fill(conn, cells.staged,
                          [(*key, *filler) for key in keys])
    number -= conn.execute(sa.delete(cells.staged).where(
        sa.exists().where(cells.same(), _begin(cells) < border))).rowcount
    cells.lock(conn, number)
    rows = [tuple(row) for row in conn.execute(
        cells.expected().join(cells.staged, _belongs(cells)))]
    conn.execute(sa.delete(cells.table).where(
        sa.exists().where(cells.same())))
    staging.load(conn, cells.table, sorted(rows, key=lambda row: row[:2]))
    return number


def _belongs(cells: Cells) -> sa.ColumnElement[bool]:
    """Whether a row of the source belongs to a staged cell."""
    source, name, _ = cells.source
    same = source.c.series_id == cells.staged.c.series_id
    if not cells.level:
        second = cells.keys[1]
        return same & (source.c[second] == cells.staged.c[second])
    instant, start = source.c[name], cells.staged.c.start
    near = (instant >= start) & (instant < start + sa.literal(
        cells.level.value))
    if cells.level is Level.MONTH:      # others are shorter
        near &= begin(cells.level, instant) == start
    return same & near
