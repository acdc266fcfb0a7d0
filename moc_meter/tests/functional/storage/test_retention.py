# SPDX-License-Identifier: Apache-2.0
"""Dropping samples by age, and what stays as it was."""

from __future__ import annotations

import datetime
import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import (
    Field,
    MetadataRule,
    Outcome,
    Selection,
    StatisticsQuestion,
)
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation
from moc_meter.storage.samples import dropped, retention, rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.stores import count, everything, migrated, sample

TODAY = period.floor(datetime.datetime.now(datetime.UTC), period.DAY)
NOW = TODAY + 5 * period.DAY
#: Samples are of the days from FIRST to LAST. MariaDB's first partition takes
#: all before TODAY, so a border may lie within one, or between two.
FIRST, LAST = TODAY - 3 * period.DAY, TODAY + 3 * period.DAY
BORDERS = {'within': TODAY - period.DAY, 'between': TODAY + 2 * period.DAY}
BORDER = BORDERS['between']


def batch() -> list[Sample]:
    """Every 50 minutes one: 4 resources, of which one changes in between."""
    instants = itertools.takewhile(
        lambda instant: instant < LAST + period.DAY,
        (FIRST + place * datetime.timedelta(minutes=50)
         for place in itertools.count()))
    return [sample(number, timestamp=instant, resource_id=f'i-{number % 4}',
                   metadata={'state': 'new' if number % 4 or number < 70
                             else 'old'})
            for number, instant in enumerate(instants)]


OLD = [one for one in batch() if one.timestamp < BORDER]


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    made = SqlSampleStore(engine)
    made.write(batch(), NOW)
    return made


def by(length: datetime.timedelta | None = None, **rules: Any
       ) -> StatisticsQuestion:
    return StatisticsQuestion(
        selection=Selection(**rules), period=length,
        origin=TODAY if length else None, group_by=(Field.RESOURCE,))


def derived(engine: sa.Engine) -> dict[str, list[Any]]:
    return {name: rows for name, rows in everything(engine).items()
            if name != 'sample'}


def aside(engine: sa.Engine) -> list[str]:
    with transactions.reading(engine) as conn:
        return list(conn.scalars(sa.select(tables.quarantine.c.code)))


def oldest(engine: sa.Engine) -> datetime.datetime:
    with transactions.reading(engine) as conn:
        found = conn.scalar(sa.select(sa.func.min(
            tables.sample.c.timestamp)))
    assert isinstance(found, datetime.datetime)
    return found


def partitions(engine: sa.Engine) -> list[str]:
    """Of days before BORDER, with what is no partition any more."""
    question = {
        'postgresql': 'SELECT substr(relname, 8) FROM pg_class '
                      "WHERE relname LIKE 'sample\\_p%' AND relkind = 'r'",
        'mysql': 'SELECT partition_name FROM information_schema.partitions '
                 "WHERE table_schema = database() AND table_name = 'sample'",
        'sqlite': "SELECT 'none' WHERE 0"}[engine.dialect.name]
    with transactions.reading(engine) as conn:
        return [name for name in conn.scalars(sa.text(question))
                if name < f'p{BORDER:%Y%m%d}']


@pytest.mark.parametrize('border', BORDERS.values(), ids=BORDERS)
def test_old_samples_go_and_what_is_derived_stays(
        engine: sa.Engine, store: SqlSampleStore,
        border: datetime.datetime) -> None:
    questions = [by(period.DAY), by(period.HOUR), by(),
                 by(start=FIRST + 5 * period.HOUR, end=LAST)]
    before = derived(engine), [store.statistics(one) for one in questions]
    old = sum(one.timestamp < border for one in batch())
    assert store.expire(border, NOW, 'test') == old
    assert count(engine, tables.sample) == len(batch()) - old
    assert oldest(engine) >= border
    assert (derived(engine),
            [store.statistics(one) for one in questions]) == before
    assert len(store.samples(Selection(), 1000)) == len(batch()) - old
    assert store.expire(border, NOW, 'test') == 0
    assert store.expire(FIRST, NOW, 'test') == 0


