# SPDX-License-Identifier: Apache-2.0
"""Captured notifications, sent once more; the answers are the API's."""

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.api import identity
from moc_meter.api.app import make_app
from moc_meter.api.v1.components import Components
from moc_meter.cmd.manage.replay import OverBus
from moc_meter.cmd.web import WebServer
from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.collector.service import Collector
from moc_meter.messaging import amqp, codec
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.api.wiring import (
    Outbox,
    unchanged_policy,
)
from moc_meter.tests.functional.cmd.command import Manage, configured
from moc_meter.tests.stores import count, migrated, sample

ADMISSION = Admission(definitions=Definitions([]))
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def captured(number: int, **payload: Any) -> str:
    return json.dumps({
        'message_id': f'n-{number}', 'event_type': 'volume.create.end',
        'publisher_id': 'volume.h1', 'priority': 'INFO',
        'timestamp': '2026-03-01 12:00:00',
        'payload': {'volume_id': f'v-{number}', 'size': number,
                    'tenant_id': 'p-1', **payload}})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four messages: the third is the first, the fourth is broken."""
    written = tmp_path / 'captured.jsonl'
    written.write_text('\n'.join([captured(1), captured(2), captured(1),
                                  captured(3, volume_id=3)]))
    return written


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[sa.Engine]:
    with migrated(sqlite_url) as made:
        yield made


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    return SqlSampleStore(engine)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def asked() -> list[str]:
    """Paths that the API was asked for."""
    return []


@pytest.fixture
def url(store: SqlSampleStore, stop: threading.Event, asked: list[str]
        ) -> Iterator[str]:
    """Where the API of the store listens."""
    api = make_app(identity=identity.noauth, policy=unchanged_policy(),
                   components=Components(Definitions([]), ()),
                   store=store, sender=Outbox(),
                   clock=clock, admission=ADMISSION)

    def listening(environ: Any, start_response: Any) -> Any:
        asked.append(environ['PATH_INFO'])
        return api(environ, start_response)

    server = WebServer(listening, ('127.0.0.1', 0), threads=2,
                       max_body=2 ** 20)
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    yield server.url
    stop.set()
    thread.join()


@pytest.fixture
def collector(store: SqlSampleStore, amqp_url: str,
              stop: threading.Event) -> Iterator[None]:
    """From RabbitMQ to the store."""
    running = Collector(
        amqp.connect(url=amqp_url, batch_seconds=0.1).receiver(),
        [StorageDispatcher(store)], ADMISSION, clock=clock)
    thread = threading.Thread(target=running.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.fixture
def over_bus(tmp_path: Path, amqp_url: str) -> Manage:
    return configured(tmp_path, {'messaging': {'url': amqp_url}})


def replayed(manage: Manage, *asked: str | Path) -> dict[str, Any]:
    answer = manage('notification', 'replay', *asked)
    assert answer.status == 1       # one of them is broken
    [report] = answer.objects
    report['meters'] = {name: rows[0]['count']
                        for name, rows in report['meters'].items()}
    return dict(report)


@pytest.mark.usefixtures('collector')
def test_over_the_bus_it_waits_for_what_the_store_says(
        over_bus: Manage, url: str, file: Path, engine: sa.Engine) -> None:
    expected = {'messages': 4, 'samples': 6, 'stored': 4, 'duplicate': 2,
                'quarantined': 1, 'refused': 0, 'missing': 0,
                'meters': {'volume': 2, 'volume.size': 2}}
    assert replayed(over_bus, '--url', url, file) == expected
    assert replayed(over_bus, '--url', url, file) == {
        **expected, 'stored': 0, 'duplicate': 6}
    assert count(engine, tables.sample) == 4
    with transactions.reading(engine) as conn:
        assert conn.scalar(sa.select(tables.quarantine.c.source)
                           ) == 'openstack'


class Storing:
    """A bus whose far end is the store."""

    def __init__(self, store: SqlSampleStore) -> None:
        self._store = store

    def send(self, message: bytes) -> None:
        self._store.write(codec.decode(message).samples, clock())

    def check(self) -> None:
        """It is there."""

    def close(self) -> None:
        """Nothing is open."""


def sent_twice(store: SqlSampleStore, url: str, samples: Sequence[Sample]
               ) -> list[dict[str, int]]:
    """What is counted; at the second time one says something else."""
    found = []
    for batch in samples, [*samples[:-1], dataclasses.replace(
            samples[-1], volume=Decimal('0.5'))]:
        way = OverBus(Storing(store), None, url, wait=1)
        for start in range(0, len(batch), 100):
            way.send(batch[start:start + 100], [])
        way.settle()
        found.append({name: number for name, number in way.counts.items()
                      if number})
    return found


def test_the_store_is_asked_by_batches_and_not_by_samples(
        engine: sa.Engine, url: str, asked: list[str]) -> None:
    samples = [sample(number) for number in range(500)]
    assert sent_twice(SqlSampleStore(engine), url, samples) == [
        {'samples': 500, 'stored': 500},
        {'samples': 500, 'duplicate': 499, 'quarantined': 1}]
    assert asked == ['/v2/samples'] * 15


def test_among_many_others_of_their_time_each_is_found(
        engine: sa.Engine, url: str) -> None:
    """Also where all are of one instant, and of other sources too."""
    store = SqlSampleStore(engine)
    store.write([sample(number, source=source, timestamp=NOON)
                 for source in ('a', 'b') for number in range(60)], clock())
    store.write([sample(1000 + number, timestamp=NOON)
                 for number in range(300)], clock())
    samples = [sample(number, timestamp=NOON) for number in range(40)]
    assert sent_twice(store, url, samples) == [
        {'samples': 40, 'stored': 40},
        {'samples': 40, 'duplicate': 39, 'quarantined': 1}]


@pytest.mark.usefixtures('collector')
def test_what_the_store_has_otherwise_is_no_duplicate(
        over_bus: Manage, url: str, file: Path) -> None:
    replayed(over_bus, '--url', url, file)
    file.write_text(captured(1, size=5))
    report = replayed(over_bus, '--url', url, file)
    assert (report['duplicate'], report['quarantined']) == (1, 1)


def test_what_does_not_arrive_in_time_is_missing(
        over_bus: Manage, url: str, file: Path) -> None:
    """Nobody takes it from the bus."""
    answer = over_bus('notification', 'replay', '--url', url, '--wait', '1',
                      file)
    assert (answer.objects[0]['missing'], answer.status) == (4, 1)
    assert 'message_id=' in answer.err


def test_the_all_in_one_stores_before_it_answers(
        tmp_path: Path, url: str, file: Path, engine: sa.Engine) -> None:
    manage = configured(tmp_path, {})
    report = replayed(manage, '--url', url, file)
    assert report == {
        'messages': 4, 'samples': 6, 'stored': 4, 'duplicate': 2,
        'quarantined': 0, 'refused': 1, 'missing': 0,
        'meters': {'volume': 2, 'volume.size': 2}}
    file.write_text(captured(1, size=5))
    assert replayed(manage, '--url', url, file)['quarantined'] == 1
    assert count(engine, tables.quarantine) == 1


def test_the_packaged_example_is_sent_too(
        tmp_path: Path, url: str, engine: sa.Engine) -> None:
    answer = configured(tmp_path, {})('notification', 'replay', '--example',
                                      '--url', url)
    assert answer.status == 0
    assert answer.objects[0]['stored'] == count(engine, tables.sample) > 0


def test_a_service_that_is_not_there_is_named(
        tmp_path: Path, file: Path) -> None:
    answer = configured(tmp_path, {})('notification', 'replay', '--url',
                                      'http://127.0.0.1:1', file)
    assert (answer.status, answer.out) == (2, b'')
    assert 'http://127.0.0.1:1' in answer.err
