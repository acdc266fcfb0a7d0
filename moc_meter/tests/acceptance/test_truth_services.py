# SPDX-License-Identifier: Apache-2.0
"""Made-up worlds through the service: nothing lost, doubled, or bent.

Each is sent late, doubled and in any order, and then everything is asked of
the service: every sample, and hundreds of random questions. MOC_METER_TEST_…
says how many worlds; tox -e truth has as many as it takes to be sure.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest

from moc_meter.tests.acceptance import truths
from moc_meter.tests.acceptance.truths import Done
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.truth.world import World

SEEDS = truths.seeds('MOC_METER_TEST_SEEDS', 8)
BUS_SEEDS = truths.seeds('MOC_METER_TEST_BUS_SEEDS', 2)
DATABASES = ('postgresql', 'mariadb')

Key = TypeVar('Key')
#: By key, what is being done with a world.
Doing = dict[Key, Future[tuple[Done, Done]]]


def world(seed: int) -> World:
    """Half of them with decimals."""
    return World(seed, 'small', decimals=seed % 2 == 0)


def order(seed: int) -> str:
    return ('arrival', 'shuffled')[seed // 2 % 2]


def check(url: str, one: World) -> Done:
    return truths.run('check', *truths.named(one), '--url', url,
                      '--questions', truths.QUESTIONS)


@pytest.fixture(scope='module')
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two worlds at a time; at the end, those that are under way."""
    with ThreadPoolExecutor(2) as made:
        yield made
        made.shutdown(cancel_futures=True)


@pytest.fixture(scope='module')
def by_api(pool: ThreadPoolExecutor,
           tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[Doing[int]]:
    """Each sent to the API of one all-in-one, and checked."""
    with contextlib.ExitStack() as stack:
        url = truths.standalone(
            stack, tmp_path_factory.mktemp('standalone')).url

        def through(seed: int) -> tuple[Done, Done]:
            one = world(seed)
            sent = truths.run('send', *truths.named(one), '--api', url,
                              '--order', order(seed), '--json')
            return sent, check(url, one)

        yield submitted(pool, through, SEEDS)


@pytest.fixture(scope='module')
def by_bus(pool: ThreadPoolExecutor, rabbitmq_server: RabbitMQ,
           postgresql_server: PostgreSQL, mariadb_server: MariaDB,
           tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[Doing[tuple[str, int]]]:
    """Each sent over RabbitMQ to a collector, and checked."""
    databases = {'postgresql': postgresql_server.create_database(),
                 'mariadb': mariadb_server.create_database()}
    buses = {name: rabbitmq_server.create_vhost() for name in databases}
    with contextlib.ExitStack() as stack:
        urls = {name: truths.distributed(
            stack, tmp_path_factory.mktemp(name), database, buses[name]).url
            for name, database in databases.items()}

        def through(key: tuple[str, int]) -> tuple[Done, Done]:
            name, seed = key
            one = world(seed)
            sent = truths.run('send', *truths.named(one), '--bus',
                              buses[name], '--order', order(seed), '--json')
            truths.await_samples(urls[name], one,
                                 sum(1 for _ in one.samples()))
            return sent, check(urls[name], one)

        yield submitted(pool, through, [
            (name, seed) for seed in BUS_SEEDS for name in DATABASES])


def submitted(pool: ThreadPoolExecutor,
              through: Callable[[Key], tuple[Done, Done]],
              keys: Iterable[Key]) -> Doing[Key]:
    return {key: pool.submit(through, key) for key in keys}


@pytest.mark.parametrize('seed', SEEDS)
def test_a_world_through_the_api_is_answered_exactly(
        by_api: Doing[int], seed: int) -> None:
    sent, checked = by_api[seed].result()
    report = sent.report
    assert sent.status == 0, sent.complained
    assert report['stored'] == sum(1 for _ in world(seed).samples())
    assert report['stored'] + report['duplicate'] == report['sent']
    assert report['duplicate'] > 0
    agree(checked)


@pytest.mark.parametrize('seed', BUS_SEEDS)
@pytest.mark.parametrize('database', DATABASES)
def test_a_world_over_rabbitmq_is_answered_exactly(
        by_bus: Doing[tuple[str, int]], database: str, seed: int) -> None:
    sent, checked = by_bus[database, seed].result()
    assert sent.status == 0, sent.complained
    assert sent.report['confirmed'] == sent.report['sent']
    agree(checked)


def agree(checked: Done) -> None:
    """The service says what is true, of every sample and question."""
    assert checked.status == 0, checked.said + checked.complained
    assert f'questions: {truths.QUESTIONS} asked, 0 ' in checked.said
