# SPDX-License-Identifier: Apache-2.0
"""Rollups and spans, held against the samples that they are made of."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import Decimal

import psycopg
import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.storage import dialect, staging
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.servers.base import until
from moc_meter.tests.stores import (
    NOW,
    count,
    everything,
    expire,
    migrated,
    sample,
    sums,
)

FEBRUARY = datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)


@pytest.fixture
def store(engine: sa.Engine) -> SampleStore:
    return SqlSampleStore(engine)


@pytest.mark.parametrize('resources', [3, 400])
def test_a_large_batch_of_which_half_was_there_counts_once(
        store: SampleStore, engine: sa.Engine, resources: int) -> None:
    samples = [sample(number, resource_id=f'i-{number % resources}')
               for number in range(300)]
    assert store.write(samples[100:200], NOW).stored == 100
    written = store.write(samples[:200], NOW + datetime.timedelta(minutes=1))
    assert (written.stored, written.duplicates) == (100, 100)
    assert store.write(samples[200:], NOW).stored == 100
    assert not list(rollups.verify(engine))
    assert sums(engine, tables.rollup_day) == sum(range(300))


def test_every_database_knows_where_a_month_begins(engine: sa.Engine
                                                   ) -> None:
    """Whatever zone its session is in."""
    begins = [period.microseconds(datetime.datetime(
                  year, month, 1, tzinfo=datetime.UTC))
              for year in (*range(1970, 2110), 2400, 9999)
              for month in range(1, 13)]
    zone = dialect.choose(
        engine, sqlite='SELECT 1', mariadb="SET time_zone = '-11:30'",
        postgresql="SET LOCAL timezone = 'Asia/Kolkata'")
    kept = staging.plain(tables.generation, 'instants')
    of = kept.c.number
    with transactions.writing(engine) as conn:
        conn.execute(sa.text(zone))
        staging.fill(conn, kept, [
            (place, begin + beside) for place, begin in enumerate(begins)
            for beside in (0, 1, 28 * Level.DAY - 1)])
        staging.load(conn, kept, [
            (place, Level.MONTH.end(begin) - 1)
            for place, begin in enumerate(begins)])
        found = conn.execute(sa.select(
            dialect.month(of), sa.func.count(), sa.func.count(
                kept.c.id.distinct())).group_by(dialect.month(of))).all()
    assert sorted(map(tuple, found)) == [(begin, 4, 1) for begin in begins]


def plant_changed(conn: sa.Connection) -> None:
    cell = tables.rollup_hour
    conn.execute(sa.update(cell).values(sum=Decimal('0.000000001')).where(
        cell.c.series_id == sa.select(sa.func.min(tables.series.c.id))
        .scalar_subquery(), cell.c.start < NOW - datetime.timedelta(days=2)))


def plant_missing(conn: sa.Connection) -> None:
    conn.execute(sa.delete(tables.rollup_day))


def plant_month(conn: sa.Connection) -> None:
    conn.execute(sa.update(tables.rollup_month).values(
        count=tables.rollup_month.c.count + 1))


def plant_surplus(conn: sa.Connection) -> None:
    conn.execute(sa.insert(tables.rollup_hour).values(
        series_id=10 ** 9, start=NOW, count=0, sum=Decimal(0)))


def plant_span(conn: sa.Connection) -> None:
    conn.execute(sa.update(tables.span).values(last=NOW))


#: Months are held against days.
_MISSED = {'rollup_day': 6, 'rollup_month': 3}


@pytest.mark.parametrize(('plant', 'differing', 'number'), [
    (plant_changed, {'rollup_hour': 2}, 2), (plant_missing, _MISSED, 6),
    (plant_month, {'rollup_month': 3}, 3),
    (plant_surplus, {'rollup_hour': 1}, 1), (plant_span, {'span': 3}, 3)])
def test_planted_errors_are_found_and_rebuilt(
        store: SampleStore, engine: sa.Engine,
        plant: Callable[[sa.Connection], None], differing: dict[str, int],
        number: int) -> None:
    store.write([sample(number) for number in range(20)], NOW)
    kept = everything(engine)
    assert not list(rollups.verify(engine))
    with transactions.writing(engine) as conn:
        plant(conn)
    found = list(rollups.verify(engine))
    assert Counter(one.table for one in found) == differing
    assert rollups.rebuild(engine) == number
    assert everything(engine) == kept
    assert not list(rollups.verify(engine))


def test_only_the_asked_days_are_verified_and_rebuilt(
        store: SampleStore, engine: sa.Engine) -> None:
    store.write([sample(number) for number in range(20)], NOW)
    with transactions.writing(engine) as conn:
        conn.execute(sa.delete(tables.rollup_hour))
    second = datetime.datetime(2026, 3, 2, 5, tzinfo=datetime.UTC)
    assert hours_of(rollups.verify(engine, end=second)) == 6
    assert hours_of(rollups.verify(engine, start=second)) == 3
    rollups.rebuild(engine, start=second)
    assert hours_of(rollups.verify(engine)) == 3


def hours_of(found: Iterable[rollups.Difference]) -> int:
    return sum(one.table == 'rollup_hour' for one in found)


def test_a_month_beside_another_is_verified_whole_and_rebuilt(
        store: SampleStore, engine: sa.Engine) -> None:
    store.write([sample(number, resource_id='i',
                        timestamp=FEBRUARY + number * period.DAY)
                 for number in range(80)], NOW)
    start = FEBRUARY + 5 * period.DAY
    end = start + period.HOUR
    assert not list(rollups.verify(engine, start, end))
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(tables.rollup_month).values(sum=Decimal(1)))
    assert [one.key[1] for one in rollups.verify(engine, start, end)] == [
        period.microseconds(FEBRUARY)]
    assert rollups.rebuild(engine, start, end) == 1
    assert len(list(rollups.verify(engine))) == 2
    assert rollups.rebuild(engine) == 2
    assert not list(rollups.verify(engine))


@pytest.fixture
def february(store: SampleStore, engine: sa.Engine) -> list[str]:
    """A sample a day; what the month's cell says."""
    store.write([sample(number, resource_id='i',
                        timestamp=FEBRUARY + number * period.DAY)
                 for number in range(28)], NOW)
    return everything(engine)['rollup_month']


