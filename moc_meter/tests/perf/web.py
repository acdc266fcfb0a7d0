# SPDX-License-Identifier: Apache-2.0
"""The REST API under uWSGI, and those who ask it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moc_meter.tests.perf import wsgi
from moc_meter.tests.servers import base

_PROCESSES = 2
#: Connections that may wait to be taken.
_BACKLOG = 4096
_CONFIGURATION = """
[database]
url = {database}
pool_size = 1
[messaging]
url = amqp://nobody@127.0.0.1:1//
[api]
insecure_listen_anywhere = true
"""


class Web(base.Server):
    """uWSGI with the API of one database.

    kept: a connection is kept, and holds a process; otherwise it is for one
        request, as behind a proxy.
    constant: answer statistics of what the database said first.
    """

    def __init__(self, database: str, *, kept: bool = False,
                 constant: bool = False) -> None:
        super().__init__()
        self.port = base.free_port()
        self._sockets = ['--http11-socket'] if kept else [
            '--add-header', 'Connection: close', '--http-socket']
        self._database = database
        self._constant = constant

    def url(self, path: str) -> str:
        return f'http://127.0.0.1:{self.port}{path}'

    def _check_programs(self) -> None:
        base.program('uwsgi', 'uwsgi', [Path(sys.executable).parent])

    def _prepare(self) -> None:
        self._write('api.conf', _CONFIGURATION.format(
            database=self._database))

    def _environment(self) -> Mapping[str, str]:
        return {**super()._environment(),
                wsgi.CONFIGURATION: str(self.folder / 'api.conf'),
                wsgi.CONSTANT: '1' if self._constant else ''}

    def _command(self) -> Sequence[str | Path]:
        """uWSGI, and the application that it loads."""
        return [Path(sys.executable).with_name('uwsgi'),
                '--module', wsgi.__name__, '--virtualenv', sys.prefix]

    def _launch(self) -> None:
        self._spawn([
            *self._command(), '--master',
            *self._sockets, f'127.0.0.1:{self.port}',
            '--processes', str(_PROCESSES), '--listen', str(_BACKLOG),
            '--need-app', '--lazy-apps', '--disable-logging',
            '--die-on-term'], 'uwsgi.log')
        self._wait_until(self._serves)

    def _serves(self) -> bool:
        return base.accepts(self.port) and (
            (self.folder / 'uwsgi.log').read_text().count('WSGI app 0')
            >= _PROCESSES)


class Client:
    """Asks one server, over one connection, which it must keep."""

    def __init__(self, web: Web) -> None:
        self._conn = http.client.HTTPConnection('127.0.0.1', web.port,
                                                timeout=300)
        self.close = self._conn.close

    def connect(self) -> None:
        self.get('/')

    def get(self, path: str) -> bytes:
        self._conn.request('GET', path)
        answer = self._conn.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise base.ServerFailed(f'{path}: {answer.status} {body[:500]!r}')
        return body

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.get(path))
        return found


def statistics(meter: str, *rules: tuple[str, str, str],
               **arguments: str) -> str:
    """The path of a question; rules: of field, operator, value."""
    asked = [(f'q.{name}', value) for rule in rules for name, value
             in zip(('field', 'op', 'value'), rule, strict=True)]
    return (f'/v2/meters/{meter}/statistics?'
            + urllib.parse.urlencode([*asked, *arguments.items()]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What many who asked at once were answered.

    errors: answers other than 2xx and 3xx, and none at all.
    p50, p99: milliseconds.
    """

    rate: float
    errors: int
    p50: float
    p99: float


def load(url: str, connections: int, seconds: float) -> Load:
    """So many connections, each of which asks again when it is answered.

    It is over when the server has answered those who left, too, and so does
    not slow what comes next.
    """
    wrk = base.program('wrk', 'wrk')
    said = subprocess.run(
        [wrk, '--threads', '1', '--connections', str(connections),
         '--duration', f'{seconds:g}s', '--timeout', '30s', '--latency', url],
        check=True, capture_output=True, text=True,
        timeout=seconds + 60).stdout
    with urllib.request.urlopen(url, timeout=300) as answer:
        answer.read()       # it stood in line behind them
    wrong = re.search(r'Non-2xx or 3xx responses: (\d+)', said)
    broken = re.search(r'Socket errors: connect (\d+), read (\d+), '
                       r'write (\d+), timeout (\d+)', said)
    return Load(
        rate=float(_found(r'Requests/sec:\s+([\d.]+)', said)[1]),
        errors=(int(wrong[1]) if wrong else 0) + sum(
            map(int, broken.groups() if broken else ())),
        p50=_milliseconds(_found(r'50%\s+([\d.]+)(us|ms|s|m)\b', said)),
        p99=_milliseconds(_found(r'99%\s+([\d.]+)(us|ms|s|m)\b', said)))


def _found(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text)
    if match is None:
        raise base.ServerFailed(f'wrk said something else:\n{text}')
    return match


def _milliseconds(found: re.Match[str]) -> float:
    return float(found[1]) * {'us': 0.001, 'ms': 1, 's': 1000,
                              'm': 60_000}[found[2]]
