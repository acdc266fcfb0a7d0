# SPDX-License-Identifier: Apache-2.0
"""The statement that answers a question of statistics.

Building one takes SQLAlchemy longer than the database takes for a short
answer. So one is built for all questions that differ in their values only.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from moc_meter.model.query import Field, Selection, StatisticsQuestion
from moc_meter.storage import dialect, engine
from moc_meter.storage.samples import plan, select
from moc_meter.storage.samples.cells import days, hours, months, sample
from moc_meter.storage.samples.plan import Level, Part
from moc_meter.storage.tables import samples as tables

_CELLS = {Level.MONTH: months.table, Level.DAY: days.table,
          Level.HOUR: hours.table}
#: Base and step of periods, see plan.Periods; or what they are called.
Steps = tuple[Any, Any]
#: Of values that are not compared with a column.
_TYPES = {'base': sa.BigInteger(), 'step': sa.BigInteger()}


def rows(conn: sa.Connection, question: StatisticsQuestion,
         parts: Sequence[Part]) -> Sequence[Sequence[Any]]:
    """What the database answers.

    A row is the unit, the number of the period, the groups, and the figures
    in the order of Statistics, squares, cardinalities.
    """
    periods = plan.periods(question)
    steps = (periods.base, periods.step) if periods else None
    selection = question.selection
    projects = selection.projects
    by_series = dialect.choose(conn, sqlite=False, postgresql=True,
                               mariadb=False)
    if (selection.metadata or selection.message_ids
            or question.group_by_metadata
            or (projects is not None and len(projects) != 1)
            or dialect.choose(conn, sqlite=False, postgresql=False,
                              mariadb=True)):
        return conn.execute(_statement(
            question, parts, steps, select.series_ids(conn, selection),
            [*select.metadata_rules(conn, sample.c.metadata_id, selection),
             *select.message_rules(selection)], by_series)).all()
    form = _Form(
        by_series=by_series,
        fields=tuple((field, value is not None)
                     for field, value in selection.series),
        is_scoped=projects is not None,
        parts=tuple((part.level, part.start is not None, part.end is not None)
                    for part in parts),
        has_periods=steps is not None, most=question.most,
        group_by=question.group_by, cardinality=question.cardinality,
        squares=question.squares)
    values = _values(question, parts, steps)
    if by_series:
        text, literals = _spelled(form)
        return engine.fetch(conn, text, {**literals, **values})
    return conn.execute(_of_form(form), values).all()


def _values(question: StatisticsQuestion, parts: Sequence[Part],
            steps: Steps | None) -> Mapping[str, Any]:
    """Values by the names that _of_form() has for them."""
    base, step = steps or (None, None)
    [project] = question.selection.projects or [None]
    values = {'base': base, 'step': step, 'project': project}
    for place, (_, value) in enumerate(question.selection.series):
        values[f'series_{place}'] = value
    for place, part in enumerate(parts):
        values[f'start_{place}'] = part.start
        values[f'end_{place}'] = part.end
    return values


class _Form(NamedTuple):
    """What questions have in common that one statement answers.

    by_series: see _statement().
    fields: with whether a value is wanted; bounds of the parts likewise.
    """

    by_series: bool
    fields: tuple[tuple[Field, bool], ...]
    is_scoped: bool
    parts: tuple[tuple[Level, bool, bool], ...]
    has_periods: bool
    most: int | None
    group_by: tuple[Field, ...]
    cardinality: tuple[Field, ...]
    squares: bool


@functools.lru_cache(maxsize=256)
def _of_form(form: _Form) -> sa.Select[Any]:
    """The statement with a name in the place of each value."""
    def named(name: str, is_there: bool = True) -> Any:
        return sa.bindparam(name, type_=_TYPES.get(name.partition('_')[0])
                            ) if is_there else None

    return _statement(
        StatisticsQuestion(
            selection=Selection(
                series=tuple((field, named(f'series_{place}', is_there))
                             for place, (field, is_there)
                             in enumerate(form.fields)),
                projects=(frozenset([named('project')]) if form.is_scoped
                          else None)),
            group_by=form.group_by, cardinality=form.cardinality,
            squares=form.squares, most=form.most),
        [Part(level, named(f'start_{place}', has_start),
              named(f'end_{place}', has_end))
         for place, (level, has_start, has_end) in enumerate(form.parts)],
        (named('base'), named('step')) if form.has_periods else None,
        sa.select(tables.series.c.id), [], form.by_series)


@functools.lru_cache(maxsize=256)
def _spelled(form: _Form) -> tuple[bytes, Mapping[str, Any]]:
    """The statement for PostgreSQL's driver, and the values it has."""
    return engine.spelled(_of_form(form))


