# SPDX-License-Identifier: Apache-2.0
"""Two collectors on one queue at full speed, one of which is killed.

Not a matter of speed: whatever is killed when, each sample is stored, once,
and everything that is derived says so. The queue is kept full; one of the two
collectors is killed (SIGKILL) whenever another part of the samples is stored,
and another one takes its place.
"""

from __future__ import annotations

import collections
import contextlib
import datetime
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from moc_meter.messaging import amqp, codec
from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import rollups
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance.system import Process, configured
from moc_meter.tests.perf import cloud, data
from moc_meter.tests.perf.data import SIZES, Shape
from moc_meter.tests.perf.frame import Bound, Figure, Setting, Target, say
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import count, migrated

_QUEUE = 'moc_meter.samples'
_MESSAGE = 100
#: Messages that wait at most while more are sent: more than collectors take
#: in the time of a look, few enough for the broker's memory.
_WAITING = 1000
_GLANCE = 0.1
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the samples.

    lost, doubled: a changed one is both. wrong: cells of rollups.
    kills: of collectors.
    """

    samples: int
    seconds: float
    kills: int
    lost: int
    doubled: int
    wrong: int
    quarantined: int


class Race:
    """Two collectors, at any time, between a queue and a database."""

    def __init__(self, folder: Path, broker: RabbitMQ, database: str) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._broker = broker
        self._bus = broker.create_vhost()
        self._settings = configured(folder, 'moc-meter-collector', {
            'messaging.url': self._bus, 'database.url': database})
        self._stack = contextlib.ExitStack()
        self.close = self._stack.close
        self.engine = self._stack.enter_context(migrated(database))
        self._kills = 0
        self._collectors = [self._start(0), self._start(1)]

    def run(self, shape: Shape, kills: int) -> Outcome:
        """Send and kill, until every sample is stored.

        kills: after equal parts of the samples.
        """
        begun = time.monotonic()
        sending = threading.Thread(target=self._send, args=(shape,))
        sending.start()
        for number in range(1, kills + 1):
            self._await(shape.samples * number // (kills + 1))
            self._kill()
        sending.join()
        self._await(shape.samples)
        seconds = time.monotonic() - begun
        for collector in self._collectors:
            assert collector.end() == 0, collector.last_words
        # What was not acknowledged would be back.
        assert self._depth() == 0
        lost, doubled = self._differences(shape)
        return Outcome(
            samples=shape.samples, seconds=seconds, kills=self._kills,
            lost=lost, doubled=doubled,
            wrong=sum(1 for _ in rollups.verify(self.engine)),
            quarantined=count(self.engine, tables.quarantine))

    def _start(self, number: int) -> Process:
        return self._stack.enter_context(Process(
            'moc-meter-collector', '--config-file', self._settings,
            folder=self._folder / f'collector-{number}'))

    def _kill(self) -> None:
        """The older one, wherever it stands."""
        self._collectors.pop(0).kill()
        self._kills += 1
        self._collectors.append(self._start(self._kills + 1))

    def _send(self, shape: Shape) -> None:
        sender = amqp.connect(url=self._bus).sender()
        with contextlib.closing(sender):
            sender.check()      # the queue is there, and has a depth
            for number, message in enumerate(_messages(shape)):
                while not number % 100 and self._depth() > _WAITING:
                    time.sleep(_GLANCE)
                sender.send(message)

    def _await(self, samples: int) -> None:
        """Until so many are stored; it must go on all the time."""
        stored, limit = -1, 0.0
        while (now := self._stored()) < samples:
            if now != stored:
                stored, limit = now, time.monotonic() + _PATIENCE
            assert time.monotonic() < limit, f'stands still at {stored}'
            time.sleep(_GLANCE)

    def _stored(self) -> int:
        """Told by the cells of days, which are few."""
        with transactions.reading(self.engine) as conn:
            return int(conn.scalar(sa.select(
                sa.func.sum(tables.rollup_day.c.count))) or 0)

    def _depth(self) -> int:
        return self._broker.queue_depth(self._bus.rpartition('/')[2], _QUEUE)

    def _differences(self, shape: Shape) -> tuple[int, int]:
        """How many samples are lost, and how many are doubled."""
        lost = doubled = 0
        for came, samples in data.batches(shape):
            expected = collections.Counter(map(_told, samples))
            found = collections.Counter(self._kept(came - period.DAY, came))
            lost += (expected - found).total()
            doubled += (found - expected).total()
        return lost, doubled

    def _kept(self, begin: datetime.datetime, end: datetime.datetime
              ) -> Iterator[tuple[Any, ...]]:
        """What _told() says, of a day's rows."""
        kept, series = tables.sample, tables.series
        with transactions.reading(self.engine) as conn:
            for row in conn.execute(sa.select(
                    kept.c.key, kept.c.timestamp, kept.c.volume,
                    series.c.meter, series.c.resource_id, series.c.project_id
                    ).join_from(kept, series, kept.c.series_id == series.c.id)
                    .where(kept.c.timestamp >= begin,
                           kept.c.timestamp < end)):
                yield tuple(row)


def _told(one: Sample) -> tuple[Any, ...]:
    return (one.key, one.timestamp, one.volume, one.meter, one.resource_id,
            one.project_id)


def _messages(shape: Shape) -> Iterator[bytes]:
    for _, samples in data.batches(shape):
        for batch in cloud.batches(samples, _MESSAGE):
            yield codec.encode(batch)


def _figures(setting: Setting) -> list[Figure]:
    with RabbitMQ() as broker, tempfile.TemporaryDirectory() as folder, \
            contextlib.closing(Race(Path(folder), broker,
                                    setting.databases.empty())) as race:
        outcome = race.run(SIZES['1M'], kills=9)
    say(f'{outcome.samples} samples in {outcome.seconds:.0f} s')
    return [Figure(name=name, unit=unit, values=[getattr(outcome, name)])
            for name, unit in (
                ('samples', 'sent'), ('kills', 'collectors'),
                ('seconds', 's'), ('lost', 'samples'),
                ('doubled', 'samples'), ('wrong', 'cells of rollups'),
                ('quarantined', 'rows'))]


TWO_COLLECTORS = Target(
    name='two-collectors', figures=_figures,
    title='two collectors on one queue at full speed, one of them killed nine '
          'times',
    bounds=[Bound(of=name, most=0) for name in (
        'lost', 'doubled', 'wrong', 'quarantined')])
