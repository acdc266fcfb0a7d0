# SPDX-License-Identifier: Apache-2.0
"""Writing raw samples: each once, however often it comes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Outcome
from moc_meter.model.sample import Sample, is_ours
from moc_meter.storage import dialect, staging
from moc_meter.storage.samples.cells import fresh as staged
from moc_meter.storage.samples.cells import sample as table
from moc_meter.storage.staging import Row

_KEYS = ('series_id', 'timestamp', 'key')
#: When a sample was recorded tells its row from others of the batch, and is
#: the one thing that a second delivery may say anew.
_RECORDED = table.columns.keys().index('recorded_at')


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What became of rows.

    fresh: recorded_at of those that were inserted; they are left in the
        staging table.
    conflicts: recorded_at of those that say something else than what is kept
        under the same key.
    """

    fresh: frozenset[int]
    conflicts: frozenset[int]

    def outcome(self, row: Row) -> Outcome:
        """What became of one of the rows."""
        if recorded(row) in self.fresh:
            return Outcome.STORED
        return (Outcome.CONFLICT if recorded(row) in self.conflicts
                else Outcome.DUPLICATE)


def rows(samples: Sequence[Sample], series: Sequence[int],
         metadata: Sequence[int], now: datetime.datetime) -> list[Row]:
    """The samples as rows; recorded now, plus the place in microseconds."""
    first = period.microseconds(now)
    return [
        (series_id, period.microseconds(one.timestamp), one.key, one.volume,
         metadata_id, first + place,
         None if is_ours(one.message_id) else one.message_id, one.sequence,
         *(map(period.microseconds, one.interval) if one.interval
           else (None, None)),
         one.counter_start and period.microseconds(one.counter_start),
         one.rounded or None)
        for place, (one, series_id, metadata_id) in enumerate(
            zip(samples, series, metadata, strict=True))]


def append(conn: sa.Connection, batch: Sequence[Row]) -> Appended:
    """Insert the rows that are missing.

    batch: in the order in which they came; the same may be there twice.
    """
    first: dict[Row, Row] = {}
    for row in batch:
        first.setdefault(row[:3], row)
    wanted = list(first.values())
    staging.fill(conn, staged, wanted)
    # In the order of their keys, or two writers could wait for each other.
    new = frozenset(conn.scalars(dialect.insert_missing(
        conn, table, sa.select(*staged.columns).order_by(
            *(staged.c[key] for key in _KEYS)))
        .returning(table.c.recorded_at)))
    others = [row for row in batch if recorded(row) not in new]
    conflicts: frozenset[int] = frozenset()
    if others:
        conflicts = _conflicts(conn, others)
        staging.fill(conn, staged, [row for row in wanted
                                    if recorded(row) in new])
    return Appended(fresh=new, conflicts=conflicts)


def recorded(row: Row) -> int:
    """What tells a row from others of its batch."""
    instant: int = row[_RECORDED]
    return instant


def _conflicts(conn: sa.Connection, rows: Sequence[Row]) -> frozenset[int]:
    """recorded_at of those rows that differ from what is kept.

    Each must be kept by now; MariaDB's IGNORE would leave one out for another
    reason than its key without a word.
    """
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
