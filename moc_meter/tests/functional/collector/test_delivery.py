# SPDX-License-Identifier: Apache-2.0
"""From the spool over RabbitMQ into the store, with kills on the way."""

from __future__ import annotations

import datetime
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.collector.service import Collector
from moc_meter.messaging import amqp, codec, entry
from moc_meter.model import query
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import Sample
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.contract.fakes import FakeDispatcher
from moc_meter.tests.functional.collector import stations
from moc_meter.tests.functional.collector.stations import BATCHES, SAMPLES
from moc_meter.tests.servers import base
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import migrated


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[sa.Engine]:
    with migrated(sqlite_url) as made:
        yield made


def kill_at(station: str, *arguments: str) -> None:
    """Run the process until it stands there, and kill it."""
    with subprocess.Popen(
            [sys.executable, '-m', stations.__name__, *arguments, station],
            stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline().strip() == station
        finally:
            process.kill()


def send(url: str, batches: Sequence[Sequence[Sample]]) -> None:
    sender = amqp.connect(url=url).sender()
    for batch in batches:
        sender.send(codec.encode(batch))
    sender.close()


class Watched(SqlSampleStore):
    """Says when it has so many samples."""

    def __init__(self, engine: sa.Engine, wanted: int,
                 there: threading.Event) -> None:
        super().__init__(engine)
        self._wanted = wanted
        self._there = there

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        written = super().write(samples, now)
        if len(kept(self)) >= self._wanted:
            self._there.set()
        return written


def kept(store: SqlSampleStore) -> list[Sample]:
    return [one.sample for one in store.samples(query.Selection(), 10_000)]


def collect_all(engine: sa.Engine, url: str, wanted: int = len(SAMPLES)
                ) -> list[Sample]:
    """Collect until so many samples are there; all of them, oldest first."""
    stop = threading.Event()
    timer = threading.Timer(60, stop.set)
    timer.start()
    store = Watched(engine, wanted, stop)
    stations.collect(store, url, stop)
    timer.cancel()
    return sorted(kept(store), key=lambda one: one.timestamp)


@pytest.mark.parametrize('station', ['unconfirmed', 'confirmed'])
def test_what_a_killed_agent_had_spooled_is_stored_once(
        station: str, tmp_path: Path, amqp_url: str, engine: sa.Engine
        ) -> None:
    kill_at(station, 'agent', str(tmp_path / 'spool'), amqp_url)
    spool = Spool(tmp_path / 'spool', max_bytes=10**9)
    assert 0 < spool.waiting[0] <= len(BATCHES)
    publisher = BusPublisher(spool, amqp.connect(url=amqp_url).sender())
    assert collect_all(engine, amqp_url) == SAMPLES
    publisher.close()


@pytest.mark.parametrize('station', ['uncommitted', 'unacknowledged'])
def test_what_a_killed_collector_had_in_hand_is_stored_once(
        station: str, sqlite_url: str, amqp_url: str, engine: sa.Engine
        ) -> None:
    send(amqp_url, BATCHES)
    kill_at(station, 'collector', sqlite_url, amqp_url)
    stored = len(kept(SqlSampleStore(engine)))
    assert bool(stored) == (station == 'unacknowledged')
    assert collect_all(engine, amqp_url) == SAMPLES
    assert not list(rollups.verify(engine))


def test_a_poisoned_batch_costs_its_bad_sample_only(
        amqp_url: str, engine: sa.Engine) -> None:
    bad = SAMPLES[42]
    with engine.begin() as conn:
        conn.exec_driver_sql(
            'CREATE TRIGGER poison BEFORE INSERT ON sample '
            "WHEN NEW.volume = '4.200000000' "
            "BEGIN SELECT RAISE(ABORT, 'no such volume'); END")
    send(amqp_url, [SAMPLES[:100]])
    assert collect_all(engine, amqp_url, 99) == [
        one for one in SAMPLES[:100] if one != bad]
    with transactions.reading(engine) as conn:
        [refused] = conn.execute(sa.select(tables.quarantine)).all()
    assert entry.read_sample(refused.content) == bad
    assert 'no such volume' in refused.reason


class Away(FakeDispatcher):
    """Goes away with the first batch, and says when it is asked again."""

    def __init__(self) -> None:
        super().__init__(self._leave)
        self.pinged = threading.Event()
        self.full = threading.Event()

    def _leave(self, _samples: Sequence[Sample]) -> None:
        self.away = True
        raise errors.StoreUnavailable('gone')

    def come_back(self) -> None:
        self.refuses = len
        self.away = False

    def dispatch(self, samples: Sequence[Sample],
                 now: datetime.datetime) -> query.Written:
        written = super().dispatch(samples, now)
        if len(self.samples) == len(SAMPLES):
            self.full.set()
        return written

    def ping(self) -> None:
        if self.batches:
            self.pinged.set()
        super().ping()


def test_a_long_outage_of_the_store_is_one_giving_back(
        amqp_url: str, rabbitmq_server: RabbitMQ) -> None:
    send(amqp_url, BATCHES)
    dispatcher, stop = Away(), threading.Event()
    collector = Collector(
        amqp.connect(url=amqp_url, batch_seconds=0.1).receiver(),
        [dispatcher], Admission(definitions=Definitions([])),
        clock=lambda: stations.NOON + datetime.timedelta(days=9),
        # By this clock the time is up at the second attempt.
        hold_seconds=1.5, monotonic=lambda: len(dispatcher.batches))
    thread = threading.Thread(target=collector.run, args=(stop,))
    thread.start()
    try:
        assert dispatcher.pinged.wait(60)
        vhost = urllib.parse.urlsplit(amqp_url).path[1:]
        base.until(lambda: rabbitmq_server.queue_depth(
            vhost, 'moc_meter.samples') == len(BATCHES), 30,
            'everything to be in the queue again')
        tried = len(dispatcher.batches)
        dispatcher.come_back()
        assert dispatcher.full.wait(60)
    finally:
        stop.set()
        thread.join(60)
    assert tried == 2
    assert collector.counts.given_back == 1
    assert sorted(dispatcher.samples.values(),
                  key=lambda one: one.timestamp) == SAMPLES
