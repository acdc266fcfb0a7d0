# SPDX-License-Identifier: Apache-2.0
"""Ceilometer 9.0.7, its last release with a store and an API of its own."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from moc_meter.model.sample import Sample
from moc_meter.tests.perf.peers import ceilometer_launcher, environment
from moc_meter.tests.perf.web import Web
from moc_meter.tests.servers import base

_LAUNCHER = ceilometer_launcher.__file__
#: Seconds that anything may take.
PATIENCE = 600.0


class Ceilometer:
    """A process with Ceilometer's own parts, and a database's tables.

    database, bus: SQLAlchemy's URL of an empty database, and a vhost.
    """

    def __init__(self, database: str, bus: str = 'fake:') -> None:
        self.database = url_for(database)
        self._log = tempfile.TemporaryFile('w+')     # noqa: SIM115
        self._process = subprocess.Popen(
            # Beside the launcher, ceilometer is this module.
            [environment.folder('ceilometer') / 'bin' / 'python', '-P',
             _LAUNCHER, self.database, bus.replace('amqp:', 'rabbit:')],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            text=True)
        self.do('create')

    def do(self, name: str, *arguments: object) -> Any:
        """What a method of the launcher's returns."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([name, *arguments]) + '\n')
        self._process.stdin.flush()
        said, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        if said and (answer := self._process.stdout.readline()):
            return json.loads(answer)
        self._process.kill()
        self._log.seek(0)
        raise base.ServerFailed(f'{name}: {self._log.read()[-2000:]}')

    def take(self, samples: Iterable[Sample], size: int) -> None:
        """What the next deeds are about, in messages of so many."""
        with tempfile.NamedTemporaryFile('w') as file:
            file.writelines(map(line, samples))
            file.flush()
            self.do('take', file.name, size)

    def numbers(self, samples: Iterable[Sample]) -> list[tuple[int, int]]:
        """Of the meter and the resource of each, as Ceilometer keeps them."""
        with tempfile.NamedTemporaryFile('w') as file:
            file.writelines(map(line, samples))
            file.flush()
            return [(meter, resource) for meter, resource
                    in self.do('number', file.name)]

    def close(self) -> None:
        assert self._process.stdin
        with self._log, self._process:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()


def url_for(ours: str) -> str:
    """A database's URL with the driver that others have, psycopg2."""
    return ours.replace('+psycopg:', '+psycopg2:')


def line(one: Sample) -> str:
    """A sample as one of Ceilometer's; its volumes are floats."""
    return json.dumps({
        'id': one.message_id, 'source': one.source, 'name': one.meter,
        'type': one.kind.value, 'unit': one.unit,
        'volume': float(one.volume), 'resource_id': one.resource_id,
        'project_id': one.project_id, 'user_id': one.user_id,
        'timestamp': one.timestamp.replace(tzinfo=None).isoformat(),
        'resource_metadata': _paths_told_apart(one.metadata)}) + '\n'


def _paths_told_apart(metadata: Mapping[str, object]) -> dict[str, object]:
    """Without 'a.b' where there is an 'a'.

    Ceilometer writes the one path of both twice, and tries again without end
    when its database refuses.
    """
    return {key: value for key, value in metadata.items()
            if '.' not in key or key.partition('.')[0] not in metadata}


class Api(Web):
    """Ceilometer's API under uWSGI, as many processes as ours has.

    What is around it is what Ceilometer ships, without Keystone's token.
    """

    def _check_programs(self) -> None:
        self._programs = environment.folder('ceilometer') / 'bin'

    def _prepare(self) -> None:
        shipped = self._programs.parent / 'etc/ceilometer/api_paste.ini'
        self._write('api_paste.ini', shipped.read_text().replace(
            'authtoken api-server', 'api-server'))

    def _environment(self) -> Mapping[str, str]:
        return {**base.Server._environment(self),
                ceilometer_launcher.DATABASE: url_for(self._database),
                ceilometer_launcher.PIPELINE: str(
                    self.folder / 'api_paste.ini')}

    def _command(self) -> Sequence[str | Path]:
        return [self._programs / 'uwsgi', '--wsgi-file', _LAUNCHER,
                '--virtualenv', self._programs.parent]
