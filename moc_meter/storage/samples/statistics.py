# SPDX-License-Identifier: Apache-2.0
"""Exact statistics of selected samples, out of rollups and raw samples."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import Selection, StatisticsQuestion, StatisticsRow
from moc_meter.model.statistics import Statistics
from moc_meter.storage import dialect
from moc_meter.storage.samples import plan, select
from moc_meter.storage.samples.cells import days, hours, sample
from moc_meter.storage.samples.plan import Level, Part, Periods
from moc_meter.storage.tables import samples as tables

_CELLS = {Level.DAY: days.table, Level.HOUR: hours.table}


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
    statement = _statement(conn, question, parts)
    if question.most is not None:
        statement = statement.limit(question.most + 1)
    rows = conn.execute(statement).all()
    question.check(len(rows))
    fields = [*(field.value for field in question.group_by),
              *question.group_by_metadata]
    # Sorted here: the databases disagree about the place of null.
    return [_row(question, fields, row) for row in sorted(
        rows, key=lambda row: (row.bucket, _order(row, len(fields)),
                               row.unit))]


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
            for source in _sources(conn, selection, part)]


def _sources(conn: sa.Connection, selection: Selection,
             part: Part) -> Iterator[Source]:
    question = StatisticsQuestion(selection=selection)
    if part.level is not Level.RAW:
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


def _statement(conn: sa.Connection, question: StatisticsQuestion,
               parts: list[Part]) -> sa.Select[Any]:
    """The parts as one, by unit, period and group."""
    ids = select.series_ids(conn, question.selection)
    read = sa.union_all(*(_part(conn, question, part, ids)
                          for part in parts)).subquery('read')
    joined: sa.FromClause = read
    groups: list[sa.ColumnElement[Any]] = [read.c[field.value]
                                           for field in question.group_by]
    for path in question.group_by_metadata:
        value = tables.metadata_path.alias()
        joined = joined.join(value, sa.and_(
            value.c.metadata_id == read.c.metadata_id, *_at(value, path)))
        groups.append(value.c.value)
    return sa.select(
        read.c.unit, read.c.bucket,
        *(group.label(f'group_{place}') for place, group in enumerate(groups)),
        *_figures(count=sa.func.sum(read.c.samples), volume=read.c.sum,
                  low=read.c.min, high=read.c.max, first=read.c.first,
                  last=read.c.last),
        *([dialect.total(read.c.squares).label('squares')]
          if question.squares else []),
        *(sa.func.count(read.c[field.value].distinct())
          .label(f'of_{field.value}') for field in question.cardinality),
    ).select_from(joined).group_by(read.c.unit, read.c.bucket, *groups)


def _at(value: sa.FromClause, path: str) -> select.Conditions:
    """The scalar at a path; the first, where {'a.b': …} meets {'a': {'b'}}."""
    other = tables.metadata_path.alias()
    return [value.c.path == path,
            ~sa.exists().where(other.c.metadata_id == value.c.metadata_id,
                               other.c.path == path,
                               other.c.position < value.c.position)]


def _part(conn: sa.Connection, question: StatisticsQuestion, part: Part,
          ids: select.Ids) -> sa.Select[Any]:
    """One part by unit, period and whatever is grouped or counted."""
    series = tables.series
    if part.level is Level.RAW:
        table, of = sample, sample.c
        instant = of.timestamp
        rules = [*select.metadata_rules(conn, of.metadata_id,
                                        question.selection),
                 *select.message_rules(question.selection)]
        figures = _figures(count=sa.func.count(), volume=of.volume,
                           low=of.volume, high=of.volume,
                           first=of.timestamp, last=of.timestamp)
    else:
        table = _CELLS[part.level]
        of = table.c
        instant = of.start
        rules = [of.count > 0]
        figures = _figures(count=sa.func.sum(of.count), volume=of.sum,
                           low=of.min, high=of.max, first=of.first,
                           last=of.last)
    names = dict.fromkeys([*question.group_by, *question.cardinality])
    keys = [series.c.unit, *(series.c[field.value] for field in names),
            *([of.metadata_id] if question.group_by_metadata else [])]
    return sa.select(
        *keys, _bucket(instant, plan.periods(question)).label('bucket'),
        *figures, *([dialect.squares(of.volume).label('squares')]
                    if question.squares else []),
    ).select_from(table.join(series, series.c.id == of.series_id)).where(
        *select.joined_series(of.series_id, question.selection, ids), *rules,
        *select.within(instant, part.start, part.end),
    ).group_by(*keys, 'bucket')


def _bucket(instant: sa.ColumnElement[int],
            periods: Periods | None) -> sa.ColumnElement[int]:
    """The number of the period, counted from the periods' base."""
    if periods is None:
        return sa.literal_column('0', sa.BigInteger)
    return dialect.quotient(instant - periods.base, periods.step)


def _figures(*, count: sa.ColumnElement[Any], volume: sa.ColumnElement[Any],
             low: sa.ColumnElement[Any], high: sa.ColumnElement[Any],
             first: sa.ColumnElement[Any], last: sa.ColumnElement[Any]
             ) -> list[sa.Label[Any]]:
    """What a Statistics holds, taken together; in its order."""
    return [count.label('samples'), dialect.total(volume).label('sum'),
            dialect.lowest(low).label('min'),
            dialect.highest(high).label('max'),
            sa.func.min(first).label('first'),
            sa.func.max(last).label('last')]


def _order(row: sa.Row[Any], groups: int) -> list[tuple[bool, str]]:
    """Where a group stands: what has none before what has one."""
    values = [getattr(row, f'group_{place}') for place in range(groups)]
    return [(value is not None, value or '') for value in values]


def _row(question: StatisticsQuestion, fields: list[str],
         row: sa.Row[Any]) -> StatisticsRow:
    periods = plan.periods(question)
    return StatisticsRow(
        unit=row.unit,
        group={field: getattr(row, f'group_{place}')
               for place, field in enumerate(fields)},
        period_start=(None if periods is None
                      else periods.start(int(row.bucket))),
        statistics=Statistics(int(row.samples), row.sum, row.min, row.max,
                              period.instant(row.first),
                              period.instant(row.last)),
        squares=row.squares if question.squares else None,
        cardinality={field: getattr(row, f'of_{field.value}')
                     for field in question.cardinality})
