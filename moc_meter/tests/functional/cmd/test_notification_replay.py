# SPDX-License-Identifier: Apache-2.0
"""Captured notifications, sent once more; the answers are the API's."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moc_meter.api.app import make_app
from moc_meter.cmd.web import WebServer
from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.collector.service import Collector
from moc_meter.messaging import amqp
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.api.wiring import Outbox
from moc_meter.tests.functional.cmd.command import Manage, configured
from moc_meter.tests.stores import count, migrated

ADMISSION = Admission(definitions=Definitions([]))


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
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def url(engine: sa.Engine, stop: threading.Event) -> Iterator[str]:
    """Where the API of the store listens."""
    server = WebServer(
        make_app(store=SqlSampleStore(engine), sender=Outbox(), clock=clock,
                 admission=ADMISSION),
        ('127.0.0.1', 0), threads=2, max_body=2 ** 20)
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    yield server.url
    stop.set()
    thread.join()


@pytest.fixture
def collector(engine: sa.Engine, amqp_url: str,
              stop: threading.Event) -> Iterator[None]:
    """From RabbitMQ to the store."""
    running = Collector(
        amqp.connect(url=amqp_url, batch_seconds=0.1).receiver(),
        [StorageDispatcher(SqlSampleStore(engine))], ADMISSION, clock=clock)
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
