# SPDX-License-Identifier: Apache-2.0
"""Events: kept once with their traits, and met by no question on samples."""

from __future__ import annotations

import dataclasses
import threading
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period, query
from moc_meter.model.events import EventSelection
from moc_meter.model.query import RetentionLevel, Selection
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.storage.samples import retention, rollups
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.stores import (
    NOW,
    StopAfter,
    count,
    expire,
    migrated,
    sample,
)

EVENTS = RetentionLevel.EVENTS

TRAITS = {'service': 'compute', 'memory_mb': 512, 'load': 0.1, 'empty': '',
          'least': -2 ** 63, 'launched_at': {'datetime': 1767225600123456}}


def event(number: int = 0, **changes: Any) -> Sample:
    said: dict[str, Any] = {
        'source': 'region-1', 'message_id': derived_id('event', str(number)),
        'timestamp': NOW + number * period.HOUR,
        'meter': 'compute.instance.create.end', 'kind': MeterKind.EVENT,
        'unit': 'event', 'volume': Decimal(1), 'resource_id': 'i-1',
        'project_id': 'p-1', 'metadata': TRAITS, 'is_event': True}
    return Sample(**said | changes)


@pytest.fixture(params=['sql', 'fake'])
def store(request: pytest.FixtureRequest, engine: sa.Engine) -> SampleStore:
    return SqlSampleStore(engine) if request.param == 'sql' else FakeStore()


def test_an_event_is_kept_once_with_all_its_traits(store: SampleStore
                                                   ) -> None:
    batch = [event(0), sample(1), event(1, message_id='theirs'), event(0)]
    written = store.write(batch, NOW)
    assert (written.stored, written.duplicates) == (3, 1)
    assert store.write(batch, NOW).duplicates == 4
    found = store.events(EventSelection(), 9)
    assert [one.sample for one in found] == [
        event(0), event(1, message_id='theirs')]
    assert [one.recorded_at for one in found] == [
        NOW, NOW + 2 * period.MICROSECOND]


def test_many_of_which_one_was_there_are_kept_beside_many_others(
        store: SampleStore) -> None:
    store.write([sample(7), event(7)], NOW)
    batch = [*map(sample, range(80)), *map(event, range(80))]
    written = store.write(batch, NOW + period.HOUR)
    assert (written.stored, written.duplicates) == (158, 2)
    assert len(store.samples(Selection(), 200)) == 80
    assert len(store.events(EventSelection(), 200)) == 80


def test_an_event_that_says_something_else_goes_to_quarantine(
        store: SampleStore) -> None:
    other = event(0, metadata={**TRAITS, 'memory_mb': 513})
    store.write([event(0)], NOW)
    assert store.write([other, event(0)], NOW).outcomes == (
        query.Outcome.CONFLICT, query.Outcome.DUPLICATE)
    assert [one.sample for one in store.events(EventSelection(), 9)] == [
        event(0)]


def test_no_question_on_samples_meets_an_event(store: SampleStore) -> None:
    store.write([event(0)], NOW)
    assert store.samples(Selection(), 9) == []
    assert store.sample(event(0).message_id, None) is None
    assert store.meters(Selection(), None) == []
    assert store.resources(Selection(), None) == []
    assert store.statistics(query.StatisticsQuestion(
        selection=Selection())) == []


def test_a_meter_of_kind_event_is_no_event(store: SampleStore) -> None:
    meeting = dataclasses.replace(event(0), is_event=False)
    store.write([meeting], NOW)
    assert [one.sample for one in store.samples(Selection(), 9)] == [meeting]
    assert store.events(EventSelection(), 9) == []


def test_events_stay_when_samples_are_dropped(store: SampleStore) -> None:
    store.write([event(0)], NOW)
    expire(store, period.floor(NOW, period.DAY) + 2 * period.DAY)
    assert store.write([event(1)], NOW).stored == 1
    assert len(store.events(EventSelection(), 9)) == 2


