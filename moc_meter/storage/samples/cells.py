# SPDX-License-Identifier: Apache-2.0
"""The derived tables: what a cell of each is of its samples.

Cells of rollups (series and hour, day or month) and spans (series and
metadata) are kept alike: how the cells of new samples are taken in, and what
a cell must be, stand here side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.storage import dialect, staging
from moc_meter.storage.dialect import Columns
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.tables import samples as tables

sample = staging.plain(tables.sample)
#: The samples of a batch; when they are in, those really inserted.
fresh = staging.plain(tables.sample, 'sample_staging')


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """One derived table.

    keys: names of its key's two columns.
    of: the columns of the cells that samples make.
    source: what all its cells are derived from to be verified and rebuilt,
        with the name of its column of time, and the columns of the cells.
    empty: what a cell is before its first sample; in terms of ``staged``.
    merged: a cell with another one taken in, whose columns are given.
    level: of a rollup; None where time does not cut cells.
    """

    table: sa.Table
    staged: sa.Table
    keys: tuple[str, str]
    of: Callable[[sa.FromClause], Columns]
    source: tuple[sa.Table, str, Columns]
    empty: Columns
    merged: Callable[[Columns], Columns]
    level: Level | None = None

    def same(self) -> sa.ColumnElement[bool]:
        """Whether a cell and a staged one are of the same key."""
        return sa.and_(*(self.table.c[key] == self.staged.c[key]
                         for key in self.keys))

    def derived(self, samples: sa.FromClause) -> sa.Select[Any]:
        """The cells of the samples, in the order of the table's columns."""
        return self._grouped(samples, self.of(samples))

    def expected(self) -> sa.Select[Any]:
        """All cells as they must be, likewise."""
        table, _, columns = self.source
        return self._grouped(table, columns)

    def _grouped(self, of: sa.FromClause, columns: Columns
                 ) -> sa.Select[Any]:
        return (sa.select(*(columns[column.name].label(column.name)
                            for column in self.table.columns))
                .select_from(of)
                .group_by(*(columns[key] for key in self.keys)))

    def _single(self, samples: sa.FromClause) -> sa.Select[Any]:
        """derived() of samples of which no two are of one series."""
        columns = self.of(samples)
        return sa.select(*(
            (column if name in self.keys else _of_one(column)).label(name)
            for name, column in ((kept.name, columns[kept.name])
                                 for kept in self.table.columns)))

    def taking_in(self, samples: sa.FromClause,
                  single: bool = False) -> sa.CTE:
        """PostgreSQL: the samples' cells are taken in by one statement.

        In the order of the keys, as lock() does it.
        single: no two samples are of one series.
        """
        chosen = (self._single if single else self.derived)(samples)
        return dialect.merge(
            f'{self.table.name}_in', self.table, self.keys, self.merged,
            chosen.order_by(*(chosen.selected_columns[key]
                              for key in self.keys)))

    def lock(self, conn: sa.Connection, number: int) -> None:
        """Hold the staged cells till the end of the transaction.

        In the order of the keys, so that two do not wait for each other;
        cells that are missing are inserted empty.
        number: how many are staged.
        """
        held = (sa.select(sa.literal_column('1').label('one'))
                .select_from(self.table).join(self.staged, self.same())
                .order_by(*(self.table.c[key] for key in self.keys))
                .with_for_update()).subquery()
        there = conn.scalar(sa.select(sa.func.count()).select_from(held))
        if there != number:
            keys = [self.staged.c[key] for key in self.keys]
            conn.execute(dialect.insert_missing(
                conn, self.table,
                sa.select(*keys, *(value.label(name) for name, value
                                   in self.empty.items())).order_by(*keys)))

    def take_in(self, conn: sa.Connection) -> None:
        """Take the cells of the staged fresh samples in."""
        number = staging.fill(conn, self.staged, self.derived(fresh))
        self.lock(conn, number)
        done = conn.execute(sa.update(self.table).where(self.same()).values(
            dict(self.merged(dict(self.staged.c)))))
        if done.rowcount != number:
            # A rebuild removed one between our two statements.
            raise errors.StoreUnavailable('a cell vanished', wanted=number,
                                          found=done.rowcount)


