# SPDX-License-Identifier: Apache-2.0
"""Writing raw samples: each once, however often it comes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Outcome
from moc_meter.model.sample import Sample, kept_id
from moc_meter.storage import dialect, staging
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import details
from moc_meter.storage.samples.cells import CELLS, Cells, fresh, sample
from moc_meter.storage.staging import Row

_KEYS = ('series_id', 'timestamp', 'key')
_SERIES, _TIMESTAMP, _KEY = range(3)
#: Rows that it pays to take for new ones until one is not.
_MANY = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """Where rows are kept: a table whose key is _KEYS, and its staging.

    recorded: when a row was, in microseconds since 1970; it tells the row from
        others of its batch, and is the one thing that a second delivery may
        say anew.
    cells: of the derived tables that what is inserted is taken into.
    """

    table: sa.Table
    staged: sa.Table
    recorded: Callable[[Row], int]
    cells: tuple[Cells, ...]


def keep(table: sa.Table, staged: sa.Table,
         cells: tuple[Cells, ...] = ()) -> Kept:
    return Kept(table=table, staged=staged, cells=cells,
                recorded=operator.itemgetter(
                    table.columns.keys().index('recorded_at')))


SAMPLES = keep(sample, fresh, CELLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of rows.

    fresh: recorded_at of those that were inserted.
    conflicts: recorded_at of those that say something else than what is kept
        under the same key.
    expired: recorded_at of those of a time whose samples were dropped.
    """

    fresh: frozenset[int]
    conflicts: frozenset[int]
    expired: frozenset[int]

    def outcome(self, recorded: int) -> Outcome:
        """What became of the row that was recorded at an instant."""
        if recorded in self.fresh:
            return Outcome.STORED
        if recorded in self.expired:
            return Outcome.EXPIRED
        return (Outcome.CONFLICT if recorded in self.conflicts
                else Outcome.DUPLICATE)


def row(one: Sample, series_id: int, metadata_id: int,
        recorded: int) -> Row:
    """The sample as a row; recorded: in microseconds since 1970."""
    key, other_id = kept_id(one.message_id)
    return (
        series_id, period.microseconds(one.timestamp), key, metadata_id,
        recorded, one.volume, other_id, details.pack(one))


def append(conn: sa.Connection, batch: Sequence[Row],
           kept: Kept = SAMPLES, border: int = 0) -> Appended:
    """Insert the rows that are missing and not too old; take them in.

    batch: in the order in which they came; the same may be there twice.
    border: rows before it are left out; see dropped.border().
    """
    timely = [row for row in batch if row[_TIMESTAMP] >= border]
    wanted = _firsts(timely)
    staging.fill(conn, kept.staged, wanted)
    insert = dialect.choose(conn, sqlite=_in_steps, postgresql=_at_once,
                            mariadb=_in_steps)
    new = insert(conn, wanted, kept)
    others = ([row for row in timely if kept.recorded(row) not in new]
              if len(new) < len(timely) else [])
    return Appended(
        fresh=new,
        conflicts=(_conflicts(conn, others, kept) if others
                   else frozenset()),
        expired=frozenset(kept.recorded(row) for row in batch
                          if row[_TIMESTAMP] < border))


def _firsts(rows: Sequence[Row]) -> Sequence[Row]:
    """The first row of each key."""
    if len({row[_KEY] for row in rows}) == len(rows):
        return rows
    first: dict[Row, Row] = {}
    for row in rows:
        first.setdefault(row[:3], row)
    return list(first.values())


def _in_steps(conn: sa.Connection, wanted: Sequence[Row],
              kept: Kept) -> frozenset[int]:
    """Insert what is staged and missing, and take that in.

    Returns recorded_at of what was inserted.
    """
    staged = kept.staged
    new = frozenset(conn.scalars(
        dialect.insert_missing(conn, kept.table, _ordered(staged))
        .returning(kept.table.c.recorded_at)))
    if len(new) != len(wanted):
        staging.fill(conn, staged, [row for row in wanted
                                    if kept.recorded(row) in new])
    for cells in kept.cells:
        cells.take_in(conn)
    return new


def _at_once(conn: sa.Connection, wanted: Sequence[Row],
             kept: Kept) -> frozenset[int]:
    """The same in one statement (PostgreSQL).

    Nearly always all of them are missing. To insert what might be there takes
    longer, so that is done only where one turned out to be; or where they are
    so few that a savepoint is not worth its while.
    """
    if len(wanted) < _MANY:
        return frozenset(transactions.scalar(conn, _missing(kept)) or ())
    single = len({row[_SERIES] for row in wanted}) == len(wanted)
    # Its end is that of the transaction: a statement less.
    transactions.run(conn, b'SAVEPOINT staged')
    try:
        transactions.scalar(conn, _all(kept, single))
    except psycopg.IntegrityError:
        transactions.run(conn, b'ROLLBACK TO SAVEPOINT staged')
        return frozenset(transactions.scalar(conn, _missing(kept)) or ())
    return frozenset(map(kept.recorded, wanted))


def _ordered(staged: sa.Table) -> sa.Select[Any]:
    """By their keys, or two writers could wait for each other."""
    return sa.select(*staged.columns).order_by(
        *(staged.c[key] for key in _KEYS))


@functools.cache
def _all(kept: Kept, single: bool) -> sa.Select[Any]:
    staged = kept.staged
    inserted = sa.insert(kept.table).from_select(
        staged.columns.keys(), _ordered(staged)).cte('new')
    # PostgreSQL runs the last of them first: the samples, as _missing() does,
    # or the two could wait for each other.
    return sa.select(sa.literal_column('1')).add_cte(
        *(cells.taking_in(staged, single) for cells in kept.cells), inserted)


@functools.cache
def _missing(kept: Kept) -> sa.Select[Any]:
    new = dialect.insert_missing_as('new', kept.table, _ordered(kept.staged))
    return sa.select(sa.func.array_agg(new.c.recorded_at)).add_cte(
        *(cells.taking_in(new) for cells in kept.cells))


def _conflicts(conn: sa.Connection, rows: Sequence[Row],
               kept: Kept) -> frozenset[int]:
    """recorded_at of those rows that differ from what is kept.

    Each must be kept by now; MariaDB's IGNORE would leave one out for another
    reason than its key without a word.
    """
    table, staged = kept.table, kept.staged
    staging.fill(conn, staged, rows)
    said = [column.name for column in table.columns
            if column.name not in (*_KEYS, 'recorded_at')]
    differs = sa.or_(*(table.c[name].is_distinct_from(staged.c[name])
                       for name in said))
    missing = table.c.recorded_at.is_(None)
    found = conn.execute(
        sa.select(staged.c.recorded_at, missing.label('missing'))
        .select_from(staged.outerjoin(table, sa.and_(*(
            table.c[key] == staged.c[key] for key in _KEYS))))
        .where(sa.or_(missing, differs))).all()
    lost = [row for row in found if row.missing]
    if lost:
        raise RuntimeError(
            f'{len(lost)} samples were neither stored nor there')
    return frozenset(row.recorded_at for row in found)
