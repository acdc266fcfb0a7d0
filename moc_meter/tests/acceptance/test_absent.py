# SPDX-License-Identifier: Apache-2.0
"""Processes that start while broker and database are away."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter.storage import engine as engines
from moc_meter.tests.acceptance.system import (
    PATIENCE,
    Answer,
    Process,
    ask,
    configured,
)
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ

POSTED = json.dumps([{
    'counter_name': 'load', 'counter_type': 'gauge', 'counter_unit': 'task',
    'counter_volume': 1, 'resource_id': 'r',
    'timestamp': '2024-03-01T10:00:00'}]).encode()
AWAY = {'moc-meter-agent': ['bus of the cloud lost', 'bus lost'],
        'moc-meter-collector': ['store lost'],
        'moc-meter-jobs': ['job failed'],
        'moc-meter-api': ['moc_meter listens on']}


@pytest.fixture
def broker() -> Iterator[RabbitMQ]:
    """One whose address is known; the test starts it."""
    server = RabbitMQ()
    with contextlib.closing(server):
        yield server


@pytest.fixture
def database() -> Iterator[tuple[PostgreSQL, str]]:
    """A server that is stopped, and the URL of a database with our schema."""
    with PostgreSQL() as server:
        url = server.create_database()
        engine = engines.make_engine(url)
        engines.migrate(engine)
        engine.dispose()
        server.stop()
        yield server, url


def test_who_starts_first_waits_says_so_and_goes_on(
        tmp_path: Path, broker: RabbitMQ, database: tuple[PostgreSQL, str]
        ) -> None:
    server, url = database
    with contextlib.ExitStack() as stack:
        processes = {
            script: stack.enter_context(Process(
                script, '--config-file', configured(
                    tmp_path / script, script, settings),
                folder=tmp_path / script))
            for script, settings in options(tmp_path, broker.url(), url
                                            ).items()}
        api = processes['moc-meter-api']
        for script, words in AWAY.items():
            for said in words:
                processes[script].wait_for(said)
        assert ask(api.url, '/v2/meters').status == 503
        assert post(api, direct=True).status == 503
        assert post(api).status == 503
        assert all(process.running for process in processes.values())

        server.start()
        until(lambda: post(api, direct=True).status == 201, PATIENCE,
              'the API to store')
        broker.start()
        processes['moc-meter-agent'].wait_for('listening exchanges')
        until(lambda: post(api).status == 201, PATIENCE, 'the API to send')
        until(lambda: polled(api), PATIENCE, 'samples of the agent')
        for process in processes.values():
            assert process.end() == 0, process.last_words
            assert 'Traceback' not in process.said + process.complained


def options(folder: Path, bus: str, url: str
            ) -> dict[str, dict[str, object]]:
    return {
        'moc-meter-agent': {
            'messaging.url': bus, 'polling.hypervisor': '',
            'polling.interval': 1, 'DEFAULT.state_dir': folder / 'state',
            'notification.url': bus.replace('amqp:', 'rabbit:')},
        'moc-meter-collector': {'messaging.url': bus, 'database.url': url},
        'moc-meter-jobs': {'database.url': url},
        'moc-meter-api': {'messaging.url': bus, 'database.url': url,
                          'api.port': 0}}


def post(api: Process, direct: bool = False) -> Answer:
    return ask(api.url, f'/v2/meters/load?direct={direct}', body=POSTED)


def polled(api: Process) -> bool:
    """Whether figures of the agent's machine have come."""
    found = ask(api.url, '/v2/meters/hardware.memory.used')
    return found.status == 200 and bool(json.loads(found.body))
