# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import datetime
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import (
    Field,
    Selection,
    StatisticsQuestion,
    StatisticsRow,
)
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import plan, statistics
from moc_meter.storage.samples.plan import Level
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.functional.storage.maker import MARCH, sample
from moc_meter.tests.stores import migrated

ALL = StatisticsQuestion(selection=Selection())
TEN = MARCH + 10 * period.HOUR
#: The example of the API's description: p1's disks.
DISKS = [sample(message_id=str(hour), timestamp=MARCH + hour * period.HOUR,
                resource_id=resource, user_id=user, volume=Decimal(volume))
         for hour, resource, user, volume in [
             (10, 'a', 'u1', 8), (11, 'a', 'u2', 2), (12, 'b', 'u2', 5),
             (13, 'b', 'u2', 3)]]
#: How thoroughly the property is tested on each database.
EXAMPLES = {'sqlite': 150, 'postgresql': 40, 'mysql': 40}


def answer(engine: sa.Engine, samples: list[Sample],
           question: StatisticsQuestion) -> list[StatisticsRow]:
    with maker.holding(engine, [samples]):
        return asked(engine, question)


def asked(engine: sa.Engine,
          question: StatisticsQuestion) -> list[StatisticsRow]:
    with transactions.reading(engine) as conn:
        return statistics.answer(conn, question)


def by_period(rows: list[StatisticsRow]) -> list[tuple[Any, ...]]:
    return [(row.period_start, row.statistics.sum) for row in rows]


def sums(rows: list[StatisticsRow]) -> list[Decimal]:
    return [row.statistics.sum for row in rows]


def test_the_answers_are_those_of_a_count_by_hand(engine: sa.Engine) -> None:
    thorough = settings(
        deadline=None, max_examples=EXAMPLES[engine.dialect.name],
        suppress_health_check=[HealthCheck.too_slow])

    @thorough
    @given(maker.batches(), st.lists(maker.questions(), min_size=1,
                                     max_size=8))
    def compare(
            batches: list[list[Sample]],
            questions: list[StatisticsQuestion]) -> None:
        with maker.holding(engine, batches) as stored:
            for question in questions:
                assert maker.shown(asked(engine, question)) == (
                    maker.statistics([one.sample for one in stored],
                                     question))

    compare()


def test_days_hours_and_raw_samples_alone_give_the_same_answer(
        engine: sa.Engine) -> None:
    """One period around everything, of which only the origin differs."""
    origins = {Level.DAY: MARCH - period.DAY,
               Level.HOUR: MARCH - period.HOUR,
               Level.RAW: MARCH - period.MICROSECOND}

    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name] // 2,
              suppress_health_check=[HealthCheck.too_slow])
    @given(maker.batches(), maker.selections(ids=False))
    def compare(batches: list[list[Sample]], selection: Selection) -> None:
        selection = dataclasses.replace(selection, metadata=())
        with maker.holding(engine, batches):
            answers = []
            for level, origin in origins.items():
                question = StatisticsQuestion(
                    selection=selection, origin=origin,
                    period=1000 * period.DAY, group_by=(Field.PROJECT,))
                assert {part.level for part in plan.parts(question)} <= {
                    one for one in Level if one <= level}
                answers.append([
                    dataclasses.replace(row, period_start=None)
                    for row in asked(engine, question)])
            assert answers[0] == answers[1] == answers[2]

    compare()


@pytest.mark.parametrize(('start', 'end', 'expected'), [
    (None, None, 18), (10, 13, 15), (13, 14, 3), (14, 20, None),
    (13, 10, None)])
def test_a_range_is_half_open(
        engine: sa.Engine, start: Any, end: Any, expected: Any) -> None:
    selection = Selection(
        start=None if start is None else MARCH + start * period.HOUR,
        end=None if end is None else MARCH + end * period.HOUR)
    rows = answer(engine, DISKS, StatisticsQuestion(selection=selection))
    assert sums(rows) == ([] if expected is None else [expected])