def test_a_month_that_is_lost_is_made_of_days_whose_samples_were_dropped(
        store: SampleStore, engine: sa.Engine, february: list[str]) -> None:
    expire(store, FEBRUARY + 20 * period.DAY)
    with transactions.writing(engine) as conn:
        conn.execute(sa.delete(tables.rollup_month))
    [missing] = rollups.verify(engine)
    assert (missing.table, missing.expected and missing.expected[2]) == (
        'rollup_month', 28)
    assert rollups.rebuild(engine) == 1
    assert everything(engine)['rollup_month'] == february


def test_a_day_that_nobody_can_prove_makes_no_month_wrong(
        store: SampleStore, engine: sa.Engine, february: list[str]) -> None:
    expire(store, FEBRUARY + 20 * period.DAY)
    day = tables.rollup_day
    with transactions.writing(engine) as conn:
        conn.execute(sa.delete(day).where(day.c.start == FEBRUARY))
    assert [one.table for one in rollups.verify(engine)] == ['rollup_month']
    assert rollups.rebuild(engine) == 0
    assert everything(engine)['rollup_month'] == february


def test_of_a_month_that_is_rebuilt_all_days_are_right(
        engine: sa.Engine, february: list[str]) -> None:
    day = tables.rollup_day
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(day).where(day.c.start == FEBRUARY).values(
            count=7))
    start = FEBRUARY + 9 * period.DAY
    rollups.rebuild(engine, start, start + period.DAY)
    assert everything(engine)['rollup_month'] == february
    assert not list(rollups.verify(engine))