def test_partitions_of_dropped_days_are_gone_and_stay_so(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    store.expire(BORDER, NOW, 'test')
    assert partitions(engine) == []
    SqlSampleStore(engine).write(OLD, NOW)
    assert partitions(engine) == []


def test_samples_of_before_the_days_go_too(engine: sa.Engine,
                                           store: SqlSampleStore) -> None:
    early = datetime.datetime(2009, 12, 31, tzinfo=datetime.UTC)
    store.write([sample(1, timestamp=early, meter='x')], NOW)
    store.expire(early + period.DAY, NOW, 'test')
    assert oldest(engine) == FIRST


def test_all_samples_may_be_too_old(engine: sa.Engine,
                                    store: SqlSampleStore) -> None:
    store.expire(LAST + 30 * period.DAY, NOW, 'test')
    assert count(engine, tables.sample) == 0
    fresh = sample(1, timestamp=LAST + 30 * period.DAY)
    assert store.write([fresh], NOW).stored == 1


def test_a_sample_older_than_what_was_dropped_goes_to_quarantine(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    store.expire(BORDER, NOW, 'test')
    before, marks = everything(engine), count(engine, tables.mark)
    late = sample(900, timestamp=BORDER - period.MICROSECOND)
    timely = sample(901, timestamp=BORDER)
    written = store.write([OLD[0], late, timely], NOW)
    assert written.outcomes == (Outcome.EXPIRED, Outcome.EXPIRED,
                                Outcome.STORED)
    assert aside(engine) == [errors.SampleTooOld.code] * 2
    assert count(engine, tables.mark) == marks + 1
    assert store.write([late], NOW).expired == 1
    assert len(aside(engine)) == 2
    assert len(everything(engine)['sample']) == len(before['sample']) + 1
    assert oldest(engine) == BORDER


def test_cells_of_dropped_days_are_not_provable_and_left_alone(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    assert rollups.unprovable(engine) == 0
    store.expire(BORDER, NOW, 'test')
    assert list(rollups.verify(engine)) == []
    with transactions.reading(engine) as conn:
        old = sum(conn.scalar(
            sa.select(sa.func.count()).where(column < BORDER)) or 0
            for column in (tables.rollup_hour.c.start,
                           tables.rollup_day.c.start, tables.span.c.first))
    assert rollups.unprovable(engine) == old > 0
    assert rollups.unprovable(engine, start=BORDER) == 0
    with transactions.writing(engine) as conn:
        for table in (tables.rollup_hour, tables.rollup_day):
            conn.execute(sa.update(table).values(sum=Decimal(1)))
    wrong = list(rollups.verify(engine))
    assert {one.table for one in wrong} == {'rollup_hour', 'rollup_day'}
    assert min(one.key[1] for one in wrong) == period.microseconds(BORDER)
    assert rollups.rebuild(engine) == len(wrong)
    assert list(rollups.verify(engine)) == []
    with transactions.reading(engine) as conn:
        assert set(conn.scalars(sa.select(tables.rollup_day.c.sum).where(
            tables.rollup_day.c.start < BORDER))) == {Decimal(1)}


NEEDS_SAMPLES = {
    'start': by(start=FIRST + datetime.timedelta(minutes=70)),
    'end': by(end=FIRST + datetime.timedelta(minutes=110)),
    'period': by(datetime.timedelta(minutes=30)),
    'origin': StatisticsQuestion(selection=Selection(), period=period.HOUR,
                                 origin=TODAY + period.MICROSECOND),
    'no origin': StatisticsQuestion(selection=Selection(start=(
        FIRST + datetime.timedelta(minutes=70))), period=period.DAY),
    'metadata': by(metadata=(MetadataRule(
        path='state', values=(('text', 'old'),)),)),
    'deviation': StatisticsQuestion(selection=Selection(), squares=True),
}


@pytest.mark.parametrize('question', NEEDS_SAMPLES.values(),
                         ids=NEEDS_SAMPLES)
def test_a_question_that_needs_dropped_samples_is_refused(
        store: SqlSampleStore, question: StatisticsQuestion) -> None:
    store.statistics(question)
    store.expire(BORDER, NOW, 'test')
    with pytest.raises(errors.InvalidQuery) as refusal:
        store.statistics(question)
    assert refusal.value.facts['kept_from'] == BORDER.isoformat()


def test_the_refusal_names_the_nearest_borders(store: SqlSampleStore
                                               ) -> None:
    store.expire(BORDER, NOW, 'test')
    with pytest.raises(errors.InvalidQuery) as refusal:
        store.statistics(NEEDS_SAMPLES['start'])
    nearest: Any = refusal.value.facts['nearest']
    assert nearest == [(FIRST + hours * period.HOUR).isoformat()
                       for hours in (1, 2)]
    for start in nearest:
        assert store.statistics(by(
            start=datetime.datetime.fromisoformat(start)))


def test_a_question_about_what_is_kept_is_answered_in_full(
        store: SqlSampleStore) -> None:
    questions = [by(start=BORDER + period.MICROSECOND),
                 by(datetime.timedelta(minutes=30), start=BORDER),
                 StatisticsQuestion(selection=Selection(start=BORDER),
                                    squares=True),
                 by(series=((Field.RESOURCE, 'nobody'),), end=(
                     FIRST + period.MICROSECOND))]
    before = [store.statistics(one) for one in questions]
    store.expire(BORDER, NOW, 'test')
    assert [store.statistics(one) for one in questions] == before


def test_what_a_bound_cuts_of_dropped_time_is_refused_elsewhere_too(
        store: SqlSampleStore) -> None:
    whole = store.resources(Selection(), None)
    kept = Selection(start=BORDER, end=LAST)
    found = store.resources(kept, None), store.meters(kept, None)
    store.expire(BORDER, NOW, 'test')
    assert store.resources(Selection(), None) == whole
    assert store.resources(Selection(start=FIRST, end=NOW), None) == whole
    assert (store.resources(kept, None), store.meters(kept, None)) == found
    for cut in Selection(start=TODAY), Selection(end=TODAY):
        for ask in store.resources, store.meters:
            with pytest.raises(errors.InvalidQuery, match='dropped'):
                ask(cut, None)


def test_the_journal_says_what_was_dropped_and_by_whom(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    assert retention.expirable(engine, BORDER) == len(OLD)
    assert retention.journal(engine) == []
    store.expire(BORDERS['within'], NOW, 'one')
    first = sum(one.timestamp < BORDERS['within'] for one in OLD)
    assert retention.expirable(engine, BORDER) == len(OLD) - first
    store.expire(BORDER, NOW + period.DAY, 'other')
    assert [(one.until, one.by, one.decided_at, one.finished_at, one.samples)
            for one in retention.journal(engine)] == [
        (BORDERS['within'], 'one', NOW, NOW, first),
        (BORDER, 'other', NOW + period.DAY, NOW + period.DAY,
         len(OLD) - first)]


#: Kills itself before the statement of a number that drops anything.
KILLED = """
import itertools, os, signal, sys
import sqlalchemy as sa
from moc_meter.storage.engine import make_engine
from moc_meter.storage.samples import retention
from moc_meter.tests.functional.storage.test_retention import BORDER, NOW
engine, left = make_engine(sys.argv[1]), itertools.count(1)
retention._BATCH = 20
@sa.event.listens_for(engine, 'before_cursor_execute')
def count(conn, cursor, statement, *_):
    if (statement.startswith(('ALTER', 'DROP', 'DELETE', 'UPDATE'))
            and next(left) == int(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGKILL)
retention.expire(engine, BORDER, NOW, 'killed')
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
    store.expire(BORDER, NOW, 'next')
    assert killed > 0
    assert partitions(engine) == []
    assert oldest(engine) >= BORDER
    [finished] = retention.journal(engine)
    assert (finished.by, finished.samples) == ('killed', len(OLD))


def test_a_drop_that_the_server_ends_while_detaching_is_finished(
        postgresql_url: str) -> None:
    with migrated(postgresql_url) as engine:
        store = SqlSampleStore(engine)
        store.write(batch(), NOW)
        failed: list[BaseException] = []

        def drop() -> None:
            try:
                store.expire(BORDER, NOW, 'test')
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
        assert store.expire(BORDER, NOW, 'test') == len(OLD)
        assert partitions(engine) == []
        assert oldest(engine) >= BORDER


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
    store.expire(BORDER, NOW, 'test')
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
        retention.expire(other, BORDER, NOW, 'test')
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
    dropping = threading.Thread(
        target=store.expire, args=(BORDER, NOW, 'test'))
    dropping.start()
    refused = False
    while not refused or dropping.is_alive():
        try:
            assert store.statistics(edge) == whole
        except errors.InvalidQuery:
            refused = True
        assert list(rollups.verify(engine)) == []
    dropping.join(60)
