# SPDX-License-Identifier: Apache-2.0
"""The sample store on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model import period, query
from moc_meter.model.sample import Refused, Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage import marks, quarantine
from moc_meter.storage.cache import Numbers
from moc_meter.storage.samples import (
    listing,
    raw,
    resources,
    rollups,
    seen,
    series,
    statistics,
)
from moc_meter.storage.samples.partitions import Partitions


class _Known:
    """What is remembered of one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.series: Numbers[tuple[Any, ...]] = Numbers()
        self.metadata: Numbers[bytes] = Numbers()
        self.partitions = Partitions(engine)


class _Reconnected(Exception):
    """What was known may be of another database than the one at hand."""


class SqlSampleStore:
    """See storage/samples/base.py. Threads may share one."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known = _Known(engine)
        # Whoever met the loss of the old connection, and whatever became of
        # that: behind a new one there may be another database, a restored
        # one or a standby, in which a number is that of another series.
        sa.event.listen(engine, 'connect', self._forget)

    def ping(self) -> None:
        transactions.check_schema(self._engine)

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        while True:
            try:
                return self._write(self._known, samples, now)
            except _Reconnected:
                continue
            except Exception:
                # It may have been reset, or a partition dropped.
                self._forget()
                raise

    def _forget(self, *_: object) -> None:
        self._known = _Known(self._engine)

    def _write(self, known: _Known, samples: Sequence[Sample],
               now: datetime.datetime) -> query.Written:
        rows = raw.rows(
            samples, series.numbers(self._engine, known.series, samples),
            resources.numbers(self._engine, known.metadata, samples), now)
        known.partitions.ensure({period.floor(sample.timestamp, period.DAY)
                                 for sample in samples})

        def work(conn: sa.Connection) -> query.Written:
            if known is not self._known:
                raise _Reconnected
            appended = raw.append(conn, rows)
            rollups.fold(conn)
            marks.append(conn, samples)
            if appended.conflicts:
                quarantine.put(conn, [
                    _conflict(sample) for sample, row in zip(
                        samples, rows, strict=True)
                    if raw.recorded(row) in appended.conflicts], now)
            return query.Written(tuple(map(appended.outcome, rows)))

        return transactions.transact(self._engine, work)

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        transactions.transact(
            self._engine, lambda conn: quarantine.put(conn, refused, now))

    def statistics(self, question: query.StatisticsQuestion
                   ) -> list[query.StatisticsRow]:
        return transactions.inquire(
            self._engine, lambda conn: statistics.answer(conn, question))

    def samples(self, selection: query.Selection, limit: int
                ) -> list[query.StoredSample]:
        return transactions.inquire(
            self._engine,
            lambda conn: listing.samples(conn, selection, limit))

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        return transactions.inquire(
            self._engine,
            lambda conn: listing.sample(conn, message_id, projects))

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False) -> list[query.MeterSeen]:
        return transactions.inquire(
            self._engine,
            lambda conn: seen.meters(conn, selection, limit, unique))

    def resources(self, selection: query.Selection, limit: int | None
                  ) -> list[query.ResourceSeen]:
        return transactions.inquire(
            self._engine, lambda conn: seen.resources(conn, selection, limit))


def _conflict(sample: Sample) -> Refused:
    return Refused(
        content=entry.write_sample(sample), code=errors.SampleConflict.code,
        reason=str(errors.SampleConflict(
            'a stored sample has the same identity and says something else',
            message_id=sample.message_id, meter=sample.meter,
            resource_id=sample.resource_id)),
        origin='store')
