# SPDX-License-Identifier: Apache-2.0
"""However a made-up world is delivered, the databases hold the same of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.cmd.truth.over_bus import sample
from moc_meter.model import period
from moc_meter.model.query import Field, Selection, StatisticsQuestion
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance.fault_redelivery import deliver
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import NOW, count, everything, migrated
from moc_meter.truth.world import World

WORLD = World(12, 'small', decimals=True)
SHAKEN = ('sqlite', 'postgresql', 'mariadb')
QUESTIONS = [
    StatisticsQuestion(selection=Selection(), squares=True,
                       group_by=(Field.METER, Field.PROJECT)),
    StatisticsQuestion(selection=Selection(), period=period.HOUR,
                       group_by=(Field.METER, Field.RESOURCE)),
    StatisticsQuestion(selection=Selection(), period=7 * period.HOUR,
                       group_by_metadata=('version',))]


@pytest.fixture(scope='module')
def engines(rabbitmq_server: RabbitMQ, postgresql_server: PostgreSQL,
            mariadb_server: MariaDB,
            tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, sa.Engine]]:
    """'plain' has each sample once, in order of time, in one batch.

    The others got each three times, in any order and batching, by two
    agents over RabbitMQ.
    """
    folder = tmp_path_factory.mktemp('delivery')
    urls = {'plain': f'sqlite:///{folder}/plain.sqlite',
            'sqlite': f'sqlite:///{folder}/shaken.sqlite',
            'postgresql': postgresql_server.create_database(),
            'mariadb': mariadb_server.create_database()}
    with ExitStack() as stack:
        made = {name: stack.enter_context(migrated(url))
                for name, url in urls.items()}
        SqlSampleStore(made['plain']).write([*map(sample, WORLD.samples())],
                                            NOW)
        for seed, name in enumerate(SHAKEN):
            deliver([*map(sample, WORLD.samples())], random.Random(seed),
                    rabbitmq_server, made[name], folder)
        yield made


def answers(engine: sa.Engine) -> list[Any]:
    return [SqlSampleStore(engine).statistics(question)
            for question in QUESTIONS]


def test_plain_delivery_stores_the_world(engines: dict[str, sa.Engine]
                                         ) -> None:
    assert count(engines['plain'], tables.sample) == sum(
        1 for _ in WORLD.samples())


@pytest.mark.parametrize('name', SHAKEN)
def test_shuffled_and_doubled_delivery_is_stored_alike(
        engines: dict[str, sa.Engine], name: str) -> None:
    """Samples, rollups of both kinds, and spans."""
    assert everything(engines[name]) == everything(engines['plain'])
    assert count(engines[name], tables.quarantine) == 0


@pytest.mark.parametrize('name', SHAKEN)
def test_shuffled_and_doubled_delivery_is_answered_alike(
        engines: dict[str, sa.Engine], name: str) -> None:
    assert answers(engines[name]) == answers(engines['plain'])


@pytest.mark.parametrize('name', ['plain', *SHAKEN])
def test_every_rollup_is_what_its_samples_say(
        engines: dict[str, sa.Engine], name: str) -> None:
    assert not list(rollups.verify(engines[name]))
