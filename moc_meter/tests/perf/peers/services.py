# SPDX-License-Identifier: Apache-2.0
"""The other services and their servers, each started when it is needed."""

from __future__ import annotations

import atexit
import contextlib
import functools

from moc_meter.tests.perf.databases import Loaded
from moc_meter.tests.perf.peers import loading
from moc_meter.tests.perf.peers.ceilometer import Api, Ceilometer
from moc_meter.tests.perf.peers.gnocchi import Gnocchi
from moc_meter.tests.perf.progress import say
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ


class Services:
    """Ends what it started when it is closed."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.close = self._stack.close
        self._loaded: dict[str, str] = {}

    def ceilometer(self) -> Ceilometer:
        """One with empty tables and a queue of its own."""
        return self._stack.enter_context(contextlib.closing(Ceilometer(
            self._database.create_database(), self._broker.create_vhost())))

    def loaded(self, ours: Loaded) -> str:
        """The URL of Ceilometer's tables with the samples of ours."""
        if ours.size not in self._loaded:
            self._check_loading()
            say(f'{ours.size} into the tables of Ceilometer')
            url = self._database.create_database()
            with contextlib.closing(Ceilometer(url)) as theirs:
                loading.load(ours.url, theirs)
            self._loaded[ours.size] = url
        return self._loaded[ours.size]

    def api(self, ours: Loaded, *, kept: bool) -> Api:
        """Ceilometer's API of the same samples; kept: see Web."""
        return self._stack.enter_context(Api(self.loaded(ours), kept=kept))

    def gnocchi(self) -> Gnocchi:
        return self._stack.enter_context(
            Gnocchi(self._database.create_database()))

    @functools.cached_property
    def _database(self) -> PostgreSQL:
        return self._stack.enter_context(
            PostgreSQL(durable=True, buffers='512MB'))

    @functools.cached_property
    def _broker(self) -> RabbitMQ:
        return self._stack.enter_context(RabbitMQ())

    def _check_loading(self) -> None:
        if not self._loaded:
            loading.check(self._database)


@functools.cache
def services() -> Services:
    """Those of this invocation."""
    made = Services()
    atexit.register(made.close)
    return made
