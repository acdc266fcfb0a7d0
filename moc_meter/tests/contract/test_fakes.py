# SPDX-License-Identifier: Apache-2.0
"""The store that tests use answers as the real one does."""

from __future__ import annotations

import dataclasses
import datetime
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.model import query
from moc_meter.model.query import Field, MetadataRule, Selection
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.stores import migrated

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SELECTIONS = (
    Selection(),
    Selection(series=((Field.METER, 'vcpus'),)),
    Selection(series=((Field.PROJECT, None),)),
    Selection(start=NOON + HOUR, end=NOON + 30 * HOUR),
    Selection(metadata=(MetadataRule(
        path='flavor.size', values=(('number', '1'), ('text', '2'))),)),
    Selection(projects=frozenset({'p-1'})),
)
BY_ID = (Selection(message_ids=('m-3',)),
         Selection(message_ids=('m-3', 'm-5')))


def samples() -> list[Sample]:
    """Two hundred, of all kinds, the same ones every time."""
    chance = random.Random(1)
    return [Sample(
        source=chance.choice(['region-1', 'region-2']),
        message_id=f'm-{number}',
        timestamp=NOON + chance.randrange(100) * HOUR / 2,
        meter=chance.choice(['vcpus', 'memory']), kind=MeterKind.GAUGE,
        unit=chance.choice(['B', 'KiB']),
        volume=Decimal(chance.randrange(-1000, 1000)) / 8,
        resource_id=f'i-{chance.randrange(4)}',
        project_id=chance.choice(['p-1', 'p-2', None]),
        user_id=chance.choice(['u-1', None]),
        metadata=chance.choice([{}, {'flavor': {'size': 1}},
                                {'flavor': {'size': '2'}, 'zone': 'a'}]),
    ) for number in range(200)]


@pytest.fixture(scope='module')
def stores(tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[tuple[SampleStore, SampleStore]]:
    path: Path = tmp_path_factory.mktemp('store') / 'meter.sqlite'
    with migrated(f'sqlite:///{path}') as engine:
        fake, real = FakeStore(), SqlSampleStore(engine)
        for store in fake, real:
            store.write(samples(), NOON)
        yield fake, real


def test_writing_is_counted_alike(
        stores: tuple[SampleStore, SampleStore]) -> None:
    known, *_ = samples()
    other = dataclasses.replace(known, volume=Decimal(10**6))
    fake, real = (store.write([known, other], NOON) for store in stores)
    assert fake == real == query.Written(
        (query.Outcome.DUPLICATE, query.Outcome.CONFLICT))


@pytest.mark.parametrize('selection', SELECTIONS + BY_ID)
def test_samples_are_answered_alike(
        stores: tuple[SampleStore, SampleStore], selection: Selection
        ) -> None:
    fake, real = stores
    assert fake.samples(selection, 30) == real.samples(selection, 30)


@pytest.mark.parametrize('selection', SELECTIONS)
def test_meters_and_resources_are_answered_alike(
        stores: tuple[SampleStore, SampleStore], selection: Selection
        ) -> None:
    fake, real = stores
    assert fake.resources(selection, 3) == real.resources(selection, 3)
    for unique in True, False:
        assert (fake.meters(selection, 5, unique)
                == real.meters(selection, 5, unique))


@pytest.mark.parametrize('selection', BY_ID)
def test_meters_and_resources_are_not_asked_by_id(
        stores: tuple[SampleStore, SampleStore], selection: Selection
        ) -> None:
    for store in stores:
        for question in store.meters, store.resources:
            with pytest.raises(errors.InvalidQuery):
                question(selection, None)


@pytest.mark.parametrize('selection', SELECTIONS + BY_ID)
@pytest.mark.parametrize('question', [
    query.StatisticsQuestion(selection=Selection(), squares=True,
                             cardinality=(Field.RESOURCE, Field.USER)),
    query.StatisticsQuestion(selection=Selection(), period=7 * HOUR,
                             group_by=(Field.PROJECT,)),
    query.StatisticsQuestion(selection=Selection(), period=HOUR, origin=NOON,
                             group_by_metadata=('flavor.size',)),
])
def test_statistics_are_answered_alike(
        stores: tuple[SampleStore, SampleStore], selection: Selection,
        question: query.StatisticsQuestion) -> None:
    asked = dataclasses.replace(question, selection=selection)
    fake, real = (sorted(store.statistics(asked), key=lambda row: (
        row.period_start or NOON, row.unit, repr(row.group)))
        for store in stores)
    assert fake == real


def test_statistics_of_more_rows_than_wanted_are_refused(
        stores: tuple[SampleStore, SampleStore]) -> None:
    asked = query.StatisticsQuestion(selection=Selection(), period=HOUR,
                                     origin=NOON)
    for store in stores:
        rows = store.statistics(asked)
        assert len(rows) > 1
        enough = dataclasses.replace(asked, most=len(rows))
        assert len(store.statistics(enough)) == len(rows)
        with pytest.raises(errors.InvalidQuery, match='more than'):
            store.statistics(dataclasses.replace(asked, most=len(rows) - 1))


def test_one_sample_is_found_by_those_who_may_see_it(
        stores: tuple[SampleStore, SampleStore]) -> None:
    for projects in None, frozenset({'p-1'}), frozenset({'nobody'}):
        for number in range(5):
            fake, real = (store.sample(f'm-{number}', projects)
                          for store in stores)
            assert fake == real
