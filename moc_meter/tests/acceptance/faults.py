# SPDX-License-Identifier: Apache-2.0
"""Running the parts of the service to where they are killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import sysconfig
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from moc_meter.model.pause import pauses
from moc_meter.storage import engine as transactions
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance import fault_stations
from moc_meter.tests.contract.buses import settle
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect
from moc_meter.tests.stores import count

QUEUE = 'moc_meter.samples'
#: Seconds for a station to be reached while a broker starts, or for all to
#: be stored, on a busy machine.
PATIENCE = 240.0


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Ask with growing pauses, since the cores are needed elsewhere."""
    end = time.monotonic() + seconds
    wait = threading.Event().wait
    for pause in pauses(0.02, 0.5):
        if condition():
            return
        assert time.monotonic() < end, f'not within {seconds:g} s: {what}'
        wait(pause)


def script(name: str) -> str:
    """Path of an installed script."""
    return str(Path(sysconfig.get_path('scripts')) / name)


def depth(broker: RabbitMQ, url: str) -> int:
    """Messages of the vhost's queue that no collector has."""
    return broker.queue_depth(urllib.parse.urlsplit(url).path[1:], QUEUE)


def consumers(url: str) -> int:
    """How many collectors the vhost's queue has."""
    with connect(url) as connection:
        found = connection.default_channel.queue_declare(QUEUE, passive=True)
        return int(found.consumer_count)


class Child:
    """A process of fault_stations."""

    def __init__(self, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, '-m', fault_stations.__name__,
             *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        """It may have ended by itself, or been killed; else it is now."""
        self._process.kill()
        self._process.communicate()

    def reach(self, station: str) -> str:
        """What it says when it stands there."""
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.start()
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        said, _, fact = line.partition(' ')
        timer.cancel()
        assert said == station, f'reached {line!r} and not {station}'
        return fact

    def go_on(self) -> None:
        assert self._process.stdin
        self._process.stdin.write('\n')
        self._process.stdin.flush()

    def finish(self) -> None:
        """End it as it is ended in daily life: by SIGTERM."""
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0


#: The stations of one process: name, and how much it lets by before it stands
#: there. The broker is killed at all but the last, the process at the last.
Life = Sequence[tuple[str, int]]


class Stream:
    """Messages on their way from one agent's spool into one database."""

    def __init__(self, *, broker: RabbitMQ, engine: sa.Engine, spool: Path,
                 messages: int, load: str = 'world') -> None:
        """load: what the messages are of; a key of fault_stations.LOADS."""
        self._broker = broker
        self._engine = engine
        self.url = broker.create_vhost()
        settle(broker, self.url)
        self._spool = spool
        self._messages = messages
        self._load = load
        self.sent = [one for number in range(messages)
                     for one in fault_stations.LOADS[load](number)]
        self._killing = threading.Lock()

    @property
    def depth(self) -> int:
        with self._killing:
            return depth(self._broker, self.url)

    def strand(self, messages: int) -> None:
        """Kill agent and broker when so many are confirmed, none delivered.

        There is no collector yet.
        """
        with self._agent([('confirmed', messages)]) as agent:
            agent.reach('confirmed')
            until(lambda: self.depth == messages, PATIENCE,
                  'all in the queue')
            self._kill_broker()
        until(lambda: self.depth == messages, PATIENCE,
              'all in the queue again')

    def run(self, agents: Sequence[Life], collectors: Sequence[Life],
            racing: int) -> None:
        """To the end, through all these lives.

        racing: collectors that share what is left after the last of them.
        """
        with ThreadPoolExecutor(2) as pool:
            tasks = [pool.submit(self._send, agents),
                     pool.submit(self._collect, collectors, racing)]
        for task in tasks:
            task.result()

    def _send(self, lives: Sequence[Life]) -> None:
        for life in lives:
            with self._agent(life) as agent:
                self._live(agent, life, lambda _station, _key: None)
        with self._agent([]) as agent:
            agent.reach('sent')
            agent.finish()

    def _collect(self, lives: Sequence[Life], racing: int) -> None:
        for life in lives:
            with self._collector(life) as collector:
                self._live(collector, life, self._check_stored)
        with contextlib.ExitStack() as stack:
            rest = [stack.enter_context(self._collector([]))
                    for _ in range(racing)]
            until(self._is_over, PATIENCE, 'everything to be stored')
            for collector in rest:
                collector.finish()
        # What was not acknowledged would be back.
        assert self.depth == 0

    def _agent(self, life: Life) -> Child:
        return Child('agent', self._spool, self.url, self._load,
                     self._messages, *_spelled(life))

    def _collector(self, life: Life) -> Child:
        return Child('collector',
                     self._engine.url.render_as_string(hide_password=False),
                     self.url, *_spelled(life))

    def _live(self, child: Child, life: Life,
              check: Callable[[str, str], None]) -> None:
        for place, (station, _) in enumerate(life, 1):
            check(station, child.reach(station))
            if place < len(life):
                self._kill_broker()
                child.go_on()

    def _check_stored(self, station: str, key: str) -> None:
        """What the collector says of a sample holds for others, too."""
        with transactions.reading(self._engine) as conn:
            stored = fault_stations.is_there(conn, uuid.UUID(key))
        assert stored == (station == 'unacknowledged')

    def _kill_broker(self) -> None:
        with self._killing:
            self._broker.kill()
            self._broker.start()

    def _is_over(self) -> bool:
        return (count(self._engine, tables.sample) >= len(self.sent)
                and self.depth == 0)


def _spelled(life: Life) -> list[str]:
    return [f'{station}:{after}' for station, after in life]
