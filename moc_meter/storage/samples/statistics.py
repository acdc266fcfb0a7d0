# SPDX-License-Identifier: Apache-2.0
"""Exact statistics of selected samples, out of rollups and raw samples."""

from __future__ import annotations

import dataclasses
import datetime
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Selection, StatisticsQuestion, StatisticsRow
from moc_meter.model.statistics import Statistics
from moc_meter.storage.samples import plan, select, statement
from moc_meter.storage.samples.cells import months
from moc_meter.storage.samples.plan import Level, Part, Periods

#: Columns of a row: the unit, the bucket, the groups; then the figures.
_GROUPS = 2


def answer(conn: sa.Connection,
           question: StatisticsQuestion) -> list[StatisticsRow]:
    """The rows that have samples, by period, then group, then unit.

    One statement, whatever the number of periods; its cost follows the cells
    and samples in range. One more finds the origin where none is given, and
    MariaDB is asked for the numbers of the series before, see dialect.ids().
    """
    question = dated(conn, question)
    if question.period is not None and question.origin is None:
        return []
    parts = plan.parts(question)
    if not parts:
        return []
    return _rows(conn, question, parts)


def dated(conn: sa.Connection,
          question: StatisticsQuestion) -> StatisticsQuestion:
    """The question with its origin; it has none where nothing is selected."""
    if question.period is None or question.origin is not None:
        return question
    return dataclasses.replace(
        question, origin=_earliest(conn, question.selection))


def _rows(conn: sa.Connection, question: StatisticsQuestion,
          parts: list[Part]) -> list[StatisticsRow]:
    rows = statement.rows(conn, question, parts)
    question.check(len(rows))
    fields = [*(field.value for field in question.group_by),
              *question.group_by_metadata]
    periods = plan.periods(question)
    # Sorted here: the databases disagree about the place of null.
    return [_row(question, fields, periods, row) for row in sorted(
        rows, key=_order(len(fields)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one cell, or one edge of raw samples, gave to an answer.

    start, end: of the cell in microseconds since 1970, or of the edge, where
        None is no bound.
    read, raw: what was read, and what the raw samples alone say; None where
        there is nothing.
    """

    level: Level
    start: int | None
    end: int | None
    unit: str
    read: Statistics | None
    raw: Statistics | None


def sources(conn: sa.Connection, selection: Selection) -> list[Source]:
    """Where the statistics of the selected samples come from, by instant."""
    return [source for part in plan.parts(StatisticsQuestion(
                selection=selection))
            for piece in _by_month(conn, selection, part)
            for source in _sources(conn, selection, piece)]


def _by_month(conn: sa.Connection, selection: Selection,
              part: Part) -> Iterator[Part]:
    """A part of months as one for each month; another one as it is.

    Periods are of equal length, so no question is about each of them.
    """
    if part.level is not Level.MONTH:
        yield part
        return
    of = months.table.c
    starts = set(conn.scalars(sa.select(of.start).distinct().where(
        of.series_id.in_(select.series_ids(conn, selection)),
        *select.within(of.start, part.start, part.end))))
    for row in _rows(conn, StatisticsQuestion(selection=selection),
                     [dataclasses.replace(part, level=Level.RAW)]):
        start, last = map(period.microseconds, (
            row.statistics.first, row.statistics.last))
        while (start := Level.MONTH.floor(start)) <= last:
            starts.add(start)
            start = Level.MONTH.end(start)
    for start in sorted(starts):
        yield Part(part.level, start, Level.MONTH.end(start))


def _sources(conn: sa.Connection, selection: Selection,
             part: Part) -> Iterator[Source]:
    question = StatisticsQuestion(selection=selection)
    if part.level in (Level.DAY, Level.HOUR):
        question = dataclasses.replace(
            question, origin=period.EPOCH,
            period=part.level * period.MICROSECOND)
    read, raw = (
        {(row.period_start, row.unit): row.statistics for row in _rows(
            conn, question, [Part(level, part.start, part.end)])}
        for level in (part.level, Level.RAW))
    for start, unit in sorted(read.keys() | raw.keys(), key=lambda key: (
            key[0] or period.EPOCH, key[1])):
        first = part.start if start is None else period.microseconds(start)
        yield Source(
            level=part.level, start=first, unit=unit,
            end=(part.end if start is None or first is None
                 else first + part.level),
            read=read.get((start, unit)), raw=raw.get((start, unit)))


def _earliest(conn: sa.Connection,
              selection: Selection) -> datetime.datetime | None:
    rows = answer(conn, StatisticsQuestion(selection=selection))
    return min((row.statistics.first for row in rows), default=None)


def _order(groups: int) -> Callable[[Sequence[Any]], Any]:
    """Where a row stands; of groups, what has none before what has one."""
    if not groups:
        return operator.itemgetter(1, 0)
    return lambda row: (row[1], [
        (value is not None, value or '')
        for value in row[_GROUPS:_GROUPS + groups]], row[0])


def _row(question: StatisticsQuestion, fields: list[str],
         periods: Periods | None, row: Sequence[Any]) -> StatisticsRow:
    unit, bucket, *said = row
    count, total, low, high, first, last, *others = said[len(fields):]
    return StatisticsRow(
        unit=unit, group=dict(zip(fields, said, strict=False)),
        period_start=None if periods is None else periods.start(int(bucket)),
        statistics=Statistics(int(count), total, low, high,
                              period.instant(first), period.instant(last)),
        squares=others.pop(0) if question.squares else None,
        cardinality=dict(zip(question.cardinality, others, strict=True)))
