# SPDX-License-Identifier: Apache-2.0
"""A database that is emptied beside processes that remember its numbers."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import query
from moc_meter.model.query import Field, Selection
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables.samples import metadata
from moc_meter.tests.stores import NOW, count, sample

_TABLES = [table for table in metadata.sorted_tables
           if table.name != 'generation']


@pytest.fixture
def other(engine: sa.Engine, database_url: str) -> Iterator[SqlSampleStore]:
    """A store of another process, which has written sample 0."""
    beside = transactions.make_engine(database_url)
    store = SqlSampleStore(beside)
    store.write([sample(0)], NOW)
    yield store
    beside.dispose()


def resources(store: SqlSampleStore) -> list[tuple[str | None, int]]:
    """How many samples each resource has, as statistics know it."""
    return [(row.group['resource_id'], row.statistics.count)
            for row in store.statistics(query.StatisticsQuestion(
                selection=Selection(), group_by=(Field.RESOURCE,)))]


def test_a_reset_leaves_nothing(engine: sa.Engine,
                                other: SqlSampleStore) -> None:
    other.quarantine([], NOW)
    generation.reset(engine)
    assert [table.name for table in _TABLES if count(engine, table)] == []


def test_who_wrote_before_a_reset_writes_right_after_it(
        engine: sa.Engine, other: SqlSampleStore) -> None:
    generation.reset(engine)
    # Takes the numbers that the other one knows for another resource.
    SqlSampleStore(engine).write([sample(1)], NOW)
    other.write([sample(0), sample(3)], NOW)
    assert resources(other) == [('i-0', 2), ('i-1', 1)]
    assert len(other.samples(Selection(), 10)) == 3
    assert list(rollups.verify(engine)) == []


def test_samples_of_before_a_reset_are_no_duplicates_after_it(
        engine: sa.Engine, other: SqlSampleStore) -> None:
    generation.reset(engine)
    assert other.write([sample(0)], NOW).stored == 1
    assert other.write([sample(0)], NOW).duplicates == 1


def test_a_reset_waits_for_who_is_writing(engine: sa.Engine,
                                          database_url: str) -> None:
    beside = transactions.make_engine(database_url)
    done = threading.Event()

    def reset() -> None:
        generation.reset(beside)
        done.set()

    thread = threading.Thread(target=reset)
    with transactions.writing(engine) as conn:
        before = generation.held(conn)
        thread.start()
        assert not done.wait(0.5)
        assert generation.held(conn) == before
    thread.join(60)
    beside.dispose()
    assert done.is_set()
    with transactions.writing(engine) as conn:
        assert generation.held(conn) == before + 1


#: Kills itself before the statement of a number that changes anything.
KILLED = """
import itertools, os, signal, sys
import sqlalchemy as sa
from moc_meter.storage import generation
from moc_meter.storage.engine import make_engine
engine, left = make_engine(sys.argv[1]), itertools.count(1)
@sa.event.listens_for(engine, 'before_cursor_execute')
def count(conn, cursor, statement, *_):
    if (statement.startswith(('UPDATE', 'DELETE', 'TRUNCATE', 'SET STATEMENT'))
            and next(left) == int(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGKILL)
generation.reset(engine)
"""


@pytest.mark.parametrize('statement', [2, len(_TABLES)])
def test_a_reset_that_is_killed_mixes_nothing_up_and_is_done_by_the_next(
        engine: sa.Engine, other: SqlSampleStore, database_url: str,
        statement: int) -> None:
    subprocess.run([sys.executable, '-c', KILLED, database_url,
                    str(statement)], check=False, timeout=120)
    if engine.dialect.name == 'mysql':      # some tables are empty
        for store in other, SqlSampleStore(engine):
            with pytest.raises(errors.StoreUnavailable,
                               match='db reset --yes'):
                store.write([sample(3)], NOW)
        with pytest.raises(errors.StoreUnavailable):
            transactions.transact(engine, generation.alone)
    else:
        other.write([sample(3)], NOW)
        assert list(rollups.verify(engine)) == []
    generation.reset(engine)
    SqlSampleStore(engine).write([sample(1)], NOW)
    other.write([sample(0)], NOW)
    assert resources(other) == [('i-0', 1), ('i-1', 1)]
    assert list(rollups.verify(engine)) == []


def test_resets_amid_writing_mix_nothing_up(
        engine: sa.Engine, other: SqlSampleStore) -> None:
    """Each number is written while another process empties the database."""
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(60):
                written = False
                while not written:
                    with contextlib.suppress(errors.StoreUnavailable):
                        other.write([sample(number), sample(number + 1)], NOW)
                        written = True
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        generation.reset(engine)
        SqlSampleStore(engine).write([sample(1000, resource_id='x')], NOW)
        thread.join(0.02)
    other.write([sample(0)], NOW)
    assert failed == []
    assert list(rollups.verify(engine)) == []
    kept = other.samples(Selection(), 1000)
    said = [sample(number) for number in range(61)]
    assert [one for one in kept if one.sample not in said
            and one.sample.resource_id != 'x'] == []
    assert dict(resources(other)).keys() == {
        one.sample.resource_id for one in kept}
