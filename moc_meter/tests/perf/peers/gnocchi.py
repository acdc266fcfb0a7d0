# SPDX-License-Identifier: Apache-2.0
"""Gnocchi 4.7.1: files, an index in PostgreSQL, two metricd, two processes
of its API.
"""

from __future__ import annotations

import base64
import http.client
import json
import signal
from collections.abc import Mapping
from typing import Any

from moc_meter.tests.perf.peers import environment
from moc_meter.tests.servers import base

#: Of the API's processes and of metricd's workers.
_PROCESSES = 2
#: What is kept of each series: what our statistics say, in the periods of the
#: polling, of hours and of days.
POLICY: Mapping[str, object] = {
    'name': 'measured', 'back_window': 0,
    'aggregation_methods': ['count', 'sum', 'min', 'max', 'mean'],
    'definition': [{'granularity': f'{seconds}s', 'timespan': '366d'}
                   for seconds in (600, 3600, 86_400)]}
#: Its files have no other way to say that there is work than to be looked
#: at. By default that is done once a minute; here without a pause.
_CONFIGURATION = """
[DEFAULT]
verbose = false

[indexer]
url = {database}
[storage]
driver = file
file_basepath = {folder}/store
[api]
auth_mode = basic
[metricd]
workers = {workers}
metric_processing_delay = 0
"""
_PATIENCE = 120.0


class Gnocchi(base.Server):
    """Its services, with an index of their own."""

    def __init__(self, database: str) -> None:
        """database: SQLAlchemy's URL of an empty one."""
        super().__init__()
        self.port = base.free_port()
        self._database = database.replace('+psycopg', '+psycopg2')
        self._programs = environment.folder('gnocchi') / 'bin'

    @property
    def user(self) -> None:
        """Ourselves, to whom the environment belongs."""
        return

    def _check_programs(self) -> None:
        base.program('gnocchi-metricd', 'python3-gnocchi', [self._programs])

    def _environment(self) -> Mapping[str, str]:
        # It names its processes, which must not hide what they are part of.
        return {**super()._environment(), 'PYTHONWARNINGS': 'ignore',
                'SPT_NOENV': '1'}

    def _prepare(self) -> None:
        (self.folder / 'store').mkdir()
        self._file = self._write('gnocchi.conf', _CONFIGURATION.format(
            database=self._database, folder=self.folder,
            workers=_PROCESSES))
        self._run([self._programs / 'gnocchi-upgrade', '--config-file',
                   self._file], 'upgrade.log')

    def _launch(self) -> None:
        self._spawn([
            self._programs / 'uwsgi', '--master', '--http-socket',
            f'127.0.0.1:{self.port}', '--processes', str(_PROCESSES),
            '--lazy-apps', '--need-app', '--disable-logging',
            '--die-on-term', '--enable-threads', '--wsgi',
            'gnocchi.rest.wsgi', '--pyargv', f'--config-file {self._file}',
            '--virtualenv', self._programs.parent], 'uwsgi.log')
        self._spawn([self._programs / 'gnocchi-metricd', '--config-file',
                     self._file], 'metricd.log')
        self._wait_until(lambda: (self.folder / 'uwsgi.log').read_text(
            ).count('WSGI app 0') >= _PROCESSES)

    def pause(self) -> None:
        """Stand still, so that nobody else is slowed."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        self.resume()     # what stands still does not hear that it shall end
        super().stop()


class Client:
    """Asks one server; a connection for each question."""

    _AS = base64.b64encode(b'admin:').decode()

    def __init__(self, server: Gnocchi) -> None:
        self._conn = http.client.HTTPConnection('127.0.0.1', server.port,
                                                timeout=_PATIENCE)
        self.close = self._conn.close

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._conn.request(
            method, path, None if body is None else json.dumps(body),
            {'Authorization': f'Basic {self._AS}',
             'Content-Type': 'application/json'})
        answer = self._conn.getresponse()
        said = answer.read()
        self._conn.close()     # as uWSGI does, too
        if answer.status >= 300:
            raise base.ServerFailed(f'{path}: {answer.status} {said[:500]!r}')
        return json.loads(said) if said else None

    def waits(self) -> int:
        """Batches of measures that no metricd has processed."""
        found = self.ask('GET', '/v1/status?details=false')
        return int(found['storage']['summary']['measures'])
