# SPDX-License-Identifier: Apache-2.0
"""Dropping samples while others read and write, and drops cut short."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import Outcome, Selection
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import dropped, retention, rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.storage.dropping import (
    BORDER,
    BORDERS,
    FIRST,
    NEEDS_SAMPLES,
    NOW,
    OLD,
    aside,
    batch,
    by,
    derived,
    oldest,
    partitions,
    stored,
)
from moc_meter.tests.stores import (
    StopAfter,
    count,
    expire,
    migrated,
    sample,
)


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    return stored(engine)


#: Kills itself before the statement of a number that drops anything.
KILLED = """
import itertools, os, signal, sys, threading
import sqlalchemy as sa
from moc_meter.storage.engine import make_engine
from moc_meter.storage.samples import retention
from moc_meter.tests.functional.storage.dropping import BORDER, NOW
SAMPLES = retention.RetentionLevel.SAMPLES
engine, left = make_engine(sys.argv[1]), itertools.count(1)
retention._BATCH = 20
@sa.event.listens_for(engine, 'before_cursor_execute')
def count(conn, cursor, statement, *_):
    if (statement.startswith(('ALTER', 'DROP', 'DELETE', 'UPDATE'))
            and next(left) == int(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGKILL)
retention.expire(engine, SAMPLES, BORDER, NOW, 'killed', threading.Event())
"""


def test_a_drop_that_is_killed_anywhere_is_finished_by_the_next(
        engine: sa.Engine, store: SqlSampleStore, database_url: str) -> None:
    before = derived(engine), store.statistics(by(period.DAY))
    killed = 0
    while subprocess.run(
            [sys.executable, '-c', KILLED, database_url,
             str(1 + killed)], check=False, timeout=120).returncode:
        killed += 1
        assert killed < 100
        assert (derived(engine), store.statistics(by(period.DAY))) == before
        assert list(rollups.verify(engine)) == []
        assert store.write(OLD[:3], NOW).expired == 3
        assert len(store.samples(Selection(), 1000)) == (
            len(batch()) - len(OLD))
        with pytest.raises(errors.InvalidQuery):
            store.statistics(NEEDS_SAMPLES['start'])
        [unfinished] = retention.journal(engine)
        assert unfinished.finished_at is None
    expire(store, BORDER, by='next')
    assert killed > 0
    assert partitions(engine) == []
    assert oldest(engine) >= BORDER
    [finished] = retention.journal(engine)
    assert (finished.by, finished.dropped) == ('killed', len(OLD))


def test_a_drop_that_the_server_ends_while_detaching_is_finished(
        postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine:
        store = stored(engine)
        failed: list[BaseException] = []

        def drop() -> None:
            try:
                expire(store, BORDER)
            except errors.StoreUnavailable as fault:
                failed.append(fault)

        dropping = threading.Thread(target=drop)
        with transactions.reading(engine) as reader:
            kept = reader.scalar(sa.select(sa.func.count())
                                 .select_from(tables.sample))
            dropping.start()
            with transactions.statements(engine) as conn:
                until(lambda: bool(conn.scalar(sa.text(
                    'SELECT EXISTS (SELECT FROM pg_inherits '
                    'WHERE inhdetachpending)'))))
                conn.execute(sa.text(
                    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                    "WHERE query LIKE '%DETACH%' "
                    'AND pid <> pg_backend_pid()'))
            dropping.join(60)
            # A reader goes on with what it saw.
            assert kept == len(batch()) == reader.scalar(
                sa.select(sa.func.count()).select_from(tables.sample))
        assert len(failed) == 1
        assert expire(store, BORDER) == len(OLD)
        assert partitions(engine) == []
        assert oldest(engine) >= BORDER


def test_a_stop_ends_a_drop_after_what_is_in_hand(
        engine: sa.Engine, store: SqlSampleStore,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of rows, or a partition; and the next one goes on."""
    monkeypatch.setattr(retention, '_BATCH', 20)
    border = BORDERS['within']
    old = sum(one.timestamp < border for one in OLD)
    assert expire(store, border, stop=StopAfter(1)) == 0
    left = old - (len(batch()) - count(engine, tables.sample))
    assert 0 < left < old
    [unfinished] = retention.journal(engine)
    assert unfinished.finished_at is None
    assert expire(store, border) == old
    assert oldest(engine) >= border


def test_small_series_are_dropped_many_at_a_time(sqlite_url: str) -> None:
    with migrated(sqlite_url) as engine:
        store = SqlSampleStore(engine)
        store.write([sample(number, timestamp=FIRST, meter=f'm-{number}')
                     for number in range(200)], NOW)
        deleted: list[str] = []

        @sa.event.listens_for(engine, 'before_cursor_execute')
        def note(_conn: sa.Connection, _cursor: object, statement: str,
                 *_: object) -> None:
            if statement.startswith('DELETE'):
                deleted.append(statement)

        assert expire(store, FIRST + period.DAY) == 200
    assert len(deleted) == 1


def until(true: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    for _ in range(600):
        if true():
            return
        threading.Event().wait(0.05)
    raise AssertionError('it did not become true')


def test_late_samples_that_race_with_a_drop_are_kept_or_set_aside(
        engine: sa.Engine, store: SqlSampleStore, database_url: str) -> None:
    """One whose sample is gone must be in the rollups, or in quarantine."""
    before = count(engine, tables.sample)
    outcomes: list[Outcome] = []
    racing, over = threading.Barrier(3), threading.Event()

    def write(writer: int) -> None:
        mine = transactions.make_engine(database_url)
        late = SqlSampleStore(mine)
        for number in itertools.count():
            if number == 3:
                racing.wait(60)
            said = late.write([sample(
                100_000 * (writer + 1) + 10 * number + place,
                timestamp=FIRST + place * period.DAY
                + number * period.MICROSECOND,
            ) for place in range(7)], NOW).outcomes
            outcomes.extend(said)
            if Outcome.EXPIRED in said:
                break
            over.wait(0.01)     # SQLite is not fair to those who wait
        mine.dispose()

    writers = [threading.Thread(target=write, args=(place,))
               for place in range(2)]
    for one in writers:
        one.start()
    racing.wait(60)
    expire(store, BORDER)
    over.set()
    for one in writers:
        one.join(60)
    stored, expired = (outcomes.count(what) for what in (
        Outcome.STORED, Outcome.EXPIRED))
    assert stored + expired == len(outcomes)
    assert stored > 0
    assert expired > 0
    assert oldest(engine) >= BORDER
    assert aside(engine) == [errors.SampleTooOld.code] * expired
    with transactions.reading(engine) as conn:
        assert conn.scalar(sa.select(sa.func.sum(
            tables.rollup_day.c.count))) == before + stored
    assert partitions(engine) == []
    assert list(rollups.verify(engine)) == []


def test_the_border_does_not_move_while_somebody_writes(
        engine: sa.Engine, store: SqlSampleStore, database_url: str) -> None:
    other = transactions.make_engine(database_url)
    moved = threading.Event()

    def drop() -> None:
        expire(SqlSampleStore(other), BORDER)
        moved.set()

    dropping = threading.Thread(target=drop)
    with transactions.writing(engine) as conn:
        generation.held(conn)
        assert dropped.border(conn) == 0
        dropping.start()
        assert not moved.wait(1)
        assert dropped.border(conn) == 0
    dropping.join(60)
    assert moved.is_set()
    other.dispose()


def test_an_answer_during_a_drop_is_whole_or_refused(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    edge = NEEDS_SAMPLES['start']
    whole = store.statistics(edge)
    dropping = threading.Thread(target=expire, args=(store, BORDER))
    dropping.start()
    refused = False
    while not refused or dropping.is_alive():
        try:
            assert store.statistics(edge) == whole
        except errors.InvalidQuery:
            refused = True
        assert list(rollups.verify(engine)) == []
    dropping.join(60)