@pytest.mark.parametrize('server', ['postgresql_url', 'mariadb_url'])
def test_a_cell_that_can_count_no_further_refuses_the_batch(
        server: str, request: pytest.FixtureRequest) -> None:
    """SQLite's numbers have room for more."""
    with migrated(request.getfixturevalue(server)) as engine:
        store = SqlSampleStore(engine)
        store.write([sample(0)], NOW)
        with transactions.writing(engine) as conn:
            conn.execute(sa.update(tables.rollup_day)
                         .values(count=2 ** 31 - 1))
        kept = everything(engine)
        with pytest.raises((sa.exc.DataError, psycopg.DataError)):
            store.write([sample(0), sample(3)], NOW)
        assert everything(engine) == kept


def test_two_writers_of_the_same_do_not_lock_each_other_out(
        postgresql_url: str) -> None:
    """Each waits for the other, never both; PostgreSQL counts those."""
    batches = [[sample(number, resource_id=f'i-{number % 50}')
                for number in range(start, start + 400)]
               for start in range(0, 8000, 400)]
    with migrated(postgresql_url) as engine:
        together = threading.Barrier(2)

        def write(order: int) -> None:
            mine = transactions.make_engine(postgresql_url)
            store = SqlSampleStore(mine)
            for batch in batches:
                together.wait(60)
                store.write(batch[::order], NOW)
            mine.dispose()

        writers = [threading.Thread(target=write, args=(order,))
                   for order in (1, -1)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert count(engine, tables.sample) == 8000
        with transactions.reading(engine) as conn:
            assert conn.scalar(sa.text(
                'SELECT deadlocks FROM pg_stat_database '
                'WHERE datname = current_database()')) == 0


def test_who_waits_for_a_sample_keeps_no_cell_from_others(
        postgresql_url: str) -> None:
    """Or who has the sample could wait for the cell: each for the other."""
    batch = [sample(number) for number in range(100)]
    with migrated(postgresql_url) as engine, engine.connect() as other:
        store = SqlSampleStore(engine)
        store.write(batch[:50], NOW)
        other.execute(sa.text(
            'INSERT INTO sample (series_id, timestamp, key, volume, '
            'metadata_id, recorded_at) SELECT id, :at, :key, 0, '
            'metadata_id, recorded_at FROM sample JOIN series '
            'ON id = series_id WHERE resource_id = :resource LIMIT 1'), {
                'at': period.microseconds(batch[99].timestamp),
                'key': batch[99].key, 'resource': batch[99].resource_id})
        writer = threading.Thread(target=store.write,
                                  args=(batch[50:], NOW))
        writer.start()
        with engine.connect() as watch:
            until(lambda: watch.scalar(sa.text(
                'SELECT count(*) FROM pg_locks WHERE NOT granted')), 60,
                'the writer to wait')
        other.execute(sa.select(tables.rollup_day.c.count).with_for_update(
            nowait=True))
        other.rollback()
        writer.join(60)
        assert count(engine, tables.sample) == 100
        assert not list(rollups.verify(engine))


def test_a_rebuild_beside_a_writer_loses_nothing(
        engine: sa.Engine, store: SampleStore) -> None:
    batches = [[sample(number) for number in range(start, start + 40)]
               for start in range(0, 2400, 40)]

    def write() -> None:
        for batch in batches:
            for _ in range(100):
                with contextlib.suppress(errors.StoreUnavailable):
                    store.write(batch, NOW)
                    break

    def plant(conn: sa.Connection) -> None:
        plant_missing(conn)
        plant_span(conn)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        # It takes rows in no order, so it may have to do it again.
        transactions.transact(engine, plant)
        rollups.rebuild(engine)
        assert not list(rollups.verify(engine))
    writer.join()
    assert count(engine, tables.sample) == 2400
    assert sums(engine, tables.rollup_day) == sum(range(2400))
    assert not list(rollups.verify(engine))