def _statement(question: StatisticsQuestion, parts: Sequence[Part],
               steps: Steps | None, ids: select.Ids,
               raw_rules: select.Conditions,
               by_series: bool) -> sa.Select[Any]:
    """The parts as one, by unit, period and group.

    by_series: the cells of each series are looked up, and in no other way.
        PostgreSQL plans a statement once for all values that will come, and
        takes any stretch of time for a short one: it would read the cells of
        every series there is.
    """
    read = [_part(question, part, steps, ids, raw_rules, by_series)
            for part in parts]
    chosen = (read[0] if len(read) == 1 and _is_final(question)
              else _joined(question, read))
    # Of a limit that it does not know PostgreSQL thinks that it cuts off nine
    # tenths, and sorts where it should not.
    return chosen if question.most is None else chosen.limit(
        sa.literal_column(str(question.most + 1), sa.Integer))


def _is_final(question: StatisticsQuestion) -> bool:
    """Whether the rows of a part are those of the answer."""
    return (not question.group_by_metadata and not question.cardinality
            and len({*question.group_by}) == len(question.group_by))


def _joined(question: StatisticsQuestion,
            parts: Sequence[sa.Select[Any]]) -> sa.Select[Any]:
    read = sa.union_all(*parts).subquery('read')
    joined: sa.FromClause = read
    groups: list[sa.ColumnElement[Any]] = [read.c[field.value]
                                           for field in question.group_by]
    for path in question.group_by_metadata:
        value = tables.metadata_path.alias()
        joined = joined.join(value, sa.and_(
            value.c.metadata_id == read.c.metadata_id, *_at(value, path)))
        groups.append(value.c.value)
    return sa.select(
        read.c.unit, read.c.bucket, *groups,
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


def _part(question: StatisticsQuestion, part: Part, steps: Steps | None,
          ids: select.Ids, raw_rules: select.Conditions,
          by_series: bool) -> sa.Select[Any]:
    """One part by unit, period and whatever is grouped or counted."""
    names = dict.fromkeys([*question.group_by, *question.cardinality])
    of, series, joined, rules = (
        _looked_up(question, part, steps, [field.value for field in names])
        if by_series and part.level is not Level.RAW
        else _read(question, part, ids, raw_rules))
    if part.level is Level.RAW:
        instant = of.timestamp
        figures = _figures(count=sa.func.count(), volume=of.volume,
                           low=of.volume, high=of.volume,
                           first=of.timestamp, last=of.timestamp)
    else:
        instant = of.start
        figures = _figures(count=sa.func.sum(of.count), volume=of.sum,
                           low=of.min, high=of.max, first=of.first,
                           last=of.last)
    keys = [*(series[field.value] for field in names),
            *([of.metadata_id] if question.group_by_metadata else [])]
    return sa.select(
        series.unit,
        _bucket(instant, steps).label('bucket'), *keys,
        *figures, *([dialect.squares(of.volume).label('squares')]
                    if question.squares else []),
    ).select_from(joined).where(*rules).group_by(
        series.unit, 'bucket', *keys)


#: The columns of what is read and of its series, both joined, and the rules.
_Joined = tuple[Any, Any, sa.FromClause, select.Conditions]


def _read(question: StatisticsQuestion, part: Part, ids: select.Ids,
          raw_rules: select.Conditions) -> _Joined:
    """What is read, with its series."""
    series = tables.series
    table = sample if part.level is Level.RAW else _CELLS[part.level]
    return table.c, series.c, table.join(
        series, series.c.id == table.c.series_id), [
            *select.joined_series(table.c.series_id, question.selection, ids),
            *_rules(part, table, raw_rules)]


def _looked_up(question: StatisticsQuestion, part: Part,
               steps: Steps | None, names: Sequence[str]) -> _Joined:
    """The cells of each series, one series after the other.

    Without periods in the order of the groups: a few series are sorted then,
    and not all their cells.
    """
    # What has an offset is not taken apart.
    offset = sa.literal_column('0', sa.Integer)
    of = tables.series.c
    keys = [of[name] for name in dict.fromkeys(['unit', *names])]
    chosen = sa.select(of.id, *keys).where(
        *select.series_rules(question.selection))
    series = (chosen if steps else chosen.order_by(*keys).offset(offset)
              ).subquery('series')
    table = _CELLS[part.level]
    cells = sa.select(table).where(
        series.c.id == table.c.series_id, *_rules(part, table, [])
    ).offset(offset).lateral(table.name)
    return cells.c, series.c, series.join(cells, sa.true()), []


def _rules(part: Part, table: sa.Table,
           raw_rules: select.Conditions) -> select.Conditions:
    of, raw = table.c, part.level is Level.RAW
    return [*(raw_rules if raw else [of.count > sa.literal_column('0')]),
            *select.within(of.timestamp if raw else of.start,
                           part.start, part.end)]


def _bucket(instant: sa.ColumnElement[int],
            steps: Steps | None) -> sa.ColumnElement[int]:
    """The number of the period, counted from the periods' base."""
    if steps is None:
        return sa.literal_column('0', sa.BigInteger)
    base, step = steps
    return dialect.quotient(instant - base, step)


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
