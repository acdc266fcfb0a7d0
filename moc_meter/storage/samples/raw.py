# SPDX-License-Identifier: Apache-2.0
"""Writing raw samples: each once, however often it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Outcome
from moc_meter.model.sample import Sample, is_ours
from moc_meter.storage import dialect, staging
from moc_meter.storage.samples.cells import fresh, sample
from moc_meter.storage.staging import Row

_KEYS = ('series_id', 'timestamp', 'key')
_TIMESTAMP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where rows are kept: a table whose key is _KEYS, and its staging.

    When a row was recorded tells it from others of its batch, and is the one
    thing that a second delivery may say anew.
    """

    table: sa.Table
    staged: sa.Table

    def recorded(self, row: Row) -> int:
        """When it was, in microseconds since 1970."""
        instant: int = row[self.table.columns.keys().index('recorded_at')]
        return instant


SAMPLES = Kept(table=sample, staged=fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of rows.

    fresh: recorded_at of those that were inserted; they are left in the
        staging table.
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
    """Insert the rows that are missing and not too old.

    batch: in the order in which they came; the same may be there twice.
    border: rows before it are left out; see dropped.border().
    """
    timely = [row for row in batch if row[_TIMESTAMP] >= border]
    first: dict[Row, Row] = {}
    for row in timely:
        first.setdefault(row[:3], row)
    wanted = list(first.values())
    table, staged = kept.table, kept.staged
    staging.fill(conn, staged, wanted)
    # In the order of their keys, or two writers could wait for each other.
    new = frozenset(conn.scalars(dialect.insert_missing(
        conn, table, sa.select(*staged.columns).order_by(
            *(staged.c[key] for key in _KEYS)))
        .returning(table.c.recorded_at)))
    others = [row for row in timely if kept.recorded(row) not in new]
    conflicts: frozenset[int] = frozenset()
    if others:
        conflicts = _conflicts(conn, others, kept)
        staging.fill(conn, staged, [row for row in wanted
                                    if kept.recorded(row) in new])
    return Appended(fresh=new, conflicts=conflicts, expired=frozenset(
        kept.recorded(row) for row in batch if row[_TIMESTAMP] < border))


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
