# SPDX-License-Identifier: Apache-2.0
"""Writing raw samples: each once, however often it comes."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Outcome
from moc_meter.model.sample import Sample, is_ours
from moc_meter.storage import dialect, staging
from moc_meter.storage.samples.cells import CELLS, Cells, fresh, sample
from moc_meter.storage.staging import Row

_KEYS = ('series_id', 'timestamp', 'key')
_TIMESTAMP = 1


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
    return (
        series_id, period.microseconds(one.timestamp), one.key, one.volume,
        metadata_id, recorded,
        None if is_ours(one.message_id) else one.message_id, one.sequence,
        *(map(period.microseconds, one.interval) if one.interval
          else (None, None)),
        one.counter_start and period.microseconds(one.counter_start),
        one.rounded or None)


def append(conn: sa.Connection, batch: Sequence[Row],
           kept: Kept = SAMPLES, border: int = 0) -> Appended:
    """Insert the rows that are missing and not too old; take them in.

    batch: in the order in which they came; the same may be there twice.
    border: rows before it are left out; see dropped.border().
    """
    timely = [row for row in batch if row[_TIMESTAMP] >= border]
    first: dict[Row, Row] = {}
    for row in timely:
        first.setdefault(row[:3], row)
    wanted = list(first.values())
    staging.fill(conn, kept.staged, wanted)
    insert = dialect.choose(conn, sqlite=_in_steps, postgresql=_at_once,
                            mariadb=_in_steps)
    new = insert(conn, wanted, kept)
    others = [row for row in timely if kept.recorded(row) not in new]
    return Appended(
        fresh=new,
        conflicts=(_conflicts(conn, others, kept) if others
                   else frozenset()),
        expired=frozenset(kept.recorded(row) for row in batch
                          if row[_TIMESTAMP] < border))


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


def _at_once(conn: sa.Connection, _wanted: Sequence[Row],
             kept: Kept) -> frozenset[int]:
    """The same in one statement."""
    return frozenset(conn.scalar(_statement(kept)) or ())


def _ordered(staged: sa.Table) -> sa.Select[Any]:
    """By their keys, or two writers could wait for each other."""
    return sa.select(*staged.columns).order_by(
        *(staged.c[key] for key in _KEYS))


@functools.cache
def _statement(kept: Kept) -> sa.Select[Any]:
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
