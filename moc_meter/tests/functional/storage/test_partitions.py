# SPDX-License-Identifier: Apache-2.0
"""Days of samples, each in a partition of its own."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import partitions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import NOW, count, expire, migrated, sample

TODAY = period.floor(datetime.datetime.now(datetime.UTC), period.DAY)


@pytest.fixture(params=['postgresql', 'mariadb'])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f'{request.param}_url')
    return found


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    with migrated(url) as made:
        yield made


def names(engine: sa.Engine) -> set[str]:
    question = {
        'postgresql': 'SELECT relname FROM pg_class JOIN pg_inherits '
                      "ON oid = inhrelid WHERE inhparent = "
                      "'sample'::regclass",
        'mysql': "SELECT concat('sample_', partition_name) "
                 'FROM information_schema.partitions '
                 "WHERE table_schema = database() AND table_name = 'sample'",
    }[engine.dialect.name]
    with transactions.reading(engine) as conn:
        return set(conn.scalars(sa.text(question)))


def test_days_ahead_are_made_once(engine: sa.Engine) -> None:
    for _ in range(2):
        partitions.ahead(engine, TODAY + period.HOUR, 3)
    expected = {f'sample_p{TODAY + place * period.DAY:%Y%m%d}'
                for place in range(4)}
    assert expected <= names(engine)
    assert len(names(engine)) == 5      # and the oldest


def test_samples_of_any_age_find_their_day(engine: sa.Engine) -> None:
    instants = [period.EPOCH, datetime.datetime(2009, 12, 31, 23, 59, 59,
                                                999999, datetime.UTC),
                datetime.datetime(2010, 1, 1, tzinfo=datetime.UTC),
                TODAY - period.MICROSECOND, TODAY,
                TODAY + 3 * period.DAY]
    store = SqlSampleStore(engine)
    batch = [sample(place, timestamp=instant)
             for place, instant in enumerate(instants)]
    assert store.write(batch, NOW).stored == len(batch)
    assert store.write(batch, NOW).duplicates == len(batch)
    assert count(engine, tables.sample) == len(batch)


def test_two_who_make_the_same_days_do_not_meet(url: str,
                                                engine: sa.Engine) -> None:
    failed: list[BaseException] = []

    def make() -> None:
        other = transactions.make_engine(url)
        try:
            for days in range(1, 12):
                partitions.ahead(other, TODAY, days)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            other.dispose()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert len(names(engine)) == 13


def test_a_day_that_vanished_is_made_again(engine: sa.Engine) -> None:
    """What was believed to be there is forgotten with the first error."""
    day = TODAY + period.DAY
    store = SqlSampleStore(engine)
    store.write([sample(0, timestamp=day)], NOW)
    with transactions.writing(engine) as conn:
        conn.exec_driver_sql({
            'postgresql': f'DROP TABLE sample_p{day:%Y%m%d}',
            'mysql': f'ALTER TABLE sample DROP PARTITION p{day:%Y%m%d}',
        }[engine.dialect.name])
    with pytest.raises((RuntimeError, psycopg.IntegrityError)):
        store.write([sample(1, timestamp=day)], NOW)
    assert count(engine, tables.sample) == 0
    assert store.write([sample(1, timestamp=day)], NOW).stored == 1


def test_days_that_are_over_are_packed_once(postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine:
        SqlSampleStore(engine).write(
            [sample(0, timestamp=TODAY - place * period.DAY)
             for place in range(3)], NOW)
        packed = partitions.pack(engine, TODAY)
        assert packed == [f'sample_p{TODAY - place * period.DAY:%Y%m%d}'
                          for place in (2, 1)]
        assert partitions.pack(engine, TODAY) == []
        assert count(engine, tables.sample) == 3


def test_several_who_pack_do_not_meet(postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine:
        SqlSampleStore(engine).write(
            [sample(0, timestamp=TODAY - place * period.DAY)
             for place in range(1, 6)], NOW)
        packed: list[list[str]] = []
        threads = [threading.Thread(target=lambda: packed.append(
            partitions.pack(engine, TODAY))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(packed) == 3
        assert sum(map(len, packed)) == 5


def test_while_the_server_is_away_nothing_is_packed() -> None:
    with PostgreSQL() as server, migrated(server.create_database()) as engine:
        server.kill()
        with pytest.raises(errors.StoreUnavailable):
            partitions.pack(engine, TODAY)


def test_a_reader_of_samples_does_not_stop_those_who_write(
        url: str, engine: sa.Engine) -> None:
    """A new day may have to wait for readers, but no other day behind it."""
    writer = transactions.make_engine(url, statement_timeout=20)
    store = SqlSampleStore(writer)
    store.write([sample(0, timestamp=TODAY)], NOW)
    maker = threading.Thread(target=_make, args=(url,))
    with transactions.reading(engine) as conn:
        conn.scalar(sa.select(sa.func.count()).select_from(tables.sample))
        maker.start()
        assert store.write([sample(place, timestamp=TODAY)
                            for place in range(1, 4)], NOW).stored == 3
        maker.join(3)
        for place in range(4, 7):
            assert store.write([sample(place, timestamp=TODAY)],
                               NOW).stored == 1
    maker.join(60)
    writer.dispose()
    assert f'sample_p{TODAY + period.DAY:%Y%m%d}' in names(engine)


def _make(url: str) -> None:
    other = transactions.make_engine(url)
    partitions.ahead(other, TODAY, 1)
    other.dispose()


def test_a_reader_that_began_before_a_day_was_made_is_answered(
        engine: sa.Engine) -> None:
    store = SqlSampleStore(engine)
    looks = 0

    def look(conn: sa.Connection) -> int:
        nonlocal looks
        looks += 1
        conn.scalars(sa.select(tables.series.c.id)).all()
        if looks == 1:
            store.write([sample(0, timestamp=TODAY)], NOW)
        return conn.scalar(sa.select(sa.func.count())
                           .select_from(tables.sample)) or 0

    assert transactions.inquire(engine, look) in (0, 1)


def test_who_packs_and_who_drops_do_not_meet(postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine:
        store = SqlSampleStore(engine)
        store.write([sample(0, timestamp=TODAY - period.DAY)], NOW)
        with transactions.statements(engine) as other:
            _take(other)
            with pytest.raises(errors.StoreUnavailable,
                               match='another process packs or drops'):
                expire(store, TODAY)
            assert partitions.pack(engine, TODAY) == []
            other.invalidate()
        assert expire(store, TODAY) == 1


def _take(conn: sa.Connection) -> None:
    """Hold the lock of those who pack or drop."""
    assert conn.scalar(sa.text('SELECT pg_try_advisory_lock(:lock)'),
                       {'lock': partitions._PACKING_OR_DROPPING})


@pytest.mark.parametrize('cut', ['while detaching', 'before dropping'])
def test_what_a_drop_left_before_a_reset_is_in_nobodys_way(
        postgresql_url: str, cut: str) -> None:
    day = TODAY - period.DAY
    with migrated(postgresql_url) as engine:
        store = SqlSampleStore(engine)
        store.write([sample(0, timestamp=day)], NOW)
        _detach(engine, f'sample_p{day:%Y%m%d}', cut)
        assert count(engine, tables.sample) == 0
        generation.reset(engine)
        again = sample(1, timestamp=day)
        with transactions.statements(engine) as other:
            _take(other)
            with pytest.raises(errors.StoreUnavailable, match='drops'):
                store.write([again], NOW)
            other.invalidate()
        assert store.write([again], NOW).stored == 1
        assert count(engine, tables.sample) == 1
        assert f'sample_p{day:%Y%m%d}' in names(engine)


def _detach(engine: sa.Engine, partition: str, cut: str) -> None:
    """As a drop does that is then interrupted."""
    detach = f'ALTER TABLE sample DETACH PARTITION {partition} CONCURRENTLY'
    with transactions.statements(engine) as conn:
        if cut == 'before dropping':
            conn.exec_driver_sql(detach)
            return
        conn.exec_driver_sql("SET statement_timeout = '500ms'")
        with transactions.reading(engine) as reader:
            reader.scalar(sa.select(sa.func.count())
                          .select_from(tables.sample))
            # It waits for the reader.
            with pytest.raises(sa.exc.OperationalError):
                conn.exec_driver_sql(detach)
        conn.invalidate()