def test_periods_begin_at_the_origin(engine: sa.Engine) -> None:
    rows = answer(engine, DISKS, dataclasses.replace(
        ALL, period=2 * period.HOUR, origin=TEN))
    assert by_period(rows) == [(TEN, 10), (TEN + 2 * period.HOUR, 8)]


def test_without_an_origin_the_earliest_selected_sample_is_it(
        engine: sa.Engine) -> None:
    late = [dataclasses.replace(one, timestamp=one.timestamp
                                + 7 * period.MICROSECOND) for one in DISKS]
    rows = answer(engine, late, dataclasses.replace(
        ALL, period=period.HOUR,
        selection=Selection(series=((Field.RESOURCE, 'b'),))))
    assert [row.period_start for row in rows] == [
        late[2].timestamp, late[3].timestamp]


def test_a_lone_sample_has_its_period(engine: sa.Engine) -> None:
    assert sums(answer(engine, DISKS[:1], dataclasses.replace(
        ALL, period=period.HOUR))) == [8]


def test_what_lies_before_the_origin_is_in_a_period_before_it(
        engine: sa.Engine) -> None:
    rows = answer(engine, DISKS, dataclasses.replace(
        ALL, period=2 * period.HOUR, origin=TEN + period.HOUR))
    assert by_period(rows) == [
        (TEN - period.HOUR, 8), (TEN + period.HOUR, 7),
        (TEN + 3 * period.HOUR, 3)]


def test_the_last_microsecond_of_a_period_is_in_it(engine: sa.Engine) -> None:
    rows = answer(engine, [sample(
        timestamp=TEN + 36 * period.HOUR - period.MICROSECOND)],
        dataclasses.replace(ALL, period=36 * period.HOUR, origin=TEN))
    assert by_period(rows) == [(TEN, 8)]


def test_a_period_that_begins_before_the_calendar_is_refused(
        engine: sa.Engine) -> None:
    question = dataclasses.replace(
        ALL, period=datetime.timedelta.max, origin=TEN + period.HOUR)
    with pytest.raises(errors.InvalidQuery, match='before the calendar'):
        answer(engine, DISKS, question)


def test_units_never_mix(engine: sa.Engine) -> None:
    mixed = [DISKS[0], dataclasses.replace(DISKS[1], unit='GiB')]
    rows = answer(engine, mixed, ALL)
    assert [row.unit for row in rows] == ['GB', 'GiB']
    assert sums(rows) == [8, 2]


def test_values_that_differ_by_case_or_blank_are_groups_of_their_own(
        engine: sa.Engine) -> None:
    names = ['A', 'a', 'a ', 'a\u0308', '\U0001f600', 'ä']
    alike = [sample(message_id=str(place), resource_id=name)
             for place, name in enumerate(names)]
    rows = answer(engine, alike, dataclasses.replace(
        ALL, group_by=(Field.RESOURCE,)))
    assert [row.group['resource_id'] for row in rows] == sorted(names)


def test_groups_by_a_long_metadata_text_are_not_cut(engine: sa.Engine) -> None:
    long = [sample(message_id=str(place),
                   metadata={'name': 'x' * 5000 + str(place)})
            for place in range(3)]
    rows = answer(engine, long, dataclasses.replace(
        ALL, group_by_metadata=('name',)))
    assert [row.statistics.count for row in rows] == [1, 1, 1]


def test_what_nobody_said_is_no_value_to_count(engine: sa.Engine) -> None:
    rows = answer(
        engine, [*DISKS, sample(message_id='x', user_id=None)],
        dataclasses.replace(ALL, cardinality=(Field.USER, Field.RESOURCE)))
    assert [row.cardinality for row in rows] == [
        {Field.USER: 2, Field.RESOURCE: 2}]