def test_old_events_go_and_nothing_else(store: SampleStore) -> None:
    store.write([event(0), sample(1), event(48)], NOW)
    border = period.floor(NOW, period.DAY) + period.DAY
    assert expire(store, border, EVENTS) == 1
    assert [one.sample for one in store.events(EventSelection(), 9)] == [
        event(48)]
    assert len(store.samples(Selection(), 9)) == 1
    assert expire(store, border, EVENTS) == 0


def test_an_event_older_than_what_was_dropped_goes_to_quarantine(
        store: SampleStore) -> None:
    border = period.floor(NOW, period.DAY) + period.DAY
    expire(store, border, EVENTS)
    last = event(0, timestamp=border - period.MICROSECOND)
    first = event(1, timestamp=border)
    assert store.write([last, sample(1), first], NOW).outcomes == (
        query.Outcome.EXPIRED, query.Outcome.STORED, query.Outcome.STORED)


def test_a_stop_ends_a_drop_of_events_after_the_batch_in_hand(
        engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next one goes on, and counts them all."""
    monkeypatch.setattr(retention, '_BATCH', 4)
    store, until = SqlSampleStore(engine), NOW + 10 * period.DAY
    border = period.floor(until, period.DAY)
    store.write([event(number, resource_id=f'i-{number % 3}')
                 for number in range(11)], NOW)
    assert retention.expirable(engine, EVENTS, border) == 11
    assert count(engine, tables.event) == 11
    assert expire(store, border, EVENTS, stop=StopAfter(1)) == 0
    assert count(engine, tables.event) == 7
    assert count(engine, tables.event_trait) == 7 * len(TRAITS)
    assert store.events(EventSelection(), 99) == []
    [unfinished] = retention.journal(engine)
    assert unfinished.finished_at is None
    assert expire(store, border, EVENTS, by='next') == 11
    assert count(engine, tables.event) == 0
    assert count(engine, tables.event_trait) == 0
    [done] = retention.journal(engine)
    assert (done.level, done.by, done.dropped) == (EVENTS, 'test', 11)
    assert done.finished_at is not None
    assert NOW < done.finished_at < NOW + period.HOUR


def test_two_who_drop_events_count_each_once(
        engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, '_BATCH', 5)
    store = SqlSampleStore(engine)
    border = period.floor(NOW, period.DAY) + 10 * period.DAY
    store.write([event(number, resource_id=f'i-{number % 7}')
                 for number in range(60)], NOW)
    threads = [threading.Thread(target=expire, args=(store, border, EVENTS))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert count(engine, tables.event) == 0
    [done] = retention.journal(engine)
    assert done.dropped == 60
    assert done.finished_at is not None


def test_old_events_are_found_by_an_index(sqlite_url: str) -> None:
    with migrated(sqlite_url) as engine:
        store = SqlSampleStore(engine)
        store.write([event(0)], NOW)
        plans: list[str] = []

        @sa.event.listens_for(engine, 'before_cursor_execute')
        def explain(_conn: sa.Connection, cursor: Any, statement: str,
                    parameters: Any, *_: object) -> None:
            if 'event' in statement and 'INSERT' not in statement:
                cursor.execute(f'EXPLAIN QUERY PLAN {statement}', parameters)
                plans.extend(row[3] for row in cursor.fetchall())

        border = period.floor(NOW, period.DAY) + period.DAY
        assert retention.expirable(engine, EVENTS, border) == 1
        assert expire(store, border, EVENTS) == 1
    assert {plan for plan in plans if plan.startswith('SCAN')} == {
        'SCAN event_form'}      # a row a type and trait: no history
    assert len(plans) >= 4


def test_an_event_leaves_no_mark_and_no_rollup(engine: sa.Engine) -> None:
    SqlSampleStore(engine).write([event(0)], NOW)
    assert count(engine, tables.mark) == 0
    assert list(rollups.verify(engine)) == []


def test_an_event_with_what_is_no_trait_changes_nothing(engine: sa.Engine
                                                        ) -> None:
    with pytest.raises(errors.InvalidSample):
        SqlSampleStore(engine).write(
            [event(0, metadata={'deep': {'er': 1}})], NOW)
    assert count(engine, tables.event) == 0
