# SPDX-License-Identifier: Apache-2.0
"""Dropping samples by age, and what stays as it was."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import (
    Field,
    Outcome,
    RetentionLevel,
    Selection,
    StatisticsQuestion,
)
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import retention, rollups
from moc_meter.storage.samples.plan import Level
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.storage.dropping import (
    BORDER,
    BORDERS,
    FIRST,
    LAST,
    NEEDS_SAMPLES,
    NOW,
    OLD,
    TODAY,
    aside,
    batch,
    by,
    derived,
    oldest,
    partitions,
    stored,
)
from moc_meter.tests.stores import (
    count,
    everything,
    expire,
    sample,
)

SAMPLES = RetentionLevel.SAMPLES


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    return stored(engine)


@pytest.mark.parametrize('border', BORDERS.values(), ids=BORDERS)
def test_old_samples_go_and_what_is_derived_stays(
        engine: sa.Engine, store: SqlSampleStore,
        border: datetime.datetime) -> None:
    questions = [by(period.DAY), by(period.HOUR), by(),
                 by(start=FIRST + 5 * period.HOUR, end=LAST)]
    before = derived(engine), [store.statistics(one) for one in questions]
    old = sum(one.timestamp < border for one in batch())
    assert expire(store, border) == old
    assert count(engine, tables.sample) == len(batch()) - old
    assert oldest(engine) >= border
    assert (derived(engine),
            [store.statistics(one) for one in questions]) == before
    assert len(store.samples(Selection(), 1000)) == len(batch()) - old
    assert expire(store, border) == 0
    assert expire(store, FIRST) == 0


def test_partitions_of_dropped_days_are_gone_and_stay_so(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    expire(store, BORDER)
    assert partitions(engine) == []
    SqlSampleStore(engine).write(OLD, NOW)
    assert partitions(engine) == []


def test_samples_of_before_the_days_go_too(engine: sa.Engine,
                                           store: SqlSampleStore) -> None:
    early = datetime.datetime(2009, 12, 31, tzinfo=datetime.UTC)
    store.write([sample(1, timestamp=early, meter='x')], NOW)
    expire(store, early + period.DAY)
    assert oldest(engine) == FIRST


def test_all_samples_may_be_too_old(engine: sa.Engine,
                                    store: SqlSampleStore) -> None:
    expire(store, LAST + 30 * period.DAY)
    assert count(engine, tables.sample) == 0
    fresh = sample(1, timestamp=LAST + 30 * period.DAY)
    assert store.write([fresh], NOW).stored == 1


def test_a_sample_older_than_what_was_dropped_goes_to_quarantine(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    expire(store, BORDER)
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
    expire(store, BORDER)
    assert list(rollups.verify(engine)) == []
    with transactions.reading(engine) as conn:
        old = sum(conn.scalar(
            sa.select(sa.func.count()).where(column < BORDER)) or 0
            for column in (tables.rollup_hour.c.start,
                           tables.rollup_day.c.start, tables.span.c.first))
    assert rollups.unprovable(engine) == old > 0
    later = period.instant(Level.MONTH.ceiling(period.microseconds(BORDER)))
    assert rollups.unprovable(engine, start=later) == 0
    with transactions.writing(engine) as conn:
        for table in (tables.rollup_hour, tables.rollup_day):
            conn.execute(sa.update(table).values(sum=Decimal(1)))
    # Months are told of as well: they are held against days.
    wrong = [one for one in rollups.verify(engine)
             if one.table != 'rollup_month']
    assert {one.table for one in wrong} == {'rollup_hour', 'rollup_day'}
    assert min(one.key[1] for one in wrong) == period.microseconds(BORDER)
    assert rollups.rebuild(engine) >= len(wrong)
    assert {one.table for one in rollups.verify(engine)} == {'rollup_month'}
    assert all(one.begin < period.microseconds(BORDER)
               for one in rollups.verify(engine))
    with transactions.reading(engine) as conn:
        assert set(conn.scalars(sa.select(tables.rollup_day.c.sum).where(
            tables.rollup_day.c.start < BORDER))) == {Decimal(1)}


@pytest.mark.parametrize('question', NEEDS_SAMPLES.values(),
                         ids=NEEDS_SAMPLES)
def test_a_question_that_needs_dropped_samples_is_refused(
        store: SqlSampleStore, question: StatisticsQuestion) -> None:
    store.statistics(question)
    expire(store, BORDER)
    with pytest.raises(errors.InvalidQuery) as refusal:
        store.statistics(question)
    assert refusal.value.facts['kept_from'] == BORDER.isoformat()


def test_the_refusal_names_the_nearest_borders(store: SqlSampleStore
                                               ) -> None:
    expire(store, BORDER)
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
    expire(store, BORDER)
    assert [store.statistics(one) for one in questions] == before


def test_what_a_bound_cuts_of_dropped_time_is_refused_elsewhere_too(
        store: SqlSampleStore) -> None:
    whole = store.resources(Selection(), None)
    kept = Selection(start=BORDER, end=LAST)
    found = store.resources(kept, None), store.meters(kept, None)
    expire(store, BORDER)
    assert store.resources(Selection(), None) == whole
    assert store.resources(Selection(start=FIRST, end=NOW), None) == whole
    assert (store.resources(kept, None), store.meters(kept, None)) == found
    for cut in Selection(start=TODAY), Selection(end=TODAY):
        for ask in store.resources, store.meters:
            with pytest.raises(errors.InvalidQuery, match='dropped'):
                ask(cut, None)


def test_the_journal_says_what_was_dropped_and_by_whom(
        engine: sa.Engine, store: SqlSampleStore) -> None:
    assert retention.expirable(engine, SAMPLES, BORDER) == len(OLD)
    assert retention.journal(engine) == []
    expire(store, BORDERS['within'], now=NOW, by='one')
    first = sum(one.timestamp < BORDERS['within'] for one in OLD)
    assert retention.expirable(engine, SAMPLES, BORDER) == len(OLD) - first
    expire(store, BORDER, now=NOW + period.DAY, by='other')
    journal = retention.journal(engine)
    assert [(one.until, one.by, one.decided_at, one.dropped)
            for one in journal] == [
        (BORDERS['within'], 'one', NOW, first),
        (BORDER, 'other', NOW + period.DAY, len(OLD) - first)]
    for one in journal:
        assert one.finished_at is not None
        assert one.decided_at < one.finished_at < (
            one.decided_at + period.HOUR)