def test_a_sample_without_project_is_seen_only_without_a_row_scope(
        engine: sa.Engine) -> None:
    mine = [DISKS[0], dataclasses.replace(DISKS[1], project_id=None)]
    scoped = [Selection(projects=projects) for projects in (
        None, frozenset({'p1'}), frozenset({'p2'}), frozenset())]
    with maker.holding(engine, [mine]):
        assert [sums(asked(engine, StatisticsQuestion(selection=one)))
                for one in scoped] == [[10], [8], [], []]


def test_sums_keep_every_digit(engine: sa.Engine) -> None:
    largest = Decimal('99999999999999999999.999999999')
    rows = answer(engine, [sample(message_id=str(place), volume=largest)
                           for place in range(11)],
                  dataclasses.replace(ALL, squares=True))
    assert sums(rows) == [Decimal('1099999999999999999999.999999989')]
    assert rows[0].squares == Decimal(
        '109999999999999999999999999997800000000000'
        '.000000000000000011')


def test_extremes_are_those_of_numbers(engine: sa.Engine) -> None:
    # Two lie in a day that is read whole, two in hours of another.
    rows = answer(engine, [
        sample(message_id=volume, volume=Decimal(volume),
               timestamp=MARCH + hour * period.HOUR)
        for hour, volume in [(1, '9'), (2, '-40'), (25, '10'), (26, '-3')]],
        StatisticsQuestion(selection=Selection(
            end=MARCH + 30 * period.HOUR)))
    [found] = [row.statistics for row in rows]
    assert [found.min, found.max] == [-40, 10]


def _statements(conn: sa.Connection,
                request: pytest.FixtureRequest) -> list[object]:
    """A list of those that will have been executed."""
    said: list[object] = []

    class Noted(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any,
                    **options: Any) -> Self:
            said.append(query)
            return super().execute(query, *arguments, **options)

    driver = conn.connection.driver_connection
    if isinstance(driver, psycopg.Connection):  # it is also spoken to directly
        driver.cursor_factory = Noted
        conn.info.clear()       # of the cursor that it keeps
        request.addfinalizer(lambda: setattr(
            driver, 'cursor_factory', psycopg.Cursor))
    else:
        sa.event.listen(
            conn, 'before_cursor_execute',
            lambda _conn, _cursor, statement, *_: said.append(statement))
    return said


@pytest.mark.parametrize('length', [period.DAY, period.MICROSECOND])
def test_the_number_of_statements_does_not_follow_the_periods(
        engine: sa.Engine, length: datetime.timedelta,
        request: pytest.FixtureRequest) -> None:
    question = dataclasses.replace(ALL, period=length, origin=MARCH)
    with maker.holding(engine, [DISKS]), \
            transactions.reading(engine) as conn:
        said = _statements(conn, request)
        statistics.answer(conn, question)
    # MariaDB is told the numbers of the series.
    assert len(said) == 1 + (engine.dialect.name == 'mysql')


def test_minutes_of_ten_years_with_three_samples_take_no_time(
        engine: sa.Engine) -> None:
    rare = [sample(message_id=str(days), timestamp=MARCH - days * period.DAY)
            for days in (0, 1234, 3650)]
    question = dataclasses.replace(ALL, period=period.HOUR / 60,
                                   origin=MARCH - 3651 * period.DAY)
    with maker.holding(engine, [rare]), transactions.reading(engine) as conn:
        statistics.answer(conn, question)       # SQLAlchemy compiles it once
        begun = time.perf_counter()
        assert sums(statistics.answer(conn, question)) == [8] * 3
        assert time.perf_counter() - begun < 5


def _counted(row: StatisticsRow) -> Fraction:
    return Fraction(row.statistics.count)


def _summed(row: StatisticsRow) -> Fraction:
    return Fraction(row.statistics.sum)


