# SPDX-License-Identifier: Apache-2.0
"""Events: kept once with their traits, and met by no question on samples."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period, query
from moc_meter.model.query import Field, Selection
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.stores import NOW, count, migrated, sample

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


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture(params=['sql', 'fake'])
def store(request: pytest.FixtureRequest, engine: sa.Engine) -> SampleStore:
    return SqlSampleStore(engine) if request.param == 'sql' else FakeStore()


def test_an_event_is_kept_once_with_all_its_traits(store: SampleStore
                                                   ) -> None:
    batch = [event(0), sample(1), event(1, message_id='theirs'), event(0)]
    written = store.write(batch, NOW)
    assert (written.stored, written.duplicates) == (3, 1)
    assert store.write(batch, NOW).duplicates == 4
    assert [one.sample for one in store.events(Selection(), 9)] == [
        event(1, message_id='theirs'), event(0)]
    assert [one.recorded_at for one in store.events(Selection(), 9)] == [
        NOW + 2 * period.MICROSECOND, NOW]


def test_an_event_that_says_something_else_goes_to_quarantine(
        store: SampleStore) -> None:
    other = event(0, metadata={**TRAITS, 'memory_mb': 513})
    store.write([event(0)], NOW)
    assert store.write([other, event(0)], NOW).outcomes == (
        query.Outcome.CONFLICT, query.Outcome.DUPLICATE)
    assert [one.sample for one in store.events(Selection(), 9)] == [event(0)]


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
    assert store.events(Selection(), 9) == []


def test_only_the_selected_events_are_answered(store: SampleStore) -> None:
    store.write([event(0), event(1, project_id='p-2'), event(2, meter='x')],
                NOW)
    for selection, places in (
            (Selection(projects=frozenset({'p-2'})), [1]),
            (Selection(series=((Field.METER, 'x'),)), [2]),
            (Selection(start=NOW + period.HOUR), [2, 1]),
            (Selection(end=NOW + period.HOUR), [0])):
        assert [one.sample.timestamp for one in store.events(selection, 9)
                ] == [NOW + place * period.HOUR for place in places]
    assert len(store.events(Selection(), 2)) == 2


def test_events_stay_when_samples_are_dropped(store: SampleStore) -> None:
    store.write([event(0)], NOW)
    store.expire(period.floor(NOW, period.DAY) + 2 * period.DAY, NOW, 'test')
    assert store.write([event(1)], NOW).stored == 1
    assert len(store.events(Selection(), 9)) == 2


def test_traits_can_be_compared_by_their_types(engine: sa.Engine) -> None:
    SqlSampleStore(engine).write([event(0)], NOW)
    of = tables.event_trait.c
    launched = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for rule in (of.integer == 512, of.integer < 0, of.text == 'compute',
                 sa.and_(of.instant > launched,
                         of.instant < launched + period.HOUR),
                 of.number == Decimal('0.1')):
        with transactions.reading(engine) as conn:
            assert len(conn.execute(sa.select(of.name).where(rule)).all()
                       ) == 1
    assert count(engine, tables.mark) == 0
    assert list(rollups.verify(engine)) == []


def test_an_event_with_what_is_no_trait_changes_nothing(engine: sa.Engine
                                                        ) -> None:
    with pytest.raises(errors.InvalidSample):
        SqlSampleStore(engine).write(
            [event(0, metadata={'deep': {'er': 1}})], NOW)
    assert count(engine, tables.event) == 0
