# SPDX-License-Identifier: Apache-2.0
"""The sample store on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model import period, query
from moc_meter.model.events import EventSelection
from moc_meter.model.expression import Expression, Order
from moc_meter.model.sample import Refused, Sample
from moc_meter.model.traits import TraitType
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation, marks, quarantine
from moc_meter.storage.cache import Numbers
from moc_meter.storage.samples import (
    dropped,
    events,
    happened,
    history,
    holes,
    listing,
    matching,
    plan,
    raw,
    resources,
    retention,
    seen,
    series,
    statistics,
)
from moc_meter.storage.samples.partitions import Partitions
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.staging import Row

#: What a transaction does with samples whose rows are numbered.
_Work = Callable[[sa.Connection, Sequence[Row]], query.Written]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a process remembers of one generation of the database."""

    generation: int
    partitions: Partitions
    series: Numbers[tuple[Any, ...]] = field(default_factory=Numbers)
    metadata: Numbers[bytes] = field(default_factory=Numbers)


class _Outdated(Exception):
    """What was known may be of another database than the one at hand."""


class SqlSampleStore:
    """See storage/samples/base.py. Threads may share one.

    It is made before any of them uses its engine.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known: _Known | None = None
        # Whoever met the loss of the old connection, and whatever became of
        # that: behind a new one there may be another database, a restored
        # one or a standby, in which a number is that of another series.
        sa.event.listen(engine, 'connect', self._forget)

    def ping(self) -> None:
        transactions.check_schema(self._engine)

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        def work(conn: sa.Connection, rows: Sequence[Row]) -> query.Written:
            written = _append(conn, rows, samples)
            quarantine.put(conn, [
                _set_aside(sample, outcome) for sample, outcome in zip(
                    samples, written.outcomes, strict=True)
                if outcome in _REFUSALS], now)
            return written

        return self._write(samples, now, work)

    def write_whole(self, samples: Sequence[Sample],
                    now: datetime.datetime) -> None:
        self._write(samples, now, lambda conn, rows: _append_whole(
            conn, rows, samples))

    def release(self, number: int, samples: Sequence[Sample],
                now: datetime.datetime) -> query.Written:
        """Keep the samples of a row of quarantine, which leaves it thereby.

        Raises NotFound where the row is gone, SampleConflict where a stored
        sample has the identity of one of these and says something else,
        SampleTooOld where samples of its time were dropped; then nothing has
        changed.
        """
        def work(conn: sa.Connection, rows: Sequence[Row]) -> query.Written:
            if not quarantine.remove(conn, number):
                raise errors.NotFound('no such row in quarantine', id=number)
            return _append_whole(conn, rows, samples)

        return self._write(samples, now, work)

    def _write(self, samples: Sequence[Sample], now: datetime.datetime,
               work: _Work) -> query.Written:
        """Number what the samples say, and do the work with their rows."""
        while True:
            try:
                known = self._known = self._known or self._begin()
                return self._transact(known, samples, now, work)
            except _Outdated:
                self._forget()
            except Exception:
                # The database may be another one than before; see Numbers.
                self._forget()
                raise

    def _forget(self, *_: object) -> None:
        self._known = None

    def _begin(self) -> _Known:
        """Before any number is read, or it could be of the one before."""
        return _Known(transactions.transact(self._engine, generation.held),
                      Partitions(self._engine))

    def _transact(self, known: _Known, samples: Sequence[Sample],
                  now: datetime.datetime, work: _Work) -> query.Written:
        measured = [sample for sample in samples if not sample.is_event]
        numbers = series.numbers(self._engine, known.series, samples)
        metadata = iter(resources.numbers(self._engine, known.metadata,
                                          measured))
        first = period.microseconds(now)
        rows = [
            events.row(sample, number, first + place) if sample.is_event
            else raw.row(sample, number, next(metadata), first + place)
            for place, (sample, number) in enumerate(
                zip(samples, numbers, strict=True))]
        known.partitions.ensure({sample.timestamp.date()
                                 for sample in measured})

        def checked(conn: sa.Connection) -> query.Written:
            if (known is not self._known
                    or generation.held(conn) != known.generation):
                raise _Outdated
            return work(conn, rows)

        return transactions.transact(self._engine, checked)

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        transactions.transact(
            self._engine, lambda conn: quarantine.put(conn, refused, now))

    def statistics(self, question: query.StatisticsQuestion
                   ) -> list[query.StatisticsRow]:
        def answer(conn: sa.Connection) -> tuple[
                query.StatisticsQuestion, list[query.StatisticsRow]]:
            dated = statistics.dated(conn, question)
            return dated, statistics.answer(conn, dated)

        # The origin would be a question of its own.
        is_dated = question.period is None or question.origin is not None
        read = transactions.ask if is_dated else transactions.inquire
        dated, rows = read(self._engine, answer)
        if any(part.level is Level.RAW for part in plan.parts(dated)):
            transactions.inquire(
                self._engine, lambda conn: holes.in_statistics(conn, dated))
        return rows

    def samples(self, selection: query.Selection, limit: int, *,
                where: Expression | None = None, sort: Order = (),
                after: query.StoredSample | None = None
                ) -> list[query.StoredSample]:
        return transactions.inquire(
            self._engine,
            lambda conn: listing.samples(conn, selection, limit, where=where,
                                         sort=sort, after=after))

    def check_expression(self, pattern: str) -> None:
        transactions.inquire(
            self._engine, lambda conn: matching.check(conn, pattern))

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        return transactions.inquire(
            self._engine,
            lambda conn: listing.sample(conn, message_id, projects))

    def events(self, selection: EventSelection, limit: int,
               after: query.StoredSample | None = None
               ) -> list[query.StoredSample]:
        return transactions.inquire(
            self._engine,
            lambda conn: happened.listed(conn, selection, limit, after))

    def event_types(self) -> list[str]:
        return transactions.inquire(self._engine, happened.types)

    def trait_types(self, event_type: str) -> list[tuple[str, TraitType]]:
        return transactions.inquire(
            self._engine,
            lambda conn: happened.trait_types(conn, event_type))

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False, after: query.MeterSeen | None = None
               ) -> list[query.MeterSeen]:
        found = transactions.inquire(
            self._engine,
            lambda conn: seen.meters(conn, selection, limit, unique, after))
        self._check_spans(selection)
        return found

    def resources(self, selection: query.Selection, limit: int | None,
                  after: str | None = None) -> list[query.ResourceSeen]:
        found = transactions.inquire(
            self._engine,
            lambda conn: seen.resources(conn, selection, limit, after))
        self._check_spans(selection)
        return found

    def history(self, selection: query.Selection, limit: int
                ) -> list[query.ResourceState]:
        return transactions.inquire(
            self._engine,
            lambda conn: history.states(conn, selection, limit))

    def values(self, field: query.Field, selection: query.Selection,
               limit: int | None, after: str | None = None) -> list[str]:
        found = transactions.inquire(
            self._engine,
            lambda conn: seen.values(conn, field, selection, limit, after))
        self._check_spans(selection)
        return found

    def _check_spans(self, selection: query.Selection) -> None:
        if plan.bounds(selection) != (None, None):
            transactions.inquire(
                self._engine, lambda conn: holes.in_spans(conn, selection))

    def expire(self, level: query.RetentionLevel, until: datetime.datetime,
               now: datetime.datetime, by: str,
               stop: threading.Event) -> int:
        return retention.expire(self._engine, level, until, now, by, stop)


def _append(conn: sa.Connection, rows: Sequence[Row],
            samples: Sequence[Sample]) -> query.Written:
    """Events and samples to their tables, and all that follows of these."""
    both = list(zip(samples, rows, strict=True))
    measured = raw.append(
        conn, [row for sample, row in both if not sample.is_event],
        border=dropped.border(conn))
    occurred = events.append(
        conn, [(sample, row) for sample, row in both if sample.is_event])
    written = query.Written(tuple(
        occurred.outcome(events.EVENTS.recorded(row)) if sample.is_event
        else measured.outcome(raw.SAMPLES.recorded(row))
        for sample, row in both))
    marks.append(conn, [sample for sample, outcome in zip(
        samples, written.outcomes, strict=True)
        if not sample.is_event and outcome is not query.Outcome.EXPIRED])
    return written


def _append_whole(conn: sa.Connection, rows: Sequence[Row],
                  samples: Sequence[Sample]) -> query.Written:
    """All of them; raises what the first is refused with."""
    written = _append(conn, rows, samples)
    for sample, outcome in zip(samples, written.outcomes, strict=True):
        if outcome in _REFUSALS:
            raise _refusal(sample, outcome)
    return written


#: What does not stay, and why.
_REFUSALS: Mapping[query.Outcome, tuple[type[errors.MeterError], str]] = {
    query.Outcome.CONFLICT: (
        errors.SampleConflict,
        'a stored sample has the same identity and says something else'),
    query.Outcome.EXPIRED: (
        errors.SampleTooOld,
        'samples of its time have been dropped, and it may be one of them')}


def _refusal(sample: Sample, outcome: query.Outcome) -> errors.MeterError:
    error, sentence = _REFUSALS[outcome]
    return error(sentence, message_id=sample.message_id, meter=sample.meter,
                 resource_id=sample.resource_id,
                 timestamp=sample.timestamp.isoformat())


def _set_aside(sample: Sample, outcome: query.Outcome) -> Refused:
    refusal = _refusal(sample, outcome)
    return Refused(content=entry.write_sample(sample), code=refusal.code,
                   reason=str(refusal), origin='store')
