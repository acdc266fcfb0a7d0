# SPDX-License-Identifier: Apache-2.0
"""An agent or a collector that stands still where it is to be killed.

python -m … agent SPOOL URL LOAD MESSAGES [STATION:AFTER …]
    spools the messages that are not spooled yet, and sends them. Stands
    'unconfirmed' before, or 'confirmed' after, the sending of a message; and
    is 'sent' when the bus has everything.
python -m … collector DATABASE URL [STATION:AFTER …]
    stands 'uncommitted' before, or 'unacknowledged' after, the commit of a
    batch that has something new.

It stands at one station after the other, when so many messages, or samples
of the collector, have come since the last. There it prints the station, with
the key of a sample if it has one, and goes on when it is given a line. All
that is here are parts of the product, put together in another way.
"""

from __future__ import annotations

import datetime
import os
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa

from moc_meter.cmd import process
from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.collector.service import Collector
from moc_meter.messaging import amqp
from moc_meter.messaging.base import Sender
from moc_meter.model import meter, query
from moc_meter.model.admission import Admission
from moc_meter.model.sample import Sample
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance import fault_notifications, fault_samples

#: What a stream may be of: the samples of its messages, by number.
LOADS: Mapping[str, Callable[[int], list[Sample]]] = {
    'world': fault_samples.message,
    'notifications': fault_notifications.message}


class Stations:
    """Where to stand next."""

    def __init__(self, spelled: Sequence[str]) -> None:
        self._rest = [(name, int(after)) for name, _, after in (
            one.partition(':') for one in spelled)]
        self._passed = 0

    @property
    def is_near(self) -> bool:
        """Whether the next one is reached when its place comes."""
        return bool(self._rest) and self._passed >= self._rest[0][1]

    def come(self, number: int) -> None:
        """So many have come."""
        self._passed += number

    def stand(self, name: str, fact: object = '') -> None:
        """Where it is the next: say so; wait to be killed or to go on."""
        if self.is_near and self._rest[0][0] == name:
            del self._rest[0]
            self._passed = 0
            print(name, fact, flush=True)
            if not sys.stdin.readline():
                os._exit(1)     # whoever was to kill us is dead


class StandingSender:
    """Stands still around the sending of messages."""

    def __init__(self, sender: Sender, stations: Stations) -> None:
        self._sender = sender
        self._stations = stations

    def send(self, message: bytes) -> None:
        self._stations.come(1)
        self._stations.stand('unconfirmed')
        self._sender.send(message)
        self._stations.stand('confirmed')

    def check(self) -> None:
        self._sender.check()

    def close(self) -> None:
        self._sender.close()


class StandingStore(SqlSampleStore):
    """Stands still around its commits."""

    def __init__(self, engine: sa.Engine, stations: Stations) -> None:
        super().__init__(engine)
        self._readers = engine
        self._stations = stations
        self._fresh: uuid.UUID | None = None    # of the batch in hand
        sa.event.listen(engine, 'commit', self._before_commit)

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        self._stations.come(len(samples))
        if self._stations.is_near:
            with transactions.reading(self._readers) as conn:
                if not is_there(conn, samples[-1].key):
                    self._fresh = samples[-1].key
        written = super().write(samples, now)
        if self._fresh:
            self._stations.stand('unacknowledged', self._fresh.hex)
        self._fresh = None
        return written

    def _before_commit(self, conn: sa.Connection) -> None:
        """Of all transactions of a batch, this one stored the samples."""
        if self._fresh and is_there(conn, self._fresh):
            self._stations.stand('uncommitted', self._fresh.hex)


def is_there(conn: sa.Connection, key: uuid.UUID) -> bool:
    """Whether the sample is stored, as this transaction sees it."""
    return bool(conn.scalar(sa.select(
        sa.exists().where(tables.sample.c.key == key))))


def agent(path: str, url: str, load: str, messages: str,
          *stations: str) -> None:
    spool = Spool(Path(path), max_bytes=10 ** 9)
    publisher = BusPublisher(spool, StandingSender(
        amqp.connect(url=url).sender(), Stations(stations)))

    def publish(stop: threading.Event) -> None:
        # What a killed one had published and not noted, it publishes again,
        # as its source would deliver it again.
        with Path(f'{path}.published').open('ab', buffering=0) as published:
            for number in range(published.tell(), int(messages)):
                publisher.publish(LOADS[load](number))
                published.write(b'.')
        while spool.waiting[0] and not stop.wait(0.1):
            pass
        print('sent', flush=True)

    serve(publish, process.closing(publisher))


def collector(database: str, url: str, *stations: str) -> None:
    store = StandingStore(transactions.make_engine(database),
                          Stations(stations))
    serve(Collector(
        amqp.connect(url=url, batch_seconds=0.2).receiver(),
        [StorageDispatcher(store)], Admission(definitions=meter.load()),
        clock=lambda: datetime.datetime.now(datetime.UTC)).run)


def serve(*services: Callable[[threading.Event], None]) -> None:
    """Until SIGTERM, or the end of whoever started it."""
    sys.exit(process.serve(
        *({str(place): service} for place, service in enumerate(services)),
        parent=os.getppid()))


if __name__ == '__main__':
    (agent if sys.argv[1] == 'agent' else collector)(*sys.argv[2:])
