# SPDX-License-Identifier: Apache-2.0
"""pools: statistics by the connections that moc-meter-api may open.

Its threads share them. Servers of the installed moc-meter-api, which differ
in ``[database] pool_size`` only, answer 16 who ask; how many connections each
holds when its turns are over is what the kernel says.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import sqlalchemy as sa

from moc_meter.tests.acceptance.system import Process
from moc_meter.tests.perf.asking import one_project
from moc_meter.tests.perf.crowd import asked
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Target,
    alternate,
)
from moc_meter.tests.servers.rabbitmq import RabbitMQ

#: Of connections; the API has four threads unless it is told otherwise.
_POOLS = (1, 2, 4, 5)
_CONFIGURATION = """
[database]
url = {database}
pool_size = {pool}
[messaging]
url = {bus}
[api]
port = 0
"""


def _figures(setting: Setting) -> Iterator[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    path = one_project(loaded)
    with RabbitMQ() as broker, tempfile.TemporaryDirectory() as folder, \
            contextlib.ExitStack() as stack:
        bus = broker.create_vhost()
        servers = {pool: stack.enter_context(_api(
            Path(folder), _CONFIGURATION.format(
                database=loaded.url, bus=bus, pool=pool), pool))
            for pool in _POOLS}
        yield from alternate([
            asked(f'pool of {pool}', server, path)
            for pool, server in servers.items()], setting)
        for pool, server in servers.items():
            yield Figure(name=f'connections, pool of {pool}',
                         unit='connections',
                         values=[_held(server.pids[0], loaded.url)])


def _held(pid: int, database: str) -> int:
    """Connections of a process to the database's server."""
    port = sa.make_url(database).port
    return sum(bool(one.raddr) and one.raddr.port == port
               for one in psutil.Process(pid).net_connections('tcp'))


class _Api:
    """The installed moc-meter-api."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def pids(self) -> Sequence[int]:
        return [self._process.pid]

    def url(self, path: str) -> str:
        return self._process.url + path


@contextlib.contextmanager
def _api(folder: Path, configuration: str, pool: int) -> Iterator[_Api]:
    file = folder / f'{pool}.conf'
    file.write_text(configuration)
    with Process('moc-meter-api', '--config-file', file,
                 folder=folder / str(pool)) as process:
        yield _Api(process)
        assert process.end() == 0, process.last_words


POOLS = Target(
    name='pools', figures=_figures,
    title='statistics of moc-meter-api by the connections that it may open',
    bounds=[Bound(of=f'connections, pool of {pool}', most=pool)
            for pool in _POOLS])