def begin(level: Level,
          instant: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Where the cell of a level begins that an instant lies in."""
    if level is Level.MONTH:
        return dialect.month(instant)
    return instant - instant % sa.literal_column(str(level.value))


def _rollup(table: sa.Table, level: Level,
            below: sa.Table | None = None) -> Cells:
    """below: the finer cells that these ones are proved by."""
    kept = staging.plain(table)
    staged = staging.plain(table, f'{table.name}_staging')

    def of(samples: sa.FromClause) -> Columns:
        instant, volume = samples.c.timestamp, samples.c.volume
        return {'series_id': samples.c.series_id,
                'start': begin(level, instant),
                'count': sa.func.count(), 'sum': dialect.total(volume),
                'min': sa.func.min(volume), 'max': sa.func.max(volume),
                'first': sa.func.min(instant), 'last': sa.func.max(instant)}

    return Cells(
        table=kept, staged=staged, keys=('series_id', 'start'), of=of,
        level=level, source=(
            (sample, 'timestamp', of(sample)) if below is None
            else (below, 'start', _joined(below, level))),
        empty={'count': sa.literal(0, sa.BigInteger),
               'sum': sa.literal(Decimal(0), dialect.Quantity)},
        merged=lambda other: {
            'count': kept.c.count + other['count'],
            'sum': dialect.add(kept.c.sum, other['sum']),
            **_extremes(kept, other, ('min', 'first'), ('max', 'last'))})


def _joined(finer: sa.Table, level: Level) -> Columns:
    """Coarser cells out of finer ones."""
    of = finer.c
    return {'series_id': of.series_id, 'start': begin(level, of.start),
            # MariaDB's sum is a decimal.
            'count': sa.cast(sa.func.sum(of.count), sa.BigInteger),
            'sum': dialect.total(of.sum),
            'min': sa.func.min(of.min), 'max': sa.func.max(of.max),
            'first': sa.func.min(of.first), 'last': sa.func.max(of.last)}


def _spans(table: sa.Table) -> Cells:
    kept = staging.plain(table)
    staged = staging.plain(table, 'span_staging')

    def of(samples: sa.FromClause) -> Columns:
        return {'series_id': samples.c.series_id,
                'metadata_id': samples.c.metadata_id,
                'first': sa.func.min(samples.c.timestamp),
                'last': sa.func.max(samples.c.timestamp)}

    return Cells(
        table=kept, staged=staged, keys=('series_id', 'metadata_id'), of=of,
        source=(sample, 'timestamp', of(sample)),
        empty={'first': staged.c.first, 'last': staged.c.last},
        merged=lambda other: _extremes(kept, other, ('first',), ('last',)))


def _of_one(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """What an aggregate is of a single row."""
    if isinstance(column, sa.sql.functions.count):
        return sa.literal_column('1', sa.BigInteger)
    if isinstance(column, sa.sql.functions.FunctionElement):
        return next(iter(column.clauses))
    return column


def _extremes(kept: sa.Table, other: Columns, least: Sequence[str],
              most: Sequence[str]) -> Columns:
    return ({name: dialect.lesser(kept.c[name], other[name])
             for name in least}
            | {name: dialect.greater(kept.c[name], other[name])
               for name in most})


hours = _rollup(tables.rollup_hour, Level.HOUR)
days = _rollup(tables.rollup_day, Level.DAY)
#: Their days are kept when samples of theirs are dropped, and are far fewer.
months = _rollup(tables.rollup_month, Level.MONTH, below=days.table)
spans = _spans(tables.span)
#: All of them; who takes them in does so in this order.
CELLS = (hours, days, months, spans)
