# SPDX-License-Identifier: Apache-2.0
"""More asked than can be answered; and readers that take their time."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import webob

from moc_meter.api.patience import WAITED, patient
from moc_meter.cmd.web import WebServer
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.servers.base import until

PATIENCE = 0.05


class Busy:
    """Answers /busy when it is told to, and others at once."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self.waited: list[float] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]
                 ) -> Iterable[bytes]:
        self.waited.append(environ[WAITED])
        if environ['PATH_INFO'] == '/busy':
            self.begun.set()
            self.end.wait(60)
        start('200 OK', [('Content-Length', '0')])
        return []


@contextlib.contextmanager
def served(application: Any) -> Iterator[WebServer]:
    server = WebServer(application, ('127.0.0.1', 0), threads=1,
                       max_body=1000)
    stop = threading.Event()
    running = threading.Thread(target=server.run, args=(stop,))
    running.start()
    try:
        yield server
    finally:
        until(lambda: not server._server.active_channels, 60, 'quiet')
        stop.set()
        running.join()


def asked(server: WebServer, path: str) -> tuple[int, str | None]:
    """Status, and when to come again."""
    with contextlib.closing(http.client.HTTPConnection(
            server.url.removeprefix('http://'), timeout=60)) as wire:
        wire.request('GET', path, headers={'Connection': 'close'})
        answer = wire.getresponse()
        answer.read()
        return answer.status, answer.headers['Retry-After']


def test_a_queue_that_grew_too_long_is_told_to_come_again_at_once() -> None:
    busy = Busy()
    # The busy one itself may have waited a moment for its thread.
    shedding = patient(busy, PATIENCE, behind_proxy=False, clock=lambda: 0)

    def application(environ: dict[str, Any], start: Callable[..., Any]
                    ) -> Iterable[bytes]:
        chosen = busy if environ['PATH_INFO'] == '/busy' else shedding
        return chosen(environ, start)

    with served(application) as server, ThreadPoolExecutor(21) as clients:
        first = clients.submit(asked, server, '/busy')
        assert busy.begun.wait(60)
        others = [clients.submit(asked, server, '/') for _ in range(20)]
        queue = server._server.task_dispatcher.queue
        until(lambda: len(queue) == 20, 60, 'all in the queue')
        assert not busy.end.wait(2 * PATIENCE)
        busy.end.set()
        assert first.result() == (200, None)
        assert {one.result() for one in others} == {(503, '10')}
        assert len(busy.waited) == 1            # nothing was done for them
        until(lambda: asked(server, '/') == (200, None), 60, 'as before')


def test_a_slow_reader_holds_no_connection_of_the_database(
        sqlite_url: str) -> None:
    engine = transactions.make_engine(sqlite_url, pool_size=1)
    transactions.migrate(engine)
    api = wiring.client(SqlSampleStore(engine))
    wiring.keep(api, [wiring.posted(
        resource_metadata={'text': str(number) + 30_000 * 'x'},
        timestamp=f'2026-03-01T10:{number:02}:00') for number in range(50)])
    slow = webob.Request.blank('/v2/samples').get_response(api.app)
    assert slow.content_length > 2 ** 20
    parts = iter(slow.app_iter)
    assert next(parts)
    assert len(api.get('/v2/meters').json) == 1
    assert engine.pool.checkedout() == 0        # type: ignore[attr-defined]
    assert sum(map(len, parts)) > 2 ** 20 - 2 ** 16
    slow.app_iter.close()
    engine.dispose()