def test_parts_of_a_range_add_up_to_the_whole(engine: sa.Engine) -> None:
    """Wherever it is cut; a sample on the cut counts on one side only."""
    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name] // 3,
              suppress_health_check=[HealthCheck.too_slow])
    @given(maker.batches(12), st.data())
    def compare(batches: list[list[Sample]], data: st.DataObject) -> None:
        moments = maker.instants | st.sampled_from(
            [MARCH, *(one.timestamp for batch in batches for one in batch)])
        a, b, c = sorted(data.draw(st.tuples(moments, moments, moments)))
        with maker.holding(engine, batches), \
                transactions.reading(engine) as conn:
            left, right, whole = (
                statistics.answer(conn, dataclasses.replace(
                    ALL, selection=Selection(start=start, end=end)))
                for start, end in ((a, b), (b, c), (a, c)))
        for figure in _counted, _summed:
            assert (sum(map(figure, [*left, *right]))
                    == sum(map(figure, whole)))

    compare()


def _rows_read(conn: sa.Connection) -> int:
    """What MariaDB has read in this session so far, in rows."""
    return sum(int(count) for _, count in conn.execute(sa.text(
        "SHOW SESSION STATUS WHERE variable_name IN ('Handler_read_next', "
        "'Handler_read_key', 'Handler_read_rnd_next')")))


def test_mariadb_reads_the_cells_in_range_and_not_their_whole_history(
        mariadb_url: str) -> None:
    engine = transactions.make_engine(mariadb_url)
    transactions.migrate(engine)
    history = [sample(message_id=f'{place}', resource_id=f'{place % 5}',
                      timestamp=MARCH + place // 5 * period.HOUR)
               for place in range(5 * 600)]
    question = StatisticsQuestion(selection=Selection(
        series=((Field.METER, 'disk'),), start=TEN, end=TEN + period.HOUR))
    with maker.holding(engine, [history]):
        with engine.connect() as conn:
            conn.execute(sa.text('ANALYZE TABLE rollup_hour, series'))
        with transactions.reading(engine) as conn:
            before = _rows_read(conn)
            assert sums(statistics.answer(conn, question)) == [40]
            assert _rows_read(conn) - before < 500
    engine.dispose()


def _read(conn: sa.Connection) -> dict[str, int]:
    """What PostgreSQL has read in this transaction, in cells of rollups."""
    return {table: int(number) for table, number in conn.execute(sa.text(
        'SELECT relname, seq_tup_read + idx_tup_fetch '
        'FROM pg_stat_xact_user_tables '
        "WHERE relname LIKE 'rollup%' ORDER BY relname"))}


@pytest.mark.parametrize(('days', 'expected'), [
    (30, {'rollup_day': 300, 'rollup_hour': 0, 'rollup_month': 0}),
    (31, {'rollup_day': 0, 'rollup_hour': 0, 'rollup_month': 10}),
    (33, {'rollup_day': 20, 'rollup_hour': 0, 'rollup_month': 10})])
def test_postgresql_reads_cells_of_the_series_and_no_others_every_time(
        postgresql_url: str, days: int, expected: dict[str, int]) -> None:
    """Also once it has given up planning for the values of each question."""
    history = [sample(message_id=f'{place}', resource_id=f'{place % 40}',
                      project_id=f'{place % 4}',
                      timestamp=MARCH + place // 40 * period.DAY)
               for place in range(40 * 60)]
    question = StatisticsQuestion(selection=Selection(
        series=((Field.METER, 'disk'), (Field.PROJECT, '3')),
        start=MARCH, end=MARCH + days * period.DAY))
    with migrated(postgresql_url) as engine, maker.holding(engine, [history]):
        with transactions.writing(engine) as conn:
            conn.execute(sa.text('ANALYZE rollup_day, rollup_month, series'))
        with transactions.reading(engine) as conn:
            for _ in range(15):
                before = _read(conn)
                assert sums(statistics.answer(conn, question)) == [80 * days]
                assert expected == {
                    table: number - before[table]
                    for table, number in _read(conn).items()}
