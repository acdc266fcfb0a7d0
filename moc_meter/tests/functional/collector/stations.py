# SPDX-License-Identifier: Apache-2.0
"""An agent or a collector that stands still where it is to be killed.

python -m moc_meter.tests.functional.collector.stations agent SPOOL URL AT
    spools the samples and sends them; stands 'unconfirmed' before or
    'confirmed' after the sending of a message.
python -m moc_meter.tests.functional.collector.stations collector DB URL AT
    stands 'uncommitted' before or 'unacknowledged' after the first commit.

It prints the station when it is there; with AT '-' there is none. They are
the parts of the product, put together in another way.
"""

from __future__ import annotations

import datetime
import sys
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.collector.service import Collector
from moc_meter.messaging import amqp
from moc_meter.messaging.base import Sender
from moc_meter.model import query
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
#: What is sent, in batches of 25.
SAMPLES = [
    Sample(source='region-1', message_id=derived_id(str(number)),
           timestamp=NOON + datetime.timedelta(minutes=number), meter='cpu',
           kind=MeterKind.CUMULATIVE, unit='ns', volume=Decimal(number) / 10,
           resource_id=f'i-{number % 7}') for number in range(1000)]
BATCHES = [SAMPLES[start:start + 25] for start in range(0, 1000, 25)]


def stand(station: str) -> None:
    """Say where we are, and wait to be killed."""
    print(station, flush=True)
    threading.Event().wait(120)


class StandingSender:
    """Stands still at the fifth message."""

    def __init__(self, sender: Sender, station: str) -> None:
        self._sender = sender
        self._station = station
        self._sent = 0

    def send(self, message: bytes) -> None:
        self._sent += 1
        if self._sent == 5 and self._station == 'unconfirmed':
            stand(self._station)
        self._sender.send(message)
        if self._sent == 5 and self._station == 'confirmed':
            stand(self._station)

    def check(self) -> None:
        self._sender.check()

    def close(self) -> None:
        self._sender.close()


class StandingStore(SqlSampleStore):
    """Stands still around its first commit of samples."""

    def __init__(self, engine: sa.Engine, station: str) -> None:
        super().__init__(engine)
        self._station = station
        if station == 'uncommitted':
            sa.event.listen(engine, 'commit', self._before_commit)

    def _before_commit(self, conn: sa.Connection) -> None:
        if conn.exec_driver_sql('SELECT count(*) FROM sample').scalar():
            stand(self._station)

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        written = super().write(samples, now)
        if self._station == 'unacknowledged':
            stand(self._station)
        return written


def agent(spool: str, url: str, station: str) -> None:
    waiting = Spool(Path(spool), max_bytes=10**9)
    held = threading.Event()

    class Held(StandingSender):
        """Sends nothing before everything is spooled."""

        def send(self, message: bytes) -> None:
            held.wait(60)
            super().send(message)

    publisher = BusPublisher(
        waiting, Held(amqp.connect(url=url).sender(), station))
    for batch in BATCHES:
        publisher.publish(batch)
    held.set()
    threading.Event().wait(120)


def collect(store: SqlSampleStore, url: str, stop: threading.Event) -> None:
    Collector(
        amqp.connect(url=url, batch_seconds=0.1).receiver(),
        [StorageDispatcher(store)], Admission(definitions=Definitions([])),
        clock=lambda: datetime.datetime.now(datetime.UTC)).run(stop)


def collector(database: str, url: str, station: str) -> None:
    collect(StandingStore(transactions.make_engine(database), station), url,
            threading.Event())


if __name__ == '__main__':
    {'agent': agent, 'collector': collector}[sys.argv[1]](*sys.argv[2:])
