# SPDX-License-Identifier: Apache-2.0
"""Dropping samples by age, and the journal of it.

Only raw samples go: rollups, spans and all that was derived stay as they
are. A drop that was interrupted is finished by the next one: the border was
kept before the first sample went, and dropping again does no harm.
"""

from __future__ import annotations

import datetime
import functools

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Expiry
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import dropped, partitions
from moc_meter.storage.samples.cells import days, sample

_journal = dropped.journal
#: Samples that one transaction deletes, where there are no partitions.
_BATCH = 5000


def expire(engine: sa.Engine, until: datetime.datetime,
           now: datetime.datetime, by: str) -> int:
    """Drop the samples before ``until``; how many they were.

    until: a border of UTC days; where more is dropped already, only what was
        left unfinished is done.
    by: who it is that drops, for the journal.
    Raises StoreUnavailable where others are in the way; nothing is lost.
    """
    transactions.transact(engine, functools.partial(
        _decide, until=until, now=now, by=by))
    since, border = transactions.inquire(engine, _unfinished)
    if since == border:
        return 0
    if partitions.drop(engine, period.instant(border)):
        for series in transactions.inquire(engine, functools.partial(
                _series, since=since, until=border)):
            while transactions.transact(engine, functools.partial(
                    _delete, series=series, until=border)):
                pass
    return transactions.transact(engine, functools.partial(_finish, now=now))


def expirable(engine: sa.Engine, until: datetime.datetime) -> int:
    """How many samples expire() would drop."""
    def work(conn: sa.Connection) -> int:
        since, _ = _unfinished(conn)
        return _count(conn, since, period.microseconds(until))
    return transactions.inquire(engine, work)


def journal(engine: sa.Engine) -> list[Expiry]:
    """What was dropped, oldest first."""
    def work(conn: sa.Connection) -> list[Expiry]:
        return [Expiry(
            until=period.instant(row.until), by=row.by,
            decided_at=period.instant(row.decided_at),
            finished_at=(None if row.finished_at is None
                         else period.instant(row.finished_at)),
            samples=row.samples)
            for row in conn.execute(
                sa.select(_journal).order_by(_journal.c.until))]
    return transactions.inquire(engine, work)


def _decide(conn: sa.Connection, until: datetime.datetime,
            now: datetime.datetime, by: str) -> None:
    """Move the border, if it is to be moved."""
    if dropped.border(conn) >= period.microseconds(until):
        return
    partitions.lock(conn)
    generation.alone(conn)
    if dropped.border(conn) < period.microseconds(until):
        conn.execute(sa.insert(_journal).values(
            until=period.microseconds(until), by=by,
            decided_at=period.microseconds(now)))


def _unfinished(conn: sa.Connection) -> tuple[int, int]:
    """[since, border) is dropped, but perhaps not wholly."""
    since = conn.scalar(sa.select(sa.func.max(_journal.c.until)).where(
        _journal.c.finished_at.is_not(None)))
    return int(since or 0), dropped.border(conn)


def _finish(conn: sa.Connection, now: datetime.datetime) -> int:
    """Say in the journal how many samples went.

    Their days' rollups know, since nothing comes to them any more.
    """
    since, _ = _unfinished(conn)
    total = 0
    for number, until in conn.execute(
            sa.select(_journal.c.id, _journal.c.until)
            .where(_journal.c.finished_at.is_(None))
            .order_by(_journal.c.until)).all():
        samples = _count(conn, since, until)
        conn.execute(sa.update(_journal).where(_journal.c.id == number)
                     .values(finished_at=period.microseconds(now),
                             samples=samples))
        since, total = until, total + samples
    return total


def _count(conn: sa.Connection, since: int, until: int) -> int:
    of = days.table.c
    return int(conn.scalar(sa.select(sa.func.sum(of.count)).where(
        of.start >= since, of.start < until)) or 0)


def _series(conn: sa.Connection, since: int, until: int) -> list[int]:
    of = days.table.c
    return list(conn.scalars(sa.select(of.series_id).distinct().where(
        of.start >= since, of.start < until).order_by(of.series_id)))


def _delete(conn: sa.Connection, series: int, until: int) -> int:
    """Delete the first samples of a series; how many they were."""
    of = sample.c
    old = [of.series_id == series, of.timestamp < until]
    next_batch = conn.scalar(sa.select(of.timestamp).where(*old)
                             .order_by(of.timestamp).offset(_BATCH).limit(1))
    # Of one instant all go at once: the key of a series and an instant.
    limit = [] if next_batch is None else [of.timestamp <= next_batch]
    return conn.execute(sa.delete(sample).where(*old, *limit)).rowcount
