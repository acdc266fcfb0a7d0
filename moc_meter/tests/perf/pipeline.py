# SPDX-License-Identifier: Apache-2.0
"""T2: from a full queue into the database, beside COPY and a bare drain.

Messages of 100 samples, each signed by its agent, wait in a quorum queue of
RabbitMQ; installed collectors check, admit and store them in PostgreSQL. They
stand still (SIGSTOP) while the queue is filled, so that a turn begins with
all of it. A turn ends when the last sample is committed.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from moc_meter import signing
from moc_meter.messaging import amqp, codec
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.tests.acceptance.installation import Installation
from moc_meter.tests.perf import cloud
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.perf.store import Copy
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect

QUEUE = 'moc_meter.samples'
#: Samples of a turn and of a message; messages that the bare drain
#: acknowledges together, as the collector does.
TURN, MESSAGE, _TOGETHER = 30_000, 100, 30
#: Seconds that a turn may take at most, and from one look to the next.
PATIENCE, _GLANCE = 900.0, 0.02


@dataclass(frozen=True, slots=True)
class Load:
    """What is in the queue when a turn begins."""

    samples: list[Sample]
    messages: list[bytes]


class Keys:
    """Of an agent, and the folder of those whom collectors trust."""

    def __init__(self, folder: Path) -> None:
        self.trusted = folder / 'trusted'
        self.trusted.mkdir()
        self.private = folder / 'agent.pem'
        signing.generate(self.private, self.trusted / 'agent.pem')
        self.signer = signing.load_signer(self.private)


def loads(signer: signing.Signer, turn: int = TURN) -> Iterator[Load]:
    made = cloud.samples()
    while some := list(itertools.islice(made, turn)):
        yield Load(some, [codec.encode(batch, signer=signer)
                          for batch in cloud.batches(some, MESSAGE)])


class Queue:
    """A queue that is filled off the clock."""

    def __init__(self, url: str) -> None:
        self._sender = amqp.connect(url=url).sender()
        self._sender.check()
        self.close = self._sender.close

    def fill(self, messages: Sequence[bytes]) -> None:
        for message in messages:
            self._sender.send(message)


class Workers:
    """Collectors of one queue and one database."""

    def __init__(self, folder: Path, keys: Keys, loads: Iterator[Load], *,
                 bus: str, database: str, workers: int) -> None:
        folder.mkdir()
        self._loads = loads
        self._size = self._expected = 0
        self._stack = contextlib.ExitStack()
        self.close = self._stack.close
        self._queue = self._stack.enter_context(
            contextlib.closing(Queue(bus)))
        engine = transactions.make_engine(database)
        transactions.migrate(engine)
        engine.dispose()
        self._conn = self._stack.enter_context(psycopg.connect(
            database.replace('+psycopg', ''), autocommit=True))
        self.collectors = [self._collector(folder / str(number), {
            'messaging': {'url': bus, 'trusted_keys': keys.trusted},
            'database': {'url': database}}) for number in range(workers)]
        until(lambda: _consumers(bus) == workers, PATIENCE, 'collectors')

    def _collector(self, folder: Path, options: dict[str, dict[str, Any]]
                   ) -> subprocess.Popen[bytes]:
        folder.mkdir()
        return self._stack.enter_context(Installation(folder, options)).start(
            'moc-meter-collector')

    def pids(self) -> list[int]:
        return [collector.pid for collector in self.collectors]

    def ready(self) -> None:
        load = next(self._loads)
        self._signal(signal.SIGSTOP)
        self._queue.fill(load.messages)
        self.expect(len(load.samples))

    def turn(self) -> int:
        self._signal(signal.SIGCONT)
        return self.wait()

    def expect(self, samples: int) -> None:
        """So many more will come."""
        self._size = samples
        self._expected += samples

    def wait(self) -> int:
        """Until they are committed; how many they are."""
        limit = time.monotonic() + PATIENCE
        while self._stored() < self._expected:
            assert time.monotonic() < limit, 'not stored in time'
            time.sleep(_GLANCE)
        return self._size

    def _signal(self, number: signal.Signals) -> None:
        for collector in self.collectors:
            collector.send_signal(number)

    def _stored(self) -> int:
        """Told by the cells of days, which are few."""
        row = self._conn.execute(
            'SELECT coalesce(sum(count), 0) FROM rollup_day').fetchone()
        assert row
        return int(row[0])


class Drain:
    """Messages are taken off a queue of the same kind, and forgotten."""

    def __init__(self, bus: str, loads: Iterator[Load]) -> None:
        self._loads = loads
        self._left = self._size = 0
        self._stack = contextlib.ExitStack()
        self.close = self._stack.close
        self._queue = self._stack.enter_context(
            contextlib.closing(Queue(bus)))
        self._wire = self._stack.enter_context(connect(bus)).connection
        self._channel = self._wire.channel()
        self._channel.basic_qos(0, 2 * _TOGETHER, a_global=False)

    def ready(self) -> None:
        load = next(self._loads)
        self._queue.fill(load.messages)
        self._size, self._left = len(load.samples), len(load.messages)

    def turn(self) -> int:
        tag = self._channel.basic_consume(QUEUE, callback=self._take)
        while self._left:
            self._wire.drain_events(timeout=PATIENCE)
        self._channel.basic_cancel(tag)
        return self._size

    def _take(self, message: Any) -> None:
        self._left -= 1
        if not self._left % _TOGETHER:
            self._channel.basic_ack(message.delivery_tag, multiple=True)


def _consumers(bus: str) -> int:
    with connect(bus) as connection:
        return int(connection.default_channel.queue_declare(
            QUEUE, passive=True).consumer_count)


@contextlib.contextmanager
def servers() -> Iterator[tuple[PostgreSQL, RabbitMQ, Path]]:
    """Both, and a folder for what belongs to them."""
    with (PostgreSQL(durable=True, buffers='512MB') as database,
          RabbitMQ() as broker, tempfile.TemporaryDirectory() as folder):
        yield database, broker, Path(folder)


def _figures(setting: Setting) -> list[Figure]:
    with servers() as (database, broker, folder), \
            contextlib.ExitStack() as stack:
        keys = Keys(folder)
        *ours, copied, drained = itertools.tee(loads(keys.signer), 4)
        sides = []
        for number, (name, made) in enumerate(zip(
                ('one collector', 'two collectors'), ours, strict=True), 1):
            workers = Workers(folder / str(number), keys, made,
                              bus=broker.create_vhost(), workers=number,
                              database=database.create_database())
            stack.callback(workers.close)
            sides.append(Side(name=name, unit='samples/s', turn=workers.turn,
                              ready=workers.ready, pids=workers.pids))
        copy = stack.enter_context(contextlib.closing(Copy(
            database.create_database(), (load.samples for load in copied))))
        drain = stack.enter_context(contextlib.closing(Drain(
            broker.create_vhost(), drained)))
        return alternate([
            *sides,
            Side(name='COPY', unit='samples/s', ready=copy.ready,
                 turn=copy.turn),
            Side(name='bare py-amqp', unit='samples/s', ready=drain.ready,
                 turn=drain.turn),
            *peers('T2', None, setting)], setting)


T2 = Target(
    name='T2', figures=_figures,
    title='the whole pipeline from a full queue, signatures checked (broker '
          'and database work on the same cores as the collectors)',
    bounds=[Bound(of='one collector', by='COPY', least=0.20),
            Bound(of='one collector', by="Ceilometer's collector", least=50),
            Bound(of='two collectors', by='one collector', least=1.6)])
