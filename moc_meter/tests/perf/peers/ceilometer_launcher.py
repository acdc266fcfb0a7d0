# SPDX-License-Identifier: Apache-2.0
"""Ceilometer 9.0.7 at work, told what to do line by line.

Runs in Ceilometer's own environment and knows nothing of ours. Each line of
its input is a JSON array of a command and its arguments; each is answered by
a line of JSON. It ends where its input ends.

Nothing of Ceilometer's own code is changed. Two functions that it calls are
put back where they were: inspect.getargspec into Python, and into oslo.utils
secretutils.constant_time_compare. Its list of all options needs the clients
of six other services, so those that count here are registered one by one.
"""

from __future__ import annotations

import collections
import hmac
import importlib
import inspect
import itertools
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

#: Of the environment, where uWSGI loads this.
DATABASE, PIPELINE = 'PEER_DATABASE', 'PEER_PIPELINE'
#: Signing is on, as it is with us.
SECRET = 'a secret of the collectors'
_OPTIONS = {
    'DEFAULT': ('dispatcher.OPTS', 'api.app.OPTS'),
    'api': ('api.app.API_OPTS', 'api.controllers.v2.root.API_OPTS'),
    'collector': ('collector.OPTS',),
    'database': ('storage.OPTS',),
    'publisher': ('publisher.utils.OPTS',),
    'publisher_notifier': ('publisher.messaging.NOTIFIER_OPTS',),
}
_ArgSpec = collections.namedtuple('_ArgSpec', 'args varargs keywords defaults')


def configured(database: str, bus: str = 'fake:') -> Any:
    """Ceilometer's configuration, as its prepare_service() makes it.

    database: URL for psycopg2; bus: of oslo.messaging.
    """
    warnings.simplefilter('ignore')
    logging.basicConfig(level=logging.ERROR)
    inspect.getargspec = _getargspec  # type: ignore[attr-defined]
    _of('oslo_utils.secretutils').constant_time_compare = hmac.compare_digest
    backend = _of('oslo_service.backend')
    backend.init_backend(backend.BackendType.THREADING)     # no eventlet
    conf = _of('oslo_config.cfg').ConfigOpts()
    _of('oslo_log.log').register_options(conf)
    for group, places in _OPTIONS.items():
        for place in places:
            module, _, options = place.rpartition('.')
            conf.register_opts(
                getattr(_of(f'ceilometer.{module}'), options),
                group=None if group == 'DEFAULT' else group)
    _of('oslo_db.options').set_defaults(conf, connection=database)
    _of('oslo_policy.opts').set_defaults(conf)
    conf([], project='ceilometer', default_config_files=[])
    conf.register_opts(_of('oslo_messaging.transport')._transport_opts)
    overrides: Sequence[tuple[str, object, str | None]] = (
        ('meter_dispatchers', ['database'], None),
        ('telemetry_secret', SECRET, 'publisher'),
        ('udp_address', None, 'collector'),
        ('gnocchi_is_enabled', False, 'api'),
        ('aodh_is_enabled', False, 'api'),
        ('transport_url', bus, None))
    for name, value, section in overrides:
        conf.set_override(name, value, section)
    _of('ceilometer.messaging').setup()
    return conf


def web(database: str, pipeline: str) -> Any:
    """The WSGI application.

    pipeline: the file that says what is around it, of Paste Deploy.
    """
    conf = configured(database)
    conf.set_override('api_paste_config', pipeline)
    conf.set_override('policy_file',
                      f'{sys.prefix}/etc/ceilometer/policy.json',
                      'oslo_policy')
    return _of('ceilometer.api.app').load_app(conf)


def _getargspec(function: Any) -> _ArgSpec:
    return _ArgSpec(*inspect.getfullargspec(function)[:4])


def _of(module: str) -> Any:
    return importlib.import_module(module)


class Ceilometer:
    """What can be asked for; all of it by Ceilometer's own parts."""

    def __init__(self, database: str, bus: str) -> None:
        self._conf = configured(database, bus)
        self._messages: list[list[dict[str, Any]]] = []
        self._collector = _of('ceilometer.collector').CollectorService(
            0, self._conf)
        [dispatcher] = self._collector.meter_manager
        self._store = dispatcher.obj.conn
        self._engine = self._store._engine_facade.get_engine()

    def create(self) -> None:
        """The tables of its models, as its upgrade() makes them."""
        models = _of('ceilometer.storage.sqlalchemy.models')
        models.Base.metadata.create_all(self._engine)

    def number(self, path: str) -> list[tuple[int, int]]:
        """Numbers of meter and resource of each sample of a file."""
        with self._engine.begin() as conn:
            return [
                (self._store._create_meter(conn, one['name'], one['type'],
                                           one['unit']),
                 self._store._create_resource(
                     conn, one['resource_id'], one['user_id'],
                     one['project_id'], one['source'],
                     one['resource_metadata'])) for one in _read(path)]

    def take(self, path: str, size: int) -> int:
        """Sign the samples of a file, a JSON object a line; so many a message.
        """
        made = _of('ceilometer.publisher.utils').meter_message_from_counter
        sample = _of('ceilometer.sample').Sample
        signed = [made(sample(**one), SECRET) for one in _read(path)]
        self._messages = [signed[start:start + size]
                          for start in range(0, len(signed), size)]
        return len(signed)

    def parse(self) -> None:
        """Instants for texts, as the dispatcher does for the driver."""
        utils = _of('ceilometer.utils')
        for sample in itertools.chain.from_iterable(self._messages):
            sample['timestamp'] = utils.sanitize_timestamp(
                sample['timestamp'])

    def store(self) -> int:
        """What was taken, by the driver, each message a batch."""
        for message in self._messages:
            self._store.record_metering_data_batch(message)
        return sum(map(len, self._messages))

    def publish(self) -> int:
        """What was taken, as its agents send it."""
        messaging = _of('ceilometer.messaging')
        notifier = _of('oslo_messaging').Notifier(
            messaging.get_transport(self._conf),
            driver=self._conf.publisher_notifier.telemetry_driver,
            publisher_id='telemetry.publisher.here',
            topics=[self._conf.publisher_notifier.metering_topic])
        for message in self._messages:
            notifier.sample({}, event_type='metering', payload=message)
        return len(self._messages)

    def collect(self, count: int, seconds: float) -> int:
        """Run the collector until so many rows are there; how many are."""
        self._collector.run()
        end = time.monotonic() + seconds
        try:
            while (there := self.rows()) < count and time.monotonic() < end:
                time.sleep(0.01)
        finally:
            _of('ceilometer.utils').kill_listeners(
                [self._collector.sample_listener])
        return there

    def rows(self) -> int:
        """Samples in the table; its ids have no gaps, nothing fails here."""
        with self._engine.connect() as conn:
            return int(conn.scalar('SELECT max(id) FROM sample') or 0)


def _read(path: str) -> Iterator[dict[str, Any]]:
    with open(path, encoding='utf-8') as file:
        yield from map(json.loads, file)


def main(database: str, bus: str) -> None:
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)     # what others print is no answer
    ceilometer = Ceilometer(database, bus)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        deed: Callable[..., object] = getattr(ceilometer, name)
        answers.write(json.dumps(deed(*arguments)) + '\n')
        answers.flush()


if __name__ == '__main__':
    main(*sys.argv[1:])
elif DATABASE in os.environ:     # uWSGI
    application = web(os.environ[DATABASE], os.environ[PIPELINE])
