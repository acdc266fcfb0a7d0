# SPDX-License-Identifier: Apache-2.0
"""Dropping samples and events by age, and the journal of it.

Of samples only the raw ones go: rollups, spans and all that was derived stay
as they are; events go with their traits. A drop that was interrupted is
finished by the next one: the border was kept before the first one went, and
dropping again does no harm.
"""

from __future__ import annotations

import datetime
import functools
import threading
import time
from dataclasses import dataclass

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Expiry, RetentionLevel
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import dropped, events, partitions
from moc_meter.storage.samples.cells import days, sample

_journal = dropped.journal
#: Rows of samples or events that one transaction deletes.
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the journal: [since, until) is to be dropped."""

    id: int
    since: int      # microseconds since 1970, as is the other
    until: int


def expire(engine: sa.Engine, level: RetentionLevel,
           until: datetime.datetime, now: datetime.datetime, by: str,
           stop: threading.Event) -> int:
    """Drop what is before ``until``; how many they were.

    until: a border of UTC days; where more is dropped already, only what was
        left unfinished is done.
    by: who it is that drops, for the journal.
    stop: where it is set, the next one goes on after the batch in hand.
    now: when it begins; when it is finished is told by what passes since.
    Raises StoreUnavailable where others are in the way; nothing is lost.
    """
    begun = time.monotonic_ns()
    transactions.transact(engine, functools.partial(
        _decide, level=level, until=until, now=now, by=by))
    drop = {RetentionLevel.SAMPLES: _drop_samples,
            RetentionLevel.EVENTS: _drop_events}[level]
    total = 0
    for line in transactions.inquire(engine, functools.partial(
            _unfinished, level=level)):
        drop(engine, line, stop)
        if stop.is_set():
            break
        passed = (time.monotonic_ns() - begun) // 1000 * period.MICROSECOND
        total += transactions.transact(engine, functools.partial(
            _finish, level=level, line=line, now=now + passed))
    return total


def expirable(engine: sa.Engine, level: RetentionLevel,
              until: datetime.datetime) -> int:
    """How many samples or events expire() would drop."""
    border = period.microseconds(until)

    def work(conn: sa.Connection) -> int:
        if level is RetentionLevel.EVENTS:
            return events.count(conn, border)
        since = conn.scalar(sa.select(sa.func.max(_journal.c.until)).where(
            _journal.c.level == level, _journal.c.finished_at.is_not(None)))
        return _count(conn, int(since or 0), border)
    return transactions.inquire(engine, work)


def journal(engine: sa.Engine) -> list[Expiry]:
    """What was dropped, oldest first."""
    def work(conn: sa.Connection) -> list[Expiry]:
        return [Expiry(
            level=RetentionLevel(row.level),
            until=period.instant(row.until), by=row.by,
            decided_at=period.instant(row.decided_at),
            finished_at=(None if row.finished_at is None
                         else period.instant(row.finished_at)),
            dropped=row.dropped)
            for row in conn.execute(sa.select(_journal).order_by(
                _journal.c.until, _journal.c.id))]
    return transactions.inquire(engine, work)


def _decide(conn: sa.Connection, level: RetentionLevel,
            until: datetime.datetime, now: datetime.datetime,
            by: str) -> None:
    """Move the border, if it is to be moved."""
    if dropped.border(conn, level) >= period.microseconds(until):
        return
    if level is RetentionLevel.SAMPLES:
        partitions.lock(conn)
    generation.alone(conn)
    if dropped.border(conn, level) < period.microseconds(until):
        conn.execute(sa.insert(_journal).values(
            level=level, until=period.microseconds(until), by=by,
            decided_at=period.microseconds(now), dropped=0))


def _unfinished(conn: sa.Connection, level: RetentionLevel) -> list[_Line]:
    """What is decided, but perhaps not wholly done, oldest first."""
    of = _journal.c
    before = sa.func.lag(of.until).over(order_by=of.until)
    lines = sa.select(
        of.id, sa.func.coalesce(before, 0).label('since'), of.until,
        of.finished_at).where(of.level == level).subquery()
    return [_Line(row.id, row.since, row.until)
            for row in conn.execute(
                sa.select(lines).where(lines.c.finished_at.is_(None))
                .order_by(lines.c.until))]


def _finish(conn: sa.Connection, level: RetentionLevel, line: _Line,
            now: datetime.datetime) -> int:
    """Say in the journal how many went.

    Of samples their days' rollups know, since nothing comes to them any
    more; events were counted as they went.
    """
    this = _journal.c.id == line.id
    known = ({'dropped': _count(conn, line.since, line.until)}
             if level is RetentionLevel.SAMPLES else {})
    conn.execute(sa.update(_journal).where(this).values(
        finished_at=period.microseconds(now), **known))
    return int(conn.scalars(sa.select(_journal.c.dropped).where(this)).one())


def _count(conn: sa.Connection, since: int, until: int) -> int:
    of = days.table.c
    return int(conn.scalar(sa.select(sa.func.sum(of.count)).where(
        of.start >= since, of.start < until)) or 0)


def _drop_samples(engine: sa.Engine, line: _Line,
                  stop: threading.Event) -> None:
    if partitions.drop(engine, period.instant(line.until), stop):
        for series in transactions.inquire(engine, functools.partial(
                _batches, line=line)):
            while not stop.is_set() and transactions.transact(
                    engine, functools.partial(_delete_samples, series=series,
                                              until=line.until)):
                pass


def _batches(conn: sa.Connection, line: _Line) -> list[list[int]]:
    """Series that together have no more old samples than a batch.

    One that has more by itself is alone.
    """
    of = days.table.c
    batches: list[list[int]] = []
    room = 0
    for series, samples in conn.execute(
            sa.select(of.series_id, sa.func.sum(of.count))
            .where(of.start >= line.since, of.start < line.until)
            .group_by(of.series_id).order_by(of.series_id)):
        if samples > room:
            batches.append([])
            room = _BATCH
        batches[-1].append(series)
        room -= int(samples)
    return batches


def _delete_samples(conn: sa.Connection, series: list[int],
                    until: int) -> bool:
    """Delete the first samples of these series; whether more are left."""
    of = sample.c
    old = [of.series_id.in_(series), of.timestamp < until]
    next_batch = conn.scalar(sa.select(of.timestamp).where(*old)
                             .order_by(of.timestamp).offset(_BATCH).limit(1))
    # Of one instant all go at once: the key of a series and an instant.
    limit = [] if next_batch is None else [of.timestamp <= next_batch]
    conn.execute(sa.delete(sample).where(*old, *limit))
    return next_batch is not None


def _drop_events(engine: sa.Engine, line: _Line,
                 stop: threading.Event) -> None:
    while not stop.is_set() and transactions.transact(
            engine, functools.partial(_delete_events, line=line)):
        pass


def _delete_events(conn: sa.Connection, line: _Line) -> bool:
    """Delete the oldest events, and count them; whether there were any."""
    gone = events.delete(conn, line.until, _BATCH)
    if gone:
        conn.execute(sa.update(_journal).where(_journal.c.id == line.id)
                     .values(dropped=_journal.c.dropped + gone))
    return gone is not None
