# SPDX-License-Identifier: Apache-2.0
"""Each sample is delivered three times, and three databases agree on it.

Two agents send, in any order and batching, and two collectors race to store.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.model import period, quantity
from moc_meter.model.query import Field, Selection, StatisticsQuestion
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance.fault_redelivery import (
    EXACT,
    MARCH,
    deliver,
    said,
)
from moc_meter.tests.acceptance.fault_samples import Difference
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import count, everything, migrated

DATABASES = ('sqlite', 'postgresql', 'mariadb')
#: More than there are.
ALL = 10_000
SEED = 20260301


@pytest.fixture(scope='module')
def samples() -> list[Sample]:
    return said(random.Random(SEED))


@pytest.fixture(scope='module')
def engines(samples: list[Sample], rabbitmq_server: RabbitMQ,
            postgresql_server: PostgreSQL, mariadb_server: MariaDB,
            tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, sa.Engine]]:
    """The databases after everything has been delivered to each."""
    folder = tmp_path_factory.mktemp('redelivery')
    urls = {'sqlite': f'sqlite:///{folder}/meter.sqlite',
            'postgresql': postgresql_server.create_database(),
            'mariadb': mariadb_server.create_database()}
    with ExitStack() as stack:
        made = {name: stack.enter_context(migrated(url))
                for name, url in urls.items()}
        for number, engine in enumerate(made.values()):
            deliver(samples, random.Random(SEED + number), rabbitmq_server,
                    engine, folder)
        yield made


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, engines: dict[str, sa.Engine]
           ) -> sa.Engine:
    return engines[request.param]


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    return SqlSampleStore(engine)


def test_each_sample_is_stored_once(
        engine: sa.Engine, samples: list[Sample]) -> None:
    assert Difference.between(samples, engine) == Difference()


def test_each_sample_comes_back_as_it_was_said(
        store: SqlSampleStore, samples: list[Sample]) -> None:
    found = [one.sample for one in store.samples(Selection(), ALL)]
    assert in_order(found) == in_order(samples)


def in_order(samples: list[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda one: (one.timestamp, one.key.bytes,
                                            one.volume))


@pytest.mark.parametrize(('name', 'zone'), [
    ('postgresql', "current_setting('TimeZone')"),
    ('mariadb', '@@session.time_zone')])
def test_the_sessions_of_the_databases_were_not_in_utc(
        engines: dict[str, sa.Engine], name: str, zone: str) -> None:
    with transactions.reading(engines[name]) as conn:
        assert conn.scalar(sa.select(sa.literal_column(zone))) in (
            'Asia/Kolkata', '+05:30')


def test_a_second_delivery_is_no_conflict(engine: sa.Engine) -> None:
    assert count(engine, tables.quarantine) == 0


def test_every_rollup_is_what_its_samples_say(engine: sa.Engine) -> None:
    assert not list(rollups.verify(engine))


QUESTIONS = {
    'all': StatisticsQuestion(selection=Selection(), squares=True),
    'by meter and project': StatisticsQuestion(
        selection=Selection(), group_by=(Field.METER, Field.PROJECT),
        cardinality=(Field.RESOURCE, Field.USER), squares=True),
    'by resource and day': StatisticsQuestion(
        selection=Selection(), period=period.DAY, origin=MARCH,
        group_by=(Field.RESOURCE,)),
    'of two hours': StatisticsQuestion(
        selection=Selection(start=MARCH + 5 * period.HOUR,
                            end=MARCH + 90 * period.HOUR),
        period=2 * period.HOUR),
    'by name': StatisticsQuestion(
        selection=Selection(series=((Field.METER, 'heat'),)),
        group_by_metadata=('name',)),
    'of cut hours': StatisticsQuestion(
        selection=Selection(start=MARCH + 7 * period.MICROSECOND,
                            end=MARCH + 3 * period.DAY
                            + 11 * period.MICROSECOND),
        period=7 * period.HOUR, squares=True)}


@pytest.mark.parametrize('question', QUESTIONS.values(), ids=QUESTIONS)
def test_statistics_are_those_of_a_count_in_fractions(
        store: SqlSampleStore, samples: list[Sample],
        question: StatisticsQuestion) -> None:
    assert maker.shown(store.statistics(question)) == maker.statistics(
        samples, question)


@pytest.mark.parametrize('ask', [
    everything,
    lambda engine: SqlSampleStore(engine).meters(Selection(), None),
    lambda engine: SqlSampleStore(engine).resources(Selection(), None),
    lambda engine: [SqlSampleStore(engine).statistics(question)
                    for question in QUESTIONS.values()],
], ids=['rows', 'meters', 'resources', 'statistics'])
def test_three_databases_give_one_answer(
        engines: dict[str, sa.Engine], ask: Any) -> None:
    first, second, third = map(ask, engines.values())
    assert first == second == third


def total(store: SqlSampleStore, meter: str) -> Decimal:
    [row] = store.statistics(StatisticsQuestion(
        selection=Selection(series=((Field.METER, meter),))))
    return row.statistics.sum


def test_ten_tenths_are_one(store: SqlSampleStore) -> None:
    assert total(store, 'tenth') == 1


@pytest.mark.parametrize('meter', EXACT)
def test_a_volume_comes_back_to_its_last_digit(
        store: SqlSampleStore, meter: str) -> None:
    selection = Selection(series=((Field.METER, meter),))
    assert [one.sample.volume for one in store.samples(selection, ALL)] == (
        EXACT[meter])


def test_a_sum_of_38_digits_loses_none(database_url: str) -> None:
    """It takes 10**9 samples, so most of them are planted as their sum."""
    one = Sample(
        source='region-1', message_id=derived_id('38'), timestamp=MARCH,
        meter='bytes', kind=MeterKind.DELTA, unit='B', resource_id='r',
        volume=Decimal('0.000000001'))
    planted = Decimal('98765432109876543210987654321.098765432')
    with migrated(database_url) as engine:
        store = SqlSampleStore(engine)
        store.write([one], MARCH)
        with transactions.writing(engine) as conn:
            for table in (tables.rollup_hour, tables.rollup_day,
                          tables.rollup_month):
                conn.execute(sa.update(table).values(sum=planted))
        more = Sample(
            source='region-1', message_id=derived_id('39'), timestamp=MARCH,
            meter='bytes', kind=MeterKind.DELTA, unit='B', resource_id='r',
            volume=Decimal('1234567.000000009'))
        store.write([more], MARCH)
        sums = [row.statistics.sum for origin in (
            MARCH, MARCH - period.HOUR) for row in store.statistics(
                StatisticsQuestion(selection=Selection(), origin=origin,
                                   period=10 * period.DAY))]
    assert sums == [quantity.add(planted, more.volume)] * 2
