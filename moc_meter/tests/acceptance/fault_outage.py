# SPDX-License-Identifier: Apache-2.0
"""Installed collectors whose database is stopped for minutes."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from moc_meter.messaging import amqp
from moc_meter.model.sample import Sample
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage import engine as transactions
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance import fault_samples
from moc_meter.tests.acceptance.faults import QUEUE, script, until
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect
from moc_meter.tests.stores import count

SECONDS = 120
#: Messages before the outage.
_BEFORE = 20
#: A collector asks every 30 s when it has waited for long.
_PATIENCE = 240
#: Between two messages while it lasts, in seconds.
_PAUSE = 1.0


class Line:
    """From a spool through a collector into a database of its own."""

    def __init__(self, folder: Path, broker: RabbitMQ, database: PostgreSQL,
                 hold_seconds: int) -> None:
        folder.mkdir()
        self._url = broker.create_vhost()
        self._log = folder / 'collector.log'
        self._sent = 0      # messages
        url = database.create_database()
        self.engine = transactions.make_engine(url)
        transactions.migrate(self.engine)
        self._publisher = BusPublisher(
            Spool(folder / 'spool', 10 ** 9),
            amqp.connect(url=self._url).sender())
        settings = folder / 'collector.conf'
        settings.write_text(
            f'[messaging]\nurl = {self._url}\n[database]\nurl = {url}\n'
            f'[collector]\nhold_seconds = {hold_seconds}\n')
        with self._log.open('wb') as log:
            self._collector = subprocess.Popen(
                [script('moc-meter-collector'), '--config-file', settings],
                stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def busy_seconds(self) -> float:
        """Of a core, in user and system mode, since the process began."""
        fields = Path(f'/proc/{self._collector.pid}/stat').read_text(
            ).rpartition(')')[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf('SC_CLK_TCK')

    @property
    def deliveries(self) -> list[int]:
        """How often each message that waits in the queue was given back."""
        found = []
        with connect(self._url) as connection:
            channel = connection.default_channel
            while message := channel.basic_get(QUEUE):
                found.append(message.headers.get('x-delivery-count', 0))
        return found

    @property
    def sent(self) -> list[Sample]:
        return [one for number in range(self._sent)
                for one in fault_samples.message(number)]

    def send(self, messages: int = 1) -> None:
        for _ in range(messages):
            self._publisher.publish(fault_samples.message(self._sent))
            self._sent += 1

    def catch_up(self) -> None:
        """Return when everything that was sent is stored."""
        wanted = len(self.sent)
        until(lambda: count(self.engine, tables.sample) >= wanted,
              _PATIENCE, 'all stored')

    def finish(self) -> int:
        """Exit status of the collector after SIGTERM."""
        self._collector.terminate()
        return self._collector.wait(_PATIENCE)

    def close(self) -> None:
        self._collector.kill()
        self._collector.wait()
        self._publisher.close()
        self.engine.dispose()


class Outage:
    """A stopped database, and samples that keep coming."""

    def __init__(self, database: PostgreSQL, lines: list[Line]) -> None:
        self._database = database
        self._lines = lines
        self._over = threading.Event()
        for line in lines:
            line.send(_BEFORE)
            line.catch_up()
            line.engine.dispose()
        database.stop()
        self._began = time.monotonic()
        self._busy = [line.busy_seconds for line in lines]
        self._threads = ThreadPoolExecutor(1)
        self._sending = self._threads.submit(self._send)

    def pass_by(self) -> list[float]:
        """Wait until it has lasted long enough; the load of each collector.

        It may have lasted for longer. The load is in cores.
        """
        self._over.wait(self._began + SECONDS - time.monotonic())
        self._over.set()
        self._sending.result()
        seconds = time.monotonic() - self._began
        return [(line.busy_seconds - before) / seconds
                for line, before in zip(self._lines, self._busy, strict=True)]

    def end(self) -> None:
        self._database.start()
        for line in self._lines:
            line.catch_up()

    def close(self) -> None:
        self._over.set()
        self._threads.shutdown()

    def _send(self) -> None:
        while not self._over.wait(_PAUSE):
            for line in self._lines:
                line.send()
